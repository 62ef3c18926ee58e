"""Arbitrage in smiles: the numpy twins of xr/arbitrage.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def butterfly(forward: Array, time: Array, strike: Array, volatility: Array) -> tuple[Array, ...]:
    """The least of Durrleman's function of each row and its strike: Gatheral and Jacquier (2014), equation 2.1."""
    k = np.log(strike / forward[:, None])
    w = volatility**2 * time[:, None]
    gap = np.log(strike[:, 1:] / strike[:, :-1])
    steps = np.diff(w, axis=1) / gap
    left, right, below, above = gap[:, :-1], gap[:, 1:], steps[:, :-1], steps[:, 1:]
    slope = (below * right + above * left) / (left + right)
    curvature = 2.0 * (above - below) / (left + right)
    k, w = k[:, 1:-1], w[:, 1:-1]
    g = (1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * curvature
    at = np.argmin(g, axis=1)
    rows = np.arange(len(g))
    return g[rows, at], strike[rows, at + 1], np.zeros(len(g), np.uint8)


def calendar(total_variance: Array) -> tuple[Array, NDArray[np.int64]]:
    """The least step of each column from an expiry to the next, and its column."""
    steps = np.diff(total_variance, axis=0)
    at = np.argmin(steps, axis=1)
    return steps[np.arange(len(steps)), at], at.astype(np.int64)
