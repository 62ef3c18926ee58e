"""The normal distribution in numpy alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_erfc = np.frompyfunc(math.erfc, 1, 1)


def density(x: Array) -> Array:
    """The standard normal density."""
    return np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def distribution(x: Array) -> Array:
    """The standard normal distribution function, accurate in relative terms in its lower tail."""
    return 0.5 * np.asarray(_erfc(-np.asarray(x, np.float64) * math.sqrt(0.5)), np.float64)
