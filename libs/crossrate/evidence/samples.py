"""Durations that were seen: all of them, or counted in buckets that are as wide as a share of themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

SAMPLES_MAX = 1_000_000
"""Exact samples are kept up to here; use a histogram for more."""


def floats(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of a kept state.

    Raises:
        ValueError: they are not so many, or one is not a number.
    """
    array = np.asarray(given, np.float64)
    if array.shape != shape or np.isnan(array).any():
        raise ValueError(f"a state has {array.shape} numbers where {shape} should be")
    return array


class SurvivalCounts:
    """How many values lie above each of some points.

    Attributes:
        points: ascending, in the unit of the values.
        n: how many values there are.
    """

    def __init__(self, lower: np.ndarray, upper: np.ndarray, counts: np.ndarray) -> None:
        """From buckets in order: a value of bucket i lies above lower[i] or at it, and not above upper[i]."""
        self._lower, self._upper = lower, upper
        self._above = np.concatenate([np.cumsum(counts[::-1])[::-1], [0]])
        self.n = int(self._above[0])

    @cached_property
    def points(self) -> np.ndarray:
        """Where the counts may change."""
        return np.unique(self._upper[np.isfinite(self._upper)])

    def surely_above(self, points: ArrayLike) -> np.ndarray:
        """How many values are above each point whatever their place in their bucket."""
        inside = np.searchsorted(self._lower, points, side="right")
        exact = np.searchsorted(self._upper, points, side="right")
        # A bucket without width is above the point if its only value is.
        return self._above[np.where(self._width_free, exact, inside)]

    def possibly_from(self, points: ArrayLike) -> np.ndarray:
        """How many values are at each point or above it if all are at the upper end of their bucket."""
        return self._above[np.searchsorted(self._upper, points, side="left")]

    @cached_property
    def _width_free(self) -> bool:
        return bool(np.array_equal(self._lower, self._upper))


class Samples:
    """Every value, exactly."""

    def __init__(self) -> None:
        self._parts: list[np.ndarray] = []
        self._counts: SurvivalCounts | None = None
        self.n = 0

    def add(self, values: ArrayLike) -> None:
        """Takes values.

        Raises:
            ValueError: one is not a number, or there are more than SAMPLES_MAX now.
        """
        array = _checked(values)
        if self.n + array.size > SAMPLES_MAX:
            raise ValueError(f"more than {SAMPLES_MAX} samples: use a Histogram")
        self._parts.append(array)
        self._counts, self.n = None, self.n + array.size

    def survival(self) -> SurvivalCounts:
        """The values so far."""
        if self._counts is None:
            values = np.sort(np.concatenate(self._parts)) if self._parts else np.zeros(0)
            self._parts = [values]
            self._counts = SurvivalCounts(values, values, np.ones(values.size, np.int64))
        return self._counts

    def state(self) -> list[float]:
        """Every value, for `restore`."""
        return np.concatenate(self._parts).tolist() if self._parts else []

    def restore(self, state: ArrayLike) -> None:
        """Holds the values of a state alone."""
        array = _checked(state) if np.size(state) else np.zeros(0)
        self._parts, self._counts, self.n = [array], None, array.size


class Histogram:
    """Values counted in log-spaced buckets, as HDR histograms do.

    A bucket ends at (1 + width) times its beginning, so that a bound read from it is off by that share at most,
    always to the careful side. Values up to `least` share the first bucket, values above `greatest` the last.

    Args:
        width: width of a bucket over its beginning, from 1e-4 to 1.
        least: above zero.
        greatest: above `least`.

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(self, width: float = 0.01, least: float = 1e-5, greatest: float = 1e3) -> None:
        if not (1e-4 <= width <= 1 and 0 < least < greatest < math.inf):
            raise ValueError(f"width {width} is from 1e-4 to 1, and 0 < least {least} < greatest {greatest}")
        buckets = math.ceil(math.log(greatest / least) / math.log1p(width))
        self._edges = least * np.exp(np.arange(buckets + 1) * math.log1p(width))
        self._tally = np.zeros(buckets + 2, np.int64)
        self._counts: SurvivalCounts | None = None
        self.n = 0

    def add(self, values: ArrayLike) -> None:
        """Takes values.

        Raises:
            ValueError: one is not a number.
        """
        array = _checked(values)
        places = np.searchsorted(self._edges, array, side="left")
        self._tally += np.bincount(places, minlength=self._tally.size)
        self._counts, self.n = None, self.n + array.size

    def survival(self) -> SurvivalCounts:
        """The values so far."""
        if self._counts is None:
            used = np.flatnonzero(self._tally)
            lower = np.concatenate([[-math.inf], self._edges])[used]
            upper = np.concatenate([self._edges, [math.inf]])[used]
            self._counts = SurvivalCounts(lower, upper, self._tally[used])
        return self._counts

    def state(self) -> list[list[int]]:
        """Buckets that are not empty with their counts, for `restore`."""
        used = np.flatnonzero(self._tally)
        return [used.tolist(), self._tally[used].tolist()]

    def restore(self, state: Sequence[Sequence[int]]) -> None:
        """Holds the counts of a state alone.

        Raises:
            ValueError: it is of another histogram.
        """
        places, counts = (np.asarray(part, np.int64) for part in state)
        if places.shape != counts.shape or (places.size and not 0 <= places.min() <= places.max() < self._tally.size):
            raise ValueError("a state of another histogram")
        self._tally[:] = 0
        self._tally[places] = counts
        self._counts, self.n = None, int(counts.sum())


def _checked(values: ArrayLike) -> np.ndarray:
    array = np.atleast_1d(np.asarray(values, np.float64))
    if not np.isfinite(array).all():
        raise ValueError("a duration is not a finite number")
    return array
