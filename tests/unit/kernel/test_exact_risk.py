"""Measures of risk and what explains them, by exact sums and fifty digits: the bounds that their docstrings state."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from crossrate.kernel import attribution, margin, parametric, revalue, series, var, volatility_filter
from crossrate.kernel.reference.var import quantile_place
from crossrate.kernel.var import Convention
from tests.unit.kernel.exact import relative

DIGITS = 50


def fractions(values: np.ndarray) -> list[Fraction]:
    """Doubles as the rational numbers that they are."""
    return [Fraction(each) for each in values.tolist()]


def distance(found: object, true: Fraction, scale: float) -> float:
    """How far a double is from an exact number, over a scale."""
    return float(abs(Fraction(float(found)) - true)) / scale  # type: ignore[arg-type]


@pytest.mark.parametrize("convention", Convention)
def test_measures_are_exact(build: str, convention: Convention) -> None:
    """Measures are within 1e-15 of the greatest loss, the standard error of a shortfall within 1e-14 of itself."""
    for seed, count, level in ((1, 37, 0.9), (2, 250, 0.975), (3, 1000, 0.99), (4, 999, 0.95)):
        pnl = np.random.default_rng(seed).standard_t(4, count) * 1e5
        found = var.measure(pnl, level, convention=convention)
        losses = sorted((-each for each in fractions(pnl)), reverse=True)
        rank, part = quantile_place(count, level, int(convention))
        quantile = losses[count - rank]
        if part > 0.0:
            quantile += Fraction(part) * (losses[count - rank - 1] - quantile)
        tail = count * (1 - Fraction(level))
        tail = Fraction(round(tail)) if abs(tail - round(tail)) < Fraction(1, 10**9) else tail
        inside = [min(Fraction(1), max(Fraction(0), tail - i)) for i in range(count)]
        shortfall = sum(a * b for a, b in zip(inside, losses, strict=True)) / tail
        spread = sum(a * (b - shortfall) ** 2 for a, b in zip(inside, losses, strict=True)) / tail
        with mpmath.workdps(DIGITS):
            square = (spread + Fraction(level) * (shortfall - quantile) ** 2) / tail
            error = mpmath.sqrt(mpf(square.numerator) / square.denominator)
        most = float(losses[0])
        assert distance(found.value_at_risk, quantile, most) < 1e-15
        assert distance(found.expected_shortfall, shortfall, most) < 1e-15
        assert relative(found.expected_shortfall_error, error) < 1e-14


def test_weighted_measures_are_exact(build: str) -> None:
    """Weights are within scenarios × 2**-53 of themselves, a weighted shortfall within 1e-14 of the greatest loss."""
    for scenarios, decay in ((10, 0.5), (250, 0.98), (1000, 0.995), (40, 1.0)):
        weight = var.age_weight(scenarios, decay)
        with mpmath.workdps(DIGITS):
            powers = [mpf(decay) ** k for k in range(scenarios)][::-1]
            total = sum(powers)
            for found, power in zip(weight, powers, strict=True):
                assert relative(found, power / total) < (scenarios + 4) * 2.0**-53
        pnl = np.random.default_rng(scenarios).standard_normal(scenarios)
        measured = var.measure(pnl, 0.95, weight=weight)
        share = fractions(weight)
        whole = sum(share)
        left, shortfall = 1 - Fraction(0.95), Fraction(0)
        tail = left
        for i in np.argsort(pnl):
            taken = min(left, share[i] / whole)
            shortfall += taken * -Fraction(float(pnl[i]))
            left -= taken
        assert distance(measured.expected_shortfall, shortfall / tail, float(-pnl.min())) < 1e-14


@pytest.mark.parametrize("window", [0, 5])
def test_historical_contributions_are_exact(build: str, window: int) -> None:
    """Components are within 1e-15 of the greatest P&L of a position."""
    pnl, count = np.random.default_rng(7).standard_normal((6, 400)) * 1e4, 400
    found = attribution.historical(pnl, 0.975, window=window)
    order = np.argsort(np.add.reduce(pnl, axis=0), kind="stable")
    rank, part = quantile_place(count, 0.975, 1)
    place = count - rank - (part > 0.0)
    near = [max(0, window + 1 - abs(k - place)) for k in range(count)]
    most = float(np.abs(pnl).max())
    for i, row in enumerate(fractions(each) for each in pnl[:, order]):
        quantile = -sum(value * weight for value, weight in zip(row, near, strict=True)) / (window + 1) ** 2
        assert distance(found.component_var[i], quantile, most) < 1e-15
        assert distance(found.component_es[i], -sum(row[:10]) / 10, most) < 1e-15


def test_normal_contributions_are_exact(build: str) -> None:
    """Components are within 1e-15 of the portfolio's measure."""
    draw = np.random.default_rng(12)
    mixed = draw.standard_normal((5, 9)) * 0.01
    delta, covariance = draw.normal(0.0, 1e6, (6, 5)), mixed @ mixed.T
    covariance = (covariance + covariance.T) / 2
    found = attribution.normal(delta, covariance, 0.99)
    with mpmath.workdps(DIGITS):
        d, c = mpmath.matrix(delta.tolist()), mpmath.matrix(covariance.tolist())
        whole = mpmath.matrix([sum(d[i, j] for i in range(6)) for j in range(5)])
        deviation = mpmath.sqrt((whole.T * c * whole)[0])
        z = mpmath.sqrt(2) * mpmath.erfinv(2 * mpf(0.99) - 1)
        tail = mpmath.npdf(z) / (1 - mpf(0.99))
        share = d * (c * whole) / deviation
        for i in range(6):
            assert relative(found.component_var[i], z * share[i], z * deviation) < 1e-15
            assert relative(found.component_es[i], tail * share[i], tail * deviation) < 1e-15


