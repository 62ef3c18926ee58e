"""Clocks of venues: what a time that a venue wrote is in UTC.

A clock is a zone of the tz database plus a shift. That covers UTC, an offset that never changes, local time with
daylight saving, and the clock of a broker whose day ends at 17:00 New York ("New York + 7 h").

When a zone's clock goes back, an hour of local time comes twice. Which of the two a row means is read from the order
of rows: the first pass lasts until the clock is seen to go back. When it goes forward, an hour does not exist; a row
in it is marked, never moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY

YEAR_FIRST = 1970
YEAR_END = 2100
"""The years, the first and the one after the last, in which a clock is known."""
BEGIN = 0
END = int(datetime(YEAR_END, 1, 1, tzinfo=UTC).timestamp()) * SECOND
SHIFT_S_MAX = 14 * 3600

_SHIFT = re.compile(r"([A-Za-z][A-Za-z0-9_/+-]*?)([+-])(\d{1,2})(?::?(\d{2}))?h?")
_PROBE_S = 5 * 86400
"""No zone since 1970 has two changes within fewer days."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Local time is the zone's local time plus the shift.

    Attributes:
        zone: a name of the tz database.
        shift_s: seconds that are added to the zone's local time; east is positive.
    """

    zone: str = "UTC"
    shift_s: int = 0

    def __post_init__(self) -> None:
        if abs(self.shift_s) > SHIFT_S_MAX:
            raise ValueError(f"a clock is shifted by at most {SHIFT_S_MAX // 3600} h, not by {self.shift_s} s")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{self.zone!r} is no zone of the tz database; write UTC or Europe/London") from error

    @classmethod
    def parse(cls, text: str) -> Clock:
        """A clock from "UTC", "UTC-05:00", "Europe/Athens" or "America/New_York+07:00".

        Raises:
            ValueError: it is none of these.
        """
        text = re.sub(r"\s+", "", text.replace("New York", "America/New_York"))
        try:
            return cls(text)
        except ValueError:
            found = _SHIFT.fullmatch(text)
            if not found:
                raise
        zone, sign, hours, minutes = found.groups()
        return cls(zone, (int(hours) * 3600 + int(minutes or 0) * 60) * (1 if sign == "+" else -1))

    def __str__(self) -> str:
        if not self.shift_s:
            return self.zone
        minutes = abs(self.shift_s) // 60
        return f"{self.zone}{'-' if self.shift_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"

    @property
    def fixed(self) -> bool:
        """Whether its offset never changes."""
        return len(_offsets(self.zone)[1]) == 1

    def offset_at(self, utc: NDArray[np.int64]) -> NDArray[np.int64]:
        """Local time minus UTC, nanoseconds, at moments in nanoseconds since 1970 UTC."""
        starts, offsets = _offsets(self.zone)
        return offsets[np.searchsorted(starts, utc, "right")] + self.shift_s * SECOND

    def local(self, utc: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the clock shows, as nanoseconds since its own 1970."""
        return np.asarray(utc, np.int64) + self.offset_at(utc)

    def to_utc(self, local: NDArray[np.int64], *, disorder_ns: int | None = None) -> Resolved:
        """Rows in the order in which they were written; see `Resolver` for rows that come in parts."""
        return Resolver(self, disorder_ns=disorder_ns).resolve(local)


UTC_CLOCK = Clock()


