"""Financing over years of real calendars: which days are charged, at which side, and when the day ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from crossrate.basics.pair import parse_pair
from crossrate.basics.value_date import ValueDates
from services.ledger.domain.amounts import PRICE_ONE
from services.ledger.domain.book import Book
from services.ledger.domain.entry import Deal, Entry, Kind, Trade
from services.ledger.domain.financing import Interest, Points, Rates, next_trade_date, roll
from services.ledger.domain.position import CostMethod
from services.ledger.rates import RatesFault, load_rates
from services.ledger.roller import last_ended

YEARS = (date(2023, 1, 2), date(2026, 6, 26))


def spot(pair: str, day: date) -> date:
    """The spot date of a trade date."""
    return ValueDates.of(parse_pair(pair), day).spot


def held(pair: str, day: date, quantity: int = 10_000) -> Book:
    """A book with one position, dealt on a day for spot."""
    book = Book("alpha", False, CostMethod.FIFO)
    trade = Trade("t", "venue:sim", pair, "", (Deal(quantity, PRICE_ONE, spot(pair, day)),))
    book.book(Entry("alpha", Kind.TRADE, "t", 0, trade=trade), lambda _: [])
    return book


def end_of(book: Book, day: date, rates: Rates) -> list[tuple[int, int]]:
    """Ends a day and returns days and money of each line."""
    rolled = roll(book, day, rates, lambda _: PRICE_ONE)
    entry = Entry("alpha", Kind.ROLL, f"roll:{day}", 0, financing=tuple(rolled.lines), trade_date=day)
    book.book(entry, lambda _: [])
    return [(line.days, line.amount) for line in rolled.lines]


def one_point_a_day(pair: str) -> Rates:
    """A point a day, at the ask twice."""
    return Rates({pair: Points(1, 2)}, {})


def trade_dates(first: date, last: date) -> list[date]:
    """Every weekday from one to another."""
    days = [first]
    while days[-1] < last:
        days.append(next_trade_date(days[-1]))
    return days


@pytest.mark.parametrize("pair", ["EUR/USD", "USD/JPY", "USD/CAD", "USD/TRY", "EUR/GBP", "AUD/NZD", "EUR/CHF"])
def test_every_calendar_day_between_value_dates_is_charged_once(pair: str) -> None:
    """Over years with all holidays the charged days are those from the first to the last value date."""
    first, last = YEARS
    book, days = held(pair, first), 0
    for day in trade_dates(first, last):
        days += sum(count for count, _ in end_of(book, day, one_point_a_day(pair)))
    assert days == (spot(pair, next_trade_date(last)) - spot(pair, first)).days
    counter = pair.split("/")[1]
    assert book.earnings[counter].financing == -2 * 10_000 * days


@pytest.mark.parametrize(
    ("pair", "monday", "wanted"),
    [
        ("EUR/USD", date(2026, 9, 14), [1, 1, 3, 1, 1]),
        ("USD/CAD", date(2026, 9, 14), [1, 1, 1, 3, 1]),
        # Thanksgiving, the 26th: a US holiday between does not delay spot, one on the value date does.
        ("EUR/USD", date(2026, 11, 23), [2, 0, 3, 1, 1]),
        # Labour Day in Canada and the US, Monday the 7th: Friday and Monday settle on the same Tuesday.
        ("USD/CAD", date(2026, 8, 31), [1, 1, 1, 4, 0]),
    ],
)
def test_a_week_has_seven_days_where_they_belong(pair: str, monday: date, wanted: list[int]) -> None:
    """T+2 pairs carry the weekend on Wednesday, T+1 pairs on Thursday; holidays move days, and none is lost."""
    book, week = held(pair, monday), trade_dates(monday, monday + timedelta(days=4))
    days = [sum(count for count, _ in end_of(book, day, one_point_a_day(pair))) for day in week]
    assert days == wanted
    assert sum(days) == 7


def test_a_late_or_repeated_roll_charges_the_same_days() -> None:
    """Days that nobody ended are charged by the next end; an end once more charges nothing."""
    pair, monday = "EUR/USD", date(2026, 9, 14)
    rates = one_point_a_day(pair)
    punctual, late = held(pair, monday), held(pair, monday)
    days = trade_dates(monday, monday + timedelta(days=4))
    for day in days:
        end_of(punctual, day, rates)
        assert end_of(punctual, day, rates) == []
    end_of(late, days[-1], rates)
    assert late.earnings["USD"].financing == punctual.earnings["USD"].financing
    assert late.positions == punctual.positions


def test_long_pays_the_ask_and_short_gets_the_bid() -> None:
    """Points are two-sided: what a long position pays is more than what a short one gets."""
    pair, monday = "EUR/USD", date(2026, 9, 14)
    assert end_of(held(pair, monday, 10), monday, one_point_a_day(pair)) == [(1, -20)]
    assert end_of(held(pair, monday, -10), monday, one_point_a_day(pair)) == [(1, 10)]


def test_points_follow_from_interest_by_parity() -> None:
    """A long position gets the base currency's bid and pays the counter currency's offer; a short one the reverse."""
    euro, dollar = Interest(Fraction(1, 50), Fraction(1, 40), 360), Interest(Fraction(3, 100), Fraction(4, 100), 360)
    rates = Rates({}, {"EUR": euro, "USD": dollar})
    price = 11 * PRICE_ONE // 10
    long, source = rates.swap_points("EUR/USD", True, 3, price)
    short, _ = rates.swap_points("EUR/USD", False, 3, price)
    grown = (1 + Fraction(4, 100) * 3 / 360) / (1 + Fraction(1, 50) * 3 / 360)
    assert (long, source) == (round(price * (grown - 1)), "interest")
    assert 0 < short < long
    assert rates.swap_points("EUR/USD", True, 3, None) is None
    assert rates.swap_points("EUR/JPY", True, 3, price) is None


def test_what_nothing_is_declared_for_is_named_and_stays() -> None:
    """Without a rate the position is not carried on, so that its days are charged when there is one."""
    book = held("EUR/USD", date(2026, 9, 14))
    rolled = roll(book, date(2026, 9, 14), Rates({}, {}), lambda _: PRICE_ONE)
    assert (rolled.lines, list(rolled.missing)) == ([], ["EUR/USD"])


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        (datetime(2026, 3, 6, 21, 59, tzinfo=UTC), date(2026, 3, 5)),  # Friday, New York five hours behind
        (datetime(2026, 3, 6, 22, 0, tzinfo=UTC), date(2026, 3, 6)),
        (datetime(2026, 3, 8, 23, 0, tzinfo=UTC), date(2026, 3, 6)),  # Sunday, daylight saving has begun
        (datetime(2026, 3, 9, 20, 59, tzinfo=UTC), date(2026, 3, 6)),
        (datetime(2026, 3, 9, 21, 0, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 10, 30, 21, 0, tzinfo=UTC), date(2026, 10, 30)),
        (datetime(2026, 11, 2, 21, 30, tzinfo=UTC), date(2026, 10, 30)),  # daylight saving has ended
        (datetime(2026, 11, 2, 22, 0, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_a_day_ends_at_five_in_new_york(moment: datetime, wanted: date) -> None:
    """The hour in UTC follows New York's daylight saving; weekends end nothing."""
    assert last_ended(moment) == wanted


def test_the_declared_table_holds() -> None:
    """The table that comes with the service is read, and its rates are two-sided."""
    rates = load_rates()
    assert {"EUR", "USD", "JPY", "GBP"} <= set(rates.interest)
    assert all(each.bid < each.offer for each in rates.interest.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[points."EUR/XXX"]\nbid = "1"\nask = "2"', "points.EUR/XXX"),
        ('[points."EUR/USD"]\nbid = "3"\nask = "2"', "above"),
        ('[points."EUR/USD"]\nbid = 3\nask = "2"', "quotation marks"),
        ('[interest.EUR]\nbid = "0.02"\noffer = "0.01"\nyear_days = 360', "bid not above offer"),
        ('[interest.EUR]\nbid = "0.01"\noffer = "0.02"\nyear_days = 364', "year_days"),
        ("[interests]", "unknown"),
        ("[", "financing.toml"),
    ],
)
def test_a_wrong_table_is_refused_by_its_entry(tmp_path, text: str, words: str) -> None:
    """What breaks a rule is named with the rule."""
    path = tmp_path / "financing.toml"
    path.write_text(text)
    with pytest.raises(RatesFault, match=words):
        load_rates(path)
