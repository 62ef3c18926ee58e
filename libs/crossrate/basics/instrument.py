"""What may be dealt, and its conventions: one row for each pair of currencies that ever lived at the same time.

A tick of a direct pair is the market's; a cross that nobody deals directly gets one by rule, so that its price has as
many significant digits as a major pair's.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from crossrate.basics.currency import CURRENCIES, Currency
from crossrate.basics.pair import DOLLAR, Pair

SPOT_LAG_DAYS = 2
T_PLUS_1 = frozenset({"CAD", "TRY", "PHP", "RUB"})
"""Currencies that settle against the dollar one day after the trade. A cross takes the later spot of its two dollar
pairs, so EUR/TRY and GBP/CAD are T+2 and CAD/TRY is T+1 (London FX, "Value dates"; the same four pairs in Wikipedia,
"Foreign exchange date conventions")."""

# Decimal places of a pip where the market has its own: in pairs with the dollar or the euro, by the counter currency,
# and in every direct pair with the yen.
_PIP_PLACES = {"JPY": 2, "HUF": 2, "THB": 2, "ISK": 2, "INR": 4, "PHP": 3, "CZK": 3, "KRW": 2, "IDR": 0}
_PIP_PLACES_DEFAULT = 4

_MAJORS = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY")
_DIRECT_WITH_EURO = frozenset(
    {"DKK", "NOK", "SEK", "PLN", "CZK", "HUF", "RON", "ISK", "TRY", "ZAR", "CNY", "HKD", "SGD", "MXN", "ILS"}
)
_DIRECT_OTHERS = frozenset(
    {
        Pair("NOK", "SEK"),
        Pair("SGD", "JPY"),
        Pair("HKD", "JPY"),
        Pair("ZAR", "JPY"),
        Pair("MXN", "JPY"),
        Pair("TRY", "JPY"),
    }
)
_NO_DOLLAR_MARKET = frozenset({"ISK", "CYP", "MTL", "LVL", "LTL", "HRK", "EEK", "SIT", "BGN"})
"""Dealt against the euro; their dollar prices are crosses."""

MIN_QUANTITY_DOLLARS = 1000
"""Smallest order, as an order of magnitude in dollars; the base currency's magnitude scales it."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How a pair is dealt.

    `pip_places` and `price_places` are decimal places of a price; a price has one place more than a pip. Swap points
    count in pips. `min_quantity` and `quantity_step` are whole units of the base currency. `last_trade_date` is set
    for a pair that cannot be traded any more.
    """

    pair: Pair
    direct: bool
    pip_places: int
    spot_lag_days: int
    min_quantity: int
    quantity_step: int
    deliverable: bool
    last_trade_date: date | None

    @property
    def price_places(self) -> int:
        """Decimal places of a quoted price."""
        return self.pip_places + 1

    @property
    def pip(self) -> str:
        """The size of a pip as a decimal: "0.0001"; "1" for the rupiah."""
        return "1" if self.pip_places == 0 else f"0.{'1':0>{self.pip_places}}"


def _is_direct(pair: Pair) -> bool:
    if pair in _DIRECT_OTHERS or (pair.base in _MAJORS and pair.counter in _MAJORS):
        return True
    if DOLLAR in pair:
        return not pair.currencies & _NO_DOLLAR_MARKET
    if "EUR" in pair:
        other = pair.counter
        return other in _DIRECT_WITH_EURO | _NO_DOLLAR_MARKET
    return False


def _pip_places(base: Currency, counter: Currency, direct: bool) -> int:
    if direct and base.code in _MAJORS:
        return _PIP_PLACES.get(counter.code, _PIP_PLACES_DEFAULT if counter.alive else max(0, 4 - counter.magnitude))
    if direct and counter.code == "JPY":
        return _PIP_PLACES["JPY"]
    return min(6, max(0, 4 - counter.magnitude + base.magnitude))


def dollar_lag_days(currency: str) -> int:
    """Business days from trade date to spot of a currency against the dollar."""
    return 1 if currency in T_PLUS_1 else SPOT_LAG_DAYS


def spot_lag_days(pair: Pair) -> int:
    """Business days from trade date to spot of a pair: the later of its dollar pairs."""
    return max(dollar_lag_days(code) for code in pair if code != DOLLAR)


def _convention(base: Currency, counter: Currency) -> Convention:
    pair = Pair(base.code, counter.code)
    direct = _is_direct(pair)
    ends = [c.last_day for c in (base, counter) if c.last_day]
    scale = 10**base.magnitude
    return Convention(
        pair=pair,
        direct=direct,
        pip_places=_pip_places(base, counter, direct),
        spot_lag_days=spot_lag_days(pair),
        min_quantity=MIN_QUANTITY_DOLLARS * scale,
        quantity_step=scale,
        deliverable=base.deliverable and counter.deliverable,
        last_trade_date=min(ends, default=None),
    )


def _conventions() -> Mapping[Pair, Convention]:
    rows = (_convention(a, b) for a, b in itertools.combinations(CURRENCIES.values(), 2) if _lived_together(a, b))
    return {row.pair: row for row in sorted(rows, key=lambda row: str(row.pair))}


def _lived_together(one: Currency, other: Currency) -> bool:
    """Whether there was a day on which both currencies existed."""
    first = max(one.first_day, other.first_day)
    return all(c.last_day is None or first <= c.last_day for c in (one, other))


CONVENTIONS: Mapping[Pair, Convention] = _conventions()
"""Every pair in order of name."""


def convention_of(base: str, counter: str) -> Convention:
    """The conventions of a pair, named in the market's order.

    Raises:
        KeyError: the pair is none of the platform's instruments.
    """
    return CONVENTIONS[Pair(base, counter)]
