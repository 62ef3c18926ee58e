"""The whole numbers of a simulation: how many paths and steps, which seed and stream, where to begin."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError, Reason
from crossrate.kernel.front import Array

PATHS_MAX = 2**48
STEPS_MAX = 2**32
STREAMS_MAX = 2**32
ELEMENTS_MAX = 2**40
BLOCK = 256
"""Paths that the compiled builds compute side by side."""


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    Raises:
        ArgumentError: it is another number.
        TypeError: it is not a whole number.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {type(value).__name__}: a whole number is needed") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise ArgumentError(
            name, None, Reason.OUT_OF_RANGE, value, f"it must be a whole number from {low} to {_said(high)}"
        )
    return number


def _said(high: int) -> str:
    for offset, words in ((0, ""), (-1, " - 1")):
        power = (high - offset).bit_length() - 1
        if high > 2**16 and high == 2**power + offset:
            return f"2**{power}{words}"
    return str(high)


def source(seed: Any, stream: Any) -> tuple[int, int]:
    """Seed and stream, checked.

    Raises:
        ArgumentError: the seed is not from 0 to 2**64 - 1, or the stream not from 0 to 2**32 - 1.
        TypeError: one of them is not a whole number.
    """
    return whole("seed", seed, 0, 2**64 - 1), whole("stream", stream, 0, STREAMS_MAX - 1)


def extent(paths: Any, steps: Any, first_path: Any, first_step: Any = 0) -> tuple[int, int, int, int]:
    """Numbers of paths and steps and where they begin, checked.

    Raises:
        ArgumentError: a number is negative, or the last path or step is beyond what a counter holds.
        TypeError: one of them is not a whole number.
    """
    count = whole("paths", paths, 0, PATHS_MAX)
    rows = whole("steps", steps, 0, STEPS_MAX)
    if count * rows > ELEMENTS_MAX:
        raise ArgumentError(
            "paths", None, Reason.OUT_OF_RANGE, count, f"paths × steps must be at most 2**40 numbers (steps is {rows})"
        )
    return (
        count,
        rows,
        whole("first_path", first_path, 0, PATHS_MAX - count),
        whole("first_step", first_step, 0, STEPS_MAX - rows),
    )


def columns(array: Array, start: int) -> Any:
    """The C pointer to the first row's element in column `start` of a table of doubles."""
    return path.ffi.cast("double *", array.ctypes.data + start * np.dtype(np.float64).itemsize)
