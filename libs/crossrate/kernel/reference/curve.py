"""Discount curves: the numpy twins of xr/curve.h, where every method has its source."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import INTERPOLATION, LEVEL, SPAN, TIME
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

KNOT_GAP = 1e-6
EXPONENT_MAX = 138.1551


def _end_slope(near: float, far: float, secant_near: float, secant_far: float) -> float:
    """PCHIM's three-point slope at an end, limited so that the shape is kept (Fritsch and Carlson 1980)."""
    slope = ((2.0 * near + far) * secant_near - near * secant_far) / (near + far)
    if slope * secant_near <= 0.0:
        return 0.0
    if secant_near * secant_far <= 0.0 and abs(slope) > 3.0 * abs(secant_near):
        return 3.0 * secant_near
    return slope


def _monotone(spans: Array, secants: Array) -> Array:
    """Fritsch and Butland (1984), equation 3: the weighted harmonic mean of both secants."""
    w0, w1 = 2.0 * spans[1:] + spans[:-1], spans[1:] + 2.0 * spans[:-1]
    same = secants[1:] * secants[:-1] > 0.0
    m0, m1 = np.where(same, secants[:-1], 1.0), np.where(same, secants[1:], 1.0)
    inner = np.where(same, (w0 + w1) / (w0 / m0 + w1 / m1), 0.0)
    first = _end_slope(spans[0], spans[1], secants[0], secants[1])
    last = _end_slope(spans[-1], spans[-2], secants[-1], secants[-2])
    return np.array([first, *inner, last])


def _spline(spans: Array, secants: Array) -> Array:
    """The natural spline's slopes, limited by Hyman (1983), equation 2.6."""
    size = spans.size + 1
    matrix, right = np.zeros((size, size)), np.zeros(size)
    matrix[0, :2], right[0] = (2.0, 1.0), 3.0 * secants[0]
    matrix[-1, -2:], right[-1] = (1.0, 2.0), 3.0 * secants[-1]
    for i in range(1, size - 1):
        before, after = spans[i - 1], spans[i]
        matrix[i, i - 1 : i + 2] = after, 2.0 * (before + after), before
        right[i] = 3.0 * (after * secants[i - 1] + before * secants[i])
    slopes = np.linalg.solve(matrix, right)
    m0, m1 = np.concatenate([secants[:1], secants]), np.concatenate([secants, secants[-1:]])
    most = 3.0 * np.minimum(np.abs(m0), np.abs(m1))
    return np.where((m0 * m1 > 0.0) & (slopes * m0 > 0.0), np.copysign(np.minimum(np.abs(slopes), most), m0), 0.0)


def pieces(start: Array, exponent: Array, interpolation: int) -> Array:
    """The coefficients of all pieces, shape (knots + 1, 4), from minus the log discount factor where each begins."""
    spans = np.diff(start)
    secants = np.diff(exponent) / spans
    table = np.zeros((start.size, 4))
    table[:, 0] = exponent
    if interpolation == 0 or spans.size == 1:
        table[:, 1] = np.append(secants, secants[-1])
        return table
    slopes = _monotone(spans, secants) if interpolation == 1 else _spline(spans, secants)
    table[:, 1] = slopes
    table[:-1, 2] = (3.0 * secants - 2.0 * slopes[:-1] - slopes[1:]) / spans
    table[:-1, 3] = (slopes[:-1] + slopes[1:] - 2.0 * secants) / (spans * spans)
    return table


def prepare(
    offsets: Integers, knot_time: Array, discount: Array, interpolation: NDArray[np.int8], start: Array, table: Array
) -> int:
    """Fills `start` and `table` (four coefficients a piece); the fault, or 0."""
    gaps = np.diff(knot_time, prepend=-np.inf)
    gaps[offsets[:-1]] = np.inf
    near = np.where(gaps < KNOT_GAP, Reason.NOT_ASCENDING, Reason.OK).astype(np.uint8)
    fault = first_fault(
        (2, SPAN.refused(knot_time)),
        (2, near),
        (3, LEVEL.refused(discount)),
        (4, INTERPOLATION.refused(interpolation)),
    )
    if fault:
        return fault
    for k, (low, high) in enumerate(pairwise(offsets)):
        rows = slice(low + k, high + k + 1)
        start[rows] = [0.0, *knot_time[low:high]]
        table[rows] = pieces(start[rows], np.append(0.0, -np.log(discount[low:high])), int(interpolation[k]))
    return 0


