"""Historical stress: days on which exchange rates moved, and what they would do to a book of today.

A scenario is a name for two days of the European Central Bank's reference rates; the moves are always computed from the
rates, which the caller has. They are fixed at about 14:15 in Frankfurt: a move after that belongs to the next day, and
what came and went within a day is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

NUMERAIRE = "EUR"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A move of the past between two days.

    Attributes:
        name: short, in capitals, stable: reports refer to it.
        start: the day whose reference rates are the ones before.
        end: the day whose reference rates are the ones after.
        happened: what it was.
        most_moved: currencies whose value in euro changed most, the largest change first.
    """

    name: str
    start: date
    end: date
    happened: str
    most_moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shocks:
    """What a scenario does to each currency.

    Attributes:
        moves: relative change of one unit's value in euro (-0.1: it lost a tenth), by ISO 4217 code; EUR is 0.
        missing: currencies that have a rate on one of the days only, or on none: their move is not known, which is not
            the same as none.
    """

    moves: Mapping[str, float]
    missing: tuple[str, ...]

    def of_pair(self, base: str, counter: str) -> float:
        """Relative change of a pair's rate, counter per base.

        Raises:
            KeyError: the scenario does not have one of the currencies; the message says which.
        """
        for code in (base, counter):
            if code not in self.moves:
                raise KeyError(f"the scenario has no move of {code}: no reference rate on one of its days")
        return (1.0 + self.moves[base]) / (1.0 + self.moves[counter]) - 1.0


SCENARIOS = (
    Scenario(
        "TRY_2001_FLOAT",
        date(2001, 2, 20),
        date(2001, 2, 23),
        "Turkey gave up the lira's crawling peg on 22 February 2001.",
        ("TRL",),
    ),
    Scenario(
        "LEHMAN_2008",
        date(2008, 9, 12),
        date(2008, 10, 27),
        "Lehman Brothers failed on 15 September 2008; carry trades were unwound, and Iceland's banks fell.",
        ("ISK", "JPY", "ZAR", "TRY", "AUD"),
    ),
    Scenario(
        "EURO_2010_GREECE",
        date(2010, 4, 14),
        date(2010, 6, 7),
        "The Greek debt crisis: the euro fell against nearly everything.",
        ("JPY", "USD", "CNY", "HKD"),
    ),
    Scenario(
        "CHF_2011_HAVEN",
        date(2011, 8, 1),
        date(2011, 8, 10),
        "Flight into the franc while the debts of Italy, Spain and the United States were in doubt.",
        ("CHF",),
    ),
    Scenario(
        "CHF_2011_FLOOR",
        date(2011, 9, 5),
        date(2011, 9, 6),
        "The Swiss National Bank set a minimum of 1.20 francs to the euro on the morning of 6 September 2011.",
        ("CHF",),
    ),
    Scenario(
        "TAPER_2013",
        date(2013, 5, 21),
        date(2013, 8, 28),
        "The Federal Reserve spoke of buying fewer bonds on 22 May 2013; capital left emerging markets.",
        ("INR", "BRL", "IDR", "TRY"),
    ),
    Scenario(
        "RUB_2014",
        date(2014, 12, 1),
        date(2014, 12, 16),
        "Oil fell, and the rouble with it, until after the rate rise to 17 percent in the night to 16 December 2014.",
        ("RUB", "NOK", "TRY"),
    ),
    Scenario(
        "CHF_2015_UNPEG",
        date(2015, 1, 14),
        date(2015, 1, 16),
        "The Swiss National Bank gave up the minimum of 1.20 on the morning of 15 January 2015. Traded lows far below "
        "parity came and went before that day's fixing.",
        ("CHF",),
    ),
    Scenario(
        "GBP_2016_REFERENDUM",
        date(2016, 6, 23),
        date(2016, 6, 27),
        "The United Kingdom voted on 23 June 2016 to leave the European Union; the result came in the night.",
        ("GBP", "JPY", "USD"),
    ),
    Scenario(
        "TRY_2018",
        date(2018, 7, 31),
        date(2018, 8, 13),
        "United States sanctions and tariffs against Turkey, whose central bank did not raise rates.",
        ("TRY", "ZAR", "RUB"),
    ),
    Scenario(
        "COVID_2020",
        date(2020, 2, 20),
        date(2020, 3, 19),
        "The pandemic reached Europe and America, oil collapsed, and everyone wanted dollars.",
        ("MXN", "RUB", "NOK", "BRL", "IDR"),
    ),
    Scenario(
        "TRY_2021_SLIDE",
        date(2021, 11, 15),
        date(2021, 12, 17),
        "Turkey cut rates while prices rose.",
        ("TRY",),
    ),
    Scenario(
        "TRY_2021_REBOUND",
        date(2021, 12, 20),
        date(2021, 12, 23),
        "Deposits in lira insured against depreciation were announced on the evening of 20 December 2021.",
        ("TRY",),
    ),
    Scenario(
        "RUB_2022_INVASION",
        date(2022, 2, 23),
        date(2022, 3, 1),
        "Russia invaded Ukraine on 24 February 2022 and was sanctioned; 1 March was the rouble's last reference rate.",
        ("RUB", "HUF", "PLN", "CZK"),
    ),
    Scenario(
        "JPY_2024_UNWIND",
        date(2024, 7, 10),
        date(2024, 8, 5),
        "Interventions, a rate rise in Japan on 31 July 2024 and weak American figures unwound carry trades in yen.",
        ("JPY", "MXN", "BRL"),
    ),
    Scenario(
        "USD_2025_TARIFFS",
        date(2025, 4, 2),
        date(2025, 4, 11),
        "The United States announced tariffs on all imports in the evening of 2 April 2025.",
        ("ZAR", "BRL", "NOK"),
    ),
)
"""In order of their first day. The rouble's and the hedge funds' crises of 1998 are older than the euro's rates."""


def scenario(name: str) -> Scenario:
    """The scenario of a name.

    Raises:
        KeyError: there is none; the message lists all.
    """
    for each in SCENARIOS:
        if each.name == name:
            return each
    raise KeyError(f"no scenario {name!r}: there are {', '.join(each.name for each in SCENARIOS)}")


def shocks(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> Shocks:
    """Relative moves of all currencies between two days' reference rates.

    Args:
        before: units of each currency for one euro on the first day; None or NaN where there was no rate.
        after: the same on the last day.

    Returns:
        A move for every currency that has both rates; the others are named in `missing`, in order of code.

    Raises:
        ValueError: a rate is zero, negative or infinite; the message names day and currency.
    """
    moves = {NUMERAIRE: 0.0}
    missing = []
    for code in sorted(before.keys() | after.keys()):
        first, last = _rate("before", code, before.get(code)), _rate("after", code, after.get(code))
        if code == NUMERAIRE:
            continue
        if first is None or last is None:
            missing.append(code)
        else:
            moves[code] = first / last - 1.0
    return Shocks(moves, tuple(missing))


def _rate(day: str, code: str, rate: float | None) -> float | None:
    if rate is None or math.isnan(rate):
        return None
    if not 0.0 < rate < math.inf:
        raise ValueError(f"{day}[{code!r}] is {rate}: a rate is positive and finite; leave it out if there is none")
    if code == NUMERAIRE and rate != 1.0:
        raise ValueError(f"{day}[{code!r}] is {rate}: rates are units for one euro, so that its own is 1")
    return float(rate)
