"""What each book says of fills, orders and positions at a venue. Quantities are 1/10000 of the base unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

BUY, SELL = 1, -1


@dataclass(frozen=True, slots=True)
class Fill:
    """One deal as a book has it.

    Attributes:
        exec_id: the venue's id, the same in all books.
        order_id: the order here; empty where the book does not know it.
        time_ns: when it was dealt, by the venue's clock, ns since 1970 UTC.
        net: of a swap: what both legs do to the position; None for what has one.
    """

    exec_id: str
    instrument: str
    side: int
    quantity: int
    price: Decimal
    order_id: str = ""
    venue_order_id: str = ""
    client_id: str = ""
    account: str = ""
    time_ns: int = 0
    net: int | None = None

    @property
    def signed(self) -> int:
        """What it does to the position in the base currency."""
        return self.side * self.quantity if self.net is None else self.net

    def agrees(self, other: Fill) -> bool:
        """Whether both say the same deal."""
        return (self.instrument, self.side, self.quantity, self.price) == (
            other.instrument,
            other.side,
            other.quantity,
            other.price,
        )


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order as broker has it.

    Attributes:
        works: the venue has confirmed it and it has not ended.
        unanswered_s: for how long something that was sent about it is not answered; 0 if nothing is.
        quantity: what it may fill at this venue; 0 where that is not known here.
        price: its limit; None for none or where it is not known here.
        filled: at this venue.
    """

    order_id: str
    account: str
    instrument: str
    venue_order_id: str
    client_id: str
    status: str
    works: bool
    ended: bool
    side: int
    quantity: int
    price: Decimal | None
    filled: int
    unanswered_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StatedOrder:
    """An order that works at the venue, by its own statement. `order_id` is ours where the venue's ids lead to one.

    Attributes:
        price: its limit; None for none, and for one that waits for its trigger.
        trigger: the price that sets it off; None for none.
    """

    venue_order_id: str
    client_id: str
    instrument: str
    side: int
    quantity: int
    price: Decimal | None
    filled: int
    order_id: str = ""
    status: str = "works"
    trigger: Decimal | None = None

    @property
    def side_word(self) -> str:
        """The side for people."""
        return "buy" if self.side == BUY else "sell"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a venue states at one moment.

    Attributes:
        orders: all that work there.
        positions: by instrument, units of the base currency by all deals since the venue is reconciled; None where the
            venue states none.
        copies: the number of the last copy of the drop copy that the positions have in them; None for all that came.
        reports: the same of our own reports.
    """

    orders: tuple[StatedOrder, ...]
    positions: dict[str, int] | None = None
    copies: int | None = None
    own: dict[str, OwnOrder] = field(default_factory=dict)
    """Broker's orders at the same moment, by id: those that have not ended, and those that the statement is about."""
    reports: int | None = None
