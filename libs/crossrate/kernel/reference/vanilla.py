"""European vanilla options: the numpy twins of xr/vanilla.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.normal import distribution

Array = NDArray[np.float64]


def price(
    put_or_call: NDArray[np.int8],
    spot: Array,
    strike: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array]:
    """Garman and Kohlhagen (1983), equation 9, for calls and puts."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    deviation = np.maximum(volatility * np.sqrt(time), 1e-300)
    d1 = (np.log(spot / strike) + (domestic_rate - foreign_rate) * time) / deviation + 0.5 * deviation
    d2 = d1 - deviation
    paid = spot * np.exp(-foreign_rate * time) * distribution(sign * d1)
    return (sign * (paid - strike * np.exp(-domestic_rate * time) * distribution(sign * d2)),)
