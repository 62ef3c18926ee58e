"""Evidence on one rate, at any time: the building block of rates and of quantiles.

The likelihood of a rate with odds r times those of θ, over the likelihood of θ, after k events of n is

    r^k / (1 + θ (r − 1))^n

For r > 1 its expectation is at most one under every rate up to θ, for r < 1 under every rate from θ on, whenever one
stops (Ville 1939). So is the average over a fixed set of r (the method of mixtures: Robbins 1970; Howard, Ramdas,
McAuliffe and Sekhon 2021, section 3.2), which needs no guess of the effect. Each term falls in θ for r > 1 and rises
for r < 1.
"""

from __future__ import annotations

import math

import numpy as np

ODDS_UP = np.geomspace(1.03, 400.0, 24)
"""Ratios of odds that a higher rate may have."""

ODDS_DOWN = 1 / ODDS_UP
"""Ratios of odds that a lower rate may have."""

_LOG_UP = np.log(ODDS_UP)
_LOG_COUNT = math.log(len(ODDS_UP))


def log_evidence(events: float, n: float, rate: float, above: bool) -> float:
    """Logarithm of the e-value against "the rate is at most `rate`" (above) or "at least `rate`" (not above).

    Args:
        events: how many of n; 0 ≤ events ≤ n.
        n: how many were seen.
        rate: from 0 to 1.
        above: whether evidence for a higher rate is asked for.

    Returns:
        At most n log 400; ≥ log(1/α) happens at any time at all with a chance of at most α, if the hypothesis holds.
    """
    if n == 0:
        return 0.0
    logs = _LOG_UP if above else -_LOG_UP
    odds = ODDS_UP if above else ODDS_DOWN
    return log_mean(events * logs - n * np.log1p(rate * (odds - 1)))


def log_mean(logs: np.ndarray) -> float:
    """Logarithm of the mean of numbers that are given by their logarithms."""
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum())) - math.log(len(logs))


def rate_bounds(events: float, n: float, alpha: float) -> tuple[float, float]:
    """Bounds that hold the rate at all times at once with a chance of at least 1 − alpha.

    Solved for each term of the mixture alone, which is wider by a little and needs no search: θ is excluded once
    r^k / (1 + θ (r − 1))^n ≥ 2 |r| / α for one of the |r| ratios.

    Returns:
        From 0 to 1; (0, 1) while nothing was seen.
    """
    if n == 0:
        return 0.0, 1.0
    enough = math.log(2 / alpha) + _LOG_COUNT
    reach = np.minimum((events * _LOG_UP - enough) / n, 50.0)
    lower = float((np.expm1(reach) / (ODDS_UP - 1)).max())
    # The share of what is no event has odds that are the inverse.
    rest = np.minimum(((n - events) * _LOG_UP - enough) / n, 50.0)
    upper = 1 - float((np.expm1(rest) / (ODDS_UP - 1)).max())
    return max(lower, 0.0), min(upper, 1.0)


def divergence(a: float, b: float) -> float:
    """Kullback–Leibler divergence of a rate a from a rate b, in nats; infinite where b rules out what a has."""
    total = 0.0
    for p, q in ((a, b), (1 - a, 1 - b)):
        if p > 0:
            total += math.inf if q <= 0 else p * math.log(p / q)
    return max(total, 0.0)
