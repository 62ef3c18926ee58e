"""Vanna-Volga: the numpy twin of xr/vanna_volga.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason

Array = NDArray[np.float64]


def _d1_d2(moneyness: Array, s: Array) -> Array:
    return (0.5 * s - moneyness / s) * (-0.5 * s - moneyness / s)


def volatility(order: NDArray[np.int8], forward: Array, time: Array, *rest: Array) -> tuple[Array, NDArray[np.uint8]]:
    """Castagna and Mercurio (2007), both formulas, the second with the root's difference multiplied out."""
    *quoted, strike = rest
    k1, k2, k3 = (np.log(each / forward) for each in quoted[:3])
    v1, v2, v3 = quoted[3:]
    at = np.log(strike / forward)
    ascend = (quoted[0] < quoted[1]) & (quoted[1] < quoted[2])
    with np.errstate(all="ignore"):
        y1 = (k2 - at) * (k3 - at) / ((k2 - k1) * (k3 - k1))
        y3 = (at - k1) * (at - k2) / ((k3 - k1) * (k3 - k2))
        low, high = v1 - v2, v3 - v2
        first = y1 * low + y3 * high
        s = v2 * np.sqrt(time)
        second = y1 * _d1_d2(k1, s) * low * low + y3 * _d1_d2(k3, s) * high * high
        both = 2.0 * v2 * first + second
        found = v2 + np.where(order == 0, first, both / (v2 + np.sqrt(v2 * v2 + _d1_d2(at, s) * both)))
    lost = ~((found >= 1e-6) & (found <= 100.0))
    reasons = np.select([~ascend, lost], [Reason.INCONSISTENT, Reason.NO_SOLUTION], Reason.OK).astype(np.uint8)
    return np.where(reasons == 0, found, np.nan), reasons
