"""A settlement calendar: on which days a currency is paid, why not on the others, and how far this is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from crossrate.basics.holidays import ONE_DAY, SAT

STEPS_MAX = 60
"""Longest search for a settlement day, in days. The longest closure in our calendars is under two weeks."""


class OutsideCalendar(Exception):
    """A date lies outside what is known of a currency's holidays, which is `first` to `last`, both included."""

    def __init__(self, currency: str, day: date, first: date, last: date) -> None:
        super().__init__(f"the {currency} settlement calendar is known from {first} to {last}; {day} is outside it")
        self.currency, self.day, self.first, self.last = currency, day, first, last


@dataclass(frozen=True, slots=True)
class Calendar:
    """The settlement days of one currency.

    `holidays_of` gives a year's holidays with their names; it may name weekend days, which never settle anyway.
    `source` says where the holidays come from and what they leave out.
    """

    currency: str
    centre: str
    first: date
    last: date
    source: str
    holidays_of: Callable[[int], Mapping[date, str]]
    _years: dict[int, Mapping[date, str]] = field(default_factory=dict, repr=False, compare=False)

    def holiday(self, day: date) -> str | None:
        """The name of the holiday kept on a day, or None.

        Raises:
            OutsideCalendar: the day is before `first` or after `last`.
        """
        if not self.first <= day <= self.last:
            raise OutsideCalendar(self.currency, day, self.first, self.last)
        year = self._years.get(day.year)
        if year is None:
            year = self._years[day.year] = self.holidays_of(day.year)
        return year.get(day)

    def settles(self, day: date) -> bool:
        """Whether the currency is paid on a day.

        Raises:
            OutsideCalendar: the day is before `first` or after `last`.
        """
        return self.holiday(day) is None and day.weekday() < SAT

    def settlement_days(self, start: date, end: date) -> list[date]:
        """Settlement days from `start` to `end`, both included, ascending.

        Raises:
            OutsideCalendar: part of the range is not known.
        """
        return [day for day in days_between(start, end) if self.settles(day)]

    def holidays(self, start: date, end: date) -> list[tuple[date, str]]:
        """Weekdays from `start` to `end` on which the currency is not paid, each with its reason, ascending.

        Raises:
            OutsideCalendar: part of the range is not known.
        """
        named = ((day, self.holiday(day)) for day in days_between(start, end))
        return [(day, name) for day, name in named if name is not None and day.weekday() < SAT]

    def plus(self, day: date, settlement_days: int) -> date:
        """The n-th settlement day after a day, n at least 1.

        Raises:
            OutsideCalendar: the way there leaves what is known.
        """
        for _ in range(settlement_days):
            day = next_good(day + ONE_DAY, (self,))
        return day


def days_between(start: date, end: date) -> Iterator[date]:
    """Every day from `start` to `end`, both included."""
    for ordinal in range(start.toordinal(), end.toordinal() + 1):
        yield date.fromordinal(ordinal)


def is_good(day: date, calendars: Iterable[Calendar]) -> bool:
    """Whether all of some currencies settle on a day."""
    return all(calendar.settles(day) for calendar in calendars)


def next_good(day: date, calendars: tuple[Calendar, ...], step_days: int = 1) -> date:
    """The first day from `day` on (backwards for step -1) on which all of some currencies settle.

    Raises:
        OutsideCalendar: the search leaves what is known of one of them.
    """
    step = timedelta(days=step_days)
    for _ in range(STEPS_MAX):
        if is_good(day, calendars):
            return day
        day += step
    names = ", ".join(c.currency for c in calendars)
    raise AssertionError(f"no common settlement day of {names} within {STEPS_MAX} days before {day}")
