"""What an order book answers: numbered events, each with its reason."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class EventKind(IntEnum):
    """What happened."""

    ACCEPTED = 1
    REJECTED = 2
    """A command was refused; an order that it was about is as before."""
    FILLED = 3
    CANCELLED = 4
    REPLACED = 5
    EXPIRED = 6
    TRIGGERED = 7
    MASS_CANCELLED = 8


class Liquidity(IntEnum):
    """FIX 851."""

    NONE = 0
    ADDED = 1
    """The maker's side: it rested."""
    REMOVED = 2
    """The taker's side."""


class Reason(IntEnum):
    """Why: 1 to 31 a command was refused by the book, 32 to 63 an order ended there, from 64 the venue's own."""

    NONE = 0
    OPERATION = 1
    ID = 2
    DUPLICATE_ID = 3
    UNKNOWN_ORDER = 4
    OWNER = 5
    SIDE = 6
    TYPE = 7
    TIME_IN_FORCE = 8
    QUANTITY = 9
    PRICE = 10
    DISPLAY_QUANTITY = 11
    MINIMUM_QUANTITY = 12
    EXPIRE_TIME = 13
    TRIGGER = 14
    TRIGGER_SOURCE = 15
    TRIGGER_PRICE = 16
    INSTRUCTIONS = 17
    TIME = 18
    BOOK_FULL = 19
    POST_ONLY = 20
    REQUESTED = 32
    MASS_CANCEL = 33
    NO_LIQUIDITY = 34
    IMMEDIATE_OR_CANCEL = 35
    FILL_OR_KILL = 36
    MINIMUM_NOT_AVAILABLE = 37
    SELF_MATCH = 38
    QUANTITY_FILLED = 39
    MARKET_CLOSED = 64
    ABOVE_MAXIMUM_QUANTITY = 65
    BELOW_MINIMUM_QUANTITY = 66
    QUANTITY_INCREMENT = 67
    PRICE_INCREMENT = 68
    VENUE_REJECT = 69
    LAST_LOOK = 70
    HELD = 71

    @property
    def says(self) -> str:
        """The sentence for a person: the field, and what it must be."""
        return _SAYS[self]


_WHOLE = "must be a whole number from 1 to 2^40"
_SAYS = {
    Reason.NONE: "",
    Reason.OPERATION: "operation must be new, replace, cancel, mass cancel or advance",
    Reason.ID: "id must be from 1 to 2^62; at a venue below 2^61",
    Reason.DUPLICATE_ID: "id belongs to an order that is open: every order needs its own",
    Reason.UNKNOWN_ORDER: "no open order of this owner has the id: it ended, or never was",
    Reason.OWNER: "owner must be from 1 to 2^62; at a venue below 2^61",
    Reason.SIDE: "side must be 1 (buy) or 2 (sell); of a mass cancel also 0 (both)",
    Reason.TYPE: "type must be 1 (market) or 2 (limit)",
    Reason.TIME_IN_FORCE: "time_in_force must be 1 (GTC), 3 (IOC), 4 (FOK) or 6 (GTD)",
    Reason.QUANTITY: f"quantity {_WHOLE}",
    Reason.PRICE: f"price of a limit order {_WHOLE}; of a market order it must be 0",
    Reason.DISPLAY_QUANTITY: "display_quantity must be 0, or of a resting order a thousandth of quantity to all of it",
    Reason.MINIMUM_QUANTITY: "minimum_quantity must be 0 or at most quantity, and 0 of a fill-or-kill order",
    Reason.EXPIRE_TIME: "expire_time of a GTD order must be later than now; of any other order 0",
    Reason.TRIGGER: "trigger must be 0 (none), 1 (stop), 2 (if touched) or 3 (trailing stop)",
    Reason.TRIGGER_SOURCE: "trigger_source must be 1 (bid), 2 (ask), 3 (mid) or 4 (last); 0 without a trigger",
    Reason.TRIGGER_PRICE: f"trigger_price {_WHOLE}; without a trigger it must be 0",
    Reason.INSTRUCTIONS: "post_only is for resting orders without minimum_quantity; self_match_prevention is 0 to 3",
    Reason.TIME: "time is before that of an earlier command",
    Reason.BOOK_FULL: "the book keeps no more orders: cancel some, or use an immediate order",
    Reason.POST_ONLY: "a post-only order would have traded at once: choose a price behind the other side's best",
    Reason.REQUESTED: "cancelled as asked",
    Reason.MASS_CANCEL: "cancelled with all others as asked",
    Reason.NO_LIQUIDITY: "the rest of a market order found nobody to trade with",
    Reason.IMMEDIATE_OR_CANCEL: "the rest of an immediate order found no price within its limit",
    Reason.FILL_OR_KILL: "the whole quantity was not there within the limit",
    Reason.MINIMUM_NOT_AVAILABLE: "minimum_quantity was not there within the limit",
    Reason.SELF_MATCH: "it would have traded with an order of the same owner",
    Reason.QUANTITY_FILLED: "a replacement asked for no more than was filled already",
    Reason.MARKET_CLOSED: "the market is closed: send it when it opens; cancels are taken at any time",
    Reason.ABOVE_MAXIMUM_QUANTITY: "quantity is above the venue's maximum",
    Reason.BELOW_MINIMUM_QUANTITY: "quantity is below the venue's minimum",
    Reason.QUANTITY_INCREMENT: "quantity, display and minimum quantity must be multiples of the venue's increment",
    Reason.PRICE_INCREMENT: "price and trigger_price must be multiples of the venue's price increment",
    Reason.VENUE_REJECT: "the venue refused it, as it does at the rate that its terms disclose",
    Reason.LAST_LOOK: "the provider refused after its hold: the price had moved beyond the disclosed tolerance",
    Reason.HELD: "the order is under last look and cannot be replaced until that ends",
}


class Event(NamedTuple):
    """One event; the order of fields is that of the kernel's record.

    Attributes:
        sequence: from 1, without gaps.
        price: ticks; of a fill what was dealt at, else the order's limit.
        quantity: units: of a fill what was dealt; of an end what will not be dealt any more; of a mass cancel how many
            orders ended; else the order's total.
        leaves: units that are open after it.
        filled: units that are filled after it.
        execution: of a fill the trade's number, the same on both sides.
        counter_id: of a fill the other order.
        operation: of the command that caused it, also where that was another's.
        shown: units of the order that the book shows when the event is made; an order that comes to rest shows later.
    """

    sequence: int
    kind: EventKind
    id: int
    owner: int
    side: int
    price: int
    quantity: int
    leaves: int
    filled: int
    execution: int
    counter_id: int
    liquidity: Liquidity
    reason: Reason
    time: int
    operation: int
    shown: int


_KINDS = {each.value: each for each in EventKind}
_LIQUIDITIES = {each.value: each for each in Liquidity}
_REASONS = {each.value: each for each in Reason}


def events_of(rows: NDArray[np.int64]) -> list[Event]:
    """Records of the kernel, shape (n, 16), as events."""
    return [event_of(row) for row in rows.tolist()]


def event_of(row: list[int]) -> Event:
    """One record as an event."""
    return Event(row[0], _KINDS[row[1]], *row[2:11], _LIQUIDITIES[row[11]], _REASONS[row[12]], *row[13:])
