"""Value dates against published examples, and properties that hold for every pair and day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.calendar import OutsideCalendar
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair, parse_pair
from crossrate.basics.tenor import STANDARD, parse_tenor, plus_months
from crossrate.basics.value_date import NotDealt, ValueDates

SPOTS = [
    # A joint calendar of both sides gives 6 July; the market's spot was the 5th (lballabio/QuantLib #121).
    ("EUR/USD", "2017-07-03", "2017-07-05", "a US holiday on the day between does not delay the dollar"),
    ("EUR/USD", "2017-06-30", "2017-07-05", "spot would be 4 July, on which the dollar does not settle"),
    ("USD/JPY", "2017-07-03", "2017-07-05", "the same in yen"),
    # ObjectLab Kit, "Currency Date Calculation", worked example GBP/EUR on 2 July 2013.
    ("EUR/GBP", "2013-07-02", "2013-07-05", "a cross does not settle on a US holiday"),
    ("EUR/GBP", "2013-07-03", "2013-07-05", "but a US holiday between does not delay a cross"),
    ("USD/MXN", "2017-07-03", "2017-07-06", "against the Mexican peso a US holiday between counts"),
    ("EUR/MXN", "2017-07-03", "2017-07-06", "and so in its crosses: the later spot of the two dollar pairs"),
    ("USD/CAD", "2017-06-29", "2017-06-30", "T+1"),
    ("USD/CAD", "2017-06-30", "2017-07-05", "Canada Day observed on Monday, Independence Day on Tuesday"),
    ("USD/CAD", "2017-07-03", "2017-07-05", "T+1 is a US holiday"),
    ("GBP/CAD", "2017-06-28", "2017-06-30", "a Canadian cross is T+2"),
    ("EUR/CAD", "2026-05-15", "2026-05-19", "Victoria Day stops only the Canadian dollar's one day"),
    ("USD/TRY", "2026-04-21", "2026-04-22", "T+1"),
    ("USD/TRY", "2026-04-22", "2026-04-24", "over the Turkish holiday of 23 April"),
    ("EUR/TRY", "2026-04-20", "2026-04-22", "the later of EUR/USD and USD/TRY"),
    ("USD/PHP", "2026-06-11", "2026-06-15", "T+1 over Independence Day and a weekend"),
    ("USD/JPY", "2026-05-01", "2026-05-08", "over Golden Week"),
    ("EUR/USD", "2026-04-02", "2026-04-08", "over Good Friday and Easter Monday"),
    ("GBP/USD", "2022-09-16", "2022-09-21", "the state funeral was a bank holiday"),
    ("AUD/NZD", "2026-02-04", "2026-02-09", "Waitangi Day on the second day"),
    ("EUR/USD", "2026-11-24", "2026-11-27", "spot is never Thanksgiving"),
    ("EUR/USD", "2026-11-25", "2026-11-27", "Thanksgiving between does not delay"),
    ("EUR/USD", "2026-12-31", "2027-01-05", "New Year's Day stops the euro's count"),
]


@pytest.mark.parametrize(("pair", "trade_date", "spot", "why"), SPOTS)
def test_spot(pair: str, trade_date: str, spot: str, why: str) -> None:
    """Spot is the market's, worked out by hand from the published rule and calendars."""
    assert ValueDates.of(parse_pair(pair), date.fromisoformat(trade_date)).spot == date.fromisoformat(spot), why


FORWARDS = [
    # pair, trade date, tenor, near, far
    ("EUR/USD", "2026-11-20", "ON", "2026-11-20", "2026-11-23"),
    ("EUR/USD", "2026-11-20", "TN", "2026-11-23", "2026-11-24"),
    ("EUR/USD", "2026-11-20", "SP", "2026-11-24", "2026-11-24"),
    ("EUR/USD", "2026-11-20", "SN", "2026-11-24", "2026-11-25"),
    ("EUR/USD", "2026-11-20", "1W", "2026-11-24", "2026-12-01"),
    ("EUR/USD", "2026-11-20", "1M", "2026-11-24", "2026-12-24"),
    ("EUR/USD", "2026-11-23", "1M", "2026-11-25", "2026-12-28"),  # 25 December, rolled within the month
    ("EUR/USD", "2026-11-20", "1Y", "2026-11-24", "2027-11-24"),
    ("EUR/USD", "2026-01-28", "1M", "2026-01-30", "2026-02-27"),  # end to end
    ("EUR/USD", "2026-02-25", "1M", "2026-02-27", "2026-03-31"),  # end to end: not 27 March
    ("EUR/USD", "2026-02-25", "2M", "2026-02-27", "2026-04-30"),
    ("EUR/USD", "2026-03-27", "1M", "2026-03-31", "2026-04-30"),
    ("EUR/USD", "2026-04-28", "1M", "2026-04-30", "2026-05-29"),  # 31 May is a Sunday
    ("EUR/USD", "2025-12-29", "1M", "2025-12-31", "2026-01-30"),
    ("EUR/USD", "2026-07-28", "1M", "2026-07-30", "2026-08-31"),  # 30 August is a Sunday; 31 still in the month
    ("EUR/USD", "2026-04-27", "1M", "2026-04-29", "2026-05-29"),
    ("EUR/USD", "2026-03-26", "2M", "2026-03-30", "2026-05-29"),  # 30 May is a Saturday: back, not into June
    ("EUR/GBP", "2026-11-17", "1W", "2026-11-19", "2026-11-27"),  # Thanksgiving: no dollar, no cross
]


