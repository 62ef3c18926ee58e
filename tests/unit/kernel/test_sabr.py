"""SABR volatilities against exact arithmetic and QuantLib; calibrations against what they were made from."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import ArgumentError, Reason, ShapeError, sabr


def models(count: int, seed: int = 4) -> dict[str, np.ndarray]:
    """Parameters as currency smiles have them, in every beta."""
    draw = np.random.default_rng(seed)
    forward = draw.uniform(0.5, 150.0, count)
    beta = draw.choice([0.0, 0.3, 0.5, 1.0], count)
    time = np.exp(draw.uniform(np.log(0.02), np.log(5.0), count))
    return {
        "forward": forward,
        "time": time,
        "alpha": draw.uniform(0.04, 0.25, count) * forward ** (1.0 - beta),
        "beta": beta,
        "rho": draw.uniform(-0.7, 0.7, count),
        "nu": draw.uniform(0.2, 1.0, count) / np.sqrt(np.maximum(time, 0.25)),
    }


def hagan(forward: float, strike: float, time: float, alpha: float, beta: float, rho: float, nu: float) -> float:
    """Equation 2.17 of Hagan et al. (2002) as it stands there, in fifty digits."""
    with mpmath.workdps(50):
        f, k, t, a, b, r, n = (mpmath.mpf(each) for each in (forward, strike, time, alpha, beta, rho, nu))
        log, product = mpmath.log(f / k), (f * k) ** ((1 - b) / 2)
        z = n / a * product * log
        x = mpmath.log((mpmath.sqrt(1 - 2 * r * z + z * z) + z - r) / (1 - r))
        below = product * (1 + (1 - b) ** 2 / 24 * log**2 + (1 - b) ** 4 / 1920 * log**4)
        drift = (1 - b) ** 2 / 24 * a**2 / product**2 + r * b * n * a / (4 * product) + (2 - 3 * r * r) / 24 * n * n
        return float(a / below * (z / x if z else 1) * (1 + drift * t))


def test_the_formula_is_exact(build: str) -> None:
    """Within 4e-15 of equation 2.17 in exact arithmetic: at the forward, a hair beside it, and far in the wings."""
    away = np.array([0.0, 1e-15, -1e-12, 1e-9, -1e-6, 1e-3, -0.05, 0.3, -0.9, 1.5])
    market = models(40)
    strike = market["forward"] * np.exp(np.resize(away, 40))
    found = sabr.volatility(market["forward"], strike, *list(market.values())[1:])
    rows = zip(market["forward"], strike, *list(market.values())[1:], strict=True)
    exact = np.array([hagan(*map(float, row)) for row in rows])
    assert np.max(np.abs(found / exact - 1.0)) < 4e-15


def test_quantlib_agrees(build: str) -> None:
    """QuantLib's formula gives the same volatilities."""
    market = models(80, 9)
    strike = market["forward"] * np.exp(np.linspace(-0.4, 0.4, 80))
    found = sabr.volatility(market["forward"], strike, *list(market.values())[1:])
    for i in range(80):
        forward, time, alpha, beta, rho, nu = (float(column[i]) for column in market.values())
        other = ql.sabrVolatility(float(strike[i]), forward, time, alpha, beta, nu, rho)
        assert other == pytest.approx(found[i], rel=1e-12)


@pytest.mark.parametrize("points", [3, 5])
def test_calibration_finds_the_model(build: str, points: int) -> None:
    """Parameters are found again from the volatilities that they give at three and at five strikes."""
    count = 40 if build == "numpy" else 400
    market = models(count, 21)
    deviation = market["alpha"] * market["forward"] ** (market["beta"] - 1.0) * np.sqrt(market["time"])
    strike = market["forward"][:, None] * np.exp(deviation[:, None] * np.linspace(-1.3, 1.3, points))
    wide = [np.broadcast_to(column[:, None], strike.shape).copy() for column in market.values()]
    volatility = sabr.volatility(wide[0], strike, *wide[1:])
    found = sabr.calibrate(market["forward"], market["time"], market["beta"], strike, volatility)
    assert np.max(found.error) < 1e-13
    for name in ("alpha", "rho", "nu"):
        assert getattr(found, name) == pytest.approx(market[name], rel=1e-6, abs=1e-7)


