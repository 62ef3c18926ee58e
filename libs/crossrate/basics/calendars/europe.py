"""Settlement calendars of Europe that follow from rules: when the central bank's large-value system is closed."""

from __future__ import annotations

from datetime import date

from crossrate.basics.holidays import (
    FRI,
    MON,
    THU,
    Rule,
    Weekend,
    easter_plus,
    fixed,
    last,
    nth,
    orthodox_easter_plus,
    weekday_from,
)

NEW_YEAR = Rule("New Year's Day", fixed(1, 1))
EPIPHANY = Rule("Epiphany", fixed(1, 6))
MAUNDY_THURSDAY = Rule("Maundy Thursday", easter_plus(-3))
GOOD_FRIDAY = Rule("Good Friday", easter_plus(-2))
EASTER_MONDAY = Rule("Easter Monday", easter_plus(1))
LABOUR_DAY = Rule("Labour Day", fixed(5, 1))
ASCENSION = Rule("Ascension Day", easter_plus(39))
WHIT_MONDAY = Rule("Whit Monday", easter_plus(50))
ASSUMPTION = Rule("Assumption Day", fixed(8, 15))
CHRISTMAS_EVE = Rule("Christmas Eve", fixed(12, 24))
CHRISTMAS = Rule("Christmas Day", fixed(12, 25))
SECOND_CHRISTMAS = Rule("Second Day of Christmas", fixed(12, 26))
NEW_YEARS_EVE = Rule("New Year's Eve", fixed(12, 31))

# TARGET's closing days, from the ECB's announcements. In 1999 it closed on New Year's Day and Christmas Day alone, and
# on 31 December for the turn of the millennium; from 2000 on the six days below, and once more on 31 December 2001 so
# that banks could prepare the cash changeover. The ECB sets its reference rates on just the days on which it is open.
TARGET = (
    NEW_YEAR,
    Rule("Good Friday", easter_plus(-2), since=2000),
    Rule("Easter Monday", easter_plus(1), since=2000),
    Rule("Labour Day", fixed(5, 1), since=2000),
    CHRISTMAS,
    Rule("Second Day of Christmas", fixed(12, 26), since=2000),
)
TARGET_ONE_OFFS = {
    date(1999, 12, 31): "Closed for the turn of the millennium",
    date(2001, 12, 31): "Closed for the euro cash changeover",
}

# Bank holidays of England and Wales, on which CHAPS is closed: Banking and Financial Dealings Act 1971, Schedule 1, and
# the royal proclamations under its section 1 that moved or added the days of the second table.
_UK = Weekend.NEXT_FREE_DAY
CHAPS = (
    Rule("New Year's Day", fixed(1, 1), _UK),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Rule("Early May Bank Holiday", nth(1, MON, 5), except_in=frozenset({2020})),
    Rule("Spring Bank Holiday", last(MON, 5), except_in=frozenset({2002, 2012, 2022})),
    Rule("Summer Bank Holiday", last(MON, 8)),
    Rule("Christmas Day", fixed(12, 25), _UK),
    Rule("Boxing Day", fixed(12, 26), _UK),
)
CHAPS_ONE_OFFS = {
    date(1999, 12, 31): "Millennium bank holiday",
    date(2002, 6, 3): "Golden Jubilee of Queen Elizabeth II",
    date(2002, 6, 4): "Spring Bank Holiday (moved)",
    date(2011, 4, 29): "Wedding of Prince William",
    date(2012, 6, 4): "Spring Bank Holiday (moved)",
    date(2012, 6, 5): "Diamond Jubilee of Queen Elizabeth II",
    date(2020, 5, 8): "Early May Bank Holiday (moved to VE Day)",
    date(2022, 6, 2): "Spring Bank Holiday (moved)",
    date(2022, 6, 3): "Platinum Jubilee of Queen Elizabeth II",
    date(2022, 9, 19): "State funeral of Queen Elizabeth II",
    date(2023, 5, 8): "Coronation of King Charles III",
}

# SIC, the Swiss franc system, keeps Zurich's bank holidays.
SIC = (
    NEW_YEAR,
    Rule("Berchtold's Day", fixed(1, 2)),
    GOOD_FRIDAY,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    Rule("National Day", fixed(8, 1)),
    CHRISTMAS,
    Rule("St Stephen's Day", fixed(12, 26)),
)

