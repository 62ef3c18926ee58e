"""Daily reference rates of many currencies against one, and every cross of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Floats = NDArray[np.float64]
Pair = tuple[str, str]
"""Base and counter currency."""
Prices = NDArray[np.float64]
"""Shape (3, n): rate, bid and ask by day; NaN where one is not known."""


class HistoryError(ValueError):
    """The rates are not what a history may hold; the message names the first thing that is wrong."""


@dataclass(frozen=True, eq=False, slots=True)
class Days:
    """Days of a pair, ascending, each with a rate.

    Attributes:
        dates: shape (n,).
        rates: units of the counter per unit of the base currency, shape (n,).
        bids, asks: the same; NaN where a side is not known.
    """

    dates: Dates
    rates: Floats
    bids: Floats
    asks: Floats


def inverse(prices: Prices) -> Prices:
    """Rate, bid and ask of the pair the other way round."""
    return 1.0 / prices[[0, 2, 1]]


@dataclass(frozen=True, eq=False)
class History:
    """Units of each currency per unit of the numeraire, day by day.

    A rate that was not published is NaN and stays so: nothing is interpolated or carried forward.

    Attributes:
        numeraire: ISO 4217 code of the currency that all rates are against; it is a column of ones.
        currencies: codes of the columns, in order of code, numeraire included.
        dates: shape (days,), strictly ascending, datetime64[D].
        rates: shape (days, currencies), positive or NaN; read-only.
        source: where the rates come from, in words.
        sides: bid and ask of `rates`, shape (2, days, currencies); None where no side is known at all.
        direct: pairs without the numeraire that were published, in the direction in which they were. On the days that
            they have, they are the rate, and no cross is.
    """

    numeraire: str
    currencies: tuple[str, ...]
    dates: Dates
    rates: Floats
    source: str
    sides: Floats | None = None
    direct: Mapping[Pair, Prices] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rates.shape != (len(self.dates), len(self.currencies)) or not len(self.dates):
            raise HistoryError(f"{len(self.dates)} days × {len(self.currencies)} currencies, rates {self.rates.shape}")
        if list(self.currencies) != sorted(set(self.currencies)):
            raise HistoryError("currencies are not in order of code, each once")
        steps = np.diff(self.dates) > np.timedelta64(0, "D")
        if not steps.all():
            raise HistoryError(f"dates are not strictly ascending at {self.dates[1:][~steps][0]}")
        wrong = ~(np.isnan(self.rates) | (np.isfinite(self.rates) & (self.rates > 0.0)))
        if wrong.any():
            day, column = np.argwhere(wrong)[0]
            value = self.rates[day, column]
            raise HistoryError(f"{self.currencies[column]} on {self.dates[day]} is {value}, not a positive number")
        if not (self.rates[:, self.column(self.numeraire)] == 1.0).all():
            raise HistoryError(f"{self.numeraire} against itself is not 1")
        if self.sides is not None:
            bids, asks = self.sides
            outside = (bids > self.rates) | (asks < self.rates)
            if bids.shape != self.rates.shape or outside.any():
                raise HistoryError("a bid is above its rate, or an ask below it")
            self.sides.setflags(write=False)
        self.rates.setflags(write=False)
        self.dates.setflags(write=False)

    def column(self, currency: str) -> int:
        """Index of a currency's column.

        Raises:
            KeyError: the history does not have it.
        """
        return self._columns[currency]

    def __contains__(self, currency: object) -> bool:
        return currency in self._columns

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {code: i for i, code in enumerate(self.currencies)}

    @cached_property
    def digest(self) -> bytes:
        """Eight bytes that differ when any date, currency or rate does."""
        state = hashlib.blake2b(",".join(self.currencies).encode(), digest_size=8)
        state.update(self.dates.tobytes())
        state.update(self.rates.tobytes())
        if self.sides is not None:
            state.update(self.sides.tobytes())
        for pair in sorted(self.direct):
            state.update("/".join(pair).encode())
            state.update(self.direct[pair].tobytes())
        return state.digest()

    def days(self, base: str, counter: str, first: np.datetime64, last: np.datetime64) -> tuple[Dates, Floats]:
        """The published days of a pair from `first` to `last`, both included.

        Returns:
            Dates, and units of `counter` per unit of `base`, both shape (n,). A cross is the quotient of two published
            rates; days on which either is missing are left out, and nothing is carried into them.

        Raises:
            KeyError: the history does not have one of the currencies.
        """
        found = self.quoted(base, counter, first, last)
        return found.dates, found.rates

    def quoted(self, base: str, counter: str, first: np.datetime64, last: np.datetime64) -> Days:
        """The same with bid and ask. What a pair was published at goes before a cross of that day; a cross is bid for
        what its legs are bid and asked for, and each rate's sides are its own.

        Raises:
            KeyError: the history does not have one of the currencies.
        """
        begin, end = np.searchsorted(self.dates, first, "left"), np.searchsorted(self.dates, last, "right")
        prices = self._crossed(base, counter, slice(begin, end))
        published = self.direct.get((base, counter))
        if published is None and (counter, base) in self.direct:
            published = inverse(self.direct[counter, base])
        if published is not None:
            there = published[:, begin:end]
            prices = np.where(np.isnan(there[0]), prices, there)
        known = ~np.isnan(prices[0])
        return Days(self.dates[begin:end][known], *prices[:, known])

    def _crossed(self, base: str, counter: str, days: slice) -> Prices:
        of, by = self.column(counter), self.column(base)
        window = self.rates[days]
        rates = window[:, of] / window[:, by]
        if self.sides is None:
            nothing = np.full(len(rates), np.nan)
            return np.array([rates, nothing, nothing])
        bids, asks = self.sides[:, days]
        return np.array([rates, bids[:, of] / asks[:, by], asks[:, of] / bids[:, by]])

    def current(self) -> tuple[str, ...]:
        """The currencies that have a rate on the newest day: those that still exist."""
        newest = ~np.isnan(self.rates[-1])
        return tuple(c for c, there in zip(self.currencies, newest, strict=True) if there)