def test_an_exact_fit_does_not_depend_on_the_order_of_points(build: str) -> None:
    """Points may come in any order."""
    strike, volatility = np.array([[1.0, 1.1, 1.2]]), np.array([[0.11, 0.1, 0.105]])
    one = sabr.calibrate(1.1, 0.5, 1.0, strike, volatility)
    two = sabr.calibrate(1.1, 0.5, 1.0, strike[:, [2, 0, 1]].copy(), volatility[:, [2, 0, 1]].copy())
    assert one.error[0] < 1e-14
    assert two.nu[0] == pytest.approx(one.nu[0], rel=1e-9)


def test_a_concave_smile_is_fitted_as_well_as_can_be(build: str) -> None:
    """SABR cannot bend down: the fit is flat through the middle of the volatilities, and the error says how far off."""
    found = sabr.calibrate(1.1, 0.5, 1.0, np.array([[1.0, 1.1, 1.21]]), np.array([[0.1, 0.11, 0.1]]))
    assert found.error[0] == pytest.approx(0.0066666, abs=1e-4)
    assert found.alpha[0] == pytest.approx(0.1033, abs=1e-3)


def test_refused_rows_leave_the_others_alone(build: str) -> None:
    """Errors name row and column; with a status the other rows are fitted."""
    strike = np.tile([1.0, 1.1, 1.2], (3, 1))
    volatility = np.tile([0.11, 0.1, 0.105], (3, 1))
    volatility[1, 2] = np.nan
    with pytest.raises(ArgumentError, match=r"^volatility\[1, 2\] is nan: it must be") as caught:
        sabr.calibrate(1.1, 0.5, 1.0, strike, volatility)
    assert caught.value.index == (1, 2)
    found = sabr.calibrate(1.1, np.array([0.5, 0.5, -1.0]), 1.0, strike, volatility, with_status=True)
    assert found.status.tolist() == [Reason.OK, Reason.NOT_FINITE, Reason.OUT_OF_RANGE]
    assert found.error[0] < 1e-14
    assert np.isnan(found.alpha[1:]).all()
    with pytest.raises(ArgumentError, match=r"^time\[2\] is -1"):
        sabr.calibrate(1.1, np.array([0.5, 0.5, -1.0]), 1.0, strike, np.full((3, 3), 0.1))


def test_threads_name_the_same_element_and_change_no_bit(build: str) -> None:
    """Rows are shared among threads without a trace."""
    count = 130
    strike, volatility = np.tile([1.0, 1.1, 1.2], (count, 1)), np.tile([0.11, 0.1, 0.105], (count, 1))
    once, shared = (sabr.calibrate(1.1, 0.5, 1.0, strike, volatility, threads=each) for each in (1, 2))
    assert (once.nu == shared.nu).all()
    strike[129, 1] = 0.0
    with pytest.raises(ArgumentError, match=r"^strike\[129, 1\] is 0.0"):
        sabr.calibrate(1.1, 0.5, 1.0, strike, volatility, threads=2)


def test_shapes_are_checked(build: str) -> None:
    """Tables need one shape and three points, columns a number for each row."""
    with pytest.raises(ShapeError, match="strike has 2 points a row"):
        sabr.calibrate(1.1, 0.5, 1.0, np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(ShapeError, match="volatility has shape"):
        sabr.calibrate(1.1, 0.5, 1.0, np.ones((1, 3)), np.ones((2, 3)))
    with pytest.raises(ShapeError, match="time has shape"):
        sabr.calibrate(1.1, np.ones(3), 1.0, np.ones((2, 3)), np.ones((2, 3)))


def test_where_the_expansion_gives_no_volatility_it_is_refused(build: str) -> None:
    """Far outside of its range, long times with much volatility of volatility, the formula turns negative."""
    with pytest.raises(ArgumentError, match=r"^alpha is .*no number solves this"):
        sabr.volatility(1.1, 1.1, 50.0, 0.1, 1.0, -0.99, 3.0)
