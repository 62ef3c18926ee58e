"""Tenors as dealers write them: ON, TN, SP, SN, 1W, 3M, 2Y."""

from __future__ import annotations

import calendar
import enum
import re
from dataclasses import dataclass
from datetime import date

_WRITTEN = re.compile(r"([1-9][0-9]?)([DWMY])")


class Unit(enum.Enum):
    """What a tenor counts. ON, TN, SP and SN are places in the calendar, the others numbers of days, weeks, months."""

    OVERNIGHT = "ON"
    TOMORROW_NEXT = "TN"
    SPOT = "SP"
    SPOT_NEXT = "SN"
    DAYS = "D"
    WEEKS = "W"
    MONTHS = "M"


@dataclass(frozen=True, slots=True)
class Tenor:
    """A span from spot (ON and TN: from the trade date and the day after). Years are kept as twelve months each."""

    text: str
    unit: Unit
    count: int = 0


_PLACES = {unit.value: unit for unit in (Unit.OVERNIGHT, Unit.TOMORROW_NEXT, Unit.SPOT, Unit.SPOT_NEXT)}


def parse_tenor(text: str) -> Tenor:
    """A tenor from its text.

    Raises:
        ValueError: it is none.
    """
    if text in _PLACES:
        return Tenor(text, _PLACES[text])
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no tenor; write ON, TN, SP, SN, or a number from 1 to 99 with D, W, M or Y")
    count, letter = int(match[1]), match[2]
    return Tenor(text, Unit.MONTHS, 12 * count) if letter == "Y" else Tenor(text, Unit(letter), count)


STANDARD = tuple(
    parse_tenor(text)
    for text in ("ON", "TN", "SP", "SN", "1W", "2W", "3W", *(f"{n}M" for n in range(1, 13)), "18M", "24M")
)
"""The tenors that are quoted as a matter of course."""


def plus_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
