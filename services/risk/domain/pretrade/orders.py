"""Orders as the checks see them: as asked for, and as they work."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from services.risk.domain.pretrade.groups import Group, Slot

BUY, SELL = 1, -1


class Kind(IntEnum):
    """Type of an order, with the contract's numbers."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4
    TRAILING_STOP = 5
    MARKET_IF_TOUCHED = 6
    PREVIOUSLY_QUOTED = 7


class Status(IntEnum):
    """Where an order stands, with the contract's numbers."""

    PENDING_NEW = 1
    NEW = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    PENDING_CANCEL = 5
    CANCELLED = 6
    PENDING_REPLACE = 7
    REJECTED = 8
    EXPIRED = 9
    SUSPENDED = 10
    PENDING_UNKNOWN = 11


FINAL = frozenset({Status.FILLED, Status.CANCELLED, Status.REJECTED, Status.EXPIRED})
OCO, OTO = 1, 2
RESTING = frozenset({Kind.LIMIT, Kind.STOP_LIMIT})
IMMEDIATE = frozenset({4, 5})
"""Times in force that leave nothing standing in a book: IOC and FOK."""


@dataclass(slots=True)
class Order:
    """An order's terms and standing. Quantities in ten-thousandths of the base currency, prices in PRICE_SCALE.

    Attributes:
        side: BUY or SELL.
        limit_price: of a swap its limit on swap points, which no price of the market is compared with.
        far: of a swap the units of its far leg, 0 of an outright: its legs take each other's place.
        leaves: what may still be filled, by the report that told of it.
        pending_quantity: what the quantity is to become while an amendment is under way; 0 for nothing.
        list_id, contingency, parent: the list that it belongs to, how, and the order that it depends on.
    """

    order_id: str
    account: str
    instrument: str
    side: int
    quantity: int
    kind: int
    limit_price: int = 0
    stop_price: int = 0
    time_in_force: int = 1
    strategy: str = ""
    venue: str = ""
    position_id: str = ""
    reduce_only: bool = False
    far: int = 0
    is_swap: bool = False
    status: int = Status.PENDING_NEW
    filled: int = 0
    leaves: int = 0
    pending_quantity: int = 0
    list_id: str = ""
    contingency: int = 0
    parent: str = ""
    version: int = 1
    client_order_id: str = ""

    @property
    def direction(self) -> int:
        """Which way what is left of it moves the position: 1, -1, or 0 for a swap of equal legs."""
        if not self.is_swap:
            return self.side
        net = self.far - self.quantity
        return 0 if not net else self.side if net > 0 else -self.side

    def moves(self, leaves: int) -> int:
        """By how much the position moves, without sign, if so much of it is filled."""
        if not self.is_swap:
            return leaves
        return abs(self.far - self.quantity) * leaves // self.quantity if self.quantity else 0

    @property
    def oco_key(self) -> tuple[str, str, int] | None:
        """Orders of the same key take each other's place: only the largest can be filled."""
        if not self.list_id or not self.contingency or (self.contingency == OTO and not self.parent):
            return None
        return self.list_id, self.instrument, self.direction

    @property
    def waits_for_parent(self) -> bool:
        """Whether it is held until the order that it depends on is filled."""
        return self.status == Status.SUSPENDED and bool(self.parent)

    @property
    def rests(self) -> bool:
        """Whether it may stand in a book at its limit: a swap is in none, and meets no order."""
        limited = self.kind == Kind.LIMIT and not self.is_swap
        return limited and self.time_in_force not in IMMEDIATE and self.status != Status.SUSPENDED


@dataclass(slots=True)
class Working:
    """An order that works or is on its way to its commit, and what is reserved for it.

    Attributes:
        order: its terms.
        direction: see Order.
        leaves: what may still be filled by its newest report; 0 before the first.
        asked: quantity that was authorised and is not committed yet; 0 for nothing.
        replacing: quantity of an amendment that was committed and is not confirmed; 0 for none.
        reserved: what is counted in the groups.
        touched: groups and slots that count it.
        committed: a report has told of it.
        confirmed: the terms without an amendment that was authorised and is not committed; None for no such.
        counted: it is among the orders that work.
    """

    order: Order
    direction: int
    leaves: int = 0
    asked: int = 0
    replacing: int = 0
    reserved: int = 0
    touched: list[tuple[Group, Slot]] = field(default_factory=list)
    committed: bool = False
    counted: bool = False
    confirmed: Order | None = None

    @property
    def wanted(self) -> int:
        """What has to be reserved: the most that may still be filled, whichever way things go on."""
        filled = self.order.filled
        wanted = self.leaves
        if self.asked - filled > wanted:
            wanted = self.asked - filled
        if self.replacing - filled > wanted:
            wanted = self.replacing - filled
        return wanted
