"""Vanna-Volga against its points, its exact price and its own equations."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from crossrate.kernel import ArgumentError, Reason, ShapeError, vanna_volga
from crossrate.kernel.vanna_volga import Order

FORWARD, TIME = 1.2, 0.5
STRIKES = np.array([1.11, 1.203, 1.30])
VOLATILITIES = np.array([0.115, 0.1, 0.108])


@pytest.mark.parametrize("order", Order)
def test_the_smile_goes_through_its_points(build: str, order: int) -> None:
    """Both formulas give the three volatilities at the three strikes."""
    found = vanna_volga.volatility(order, FORWARD, TIME, STRIKES, VOLATILITIES, STRIKES[1])
    assert found == pytest.approx(0.1, rel=1e-15)
    quoted = np.tile(STRIKES, (3, 1)), np.tile(VOLATILITIES, (3, 1))
    assert vanna_volga.volatility(order, FORWARD, TIME, *quoted, STRIKES) == pytest.approx(VOLATILITIES, rel=2e-15)


def price(strike: float, volatility: float) -> mpmath.mpf:
    """An undiscounted call."""
    s = volatility * mpmath.sqrt(TIME)
    d1 = mpmath.log(mpmath.mpf(FORWARD) / strike) / s + s / 2
    return FORWARD * mpmath.ncdf(d1) - strike * mpmath.ncdf(d1 - s)


def exact(strike: float) -> float:
    """The volatility of the vanna-volga price: Black's at the middle plus the hedge's cost."""
    with mpmath.workdps(30):
        k, at = [mpmath.log(each) for each in STRIKES.tolist()], mpmath.log(strike)
        s = VOLATILITIES[1] * mpmath.sqrt(TIME)
        total = price(strike, VOLATILITIES[1])
        for i, j, m in ((0, 1, 2), (2, 0, 1)):
            vega = [mpmath.npdf(mpmath.log(mpmath.mpf(FORWARD) / x) / s + s / 2) for x in (strike, float(STRIKES[i]))]
            weight = vega[0] / vega[1] * (k[j] - at) * (k[m] - at) / ((k[j] - k[i]) * (k[m] - k[i]))
            quoted = float(STRIKES[i])
            total += weight * (price(quoted, float(VOLATILITIES[i])) - price(quoted, float(VOLATILITIES[1])))
        return float(mpmath.findroot(lambda v: price(strike, v) - total, 0.1))


def test_the_second_order_is_nearer_to_the_exact_price(build: str) -> None:
    """Around the points the second formula is within 2e-4 of the exact volatility, the first ten times as far."""
    strikes = np.array([1.08, 1.14, 1.17, 1.25, 1.28, 1.34])
    quoted = np.tile(STRIKES, (6, 1)), np.tile(VOLATILITIES, (6, 1))
    right = np.array([exact(float(each)) for each in strikes])
    off = [np.abs(vanna_volga.volatility(order, FORWARD, TIME, *quoted, strikes) - right).max() for order in Order]
    assert off[0] < 4e-3
    assert off[1] < 2e-4
    assert off[1] < off[0] / 10


def test_the_second_order_solves_its_quadratic_equation(build: str) -> None:
    """The volatility solves the expansion from which the second formula comes, where d1 d2 vanishes too."""
    for strike in (1.12, FORWARD * np.exp(0.5 * 0.1**2 * TIME), 1.28):
        found = float(vanna_volga.volatility(1, FORWARD, TIME, STRIKES, VOLATILITIES, strike))
        k, at, v = np.log(STRIKES / FORWARD), np.log(strike / FORWARD), VOLATILITIES
        y = [
            (k[j] - at) * (k[m] - at) / ((k[j] - k[i]) * (k[m] - k[i])) for i, j, m in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
        ]
        s = v[1] * np.sqrt(TIME)
        product = [(0.5 * s - x / s) * (-0.5 * s - x / s) for x in (*k, at)]
        left = 2 * v[1] * (found - v[1]) + product[3] * (found - v[1]) ** 2
        right = sum(y[i] * (2 * v[1] * (v[i] - v[1]) + product[i] * (v[i] - v[1]) ** 2) for i in range(3))
        assert left == pytest.approx(right, abs=1e-16)


def test_what_has_no_volatility_is_refused(build: str) -> None:
    """Strikes out of order, wings where a formula has no value, and shapes that do not fit are refused."""
    with pytest.raises(ArgumentError, match="contradicts another argument") as caught:
        vanna_volga.volatility(0, FORWARD, TIME, STRIKES[::-1].copy(), VOLATILITIES, 1.2)
    assert caught.value.reason == Reason.INCONSISTENT
    with pytest.raises(ArgumentError, match="no number solves this"):
        vanna_volga.volatility(0, FORWARD, TIME, STRIKES, np.array([0.1, 0.12, 0.1]), 3.0)
    wide = np.tile(STRIKES, (2, 1)), np.tile([0.1, 0.12, 0.1], (2, 1))
    found, status = vanna_volga.volatility(0, FORWARD, TIME, *wide, np.array([3.0, 1.2]), with_status=True)
    assert status.tolist() == [Reason.NO_SOLUTION, Reason.OK]
    assert np.isnan(found).tolist() == [True, False]
    with pytest.raises(ArgumentError, match="order is 2: it must be 0"):
        vanna_volga.volatility(2, FORWARD, TIME, STRIKES, VOLATILITIES, 1.2)
    with pytest.raises(ShapeError, match="quoted_strikes has shape"):
        vanna_volga.volatility(0, FORWARD, TIME, STRIKES[:2].copy(), VOLATILITIES, 1.2)
