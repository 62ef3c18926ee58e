"""What was seen, kept and taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from crossrate.evidence.distribution import DistributionTest
from crossrate.evidence.family import Family
from crossrate.evidence.means import MeanTest
from crossrate.evidence.proportions import ProportionTest
from crossrate.evidence.quantiles import QuantileTest
from crossrate.evidence.samples import Samples
from crossrate.evidence.verdict import Tolerance

TESTS: dict[str, Callable] = {
    "proportion": lambda: ProportionTest(Tolerance(0.01)),
    "ceiling": lambda: ProportionTest(ceiling=0.02),
    "quantile": lambda: QuantileTest(0.9, Tolerance(relative=0.5)),
    "quantile, exact": lambda: QuantileTest(0.9, Tolerance(relative=0.5), Samples),
    "distribution": lambda: DistributionTest(Tolerance(relative=0.2)),
    "mean": lambda: MeanTest(0.05, 2.0),
}


def feed(test, chance: np.random.Generator, blocks: int) -> None:
    """Some blocks of calls with a candidate that is a little worse."""
    for _ in range(blocks):
        if isinstance(test, ProportionTest):
            bad, baseline_bad = chance.binomial(50, 0.03), chance.binomial(500, 0.01)
            test.observe(candidate_bad=int(bad), candidate=50, baseline_bad=int(baseline_bad), baseline=500)
        elif isinstance(test, MeanTest):
            test.observe(chance.normal(0.1, 0.2, 40))
        else:
            test.observe(chance.exponential(0.004, 50), chance.exponential(0.003, 200))


@pytest.mark.parametrize("name", TESTS)
def test_a_test_goes_on_from_its_state_as_if_it_had_never_stopped(name: str) -> None:
    """Through JSON, in the middle of its calls: every number of the evidence is the same, and so is what is needed."""
    whole, first, second = TESTS[name](), TESTS[name](), TESTS[name]()
    chance = np.random.default_rng(7)
    feed(whole, chance, 6)
    feed(whole, chance, 6)
    chance = np.random.default_rng(7)
    feed(first, chance, 6)
    first.evidence()
    second.restore(json.loads(json.dumps(first.state())))
    assert second.evidence() == first.evidence()
    feed(second, chance, 6)
    assert second.evidence().n_candidate == whole.evidence().n_candidate
    assert second.calls_needed(0.01, 0.05) == whole.calls_needed(0.01, 0.05)
    for field in ("estimate", "baseline", "limit", "lower", "upper", "p_fail", "p_pass"):
        assert getattr(second.evidence(), field) == pytest.approx(getattr(whole.evidence(), field), rel=1e-9), field


def test_a_state_of_something_else_is_refused() -> None:
    """A test takes no state that does not fit it."""
    with pytest.raises((KeyError, ValueError)):
        MeanTest(0.1, 1.0).restore(ProportionTest(Tolerance(0.01)).state())
    state = MeanTest(0.1, 1.0).state()
    with pytest.raises(ValueError, match="numbers where"):
        MeanTest(0.1, 1.0).restore(state | {"logs": state["logs"][:-1]})
    with pytest.raises(KeyError):
        family(("errors",)).restore(family(("errors", "rejects")).state())


def family(metrics: tuple[str, ...]) -> Family:
    """A family of rates, each looked at once."""
    made = Family(0.05, 0.05)
    for metric in metrics:
        made.declare(metric, lambda: ProportionTest(Tolerance(0.01)))
    for metric in metrics:
        for segment in ("", "beta", "alpha"):
            made.test(metric, segment).observe(candidate_bad=3, candidate=50, baseline_bad=1, baseline=500)
    return made


def test_a_family_goes_on_with_its_segments_in_order_and_its_alarms() -> None:
    """Levels hang on the order in which segments appeared; an alarm stays one."""
    kept = family(("errors", "rejects"))
    kept.alarm("crash", "it crashed")
    again = Family(0.05, 0.05)
    for metric in ("errors", "rejects"):
        again.declare(metric, lambda: ProportionTest(Tolerance(0.01)))
    again.restore(json.loads(json.dumps(kept.state())))
    assert again.decide() == kept.decide()