# RIX: Lag (1989:253) om allmänna helgdagar, and the three eves that Swedish law treats as Sundays. The National Day
# replaced Whit Monday in 2005.
RIX = (
    NEW_YEAR,
    EPIPHANY,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    LABOUR_DAY,
    ASCENSION,
    Rule("Whit Monday", easter_plus(50), until=2004),
    Rule("National Day", fixed(6, 6), since=2005),
    Rule("Midsummer Eve", weekday_from(6, 19, FRI)),
    CHRISTMAS_EVE,
    CHRISTMAS,
    SECOND_CHRISTMAS,
    NEW_YEARS_EVE,
)

# NBO: lov om helligdager (1995) and lov om 1. og 17. mai (1947).
NBO = (
    NEW_YEAR,
    MAUNDY_THURSDAY,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    LABOUR_DAY,
    Rule("Constitution Day", fixed(5, 17)),
    ASCENSION,
    WHIT_MONDAY,
    CHRISTMAS,
    SECOND_CHRISTMAS,
)

# Danish banking days: the public holidays, the Friday after Ascension (since 2009), Constitution Day, and both eves.
# Great Prayer Day was abolished by law no. 214 of 2023, last kept that year.
KRONOS = (
    NEW_YEAR,
    MAUNDY_THURSDAY,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Rule("Great Prayer Day", easter_plus(26), until=2023),
    ASCENSION,
    Rule("Day after Ascension", easter_plus(40), since=2009),
    WHIT_MONDAY,
    Rule("Constitution Day", fixed(6, 5)),
    CHRISTMAS_EVE,
    CHRISTMAS,
    SECOND_CHRISTMAS,
    NEW_YEARS_EVE,
)

# Icelandic public holidays (lög nr. 88/1971). The afternoons of both eves are holidays too; the system is open before.
ICELAND = (
    NEW_YEAR,
    MAUNDY_THURSDAY,
    GOOD_FRIDAY,
    EASTER_MONDAY,
    Rule("First Day of Summer", weekday_from(4, 19, THU)),
    LABOUR_DAY,
    ASCENSION,
    WHIT_MONDAY,
    Rule("National Day", fixed(6, 17)),
    Rule("Commerce Day", nth(1, MON, 8)),
    CHRISTMAS,
    SECOND_CHRISTMAS,
)

# Czech public holidays: zákon č. 245/2000 Sb., Good Friday since 2016.
CERTIS = (
    NEW_YEAR,
    Rule("Good Friday", easter_plus(-2), since=2016),
    EASTER_MONDAY,
    LABOUR_DAY,
    Rule("Victory Day", fixed(5, 8)),
    Rule("Cyril and Methodius", fixed(7, 5)),
    Rule("Jan Hus", fixed(7, 6)),
    Rule("Statehood Day", fixed(9, 28), since=2000),
    Rule("Independence Day", fixed(10, 28)),
    Rule("Freedom and Democracy Day", fixed(11, 17), since=2000),
    CHRISTMAS_EVE,
    CHRISTMAS,
    SECOND_CHRISTMAS,
)

# Polish public holidays: ustawa o dniach wolnych od pracy (1951) with Epiphany since 2011 and Christmas Eve since 2025.
SORBNET = (
    NEW_YEAR,
    Rule("Epiphany", fixed(1, 6), since=2011),
    EASTER_MONDAY,
    LABOUR_DAY,
    Rule("Constitution Day", fixed(5, 3)),
    Rule("Corpus Christi", easter_plus(60)),
    ASSUMPTION,
    Rule("All Saints' Day", fixed(11, 1)),
    Rule("Independence Day", fixed(11, 11)),
    Rule("Christmas Eve", fixed(12, 24), since=2025),
    CHRISTMAS,
    SECOND_CHRISTMAS,
)
SORBNET_ONE_OFFS = {date(2018, 11, 12): "Centenary of independence"}

# Romanian public holidays: Codul muncii art. 139 with its amendments. Bridge days of the public sector do not close
# ReGIS and are not in it.
REGIS = (
    NEW_YEAR,
    Rule("Second Day of New Year", fixed(1, 2)),
    Rule("Epiphany", fixed(1, 6), since=2024),
    Rule("St John the Baptist", fixed(1, 7), since=2024),
    Rule("Unification Day", fixed(1, 24), since=2017),
    Rule("Orthodox Good Friday", orthodox_easter_plus(-2), since=2018),
    Rule("Orthodox Easter Monday", orthodox_easter_plus(1)),
    LABOUR_DAY,
    Rule("Children's Day", fixed(6, 1), since=2017),
    Rule("Orthodox Whit Monday", orthodox_easter_plus(50), since=2009),
    Rule("Assumption Day", fixed(8, 15), since=2009),
    Rule("St Andrew", fixed(11, 30), since=2012),
    Rule("National Day", fixed(12, 1)),
    CHRISTMAS,
    SECOND_CHRISTMAS,
)
