"""Simulated paths of exchange rates and prices.

A path is a function of (seed, stream, its number): threads, windows and order change no bit. With `antithetic`, paths
2p and 2p + 1 share the normals of path p with opposite signs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.correlation import factor as correlation_factor
from crossrate.kernel.domain import LEVEL, RATE, TIME, VOLATILITY, Interval
from crossrate.kernel.draws import BLOCK, columns, extent, source
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import in_threads, numbers, pointer
from crossrate.kernel.reference import paths as reference

Array = NDArray[np.float64]
ASSETS_MAX = 256
REACH = 500.0
"""The logarithm of a simulated level over spot may not be able to go further within nine standard deviations."""


def gbm(
    spot: Any,
    drift: Any,
    volatility: Any,
    times: Any,
    paths: int,
    *,
    seed: int,
    correlation: Any = None,
    antithetic: bool = False,
    terminal: bool = False,
    stream: int = 0,
    first_path: int = 0,
    threads: int = 1,
) -> Array:
    """Geometric Brownian motions, exact at the times asked for: no discretisation error.

    d log S = (drift - volatility**2 / 2) dt + volatility dW, with drift and volatility constant between two times.

    Args:
        spot: today's level: a number, or shape (assets,) for several (at most 256).
        drift: continuously compounded carry, for a rate domestic less foreign: one number, one for each asset, or of
            shape (steps, assets) one for each interval; for a single asset also (steps,).
        volatility: per square root of a year; shapes as of drift.
        times: years from today, ascending, above 0; shape (steps,).
        paths: how many.
        seed: 0 to 2**64 - 1.
        correlation: of the assets' increments, shape (assets, assets); semi-definite is fine. None: independent.
        antithetic: paths come in pairs of opposite normals.
        terminal: only the levels at the last time.
        stream: 0 to 2**32 - 1.
        first_path: the number of the first path.
        threads: how many threads share the work; they change no bit.

    Returns:
        float64, shape (steps, assets, paths); without the first axis if `terminal`, without the second if spot is a
        number. Within 1e-13 of the exact exponential of its normals, relative to the level.

    Raises:
        ArgumentError: an element was refused; names argument and index. NOT_PSD for the correlation.
        ShapeError: shapes do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    level = _spots(spot)
    widths = intervals(times)
    steps, assets = len(widths), level.size
    key, lane = source(seed, stream)
    mean, deviation = increments(drift, volatility, widths, assets)
    scale = np.eye(assets) if correlation is None else correlation_factor(correlation)
    if scale.shape != (assets, assets):
        raise ShapeError(f"correlation has shape {scale.shape}, spot has {level.shape}")
    count, _, first, _ = extent(paths, steps * assets, first_path)
    table = np.empty((1 if terminal else steps, assets, count))
    spots, factors = np.ascontiguousarray(level.reshape(-1)), deviation[:, :, None] * scale

    def compiled(start: int, stop: int) -> int:
        scratch = np.empty((3 * assets + 2) * BLOCK)
        sizes = (stop - start, steps, assets, pointer(spots), pointer(mean), pointer(factors), terminal, antithetic)
        run = path.lib.xr_paths_gbm
        return int(run(*sizes, key, lane, first + start, count, pointer(scratch), columns(table, start)))

    def numpy(start: int, stop: int) -> int:
        where = (bool(terminal), bool(antithetic), key, lane, first + start)
        table[:, :, start:stop] = reference.gbm(stop - start, spots, mean, factors, *where)
        return 0

    in_threads(numpy if path.is_numpy() else compiled, count, threads, quantum=16 * BLOCK)
    table = table[-1] if terminal else table
    return table if level.ndim else table[..., 0, :]


def _spots(spot: Any) -> Array:
    level = checked("spot", spot, LEVEL)
    if level.ndim > 1 or level.size > ASSETS_MAX or not level.size:
        raise ShapeError(f"spot has shape {level.shape}: a number or 1 to {ASSETS_MAX} of them are needed")
    return level


