"""Touch options: the numpy twins of xr/touch.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference import corridor
from crossrate.kernel.reference.images import FAR, log_ratio, market_of, mass, not_negative, passage

Array = NDArray[np.float64]
Codes = NDArray[np.int8]


@np.errstate(all="ignore")  # every branch is computed for all elements, also where it does not serve
def price(
    touch_type: Codes,
    direction: Codes,
    payout_currency: Codes,
    spot: Array,
    barrier: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array]:
    """Rubinstein and Reiner (1991)."""
    up, in_base = direction == 1, payout_currency == 1
    m = market_of(spot, time, volatility, domestic_rate, foreign_rate)
    unit, n = np.where(in_base, m.base, m.counter), np.where(in_base, m.n_base, m.n_counter)
    b = log_ratio(barrier, spot) / m.deviation
    low, high = np.where(up, -FAR, b), np.where(up, b, FAR)
    image = mass(n, 2.0 * b, low, high)
    never = unit * not_negative(mass(n, 0.0, low, high) - image)
    once = unit * (mass(n, 0.0, np.where(up, b, -FAR), np.where(up, FAR, b)) + image)
    hit = np.where(in_base, barrier, 1.0) * passage(m.n_counter, b, np.abs(b), m.rate_time)
    touched = np.where(up, spot >= barrier, spot <= barrier)
    return (_chosen(touch_type, in_base, touched, spot, unit, (never, once, hit)),)


@np.errstate(all="ignore")  # every branch is computed for all elements, also where it does not serve
def double_price(
    touch_type: Codes,
    payout_currency: Codes,
    spot: Array,
    lower: Array,
    upper: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, NDArray[np.uint8]]:
    """The same with two barriers, by images or sines; and the reasons."""
    in_base = payout_currency == 1
    m = market_of(spot, time, volatility, domestic_rate, foreign_rate)
    unit, n = np.where(in_base, m.base, m.counter), np.where(in_base, m.n_base, m.n_counter)
    d, u = corridor.edges(m, spot, lower, upper)
    never = unit * not_negative(corridor.mass_inside(n, d, u, d, u))
    outside = mass(n, 0.0, np.full_like(d, -FAR), d) + mass(n, 0.0, u, np.full_like(u, FAR))
    by_images = not_negative(outside - corridor.images(n, d, u, d, u))
    once = unit * np.where(corridor.narrow(d, u), 1.0 - corridor.sines(n, d, u, d, u), by_images)
    hit = np.where(in_base, upper, 1.0) * corridor.passage_through(m.n_counter, u, d, m.rate_time)
    hit = hit + np.where(in_base, lower, 1.0) * corridor.passage_through(m.n_counter, d, u, m.rate_time)
    touched = (spot <= lower) | (spot >= upper)
    reasons = corridor.reasons(m, spot, lower, upper, touched | (touch_type != 2))
    value = _chosen(touch_type, in_base, touched, spot, unit, (never, once, hit))
    return np.where(reasons == Reason.OK, value, np.nan), reasons


def _chosen(
    touch_type: Codes,
    in_base: NDArray[np.bool_],
    touched: NDArray[np.bool_],
    spot: Array,
    unit: Array,
    alive: tuple[Array, Array, Array],
) -> Array:
    now = (np.zeros_like(spot), unit, np.where(in_base, spot, 1.0))
    values = [np.where(touched, done, waiting) for done, waiting in zip(now, alive, strict=True)]
    return np.where(touch_type == 0, values[0], np.where(touch_type == 1, values[1], values[2]))
