"""European vanilla options on an exchange rate (Garman and Kohlhagen 1983).

All functions take, in this order, numbers or arrays of one shape:

    put_or_call     0 put, 1 call (FIX tag 201), of the base currency
    spot, strike    counter per base
    time            years to expiry
    volatility      per square root of a year: 0.1 is ten percent
    domestic_rate   continuously compounded rate of the counter currency
    foreign_rate    the same of the base currency

Results are for one unit of the base currency, bought. `threads` share the work. Each function raises ArgumentError (an
element was refused; names argument and index), ShapeError (shapes differ) and TypeError (not numeric, or another dtype
than float64). At zero volatility or time, prices and Greeks are their limits; exactly at the forward, where there is a
kink, delta is one half and gamma greater than 1e130.

The Greeks' relative error is below 1e-14 within four deviations of the forward (that of a sum of terms of both signs in
relation to the greatest of them; 1.5e-14 on a processor without fused multiply-add), from a day to ten years and from
one to sixty percent of volatility; farther from the forward it grows with the square of the distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, PUT_OR_CALL, RATE, TIME, VOLATILITY
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import vanilla as reference

Array = NDArray[np.float64]

MARKET = {
    "put_or_call": PUT_OR_CALL,
    "spot": LEVEL,
    "strike": LEVEL,
    "time": TIME,
    "volatility": VOLATILITY,
    "domestic_rate": RATE,
    "foreign_rate": RATE,
}


@dataclass(frozen=True, slots=True)
class Greeks:
    """A premium in the counter currency and its first derivatives, arrays of the arguments' shape.

    Attributes:
        price: premium, counter currency.
        delta: ∂V/∂S, spot delta, in base currency.
        gamma: ∂²V/∂S².
        vega: ∂V/∂σ for 1.00 of volatility.
        theta: −∂V/∂T, for one year that passes with spot, volatility and rates unchanged.
        rho_domestic: ∂V/∂(domestic rate) for 1.00.
        rho_foreign: ∂V/∂(foreign rate) for 1.00.
    """

    price: Array
    delta: Array
    gamma: Array
    vega: Array
    theta: Array
    rho_domestic: Array
    rho_foreign: Array


@dataclass(frozen=True, slots=True)
class FurtherGreeks:
    """The other deltas and the second derivatives of a desk, arrays of the arguments' shape.

    Attributes:
        forward_delta: spot delta × e^(foreign rate × T).
        adjusted_delta: spot delta less the premium in base currency (premium-adjusted).
        adjusted_forward_delta: the same × e^(foreign rate × T).
        strike_delta: ∂V/∂K.
        vanna: ∂²V/∂S∂σ for 1.00 of volatility.
        volga: ∂²V/∂σ² for 1.00 of volatility.
        charm: −∂²V/∂S∂T, change of the spot delta in one year.
    """

    forward_delta: Array
    adjusted_delta: Array
    adjusted_forward_delta: Array
    strike_delta: Array
    vanna: Array
    volga: Array
    charm: Array


_PRICE = Elementwise("xr_vanilla_price", MARKET, ("price",), reference.price)
_GREEKS = Elementwise("xr_vanilla_greeks", MARKET, Greeks.__slots__, reference.greeks)
_FURTHER = Elementwise("xr_vanilla_further", MARKET, FurtherGreeks.__slots__, reference.further)


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
) -> Array:
    """Premium in the counter currency; within 6e-16 × max(spot, strike) of the exact value while |rate × time| ≤ 1."""
    return _PRICE(put_or_call, spot, strike, time, volatility, domestic_rate, foreign_rate, threads=threads)[0]


def price_with_status(
    put_or_call: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> tuple[Array, NDArray[np.uint8]]:
    """Premiums and, for a batch that must go on, a `Reason` for each element: where it is not OK the premium is NaN.

    As exact as `price`.
    """
    premium, status = _PRICE(
        put_or_call, spot, strike, time, volatility, domestic_rate, foreign_rate, threads=threads, with_status=True
    )
    return premium, status


def greeks(
    put_or_call: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> Greeks:
    """Premium and six Greeks in one pass, for little more than the premium alone.

    Within four deviations each Greek is within 1e-14 of itself (1e-12 by the numpy twin), theta of the greatest of its
    terms.
    """
    return Greeks(*_GREEKS(put_or_call, spot, strike, time, volatility, domestic_rate, foreign_rate, threads=threads))


def further_greeks(
    put_or_call: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> FurtherGreeks:
    """The Greeks that `greeks` leaves out, in one pass.

    Within four deviations each is within 1e-14 of itself (1e-12 by the numpy twin), vanna, volga and charm of the
    greatest of their terms.
    """
    return FurtherGreeks(
        *_FURTHER(put_or_call, spot, strike, time, volatility, domestic_rate, foreign_rate, threads=threads)
    )
