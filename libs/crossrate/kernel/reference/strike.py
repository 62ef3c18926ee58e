"""Strikes and deltas: the numpy twins of xr/strike.h."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.normal import density, distribution

Array = NDArray[np.float64]
Code = NDArray[np.int8]
Reasons = NDArray[np.uint8]

STEPS_MAX = 100
_quantile = np.frompyfunc(NormalDist().inv_cdf, 1, 1)


def is_level(values: Array) -> NDArray[np.bool_]:
    """Whether numbers may be strikes."""
    return (values >= 1e-60) & (values <= 1e60)


def delta_factor(convention: Code, foreign_rate: Array, time: Array) -> Array:
    """What divides a spot delta so that it becomes a forward delta."""
    return np.where(convention & 1, 1.0, np.exp(-foreign_rate * time))


def log_distribution(y: Array) -> tuple[Array, Array]:
    """The logarithm of the normal distribution function, and its slope."""
    y = np.asarray(y, np.float64)
    near = np.maximum(y, -20.0)
    below = distribution(near)
    above = np.log1p(-distribution(-np.maximum(near, 1.0)))
    logarithm = np.where(y > 1.0, above, np.log(below))
    slope = density(near) / below
    far = np.minimum(y, -20.0)
    r = 1.0 / (far * far)
    rest = np.zeros_like(r)
    for term in (2027025.0, -135135.0, 10395.0, -945.0, 105.0, -15.0, 3.0, -1.0):
        rest = r * (term + rest)
    tail = -0.5 * far * far - np.log(-far * np.sqrt(2.0 * np.pi)) + np.log1p(rest)
    return np.where(y < -20.0, tail, logarithm), np.where(y < -20.0, -far / (1.0 + rest), slope)


def _adjusted(slope: Array, level: Array) -> tuple[Array, Reasons]:
    """The root of slope y + log N(y) = level, by Newton's steps alone; see delta_strike.h for why they suffice."""
    y = np.minimum(slope, 0.0)
    reasons = np.full(y.shape, Reason.NOT_CONVERGED, np.uint8)
    at = np.arange(y.size)
    for each in range(STEPS_MAX):
        if at.size == 0:
            break
        value, hazard = log_distribution(y[at])
        h = slope[at] * y[at] + value - level[at]
        ascent = slope[at] + hazard
        over = ~(ascent > 0.0)
        touches = h >= -4e-16 * (1.0 + np.abs(level[at]))
        step = np.where(over, 0.0, -h / np.where(over, 1.0, ascent))
        y[at] += step
        done = ~over & ((np.abs(step) <= 2e-16 * (1.0 + np.abs(y[at]))) | ((each > 0) & (step < 0.0)))
        reasons[at[done | (over & touches)]] = Reason.OK
        reasons[at[over & ~touches]] = Reason.NO_SOLUTION
        at = at[~(done | over)]
    return y, reasons


def moneyness_of_delta(call: Code, convention: Code, x: Array, s: Array) -> tuple[Array, Reasons]:
    """log(K/F) of the strike with an unsigned forward delta x, and why there is none."""
    away = np.where(call == 1, -s, s)
    adjusted = (convention & 2) > 0
    fine = (x > 0.0) & (s > 0.0) & (adjusted | (x < 1.0))
    reasons = np.where(fine, Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)
    moneyness = np.full(x.shape, np.nan)
    closed = fine & ~adjusted
    moneyness[closed] = away[closed] * _quantile(x[closed]).astype(np.float64) + 0.5 * s[closed] ** 2
    solved = fine & adjusted
    half = 0.5 * s[solved] ** 2
    y, reasons[solved] = _adjusted(away[solved], np.log(x[solved]) + half)
    moneyness[solved] = away[solved] * y - half
    return moneyness, reasons


def moneyness_atm(atm: Code, convention: Code, s: Array, carry: Array) -> Array:
    """log(K/F) of the at-the-money strike."""
    neutral = np.where(convention & 2, -0.5, 0.5) * s * s
    return np.select([atm == 0, atm == 2], [np.zeros_like(s), -carry], neutral)


def delta(
    put_or_call: Code,
    delta_convention: Code,
    spot: Array,
    strike: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, Reasons]:
    """Delta in the four conventions: Reiswich and Wystup (2010)."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    s = np.maximum(volatility * np.sqrt(time), 1e-300)
    moneyness = np.log(strike / spot) - (domestic_rate - foreign_rate) * time
    factor = sign * delta_factor(delta_convention, foreign_rate, time)
    with np.errstate(over="ignore", invalid="ignore"):
        paid = distribution(sign * (-moneyness / s - 0.5 * s))
        ratio = strike / spot * np.exp((foreign_rate - domestic_rate) * time)
        adjusted = np.where(paid > 0.0, factor * ratio * paid, 0.0)
        plain = factor * distribution(sign * (0.5 * s - moneyness / s))
    found = np.where(delta_convention & 2, adjusted, plain)
    reasons = np.where(np.abs(found) <= 1e60, Reason.OK, Reason.NO_SOLUTION).astype(np.uint8)
    return np.where(reasons == 0, found, np.nan), reasons


def from_delta(
    put_or_call: Code,
    delta_convention: Code,
    spot: Array,
    delta: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, Reasons]:
    """Strike of a delta: the equations of `delta`, solved for the strike."""
    x = np.where(put_or_call == 1, delta, -delta) / delta_factor(delta_convention, foreign_rate, time)
    moneyness, reasons = moneyness_of_delta(put_or_call, delta_convention, x, volatility * np.sqrt(time))
    return _strike(spot, moneyness + (domestic_rate - foreign_rate) * time, reasons)


def atm(
    atm_convention: Code,
    delta_convention: Code,
    spot: Array,
    time: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, Reasons]:
    """Strike at the money: Reiswich and Wystup (2010)."""
    carry = (domestic_rate - foreign_rate) * time
    moneyness = moneyness_atm(atm_convention, delta_convention, volatility * np.sqrt(time), carry)
    strike, reasons = _strike(spot, moneyness + carry, np.zeros(spot.shape, np.uint8))
    return np.where(atm_convention == 2, spot, strike), reasons


def _strike(spot: Array, log_ratio: Array, reasons: Reasons) -> tuple[Array, Reasons]:
    """Spot times exp(log_ratio) where that may be a strike."""
    with np.errstate(over="ignore", invalid="ignore"):
        strike = spot * np.exp(log_ratio)
        lost = (reasons == 0) & ~is_level(strike)
    reasons = np.where(lost, Reason.NO_SOLUTION, reasons).astype(np.uint8)
    return np.where(reasons == 0, strike, np.nan), reasons
