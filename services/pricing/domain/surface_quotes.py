"""Surfaces as the market quotes them by delta: at the money, risk reversals and butterflies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.option_quotes import SWITCH_MONTHS, option_quotes
from crossrate.basics.pair import Pair
from crossrate.basics.tenor import Tenor, parse_tenor
from crossrate.basics.value_date import ValueDates
from crossrate.kernel import smile
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.smile import Smiles, Strangle
from crossrate.kernel.strike import AtmConvention, DeltaConvention
from services.pricing.domain.clock import ClockQuotes
from services.pricing.domain.product import Cut, day_of, expiry_of
from services.pricing.domain.refusal import Refused
from services.pricing.domain.smile import Between, Points, QuotedSmile, run
from services.pricing.domain.surface import Surface

if TYPE_CHECKING:
    from services.pricing.domain.market import Standing

Array = NDArray[np.float64]

TIME_LEFT_MIN = 1.0 / (365.0 * 24.0)
"""Years that an expiry must have left: in its last hour it is not quoted any more."""
FIT_TOLERANCE = 1e-3
INNER, OUTER = 0.25, 0.10


@dataclass(frozen=True, slots=True)
class Conventions:
    """In which a surface is quoted. `put_minus_call` is the sign of risk reversals."""

    short: DeltaConvention
    long: DeltaConvention
    switch: Tenor
    atm: AtmConvention = AtmConvention.DELTA_NEUTRAL
    strangle: Strangle = Strangle.MARKET
    put_minus_call: bool = False

    @classmethod
    def standard(cls, pair: Pair) -> Conventions:
        """The market standard of a pair."""
        known = option_quotes(pair)
        code = 2 if known.premium_adjusted else 0
        long = DeltaConvention(DeltaConvention.FORWARD + code)
        return cls(DeltaConvention(code) if known.spot_delta else long, long, parse_tenor(f"{SWITCH_MONTHS}M"))

    def of(self, dates: ValueDates, delivery: date) -> DeltaConvention:
        """The delta of an option that is delivered on a day."""
        if self.short == self.long:
            # A calendar that is known for less than the switch is not asked.
            return self.short
        return self.short if delivery <= dates.at(self.switch).far else self.long


@dataclass(frozen=True, slots=True)
class Quote:
    """The quotes of one expiry; wings are (risk reversal, butterfly), None where there is none."""

    expiry: str
    cut: Cut
    atm: float
    inner: tuple[float, float] | None
    outer: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiry's dates and the market to it, rates from the spot date to delivery over the time to the cut."""

    day: date
    delivery: date
    time: float
    forward: float
    domestic: float
    foreign: float
    delta: DeltaConvention


