"""Drifts of means with an unknown variance."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.evidence.means import MeanTest


def decide(seed: int, mean: float, deviation: float, most: int = 4000) -> tuple[str, int, MeanTest]:
    """Pips that differ by a normal amount, looked at after each ten."""
    random = np.random.default_rng(seed)
    test = MeanTest(tolerance=0.05, bound=2.0)
    for n in range(10, most + 1, 10):
        test.observe(random.normal(mean, deviation, 10))
        seen = test.evidence()
        if min(seen.p_fail, seen.p_pass) <= 0.05:
            return ("fail" if seen.p_fail <= 0.05 else "pass"), n, test
    return "", most, test


@pytest.mark.parametrize(("sign", "deviation"), [(1, 0.02), (-1, 0.02), (1, 0.4), (-1, 0.4)])
def test_a_drift_of_a_fifth_of_a_pip_is_found(sign: int, deviation: float) -> None:
    """A bias of 0.2 pip fails on either side in ten runs of ten, whatever the scatter."""
    results = [decide(seed, 0.2 * sign, deviation) for seed in range(10)]
    assert {said for said, _, _ in results} == {"fail"}
    assert max(n for _, n, _ in results) <= 1000


def test_no_drift_passes() -> None:
    """Without a bias all of ten runs pass."""
    assert {decide(seed, 0.0, 0.1)[0] for seed in range(10)} == {"pass"}


@pytest.mark.parametrize("deviation", [0.02, 0.5])
def test_a_drift_at_the_tolerance_is_seldom_failed(deviation: float) -> None:
    """With the mean exactly at the tolerance, at most 5 % of runs ever fail, and at most 5 % ever pass."""
    failed = passed = 0
    for seed in range(200):
        test = MeanTest(tolerance=0.05, bound=2.0)
        test.observe(np.random.default_rng(seed).normal(0.05, deviation, 1000))
        failed += test.evidence().p_fail <= 0.05
        passed += test.evidence().p_pass <= 0.05
    assert failed <= 10
    assert passed <= 10


def test_bounds_hold_the_mean_at_all_times() -> None:
    """At most 5 % of runs have a moment at which the bounds of 95 % miss the mean of a skewed distribution."""
    missed = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        test = MeanTest(tolerance=0.05, bound=1.0)
        for _ in range(50):
            test.observe(np.where(random.random(8) < 0.1, 0.9, -0.1))
            seen = test.evidence()
            if not seen.lower <= 0.0 <= seen.upper:
                missed += 1
                break
    assert missed <= 5


def test_batches_do_not_matter() -> None:
    """One batch and many give the same evidence."""
    values = np.random.default_rng(0).normal(0.1, 0.3, 500)
    whole, parts = MeanTest(0.05, 2.0), MeanTest(0.05, 2.0)
    whole.observe(values)
    for value in values:
        parts.observe(value)
    assert whole.evidence().p_fail == pytest.approx(parts.evidence().p_fail, rel=1e-9)
    assert whole.evidence().p_pass == pytest.approx(parts.evidence().p_pass, rel=1e-9)
    assert whole.evidence().estimate == pytest.approx(values.mean(), rel=1e-12)


def test_calls_needed_are_of_the_size_of_what_it_takes() -> None:
    """After a hundred differences the estimate is within a factor of three of what it takes, in the median."""
    asked, taken = [], []
    for seed in range(20):
        test = MeanTest(0.05, 2.0)
        test.observe(np.random.default_rng(seed).normal(0.2, 0.5, 1000)[:60])
        needed = test.calls_needed(0.05, 0.05)
        _, n, _ = decide(seed, 0.2, 0.5)
        if needed and n > 60:
            asked.append(needed)
            taken.append(n - 60)
    assert len(asked) >= 8
    assert np.median(taken) / 3 <= np.median(asked) <= np.median(taken) * 3


def test_what_lies_beyond_the_bound_is_clipped_and_counted() -> None:
    """An infinite difference counts as the bound, NaN is refused."""
    test = MeanTest(0.05, 2.0)
    test.observe([np.inf, -5.0, 0.0])
    assert test.clipped == 2
    assert test.evidence().estimate == 0.0
    with pytest.raises(ValueError, match="not a number"):
        test.observe([np.nan])
    with pytest.raises(ValueError, match="bound"):
        MeanTest(1.0, 0.5)


def test_above_alone_only_a_mean_above_the_tolerance_fails() -> None:
    """A mean far below passes, one above fails with the whole level, and one at the tolerance is seldom failed."""
    for mean, outcome in ((-0.3, "pass"), (0.0, "pass"), (0.2, "fail")):
        test = MeanTest(tolerance=0.05, bound=2.0, above=True)
        test.observe(np.random.default_rng(4).normal(mean, 0.1, 2000))
        seen = test.evidence()
        assert ("fail" if seen.p_fail <= 0.05 else "pass" if seen.p_pass <= 0.05 else "") == outcome
        assert test.calls_needed(0.05, 0.05) == 0
    failed = 0
    for seed in range(200):
        test = MeanTest(tolerance=0.05, bound=2.0, above=True)
        test.observe(np.random.default_rng(seed).normal(0.05, 0.5, 1000))
        failed += test.evidence().p_fail <= 0.05
    assert failed <= 10
