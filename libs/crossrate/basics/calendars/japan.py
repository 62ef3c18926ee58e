"""Japan: Act on National Holidays (1948, with its amendments) and the bank holidays of the Banking Act, article 15."""

from __future__ import annotations

from datetime import date, timedelta

from crossrate.basics.holidays import MON, ONE_DAY, SUN, Rule, fixed, kept_in, nth


def _equinox(year: int, base: float) -> int:
    """Day of the month of an equinox in Japan.

    Linear in the tropical year with leap days taken off, as the Hydrographic Department's formula has it
    (海上保安庁水路部, 新こよみ便利帳); valid from 1980 to 2099. The day itself is announced each February before.
    """
    return int(base + 0.242194 * (year - 1980) - (year - 1980) // 4)


def vernal_equinox(year: int) -> date:
    """The spring equinox in Japan."""
    return date(year, 3, _equinox(year, 20.8431))


def autumnal_equinox(year: int) -> date:
    """The autumn equinox in Japan."""
    return date(year, 9, _equinox(year, 23.2488))


_OLYMPIC = frozenset({2020, 2021})
"""Years in which the Tokyo Olympics moved three holidays (special measures act of 2015, amended 2018 and 2020)."""

NATIONAL = (
    Rule("New Year's Day", fixed(1, 1)),
    Rule("Coming of Age Day", fixed(1, 15), until=1999),
    Rule("Coming of Age Day", nth(2, MON, 1), since=2000),
    Rule("National Foundation Day", fixed(2, 11)),
    Rule("Emperor's Birthday", fixed(2, 23), since=2020),
    Rule("Vernal Equinox Day", vernal_equinox),
    Rule("Greenery Day", fixed(4, 29), until=2006),
    Rule("Showa Day", fixed(4, 29), since=2007),
    Rule("Constitution Day", fixed(5, 3)),
    Rule("Greenery Day", fixed(5, 4), since=2007),
    Rule("Children's Day", fixed(5, 5)),
    Rule("Marine Day", fixed(7, 20), until=2002),
    Rule("Marine Day", nth(3, MON, 7), since=2003, except_in=_OLYMPIC),
    Rule("Mountain Day", fixed(8, 11), since=2016, except_in=_OLYMPIC),
    Rule("Respect for the Aged Day", fixed(9, 15), until=2002),
    Rule("Respect for the Aged Day", nth(3, MON, 9), since=2003),
    Rule("Autumnal Equinox Day", autumnal_equinox),
    Rule("Sports Day", fixed(10, 10), until=1999),
    Rule("Sports Day", nth(2, MON, 10), since=2000, except_in=_OLYMPIC),
    Rule("Culture Day", fixed(11, 3)),
    Rule("Labour Thanksgiving Day", fixed(11, 23)),
    Rule("Emperor's Birthday", fixed(12, 23), until=2018),
)
ONE_OFFS = {
    date(2019, 5, 1): "Enthronement of Emperor Naruhito",
    date(2019, 10, 22): "Enthronement ceremony",
    date(2020, 7, 23): "Marine Day (moved for the Olympics)",
    date(2020, 7, 24): "Sports Day (moved for the Olympics)",
    date(2020, 8, 10): "Mountain Day (moved for the Olympics)",
    date(2021, 7, 22): "Marine Day (moved for the Olympics)",
    date(2021, 7, 23): "Sports Day (moved for the Olympics)",
    date(2021, 8, 8): "Mountain Day (moved for the Olympics)",
}
BANK = (
    Rule("Bank holiday", fixed(1, 2)),
    Rule("Bank holiday", fixed(1, 3)),
    Rule("Bank holiday", fixed(12, 31)),
)


def holidays_of(year: int) -> dict[date, str]:
    """National and bank holidays of a year, with substitutes and the days between two holidays (article 3)."""
    national = kept_in(year, NATIONAL, ONE_OFFS)
    kept = dict(national)
    for day, name in national.items():
        if day.weekday() == SUN:
            # Until 2006 the substitute was the Monday; since 2007 it is the next day that is not a national holiday.
            moved = day + ONE_DAY
            while year >= 2007 and moved in national:
                moved += ONE_DAY
            kept.setdefault(moved, f"{name} (observed)")
        between = day + ONE_DAY
        if day + timedelta(days=2) in national and between not in kept and between.weekday() != SUN:
            kept[between] = "Citizens' Holiday"
    for day, name in kept_in(year, BANK).items():
        kept.setdefault(day, name)
    return dict(sorted(kept.items()))
