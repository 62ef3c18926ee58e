"""Derivatives of a price from its values at points around the market: where the points lie and how they are weighed.

A formula that has no Greeks of its own is asked for its price at a few dozen points at once. Along each axis the points
are equally spaced, and derivatives are those of the polynomial through them (Fornberg 1988, "Generation of finite
difference formulas on arbitrarily spaced grids"): fourth order with five points, sixth with seven. Where a limit lies
near, such as a barrier, the points move to its inner side and keep their distance, so that none steps over it and
rounding does not grow; only a corridor too narrow for all of them makes the distance smaller. A limit itself is a fine
point: prices are continuous there.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AXES = ("spot", "volatility", "domestic", "foreign", "passing")
"""What moves: the logarithm of the spot rate, the volatility, minus the logarithms of the counter's and of the base's
discount factor, and the time that has passed."""
MIXED = ("volatility", "passing")
"""The axes whose derivative is taken once more by spot."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Points along an axis: their distances from the market, of which one is zero unless a limit is near."""

    offsets: Array

    @classmethod
    def within(cls, count: int, step: float, low: float = -math.inf, high: float = math.inf) -> Line:
        """`count` points, an odd number, at a distance of `step` inside of limits that zero lies between."""
        step = min(step, (high - low) / (count - 1))
        offsets = step * (np.arange(count) - count // 2)
        moved = offsets + max(0.0, low - offsets[0]) - max(0.0, offsets[-1] - high)
        return cls(np.clip(moved, low, high))  # against what rounding leaves beyond

    def weights(self, order: int, which: NDArray[np.bool_] | None = None) -> Array:
        """What the value at each point counts for in a derivative at zero; of some of the points, if so said."""
        offsets = self.offsets if which is None else self.offsets[which]
        unit = float(np.abs(offsets).max())
        found = _weights(tuple((offsets / unit).tolist()), order) / unit**order
        if which is None:
            return found
        whole = np.zeros(len(self.offsets))
        whole[which] = found
        return whole


@functools.lru_cache(maxsize=1024)
def _weights(offsets: tuple[float, ...], order: int) -> Array:
    # What is exact for every power up to the number of points: Σ w·uᵐ is m! for m = order, else 0.
    powers = np.vander(np.array(offsets), increasing=True).T
    wanted = np.zeros(len(offsets))
    wanted[order] = math.factorial(order)
    return np.linalg.solve(powers, wanted)


class Grid:
    """The points around one market: a line along each axis, and products of two short lines for mixed derivatives.

    Args:
        lines: a line for each of AXES.
        short: the same for "spot" and each of MIXED.
    """

    def __init__(self, lines: Mapping[str, Line], short: Mapping[str, Line]) -> None:
        self._lines = lines
        self._places: dict[str, NDArray[np.intp]] = {}
        self._products: dict[str, tuple[slice, Array]] = {}
        columns = [np.zeros((len(AXES), 1))]
        count = 1
        for axis in AXES:
            offsets = lines[axis].offsets
            moved = np.flatnonzero(offsets)
            self._places[axis] = np.zeros(len(offsets), np.intp)
            self._places[axis][moved] = count + np.arange(len(moved))
            block = np.zeros((len(AXES), len(moved)))
            block[AXES.index(axis)] = offsets[moved]
            columns.append(block)
            count += len(moved)
        by_spot = short["spot"].weights(1)
        for axis in MIXED:
            weights = np.outer(by_spot, short[axis].weights(1))
            # The middle of a line counts for nothing in a first derivative; rounding leaves a trace of it.
            rows, sides = np.nonzero(np.abs(weights) > 1e-9 * np.abs(weights).max())
            block = np.zeros((len(AXES), len(rows)))
            block[0], block[AXES.index(axis)] = short["spot"].offsets[rows], short[axis].offsets[sides]
            self._products[axis] = (slice(count, count + len(rows)), weights[rows, sides])
            columns.append(block)
            count += len(rows)
        self.moves: Array = np.hstack(columns)
        """A column for each point: how far it lies along each of AXES. The first is the market itself."""

    def along(self, axis: str, order: int, values: Array, apart: NDArray[np.bool_] | None = None) -> float:
        """A derivative along an axis from the values at all points.

        Args:
            order: 1 or 2.
            apart: points that are left out, such as those beyond an exercise boundary.
        """
        places, line = self._places[axis], self._lines[axis]
        which = None if apart is None or not apart[places].any() else ~apart[places]
        if which is not None and which.sum() <= order:
            which = None
        return float(line.weights(order, which) @ values[places])

    def mixed(self, axis: str, values: Array) -> float:
        """The derivative by spot and by one of MIXED."""
        place, weights = self._products[axis]
        return float(weights @ values[place])
