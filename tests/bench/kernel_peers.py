"""What the kernel is measured against: the same figures by numpy with scipy, numba, QuantLib and fast-vollib.

Each peer is written as its users would write it for speed, takes the same arrays and gives the same numbers, which the
benchmark checks before it measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


def numpy_price(
    call: NDArray[np.int8], spot: Array, strike: Array, time: Array, volatility: Array, domestic: Array, foreign: Array
) -> Array:
    """Garman–Kohlhagen with numpy and scipy's ndtr."""
    sign = np.where(call == 1, 1.0, -1.0)
    deviation = volatility * np.sqrt(time)
    d1 = (np.log(spot / strike) + (domestic - foreign) * time) / deviation + 0.5 * deviation
    paid = spot * np.exp(-foreign * time) * ndtr(sign * d1)
    return sign * (paid - strike * np.exp(-domestic * time) * ndtr(sign * (d1 - deviation)))


def numba_price() -> Callable[..., None]:
    """The same as a compiled scalar loop."""
    import numba

    @numba.njit(error_model="numpy")
    def price(
        call: Any, spot: Any, strike: Any, time: Any, volatility: Any, domestic: Any, foreign: Any, out: Any
    ) -> None:
        half = math.sqrt(0.5)
        for i in range(len(spot)):
            sign = 1.0 if call[i] == 1 else -1.0
            w = volatility[i] * math.sqrt(time[i])
            d1 = (math.log(spot[i] / strike[i]) + (domestic[i] - foreign[i]) * time[i]) / w + 0.5 * w
            paid = spot[i] * math.exp(-foreign[i] * time[i]) * 0.5 * math.erfc(-sign * d1 * half)
            received = strike[i] * math.exp(-domestic[i] * time[i]) * 0.5 * math.erfc(-sign * (d1 - w) * half)
            out[i] = sign * (paid - received)

    return price


def numba_revalue() -> Callable[..., None]:
    """Options × scenarios of spot and volatility as a compiled double loop, with what does not change taken out."""
    import numba

    @numba.njit(error_model="numpy")
    def revalue(
        call: Any,
        strike: Any,
        time: Any,
        volatility: Any,
        domestic: Any,
        foreign: Any,
        notional: Any,
        spot: float,
        returns: Any,
        shifts: Any,
        out: Any,
    ) -> None:
        half = math.sqrt(0.5)
        growth = np.exp(returns)
        out[:] = 0.0
        for i in range(len(strike)):
            sign = 1.0 if call[i] == 1 else -1.0
            root = math.sqrt(time[i])
            ds, dk = spot * math.exp(-foreign[i] * time[i]), strike[i] * math.exp(-domestic[i] * time[i])
            moneyness = math.log(ds / dk)
            for j in range(len(returns)):
                w = (volatility[i] + shifts[j]) * root
                d1 = (moneyness + returns[j]) / w + 0.5 * w
                paid = ds * growth[j] * 0.5 * math.erfc(-sign * d1 * half)
                out[j] += notional[i] * sign * (paid - dk * 0.5 * math.erfc(-sign * (d1 - w) * half))

    return revalue


def numpy_revalue(
    call: NDArray[np.int8],
    strike: Array,
    time: Array,
    volatility: Array,
    domestic: Array,
    foreign: Array,
    notional: Array,
    spot: float,
    returns: Array,
    shifts: Array,
) -> Array:
    """The same, one option after the other over all scenarios, which keeps the arrays in the cache."""
    out = np.zeros(len(returns))
    growth = np.exp(returns)
    for i in range(len(strike)):
        sign = 1.0 if call[i] == 1 else -1.0
        ds, dk = spot * math.exp(-foreign[i] * time[i]), strike[i] * math.exp(-domestic[i] * time[i])
        w = (volatility[i] + shifts) * math.sqrt(time[i])
        d1 = (math.log(ds / dk) + returns) / w + 0.5 * w
        out += notional[i] * sign * (ds * growth * ndtr(sign * d1) - dk * ndtr(sign * (d1 - w)))
    return out


def numpy_paths(seed: int, paths: int, steps: int, block: int, drift: float, deviation: float) -> Array:
    """Terminal values of a geometric Brownian motion, step by step in blocks that stay in the cache."""
    generator = np.random.Generator(np.random.SFC64(seed))
    out = np.empty(paths)
    shocks = np.empty(block)
    for start in range(0, paths, block):
        log = np.zeros(block)
        for _ in range(steps):
            generator.standard_normal(out=shocks)
            shocks *= deviation
            shocks += drift
            log += shocks
        np.exp(log, out=out[start : start + block])
    return out


class QuantLibEngine:
    """One option object with the analytic engine on quotes that are set for each element."""

    def __init__(self) -> None:
        import QuantLib as ql

        self._ql = ql
        self._today = ql.Date(15, 6, 2026)
        ql.Settings.instance().evaluationDate = self._today
        self._count = ql.Actual365Fixed()

    def price(self, call: int, spot: float, strike: float, days: int, volatility: float, rd: float, rf: float) -> float:
        """The premium of an option that ends in `days` days."""
        ql = self._ql
        curve = [ql.YieldTermStructureHandle(ql.FlatForward(self._today, rate, self._count)) for rate in (rf, rd)]
        vol = ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(self._today, ql.NullCalendar(), volatility, self._count)
        )
        process = ql.GarmanKohlagenProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), *curve, vol)
        option = ql.VanillaOption(
            ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike),
            ql.EuropeanExercise(self._today + days),
        )
        option.setPricingEngine(ql.AnalyticEuropeanEngine(process))
        return float(option.NPV())


def quantlib_implied(call: NDArray[np.int8], price: Array, forward: Array, strike: Array, discount: Array) -> Array:
    """Total volatility by QuantLib's solver, element by element."""
    import QuantLib as ql

    kinds = (ql.Option.Put, ql.Option.Call)
    return np.array(
        [
            ql.blackFormulaImpliedStdDev(kinds[c], k, f, p, d, 0.0, 0.1, 1e-13, 200)
            for c, p, f, k, d in zip(
                call.tolist(), price.tolist(), forward.tolist(), strike.tolist(), discount.tolist(), strict=True
            )
        ]
    )