def find(first: Integers, count: Integers, start: Array, time: Array) -> Integers:
    """The last piece that begins at or before each time, by bisection in all rows at once."""
    low, high = first.copy(), first + count
    while np.any(high - low > 1):
        middle = (low + high) // 2
        left = start[middle] <= time
        low, high = np.where(left & (high - low > 1), middle, low), np.where(left, high, np.maximum(middle, low + 1))
    return low


def _read(curve: Integers, time: Array, offsets: Integers, start: Array, table: Array) -> tuple[Array, Array, Array]:
    first = offsets[curve] + curve
    j = find(first, offsets[curve + 1] - offsets[curve] + 1, start, time)
    c0, c1, c2, c3 = table[j].T
    u = time - start[j]
    mean = c1 + u * (c2 + u * c3)
    exponent = c0 + u * mean
    zero = np.where(j == first, mean, exponent / np.where(j == first, 1.0, time))
    return exponent, zero, c1 + u * (2.0 * c2 + 3.0 * u * c3)


def _settle(reasons: Array, places: Array, status: NDArray[np.uint8] | None) -> int:
    if status is not None:
        status[:] = reasons
        return 0
    bad = np.flatnonzero(reasons)
    return int(reasons[bad[0]]) << 56 | int(places[bad[0]]) << 48 | int(bad[0]) if bad.size else 0


def read(
    curve: Integers,
    time: Array,
    offsets: Integers,
    start: Array,
    table: Array,
    outputs: tuple[Array | None, Array | None, Array | None],
    status: NDArray[np.uint8] | None,
) -> int:
    """Discount factor, zero rate and instantaneous forward rate of each element; the fault, or 0."""
    unknown = (curve < 0) | (curve >= offsets.size - 1)
    of_time = TIME.refused(time)
    reasons = np.where(unknown, np.uint8(Reason.NOT_A_CODE), of_time)
    places = np.where(unknown, 1, 2)
    clean = reasons == 0
    results = [np.full(time.shape, np.nan) for _ in range(3)]
    values = _read(curve[clean], time[clean], offsets, start, table)
    far = ~(np.abs(values[0]) <= EXPONENT_MAX)
    reasons[clean] = np.where(far, np.uint8(Reason.NO_SOLUTION), 0)
    for each, value in zip(results, values, strict=True):
        each[clean] = np.where(far, np.nan, value)
    fault = _settle(reasons, places, status)
    if fault:
        return fault
    for output, result in zip(outputs, (np.exp(-results[0]), results[1], results[2]), strict=True):
        if output is not None:
            output[:] = result
    return 0


def forward_rate(
    curve: Integers,
    begin: Array,
    end: Array,
    accrual: Array,
    offsets: Integers,
    start: Array,
    table: Array,
    outputs: tuple[Array | None, Array | None],
    status: NDArray[np.uint8] | None,
) -> int:
    """Continuously compounded and simple forward rates of each element; the fault, or 0."""
    unknown = np.where((curve < 0) | (curve >= offsets.size - 1), Reason.NOT_A_CODE, Reason.OK)
    early = np.where(end - begin >= KNOT_GAP, Reason.OK, Reason.NOT_ASCENDING)
    reasons, places = np.zeros(begin.shape, np.uint8), np.zeros(begin.shape, np.uint8)
    checks = (1, unknown), (2, TIME.refused(begin)), (3, TIME.refused(end)), (3, early), (4, SPAN.refused(accrual))
    for place, found in checks:
        now = (reasons == 0) & (found > 0)
        reasons[now], places[now] = found[now], place
    clean = reasons == 0
    near = _read(curve[clean], begin[clean], offsets, start, table)[0]
    far = _read(curve[clean], end[clean], offsets, start, table)[0]
    outside = ~((np.abs(near) <= EXPONENT_MAX) & (np.abs(far) <= EXPONENT_MAX))
    reasons[clean], places[clean] = np.where(outside, Reason.NO_SOLUTION, Reason.OK), 3
    growth = np.full(begin.shape, np.nan)
    growth[clean] = np.where(outside, np.nan, far - near)
    fault = _settle(reasons, places, status)
    if fault:
        return fault
    with np.errstate(all="ignore"):  # refused elements may divide by zero; they are NaN already
        for output, result in zip(outputs, (growth / (end - begin), np.expm1(growth) / accrual), strict=True):
            if output is not None:
                output[:] = result
    return 0
