"""Discount curves from market quotes: deposits, forward rate agreements and overnight index swaps.

Times are years from the date at which the discount factor is 1 (the trade date, where overnight deposits begin), and
year fractions for accruals come from the caller, who knows calendars and day counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.curve import Curves, Interpolation
from crossrate.kernel.domain import INTERPOLATION, QUOTED_RATE, SPAN, TIME, Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import in_threads, numbers
from crossrate.kernel.ragged import call, explain, same_length, vector
from crossrate.kernel.reference import bootstrap as reference

Array = NDArray[np.float64]

_SAYS = {
    Reason.NO_SOLUTION: "no forward rate from -50 to 50 gives this quote after the ones before it",
    Reason.NOT_CONVERGED: "the curve did not settle within 200 rounds: use LOG_LINEAR, or fewer knots",
}


@dataclass(frozen=True, eq=False)
class Instrument:
    """Exchanges a fixed rate for what money earns over the same periods; all in years from the curve's date.

    Worth Σ ((D(begin) / D(end) − 1) − rate × accrual) × D(payment) to the payer of the fixed rate, for one unit. An
    overnight index swap is that exactly: overnight rates compounded over a period earn D(begin) / D(end) − 1.

    Attributes:
        begin, end: of each period.
        payment: of each period, not before its end.
        accrual: the fixed rate's year fraction of each period.
    """

    begin: Array
    end: Array
    payment: Array
    accrual: Array


def deposit(start: float, end: float, accrual: float) -> Instrument:
    """A deposit, or a forward rate agreement: quoted as a simple rate over `accrual`, paid at `end`."""
    return _instrument([start], [end], [end], [accrual])


def overnight_index_swap(start: float, ends: Any, accruals: Any, payments: Any = None) -> Instrument:
    """A fixed leg against compounded overnight rates with the same coupon dates.

    Args:
        start: when the first period begins.
        ends: when each coupon's period ends, ascending; annual or quarterly coupons as the market has them.
        accruals: the fixed leg's year fraction of each period.
        payments: when coupons of both legs are paid; None is at each period's end.
    """
    last = vector("ends", ends)
    begin = np.append(start, last[:-1])
    return _instrument(begin, last, last if payments is None else payments, accruals)


def _instrument(begin: Any, end: Any, payment: Any, accrual: Any) -> Instrument:
    fields = {"begin": begin, "end": end, "payment": payment, "accrual": accrual}
    columns = {name: vector(name, value) for name, value in fields.items()}
    if not same_length(**columns):
        raise ShapeError("ends is empty: an instrument has at least one period")
    legs = reference.Legs(np.array([0, columns["end"].size], np.int64), *columns.values())
    fault = reference.fault_of(legs, 1)
    if fault:
        raise explain(fault, _arguments(legs), _period_says(fault, 3))
    return Instrument(**columns)


def bootstrap(
    instruments: Sequence[Instrument],
    rates: Any,
    interpolation: Interpolation = Interpolation.LOG_LINEAR,
    *,
    threads: int = 1,
) -> Curves:
    """Curves on which every instrument is worth nothing at its quoted rate.

    Args:
        instruments: their latest times ascend by at least 1e-6 years; each is a knot of the curve.
        rates: quotes (0.05 is five percent): one for each instrument, or scenarios × instruments for many curves.
        interpolation: as `Curves` has it.
        threads: how many threads share the scenarios.

    Returns:
        One curve for each row of rates; discount factors at knots solve the quotes within 1e-13 of themselves.

    Raises:
        ArgumentError: a rate was refused, or there is no curve for it; names scenario and instrument. Or instruments do
            not ascend.
        ShapeError: the number of rates is not that of instruments.
        TypeError: rates are not numeric or have another dtype.
    """
    if not len(instruments):
        raise ShapeError("instruments is empty: a curve needs at least one")
    given = numbers("rates", rates)
    table = np.ascontiguousarray(np.atleast_2d(given))
    size = len(instruments)
    if table.ndim != 2 or table.shape[1] != size:
        raise ShapeError(f"rates has shape {given.shape}: one for each of the {size} instruments is needed in a row")
    legs = _joined(instruments)
    scenarios = table.shape[0]
    discounts = np.empty((scenarios, size))
    times = np.empty(size)

    def work(low: int, high: int) -> int:
        mine, out = table[low:high], discounts[low:high]
        if path.is_numpy():
            found = reference.bootstrap(legs, mine, int(interpolation), times, out, None)
        else:
            knots, scratch = np.empty(size), np.empty(6 * size + 5)  # each thread's own
            arrays = (size, *legs, mine, int(interpolation), knots, out, scratch, None)
            found = call("xr_bootstrap", high - low, arrays)
            times[:] = knots
        return found + low * size if found and unpack(found)[1] == 7 else found

    fault = in_threads(work, scenarios, threads, quantum=16)
    if fault:
        raise _error(fault, legs, table, given.ndim, int(interpolation))
    offsets = np.arange(scenarios + 1) * size
    return Curves(np.tile(times, scenarios), discounts.reshape(-1), offsets, interpolation)


def par_rates(curves: Curves, instruments: Sequence[Instrument]) -> Array:
    """The rate at which each instrument is worth nothing on each curve.

    Within 1e-15 over the sum of an instrument's accruals.

    Returns:
        float64, curves × instruments.

    Raises:
        ArgumentError: a curve's discount factors leave what numbers can hold at an instrument's times.
        ShapeError: there is no instrument.
    """
    if not len(instruments):
        raise ShapeError("instruments is empty: there is no rate to give")
    legs = _joined(instruments)
    output = np.empty((len(curves), len(instruments)))
    start, table = curves.pieces
    if path.is_numpy():
        fault = reference.par_rate(curves.offsets, start, table, legs, output)
    else:
        fault = call(
            "xr_bootstrap_par_rate", len(curves), (curves.offsets, start, table, len(instruments), *legs, output)
        )
    if fault:
        says = {Reason.NO_SOLUTION: "discount factors there are no numbers: end the curve with a later knot"}
        before = dict.fromkeys(("curve_offsets", "start", "coefficient", "count"), (curves.offsets, None))
        raise explain(fault, {**before, **_arguments(legs)}, says)
    return output


def _joined(instruments: Sequence[Instrument]) -> reference.Legs:
    sizes = [each.end.size for each in instruments]
    columns = (
        np.concatenate([getattr(each, name) for each in instruments]) for name in ("begin", "end", "payment", "accrual")
    )
    return reference.Legs(np.append(0, np.cumsum(sizes)).astype(np.int64), *columns)


def _arguments(legs: reference.Legs) -> dict[str, tuple[NDArray[Any], Rule | None]]:
    rules = (None, TIME, TIME, TIME, SPAN)
    names = ("instruments", "begin", "end", "payment", "accrual")
    return dict(zip(names, zip(legs, rules, strict=True), strict=True))


def _period_says(fault: int, end: int) -> dict[Reason, str]:
    late = "it must be later than the period's begin by at least 1e-6 years"
    return {Reason.NOT_ASCENDING: late if unpack(fault)[1] == end else "it must not be before the period's end"}


def _error(fault: int, legs: reference.Legs, table: Array, dimensions: int, interpolation: int) -> ArgumentError:
    reason, place, index = unpack(fault)
    if place == 2 and reason == Reason.NOT_ASCENDING:
        latest = np.maximum.reduceat(legs.payment, legs.offsets[:-1])
        says = "its latest time must be later by at least 1e-6 years than that of the instrument before"
        return ArgumentError("instruments", index, reason, float(latest[index]), says)
    if place == 8:
        return ArgumentError("interpolation", None, reason, interpolation, INTERPOLATION.says)
    shape = table.shape if dimensions > 1 else (table.shape[1],)
    if place < 7:
        return explain(fault, {"count": (table, None), **_arguments(legs)}, _period_says(fault, 4))
    every = {"count": (table, None), **_arguments(legs), "rates": (table, QUOTED_RATE)}
    return explain(fault, every, _SAYS, shape)