def checked(name: str, value: Any, rule: Interval) -> Array:
    """An argument as float64 whose elements all are what they may be.

    Raises:
        ArgumentError: names the first element that is not.
        TypeError: it is not numeric or has another dtype.
    """
    array = numbers(name, value)
    reasons = np.atleast_1d(rule.refused(array))
    if reasons.any():
        at = tuple(int(each) for each in np.argwhere(reasons)[0])
        index = None if array.ndim == 0 else at[0] if array.ndim == 1 else at
        reason = Reason(int(reasons[at]))
        raise ArgumentError(name, index, reason, np.atleast_1d(array)[at].item(), rule.says)
    return array


def intervals(times: Any) -> Array:
    """The widths of the intervals that end at the times.

    Raises:
        ArgumentError: a time is out of range or does not ascend; the first must be above zero.
        ShapeError: there is none, or more than one dimension.
    """
    array = checked("times", times, TIME)
    if array.ndim != 1 or not array.size:
        raise ShapeError(f"times has shape {array.shape}: at least one time, in one dimension, is needed")
    widths = np.diff(array, prepend=0.0)
    if np.any(widths <= 0.0):
        at = int(np.argmax(widths <= 0.0))
        raise ArgumentError("times", at, Reason.NOT_ASCENDING, array[at].item(), "times must ascend, from above 0")
    return widths


def increments(drift: Any, volatility: Any, widths: Array, assets: int) -> tuple[Array, Array]:
    """Mean and standard deviation of the logarithms' increments, shape (steps, assets).

    Raises:
        ArgumentError: an element is out of range, or a level could go beyond what a double holds.
        ShapeError: a shape is none of (), (assets,), (steps, assets) and, for one asset, (steps,).
    """
    carry = _for_each("drift", checked("drift", drift, RATE), len(widths), assets)
    deviation = _for_each("volatility", checked("volatility", volatility, VOLATILITY), len(widths), assets)
    mean = (carry - 0.5 * deviation**2) * widths[:, None]
    deviation = deviation * np.sqrt(widths)[:, None]
    require_reach("volatility", np.abs(mean) + 9.0 * deviation, np.asarray(volatility))
    return np.ascontiguousarray(mean), np.ascontiguousarray(deviation)


def require_reach(name: str, steps: Array, volatility: Array) -> None:
    """Refuses what could take the logarithm of a level further than a double's exponential goes.

    Raises:
        ArgumentError: the sum over the steps of what each can add is above 500.
    """
    if np.any(np.sum(steps, axis=0) > REACH):
        says = "with this drift and these times the logarithm of the level could go beyond 500: shorten or lower"
        raise ArgumentError(name, None, Reason.INCONSISTENT, float(np.max(volatility)), says)


def single(name: str, value: Any, rule: Interval) -> float:
    """A single number that is what it may be.

    Raises:
        ArgumentError: it is not.
        ShapeError: it is an array of some length.
        TypeError: it is not numeric.
    """
    array = checked(name, value, rule)
    if array.ndim:
        raise ShapeError(f"{name} has shape {array.shape}: a single number is needed")
    return float(array)


def for_each_interval(name: str, value: Array, steps: int) -> Array:
    """A number for each interval.

    Raises:
        ShapeError: it is neither a single one nor one for each.
    """
    if value.shape not in ((), (steps,)):
        raise ShapeError(f"{name} has shape {value.shape}: a number or one for each of the {steps} times is needed")
    return np.ascontiguousarray(np.broadcast_to(value, steps))


def _for_each(name: str, value: Array, steps: int, assets: int) -> Array:
    if assets == 1 and value.shape == (steps,):
        return value.reshape(steps, 1)
    if value.shape not in ((), (assets,), (steps, assets)):
        shapes = f"(), ({assets},) or ({steps}, {assets})"
        raise ShapeError(f"{name} has shape {value.shape}: {shapes} is needed for {assets} assets and {steps} times")
    return np.broadcast_to(value, (steps, assets))
