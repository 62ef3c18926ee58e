"""Paths under a local volatility (Dupire 1994): a function of time and level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import LEVEL, RATE, TIME, VOLATILITY, Interval
from crossrate.kernel.draws import BLOCK, columns, extent, source
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import in_threads, pointer
from crossrate.kernel.paths import checked, for_each_interval, intervals, require_reach, single
from crossrate.kernel.reference import local_volatility as reference

Array = NDArray[np.float64]
MONEYNESS = Interval(-500.0, 500.0, "it must be log(level / forward), from -500 to 500")
POINTS_MAX = 1024


def paths(
    spot: float,
    drift: Any,
    grid_times: Any,
    grid_moneyness: Any,
    grid_volatility: Any,
    times: Any,
    count: int,
    *,
    seed: int,
    antithetic: bool = False,
    terminal: bool = False,
    stream: int = 0,
    first_path: int = 0,
    threads: int = 1,
) -> Array:
    """Levels by the log-Euler scheme; the volatility is bilinear on a grid and flat beyond it.

    A step takes the volatility at its middle in time and at the level of its beginning; the mean of the levels is the
    forward whatever the steps.

    Levels are within 1e-13 of the scheme in exact arithmetic, checked over three steps.

    Args:
        spot: today's level.
        drift: continuously compounded carry: a number, or one for each interval.
        grid_times: years, strictly ascending, shape (rows,).
        grid_moneyness: log(level / forward), strictly ascending, shape (points,), at most 1,024.
        grid_volatility: per square root of a year, shape (rows, points).
        times: years from today, ascending, above 0; shape (steps,).
        count: how many paths.
        seed: 0 to 2**64 - 1.
        antithetic: paths 2p and 2p + 1 have opposite normals.
        terminal: only the last time.
        stream: 0 to 2**32 - 1.
        first_path: the number of the first path.
        threads: how many threads share the work; they change no bit.

    Returns:
        float64, shape (steps, paths), or (paths,) if `terminal`.

    Raises:
        ArgumentError: an argument was refused; names its index.
        ShapeError: the grid's arrays, or times and drift, do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    start, widths = single("spot", spot, LEVEL), intervals(times)
    carry = for_each_interval("drift", checked("drift", drift, RATE), len(widths)) * widths
    points, rows = _rows(grid_times, grid_moneyness, grid_volatility, np.cumsum(widths) - 0.5 * widths)
    top = rows.max(axis=1)
    spread = 0.5 * widths * top**2 + 9.0 * top * np.sqrt(widths)
    require_reach("grid_volatility", np.abs(carry) + spread, top)
    key, lane = source(seed, stream)
    size, steps, first, _ = extent(count, len(widths), first_path)
    terminal, antithetic = bool(terminal), bool(antithetic)
    values = np.empty((1 if terminal else steps, size))

    def compiled(begin: int, end: int) -> int:
        grid = (pointer(widths), pointer(carry), len(points), pointer(points), pointer(rows))
        run = (terminal, antithetic, key, lane, first + begin, size, columns(values, begin))
        return int(path.lib.xr_paths_local_volatility(end - begin, steps, start, *grid, *run))

    def numpy(begin: int, end: int) -> int:
        market = (start, widths, carry, points, rows)
        found = reference.paths(end - begin, *market, terminal, antithetic, key, lane, first + begin)
        values[:, begin:end] = found
        return 0

    in_threads(numpy if path.is_numpy() else compiled, size, threads, quantum=16 * BLOCK)
    return values[-1] if terminal else values


def _rows(grid_times: Any, grid_moneyness: Any, grid_volatility: Any, middles: Array) -> tuple[Array, Array]:
    """The points of moneyness, and the grid's volatility at the middle of each step."""
    when = _axis("grid_times", checked("grid_times", grid_times, TIME))
    points = _axis("grid_moneyness", checked("grid_moneyness", grid_moneyness, MONEYNESS))
    grid = checked("grid_volatility", grid_volatility, VOLATILITY)
    if grid.shape != (len(when), len(points)):
        shape = f"({len(when)}, {len(points)})"
        raise ShapeError(f"grid_volatility has shape {grid.shape}: {shape} is needed, of grid_times and grid_moneyness")
    rows = np.stack([np.interp(middles, when, grid[:, each]) for each in range(len(points))], axis=1)
    return points, np.ascontiguousarray(rows)


def _axis(name: str, array: Array) -> Array:
    if array.ndim != 1 or not 1 <= array.size <= POINTS_MAX:
        raise ShapeError(f"{name} has shape {array.shape}: one dimension of 1 to {POINTS_MAX} is needed")
    if np.any(np.diff(array) <= 0.0):
        at = int(np.argmax(np.diff(array) <= 0.0)) + 1
        raise ArgumentError(name, at, Reason.NOT_ASCENDING, array[at].item(), "it must ascend strictly")
    return array
