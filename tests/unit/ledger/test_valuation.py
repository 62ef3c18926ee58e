"""What an account is worth: sides of prices, crosses, margin and its states."""

from __future__ import annotations

from datetime import date

import pytest

from services.ledger.domain.amounts import MONEY_PLACES, PRICE_ONE, money, price
from services.ledger.domain.book import Book
from services.ledger.domain.entry import Deal, Entry, Kind, Purpose, Trade
from services.ledger.domain.position import CostMethod
from services.ledger.domain.postings import transfer
from services.ledger.domain.valuation import MarginState, MarginTerms, Price, Unvalued, exchanged, told, worth

ONE = 10**MONEY_PLACES
PRICES = {
    "EUR/USD": Price(price("1.1"), price("1.2")),
    "USD/JPY": Price(price("150"), price("160")),
    "EUR/DKK": Price(price("7.4"), price("7.5")),
}
DAY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("amount", "currency", "into", "wanted"),
    [
        (ONE, "EUR", "USD", money("1.1")),
        (-ONE, "EUR", "USD", money("-1.2")),
        (12 * ONE, "USD", "EUR", 10 * ONE),
        (-11 * ONE, "USD", "EUR", -10 * ONE),
        (ONE, "EUR", "JPY", money("165")),  # 1.1 × 150
        (-ONE, "EUR", "JPY", money("-192")),  # 1.2 × 160
        (7 * ONE, "USD", "USD", 7 * ONE),
        (75 * ONE, "DKK", "USD", 11 * ONE),  # over the euro
    ],
)
def test_the_sign_decides_the_side(amount: int, currency: str, into: str, wanted: int) -> None:
    """What one has is sold at the bid, what one owes is bought at the ask, in each step of a cross."""
    assert exchanged(amount, currency, into, PRICES.get) == wanted


def test_no_price_is_an_error_that_names_the_pair() -> None:
    """There is no guess: without prices on any way the pair is named."""
    with pytest.raises(Unvalued, match="GBP/CHF"):
        exchanged(ONE, "GBP", "CHF", PRICES.get)


def book_with(quantity: int, rate: str, cash: str = "0") -> Book:
    """A book with EUR/USD and dollars."""
    book = Book("alpha", False, CostMethod.FIFO)
    trade = Trade("t", "venue:sim", "EUR/USD", "", (Deal(quantity * 10_000, price(rate), DAY),))
    book.book(Entry("alpha", Kind.TRADE, "t", 0, trade=trade), lambda _: [])
    postings = transfer("USD", money(cash), DAY, Purpose.DEPOSIT, "bank")
    book.book(Entry("alpha", Kind.DEPOSIT, "d", 0, postings=postings), lambda _: [])
    return book


@pytest.mark.parametrize(
    ("cash", "state"),
    [("1000", MarginState.OK), ("160", MarginState.OK), ("159", MarginState.CALL), ("130", MarginState.CLOSE_OUT)],
)
def test_margin_states_follow_their_levels(cash: str, state: MarginState) -> None:
    """1000 long from 1.2 lose 100 at a bid of 1.1; 5 % at the ask use 60: a call below that, a close-out at 30."""
    terms = MarginTerms(50_000)
    value = worth(book_with(1000, "1.2", cash), "USD", terms, PRICES.get)
    assert (value.unrealised, value.margin_used) == (money("-100"), money("60"))
    assert value.state(terms) is state


def test_a_close_out_at_nothing_never_comes() -> None:
    """A level of 0 turns it off; without positions a debt is called, since there is nothing to close."""
    value = worth(book_with(1000, "1.2", "130"), "USD", MarginTerms(50_000, 10_000, 0), PRICES.get)
    assert value.state(MarginTerms(50_000, 10_000, 0)) is MarginState.CALL
    book = Book("alpha", False, CostMethod.FIFO, cash={("USD", None): money("-1")})
    assert worth(book, "USD", MarginTerms(50_000), PRICES.get).state(MarginTerms(50_000)) is MarginState.CALL


def test_a_short_position_is_closed_at_the_ask() -> None:
    """1000 short from 1.2 is worth nothing at an ask of 1.2."""
    assert worth(book_with(-1000, "1.2"), "USD", MarginTerms(50_000), PRICES.get).unrealised == 0


def test_what_has_no_price_is_named_and_unknown() -> None:
    """Without a price the sums leave it out, and the state says that it cannot be told."""
    terms = MarginTerms(50_000)
    value = worth(book_with(1000, "1.2", "5"), "USD", terms, {}.get)
    assert (value.unvalued, value.state(terms)) == (["EUR/USD"], MarginState.UNKNOWN)


def test_told_amounts_have_minor_units() -> None:
    """Half a cent goes to the even cent; a yen has no places."""
    assert told(money("0.125"), "USD") == money("0.12")
    assert told(money("2.5"), "JPY") == money("2")
    assert price("1") == PRICE_ONE
