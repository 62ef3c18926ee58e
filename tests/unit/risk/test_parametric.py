"""Value at risk without scenarios, against closed forms, full revaluation and simulation."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from crossrate.kernel import parametric as kernel
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.revalue import Markets, Scenarios
from services.risk.domain import expansion, measure, parametric, simulation
from services.risk.domain.book import Book, Groups
from services.risk.domain.covariance import given
from services.risk.domain.measure import Method, Wanted
from services.risk.domain.rates import pair_moves
from services.risk.domain.refusal import Refused
from services.risk.worker import Revaluation
from tests.unit.risk.books import EURUSD, GBPUSD, USDJPY, book

PAIRS = (EURUSD, USDJPY, GBPUSD)
MARKETS = Markets(np.array([1.1, 150.0, 1.3]), np.array([150.0, 1.0, 150.0]))
BOOK = book(
    5,
    pairs=PAIRS,
    reporting="JPY",
    market=[2, 0, 2, 0, 1],
    kind=[0, 1, 2, 1, 2],
    strike=[1.3, 1.1, 1.2, 1.0, 150.0],
    domestic_rate=[0.04],
    foreign_rate=[0.02],
    notional=[-1e6, 2e6, 1e6, -1e6, 5e5],
)
GROUPS = Groups.of(np.array([0, 0, 0, 0, 1]), 5)
CORRELATION = np.array([1.0, 0.3, 0.5, 0.3, 1.0, 0.4, 0.5, 0.4, 1.0])
COVARIANCE = given(("GBP", "JPY", "USD"), np.array([0.005, 0.006, 0.0055]), CORRELATION, "c", nearest=False)
WANTED = Wanted(Method.DELTA_GAMMA, None, (0.95, 0.99), components=True)


def approximated(own: Book = BOOK, *, gamma: bool = True) -> parametric.Approximation:
    """The book, or another on the same markets."""
    return parametric.approximation(own, MARKETS, GROUPS, gamma=gamma)


def pound(volatility: float = 0.00565) -> tuple[Book, Markets, Groups]:
    """A forward of a hundred million on one pair, at zero rates and reported in its counter currency."""
    return (
        book(pairs=(EURUSD,), strike=[1.1], notional=[1e8 / 1.1]),
        Markets(np.array([1.1]), np.array([1.0])),
        Groups.of(np.zeros(0), 1),
    )


def one(volatility: float) -> object:
    """The dollar's covariance alone."""
    return given(("USD",), np.array([volatility]), np.array([1.0]), "c", nearest=False)


def test_derivatives_are_those_of_full_revaluation() -> None:
    """Central differences over moves of single currencies and of two at once, conversion into yen and all."""
    found = approximated().parts.sum()
    step = 1e-4
    shifts = [step * (a + b) for a in np.eye(3) for b in np.eye(3)]
    fallen = np.array(
        [*shifts, *(-each for each in shifts), *(step * e for e in np.eye(3)), *(-step * e for e in np.eye(3))]
    )
    spot, conversion = pair_moves(PAIRS, "JPY", ("GBP", "JPY", "USD"), fallen.T)
    work = Revaluation(BOOK, MARKETS, Scenarios(spot, conversion_return=conversion), by_market=False, groups=GROUPS)
    work.slice(0, work.total, 1)
    both, up, down = work.profit[:18], work.profit[18:21], work.profit[21:]
    assert np.allclose(found.delta[0], (up - down) / (2 * step), rtol=1e-5)
    even = (both[:9] + both[9:]).reshape(3, 3)
    single = up + down
    # f(a + b) + f(−a − b) is (a + b)'Γ(a + b).
    gamma = (even - single[:, np.newaxis] - single[np.newaxis, :]) / (2 * step * step)
    assert np.allclose(found.gamma[0], gamma, rtol=2e-4, atol=1e-4 * np.abs(gamma).max())


def test_delta_normal_is_riskmetrics_first_example() -> None:
    """RiskMetrics Technical Document (1996), section 1.2: USD 100 million of a currency with a volatility of 0.565
    percent, at 1.65 standard deviations, may lose USD 932,000 in a day."""
    level = NormalDist().cdf(1.65)
    own = parametric.approximation(*pound(), gamma=False)
    moments, (found,) = parametric.told(own, one(0.00565), Wanted(Method.DELTA_NORMAL, None, (level,), True))
    assert found.value_at_risk == pytest.approx(932_250.0, rel=1e-9)
    assert round(found.value_at_risk, -3) == 932_000
    density = NormalDist().pdf(1.65)
    assert found.expected_shortfall == pytest.approx(565_000 * density / (1 - level), rel=1e-9)
    assert float(moments.deviation[0]) == pytest.approx(565_000.0, rel=1e-12)
    # One more dollar of spot adds its own 0.565 percent at 1.65 deviations.
    assert found.marginal_var[0] == pytest.approx(1.65 * 0.00565, rel=1e-9)
    assert found.components.component_var[0] == pytest.approx(found.value_at_risk, rel=1e-12)


