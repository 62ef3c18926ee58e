"""Simulated geometric Brownian motions."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, Reason, ShapeError, path, paths, random

TIMES = np.array([0.1, 0.35, 0.5, 1.25])
SPOT = np.array([1.1, 150.0, 0.8])
DRIFT = np.array([0.02, -0.01, 0.0])
VOLATILITY = np.array([[0.1, 0.12, 0.2], [0.11, 0.1, 0.2], [0.1, 0.3, 0.0], [0.05, 0.1, 0.25]])
MATRIX = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]])


def three(count: int, **more: object) -> np.ndarray:
    """Paths of three correlated rates."""
    return paths.gbm(SPOT, DRIFT, VOLATILITY, TIMES, count, correlation=MATRIX, seed=99, **more)


@pytest.mark.parametrize("antithetic", [False, True])
def test_a_path_depends_on_its_number_alone(build: str, antithetic: bool) -> None:
    """Any window and any number of threads give the same bits, and the last level is the path's."""
    whole = three(9000, antithetic=antithetic)
    assert whole.shape == (4, 3, 9000)
    assert np.array_equal(whole, three(9000, antithetic=antithetic, threads=3))
    assert np.array_equal(whole[-1], three(9000, antithetic=antithetic, terminal=True, threads=2))
    for first, count in ((0, 1), (511, 3), (255, 258), (8999, 1), (1, 4)):
        window = three(count, antithetic=antithetic, first_path=first)
        assert np.array_equal(window, whole[:, :, first : first + count])


def test_builds_agree() -> None:
    """One rounding class gives one result; the numpy twin is within 1e-13."""
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = three(700, antithetic=True, first_path=123)
    assert all(np.all(np.abs(each / found["numpy"] - 1) <= 1e-13) for each in found.values())
    if "avx512" in found:
        assert np.array_equal(found["avx2"], found["avx512"])


def test_a_path_is_the_exact_exponential_of_its_normals(build: str) -> None:
    """A single rate is S exp(sum of (drift - volatility^2 / 2) dt + volatility sqrt(dt) z), with the path's normals."""
    z = random.normals(300, 4, seed=5, stream=2)
    widths = np.diff(TIMES, prepend=0.0)[:, None]
    expected = 1.1 * np.exp(np.cumsum((0.02 - 0.5 * 0.15**2) * widths + 0.15 * np.sqrt(widths) * z, axis=0))
    found = paths.gbm(1.1, 0.02, 0.15, TIMES, 300, seed=5, stream=2)
    assert np.all(np.abs(found / expected - 1) <= 1e-14)


def test_antithetic_paths_mirror_each_other(build: str) -> None:
    """The logarithms of paths 2p and 2p + 1 average to the drift, and path 2p is path p without mirrors."""
    both = np.log(three(1000, antithetic=True))
    centre = 0.5 * (both[..., ::2] + both[..., 1::2])
    assert np.max(np.abs(centre - centre[..., :1])) <= 1e-14
    assert np.array_equal(three(1000, antithetic=True)[..., ::2], three(500))


def test_martingale_and_correlation(build: str) -> None:
    """Means are forwards, variances and correlations of log increments are as asked, within five standard errors."""
    count = 40_000
    found = three(count)
    forward = SPOT * np.exp(DRIFT * TIMES[:, None])
    error = found.std(axis=2) / np.sqrt(count)
    assert np.all(np.abs(found.mean(axis=2) - forward) <= 5 * error)
    increments = np.diff(np.log(found / SPOT[None, :, None]), axis=0, prepend=0.0)
    for step, width in enumerate(np.diff(TIMES, prepend=0.0)):
        deviation = VOLATILITY[step] * np.sqrt(width)
        expected = MATRIX * np.outer(deviation, deviation)
        assert np.all(np.abs(np.cov(increments[step]) - expected) <= 5 * 1.5 * np.outer(deviation, deviation) / 200)


def test_a_semi_definite_correlation_moves_twins_alike(build: str) -> None:
    """Rates with correlation 1 and the same volatility have one return."""
    found = paths.gbm([1.0, 2.0], 0.0, 0.1, [0.5, 1.0], 100, seed=1, correlation=np.ones((2, 2)))
    assert np.max(np.abs(found[:, 1] / found[:, 0] - 2)) <= 1e-14


@pytest.mark.parametrize(
    ("change", "says", "reason"),
    [
        ({"spot": [1.0, -1.0]}, r"spot\[1\] is -1.0", Reason.OUT_OF_RANGE),
        ({"volatility": np.nan}, "volatility is nan", Reason.NOT_FINITE),
        ({"drift": [0.0, 5.5]}, r"drift\[1\] is 5.5", Reason.OUT_OF_RANGE),
        ({"times": [0.5, 0.5]}, r"times\[1\] is 0.5", Reason.NOT_ASCENDING),
        ({"times": [0.0, 0.5]}, r"times\[0\] is 0.0", Reason.NOT_ASCENDING),
        ({"volatility": 60.0}, "volatility is 60.0: .* beyond 500", Reason.INCONSISTENT),
        ({"correlation": [[1.0, 2.0], [2.0, 1.0]]}, r"correlation\[0, 1\]", Reason.OUT_OF_RANGE),
        ({"paths": -1}, "paths is -1", Reason.OUT_OF_RANGE),
    ],
)
def test_bad_input_is_named(build: str, change: dict, says: str, reason: Reason) -> None:
    """The error names the argument, the first offending index and the reason."""
    fine = {"spot": [1.0, 2.0], "drift": 0.0, "volatility": 0.1, "times": [0.5, 1.0], "paths": 3, "seed": 1}
    with pytest.raises(ArgumentError, match=says) as caught:
        paths.gbm(**{**fine, **change})
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["drift", "volatility", "correlation", "times", "spot"])
def test_shapes_that_do_not_go_together_are_refused(build: str, name: str) -> None:
    """The error names the argument and its shape."""
    fine = {"spot": [1.0, 2.0], "drift": 0.0, "volatility": 0.1, "times": [0.5, 1.0], "paths": 3, "seed": 1}
    wrong = {"correlation": np.eye(3), "times": np.ones((2, 2)), "spot": np.ones((2, 2))}.get(name, np.full(5, 0.1))
    with pytest.raises(ShapeError, match=f"{name} has shape"):
        paths.gbm(**{**fine, name: wrong})
