"""A book: positions as columns, the pairs that they are on, and the currency in which everything is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.basics.pair import Pair
from crossrate.kernel.revalue import Markets, Positions
from services.risk.domain.rates import NUMERAIRE, Rates
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]

COLUMNS = ("kind", "market", "strike", "time", "volatility", "domestic_rate", "foreign_rate", "notional")
"""The arrays of a book, by the names that they have in the request and in the kernel."""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """A book, checked.

    Attributes:
        pairs: of the markets, each once.
        spot, conversion: what the book itself says of each market; None where the reference rates are to say it.
        reporting: ISO 4217 code of the reporting currency.
        positions: columns of one length, at least one.
        lone: names of the columns whose single element stands for all.
    """

    pairs: tuple[Pair, ...]
    spot: tuple[float | None, ...]
    conversion: tuple[float | None, ...]
    reporting: str
    positions: Positions
    lone: frozenset[str]

    @classmethod
    def of(
        cls,
        pairs: Sequence[Pair],
        spot: Sequence[float | None],
        conversion: Sequence[float | None],
        reporting: str,
        columns: Mapping[str, NDArray],
        field: str = "book",
    ) -> Book:
        """A book of a request's arrays by name; `field` is its path in the request.

        Raises:
            Refused: a pair is none or comes twice, an array's length does not fit, a position's market is not there, or
                a conversion of the reporting currency into itself is not 1.
        """
        for i, pair in enumerate(pairs):
            if pair in pairs[:i]:
                raise Refused(f"{field}.markets[{i}].instrument", f"{pair} is there before: give each pair once")
            if pair.counter == reporting and conversion[i] not in (None, 1.0):
                words = f"is {conversion[i]}: {reporting} is the reporting currency, so it is 1 or left out"
                raise Refused(f"{field}.markets[{i}].conversion", words)
        count = len(columns["notional"])
        full = {name: _spread(f"{field}.{name}", columns[name], count) for name in COLUMNS}
        beyond = full["market"] >= len(pairs)
        if beyond.any():
            lone = len(columns["market"]) == 1
            i = 0 if lone else int(beyond.argmax())
            words = f"is {columns['market'][i]}; there are {len(pairs)} markets, counted from 0"
            raise Refused(f"{field}.market[{i}]", words)
        full["kind"], full["market"] = full["kind"].astype(np.int8), full["market"].astype(np.int64)
        lone = frozenset(name for name in COLUMNS if len(columns[name]) == 1)
        return cls(tuple(pairs), tuple(spot), tuple(conversion), reporting, Positions(**full), lone)

    @property
    def count(self) -> int:
        """How many positions."""
        return len(self.positions.notional)

    def currencies(self) -> set[str]:
        """All currencies of the pairs and the reporting currency, without the euro."""
        every = {code for pair in self.pairs for code in (pair.base, pair.counter)} | {self.reporting}
        return every - {NUMERAIRE}

    def currencies_to_value(self) -> set[str]:
        """The currencies whose reference rates the value of today needs, without the euro."""
        needed: set[str] = set()
        for pair, spot, conversion in zip(self.pairs, self.spot, self.conversion, strict=True):
            if spot is None:
                needed |= {pair.base, pair.counter}
            if conversion is None and pair.counter != self.reporting:
                needed |= {pair.counter, self.reporting}
        return needed - {NUMERAIRE}

    def markets(self, rates: Rates | None) -> Markets:
        """The pairs today: what the book says, and the newest reference rates for the rest.

        Args:
            rates: of at least `currencies_to_value`; None if there are none of these.
        """
        count = len(self.pairs)
        spot, conversion = np.empty(count), np.ones(count)
        for i, pair in enumerate(self.pairs):
            given = self.spot[i]
            spot[i] = rates.newest(pair.base, pair.counter) if given is None and rates else given
            given = self.conversion[i]
            if given is not None:
                conversion[i] = given
            elif pair.counter != self.reporting and rates:
                conversion[i] = rates.newest(pair.counter, self.reporting)
        return Markets(spot, conversion)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which positions are the book's and which are candidates.

    Attributes:
        place: of each position: 0 of the book, k of the k-th list of candidates.
        count: lists of candidates and the book.
    """

    place: NDArray[np.int64]
    count: int

    @classmethod
    def of(cls, place: NDArray, positions: int) -> Groups:
        """Groups of a request's array; with an empty one all positions are the book's.

        Raises:
            Refused: its length does not fit, or a list's number is missing.
        """
        if not len(place):
            return cls(np.zeros(positions, np.int64), 1)
        if len(place) != positions:
            words = f"has {len(place)} elements for {positions} positions: give one for each, or none"
            raise Refused("candidate", words)
        last = int(place.max())
        missing = np.setdiff1d(np.arange(1, last + 1), place)
        if missing.size:
            words = f"has a list {last} and no list {missing[0]}: number lists of candidates from 1 without a gap"
            raise Refused("candidate", words)
        return cls(place.astype(np.int64), last + 1)


def _spread(field: str, values: NDArray, count: int) -> NDArray:
    if len(values) == count:
        return values
    if len(values) != 1:
        words = f"has {len(values)} elements for {count} positions (notional has {count}): give 1 or {count}"
        raise Refused(field, words)
    return np.full(count, values[0], values.dtype)
