"""Quantiles from four moments: the expansion of Cornish and Fisher (1937), as Zangari (1996) uses it for value at risk.

    w(z) = z + (z² − 1)·S/6 + (z³ − 3z)·K/24 − (2z³ − 5z)·S²/36

The kernel has it too, and refuses moments at which w does not ascend everywhere. A book on one pair is among them: with
little gamma K is 4/3·S², where w bends back, however little gamma there is, far out where nothing lies. Here w has to
ascend where it is used: from the quantile to where a hundredth of the tail is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import normal

Array = NDArray[np.float64]

LEFT = 0.01
"""Share of the tail beyond which the expansion may bend."""


def measures(skewness: Array, kurtosis: Array, level: float) -> tuple[Array, Array]:
    """Value at risk and expected shortfall of mean 0 and deviation 1, losses positive.

    The mean of w below the quantile is that of Hermite polynomials: of Heₙ it is −Heₙ₋₁ times the density.
    """
    q, s, k = _quantile(1.0 - level), skewness / 6.0, kurtosis / 24.0
    value = q + s * (q * q - 1.0) + k * (q**3 - 3.0 * q) - s * s * (2.0 * q**3 - 5.0 * q)
    tail = 1.0 + s * q + k * (q * q - 1.0) - s * s * (2.0 * (q * q - 1.0) + 1.0)
    return -value, tail * _density(q) / (1.0 - level)


def slopes(skewness: float, kurtosis: float, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Derivatives of both measures, each to skewness and to kurtosis."""
    q = _quantile(1.0 - level)
    scale = _density(q) / (1.0 - level)
    value = (-(q * q - 1.0) / 6.0 + (2.0 * q**3 - 5.0 * q) * skewness / 18.0, -(q**3 - 3.0 * q) / 24.0)
    tail = ((q / 6.0 - (2.0 * (q * q - 1.0) + 1.0) * skewness / 18.0) * scale, (q * q - 1.0) / 24.0 * scale)
    return value, tail


def ascends(skewness: Array, kurtosis: Array, level: float) -> NDArray[np.bool_]:
    """Whether w ascends in the tail at these moments. Its derivative is a parabola."""
    s, k = skewness / 6.0, kurtosis / 24.0
    bend, constant = 3.0 * k - 6.0 * s * s, 1.0 - 3.0 * k + 5.0 * s * s
    low, high = _quantile((1.0 - level) * LEFT), _quantile(1.0 - level)

    def slope(z: Array | float) -> Array:
        return bend * z * z + 2.0 * s * z + constant

    convex = bend > 0.0
    vertex = np.clip(-s / np.where(convex, bend, 1.0), low, high)
    return (slope(low) > 0.0) & (slope(high) > 0.0) & (~convex | (slope(vertex) > 0.0))


def _quantile(probability: float) -> float:
    return float(normal.quantile(probability))


def _density(z: float) -> float:
    return float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
