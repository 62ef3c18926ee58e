"""Matching of orders: the plain twin of xr/matching.h, and the way to read its rules.

`Book.run` carries out one command after the other; each of its branches is a rule. Where it and C differ, it is right.
"""

from __future__ import annotations

import numpy as np

from crossrate.kernel.reference.matching_places import Places, Rows
from crossrate.kernel.reference.matching_rules import (
    BUY,
    CANCEL_AGGRESSING,
    CANCEL_RESTING,
    COMMAND_WORDS,
    EVENT_WORDS,
    FACTS,
    FOK,
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
    is_display,
    is_expire,
    why_no_order,
)

__all__ = ["COMMAND_WORDS", "EVENT_WORDS", "FACTS", "ORDERS_MAX", "ORDER_WORDS", "Book"]

STAMP_MAX = 1 << 62
BEFORE_ALL_TIME = -(1 << 63)


class Book(Places):
    """An order book."""

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
        """An event; `words` are those from id to filled, perhaps execution to liquidity, and what is shown."""
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
