"""Backtests against published zones, scipy, mpmath, and likelihoods written out."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import cache
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.stats import binom, chi2

from crossrate.kernel import ArgumentError, ShapeError, backtest
from crossrate.kernel.backtest import Zone
from crossrate.kernel.faults import Reason

BASEL_1996 = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
"""Basle Committee on Banking Supervision, Supervisory framework for the use of backtesting in conjunction with the
internal models approach to market risk capital requirements (January 1996), table 2: cumulative probabilities of 0 to
10 exceptions in 250 days at 99 %, in percent, rounded to hundredths. The page itself was not at hand when they were
entered; they are the binomial distribution's, which the next test computes in rational numbers."""


def test_the_zones_are_those_of_1996(build: str) -> None:
    """250 days at 99 %: green to 4 breaches, yellow from 5 to 9, red from 10, with the published probabilities."""
    light = backtest.traffic_light(np.arange(11))
    assert np.array_equal(np.round(100.0 * light.cumulative, 2), BASEL_1996)
    assert light.zone.tolist() == [Zone.GREEN] * 5 + [Zone.YELLOW] * 5 + [Zone.RED]
    assert backtest.add_on_1996([0, 4, 5, 6, 7, 8, 9, 10, 250]).tolist() == [0, 0, 0.4, 0.5, 0.65, 0.75, 0.85, 1, 1]


def test_the_published_probabilities_are_binomial() -> None:
    """Each of the eleven is the exact sum of binomial terms, rounded to hundredths of a percent."""
    share = Fraction(1, 100)
    terms = [math.comb(250, k) * share**k * (1 - share) ** (250 - k) for k in range(11)]
    assert [float(round(100 * sum(terms[: k + 1]), 2)) for k in range(11)] == BASEL_1996


@pytest.mark.parametrize(("days", "chance"), [(250, 0.01), (750, 0.005), (1000, 0.05), (500, 0.5)])
def test_probabilities_are_scipys_and_the_zones_follow(build: str, days: int, chance: float) -> None:
    """For other numbers of days and probabilities the zones follow the binomial distribution."""
    counts = np.arange(days + 1)
    light = backtest.traffic_light(counts, days, chance)
    assert np.allclose(light.cumulative, binom.cdf(counts, days, chance), rtol=1e-11, atol=0.0)
    seen = binom.sf(counts - 1, days, chance) > 1e-290
    assert np.allclose(light.tail[seen], binom.sf(counts - 1, days, chance)[seen], rtol=1e-11, atol=0.0)
    assert np.argmax(light.zone >= Zone.YELLOW) == np.argmax(light.cumulative >= 0.95)
    if days == 750:
        assert (np.argmax(light.zone == Zone.YELLOW), np.argmax(light.zone == Zone.RED)) == (7, 13)


@cache
def exact_tails(x: int, days: int, chance: float) -> tuple[mpmath.mpf, mpmath.mpf]:
    """P(X ≤ x) and P(X ≥ x) as sums of sixty digits."""
    with mpmath.workdps(60):
        p = mpmath.mpf(chance)
        terms = [mpmath.binomial(days, k) * p**k * (1 - p) ** (days - k) for k in range(days + 1)]
        return sum(terms[: x + 1]), sum(terms[x:])


def test_probabilities_are_exact(build: str) -> None:
    """Both tails agree with exact sums to the bound of the docstring, far out and with many days."""
    worst = 0.0
    for days, chance, x in [(250, 0.01, 0), (250, 0.01, 30), (250, 0.01, 120), (5000, 0.01, 20), (5000, 0.3, 1600)]:
        light = backtest.traffic_light(x, days, chance)
        for found, exact in zip((light.cumulative, light.tail), exact_tails(x, days, chance), strict=True):
            worst = max(worst, float(abs(mpmath.mpf(float(found)) / exact - 1)))
    assert worst < 1e-13


def test_the_proportion_of_failures_is_kupiecs(build: str) -> None:
    """The statistic is the written-out ratio of likelihoods, the p-value that of chi-square, at its ends as well."""
    random = np.random.default_rng(4)
    days = random.integers(1, 2000, 200)
    counts = np.append(random.integers(0, days[:-40] + 1), [*np.zeros(20, int), *days[-20:]])
    chance = random.uniform(0.001, 0.2, 200)
    found = backtest.failures(counts, days, chance)
    with mpmath.workdps(40):
        for x, n, p, statistic in zip(counts.tolist(), days.tolist(), chance.tolist(), found.statistic, strict=True):
            share, p = mpmath.mpf(x) / n, mpmath.mpf(p)
            ratio = (p**x * (1 - p) ** (n - x)) / (share**x * (1 - share) ** (n - x))
            exact = -2 * mpmath.log(ratio)
            assert abs(statistic - exact) <= 1e-13 * exact + 1e-15
        for statistic, p_value in zip(found.statistic.tolist(), found.p_value.tolist(), strict=True):
            exact = mpmath.erfc(mpmath.sqrt(mpmath.mpf(statistic) / 2))
            assert abs(p_value - exact) <= 1e-11 * exact + 1e-300
    plain = found.statistic < 50.0
    assert np.allclose(found.p_value[plain], chi2.sf(found.statistic[plain], 1), rtol=1e-11, atol=0.0)


