"""Quotes of one instrument from one venue as columns, in the order in which they came."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


class Flag(enum.IntFlag):
    """What is known against a quote; 0 if nothing is. A set of them is one byte of a column."""

    CROSSED = 1
    """Bid above ask."""
    LOCKED = 2
    """Bid equal to ask."""
    DUPLICATE = 4
    """The same time, prices and quantities as the quote before."""
    OUT_OF_ORDER = 8
    """Its venue time is before that of a quote that came before it."""
    AFTER_GAP = 16
    """Quotes before it are missing."""
    OUTLIER = 32
    """Far from its neighbours, by a rule that its quality report states."""
    STALE = 64
    """It was sent on although its venue had fallen silent."""
    CLOSED = 128
    """Outside of the trading session."""


COLUMNS = {
    "venue_time": np.int64,
    "receive_time": np.int64,
    "bid": np.float64,
    "ask": np.float64,
    "bid_quantity": np.float64,
    "ask_quantity": np.float64,
    "sequence": np.uint64,
    "flags": np.uint8,
}
"""Name and type of each column."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """Columns of one length, one element a quote.

    Attributes:
        venue_time: the venue's clock, nanoseconds since 1970 UTC.
        receive_time: the platform's clock when the quote came, nanoseconds since 1970 UTC; 0 where nobody received it,
            as in a file.
        bid: price at which the client sells the base currency, counter per base; NaN for a side that is not there.
        ask: price at which the client buys it.
        bid_quantity: amount of the base currency that `bid` is good for; NaN where it is not known.
        ask_quantity: the same for `ask`.
        sequence: the venue's or the feed's number; 0 where there is none.
        flags: a set of `Flag`.
    """

    venue_time: NDArray[np.int64]
    receive_time: NDArray[np.int64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_quantity: NDArray[np.float64]
    ask_quantity: NDArray[np.float64]
    sequence: NDArray[np.uint64]
    flags: NDArray[np.uint8]

    def __post_init__(self) -> None:
        count = len(self.venue_time)
        for each in fields(self):
            column = getattr(self, each.name)
            if column.dtype != COLUMNS[each.name]:
                raise TypeError(f"{each.name} is of {column.dtype}, not of {np.dtype(COLUMNS[each.name])}")
            if column.shape != (count,):
                raise ValueError(f"{each.name} has shape {column.shape}, venue_time has ({count},)")

    @classmethod
    def of(cls, venue_time: NDArray, bid: NDArray, ask: NDArray, **others: NDArray) -> Ticks:
        """Ticks from the columns that are there; the others hold what stands for "not known".

        Raises:
            ValueError: the columns differ in length.
            TypeError: a name is none of the columns.
        """
        count = len(venue_time)
        given = {"venue_time": venue_time, "bid": bid, "ask": ask, **others}
        unknown = given.keys() - COLUMNS.keys()
        if unknown:
            raise TypeError(f"{sorted(unknown)[0]} is no column of ticks")
        quantities = {"bid_quantity", "ask_quantity"}
        return cls(
            **{
                name: np.ascontiguousarray(given[name], dtype)
                if name in given
                else np.full(count, np.nan if name in quantities else 0, dtype)
                for name, dtype in COLUMNS.items()
            }
        )

    @classmethod
    def concatenated(cls, parts: Iterable[Ticks]) -> Ticks:
        """Several ticks one after the other; none at all for no parts."""
        parts = list(parts)
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0, dtype)
                for name, dtype in COLUMNS.items()
            }
        )

    def __len__(self) -> int:
        return len(self.venue_time)

    def __getitem__(self, which: slice | NDArray) -> Ticks:
        """Some of them: a view for a slice, a copy for a mask or for places."""
        return Ticks(*(getattr(self, name)[which] for name in COLUMNS))

    @property
    def mid(self) -> NDArray[np.float64]:
        """Halfway between bid and ask; NaN where a side is not there."""
        return (self.bid + self.ask) / 2
