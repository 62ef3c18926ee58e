"""Matching of orders: the plain twin of xr/matching.h, in Python's own dictionaries and lists, and the way to read the rules.

`Book.run` carries out one command after the other; each of its branches is a rule. Where it and C differ, it is right.
"""

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
    CANCEL_AGGRESSING,
    CANCEL_RESTING,
    COMMAND_WORDS,
    EVENT_WORDS,
    FACTS,
    FOK,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MORE,
    ORDER_WORDS,
    ORDERS_MAX,
    POST_ONLY,
    PREVENTION,
    PRICE_MAX,
    QUANTITY_MAX,
    SELL,
    TRAILING,
    Kind,
    Operation,
    Order,
    Why,
    can_be_kept,
    is_display,
    is_expire,
    why_no_order,
)

__all__ = ["COMMAND_WORDS", "EVENT_WORDS", "FACTS", "ORDERS_MAX", "ORDER_WORDS", "Book"]

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


class Book:
    """An order book."""

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

    def run(self, commands: Rows) -> Rows:
        """Carries out commands, in order; their events."""
        self._events = []
        for command in commands.tolist():
            self._operation = command[0]
            self._carry_out(command)
            if not command[14] & MORE:
                self._settle()
        return np.array(self._events, np.int64).reshape(-1, EVENT_WORDS)

    def _carry_out(self, command: list[int]) -> None:
        if command[15] < self.time:
            self._refuse(command, Why.BAD_TIME)
            return
        self.time = command[15]
        while (due := self._expiries.first()) and due.expire <= self.time:
            self._end(due, Kind.EXPIRED, 0)
        if not 0 <= command[14] <= MORE | POST_ONLY | PREVENTION:
            self._refuse(command, Why.BAD_INSTRUCTIONS)
            return
        operation, order = command[0], self._orders.get(command[1])
        if operation == Operation.NEW:
            self._new(command)
        elif operation in (Operation.REPLACE, Operation.CANCEL):
            if order is None or order.owner != command[2]:
                self._refuse(command, Why.UNKNOWN_ORDER)
            elif operation == Operation.CANCEL:
                self._end(order, Kind.CANCELLED, Why.REQUESTED)
            else:
                self._replace(order, command)
        elif operation == Operation.MASS_CANCEL:
            self._mass_cancel(command)
        elif operation != Operation.ADVANCE:
            self._refuse(command, Why.BAD_OPERATION)

    # New orders

    def _new(self, command: list[int]) -> None:
        order = Order(*command[1:15])
        order.leaves = order.quantity
        reason = why_no_order(order, self.time)
        if not reason and order.id in self._orders:
            reason = Why.DUPLICATE_ID
        if not reason and len(self._orders) >= self.capacity and (order.trigger or order.rests):
            reason = Why.BOOK_FULL
        if not reason and order.instructions & POST_ONLY and not order.trigger and self._would_take(order):
            reason = Why.POST_ONLY
        if reason:
            self._refuse(command, reason)
            return
        order.instructions &= POST_ONLY | PREVENTION
        if order.trigger == TRAILING:
            order.extreme = self._reference(order.source)
        self._tell(Kind.ACCEPTED, 0, order)
        if order.trigger:
            self._keep(order)
        else:
            self._enter(order)

    def _enter(self, order: Order) -> None:
        """Lets an order meet the other side, or ends it where less would trade at once than has to."""
        need = order.minimum if order.leaves == order.quantity else 0
        if order.time_in_force == FOK:
            need = order.leaves
        if need and self._available(order, need) < need:
            reason = Why.FILL_OR_KILL if order.time_in_force == FOK else Why.MINIMUM_QUANTITY
            self._end(order, Kind.CANCELLED, reason)
            return
        self._match(order)

    def _match(self, taker: Order) -> None:
        mode = taker.instructions & PREVENTION
        while taker.leaves and (maker := self._other_side(taker).first()) and taker.crosses(maker.price):
            if not mode or maker.owner != taker.owner:
                self._trade(taker, maker)
                continue
            if mode != CANCEL_AGGRESSING:
                self._end(maker, Kind.CANCELLED, Why.SELF_MATCH)
            if mode != CANCEL_RESTING:
                self._end(taker, Kind.CANCELLED, Why.SELF_MATCH)
                return
        if not taker.leaves:
            self._end(taker, None, 0)
        elif taker.type == MARKET:
            self._end(taker, Kind.CANCELLED, Why.NO_LIQUIDITY)
        elif taker.time_in_force in (IOC, FOK):
            self._end(taker, Kind.CANCELLED, Why.IMMEDIATE_OR_CANCEL)
        else:
            self._keep(taker)

    def _trade(self, taker: Order, maker: Order) -> None:
        quantity = min(taker.leaves, maker.shown)
        self.executions += 1
        self.last_price, self.last_quantity = maker.price, quantity
        for each in (taker, maker):
            each.leaves -= quantity
        maker.shown -= quantity
        if maker.leaves and not maker.shown:
            # The next part comes behind all others.
            self._unplace(maker)
            self._keep(maker)
        self._fill(maker, taker, maker.price, quantity, 1)
        self._fill(taker, maker, maker.price, quantity, 2)
        if not maker.leaves:
            self._end(maker, None, 0)

    def _available(self, order: Order, enough: int) -> int:
        """Units that an order would trade at once; what its owner's own orders would stop does not count."""
        mode, side, units = order.instructions & PREVENTION, self._other_side(order), 0
        for key in side.keys:
            if units >= enough or not order.crosses(abs(key)):
                break
            level = list(side.levels[key].values())
            own = next((place for place, each in enumerate(level) if each.owner == order.owner), None)
            if not mode or own is None:
                units += sum(each.leaves for each in level)
            elif mode == CANCEL_RESTING:
                units += sum(each.leaves for each in level if each.owner != order.owner)
            else:
                # Behind an own order nothing is reached, nor the hidden parts, which come behind it.
                return units + sum(each.shown for each in level[:own])
        return units

    # Changes

    def _replace(self, order: Order, command: list[int]) -> None:
        quantity, price, display, expire, trigger_price = (command[at] for at in (6, 7, 8, 10, 13))
        reason = self._why_no_replacement(order, quantity, price, display, expire, trigger_price)
        if reason:
            self._refuse(command, reason)
            return
        if quantity <= order.filled:
            self._end(order, Kind.CANCELLED, Why.QUANTITY_FILLED)
            return
        more_shown = (display or QUANTITY_MAX + 1) > (order.display or QUANTITY_MAX + 1)
        moved = price != order.price or bool(order.trigger and trigger_price != order.trigger_price)
        stays = not (moved or more_shown or quantity > order.quantity)
        if not stays:
            self._unplace(order)
        order.leaves = quantity - order.filled
        order.quantity, order.price, order.display = quantity, price, display
        order.shown = min(order.shown, order.leaves, display or order.leaves)
        if order.trigger:
            order.trigger_price = trigger_price
        if order.expire != expire:
            self._owners.leave(order.owner, order)
            self._expiries.leave(order.expire, order)
            order.expire, order.rank = expire, self._next_stamp()
            self._enlist(order)
        if stays or order.trigger:
            if not stays:
                self._keep(order)
            self._tell(Kind.REPLACED, 0, order)
            return
        order.shown = 0
        self._tell(Kind.REPLACED, 0, order)
        self._match(order)

    def _why_no_replacement(
        self, order: Order, quantity: int, price: int, display: int, expire: int, trigger_price: int
    ) -> int:
        if not 1 <= quantity <= QUANTITY_MAX:
            return Why.BAD_QUANTITY
        if not (1 <= price <= PRICE_MAX if order.type == LIMIT else price == 0):
            return Why.BAD_PRICE
        if not is_display(display, quantity) or (display and not order.rests):
            return Why.BAD_DISPLAY
        if order.minimum > quantity:
            return Why.BAD_MINIMUM
        if not is_expire(order.time_in_force, expire, self.time):
            return Why.BAD_EXPIRE
        if order.trigger and not 1 <= trigger_price <= PRICE_MAX:
            return Why.BAD_TRIGGER_PRICE
        if order.instructions & POST_ONLY and not order.trigger:
            best = self._other_side(order).first()
            if best and (price >= best.price if order.side == BUY else price <= best.price):
                return Why.POST_ONLY
        return 0

    def _mass_cancel(self, command: list[int]) -> None:
        owner, side = command[2], command[3]
        if not 0 <= side <= SELL:
            self._refuse(command, Why.BAD_SIDE)
            return
        owners = [owner] if owner else list(self._owners.keys)
        found = [order for key in owners for order in self._owners.levels.get(key, {}).values()]
        chosen = [order for order in found if not side or order.side == side]
        for order in chosen:
            self._end(order, Kind.CANCELLED, Why.MASS)
        self._say(Kind.MASS_CANCELLED, 0, command[1], owner, side, 0, len(chosen), 0, 0, 0)

    # Triggers

    def _reference(self, source: int) -> int:
        """What triggers look at, doubled so that a mid is whole; 0 where there is none."""
        if source == 4:
            return 2 * self.last_price
        bid, ask = (self._sides[side].first() for side in (BUY, SELL))
        if (source != 2 and bid is None) or (source != 1 and ask is None):
            return 0
        sides = (bid, bid) if source == 1 else (ask, ask) if source == 2 else (bid, ask)
        return sum(each.price for each in sides if each)

    def _settle(self) -> None:
        """Looks at the references after a command, and again after each order that they trigger."""
        while True:
            for (source, falls), trail in self._trails.items():
                self._trail(list(trail.values()), self._reference(source), falls)
            order = self._triggered()
            if order is None:
                return
            self._unplace(order)
            order.trigger = order.source = order.trigger_price = order.extreme = order.shown = 0
            self._tell(Kind.TRIGGERED, 0, order)
            if order.instructions & POST_ONLY and self._would_take(order):
                self._end(order, Kind.CANCELLED, Why.POST_ONLY)
            else:
                self._enter(order)

    def _trail(self, orders: list[Order], now: int, falls: bool) -> None:
        for order in orders:
            if now and (not order.extreme or (now > order.extreme if falls else now < order.extreme)):
                self._unplace(order)
                order.extreme, order.priority = now, self._next_stamp()
                self._place(order)

    def _triggered(self) -> Order | None:
        for (source, falls), ladder in self._stops.items():
            now = self._reference(source) if ladder.keys else 0
            if now and (-now if falls else now) >= ladder.keys[0]:
                return ladder.first()
        return None

    # Where orders are

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

    def _end(self, order: Order, kind: int | None, reason: int) -> None:
        if self._orders.pop(order.id, None) is not None:
            self._unplace(order)
            self._owners.leave(order.owner, order)
            self._expiries.leave(order.expire, order)
        open_units, filled = order.leaves, order.filled
        order.leaves = order.shown = 0
        if kind is not None:
            side, price = order.side, order.price
            self._say(kind, reason, order.id, order.owner, side, price, open_units, 0, filled, 0)

    # Events

    def _say(self, kind: int, reason: int, *words: int) -> None:
        """An event; `words` are those from id to filled, then what is shown, with execution and what follows between."""
        self.sequence += 1
        identity, execution = words[:7], words[7:-1] if len(words) > 8 else (0, 0, 0)
        self._events.append(
            (self.sequence, int(kind), *identity, *execution, int(reason), self.time, self._operation, words[-1])
        )

    def _tell(self, kind: int, reason: int, order: Order) -> None:
        shown = 0 if order.trigger else order.shown
        words = (order.id, order.owner, order.side, order.price, order.quantity, order.leaves, order.filled)
        self._say(kind, reason, *words, shown)

    def _fill(self, order: Order, counter: Order, price: int, quantity: int, liquidity: int) -> None:
        words = (order.id, order.owner, order.side, price, quantity, order.leaves, order.filled)
        self._say(Kind.FILLED, 0, *words, self.executions, counter.id, liquidity, order.shown)

    def _refuse(self, command: list[int], reason: int) -> None:
        identity = (command[1], command[2], command[3], command[7], command[6], 0, 0)
        self._say(Kind.REJECTED, reason, *identity, 0)

    # Views

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