def test_moments_are_exact(build: str) -> None:
    """Four factors: mean and deviation are within 1e-15 of the deviation, skewness and kurtosis within 1e-13."""
    draw = np.random.default_rng(8)
    mixed = draw.standard_normal((4, 7)) * 0.01
    covariance = mixed @ mixed.T
    delta, gamma = draw.normal(0.0, 1e6, (5, 4)), draw.normal(0.0, 3e7, (5, 4, 4))
    gamma = gamma + np.swapaxes(gamma, 1, 2)
    found = parametric.moments(delta, covariance, gamma, 3.0)
    with mpmath.workdps(DIGITS):
        c = mpmath.matrix(covariance.tolist())
        for i in range(5):
            d, g = mpmath.matrix(delta[i].tolist()), mpmath.matrix(gamma[i].tolist())
            gc = g * c
            trace = [sum(power[k, k] for k in range(4)) for power in (gc, gc * gc, gc * gc * gc, gc * gc * gc * gc)]
            inner = [(d.T * c * each * d)[0] for each in (mpmath.eye(4), gc, gc * gc)]
            k2, k3, k4 = trace[1] / 2 + inner[0], trace[2] + 3 * inner[1], 3 * trace[3] + 12 * inner[2]
            deviation = mpmath.sqrt(k2)
            assert relative(found.mean[i], 3 + trace[0] / 2, deviation) < 1e-15
            assert relative(found.deviation[i], deviation) < 1e-15
            assert relative(found.skewness[i], k3 / deviation**3, 1) < 1e-13
            assert relative(found.kurtosis[i], k4 / k2**2) < 1e-13


