"""American options: the numpy twin of xr/american.h, whose source explains the method."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density, distribution

Array = NDArray[np.float64]

DEGREE = 12
ITERATIONS = 200
STEADY = 1e-10
MISMATCH = 1e-7
STEPS = 1024
TREE_DEVIATION = 10.0
TREE_REACH = 200.0
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(32)
SINE, COSINE = np.sin((POINTS + 1.0) * math.pi / 4.0), np.cos((POINTS + 1.0) * math.pi / 4.0)
WEIGHT = WEIGHTS * math.pi / 4.0
SHARE = 0.5 - 0.5 * np.cos(np.arange(DEGREE + 1) * math.pi / DEGREE)


def _fit() -> Array:
    """The matrix from log(B/start)² at the nodes to Chebyshev coefficients."""
    order = np.arange(DEGREE + 1)
    matrix = np.cos(math.pi * np.outer(order, DEGREE - order) / DEGREE) * 2.0 / DEGREE
    matrix[[0, -1]] /= 2.0
    matrix[:, [0, -1]] /= 2.0
    return matrix


FIT = _fit()


@np.errstate(all="ignore")  # elements without a boundary are computed too, and dropped
def price(
    put_or_call: NDArray[np.int8],
    spot: Array,
    strike: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, NDArray[np.uint8]]:
    """Andersen, Lake and Offengenden (2016), or trees; a call is the put of the other currency. And the reasons."""
    call = put_or_call == 1
    r, q = np.where(call, foreign_rate, domestic_rate), np.where(call, domestic_rate, foreign_rate)
    y, unit = np.where(call, strike / spot, spot / strike), np.where(call, spot, strike)
    deviation = volatility * np.sqrt(time)
    european = _european(y, time, deviation, r, q)
    value = np.full(y.shape, np.nan)
    early = (r > 0.0) | (q < r)
    for at in np.flatnonzero((r > 0.0) & (deviation > 1e-6)):
        value[at] = _by_boundary(*(float(each[at]) for each in (y, time, volatility, r, q)))
    within = (deviation <= TREE_DEVIATION) & (np.abs(np.log(y)) + np.abs(r - q) * time <= TREE_REACH)
    for at in np.flatnonzero(early & np.isnan(value) & within):
        market = tuple(float(each[at]) for each in (y, time, volatility, r, q))
        fine, coarse = (0.5 * (_tree(*market, n) + _tree(*market, n - 1)) for n in (STEPS, STEPS // 2))
        value[at] = 2.0 * fine - coarse
    value = np.where(
        early, np.where(np.isnan(value), np.nan, np.maximum(np.maximum(value, european), 1.0 - y)), european
    )
    reasons = np.where(np.isnan(value), Reason.NOT_CONVERGED, Reason.OK).astype(np.uint8)
    return unit * value, reasons


def _european(y: Any, time: Any, deviation: Any, r: Any, q: Any) -> Any:
    s = np.maximum(deviation, 1e-100)
    d_minus = (np.log(y) + (r - q) * time) / s - 0.5 * s
    return np.exp(-r * time) * distribution(-d_minus) - y * np.exp(-q * time) * distribution(-d_minus - s)


def _log_boundary(coefficient: Array, share: Array) -> Array:
    square = np.polynomial.chebyshev.chebval(2.0 * share - 1.0, coefficient)
    return -np.sqrt(np.maximum(square, 0.0))


def _improved(
    coefficient: Array, boundary: Array, start: float, time: float, volatility: float, r: float, q: float
) -> Array:
    """The next boundary at all nodes but the first: one row a node, one column an angle."""
    share = SHARE[1:, None]
    t, root = time * share * share, volatility * math.sqrt(time) * share
    past, ahead, s = t * COSINE**2, t * SINE**2, root * SINE
    gap = np.log(boundary / start)[:, None] - _log_boundary(coefficient, share * COSINE)
    d_minus = (gap + (r - q) * ahead) / s - 0.5 * s
    carry, discount = (2.0 * WEIGHT * COSINE * np.exp(rate * past) for rate in (q, r))
    k1 = (carry * SINE * distribution(d_minus + s)).sum(1)
    t, root = t[:, 0], root[:, 0]
    middle = (np.log(boundary) + (r - q) * t) / root - 0.5 * root
    plus = middle + root
    if q >= 0.0 and abs(r - q) <= 0.5 * volatility**2:
        k2, k3 = (carry * density(d_minus + s)).sum(1), (discount * density(d_minus)).sum(1)
        spread = t / root
        above = density(middle) / root + r * spread * k3
        below = distribution(plus) + density(plus) / root + q * (t * k1 + spread * k2)
    else:
        above = distribution(middle) + r * t * (discount * SINE * distribution(d_minus)).sum(1)
        below = distribution(plus) + q * t * k1
    return np.asarray(np.exp(-(r - q) * t) * above / below)


def _with_premium(
    coefficient: Array, y: float, start: float, time: float, volatility: float, r: float, q: float
) -> float:
    ahead, s = time * SINE**2, volatility * math.sqrt(time) * SINE
    gap = math.log(y / start) - _log_boundary(coefficient, COSINE)
    d_minus = (gap + (r - q) * ahead) / s - 0.5 * s
    earned = r * np.exp(-r * ahead) * distribution(-d_minus)
    earned = earned - q * y * np.exp(-q * ahead) * distribution(-d_minus - s)
    premium = float((2.0 * WEIGHT * SINE * COSINE * earned).sum()) * time
    return float(_european(y, time, volatility * math.sqrt(time), r, q)) + premium


def _by_boundary(y: float, time: float, volatility: float, r: float, q: float) -> float:
    start, variance = (r / q if q > r else 1.0), volatility * volatility
    mu = (r - q) / variance - 0.5
    power = -mu - math.sqrt(mu * mu + 2.0 * r / variance)
    forever = min(max(power / (power - 1.0), 1e-8), start)
    boundary = start * (forever / start) ** -np.expm1(-2.0 * volatility * math.sqrt(time) * SHARE)
    change = math.inf
    for _ in range(ITERATIONS):
        coefficient = FIT @ np.log(boundary / start) ** 2
        better = np.minimum(_improved(coefficient, boundary[1:], start, time, volatility, r, q), start)
        if not (better > 1e-12).all():
            return math.nan
        change = float(np.abs(better / boundary[1:] - 1.0).max())
        boundary[1:] = better
        if change <= STEADY:
            break
    if change > STEADY:
        return math.nan
    coefficient, now = FIT @ np.log(boundary / start) ** 2, float(boundary[-1])
    market = (start, time, volatility, r, q)
    if not abs(_with_premium(coefficient, now, *market) - (1.0 - now)) < MISMATCH:
        return math.nan
    return 1.0 - y if y <= now else _with_premium(coefficient, y, *market)


def _tree(y: float, time: float, volatility: float, r: float, q: float, steps: int) -> float:
    dt = time / steps
    step = max(volatility * math.sqrt(dt), 1e-150)
    drift = (r - q) * dt - 0.5 * volatility * volatility * dt
    discount = math.exp(-r * dt)
    up = discount * (math.expm1(0.5 * step * step) - math.expm1(-step)) / (math.expm1(step) - math.expm1(-step))
    down = discount - up
    power = np.exp(2.0 * step * np.arange(steps))
    spots = y * np.exp((steps - 1) * (drift - step)) * power
    value = np.maximum(_european(spots, dt, step, r, q), 1.0 - spots)
    for i in range(steps - 2, -1, -1):
        spots = y * np.exp(i * (drift - step)) * power[: i + 1]
        value = np.maximum(up * value[1:] + down * value[:-1], 1.0 - spots)
    return float(value[0])
