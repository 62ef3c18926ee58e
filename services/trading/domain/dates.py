"""The dates of a deal: its trade date by the instrument's session, and when it settles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from crossrate.basics.calendar import OutsideCalendar
from crossrate.basics.pair import Pair
from crossrate.basics.session import Session, standing_at
from crossrate.basics.tenor import parse_tenor
from crossrate.basics.value_date import NotDealt, ValueDates

SESSIONS_HELD_MAX = 2048


class BadDate(ValueError):
    """A settlement that there is not; the field within the order, and why in words."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Dates:
    """Of one deal. `far` only of a swap."""

    trade: date
    settle: date
    far: date | None = None


class Calendar:
    """Sessions and spot dates, each worked out once."""

    def __init__(self) -> None:
        self._sessions: dict[Pair, tuple[int, Session]] = {}
        self._dates: dict[tuple[Pair, date], ValueDates] = {}

    def session(self, pair: Pair, now_ns: int) -> Session:
        """The session of a moment; while the market is closed the next one."""
        known = self._sessions.get(pair)
        if known is None or now_ns >= known[0]:
            session = standing_at(pair, datetime.fromtimestamp(now_ns / 1e9, UTC)).session
            known = self._sessions[pair] = (int(session.end.timestamp()) * 1_000_000_000, session)
        return known[1]

    def dates(self, pair: Pair, now_ns: int, near: str | date | None, far: str | date | None, swap: bool) -> Dates:
        """The dates of an order entered now. A leg is a tenor, a date, or None for spot.

        Raises:
            BadDate: a leg is none of the calendar's.
        """
        trade = self.session(pair, now_ns).trade_date
        try:
            values = self._values(pair, trade)
        except (OutsideCalendar, ValueError) as error:
            raise BadDate("instrument", str(error)) from None
        if not swap:
            if near is None:
                return Dates(trade, values.spot)
            return Dates(trade, _leg(values, near, "settlement", near_leg=True))
        first = values.spot if near is None else _leg(values, near, "settlement", near_leg=True)
        if far is None:
            raise BadDate("far_leg.settlement", "the far leg needs a tenor or a date after the near leg")
        second = _leg(values, far, "far_leg.settlement", near_leg=False)
        if second <= first:
            raise BadDate("far_leg.settlement", f"settles on {second}, not after the near leg on {first}")
        return Dates(trade, first, second)

    def _values(self, pair: Pair, trade: date) -> ValueDates:
        known = self._dates.get((pair, trade))
        if known is None:
            if len(self._dates) >= SESSIONS_HELD_MAX:
                self._dates.clear()
            known = self._dates[pair, trade] = ValueDates.of(pair, trade)
        return known


def _leg(values: ValueDates, leg: str | date, field: str, *, near_leg: bool) -> date:
    try:
        if isinstance(leg, date):
            return values.broken(leg).far
        dates = values.at(parse_tenor(leg))
    except (NotDealt, OutsideCalendar, ValueError) as error:
        raise BadDate(field, str(error)) from None
    # ON and TN are swaps by themselves: as a leg they name the day on which they begin or end.
    return dates.near if near_leg and leg in ("ON", "TN") else dates.far
