"""Settlement calendars outside Europe that follow from rules: when the central bank's large-value system is closed."""

from __future__ import annotations

from datetime import date

from crossrate.basics.calendars.europe import CHRISTMAS, EASTER_MONDAY, GOOD_FRIDAY, NEW_YEAR
from crossrate.basics.holidays import (
    MON,
    THU,
    Rule,
    Weekend,
    by_year,
    easter_plus,
    fixed,
    last,
    nth,
    weekday_from,
)

# Fedwire: Federal Reserve Banks' holiday schedule. A Sunday holiday closes Monday; on a Saturday holiday the Banks are
# open the Friday before. Juneteenth: first kept in 2022, since 19 June 2021 was a Saturday.
_US = Weekend.SUNDAY_TO_MONDAY
FEDWIRE = (
    Rule("New Year's Day", fixed(1, 1), _US),
    Rule("Birthday of Martin Luther King, Jr.", nth(3, MON, 1)),
    Rule("Washington's Birthday", nth(3, MON, 2)),
    Rule("Memorial Day", last(MON, 5)),
    Rule("Juneteenth", fixed(6, 19), _US, since=2021),
    Rule("Independence Day", fixed(7, 4), _US),
    Rule("Labor Day", nth(1, MON, 9)),
    Rule("Columbus Day", nth(2, MON, 10)),
    Rule("Veterans Day", fixed(11, 11), _US),
    Rule("Thanksgiving Day", nth(4, THU, 11)),
    Rule("Christmas Day", fixed(12, 25), _US),
)

# Lynx (LVTS before 2021): the Bank of Canada's bank holidays in Ontario. Family Day since 2008; the day for truth and
# reconciliation since 2021.
_ON = Weekend.NEXT_FREE_DAY
LYNX = (
    Rule("New Year's Day", fixed(1, 1), _ON),
    Rule("Family Day", nth(3, MON, 2), since=2008),
    GOOD_FRIDAY,
    Rule("Victoria Day", weekday_from(5, 18, MON)),
    Rule("Canada Day", fixed(7, 1), _ON),
    Rule("Civic Holiday", nth(1, MON, 8)),
    Rule("Labour Day", nth(1, MON, 9)),
    Rule("National Day for Truth and Reconciliation", fixed(9, 30), _ON, since=2021),
    Rule("Thanksgiving Day", nth(2, MON, 10)),
    Rule("Remembrance Day", fixed(11, 11), _ON),
    Rule("Christmas Day", fixed(12, 25), _ON),
    Rule("Boxing Day", fixed(12, 26), _ON),
)

# RITS is closed on the public holidays that Sydney and Melbourne share; on a bank holiday of one city it settles.
_AU = Weekend.NEXT_FREE_DAY
RITS = (
    Rule("New Year's Day", fixed(1, 1), _AU),
    Rule("Australia Day", fixed(1, 26), _AU),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Rule("Anzac Day", fixed(4, 25)),
    Rule("King's Birthday", nth(2, MON, 6)),
    Rule("Christmas Day", fixed(12, 25), _AU),
    Rule("Boxing Day", fixed(12, 26), _AU),
)
RITS_ONE_OFFS = {
    date(2011, 4, 26): "Easter Monday (moved by Anzac Day)",
    date(2022, 9, 22): "National Day of Mourning for Queen Elizabeth II",
}

# ESAS settles on regional anniversary days and closes on New Zealand's national holidays (Holidays Act 2003; Waitangi
# and Anzac Day move off weekends since 2014). Matariki: Te Kāhui o Matariki Public Holiday Act 2022, Schedule 1, which
# lists the days up to 2052.
_NZ = Weekend.NEXT_FREE_DAY
_MATARIKI = {
    2022: (6, 24), 2023: (7, 14), 2024: (6, 28), 2025: (6, 20), 2026: (7, 10), 2027: (6, 25), 2028: (7, 14),
    2029: (7, 6), 2030: (6, 21), 2031: (7, 11), 2032: (7, 2), 2033: (6, 24), 2034: (7, 7), 2035: (6, 29),
    2036: (7, 18), 2037: (7, 10), 2038: (6, 25), 2039: (7, 15), 2040: (7, 6), 2041: (7, 19), 2042: (7, 11),
    2043: (7, 3), 2044: (6, 24), 2045: (7, 7), 2046: (6, 29), 2047: (7, 19), 2048: (7, 3), 2049: (6, 25),
    2050: (7, 15), 2051: (6, 30), 2052: (6, 21),
}  # fmt: skip
ESAS = (
    Rule("New Year's Day", fixed(1, 1), _NZ),
    Rule("Day after New Year's Day", fixed(1, 2), _NZ),
    Rule("Waitangi Day", fixed(2, 6), until=2013),
    Rule("Waitangi Day", fixed(2, 6), Weekend.TO_MONDAY, since=2014),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Rule("Anzac Day", fixed(4, 25), until=2013),
    Rule("Anzac Day", fixed(4, 25), Weekend.TO_MONDAY, since=2014),
    Rule("King's Birthday", nth(1, MON, 6)),
    Rule("Matariki", by_year(_MATARIKI)),
    Rule("Labour Day", nth(4, MON, 10)),
    Rule("Christmas Day", fixed(12, 25), _NZ),
    Rule("Boxing Day", fixed(12, 26), _NZ),
)
ESAS_ONE_OFFS = {date(2022, 9, 26): "Memorial Day for Queen Elizabeth II"}

