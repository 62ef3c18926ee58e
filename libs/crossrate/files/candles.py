"""Bars as a file has them: columns, and the quotes that they stand for."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from crossrate.ticks.columns import Ticks


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """One element a bar, in the order of the file.

    Attributes:
        begin: begin of the bar, nanoseconds since 1970 UTC.
        end: its end, which is not in it.
        bid_open, bid_high, bid_low, bid_close: prices of the bid; NaN throughout if the file has no bid.
        ask_open, ask_high, ask_low, ask_close: the same of the ask.
        volume: what the file calls its volume, in base currency or in ticks; NaN where it has none.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    bid_open: NDArray[np.float64]
    bid_high: NDArray[np.float64]
    bid_low: NDArray[np.float64]
    bid_close: NDArray[np.float64]
    ask_open: NDArray[np.float64]
    ask_high: NDArray[np.float64]
    ask_low: NDArray[np.float64]
    ask_close: NDArray[np.float64]
    volume: NDArray[np.float64]

    @classmethod
    def concatenated(cls, parts: list[Candles]) -> Candles:
        """Several ones after each other."""
        types = {"begin": np.int64, "end": np.int64}
        return cls(
            *(
                np.concatenate([np.empty(0, types.get(each.name, np.float64)), *(getattr(p, each.name) for p in parts)])
                for each in fields(cls)
            )
        )

    def __len__(self) -> int:
        return len(self.begin)

    def quotes(self) -> Ticks:
        """Two quotes a bar: its open at its begin, and its close one nanosecond before its end."""

        def both(first: NDArray, second: NDArray) -> NDArray:
            return np.stack([first, second], axis=1).ravel()

        return Ticks.of(
            both(self.begin, self.end - 1), both(self.bid_open, self.bid_close), both(self.ask_open, self.ask_close)
        )
