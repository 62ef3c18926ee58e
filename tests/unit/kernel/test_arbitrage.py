"""Butterfly and calendar arbitrage on surfaces of which it is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from crossrate.kernel import ArgumentError, Reason, ShapeError, arbitrage


def raw_svi(k: np.ndarray, a: float, b: float, rho: float, m: float, sigma: float) -> np.ndarray:
    """Total variance of raw SVI."""
    return a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))


def test_axel_vogts_smile_has_a_butterfly_arbitrage(build: str) -> None:
    """Gatheral and Jacquier (2014), example 3.1 (Axel Vogt): raw SVI whose density is negative, around k = 0.8.

    The least of g there is compared with its value from exact derivatives of the formula.
    """
    a, b, m, rho, sigma = -0.0410, 0.1331, 0.3586, 0.3060, 0.4153
    k = np.linspace(-1.5, 1.5, 2001)
    w = raw_svi(k, a, b, rho, m, sigma)
    found = arbitrage.butterfly(1.0, 1.0, np.exp(k)[None], np.sqrt(w)[None])
    root = np.sqrt((k - m) ** 2 + sigma**2)
    slope, curvature = b * (rho + (k - m) / root), b * sigma**2 / root**3
    g = (1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + curvature / 2
    assert found.worst[0] < -0.01
    assert found.worst[0] == pytest.approx(g.min(), rel=1e-4)
    assert 0.7 < np.log(found.worst_strike[0]) < 1.0


def test_a_flat_smile_has_a_density(build: str) -> None:
    """Without smile or skew g is one at every strike."""
    strike = np.linspace(0.5, 2.0, 50)[None]
    found = arbitrage.butterfly(1.1, 0.5, strike, np.full((1, 50), 0.2))
    assert found.worst == pytest.approx(1.0, abs=1e-12)


def test_g_is_negative_where_calls_are_not_convex(build: str) -> None:
    """The sign of g is that of the second difference of call prices on the same grid."""
    strike = np.linspace(0.8, 1.3, 401)
    for dent in (0.0, 0.02):
        volatility = 0.1 + 0.3 * np.log(strike) ** 2 - dent * np.exp(-(((strike - 1.12) / 0.02) ** 2))
        s = volatility * np.sqrt(0.5)
        d1 = np.log(1.0 / strike) / s + s / 2
        calls = special.ndtr(d1) - strike * special.ndtr(d1 - s)
        convex = bool((np.diff(calls, 2) >= 0.0).all())
        found = arbitrage.butterfly(1.0, 0.5, strike[None], volatility[None])
        assert (found.worst[0] >= 0.0) == convex == (dent == 0.0)


def test_rows_are_checked(build: str) -> None:
    """Strikes that do not ascend are refused with row and column; other rows go on with a status."""
    strike = np.tile([1.0, 1.1, 1.2, 1.3], (3, 1))
    volatility = np.full((3, 4), 0.1)
    strike[1, 2] = 1.05
    with pytest.raises(ArgumentError, match=r"^strike\[1, 2\] is 1.05: the elements must ascend"):
        arbitrage.butterfly(1.1, 1.0, strike, volatility)
    found = arbitrage.butterfly(1.1, 1.0, strike, volatility, with_status=True)
    assert found.status.tolist() == [Reason.OK, Reason.NOT_ASCENDING, Reason.OK]
    assert np.isnan(found.worst).tolist() == [False, True, False]
    with pytest.raises(ShapeError, match="2 points a row"):
        arbitrage.butterfly(1.1, 1.0, np.ones((1, 2)), np.ones((1, 2)))


def test_a_calendar_arbitrage_is_found(build: str) -> None:
    """The step that falls the most, and its column, are told for each pair of neighbouring expiries."""
    variance = np.array([[0.01, 0.02, 0.03], [0.015, 0.025, 0.03], [0.02, 0.021, 0.0275]])
    found = arbitrage.calendar(np.array([0.1, 0.2, 0.3]), variance)
    assert found.worst == pytest.approx([0.0, -0.004], abs=1e-17)
    assert found.worst_point.tolist() == [2, 1]


def test_a_calendar_is_checked(build: str) -> None:
    """Expiries ascend, variances are not negative, and shapes fit."""
    with pytest.raises(ArgumentError, match=r"^time\[1\] is 0.1: the elements must ascend"):
        arbitrage.calendar(np.array([0.1, 0.1]), np.ones((2, 3)))
    with pytest.raises(ArgumentError, match=r"^total_variance\[1, 2\] is -1"):
        arbitrage.calendar(np.array([0.1, 0.2]), np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]]))
    with pytest.raises(ArgumentError, match=r"^time\[0\] is nan"):
        arbitrage.calendar(np.array([np.nan, 0.2]), np.ones((2, 3)))
    with pytest.raises(ShapeError, match="two expiries or more"):
        arbitrage.calendar(np.array([0.1]), np.ones((1, 3)))
