"""The maximum-likelihood fit of GARCH(1,1): the numpy twin of garch_fit.c, which has its derivation and sources."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, Codes
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault

Array = NDArray[np.float64]

STEPS_MAX, TRIALS_MAX, STEP_DONE = 1000, 40, 1e-12
LOW, HIGH = np.array([0.0, 0.0, -math.log(1e3)]), np.array([0.9999, 1.0, math.log(1e3)])
SCOUT_STEPS, SCOUT_DONE = 10, 1e-4
PERSISTENCE, SHARE, HEIGHT = (0.1, 0.5, 0.8, 0.93, 0.98, 0.997), (0.02, 0.08, 0.25, 0.8), (0.0, -1.0, 1.0)


def _likelihood(squares: Array, x: Array) -> Array:
    """For rows of (p, s, u): the log likelihood's part that is about variances, squares in units of their mean."""
    p, s, u = x.T
    alpha, beta, omega = p * s, p * (1.0 - s), np.exp(u) * (1.0 - p)
    variances = np.empty((squares.size, p.size))
    v = np.ones(p.size)
    for t, square in enumerate(squares):
        variances[t] = v
        v = omega + alpha * square + beta * v
    result: Array = -0.5 * (np.log(variances) + squares[:, None] / variances).sum(axis=0)
    return result


def _slope(squares: Array, x: Array) -> tuple[float, Array, Array]:
    """Log likelihood, gradient and the negative expected Hessian."""
    p, s, u = x
    scale = math.exp(u)
    alpha, beta, omega = p * s, p * (1.0 - s), scale * (1.0 - p)
    variances, slopes = np.empty(squares.size), np.empty((squares.size, 3))
    v, d = 1.0, np.zeros(3)
    for t, square in enumerate(squares):
        variances[t], slopes[t] = v, d
        own = np.array([-scale + s * square + (1.0 - s) * v, p * (square - v), omega])
        d = own + beta * d
        v = omega + alpha * square + beta * v
    relative = slopes / variances[:, None]
    value = -0.5 * float((np.log(variances) + squares / variances).sum())
    return value, 0.5 * relative.T @ (squares / variances - 1.0), 0.5 * relative.T @ relative


def _solve(matrix: Array, gradient: Array, is_free: NDArray[np.bool_], damping: float) -> Array:
    """The damped scoring step over the free parameters that the likelihood depends on."""
    lower, y, step = np.zeros((3, 3)), gradient.copy(), np.zeros(3)
    for i in range(3):
        for j in range(i):
            linked = matrix[i, j] if is_free[i] and is_free[j] else 0.0
            lower[i, j] = (linked - lower[i, :j] @ lower[j, :j]) / lower[j, j] if lower[j, j] > 0.0 else 0.0
        pivot = matrix[i, i] * (1.0 + damping) - lower[i, :i] @ lower[i, :i]
        y[i] -= lower[i, :i] @ y[:i]
        lower[i, i] = math.sqrt(pivot) if is_free[i] and pivot > 1e-14 * matrix[i, i] else 0.0
        y[i] = y[i] / lower[i, i] if lower[i, i] > 0.0 else 0.0
    for i in (2, 1, 0):
        step[i] = (y[i] - lower[i + 1 :, i] @ step[i + 1 :]) / lower[i, i] if lower[i, i] > 0.0 else 0.0
    return step


def _observe(squares: Array, x: Array, is_free: NDArray[np.bool_], gradient: Array, expected: Array) -> Array:
    """The free parameters' negative Hessian by differences; the expected one where that is not positive definite."""
    rows = np.zeros((3, 3))
    for i in np.flatnonzero(is_free):
        to = x.copy()
        to[i] += 1e-6 if x[i] + 1e-6 <= HIGH[i] else -1e-6
        rows[i] = (gradient - _slope(squares, to)[1]) / (to[i] - x[i])
    free = np.flatnonzero(is_free)
    block = (0.5 * (rows + rows.T))[np.ix_(free, free)]
    lower, pivots = np.eye(free.size), np.zeros(free.size)
    for i in range(free.size):
        for j in range(i):
            lower[i, j] = (block[i, j] - (lower[i, :j] * lower[j, :j]) @ pivots[:j]) / pivots[j]
        pivots[i] = block[i, i] - lower[i, :i] ** 2 @ pivots[:i]
        if not pivots[i] > 1e-6 * expected[free[i], free[i]]:
            return expected
    observed = expected.copy()
    observed[np.ix_(free, free)] = block
    return observed


