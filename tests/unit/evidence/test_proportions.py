"""Rates of bad calls: the error rate under continuous monitoring, the power, and what is said on the way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from crossrate.evidence.bernoulli import divergence, log_evidence, rate_bounds
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.verdict import Tolerance

TOLERANCE = Tolerance(absolute=0.002, relative=0.1)


def run(rates: tuple[float, float], seed: int, blocks: int, sizes=(25, 475), tolerance=TOLERANCE):
    """A test that is looked at after each block; returns it and how many calls it took, None if it never decided."""
    random = np.random.default_rng(seed)
    test, (n_c, n_s) = ProportionTest(tolerance), sizes
    for block in range(blocks):
        bad_c, bad_s = int(random.binomial(n_c, rates[0])), int(random.binomial(n_s, rates[1]))
        test.observe(candidate_bad=bad_c, candidate=n_c, baseline_bad=bad_s, baseline=n_s)
        seen = test.evidence()
        if min(seen.p_fail, seen.p_pass) <= 0.05:
            return test, (block + 1) * n_c
    return test, None


@pytest.mark.parametrize("baseline", [0.0, 0.01, 0.3])
def test_a_candidate_at_its_limit_is_seldom_failed_however_often_it_is_looked_at(baseline: float) -> None:
    """At the border of what is tolerated, where false failures are likeliest, at most 5 % of the runs ever fail."""
    rates = (TOLERANCE.limit(baseline), baseline)
    failed = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        test = ProportionTest(TOLERANCE)
        for _ in range(50):
            bad_c, bad_s = (int(random.binomial(n, rate)) for n, rate in zip((25, 100), rates, strict=True))
            test.observe(candidate_bad=bad_c, candidate=25, baseline_bad=bad_s, baseline=100)
        failed += test.evidence().p_fail <= 0.05
    assert failed <= 5


def test_the_expectation_of_a_block_is_at_most_one_in_the_whole_hypothesis() -> None:
    """Summed over every outcome of a block, the ratio is an e-value for all rates that are tolerated."""
    test = ProportionTest(Tolerance(absolute=0.02, relative=0.5))
    n_c, n_s, alternatives = 3, 5, np.array([0.2, 0.4, 0.9])
    ratios = np.array(
        [
            [np.exp(test._block(0.1, alternatives, k_c, n_c, k_s, n_s)) for k_s in range(n_s + 1)]
            for k_c in range(n_c + 1)
        ]
    )
    for stable in np.linspace(0, 0.6, 25):
        for candidate in np.linspace(0, min(0.02 + 1.5 * stable, 1), 9):
            chance = np.outer(
                stats.binom.pmf(range(n_c + 1), n_c, candidate), stats.binom.pmf(range(n_s + 1), n_s, stable)
            )
            assert np.einsum("cs,csa->a", chance, ratios).max() <= 1 + 1e-7
    beyond = np.outer(stats.binom.pmf(range(n_c + 1), n_c, 0.9), stats.binom.pmf(range(n_s + 1), n_s, 0.1))
    assert np.einsum("cs,csa->a", beyond, ratios).min() > 1


def test_the_nearest_rates_are_those_that_a_general_minimiser_finds() -> None:
    """The projection on the border agrees with scipy's bounded minimiser."""
    test = ProportionTest(TOLERANCE)
    alternatives = np.array([0.0001, 0.01, 0.3, 0.9])
    for n_c, n_s, rate in ((5, 95, 0.01), (50, 50, 0.2), (1, 1000, 0.001)):
        for at, found in zip(alternatives, test._nearest(rate, alternatives, n_c, n_s), strict=True):

            def cost(u: float, at=at, n_c=n_c, n_s=n_s, rate=rate) -> float:
                return n_c * divergence(at, min(TOLERANCE.limit(u), 1)) + n_s * divergence(rate, u)

            best = optimize.minimize_scalar(cost, bounds=(1e-9, 0.9), method="bounded", options={"xatol": 1e-12})
            assert cost(found) <= best.fun * (1 + 1e-7) + 1e-9


