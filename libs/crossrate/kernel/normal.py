"""The standard normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import PROBABILITY
from crossrate.kernel.front import Elementwise
from crossrate.kernel.reference import normal as reference

_QUANTILE = Elementwise(
    "xr_normal_quantile", {"probability": PROBABILITY}, ("quantile",), lambda p: (reference.quantile(p),)
)


def quantile(probability: Any, *, threads: int = 1) -> NDArray[np.float64]:
    """The number below which a standard normal variable lies with a given probability (Wichura 1988, AS 241, PPND16).

    Args:
        probability: inside of (0, 1): from 1e-300 to 1 - 2**-53.
        threads: how many threads share the work.

    Returns:
        float64, the argument's shape. Within 1e-15 of the exact value, relative to it.

    Raises:
        ArgumentError: an element was refused; names its index.
        TypeError: the argument is not numeric or has another dtype.
    """
    return _QUANTILE(probability, threads=threads)[0]
