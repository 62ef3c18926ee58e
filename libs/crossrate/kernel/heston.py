"""Paths of the model of Heston (1993), in which the variance reverts to a mean and moves with the level."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import CORRELATION, LEVEL, RATE, Interval
from crossrate.kernel.draws import BLOCK, columns, extent, source
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import in_threads, pointer
from crossrate.kernel.paths import checked, for_each_interval, intervals, single
from crossrate.kernel.reference import heston as reference

Array = NDArray[np.float64]
VARIANCE = Interval(0.0, 100.0, "it must be a variance per year from 0 to 100 (0.01 is a volatility of ten percent)")
REVERSION = Interval(1e-6, 100.0, "it must be a speed per year from 1e-6 to 100")
MEAN = Interval(1e-8, 100.0, "it must be a variance per year from 1e-8 to 100")
VOL_OF_VARIANCE = Interval(1e-4, 100.0, "it must be a volatility of the variance from 1e-4 to 100")
STEPS_MAX = 2**30


def paths(
    spot: float,
    drift: Any,
    variance: float,
    reversion: float,
    mean: float,
    vol_of_variance: float,
    correlation: float,
    times: Any,
    count: int,
    *,
    seed: int,
    antithetic: bool = False,
    terminal: bool = False,
    stream: int = 0,
    first_path: int = 0,
    threads: int = 1,
) -> tuple[Array, Array]:
    """Levels and variances by Andersen's (2008) quadratic-exponential scheme with its martingale correction.

    d log S = (drift - v / 2) dt + sqrt(v) dW, dv = reversion (mean - v) dt + vol_of_variance sqrt(v) dB. The mean of
    the levels is the forward whatever the steps; their distribution has an error of the order of the steps' width: a
    quarter of a year and less is usual.

    Levels and variances are within 1e-13 of the scheme in exact arithmetic, a variance below 1e-4 within 1e-17; checked
    over three steps.

    Args:
        spot: today's level.
        drift: continuously compounded carry: a number, or one for each interval.
        variance: today's, per year.
        reversion: speed per year at which the variance returns to its mean.
        mean: long-run variance.
        vol_of_variance: per square root of a year.
        correlation: of dW and dB.
        times: years from today, ascending, above 0; shape (steps,).
        count: how many paths.
        seed: 0 to 2**64 - 1.
        antithetic: paths 2p and 2p + 1 have opposite normals, and uniforms u and 1 - u.
        terminal: only the last time.
        stream: 0 to 2**32 - 1.
        first_path: the number of the first path.
        threads: how many threads share the work; they change no bit.

    Returns:
        Levels and variances, float64, each of shape (steps, paths), or (paths,) if `terminal`. Levels are kept within
        exp(-500) and exp(500) times spot.

    Raises:
        ArgumentError: an argument was refused; INCONSISTENT for times too far apart for a positive correlation.
        ShapeError: times and drift do not go together, or a single number is none.
        TypeError: an argument is not numeric or has another dtype.
    """
    rules = (VARIANCE, REVERSION, MEAN, VOL_OF_VARIANCE, CORRELATION)
    names = ("variance", "reversion", "mean", "vol_of_variance", "correlation")
    given = (variance, reversion, mean, vol_of_variance, correlation)
    model = tuple(single(*each) for each in zip(names, given, rules, strict=True))
    start, widths = single("spot", spot, LEVEL), intervals(times)
    carry = for_each_interval("drift", checked("drift", drift, RATE), len(widths)) * widths
    key, lane = source(seed, stream)
    size, steps, first, _ = extent(count, len(widths), first_path)
    _require_finite_correction(widths, times, model[1], *model[3:])
    return _table((start, widths, carry, model), (terminal, antithetic, key, lane), (size, steps, first), threads)


def _table(
    market: tuple[float, Array, Array, tuple[float, ...]],
    run: tuple[bool, bool, int, int],
    window: tuple[int, int, int],
    threads: int,
) -> tuple[Array, Array]:
    start, widths, carry, model = market
    size, steps, first = window
    terminal, antithetic = bool(run[0]), bool(run[1])
    values, variances = (np.empty((1 if terminal else steps, size)) for _ in range(2))

    def compiled(begin: int, end: int) -> int:
        of = (start, pointer(widths), pointer(carry), *model, terminal, antithetic, *run[2:], first + begin, size)
        tables = columns(values, begin), columns(variances, begin)
        return int(path.lib.xr_paths_heston(end - begin, steps, *of, *tables))

    def numpy(begin: int, end: int) -> int:
        found = reference.paths(end - begin, start, widths, carry, model, terminal, antithetic, *run[2:], first + begin)
        values[:, begin:end], variances[:, begin:end] = found
        return 0

    in_threads(numpy if path.is_numpy() else compiled, size, threads, quantum=16 * BLOCK)
    return (values[-1], variances[-1]) if terminal else (values, variances)


def _require_finite_correction(widths: Array, times: Any, reversion: float, vol: float, rho: float) -> None:
    """Refuses the first step for which exp(A v) may have no expectation; see xr/heston.h."""
    if len(widths) > STEPS_MAX:
        raise ShapeError(f"times has {len(widths)} elements: at most 2**30")
    a = rho / vol * (1.0 + 0.5 * reversion * widths) - 0.25 * widths * rho * rho
    bound = a * vol * vol * -np.expm1(-reversion * widths) / reversion
    if np.any(bound >= 1.0):
        at = int(np.argmax(bound >= 1.0))
        says = "this step is too wide for the positive correlation and vol_of_variance: add times before it"
        raise ArgumentError("times", at, Reason.INCONSISTENT, float(np.asarray(times)[at]), says)
