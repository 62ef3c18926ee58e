"""Volatility filters against plain recursions, the fit against scipy's optimiser and by its own conditions."""

from __future__ import annotations

import re
from functools import cache

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize

from crossrate.kernel import ArgumentError, ShapeError, path, series
from crossrate.kernel.faults import Reason


def simulated(seed: int, count: int, omega: float, alpha: float, beta: float) -> np.ndarray:
    """Returns of a GARCH(1,1) process with Student's shocks of six degrees of freedom."""
    random = np.random.default_rng(seed)
    v = omega / (1.0 - alpha - beta)
    values = np.empty(count)
    for t, shock in enumerate(random.standard_t(6, count) * np.sqrt(4.0 / 6.0)):
        values[t] = np.sqrt(v) * shock
        v = omega + alpha * values[t] ** 2 + beta * v
    return values


CASES = [(1, 300, 0.05, 0.9), (2, 400, 0.1, 0.8), (3, 300, 0.02, 0.97), (4, 250, 0.0, 0.0), (5, 300, 0.3, 0.3)]


@cache
def returns(case: int) -> np.ndarray:
    """One of the series that fits are tested on."""
    seed, count, alpha, beta = CASES[case]
    return simulated(seed, count, 1e-6, alpha, beta)


def test_the_exponential_weights_are_those_of_the_definition(build: str) -> None:
    """A variance is the sum of squares weighted by powers of the decay, and never knows its own return."""
    values = returns(0)
    found = series.ewma(values, 0.94, 1e-4)
    for t in (0, 1, 50, 299):
        weights = 0.06 * 0.94 ** np.arange(t)[::-1]
        assert np.isclose(found.variance[t], weights @ values[:t] ** 2 + 0.94**t * 1e-4, rtol=1e-13)
    altered = values.copy()
    altered[100:] *= 3.0
    assert np.array_equal(series.ewma(altered, 0.94, 1e-4).variance[:101], found.variance[:101])
    whole = 0.06 * 0.94 ** np.arange(300)[::-1] @ values**2 + 0.94**300 * 1e-4
    assert np.isclose(found.following[0], whole, rtol=1e-13)


def test_the_garch_filter_is_exact(build: str) -> None:
    """Variances and log likelihood agree with thirty digits."""
    values = returns(1)
    found = series.garch(values, 2e-6, 0.08, 0.9, 1e-4)
    with mpmath.workdps(30):
        omega, alpha, beta, v = (mpmath.mpf(each) for each in (2e-6, 0.08, 0.9, 1e-4))
        total = mpmath.mpf(0)
        for t, value in enumerate(values.tolist()):
            assert abs(found.variance[t] / v - 1) < 2e-15
            total -= (mpmath.log(2 * mpmath.pi * v) + mpmath.mpf(value) ** 2 / v) / 2
            v = omega + alpha * mpmath.mpf(value) ** 2 + beta * v
        assert abs(found.following[0] / v - 1) < 2e-15
        assert abs(found.log_likelihood[0] / total - 1) < 2e-15


def test_many_series_are_filtered_as_each_alone(build: str) -> None:
    """A series has the bits that it has alone, in whatever batch and number of threads."""
    rows = [returns(k) for k in range(5)]
    offsets = np.append(0, np.cumsum([row.size for row in rows]))
    decay = np.array([0.9, 0.94, 0.97, 0.99, 1.0])
    together = series.ewma(np.concatenate(rows), decay, 1e-4, offsets, threads=2)
    process = series.garch(np.concatenate(rows), 1e-6, 0.05, decay - 0.05, 1e-4, offsets, threads=3)
    for k, row in enumerate(rows):
        span = slice(offsets[k], offsets[k + 1])
        assert np.array_equal(together.variance[span], series.ewma(row, decay[k], 1e-4).variance)
        alone = series.garch(row, 1e-6, 0.05, decay[k] - 0.05, 1e-4)
        assert np.array_equal(process.variance[span], alone.variance)
        assert process.log_likelihood[k] == alone.log_likelihood[0]


