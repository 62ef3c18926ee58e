"""Curves, bootstrapping and swap points against fifty digits: the bounds that their docstrings state."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from crossrate.kernel import swap_points
from crossrate.kernel.bootstrap import Instrument, bootstrap, deposit, overnight_index_swap, par_rates
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.swap_points import BrokenDate, SwapLeg
from tests.unit.kernel.exact import relative

DIGITS = 50
TIMES = np.array([0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0])
DISCOUNTS = np.exp(-np.array([0.03, 0.032, 0.035, 0.03, 0.028, -0.003, 0.031]) * TIMES)
MOMENTS = np.linspace(0.0, 60.0, 173)


class Exactly:
    """One curve in exact arithmetic: logarithms between knots as the interpolation's definition has them."""

    def __init__(self, times: list[float], exponents: list[mpf], slopes: list[mpf]):
        self.t, self.y, self.m = [mpf(each) for each in times], exponents, slopes

    def exponent(self, time: mpf) -> tuple[mpf, mpf]:
        """Minus the logarithm of the discount factor, and its slope, by Hermite's cubics; straight after the end."""
        j = max(i for i, each in enumerate(self.t) if each <= time)
        if j == len(self.t) - 1:
            return self.y[j] + self.m[j] * (time - self.t[j]), self.m[j]
        h = self.t[j + 1] - self.t[j]
        u, rise = (time - self.t[j]) / h, (self.y[j + 1] - self.y[j]) / h
        a, b = self.m[j] - rise, self.m[j + 1] - rise
        value = self.y[j] + h * u * (rise + (1 - u) * (a * (1 - u) - b * u))
        slope = rise + (1 - u) * (1 - 3 * u) * a - u * (2 - 3 * u) * b
        return value, slope


def pchim(t: list[mpf], y: list[mpf]) -> list[mpf]:
    """Slopes of Fritsch and Butland (1984), with the three-point formula at the ends as in scipy's PCHIP."""
    h = [b - a for a, b in pairwise(t)]
    d = [(b - a) / each for (a, b), each in zip(pairwise(y), h, strict=True)]

    def end(h0: mpf, h1: mpf, d0: mpf, d1: mpf) -> mpf:
        m = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
        if m * d0 <= 0:
            return mpf(0)
        return 3 * d0 if d0 * d1 <= 0 and abs(m) > 3 * abs(d0) else m

    inner = []
    for i in range(1, len(t) - 1):
        w1, w2 = 2 * h[i] + h[i - 1], h[i] + 2 * h[i - 1]
        inner.append((w1 + w2) / (w1 / d[i - 1] + w2 / d[i]) if d[i - 1] * d[i] > 0 else mpf(0))
    return [end(h[0], h[1], d[0], d[1]), *inner, end(h[-1], h[-2], d[-1], d[-2])]


def exactly(method: Interpolation) -> Exactly:
    """The curve of the tests: straight between knots, or Fritsch and Butland's cubic."""
    t = [mpf(0), *map(mpf, TIMES.tolist())]
    y = [mpf(0), *(-mpmath.log(mpf(each)) for each in DISCOUNTS.tolist())]
    kind = Straight if method == Interpolation.LOG_LINEAR else Exactly
    return kind([0.0, *TIMES.tolist()], y, pchim(t, y))


class Straight(Exactly):
    """Log-linear."""

    def exponent(self, time: mpf) -> tuple[mpf, mpf]:
        """Straight between knots and on after the last."""
        j = min(max(i for i, each in enumerate(self.t) if each <= time), len(self.t) - 2)
        slope = (self.y[j + 1] - self.y[j]) / (self.t[j + 1] - self.t[j])
        return self.y[j] + slope * (time - self.t[j]), slope


