"""Bootstrapping: the numpy twins of xr/bootstrap.h, all scenarios at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import INTERPOLATION, QUOTED_RATE, SPAN, TIME
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault
from crossrate.kernel.reference.curve import EXPONENT_MAX, KNOT_GAP, find, pieces

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

STEPS_MAX, ROUNDS_MAX = 60, 200
SLOPE_MAX = 50.0
STEP_DONE, ROUND_DONE = 1e-14, 5e-14


class Legs(NamedTuple):
    """The periods of all instruments, ragged by `offsets`."""

    offsets: Integers
    begin: Array
    end: Array
    payment: Array
    accrual: Array

    def of(self, instrument: int) -> Legs:
        """One instrument's periods."""
        rows = slice(self.offsets[instrument], self.offsets[instrument + 1])
        return Legs(self.offsets, *(each[rows] for each in self[1:]))


def fault_of(legs: Legs, place: int) -> int:
    """The fault of periods whose offsets stand at `place`, or 0."""
    late = np.where(legs.end - legs.begin >= KNOT_GAP, Reason.OK, Reason.NOT_ASCENDING)
    early = np.where(legs.payment >= legs.end, Reason.OK, Reason.NOT_ASCENDING)
    return first_fault(
        (place + 1, TIME.refused(legs.begin)),
        (place + 2, TIME.refused(legs.end)),
        (place + 3, TIME.refused(legs.payment)),
        (place + 4, SPAN.refused(legs.accrual)),
        (place + 2, late),
        (place + 3, early),
    )


def _exponent(start: Array, table: Array, time: Array) -> Array:
    """At each time (last axis) on each curve (first axis) of one set of pieces."""
    j = np.searchsorted(start[: table.shape[1]], time, "right") - 1
    u = time - start[j]
    c = table[:, j]
    return c[..., 0] + u * (c[..., 1] + u * (c[..., 2] + u * c[..., 3]))


def _value(legs: Legs, rate: Array, start: Array, table: Array, since: float) -> tuple[Array, Array]:
    """An instrument's worth on each curve, and its derivative by the slope of the piece that begins at `since`."""
    growth = np.exp(_exponent(start, table, legs.end) - _exponent(start, table, legs.begin))
    paid = np.exp(-_exponent(start, table, legs.payment))
    net = growth - 1.0 - rate[:, None] * legs.accrual
    span = np.maximum(legs.end - since, 0.0) - np.maximum(legs.begin - since, 0.0)
    slope = (growth * span - net * np.maximum(legs.payment - since, 0.0)) * paid
    return (net * paid).sum(axis=1), slope.sum(axis=1)


def _solve_one(legs: Legs, rate: Array, start: Array, table: Array, k: int) -> Array:
    """Newton on the flat forward rate of one span; the reasons."""
    since, span = start[k], start[k + 1] - start[k]
    table[:, k, 1] = table[:, k - 1, 1] if k else rate
    table[:, k, 2:] = 0.0
    reasons = np.zeros(rate.size, np.uint8)
    open_rows = np.arange(rate.size)
    for _ in range(STEPS_MAX):
        worth, derivative = _value(legs, rate[open_rows], start, table[open_rows, : k + 1], since)
        by = np.clip(worth / derivative, -1.0 / span, 1.0 / span)
        table[open_rows, k, 1] -= by
        bad = ~(np.abs(table[open_rows, k, 1]) <= SLOPE_MAX)
        reasons[open_rows[bad]] = Reason.NO_SOLUTION
        open_rows = open_rows[~bad & (np.abs(by) * span > STEP_DONE)]
        if not open_rows.size:
            break
    reasons[open_rows] = Reason.NO_SOLUTION
    table[:, k + 1, 0] = table[:, k, 0] + table[:, k, 1] * span
    reasons[(reasons == 0) & ~(np.abs(table[:, k + 1, 0]) <= EXPONENT_MAX)] = Reason.NO_SOLUTION
    return reasons


