"""Whether smiles can be traded against: butterflies within an expiry, calendar spreads between expiries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import LEVEL, SMILE_TIME, SMILE_VOLATILITY, TIME, TOTAL_VARIANCE
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import MEANS, numbers, pointer
from crossrate.kernel.reference import arbitrage as reference
from crossrate.kernel.rows import Rowwise

Array = NDArray[np.float64]

_BUTTERFLY = Rowwise(
    "xr_arbitrage_butterfly",
    {"forward": LEVEL, "time": SMILE_TIME},
    {"strike": LEVEL, "volatility": SMILE_VOLATILITY},
    ("worst", "worst_strike"),
    reference.butterfly,
    points=(3, 1_000_000),
    blame="volatility",
    ascending="strike",
)


class Butterfly(NamedTuple):
    """The least of Durrleman's function of each row, its strike, and a status (`Reason`): (rows,) each."""

    worst: Array
    worst_strike: Array
    status: NDArray[np.uint8]


class Calendar(NamedTuple):
    """The least step of total variance between neighbouring expiries and its column: (expiries - 1,) each."""

    worst: Array
    worst_point: NDArray[np.int64]


def butterfly(
    forward: Any, time: Any, strike: Any, volatility: Any, *, threads: int = 1, with_status: bool = False
) -> Butterfly:
    """Durrleman's function g of smiles on a grid of strikes; where it is negative so is the risk-neutral density.

    g = (1 - k w'/(2w))² - w'²/4 (1/w + 1/4) + w''/2 with w(k) the total variance at k = log(K/F) (Durrleman 2005;
    Gatheral and Jacquier 2014, equation 2.1). Derivatives are taken from each strike and its two neighbours: their
    error is of the square of the spacing, and rounding in the volatilities of about 1e-16 is divided by it: grids of 50
    to 1,000 strikes over a smile serve.

    The least g is within 1e-15 × (1 + total variance / squared spacing of log strikes) of the formula on these points.

    Args:
        forward: (rows,) or a number, counter per base.
        time: (rows,) or a number, years to expiry.
        strike: (rows, points), counter per base, ascending in a row, three points or more.
        volatility: (rows, points), per square root of a year.
        threads: how many threads share the work.
        with_status: a refused row gets a status and NaN, in place of an error.

    Returns:
        `Butterfly`: no butterfly of the grid can be bought for less than nothing where `worst` is not negative.

    Raises:
        ArgumentError: a row was refused; names row and column.
        ShapeError: strike and volatility are not matrices of one shape.
        TypeError: an argument is not numeric or has another dtype.
    """
    found = _BUTTERFLY((forward, time), (strike, volatility), threads, with_status)
    status = found[2] if with_status else np.zeros(len(found[0]), np.uint8)
    return Butterfly(found[0], found[1], status)


def calendar(time: Any, total_variance: Any) -> Calendar:
    """Whether total variance descends from an expiry to the next at equal forward moneyness K/F.

    Without dividends a surface has no calendar arbitrage if and only if it does not (Gatheral and Jacquier 2014, lemma
    2.1), the forward taking the place of the dividends.

    A step is the difference of two given variances, rounded once.

    Args:
        time: (expiries,), ascending, in years.
        total_variance: (expiries, points), volatility squared times time; a column is one K/F.

    Returns:
        `Calendar`: no calendar spread of the grid costs less than nothing where `worst` is not negative.

    Raises:
        ArgumentError: an element was refused, or time does not ascend.
        ShapeError: fewer than two expiries, no points, or shapes that do not go together.
        TypeError: an argument is not numeric or has another dtype.
    """
    t, w = numbers("time", time), numbers("total_variance", total_variance)
    if w.ndim != 2 or t.shape != w.shape[:1] or w.shape[0] < 2 or w.shape[1] < 1:
        raise ShapeError(
            f"time has shape {t.shape}, total_variance {w.shape}: (expiries,) and (expiries, points) are needed, two "
            "expiries or more"
        )
    for name, rule, values in (("time", TIME, t), ("total_variance", TOTAL_VARIANCE, w)):
        refused = rule.refused(values)
        if refused.any():
            at = tuple(int(each) for each in np.argwhere(refused)[0])
            raise ArgumentError(
                name, at if len(at) > 1 else at[0], Reason(int(refused[at])), float(values[at]), rule.says
            )
    falls = np.flatnonzero(~(np.diff(t) > 0.0))
    if falls.size:
        at_time = int(falls[0]) + 1
        reason = Reason.NOT_ASCENDING
        raise ArgumentError("time", at_time, reason, float(t[at_time]), MEANS[reason])
    if path.is_numpy():
        return Calendar(*reference.calendar(w))
    worst, point = np.empty(len(t) - 1), np.empty(len(t) - 1, np.int64)
    fault = path.lib.xr_arbitrage_calendar(*w.shape, pointer(t), pointer(w), pointer(worst), pointer(point))
    if fault:
        raise RuntimeError(f"the kernel refused what its binding allowed: fault {fault:#x}")
    return Calendar(worst, point)
