"""Books whose venue names its entries (FIX MDEntryID) instead of its prices: entries in, levels out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class EntryUpdate(NamedTuple):
    """One entry as it is from now on. `quantity` 0 deletes it, and then the rest does not matter."""

    id: str
    bid: bool
    price: float
    quantity: float


class Entries:
    """The entries of one book. An entry may move to another price or side; a level is the sum of its entries."""

    __slots__ = ("_entries", "_levels")

    def __init__(self) -> None:
        self._entries: dict[str, EntryUpdate] = {}
        self._levels: dict[tuple[bool, float], dict[str, float]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, updates: Sequence[EntryUpdate]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Takes entries, and returns the bids and the asks that they touch, with what stands there now (0: nothing)."""
        touched: dict[tuple[bool, float], None] = {}
        for update in updates:
            before = self._entries.pop(update.id, None)
            if before is not None:
                key = before.bid, before.price
                self._levels[key].pop(update.id, None)
                touched[key] = None
            if update.quantity:
                key = update.bid, update.price
                self._entries[update.id] = update
                self._levels.setdefault(key, {})[update.id] = update.quantity
                touched[key] = None
        bids: list[tuple[float, float]] = []
        asks: list[tuple[float, float]] = []
        for key in touched:
            # Summed anew: adding and subtracting would leave remainders where nothing stands any more.
            (bids if key[0] else asks).append((key[1], math.fsum(self._levels[key].values())))
            if not self._levels[key]:
                del self._levels[key]
        return bids, asks

    def levels(self, *, bids: bool) -> list[tuple[float, float]]:
        """All levels of a side, in no order."""
        return [(price, math.fsum(each.values())) for (bid, price), each in self._levels.items() if bid is bids]