@pytest.mark.parametrize("method", [Interpolation.LOG_LINEAR, Interpolation.MONOTONE_CUBIC])
def test_readings_are_exact(build: str, method: Interpolation) -> None:
    """Discount factors, zero rates and forward rates are within their bounds, before and after the last knot."""
    curve = Curves(TIMES, DISCOUNTS, interpolation=method)
    worst = np.zeros(5)
    with mpmath.workdps(DIGITS):
        true = exactly(method)
        found = curve.discount(MOMENTS), curve.zero_rate(MOMENTS), curve.instantaneous_forward(MOMENTS)
        later = curve.forward_rate(MOMENTS, MOMENTS + 0.25), curve.simple_rate(MOMENTS, MOMENTS + 0.25, 0.2)
        for i, moment in enumerate(MOMENTS.tolist()):
            t = mpf(moment)
            y, slope = true.exponent(t)
            far, _ = true.exponent(mpf(moment + 0.25))
            zero = y / t if t else slope
            worst[0] = max(worst[0], relative(found[0][i], mpmath.exp(-y)) / max(1.0, float(abs(y))))
            worst[1] = max(worst[1], relative(found[1][i], zero, 1))
            worst[2] = max(worst[2], relative(found[2][i], slope, 1))
            most = max(1.0, float(abs(far)))
            worst[3] = max(worst[3], relative(later[0][i], (far - y) / (mpf(moment + 0.25) - t), most / 0.25))
            worst[4] = max(worst[4], relative(later[1][i], mpmath.expm1(far - y) / mpf(0.2), most / 0.2))
    assert worst.max() < 1e-15


def strip() -> list[Instrument]:
    """Deposits and overnight index swaps, one of them paid late."""
    swap = overnight_index_swap
    late = np.arange(1.0, 6.0)
    return [
        deposit(0.0, 0.25, 0.2556),
        deposit(0.02, 0.6, 0.59),
        swap(0.0, [1.0], [1.0139]),
        swap(0.0, [1.0, 2.0], [1.0139, 1.0139]),
        swap(0.0, late, np.full(5, 1.0139), late + 0.01),
    ]


def par_exactly(instrument: Instrument, curve: Exactly) -> mpf:
    """The rate at which the periods' growth and the fixed rate are worth the same."""
    legs = zip(instrument.begin, instrument.end, instrument.payment, instrument.accrual, strict=True)
    grown = fixed = mpf(0)
    for begin, end, payment, accrual in (map(mpf, map(float, each)) for each in legs):
        paid = mpmath.exp(-curve.exponent(payment)[0])
        grown += mpmath.expm1(curve.exponent(end)[0] - curve.exponent(begin)[0]) * paid
        fixed += accrual * paid
    return grown / fixed


def solved(instrument: Instrument, quote: float, times: list[float], y: list[mpf]) -> mpf:
    """Minus the logarithm of the last discount factor at which the instrument is worth nothing at its quote."""
    guess = mpf(quote) * times[-1]

    def off(last: mpf) -> mpf:
        return par_exactly(instrument, Straight(times, [*y, last], [])) - mpf(quote)

    return mpmath.findroot(off, (guess, guess * 1.1), solver="secant", tol=1e-80)


def test_bootstrapped_discount_factors_are_exact(build: str) -> None:
    """Discount factors solve the quotes within 1e-13 of themselves; par rates are within 1e-15 over their accrual."""
    quotes = [0.031, 0.032, 0.033, 0.03, 0.028]
    instruments = strip()
    curve = bootstrap(instruments, quotes)
    with mpmath.workdps(DIGITS):
        times, y = [0.0], [mpf(0)]
        for instrument, quote in zip(instruments, quotes, strict=True):
            knot = float(max(instrument.payment.max(), instrument.end.max()))
            y.append(solved(instrument, quote, [*times, knot], y))
            times.append(knot)
        for found, true in zip(curve.discounts, y[1:], strict=True):
            assert relative(found, mpmath.exp(-true)) < 1e-13
        logarithms = [mpf(0), *(-mpmath.log(mpf(each)) for each in curve.discounts.tolist())]
        own = Straight([0.0, *curve.times.tolist()], logarithms, [])
        for found, instrument in zip(par_rates(curve, instruments)[0], instruments, strict=True):
            assert relative(found, par_exactly(instrument, own), 1 / float(instrument.accrual.sum())) < 1e-15


