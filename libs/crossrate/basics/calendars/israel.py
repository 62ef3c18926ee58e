"""Israel: the Hebrew calendar, which is arithmetic, and the days on which the shekel is not settled."""

from __future__ import annotations

from datetime import date, timedelta

from crossrate.basics.holidays import FRI, SAT, SUN

_EPOCH = date(1, 1, 1).toordinal() - 1373428
"""Ordinal of the day before 1 Tishri of the Hebrew year 1, which was a day of 3761 BCE."""


def _elapsed_days(year: int) -> int:
    """Days from the epoch to 1 Tishri of a Hebrew year, before the rule of adjacent years.

    The molad and its postponements as in Reingold and Dershowitz, Calendrical Calculations (3rd ed. 2008), 7.20.
    """
    months = (235 * year - 234) // 19
    parts = 12084 + 13753 * months
    day = 29 * months + parts // 25920
    return day + 1 if (3 * (day + 1)) % 7 < 3 else day


def new_year(year: int) -> date:
    """Rosh Hashanah, 1 Tishri of a Hebrew year, as a Gregorian date."""
    before, this, after = (_elapsed_days(y) for y in (year - 1, year, year + 1))
    correction = 2 if after - this == 356 else 1 if this - before == 382 else 0
    return date.fromordinal(_EPOCH + this + correction)


def passover(year: int) -> date:
    """15 Nisan of a Gregorian year: 163 days before the Rosh Hashanah of the same year."""
    return new_year(year + 3761) - timedelta(days=163)


def independence_day(year: int) -> date:
    """5 Iyar, moved away from the Sabbath: since 2004 also off Monday, so that the day of remembrance is no Sunday."""
    day = passover(year) + timedelta(days=20)
    if day.weekday() == FRI:
        return day - timedelta(days=1)
    if day.weekday() == SAT:
        return day - timedelta(days=2)
    if day.weekday() == 0 and year >= 2004:
        return day + timedelta(days=1)
    return day


def fast_of_av(year: int) -> date:
    """9 Av, or the Sunday after it when it is a Sabbath."""
    day = new_year(year + 3761) - timedelta(days=51)
    return day + timedelta(days=1) if day.weekday() == SAT else day


def holidays_of(year: int) -> dict[date, str]:
    """Days of a Gregorian year that are no banking days, as the standard terms of Israeli banks define them.

    Friday settles (the shekel's system runs for CLS). Sunday, a working day in Israel, does not: nobody else works.
    """
    pesach, rosh = passover(year), new_year(year + 3761)

    def after(start: date, days: int) -> date:
        return start + timedelta(days=days)

    named = {
        after(pesach, -30): "Purim",
        pesach: "Passover",
        after(pesach, 6): "Seventh Day of Passover",
        independence_day(year): "Independence Day",
        after(pesach, 50): "Shavuot",
        fast_of_av(year): "Fast of Av",
        rosh: "Rosh Hashanah",
        after(rosh, 1): "Rosh Hashanah, second day",
        after(rosh, 8): "Yom Kippur Eve",
        after(rosh, 9): "Yom Kippur",
        after(rosh, 14): "Sukkot",
        after(rosh, 21): "Simchat Torah",
    }
    assert all(day.year == year for day in named), "the Hebrew feasts of a civil year lie inside it"
    assert rosh.weekday() not in (SUN, 2, FRI), "Rosh Hashanah falls on no Sunday, Wednesday or Friday"
    return dict(sorted(named.items()))