# Brazil: national bank holidays (ANBIMA's list). The 20 November is national by Lei 14.759/2023. Banks are closed on
# 31 December to the public only; STR settles.
STR = (
    NEW_YEAR,
    Rule("Carnival Monday", easter_plus(-48)),
    Rule("Carnival Tuesday", easter_plus(-47)),
    GOOD_FRIDAY,
    Rule("Tiradentes", fixed(4, 21)),
    Rule("Labour Day", fixed(5, 1)),
    Rule("Corpus Christi", easter_plus(60)),
    Rule("Independence Day", fixed(9, 7)),
    Rule("Our Lady of Aparecida", fixed(10, 12)),
    Rule("All Souls' Day", fixed(11, 2)),
    Rule("Republic Proclamation Day", fixed(11, 15)),
    Rule("Black Awareness Day", fixed(11, 20), since=2024),
    CHRISTMAS,
)

# Mexico: days on which banks close, Disposiciones de la CNBV. Three days moved to Mondays in 2006 and 2007; the
# inauguration is every six years, on 1 December until 2018 and on 1 October since 2024.
SPEI = (
    NEW_YEAR,
    Rule("Constitution Day", fixed(2, 5), until=2005),
    Rule("Constitution Day", nth(1, MON, 2), since=2006),
    Rule("Birthday of Benito Juárez", fixed(3, 21), until=2006),
    Rule("Birthday of Benito Juárez", nth(3, MON, 3), since=2007),
    Rule("Maundy Thursday", easter_plus(-3)),
    GOOD_FRIDAY,
    Rule("Labour Day", fixed(5, 1)),
    Rule("Independence Day", fixed(9, 16)),
    Rule("Inauguration Day", by_year(dict.fromkeys(range(2024, 2053, 6), (10, 1)))),
    Rule("All Souls' Day", fixed(11, 2)),
    Rule("Revolution Day", fixed(11, 20), until=2005),
    Rule("Revolution Day", nth(3, MON, 11), since=2006),
    Rule("Inauguration Day", by_year(dict.fromkeys(range(2000, 2019, 6), (12, 1)))),
    Rule("Bank Workers' Day", fixed(12, 12)),
    CHRISTMAS,
)

# South Africa: Public Holidays Act 36 of 1994, section 2(1) moves a Sunday to Monday; the one-offs were proclaimed
# under section 2A.
_ZA = Weekend.SUNDAY_TO_MONDAY
SAMOS = (
    Rule("New Year's Day", fixed(1, 1), _ZA),
    Rule("Human Rights Day", fixed(3, 21), _ZA),
    GOOD_FRIDAY,
    Rule("Family Day", easter_plus(1)),
    Rule("Freedom Day", fixed(4, 27), _ZA),
    Rule("Workers' Day", fixed(5, 1), _ZA),
    Rule("Youth Day", fixed(6, 16), _ZA),
    Rule("National Women's Day", fixed(8, 9), _ZA),
    Rule("Heritage Day", fixed(9, 24), _ZA),
    Rule("Day of Reconciliation", fixed(12, 16), _ZA),
    Rule("Christmas Day", fixed(12, 25), _ZA),
    Rule("Day of Goodwill", fixed(12, 26), _ZA),
)
SAMOS_ONE_OFFS = {
    date(1999, 6, 2): "General election",
    date(1999, 12, 31): "Turn of the millennium",
    date(2000, 1, 2): "Turn of the millennium",
    date(2000, 1, 3): "Turn of the millennium",
    date(2004, 4, 14): "General election",
    date(2006, 3, 1): "Local elections",
    date(2008, 5, 2): "Workers' Day (moved by Ascension Day)",
    date(2009, 4, 22): "General election",
    date(2011, 5, 18): "Local elections",
    date(2011, 12, 27): "Christmas Day (moved)",
    date(2014, 5, 7): "General election",
    date(2016, 8, 3): "Local elections",
    date(2016, 12, 27): "Christmas Day (moved)",
    date(2019, 5, 8): "General election",
    date(2021, 11, 1): "Local elections",
    date(2022, 12, 27): "Christmas Day (moved)",
    date(2023, 12, 15): "Rugby world champions",
    date(2024, 5, 29): "General election",
    date(2026, 11, 4): "Local elections",
}