def test_outright_rates_are_exact(build: str) -> None:
    """Both sides of outright rates are within 1e-15 of themselves, on either side of spot."""
    draw = np.random.default_rng(41)
    pip, legs = 0.0001, [SwapLeg.INTO_SPOT, SwapLeg.INTO_TOMORROW, *[SwapLeg.FROM_SPOT] * 4]
    bid = draw.uniform(-100.0, 100.0, 6)
    offer = bid + draw.uniform(0.0, 3.0, 6)
    sides = swap_points.outrights(legs, bid, offer, 1.1, 1.1003, pip)
    b, o = ([mpf(each) for each in column.tolist()] for column in (bid, offer))
    with mpmath.workdps(DIGITS):
        low = [-o[0], -o[0] - o[1], *b[2:]]
        high = [-b[0], -b[0] - b[1], *o[2:]]
        for i in range(6):
            assert relative(sides.bid[i], mpf(1.1) + low[i] * mpf(pip)) < 1e-15
            assert relative(sides.offer[i], mpf(1.1003) + high[i] * mpf(pip)) < 1e-15


DATES = np.array([0.0, 0.003, 0.006, 0.1, 0.5, 1.0, 3.0])
QUOTED = 1.1 + np.array([-0.0002, -0.0001, 0.0, 0.0021, 0.009, 0.02, 0.04])


@pytest.mark.parametrize("is_base", [0, 1])
def test_implied_discount_factors_are_exact(build: str, is_base: int) -> None:
    """They are the known ones times the ratio of outright rates, within 1e-15."""
    known = Curves(TIMES, DISCOUNTS)
    found = swap_points.implied_curves(known, is_base, DATES, QUOTED)
    rate, d = ([mpf(each) for each in column.tolist()] for column in (QUOTED, known.discount(DATES)))
    with mpmath.workdps(DIGITS):
        for i in range(1, len(DATES)):
            ratio = rate[0] / rate[i] if is_base else rate[i] / rate[0]
            assert relative(found.discounts[i - 1], d[i] * ratio) < 1e-15


def test_broken_dates_are_exact(build: str) -> None:
    """By points and by rate, outright rates between quoted dates are within 1e-15 of themselves."""
    moments = np.linspace(0.0, 3.0, 97)
    by_points = swap_points.broken_date(moments, DATES, QUOTED, DATES[2], BrokenDate.BY_POINTS)
    by_rate = swap_points.broken_date(moments, DATES, QUOTED, DATES[2], BrokenDate.BY_RATE)
    t, rate = ([mpf(each) for each in column.tolist()] for column in (DATES, QUOTED))
    with mpmath.workdps(DIGITS):
        gap = [mpmath.log(r / rate[2]) / (x - t[2]) if x != t[2] else None for x, r in zip(t, rate, strict=True)]
        for i, moment in enumerate(map(mpf, moments.tolist())):
            j = min(max(k for k, each in enumerate(t) if each <= moment), len(t) - 2)
            weight = (moment - t[j]) / (t[j + 1] - t[j])
            near, far = gap[j] or gap[j + 1], gap[j + 1] or gap[j]
            assert relative(by_points[i], rate[j] + weight * (rate[j + 1] - rate[j])) < 1e-15
            each = near + weight * (far - near)
            assert relative(by_rate[i], rate[2] * mpmath.exp(each * (moment - t[2]))) < 1e-15


@pytest.mark.parametrize("divide", [0, 1])
def test_crosses_are_exact(build: str, divide: int) -> None:
    """Outrights are rounded once; residuals are within 1e-15 of points and spot in pips."""
    draw = np.random.default_rng(42)
    first, second = draw.uniform(0.5, 2.0, (2, 20))
    spot, points = (first / second if divide else first * second), draw.uniform(-50.0, 50.0, 20)
    found = swap_points.cross(first, second, divide, spot, points, 0.0001)
    with mpmath.workdps(DIGITS):
        for i, row in enumerate(zip(first.tolist(), second.tolist(), spot.tolist(), points.tolist(), strict=True)):
            x, y, s, p = map(mpf, row)
            forward = x / y if divide else x * y
            assert relative(found.outright[i], forward) < 1.2e-16
            above = (forward - s) / mpf(0.0001)
            assert relative(found.residual[i], p - above, abs(p) + s / mpf(0.0001)) < 1e-15
