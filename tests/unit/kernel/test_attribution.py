"""Contributions to risk: they add up, they are derivatives, and increments are differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, ShapeError, attribution, parametric, path, var
from crossrate.kernel.var import Convention

PNL = np.random.default_rng(1).standard_t(4, size=(12, 1000)) * np.linspace(1e3, 2e4, 12)[:, None]


@pytest.mark.parametrize("window", [0, 1, 5, 400, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99, 0.999999])
def test_components_add_up(build: str, window: int, confidence: float) -> None:
    """To the smoothed value at risk and to expected shortfall, within 1e-12 of the positions' size."""
    found = attribution.historical(PNL, confidence, window=window)
    scale = np.abs(PNL).sum(axis=0).max()
    assert abs(found.component_var.sum() - found.explained_value_at_risk) < 1e-12 * scale
    assert abs(found.component_es.sum() - found.expected_shortfall) < 1e-12 * scale
    whole = var.measure(PNL.sum(axis=0), confidence)
    assert found.value_at_risk == pytest.approx(float(whole.value_at_risk), rel=1e-12)
    assert found.expected_shortfall == pytest.approx(float(whole.expected_shortfall), rel=1e-12)
    if window == 0:
        assert found.explained_value_at_risk == found.value_at_risk


@pytest.mark.parametrize("convention", [Convention.UPPER, Convention.INVERTED_CDF])
def test_without_a_window_the_component_is_the_loss_of_one_scenario(build: str, convention: Convention) -> None:
    """That scenario is the one whose loss is value at risk."""
    found = attribution.historical(PNL, 0.99, convention=convention)
    rank = 10 if convention is Convention.INVERTED_CDF else 9
    scenario = var.worst(PNL.sum(axis=0), 11)[1][rank]
    assert found.component_var == pytest.approx(-PNL[:, scenario], rel=1e-15)


def test_a_window_is_a_triangle_of_ranks(build: str) -> None:
    """With a window of two, five scenarios weigh 1, 2, 3, 2 and 1 ninths."""
    found = attribution.historical(PNL, 0.99, window=2)
    near = var.worst(PNL.sum(axis=0), 13)[1][8:13]
    assert found.component_var == pytest.approx(-PNL[:, near] @ np.array([1, 2, 3, 2, 1]) / 9.0, rel=1e-12)


def test_components_are_derivatives(build: str) -> None:
    """A position one part in a million larger moves both measures by as much of its component."""
    base = attribution.historical(PNL, 0.975)
    for position in range(12):
        grown = PNL.copy()
        grown[position] *= 1.0 + 1e-6
        moved = attribution.historical(grown, 0.975)
        change = (moved.value_at_risk - base.value_at_risk) / 1e-6
        assert change == pytest.approx(base.component_var[position], rel=1e-4, abs=1e-2)
        change = (moved.expected_shortfall - base.expected_shortfall) / 1e-6
        assert change == pytest.approx(base.component_es[position], rel=1e-4, abs=1e-2)


def test_increments_are_differences(build: str) -> None:
    """The measure of all positions less the measure of all others, for each."""
    found = attribution.historical(PNL, 0.95)
    rest = PNL.sum(axis=0) - PNL
    others = var.measure(rest, 0.95)
    assert found.incremental_var == pytest.approx(found.value_at_risk - others.value_at_risk, rel=1e-9)
    assert found.incremental_es == pytest.approx(found.expected_shortfall - others.expected_shortfall, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-50, 50), min_size=8, max_size=8), min_size=1, max_size=5),
    st.sampled_from([0.5, 0.7, 0.95]),
    st.integers(0, 8),
)
def test_a_position_contributes_at_most_its_own_shortfall(
    rows: list[list[int]], confidence: float, window: int
) -> None:
    """Diversification never costs under a coherent measure, also with ties; and builds agree on every component."""
    pnl = np.array(rows, np.float64)
    alone = var.measure(pnl, confidence).expected_shortfall
    results = []
    for name in path.paths():
        with path.using(name):
            found = attribution.historical(pnl, confidence, window=window)
        assert (found.component_es <= alone + 1e-9).all()
        assert (found.incremental_es <= alone + 1e-9).all()
        results.append(np.array([found.component_var, found.component_es, found.incremental_var]))
    for each in results[:-1]:
        assert each == pytest.approx(results[-1], rel=1e-12, abs=1e-12)


