"""Digitals, averages and smiles against fifty digits: the bounds that their docstrings state."""

from __future__ import annotations

from collections.abc import Iterator

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from crossrate.kernel import arbitrage, asian, business_clock, digital, smile, strike, vanna_volga
from tests.unit.kernel.exact import grid, relative

DIGITS = 50


def rows(*columns: np.ndarray) -> Iterator[tuple[float, ...]]:
    """Columns of an array function as tuples of Python numbers."""
    return zip(*(each.tolist() for each in columns), strict=True)


def within_four_deviations(options: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The options of a grid whose d1 and d2 are at most 4."""
    _, spot, level, time, volatility, domestic, foreign = options
    w = volatility * np.sqrt(time)
    d1 = (np.log(spot / level) + (domestic - foreign) * time) / w + w / 2
    near = np.maximum(np.abs(d1), np.abs(d1 - w)) <= 4.0
    return tuple(each[near] for each in options)


def digital_exactly(call: int, base: int, *numbers: float) -> tuple[list[mpf], list[mpf]]:
    """Price, delta, gamma and vega by derivatives of the closed formula, and the greatest term of each."""
    s, k, t, v, rd, rf = (mpf(each) for each in numbers)
    w = v * mpmath.sqrt(t)
    d1 = (mpmath.log(s / k) + (rd - rf) * t) / w + w / 2
    sign, d = (1 if call else -1), (d1 if base else d1 - w)
    amount = s * mpmath.exp(-rf * t) if base else mpmath.exp(-rd * t)
    chance, density = mpmath.ncdf(sign * d), amount * mpmath.npdf(d)
    price, share = amount * chance, (amount * chance / s if base else mpf(0))
    slope = sign * density / (s * w)
    # d(d1)/dv = -d2/v and d(d2)/dv = -d1/v.
    other = d1 - w if base else d1
    gamma = sign * density / (s * s * w) * ((1 if base else -1) - d / w)
    vega = -sign * density * other / v
    terms = [price, abs(share) + abs(slope), density / (s * s * w) * (1 + abs(d / w)), density * (1 + abs(other)) / v]
    return [price, share + slope, gamma, vega], terms


def test_digitals_are_exact(build: str) -> None:
    """Within four deviations price and Greeks are within 1e-14 of their greatest terms."""
    options = within_four_deviations(grid(300, seed=21))
    worst = np.zeros(4)
    with mpmath.workdps(DIGITS):
        for base in (0, 1):
            found = digital.greeks(options[0], base, *options[1:])
            outputs = (found.price, found.delta, found.gamma, found.vega)
            for i, row in enumerate(rows(*options)):
                true, terms = digital_exactly(int(row[0]), base, *row[1:])
                for j in range(4):
                    worst[j] = max(worst[j], relative(outputs[j][i], true[j], terms[j]))
    assert worst.max() < 2e-14


def asian_exactly(call: int, s: mpf, k: mpf, times: list[mpf], v: mpf, rd: mpf, rf: mpf) -> mpf:
    """Levy's price from the moments of Turnbull and Wakeman, a sum over all pairs of fixings."""
    forward = [s * mpmath.exp((rd - rf) * t) for t in times]
    n = len(times)
    m1 = sum(forward) / n
    m2 = sum(forward[i] * forward[j] * mpmath.exp(v * v * min(times[i], times[j])) for i in range(n) for j in range(n))
    w = mpmath.sqrt(mpmath.log(m2 / n**2 / m1**2))
    d1 = mpmath.log(m1 / k) / w + w / 2
    sign = 1 if call else -1
    return mpmath.exp(-rd * times[-1]) * sign * (m1 * mpmath.ncdf(sign * d1) - k * mpmath.ncdf(sign * (d1 - w)))


def test_averages_are_exact_for_their_formula(build: str) -> None:
    """Levy's price is within 1e-15 of the greater of spot and strike, with fixings still to come and partly past."""
    draw = np.random.default_rng(31)
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for _ in range(60):
            n, call = int(draw.integers(1, 9)), int(draw.integers(0, 2))
            last = float(np.exp(draw.uniform(-4.0, 1.6)))
            first = float(last * draw.uniform(0.0, 1.0))
            v, rd, rf = float(draw.uniform(0.02, 0.6)), *draw.uniform(-0.02, 0.1, 2).tolist()
            s = float(np.exp(draw.uniform(-1.0, 5.0)))
            k = s * float(np.exp(draw.uniform(-2.0, 2.0) * v * np.sqrt(last)))
            fixed, average = float(draw.choice([0.0, 0.3])), s * 0.9
            found = asian.price(call, s, k, first, last, n, fixed, average, v, rd, rf)
            gap = (mpf(last) - mpf(first)) / max(n - 1, 1)
            times = [mpf(last)] if n == 1 else [mpf(first) + gap * i for i in range(n)]
            open_, owed = 1 - mpf(fixed), mpf(k) - mpf(fixed) * mpf(average)
            args = (times, mpf(v), mpf(rd), mpf(rf))
            true = open_ * asian_exactly(call, mpf(s), owed / open_, *args)
            worst = max(worst, relative(found, true, max(s, k)))
    assert worst < 1e-15


def test_strikes_at_the_money_are_exact(build: str) -> None:
    """At the money is within 1e-15 of itself in every convention."""
    _, spot, _, time, volatility, domestic, foreign = grid(200, seed=22)
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for atm in strike.AtmConvention:
            for convention in strike.DeltaConvention:
                found = strike.atm(atm, convention, spot, time, volatility, domestic, foreign)
                for i, row in enumerate(rows(spot, time, volatility, domestic, foreign)):
                    s, t, v, rd, rf = map(mpf, row)
                    half = v * v * t / 2 * (1 if convention < 2 else -1)
                    up = {0: 0, 1: half, 2: None}[int(atm)]
                    true = s if up is None else s * mpmath.exp((rd - rf) * t + up)
                    worst = max(worst, relative(found[i], true))
    assert worst < 1e-15


def smile_exactly(row: tuple[float, ...], coefficients: list[float], level: mpf) -> mpf:
    """exp of the polynomial in u = 2 N(log(F / K) / (v0 √t)) - 1."""
    forward, time, atm = map(mpf, row)
    u = 2 * mpmath.ncdf(mpmath.log(forward / level) / (atm * mpmath.sqrt(time))) - 1
    return mpmath.exp(sum(mpf(c) * u**a for a, c in enumerate(coefficients)))


def test_smiles_are_exact(build: str) -> None:
    """The volatility of a strike is within 2e-15 of itself, three deviations out."""
    draw = np.random.default_rng(23)
    n = 150
    forward, time, atm = draw.uniform(0.5, 150.0, n), np.exp(draw.uniform(-4, 1.5, n)), draw.uniform(0.04, 0.4, n)
    c = [np.log(atm), *draw.uniform(-0.3, 0.3, (4, n))]
    level = forward * np.exp(draw.uniform(-3, 3, n) * atm * np.sqrt(time))
    found = smile.volatility(forward, time, atm, np.stack(c, axis=-1), level)
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for i, row in enumerate(rows(forward, time, atm)):
            worst = max(worst, relative(found[i], smile_exactly(row, [float(each[i]) for each in c], mpf(level[i]))))
    assert worst < 2e-15


def delta_exactly(call: int, convention: int, x: mpf, s: mpf, discount: mpf) -> mpf:
    """A delta of a strike at log(K/F) = x with deviation s; `discount` is the base currency's."""
    sign = 1 if call else -1
    d1 = -x / s + s / 2
    found = mpmath.exp(x) * mpmath.ncdf(sign * (d1 - s)) if convention >= 2 else mpmath.ncdf(sign * d1)
    return sign * found * (discount if convention in (0, 2) else 1)


def test_strikes_of_deltas_are_on_the_smile(build: str) -> None:
    """The strike's volatility is the smile's within 1e-14, and at it the strike has the delta within 1e-12."""
    draw = np.random.default_rng(27)
    quotes = {"atm_volatility": 0.11, "risk_reversal": -0.008, "butterfly": 0.0025, "delta": 0.25}
    market = {"spot": 1.1, "time": 0.5, "domestic_rate": 0.04, "foreign_rate": 0.02}
    for convention in strike.DeltaConvention:
        smiles = smile.three_point(1, convention, smile.Strangle.MARKET, **market, **quotes)
        for call in (0, 1):
            wanted = np.sort(draw.uniform(0.05, 0.4, 8)) * (1 if call else -1)
            level, volatility = smiles.at_delta(call, wanted[None])
            row, c = (float(smiles.forward[0]), 0.5, 0.11), smiles.coefficients[0].tolist()
            with mpmath.workdps(DIGITS):
                for k, v, delta in rows(level[0], volatility[0], wanted):
                    assert relative(v, smile_exactly(row, c, mpf(k))) < 1e-14
                    x, s = mpmath.log(mpf(k) / mpf(row[0])), mpf(v) * mpmath.sqrt(mpf(0.5))
                    true = delta_exactly(call, convention, x, s, mpmath.exp(-mpf(0.02) / 2))
                    assert relative(delta, true) < 1e-12


def durrleman(x: list[mpf], w: list[mpf]) -> mpf:
    """g at the middle of three log-moneynesses, from the parabola of total variance through them."""
    left, right = x[1] - x[0], x[2] - x[1]
    below, above = (w[1] - w[0]) / left, (w[2] - w[1]) / right
    slope = (below * right + above * left) / (left + right)
    bend = 2 * (above - below) / (left + right)
    return (1 - x[1] * slope / (2 * w[1])) ** 2 - slope**2 / 4 * (1 / w[1] + mpf(1) / 4) + bend / 2


def test_butterflies_are_exact_on_their_grid(build: str) -> None:
    """The least g is within 1e-15 × (1 + total variance / squared spacing) of the formula on the same points."""
    draw = np.random.default_rng(24)
    for points in (3, 7, 40):
        level = 1.1 * np.exp(np.linspace(-0.4, 0.4, points))
        volatility = 0.1 + 0.2 * np.log(level / 1.1) ** 2 + draw.normal(0.0, 1e-3, points)
        found = arbitrage.butterfly(1.12, 0.7, level[None], volatility[None])
        with mpmath.workdps(DIGITS):
            x = [mpmath.log(mpf(each) / mpf(1.12)) for each in level.tolist()]
            w = [mpf(each) ** 2 * mpf(0.7) for each in volatility.tolist()]
            true = min(durrleman(x[i - 1 : i + 2], w[i - 1 : i + 2]) for i in range(1, points - 1))
        spacing = float(np.log(level[1] / level[0]))
        assert relative(found.worst[0], true, 1.0 + float(max(w)) / spacing**2) < 1e-15


def test_calendar_steps_are_rounded_once(build: str) -> None:
    """The least step is a difference of two of the given variances."""
    variance = np.sort(np.random.default_rng(26).uniform(0.001, 0.1, (3, 9)), axis=0)
    found = arbitrage.calendar(np.array([0.1, 0.5, 1.0]), variance)
    assert np.array_equal(found.worst, np.diff(variance, axis=0).min(axis=1))


def test_business_time_is_exact(build: str) -> None:
    """Business time is within (days + 3) × 2**-53 of itself, total variance within 1e-15."""
    draw = np.random.default_rng(25)
    weights, days = draw.uniform(0.0, 2.0, 400), draw.uniform(0.0, 400.0, 50)
    found = business_clock.business_time(weights, days, year=252.0)
    times, variances = np.array([0.02, 0.1, 0.5, 2.0]), np.array([0.001, 0.004, 0.004, 0.03])
    moments = draw.uniform(0.0, 4.0, 100)
    variance = business_clock.total_variance(times, variances, moments)
    t, w = ([mpf(0), *map(mpf, each.tolist())] for each in (times, variances))
    with mpmath.workdps(DIGITS):
        for i, day in enumerate(days.tolist()):
            whole = int(day)
            true = (sum(map(mpf, weights[:whole].tolist())) + (mpf(day) - whole) * mpf(float(weights[whole]))) / 252
            assert relative(found[i], true) < (whole + 4) * 2.0**-53
        for i, moment in enumerate(moments.tolist()):
            j = min(int(np.searchsorted(times, moment)), 3)
            true = w[j] + (w[j + 1] - w[j]) * (mpf(moment) - t[j]) / (t[j + 1] - t[j])
            assert relative(variance[i], true) < 1e-15


def vanna_volga_exactly(order: int, k: list[mpf], v: list[mpf], at: mpf, root: mpf) -> mpf:
    """Castagna and Mercurio (2007), equations 14 and 16, as they stand there."""
    weight = [
        (k[j] - at) * (k[m] - at) / ((k[j] - k[i]) * (k[m] - k[i])) for i, j, m in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    ]
    first = sum(y * each for y, each in zip(weight, v, strict=True)) - v[1]
    if order == 0:
        return v[1] + first
    s = v[1] * root
    product = [(s / 2 - x / s) * (-s / 2 - x / s) for x in (*k, at)]
    second = sum(weight[i] * product[i] * (v[i] - v[1]) ** 2 for i in (0, 2))
    inside = 2 * v[1] * first + second
    return v[1] + (-v[1] + mpmath.sqrt(v[1] ** 2 + product[3] * inside)) / product[3]


@pytest.mark.parametrize("order", vanna_volga.Order)
def test_vanna_volga_is_exact_for_its_formulas(build: str, order: int) -> None:
    """As far as a twentieth beyond the outer strikes both formulas are within 1e-14 of themselves."""
    quoted, volatilities = np.array([1.11, 1.203, 1.30]), np.array([0.115, 0.1, 0.108])
    level = np.linspace(1.05, 1.37, 33)
    rows_ = np.tile(quoted, (33, 1)), np.tile(volatilities, (33, 1))
    found = vanna_volga.volatility(order, 1.2, 0.5, *rows_, level)
    with mpmath.workdps(DIGITS):
        k = [mpmath.log(mpf(each) / mpf(1.2)) for each in quoted.tolist()]
        v = [mpf(each) for each in volatilities.tolist()]
        for value, each in rows(found, level):
            true = vanna_volga_exactly(order, k, v, mpmath.log(mpf(each) / mpf(1.2)), mpmath.sqrt(mpf(0.5)))
            assert relative(value, true) < 1e-14
