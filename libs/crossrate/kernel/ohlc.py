"""Bars of quotes: where each begins, and its open, high, low and close.

What bars are, and which quotes they have, is `crossrate.ticks.bars`; here is what costs time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError, Reason, unpack
from crossrate.kernel.front import pointer
from crossrate.kernel.ragged import vector
from crossrate.kernel.reference import ohlc as reference

Integers = NDArray[np.int64]
Array = NDArray[np.float64]

TIME_MAX = (1 << 63) - 1 - (1 << 60)
STEP_MAX = 1 << 59
_SAYS = {
    Reason.NOT_ASCENDING: {
        "time": "it is before the time ahead of it",
        "start": "the bar that begins here has no quote",
    },
    Reason.OUT_OF_RANGE: {
        "time": "it must be at most 2^63 - 2^60 from 0",
        "anchor": "it must be at most 2^63 - 2^60 from 0",
        "step": "it must be from 1 to 2^59",
    },
    Reason.INCONSISTENT: {"start": "the first bar begins with the first quote"},
}


class Starts(NamedTuple):
    """Where bars begin, one of each a bar.

    Attributes:
        start: the place of its first quote.
        opens: when it begins.
    """

    start: Integers
    opens: Integers


class Prices(NamedTuple):
    """Prices of one side, one of each a bar.

    Attributes:
        open: the first one.
        high: the greatest one; NaN if one of the bar's prices is NaN.
        low: the least one, likewise.
        close: the last one.
    """

    open: Array
    high: Array
    low: Array
    close: Array


def _raise(fault: int, names: tuple[str, ...], values: tuple[Any, ...]) -> None:
    """The error of a fault."""
    reason, place, index = unpack(fault)
    name, value = names[place], values[place]
    at = index if isinstance(value, np.ndarray) else None
    shown = int(value[index]) if isinstance(value, np.ndarray) else value
    raise ArgumentError(name, at, reason, shown, _SAYS[reason][name])


def starts(time: Any, anchor: int, step: int) -> Starts:
    """The quotes that are the first of their bar, and when that begins: at anchor + k step for some whole k. It is
    exact.

    Args:
        time: of each quote, ascending, int64 in any unit.
        anchor: a time at which a bar begins.
        step: length of a bar.

    Raises:
        ArgumentError: a time is before the one ahead of it, or a number is out of range.
        ShapeError: `time` has more than one dimension.
        TypeError: `time` is not of integers.
    """
    times = vector("time", time, np.int64)
    names, values = ("count", "time", "anchor", "step"), (len(times), times, int(anchor), int(step))
    if path.is_numpy():
        found = reference.starts(times, int(anchor), int(step))
        if isinstance(found, int):
            _raise(found, names, values)
        return Starts(*found)
    for place, low, high in ((2, -TIME_MAX, TIME_MAX), (3, 1, STEP_MAX)):
        # Before C, whose integers end.
        if not low <= values[place] <= high:
            raise ArgumentError(
                names[place], None, Reason.OUT_OF_RANGE, values[place], _SAYS[Reason.OUT_OF_RANGE][names[place]]
            )
    start, opens, bars = np.empty(len(times), np.int64), np.empty(len(times), np.int64), np.zeros(1, np.int64)
    out = (pointer(start), pointer(opens), pointer(bars))
    fault = path.lib.xr_ohlc_starts(len(times), pointer(times), int(anchor), int(step), *out)
    if fault:
        _raise(fault, names, values)
    # Not views: they would keep room for as many as there are quotes.
    return Starts(start[: int(bars[0])].copy(), opens[: int(bars[0])].copy())


def prices(start: Any, price: Any) -> Prices:
    """Open, high, low and close of each bar: exact, each is one of its prices.

    Args:
        start: the place of each bar's first quote, ascending from 0, int64.
        price: of each quote; NaN for a side that is not there.

    Raises:
        ArgumentError: a bar has no quote, or the first one does not begin with the first quote.
        ShapeError: an array has more than one dimension.
        TypeError: `start` is not of integers, or `price` not of doubles.
    """
    begins, quoted = vector("start", start, np.int64), vector("price", price)
    fault: int
    if path.is_numpy():
        found = reference.prices(begins, quoted)
        if not isinstance(found, int):
            return Prices(*found)
        fault = found
    else:
        made = Prices(*(np.empty(len(begins)) for _ in range(4)))
        given = (len(begins), pointer(begins), len(quoted), pointer(quoted))
        fault = path.lib.xr_ohlc_prices(*given, *(pointer(each) for each in made))
        if not fault:
            return made
    _raise(fault, ("bars", "start"), (len(begins), begins))
    raise AssertionError("a fault is an error")
