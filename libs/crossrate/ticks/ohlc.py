"""Open, high, low and close of one side of bars, from prices or from shorter bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 16
"""Elements that are worked on at a time: half a MiB a column, which stays in the second cache."""


class Columns:
    """What dataclasses of columns have in common; a column may hold columns itself or be left out (None)."""

    def __getitem__(self, which: slice | NDArray) -> Self:
        """Some of the rows: views for a slice, copies for a mask or for places."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return type(self)(**{name: None if value is None else value[which] for name, value in values.items()})

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several ones after each other; at least one."""
        if len(parts) == 1:
            return parts[0]
        columns = {}
        for each in fields(cls):
            values = [getattr(part, each.name) for part in parts]
            if isinstance(values[0], Columns):
                columns[each.name] = type(values[0]).joined(values)
            else:
                columns[each.name] = None if values[0] is None else np.concatenate(values)
        return cls(**columns)


@dataclass(frozen=True, slots=True, eq=False)
class Ohlc(Columns):
    """Prices of one side, one element a bar; NaN throughout where no quote of the bar had that side.

    Attributes:
        open: the first price.
        high: the greatest one.
        low: the least one.
        close: the last one.
        open_tick_time: venue time of the quote that `open` comes from, ns since 1970 UTC.
        close_tick_time: the same for `close`.
    """

    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    open_tick_time: NDArray[np.int64]
    close_tick_time: NDArray[np.int64]

    def grouped(self, starts: NDArray[np.intp]) -> Ohlc:
        """The elements from each start to the next as one; elements without a price count for nothing."""
        whole = self._grouped(starts)
        if not np.isnan(whole.high).any():
            return whole
        known = ~np.isnan(self.open)
        before = np.concatenate([[0], np.cumsum(known)])
        kept = before[np.append(starts[1:], len(known))] > before[starts]
        for price in (whole.open, whole.high, whole.low, whole.close):
            price[~kept] = np.nan
        if kept.any():
            part = self[known]._grouped(before[starts][kept])
            for each in fields(self):
                getattr(whole, each.name)[kept] = getattr(part, each.name)
        return whole

    def _grouped(self, starts: NDArray[np.intp]) -> Ohlc:
        first, last = starts, np.append(starts[1:], len(self.open)) - 1
        if not ascending(self.open_tick_time):
            first = by_time(self.open_tick_time, starts)[starts]
        if not ascending(self.close_tick_time):
            last = by_time(self.close_tick_time, starts)[last]
        return Ohlc(
            self.open[first],
            *reduced(self.high, self.low, starts),
            self.close[last],
            self.open_tick_time[first],
            self.close_tick_time[last],
        )


def reduced(high: NDArray, low: NDArray, starts: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """The greatest high and the least low of each group; NaN where one is among them."""
    return np.maximum.reduceat(high, starts), np.minimum.reduceat(low, starts)


def ascending(times: NDArray[np.int64]) -> bool:
    """Whether no time is before the one ahead of it."""
    blocks = (times[begin : begin + BLOCK + 1] for begin in range(0, len(times), BLOCK))
    return all((block[1:] >= block[:-1]).all() for block in blocks)


def by_time(times: NDArray[np.int64], starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places in the order of time within each group; those of one time stay as they are."""
    group = np.zeros(len(times), np.intp)
    group[starts[1:]] = 1
    return np.lexsort((times, np.cumsum(group)))
