"""Pages of daily rates."""

import datetime as dt

import numpy as np
import pytest

from services.marketdata import ecb
from services.marketdata.daily import pages
from services.marketdata.daily.pages import BadToken, Question
from services.marketdata.domain.history import History


@pytest.fixture(scope="module")
def history() -> History:
    return ecb.load()


@pytest.mark.parametrize("size", [1, 7, 100, 1_000, 10_000])
def test_pages_together_are_the_whole(history: History, size: int) -> None:
    """Whatever the page size, the pages give every rate of the range once, in order."""
    question = Question("USD", "ISK", dt.date(2018, 1, 1), dt.date(2018, 12, 31))
    whole = history.days("USD", "ISK", np.datetime64("2018-01-01"), np.datetime64("2018-12-31"))
    dates, token = [], ""
    while True:
        page = pages.page(history, question, size, token)
        dates += page.days.dates.tolist()
        token = page.next_token
        if not token:
            break
        assert len(page.days.dates) == size
        assert len(token) <= 64
    assert dates == whole[0].tolist()


def test_a_range_without_rates_is_an_empty_page(history: History) -> None:
    """A weekend has none."""
    page = pages.page(history, Question("EUR", "USD", dt.date(2024, 6, 1), dt.date(2024, 6, 2)), 0, "")
    assert len(page.days.dates) == 0
    assert page.next_token == ""


def test_a_token_belongs_to_its_question(history: History) -> None:
    """Asked about another pair, range or history, or cut, it is refused."""
    question = Question("EUR", "USD")
    token = pages.page(history, question, 10, "").next_token
    assert pages.page(history, question, 20, token).days.dates[0] == history.dates[10]
    other = ecb.parse("Date,USD\n2020-01-02,1.1\n2020-01-03,1.2\n", "x")
    for data, asked, given in (
        (history, Question("EUR", "JPY"), token),
        (history, Question("EUR", "USD", last=dt.date(2020, 1, 1)), token),
        (other, question, token),
        (history, question, token[:-4]),
        (history, question, "?"),
    ):
        with pytest.raises(BadToken):
            pages.page(data, asked, 10, given)


@pytest.mark.parametrize("pair", [("EUR", "XXX"), ("XXX", "EUR"), ("USD", "USD")])
def test_an_unknown_pair_is_said_to_be_unknown(history: History, pair: tuple[str, str]) -> None:
    """Currencies without history, and a currency against itself."""
    with pytest.raises(pages.UnknownPair):
        pages.page(history, Question(*pair), 10, "")
