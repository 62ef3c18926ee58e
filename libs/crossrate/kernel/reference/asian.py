"""Asian options: the numpy twin of xr/asian.h, whose source explains the method."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason
from crossrate.kernel.reference.american import COSINE, SINE, WEIGHT
from crossrate.kernel.reference.normal import distribution

Array = NDArray[np.float64]

PANELS_MAX = 64
SCALED_FROM = 600.0
VANISHING = 1e-280


@np.errstate(all="ignore")  # elements whose payoff is certain are computed too, and dropped
def price(
    put_or_call: NDArray[np.int8],
    spot: Array,
    strike: Array,
    first_fixing: Array,
    time: Array,
    fixings: Array,
    fixed_weight: Array,
    fixed_average: Array,
    volatility: Array,
    domestic_rate: Array,
    foreign_rate: Array,
) -> tuple[Array, NDArray[np.uint8]]:
    """Levy (1992): a lognormal average with its true first two moments. And the reasons."""
    sign = np.where(put_or_call == 1, 1.0, -1.0)
    discount, open_share = np.exp(-domestic_rate * time), 1.0 - fixed_weight
    owed = strike - fixed_weight * fixed_average
    fine = first_fixing <= time
    markets = zip(first_fixing, time, fixings, domestic_rate - foreign_rate, volatility**2, fine, strict=True)
    found = [_moments(*map(float, each[:5])) if each[5] else (0.0, 0.0) for each in markets]
    log_mean, variance = np.array(found).reshape(-1, 2).T
    paid = open_share * spot * np.exp(log_mean - domestic_rate * time)
    deviation = np.maximum(np.sqrt(variance), 1e-100)
    d1 = (np.log(open_share * spot / owed) + log_mean) / deviation + 0.5 * deviation
    value = sign * (paid * distribution(sign * d1) - owed * discount * distribution(sign * (d1 - deviation)))
    value = np.where(owed <= 0.0, np.where(sign > 0.0, paid - discount * owed, 0.0), value)
    value = np.where(open_share == 0.0, discount * np.maximum(-sign * owed, 0.0), value)
    late = np.where(np.isnan(value), Reason.NOT_CONVERGED, Reason.OK)
    return value, np.where(fine, late, Reason.INCONSISTENT).astype(np.uint8)


def _moments(first: float, time: float, fixings: float, carry: float, variance_rate: float) -> tuple[float, float]:
    """Log of the average's mean over spot, and the variance of its log."""
    length = time - first
    if fixings == 0 and length > 0.0:
        bend = (variance_rate + 2.0 * abs(carry)) * length
        panels = 1 + int(min(bend / 16.0, PANELS_MAX - 1.0))
        times = first + length * (np.arange(panels)[:, None] + SINE**2).reshape(-1) / panels
        weights = np.tile(2.0 * WEIGHT * SINE * COSINE / panels, panels)
        largest = max(carry * time, carry * first)
        forward = np.exp(carry * times - largest)
        left = time - times
        growth = carry * left
        mean_growth = np.where(np.abs(growth) < 1e-12, 1.0, np.expm1(growth) / np.where(growth == 0.0, 1.0, growth))
        far = (math.exp(carry * time - largest) - forward) / (carry if carry != 0.0 else 1.0)
        later = np.where(np.abs(growth) < 1.0, forward * left * mean_growth, far)
        terms, count = weights * 2.0 * forward * later / length, 1.0
        total = float((weights * forward).sum())
    else:
        count = max(fixings, 1.0)
        times = np.linspace(first, time, int(count)) if count > 1 else np.array([time])
        largest = float((carry * times).max())
        forward = np.exp(carry * times - largest)
        later = np.cumsum(forward[::-1])[::-1] - forward
        terms, total = forward * (forward + 2.0 * later), float(forward.sum())
    top = variance_rate * time if variance_rate * time > SCALED_FROM else 0.0
    spread = np.exp(variance_rate * times - top) if top > 0.0 else np.expm1(variance_rate * times)
    ratio = float((terms * spread).sum()) / total / total
    if top > 0.0 and not ratio > VANISHING:
        return math.nan, math.nan
    return largest + math.log(total / count), top + math.log(ratio) if top > 0.0 else math.log1p(ratio)