@pytest.mark.parametrize(("s", "k", "p"), [(0.0, 0.0, 0.99), (-0.5, 1.2, 0.975), (0.3, 2.0, 0.999), (0.2, 1.0, 0.6)])
def test_cornish_fisher_is_exact(build: str, s: float, k: float, p: float) -> None:
    """Value at risk is within 1e-14 of the deviation, and so is expected shortfall, an integral over the tail."""
    found = parametric.cornish_fisher(0.2, 3.0, s, k, p)
    with mpmath.workdps(30):

        def expansion(x: mpf) -> mpf:
            skewed = (x * x - 1) * mpf(s) / 6 - (2 * x**3 - 5 * x) * mpf(s) ** 2 / 36
            return x + skewed + (x**3 - 3 * x) * mpf(k) / 24

        q = -mpmath.sqrt(2) * mpmath.erfinv(2 * mpf(p) - 1)
        tail = mpmath.quad(lambda x: expansion(x) * mpmath.npdf(x), [-30, -10, -5, q]) / (1 - mpf(p))
        assert relative(found[0], -mpf(0.2) - 3 * expansion(q), 3) < 1e-14
        assert relative(found[1], -mpf(0.2) - 3 * tail, 3) < 1e-14


def worth(kind: int, s: mpf, k: mpf, t: mpf, v: mpf, rd: mpf, rf: mpf) -> mpf:
    """Garman and Kohlhagen's premium, or the forward's value."""
    base, counter = s * mpmath.exp(-rf * t), k * mpmath.exp(-rd * t)
    if kind == revalue.FORWARD:
        return base - counter
    w, sign = v * mpmath.sqrt(t), (1 if kind else -1)
    d1 = (mpmath.log(s / k) + (rd - rf) * t) / w + w / 2
    return sign * (base * mpmath.ncdf(sign * d1) - counter * mpmath.ncdf(sign * (d1 - w)))


def test_revaluation_is_exact(build: str) -> None:
    """Each position's profit is within 1e-15 of its notional in the reporting currency, the book's of their sum."""
    draw, n, m = np.random.default_rng(9), 12, 6
    ranges = ((0.99, 1.21), (0.05, 2.0), (0.05, 0.3), (-0.01, 0.06), (-0.01, 0.06))
    kind, numbers = draw.integers(0, 3, n), [draw.uniform(low, high, n) for low, high in ranges]
    notional = draw.normal(0.0, 1e6, n)
    shifts = [draw.normal(0.0, scale, (1, m)) for scale in (0.03, 0.02, 0.005, 0.005, 0.02)]
    book = revalue.Positions(kind, np.zeros(n, np.int64), *numbers, notional)
    pairs = revalue.Markets(spot=np.array([1.1]), conversion=np.array([0.9]))
    total, parts = revalue.profit(book, pairs, revalue.Scenarios(*shifts), contributions=True)
    with mpmath.workdps(DIGITS):
        for j in range(m):
            moved, more, domestic, foreign, conversion = (mpf(float(each[0, j])) for each in shifts)
            whole = mpf(0)
            for i in range(n):
                k, t, v, rd, rf = (mpf(float(each[i])) for each in numbers)
                today = mpf(0.9) * worth(int(kind[i]), mpf(1.1), k, t, v, rd, rf)
                rest = (k, t, max(v + more, mpf(0)), rd + domestic, rf + foreign)
                then = mpf(0.9) * mpmath.exp(conversion) * worth(int(kind[i]), mpf(1.1) * mpmath.exp(moved), *rest)
                true = mpf(float(notional[i])) * (then - today)
                whole += true
                assert relative(parts[i, j], true, abs(float(notional[i]))) < 1e-15
            assert relative(total[j], whole, float(np.abs(notional).sum())) < 1e-15


def test_tiered_margin_is_exact(build: str) -> None:
    """A sum over slices, within 1e-15 of itself."""
    amounts = np.random.default_rng(10).normal(0.0, 5e6, 30)
    bound, rate = np.array([0.0, 1e6, 5e6]), np.array([0.01, 0.02, 0.05])
    found = margin.tiered(amounts, bound, rate)
    b, r = fractions(bound), fractions(rate)
    for i, amount in enumerate(abs(each) for each in fractions(amounts)):
        ends = [*b[1:], amount + 1]
        true = sum(r[j] * max(Fraction(0), min(amount, ends[j]) - b[j]) for j in range(3))
        assert distance(found[i], Fraction(true), float(true)) < 1e-15


