"""Margin against a published risk array, spreads worked out by hand, and what a requirement obeys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, ShapeError, margin, path
from crossrate.kernel.margin import Spread

FUTURE = [0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670, 10000, 10000, -10000, -10000, 7000, -7000]
CALL = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130, -1500]
BOTH = -np.array([FUTURE, CALL], np.float64)
"""P&L of one long S&P 500 future and of one long December 410 call: McMillan, Options as a Strategic Investment, 4th
edition (2002), pages 668 and 669, dollars rounded to tens."""


def test_the_scenarios_are_spans(build: str) -> None:
    """Two of each price move in the published order; extreme moves of twice the range count 35 percent."""
    found = margin.scenarios(20.0, 0.05)
    assert found.price_move[:14:2] == pytest.approx(np.array([0, 20, -20, 40, -40, 60, -60]) / 3.0)
    assert np.array_equal(found.price_move[:14:2], found.price_move[1:14:2])
    assert found.volatility_move.tolist() == [0.05, -0.05] * 7 + [0.0, 0.0]
    losses = found.risk_array(found.price_move * 500.0)
    assert losses == pytest.approx(BOTH[0], abs=5.0)
    assert losses[15] == pytest.approx(7000.0)


def test_the_published_accounts(build: str) -> None:
    """A long future needs 10,000, a long call 3,990, a covered write 6,620: McMillan, pages 668 to 670."""
    found = margin.portfolio(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]), BOTH, [0, 0])
    assert found.scanning_risk[:, 0].tolist() == [10000.0, 3990.0, 6620.0]
    assert found.requirement.tolist() == [10000.0, 3990.0, 6620.0]


def test_a_long_option_never_needs_more_than_its_value(build: str) -> None:
    """Net option value is an asset: what the call is worth beyond its risk offsets other positions."""
    found = margin.portfolio([[0.0, 1.0], [-2.0, 1.0], [0.0, -1.0]], BOTH, [0, 1], option_value=[0.0, 9000.0])
    assert found.requirement.tolist() == [0.0, 20000.0 + 3990.0 - 9000.0, 8060.0 + 9000.0]


def test_short_options_have_a_minimum(build: str) -> None:
    """Each short unit is charged at least the minimum; long ones and what is above it are not."""
    tiny = np.full((1, 16), 0.5)
    found = margin.portfolio([[-10.0], [10.0]], tiny, [0], short_minimum=[3.0])
    assert found.requirement.tolist() == [30.0, 5.0]


def test_a_spread_credits_the_price_risk_of_the_deltas_that_it_uses(build: str) -> None:
    """Long 3 of the one and short 1 of the other future at 2 to 1: one spread, a third of the first is left."""
    risk = np.array([FUTURE, FUTURE], np.float64) * -np.array([[1.0], [2.0]])
    spread = [Spread(0, 1, 2.0, 1.0, 0.6)]
    found = margin.portfolio([3.0, -1.0], risk, [0, 1], [1.0, 1.0], spreads=spread)
    assert found.scanning_risk.tolist() == [30000.0, 20000.0]
    assert found.spread_credit == pytest.approx([0.6 * 30000.0 * 2.0 / 3.0, 0.6 * 20000.0])
    assert found.requirement == pytest.approx(50000.0 - 12000.0 - 12000.0)
    same = margin.portfolio([3.0, 1.0], risk, [0, 1], [1.0, 1.0], spreads=spread)
    assert same.spread_credit.tolist() == [0.0, 0.0]
    inverse = margin.portfolio([3.0, 1.0], risk, [0, 1], [1.0, 1.0], spreads=[Spread(0, 1, 2.0, 1.0, 0.6, True)])
    assert inverse.spread_credit == pytest.approx(found.spread_credit)


def test_spreads_are_formed_in_order(build: str) -> None:
    """What the first spread has used is not there for the second."""
    risk = np.tile(-np.array(FUTURE, np.float64), (3, 1))
    spreads = [Spread(0, 1, 1.0, 1.0, 0.5), Spread(0, 2, 1.0, 1.0, 0.8)]
    found = margin.portfolio([3.0, -2.0, -5.0], risk, [0, 1, 2], [1.0] * 3, spreads=spreads)
    assert found.spread_credit == pytest.approx([0.5 * 20000 + 0.8 * 10000, 0.5 * 20000, 0.8 * 10000])


def test_only_price_risk_is_credited(build: str) -> None:
    """For the long call: the mean of its active scenario and the twin, less that of the two without a price move."""
    spread = [Spread(0, 1, 0.4, 1.0, 1.0)]
    found = margin.portfolio([1.0, -1.0], BOTH[::-1].copy(), [0, 1], [0.4, 1.0], spreads=spread)
    assert found.scanning_risk.tolist() == [3990.0, 10000.0]
    assert found.spread_credit == pytest.approx([(3990 + 3380) / 2 - (610 - 460) / 2, 10000.0])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(0, 2**32 - 1)
)
def test_requirements_are_fair(rows: list[list[int]], seed: int) -> None:
    """Builds agree; a requirement is homogeneous; without spreads two accounts together need no more."""
    random = np.random.default_rng(seed)
    position = np.array(rows, np.float64)
    risk, delta = random.standard_normal((6, 16)) * 100.0, random.standard_normal(6)
    spreads = [Spread(0, 1, 1.0, 2.0, 0.7), Spread(1, 2, 0.5, 1.0, 0.4, True), Spread(0, 2, 1.0, 1.0, 0.9)]
    group, minimum, value = [0, 1, 2, 0, 1, 2], np.full(6, 5.0), np.array([0.0, 20.0, 0.0, 3.0, 0.0, 7.0])
    results = []
    for name in path.paths():
        with path.using(name):
            found, double = (
                margin.portfolio(
                    scale * position, risk, group, delta, spreads=spreads, short_minimum=minimum, option_value=value
                )
                for scale in (1.0, 2.0)
            )
            apart = margin.portfolio(position, risk, group)
            joint = margin.portfolio(position.sum(axis=0), risk, group)
        assert double.requirement == pytest.approx(2.0 * found.requirement, abs=1e-9)
        assert joint.requirement <= apart.requirement.sum() + 1e-9
        assert (found.spread_credit <= found.scanning_risk + 1e-9).all()
        results.append(np.concatenate([found.spread_credit.ravel(), found.requirement]))
    for each in results[:-1]:
        assert each == pytest.approx(results[-1], rel=1e-10, abs=1e-9)


def test_tiers_are_marginal(build: str) -> None:
    """Each slice has its own rate: 2 percent to a million, 5 to five, 20 beyond; the second table has one rate."""
    bound, rate = np.array([[0.0, 1e6, 5e6], [0.0, 1.0, 2.0]]), np.array([[0.02, 0.05, 0.2], [0.1, 0.1, 0.1]])
    notional = np.array([0.0, 1e6, -1e6, 2e6, -7e6, 7e6])
    found = margin.tiered(notional, bound, rate, table=np.array([0, 0, 0, 0, 0, 1]))
    assert found == pytest.approx([0.0, 2e4, 2e4, 7e4, 2e4 + 2e5 + 4e5, 7e5])
    assert margin.tiered(2e6, bound[0], rate[0]) == pytest.approx(7e4)
    assert margin.tiered(np.empty(0), bound[0], rate[0]).shape == (0,)


def test_what_is_refused_is_named(build: str) -> None:
    """The error names the argument, where it is, and what it must be."""
    with pytest.raises(ArgumentError, match=r"position\[1\] is nan"):
        margin.portfolio([0.0, np.nan], BOTH, [0, 0])
    with pytest.raises(ArgumentError, match=r"group\[0\] is -1: it must be the index of a group"):
        margin.portfolio([0.0, 1.0], BOTH, [-1, 0])
    with pytest.raises(ArgumentError, match=r"short_minimum\[0\] is -1.0: it must be a charge"):
        margin.portfolio([0.0, 1.0], BOTH, [0, 0], short_minimum=-1.0)
    with pytest.raises(ArgumentError, match=r"spreads.credit_rate\[0\] is 1.5: it must be from 0 to 1"):
        margin.portfolio([0.0, 1.0], BOTH, [0, 1], spreads=[Spread(0, 1, 1.0, 1.0, 1.5)])
    with pytest.raises(ArgumentError, match=r"spreads.first_ratio\[0\] is 0.0: it must be positive"):
        margin.portfolio([0.0, 1.0], BOTH, [0, 1], spreads=[Spread(0, 1, 0.0, 1.0, 0.5)])
    with pytest.raises(ArgumentError, match=r"spreads.second\[0\] is 1: the legs of a spread are in two groups"):
        margin.portfolio([0.0, 1.0], BOTH, [0, 1], spreads=[Spread(1, 1, 1.0, 1.0, 0.5)])
    with pytest.raises(ShapeError, match=r"risk has shape \(2, 15\); 16 scenarios of each"):
        margin.portfolio([0.0, 1.0], BOTH[:, :15].copy(), [0, 1])
    with pytest.raises(ArgumentError, match=r"bound\[0, 2\] is 1.0: the bounds of a table must ascend"):
        margin.tiered(1.0, [0.0, 1.0, 1.0], 0.1)
    with pytest.raises(ArgumentError, match=r"bound\[0, 0\] is 1.0: the first bound of a table must be 0"):
        margin.tiered(1.0, [1.0, 2.0], 0.1)
    with pytest.raises(ArgumentError, match=r"rate\[0, 1\] is 5.0: it must be from 0 to 1"):
        margin.tiered(1.0, [0.0, 2.0], [0.1, 5.0])
    with pytest.raises(ArgumentError, match=r"table is 1: it must be the index of a table"):
        margin.tiered(1.0, [0.0, 2.0], 0.1, table=1)
