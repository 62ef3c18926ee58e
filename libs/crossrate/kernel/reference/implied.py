"""Implied volatility: the numpy twin of xr/implied.h, by bisection and then Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density, distribution

Array = NDArray[np.float64]
BISECTIONS = 60
POLISHES = 4


def normalised(x: Array, s: Array) -> Array:
    """The out-of-the-money premium over √(S'K') for x = −|ln(S'/K')| and total volatility s (Jäckel 2015)."""
    h, t = x / s, 0.5 * s
    return np.exp(0.5 * x) * distribution(h + t) - np.exp(-0.5 * x) * distribution(h - t)


def volatility(
    put_or_call: NDArray[np.int8],
    price: Array,
    spot: Array,
    strike: Array,
    time: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, NDArray[np.uint8]]:
    """The volatility at which the premium is the given one, and a reason where there is none."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    ds, dk = spot * np.exp(-foreign_rate * time), strike * np.exp(-domestic_rate * time)
    moneyness = np.log(spot / strike) + (domestic_rate - foreign_rate) * time
    out = np.where(sign * moneyness > 0.0, price - sign * (ds - dk), price)
    reasons = np.where((out >= 0.0) & (out < np.minimum(ds, dk)) & (time > 0.0), Reason.OK, Reason.NO_SOLUTION).astype(
        np.uint8
    )
    solvable = (reasons == Reason.OK) & (out > 0.0)
    result = np.where(reasons == Reason.OK, 0.0, np.nan)
    x, target = -np.abs(moneyness[solvable]), (out / np.sqrt(ds) / np.sqrt(dk))[solvable]
    low, high = np.full(x.shape, 1e-12), np.full(x.shape, 1000.0)
    for _ in range(BISECTIONS):
        middle = np.sqrt(low * high)
        above = normalised(x, middle) > target
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    s = np.sqrt(low * high)
    for _ in range(POLISHES):
        slope = density(x / s + 0.5 * s) * np.exp(0.5 * x)
        step = (normalised(x, s) - target) / np.maximum(slope, 1e-300)
        s = np.where(np.abs(step) < 1e-6 * s, s - step, s)
    result[solvable] = s / np.sqrt(time[solvable])
    beyond = result > 100.0
    reasons[beyond], result[beyond] = Reason.NO_SOLUTION, np.nan
    return result, reasons