def test_portfolio_margin_is_exact(build: str) -> None:
    """Scanning risk and requirement are within 1e-15 of the sum of the positions' greatest losses."""
    draw = np.random.default_rng(13)
    units, losses = draw.integers(-9, 9, (7, 4)).astype(float), draw.normal(0.0, 100.0, (4, 16))
    worth_of, group = [3.0, 0.1, 0.0, 0.7], [0, 1, 1, 0]
    found = margin.portfolio(units, losses, group, option_value=np.array(worth_of))
    for a in range(7):
        held = fractions(units[a])
        scale = float(np.abs(units[a]) @ np.abs(losses).max(axis=1))
        rows = [[held[i] * loss for loss in fractions(losses[i])] for i in range(4)]
        scans = []
        for g in (0, 1):
            members = [rows[i] for i in range(4) if group[i] == g]
            scans.append(max(Fraction(0), *(sum(each) for each in zip(*members, strict=True))))
            assert distance(found.scanning_risk[a, g], scans[g], scale) < 1e-15
        value = sum(held[i] * Fraction(worth_of[i]) for i in range(4))
        assert distance(found.requirement[a], max(Fraction(0), sum(scans) - value), scale) < 1e-15


def test_variances_are_exact(build: str) -> None:
    """GARCH, exponential weights and forecasts are within 1e-14 of the recursion, over 200 days and a horizon of 30."""
    moves = np.random.default_rng(11).standard_t(6, 200) * 0.006
    variance = volatility_filter.variance(moves, volatility_filter.Garch(2e-6, 0.08, 0.9), 4e-5)
    weighted = series.ewma(moves, 0.94, 4e-5)
    weighted_all = np.append(weighted.variance, weighted.following)
    forecast = series.forecast_garch(2e-6, 0.08, 0.9, 5e-5, 30)
    with mpmath.workdps(DIGITS):
        c, a, b, decay, v, e, f = map(mpf, (2e-6, 0.08, 0.9, 0.94, 4e-5, 4e-5, 5e-5))
        for t, r in enumerate(map(mpf, moves.tolist())):
            assert relative(variance[t], v) < 1e-14
            assert relative(weighted_all[t], e) < 1e-14
            v, e = c + a * r**2 + b * v, decay * e + (1 - decay) * r**2
        assert relative(variance[200], v) < 1e-14
        assert relative(weighted_all[200], e) < 1e-14
        for found in forecast[0]:
            assert relative(found, f) < 1e-14
            f = c + (a + b) * f


def test_filtered_returns_are_exact(build: str) -> None:
    """Scaled returns are within 1e-15 of themselves, simulated ones within 1e-14 of the sum of their steps' sizes."""
    draw = np.random.default_rng(14)
    moves, model = draw.standard_t(6, 200) * 0.006, volatility_filter.Garch(2e-6, 0.08, 0.9)
    variance = volatility_filter.variance(moves, model, 4e-5)
    scaled = volatility_filter.scale(moves, variance)
    picks = draw.integers(0, 200, (20, 5))
    paths = volatility_filter.simulate(moves, variance, model, picks)
    with mpmath.workdps(DIGITS):
        c, a, b = map(mpf, (2e-6, 0.08, 0.9))
        r, own = ([mpf(each) for each in column.tolist()] for column in (moves, variance))
        for t in range(200):
            assert relative(scaled[t], r[t] * mpmath.sqrt(own[-1] / own[t])) < 1e-15
        for i, row in enumerate(picks.tolist()):
            v, steps = own[-1], []
            for day in row:
                steps.append(r[day] * mpmath.sqrt(v / own[day]))
                v = c + a * steps[-1] ** 2 + b * v
            assert relative(paths[i], sum(steps), sum(map(abs, steps))) < 1e-14
