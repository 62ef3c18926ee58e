"""The settlement calendars of all currencies. `calendar_of("EUR")` is the way in.

A currency settles on the days on which its central bank's large-value payment system is open. Where those days follow
from a rule, the rule is here and the calendar reaches to 2050 under the law as it stands. Where they are announced year
by year, they come from published lists and the calendar ends with the last list: asking further raises
`OutsideCalendar`, because a guessed holiday moves real money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from crossrate.basics import holidays
from crossrate.basics.calendar import Calendar, OutsideCalendar
from crossrate.basics.calendars import europe, israel, japan, published, world

__all__ = ["CALENDARS", "Calendar", "OutsideCalendar", "calendar_of"]

FIRST = date(1999, 1, 1)
"""The euro's first day; our data begin with it."""
RULES_LAST = date(2050, 12, 31)
"""How far calendars by rule are given."""

_LIST = "published lists of public holidays, see published/README.md"


def _ruled(
    currency: str,
    centre: str,
    rules: tuple[holidays.Rule, ...],
    source: str,
    one_offs: Mapping[date, str] | None = None,
    first: date = FIRST,
) -> Calendar:
    return Calendar(currency, centre, first, RULES_LAST, source, lambda y: holidays.kept_in(y, rules, one_offs))


def _computed(currency: str, centre: str, source: str, holidays_of: Callable[[int], Mapping[date, str]]) -> Calendar:
    return Calendar(currency, centre, FIRST, RULES_LAST, source, holidays_of)


def _listed(currency: str, centre: str, first: date, last: date, file: str = "") -> Calendar:
    return Calendar(currency, centre, first, last, _LIST, published.holidays_of(file or currency))


def _part(currency: str, calendar: Calendar, first: date, last: date) -> Calendar:
    """The calendar of one of two currencies that followed each other in the same country."""
    return Calendar(currency, calendar.centre, first, last, calendar.source, calendar.holidays_of)


def _end(year: int) -> date:
    return date(year, 12, 31)


_LEU = _ruled("", "Bucharest", europe.REGIS, "ReGIS: Codul muncii, art. 139")
_LIRA = _listed("", "Istanbul", FIRST, _end(2027), file="TRY")

CALENDARS: Mapping[str, Calendar] = {
    calendar.currency: calendar
    for calendar in (
        _ruled("EUR", "TARGET", europe.TARGET, "ECB: TARGET closing days", europe.TARGET_ONE_OFFS),
        _ruled("USD", "New York", world.FEDWIRE, "Federal Reserve Banks: holiday schedule"),
        _computed("JPY", "Tokyo", "BOJ-NET: Act on National Holidays; Banking Act art. 15", japan.holidays_of),
        _ruled("GBP", "London", europe.CHAPS, "CHAPS: Banking and Financial Dealings Act 1971", europe.CHAPS_ONE_OFFS),
        _ruled("CHF", "Zurich", europe.SIC, "SIC: bank holidays of Zurich"),
        _ruled("CAD", "Toronto", world.LYNX, "Lynx: Bank of Canada's bank holidays, Ontario"),
        _ruled("AUD", "Sydney", world.RITS, "RITS: holidays common to Sydney and Melbourne", world.RITS_ONE_OFFS),
        _ruled("NZD", "Wellington", world.ESAS, "ESAS: Holidays Act 2003", world.ESAS_ONE_OFFS),
        _ruled("SEK", "Stockholm", europe.RIX, "RIX: Swedish bank holidays"),
        _ruled("NOK", "Oslo", europe.NBO, "NBO: Norwegian public holidays"),
        _ruled("DKK", "Copenhagen", europe.KRONOS, "Kronos: Danish banking days"),
        _ruled("ISK", "Reykjavik", europe.ICELAND, "Icelandic public holidays"),
        _ruled("CZK", "Prague", europe.CERTIS, "CERTIS: zákon 245/2000 Sb."),
        _ruled("PLN", "Warsaw", europe.SORBNET, "SORBNET: days free of work", europe.SORBNET_ONE_OFFS),
        _part("RON", _LEU, date(2005, 7, 1), RULES_LAST),
        _ruled("BRL", "São Paulo", world.STR, "STR: national bank holidays"),
        _ruled("MXN", "Mexico City", world.SPEI, "SPEI: CNBV's closing days of banks"),
        _ruled("ZAR", "Johannesburg", world.SAMOS, "SAMOS: Public Holidays Act 36 of 1994", world.SAMOS_ONE_OFFS),
        _computed("ILS", "Tel Aviv", "Zahav: banking days by the Hebrew calendar", israel.holidays_of),
        _listed("HUF", "Budapest", FIRST, _end(2026)),
        _part("TRY", _LIRA, date(2005, 1, 1), _end(2027)),
        _listed("RUB", "Moscow", date(2005, 1, 1), _end(2027)),
        _listed("CNY", "Beijing", date(2005, 1, 1), _end(2026)),
        _listed("HKD", "Hong Kong", FIRST, _end(2027)),
        _listed("KRW", "Seoul", FIRST, _end(2027)),
        _listed("SGD", "Singapore", date(2001, 1, 1), _end(2027)),
        _listed("MYR", "Kuala Lumpur", date(2005, 1, 1), _end(2027)),
        _listed("IDR", "Jakarta", date(2005, 1, 1), _end(2026)),
        _listed("THB", "Bangkok", date(2005, 1, 1), _end(2026)),
        _listed("INR", "Mumbai", date(2009, 1, 1), _end(2026)),
        _listed("PHP", "Manila", date(2005, 1, 1), _end(2026)),
        _part("ROL", _LEU, FIRST, date(2005, 6, 30)),
        _part("TRL", _LIRA, FIRST, _end(2004)),
        _listed("BGN", "Sofia", FIRST, _end(2025)),
        _listed("HRK", "Zagreb", FIRST, _end(2022)),
        _listed("LTL", "Vilnius", FIRST, _end(2014)),
        _listed("LVL", "Riga", FIRST, _end(2013)),
        _listed("EEK", "Tallinn", FIRST, _end(2010)),
        _listed("SKK", "Bratislava", FIRST, _end(2008)),
        _listed("CYP", "Nicosia", FIRST, _end(2007)),
        _listed("MTL", "Valletta", FIRST, _end(2007)),
        _listed("SIT", "Ljubljana", FIRST, _end(2006)),
    )
}


def calendar_of(currency: str) -> Calendar:
    """The settlement calendar of a currency by its ISO 4217 code.

    Raises:
        KeyError: it is none of the platform's currencies.
    """
    return CALENDARS[currency]
