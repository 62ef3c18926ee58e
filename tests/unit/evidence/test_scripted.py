"""The scripted candidates of a release, judged by a whole family of tests, twenty times each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from crossrate.evidence.family import Decision, Family
from crossrate.evidence.means import MeanTest
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.quantiles import QuantileTest
from crossrate.evidence.verdict import Outcome, Tolerance

PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "EUR/GBP")
ACCOUNTS = tuple(f"account {i}" for i in range(8))
TICKS_MAX = 250


@dataclass(frozen=True)
class Candidate:
    """What is wrong with it, beside a stable with 0.1 % errors and 3 ms."""

    errors: float = 0.001
    slower: float = 1.0
    drifts: dict[str, float] = field(default_factory=dict)
    errors_of: dict[str, float] = field(default_factory=dict)


def family() -> Family:
    """Errors by account, two quantiles, drifts by pair."""
    made = Family(alpha=0.05, beta=0.05)
    made.declare("errors", lambda: ProportionTest(Tolerance(absolute=0.002, relative=0.1)), weight=2)
    made.declare("p50", lambda: QuantileTest(0.5, Tolerance(relative=0.3)))
    made.declare("p99", lambda: QuantileTest(0.99, Tolerance(relative=0.5)))
    made.declare("drift", lambda: MeanTest(tolerance=0.05, bound=0.5), by_segment=True)
    return made


def tick(of: Family, candidate: Candidate, random: np.random.Generator) -> None:
    """A second of traffic at the step of 5 %: 40 calls of the candidate, 760 of stable, 16 prices mirrored."""
    whole = np.zeros(4, int)
    for account in ACCOUNTS:
        rate = candidate.errors_of.get(account, candidate.errors)
        counts = np.array([random.binomial(5, rate), 5, random.binomial(95, 0.001), 95])
        whole += counts
        of.test("errors", account).observe(
            candidate_bad=int(counts[0]), candidate=5, baseline_bad=int(counts[2]), baseline=95
        )
    of.test("errors").observe(
        candidate_bad=int(whole[0]), candidate=int(whole[1]), baseline_bad=int(whole[2]), baseline=int(whole[3])
    )
    durations = random.lognormal(np.log(0.003), 0.4, 800)
    for metric in ("p50", "p99"):
        of.test(metric).observe(durations[:40] * candidate.slower, durations[40:])
    for pair in PAIRS:
        of.test("drift", pair).observe(random.normal(candidate.drifts.get(pair, 0.0), 0.03, 4))


def judged(candidate: Candidate, seed: int, every: int = 2) -> tuple[Decision, int]:
    """Looks again and again until something is decided; returns it, and after how many calls."""
    made, random = family(), np.random.default_rng(seed)
    for number in range(1, TICKS_MAX + 1):
        tick(made, candidate, random)
        if number % every == 0:
            decision = made.decide()
            if decision.outcome is not Outcome.NOT_ENOUGH_DATA:
                break
    return decision, 40 * number


SCRIPTS = {
    "1 % errors": (Candidate(errors=0.01), "errors", 4000),
    "5 % errors": (Candidate(errors=0.05), "errors", 320),
    "p99 doubled": (Candidate(slower=2.0), "p50", 240),
    "wrong price in one pair": (Candidate(drifts={"USD/JPY": 0.2}), "drift", 960),
    "wrong for one account": (Candidate(errors_of={"account 5": 0.5}), "errors", 480),
}
"""Candidates, the metric that has to be among the failures, and within how many of their calls."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bad_candidate_never_passes(name: str) -> None:
    """All of twenty fail within the calls that their fault takes, and the metric is named."""
    candidate, metric, calls_max = SCRIPTS[name]
    taken = []
    for seed in range(20):
        decision, calls = judged(candidate, seed)
        assert decision.outcome is Outcome.FAIL
        assert metric in {v.metric for v in decision.verdicts if v.outcome is Outcome.FAIL}
        taken.append(calls)
    assert max(taken) <= calls_max


def test_a_good_candidate_is_seldom_failed() -> None:
    """Of twenty good candidates at most one is failed, and those that are decided pass."""
    outcomes = [judged(Candidate(), seed, every=10)[0].outcome for seed in range(20)]
    assert outcomes.count(Outcome.FAIL) <= 1
    assert outcomes.count(Outcome.PASS) >= 18