def _climb(squares: Array, targeting: bool, steps_max: int, is_scout: bool, x: Array) -> tuple[int, Array, float]:
    """The steps taken (-1 if they were not enough), the parameters, and their log likelihood."""
    damping, value = 0.0, -math.inf
    for count in range(steps_max + 1):
        value, gradient, matrix = _slope(squares, x)
        outwards = ((x <= LOW) & (gradient <= 0.0)) | ((x >= HIGH) & (gradient >= 0.0))
        is_free = ~outwards & np.array([True, True, not targeting])
        if not is_scout:
            matrix = _observe(squares, x, is_free, gradient, matrix)
        step = _solve(matrix, gradient, is_free, 0.0)
        length = float(step[is_free] @ gradient[is_free])
        if length <= (SCOUT_DONE if is_scout else STEP_DONE):
            return count, x, value
        for _ in range(TRIALS_MAX):
            if damping > 0.0:
                step = _solve(matrix, gradient, is_free, damping)
            to = np.clip(x + step, LOW, HIGH)
            if np.array_equal(to, x):
                return count, x, value
            if _likelihood(squares, to[None])[0] > value:
                x, damping = to, damping / 10.0 if damping > 1e-3 else 0.0
                break
            damping = damping * 10.0 if damping > 0.0 else 1e-2
        else:
            return (count if length <= 1e-6 else -1), x, value
    return -1, x, value


def _start(squares: Array, targeting: bool) -> Array:
    """Where the climb begins: the highest scout of those that begin at the best of each persistence."""
    highest, begin = -math.inf, np.zeros(3)
    heights = HEIGHT[:1] if targeting else HEIGHT
    grid = np.array([[(p, s, u) for s in SHARE for u in heights] for p in PERSISTENCE])
    found = _likelihood(squares, grid.reshape(-1, 3)).reshape(grid.shape[:2])
    for row, values in zip(grid, found, strict=True):
        _, scout, reached = _climb(squares, targeting, SCOUT_STEPS, True, row[int(np.argmax(values))])
        if reached > highest:
            highest, begin = reached, scout
    return begin


def fit(
    offsets: NDArray[np.int64],
    returns: Array,
    targeting: NDArray[np.int8],
    results: tuple[Array, Array, Array, Array, Array],
    steps: NDArray[np.int64],
    status: NDArray[np.uint8] | None,
) -> int:
    """Fills omega, alpha, beta, initial and log likelihood of each series; the fault, or 0."""
    fault = first_fault((2, AMOUNT.refused(returns)), (3, Codes(2, "").refused(targeting)))
    if fault:
        return fault
    for k in range(offsets.size - 1):
        squares = returns[offsets[k] : offsets[k + 1]] ** 2
        mean = float(squares.mean())
        reason, found = Reason.OK, (math.nan,) * 5
        steps[k] = 0
        if not mean >= 1e-100:
            reason = Reason.NO_SOLUTION
        else:
            squares = squares / mean
            aim = bool(targeting[k])
            count, x, value = _climb(squares, aim, STEPS_MAX, False, _start(squares, aim))
            if count < 0:
                reason = Reason.NOT_CONVERGED
            else:
                steps[k] = count
                omega = mean * math.exp(x[2]) * (1.0 - x[0])
                whole = value - 0.5 * squares.size * (math.log(2.0 * math.pi) + math.log(mean))
                found = (omega, x[0] * x[1], x[0] * (1.0 - x[1]), mean, whole)
        if reason and status is None:
            return int(reason) << 56 | 2 << 48 | int(offsets[k])
        if status is not None:
            status[k] = reason
        for each, value in zip(results, found, strict=True):
            each[k] = value
    return 0
