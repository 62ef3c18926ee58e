"""The volatility that a premium implies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, PREMIUM, PUT_OR_CALL, RATE, TIME
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import implied as reference

_VOLATILITY = Elementwise(
    "xr_implied_volatility",
    {
        "put_or_call": PUT_OR_CALL,
        "price": PREMIUM,
        "spot": LEVEL,
        "strike": LEVEL,
        "time": TIME,
        "domestic_rate": RATE,
        "foreign_rate": RATE,
    },
    ("volatility",),
    reference.volatility,
    blame="price",
)


def volatility(
    put_or_call: Any,
    price: Any,
    spot: Any,
    strike: Any,
    time: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Solves `vanilla.price(..., volatility, ...) = price`.

    From an out-of-the-money premium within 1e-13 of the exact solution for the given doubles, in relative terms. An
    in-the-money premium holds its time value only to the last bit of the whole: expect a relative error of
    1e-16 × price / (vega × volatility).

    Args:
        put_or_call: 0 put, 1 call, of the base currency.
        price: premium in the counter currency for one unit of the base currency. Exactly the discounted intrinsic value
            gives volatility 0.
        spot: counter per base.
        strike: counter per base.
        time: years to expiry.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        Volatility per square root of a year, in the arguments' shape.

    Raises:
        ArgumentError: an element was refused, or no volatility from 0 to 100 gives its premium (NO_SOLUTION).
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    return _VOLATILITY(put_or_call, price, spot, strike, time, domestic_rate, foreign_rate, threads=threads)[0]


def volatility_with_status(
    put_or_call: Any,
    price: Any,
    spot: Any,
    strike: Any,
    time: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """As `volatility` for a batch that must go on: also a `Reason` for each element, NaN where it is not OK.

    Arguments, errors and bounds as there.
    """
    solved, status = _VOLATILITY(
        put_or_call, price, spot, strike, time, domestic_rate, foreign_rate, threads=threads, with_status=True
    )
    return solved, status
