"""Backtests: the tests' statistics against scipy, published regions, and forecasts day by day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import binom, chi2

from crossrate.kernel.backtest import Zone
from crossrate.kernel.revalue import Markets
from crossrate.kernel.var import measure
from services.risk.domain import backtest, parametric
from services.risk.domain.backtest import Forecasts
from services.risk.domain.book import Groups
from services.risk.domain.covariance import Estimator, Model
from services.risk.domain.measure import Method, filtered
from services.risk.domain.rates import pair_moves
from services.risk.domain.refusal import Refused
from services.risk.domain.simulation import Draws, moves
from tests.unit.risk.books import EURUSD, GBPUSD, book

CURRENCIES = ("GBP", "USD")
RETURNS = np.random.default_rng(5).normal(0, 0.006, (2, 120))
BOOK = book(2, pairs=(EURUSD, GBPUSD), market=[0, 1])


def days(breaches: list[int], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Profits that break a forecast of one on some days."""
    profit = np.zeros(count)
    profit[breaches] = -2.0
    return profit, np.ones(count)


@pytest.mark.parametrize("breaches", [[], [7], [10, 11, 12, 90], [*range(0, 250, 20)], [*range(30, 60)]])
def test_statistics_are_the_formulas(breaches: list[int]) -> None:
    """Kupiec (1995) and Christoffersen (1998) written out, p-values from chi-square, zones from the binomial."""
    count, p = 250, 1 - 0.99
    found = backtest.judged(*days(breaches, count), 0.99)
    x = len(breaches)

    def likelihood(hits: float, misses: float, probability: float) -> float:
        return float(xlogy(hits, probability) + xlogy(misses, 1 - probability))

    kupiec = 2 * (likelihood(x, count - x, x / count) - likelihood(x, count - x, p))
    broken = np.zeros(count, int)
    broken[breaches] = 1
    table = np.zeros((2, 2))
    for before, after in pairwise(broken):
        table[before, after] += 1
    rates = table[:, 1] / np.maximum(table.sum(axis=1), 1)
    hits = table[:, 1].sum()
    chain = sum(likelihood(table[i, 1], table[i, 0], rates[i]) for i in (0, 1))
    alone = likelihood(hits, count - 1 - hits, hits / (count - 1))
    independence = 2 * (chain - alone)
    conditional = 2 * (chain - likelihood(hits, count - 1 - hits, p))
    tests = (found.found.unconditional, found.found.independence, found.found.conditional)
    for test, statistic, degrees in zip(tests, (kupiec, independence, conditional), (1, 1, 2), strict=True):
        assert float(test.statistic[0]) == pytest.approx(statistic, rel=1e-9, abs=1e-9)
        assert float(test.p_value[0]) == pytest.approx(chi2.sf(statistic, degrees), rel=1e-9, abs=1e-9)
    assert found.found.transitions[0].tolist() == [table[0, 0], table[0, 1], table[1, 0], table[1, 1]]
    assert float(found.light.cumulative) == pytest.approx(binom.cdf(x, count, p), rel=1e-9)
    assert (found.breaches.tolist(), found.expected) == (breaches, pytest.approx(2.5))


def test_kupiec_s_regions_are_the_published_ones() -> None:
    """Kupiec (1995), in Jorion, Value at Risk (2007), table 6-2: at 99 percent and a test at 95 the model is kept with
    fewer than 7 of 255, 2 to 10 of 510, 5 to 16 of 1,000 exceedances."""
    for count, kept in ((255, range(7)), (510, range(2, 11)), (1000, range(5, 17))):
        for x in range(25):
            p_value = float(backtest.judged(*days([*range(x)], count), 0.99).found.unconditional.p_value[0])
            # With none of 255 the statistic is 5.13: the table, which says "fewer than 7", keeps it nevertheless.
            assert (p_value > 0.05) == (x in kept) or (count, x) == (255, 0)


def test_zones_and_add_ons_are_basel_s() -> None:
    """Basle Committee (January 1996), table 2: green to 4, yellow to 9, red from 10; the table speaks of 250 days at 99
    percent alone."""
    told = {x: backtest.judged(*days([*range(0, 2 * x, 2)], 250), 0.99) for x in (0, 4, 5, 9, 10)}
    assert {x: Zone(int(each.light.zone)) for x, each in told.items()} == {
        0: Zone.GREEN,
        4: Zone.GREEN,
        5: Zone.YELLOW,
        9: Zone.YELLOW,
        10: Zone.RED,
    }
    assert [each.add_on for each in told.values()] == [0.0, 0.0, 0.4, 0.85, 1.0]
    assert backtest.judged(*days([1], 250), 0.975).add_on is None
    assert backtest.judged(*days([1], 251), 0.99).add_on is None


