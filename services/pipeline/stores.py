"""The stores that rows go to: quotes, and beside them venues' own bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from services.pipeline.domain.progress import RowKind

if TYPE_CHECKING:
    from crossrate.history.bars import BarStore
    from crossrate.history.store import TickStore


@dataclass(frozen=True, slots=True)
class Stores:
    """Each opens its store when it is first asked for; that blocks. pyarrow and delta-rs are imported by the first who
    needs them."""

    quotes: Callable[[], TickStore]
    bars: Callable[[], BarStore]

    def of(self, kind: RowKind) -> TickStore | BarStore:
        """The store of rows of a kind. Blocks."""
        return self.bars() if kind is RowKind.BARS else self.quotes()


def opening(url: str) -> Stores:
    """The stores at a URL and beside it."""

    @cache
    def quotes() -> TickStore:
        from crossrate.history.store import TickStore

        return TickStore.open(url)

    @cache
    def bars() -> BarStore:
        from crossrate.history.bars import BarStore, beside

        return BarStore.open(beside(url))

    return Stores(quotes, bars)