def test_the_expansion_is_the_kernel_s_where_both_answer() -> None:
    """Over a grid of moments; elsewhere the kernel refuses, and this one where its own tail bends."""
    answered = 0
    for skewness in np.linspace(-2, 2, 21):
        for kurtosis in np.linspace(0, 8, 17):
            moments = np.array([skewness]), np.array([kurtosis])
            try:
                var, es = kernel.cornish_fisher(0.0, 1.0, skewness, kurtosis, 0.99)
            except ArgumentError:
                continue
            answered += 1
            found = expansion.measures(*moments, 0.99)
            assert found[0][0] == pytest.approx(float(var), rel=1e-12)
            assert found[1][0] == pytest.approx(float(es), rel=1e-12)
            assert expansion.ascends(*moments, 0.99)[0]
    assert answered > 50
    assert expansion.ascends(np.array([-0.1]), np.array([0.0134]), 0.99)[0]
    with pytest.raises(ArgumentError):
        kernel.cornish_fisher(0.0, 1.0, -0.1, 0.0134, 0.99)
    assert not expansion.ascends(np.array([2.0]), np.array([6.0]), 0.99)[0]


@pytest.mark.parametrize("level", [0.9, 0.99, 0.999])
def test_slopes_of_the_expansion_are_its_derivatives(level: float) -> None:
    """Against central differences."""
    for i, pair in enumerate(expansion.slopes(-0.3, 0.5, level)):
        for j, slope in enumerate(pair):
            shift = np.array([1e-5 * (j == 0), 1e-5 * (j == 1)])
            high, low = (
                expansion.measures(np.array(-0.3 + sign * shift[0]), np.array(0.5 + sign * shift[1]), level)[i]
                for sign in (1, -1)
            )
            assert slope == pytest.approx(float(high - low) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("method", [Method.DELTA_NORMAL, Method.DELTA_GAMMA])
def test_components_are_derivatives_to_the_size_of_a_market(method: Method) -> None:
    """They add up to the measure, and are what a market that grows by a thousandth of a percent adds."""
    gamma = method is Method.DELTA_GAMMA
    wanted = replace(WANTED, method=method)
    _, found = parametric.told(approximated(gamma=gamma), COVARIANCE, wanted)
    for each in found:
        assert sum(each.components.component_var) == pytest.approx(each.value_at_risk, rel=1e-9)
        assert sum(each.components.component_es) == pytest.approx(each.expected_shortfall, rel=1e-9)
    for row in range(3):
        sized = []
        for sign in (1, -1):
            grown = np.where(BOOK.positions.market == row, 1 + sign * 1e-5, 1.0) * BOOK.positions.notional
            own = replace(BOOK, positions=replace(BOOK.positions, notional=grown))
            sized.append(parametric.told(approximated(own, gamma=gamma), COVARIANCE, wanted)[1])
        for i, each in enumerate(found):
            var = (sized[0][i].value_at_risk - sized[1][i].value_at_risk) / 2e-5
            es = (sized[0][i].expected_shortfall - sized[1][i].expected_shortfall) / 2e-5
            assert each.components.component_var[row] == pytest.approx(var, rel=1e-5, abs=1.0)
            assert each.components.component_es[row] == pytest.approx(es, rel=1e-5, abs=1.0)


def test_candidates_are_what_they_add() -> None:
    """The measure of all positions less that of the book."""
    _, (_, found) = parametric.told(approximated(), COVARIANCE, WANTED)
    whole = parametric.approximation(BOOK, MARKETS, Groups.of(np.zeros(0), 5), gamma=True)
    _, (_, both) = parametric.told(whole, COVARIANCE, WANTED)
    assert found.candidate_var[0] == pytest.approx(both.value_at_risk - found.value_at_risk, rel=1e-9)
    assert found.candidate_es[0] == pytest.approx(both.expected_shortfall - found.expected_shortfall, rel=1e-9)


def test_a_book_that_is_all_gamma_is_refused() -> None:
    """A straddle that was bought: its profit is close to a chi-square, for which the expansion has no quantiles."""
    straddle = book(2, pairs=(EURUSD,), kind=[0, 1], strike=[1.1], time=[0.1])
    own = parametric.approximation(
        straddle, Markets(np.array([1.1]), np.array([1.0])), Groups.of(np.zeros(0), 2), gamma=True
    )
    with pytest.raises(Refused, match=r"method: VAR_METHOD_DELTA_GAMMA has no answer for this book.*simulate instead"):
        parametric.told(own, one(0.006), replace(WANTED, components=False))


def test_simulation_agrees_with_the_closed_form() -> None:
    """A forward's profit is N(e^x − 1) with x normal: its quantile and tail mean are within three standard errors."""
    own, markets, groups = pound()
    covariance = one(0.00565)
    normals = simulation.Draws(100_000, 1, False, "s").normals(1)
    scenarios = simulation.simulated(own, covariance, normals)
    work = Revaluation(own, markets, scenarios, by_market=True, groups=groups)
    work.slice(0, work.total, 1)
    wanted = Wanted(Method.PLAIN, None, (0.99,), components=True, window=200)
    (found,) = measure.measured(work.profit, work.candidates, wanted)
    quantile = NormalDist().inv_cdf(0.01)
    exact = 1e8 * -np.expm1(0.00565 * quantile)
    assert abs(found.value_at_risk - exact) < 3 * found.value_at_risk_error
    assert found.interval[0] < exact < found.interval[1]
    tail = 1e8 * (1 - np.exp(0.5 * 0.00565**2) * NormalDist().cdf(quantile - 0.00565) / 0.01)
    assert abs(found.expected_shortfall - tail) < 3 * found.expected_shortfall_error
    units = measure.unit_profits(scenarios)
    told = measure.contributed(found, work.profit, work.parts, units, wanted)
    assert told.components.component_var[0] == pytest.approx(told.components.explained_value_at_risk, rel=1e-12)
    assert told.marginal_var[0] == pytest.approx(told.components.explained_value_at_risk / 1e8, rel=1e-9)


def test_simulation_agrees_with_delta_gamma() -> None:
    """A book of options in yen: measures, marginal measures and candidates are within four standard errors."""
    draws = simulation.Draws(200_000, 3, True, "s")
    scenarios = simulation.simulated(BOOK, COVARIANCE, draws.normals(3))
    work = Revaluation(BOOK, MARKETS, scenarios, by_market=True, groups=GROUPS)
    work.slice(0, work.total, 2)
    wanted = Wanted(Method.PLAIN, None, (0.95, 0.99), components=True, window=2_000)
    drawn = measure.measured(work.profit, work.candidates, wanted, paired=True)
    _, exact = parametric.told(approximated(), COVARIANCE, WANTED)
    units = measure.unit_profits(scenarios)
    for one_, other in zip(drawn, exact, strict=True):
        assert abs(one_.value_at_risk - other.value_at_risk) < 4 * one_.value_at_risk_error
        assert abs(one_.expected_shortfall - other.expected_shortfall) < 4 * one_.expected_shortfall_error
        assert abs(one_.candidate_var[0] - other.candidate_var[0]) < 4 * one_.value_at_risk_error
        told = measure.contributed(one_, work.profit, work.parts, units, wanted)
        # Of two thousand scenarios or more, in each of which a unit moves by some 0.5 percent: 0.011 percent of error.
        assert np.allclose(told.marginal_es, other.marginal_es, rtol=0, atol=4.5e-4)
        assert np.allclose(told.marginal_var, other.marginal_var, rtol=0, atol=4.5e-4)
        assert np.allclose(
            told.components.component_var, other.components.component_var, rtol=0, atol=0.02 * other.value_at_risk
        )


@pytest.mark.parametrize(("kind", "factor"), [([0, 1], 2**0.5), ([1, 1], 0.99)])
def test_the_error_of_pairs_counts_how_they_go_together(kind: list[int], factor: float) -> None:
    """A sold straddle without delta loses on both sides, so that pairs are one scenario twice; of a sold call one of
    both loses. The errors are those that fifty simulations show, within four deviations of their deviation."""
    sold = book(2, pairs=(EURUSD,), kind=kind, strike=[1.1 * np.exp(0.5 * 0.01 * 0.5)], notional=[-1e6, -1e6])
    markets, groups = Markets(np.array([1.1]), np.array([1.0])), Groups.of(np.zeros(0), 2)
    wanted = replace(WANTED, method=Method.PLAIN, confidence=(0.99,), components=False)
    found, alone = [], []
    for seed in range(50):
        normals = simulation.Draws(4_000, seed, True, "s").normals(1)
        work = Revaluation(
            sold, markets, simulation.simulated(sold, one(0.006), normals), by_market=False, groups=groups
        )
        work.slice(0, work.total, 1)
        found += measure.measured(work.profit, work.candidates, wanted, paired=True)
        alone += measure.measured(work.profit, work.candidates, wanted)
    for name in ("value_at_risk", "expected_shortfall"):
        shown = np.std([getattr(each, name) for each in found], ddof=1)
        told = np.mean([getattr(each, f"{name}_error") for each in found])
        assert told == pytest.approx(shown, rel=0.4)
        assert told / np.mean([getattr(each, f"{name}_error") for each in alone]) == pytest.approx(factor, rel=0.05)
    assert found[0].interval is None
