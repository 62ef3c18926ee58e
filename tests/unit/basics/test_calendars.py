"""Settlement calendars against days that central banks and governments announced."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics import calendars
from crossrate.basics.calendar import OutsideCalendar, is_good, next_good
from crossrate.basics.calendars import CALENDARS, calendar_of
from crossrate.basics.calendars.israel import new_year, passover
from crossrate.basics.calendars.japan import autumnal_equinox, vernal_equinox
from crossrate.basics.currency import CURRENCIES
from crossrate.basics.holidays import easter, orthodox_easter


@pytest.mark.parametrize(
    ("year", "western", "orthodox"),
    [
        (1999, (4, 4), (4, 11)),
        (2000, (4, 23), (4, 30)),
        (2008, (3, 23), (4, 27)),
        (2017, (4, 16), (4, 16)),
        (2024, (3, 31), (5, 5)),
        (2038, (4, 25), (4, 25)),
    ],
)
def test_easter(year: int, western: tuple[int, int], orthodox: tuple[int, int]) -> None:
    """Both computations give the churches' dates, also the latest possible one."""
    assert easter(year) == date(year, *western)
    assert orthodox_easter(year) == date(year, *orthodox)


PUBLISHED = Path(calendars.__file__).parent / "published"

OPEN = [
    ("USD", "2026-07-03", "Independence Day is a Saturday: the Reserve Banks are open the Friday before"),
    ("USD", "2021-12-31", "New Year's Day 2022 is a Saturday"),
    ("USD", "2021-06-18", "Juneteenth was a Saturday in its first year"),
    ("GBP", "2012-05-28", "the spring holiday had moved to 4 June"),
    ("GBP", "2020-05-04", "the May holiday had moved to VE Day"),
    ("JPY", "2020-07-20", "Marine Day had moved for the Olympics"),
    ("JPY", "2019-12-23", "the birthday of the emperor who had abdicated"),
    ("AUD", "2026-04-27", "Anzac Day was a Saturday; Victoria has no substitute"),
    ("DKK", "2024-04-26", "Great Prayer Day is abolished"),
    ("CAD", "2026-04-06", "Easter Monday is no holiday of Lynx"),
    ("ILS", "2026-09-25", "a Friday between Yom Kippur and Sukkot"),
]
CLOSED = [
    ("USD", "2022-06-20", "Juneteenth (observed)"),
    ("USD", "2023-01-02", "New Year's Day (observed)"),
    ("USD", "2026-11-26", "Thanksgiving Day"),
    ("GBP", "1999-12-31", "Millennium bank holiday"),
    ("GBP", "2002-06-03", "Golden Jubilee of Queen Elizabeth II"),
    ("GBP", "2011-04-29", "Wedding of Prince William"),
    ("GBP", "2022-09-19", "State funeral of Queen Elizabeth II"),
    ("GBP", "2023-05-08", "Coronation of King Charles III"),
    ("GBP", "2021-12-28", "Boxing Day (observed)"),
    ("JPY", "2019-05-02", "Citizens' Holiday"),
    ("JPY", "2015-09-22", "Citizens' Holiday"),
    ("JPY", "2009-05-06", "Constitution Day (observed)"),
    ("JPY", "2026-01-02", "Bank holiday"),
    ("CHF", "2026-08-01", "National Day"),
    ("CAD", "2023-11-13", "Remembrance Day (observed)"),
    ("CAD", "2026-02-16", "Family Day"),
    ("AUD", "2022-09-22", "National Day of Mourning for Queen Elizabeth II"),
    ("NZD", "2026-07-10", "Matariki"),
    ("NZD", "2027-02-08", "Waitangi Day (observed)"),
    ("SEK", "2026-06-19", "Midsummer Eve"),
    ("NOK", "2026-04-02", "Maundy Thursday"),
    ("DKK", "2023-05-05", "Great Prayer Day"),
    ("CZK", "2026-04-03", "Good Friday"),
    ("PLN", "2025-12-24", "Christmas Eve"),
    ("RON", "2026-04-10", "Orthodox Good Friday"),
    ("BRL", "2026-02-17", "Carnival Tuesday"),
    ("MXN", "2024-10-01", "Inauguration Day"),
    ("ZAR", "2022-12-27", "Christmas Day (moved)"),
    ("ILS", "2026-09-21", "Yom Kippur"),
    ("CNY", "2026-02-23", "Bridge day"),
    ("KRW", "2026-09-25", "Chuseok"),
    ("TRY", "2026-05-28", "Eid al-Adha"),
]