def test_the_normal_allocation_adds_up_and_is_a_derivative(build: str) -> None:
    """Analytic components add up to delta-normal value at risk, and are its derivatives; increments its differences."""
    random = np.random.default_rng(2)
    root = random.standard_normal((5, 5)) * 0.01
    covariance, delta = root @ root.T, random.standard_normal((7, 5)) * 1e5
    found = attribution.normal(delta, covariance, 0.99)
    total_var, total_es = parametric.normal(delta.sum(axis=0), covariance, 0.99)
    assert found.value_at_risk == pytest.approx(float(total_var), rel=1e-12)
    assert found.expected_shortfall == pytest.approx(float(total_es), rel=1e-12)
    assert found.component_var.sum() == pytest.approx(found.value_at_risk, rel=1e-12)
    assert found.component_es.sum() == pytest.approx(found.expected_shortfall, rel=1e-12)
    for position in range(7):
        up, down = (delta.sum(axis=0) + h * delta[position] for h in (1e-5, -1e-5))
        slope = (parametric.normal(up, covariance, 0.99)[0] - parametric.normal(down, covariance, 0.99)[0]) / 2e-5
        assert found.component_var[position] == pytest.approx(float(slope), rel=1e-6, abs=1e-3)
        without = parametric.normal(delta.sum(axis=0) - delta[position], covariance, 0.99)
        assert found.incremental_var[position] == pytest.approx(float(total_var - without[0]), rel=1e-9)
        assert found.incremental_es[position] == pytest.approx(float(total_es - without[1]), rel=1e-9)


def test_a_hedged_book_has_no_components(build: str) -> None:
    """Two positions that cancel have no risk and no derivative of it; each takes away what the other adds."""
    found = attribution.normal(np.array([[1e4], [-1e4]]), np.array([[1e-4]]), 0.95)
    assert found.component_var.tolist() == [0.0, 0.0]
    assert (found.incremental_var < 0.0).all()


def test_marginal_is_per_unit(build: str) -> None:
    """The component is the marginal measure times the size; without a size there is none."""
    found = attribution.historical(PNL, 0.99)
    size = np.linspace(-3.0, 3.0, 12)
    assert found.marginal_var(size) * size == pytest.approx(found.component_var)
    assert found.marginal_es(size) * size == pytest.approx(found.component_es)
    size[4] = 0.0
    with pytest.raises(ArgumentError, match=r"size\[4\] is 0.0: it must be finite and not zero"):
        found.marginal_var(size)


def test_what_is_refused_is_named(build: str) -> None:
    """The error names the argument, where it is, and what it must be."""
    bad = PNL.copy()
    bad[2, 5] = np.nan
    with pytest.raises(ArgumentError, match=r"pnl\[2, 5\] is nan"):
        attribution.historical(bad)
    with pytest.raises(ArgumentError, match=r"confidence is 0.01"):
        attribution.historical(PNL, 0.01)
    with pytest.raises(ArgumentError, match="window is 1001: it must be a whole number from 0 to 1000"):
        attribution.historical(PNL, window=1001)
    with pytest.raises(ArgumentError, match="convention is 7: it must be UPPER"):
        attribution.historical(PNL, convention=7)
    with pytest.raises(ArgumentError, match="not positive semi-definite"):
        attribution.normal(np.ones((1, 2)), np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ShapeError, match="array of 2 dimensions"):
        attribution.historical(PNL[0])
