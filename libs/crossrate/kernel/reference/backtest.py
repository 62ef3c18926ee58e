"""Backtests of value at risk: the numpy twins of xr/backtest.h; binomial.h has the sources."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.domain import PROBABILITY, Codes
from crossrate.kernel.faults import Reason
from crossrate.kernel.ragged import first_fault

Array = NDArray[np.float64]


def stirling_rest(n: float) -> float:
    """log(n!) less Stirling's formula, of a whole number."""
    if n < 16.0:
        exact = math.log(math.factorial(int(n)))
        return exact - (0.5 * math.log(2.0 * math.pi * n) + n * math.log(n) - n) if n else 0.0
    r = 1.0 / (n * n)
    return (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / n


def deviance(x: float, mean: float) -> float:
    """x log(x / mean) + mean − x, without cancellation where both are close (Loader 2000)."""
    if x == 0.0:
        return mean
    if abs(x - mean) < 0.1 * (x + mean):
        v = (x - mean) / (x + mean)
        total, term = (x - mean) * v, 2.0 * x * v
        for j in range(3, 60, 2):
            term *= v * v
            total += term / j
        return total
    return x * math.log(x / mean) + mean - x


def mass(x: float, n: float, p: float) -> float:
    """The binomial probability of exactly x (Loader 2000)."""
    if x == 0.0:
        return math.exp(n * math.log1p(-p))
    if x == n:
        return math.exp(n * math.log(p))
    rest = stirling_rest(n) - stirling_rest(x) - stirling_rest(n - x)
    scale = n / (2.0 * math.pi * x * (n - x))
    return math.sqrt(scale) * math.exp(rest - deviance(x, n * p) - deviance(n - x, n * (1.0 - p)))


def tails(x: float, n: float, p: float) -> tuple[float, float]:
    """P(X ≤ x) and P(X ≥ x), each summed on its side of the mean."""
    odds, own = p / (1.0 - p), mass(x, n, p)
    total, term, k = own, own, x
    if x < n * p:
        while k > 0.0 and term > 1e-17 * total:
            term *= k / ((n - k + 1.0) * odds)
            total, k = total + term, k - 1.0
        return min(total, 1.0), 1.0 - (total - own)
    while k < n and term > 1e-17 * total:
        term *= (n - k) * odds / (k + 1.0)
        total, k = total + term, k + 1.0
    return 1.0 - (total - own), min(total, 1.0)


def survival_one(x: float) -> float:
    """Of the chi-square distribution with one degree of freedom: that of a squared normal."""
    return math.erfc(math.sqrt(0.5 * max(x, 0.0)))


def survival_two(x: float) -> float:
    """Of the chi-square distribution with two degrees of freedom: an exponential."""
    return math.exp(-0.5 * max(x, 0.0))


def _proportion_ratio(x: float, n: float, p: float) -> float:
    return 2.0 * (deviance(x, n * p) + deviance(n - x, n * (1.0 - p)))


def _above(breaches: Array, observations: Array) -> NDArray[np.uint8]:
    return np.where(breaches > observations, Reason.INCONSISTENT, Reason.OK).astype(np.uint8)


def failures(breaches: Array, observations: Array, probability: Array) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Kupiec (1995): the likelihood ratio of the proportion of failures, and its p-value."""
    reasons, statistic = _above(breaches, observations), np.full(breaches.size, np.nan)
    for i in np.flatnonzero(reasons == 0):
        statistic[i] = _proportion_ratio(breaches[i], observations[i], probability[i])
    return statistic, np.array([survival_one(x) if x == x else x for x in statistic]), reasons


def zone(breaches: Array, observations: Array, probability: Array) -> tuple[Array, Array, Array, NDArray[np.uint8]]:
    """The Basel Committee's zones (1996): P(X ≤ x), P(X ≥ x), zone."""
    reasons, both = _above(breaches, observations), np.full((breaches.size, 2), np.nan)
    for i in np.flatnonzero(reasons == 0):
        both[i] = tails(float(breaches[i]), float(observations[i]), float(probability[i]))
    colour = np.where(reasons > 0, np.nan, (both[:, 0] >= 0.95) * 1.0 + (both[:, 0] >= 0.9999))
    return both[:, 0], both[:, 1], colour, reasons


def sequence(
    offsets: NDArray[np.int64],
    breach: NDArray[np.int8],
    probability: Array,
    transitions: Array,
    statistic: Array,
    p_value: Array,
) -> int:
    """Christoffersen (1998): fills transitions, likelihood ratios and p-values; the fault, or 0."""
    fault = first_fault((2, Codes(2, "").refused(breach)), (3, PROBABILITY.refused(probability)))
    if fault:
        return fault
    for k in range(offsets.size - 1):
        days = breach[offsets[k] : offsets[k + 1]].astype(np.int64)
        n = np.bincount(2 * days[:-1] + days[1:], minlength=4).astype(np.float64)
        table, p = n.reshape(2, 2), float(probability[k])
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n.sum()
        independence = max(0.0, sum(2.0 * deviance(a, b) for a, b in zip(n, expected.ravel(), strict=True)))
        whole = _proportion_ratio(float(days.sum()), float(days.size), p)
        after = _proportion_ratio(n[1] + n[3], n.sum(), p)
        transitions[k] = n
        statistic[k] = whole, independence, independence + after
        p_value[k] = survival_one(whole), survival_one(independence), survival_two(independence + after)
    return 0
