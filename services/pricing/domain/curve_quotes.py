"""Curves as the market quotes them: deposits and overnight index swaps, and swap points against another currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.money_market import MONEY_MARKETS, DayCount, MoneyMarketDates, Period
from crossrate.basics.pair import Pair
from crossrate.basics.tenor import Unit, parse_tenor
from crossrate.basics.value_date import NotDealt, ValueDates
from crossrate.kernel import swap_points
from crossrate.kernel.bootstrap import Instrument, bootstrap, deposit, overnight_index_swap
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.swap_points import SwapLeg
from services.pricing.domain.curve import Curve, KnotCurve
from services.pricing.domain.product import day_of
from services.pricing.domain.refusal import Refused

Array = NDArray[np.float64]

DAYS_OF_YEAR = 365.0
SHORT_DAYS = 30
RATE_MAX, RATE_SHORT_MAX = 1.0, 20.0
"""Largest zero rate that quotes may imply, per year: from `SHORT_DAYS` on and before. A currency under attack has cost
over a thousand percent overnight; nothing has for a month."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A deposit's or an overnight index swap's rate, as a request has it."""

    swap: bool
    tenor: str
    rate: float


@dataclass(frozen=True, slots=True)
class RateQuotes:
    """Rates of one currency's money market; `field` is the path of the quotes in the request."""

    currency: str
    quotes: tuple[Rate, ...]
    day_count: DayCount | None
    interpolation: Interpolation
    field: str

    def __post_init__(self) -> None:
        """Checks what needs no dates.

        Raises:
            Refused: the currency's conventions are not known and the request does not give them.
        """
        if self.currency in MONEY_MARKETS:
            return
        if self.day_count is None:
            words = f"the day count of {self.currency} is not known here: give it in day_count"
            raise Refused(f"{self.field}.day_count", words)
        for i, each in enumerate(self.quotes):
            if each.swap:
                words = f"the conventions of swaps in {self.currency} are not known here: give deposits"
                raise Refused(f"{self.field}.quotes[{i}].instrument", words)

    def curve(self, trade_date: date, *, strict: bool) -> KnotCurve:
        """The curve on which all quotes are worth nothing.

        Args:
            strict: quotes must ascend; else they are put in order, and of several with one latest date the first one
                counts.

        Raises:
            Refused: a tenor is not dealt, quotes do not ascend, or no curve gives them.
            OutsideCalendar: a date lies outside of what is known of the currency's calendar.
        """
        dates = MoneyMarketDates(self.currency, trade_date)
        day_count = self.day_count or MONEY_MARKETS[self.currency].day_count
        made: dict[date, tuple[int, Instrument]] = {}
        for i, each in enumerate(self.quotes):
            path = f"{self.field}.quotes[{i}].tenor"
            try:
                tenor = parse_tenor(each.tenor)
                periods = dates.swap(tenor) if each.swap else [dates.deposit(tenor)]
            except ValueError as error:
                raise Refused(path, str(error)) from None
            last = periods[-1].payment
            if strict and made and last <= max(made):
                words = f"its latest date {last} is not after {max(made)} of a quote before it: they must ascend"
                raise Refused(path, words)
            made.setdefault(last, (i, _instrument(periods, trade_date, day_count, swap=each.swap)))
        places, instruments = zip(*(made[day] for day in sorted(made)), strict=True)
        paths = [f"{self.field}.quotes[{i}].rate" for i in places]
        try:
            curves = bootstrap(instruments, [self.quotes[i].rate for i in places], self.interpolation)
        except ArgumentError as error:
            place = error.index if isinstance(error.index, int) else 0
            raise Refused(paths[place], error.says) from None
        return checked(KnotCurve(curves), paths)


def _instrument(periods: list[Period], trade_date: date, day_count: DayCount, *, swap: bool) -> Instrument:
    def years(day: date) -> float:
        return (day - trade_date).days / DAYS_OF_YEAR

    accruals = [day_count.fraction(each.begin, each.end) for each in periods]
    if not swap:
        return deposit(years(periods[0].begin), years(periods[0].end), accruals[0])
    ends, payments = [years(each.end) for each in periods], [years(each.payment) for each in periods]
    return overnight_index_swap(years(periods[0].begin), ends, accruals, payments)


@dataclass(frozen=True, slots=True)
class Points:
    """Swap points for one tenor or date, as a request has them: the mid, in pips."""

    tenor: str
    mid: float


@dataclass(frozen=True, slots=True)
class _Dated:
    place: int
    leg: SwapLeg
    day: date


