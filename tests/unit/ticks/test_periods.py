"""Periods and session rules."""

from __future__ import annotations

from datetime import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.ticks.periods import DAY, NEW_YORK_17, UTC, Period, Session, grid

TOKYO_9 = Session.exchange("Asia/Tokyo", time(9))
CHICAGO_17 = Session.exchange("America/Chicago", time(17), evening_before=True)
ALL = [NEW_YORK_17, UTC, TOKYO_9, CHICAGO_17, Session("Asia/Kolkata", 555), Session("Australia/Lord_Howe", 120)]


def ns(text: str) -> int:
    """Nanoseconds since 1970 of a UTC time."""
    return int(np.datetime64(text, "ns").astype(np.int64))


def span(period: str, session: Session, when: str) -> tuple[str, str]:
    """The bar of a time, from and to, in UTC."""
    times = np.array([ns(when)])
    low, high = grid(Period(period), session, int(times[0]), int(times[0])).spans(times)
    return tuple(str(edge[0].astype("datetime64[ns]").astype("datetime64[m]")) for edge in (low, high))


@pytest.mark.parametrize(
    ("period", "session", "when", "low", "high"),
    [
        ("1d", NEW_YORK_17, "2024-03-07T12:00", "2024-03-06T22:00", "2024-03-07T22:00"),
        ("1d", NEW_YORK_17, "2024-03-10T12:00", "2024-03-09T22:00", "2024-03-10T21:00"),
        ("1d", NEW_YORK_17, "2024-11-03T12:00", "2024-11-02T21:00", "2024-11-03T22:00"),
        ("1w", NEW_YORK_17, "2024-03-12T12:00", "2024-03-10T21:00", "2024-03-17T21:00"),
        ("1w", NEW_YORK_17, "2024-03-10T20:59", "2024-03-03T22:00", "2024-03-10T21:00"),
        ("1M", NEW_YORK_17, "2024-03-31T20:59", "2024-02-29T22:00", "2024-03-31T21:00"),
        ("4h", NEW_YORK_17, "2024-03-10T20:30", "2024-03-10T18:00", "2024-03-10T21:00"),
        ("4h", NEW_YORK_17, "2024-11-03T21:30", "2024-11-03T21:00", "2024-11-03T22:00"),
        ("1w", UTC, "2024-03-12T12:00", "2024-03-11T00:00", "2024-03-18T00:00"),
        ("1M", UTC, "2024-02-29T23:59", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("1d", TOKYO_9, "2024-03-12T12:00", "2024-03-12T00:00", "2024-03-13T00:00"),
        ("1w", CHICAGO_17, "2024-07-07T22:00", "2024-07-07T22:00", "2024-07-14T22:00"),
        ("1h", Session("Asia/Kolkata", 555), "2024-03-12T12:00", "2024-03-12T11:45", "2024-03-12T12:45"),
        ("12h", UTC, "1969-12-31T13:00", "1969-12-31T12:00", "1970-01-01T00:00"),
    ],
)
def test_bars_begin_and_end_by_the_clock_of_the_session(period, session, when, low, high) -> None:
    """Days are 23 and 25 hours long when New York sets its clocks, and bars within them are cut off at their ends."""
    assert span(period, session, when) == (low, high)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(Period)), st.sampled_from(ALL), st.integers(ns("1971-01-01"), ns("2099-01-01")), st.data())
def test_every_time_lies_in_exactly_one_bar(period: Period, session: Session, begin: int, data: st.DataObject) -> None:
    """Bars join without gap or overlap, whatever range the grid was laid out for."""
    times = np.sort(begin + np.array(data.draw(st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=20))))
    edges = grid(period, session, int(times[0]), int(times[-1]))
    low, high = edges.spans(times)
    assert (low <= times).all()
    assert (times < high).all()
    wider = grid(period, session, int(times[0]) - 40 * DAY, int(times[-1]) + 300 * DAY)
    assert all((a == b).all() for a, b in zip(wider.spans(times), (low, high), strict=True))
    after = grid(period, session, int(high[0]), int(high[0])).spans(high[:1])
    assert after[0][0] == high[0]
    groups = edges.groups(times)
    assert groups is not None
    assert all((a == b[groups.starts]).all() for a, b in zip(groups[1:], (low, high), strict=True))
    assert groups.starts.tolist() == [i for i in range(len(times)) if not i or low[i] != low[i - 1]]


@pytest.mark.parametrize("period", [Period.MINUTE_1, Period.WEEK_1])
def test_times_that_do_not_ascend_have_no_groups(period: Period) -> None:
    """Whoever has them sorts them before."""
    times = np.array([5, 4]) + ns("2024-03-04")
    first, last = map(int, times)
    edges = grid(period, NEW_YORK_17, first, last)
    assert edges.groups(times) is None
    assert len(edges.groups(times[:0]).starts) == 0


def test_a_period_is_written_as_people_do() -> None:
    """`1m` is a minute and `1M` a month; another is refused with all that there are."""
    assert Period("1m").step == 60 * 10**9
    assert Period("1M").step == 0
    with pytest.raises(ValueError, match="period '7m' is none of 1s 5s 10s 30s 1m"):
        Period("7m")


def test_a_session_needs_a_zone_and_an_hour_that_exist() -> None:
    """A zone that the IANA database lacks and a minute that no day has are refused."""
    with pytest.raises(ValueError, match="zone 'Mars/Olympus' is no time zone"):
        Session.exchange("Mars/Olympus", time(9))
    with pytest.raises(ValueError, match="zone 'Mars/Olympus'"):
        grid(Period.DAY_1, Session("Mars/Olympus"), 0, 0)
    with pytest.raises(ValueError, match="opens_minute is 2000"):
        Session("UTC", 2000)
