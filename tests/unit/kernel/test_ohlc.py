"""Bars of quotes: where they begin, and their prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossrate.kernel import ArgumentError, ShapeError, ohlc
from crossrate.kernel.faults import Reason

ordinary = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ordinary
@given(
    st.lists(st.integers(0, 40), max_size=300),
    st.integers(-(10**18), 10**18),
    st.sampled_from([1, 2, 7, 100, 10**9]),
    st.sampled_from([0, 3, -5, 86_400 * 10**9]),
)
def test_a_bar_begins_with_the_first_quote_of_its_time(build: str, moves, first, step, anchor) -> None:
    """The places are those where the whole number of steps from the anchor is another than before."""
    times = first + np.cumsum(np.array(moves, np.int64))
    bar = [(int(each) - anchor) // step for each in times]
    expected = [place for place in range(len(bar)) if not place or bar[place] != bar[place - 1]]
    found = ohlc.starts(times, anchor, step)
    assert found.start.tolist() == expected
    assert found.opens.tolist() == [bar[place] * step + anchor for place in expected]


@ordinary
@given(st.lists(st.integers(1, 90), min_size=1, max_size=12), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05]))
def test_prices_are_first_greatest_least_and_last(build: str, sizes, seed, missing) -> None:
    """Also of bars of one quote and of many; a price that is missing makes greatest and least unknown."""
    numbers = np.random.default_rng(seed)
    price = np.round(1.1 + np.cumsum(numbers.integers(-3, 4, sum(sizes))) * 1e-5, 5)
    price[numbers.random(len(price)) < missing] = np.nan
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    found = ohlc.prices(start, price)
    rows = np.split(price, start[1:])
    for column, value in (
        ("open", [row[0] for row in rows]),
        ("high", [row.max() for row in rows]),
        ("low", [row.min() for row in rows]),
        ("close", [row[-1] for row in rows]),
    ):
        np.testing.assert_array_equal(getattr(found, column), value, column)


def test_the_extremes_may_stand_anywhere_in_a_bar(build: str) -> None:
    """Wherever in a bar of any length the greatest, the least or a missing price stands, it is seen."""
    for size in (1, 2, 15, 16, 17, 31, 64, 101):
        for place in range(size):
            price = np.full(size, 5.0)
            price[place] = 9.0
            assert ohlc.prices(np.array([0]), price).high == 9.0
            price[place] = 1.0
            assert ohlc.prices(np.array([0]), price).low == 1.0
            price[place] = np.nan
            assert np.isnan(ohlc.prices(np.array([0]), price).high)
            assert np.isnan(ohlc.prices(np.array([0]), price).low)


def test_no_quotes_make_no_bars(build: str) -> None:
    """Nothing in, nothing out."""
    assert all(len(each) == 0 for each in ohlc.starts(np.empty(0, np.int64), 0, 60))
    assert all(len(each) == 0 for each in ohlc.prices(np.empty(0, np.int64), np.empty(0)))


def test_a_time_before_the_one_ahead_of_it_is_refused(build: str) -> None:
    """The error has its place, wherever it is."""
    for count in (2, 63, 64, 65, 66, 130):
        for place in range(1, count):
            times = np.arange(count) * 10
            times[place] = times[place - 1] - 1
            with pytest.raises(ArgumentError) as refused:
                ohlc.starts(times, 0, 7)
            assert (refused.value.argument, refused.value.index) == ("time", place)
            assert refused.value.reason is Reason.NOT_ASCENDING


@pytest.mark.parametrize(
    ("time", "anchor", "step", "argument"),
    [
        ([0], 0, 0, "step"),
        ([0], 0, -1, "step"),
        ([0], 0, 2**60, "step"),
        ([0], 2**63 - 1, 1, "anchor"),
        ([0], -(2**70), 1, "anchor"),
        ([-(2**63)], 0, 1, "time"),
        ([0, 2**63 - 1], 0, 1, "time"),
    ],
)
def test_numbers_out_of_range_are_refused(build: str, time, anchor, step, argument) -> None:
    """Sums that would not fit 64 bits are never made."""
    with pytest.raises(ArgumentError) as refused:
        ohlc.starts(np.array(time), anchor, step)
    assert (refused.value.argument, refused.value.reason) == (argument, Reason.OUT_OF_RANGE)


def test_the_borders_of_the_range_are_allowed(build: str) -> None:
    """The least and the greatest time with the greatest step are two bars."""
    assert ohlc.starts(np.array([-ohlc.TIME_MAX, ohlc.TIME_MAX]), -ohlc.TIME_MAX, ohlc.STEP_MAX).start.tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize(("start", "index"), [([1, 2], 0), ([0, 2, 2], 1), ([0, 3, 2], 1), ([0, 4], 1), ([0, 9], 0)])
def test_a_bar_without_quotes_is_refused(build: str, start, index) -> None:
    """Places that do not ascend within the quotes are refused before a price is read there."""
    with pytest.raises(ArgumentError) as refused:
        ohlc.prices(np.array(start), np.ones(4))
    assert (refused.value.argument, refused.value.index) == ("start", index)


def test_arrays_of_another_shape_or_type_are_refused(build: str) -> None:
    """As by every function of the kernel."""
    with pytest.raises(ShapeError, match="time has shape"):
        ohlc.starts(np.zeros((2, 2), np.int64), 0, 1)
    with pytest.raises(TypeError, match="time has dtype float64"):
        ohlc.starts(np.zeros(2), 0, 1)
    with pytest.raises(TypeError, match="price has dtype float32"):
        ohlc.prices(np.zeros(1, np.int64), np.zeros(2, np.float32))
