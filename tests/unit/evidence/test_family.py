"""Many metrics and segments with one error rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrate.evidence.family import SEGMENTS_MAX, Family, average_e
from crossrate.evidence.means import MeanTest
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.verdict import Outcome, Tolerance

ACCOUNTS = [f"account {i}" for i in range(12)]


def family() -> Family:
    """Errors and rejects, as a release has them."""
    made = Family(alpha=0.05)
    made.declare("errors", lambda: ProportionTest(Tolerance(absolute=0.005)))
    made.declare("rejects", lambda: ProportionTest(Tolerance(absolute=0.01, relative=0.1)))
    return made


def feed(of: Family, random: np.random.Generator, bad: dict[str, float]) -> None:
    """One block of each account, with a rate of errors by account, and 0.3 % of stable's."""
    whole = np.zeros(4, int)
    for account in ACCOUNTS:
        counts = np.array([random.binomial(20, bad.get(account, 0.003)), 20, random.binomial(60, 0.003), 60])
        whole += counts
        for metric, of_metric in (("errors", counts), ("rejects", np.array([0, 20, 0, 60]))):
            keys = ("candidate_bad", "candidate", "baseline_bad", "baseline")
            of.test(metric, account).observe(**dict(zip(keys, map(int, of_metric), strict=True)))
    of.test("errors").observe(
        candidate_bad=int(whole[0]), candidate=int(whole[1]), baseline_bad=int(whole[2]), baseline=int(whole[3])
    )
    of.test("rejects").observe(candidate=int(whole[1]), baseline=int(whole[3]))


def test_a_good_candidate_is_promoted() -> None:
    """Of twelve good candidates, looked at again and again in 26 tests, none fails and all pass."""
    outcomes = []
    for seed in range(12):
        made, random = family(), np.random.default_rng(seed)
        for block in range(40):
            feed(made, random, {})
            if block % 4 == 3:
                decision = made.decide()
                if decision.outcome is not Outcome.NOT_ENOUGH_DATA:
                    break
        outcomes.append(decision.outcome)
    assert outcomes == [Outcome.PASS] * 12


def test_what_is_wrong_for_one_account_alone_is_found_there() -> None:
    """A candidate with 20 % errors for one account of twelve fails, and the account is named."""
    for seed in range(10):
        made, random = family(), np.random.default_rng(seed)
        for _ in range(30):
            feed(made, random, {"account 7": 0.2})
            decision = made.decide()
            if decision.outcome is Outcome.FAIL and decision.verdicts[0].segment:
                break
        failed = {(v.metric, v.segment) for v in decision.verdicts if v.outcome is Outcome.FAIL}
        assert ("errors", "account 7") in failed
        assert failed <= {("errors", "account 7"), ("errors", "")}
        assert "errors of account 7 fails" in decision.explanation()


def test_an_alarm_waits_for_nothing() -> None:
    """A single INTERNAL fails the candidate at once, with its cause first."""
    made = family()
    made.alarm("internal", "1 INTERNAL in PriceBatch", "PriceBatch")
    made.alarm("internal", "2 INTERNAL in PriceBatch", "PriceBatch")
    decision = made.decide()
    assert decision.outcome is Outcome.FAIL
    assert decision.verdicts[0].grave
    assert decision.explanation() == "internal of PriceBatch: 1 INTERNAL in PriceBatch"


def test_without_data_it_says_so() -> None:
    """Before the first call a family has not enough data, for each of its metrics; with a baseline it says how many."""
    made = family()
    decision = made.decide()
    assert decision.outcome is Outcome.NOT_ENOUGH_DATA
    assert decision.calls_needed is None
    assert len(decision.verdicts) == 2
    for metric in ("errors", "rejects"):
        made.test(metric).observe(baseline_bad=3, baseline=1000)
    decision = made.decide()
    assert decision.calls_needed > 0
    assert f"about {decision.calls_needed} more calls needed" in decision.explanation()


def test_levels_add_up_to_alpha_and_are_handed_on() -> None:
    """All levels together stay below alpha with any number of segments, and a failure raises those of the others."""
    made = family()
    for account in ACCOUNTS:
        made.test("errors", account)
        made.test("rejects", account)
    made.test("errors")
    made.test("rejects")
    before = {(v.metric, v.segment): v.alpha for v in made.verdicts()}
    assert sum(before.values()) <= 0.05
    made.test("errors").observe(baseline=1000, candidate=1)
    made.test("errors").observe(candidate_bad=50, candidate=100, baseline=1000)
    after = {(v.metric, v.segment): v.alpha for v in made.verdicts()}
    assert all(after[key] > level for key, level in before.items())


def test_segments_are_bounded() -> None:
    """Beyond its bound a metric takes no more segments; the whole goes on."""
    made = family()
    for number in range(SEGMENTS_MAX):
        assert made.test("errors", str(number)) is not None
    assert made.test("errors", "one more") is None
    assert made.test("errors", "5") is not None
    assert made.test("errors") is not None


def test_metrics_are_declared_first() -> None:
    """A metric that comes after the first test would take its share from the others, and is refused."""
    made = family()
    made.test("errors")
    with pytest.raises(ValueError, match="too late or twice"):
        made.declare("late", lambda: ProportionTest(ceiling=0.1))
    with pytest.raises(KeyError):
        made.test("late")
    with pytest.raises(ValueError, match="words"):
        made.alarm("internal", "")


def test_a_metric_by_segment_waits_for_each() -> None:
    """A pass waits for every segment that appeared and for one at least; all calls together have no test."""
    made = Family()
    made.declare("drift", lambda: MeanTest(0.05, 0.5), by_segment=True)
    assert made.decide().outcome is Outcome.NOT_ENOUGH_DATA
    with pytest.raises(ValueError, match="name one"):
        made.test("drift")
    made.test("drift", "EUR/USD").observe(np.zeros(200))
    assert made.decide().outcome is Outcome.PASS
    made.test("drift", "USD/JPY").observe(np.zeros(2))
    decision = made.decide()
    assert decision.outcome is Outcome.NOT_ENOUGH_DATA
    assert decision.calls_needed > 0
    made.test("drift", "USD/JPY").observe(np.full(200, 0.2))
    assert made.decide().verdicts[0].segment == "USD/JPY"
    assert made.decide().outcome is Outcome.FAIL


def test_e_values_average() -> None:
    """The average of e-values is taken in logarithms, however large they are."""
    assert average_e([0.0, math.log(3.0)]) == pytest.approx(math.log(2.0))
    assert average_e([1000.0, 0.0]) == pytest.approx(1000 - math.log(2))
    with pytest.raises(ValueError, match="no e-values"):
        average_e([])
