"""Daily reference rates of many currencies against one, and every cross of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Floats = NDArray[np.float64]


class HistoryError(ValueError):
    """The rates are not what a history may hold; the message names the first thing that is wrong."""


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
    """

    numeraire: str
    currencies: tuple[str, ...]
    dates: Dates
    rates: Floats
    source: str

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
        return state.digest()

    def days(self, base: str, counter: str, first: np.datetime64, last: np.datetime64) -> tuple[Dates, Floats]:
        """The published days of a pair from `first` to `last`, both included.

        Returns:
            Dates, and units of `counter` per unit of `base`, both shape (n,). A cross is the quotient of two published
            rates; days on which either is missing are left out.

        Raises:
            KeyError: the history does not have one of the currencies.
        """
        columns = self.column(base), self.column(counter)
        begin, end = np.searchsorted(self.dates, first, "left"), np.searchsorted(self.dates, last, "right")
        window = self.rates[begin:end]
        rates = window[:, columns[1]] / window[:, columns[0]]
        known = ~np.isnan(rates)
        return self.dates[begin:end][known], rates[known]

    def current(self) -> tuple[str, ...]:
        """The currencies that have a rate on the newest day: those that still exist."""
        newest = ~np.isnan(self.rates[-1])
        return tuple(c for c, there in zip(self.currencies, newest, strict=True) if there)
