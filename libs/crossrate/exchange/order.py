"""What is sent to an order book: new orders, replacements, cancels. Codes are FIX's (tags 40, 54, 59, 2964).

Prices are ticks from 1 to 2**40, quantities units from 1 to 2**40, times nanoseconds since 1970 UTC; all whole numbers.
`crossrate.exchange.grid` makes them of decimals. An order book checks every bound and answers what does not fit with an
event; nothing here raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from crossrate.kernel.reference.matching_rules import (
    ID_MAX,
    MORE,
    ORDERS_MAX,
    POST_ONLY,
    PRICE_MAX,
    QUANTITY_MAX,
    TRANCHES_MAX,
    Operation,
)

__all__ = [
    "ID_MAX",
    "ORDERS_MAX",
    "PRICE_MAX",
    "QUANTITY_MAX",
    "TRANCHES_MAX",
    "Cancel",
    "Command",
    "MassCancel",
    "NewOrder",
    "Operation",
    "OrderType",
    "Replace",
    "SelfMatchPrevention",
    "Side",
    "TimeInForce",
    "Trigger",
    "TriggerSource",
    "more",
]


class Side(IntEnum):
    """FIX 54."""

    BUY = 1
    SELL = 2

    @property
    def other(self) -> Side:
        """The side that it trades with."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(IntEnum):
    """FIX 40; what an order is once its trigger has come."""

    MARKET = 1
    LIMIT = 2


class TimeInForce(IntEnum):
    """FIX 59."""

    GOOD_TILL_CANCEL = 1
    IMMEDIATE_OR_CANCEL = 3
    FILL_OR_KILL = 4
    GOOD_TILL_DATE = 6


class Trigger(IntEnum):
    """What an order waits for."""

    NONE = 0
    STOP = 1
    """A buy waits until the reference rises to the trigger price, a sell until it falls to it."""
    IF_TOUCHED = 2
    """A buy waits until the reference falls to it, a sell until it rises to it."""
    TRAILING_STOP = 3
    """A stop whose trigger price follows the reference at a distance, and never goes back."""


class TriggerSource(IntEnum):
    """The reference that a trigger looks at: prices of the same book."""

    NONE = 0
    BID = 1
    ASK = 2
    MID = 3
    LAST = 4


class SelfMatchPrevention(IntEnum):
    """FIX 2964: what happens where an order would trade with one of the same owner; the incoming order's counts."""

    NONE = 0
    CANCEL_RESTING = 1
    CANCEL_AGGRESSING = 2
    CANCEL_BOTH = 3


Row = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order.

    Attributes:
        id: 1 to 2**62; no other order that rests or waits has it.
        owner: whose it is, 1 to 2**62: what self-match prevention and mass cancels compare.
        quantity: units.
        price: ticks; 0 of a market order.
        display_quantity: units shown at a time, at least a thousandth of the quantity; 0 shows all. A part that has
            traded is followed by the next one, behind all others at the price.
        minimum_quantity: units that have to trade at once when the order meets the book, or it ends; 0 for none.
        expire_time: of a good-till-date order, else 0; it ends when that time has come.
        trigger_price: ticks; of a trailing stop its distance from the reference.
        post_only: refused where it would trade at once.
    """

    id: int
    owner: int
    side: int
    quantity: int
    type: int = OrderType.LIMIT
    price: int = 0
    time_in_force: int = TimeInForce.GOOD_TILL_CANCEL
    display_quantity: int = 0
    minimum_quantity: int = 0
    expire_time: int = 0
    trigger: int = Trigger.NONE
    trigger_source: int = TriggerSource.NONE
    trigger_price: int = 0
    self_match_prevention: int = SelfMatchPrevention.NONE
    post_only: bool = False

    def row(self, time: int) -> Row:
        """The record that the kernel takes."""
        instructions = self.self_match_prevention | (POST_ONLY if self.post_only else 0)
        return (
            Operation.NEW, self.id, self.owner, self.side, self.type, self.time_in_force, self.quantity, self.price,
            self.display_quantity, self.minimum_quantity, self.expire_time, self.trigger, self.trigger_source,
            self.trigger_price, instructions, time,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """An amendment: the order as it is to be, whole, as FIX has it.

    Less quantity, a smaller displayed quantity or another expiry keep the place in the queue; anything else loses it,
    and the order may trade at once. No more quantity than is filled ends the order.

    Attributes:
        quantity: units in all, those that are filled included.
        trigger_price: ignored once the trigger has come.
    """

    id: int
    owner: int
    quantity: int
    price: int = 0
    display_quantity: int = 0
    expire_time: int = 0
    trigger_price: int = 0

    def row(self, time: int) -> Row:
        """The record that the kernel takes."""
        return (
            Operation.REPLACE, self.id, self.owner, 0, 0, 0, self.quantity, self.price, self.display_quantity, 0,
            self.expire_time, 0, 0, self.trigger_price, 0, time,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The end of one order."""

    id: int
    owner: int

    def row(self, time: int) -> Row:
        """The record that the kernel takes."""
        return (Operation.CANCEL, self.id, self.owner, *(0,) * 12, time)


@dataclass(frozen=True, slots=True, kw_only=True)
class MassCancel:
    """The end of all orders of an owner, or of everybody, oldest first; its own event says how many.

    Attributes:
        owner: 0 for everybody.
        side: 0 for both.
        id: comes back in that event.
    """

    owner: int
    side: int = 0
    id: int = 0

    def row(self, time: int) -> Row:
        """The record that the kernel takes."""
        return (Operation.MASS_CANCEL, self.id, self.owner, self.side, *(0,) * 11, time)


Command = NewOrder | Replace | Cancel | MassCancel


def more(row: Row) -> Row:
    """A record after which triggers wait: the next command belongs to the same change of the market."""
    return (*row[:14], row[14] | MORE, row[15])
