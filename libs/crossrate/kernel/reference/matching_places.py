"""Where the orders of a plain book are, what can be read of it, and how it comes back: see matching.py."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.matching_rules import (
    BUY,
    GTD,
    ORDER_WORDS,
    PRICE_MAX,
    QUANTITY_MAX,
    SELL,
    TRAILING,
    Order,
    can_be_kept,
)

Rows = NDArray[np.int64]
STAMP_MAX = 1 << 62
BEFORE_ALL_TIME = -(1 << 63)


class Ladder:
    """Orders by a key, the least one first, and first in, first out within a key."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, dict[int, Order]] = {}

    def join(self, key: int, order: Order) -> None:
        """Puts an order behind all others of a key."""
        if key not in self.levels:
            insort(self.keys, key)
            self.levels[key] = {}
        self.levels[key][order.id] = order

    def leave(self, key: int, order: Order) -> None:
        """Takes an order out, if it is in."""
        level = self.levels.get(key)
        if level is None or level.pop(order.id, None) is None or level:
            return
        del self.levels[key]
        del self.keys[bisect_left(self.keys, key)]

    def first(self) -> Order | None:
        """The first order of the least key."""
        return next(iter(self.levels[self.keys[0]].values())) if self.keys else None


class Places:
    """The orders of a book, by price, trigger, expiry and owner."""

    def __init__(self, capacity: int) -> None:
        """An empty book that keeps at most `capacity` orders."""
        self.capacity = capacity
        self.time = BEFORE_ALL_TIME
        self.sequence = self.executions = self.last_price = self.last_quantity = self.stamp = 0
        self._orders: dict[int, Order] = {}
        self._sides = {BUY: Ladder(), SELL: Ladder()}
        self._stops = {(source, falls): Ladder() for source in (1, 2, 3, 4) for falls in (False, True)}
        self._trails: dict[tuple[int, bool], dict[int, Order]] = {key: {} for key in self._stops}
        self._expiries, self._owners = Ladder(), Ladder()
        self._events: list[tuple[int, ...]] = []
        self._operation = 0

    def _reference(self, source: int) -> int:
        """What triggers look at, doubled so that a mid is whole; 0 where there is none."""
        if source == 4:
            return 2 * self.last_price
        bid, ask = (self._sides[side].first() for side in (BUY, SELL))
        if (source != 2 and bid is None) or (source != 1 and ask is None):
            return 0
        sides = (bid, bid) if source == 1 else (ask, ask) if source == 2 else (bid, ask)
        return sum(each.price for each in sides if each)

    def _other_side(self, order: Order) -> Ladder:
        return self._sides[SELL if order.side == BUY else BUY]

    def _would_take(self, order: Order) -> bool:
        best = self._other_side(order).first()
        return best is not None and order.crosses(best.price)

    def _next_stamp(self) -> int:
        self.stamp += 1
        return self.stamp

    def _keep(self, order: Order) -> None:
        order.shown = min(order.display, order.leaves) if order.display else order.leaves
        order.priority = self._next_stamp()
        self._place(order)
        if order.id not in self._orders:
            order.rank = order.priority
            self._orders[order.id] = order
            self._enlist(order)

    def _place(self, order: Order) -> None:
        if not order.trigger:
            self._sides[order.side].join(order.place_key, order)
            return
        if order.trigger == TRAILING:
            self._trails[order.source, order.falls][order.id] = order
        if order.trigger != TRAILING or order.extreme:
            self._stops[order.source, order.falls].join(order.stop_key, order)

    def _unplace(self, order: Order) -> None:
        if not order.trigger:
            self._sides[order.side].leave(order.place_key, order)
            return
        self._stops[order.source, order.falls].leave(order.stop_key, order)
        self._trails[order.source, order.falls].pop(order.id, None)

    def _enlist(self, order: Order) -> None:
        self._owners.join(order.owner, order)
        if order.time_in_force == GTD:
            self._expiries.join(order.expire, order)

    def depth(self, side: int, levels: int) -> tuple[Rows, Rows, Rows]:
        """Price, shown quantity and number of orders of the best levels of a side."""
        ladder = self._sides[side]
        found = [(abs(key), ladder.levels[key].values()) for key in ladder.keys[:levels]]
        rows = [(price, sum(each.shown for each in orders), len(orders)) for price, orders in found]
        price, quantity, count = np.array(rows, np.int64).reshape(-1, 3).T.copy()
        return price, quantity, count

    def facts(self) -> Rows:
        """What it knows beside its orders."""
        last = self.last_price, self.last_quantity
        facts = (self.capacity, self.time, self.sequence, self.executions, *last, self.stamp, len(self._orders))
        return np.array(facts, np.int64)

    def orders(self) -> Rows:
        """All orders, ascending by stamp of time priority."""
        kept = sorted(self._orders.values(), key=attrgetter("priority"))
        return np.array([list(_words(order)) for order in kept], np.int64).reshape(-1, ORDER_WORDS)

    def load(self, facts: Rows, orders: Rows) -> int:
        """Goes on as the book that these are of; the fault as of xr_matching_load, 0 for none."""
        if self._orders or self.sequence:
            return _fault(Reason.INCONSISTENT, 1, 0)
        known: list[int] = facts.tolist()
        for at, each in enumerate(known[2:7], start=2):
            if not 0 <= each <= STAMP_MAX:
                return _fault(Reason.OUT_OF_RANGE, 2, at)
        if known[4] > PRICE_MAX or known[5] > QUANTITY_MAX:
            return _fault(Reason.OUT_OF_RANGE, 2, 4)
        if len(orders) > self.capacity:
            return _fault(Reason.OUT_OF_RANGE, 3, 0)
        before = 0
        for at, words in enumerate(orders.tolist()):
            order = Order(*words)
            if not can_be_kept(order, known[1], known[6]):
                return _fault(Reason.OUT_OF_RANGE, 4, at)
            if order.priority <= before:
                return _fault(Reason.NOT_ASCENDING, 4, at)
            if order.id in self._orders:
                return _fault(Reason.INCONSISTENT, 4, at)
            before = order.priority
            self._orders[order.id] = order
            self._place(order)
        bid, ask = (self._sides[side].first() for side in (BUY, SELL))
        if bid and ask and bid.price >= ask.price:
            return _fault(Reason.INCONSISTENT, 4, 0)
        before = 0
        for at, order in enumerate(sorted(self._orders.values(), key=attrgetter("rank"))):
            if order.rank <= before:
                return _fault(Reason.NOT_ASCENDING, 5, at)
            before = order.rank
            self._enlist(order)
        self.time, self.sequence, self.executions, self.last_price, self.last_quantity, self.stamp = known[1:7]
        return 0


def _words(order: Order) -> Iterator[Any]:
    return (getattr(order, name) for name in Order.__slots__)


def _fault(reason: Reason, place: int, index: int) -> int:
    return int(reason) << 56 | place << 48 | index
