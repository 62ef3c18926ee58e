"""Paths under a local volatility."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, Reason, ShapeError, local_volatility, path, paths, vanilla

POINTS = np.linspace(-1.0, 1.0, 17)
SKEW = np.outer([1.0, 1.3, 0.9], 0.15 - 0.05 * POINTS + 0.1 * POINTS**2)
ROWS = np.array([0.25, 1.0, 2.0])
TIMES = np.arange(1, 21) / 20
FINE = {
    "spot": 1.1,
    "drift": 0.02,
    "grid_times": ROWS,
    "grid_moneyness": POINTS,
    "grid_volatility": SKEW,
    "times": TIMES,
    "count": 5,
    "seed": 8,
}


def test_a_flat_surface_is_a_geometric_brownian_motion(build: str) -> None:
    """With one volatility the paths are those of `gbm` with the same seed."""
    flat = local_volatility.paths(**{**FINE, "grid_volatility": np.full((3, 17), 0.12), "count": 300})
    assert np.all(np.abs(flat / paths.gbm(1.1, 0.02, 0.12, TIMES, 300, seed=8) - 1) <= 1e-13)


def test_a_displaced_diffusion_has_its_price(build: str) -> None:
    """A local volatility of s (F + d) / F gives Black's price on F + d (Rubinstein 1983): within four errors."""
    spot, shift, count = 1.1, 0.6, 20_000
    grid = 0.1 * (1.0 + shift / spot * np.exp(-POINTS))
    times = np.arange(1, 101) / 100
    final = local_volatility.paths(
        spot, 0.0, [1.0], POINTS, grid[None], times, count, seed=3, antithetic=True, terminal=True
    )
    for strike in (0.95, 1.1, 1.25):
        payoff = np.maximum(final - strike, 0.0).reshape(-1, 2).mean(axis=1)
        exact = float(vanilla.price(1, spot + shift, strike + shift, 1.0, 0.1, 0.0, 0.0))
        assert abs(payoff.mean() - exact) <= 4 * payoff.std() / np.sqrt(count / 2)


def test_volatility_is_bilinear_and_flat_beyond(build: str) -> None:
    """One step moves a path by the volatility at the middle of the step, from today's level at the forward."""
    table = {"grid_times": [1.0, 3.0], "grid_moneyness": [-0.5, 0.5], "grid_volatility": [[0.1, 0.3], [0.2, 0.6]]}
    for last, expected in ((1.0, 0.2), (4.0, 0.3), (3.0, 0.25), (12.0, 0.4)):
        moved = local_volatility.paths(**{**FINE, **table, "drift": 0.0, "times": [last], "count": 50})
        same = paths.gbm(1.1, 0.0, expected, [last], 50, seed=8)
        assert np.all(np.abs(moved / same - 1) <= 2e-14)


@pytest.mark.parametrize("antithetic", [False, True])
def test_a_path_depends_on_its_number_alone(build: str, antithetic: bool) -> None:
    """Any window and any number of threads give the same bits, and the last row is the terminal one."""
    fine = {**FINE, "count": 9000, "antithetic": antithetic}
    whole = local_volatility.paths(**fine)
    assert np.array_equal(whole, local_volatility.paths(**fine, threads=3))
    assert np.array_equal(whole[-1], local_volatility.paths(**fine, terminal=True))
    for first, count in ((0, 1), (511, 3), (255, 258), (8999, 1)):
        window = local_volatility.paths(**{**fine, "count": count}, first_path=first)
        assert np.array_equal(window, whole[:, first : first + count])


def test_builds_agree() -> None:
    """One rounding class gives one result; the numpy twin is within 1e-12; the mean is the forward."""
    found = {}
    for name in path.paths():
        with path.using(name):
            found[name] = local_volatility.paths(**{**FINE, "count": 8000})
    for each in found.values():
        assert np.all(np.abs(each / found["numpy"] - 1) <= 1e-12)
        error = each.std(axis=1) / np.sqrt(8000)
        assert np.all(np.abs(each.mean(axis=1) - 1.1 * np.exp(0.02 * TIMES)) <= 4.5 * error)
    if "avx512" in found:
        assert np.array_equal(found["avx2"], found["avx512"])


@pytest.mark.parametrize(
    ("change", "says", "reason"),
    [
        ({"grid_moneyness": np.zeros(17)}, r"grid_moneyness\[1\] is 0.0", Reason.NOT_ASCENDING),
        ({"grid_times": [0.0, 2.0, 1.0]}, r"grid_times\[2\] is 1.0", Reason.NOT_ASCENDING),
        ({"grid_volatility": -SKEW}, r"grid_volatility\[0, 0\] is -", Reason.OUT_OF_RANGE),
        ({"grid_volatility": SKEW * np.nan}, r"grid_volatility\[0, 0\] is nan", Reason.NOT_FINITE),
        ({"grid_volatility": np.full((3, 17), 50.0)}, "grid_volatility is 50.0: .* beyond 500", Reason.INCONSISTENT),
        ({"times": [1.0, 1.0]}, r"times\[1\] is 1.0", Reason.NOT_ASCENDING),
    ],
)
def test_bad_input_is_named(build: str, change: dict, says: str, reason: Reason) -> None:
    """The error names the argument, the first offending index and the reason."""
    with pytest.raises(ArgumentError, match=says) as caught:
        local_volatility.paths(**{**FINE, **change})
    assert caught.value.reason == reason


def test_a_grid_has_its_shape(build: str) -> None:
    """A grid that does not go with its axes is refused by name."""
    with pytest.raises(ShapeError, match=r"grid_volatility has shape \(17, 3\)"):
        local_volatility.paths(**{**FINE, "grid_volatility": SKEW.T})
