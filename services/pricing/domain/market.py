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
from crossrate.kernel import strike as strikes
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from services.pricing.domain.curve import Curve, ZeroCurve
from services.pricing.domain.curve_quotes import PointsQuotes, RateQuotes
from services.pricing.domain.product import Cut, expiry_of, value_dates
from services.pricing.domain.refusal import Missing
from services.pricing.domain.surface import Surface
from services.pricing.domain.surface_quotes import Conventions, SurfaceQuotes

Array = NDArray[np.float64]

DAYS_OF_YEAR = 365.0
"""Times are actual days over 365 (ISDA "Actual/365 (Fixed)")."""
SECONDS_OF_YEAR = DAYS_OF_YEAR * 86_400.0
VEHICLE = "EUR"
"""The currency through which a cross goes if it does not go through the dollar."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """One version of a market: curves by currency, surfaces by pair; ready, or as quotes that a snapshot calibrates."""

    curves: Mapping[str, Curve | RateQuotes | PointsQuotes]
    surfaces: Mapping[Pair, Surface | SurfaceQuotes]

    def curve(self, currency: str) -> Curve | RateQuotes | PointsQuotes:
        """The curve of a currency, or its quotes.

        Raises:
            Missing: there is none.
        """
        if currency not in self.curves:
            raise Missing("curve", currency)
        return self.curves[currency]

    def surface(self, pair: Pair) -> Surface | SurfaceQuotes:
        """The surface of a pair, or its quotes.

        Raises:
            Missing: there is none.
        """
        if pair not in self.surfaces:
            raise Missing("surface", str(pair))
        return self.surfaces[pair]

    def pairs_for(self, pair: Pair) -> tuple[Pair, ...]:
        """The pairs whose spot rates a price of this one needs: itself, and those of swap points that imply a curve."""
        found = dict.fromkeys([pair])
        for currency in pair:
            while isinstance(given := self.curves.get(currency), PointsQuotes):
                found[given.pair] = None
                currency = given.other
        return tuple(found)

    def calibrates(self, pair: Pair) -> bool:
        """Whether a price of the pair works out a curve or a surface from quotes."""
        return isinstance(self.surfaces.get(pair), SurfaceQuotes) or any(
            isinstance(self.curves.get(currency), RateQuotes | PointsQuotes) for currency in pair
        )


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Spot rates (mids, counter per base) of one moment, in UTC, with a book. `id` is "" if nobody kept it.

    Quotes of the book are calibrated when they are first asked for, with this moment and these spot rates: a curve or a
    surface is a function of what is kept, and nothing else.
    """

    id: str
    as_of: datetime
    book: Book
    spots: Mapping[Pair, float]
    strict: bool = False
    """Whether quotes must stand as they were put: in order, each for a date of its own, none of them over. So they are
    checked; on a later day tenors and dates may have passed each other."""
    _standings: dict[Pair, Standing] = field(default_factory=dict, repr=False)
    _curves: dict[str, Curve] = field(default_factory=dict, repr=False)

    def of(self, pair: Pair) -> Standing:
        """The market of one pair.

        Raises:
            Missing: the pair's spot rate or one of its curves is not there.
            OutsideCalendar: its spot date lies outside of what is known of a calendar.
        """
        if pair not in self._standings:
            if pair not in self.spots:
                raise Missing("spot rate", str(pair), "take a snapshot with the pair")
            self._standings[pair] = Standing(self, pair)
        return self._standings[pair]

    def curve(self, currency: str) -> Curve:
        """The curve of a currency.

        Raises:
            Missing: there is none, or swap points imply it and their pair's spot rate or other curve is not there.
            Refused: its quotes give no curve on this day or with this spot rate.
            OutsideCalendar: it needs a day that a calendar does not know.
        """
        if currency not in self._curves:
            self._curves[currency] = self._made(self.book.curve(currency))
        return self._curves[currency]

    def moved(self, as_of: datetime, spots: Mapping[Pair, float]) -> Snapshot:
        """The same book at another moment with other spot rates. Curves from rates stand as long as their day does."""
        later = Snapshot("", as_of, self.book, spots, self.strict)
        # A copy, because another thread may be calibrating this one.
        for currency, curve in list(self._curves.items()):
            from_rates = isinstance(self.book.curves[currency], RateQuotes)
            if from_rates and trade_date_of(currency, as_of) == trade_date_of(currency, self.as_of):
                later._curves[currency] = curve
        return later

    def calibrate(self, pair: Pair) -> None:
        """Works out now what a price of a pair would when it first needs it: its curves, its surface if it has one.

        Raises:
            Missing, OutsideCalendar: as `of`.
            Refused: quotes give no curve or no surface at this moment with these spot rates.
        """
        standing = self.of(pair)
        if pair in self.book.surfaces:
            _ = standing.surface

    def _made(self, given: Curve | RateQuotes | PointsQuotes) -> Curve:
        if isinstance(given, RateQuotes):
            return given.curve(trade_date_of(given.currency, self.as_of), strict=self.strict)
        if not isinstance(given, PointsQuotes):
            return given
        if given.pair not in self.spots:
            raise Missing("spot rate", str(given.pair))
        dates = value_dates(given.pair, standing_at(given.pair, self.as_of).session.trade_date)
        return given.curve(dates, self.spots[given.pair], self.curve(given.other), strict=self.strict)

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
        have = ", ".join(map(str, sorted(self.spots))) or "none"
        remedy = f"of the spot rates here ({have}) none leads from one to the other: take a snapshot with one that does"
        raise Missing("spot rate", f"{base}/{counter}", remedy)

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
        self.strict = snapshot.strict
        self.spot = snapshot.spots[pair]
        self.domestic = snapshot.curve(pair.counter)
        self.foreign = snapshot.curve(pair.base)
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
            Refused: its quotes give no surface with this spot rate and these curves.
            OutsideCalendar: an expiry lies outside of what is known of a calendar.
        """
        given = self._book.surface(self.pair)
        return given.surface(self) if isinstance(given, SurfaceQuotes) else given

    @functools.cached_property
    def conventions(self) -> Conventions:
        """In which options on the pair are quoted: those of its surface's quotes, else the market standard."""
        given = self._book.surfaces.get(self.pair)
        return given.conventions if isinstance(given, SurfaceQuotes) else Conventions.standard(self.pair)

    def conventions_at(self, time: Array) -> NDArray[np.int8]:
        """The delta conventions at years to expiry: beyond the switch is what ends after the switch tenor's expiry.

        Raises:
            OutsideCalendar: the switch lies outside of what is known of a calendar.
        """
        quoted = self.conventions
        if quoted.short == quoted.long:
            return np.full(len(time), int(quoted.short), np.int8)
        day, _ = expiry_of(self.dates, quoted.switch.text, "switch_tenor")
        last = self.time_to(Cut.NEW_YORK.on(day))
        return np.where(time <= last, int(quoted.short), int(quoted.long)).astype(np.int8)

    def carried(self, time: float, delivery: date) -> tuple[float, float, float]:
        """The forward for a delivery date, and both currencies' rates from the spot date to it over a time in years.

        A premium is paid on the spot date, so that the quoted spot rate S, these rates and the forward F go together:
        F = S·e^{(r_d − r_f)·T}, and e^{−r_f·T} is the base currency's discount factor from spot to delivery.
        """
        spans = np.array([self.spot_time, self.time(delivery)])
        domestic, foreign = (float(np.diff(curve.growth(spans))[0]) / time for curve in (self.domestic, self.foreign))
        return self.forward(delivery), domestic, foreign

    def at_the_money(
        self, atm: AtmConvention, delta: DeltaConvention, time: float, delivery: date, volatility: float
    ) -> float:
        """The strike at the money of an option with a volatility, counter per base."""
        _, domestic, foreign = self.carried(time, delivery)
        return float(strikes.atm(int(atm), int(delta), self.spot, time, volatility, domestic, foreign))


def flat(
    pair: Pair, as_of: datetime, *, spot: float, domestic_rate: float, foreign_rate: float, volatility: float
) -> Snapshot:
    """A market of one pair in which nothing depends on time or strike. Without a volatility it has no surface."""
    curves = {pair.counter: ZeroCurve.flat(domestic_rate), pair.base: ZeroCurve.flat(foreign_rate)}
    surfaces = {pair: Surface.flat(volatility)} if volatility > 0 else {}
    return Snapshot("", as_of, Book(curves, surfaces), {pair: spot})


def trade_date_of(currency: str, as_of: datetime) -> date:
    """The trade date of a currency's money market: that of its pair with the dollar."""
    other = "EUR" if currency == DOLLAR else DOLLAR
    return standing_at(Pair(currency, other), as_of).session.trade_date
