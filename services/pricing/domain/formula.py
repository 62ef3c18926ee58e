"""The kernel's formulas as functions of columns: arrays of one length in, arrays of that length out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import american, asian, barrier, digital, touch, vanilla

Columns = tuple[NDArray, ...]
"""The arguments of a formula in its order, or its results: arrays of one length."""
Formula = Callable[..., Columns]
"""One of the functions below."""

UNIT = ("price", "delta", "gamma", "vega", "theta")
UNIT_FURTHER = ("vanna", "volga", "charm")


def vanillas(*columns: NDArray) -> Columns:
    """Premiums and sensitivities: those of UNIT, then those of UNIT_FURTHER."""
    found, further = vanilla.greeks(*columns), vanilla.further_greeks(*columns)
    return (*(getattr(found, name) for name in UNIT), *(getattr(further, name) for name in UNIT_FURTHER))


def digitals(put_or_call: NDArray, payout_currency: NDArray, *market: NDArray) -> Columns:
    """Digitals on a smile; the market is spot, strike, time, volatility, both rates, and the smile's slope by strike.

    A cash-or-nothing call is −dC/dK of the call's price C(K, σ(K)), so that besides the price at a flat volatility
    there is −∂C/∂σ · dσ/dK; a put is +dP/dK. An asset-or-nothing call is C + K · (cash-or-nothing call), an
    asset-or-nothing put is K · (cash-or-nothing put) − P.
    """
    *flat, slope = market
    at_flat = digital.price(put_or_call, payout_currency, *flat)
    vega = vanilla.greeks(put_or_call, *flat).vega
    lean = np.where(put_or_call == 1, -1.0, 1.0) * vega * slope
    return (at_flat + np.where(payout_currency == 1, flat[1], 1.0) * lean,)


def barriers(*columns: NDArray) -> Columns:
    """See `barrier.price`."""
    return (barrier.price(*columns),)


def double_barriers(*columns: NDArray) -> Columns:
    """See `barrier.double_price`."""
    return (barrier.double_price(*columns),)


def touches(*columns: NDArray) -> Columns:
    """See `touch.price`."""
    return (touch.price(*columns),)


def double_touches(*columns: NDArray) -> Columns:
    """See `touch.double_price`."""
    return (touch.double_price(*columns),)


def asians(*columns: NDArray) -> Columns:
    """See `asian.price`."""
    return (asian.price(*columns),)


def americans(*columns: NDArray) -> Columns:
    """See `american.price`."""
    return (american.price(*columns),)


WEIGHTS: Mapping[Formula, int] = {
    vanillas: 2,
    digitals: 5,
    barriers: 10,
    double_barriers: 50,
    touches: 5,
    double_touches: 25,
    asians: 25,
    americans: 50_000,
}
"""What one element costs, in those of `vanilla.greeks`, about 20 ns of a compiled kernel; 1 for what is not here."""
