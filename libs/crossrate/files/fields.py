"""Columns of a block before they are quotes: the two fast ways to get them, and what holds for every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.files.plan import Plan
from crossrate.files.shape import PRICES, QUANTITIES, Role
from crossrate.ticks.clock import BEGIN, END

EXACT_MAX = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """One element a line.

    Attributes:
        time: nanoseconds on the venue's clock.
        numbers: the other columns; NaN where a cell is empty.
        good: lines that are rows without a doubt; the others are looked at one by one.
    """

    time: NDArray[np.int64]
    numbers: dict[Role, NDArray[np.float64]]
    good: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.time)


def checked(fields: Fields, plan: Plan) -> Fields:
    """With `good` only where the values of a line are possible."""
    good = fields.good
    with np.errstate(invalid="ignore"):
        for role, values in fields.numbers.items():
            if role in PRICES:
                fine = (values > 0) & (values < np.inf)
                good = good & (fine | np.isnan(values) if plan.shape.carry else fine)
            elif role in QUANTITIES:
                good = good & ~(values < 0) & (values != np.inf)
            else:
                good = good & (values >= 0) & (values < EXACT_MAX)
        for side in plan.sides:
            if set(side) <= fields.numbers.keys():
                first, high, low, last = (fields.numbers[role] for role in side)
                good = good & (high >= first) & (high >= last) & (low <= first) & (low <= last)
    time = fields.time
    if len(time) and (int(time.min()) < BEGIN or int(time.max()) >= END):
        good = good & (time >= BEGIN) & (time < END)
    return Fields(time, fields.numbers, good)
