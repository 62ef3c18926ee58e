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
        self._wanted: set[str] = set()

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

    def want(self, names: Iterable[str]) -> None:
        """Tells of instruments that a feed has, whether the market deals them directly or not."""
        self._wanted.update(names)

    @property
    def wanted(self) -> int:
        """How many instruments feeds have told of; grows."""
        return len(self._wanted)

    def dealt(self) -> list[Listed]:
        """The instruments whose sessions matter: dealt directly, or quoted by a feed."""
        others = (i for name in self._wanted if (i := self._listed.get(name)) is not None and not i.direct)
        return self.direct() + sorted(others, key=lambda i: i.name)

    def quoted(self) -> dict[str, bool]:
        """Every instrument by name, and whether a quote of it may be live."""
        return {name: listed.quoted for name, listed in self._listed.items()}

    def direct(self) -> list[Listed]:
        """The instruments that the market deals directly, in order of name: those that the feed quotes."""
        return sorted((i for i in self._listed.values() if i.direct), key=lambda i: i.name)
