"""A Brownian motion killed at either of two barriers: the twin of libs/kernel/src/corridor.h."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.images import Market, drift_gap, log_ratio, mass, passage

Array = NDArray[np.float64]

SINES_BELOW = 1.0 / 0.6
IMAGES = 4
SINES = 5
PASSAGE_SINES_BELOW = 1.0 / 1.44
PASSAGE_IMAGES = 6


def edges(m: Market, spot: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """The barriers in units of the deviation; where the spot is not between them, a corridor that bears no result."""
    fine = (lower < spot) & (spot < upper)
    down = log_ratio(np.where(fine, lower, spot / math.e), spot) / m.deviation
    return down, log_ratio(np.where(fine, upper, spot * math.e), spot) / m.deviation


def narrow(d: Array, u: Array) -> NDArray[np.bool_]:
    """Where sines serve for masses."""
    return (u - d) * (u - d) < SINES_BELOW


def images(n: Array, d: Array, u: Array, low: Array, high: Array) -> Array:
    """The images' mass between two edges of the corridor, without the true start's."""
    w = u - d
    total = -mass(n, 2.0 * u, low, high) - mass(n, 2.0 * d, low, high)
    for j in range(1, IMAGES + 1):
        total = total + mass(n, 2.0 * j * w, low, high) + mass(n, -2.0 * j * w, low, high)
        total = total - mass(n, 2.0 * u + 2.0 * j * w, low, high) - mass(n, 2.0 * d - 2.0 * j * w, low, high)
    return total


def sines(n: Array, d: Array, u: Array, low: Array, high: Array) -> Array:
    """The surviving mass between two edges of a narrow corridor."""
    w = u - d

    def antiderivative(theta: Array, x: Array) -> Array:
        at = theta * (x - d)
        return np.exp(n * x - 0.5 * n * n) * (n * np.sin(at) - theta * np.cos(at)) / (n * n + theta * theta)

    total = np.zeros_like(w)
    for k in range(1, SINES + 1):
        theta = k * math.pi / w
        start = 2.0 / w * np.sin(-theta * d) * np.exp(-0.5 * theta * theta)
        total = total + start * (antiderivative(theta, high) - antiderivative(theta, low))
    return total


def mass_inside(n: Array, d: Array, u: Array, low: Array, high: Array) -> Array:
    """The mass between two edges of the corridor that never left the corridor."""
    by_images = mass(n, 0.0, low, high) + images(n, d, u, low, high)
    return np.where(low < high, np.where(narrow(d, u), sines(n, d, u, low, high), by_images), 0.0)


def passage_through(n: Array, b: Array, other: Array, rate_time: Array) -> Array:
    """Today's value of one unit paid when b is touched before the other barrier and before expiry."""
    near, far = np.abs(b), np.abs(other)
    w = near + far
    wide = passage(n, b, near, rate_time)
    for j in range(1, PASSAGE_IMAGES + 1):
        wide = wide + passage(n, b, 2.0 * j * w + near, rate_time) - passage(n, b, 2.0 * j * w - near, rate_time)
    square = n * n + 2.0 * rate_time
    later = np.zeros_like(w)
    for k in (1, 2, 3):
        theta = k * math.pi / w
        decay = 0.5 * (square + theta * theta)
        later = later + (1 if k % 2 else -1) * k * np.sin(theta * far) * np.exp(n * b - decay) / decay
    slim = _stationary(n, b, far, w, square, rate_time) - math.pi / (w * w) * later
    return np.where(w * w >= PASSAGE_SINES_BELOW, wide, slim)


def reasons(m: Market, spot: Array, lower: Array, upper: Array, no_hit: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Barriers out of order, and payments at hit that grow faster than the chance to survive decays."""
    d, u = edges(m, spot, lower, upper)
    w = u - d
    fine = (w * w >= PASSAGE_SINES_BELOW) | (m.n_counter**2 + 2.0 * m.rate_time >= -0.5 * math.pi * math.pi / (w * w))
    late = np.where(fine | no_hit, Reason.OK, Reason.NOT_CONVERGED)
    return np.where(lower < upper, late, Reason.INCONSISTENT).astype(np.uint8)


def _stationary(n: Array, b: Array, a: Array, w: Array, square: Array, rate_time: Array) -> Array:
    q = np.sqrt(np.abs(square))
    along = np.where(b < 0.0, -n, n)
    turning = np.exp(n * b) * np.sin(q * a) / np.sin(q * w)
    straight = np.exp(n * b) * a / w
    damped = np.exp(np.abs(b) * drift_gap(along, q, rate_time)) * np.expm1(-2.0 * q * a) / np.expm1(-2.0 * q * w)
    return np.where(square < 0.0, turning, np.where(q * w < 1e-8, straight, damped))
