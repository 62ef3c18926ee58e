"""Dates and day counts of deposits and overnight index swaps."""

from __future__ import annotations

from datetime import date

import pytest

from crossrate.basics.money_market import MONEY_MARKETS, DayCount, MoneyMarketDates, Period
from crossrate.basics.tenor import parse_tenor


def days(currency: str, trade_date: date) -> MoneyMarketDates:
    """The dates of a trade date."""
    return MoneyMarketDates(currency, trade_date)


def test_deposits_of_dollars_by_hand() -> None:
    """Traded on Wednesday 4 March 2026: overnight, tom/next, spot/next over the weekend, a week."""
    found = days("USD", date(2026, 3, 4))
    assert found.spot == date(2026, 3, 6)
    for tenor, begin, end in (
        ("ON", date(2026, 3, 4), date(2026, 3, 5)),
        ("TN", date(2026, 3, 5), date(2026, 3, 6)),
        ("SN", date(2026, 3, 6), date(2026, 3, 9)),
        ("1W", date(2026, 3, 6), date(2026, 3, 13)),
        ("3M", date(2026, 3, 6), date(2026, 6, 8)),
    ):
        assert found.deposit(parse_tenor(tenor)) == Period(begin, end, end), tenor


def test_sterling_begins_today() -> None:
    """Its spot date is the trade date, or the next settlement day of a holiday; it has no tom/next."""
    assert days("GBP", date(2026, 3, 4)).spot == date(2026, 3, 4)
    # Early May Bank Holiday.
    assert days("GBP", date(2026, 5, 4)).spot == date(2026, 5, 5)
    with pytest.raises(ValueError, match="no TN"):
        days("GBP", date(2026, 3, 4)).deposit(parse_tenor("TN"))


def test_a_year_and_a_half_has_a_short_first_coupon() -> None:
    """Up to a year one coupon; 18 months are 6 and 12; two Canadian years are four halves; payments lag."""
    dollars = days("USD", date(2026, 3, 4))
    assert len(dollars.swap(parse_tenor("1Y"))) == 1
    first, second = dollars.swap(parse_tenor("18M"))
    assert (first.begin, first.end, second.end) == (date(2026, 3, 6), date(2026, 9, 8), date(2027, 9, 7))
    # 6 September 2026 is a Sunday and 7 September Labor Day; 6 September 2027 is Labor Day.
    assert (first.payment, second.payment) == (date(2026, 9, 10), date(2027, 9, 9))
    assert len(days("CAD", date(2026, 3, 4)).swap(parse_tenor("2Y"))) == 4
    assert len(days("CAD", date(2026, 3, 4)).swap(parse_tenor("1Y"))) == 1


def test_month_ends_go_to_month_ends() -> None:
    """Spot on the last business day of February: a month later is the last of March."""
    euros = days("EUR", date(2026, 2, 25))
    assert euros.spot == date(2026, 2, 27)
    assert euros.maturity(parse_tenor("1M")) == date(2026, 3, 31)


def test_day_counts() -> None:
    """Actual days over 360 or 365."""
    span = date(2026, 1, 1), date(2026, 7, 1)
    assert DayCount.ACT_360.fraction(*span) == 181 / 360
    assert DayCount.ACT_365_FIXED.fraction(*span) == 181 / 365


def test_what_is_not_known_is_not_guessed() -> None:
    """A swap of a currency without conventions is none; a place in the calendar is no span."""
    with pytest.raises(KeyError):
        days("HUF", date(2026, 3, 4)).swap(parse_tenor("1Y"))
    with pytest.raises(ValueError, match="no span"):
        days("USD", date(2026, 3, 4)).swap(parse_tenor("ON"))
    assert len(MONEY_MARKETS) == 10