@pytest.mark.parametrize(("rate", "calls"), [(0.01, 2000), (0.05, 150)])
def test_scripted_errors_are_found(rate: float, calls: int) -> None:
    """Twenty candidates of twenty with 1 % or 5 % errors beside a stable without any fail, within so many calls."""
    taken = []
    for seed in range(20):
        test, count = run((rate, 0.0), seed, blocks=400, sizes=(5, 95))
        assert count is not None
        assert test.evidence().p_fail <= 0.05
        taken.append(count)
    assert max(taken) <= calls


def test_a_good_candidate_passes() -> None:
    """Of twenty candidates like stable all pass, none fails, and what is asked for is of the size of what it takes."""
    asked, taken = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        test = ProportionTest(Tolerance(absolute=0.01))
        for block in range(400):
            test.observe(
                candidate_bad=int(random.binomial(25, 0.005)),
                candidate=25,
                baseline_bad=int(random.binomial(475, 0.005)),
                baseline=475,
            )
            if block == 10:
                asked.append(test.calls_needed(0.05, 0.05))
            if test.evidence().p_pass <= 0.05:
                taken.append((block - 10) * 25)
                break
        assert test.evidence().p_fail > 0.05
    assert len(taken) == 20
    known = [calls for calls in asked if calls is not None]
    assert len(known) >= 15
    assert np.median(taken) / 3 <= np.median(known) <= np.median(taken) * 3


def test_nothing_is_said_without_data() -> None:
    """Without calls nothing is known, and how many are needed neither; with a baseline alone it is."""
    test = ProportionTest(TOLERANCE)
    assert test.evidence().estimate is None
    assert test.calls_needed(0.05, 0.05) is None
    test.observe(baseline=1000)
    assert test.evidence().p_fail == test.evidence().p_pass == 1
    assert 500 < test.calls_needed(0.05, 0.05) < 20_000


def test_a_ceiling_needs_no_baseline() -> None:
    """A fixed ceiling is judged by the candidate's calls alone."""
    test = ProportionTest(ceiling=0.01)
    test.observe(candidate_bad=10, candidate=100)
    assert test.evidence().p_fail < 0.001
    good = ProportionTest(ceiling=0.01)
    good.observe(candidate=1000)
    assert good.evidence().p_pass < 0.05


@given(st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=12))
@settings(max_examples=60, deadline=None)
def test_p_values_only_fall(blocks: list[tuple[int, int, int, int]]) -> None:
    """Whatever comes, p-values are from 0 to 1, never rise again, and are never both small."""
    test = ProportionTest(TOLERANCE)
    before = test.evidence()
    for bad_c, good_c, bad_s, good_s in blocks:
        test.observe(candidate_bad=bad_c, candidate=bad_c + good_c, baseline_bad=bad_s, baseline=bad_s + good_s)
        now = test.evidence()
        assert 0 <= now.p_fail <= before.p_fail <= 1
        assert 0 <= now.p_pass <= before.p_pass <= 1
        if now.estimate is not None:
            assert now.lower <= now.estimate <= now.upper
        before = now


@pytest.mark.parametrize("counts", [{"candidate": -1}, {"candidate_bad": 2, "candidate": 1}, {"baseline_bad": 1}])
def test_impossible_counts_are_refused(counts: dict[str, int]) -> None:
    """More bad calls than calls, or fewer than none, are an error of the caller."""
    with pytest.raises(ValueError, match="bad calls"):
        ProportionTest(TOLERANCE).observe(**counts)


def test_bounds_of_a_rate_hold_at_all_times() -> None:
    """At most 5 % of runs ever have bounds of 95 % that miss the rate; they are wider than those of one look."""
    missed = 0
    for seed in range(200):
        calls = np.random.default_rng(seed).random(400) < 0.1
        events = np.cumsum(calls)
        missed += any(
            max(
                log_evidence(float(events[n - 1]), n, 0.1, above=True),
                log_evidence(float(events[n - 1]), n, 0.1, above=False),
            )
            >= math.log(2 / 0.05)
            for n in range(1, 401, 3)
        )
    assert missed <= 10
    for events, n in ((0, 50), (7, 100), (300, 1000), (50, 50)):
        lower, upper = rate_bounds(events, n, 0.05)
        exact = stats.binomtest(events, n).proportion_ci(0.95, method="exact")
        assert lower <= exact.low + 1e-9
        assert upper >= exact.high - 1e-9
