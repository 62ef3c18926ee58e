"""Options with one or two barriers: the numpy twins of xr/barrier.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference import corridor
from crossrate.kernel.reference.images import FAR, claim, log_ratio, market_of, mass, not_negative, passage, paying

Array = NDArray[np.float64]
Codes = NDArray[np.int8]


@np.errstate(all="ignore")  # every branch is computed for all elements, also where it does not serve
def price(
    put_or_call: Codes,
    barrier_type: Codes,
    spot: Array,
    strike: Array,
    barrier: Array,
    rebate: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array]:
    """Reiner and Rubinstein (1991), as the living part of a density and of its mirror image."""
    call, up, into = put_or_call == 1, barrier_type >= 2, barrier_type % 2 == 1
    m = market_of(spot, time, volatility, domestic_rate, foreign_rate)
    k, b, paid = log_ratio(strike, spot) / m.deviation, log_ratio(barrier, spot) / m.deviation, strike * m.counter
    touched = np.where(up, spot >= barrier, spot <= barrier)
    low, high = np.where(up, -FAR, b), np.where(up, b, FAR)
    alive = paying(call, k, low, high)
    beyond = paying(call, k, np.where(up, b, -FAR), np.where(up, FAR, b))
    image = claim(m, call, paid, 2.0 * b, alive)
    survived = mass(m.n_counter, 0.0, low, high) - mass(m.n_counter, 2.0 * b, low, high)
    knock_in = not_negative(image + claim(m, call, paid, 0.0, beyond)) + rebate * m.counter * survived
    paid_at_hit = rebate * passage(m.n_counter, b, np.abs(b), m.rate_time)
    knock_out = not_negative(claim(m, call, paid, 0.0, alive) - image) + paid_at_hit
    vanilla = claim(m, call, paid, 0.0, paying(call, k, -FAR, FAR))
    return (np.where(touched, np.where(into, vanilla, rebate), np.where(into, knock_in, knock_out)),)


@np.errstate(all="ignore")  # every branch is computed for all elements, also where it does not serve
def double_price(
    put_or_call: Codes,
    knock: Codes,
    spot: Array,
    strike: Array,
    lower: Array,
    upper: Array,
    rebate: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, NDArray[np.uint8]]:
    """Ikeda and Kunitomo (1992) for flat barriers, or Pelsser (2000) in narrow corridors; and the reasons."""
    call, into = put_or_call == 1, knock == 1
    m = market_of(spot, time, volatility, domestic_rate, foreign_rate)
    k, paid = log_ratio(strike, spot) / m.deviation, strike * m.counter
    outside = (spot <= lower) | (spot >= upper)
    d, u = corridor.edges(m, spot, lower, upper)
    at = paying(call, k, d, u)
    vanilla = claim(m, call, paid, 0.0, paying(call, k, -FAR, FAR))
    bought = m.base * corridor.mass_inside(m.n_base, d, u, *at)
    sold = paid * corridor.mass_inside(m.n_counter, d, u, *at)
    surviving = np.where(call, bought - sold, sold - bought)
    beyond = claim(m, call, paid, 0.0, paying(call, k, -FAR, d)) + claim(m, call, paid, 0.0, paying(call, k, u, FAR))
    imaged = m.base * corridor.images(m.n_base, d, u, *at) - paid * corridor.images(m.n_counter, d, u, *at)
    by_images = beyond - np.where(at[0] < at[1], np.where(call, imaged, -imaged), 0.0)
    by_sines = beyond + claim(m, call, paid, 0.0, at) - surviving
    leaving = not_negative(np.where(corridor.narrow(d, u), by_sines, by_images))
    leaving = leaving + rebate * m.counter * corridor.mass_inside(m.n_counter, d, u, d, u)
    hit = corridor.passage_through(m.n_counter, u, d, m.rate_time)
    hit = hit + corridor.passage_through(m.n_counter, d, u, m.rate_time)
    knocked_out = not_negative(surviving) + np.where(rebate == 0.0, 0.0, rebate * hit)
    value = np.where(outside, np.where(into, vanilla, rebate), np.where(into, leaving, knocked_out))
    reasons = corridor.reasons(m, spot, lower, upper, outside | into | (rebate == 0.0))
    return np.where(reasons == Reason.OK, value, np.nan), reasons
