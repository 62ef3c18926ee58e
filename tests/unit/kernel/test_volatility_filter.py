"""Volatility filtering against recursions written out and what scaling must leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, ShapeError, path, volatility_filter
from crossrate.kernel.volatility_filter import Garch, exponential

RETURNS = np.random.default_rng(1).standard_normal((3, 250)) * np.array([[0.01], [0.02], [0.005]])
MODEL = Garch(np.array([1e-6, 2e-6, 0.0]), np.array([0.05, 0.1, 0.06]), np.array([0.9, 0.8, 0.94]))


def test_variance_is_the_recursion(build: str) -> None:
    """Each day's variance is that of the definition, each series with its own parameters."""
    found = volatility_filter.variance(RETURNS, MODEL)
    for row in range(3):
        now = np.mean(RETURNS[row] ** 2)
        for day in range(250):
            assert found[row, day] == pytest.approx(now, rel=1e-13)
            a, b, c = MODEL.constant[row], MODEL.reaction[row], MODEL.persistence[row]
            now = a + b * RETURNS[row, day] ** 2 + c * now
        assert found[row, 250] == pytest.approx(now, rel=1e-13)


def test_exponential_weights_are_a_weighted_mean_of_squares(build: str) -> None:
    """With RiskMetrics' decay the forecast is the sum of squares weighted by powers of it."""
    found = volatility_filter.variance(RETURNS[0], exponential(0.94), first=1e-4)[-1]
    powers = 0.94 ** np.arange(249, -1, -1)
    assert found == pytest.approx(0.06 * np.sum(powers * RETURNS[0] ** 2) + 0.94**250 * 1e-4, rel=1e-12)


def test_constant_volatility_leaves_returns_alone(build: str) -> None:
    """A variance that never changes scales nothing, and paths are sums of the picked returns."""
    model = Garch(0.0, 0.0, 1.0)
    variance = volatility_filter.variance(RETURNS, model)
    assert volatility_filter.scale(RETURNS, variance) == pytest.approx(RETURNS, rel=1e-14)
    picks = np.random.default_rng(2).integers(0, 250, (40, 10))
    found = volatility_filter.simulate(RETURNS, variance, model, picks)
    assert found == pytest.approx(RETURNS[:, picks].sum(axis=2), rel=1e-12, abs=1e-15)


def test_scaled_returns_have_the_volatility_of_now(build: str) -> None:
    """Where volatility doubled for the last half of the sample, scaling doubles the calm half and leaves the other."""
    moves = np.tile([0.01, -0.01], 500)
    moves[500:] *= 2.0
    scaled = volatility_filter.scale(moves, volatility_filter.variance(moves, exponential(0.9), first=1e-4))
    assert np.abs(scaled[100:490]) == pytest.approx(0.02, rel=1e-6)
    assert np.abs(scaled[700:]) == pytest.approx(0.02, rel=1e-6)


def test_one_day_of_filtered_simulation_is_hull_and_white(build: str) -> None:
    """Over a horizon of one day both methods are the same."""
    variance = volatility_filter.variance(RETURNS, MODEL)
    paths = volatility_filter.simulate(RETURNS, variance, MODEL, np.arange(250)[:, None])
    assert paths == pytest.approx(volatility_filter.scale(RETURNS, variance), rel=1e-13)


def test_a_path_feeds_its_own_volatility(build: str) -> None:
    """Each step's variance follows from the step before it: two steps written out."""
    variance = volatility_filter.variance(RETURNS[1], exponential(0.9))
    now = variance[-1]
    first = RETURNS[1, 7] * np.sqrt(now / variance[7])
    then = 0.1 * first**2 + 0.9 * now
    second = RETURNS[1, 100] * np.sqrt(then / variance[100])
    found = volatility_filter.simulate(RETURNS[1], variance, exponential(0.9), np.array([[7, 100]]))
    assert found == pytest.approx([first + second], rel=1e-13)


def test_a_path_without_bounds_is_named(build: str) -> None:
    """Where a path's variance runs away the error tells from which day on."""
    moves = np.array([1e-6] * 50 + [5.0])
    variance = np.full(52, 1e-8)
    picks = np.zeros((3, 20), np.int64)
    picks[1, 4:] = 50
    with pytest.raises(ArgumentError, match=r"picks\[1, 11\] is 50: from this day on the path's variance grows"):
        volatility_filter.simulate(moves, variance, Garch(0.0, 0.5, 0.5), picks)


def test_builds_agree() -> None:
    """Every build gives what the numpy twins give, to 1e-12."""
    picks = np.random.default_rng(3).integers(0, 250, (100, 10))
    results = []
    for name in path.paths():
        with path.using(name):
            variance = volatility_filter.variance(RETURNS, MODEL)
            results.append(volatility_filter.simulate(RETURNS, variance, MODEL, picks))
    for each in results[:-1]:
        assert each == pytest.approx(results[-1], rel=1e-12, abs=1e-15)


def test_what_is_refused_is_named(build: str) -> None:
    """The error names the argument, where it is, and what it must be."""
    variance = volatility_filter.variance(RETURNS, MODEL)
    bad = RETURNS.copy()
    bad[1, 3] = np.inf
    with pytest.raises(ArgumentError, match=r"returns\[1, 3\] is inf: it must be a return"):
        volatility_filter.variance(bad, MODEL)
    with pytest.raises(ArgumentError, match=r"first\[0\] is 0.0: it must be a variance"):
        volatility_filter.variance(np.zeros(5), MODEL.__class__(0.0, 0.1, 0.9))
    with pytest.raises(ArgumentError, match=r"persistence\[0\] is 1.1: it must be from 0 to 1"):
        volatility_filter.variance(RETURNS, Garch(0.0, 0.1, 1.1))
    with pytest.raises(ArgumentError, match=r"picks\[1, 0\] is 250: it must be the index of a day from 0 to 249"):
        volatility_filter.simulate(RETURNS, variance, MODEL, np.array([[0], [250]]))
    with pytest.raises(ArgumentError, match=r"variances\[2, 250\] is 0.0: a variance must be positive"):
        volatility_filter.scale(RETURNS, np.where(np.arange(753).reshape(3, 251) == 752, 0.0, variance))
    with pytest.raises(ShapeError, match=r"variances has shape \(3, 250\); the returns ask for \(3, 251\)"):
        volatility_filter.scale(RETURNS, variance[:, 1:])
