"""The instruments as reference knows them: which there are, which may be quoted, when their sessions are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from crossrate.api.reference.v1 import instrument_pb2 as pb


@dataclass(frozen=True, slots=True)
class Listed:
    """One instrument. `status` is reference's enum; `open` is whether its session is."""

    name: str
    base: str
    counter: str
    precision: int
    direct: bool
    status: int
    version: int
    open: bool = True

    @property
    def quoted(self) -> bool:
        """Whether a quote of it may be live."""
        return self.open and self.status in (pb.INSTRUMENT_STATUS_TRADING, pb.INSTRUMENT_STATUS_REDUCE_ONLY)


class Catalogue:
    """All instruments by name. Changes come in any order, twice or late: only a greater version counts.

    With `open_unless_told` sessions are open until `set_open` says otherwise, else closed.
    """

    def __init__(self, *, open_unless_told: bool = True) -> None:
        self._open_unless_told = open_unless_told
        self._listed: dict[str, Listed] = {}
        self.ready = asyncio.Event()
        """Set once every instrument has been listed."""
        self.revision = 0
        """Grows with every change."""

    @property
    def loaded(self) -> bool:
        """Whether every instrument has been listed."""
        return self.ready.is_set()

    def take(self, instruments: Iterable[pb.Instrument]) -> int:
        """Takes instruments as they are or became, and returns how many of them were news."""
        news = 0
        for i in instruments:
            known = self._listed.get(i.name)
            if known is not None and known.version >= i.version:
                continue
            is_open = known.open if known else self._open_unless_told
            self._listed[i.name] = Listed(
                i.name, i.base, i.counter, i.price_precision, i.direct, i.status, i.version, is_open
            )
            news += 1
        self.revision += bool(news)
        return news

    def set_open(self, name: str, is_open: bool) -> None:
        """Opens or closes the session of an instrument."""
        listed = self._listed[name]
        if listed.open != is_open:
            self._listed[name] = replace(listed, open=is_open)
            self.revision += 1

    def get(self, name: str) -> Listed | None:
        """An instrument; None while it is not listed."""
        return self._listed.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._listed

    def __len__(self) -> int:
        return len(self._listed)

    def direct(self) -> list[Listed]:
        """The instruments that the market deals directly, in order of name: those that the feed quotes."""
        return sorted((i for i in self._listed.values() if i.direct), key=lambda i: i.name)