@pytest.mark.parametrize(("currency", "day", "why"), OPEN)
def test_days_on_which_a_careless_calendar_would_be_closed(currency: str, day: str, why: str) -> None:
    """The currency settles on this day, whatever a list of public holidays makes one expect."""
    assert calendar_of(currency).settles(date.fromisoformat(day)), why


@pytest.mark.parametrize(("currency", "day", "name"), CLOSED)
def test_days_on_which_a_careless_calendar_would_be_open(currency: str, day: str, name: str) -> None:
    """The currency does not settle on this day, and the calendar says why."""
    calendar = calendar_of(currency)
    assert calendar.holiday(date.fromisoformat(day)) == name
    assert not calendar.settles(date.fromisoformat(day))


def test_the_equinoxes_of_japan() -> None:
    """The formula gives the days that the observatory announced."""
    assert [vernal_equinox(y).day for y in (1999, 2000, 2024, 2025, 2026)] == [21, 20, 20, 20, 20]
    assert [autumnal_equinox(y).day for y in (1999, 2012, 2024, 2025, 2026)] == [23, 22, 22, 23, 23]


def test_the_hebrew_calendar() -> None:
    """Rosh Hashanah and Passover fall on the days of the printed calendars."""
    assert new_year(5784) == date(2023, 9, 16)
    assert new_year(5787) == date(2026, 9, 12)
    assert passover(2024) == date(2024, 4, 23)
    assert passover(2027) == date(2027, 4, 22)


def test_every_currency_has_a_calendar_that_says_where_it_comes_from() -> None:
    """No currency is without one, each has a source, and each covers the currency's life in our data."""
    assert set(CALENDARS) == set(CURRENCIES)
    for code, currency in CURRENCIES.items():
        calendar = CALENDARS[code]
        assert calendar.currency == code
        assert calendar.source
        assert calendar.first >= currency.first_day
        if currency.last_day is not None:
            assert calendar.last == currency.last_day


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_year_in_range_has_holidays_and_no_long_closure(currency: str) -> None:
    """A year without a holiday would be a missing table; more than 30 weekdays closed would be a wrong one."""
    calendar = calendar_of(currency)
    whole = range(calendar.first.year + (calendar.first.month > 1), calendar.last.year + (calendar.last.month == 12))
    for year in whole:
        closed = calendar.holidays(date(year, 1, 1), date(year, 12, 31))
        assert (1 if currency == "EUR" else 3) <= len(closed) <= 30, year


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.tsv")), ids=lambda path: path.stem)
def test_a_published_list_is_weekdays_in_order_within_its_range(path: Path) -> None:
    """Each line is a date, a tab and a name; none is a weekend, twice there, or outside what the calendar claims."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    days = [date.fromisoformat(day) for day, name in rows if name.strip()]
    assert len(days) == len(rows)
    assert days == sorted(set(days))
    assert all(day.weekday() < 5 for day in days)
    assert days[-1].year == calendar_of(path.stem).last.year


def test_a_day_beyond_the_published_lists_is_refused() -> None:
    """The calendar does not guess: the error names the currency and the range that is known."""
    yuan = calendar_of("CNY")
    with pytest.raises(OutsideCalendar, match=r"CNY settlement calendar .* 2005-01-01 to 2026-12-31") as caught:
        yuan.settles(date(2027, 1, 4))
    assert (caught.value.first, caught.value.last) == (yuan.first, yuan.last)
    with pytest.raises(OutsideCalendar):
        calendar_of("CYP").settles(date(2008, 1, 1))


LIVING = sorted(code for code, currency in CURRENCIES.items() if currency.alive)


@given(st.dates(date(2009, 1, 1), date(2026, 11, 1)), st.sampled_from(LIVING))
def test_next_good_is_good_and_the_nearest(day: date, currency: str) -> None:
    """The day found settles in both, and no day before it does."""
    both = (calendar_of("EUR"), calendar_of(currency))
    found = next_good(day, both)
    assert is_good(found, both)
    assert found >= day
    assert not any(is_good(d, both) for d in map(date.fromordinal, range(day.toordinal(), found.toordinal())))


@given(st.dates(date(2009, 1, 1), date(2026, 11, 1)), st.sampled_from(LIVING))
def test_settlement_days_and_holidays_make_up_the_weekdays(day: date, currency: str) -> None:
    """Every weekday of a fortnight is either a settlement day or a named holiday, never both."""
    calendar = calendar_of(currency)
    end = date.fromordinal(day.toordinal() + 13)
    days, holidays = calendar.settlement_days(day, end), calendar.holidays(day, end)
    assert len(days) + len(holidays) == 10
    assert not {d for d, _ in holidays} & set(days)
    assert all(name for _, name in holidays)
