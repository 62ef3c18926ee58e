"""Reference rates of several currencies on the days that they have in common, and the moves between these days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.basics.scenarios import NUMERAIRE
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

GAP_DAYS_MAX = 10
"""The longest run of days without rates over which a move still counts as one of a single day: long holidays."""
YARDSTICK = "USD"
"""The currency whose days say whether others have stopped: it has had a rate on every day."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Units of one currency for one euro.

    Attributes:
        dates: shape (n,), ascending, datetime64[D].
        rates: shape (n,), positive.
    """

    dates: NDArray[np.datetime64]
    rates: Array

    def on(self, day: date) -> float | None:
        """The rate of a day; None if there is none."""
        place = int(np.searchsorted(self.dates, np.datetime64(day)))
        found = place < len(self.dates) and self.dates[place] == np.datetime64(day)
        return float(self.rates[place]) if found else None


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Rates on common days.

    Attributes:
        currencies: codes of the rows, without the euro.
        dates: shape (n,), ascending.
        rates: units for one euro, shape (currencies, n).
    """

    currencies: tuple[str, ...]
    dates: NDArray[np.datetime64]
    rates: Array

    @property
    def end(self) -> date:
        """The newest day."""
        return self.dates[-1].astype(date)

    @property
    def start(self) -> date:
        """The oldest day."""
        return self.dates[0].astype(date)

    def newest(self, base: str, counter: str) -> float:
        """Units of `counter` for one of `base` on the newest day."""
        last = {code: float(self.rates[i, -1]) for i, code in enumerate(self.currencies)}
        return last.get(counter, 1.0) / last.get(base, 1.0)

    def returns(self) -> Array:
        """Logarithmic changes of the rates from day to day, shape (currencies, n - 1); positive: the currency fell."""
        return np.diff(np.log(self.rates), axis=1)


def common(series: Mapping[str, Series], days: int, end: date | None, field: str) -> Rates:
    """The last days on which all currencies have a rate.

    Args:
        series: by currency; among them YARDSTICK, whose days are the calendar.
        days: how many moves are needed; 0 for the rates of the newest day alone.
        end: the last day that counts; None for the newest.
        field: of the request, for the refusal of too few days.

    Returns:
        Rates on `days` + 1 days, without a gap of more than GAP_DAYS_MAX days between two of them.

    Raises:
        Refused: a currency has no rates yet or any more, or there are too few days.
    """
    until = {code: _until(each, end) for code, each in series.items()}
    newest = max((dates[-1] for dates in until.values() if len(dates)), default=None)
    for code, dates in sorted(until.items()):
        if not len(dates) and end is not None and len(series[code].dates):
            words = f"is {end}: {code} has no reference rate before {series[code].dates[0]}; end later"
            raise Refused(f"{field.removesuffix('days')}end_date" if field.endswith("days") else field, words)
        if newest is None or not len(dates) or (newest - dates[-1]).astype(int) > GAP_DAYS_MAX:
            last = f"since {dates[-1]}" if len(dates) else "at all"
            words = f"{code} has no reference rate {last}: leave it out, or end before that"
            raise Refused("book.markets", words)
    names = tuple(sorted(series))
    shared = reduce(lambda a, b: np.intersect1d(a, b, assume_unique=True), (until[code] for code in names))
    wide = np.flatnonzero(np.diff(shared).astype(int) > GAP_DAYS_MAX)
    shared = shared[wide[-1] + 1 if wide.size else 0 :]
    if len(shared) < days + 1:
        first = f" from {shared[0]} to {shared[-1]}" if len(shared) else ""
        words = (
            f"asks for {days} moves; there are {max(len(shared) - 1, 0)} in a row{first} on which {', '.join(names)} "
            "all have rates: ask for fewer, or leave a currency out"
        )
        raise Refused(field, words)
    dates = shared[len(shared) - days - 1 :]
    rates = np.stack([series[code].rates[np.searchsorted(series[code].dates, dates)] for code in names])
    return Rates(names, dates, rates)


def pair_moves(pairs: Iterable[Pair], reporting: str, currencies: Iterable[str], fallen: Array) -> tuple[Array, Array]:
    """What pairs and conversions do when currencies move.

    Args:
        pairs: the pairs.
        reporting: the reporting currency.
        currencies: of the rows of `fallen`; the euro has no row and does not move.
        fallen: logarithmic changes of units for one euro, shape (currencies, scenarios).

    Returns:
        Logarithmic changes of counter per base, and of the reporting currency for one of counter, both of shape
        (pairs, scenarios).
    """
    row = {code: i for i, code in enumerate(currencies)}
    still = np.zeros(fallen.shape[1])

    def of(code: str) -> Array:
        return still if code == NUMERAIRE else fallen[row[code]]

    every = tuple(pairs)
    spot = np.stack([of(pair.counter) - of(pair.base) for pair in every])
    conversion = np.stack([of(reporting) - of(pair.counter) for pair in every])
    return spot, conversion


def _until(series: Series, end: date | None) -> NDArray[np.datetime64]:
    if end is None:
        return series.dates
    return series.dates[: int(np.searchsorted(series.dates, np.datetime64(end), "right"))]
