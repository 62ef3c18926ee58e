"""An order as it is in memory: integers, and what its next step needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from services.trading.domain import lifecycle
from services.trading.domain.lifecycle import FINAL, Exec, Reason, Status

BUY, SELL = 1, -1
"""The sign of what an order does to the position in the base currency."""


class OrderType(IntEnum):
    """At what price, and when, it may deal."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4
    TRAILING_STOP = 5
    MARKET_IF_TOUCHED = 6
    PREVIOUSLY_QUOTED = 7


class TimeInForce(IntEnum):
    """How long it works."""

    GTC = 1
    DAY = 2
    GTD = 3
    IOC = 4
    FOK = 5


class TriggerSource(IntEnum):
    """Which price sets it off."""

    DEALING_SIDE = 1
    BID = 2
    ASK = 3
    MID = 4


class Contingency(IntEnum):
    """How the orders of a list depend on each other."""

    NONE = 0
    OCO = 1
    OTO = 2


TRIGGERED_TYPES = frozenset(
    {OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP, OrderType.MARKET_IF_TOUCHED}
)
"""They are held here until the market reaches their price."""


@dataclass(frozen=True, slots=True)
class Protection:
    """What protects the position that an order opens. Prices as in `amounts`, 0 for none."""

    take_profit_price: int = 0
    stop_loss_price: int = 0
    trailing_distance: int = 0
    trigger_source: TriggerSource = TriggerSource.DEALING_SIDE


@dataclass(frozen=True, slots=True)
class Terms:
    """What was entered, as far as decisions need it. Amounts as in `amounts`; a price of 0 is none.

    A limit of 0 is none but of a swap, whose limit is on swap points: those may be zero or below it.
    """

    side: int
    quantity: int
    order_type: OrderType
    time_in_force: TimeInForce
    limit_price: int | None = None
    stop_price: int = 0
    trailing_distance: int = 0
    price_bound: int = 0
    display_quantity: int = 0
    min_quantity: int = 0
    far_quantity: int = 0
    expire_ns: int = 0
    trigger_source: TriggerSource = TriggerSource.DEALING_SIDE
    post_only: bool = False
    reduce_only: bool = False
    swap: bool = False
    protection: Protection | None = None
    position_id: str = ""
    quote_id: str = ""
    strategy: str = ""


@dataclass(frozen=True, slots=True)
class Amendment:
    """New terms; 0 leaves what is, and of the limit None, as swap points may be zero."""

    quantity: int = 0
    limit_price: int | None = None
    stop_price: int = 0
    trailing_distance: int = 0
    expire_ns: int = 0


class Order:
    """One order. `image` is what is sent and kept of it; the domain does not look into it."""

    __slots__ = (
        "account",
        "client_order_id",
        "confirmed",
        "contingency",
        "cum",
        "entered",
        "exec_ids",
        "expire_ns",
        "gate_version",
        "image",
        "instrument",
        "list_id",
        "order_id",
        "parent_id",
        "pending_sequence",
        "position_id",
        "proposed",
        "reason",
        "reason_text",
        "sequence",
        "session",
        "status",
        "terms",
        "trigger_price",
        "triggered",
        "value",
        "venue",
        "version",
        "withdrawn",
    )

    def __init__(
        self, order_id: str, account: str, client_order_id: str, instrument: str, terms: Terms, image: Any = None
    ) -> None:
        self.order_id = order_id
        self.account = account
        self.client_order_id = client_order_id
        self.instrument = instrument
        self.terms = terms
        self.image = image
        self.status = Status.NONE
        self.cum = 0
        self.value = 0
        self.withdrawn = 0
        self.version = 1
        self.sequence = 0
        self.trigger_price = terms.stop_price
        self.triggered = False
        self.confirmed = False
        self.venue = ""
        self.proposed: Amendment | None = None
        self.pending_sequence = 0
        self.entered = 0
        self.expire_ns = terms.expire_ns
        self.gate_version = 0
        self.list_id = ""
        self.parent_id = ""
        self.contingency = Contingency.NONE
        self.reason: Reason | None = None
        self.reason_text = ""
        self.session = ""
        self.exec_ids: set[str] = set()
        self.position_id = ""

    @property
    def side(self) -> int:
        """BUY or SELL."""
        return self.terms.side

    @property
    def final(self) -> bool:
        """Whether its life is over."""
        return self.status in FINAL

    @property
    def done(self) -> int:
        """What has been filled, also what was taken back: that does not work again."""
        return self.cum + self.withdrawn

    @property
    def leaves(self) -> int:
        """What may still be filled by its terms; 0 once it is final."""
        return 0 if self.status in FINAL else max(0, self.terms.quantity - self.done)

    @property
    def exposed(self) -> int:
        """The most that may still be filled, also by an amendment that is under way."""
        if self.status in FINAL:
            return 0
        proposed = self.proposed.quantity if self.proposed is not None else 0
        return max(0, max(self.terms.quantity, proposed) - self.done)

    @property
    def held(self) -> bool:
        """Whether it is here and no venue has it: before its trigger, or waiting for another order."""
        return self.status is Status.SUSPENDED or (
            self.terms.order_type in TRIGGERED_TYPES and not self.triggered and self.status not in FINAL
        )

    @property
    def resting(self) -> Status:
        """Where it stands when nothing is pending."""
        if self.cum:
            return Status.PARTIALLY_FILLED
        return Status.NEW if self.confirmed or self.held else Status.PENDING_NEW

    def move(self, step: Exec, after: Status) -> None:
        """Takes a step of the table.

        Raises:
            Illegal: there is no such step.
        """
        lifecycle.check(self.status, step, after)
        self.status = after
        if after in FINAL or after not in lifecycle.PENDING:
            self.pending_sequence = 0
            if after in FINAL:
                self.proposed = None
