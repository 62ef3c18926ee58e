"""What a venue discloses: its liquidity, limits, latency, last look and hours."""

from __future__ import annotations

from dataclasses import dataclass, field

from crossrate.exchange.chance import Latency
from crossrate.exchange.hours import AlwaysOpen, Hours
from crossrate.exchange.order import PRICE_MAX, QUANTITY_MAX

TIERS_MAX = 50
TICKS_MAX = 1_000_000
HOLD_NS_MAX = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Tier:
    """Liquidity that a provider quotes behind the source's best price.

    Attributes:
        offset: ticks away from the source's bid or offer, 0 or more.
        quantity: units on each side.
    """

    offset: int
    quantity: int

    def __post_init__(self) -> None:
        _between("offset", self.offset, 0, TICKS_MAX)
        _between("quantity", self.quantity, 1, QUANTITY_MAX)


@dataclass(frozen=True, slots=True)
class LastLook:
    """A provider's right to refuse, after a hold, what would take its liquidity (FX Global Code, principle 17).

    The price that the order would have dealt at is remembered when it comes. After the hold it is compared with the
    provider's price then. Within the tolerance the order deals at no worse than what was remembered.

    Attributes:
        hold_ns: nanoseconds; all orders wait so long, whatever comes of it.
        tolerance: ticks. A move against the provider by more is refused.
        symmetric: whether a move in the provider's favour by more is refused too; otherwise it is dealt, and the client
            has the better of both prices.
        refuse_rate: share that is refused whatever the price, 0 to 1.
    """

    hold_ns: int
    tolerance: int
    symmetric: bool = True
    refuse_rate: float = 0.0

    def __post_init__(self) -> None:
        _between("hold_ns", self.hold_ns, 0, HOLD_NS_MAX)
        _between("tolerance", self.tolerance, 0, TICKS_MAX)
        _between("refuse_rate", self.refuse_rate, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Slippage:
    """The market moves away while an order that takes is on its way: its side's liquidity stands further off until the
    next quote.

    Attributes:
        rate: share of taking orders, 0 to 1.
        ticks: how far.
    """

    rate: float = 0.0
    ticks: int = 0

    def __post_init__(self) -> None:
        _between("rate", self.rate, 0.0, 1.0)
        _between("ticks", self.ticks, 0, TICKS_MAX)


@dataclass(frozen=True, slots=True)
class PartialFills:
    """Others are faster: of the liquidity that an order would take a part is gone when it comes, until the next quote.

    Attributes:
        rate: share of taking orders, 0 to 1.
        share: the least that is left of each tier; what is left is uniform from here to all.
    """

    rate: float = 0.0
    share: float = 0.0

    def __post_init__(self) -> None:
        _between("rate", self.rate, 0.0, 1.0)
        _between("share", self.share, 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTerms:
    """The terms of a venue in one instrument; ticks and units as in its book.

    Attributes:
        tiers: liquidity around each quote, by ascending offset; none for a book of clients alone.
        minimum_quantity: units of an order, at least.
        maximum_quantity: units of an order, at most.
        quantity_increment: quantities are multiples of it.
        price_increment: prices are multiples of it, in ticks.
        inbound: from the client to the venue.
        outbound: from the venue to the client.
        reject_rate: share of new orders that are refused for no reason of theirs, 0 to 1.
        last_look: None where liquidity is firm.
        hours: when it trades.
    """

    tiers: tuple[Tier, ...] = ()
    minimum_quantity: int = 1
    maximum_quantity: int = QUANTITY_MAX
    quantity_increment: int = 1
    price_increment: int = 1
    inbound: Latency = field(default_factory=Latency)
    outbound: Latency = field(default_factory=Latency)
    reject_rate: float = 0.0
    slippage: Slippage = field(default_factory=Slippage)
    partial_fills: PartialFills = field(default_factory=PartialFills)
    last_look: LastLook | None = None
    hours: Hours = field(default_factory=AlwaysOpen)

    def __post_init__(self) -> None:
        if len(self.tiers) > TIERS_MAX:
            raise ValueError(f"tiers are {len(self.tiers)}: at most {TIERS_MAX}")
        offsets = [tier.offset for tier in self.tiers]
        if sorted(set(offsets)) != offsets:
            raise ValueError(f"offsets of tiers are {offsets}: they must ascend")
        _between("quantity_increment", self.quantity_increment, 1, QUANTITY_MAX)
        _between("price_increment", self.price_increment, 1, PRICE_MAX)
        _between("minimum_quantity", self.minimum_quantity, 1, QUANTITY_MAX)
        _between("maximum_quantity", self.maximum_quantity, self.minimum_quantity, QUANTITY_MAX)
        _between("reject_rate", self.reject_rate, 0.0, 1.0)
        if self.slippage.ticks % self.price_increment:
            raise ValueError(f"slippage is {self.slippage.ticks} ticks: prices are multiples of {self.price_increment}")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}: it must be from {low} to {high}")
