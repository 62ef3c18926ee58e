"""What the kernel refuses, and how it says so."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Reason(IntEnum):
    """Why an input was refused or has no result; the codes of a status array (`enum xr_reason` of xr/base.h)."""

    OK = 0
    NOT_FINITE = 1
    OUT_OF_RANGE = 2
    NOT_A_CODE = 3
    NO_SOLUTION = 4
    NOT_CONVERGED = 5
    NOT_ASCENDING = 6
    NOT_PSD = 7
    TOO_FEW = 8
    INCONSISTENT = 9


class ArgumentError(ValueError):
    """An argument's value was refused. Nothing was computed.

    Attributes:
        argument: the argument's name.
        index: the first offending index (a tuple for an array of several dimensions), or None for a scalar.
        reason: why.
        value: what stood there.
    """

    def __init__(self, argument: str, index: int | tuple[int, ...] | None, reason: Reason, value: Any, says: str):
        place = argument if index is None else f"{argument}[{index if isinstance(index, int) else _commas(index)}]"
        super().__init__(f"{place} is {value!r}: {says}")
        self.argument = argument
        self.index = index
        self.reason = reason
        self.value = value
        self.says = says

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.argument, self.index, self.reason, self.value, self.says))


class ShapeError(ValueError):
    """Arguments whose lengths do not go together; names them and their shapes."""


def unpack(fault: int) -> tuple[Reason, int, int]:
    """Splits what a C function returned into reason, place of the argument, and index."""
    return Reason(fault >> 56 & 0x7F), fault >> 48 & 0xFF, fault & 0xFFFF_FFFF_FFFF


def _commas(index: tuple[int, ...]) -> str:
    return ", ".join(str(int(each)) for each in index)
