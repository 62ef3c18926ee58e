"""Hours at which a release may go on: "Mon-Fri 08:00-16:00 Europe/London", several separated by commas.

Days are those on which a span begins; one that ends at or before its beginning ends on the next day. Times are those of
the clock on the wall of the zone: over a change of summer time a span is an hour longer or shorter.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SPANS_MAX = 20
_SPAN = re.compile(r"(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))? (?P<begin>\d\d:\d\d)-(?P<end>\d\d:\d\d)")
_EXAMPLE = '"Mon-Fri 08:00-16:00 Europe/London"'


@dataclass(frozen=True, slots=True)
class Span:
    """Days by their place in DAYS, minutes of the day."""

    days: frozenset[int]
    begin: int
    end: int

    def holds(self, day: int, minute: int) -> bool:
        """Whether a minute of a day is in it."""
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        before = (day - 1) % 7
        return (day in self.days and minute >= self.begin) or (before in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans in one zone."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Reads a schedule.

        Raises:
            ValueError: it is none; the message says what is wrong and how one looks.
        """
        hours, _, zone = text.strip().rpartition(" ")
        parts = [part.strip() for part in hours.split(",")]
        if len(parts) > SPANS_MAX:
            raise ValueError(f"more than {SPANS_MAX} spans: join some")
        try:
            # A name that leads out of the zones' folder is refused there.
            found = ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{zone!r} is no time zone: write {_EXAMPLE}") from None
        return cls(tuple(_span(part) for part in parts), found)

    def is_open(self, now: dt.datetime) -> bool:
        """Whether a time, with its zone, is in one of the spans."""
        there = now.astimezone(self.zone)
        return any(span.holds(there.weekday(), there.hour * 60 + there.minute) for span in self.spans)


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of hours: write {_EXAMPLE}")
    first, last = found["first"], found["last"] or found["first"]
    unknown = [day for day in (first, last) if day not in DAYS]
    if unknown:
        raise ValueError(f"{unknown[0]} is no day: one of {', '.join(DAYS)}")
    begin, end = _minute(found["begin"]), _minute(found["end"])
    if begin == 24 * 60 or begin == end:
        raise ValueError(f"{text!r} is empty: a whole day is 00:00-24:00")
    start, count = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % 7
    return Span(frozenset((start + n) % 7 for n in range(count + 1)), begin, end)


def _minute(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise ValueError(f"{text} is no time of day")
    return hours * 60 + minutes
