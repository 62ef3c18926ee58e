"""Strikes and deltas in the conventions of the foreign exchange market (Reiswich and Wystup 2010; Clark 2011)."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import AMOUNT, ATM_CONVENTION, DELTA_CONVENTION, LEVEL, PUT_OR_CALL, RATE, TIME, VOLATILITY
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import strike as reference


class DeltaConvention(IntEnum):
    """What a delta is: of the spot or the forward, and whether a premium paid in the base currency is taken off."""

    SPOT = 0
    FORWARD = 1
    SPOT_PREMIUM_ADJUSTED = 2
    FORWARD_PREMIUM_ADJUSTED = 3


class AtmConvention(IntEnum):
    """What is at the money: the forward, the strike whose straddle has no delta, or the spot."""

    FORWARD = 0
    DELTA_NEUTRAL = 1
    SPOT = 2


_MARKET = {"time": TIME, "volatility": VOLATILITY, "domestic_rate": RATE, "foreign_rate": RATE}
_OPTION = {"put_or_call": PUT_OR_CALL, "delta_convention": DELTA_CONVENTION, "spot": LEVEL}

_DELTA = Elementwise(
    "xr_strike_delta", {**_OPTION, "strike": LEVEL, **_MARKET}, ("delta",), reference.delta, blame="strike"
)
_FROM_DELTA = Elementwise(
    "xr_strike_from_delta", {**_OPTION, "delta": AMOUNT, **_MARKET}, ("strike",), reference.from_delta, blame="delta"
)
_ATM = Elementwise(
    "xr_strike_atm",
    {"atm_convention": ATM_CONVENTION, "delta_convention": DELTA_CONVENTION, "spot": LEVEL, **_MARKET},
    ("strike",),
    reference.atm,
    blame="volatility",
)


def delta(
    put_or_call: Any,
    delta_convention: Any,
    spot: Any,
    strike: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Delta of a strike: base currency for one unit of base notional, positive for calls, negative for puts.

    Args:
        put_or_call: 0 put, 1 call (FIX tag 201), of the base currency.
        delta_convention: a `DeltaConvention` or its code.
        spot: counter per base.
        strike: counter per base.
        time: years to expiry.
        volatility: of this strike, per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, the arguments' shape. Reiswich and Wystup (2010): with d1, d2 of Garman and Kohlhagen and
        the foreign discount factor P, a call has P N(d1) of spot, N(d1) of the forward, and premium-adjusted
        P K/F N(d2) and K/F N(d2). Within 4e-14 in relative terms from a week on and within four deviations; for shorter
        times rounding in log(K/F) is divided by the deviation.

    Raises:
        ArgumentError: an element was refused, or its delta has no finite value; names argument and index.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (spot, strike, time, volatility, domestic_rate, foreign_rate)
    return _DELTA(put_or_call, delta_convention, *market, threads=threads)[0]


def from_delta(
    put_or_call: Any,
    delta_convention: Any,
    spot: Any,
    delta: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
    with_status: bool = False,
) -> Any:
    """Strike of a delta.

    Two strikes have the premium-adjusted delta of a call; the one to the right of the delta's maximum is the market's
    (Clark 2011, chapter 3; Reiswich and Wystup 2010). A closed formula serves the other conventions.

    Args:
        put_or_call: 0 put, 1 call (FIX tag 201), of the base currency.
        delta_convention: a `DeltaConvention` or its code.
        spot: counter per base.
        delta: as `delta` gives it: positive for a call, negative for a put (a 25 delta put has -0.25).
        time: years to expiry, above zero.
        volatility: of the strike that is sought, per square root of a year, above zero.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.
        with_status: gives an array of reasons too, in place of raising for an element.

    Returns:
        float64, counter per base, the arguments' shape; with `with_status` a pair of it and uint8 reasons (`Reason`),
        where an element with a reason is NaN. From a week on the strike has its delta within 3e-13 in relative terms.

    Raises:
        ArgumentError: an element was refused; with `Reason.NO_SOLUTION` no strike has its delta.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (spot, delta, time, volatility, domestic_rate, foreign_rate)
    found = _FROM_DELTA(put_or_call, delta_convention, *market, threads=threads, with_status=with_status)
    return found if with_status else found[0]


def atm(
    atm_convention: Any,
    delta_convention: Any,
    spot: Any,
    time: Any,
    volatility: Any,
    domestic_rate: Any,
    foreign_rate: Any,
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Strike at the money.

    Delta neutral is F exp(s²/2) without and F exp(-s²/2) with premium adjustment, s² the total variance (Reiswich and
    Wystup 2010).

    Within 1e-15 of itself.

    Args:
        atm_convention: an `AtmConvention` or its code.
        delta_convention: a `DeltaConvention` or its code; it matters for delta neutral alone.
        spot: counter per base.
        time: years to expiry.
        volatility: at the money, per square root of a year.
        domestic_rate: continuously compounded rate of the counter currency.
        foreign_rate: the same of the base currency.
        threads: how many threads share the work.

    Returns:
        float64, counter per base, the arguments' shape.

    Raises:
        ArgumentError: an element was refused, or its strike leaves what a strike may be.
        ShapeError: the arrays' shapes differ.
        TypeError: an argument is not numeric or has another dtype.
    """
    market = (spot, time, volatility, domestic_rate, foreign_rate)
    return _ATM(atm_convention, delta_convention, *market, threads=threads)[0]
