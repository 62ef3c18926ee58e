"""The simulated exchange's clock, and what it discloses of an instrument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from crossrate.basics.pair import parse_pair
from crossrate.exchange.grid import Grid
from crossrate.exchange.hours import AlwaysOpen, MarketHours
from crossrate.exchange.terms import Tier, VenueTerms
from services.broker.venues.declared import SimulatedVenue


class SimClock(Protocol):
    """The time in which the exchange lives."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        ...

    def wait_s(self, until_ns: int) -> float:
        """Seconds of real time until that moment, as far as can be known."""
        ...


class RealClock:
    """The clock on the wall."""

    def __init__(self, time_ns: Callable[[], int]) -> None:
        self._time_ns = time_ns

    def now_ns(self) -> int:
        """See SimClock."""
        return self._time_ns()

    def wait_s(self, until_ns: int) -> float:
        """See SimClock."""
        return max(0.0, (until_ns - self._time_ns()) / 1e9)


def terms_of(spec: SimulatedVenue, instrument: str, grid: Grid, finer: int = 1) -> VenueTerms:
    """What the venue discloses of an instrument.

    Args:
        finer: how many of the grid's ticks are one of spot's, in which the declaration counts.
    """
    look, slip = spec.last_look.terms() if spec.last_look is not None else None, spec.slippage.terms()
    return VenueTerms(
        tiers=tuple(Tier(tier.offset * finer, grid.units(Decimal(tier.quantity))) for tier in spec.tiers),
        minimum_quantity=grid.units(Decimal(spec.quantity_min)),
        maximum_quantity=grid.units(Decimal(spec.limits.order_quantity_max)),
        inbound=spec.inbound.latency(),
        outbound=spec.outbound.latency(),
        reject_rate=spec.reject_rate,
        last_look=replace(look, tolerance=look.tolerance * finer) if look is not None else None,
        slippage=replace(slip, ticks=slip.ticks * finer),
        partial_fills=spec.partial_fills.terms(),
        hours=MarketHours(parse_pair(instrument)) if spec.hours == "market" else AlwaysOpen(),
    )
