"""Historical scenarios against the European Central Bank's own rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crossrate.basics.scenarios import SCENARIOS, Scenario, Shocks, scenario, shocks
from services.marketdata import ecb
from services.marketdata.domain.history import History


@pytest.fixture(scope="module")
def history() -> History:
    """The reference rates that are installed."""
    return ecb.load()


def of(history: History, each: Scenario) -> Shocks:
    """A scenario's moves, where both of its days are days of publication."""
    days = [int(np.searchsorted(history.dates, np.datetime64(day))) for day in (each.start, each.end)]
    assert [history.dates[i].item() for i in days] == [each.start, each.end]
    return shocks(*(dict(zip(history.currencies, map(float, history.rates[i]), strict=True)) for i in days))


@pytest.mark.parametrize("each", SCENARIOS, ids=lambda each: each.name)
def test_the_named_currencies_moved_most(history: History, each: Scenario) -> None:
    """Of all currencies of those days the ones named moved most, in that order; each day is one of publication."""
    moves = of(history, each).moves
    largest = sorted(moves, key=lambda code: -abs(moves[code]))
    assert tuple(largest[: len(each.most_moved)]) == each.most_moved


@pytest.mark.parametrize(
    ("name", "pair", "move"),
    [
        (
            "LEHMAN_2008",
            "EURJPY",
            150.91,
        ),
        ("CHF_2011_FLOOR", "EURCHF", 1.1111),
        ("CHF_2015_UNPEG", "EURCHF", 1.2010),
        ("GBP_2016_REFERENDUM", "EURGBP", 0.76600),
    ],
)
def test_pairs_move_by_the_quotient(history: History, name: str, pair: str, move: float) -> None:
    """The rate before times one plus the pair's move is the rate after, and the rate before is what was published."""
    each = scenario(name)
    base, counter = pair[:3], pair[3:]
    _, rates = history.days(base, counter, np.datetime64(each.start), np.datetime64(each.end))
    assert rates[0] == pytest.approx(move, rel=1e-4)
    assert rates[0] * (1.0 + of(history, each).of_pair(base, counter)) == pytest.approx(rates[-1], rel=1e-12)


def test_the_direction_is_the_currencys(history: History) -> None:
    """A currency that lost has a negative move: the franc rose in 2015 and fell in 2011, the lira fell in 2018."""
    assert of(history, scenario("CHF_2015_UNPEG")).moves["CHF"] > 0.15
    assert of(history, scenario("CHF_2011_FLOOR")).moves["CHF"] < -0.07
    assert of(history, scenario("TRY_2018")).moves["TRY"] < -0.25


def test_missing_currencies_are_named(history: History) -> None:
    """In 2024 the rouble had no rate any more: it is named, and a pair with it is refused."""
    found = of(history, scenario("JPY_2024_UNWIND"))
    assert "RUB" in found.missing
    assert "RUB" not in found.moves
    with pytest.raises(KeyError, match="no move of RUB"):
        found.of_pair("EUR", "RUB")


def test_a_rate_of_one_day_is_no_move() -> None:
    """A currency with a rate on one of the days only is missing, whether left out, None or NaN."""
    found = shocks({"USD": 1.1, "TRY": 6.0, "RUB": 80.0}, {"USD": 1.0, "TRY": math.nan, "RON": None})
    assert found.missing == ("RON", "RUB", "TRY")
    assert found.moves == {"EUR": 0.0, "USD": pytest.approx(0.1)}


@pytest.mark.parametrize(("rate", "code"), [(0.0, "USD"), (-1.0, "USD"), (math.inf, "USD"), (1.1, "EUR")])
def test_a_rate_that_is_none_is_refused(rate: float, code: str) -> None:
    """Zero, negative and infinite rates, and a euro that is not one euro, are told by day and currency."""
    with pytest.raises(ValueError, match=rf"after\['{code}'\] is {rate}"):
        shocks({code: 1.0}, {code: rate})


def test_names_are_in_order_and_known() -> None:
    """Each name stands once, in order of time; another is refused with the list."""
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)
    assert list(SCENARIOS) == sorted(SCENARIOS, key=lambda each: each.start)
    assert all(each.start < each.end for each in SCENARIOS)
    with pytest.raises(KeyError, match="LEHMAN_2008"):
        scenario("LTCM_1998")
