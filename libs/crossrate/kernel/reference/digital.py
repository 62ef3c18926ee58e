"""Digital options: the numpy twin of xr/digital.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.reference.images import DEVIATION_MIN, log_ratio, market_of
from crossrate.kernel.reference.normal import density, distribution

Array = NDArray[np.float64]


@np.errstate(all="ignore")  # every branch is computed for all elements, also where it does not serve
def greeks(
    put_or_call: NDArray[np.int8],
    payout_currency: NDArray[np.int8],
    spot: Array,
    strike: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, Array, Array, Array]:
    """Rubinstein and Reiner (1991): price, delta, gamma, vega of one unit of the payout currency."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    in_base = payout_currency == 1
    m = market_of(spot, time, volatility, domestic_rate, foreign_rate)
    moneyness = log_ratio(spot, strike) / m.deviation
    d1, d2 = moneyness + m.n_base, moneyness + m.n_counter
    d, other = np.where(in_base, d1, d2), np.where(in_base, d2, d1)
    unit = np.where(in_base, m.base, m.counter)
    price = unit * distribution(sign * d)
    dense = np.where(m.deviation > DEVIATION_MIN, sign * unit * density(d), 0.0)
    delta = np.where(in_base, price / spot, 0.0) + dense / m.deviation / spot
    gamma = (np.where(in_base, 1.0, 0.0) - d1 / m.deviation) * (dense / m.deviation / spot / spot)
    return price, delta, gamma, -dense * other / np.maximum(volatility, DEVIATION_MIN)
