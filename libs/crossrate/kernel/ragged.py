"""Rows of different lengths in one array, and the faults of functions whose arguments differ in length.

Row `i` of a ragged argument holds the elements `offsets[i]` to `offsets[i + 1] - 1`, as in Arrow's list arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import MEANS, numbers, pointer

Array = NDArray[Any]


def vector(name: str, value: Any, dtype: Any = np.float64) -> Array:
    """An argument as a C-contiguous array of one dimension; a single number becomes an array of one.

    Raises:
        ShapeError: it has more dimensions.
        TypeError: it is not numeric or has another dtype.
    """
    array = numbers(name, value, dtype)
    if array.ndim > 1:
        raise ShapeError(f"{name} has shape {array.shape}: one dimension is needed; pass rows one after the other")
    return np.atleast_1d(array)


def offsets_of(offsets: Any, elements: int, name: str = "offsets", fewest: int = 1) -> NDArray[np.int64]:
    """Checks where rows begin and end; None is one row of all elements.

    Raises:
        ArgumentError: they do not begin at 0, do not end at `elements`, or a row has fewer than `fewest`.
        ShapeError: they are not one-dimensional, or there is no row.
    """
    bounds = np.array([0, elements], np.int64) if offsets is None else vector(name, offsets, np.int64)
    if bounds.size < 2:
        raise ShapeError(f"{name} has {bounds.size} elements: one more than there are rows is needed, 0 first")
    if bounds[0] != 0:
        raise ArgumentError(name, 0, Reason.INCONSISTENT, int(bounds[0]), "the first row begins at 0")
    last = bounds.size - 1
    if bounds[last] != elements:
        says = f"the last row ends at the number of elements, which is {elements}"
        raise ArgumentError(name, last, Reason.INCONSISTENT, int(bounds[last]), says)
    short = np.flatnonzero(np.diff(bounds) < fewest)
    if short.size:
        row, size = int(short[0]), int(bounds[short[0] + 1] - bounds[short[0]])
        reason = Reason.NOT_ASCENDING if size < 0 else Reason.TOO_FEW
        says = f"row {row} has {size} elements, at least {fewest} are needed"
        raise ArgumentError(name, row + 1, reason, int(bounds[row + 1]), says)
    return bounds


def same_length(**arguments: Array) -> int:
    """The one length of arrays that go together.

    Raises:
        ShapeError: two differ.
    """
    first, size = next((name, value.size) for name, value in arguments.items())
    for name, value in arguments.items():
        if value.size != size:
            raise ShapeError(f"{name} has {value.size} elements, {first} has {size}: they must be as many")
    return int(size)


def repeated(name: str, value: Any, count: int, dtype: Any = np.float64, of: str = "rows") -> Array:
    """One number for each of `count` things; a single number is repeated.

    Raises:
        ShapeError: there are as many as neither one nor `count`.
    """
    array = numbers(name, value, dtype)
    if array.ndim == 0:
        return np.full(count, array[()], array.dtype)
    if array.shape != (count,):
        raise ShapeError(f"{name} has shape {array.shape}: one number, or one for each of the {count} {of}, is needed")
    return array


def first_fault(*checks: tuple[int, Array]) -> int:
    """The fault of the first check with a reason in it: (place of the argument, reasons of its elements); else 0."""
    for place, reasons in checks:
        refused = np.flatnonzero(reasons)
        if refused.size:
            index = int(refused[0])
            return int(reasons[index]) << 56 | place << 48 | index
    return 0


def explain(
    fault: int,
    arguments: Mapping[str, tuple[Array, Rule | None]],
    says: Mapping[Reason, str] | None = None,
    shape: tuple[int, ...] | None = None,
) -> ArgumentError:
    """What a fault means, in words.

    Args:
        fault: what the C function or its twin returned.
        arguments: name, values and rule of each argument in C's order from place 1 on.
        says: the words for reasons that are no matter of a rule.
        shape: what the caller passed, if it was not of one dimension: single numbers have no index.
    """
    reason, place, index = unpack(fault)
    name = tuple(arguments)[place - 1]
    values, rule = arguments[name]
    by_rule = rule is not None and reason in (Reason.NOT_FINITE, Reason.OUT_OF_RANGE, Reason.NOT_A_CODE)
    words = rule.says if by_rule and rule is not None else (says or {}).get(reason, MEANS.get(reason, reason.name))
    at: int | tuple[int, ...] | None = index
    if shape is not None and len(shape) != 1:
        at = tuple(int(each) for each in np.unravel_index(index, shape)) if shape else None
    return ArgumentError(name, at, reason, values.reshape(-1)[index].item(), words)


def call(name: str, count: int, arrays: Sequence[Array | int | None]) -> int:
    """Calls a C function with a count first and arrays or numbers after it; None is a NULL."""
    function = getattr(path.lib, name)
    passed = [path.ffi.NULL if each is None else each if isinstance(each, int) else pointer(each) for each in arrays]
    return int(function(count, *passed))
