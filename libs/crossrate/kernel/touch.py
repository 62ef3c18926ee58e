"""Touch options on an exchange rate: a fixed amount if one or two barriers are touched, or if they are not."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.corridor import Corridor
from crossrate.kernel.digital import PAYOUT_CURRENCY
from crossrate.kernel.domain import LEVEL, RATE, TIME, VOLATILITY, Codes
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import touch as reference


class TouchType(IntEnum):
    """What is paid for, and when."""

    NO_TOUCH = 0
    ONE_TOUCH_AT_EXPIRY = 1
    ONE_TOUCH_AT_HIT = 2


class Direction(IntEnum):
    """On which side of the spot a barrier lies."""

    DOWN = 0
    UP = 1


_TYPE = Codes(3, "it must be 0 for no touch, 1 for one touch paid at expiry or 2 for one touch paid at hit")
_MARKET = {"time": TIME, "volatility": VOLATILITY, "domestic_rate": RATE, "foreign_rate": RATE}

_PRICE = Elementwise(
    "xr_touch_price",
    {
        "touch_type": _TYPE,
        "direction": Codes(2, "it must be 0 for a barrier below the spot or 1 for one above it"),
        "payout_currency": PAYOUT_CURRENCY,
        "spot": LEVEL,
        "barrier": LEVEL,
        **_MARKET,
    },
    ("price",),
    reference.price,
)

_DOUBLE = Corridor(
    "xr_double_touch_price",
    {
        "touch_type": _TYPE,
        "payout_currency": PAYOUT_CURRENCY,
        "spot": LEVEL,
        "lower_barrier": LEVEL,
        "upper_barrier": LEVEL,
        **_MARKET,
    },
    ("price",),
    reference.double_price,
    blame="upper_barrier",
)


def price(
    touch_type: Any,
    direction: Any,
    payout_currency: Any,
    spot: Any,
    barrier: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Premium in the counter currency for a payout of one unit of the payout currency.

    Rubinstein and Reiner (1991), "Unscrambling the binary code". Paid at hit, one unit of base is worth the barrier.
    The domestic rate may be anything: where the formula's root is imaginary, the Faddeeva function takes its place.

    Args:
        touch_type: a `TouchType`.
        direction: a `Direction`: where the barrier lies. A spot at or beyond the barrier has touched it.
        payout_currency: 0 counter, 1 base.
        spot: counter per base.
        barrier: counter per base, watched continuously.
        time: years to expiry.
        volatility: per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape. Within 2e-15 of the payout's value today for markets as they are (rates to 20 %,
        volatilities from 1 % to 200 %, five years).

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (time, volatility, domestic_rate, foreign_rate)
    return _PRICE(touch_type, direction, payout_currency, spot, barrier, *market, threads=threads)[0]


def double_price(
    touch_type: Any,
    payout_currency: Any,
    spot: Any,
    lower_barrier: Any,
    upper_barrier: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Premium of a double no-touch or double one-touch (either barrier), in the counter currency for one unit paid.

    The series are those of `barrier.double_price`; the first passages through each barrier are taken apart, so that a
    payout in base at hit is worth the barrier that was touched.

    Args:
        touch_type: a `TouchType`.
        payout_currency: 0 counter, 1 base.
        spot: counter per base; at or beyond a barrier it has touched it.
        lower_barrier: counter per base, watched continuously.
        upper_barrier: the same, above lower_barrier.
        time: years to expiry.
        volatility: per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape. Within 2e-15 of the payout's value today for markets as they are (rates to 20 %,
        volatilities from 1 % to 200 %, five years).

    Raises:
        ArgumentError: an element was refused; names argument and index. A payout at hit is refused (NOT_CONVERGED on
            domestic_rate) in a narrow corridor if domestic_rate × time is below about -3.5.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (time, volatility, domestic_rate, foreign_rate)
    return _DOUBLE(touch_type, payout_currency, spot, lower_barrier, upper_barrier, *market, threads=threads)[0]
