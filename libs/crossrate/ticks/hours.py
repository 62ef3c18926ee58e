"""When an instrument trades: moments tested and durations measured for whole columns at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.basics.session import session_of
from crossrate.ticks.clock import DAY, SECOND


class Hours:
    """Open hours of one instrument; for a pair the sessions of `crossrate.basics.session`, for anything else always."""

    def __init__(self, pair: Pair | None = None) -> None:
        """Hours of a pair, or of something that never closes."""
        self.pair = pair
        self._begin = self._end = 0
        self._begins = np.empty(0, np.int64)
        self._ends = np.empty(0, np.int64)
        self._before = np.empty(0, np.int64)

    def is_open(self, utc: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each moment, nanoseconds since 1970 UTC, lies in open hours."""
        if self.pair is None or not len(utc):
            return np.ones(len(utc), np.bool_)
        low, high = int(utc.min()), int(utc.max())
        self._cover(low, high)
        place = int(np.searchsorted(self._begins, low, "right")) - 1
        if place >= 0 and high < self._ends[place]:
            return np.ones(len(utc), np.bool_)
        places = np.searchsorted(self._begins, utc, "right") - 1
        return (places >= 0) & (utc < self._ends[np.maximum(places, 0)])

    def open_between(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
        """Nanoseconds of open hours from each begin to its end."""
        begin, end = np.asarray(begin, np.int64), np.asarray(end, np.int64)
        if self.pair is None or not len(begin):
            return end - begin
        self._cover(int(begin.min()), int(end.max()))
        return self._opened(end) - self._opened(begin)

    def _opened(self, utc: NDArray) -> NDArray:
        """Open nanoseconds until each moment, counted from the begin of what is covered."""
        place = np.searchsorted(self._begins, utc, "right") - 1
        safe = np.maximum(place, 0)
        within = np.minimum(utc, self._ends[safe]) - self._begins[safe]
        return np.where(place < 0, 0, self._before[safe] + within)

    def _cover(self, low: int, high: int) -> None:
        """Lays out the sessions that meet a range of time, and a year around it."""
        if self._begin <= low - 4 * DAY and high + 4 * DAY <= self._end:
            return
        year = 366 * DAY
        self._begin = min(low - 30 * DAY, self._begin if self._end else low)
        self._end = max(high + year, self._end)
        day = datetime.fromtimestamp(self._begin // SECOND, UTC).date()
        last = datetime.fromtimestamp(self._end // SECOND, UTC).date()
        begins: list[int] = []
        ends: list[int] = []
        while day <= last:
            if day.weekday() < 5:
                session = session_of(self.pair, day)
                begin, end = (int(each.timestamp()) * SECOND for each in (session.begin, session.end))
                if ends and begin <= ends[-1]:
                    ends[-1] = end
                else:
                    begins.append(begin)
                    ends.append(end)
            day += timedelta(days=1)
        self._begins, self._ends = np.array(begins, np.int64), np.array(ends, np.int64)
        lengths = self._ends - self._begins
        self._before = np.cumsum(lengths) - lengths