@dataclass(frozen=True, slots=True)
class SurfaceQuotes:
    """Quotes of one pair by delta; `field` is their path in the request."""

    pair: Pair
    quotes: tuple[Quote, ...]
    conventions: Conventions
    between: Between
    beta: float
    fit_tolerance: float
    clock: ClockQuotes | None
    field: str

    def surface(self, standing: Standing) -> Surface:
        """The surface through the quotes, with the spot rate and the curves of a snapshot.

        A market strangle is met by the polynomial in delta, whatever runs through the points afterwards.

        Raises:
            Refused: an expiry is none or does not ascend, all are past, no smile has the quotes, or the smile misses
                them by more than the tolerance.
            OutsideCalendar: an expiry lies outside of what is known of a calendar.
        """
        living = self._living(standing)
        points: dict[int, Points] = {}
        for group in (_ONE, _THREE, _FIVE):
            mine = [(i, each) for i, each in living if _group(self.quotes[i]) == group]
            if mine:
                points.update(self._points(standing, group, mine))
        smiles = tuple(self._run(points[i]) for i, _ in living)
        clock = self.clock.clock(self.pair, standing.as_of, smiles[-1].time) if self.clock else None
        return Surface(smiles, clock)

    def _living(self, standing: Standing) -> list[tuple[int, Expiry]]:
        """The quotes with time left, by expiry; if the snapshot is not strict the first of several for one moment."""
        found: dict[float, tuple[int, Expiry]] = {}
        for i, quote in enumerate(self.quotes):
            each = self._expiry(standing, quote, self._path(i))
            if each.time < TIME_LEFT_MIN:
                if standing.strict:
                    raise Refused(f"{self._path(i)}.expiry", f"{each.day} {quote.cut.value} is past or within the hour")
                continue
            if standing.strict and found and each.time <= max(found):
                before = found[max(found)][1].day
                words = f"{quote.expiry} is {each.day}, not after {before} before it: expiries must ascend"
                raise Refused(f"{self._path(i)}.expiry", words)
            found.setdefault(each.time, (i, each))
        if not found:
            raise Refused(f"{self.field}.quotes", f"all expiries are past on {standing.as_of:%Y-%m-%d %H:%M} UTC")
        return [found[time] for time in sorted(found)]

    def _path(self, i: int) -> str:
        return f"{self.field}.quotes[{i}]"

    def _expiry(self, standing: Standing, quote: Quote, path: str) -> Expiry:
        if "-" in quote.expiry and (written := _written(quote.expiry, f"{path}.expiry")) < standing.trade_date:
            # It was quoted on an earlier day, and is over.
            day = delivery = written
        else:
            day, delivery = expiry_of(standing.dates, quote.expiry, f"{path}.expiry")
        time = standing.time_to(quote.cut.on(day))
        if time < TIME_LEFT_MIN:
            return Expiry(day, delivery, time, 0.0, 0.0, 0.0, self.conventions.short)
        forward, domestic, foreign = standing.carried(time, delivery)
        return Expiry(day, delivery, time, forward, domestic, foreign, self.conventions.of(standing.dates, delivery))

    def _points(self, standing: Standing, group: int, mine: Sequence[tuple[int, Expiry]]) -> dict[int, Points]:
        """Calibrates the expiries that have as many points, in one call of the kernel."""
        quotes = [self.quotes[i] for i, _ in mine]
        atm = np.array([each.atm for each in quotes])
        if group == _ONE:
            return {i: self._single(standing, i, expiry) for i, expiry in mine}
        sign = -1.0 if self.conventions.put_minus_call else 1.0
        wings = [[each.inner for each in quotes], [each.outer for each in quotes]][: 1 if group == _THREE else 2]
        quoted = [np.array([sign ** (1 - k) * pair[k] for pair in wing if pair]) for wing in wings for k in (0, 1)]
        row = (
            np.full(len(mine), int(self.conventions.atm), np.int8),
            np.array([int(expiry.delta) for _, expiry in mine], np.int8),
            np.full(len(mine), int(self.conventions.strangle), np.int8),
            np.full(len(mine), standing.spot),
            np.array([expiry.time for _, expiry in mine]),
            np.array([expiry.domestic for _, expiry in mine]),
            np.array([expiry.foreign for _, expiry in mine]),
            atm,
            *quoted,
        )
        calibrate = smile.three_point if group == _THREE else smile.five_point
        try:
            found = calibrate(*row, with_status=True)
        except ArgumentError as error:
            place = error.index if isinstance(error.index, int) else 0
            raise Refused(self._path(mine[place][0]), f"{error.argument} {error.value!r}: {error.says}") from None
        for (i, _), status in zip(mine, found.status.tolist(), strict=True):
            if status:
                why = _NO_SMILE.get(Reason(status), Reason(status).name)
                words = f"no smile has these quotes in these conventions: {why}"
                raise Refused(self._path(i), words)
        return {i: self._row(found, k, i, expiry) for k, (i, expiry) in enumerate(mine)}

    def _row(self, found: Smiles, k: int, i: int, expiry: Expiry) -> Points:
        deltas = [-INNER, 0.0, INNER] if found.strike.shape[1] == _THREE else [-OUTER, -INNER, 0.0, INNER, OUTER]
        return self._made(i, expiry, deltas, found.strike[k], found.volatility[k], found.coefficients[k])

    def _single(self, standing: Standing, i: int, expiry: Expiry) -> Points:
        atm = self.quotes[i].atm
        strike = standing.at_the_money(self.conventions.atm, expiry.delta, expiry.time, expiry.delivery, atm)
        coefficients = np.array([np.log(atm), 0.0, 0.0, 0.0, 0.0])
        return self._made(i, expiry, [0.0], np.array([strike]), np.array([atm]), coefficients)

    def _made(
        self, i: int, expiry: Expiry, deltas: list[float], strikes: Array, volatilities: Array, coefficients: Array
    ) -> Points:
        return Points(
            expiry=expiry.day,
            cut=self.quotes[i].cut,
            delivery=expiry.delivery,
            time=expiry.time,
            forward=expiry.forward,
            delta_convention=expiry.delta,
            atm_convention=self.conventions.atm,
            deltas=np.array(deltas),
            strikes=strikes,
            volatilities=volatilities,
            coefficients=coefficients,
            field=self._path(i),
        )

    def _run(self, points: Points) -> QuotedSmile:
        found = run(points, self.between, self.beta)
        if found.fit_error > self.fit_tolerance:
            words = (
                f"the smile misses a quoted point by {found.fit_error:.3g} of volatility, {self.fit_tolerance:g} is "
                "allowed: choose another interpolation, leave out 10 delta, or raise fit_tolerance"
            )
            raise Refused(points.field, words)
        return found


_ONE, _THREE, _FIVE = 1, 3, 5
_NO_SMILE = {
    Reason.NO_SOLUTION: "no strike has one of the deltas",
    Reason.INCONSISTENT: "a volatility would not be positive, or the strikes would not ascend",
    Reason.NOT_CONVERGED: "the market strangle is not met by any",
}


def _group(quote: Quote) -> int:
    return _ONE if quote.inner is None else _THREE if quote.outer is None else _FIVE


def _written(text: str, path: str) -> date:
    try:
        return day_of(text)
    except ValueError as error:
        raise Refused(path, str(error)) from None
