"""Kernel functions over matrices: the same checks and errors for the compiled path and the numpy twin.

`front.Elementwise` serves functions whose arguments have one length. Here an argument may have any shape, and its rule
sees the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import Interval
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import numbers, pointer

Array = NDArray[Any]


class Rule(Protocol):
    """What an argument may be; `Interval` is one."""

    @property
    def says(self) -> str:
        """What the argument must be, for the error."""

    def refused(self, values: Array) -> Array:
        """The reason for each element, zero where it is fine."""


@dataclass(frozen=True)
class Weights:
    """Numbers from 0 of which one is positive."""

    says: str = "weights must be from 0 to 1e60, and one of them positive"

    def refused(self, values: Array) -> Array:
        """The reason for each element; all zeros are the fault of the first."""
        reasons = Interval(0.0, 1e60, "").refused(values)
        if not reasons.any() and not (values > 0.0).any():
            reasons[:1] = Reason.OUT_OF_RANGE
        return reasons


@dataclass(frozen=True)
class Argument:
    """One argument of a C function.

    Attributes:
        name: what the Python function calls it.
        value: an array, a number, or None for NULL.
        rule: what it may be; None where nothing is to be refused.
        means: words for reasons that the rule's own words do not fit.
    """

    name: str
    value: Any
    rule: Rule | None = None
    means: Mapping[Reason, str] = field(default_factory=dict)


def run(
    name: str, arguments: Sequence[Argument], outputs: Sequence[Any], scratch: int, twin: Callable[[], Any]
) -> None:
    """Calls a C function, or its twin, after the same checks.

    Args:
        name: the C function: `int64_t name(arguments..., outputs..., double *scratch)`.
        arguments: in C's order, which is also the order in which they are checked.
        outputs: arrays that are filled, in C's order; None for NULL.
        scratch: how many doubles the C function needs; without any it has no such argument.
        twin: gives the outputs as a tuple.

    Raises:
        ArgumentError: an argument was refused; nothing of the outputs counts then.
    """
    if path.is_numpy():
        for each in arguments:
            _require(each)
        for output, result in zip(outputs, twin(), strict=True):
            if output is not None:
                output[...] = result
        return
    values = [each.value for each in arguments] + list(outputs)
    if scratch:
        values.append(np.empty(scratch))
    given = [_for_c(value) for value in values]
    fault = getattr(path.lib, name)(*given)
    if fault:
        reason, place, index = unpack(fault)
        raise refusal(arguments[place], reason, index)


def _for_c(value: Any) -> Any:
    if value is None:
        return path.ffi.NULL
    return pointer(value) if isinstance(value, np.ndarray) else value


def _require(argument: Argument) -> None:
    if argument.rule is None or argument.value is None:
        return
    reasons = argument.rule.refused(np.asarray(argument.value)).reshape(-1)
    first = int(np.argmax(reasons > 0)) if reasons.size else 0
    if reasons.size and reasons[first]:
        raise refusal(argument, Reason(int(reasons[first])), first)


def refusal(argument: Argument, reason: Reason, index: int) -> ArgumentError:
    """The error for one element of an argument, counted through all dimensions."""
    value = np.asarray(argument.value)
    at: int | tuple[int, ...] | None = index
    if value.ndim == 0:
        at = None
    elif value.ndim > 1:
        at = tuple(int(each) for each in np.unravel_index(index, value.shape))
    says = argument.means.get(reason) or (argument.rule.says if argument.rule else "it is not allowed")
    return ArgumentError(argument.name, at, reason, value.reshape(-1)[index].item(), says)


def array(name: str, value: Any, dimensions: Sequence[int], dtype: Any = np.float64) -> Array:
    """An argument as an array of one of the allowed numbers of dimensions.

    Raises:
        ShapeError: it has another number of dimensions.
        TypeError: it is not numeric, or of another type than the kernel computes in.
    """
    found = numbers(name, value, dtype)
    if found.ndim not in dimensions:
        wanted = " or ".join(str(each) for each in dimensions)
        raise ShapeError(f"{name} has shape {found.shape}: an array of {wanted} dimensions is needed")
    return found


def of_shape(name: str, value: Any, shape: tuple[int, ...], because: str, dtype: Any = np.float64) -> Array:
    """An argument as an array of exactly this shape; a single number is repeated.

    Raises:
        ShapeError: it has another shape.
        TypeError: as `array`.
    """
    found = numbers(name, value, dtype)
    if found.ndim == 0:
        return np.full(shape, found[()], found.dtype)
    if found.shape != shape:
        raise ShapeError(f"{name} has shape {found.shape}; {because} ask for {shape}")
    return found


def at_least(name: str, count: int, fewest: int, remedy: str) -> None:
    """Refuses too few elements.

    Raises:
        ArgumentError: there are fewer than `fewest`.
    """
    if count < fewest:
        raise ArgumentError(name, None, Reason.TOO_FEW, count, remedy)


def one_of(name: str, value: Any, allowed: Sequence[int], says: str, reason: Reason = Reason.NOT_A_CODE) -> int:
    """A whole number that is one of the allowed.

    Raises:
        ArgumentError: it is another.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value not in allowed:
        raise ArgumentError(name, None, reason, value, says)
    return int(value)
