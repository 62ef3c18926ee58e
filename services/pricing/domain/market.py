"""The market at one moment: spot rates, curves, surfaces, and the crosses that follow from them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import DOLLAR, Pair
from crossrate.basics.session import standing_at
from services.pricing.domain.curve import ZeroCurve
from services.pricing.domain.product import value_dates
from services.pricing.domain.refusal import Missing
from services.pricing.domain.surface import Surface

Array = NDArray[np.float64]

DAYS_OF_YEAR = 365.0
"""Times are actual days over 365 (ISDA "Actual/365 (Fixed)")."""
SECONDS_OF_YEAR = DAYS_OF_YEAR * 86_400.0
VEHICLE = "EUR"
"""The currency through which a cross goes if it does not go through the dollar."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """One version of a market: curves by currency, surfaces by pair."""

    curves: Mapping[str, ZeroCurve]
    surfaces: Mapping[Pair, Surface]

    def curve(self, currency: str) -> ZeroCurve:
        """The curve of a currency.

        Raises:
            Missing: there is none.
        """
        if currency not in self.curves:
            raise Missing("curve", currency)
        return self.curves[currency]

    def surface(self, pair: Pair) -> Surface:
        """The surface of a pair.

        Raises:
            Missing: there is none.
        """
        if pair not in self.surfaces:
            raise Missing("surface", str(pair))
        return self.surfaces[pair]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Spot rates (mids, counter per base) of one moment, in UTC, with a book. `id` is "" if nobody kept it."""

    id: str
    as_of: datetime
    book: Book
    spots: Mapping[Pair, float]
    _standings: dict[Pair, Standing] = field(default_factory=dict, repr=False)

    def of(self, pair: Pair) -> Standing:
        """The market of one pair.

        Raises:
            Missing: the pair's spot rate or one of its curves is not there.
            OutsideCalendar: its spot date lies outside of what is known of a calendar.
        """
        if pair not in self._standings:
            if pair not in self.spots:
                raise Missing("spot rate", str(pair))
            self._standings[pair] = Standing(self, pair)
        return self._standings[pair]

    def today(self, base: str, counter: str) -> float:
        """Units of `counter` for one unit of `base` for value today, through at most one other currency.

        Raises:
            Missing: no spot rates lead from one to the other, or a curve on the way is not there.
        """
        rate = 1.0
        for pair, inverted in self.way(base, counter):
            today = self.of(pair).today
            rate *= 1.0 / today if inverted else today
        return rate

    def way(self, base: str, counter: str) -> tuple[tuple[Pair, bool], ...]:
        """The pairs whose rates lead from one currency to another, in order; True where it is the inverse rate.

        Raises:
            Missing: no spot rates lead from one to the other through at most one other currency.
        """
        if base == counter:
            return ()
        if (pair := self._direct(base, counter)) is not None:
            return (pair,)
        others = sorted({code for pair in self.spots for code in pair}, key=lambda c: (c != DOLLAR, c != VEHICLE, c))
        for other in others:
            first, second = self._direct(base, other), self._direct(other, counter)
            if first is not None and second is not None:
                return first, second
        raise Missing("spot rate", f"{base}/{counter}")

    def _direct(self, base: str, counter: str) -> tuple[Pair, bool] | None:
        if Pair(base, counter) in self.spots:
            return Pair(base, counter), False
        return (Pair(counter, base), True) if Pair(counter, base) in self.spots else None


class Standing:
    """One pair in a snapshot: its dates, its forwards and its volatility.

    The spot rate is for value on the spot date. `today` is the rate for value today that follows from it:
    S₀ = S·P_d(t_s)/P_f(t_s), with the discount factors of the counter (d) and base (f) currency to the spot date.
    """

    def __init__(self, snapshot: Snapshot, pair: Pair) -> None:
        self.pair = pair
        self.as_of = snapshot.as_of
        self.spot = snapshot.spots[pair]
        self.domestic = snapshot.book.curve(pair.counter)
        self.foreign = snapshot.book.curve(pair.base)
        self._book = snapshot.book
        self.trade_date = standing_at(pair, snapshot.as_of).session.trade_date
        self.dates = value_dates(pair, self.trade_date)
        self.spot_time = self.time(self.dates.spot)
        self.today = self.spot * float(
            np.exp(self.foreign.growth(self.spot_time) - self.domestic.growth(self.spot_time))
        )

    def time(self, day: date) -> float:
        """Years from the trade date to a day."""
        return (day - self.trade_date).days / DAYS_OF_YEAR

    def time_to(self, moment: datetime) -> float:
        """Years from the snapshot to a moment; negative if it is past."""
        return (moment - self.as_of).total_seconds() / SECONDS_OF_YEAR

    def forwards(self, time: Array) -> Array:
        """Forwards for value after some times: S₀·P_f/P_d."""
        return self.today * np.exp(self.domestic.growth(time) - self.foreign.growth(time))

    def forward(self, day: date) -> float:
        """The forward for value on a day."""
        return float(self.forwards(np.array(self.time(day))))

    def volatility(self, time: Array, strike: Array) -> Array:
        """Volatilities by years to expiry and strike.

        Raises:
            Missing: the pair has no surface.
        """
        return self.surface.volatility(time, strike, self.forwards)

    @functools.cached_property
    def surface(self) -> Surface:
        """The pair's surface.

        Raises:
            Missing: there is none.
        """
        return self._book.surface(self.pair)


def flat(
    pair: Pair, as_of: datetime, *, spot: float, domestic_rate: float, foreign_rate: float, volatility: float
) -> Snapshot:
    """A market of one pair in which nothing depends on time or strike. Without a volatility it has no surface."""
    curves = {pair.counter: ZeroCurve.flat(domestic_rate), pair.base: ZeroCurve.flat(foreign_rate)}
    surfaces = {pair: Surface.flat(volatility)} if volatility > 0 else {}
    return Snapshot("", as_of, Book(curves, surfaces), {pair: spot})
