"""Bars of quotes: the numpy twins of xr/ohlc.h. A fault is a number as of C."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason

Integers = NDArray[np.int64]
Array = NDArray[np.float64]

TIME_MAX = (1 << 63) - 1 - (1 << 60)
STEP_MAX = 1 << 59
BLOCK = 1 << 16
"""Elements that are worked on at a time: half a MiB a column, which stays in the second cache."""
QUOTES_A_BAR = 8
"""From so many on, looking for each bar's edge among the times is faster than dividing each time."""


def _fault(reason: Reason, argument: int, index: int = 0) -> int:
    return reason << 56 | argument << 48 | index


def starts(time: Integers, anchor: int, step: int) -> tuple[Integers, Integers] | int:
    """The places of the first quotes of bars, and when those begin."""
    for place, value, low, high in ((2, anchor, -TIME_MAX, TIME_MAX), (3, step, 1, STEP_MAX)):
        if not low <= value <= high:
            return _fault(Reason.OUT_OF_RANGE, place)
    if not len(time):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wrong = np.flatnonzero(time[1:] < time[:-1])
    if len(wrong):
        return _fault(Reason.NOT_ASCENDING, 1, int(wrong[0]) + 1)
    outside = np.flatnonzero((time < -TIME_MAX) | (time > TIME_MAX))
    if len(outside):
        return _fault(Reason.OUT_OF_RANGE, 1, int(outside[0]))
    anchor = int(np.fmod(anchor, step))
    first = int(time[0]) - (int(time[0]) - anchor) % step
    if (int(time[-1]) - first) // step * QUOTES_A_BAR > len(time):
        bar = (time - anchor) // step
        begins = np.concatenate([[0], np.flatnonzero(bar[1:] != bar[:-1]) + 1])
    else:
        places = np.searchsorted(time, np.arange(first, int(time[-1]) + 1, step))
        # A bar without quotes begins where the next one does: it is none.
        begins = places[np.append(places[1:] != places[:-1], True)]
    return begins, time[begins] - (time[begins] - anchor) % step


def prices(start: Integers, price: Array) -> tuple[Array, Array, Array, Array] | int:
    """Open, high, low and close of bars."""
    if not len(start):
        return tuple(np.empty(0) for _ in range(4))
    if start[0]:
        return _fault(Reason.INCONSISTENT, 1)
    ends = np.append(start[1:], len(price))
    wrong = np.flatnonzero((ends <= start) | (ends > len(price)))
    if len(wrong):
        return _fault(Reason.NOT_ASCENDING, 1, int(wrong[0]))
    return price[start], *extremes(price, price, start), price[ends - 1]


def extremes(high: Array, low: Array, start: Integers) -> tuple[Array, Array]:
    """The greatest and the least of each group, NaN where a NaN is among them.

    Block by block, so that what the one has read is still in the processor's cache for the other.
    """
    greatest, least = np.empty(len(start)), np.empty(len(start))
    ends = np.append(start[1:], len(high))
    begin = 0
    while begin < len(start):
        origin = start[begin]
        end = max(begin + 1, int(np.searchsorted(ends, origin + BLOCK, "right")))
        elements, here = slice(origin, ends[end - 1]), start[begin:end] - origin
        np.maximum.reduceat(high[elements], here, out=greatest[begin:end])
        np.minimum.reduceat(low[elements], here, out=least[begin:end])
        begin = end
    return greatest, least
