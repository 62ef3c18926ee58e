"""When a venue trades: the market's week, less holidays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from crossrate.basics.pair import Pair
from crossrate.basics.session import session_of

SECOND_NS = 1_000_000_000
AHEAD_DAYS = 400
"""How far the next opening is looked for."""


class Hours(Protocol):
    """When a venue is open."""

    def is_open(self, time: int) -> bool:
        """Whether a moment, nanoseconds since 1970 UTC, is open."""
        ...

    def next_change(self, time: int) -> int | None:
        """The first moment after this one at which it opens or closes; None if there is none."""
        ...


class AlwaysOpen:
    """A venue that never closes."""

    def is_open(self, time: int) -> bool:
        """Always."""
        return True

    def next_change(self, time: int) -> int | None:
        """Never."""
        return None


class MarketHours:
    """The sessions of a pair (`crossrate.basics.session`), without trade dates on which the venue is closed."""

    def __init__(self, pair: Pair, holidays: Iterable[date] = ()) -> None:
        """Hours of a pair; `holidays` are trade dates."""
        self._pair = pair
        self._holidays = frozenset(holidays)
        self._spans: list[tuple[int, int]] = []
        self._covered = (0, -1)

    def is_open(self, time: int) -> bool:
        """Whether a moment, nanoseconds since 1970 UTC, lies in a session."""
        return any(begin <= time < end for begin, end in self._around(time))

    def next_change(self, time: int) -> int | None:
        """The first moment after this one at which the venue opens or closes, looked for 400 days ahead."""
        self._around(time)
        return next((edge for span in self._spans for edge in span if edge > time), None)

    def _around(self, time: int) -> list[tuple[int, int]]:
        low, high = self._covered
        if not low <= time < high:
            self._lay_out(datetime.fromtimestamp(time // SECOND_NS, UTC).date())
        return self._spans

    def _lay_out(self, day: date) -> None:
        first = day - timedelta(days=10)
        spans: list[tuple[int, int]] = []
        for each in (first + timedelta(days=n) for n in range(AHEAD_DAYS + 20)):
            if each.weekday() >= 5 or each in self._holidays:
                continue
            session = session_of(self._pair, each)
            begin, end = (int(moment.timestamp()) * SECOND_NS for moment in (session.begin, session.end))
            if spans and spans[-1][1] >= begin:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((begin, end))
        self._spans = spans
        # Before the last weeks of what is laid out, so that the next change lies in it.
        edges = (day - timedelta(days=5), day + timedelta(days=30))
        low, high = (int(datetime(e.year, e.month, e.day, tzinfo=UTC).timestamp()) * SECOND_NS for e in edges)
        self._covered = (low, high)
