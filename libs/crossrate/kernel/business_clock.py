"""Time that runs at the speed of the market, and total variance along it.

A day of the week has the weight 1, a weekend or a holiday less, a day with a central bank's meeting more. Between two
expiries the variance per business time is flat, so that volatility steps over a weekend as the market has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import TOTAL_VARIANCE, Interval
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import MEANS, numbers, pointer
from crossrate.kernel.reference import business_clock as reference

Array = NDArray[np.float64]

WEIGHT = Interval(0.0, 1000.0, "it must be the weight of a day from 0 to 1000 (1 an ordinary day)")
YEAR = Interval(1e-6, 1e6, "it must be the weight of a year from 1e-6 to 1e6 (252 of ordinary days)")
KNOT_TIME = Interval(1e-9, 1e6, "it must be a business time in years from 1e-9 to 1e6")
CLOCK_TIME = Interval(0.0, 1e6, "it must be a business time from 0 to 1e6")


def day_weights(
    first: Any,
    days: int,
    *,
    weekend: float = 0.0,
    holidays: Any = (),
    holiday: float = 0.0,
    events: Mapping[Any, float] | None = None,
) -> Array:
    """Weights of consecutive days.

    Args:
        first: the day of valuation, anything that numpy takes as a date.
        days: how many days, 1 to 100,000.
        weekend: the weight of Saturdays and Sundays.
        holidays: dates of holidays.
        holiday: the weight of a holiday, on whatever day of the week.
        events: weights of single dates, in place of all the above.

    Returns:
        float64 (days,), for `business_time`.

    Raises:
        ArgumentError: days, or a weight, is not what it may be.
    """
    if not isinstance(days, int) or not 1 <= days <= 100_000:
        raise ArgumentError("days", None, Reason.OUT_OF_RANGE, days, "it must be from 1 to 100000")
    start = np.datetime64(first, "D")
    dates = start + np.arange(days)
    weekday = (dates.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    weights = np.where(weekday >= 5, weekend, 1.0)
    weights[np.isin(dates, np.asarray(list(holidays), "datetime64[D]"))] = holiday
    for date, weight in (events or {}).items():
        weights[dates == np.datetime64(date, "D")] = weight
    _require("weights", WEIGHT, weights)
    return weights


def business_time(weights: Any, day: Any, *, year: float) -> Array:
    """Business time of moments: the sum of the weights of the days until then over the weight of a year.

    Within (days + 4) × 2**-53 of itself.

    Args:
        weights: (days,), from the valuation on, each from 0 to 1000; see `day_weights`.
        day: days since valuation, in parts too, 0 to the number of weights; any shape.
        year: the sum of weights that makes one year of business time, 252 for instance; 1e-6 to 1e6.

    Returns:
        float64, day's shape, in business years.

    Raises:
        ArgumentError: an element was refused; names it.
        ShapeError: weights is not a row of one or more.
        TypeError: an argument is not numeric or has another dtype.
    """
    weight, moments = _row("weights", weights), numbers("day", day)
    _require("weights", WEIGHT, weight)
    _require("year", YEAR, numbers("year", year))
    says = f"it must be from 0 to {len(weight)}, the number of weights"
    _require("day", Interval(0.0, float(len(weight)), says), moments)
    flat = np.ascontiguousarray(moments.reshape(-1))
    if path.is_numpy():
        return reference.time(weight, year, flat).reshape(moments.shape)
    found, running = np.empty(flat.size), np.empty(len(weight) + 1)
    arrays = (pointer(flat), pointer(running), pointer(found))
    _expect(path.lib.xr_business_clock_time(len(weight), pointer(weight), year, flat.size, *arrays))
    return found.reshape(moments.shape)


def total_variance(knot_time: Any, knot_variance: Any, time: Any) -> Array:
    """Total variance at business times, by a flat forward variance between knots.

    Linear from zero at time zero through the knots (expiries), and beyond the last with the slope before it. The
    volatility for an expiry of t calendar years is sqrt(total variance / t).

    Within 1e-15 of itself.

    Args:
        knot_time: (knots,), business time in years, ascending from 1e-9 or later.
        knot_variance: (knots,), total variance, not descending.
        time: business time, 0 to 1e6; any shape.

    Returns:
        float64, time's shape.

    Raises:
        ArgumentError: an element was refused, knot_time does not ascend, or knot_variance descends, which is a calendar
            arbitrage; names it.
        ShapeError: the knots are not two rows of one length.
        TypeError: an argument is not numeric or has another dtype.
    """
    t, w, at = _row("knot_time", knot_time), _row("knot_variance", knot_variance), numbers("time", time)
    if t.shape != w.shape:
        raise ShapeError(f"knot_variance has shape {w.shape}, knot_time has {t.shape}: they need one length")
    _require("knot_time", KNOT_TIME, t)
    _require("knot_variance", TOTAL_VARIANCE, w)
    _ascending("knot_time", t, ~(np.diff(t) > 0.0))
    _ascending("knot_variance", w, ~(np.diff(w) >= 0.0))
    _require("time", CLOCK_TIME, at)
    flat = np.ascontiguousarray(at.reshape(-1))
    if path.is_numpy():
        return reference.variance(t, w, flat).reshape(at.shape)
    found = np.empty(flat.size)
    arrays = (pointer(flat), pointer(found))
    _expect(path.lib.xr_business_clock_variance(len(t), pointer(t), pointer(w), flat.size, *arrays))
    return found.reshape(at.shape)


def _row(name: str, value: Any) -> Array:
    row = numbers(name, value)
    if row.ndim != 1 or row.size == 0:
        raise ShapeError(f"{name} has shape {row.shape}: one dimension with an element or more is needed")
    return row


def _require(name: str, rule: Interval, values: Array) -> None:
    refused = rule.refused(values)
    if refused.any():
        where = tuple(int(each) for each in np.argwhere(refused)[0]) if values.ndim else ()
        at = where if len(where) > 1 else where[0] if where else None
        raise ArgumentError(name, at, Reason(int(refused[where])), float(values[where]), rule.says)


def _ascending(name: str, values: Array, falls: NDArray[np.bool_]) -> None:
    if falls.any():
        at = int(np.argmax(falls)) + 1
        raise ArgumentError(name, at, Reason.NOT_ASCENDING, float(values[at]), MEANS[Reason.NOT_ASCENDING])


def _expect(fault: int) -> None:
    if fault:
        raise RuntimeError(f"the kernel refused what its binding allowed: fault {fault:#x}")
