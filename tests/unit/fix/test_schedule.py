"""When a session is open, on clocks that change."""

from __future__ import annotations

import datetime as dt

import pytest

from crossrate.fix.schedule import Schedule


def at(text: str) -> int:
    """Nanoseconds since 1970 of a time in UTC."""
    return round(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000_000


NEW_YORK = Schedule("America/New_York", dt.time(17), dt.time(16, 55))
WEEK = Schedule("America/New_York", dt.time(17), dt.time(17), start_day=6, end_day=4)
LONDON = Schedule("Europe/London", dt.time(7), dt.time(19), days=frozenset(range(5)))


def test_a_day_of_the_market_is_from_five_to_five() -> None:
    """A session over midnight, with its pause, and an hour earlier in UTC in summer."""
    assert NEW_YORK.session(at("2026-01-06T12:00:00")) == (at("2026-01-05T22:00:00"), at("2026-01-06T21:55:00"))
    assert NEW_YORK.session(at("2026-07-06T12:00:00")) == (at("2026-07-05T21:00:00"), at("2026-07-06T20:55:00"))
    assert NEW_YORK.session(at("2026-01-06T21:56:00")) is None
    assert NEW_YORK.next_start(at("2026-01-06T21:56:00")) == at("2026-01-06T22:00:00")


def test_the_begin_counts_and_the_end_does_not() -> None:
    """A moment belongs to one session at most."""
    for schedule in (NEW_YORK, WEEK, LONDON):
        begin, end = schedule.session(at("2026-01-07T12:00:00")) or (0, 0)
        assert schedule.session(begin) == (begin, end)
        assert schedule.session(end - 1) == (begin, end)
        assert schedule.session(end) != (begin, end)


def test_a_week_is_one_session() -> None:
    """From Sunday to Friday, also where clocks change within."""
    week = (at("2026-01-04T22:00:00"), at("2026-01-09T22:00:00"))
    assert WEEK.session(at("2026-01-04T22:00:00")) == week
    assert WEEK.session(at("2026-01-09T21:59:59")) == week
    assert WEEK.session(at("2026-01-10T12:00:00")) is None
    assert WEEK.next_start(at("2026-01-10T12:00:00")) == at("2026-01-11T22:00:00")
    # Clocks are put forward on 8 March, before the session begins.
    assert WEEK.session(at("2026-03-11T12:00:00")) == (at("2026-03-08T21:00:00"), at("2026-03-13T21:00:00"))


def test_days_without_a_session_are_left_out() -> None:
    """Friday's session is followed by Monday's."""
    assert LONDON.session(at("2026-01-09T18:59:00")) is not None
    assert LONDON.session(at("2026-01-10T12:00:00")) is None
    assert LONDON.next_start(at("2026-01-09T20:00:00")) == at("2026-01-12T07:00:00")


def test_a_session_without_a_pause() -> None:
    """Equal times follow on one another, and a whole week from Sunday to Sunday does too."""
    daily = Schedule("UTC", dt.time(0), dt.time(0))
    assert daily.session(at("2026-01-06T00:00:00")) == (at("2026-01-06T00:00:00"), at("2026-01-07T00:00:00"))
    weekly = Schedule("UTC", dt.time(22), dt.time(22), start_day=6, end_day=6)
    assert weekly.session(at("2026-01-10T12:00:00")) == (at("2026-01-04T22:00:00"), at("2026-01-11T22:00:00"))


def test_what_is_no_schedule_is_refused() -> None:
    """Half a week, and no day at all."""
    with pytest.raises(ValueError, match="given together"):
        Schedule("UTC", dt.time(0), dt.time(1), start_day=1)
    with pytest.raises(ValueError, match="no day"):
        Schedule("UTC", dt.time(0), dt.time(1), days=frozenset())
