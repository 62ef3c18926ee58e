"""How scenarios come about and count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from services.risk.domain.measure import Method, Source, Wanted, historical, measured, worst
from services.risk.domain.rates import Rates
from services.risk.domain.refusal import Refused
from tests.unit.risk.books import EURUSD, GBPUSD, book

WANTED = Wanted(Method.PLAIN, None, (0.95, 0.99), components=False)


def rates(returns: np.ndarray) -> Rates:
    """Rates of the pound and the dollar with these returns, shape (2, days)."""
    levels = np.exp(np.concatenate([np.zeros((2, 1)), np.cumsum(returns, axis=1)], axis=1))
    return Rates(("GBP", "USD"), np.arange(levels.shape[1]).astype("datetime64[D]"), levels)


def test_plain_scenarios_are_the_days_moves() -> None:
    """Oldest first, one fewer than days."""
    returns = np.random.default_rng(2).normal(0, 0.01, (2, 30))
    found = historical(book(pairs=(EURUSD, GBPUSD)), rates(returns), WANTED)
    assert np.allclose(found.spot_return, [returns[1], returns[1] - returns[0]], rtol=0, atol=1e-14)
    assert found.volatility_shift is None


def test_filtered_returns_have_the_volatility_of_now() -> None:
    """After a calm month that follows a wild one the wild days shrink; a currency that never moved stays."""
    wild, calm = np.tile([0.02, -0.02], 100), np.tile([0.002, -0.002], 100)
    returns = np.stack([np.zeros(400), np.concatenate([wild, calm])])
    wanted = replace(WANTED, method=Method.VOLATILITY_FILTERED)
    spot = historical(book(pairs=(EURUSD, GBPUSD)), rates(returns), wanted).spot_return
    assert np.allclose(np.abs(spot[0, 50:200]), 0.002, rtol=0.05)
    assert np.allclose(spot[0, -50:], returns[1, -50:], rtol=0.05)
    assert np.array_equal(spot[1], spot[0])


def test_a_variance_that_vanished_is_refused() -> None:
    """The pound stands still for three hundred days with a decay of a half: nothing is left to scale by."""
    returns = np.full((2, 400), 0.01)
    returns[0, 50:350] = 0.0
    wanted = replace(WANTED, method=Method.VOLATILITY_FILTERED, decay=0.5)
    with pytest.raises(Refused, match="decay: is too small: GBP stood still"):
        historical(book(pairs=(EURUSD, GBPUSD)), rates(returns), wanted)


def test_age_weights_make_the_old_count_less() -> None:
    """The only loss of a hundred, as the oldest, has no weight to speak of; as the newest it is the quantile."""
    profit = np.ones(100)
    profit[0] = -5.0
    wanted = replace(WANTED, method=Method.AGE_WEIGHTED, decay=0.9)
    none = np.zeros((0, 100))
    assert [each.value_at_risk for each in measured(profit, none, wanted)] == [-1.0, -1.0]
    found = measured(profit[::-1].copy(), none, wanted)
    assert [each.value_at_risk for each in found] == [5.0, 5.0]
    assert found[0].interval is None
    loss, index = worst(profit[::-1].copy())
    assert (loss[0], index[0], len(loss)) == (5.0, 99, 10)


@pytest.mark.parametrize(
    ("changed", "source", "field"),
    [
        ({}, Source.GIVEN, r"confidence\[1\]: is 0.99: it needs at least 100 scenarios, there are 99"),
        ({"decay": 0.9}, Source.HISTORICAL, "decay: has no meaning"),
        ({"method": Method.AGE_WEIGHTED, "components": True, "window": 5}, Source.GIVEN, "component_window: is of"),
        ({"window": 5}, Source.GIVEN, "component_window: has a meaning with include_components"),
        ({"components": True, "window": 100}, Source.GIVEN, "component_window: is 100; there are 99"),
        ({"method": Method.VOLATILITY_FILTERED}, Source.GIVEN, "method: is VAR_METHOD_VOLATILITY_FILTERED: given"),
        ({"method": Method.AGE_WEIGHTED}, Source.SIMULATED, "method: is VAR_METHOD_AGE_WEIGHTED: simulated"),
        ({"method": Method.DELTA_GAMMA}, Source.HISTORICAL, "method: is VAR_METHOD_DELTA_GAMMA: historical"),
        ({}, Source.COVARIANCE, "covariance goes with VAR_METHOD_DELTA_NORMAL or VAR_METHOD_DELTA_GAMMA"),
        ({"method": Method.DELTA_NORMAL, "decay": 0.9}, Source.COVARIANCE, "decay: .* stands in covariance"),
        ({"method": Method.DELTA_NORMAL, "profits": True}, Source.COVARIANCE, "include_profits: there are no"),
    ],
)
def test_what_does_not_go_together_is_refused(changed: dict, source: Source, field: str) -> None:
    """The field is named, and what would do instead."""
    with pytest.raises(Refused, match=field):
        replace(WANTED, **changed).check(source, 99)
    WANTED.check(source if source is not Source.COVARIANCE else Source.GIVEN, 100)