@pytest.mark.parametrize(("pair", "trade_date", "tenor", "near", "far"), FORWARDS)
def test_forwards(pair: str, trade_date: str, tenor: str, near: str, far: str) -> None:
    """Each tenor has the dates that the convention gives when worked out by hand."""
    dates = ValueDates.of(parse_pair(pair), date.fromisoformat(trade_date))
    got = dates.at(parse_tenor(tenor))
    assert (got.near.isoformat(), got.far.isoformat()) == (near, far)
    assert got.days_from_spot == (got.far - dates.spot).days


def test_a_pair_that_settles_tomorrow_has_no_tomorrow_next() -> None:
    """TN of USD/CAD is refused with the reason and left out of the standard tenors."""
    dates = ValueDates.of(Pair("USD", "CAD"), date(2026, 11, 17))
    with pytest.raises(NotDealt, match="USD/CAD has no TN on 2026-11-17"):
        dates.at(parse_tenor("TN"))
    assert [d.tenor for d in dates.standard()][:3] == ["ON", "SP", "SN"]


def test_a_broken_date_must_be_a_value_date() -> None:
    """A date on which a side or the dollar does not settle is refused with every reason and the next good date."""
    dates = ValueDates.of(Pair("EUR", "GBP"), date(2026, 11, 20))
    assert dates.broken(date(2026, 12, 10)).days_from_spot == 16
    with pytest.raises(NotDealt, match=r"Christmas Day in EUR and Christmas Day in GBP and .* the next is 2026-12-29"):
        dates.broken(date(2026, 12, 25))
    with pytest.raises(NotDealt, match="Thanksgiving Day in USD"):
        dates.broken(date(2026, 11, 26))
    with pytest.raises(NotDealt, match="it is a Saturday"):
        dates.broken(date(2026, 11, 28))
    with pytest.raises(NotDealt, match="not after the trade date"):
        dates.broken(date(2026, 11, 20))


def test_tenors_end_where_a_calendar_ends() -> None:
    """The yuan's list ends with 2026: the standard tenors stop there, and a tenor beyond is refused."""
    dates = ValueDates.of(Pair("USD", "CNY"), date(2026, 11, 20))
    assert [d.tenor for d in dates.standard()] == ["ON", "TN", "SP", "SN", "1W", "2W", "3W", "1M"]
    with pytest.raises(OutsideCalendar, match="CNY"):
        dates.at(parse_tenor("3M"))


def test_a_weekend_is_no_trade_date() -> None:
    """Trade dates run from Monday to Friday."""
    with pytest.raises(ValueError, match="Saturday"):
        ValueDates.of(Pair("EUR", "USD"), date(2026, 11, 21))


LIVING = [pair for pair, convention in CONVENTIONS.items() if convention.last_trade_date is None]
TRADE_DATES = st.dates(date(2010, 1, 4), date(2024, 10, 1)).filter(lambda d: d.weekday() < 5)


@given(st.sampled_from(LIVING), TRADE_DATES)
def test_every_date_is_good_for_both_currencies_and_the_dollar(pair: Pair, trade_date: date) -> None:
    """No tenor ever lands on a holiday of a side or of the dollar, and far dates grow with the tenor."""
    dates = ValueDates.of(pair, trade_date)
    standard = dates.standard()
    assert all(dates.good(d.far) for d in standard)
    assert dates.spot > trade_date
    assert [d.far for d in standard] == sorted(d.far for d in standard)
    assert len(standard) >= len(STANDARD) - 1


@given(st.sampled_from(LIVING), TRADE_DATES)
def test_spot_never_goes_backward(pair: Pair, trade_date: date) -> None:
    """A later trade date has the same spot or a later one."""
    following = trade_date + timedelta(days=3 if trade_date.weekday() == 4 else 1)
    assert ValueDates.of(pair, trade_date).spot <= ValueDates.of(pair, following).spot


@given(st.sampled_from(LIVING), TRADE_DATES)
def test_a_cross_settles_with_the_later_of_its_dollar_pairs(pair: Pair, trade_date: date) -> None:
    """The spot of a cross is not before either of its dollar pairs', and rolled only for what they do not share."""
    cross = ValueDates.of(pair, trade_date)
    legs = [ValueDates.of(Pair(c, "USD"), trade_date).spot for c in pair if c != "USD"]
    assert cross.spot >= max(legs)
    between = range(max(legs).toordinal(), cross.spot.toordinal())
    assert not any(cross.good(date.fromordinal(day)) for day in between)


@given(st.sampled_from(LIVING), TRADE_DATES, st.integers(1, 24))
def test_months_stay_in_their_month(pair: Pair, trade_date: date, months: int) -> None:
    """Modified following never leaves the target month, and a month-end spot goes to month-end."""
    dates = ValueDates.of(pair, trade_date)
    far = dates.at(parse_tenor(f"{months}M")).far
    target = plus_months(dates.spot, months)
    assert (far.year, far.month) == (target.year, target.month)


@given(st.sampled_from(LIVING), TRADE_DATES)
def test_overnight_and_tomorrow_next_lead_to_spot(pair: Pair, trade_date: date) -> None:
    """ON ends where TN begins and TN ends at spot; without a TN, ON ends at spot."""
    dates = ValueDates.of(pair, trade_date)
    by_tenor = {d.tenor: d for d in dates.standard()}
    overnight = by_tenor["ON"]
    assert overnight.near == trade_date
    if "TN" in by_tenor:
        assert by_tenor["TN"].near == overnight.far
        assert by_tenor["TN"].far == dates.spot
    else:
        assert overnight.far == dates.spot
