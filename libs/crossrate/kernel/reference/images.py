"""Masses of a killed Brownian motion: the twin of libs/kernel/src/images.h and claim.h, where they are derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.scaled_erfc import erfcx, faddeeva_real

Array = NDArray[np.float64]

FAR = 1e150
DEVIATION_MIN = 1e-100
ROOT = np.sqrt(0.5)


@dataclass(frozen=True)
class Market:
    """What all barrier products need to know of the market, in units of the deviation of the log spot."""

    deviation: Array
    n_counter: Array
    n_base: Array
    counter: Array
    base: Array
    rate_time: Array


def market_of(spot: Array, time: Array, volatility: Array, domestic_rate: Array, foreign_rate: Array) -> Market:
    """The market of each element."""
    deviation = np.maximum(volatility * np.sqrt(time), DEVIATION_MIN)
    growth = (domestic_rate - foreign_rate) * time / deviation
    return Market(
        deviation,
        growth - 0.5 * deviation,
        growth + 0.5 * deviation,
        np.exp(-domestic_rate * time),
        spot * np.exp(-foreign_rate * time),
        domestic_rate * time,
    )


def log_ratio(a: Array, b: Array) -> Array:
    """log(a/b), without the quotient's rounding where the two are close."""
    part = (a - b) / b
    return np.where(np.abs(part) < 0.5, np.log1p(np.maximum(part, -0.5)), np.log(a / b))


def tail(n: Array, gamma: Any, edge: Any, side: float) -> Array:
    """The image's mass above (side 1) or below (side -1) an edge on that side of its mean."""
    exponent = -0.5 * (edge - n) * (edge - n) + 0.5 * gamma * (2.0 * edge - gamma)
    away = np.maximum(side * (edge - gamma - n) * ROOT, 0.0)
    return np.where(np.abs(edge) >= FAR, 0.0, 0.5 * np.exp(np.minimum(exponent, 0.0)) * erfcx(away))


def mass(n: Array, gamma: Any, low: Any, high: Any) -> Array:
    """The image's mass between two edges; zero if they are not in order."""
    mean = gamma + n
    above = tail(n, gamma, low, 1.0) - tail(n, gamma, high, 1.0)
    below = tail(n, gamma, high, -1.0) - tail(n, gamma, low, -1.0)
    around = np.exp(n * gamma) - tail(n, gamma, low, -1.0) - tail(n, gamma, high, 1.0)
    inside = np.where(low >= mean, above, np.where(high <= mean, below, around))
    return np.where(low < high, inside, 0.0)


def not_negative(value: Array) -> Array:
    """A value that is a rounding below zero, as zero."""
    return np.where(value < 0.0, 0.0, value)


def drift_gap(n: Array, q: Array, rate_time: Array) -> Array:
    """n - sqrt(n² + 2 rate_time) without cancellation."""
    return np.where(n > 0.0, -2.0 * rate_time / np.where(n > 0.0, n + q, 1.0), n - q)


def passage(n: Array, b: Array, gamma: Array, rate_time: Array) -> Array:
    """exp(n b) times the discounted chance that a driftless motion passes a point at distance gamma before expiry."""
    along, away = np.where(b < 0.0, -n, n), np.abs(b)
    square = n * n + 2.0 * rate_time
    q = np.sqrt(np.abs(square))
    exponent = -0.5 * (along - away) * (along - away) - rate_time - 0.5 * (gamma - away) * (gamma + away)
    half = 0.5 * np.exp(exponent)
    turning = 2.0 * half * faddeeva_real(q * ROOT, gamma * ROOT)
    near = half * erfcx(np.abs(gamma - q) * ROOT)
    sure = np.exp(away * drift_gap(along, q, rate_time) - (gamma - away) * q)
    real = half * erfcx((gamma + q) * ROOT) + np.where(gamma >= q, near, sure - near)
    return np.where(square < 0.0, turning, real)


def paying(call: NDArray[np.bool_], strike: Array, low: Any, high: Any) -> tuple[Array, Array]:
    """The edges between which a put or call pays, cut to low..high."""
    return np.where(call, np.maximum(strike, low), low), np.where(call, high, np.minimum(strike, high))


def claim(m: Market, call: NDArray[np.bool_], paid: Array, gamma: Any, at: tuple[Array, Array]) -> Array:
    """A put or call on the part of an image between two edges, as of today."""
    value = m.base * mass(m.n_base, gamma, *at) - paid * mass(m.n_counter, gamma, *at)
    return np.where(call, value, -value)
