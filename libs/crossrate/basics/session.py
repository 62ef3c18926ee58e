"""Trading sessions: which trade date a moment belongs to, and whether the market is open then.

The market's week runs from Sunday 17:00 to Friday 17:00 in New York. Trade dates roll at 17:00 New York. For pairs with
the New Zealand dollar they roll at 07:00 Auckland from Monday to Friday, so that their week begins on Monday 07:00
Auckland and their Friday ends with everybody's (London FX, "Value dates", value date roll-over). Holidays close no
session; they move settlement (see value_date). Daylight saving follows the tz database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crossrate.basics.holidays import FRI, MON, ONE_DAY, SAT
from crossrate.basics.pair import Pair

NEW_YORK = ZoneInfo("America/New_York")
AUCKLAND = ZoneInfo("Pacific/Auckland")
NEW_YORK_ROLL = time(17)
AUCKLAND_ROLL = time(7)
KIWI = "NZD"


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: from `begin` up to, not including, `end`, both in UTC."""

    trade_date: date
    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begin <= moment < self.end


@dataclass(frozen=True, slots=True)
class Standing:
    """The market at one moment: the session it is in, or the next one while it is closed, and when it next opens."""

    session: Session
    open: bool

    @property
    def next_open(self) -> datetime:
        """When the market next opens, UTC; the session's begin while it is open."""
        return self.session.begin


def _roll_new_york(day: date) -> datetime:
    return datetime.combine(day, NEW_YORK_ROLL, NEW_YORK).astimezone(UTC)


def _roll_auckland(day: date) -> datetime:
    return datetime.combine(day, AUCKLAND_ROLL, AUCKLAND).astimezone(UTC)


def session_of(pair: Pair, trade_date: date) -> Session:
    """The session of a trade date.

    Raises:
        ValueError: the date is a Saturday or Sunday, which is no trade date.
    """
    if trade_date.weekday() >= SAT:
        raise ValueError(f"{trade_date} is a {trade_date:%A}; trade dates run from Monday to Friday")
    if KIWI not in pair:
        return Session(trade_date, _roll_new_york(trade_date - ONE_DAY), _roll_new_york(trade_date))
    last = trade_date.weekday() == FRI
    end = _roll_new_york(trade_date) if last else _roll_auckland(trade_date + ONE_DAY)
    return Session(trade_date, _roll_auckland(trade_date), end)


def standing_at(pair: Pair, moment: datetime) -> Standing:
    """The session in which a moment falls; between Friday's end and Monday's begin the coming Monday's, closed.

    `moment` carries a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    # A session of date D lies within D - 2 and D + 1 in UTC: the first that has not ended is the one.
    day = moment.astimezone(UTC).date() - timedelta(days=1)
    while True:
        if day.weekday() >= SAT:
            day += timedelta(days=7 + MON - day.weekday())
        session = session_of(pair, day)
        if moment < session.end:
            return Standing(session, session.holds(moment))
        day += ONE_DAY
