"""Contributions to risk: the numpy twins of xr/attribution.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.normal import density, quantile
from crossrate.kernel.reference.var import near_integer, quantile_place

Array = NDArray[np.float64]
Parts = tuple[Array, Array, Array, Array, Array]


def historical(pnl: Array, confidence: float, convention: int, window: int) -> Parts:
    """Components and increments, and value at risk, smoothed value at risk and expected shortfall of the whole."""
    count = pnl.shape[1]
    rank, part = quantile_place(count, confidence, convention)
    place = count - rank - (part > 0.0)
    reach = min(window, place, count - 1 - place)
    rows = np.arange(count)
    near = np.maximum(0.0, reach + 1 - np.abs(rows - place)) / (reach + 1) ** 2
    tail = near_integer(count * (1.0 - confidence), float(count))
    inside = np.clip(tail - rows, 0.0, 1.0) / tail
    whole = np.zeros(count)
    for own in pnl:
        whole += own
    order = np.argsort(whole, kind="stable")
    losses, own = -whole[order], -pnl[:, order]
    without = np.sort(pnl - whole, axis=1)[:, ::-1]
    total = np.array([losses[place], losses @ near, losses @ inside])
    return own @ near, own @ inside, total[0] - without[:, place], total[2] - without @ inside, total


def normal(delta: Array, covariance: Array, confidence: float) -> Parts:
    """Derivatives of the deviation times the quantile's and the tail's multiple; the increments by difference."""
    whole = delta.sum(axis=0)
    moved = covariance @ whole
    deviation = float(np.sqrt(max(0.0, whole @ moved)))
    z = 0.0 - float(quantile(np.array(1.0 - confidence)))
    mean = float(density(np.array(z))) / (1.0 - confidence)
    share = delta @ moved / deviation if deviation > 0.0 else np.zeros(len(delta))
    rest = whole - delta
    less = deviation - np.sqrt(np.maximum(0.0, np.einsum("ij,ij->i", rest, rest @ covariance)))
    return z * share, mean * share, z * less, mean * less, np.array([z * deviation, mean * deviation])