@cache
def scipys_best(case: int) -> float:
    """The largest log likelihood that scipy finds from three starts in the same bounds."""
    values = returns(case)
    mean = float(np.mean(values * values))

    def loss(x: np.ndarray) -> float:
        p, s, u = x
        omega = mean * np.exp(u) * (1.0 - p)
        return -float(series.garch(values, omega, p * s, p * (1.0 - s), mean).log_likelihood[0])

    bounds = [(0.0, 0.9999), (0.0, 1.0), (-np.log(1e3), np.log(1e3))]
    starts = [(0.9, 0.1, 0.0), (0.5, 0.5, 0.0), (0.98, 0.05, 0.3)]
    with path.using("baseline"):
        return -min(minimize(loss, start, method="L-BFGS-B", bounds=bounds).fun for start in starts)


@pytest.mark.parametrize("case", [0, 3, 4])
def test_the_fit_is_as_high_as_scipys(case: int) -> None:
    """On every compiled build the fit's likelihood is at least what scipy's optimiser finds from three starts."""
    for name in path.paths():
        if name != path.NUMPY:
            with path.using(name):
                found = series.fit_garch(returns(case))
            assert found.log_likelihood[0] > scipys_best(case) - 1e-6


def test_the_twin_fits_the_same(build: str) -> None:
    """Every build ends at the same parameters and gives their likelihood; targeting keeps the mean square."""
    values = returns(1)[:200]
    with path.using("baseline"):
        expected = series.fit_garch(values, targeting=True)
    found = series.fit_garch(values, targeting=True)
    assert np.allclose([*found[:5]], [*expected[:5]], rtol=1e-5)
    assert np.isclose(found.long_run_variance[0], np.mean(values * values), rtol=1e-12)
    again = series.garch(values, found.omega, found.alpha, found.beta, found.initial)
    assert np.isclose(again.log_likelihood[0], found.log_likelihood[0], rtol=1e-13)


def test_the_fit_is_a_maximum_and_finds_the_process() -> None:
    """No neighbour is higher, and a long series gives back its parameters within four standard errors."""
    with path.using("baseline"):
        values = simulated(9, 20_000, 1e-6, 0.08, 0.9)
        found = series.fit_garch(values)
        top = found.log_likelihood[0]
        assert abs(found.alpha[0] - 0.08) < 0.03
        assert abs(found.beta[0] - 0.9) < 0.03
        for a, b, w in [(1e-4, 0, 1), (-1e-4, 0, 1), (0, 1e-4, 1), (0, -1e-4, 1), (0, 0, 1.001), (0, 0, 0.999)]:
            near = series.garch(values, found.omega * w, found.alpha + a, found.beta + b, found.initial)
            assert near.log_likelihood[0] < top


def test_hard_series_are_fitted() -> None:
    """Noise without memory, a break in level, an outlier and a lone shock have their fits, each within the bounds."""
    random = np.random.default_rng(11)
    rows = [random.normal(size=300) for _ in range(40)]
    rows.append(random.normal(size=300) * np.repeat([1.0, 10.0], 150))
    rows.append(np.append(random.normal(size=299), 100.0))
    rows.append(np.eye(1, 300, 3).reshape(-1))
    with path.using("baseline"):
        found = series.fit_garch(np.concatenate(rows), np.arange(len(rows) + 1) * 300)
    assert np.isfinite(found.log_likelihood).all()
    assert (found.alpha >= 0.0).all()
    assert (found.beta >= 0.0).all()
    assert (found.alpha + found.beta <= 0.9999 + 1e-12).all()


def test_scaling_returns_scales_the_fit() -> None:
    """Returns in percent have the same alpha and beta, and ten thousand times the omega."""
    for scale in (100.0, 1e-40):
        one, other = series.fit_garch(returns(1)), series.fit_garch(returns(1) * scale)
        assert np.allclose([other.alpha, other.beta], [one.alpha, one.beta], rtol=1e-6)
        assert np.isclose(other.omega[0], one.omega[0] * scale**2, rtol=1e-6, atol=0.0)


