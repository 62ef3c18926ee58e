"""Derivatives from values at points: exact for polynomials, inside of limits, without the points that are left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from services.pricing.domain.derivative import AXES, MIXED, Grid, Line


@pytest.mark.parametrize("limits", [(-math.inf, math.inf), (-0.001, math.inf), (-math.inf, 0.0), (-0.013, 0.02)])
@pytest.mark.parametrize("count", [3, 5, 7])
def test_derivatives_of_polynomials_are_exact(limits: tuple[float, float], count: int) -> None:
    """Of a degree below the number of points, wherever the limits push them; no point lies beyond a limit."""
    line = Line.within(count, 0.01, *limits)
    assert limits[0] <= line.offsets.min()
    assert line.offsets.max() <= limits[1]
    assert np.ptp(np.diff(line.offsets)) < 1e-15
    values = np.polynomial.polynomial.polyval(line.offsets, np.arange(1.0, count + 1))
    assert line.weights(1) @ values == pytest.approx(2.0, rel=1e-9)
    assert line.weights(2) @ values == pytest.approx(6.0, rel=1e-6)


def test_a_corridor_that_is_too_narrow_shrinks_the_steps() -> None:
    """All points are inside of it, the outermost on its walls."""
    line = Line.within(7, 0.01, -0.002, 0.004)
    assert line.offsets[[0, -1]] == pytest.approx([-0.002, 0.004])
    assert len(line.offsets) == 7


def test_points_that_are_left_out_count_for_nothing() -> None:
    """With the rest the derivative of a line is exact; with too few of them all count."""
    line = Line.within(5, 0.1)
    grid = Grid(dict.fromkeys(AXES, line), {axis: Line.within(3, 0.1) for axis in ("spot", *MIXED)})
    at = grid.moves[0]
    values = np.where(at > 0.05, 100.0, 3.0 * at)
    assert grid.along("spot", 1, values, at > 0.05) == pytest.approx(3.0)
    assert grid.along("spot", 1, values, at != 0.0) == pytest.approx(grid.along("spot", 1, values))


def test_a_grid_takes_each_derivative_from_its_own_points() -> None:
    """Of a function of all axes whose derivatives are known."""
    lines = {axis: Line.within(5, 0.01) for axis in AXES}
    lines["spot"] = Line.within(7, 0.01, -0.005, math.inf)
    short = {axis: Line.within(5, 0.01) for axis in ("spot", *MIXED)}
    short["spot"] = Line.within(5, 0.01, -0.005, math.inf)
    grid = Grid(lines, short)
    factors = np.array([1.0, -2.0, 0.5, 0.25, 3.0])
    values = np.exp(factors @ grid.moves)
    assert values[0] == 1.0
    for axis, factor in zip(AXES, factors.tolist(), strict=True):
        assert grid.along(axis, 1, values) == pytest.approx(factor, rel=1e-7)
        assert grid.along(axis, 2, values) == pytest.approx(factor**2, rel=1e-5)
    assert grid.mixed("volatility", values) == pytest.approx(-2.0, rel=1e-7)
    assert grid.mixed("passing", values) == pytest.approx(3.0, rel=1e-7)
