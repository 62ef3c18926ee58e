"""Rules by which a year's holidays follow from the year alone.

A rule names a day, the years in which it is kept, and what happens when it falls on a weekend. A country's holidays are
a tuple of rules and a table of days that no rule gives (coronations, states of mourning). `kept_in` applies both.
"""

from __future__ import annotations

import calendar
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
ONE_DAY = timedelta(days=1)

DayOf = Callable[[int], "date | None"]
"""The day of a feast in a year; None when the feast is not in that year at all."""


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    The anonymous Gregorian computus as printed by J. Meeus, Astronomical Algorithms (1991), chapter 8; valid from 1583.
    """
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    ell = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * ell) // 451
    month, day = divmod(h + ell - 7 * m + 114, 31)
    return date(year, month, day + 1)


def orthodox_easter(year: int) -> date:
    """Easter Sunday of the Julian calendar as a Gregorian date (Meeus 1991, chapter 8); valid from 1900 to 2099."""
    d = (19 * (year % 19) + 15) % 30
    e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
    month, day = divmod(d + e + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)


def fixed(month: int, day: int) -> DayOf:
    """The same day every year."""
    return lambda year: date(year, month, day)


def easter_plus(days: int) -> DayOf:
    """Days after (before, if negative) western Easter Sunday."""
    return lambda year: easter(year) + timedelta(days=days)


def orthodox_easter_plus(days: int) -> DayOf:
    """Days after (before, if negative) Orthodox Easter Sunday."""
    return lambda year: orthodox_easter(year) + timedelta(days=days)


def weekday_from(month: int, day: int, weekday: int) -> DayOf:
    """The first such weekday on or after a day."""

    def day_of(year: int) -> date:
        first = date(year, month, day)
        return first + timedelta(days=(weekday - first.weekday()) % 7)

    return day_of


def nth(n: int, weekday: int, month: int) -> DayOf:
    """The n-th such weekday of a month, n from 1 to 4."""
    return weekday_from(month, 7 * n - 6, weekday)


def last(weekday: int, month: int) -> DayOf:
    """The last such weekday of a month."""

    def day_of(year: int) -> date:
        end = date(year, month, calendar.monthrange(year, month)[1])
        return end - timedelta(days=(end.weekday() - weekday) % 7)

    return day_of


def by_year(days: Mapping[int, tuple[int, int]]) -> DayOf:
    """Month and day from a published table; not kept in years that the table lacks."""
    return lambda year: date(year, *days[year]) if year in days else None


class Weekend(enum.Enum):
    """What becomes of a holiday that falls on a weekend."""

    LOST = "it is lost"
    SUNDAY_TO_MONDAY = "a Sunday moves to Monday, a Saturday is lost"
    TO_MONDAY = "it moves to Monday, also when Monday is a holiday already"
    NEXT_FREE_DAY = "it moves to the next weekday that is not a holiday"


@dataclass(frozen=True, slots=True)
class Rule:
    """One holiday: its name, its day, its weekend rule, and the years from `since` to `until` in which it is kept."""

    name: str
    day_of: DayOf
    weekend: Weekend = Weekend.LOST
    since: int = 0
    until: int = 9999
    except_in: frozenset[int] = frozenset()

    def day_in(self, year: int) -> date | None:
        """The day in a year before any weekend rule, or None when it is not kept."""
        if not self.since <= year <= self.until or year in self.except_in:
            return None
        return self.day_of(year)


def kept_in(year: int, rules: Iterable[Rule], one_offs: Mapping[date, str] | None = None) -> dict[date, str]:
    """The holidays of a year with their names, ascending. Weekend days stay in it where a rule does not move them."""
    named: dict[date, str] = {d: n for d, n in (one_offs or {}).items() if d.year == year}
    due = sorted(
        ((day, rule) for rule in rules if (day := rule.day_in(year)) is not None),
        key=lambda pair: (pair[0], pair[1].name),
    )
    for day, rule in due:
        named.setdefault(day, rule.name)
    for day, rule in due:
        moved = day
        if rule.weekend is Weekend.SUNDAY_TO_MONDAY and day.weekday() == SUN:
            moved = day + ONE_DAY
        elif rule.weekend is Weekend.TO_MONDAY and day.weekday() >= SAT:
            moved = day + timedelta(days=7 - day.weekday())
        elif rule.weekend is Weekend.NEXT_FREE_DAY and day.weekday() >= SAT:
            while moved.weekday() >= SAT or moved in named:
                moved += ONE_DAY
        if moved != day:
            named.setdefault(moved, f"{rule.name} (observed)")
    return dict(sorted(named.items()))