def test_a_series_without_variance_does_not_stop_the_others() -> None:
    """With a status the other series are fitted; without one the error says where the series begins."""
    values = np.concatenate([returns(0)[:60], np.zeros(60), returns(1)[:60]])
    offsets = np.array([0, 60, 120, 180])
    for name in ("baseline", path.NUMPY):
        with path.using(name):
            found = series.fit_garch(values, offsets, targeting=True, with_status=True)
            assert found.status is not None
            assert found.status.tolist() == [0, Reason.NO_SOLUTION, 0]
            assert np.isnan(found.alpha).tolist() == [False, True, False]
            with pytest.raises(ArgumentError, match=r"returns\[60\] is 0.0: the series that begins here has") as caught:
                series.fit_garch(values, offsets, targeting=True)
            assert caught.value.reason == Reason.NO_SOLUTION


def test_forecasts_tend_to_the_long_run(build: str) -> None:
    """The k-th forecast is the long-run variance plus what is left of the distance to it; without one it grows."""
    found = series.forecast_garch([2e-6, 1e-6], [0.08, 0.1], [0.9, 0.9], np.array([3e-4, 1e-4]), 400)
    k = np.arange(400)
    assert np.allclose(found[0], 1e-4 + 0.98**k * 2e-4, rtol=1e-12)
    assert np.allclose(found[1], 1e-4 + 1e-6 * k, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "says", "reason"),
    [
        (lambda: series.ewma([0.1, np.nan], 0.9, 1.0), "returns[1] is nan", Reason.NOT_FINITE),
        (lambda: series.ewma([0.1], 1.1, 1.0), "decay[0] is 1.1: it must be from 0 to 1", Reason.OUT_OF_RANGE),
        (lambda: series.ewma([0.1], 0.9, -1.0), "initial[0] is -1.0: it must be a variance", Reason.OUT_OF_RANGE),
        (lambda: series.garch([0.1], 0.0, 0.1, 0.8, 1.0), "omega[0] is 0.0", Reason.OUT_OF_RANGE),
        (lambda: series.garch([0.1], 1.0, 0.3, 0.8, 1.0), "beta[0] is 0.8: alpha + beta", Reason.INCONSISTENT),
        (lambda: series.garch([0.1], 1.0, 0.1, 0.8, 0.0), "initial[0] is 0.0", Reason.OUT_OF_RANGE),
        (lambda: series.fit_garch(np.ones(49)), "offsets[1] is 49: row 0 has 49 elements", Reason.TOO_FEW),
        (lambda: series.fit_garch(np.ones(50), targeting=2), "targeting[0] is 2: it must", Reason.NOT_A_CODE),
        (lambda: series.fit_garch(np.full(50, np.inf)), "returns[0] is inf", Reason.NOT_FINITE),
        (lambda: series.forecast_garch(1.0, 0.1, 0.8, 1.0, 0), "horizon is 0", Reason.OUT_OF_RANGE),
        (lambda: series.forecast_garch(1.0, 0.1, 0.8, -1.0, 3), "following[0] is -1.0", Reason.OUT_OF_RANGE),
    ],
)
def test_what_is_no_series_is_refused(build: str, call: object, says: str, reason: Reason) -> None:
    """The error names argument and index, and says what would be right."""
    with pytest.raises(ArgumentError, match=re.escape(says)) as caught:
        call()  # type: ignore[operator]
    assert caught.value.reason == reason


def test_a_fault_in_a_later_thread_has_its_own_index(build: str) -> None:
    """An index counts from the first element of all series, whichever thread met it."""
    values, offsets = np.zeros(12), [0, 3, 6, 9, 12]
    values[10] = np.nan
    with pytest.raises(ArgumentError, match=r"returns\[10\] is nan"):
        series.ewma(values, 0.9, 1.0, offsets, threads=4)
    with pytest.raises(ArgumentError, match=r"decay\[3\] is 2.0"):
        series.ewma(np.zeros(12), [0.9, 0.9, 0.9, 2.0], 1.0, offsets, threads=4)
    with pytest.raises(ShapeError, match=r"decay has shape \(2,\): one number, or one for each of the 4 series"):
        series.ewma(np.zeros(12), [0.9, 0.9], 1.0, offsets)