@dataclass(frozen=True, slots=True)
class PointsQuotes:
    """Swap points of a pair, which imply the curve of `currency`; `field` is the path of the quotes in the request."""

    currency: str
    pair: Pair
    quotes: tuple[Points, ...]
    interpolation: Interpolation
    field: str

    @property
    def other(self) -> str:
        """The pair's other currency, whose curve must be known."""
        return self.pair.base if self.currency == self.pair.counter else self.pair.counter

    def curve(self, dates: ValueDates, spot: float, known: Curve, *, strict: bool) -> KnotCurve:
        """The curve with which, and with the other currency's, the pair's forwards are spot plus points.

        Args:
            dates: the pair's value dates.
            spot: for the spot date, counter per base.
            known: the other currency's curve.
            strict: quotes must ascend and be dealt; else they are put in order, of several for one date the first
                counts, and what is over or not dealt that day is left out.

        Raises:
            Refused: a tenor is not dealt, dates do not ascend, or points imply no rate that there could be.
            OutsideCalendar: a date lies outside of what is known of a calendar.
        """
        dated = self._ordered(dates, strict=strict)
        time = np.array([(each.day - dates.trade_date).days / DAYS_OF_YEAR for each in dated])
        spot_time = (dates.spot - dates.trade_date).days / DAYS_OF_YEAR
        mid = np.array([self.quotes[each.place].mid for each in dated])
        pip = float(CONVENTIONS[self.pair].pip)
        leg = np.array([each.leg for each in dated], np.int8)
        try:
            outright = swap_points.outrights(leg, mid, mid, spot, spot, pip).bid
        except ArgumentError as error:
            raise self._refused(error, [each.place for each in dated]) from None
        # Before the spot date stand today and tomorrow.
        place = int((time < spot_time).sum())
        times, rates = swap_points.with_spot(time, outright, spot, spot_time)
        later = times > 0.0
        grown = Curves(times[later], known.discount(times[later]))
        is_base = int(self.other == self.pair.base)
        # Spot has no quote of its own: what is wrong there shows in its neighbour.
        order = [*range(place), min(place, len(dated) - 1), *range(place, len(dated))]
        quoted = [dated[i].place for i in order]
        try:
            curves = swap_points.implied_curves(grown, is_base, times, rates, interpolation=self.interpolation)
        except ArgumentError as error:
            raise self._refused(error, quoted) from None
        paths = [f"{self.field}.quotes[{i}]" for i in quoted]
        return checked(KnotCurve(curves), paths[len(paths) - int(later.sum()) :])

    def _ordered(self, dates: ValueDates, *, strict: bool) -> list[_Dated]:
        found: dict[date, _Dated] = {}
        for i, quote in enumerate(self.quotes):
            dated = self._dated(dates, i, quote, strict=strict)
            if dated is None:
                continue
            if strict and found and dated.day <= max(found):
                words = f"its date {dated.day} is not after {max(found)}: quotes must ascend, each date once"
                raise Refused(f"{self.field}.quotes[{i}].tenor", words)
            found.setdefault(dated.day, dated)
        if not found:
            raise Refused(f"{self.field}.quotes", f"all dates are over: spot is {dates.spot}")
        return [found[day] for day in sorted(found)]

    def _dated(self, dates: ValueDates, i: int, quote: Points, *, strict: bool) -> _Dated | None:
        """Which two dates points are between, and the one of them that is not spot; None if it is left out."""
        path = f"{self.field}.quotes[{i}].tenor"
        try:
            if "-" in quote.tenor:
                day = day_of(quote.tenor)
                if day > dates.spot:
                    return _Dated(i, SwapLeg.FROM_SPOT, dates.broken(day).far)
                if not strict:
                    return None
                raise Refused(path, f"{day} is not after spot {dates.spot}: before spot give ON and TN")
            tenor = parse_tenor(quote.tenor)
            if tenor.unit is Unit.TOMORROW_NEXT and self._spot_is_tomorrow(dates) and not strict:
                return None
            found = dates.at(tenor)
        except (NotDealt, ValueError) as error:
            if isinstance(error, Refused):
                raise
            raise Refused(path, str(error)) from None
        if tenor.unit is Unit.OVERNIGHT and found.far < dates.spot:
            if not any(each.tenor == Unit.TOMORROW_NEXT.value for each in self.quotes):
                raise Refused(path, f"spot of {self.pair} is {dates.spot}: ON needs TN beside it")
            return _Dated(i, SwapLeg.INTO_TOMORROW, found.near)
        if tenor.unit in (Unit.OVERNIGHT, Unit.TOMORROW_NEXT):
            return _Dated(i, SwapLeg.INTO_SPOT, found.near)
        return _Dated(i, SwapLeg.FROM_SPOT, found.far)

    @staticmethod
    def _spot_is_tomorrow(dates: ValueDates) -> bool:
        """Whether spot is the next day that settles, as for some pairs always and for others around holidays."""
        return dates.at(parse_tenor(Unit.OVERNIGHT.value)).far >= dates.spot

    def _refused(self, error: ArgumentError, quoted: list[int]) -> Refused:
        place = quoted[error.index] if isinstance(error.index, int) and error.index < len(quoted) else 0
        return Refused(f"{self.field}.quotes[{place}]", f"{error.says} ({error.argument} {error.value!r})")


def checked(curve: KnotCurve, paths: list[str]) -> KnotCurve:
    """The curve, if none of its zero rates is one that no market has had; `paths` are those of its knots.

    Raises:
        Refused: one is.
    """
    for time, rate, path in zip(curve.times.tolist(), curve.rates.tolist(), paths, strict=True):
        most = RATE_SHORT_MAX if time * DAYS_OF_YEAR < SHORT_DAYS else RATE_MAX
        if not -most <= rate <= most:
            words = f"implies a zero rate of {rate:.4g} to {time:.4g} years, beyond {most:g}: is the unit right?"
            raise Refused(path, words)
    return curve