@cache
def _offsets(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When a zone's offset changes (UTC), and its offset before, between and after, one more; nanoseconds."""
    zone = ZoneInfo(name)

    def offset(second: int) -> int:
        found = datetime.fromtimestamp(second, zone).utcoffset()
        assert found is not None
        return int(found.total_seconds())

    starts: list[int] = []
    offsets = [offset(BEGIN)]
    for probe in range(BEGIN, END // SECOND, _PROBE_S):
        low, high = probe, probe + _PROBE_S
        if offset(high) == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
        starts.append(high)
        offsets.append(offset(high))
    return np.array(starts, np.int64) * SECOND, np.array(offsets, np.int64) * SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Local times in UTC.

    Attributes:
        utc: nanoseconds since 1970 UTC. Where `missing`, as if the clock had not gone forward.
        repeated: the local time comes twice on that day; the order of rows decided.
        missing: there is no such local time: the clock went forward over it, or it lies outside of 1970 to 2099.
    """

    utc: NDArray[np.int64]
    repeated: NDArray[np.bool_]
    missing: NDArray[np.bool_]


class Resolver:
    """Turns a clock's local times into UTC, part by part, as if they had come in one piece."""

    def __init__(self, clock: Clock, *, disorder_ns: int | None = None) -> None:
        """For one dataset.

        Args:
            clock: the venue's.
            disorder_ns: within a repeated hour, a row that is earlier than one before it by this much or more is of
                the second pass. Half of what is repeated if not given, so that rows slightly out of order decide
                nothing. 0 for bars, of which no two have the same time.
        """
        self.clock = clock
        self._disorder = disorder_ns
        starts, offsets = _offsets(clock.zone)
        self._starts = starts
        self._offsets = offsets + clock.shift_s * SECOND
        before, after = self._offsets[:-1], self._offsets[1:]
        self._switch = starts + np.maximum(before, after)
        self._edges = np.sort(np.concatenate([starts + before, starts + after]))
        self._passed: dict[int, tuple[int, bool]] = {}
        """By change of the clock: the latest local time seen in what it repeats, and whether the second pass began."""

    def state(self) -> list[tuple[int, int, bool]]:
        """What the rows so far decided: change of the clock, latest local time in what it repeats, second pass."""
        return [(change, latest, second) for change, (latest, second) in sorted(self._passed.items())]

    def restore(self, state: Iterable[Sequence[int]]) -> None:
        """Goes on where another resolver of the same clock was."""
        self._passed = {int(change): (int(latest), bool(second)) for change, latest, second in state}

    def resolve(self, local: NDArray[np.int64]) -> Resolved:
        """The next rows, in the order in which they were written."""
        local = np.ascontiguousarray(local, np.int64)
        none = np.zeros(len(local), np.bool_)
        if not len(local):
            return Resolved(local.copy(), none, none)
        low, high = int(local.min()), int(local.max())
        outside = low < BEGIN or high >= END
        if not outside and np.searchsorted(self._edges, low, "right") == np.searchsorted(self._edges, high, "right"):
            # Most parts lie between two changes of the clock, at none of which anything is to be decided.
            place = int(np.searchsorted(self._switch, low, "right"))
            if not self._undecided(low, place):
                return Resolved(local - self._offsets[place], none, none)
        place = np.searchsorted(self._switch, local, "right")
        utc = local - self._offsets[place]
        upcoming = np.minimum(place, len(self._starts) - 1)
        repeated, missing = none, none
        if len(self._starts):
            within = place < len(self._starts)
            back = self._offsets[np.minimum(place + 1, len(self._offsets) - 1)] < self._offsets[place]
            missing = within & ~back & (utc >= self._starts[upcoming])
            second_begin = self._starts[upcoming] + self._offsets[np.minimum(place + 1, len(self._offsets) - 1)]
            repeated = within & back & (local >= second_begin)
            for change in np.unique(place[repeated]):
                rows = np.flatnonzero(repeated & (place == change))
                later = rows[self._second_pass(int(change), local[rows])]
                utc[later] = local[later] - self._offsets[change + 1]
        return Resolved(utc, repeated, missing | (local < BEGIN) | (local >= END) if outside else missing)

    def _undecided(self, local: int, place: int) -> bool:
        """Whether a local time before the change `place` is one that comes twice or never."""
        if place == len(self._starts):
            return False
        return local >= self._starts[place] + min(self._offsets[place], self._offsets[place + 1])

    def _second_pass(self, change: int, local: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows of what a change repeats come after the clock went back."""
        width = int(self._offsets[change] - self._offsets[change + 1])
        disorder = width // 2 if self._disorder is None else self._disorder
        latest, second = self._passed.get(change, (BEGIN - WEEK, False))
        before = np.maximum.accumulate(np.concatenate([[latest], local[:-1]]))
        later = np.logical_or.accumulate((local <= before - disorder) | second)
        self._passed[change] = (max(latest, int(local.max())), bool(later[-1]))
        return later
