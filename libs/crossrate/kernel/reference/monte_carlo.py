"""Prices by simulation: the numpy twin of xr/monte_carlo.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.random import normals

Array = NDArray[np.float64]
CHUNK = 4096
EUROPEAN, ARITHMETIC, GEOMETRIC = 0, 1, 2


def moments(
    chunk: int,
    product: int,
    put_or_call: int,
    antithetic: bool,
    spot: float,
    strike: float,
    discount: float,
    increments: tuple[Array, Array, Array],
    seed: int,
    stream: int,
    samples: int,
) -> Array:
    """Six moments of one chunk; the increments' means, deviations and the weights of the average."""
    width = min(CHUNK, samples - chunk * CHUNK)
    z = normals(width, len(increments[0]), seed, stream, chunk * CHUNK, 0)
    sign = 1.0 if put_or_call == 1 else -1.0
    halves = [
        discount * _settled(product, sign, spot, strike, side * z, *increments)
        for side in ((1.0, -1.0) if antithetic else (1.0,))
    ]
    y, x = np.mean(halves, axis=0)
    dy, dx = y - y.mean(), x - x.mean()
    return np.array([width, y.mean(), x.mean(), dy @ dy, dx @ dx, dy @ dx])


def _settled(
    product: int, sign: float, spot: float, strike: float, z: Array, drift: Array, deviation: Array, weight: Array
) -> Array:
    """Payoff and control of each path, undiscounted."""
    logarithm = np.cumsum(drift[:, None] + deviation[:, None] * z, axis=0)
    last = spot * np.exp(logarithm[-1] if product == EUROPEAN else weight @ logarithm)
    paid_on = spot * (weight @ np.exp(logarithm)) if product == ARITHMETIC else last
    control = np.maximum(sign * (last - strike), 0.0) if product == ARITHMETIC else last
    return np.stack((np.maximum(sign * (paid_on - strike), 0.0), control))
