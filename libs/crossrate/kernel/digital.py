"""Digital (binary) options on an exchange rate (Rubinstein and Reiner 1991, "Unscrambling the binary code")."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import LEVEL, PUT_OR_CALL, RATE, TIME, VOLATILITY, Codes
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import digital as reference

PAYOUT_CURRENCY = Codes(2, "it must be 0 for the counter currency or 1 for the base currency")


class PayoutCurrency(IntEnum):
    """The currency of a fixed payout."""

    COUNTER = 0
    BASE = 1


class DigitalGreeks(NamedTuple):
    """A digital's premium in the counter currency, and its sensitivities; float64 arrays of one shape."""

    price: NDArray[np.float64]
    delta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    vega: NDArray[np.float64]


_GREEKS = Elementwise(
    "xr_digital_greeks",
    {
        "put_or_call": PUT_OR_CALL,
        "payout_currency": PAYOUT_CURRENCY,
        "spot": LEVEL,
        "strike": LEVEL,
        "time": TIME,
        "volatility": VOLATILITY,
        "domestic_rate": RATE,
        "foreign_rate": RATE,
    },
    ("price", "delta", "gamma", "vega"),
    reference.greeks,
)


def greeks(
    put_or_call: Any,
    payout_currency: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> DigitalGreeks:
    """Premium, delta, gamma and vega of one unit of the payout currency, paid if the option ends in the money.

    At zero volatility or zero time the payout is certain, and exactly at the forward it is half of one; gamma, vega and
    the payout's share of delta are then zero.

    Within four deviations each figure is within 2e-14 of the greatest of its terms.

    Args:
        put_or_call: 0 pays below the strike, 1 above it.
        payout_currency: 0 counter (cash or nothing), 1 base (asset or nothing).
        spot: counter per base.
        strike: counter per base.
        time: years to expiry.
        volatility: per square root of a year, flat: for a smile, add vega times the smile's slope by strike.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        price in the counter currency; delta per unit of spot; gamma, delta's change per unit of spot; vega per
        volatility of one (divide by 100 for a percentage point).

    Raises:
        ArgumentError: an element was refused; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (spot, strike, time, volatility, domestic_rate, foreign_rate)
    return DigitalGreeks(*_GREEKS(put_or_call, payout_currency, *market, threads=threads))


def price(
    put_or_call: Any,
    payout_currency: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Premium in the counter currency for a payout of one unit; arguments, errors and bounds as `greeks` has them."""
    market = (spot, strike, time, volatility, domestic_rate, foreign_rate)
    return greeks(put_or_call, payout_currency, *market, threads=threads).price
