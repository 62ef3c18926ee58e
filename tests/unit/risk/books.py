"""Books and rates for the tests of risk."""

from __future__ import annotations

import numpy as np

from crossrate.basics.pair import Pair
from services.risk.domain.book import Book
from services.risk.domain.rates import Series

EURUSD, USDJPY, GBPUSD = Pair("EUR", "USD"), Pair("USD", "JPY"), Pair("GBP", "USD")


def book(count: int = 1, *, pairs: tuple[Pair, ...] = (EURUSD,), reporting: str = "USD", **columns: object) -> Book:
    """Forwards at zero rates, half a year to go, a million of the base currency each."""
    own = {"kind": [2], "market": [0], "strike": [1.0], "time": [0.5], "volatility": [0.1], "domestic_rate": [0.0]}
    own |= {"foreign_rate": [0.0], "notional": [1e6] * count} | columns
    dtypes = {"kind": np.int32, "market": np.uint32}
    none = (None,) * len(pairs)
    arrays = {name: np.asarray(values, dtypes.get(name, np.float64)) for name, values in own.items()}
    return Book.of(pairs, none, none, reporting, arrays)


def series(first: str, last: str, rate: float = 1.1, *, without: tuple[str, str] | None = None) -> Series:
    """A rate of every day from `first` to `last`, a thousandth higher each day, but on no day of `without`."""
    dates = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    rates = rate * 1.001 ** np.arange(len(dates))
    if without is not None:
        kept = (dates < np.datetime64(without[0])) | (dates > np.datetime64(without[1]))
        dates, rates = dates[kept], rates[kept]
    return Series(dates, rates)
