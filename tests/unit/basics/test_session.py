"""Trading sessions: rolls, weekends and daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.pair import Pair
from crossrate.basics.session import session_of, standing_at

EURUSD, NZDUSD = Pair("EUR", "USD"), Pair("NZD", "USD")


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("pair", "moment", "trade_date", "is_open", "next_open"),
    [
        (EURUSD, "2026-11-20T21:59:59", "2026-11-20", True, "2026-11-19T22:00"),
        (EURUSD, "2026-11-20T22:00:00", "2026-11-23", False, "2026-11-22T22:00"),
        (EURUSD, "2026-11-21T12:00:00", "2026-11-23", False, "2026-11-22T22:00"),
        (EURUSD, "2026-11-22T22:00:00", "2026-11-23", True, "2026-11-22T22:00"),
        (EURUSD, "2026-11-24T22:00:00", "2026-11-25", True, "2026-11-24T22:00"),
        # New York leaves daylight saving on 1 November 2026: rolls go from 21:00 UTC to 22:00.
        (EURUSD, "2026-10-30T21:00:00", "2026-11-02", False, "2026-11-01T22:00"),
        (EURUSD, "2026-10-29T21:00:00", "2026-10-30", True, "2026-10-29T21:00"),
        # Auckland keeps summer time in November: 07:00 there is 18:00 UTC.
        (NZDUSD, "2026-11-23T18:00:00", "2026-11-24", True, "2026-11-23T18:00"),
        (NZDUSD, "2026-11-23T17:59:59", "2026-11-23", True, "2026-11-22T18:00"),
        (NZDUSD, "2026-11-20T21:30:00", "2026-11-20", True, "2026-11-19T18:00"),
        (NZDUSD, "2026-11-20T22:00:00", "2026-11-23", False, "2026-11-22T18:00"),
        (NZDUSD, "2026-11-22T18:00:00", "2026-11-23", True, "2026-11-22T18:00"),
        # In July Auckland is at UTC+12 and New York at UTC-4.
        (NZDUSD, "2026-07-07T19:00:00", "2026-07-08", True, "2026-07-07T19:00"),
        (EURUSD, "2026-07-07T21:00:00", "2026-07-08", True, "2026-07-07T21:00"),
        # Christmas is a trade date; nothing settles on it.
        (EURUSD, "2026-12-25T12:00:00", "2026-12-25", True, "2026-12-24T22:00"),
    ],
)
def test_the_session_of_a_moment(pair: Pair, moment: str, trade_date: str, is_open: bool, next_open: str) -> None:
    """A moment has the trade date, the state and the next opening that the rolls give it."""
    standing = standing_at(pair, utc(moment))
    assert standing.session.trade_date == date.fromisoformat(trade_date)
    assert standing.open is is_open
    assert standing.next_open == utc(next_open)


@pytest.mark.parametrize("day", ["2026-03-09", "2026-03-06", "2026-11-02", "2026-10-30"])
def test_a_new_york_day_is_always_24_hours(day: str) -> None:
    """New York moves its clocks on Sunday morning, when the market is closed."""
    session = session_of(EURUSD, date.fromisoformat(day))
    assert session.end - session.begin == timedelta(hours=24)


def test_aucklands_friday_ends_with_the_markets() -> None:
    """The last NZD session of a week runs past Saturday 07:00 in Auckland to Friday 17:00 in New York."""
    session = session_of(NZDUSD, date(2026, 11, 20))
    assert session.end == utc("2026-11-20T22:00")
    assert session.end - session.begin == timedelta(hours=28)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    """A naive time would be read in the zone of whoever runs the process."""
    with pytest.raises(ValueError, match="time zone"):
        standing_at(EURUSD, datetime(2026, 11, 20))


@given(st.sampled_from([EURUSD, NZDUSD]), st.datetimes(datetime(1999, 1, 5), datetime(2050, 1, 1)))
def test_every_moment_is_in_one_session_or_before_the_next(pair: Pair, moment: datetime) -> None:
    """Open means inside the session; closed means that the session begins later, within the weekend's length."""
    at = moment.replace(tzinfo=UTC)
    standing = standing_at(pair, at)
    assert standing.session.trade_date.weekday() < 5
    assert standing.open == standing.session.holds(at)
    if not standing.open:
        assert timedelta(0) < standing.session.begin - at <= timedelta(hours=49)


WEEKDAYS = st.dates(date(1999, 1, 5), date(2050, 1, 1)).filter(lambda d: d.weekday() < 5)


@given(st.sampled_from([EURUSD, NZDUSD]), WEEKDAYS)
def test_sessions_follow_each_other_without_gap_or_overlap(pair: Pair, day: date) -> None:
    """Within a week one session ends where the next begins; over the weekend there is a gap."""
    session = session_of(pair, day)
    following = session_of(pair, day + timedelta(days=3 if day.weekday() == 4 else 1))
    assert session.begin < session.end
    assert (following.begin == session.end) is (day.weekday() < 4)
    assert following.begin >= session.end