def _settle(legs: Legs, rate: Array, interpolation: int, start: Array, table: Array) -> int:
    """All instruments of one scenario, in rounds; the reason."""
    size = rate.size
    for _ in range(ROUNDS_MAX):
        table[:] = pieces(start, table[:, 0], interpolation)
        steps = np.empty(size)
        for k in range(size):
            worth, derivative = _value(legs.of(k), rate[k : k + 1], start, table[None], start[k])
            steps[k] = -worth[0] / derivative[0] * (start[k + 1] - start[k])
        if not np.isfinite(steps).all():
            return Reason.NOT_CONVERGED
        table[1:, 0] += steps
        if not (np.abs(table[:, 0]) <= EXPONENT_MAX).all():
            return Reason.NO_SOLUTION
        if np.abs(steps).max() <= ROUND_DONE:
            return Reason.OK
    return Reason.NOT_CONVERGED


def bootstrap(
    legs: Legs,
    rate: Array,
    interpolation: int,
    knot_time: Array,
    discount: Array,
    status: NDArray[np.uint8] | None,
) -> int:
    """Fills `knot_time` and `discount` (scenarios × instruments); the fault, or 0."""
    fault = fault_of(legs, 2) or first_fault((8, INTERPOLATION.refused(np.array([interpolation]))))
    if fault:
        return fault
    knot_time[:] = np.maximum.reduceat(legs.payment, legs.offsets[:-1])
    near = np.diff(knot_time, prepend=0.0) < KNOT_GAP
    fault = first_fault((2, np.where(near, Reason.NOT_ASCENDING, Reason.OK)))
    if fault:
        return fault
    scenarios, size = rate.shape
    start = np.append(0.0, knot_time)
    table = np.zeros((scenarios, size + 1, 4))
    reasons, where = np.zeros(scenarios, np.uint8), np.zeros(scenarios, np.int64)
    with np.errstate(all="ignore"):  # scenarios without a solution are found by their reasons
        for k in range(size):
            found = QUOTED_RATE.refused(rate[:, k])
            solved = _solve_one(legs.of(k), np.where(found > 0, 0.0, rate[:, k]), start, table, k)
            now = reasons == 0
            reasons[now] = np.where(found > 0, found, solved)[now]
            where[now] = k
        if interpolation and size > 1:
            for j in np.flatnonzero(reasons == 0):
                reasons[j], where[j] = _settle(legs, rate[j], interpolation, start, table[j]), 0
    bad = np.flatnonzero(reasons)
    if bad.size and status is None:
        return int(reasons[bad[0]]) << 56 | 7 << 48 | int(bad[0] * size + where[bad[0]])
    if status is not None:
        status[:] = reasons
    discount[:] = np.where(reasons[:, None] > 0, np.nan, np.exp(-table[:, 1:, 0]))
    return 0


def par_rate(curve_offsets: Integers, start: Array, table: Array, legs: Legs, output: Array) -> int:
    """Fills `output` (curves × instruments); the fault, or 0."""
    fault = fault_of(legs, 5)
    if fault:
        return fault
    for j, low in enumerate(curve_offsets[:-1]):
        first, count = low + j, curve_offsets[j + 1] - low + 1

        def exponent(time: Array, first: int = first, count: int = count) -> Array:
            rows = find(np.full(time.size, first), np.full(time.size, count), start, time)
            u, c = time - start[rows], table[rows].T
            return c[0] + u * (c[1] + u * (c[2] + u * c[3]))

        with np.errstate(all="ignore"):  # what is not finite is refused below
            paid = np.exp(-exponent(legs.payment))
            earned = np.expm1(exponent(legs.end) - exponent(legs.begin)) * paid
            sums = [np.add.reduceat(each, legs.offsets[:-1]) for each in (earned, legs.accrual * paid)]
            output[j] = sums[0] / sums[1]
        bad = np.flatnonzero(~np.isfinite(output[j]))
        if bad.size:
            return int(Reason.NO_SOLUTION) << 56 | 7 << 48 | int(legs.offsets[bad[0] + 1] - 1)
    return 0
