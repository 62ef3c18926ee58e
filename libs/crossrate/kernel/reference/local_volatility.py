"""Paths under a local volatility: the numpy twin of xr/local_volatility.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.paths import signed_normals

Array = NDArray[np.float64]


def paths(
    count: int,
    spot: float,
    widths: Array,
    carry: Array,
    moneyness: Array,
    rows: Array,
    terminal: bool,
    antithetic: bool,
    seed: int,
    stream: int,
    first_path: int,
) -> Array:
    """Levels after each step, or the last; `rows` has the volatility of each step on the points of moneyness."""
    y, growth = np.zeros(count), 0.0
    values = np.empty((1 if terminal else len(widths), count))
    for k, width in enumerate(widths):
        z = signed_normals(count, 1, antithetic, seed, stream, first_path, k)[0]
        volatility = np.interp(y, moneyness, rows[k])
        y = y + volatility * np.sqrt(width) * z - 0.5 * width * volatility**2
        growth += carry[k]
        if not terminal or k + 1 == len(widths):
            values[0 if terminal else k] = spot * np.exp(growth + y)
    return values
