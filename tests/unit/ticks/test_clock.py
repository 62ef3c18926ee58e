"""Clocks of venues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.ticks.clock import HOUR, MINUTE, SECOND, Clock, Resolver

NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    """A moment written without a zone, in nanoseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def times(*texts: str) -> np.ndarray:
    """Several of them."""
    return np.array([ns(each) for each in texts], np.int64)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("UTC", "UTC"),
        ("UTC-05:00", "UTC-05:00"),
        ("UTC+5", "UTC+05:00"),
        ("UTC+0530", "UTC+05:30"),
        ("Europe/Athens", "Europe/Athens"),
        ("New York + 7h", "America/New_York+07:00"),
        ("America/New_York-05:00", "America/New_York-05:00"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_a_clock_is_written_as_a_zone_and_a_shift(text: str, written: str) -> None:
    """What is parsed is written in one form, which parses to the same."""
    clock = Clock.parse(text)
    assert str(clock) == written
    assert Clock.parse(written) == clock


@pytest.mark.parametrize("text", ["Mars/Olympus", "", "UTC+25", "+05:00", "../etc/passwd", "Europe/Athens++2"])
def test_what_is_no_clock_is_refused(text: str) -> None:
    """The error says what a clock looks like, or how far it may be shifted."""
    with pytest.raises(ValueError, match=r"no zone of the tz database|shifted by at most"):
        Clock.parse(text)


def test_a_brokers_midnight_is_five_in_the_afternoon_in_new_york() -> None:
    """In winter and in summer, so its weeks have no Sunday."""
    midnights = times("2014-01-15", "2014-07-15", "2014-03-12", "2014-10-30")
    utc = Clock.parse("New York + 7 h").to_utc(midnights).utc
    for each in utc:
        there = datetime.fromtimestamp(int(each) // SECOND, UTC).astimezone(NEW_YORK)
        assert (there.hour, there.minute) == (17, 0)


def test_an_offset_that_never_changes_is_subtracted() -> None:
    """FXCM's files are at UTC-5 in July too."""
    found = Clock.parse("UTC-05:00").to_utc(times("2014-01-15T00:00:00", "2014-07-15T00:00:00"))
    assert found.utc.tolist() == times("2014-01-15T05:00:00", "2014-07-15T05:00:00").tolist()
    assert not found.missing.any()
    assert not found.repeated.any()


def test_an_hour_that_comes_twice_is_told_by_the_order_of_rows() -> None:
    """New York went back at 02:00 on 2 November 2014: once the clock is seen to go back, the second pass has begun."""
    utc = ns("2014-11-02T04:45:00") + np.arange(12, dtype=np.int64) * 15 * MINUTE
    clock = Clock("America/New_York")
    found = clock.to_utc(clock.local(utc))
    assert found.utc.tolist() == utc.tolist()
    assert found.repeated.tolist() == [False] + [True] * 8 + [False] * 3


def test_a_row_slightly_out_of_order_does_not_begin_the_second_pass() -> None:
    """Half of the repeated hour does, for quotes; for bars, no two of which have one time, equality does."""
    local = times("2014-11-02T01:20:00", "2014-11-02T01:19:58", "2014-11-02T01:21:00")
    assert Clock("America/New_York").to_utc(local).utc.tolist() == (local + 4 * HOUR).tolist()
    bars = times("2014-11-02T01:00:00", "2014-11-02T01:00:00", "2014-11-02T02:00:00")
    found = Clock("America/New_York").to_utc(bars, disorder_ns=0)
    assert found.utc.tolist() == times("2014-11-02T05:00:00", "2014-11-02T06:00:00", "2014-11-02T07:00:00").tolist()


def test_an_hour_that_does_not_exist_is_marked_and_not_moved() -> None:
    """Berlin went forward from 02:00 to 03:00 on 30 March 2014."""
    local = times("2014-03-30T01:59:59", "2014-03-30T02:00:00", "2014-03-30T02:59:59", "2014-03-30T03:00:00")
    found = Clock("Europe/Berlin").to_utc(local)
    assert found.missing.tolist() == [False, True, True, False]
    assert found.utc[[0, 3]].tolist() == times("2014-03-30T00:59:59", "2014-03-30T01:00:00").tolist()


def test_years_outside_of_the_table_are_marked() -> None:
    """Nothing is known of a clock before 1970 or from 2100 on."""
    local = np.array([-1, ns("2014-01-01"), ns("2100-01-01") + HOUR], np.int64)
    assert Clock("Europe/Berlin").to_utc(local).missing.tolist() == [True, False, True]


@settings(deadline=None)
@given(
    zone=st.sampled_from(
        ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tokyo"]
    ),
    shift=st.integers(-7, 7),
    begin=st.integers(ns("1975-01-01") // SECOND, ns("2090-01-01") // SECOND),
    steps=st.lists(st.integers(0, 7 * 86400), min_size=1, max_size=60),
)
def test_local_times_and_back_are_the_same_moments(zone: str, shift: int, begin: int, steps: list[int]) -> None:
    """For rows in order, on every clock, at every hour, except where rows of the first pass of an hour are missing."""
    clock = Clock(zone, shift * 3600)
    utc = (begin + np.cumsum(np.array(steps, np.int64))) * SECOND
    local = clock.local(utc)
    zoned = [datetime.fromtimestamp(int(each) // SECOND, ZoneInfo(zone)) for each in utc]
    assert [each // SECOND for each in (local - utc).tolist()] == [
        int((each.utcoffset() or timedelta()).total_seconds()) + shift * 3600 for each in zoned
    ]
    found = clock.to_utc(local, disorder_ns=1)
    assert not found.missing.any()
    assert (found.utc == utc)[~found.repeated].all()
    assert set(np.unique(np.abs(found.utc - utc))) <= {0, 30 * MINUTE, HOUR}


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(0, 400), max_size=6),
    gaps=st.lists(st.integers(0, 120), min_size=400, max_size=400),
)
def test_parts_are_resolved_as_the_whole(cuts: list[int], gaps: list[int]) -> None:
    """Where a dataset is cut does not change which pass of an hour a row is of."""
    clock = Clock("America/New_York")
    local = clock.local(ns("2014-11-02T03:00:00") + np.cumsum(np.array(gaps, np.int64)) * SECOND)
    whole = clock.to_utc(local)
    resolver = Resolver(clock)
    parts = [resolver.resolve(part) for part in np.split(local, sorted(cuts))]
    assert np.concatenate([each.utc for each in parts]).tolist() == whole.utc.tolist()
    assert np.concatenate([each.repeated for each in parts]).tolist() == whole.repeated.tolist()