def forecasts(method: Method, estimator: Estimator | None = None, draws: Draws | None = None) -> Forecasts:
    """Forecasts of twenty days from a hundred before each."""
    return Forecasts(20, 100, 0.95, method, None, estimator, draws)


def test_plain_and_aged_forecasts_are_those_of_the_days_before() -> None:
    """Each is the measure of its own window; the day itself is not in it."""
    profit = np.random.default_rng(6).normal(0, 1, 120)
    for method, weight in ((Method.PLAIN, None), (Method.AGE_WEIGHTED, 0.98 ** np.arange(99, -1, -1))):
        found = backtest.of_outcomes(profit, forecasts(method), 3, 20)
        alone = [float(measure(profit[day : day + 100], 0.95, weight=weight).value_at_risk) for day in range(3, 20)]
        assert np.allclose(found, alone, rtol=1e-12)


def test_filtered_and_simulated_forecasts_have_scenarios_of_their_own() -> None:
    """Those of a day are its window's returns at its last volatility, or draws with its covariance."""
    normals = Draws(100, 2, False, "d").normals(2)
    sample = Estimator(Model.SAMPLE, None, "e")
    for method, estimator, drawn in ((Method.VOLATILITY_FILTERED, None, None), (Method.PLAIN, sample, normals)):
        draws = None if drawn is None else Draws(100, 2, False, "d")
        made = backtest.scenarios_of(BOOK, CURRENCIES, RETURNS, forecasts(method, estimator, draws))
        both = made(4, 6, drawn)
        window = RETURNS[:, 5:105]
        own = (
            filtered(window, 0.94, CURRENCIES, "decay")
            if drawn is None
            else moves(sample.estimate(CURRENCIES, window), drawn)
        )
        spot, conversion = pair_moves(BOOK.pairs, "USD", CURRENCIES, own)
        assert np.array_equal(both.spot_return[:, 100:], spot)
        assert np.array_equal(both.conversion_return[:, 100:], conversion)


def test_forecasts_from_a_covariance_are_those_of_its_window() -> None:
    """A book of linear positions: the quantile of a normal distribution of its variance."""
    own = parametric.approximation(
        BOOK, Markets(np.array([1.1, 1.3]), np.ones(2)), Groups.of(np.zeros(0), 2), gamma=False
    )
    total = own.parts.sum()
    sample = Estimator(Model.SAMPLE, None, "e")
    found = backtest.of_covariances(total, CURRENCIES, RETURNS, forecasts(Method.DELTA_NORMAL, sample), 0, 2)
    # Sold dollars and bought pounds: 1.1 and 1.3 million dollars of euro and pound against the dollar.
    profit = 1e6 * (1.1 * RETURNS[1] + 1.3 * (RETURNS[1] - RETURNS[0]))
    assert np.allclose(found, [1.6448536269514722 * np.sqrt(np.mean(profit[i : i + 100] ** 2)) for i in (0, 1)])


@pytest.mark.parametrize(
    ("changed", "positions", "words"),
    [
        ({"days": 2_501}, 1, r"book.tested.days: is 2501: at most 2500"),
        ({"confidence": 0.99, "window": 99}, 1, r"confidence: is 0.99: it needs at least 100 scenarios, there are 99"),
        ({"decay": 0.9}, 1, r"book.historical.decay: has no meaning"),
        ({"method": Method.VOLATILITY_FILTERED, "days": 2_000, "window": 250}, 50_000, "at most 1600 days can be"),
        ({"estimator": Estimator(Model.GARCH, None, "e"), "window": 49}, 1, r"book.window_days: is 49"),
        ({"estimator": Estimator(Model.SAMPLE, 0.9, "e")}, 1, r"e.decay: has a meaning"),
        ({"estimator": Estimator(Model.SAMPLE, None, "e"), "draws": Draws(101, 1, True, "d")}, 1, r"d.count: is 101"),
    ],
)
def test_what_does_not_go_together_is_refused(changed: dict, positions: int, words: str) -> None:
    """The field is named, and what would do instead."""
    given = {"days": 20, "window": 100, "confidence": 0.95, "method": Method.PLAIN}
    given |= {"decay": None, "estimator": None, "draws": None}
    with pytest.raises(Refused, match=words):
        Forecasts(**given | changed).check(1, positions)
    Forecasts(**given).check(1, positions)
