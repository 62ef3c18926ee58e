"""Durations: quantiles, whole distributions, and what histograms may hide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crossrate.evidence.distribution import DistributionTest
from crossrate.evidence.quantiles import QuantileTest, _quantile
from crossrate.evidence.samples import Histogram, Samples
from crossrate.evidence.verdict import Tolerance

HALF_AGAIN = Tolerance(relative=0.5)


def durations(random: np.random.Generator, n: int, scale: float = 1.0) -> np.ndarray:
    """Latencies in seconds as services have them: lognormal around 3 ms."""
    return scale * random.lognormal(np.log(0.003), 0.4, n)


def decide(test, seed: int, scale: float, looks: int) -> tuple[str, int]:
    """Looks after each 20 calls of the candidate; "" if nothing was decided."""
    random = np.random.default_rng(seed)
    for look in range(1, looks + 1):
        test.observe(durations(random, 20, scale), durations(random, 180))
        seen = test.evidence()
        if seen.p_fail <= 0.05:
            return "fail", 20 * look
        if seen.p_pass <= 0.05:
            return "pass", 20 * look
    return "", 20 * looks


@pytest.mark.parametrize("quantile", [0.5, 0.99])
@pytest.mark.parametrize("samples", [Histogram, Samples])
def test_a_candidate_at_its_limit_seldom_fails(quantile: float, samples) -> None:
    """With durations that are just half as long again as tolerated, at most 5 % of runs ever fail or ever pass."""
    failed = passed = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        test = QuantileTest(quantile, HALF_AGAIN, samples)
        for _ in range(25):
            test.observe(durations(random, 40, 1.5), durations(random, 200))
            test._look()
        failed += test.evidence().p_fail <= 0.05
        passed += test.evidence().p_pass <= 0.05
    assert failed <= 3
    assert passed <= 3


def test_a_doubled_p99_is_found() -> None:
    """Of ten candidates with doubled durations all fail in p99 within 1,500 calls."""
    taken = []
    for seed in range(10):
        said, calls = decide(QuantileTest(0.99, HALF_AGAIN), seed, 2.0, 100)
        assert said == "fail"
        taken.append(calls)
    assert max(taken) <= 1500


def test_equal_durations_pass() -> None:
    """Of ten candidates like stable all pass in the median and in p99, and none fails."""
    assert {decide(QuantileTest(0.5, HALF_AGAIN), seed, 1.0, 50)[0] for seed in range(10)} == {"pass"}
    assert {decide(QuantileTest(0.99, HALF_AGAIN), seed, 1.0, 300)[0] for seed in range(10)} == {"pass"}


def test_calls_needed_are_counted_from_what_was_seen() -> None:
    """An estimate is above zero while undecided, zero once decided, and None where nothing was seen."""
    random = np.random.default_rng(1)
    test = QuantileTest(0.99, HALF_AGAIN)
    assert test.calls_needed(0.05, 0.05) is None
    test.observe(durations(random, 100, 2.2), durations(random, 2000))
    assert 0 < test.calls_needed(0.05, 0.05) < 100_000
    for _ in range(60):
        test.observe(durations(random, 100, 2.2), durations(random, 2000))
    assert test.calls_needed(0.05, 0.05) == 0


def test_whole_distributions_are_told_apart() -> None:
    """Doubled durations fail, equal ones pass, and those that are just tolerated fail at most 5 % of the time."""

    def made() -> DistributionTest:
        return DistributionTest(Tolerance(relative=0.2), margin=0.1)

    assert {decide(made(), seed, 2.0, 20)[0] for seed in range(10)} == {"fail"}
    assert {decide(made(), seed, 1.0, 200)[0] for seed in range(10)} == {"pass"}
    failed = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        test = DistributionTest(Tolerance(absolute=1e-9), margin=0.01)
        for _ in range(40):
            test.observe(durations(random, 25), durations(random, 100))
        failed += test.evidence().p_fail <= 0.05
    assert failed <= 5


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    """Without a tolerance the largest excess is scipy's one-sided statistic of two samples."""
    random = np.random.default_rng(3)
    a, b = durations(random, 300, 1.2), durations(random, 500)
    test = DistributionTest(Tolerance(absolute=1e-15), samples=Samples)
    test.observe(a, b)
    expected = stats.ks_2samp(a, b, alternative="less").statistic
    assert test.evidence().estimate == pytest.approx(expected, abs=0.005)


@given(st.lists(st.floats(1e-4, 10), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
@settings(max_examples=100, deadline=None)
def test_a_histogram_is_off_by_its_width_at_most(values: list[float], quantile: float) -> None:
    """Quantiles of a histogram are above the true ones by a bucket's width at most, and counts bracket them."""
    exact, rough = Samples(), Histogram(width=0.02, least=1e-5)
    exact.add(values)
    rough.add(values)
    true, told = (_quantile(s.survival(), 1 - quantile) for s in (exact, rough))
    assert true <= told * (1 + 1e-9)
    assert told <= true * 1.02 * (1 + 1e-9)
    for point in values:
        assert rough.survival().surely_above(point) <= sum(v > point for v in values)
        assert rough.survival().possibly_from(point) >= sum(v >= point for v in values)
        assert exact.survival().surely_above(point) == sum(v > point for v in values)
        assert exact.survival().possibly_from(point) == sum(v >= point for v in values)


def test_what_is_no_duration_is_refused() -> None:
    """NaN and infinities are errors of the caller, and so are arguments out of their range."""
    for samples in (Histogram(), Samples()):
        with pytest.raises(ValueError, match="finite"):
            samples.add([1.0, float("nan")])
    with pytest.raises(ValueError, match="quantile"):
        QuantileTest(1.0, HALF_AGAIN)
    with pytest.raises(ValueError, match="margin"):
        DistributionTest(HALF_AGAIN, margin=0.0)
    with pytest.raises(ValueError, match="width"):
        Histogram(width=2)
    with pytest.raises(ValueError, match="zero"):
        Tolerance()
