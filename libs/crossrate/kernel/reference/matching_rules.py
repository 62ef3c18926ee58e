"""What a command may say, and what an order may be: the plain twin of the rules of xr/matching.h."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

COMMAND_WORDS = EVENT_WORDS = 16
ORDER_WORDS = 19
FACTS = 8
ORDERS_MAX = 1 << 20
PRICE_MAX = QUANTITY_MAX = 1 << 40
ID_MAX = 1 << 62
TRANCHES_MAX = 1000

BUY, SELL = 1, 2
MARKET, LIMIT = 1, 2
GTC, IOC, FOK, GTD = 1, 3, 4, 6
STOP, TOUCHED, TRAILING = 1, 2, 3
CANCEL_RESTING, CANCEL_AGGRESSING, CANCEL_BOTH = 1, 2, 3
PREVENTION, POST_ONLY, MORE = 3, 4, 8


class Operation(IntEnum):
    """What a command asks for."""

    NEW = 1
    REPLACE = 2
    CANCEL = 3
    MASS_CANCEL = 4
    ADVANCE = 5


class Kind(IntEnum):
    """What an event is."""

    ACCEPTED = 1
    REJECTED = 2
    FILLED = 3
    CANCELLED = 4
    REPLACED = 5
    EXPIRED = 6
    TRIGGERED = 7
    MASS_CANCELLED = 8


class Why(IntEnum):
    """Why a command was refused (1 to 31) or an order ended (from 32)."""

    BAD_OPERATION = 1
    BAD_ID = 2
    DUPLICATE_ID = 3
    UNKNOWN_ORDER = 4
    BAD_OWNER = 5
    BAD_SIDE = 6
    BAD_TYPE = 7
    BAD_TIME_IN_FORCE = 8
    BAD_QUANTITY = 9
    BAD_PRICE = 10
    BAD_DISPLAY = 11
    BAD_MINIMUM = 12
    BAD_EXPIRE = 13
    BAD_TRIGGER = 14
    BAD_SOURCE = 15
    BAD_TRIGGER_PRICE = 16
    BAD_INSTRUCTIONS = 17
    BAD_TIME = 18
    BOOK_FULL = 19
    POST_ONLY = 20
    REQUESTED = 32
    MASS = 33
    NO_LIQUIDITY = 34
    IMMEDIATE_OR_CANCEL = 35
    FILL_OR_KILL = 36
    MINIMUM_QUANTITY = 37
    SELF_MATCH = 38
    QUANTITY_FILLED = 39


@dataclass(slots=True, eq=False)
class Order:
    """An order; its fields are the words of one that is kept, in order."""

    id: int
    owner: int
    side: int
    type: int
    time_in_force: int
    quantity: int
    price: int
    display: int
    minimum: int
    expire: int
    trigger: int
    source: int
    trigger_price: int
    instructions: int
    leaves: int = 0
    shown: int = 0
    extreme: int = 0
    priority: int = 0
    rank: int = 0

    @property
    def filled(self) -> int:
        """Units that have traded."""
        return self.quantity - self.leaves

    @property
    def rests(self) -> bool:
        """Whether what is left of it stays in the book."""
        return self.type == LIMIT and self.time_in_force not in (IOC, FOK)

    @property
    def falls(self) -> bool:
        """Whether its reference has to fall to its trigger; it rises otherwise."""
        return (self.trigger == TOUCHED) == (self.side == BUY)

    @property
    def place_key(self) -> int:
        """Its price, so that the best one is the least."""
        return -self.price if self.side == BUY else self.price

    @property
    def stop_key(self) -> int:
        """Twice the price at which it triggers, with the sign that makes the first one to trigger the least."""
        twice = 2 * self.trigger_price
        if self.trigger == TRAILING:
            twice = self.extreme - twice if self.falls else self.extreme + twice
        return -twice if self.falls else twice

    def crosses(self, price: int) -> bool:
        """Whether it would trade at a price of the other side."""
        return self.type == MARKET or (self.price >= price if self.side == BUY else self.price <= price)


def is_display(display: int, quantity: int) -> bool:
    """Whether an order of a quantity may show so much at once: all, or a part of a thousandth at least."""
    return display == 0 or (1 <= display <= quantity and -(-quantity // display) <= TRANCHES_MAX)


def is_expire(time_in_force: int, expire: int, now: int) -> bool:
    """Whether an order may end then."""
    return expire > now if time_in_force == GTD else expire == 0


def why_no_order(order: Order, now: int) -> int:
    """The reason for the first word that does not fit, 0 for an order that may come."""
    checks = (
        (1 <= order.id <= ID_MAX, Why.BAD_ID),
        (1 <= order.owner <= ID_MAX, Why.BAD_OWNER),
        (order.side in (BUY, SELL), Why.BAD_SIDE),
        (order.type in (MARKET, LIMIT), Why.BAD_TYPE),
        (order.time_in_force in (GTC, IOC, FOK, GTD), Why.BAD_TIME_IN_FORCE),
        (1 <= order.quantity <= QUANTITY_MAX, Why.BAD_QUANTITY),
        (1 <= order.price <= PRICE_MAX if order.type == LIMIT else order.price == 0, Why.BAD_PRICE),
        (is_display(order.display, order.quantity) and (not order.display or order.rests), Why.BAD_DISPLAY),
        (
            not order.minimum or (1 <= order.minimum <= order.quantity and order.time_in_force != FOK),
            Why.BAD_MINIMUM,
        ),
        (is_expire(order.time_in_force, order.expire, now), Why.BAD_EXPIRE),
        (0 <= order.trigger <= TRAILING, Why.BAD_TRIGGER),
        (1 <= order.source <= 4 if order.trigger else order.source == 0, Why.BAD_SOURCE),
        (1 <= order.trigger_price <= PRICE_MAX if order.trigger else order.trigger_price == 0, Why.BAD_TRIGGER_PRICE),
        (0 <= order.instructions <= MORE | POST_ONLY | PREVENTION, Why.BAD_INSTRUCTIONS),
        (not order.instructions & POST_ONLY or (order.rests and not order.minimum), Why.BAD_INSTRUCTIONS),
    )
    return next((int(reason) for holds, reason in checks if not holds), 0)


def can_be_kept(order: Order, now: int, stamp: int) -> bool:
    """Whether an order can rest or wait in a book at a time, with stamps given so far."""
    most = min(order.display, order.leaves) if order.display else order.leaves
    return (
        not why_no_order(order, now)
        and not order.instructions & MORE
        and bool(order.trigger or order.rests)
        and 1 <= order.leaves <= order.quantity
        and not (order.trigger and order.filled)
        and 1 <= order.shown <= most
        and (bool(order.display) or order.shown == order.leaves)
        and 0 <= order.extreme <= 2 * PRICE_MAX
        and not (order.extreme and order.trigger != TRAILING)
        and 1 <= order.priority <= stamp
        and 1 <= order.rank <= stamp
    )