def test_a_proportion_as_claimed_has_no_statistic(build: str) -> None:
    """Exactly the expected number of breaches gives 0 and a p-value of 1."""
    found = backtest.failures(10, 1000, 0.01)
    assert found.statistic < 1e-20
    assert found.p_value > 1.0 - 1e-9


def likelihood(counts: list[int], chances: list[float]) -> float:
    """The log likelihood of counts, where a count of zero has none."""
    return sum(n * np.log(p) for n, p in zip(counts, chances, strict=True) if n)


@pytest.mark.parametrize("seed", range(4))
def test_sequences_are_christoffersens(build: str, seed: int) -> None:
    """Each ratio is the written-out one, for clustered breaches, scattered ones, none, and nothing else."""
    random = np.random.default_rng(seed)
    days = [np.repeat(random.random(100) < 0.06, 5), random.random(500) < 0.03, np.zeros(30), np.ones(30)][seed]
    found = backtest.sequence(days.astype(np.int8), 0.05)
    hits = days.astype(int).tolist()
    n00, n01, n10, n11 = (
        sum(1 for each in pairwise(hits) if each == pair) for pair in ((0, 0), (0, 1), (1, 0), (1, 1))
    )
    assert found.transitions.tolist() == [[n00, n01, n10, n11]]
    after_none, after_hit = n01 / max(n00 + n01, 1), n11 / max(n10 + n11, 1)
    share = (n01 + n11) / (n00 + n01 + n10 + n11)
    chain = likelihood([n00, n01, n10, n11], [1 - after_none, after_none, 1 - after_hit, after_hit])
    alone = likelihood([n00 + n10, n01 + n11], [1 - share, share])
    claimed = likelihood([n00 + n10, n01 + n11], [0.95, 0.05])
    assert np.isclose(found.independence.statistic[0], 2 * (chain - alone), rtol=1e-11, atol=1e-12)
    assert np.isclose(found.conditional.statistic[0], 2 * (chain - claimed), rtol=1e-11, atol=1e-12)
    kupiec = backtest.failures(sum(hits), len(hits), 0.05)
    assert np.isclose(found.unconditional.statistic[0], kupiec.statistic, rtol=1e-13)
    for test, degrees in ((found.unconditional, 1), (found.independence, 1), (found.conditional, 2)):
        assert np.allclose(test.p_value, chi2.sf(test.statistic, degrees), rtol=1e-11, atol=1e-300)
    if seed == 0:
        assert found.independence.p_value[0] < 1e-6


def test_many_series_are_tested_as_each_alone(build: str) -> None:
    """Series in one call have the bits that they have alone."""
    random = np.random.default_rng(7)
    rows = [(random.random(size) < 0.1).astype(np.int8) for size in (2, 100, 250)]
    together = backtest.sequence(np.concatenate(rows), [0.01, 0.05, 0.1], [0, 2, 102, 352])
    for k, (row, chance) in enumerate(zip(rows, (0.01, 0.05, 0.1), strict=True)):
        alone = backtest.sequence(row, chance)
        assert together.conditional.statistic[k] == alone.conditional.statistic[0]
        assert together.independence.p_value[k] == alone.independence.p_value[0]


def test_a_breach_is_a_loss_above_the_value_at_risk() -> None:
    """A loss equal to the value at risk is none."""
    assert backtest.breaches([-1.1, -1.0, 0.5, -0.2], [1.0, 1.0, -0.6, 0.1]).tolist() == [1, 0, 1, 1]
    with pytest.raises(ArgumentError, match=r"value_at_risk\[1\] is nan"):
        backtest.breaches([0.0, 0.0], [1.0, np.nan])
    with pytest.raises(ShapeError):
        backtest.breaches([0.0, 0.0], [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "says", "reason"),
    [
        (lambda: backtest.failures(251, 250, 0.01), "breaches is 251.0: there cannot be more", Reason.INCONSISTENT),
        (lambda: backtest.failures([1, 2.5], 250, 0.01), "breaches[1] is 2.5: it must be a whole", Reason.OUT_OF_RANGE),
        (lambda: backtest.failures(0, 0, 0.01), "observations is 0.0", Reason.OUT_OF_RANGE),
        (lambda: backtest.failures(1, 250, 99.0), "probability is 99.0", Reason.OUT_OF_RANGE),
        (lambda: backtest.traffic_light([1, 251]), "breaches[1] is 251.0: there cannot", Reason.INCONSISTENT),
        (lambda: backtest.traffic_light(np.nan), "breaches is nan", Reason.NOT_FINITE),
        (lambda: backtest.add_on_1996(-1), "breaches is -1.0", Reason.OUT_OF_RANGE),
        (lambda: backtest.sequence([0, 2], 0.01), "breach[1] is 2: it must be 1 for a breach", Reason.NOT_A_CODE),
        (lambda: backtest.sequence([0, 1], 1.0), "probability[0] is 1.0", Reason.OUT_OF_RANGE),
        (lambda: backtest.sequence([0], 0.01), "offsets[1] is 1: row 0 has 1 elements", Reason.TOO_FEW),
    ],
)
def test_what_is_no_backtest_is_refused(build: str, call: object, says: str, reason: Reason) -> None:
    """The error names argument and index, and says what would be right."""
    with pytest.raises(ArgumentError, match=re.escape(says)) as caught:
        call()  # type: ignore[operator]
    assert caught.value.reason == reason
