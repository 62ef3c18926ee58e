"""Periods of bars, and the session rules that say from when they are counted."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC as UTC_ZONE
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import ohlc
from crossrate.kernel.faults import ArgumentError

SECOND = 1_000_000_000
"""Nanoseconds of a second."""
DAY = 86_400 * SECOND
EPOCH = date(1970, 1, 1)
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)
"""Times outside of these days are no times of quotes; they are refused."""


class Period(enum.StrEnum):
    """Length of a bar; the value is what people write. `1m` is a minute, `1M` a month."""

    SECOND_1 = "1s"
    SECOND_5 = "5s"
    SECOND_10 = "10s"
    SECOND_30 = "30s"
    MINUTE_1 = "1m"
    MINUTE_5 = "5m"
    MINUTE_10 = "10m"
    MINUTE_15 = "15m"
    MINUTE_30 = "30m"
    HOUR_1 = "1h"
    HOUR_2 = "2h"
    HOUR_4 = "4h"
    HOUR_8 = "8h"
    HOUR_12 = "12h"
    DAY_1 = "1d"
    WEEK_1 = "1w"
    MONTH_1 = "1M"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"period {value!r} is none of {' '.join(cls)}")

    @property
    def step(self) -> int:
        """Nanoseconds; 0 for days, weeks and months, whose length the calendar says."""
        unit = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}.get(self.value[-1], 0)
        return int(self.value[:-1]) * unit


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise ValueError(f"zone {name!r} is no time zone of the IANA database, as America/New_York is") from wrong


@dataclass(frozen=True, slots=True)
class Session:
    """When a trading day begins, as data.

    Days, weeks and months begin with their first trading day. Hours and less are counted from the start of each day, so
    the last bar of a day is shorter where the clock was set and the period does not divide what is left.

    Attributes:
        zone: the IANA time zone whose clock says when.
        opens_minute: minutes from midnight of the trading day's own date by that clock; negative for the evening
            before: −420 is 17:00 of the day before. Where the clock skips that time or has it twice, the offset
            before the change holds.
    """

    zone: str
    opens_minute: int = 0

    def __post_init__(self) -> None:
        if not -1440 < self.opens_minute < 1440:
            raise ValueError(f"opens_minute is {self.opens_minute}, it has to lie within a day of midnight")

    @classmethod
    def exchange(cls, zone: str, opens: time, *, evening_before: bool = False) -> Session:
        """The session of an exchange that opens at a time of its own clock, as of the evening before its date if said.

        Raises:
            ValueError: the zone is not in the IANA database.
        """
        zone_of(zone)
        minute = opens.hour * 60 + opens.minute
        return cls(zone, minute - 1440 if evening_before else minute)


NEW_YORK_17 = Session("America/New_York", -7 * 60)
"""The day of foreign exchange: from 17:00 in New York to 17:00, the week from Sunday."""
UTC = Session("UTC")
"""Days, weeks from Monday, and months of UTC."""


@lru_cache(maxsize=4096)
def _starts_of_year(session: Session, year: int) -> NDArray[np.int64]:
    """When each trading day with a date in a year begins, ns since 1970 UTC."""
    zone = zone_of(session.zone)
    first = datetime(year, 1, 1, tzinfo=zone)
    days = (datetime(year + 1, 1, 1, tzinfo=zone) - first).days
    epoch = datetime(1970, 1, 1, tzinfo=UTC_ZONE)
    starts = np.empty(days, np.int64)
    for place in range(days):
        # Arithmetic on aware times of one zone is on the wall clock, which is what is meant.
        opens = first + timedelta(days=place, minutes=session.opens_minute)
        starts[place] = (opens.astimezone(UTC_ZONE) - epoch) // timedelta(microseconds=1) * 1000
    starts.setflags(write=False)
    return starts


def _date_of(when: int) -> date:
    """The UTC date of a time in ns, refused if no quote can have it."""
    day = when // DAY
    if not (FIRST_DAY - EPOCH).days <= day < (LAST_DAY - EPOCH).days:
        raise ValueError(f"venue_time {when} is not within {FIRST_DAY} and {LAST_DAY}; it is in ns since 1970 UTC")
    return EPOCH + timedelta(days=day)


def _day_starts(session: Session, begin: date, end: date) -> NDArray[np.int64]:
    """Starts of the trading days of the dates from `begin` to before `end`."""
    years = np.concatenate([_starts_of_year(session, year) for year in range(begin.year, end.year + 1)])
    skipped = (begin - date(begin.year, 1, 1)).days
    return years[skipped : skipped + (end - begin).days]


class Groups(NamedTuple):
    """Ticks in the order of time as bars, one of each a bar that has a tick."""

    starts: NDArray[np.int64]
    """The place of its first tick."""
    open_time: NDArray[np.int64]
    close_time: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Edges of bars over a range of times: every `step` from `anchor`, or as listed.

    Attributes:
        first: the first time that it covers.
        last: the last one.
        anchor: an edge, where edges are regular.
        step: ns between regular edges; 0 for listed ones.
        edges: the listed edges, ascending; empty for regular ones.
    """

    first: int
    last: int
    anchor: int
    step: int
    edges: NDArray[np.int64]

    def covers(self, first: int, last: int) -> bool:
        """Whether all times of a range lie in it."""
        return self.first <= first and last <= self.last

    def spans(self, times: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """When the bars of some times open and close (exclusive)."""
        if self.step:
            opens = times - (times - self.anchor) % self.step
            return opens, opens + self.step
        place = np.searchsorted(self.edges, times, "right")
        return self.edges[place - 1], self.edges[place]

    def groups(self, times: NDArray[np.int64]) -> Groups | None:
        """The bars of ascending times; None if they do not ascend."""
        if self.step:
            try:
                starts, opens = ohlc.starts(times, self.anchor, self.step)
            except ArgumentError:
                return None
            return Groups(starts, opens, opens + self.step)
        if not (times[1:] >= times[:-1]).all():
            return None
        if not len(times):
            return Groups(*(np.empty(0, np.int64) for _ in range(3)))
        low, high = np.searchsorted(self.edges, [times[0], times[-1]], "right")
        starts = np.searchsorted(times, self.edges[low - 1 : high])
        # A bar without ticks begins where the next one does: it is none.
        starts = starts[np.append(starts[1:] != starts[:-1], True)]
        return Groups(starts, *self.spans(times[starts]))


def grid(period: Period, session: Session, first: int, last: int) -> Grid:
    """The edges of a period's bars for all times of the years from `first` to `last`, ns since 1970 UTC.

    Raises:
        ValueError: a time is before 1900 or after 2200, or the session's zone is none.
    """
    return _grid_of_years(period, session, _date_of(first).year, _date_of(last).year)


@lru_cache(maxsize=64)
def _grid_of_years(period: Period, session: Session, first_year: int, last_year: int) -> Grid:
    """The edges for all times of some years of UTC."""
    first = (date(first_year, 1, 1) - EPOCH).days * DAY
    last = (date(last_year + 1, 1, 1) - EPOCH).days * DAY - 1
    # From before the month and the week that the first day may belong to, until after those of the last.
    begin = date(first_year - 1, 11, 24)
    starts = _day_starts(session, begin, date(last_year + 1, 2, 15))
    edges = np.empty(0, np.int64)
    if period.step and not (np.diff(starts) % period.step).any():
        return Grid(first, last, int(starts[0]), period.step, edges)
    if period.step:
        parts = [np.arange(low, high, period.step) for low, high in pairwise(starts)]
        edges = np.concatenate([*parts, starts[-1:]])
    elif period is Period.WEEK_1:
        edges = starts[-begin.weekday() % 7 :: 7]
    elif period is Period.MONTH_1:
        dates = np.datetime64(begin) + np.arange(len(starts))
        edges = starts[dates == dates.astype("datetime64[M]")]
    else:
        edges = starts
    edges.setflags(write=False)
    return Grid(first, last, 0, 0, edges)
