"""Volatility of series: the numpy twins of xr/series.h, filters and forecasts for all series at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, POSITIVE_VARIANCE, UNIT, VARIANCE
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def _recur(
    offsets: Integers, squares: Array, constant: Array, shock: Array, kept: Array, v: Array, variance: Array
) -> Array:
    """v[t + 1] = constant + shock * squares[t] + kept * v[t] in all series, the longest first; the last of each."""
    sizes = np.diff(offsets)
    order = np.argsort(-sizes, kind="stable")
    starts, sizes = offsets[:-1][order], sizes[order]
    v, constant, shock, kept = (each[order].copy() for each in (v, constant, shock, kept))
    for t in range(int(sizes[0]) if sizes.size else 0):
        live = int(np.searchsorted(-sizes, -t))  # series with more than t returns stand first
        rows = starts[:live] + t
        variance[rows] = v[:live]
        v[:live] = constant[:live] + shock[:live] * squares[rows] + kept[:live] * v[:live]
    last = np.empty_like(v)
    last[order] = v
    return last


def ewma(offsets: Integers, returns: Array, decay: Array, initial: Array, variance: Array, following: Array) -> int:
    """Fills each return's variance and that of the return after the last; the fault, or 0."""
    fault = first_fault((2, AMOUNT.refused(returns)), (3, UNIT.refused(decay)), (4, VARIANCE.refused(initial)))
    if fault:
        return fault
    following[:] = _recur(offsets, returns * returns, 0.0 * decay, 1.0 - decay, decay, initial, variance)
    return 0


def _parameters_fault(omega: Array, alpha: Array, beta: Array, place: int) -> int:
    above = np.where(alpha + beta > 1.0 + 1e-12, Reason.INCONSISTENT, Reason.OK)
    return first_fault(
        (place, POSITIVE_VARIANCE.refused(omega)),
        (place + 1, UNIT.refused(alpha)),
        (place + 2, UNIT.refused(beta)),
        (place + 2, above),
    )


def garch(
    offsets: Integers,
    returns: Array,
    omega: Array,
    alpha: Array,
    beta: Array,
    initial: Array,
    variance: Array,
    following: Array,
    log_likelihood: Array,
) -> int:
    """Fills variances, the one after the last, and log likelihoods; the fault, or 0."""
    fault = (
        first_fault((2, AMOUNT.refused(returns)))
        or _parameters_fault(omega, alpha, beta, 3)
        or first_fault((6, POSITIVE_VARIANCE.refused(initial)))
    )
    if fault:
        return fault
    squares = returns * returns
    following[:] = _recur(offsets, squares, omega, alpha, beta, initial, variance)
    terms = np.log(2.0 * np.pi) + np.log(variance) + squares / variance
    for k, (low, high) in enumerate(pairwise(offsets)):
        log_likelihood[k] = -0.5 * terms[low:high].sum()
    return 0


def forecast(omega: Array, alpha: Array, beta: Array, following: Array, horizon: int, variance: Array) -> int:
    """Fills the expected variances of the coming returns (series × horizon); the fault, or 0."""
    fault = _parameters_fault(omega, alpha, beta, 1) or first_fault((4, POSITIVE_VARIANCE.refused(following)))
    if fault:
        return fault
    if not 1 <= horizon <= 100_000:
        return int(Reason.OUT_OF_RANGE) << 56 | 5 << 48
    v = following.copy()
    for step in range(horizon):
        variance[:, step] = v
        v = omega + (alpha + beta) * v
    return 0
