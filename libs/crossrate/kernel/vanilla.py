"""European vanilla options on an exchange rate (Garman and Kohlhagen 1983)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, PUT_OR_CALL, RATE, TIME, VOLATILITY
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import vanilla as reference

CONTRACT = {
    "put_or_call": PUT_OR_CALL,
    "spot": LEVEL,
    "strike": LEVEL,
    "time": TIME,
    "volatility": VOLATILITY,
    "domestic_rate": RATE,
    "foreign_rate": RATE,
}

_PRICE = Elementwise("xr_vanilla_price", CONTRACT, ("price",), reference.price)


def price(
    put_or_call: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Premium in the counter currency for one unit of the base currency.

    Args:
        put_or_call: 0 put, 1 call (FIX tag 201), of the base currency.
        spot: counter per base.
        strike: counter per base.
        time: years to expiry.
        volatility: per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape. Within 6e-16 × max(spot, strike) of the exact value.

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    return _PRICE(put_or_call, spot, strike, time, volatility, domestic_rate, foreign_rate, threads=threads)[0]
