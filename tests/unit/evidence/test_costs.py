"""What a call costs, the candidate's beside stable's: error rates and power on series like those of a release."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crossrate.evidence.costs import CostTest
from crossrate.evidence.family import Family
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.verdict import Outcome, Tolerance

TOLERANCE = Tolerance(absolute=0.05, relative=0.5)
LEVEL = 0.05 / 6
"""What the analysis of a release leaves it beside errors and latency, when segments have the other half."""
CALLS, STABLE_CALLS, STABLE_MS = 80, 720, 0.3


def series(random: np.random.Generator, seconds: int, candidate_ms: float, noise: float) -> tuple[np.ndarray, ...]:
    """What a call took each second: calls differ, the log of calls and the reading of times are of slightly different
    moments, and now and then the machine makes all work dearer for one side."""

    def side(calls: int, each_ms: float) -> np.ndarray:
        count = np.maximum(random.poisson(calls, seconds), 1)
        work = count * each_ms * np.maximum(1 + 0.7 * random.standard_normal(seconds) / np.sqrt(count), 0)
        # What one second's reading lacks the next has too much.
        late = noise * work * (random.random(seconds) - 0.5)
        work += late - np.concatenate([[0.0], late[:-1]])
        dear = np.where(random.random(seconds) < 0.03, random.uniform(1, 1 + 5 * noise, seconds), 1.0)
        return np.maximum(work, 0) * dear / count

    return side(CALLS, candidate_ms), side(STABLE_CALLS, STABLE_MS)


def seconds_to_fail(random: np.random.Generator, candidate_ms: float, noise: float, most: int = 200) -> int | None:
    """After how many seconds it has failed, looked at each ten."""
    candidate, stable = series(random, most, candidate_ms, noise)
    test = CostTest(TOLERANCE, "ms")
    for begin in range(0, most, 10):
        test.observe(candidate[begin : begin + 10], stable[begin : begin + 10])
        if test.evidence().p_fail <= LEVEL:
            return begin + 10
    return None


@pytest.mark.parametrize("noise", [0.1, 0.5])
@pytest.mark.parametrize("candidate_ms", [STABLE_MS, TOLERANCE.limit(STABLE_MS)], ids=["equal", "at the limit"])
def test_a_good_candidate_is_not_failed_by_noise(candidate_ms: float, noise: float) -> None:
    """Of two thousand candidates within the limit, over ten minutes each and looked at after every second, no more than
    a share of α fails; bounds of 95 % are told around what was seen."""
    random, failed, runs = np.random.default_rng(5), 0, 2000
    for _ in range(runs):
        test = CostTest(TOLERANCE, "ms")
        # Its capital is looked at after each pair, however many are given at once.
        test.observe(*series(random, 600, candidate_ms, noise))
        seen = test.evidence()
        failed += seen.p_fail <= LEVEL
        assert seen.lower <= (seen.estimate or 0.0) <= seen.upper
    assert failed <= LEVEL * runs


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_twice_the_time_is_found_within_two_hundred_seconds(noise: float) -> None:
    """At 80 calls a second each of two hundred candidates that take twice the time fails."""
    random = np.random.default_rng(6)
    found = [seconds_to_fail(random, 2 * STABLE_MS, noise) for _ in range(200)]
    assert None not in found
    assert np.median([s for s in found if s is not None]) <= 100


def test_one_that_is_cheaper_or_equal_passes() -> None:
    """Half the time is no drift: it passes, and so does the same time."""
    for factor in (0.5, 1.0):
        test = CostTest(TOLERANCE)
        test.observe(*series(np.random.default_rng(7), 200, factor * STABLE_MS, 0.3))
        seen = test.evidence()
        assert seen.p_pass <= 0.05 < seen.p_fail


def test_a_verdict_has_figures_and_says_what_is_missing() -> None:
    """Milliseconds and calls; while it is undecided about how many more calls, and that is near to what it takes."""
    family = Family()
    family.declare("errors", lambda: ProportionTest(Tolerance(0.01)))
    family.declare("processor_time_a_call", lambda: CostTest(TOLERANCE, "ms"), required=False)
    test = family.test("processor_time_a_call")
    assert isinstance(test, CostTest)
    assert test.calls_needed(LEVEL, 0.05) is None
    candidate, stable = series(np.random.default_rng(8), 400, 0.62, 0.2)
    for second in range(20):
        test.observe(candidate[second], stable[second], CALLS, STABLE_CALLS)
    (waiting,) = [v for v in family.verdicts() if v.metric == "processor_time_a_call"]
    assert waiting.outcome is Outcome.NOT_ENOUGH_DATA
    assert waiting.calls_needed
    assert "of 1600 calls beside 0.3" in waiting.explanation()
    assert f"about {waiting.calls_needed} more calls needed" in waiting.explanation()
    for second in range(20, 400):
        test.observe(candidate[second], stable[second], CALLS, STABLE_CALLS)
        if (decision := family.decide()).outcome is Outcome.FAIL:
            break
    assert decision.outcome is Outcome.FAIL
    assert "processor_time_a_call fails: 0.6" in decision.explanation()
    limit = test.evidence().limit
    assert limit == pytest.approx(0.5, rel=0.02)
    assert f"limit {limit:.4g} ms" in decision.explanation()
    assert 0.3 <= (second - 19) * CALLS / waiting.calls_needed <= 3


def test_it_goes_on_after_a_restart() -> None:
    """What was kept is what goes on; of another test it is refused, and so is what is no cost."""
    candidate, stable = series(np.random.default_rng(9), 100, 0.6, 0.2)
    whole, first, second = (CostTest(TOLERANCE, "ms") for _ in range(3))
    for test in (whole, first):
        test.observe(candidate[:40], stable[:40], 40 * CALLS, 40 * STABLE_CALLS)
    second.restore(json.loads(json.dumps(first.state())))
    for test in (whole, second):
        test.observe(candidate[40:], stable[40:], 60 * CALLS, 60 * STABLE_CALLS)
    assert second.evidence() == whole.evidence()
    with pytest.raises(KeyError):
        second.restore({"pairs": 1})
    for bad in ((float("nan"), 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="not a finite number"):
            second.observe(*bad)
