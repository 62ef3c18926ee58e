"""Business time: the numpy twins of xr/business_clock.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def time(weight: Array, year: float, day: Array) -> Array:
    """The sum of weights until each moment, over a year's."""
    running = np.concatenate([[0.0], np.cumsum(weight)])
    whole = np.minimum(day.astype(np.int64), len(weight) - 1)
    return (running[whole] + (day - whole) * weight[whole]) / year


def variance(knot_time: Array, knot_variance: Array, time: Array) -> Array:
    """Linear from zero through the knots and beyond the last."""
    t, w = np.concatenate([[0.0], knot_time]), np.concatenate([[0.0], knot_variance])
    at = np.clip(np.searchsorted(t, time), 1, len(t) - 1)
    between = w[at - 1] + (w[at] - w[at - 1]) / (t[at] - t[at - 1]) * (time - t[at - 1])
    return np.where(time == t[at], w[at], between)
