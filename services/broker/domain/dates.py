"""The dates of a spot deal at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from crossrate.basics.holidays import SAT
from crossrate.basics.pair import Pair
from crossrate.basics.session import Session, session_of, standing_at
from crossrate.basics.value_date import ValueDates

KEPT_MAX = 2048
NS = 1_000_000_000
DAYS_TO_SPOT_MAX = 15
"""Between a trade date and its spot date, holidays and all."""


def put_date(message: Any, day: date) -> None:
    """Writes a date into a google.type.Date."""
    message.year, message.month, message.day = day.year, day.month, day.day


class Calendar:
    """Sessions and spot dates, each worked out once."""

    def __init__(self) -> None:
        self._sessions: dict[Pair, tuple[int, int, Session]] = {}
        self._spots: dict[tuple[Pair, date], date] = {}

    def session(self, pair: Pair, time_ns: int) -> Session:
        """The session of a moment; while the market is closed the next one."""
        known = self._sessions.get(pair)
        if known is None or not known[0] <= time_ns < known[1]:
            session = standing_at(pair, datetime.fromtimestamp(time_ns / 1e9, UTC)).session
            begin, end = (int(each.timestamp()) * NS for each in (session.begin, session.end))
            # While the market is closed it is the next one from now on.
            known = self._sessions[pair] = (min(begin, time_ns), end, session)
        return known[2]

    def session_end_ns(self, pair: Pair, time_ns: int) -> int:
        """When that session ends, ns since 1970, UTC."""
        self.session(pair, time_ns)
        return self._sessions[pair][1]

    def dealt_until_ns(self, pair: Pair, day: date, time_ns: int) -> int:
        """When the last session ends in which a date is spot or later, ns since 1970, UTC; of a date that is nearer
        than spot already, when the session of that moment ends."""
        for days in range(DAYS_TO_SPOT_MAX):
            trade_date = day - timedelta(days=days)
            if trade_date.weekday() < SAT and self.spot(pair, trade_date) <= day:
                end = int(session_of(pair, trade_date).end.timestamp()) * NS
                return max(end, self.session_end_ns(pair, time_ns))
        return self.session_end_ns(pair, time_ns)

    def swapped_until_ns(self, pair: Pair, near: date) -> int:
        """When the last session ends that is of a day before a swap's near date, ns since 1970, UTC: no leg is dealt
        that settles on the day itself."""
        trade_date = near - timedelta(days=1)
        while trade_date.weekday() >= SAT:
            trade_date -= timedelta(days=1)
        return self.trade_date_end_ns(pair, trade_date)

    def trade_date_end_ns(self, pair: Pair, trade_date: date) -> int:
        """When a trade date's session ends, ns since 1970, UTC."""
        return int(session_of(pair, trade_date).end.timestamp()) * NS

    def spot(self, pair: Pair, trade_date: date) -> date:
        """When a spot deal of a trade date settles."""
        known = self._spots.get((pair, trade_date))
        if known is None:
            if len(self._spots) >= KEPT_MAX:
                self._spots.clear()
            known = self._spots[pair, trade_date] = ValueDates.of(pair, trade_date).spot
        return known
