"""When a session is open: from a time of day to another, on a zone's clock, each day or once a week.

The numbers begin at 1 with every session. A boundary in the hour that clocks leave out when they are put forward is as
long after midnight as it would be without; one in the hour that they repeat is the first of the two.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

_DAYS_BACK = 8
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Schedule:
    """Sessions.

    Attributes:
        zone: name of the clock, "America/New_York".
        start: time of day at which a session begins.
        end: time of day at which it ends; on the next day if it is not after `start`. Equal times have no pause.
        start_day: 0 Monday to 6 Sunday; None for every day.
        end_day: the same; given with start_day.
        days: weekdays on which daily sessions begin.
    """

    zone: str
    start: dt.time
    end: dt.time
    start_day: int | None = None
    end_day: int | None = None
    days: frozenset[int] = frozenset(range(7))

    def __post_init__(self) -> None:
        if (self.start_day is None) != (self.end_day is None):
            raise ValueError("start_day and end_day are given together")
        if not self.days:
            raise ValueError("days has no day")

    def session(self, now_ns: int) -> tuple[int, int] | None:
        """Beginning and end of the session at a moment, nanoseconds since 1970 UTC; None between sessions."""
        return next((span for span in self._spans(now_ns) if span[0] <= now_ns < span[1]), None)

    def next_start(self, now_ns: int) -> int:
        """When the next session after a moment begins, nanoseconds since 1970 UTC."""
        return next(start for start, _ in self._spans(now_ns) if start > now_ns)

    def _spans(self, now_ns: int) -> list[tuple[int, int]]:
        zone = ZoneInfo(self.zone)
        today = dt.datetime.fromtimestamp(now_ns // SECOND_NS, zone).date()
        spans = []
        for ahead in range(-_DAYS_BACK, _DAYS_BACK + 7):
            day = today + dt.timedelta(days=ahead)
            if self.start_day is None:
                if day.weekday() not in self.days:
                    continue
                last = day if self.end > self.start else day + dt.timedelta(days=1)
            else:
                if day.weekday() != self.start_day:
                    continue
                assert self.end_day is not None
                length = (self.end_day - self.start_day) % 7
                last = day + dt.timedelta(days=length if length or self.end > self.start else 7)
            spans.append((_moment(day, self.start, zone), _moment(last, self.end, zone)))
        return spans


def _moment(day: dt.date, time: dt.time, zone: ZoneInfo) -> int:
    local = dt.datetime.combine(day, time, zone)
    return round(local.timestamp()) * SECOND_NS
