"""The 42 currencies: those of the ECB's reference rates, and the euro.

A currency that is no more has a `last_day`: the euro or a new unit replaced it at a fixed rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and what dealing it needs.

    `rank` orders a pair: the currency with the lower rank is the base. `magnitude` is the power of ten nearest below
    the units that one US dollar buys, as of 2026; it sets tick sizes of crosses and smallest quantities, and is a
    convention, not a rate. `first_day` is the first day of our data for currencies older than it. `successor_rate` is
    how many units of this currency became one unit of the successor, a decimal; both are "" while it lives.
    """

    code: str
    name: str
    minor_units: int
    rank: int
    magnitude: int
    deliverable: bool = True
    first_day: date = date(1999, 1, 1)
    last_day: date | None = None
    successor: str = ""
    successor_rate: str = ""

    @property
    def alive(self) -> bool:
        """Whether it can still be traded."""
        return self.last_day is None


# In order of rank: EUR, GBP, AUD, NZD, USD, CAD, CHF as every dealer quotes them; then the order in which crosses
# are customarily named (NOK/SEK, ZAR/JPY, JPY/KRW).
_LIVING = (
    ("EUR", "Euro", 2, 0, True),
    ("GBP", "Pound sterling", 2, 0, True),
    ("AUD", "Australian dollar", 2, 0, True),
    ("NZD", "New Zealand dollar", 2, 0, True),
    ("USD", "US dollar", 2, 0, True),
    ("CAD", "Canadian dollar", 2, 0, True),
    ("CHF", "Swiss franc", 2, 0, True),
    ("DKK", "Danish krone", 2, 0, True),
    ("NOK", "Norwegian krone", 2, 1, True),
    ("SEK", "Swedish krona", 2, 0, True),
    ("PLN", "Polish zloty", 2, 0, True),
    ("CZK", "Czech koruna", 2, 1, True),
    ("RON", "Romanian leu", 2, 0, True),
    ("ILS", "Israeli shekel", 2, 0, True),
    ("SGD", "Singapore dollar", 2, 0, True),
    ("HKD", "Hong Kong dollar", 2, 0, True),
    ("CNY", "Chinese yuan renminbi", 2, 0, False),
    ("MYR", "Malaysian ringgit", 2, 0, False),
    ("ZAR", "South African rand", 2, 1, True),
    ("TRY", "Turkish lira", 2, 1, True),
    ("MXN", "Mexican peso", 2, 1, True),
    ("BRL", "Brazilian real", 2, 0, False),
    ("THB", "Thai baht", 2, 1, True),
    ("PHP", "Philippine peso", 2, 1, False),
    ("INR", "Indian rupee", 2, 1, False),
    ("RUB", "Russian rouble", 2, 1, False),
    ("HUF", "Hungarian forint", 2, 2, True),
    ("JPY", "Japanese yen", 0, 2, True),
    ("ISK", "Icelandic krona", 0, 2, True),
    ("KRW", "South Korean won", 0, 3, False),
    ("IDR", "Indonesian rupiah", 2, 4, False),
)

# Conversion rates: Council Regulation (EC) 2866/98 and its successors for each accession; ROL and TRL were
# redenominated by their own central banks.
_ENDED = (
    ("CYP", "Cypriot pound", 2, 0, date(2007, 12, 31), "EUR", "0.585274"),
    ("MTL", "Maltese lira", 2, 0, date(2007, 12, 31), "EUR", "0.4293"),
    ("LVL", "Latvian lats", 2, 0, date(2013, 12, 31), "EUR", "0.702804"),
    ("BGN", "Bulgarian lev", 2, 0, date(2025, 12, 31), "EUR", "1.95583"),
    ("LTL", "Lithuanian litas", 2, 0, date(2014, 12, 31), "EUR", "3.4528"),
    ("HRK", "Croatian kuna", 2, 0, date(2022, 12, 31), "EUR", "7.5345"),
    ("EEK", "Estonian kroon", 2, 1, date(2010, 12, 31), "EUR", "15.6466"),
    ("SKK", "Slovak koruna", 2, 1, date(2008, 12, 31), "EUR", "30.126"),
    ("SIT", "Slovenian tolar", 2, 2, date(2006, 12, 31), "EUR", "239.64"),
    ("ROL", "Romanian leu (before 2005)", 2, 4, date(2005, 6, 30), "RON", "10000"),
    ("TRL", "Turkish lira (before 2005)", 0, 6, date(2004, 12, 31), "TRY", "1000000"),
)

# Units that began after our data does.
_FIRST_DAYS = {"TRY": date(2005, 1, 1), "RON": date(2005, 7, 1)}


def _currencies() -> dict[str, Currency]:
    table: dict[str, Currency] = {}
    for rank, (code, name, unit, size, deliverable) in enumerate(_LIVING):
        first_day = _FIRST_DAYS.get(code, date(1999, 1, 1))
        table[code] = Currency(code, name, unit, rank, size, deliverable, first_day)
    for rank, (code, name, unit, size, last_day, successor, rate) in enumerate(_ENDED, start=len(_LIVING)):
        ended = {"last_day": last_day, "successor": successor, "successor_rate": rate}
        table[code] = Currency(code, name, unit, rank, size, **ended)
    return table


CURRENCIES: Mapping[str, Currency] = _currencies()
"""All currencies by code, in order of rank."""


def currency_of(code: str) -> Currency:
    """A currency by its ISO 4217 code.

    Raises:
        KeyError: it is none of the platform's currencies.
    """
    return CURRENCIES[code]
