"""Value at risk and expected shortfall against numpy, scipy, published figures, and what a coherent measure obeys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crossrate.kernel import ArgumentError, Reason, ShapeError, path, var
from crossrate.kernel.var import Convention

METHODS = {
    Convention.INVERTED_CDF: "inverted_cdf",
    Convention.AVERAGED: "averaged_inverted_cdf",
    Convention.CLOSEST: "closest_observation",
    Convention.INTERPOLATED_CDF: "interpolated_inverted_cdf",
    Convention.HAZEN: "hazen",
    Convention.WEIBULL: "weibull",
    Convention.LINEAR: "linear",
    Convention.MEDIAN_UNBIASED: "median_unbiased",
    Convention.NORMAL_UNBIASED: "normal_unbiased",
}
LEVELS = np.array([0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.999])
PNL = st.lists(st.integers(-1000, 1000), min_size=2, max_size=60)


@pytest.mark.parametrize("convention", list(METHODS))
@pytest.mark.parametrize("scenarios", [2, 7, 100, 250, 999, 1000])
def test_quantiles_are_numpys(build: str, convention: Convention, scenarios: int) -> None:
    """Each of Hyndman and Fan's definitions gives numpy's quantile of the losses, with ties among them."""
    pnl = np.random.default_rng(scenarios).standard_normal((5, scenarios)).round(2)
    found = var.measure(pnl, LEVELS, convention=convention)
    wanted = np.quantile(-pnl, LEVELS, axis=1, method=METHODS[convention]).T
    assert found.value_at_risk == pytest.approx(wanted, rel=1e-12, abs=1e-14)


def test_a_level_on_a_step_takes_the_step(build: str) -> None:
    """At 99 percent of 1000 the least loss that reaches it is the 11th worst; the upper quantile is the 10th."""
    pnl = np.random.default_rng(1).permutation(1000) + 1.0
    assert var.measure(-pnl, 0.99).value_at_risk == 990.0
    assert var.measure(-pnl, 0.99, convention=Convention.UPPER).value_at_risk == 991.0
    assert var.measure(-pnl, 0.99, convention=Convention.TAIL_INTERPOLATED).value_at_risk == 991.0
    assert var.measure(-pnl, 0.99).expected_shortfall == np.mean(np.arange(991, 1001))


def test_expected_shortfall_counts_the_border_in_part(build: str) -> None:
    """Of 250 scenarios 6.25 are beyond 97.5 percent: six whole ones and a quarter of the seventh."""
    pnl = -np.arange(1.0, 251.0)
    wanted = (sum(range(245, 251)) + 0.25 * 244) / 6.25
    assert var.measure(pnl, 0.975).expected_shortfall == pytest.approx(wanted, rel=1e-14)


def test_expected_shortfall_is_the_integral_of_the_quantile(build: str) -> None:
    """Acerbi and Tasche: the mean of value at risk over all higher confidences."""
    pnl = np.random.default_rng(2).standard_normal(40)
    steps = 40_000
    grid = 0.9 + 0.1 * (np.arange(steps) + 0.5) / steps
    mean = np.mean(np.quantile(-pnl, grid, method="inverted_cdf"))
    assert var.measure(pnl, 0.9).expected_shortfall == pytest.approx(mean, rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(one=PNL, seed=st.integers(0, 2**32 - 1), level=st.sampled_from([0.5, 0.9, 0.975, 0.99]))
def test_expected_shortfall_is_coherent(one: list[int], seed: int, level: float) -> None:
    """It is subadditive, homogeneous, monotone, moves with cash, and is never below value at risk, on every build."""
    random = np.random.default_rng(seed)
    a = np.array(one, np.float64)
    b = random.integers(-1000, 1000, len(a)).astype(np.float64)
    for name in path.paths():
        with path.using(name):
            found = var.measure(np.stack([a, b, a + b, 3.0 * a, a + 17.0, np.minimum(a, b)]), level)
        es, quantile = found.expected_shortfall, found.value_at_risk
        assert es[2] <= es[0] + es[1] + 1e-9
        for each in (es, quantile):
            assert each[3] == pytest.approx(3.0 * each[0], rel=1e-12, abs=1e-9)
            assert each[4] == pytest.approx(each[0] - 17.0, rel=1e-12, abs=1e-9)
            assert each[5] >= max(each[0], each[1]) - 1e-9
        assert (es >= quantile - 1e-9).all()


def test_value_at_risk_is_not_subadditive(build: str) -> None:
    """Two loans that default apart have no value at risk alone and one together: what expected shortfall is for."""
    a, b = np.zeros(100), np.zeros(100)
    a[:4], b[4:8] = -100.0, -100.0
    found = var.measure(np.stack([a, b, a + b]), 0.95)
    assert found.value_at_risk.tolist() == [0.0, 0.0, 100.0]
    assert found.expected_shortfall[2] <= found.expected_shortfall[0] + found.expected_shortfall[1]


@pytest.mark.parametrize("convention", var.WITH_WEIGHTS)
def test_equal_weights_are_no_weights(build: str, convention: Convention) -> None:
    """Weights of one size, whatever it is, change nothing."""
    pnl = np.random.default_rng(3).standard_normal((20, 1000))
    plain = var.measure(pnl, LEVELS, convention=convention)
    same = var.measure(pnl, LEVELS, weight=np.full(1000, 7.0), convention=convention)
    assert same.value_at_risk == pytest.approx(plain.value_at_risk, rel=1e-9)
    assert same.expected_shortfall == pytest.approx(plain.expected_shortfall, rel=1e-9)
    assert same.expected_shortfall_error is None


def test_whole_weights_are_repetitions(build: str) -> None:
    """A scenario of weight three counts as three scenarios, one of weight zero as none, also in a long tail."""
    random = np.random.default_rng(4)
    pnl, weight = random.standard_normal((10, 600)), random.integers(0, 4, 600)
    weight[np.argsort(pnl[0])[:200]] = 0  # the sorted prefix ends before the tail does
    found = var.measure(pnl, LEVELS, weight=weight.astype(np.float64))
    wanted = var.measure(np.repeat(pnl, weight, axis=1), LEVELS)
    assert found.value_at_risk == pytest.approx(wanted.value_at_risk, rel=1e-12)
    assert found.expected_shortfall == pytest.approx(wanted.expected_shortfall, rel=1e-11)


def test_the_hybrid_method_gives_the_published_weights_and_quantile(build: str) -> None:
    """Boudoukh, Richardson and Whitelaw's six worst of 100 days at a decay of 0.98: weights as printed, to 4 digits.

    Their table has, from the worst: returns -3.30, -2.90, -2.70, -2.50, -2.40, -2.30 percent, 3, 2, 65, 45, 5 and 30
    days ago, with weights 0.0221, 0.0226, 0.0063, 0.0095, 0.0213, 0.0128. Linear in the accumulated weight, 5 percent
    is reached at 2.73 percent, between 2.90 (0.0447) and 2.70 (0.0511).
    """
    weight = var.age_weight(100, 0.98)
    ago = np.array([3, 2, 65, 45, 5, 30])
    assert weight[100 - ago] == pytest.approx([0.0221, 0.0226, 0.0063, 0.0095, 0.0213, 0.0128], abs=6e-5)
    assert weight.sum() == pytest.approx(1.0, rel=1e-14)
    pnl = np.full(100, 1.0)
    pnl[100 - ago] = [-3.30, -2.90, -2.70, -2.50, -2.40, -2.30]
    found = var.measure(pnl, 0.95, weight=weight, convention=Convention.TAIL_INTERPOLATED)
    assert found.value_at_risk == pytest.approx(2.73, abs=0.005)
    assert var.measure(pnl, 0.95, weight=weight).value_at_risk == 2.70


def test_the_worst_are_ordered_and_ties_stand_by_scenario(build: str) -> None:
    """Equal losses come in the order of their scenarios, in any length of sample and tail."""
    random = np.random.default_rng(5)
    for scenarios in (1, 8, 9, 255, 256, 1000, 4099):
        pnl = random.integers(-20, 20, (3, scenarios)).astype(np.float64)
        for count in {1, min(10, scenarios), scenarios}:
            loss, scenario = var.worst(pnl, count)
            order = np.argsort(pnl, axis=1, kind="stable")[:, :count]
            assert np.array_equal(scenario, order)
            assert np.array_equal(loss, -np.take_along_axis(pnl, order, axis=1))


def test_the_interval_covers_as_often_as_it_says(build: str) -> None:
    """Of 2000 samples of a distribution whose quantile is known, as many intervals enclose it as the coverage says."""
    sample = np.random.default_rng(6).exponential(size=(2000, 500))
    found = var.interval(-sample, 0.95, coverage=0.9)
    truth = -np.log(0.05)
    share = np.mean((found.lower <= truth) & (truth < found.upper))
    binomial = stats.binom(500, 0.95)
    assert found.coverage == pytest.approx(binomial.cdf(found.upper_rank - 1) - binomial.cdf(found.lower_rank - 1))
    assert found.coverage >= 0.9
    assert abs(share - found.coverage) < 4.0 * np.sqrt(0.9 * 0.1 / 2000)


def test_standard_errors_are_those_of_repeated_sampling(build: str) -> None:
    """The mean stated errors are within a fifth of how the measures scatter over 2000 samples."""
    sample = np.random.default_rng(7).standard_t(6, size=(2000, 1000))
    found, interval = var.simulated(sample, 0.95)
    assert np.mean(interval.error) == pytest.approx(np.std(found.value_at_risk), rel=0.2)
    assert np.mean(found.expected_shortfall_error) == pytest.approx(np.std(found.expected_shortfall), rel=0.2)


def test_an_interval_needs_enough_scenarios(build: str) -> None:
    """Below the number that it takes the error says which; at that number there is an interval."""
    with pytest.raises(ArgumentError, match="at least 368 scenarios") as caught:
        var.interval(np.zeros(367), 0.99)
    assert caught.value.reason is Reason.TOO_FEW
    assert var.interval(np.arange(368.0), 0.99).upper_rank == 368


def test_another_holding_period_is_labelled(build: str) -> None:
    """Ten days from one multiply by the root of ten, say so, and cannot be scaled twice."""
    one = var.measure(np.random.default_rng(8).standard_normal(500), LEVELS)
    ten = var.scaled(one, 10.0)
    assert ten.value_at_risk == pytest.approx(one.value_at_risk * np.sqrt(10.0), rel=1e-15)
    assert ten.scaling == "square root of time: from 1 to 10 days"
    assert one.scaling == "none"
    with pytest.raises(ArgumentError, match="scaled already"):
        var.scaled(ten, 10.0)


def test_builds_agree() -> None:
    """Every build gives what the numpy twins give, within 2e-14 of the loss's size."""
    pnl = np.random.default_rng(9).standard_normal((50, 777)) * 1e6
    weight = var.age_weight(777, 0.99)
    results = []
    for name in path.paths():
        with path.using(name):
            plain, aged = var.measure(pnl, LEVELS), var.measure(pnl, LEVELS, weight=weight)
        results.append([plain.value_at_risk, plain.expected_shortfall, aged.value_at_risk, aged.expected_shortfall])
    for each in results[:-1]:
        assert np.array(each) == pytest.approx(np.array(results[-1]), rel=2e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pnl": [[0.0, 1.0], [2.0, np.nan]]}, r"pnl\[1, 1\] is nan: it must be a number"),
        ({"pnl": [1.0]}, r"pnl is 1: at least two scenarios"),
        ({"confidence": 99.0}, r"confidence is 99.0: it must be a confidence as a fraction"),
        ({"confidence": [0.99, 0.01]}, r"confidence\[1\] is 0.01: it must be a confidence"),
        ({"convention": 11}, r"convention is 11: it must be a code"),
        ({"weight": [1.0, -1.0, 1.0]}, r"weight\[1\] is -1.0: weights must be"),
        ({"weight": [0.0, 0.0, 0.0]}, r"weight\[0\] is 0.0: weights must be"),
        ({"weight": [1.0, 1.0, 1.0], "convention": 7}, r"with weights it must be UPPER, INVERTED_CDF, TAIL"),
    ],
)
def test_what_is_refused_is_named(build: str, change: dict[str, object], message: str) -> None:
    """The error names the argument, where it is, and what it must be."""
    with pytest.raises(ArgumentError, match=message):
        var.measure(**{"pnl": [0.0, 1.0, 2.0], **change})


def test_shapes_must_fit(build: str) -> None:
    """Weights are one a scenario, and P&L has at most two dimensions; one portfolio gives a number, none an empty
    array.
    """
    with pytest.raises(ShapeError, match=r"weight has shape \(2,\); the scenarios ask for \(3,\)"):
        var.measure(np.zeros(3), weight=np.ones(2))
    with pytest.raises(ShapeError, match="1 or 2 dimensions"):
        var.measure(np.zeros((2, 2, 2)))
    assert var.measure(np.zeros(3)).value_at_risk.shape == ()
    assert var.measure(np.zeros((0, 3)), LEVELS).value_at_risk.shape == (0, 7)
