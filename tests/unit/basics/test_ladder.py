"""The ladder against a plain dict, and what amounts cost against it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.ladder import Ladder, Side, fill

PRICES = st.integers(1, 40).map(lambda n: n / 16)
STEPS = st.lists(st.tuples(PRICES, st.integers(0, 5).map(float)), max_size=80)
LEVELS = st.lists(st.tuples(st.integers(90_000, 110_000), st.integers(1, 9_000_000)), min_size=1, max_size=30)


@given(steps=STEPS, descending=st.booleans(), depth=st.integers(0, 12), cut=st.integers(1, 12))
def test_a_side_is_a_sorted_dict(steps: list[tuple[float, float]], descending: bool, depth: int, cut: int) -> None:
    """After any changes the levels are those of a plain dict, sorted, each once, none without quantity."""
    side, plain = Side(descending=descending), {}
    for price, quantity in steps:
        assert side.set(price, quantity) == plain.get(price, 0.0)
        plain[price] = quantity
        if not quantity:
            del plain[price]
    expected = sorted(plain.items(), reverse=descending)
    assert side.levels() == expected
    assert side.levels(depth) == (expected[:depth] if depth else expected)
    assert side.best == (expected[0][0] if expected else None)
    assert sorted(side.cut(cut)) == sorted(expected[cut:])
    assert side.levels() == expected[:cut]
    assert len(side) == len(expected[:cut])


def test_a_book_is_crossed_only_if_bid_is_above_ask() -> None:
    """Equal prices are locked and not crossed, and an empty side crosses nothing."""
    ladder = Ladder()
    assert not ladder.crossed
    ladder.replace([(1.1, 1.0)], [])
    assert not ladder.crossed
    ladder.asks.set(1.1, 1.0)
    assert not ladder.crossed
    ladder.asks.set(1.0999, 1.0)
    assert ladder.crossed


def test_an_amount_takes_the_levels_from_the_best_on() -> None:
    """A dealer's example: 1.5 at 1.1001, 2 at 1.1003 of which half is needed, and the rest is not there."""
    levels = [(1.1001, 1.5e6), (1.1003, 2e6)]
    assert fill(levels, 1e6) == (1.1001, 1.1001, 1e6, 0.0, 1)
    done = fill(levels, 2.5e6)
    assert done.average_price == pytest.approx((1.5 * 1.1001 + 1.1003) / 2.5, rel=1e-15)
    assert done[1:] == (1.1003, 2.5e6, 0.0, 2)
    assert fill(levels, 4e6)[1:] == (1.1003, 3.5e6, 0.5e6, 2)
    assert fill([], 4e6) == (0.0, 0.0, 0.0, 4e6, 0)


@given(levels=LEVELS, quantity=st.integers(1, 100_000_000))
def test_fills_are_bounded_and_complete(levels: list[tuple[int, int]], quantity: int) -> None:
    """What fills and what does not is the amount; the average lies between best and worst price, and costs what the
    levels cost to the last integer."""
    asks = sorted(dict(levels).items())
    done = fill([(p / 1e5, float(q)) for p, q in asks], float(quantity))
    assert done.filled + done.unfilled == quantity
    assert done.filled == min(quantity, sum(q for _, q in asks))
    left, cost = quantity, 0
    for price, there in asks:
        cost += price * min(left, there)
        left -= min(left, there)
    assert math.isclose(done.average_price * done.filled * 1e5, cost, rel_tol=1e-14)
    assert asks[0][0] / 1e5 <= done.average_price * (1 + 1e-15)
    assert done.average_price <= done.worst_price * (1 + 1e-15)
