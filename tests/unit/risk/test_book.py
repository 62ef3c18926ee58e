"""Books: lengths, places, and what is asked of the reference rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from services.risk.domain import stress
from services.risk.domain.rates import Rates
from services.risk.domain.refusal import Refused
from tests.unit.risk.books import EURUSD, GBPUSD, USDJPY, book


def test_one_element_stands_for_all() -> None:
    """Repeated in full it is the same book."""
    short, full = book(3, strike=[1.2]), book(3, strike=[1.2] * 3)
    assert np.array_equal(short.positions.strike, full.positions.strike)
    assert "strike" in short.lone
    assert "strike" not in full.lone
    assert short.count == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strike": [1.0, 1.1]}, "book.strike: has 2 elements for 3 positions"),
        ({"market": [0, 1, 0]}, r"book.market\[1\]: is 1; there are 1 markets"),
        ({"market": [4]}, r"book.market\[0\]: is 4; there are 1 markets"),
        ({"pairs": (EURUSD, GBPUSD, EURUSD)}, r"book.markets\[2\].instrument: EUR/USD is there before"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict, message: str) -> None:
    """The field is named, and what would fit."""
    with pytest.raises(Refused, match=message):
        book(3, **given)


def test_only_what_the_book_does_not_say_is_asked_for() -> None:
    """A pair with a spot rate, reported in its counter currency, needs nothing; the others say what."""
    assert book().currencies_to_value() == {"USD"}
    assert replace(book(), spot=(1.1,)).currencies_to_value() == set()
    assert replace(book(reporting="JPY"), spot=(1.1,)).currencies_to_value() == {"USD", "JPY"}
    assert replace(book(reporting="JPY"), spot=(1.1,), conversion=(150.0,)).currencies_to_value() == set()


def test_markets_are_the_book_s_before_the_rates() -> None:
    """What is not given is the newest cross."""
    rates = Rates(("GBP", "JPY", "USD"), np.array(["2024-01-01"], "datetime64[D]"), np.array([[0.85], [160.0], [1.1]]))
    own = replace(book(pairs=(EURUSD, USDJPY, GBPUSD), reporting="GBP"), spot=(1.2, None, None))
    found = own.markets(rates)
    assert np.allclose(found.spot, [1.2, 160 / 1.1, 1.1 / 0.85], rtol=1e-15)
    assert np.allclose(found.conversion, [0.85 / 1.1, 0.85 / 160, 0.85 / 1.1], rtol=1e-15)


def test_a_shock_moves_pairs_by_both_currencies() -> None:
    """The pound loses a tenth, the dollar gains one: GBP/USD falls to 0.9 / 1.1 of itself; a dollar buys 1.1 / 0.9."""
    shock = stress.shock("s", [("GBP", -0.1), ("USD", 0.1)], 0.02, "shocks[0]")
    found = stress.as_scenarios(book(pairs=(EURUSD, GBPUSD), reporting="GBP"), [shock])
    assert np.allclose(np.exp(found.spot_return[:, 0]), [1 / 1.1, 0.9 / 1.1], rtol=1e-14)
    assert np.allclose(np.exp(found.conversion_return[:, 0]), 1.1 / 0.9, rtol=1e-14)
    assert found.volatility_shift.tolist() == [[0.02], [0.02]]


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        ([("EUR", 0.1)], r"shocks\[0\].moves\[0\].currency: EUR cannot move against itself"),
        ([("USD", 0.1), ("USD", 0.1)], r"shocks\[0\].moves\[1\].currency: USD is there before"),
        ([("USD", 0.1), ("GPB", 0.1)], r"shocks\[0\].moves\[1\].currency: GPB is none of the platform's"),
    ],
)
def test_a_move_that_means_nothing_is_refused(moves: list, message: str) -> None:
    """A slip of the pen is not taken for no move."""
    with pytest.raises(Refused, match=message):
        stress.shock("s", moves, 0.0, "shocks[0]")


def test_a_grid_moves_one_pair_or_all() -> None:
    """Volatility changes fastest; pairs that do not move have neither."""
    own = book(pairs=(EURUSD, GBPUSD))
    moves = np.array([-0.1, 0.1]), np.array([0.0, 0.01, 0.02])
    every, one = stress.grid(own, *moves, None), stress.grid(own, *moves, GBPUSD)
    assert np.allclose(np.exp(every.spot_return), np.array([[0.9] * 3 + [1.1] * 3] * 2), rtol=1e-14)
    assert every.volatility_shift[0].tolist() == [0.0, 0.01, 0.02] * 2
    assert not one.spot_return[0].any()
    assert not one.volatility_shift[0].any()
    assert np.array_equal(one.spot_return[1], every.spot_return[1])
