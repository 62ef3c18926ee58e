"""Lines of text that are all alike: the same length, digits and other characters at the same places.

Which parts of a line mean what is `crossrate.files.lanes`; here is what costs time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack
from crossrate.kernel.front import pointer
from crossrate.kernel.ragged import vector
from crossrate.kernel.reference import lines as reference

Integers = NDArray[np.int64]
Array = NDArray[np.float64]

WIDTH_MIN, WIDTH_MAX = 8, 512
GROUPS_MAX = 16
CHARACTERS_MAX = 16
DIGITS_MAX = 15
"""A number of so many digits is exact in a double, and so is its quotient by a power of ten, rounded once."""
KEY_MAX = 64
_ARGUMENTS = (
    "count",
    "width",
    "text",
    "expected",
    "digit",
    "groups",
    "begin",
    "end",
    "quotients",
    "divisor",
    "key_begin",
    "key_end",
)
_SAYS = {
    (Reason.OUT_OF_RANGE, "width"): f"a line has {WIDTH_MIN} to {WIDTH_MAX} bytes",
    (Reason.OUT_OF_RANGE, "groups"): f"at most {GROUPS_MAX} groups are read",
    (Reason.OUT_OF_RANGE, "begin"): "a group begins within the line",
    (Reason.OUT_OF_RANGE, "end"): f"a group ends within the line, and has 1 to {CHARACTERS_MAX} characters, at most "
    f"{DIGITS_MAX} of them digits",
    (Reason.INCONSISTENT, "begin"): "a group has a digit, and one character at most that is none",
    (Reason.NOT_A_CODE, "digit"): "it must be 0 or 1",
    (Reason.OUT_OF_RANGE, "quotients"): "there are no more divisors than groups",
    (Reason.OUT_OF_RANGE, "divisor"): "it must be from 1 to 1e22",
    (Reason.NOT_FINITE, "divisor"): "it must be from 1 to 1e22",
    (Reason.OUT_OF_RANGE, "key_begin"): "the part begins within the line",
    (
        Reason.OUT_OF_RANGE,
        "key_end",
    ): f"the part ends within the line, not before its begin, within {KEY_MAX} bytes",
}


class Lines(NamedTuple):
    """What the first lines say, all of which fit.

    Attributes:
        count: how many fit.
        whole: the groups that are integers, a row each, an element a line.
        quotient: the groups that are divided, likewise.
        change: the places of lines whose part is another than in the line before; the first line is one.
    """

    count: int
    whole: Integers
    quotient: Array
    change: Integers


def read(
    text: Any, expected: Any, digit: Any, begin: Any, end: Any, divisor: Any = (), key: tuple[int, int] = (0, 0)
) -> Lines:
    """The first lines of a text, up to the first that does not fit. It is exact; quotients are rounded once.

    Args:
        text: the lines, one after the other, uint8; a multiple of their length.
        expected: the character that a line has at each place, uint8; its length is that of a line, 8 to 512.
        digit: 1 where a line has a digit, whatever is expected there; 0 elsewhere. uint8.
        begin: the first place of each group of digits, at most 16 groups, int64.
        end: the place behind its last one: 1 to 16 characters, at most 15 digits, at most one that is none: a decimal
            point, over which it is read.
        divisor: of the last groups, by what their digits are divided: 1 to 1e22. The other groups are integers.
        key: begin and end of the part of a line whose changes are wanted, at most 64 bytes; none if it is empty.

    Raises:
        ArgumentError: a group is none, or a number is out of range.
        ShapeError: arrays do not go together, or the text is not of whole lines.
        TypeError: an array is of another type.
    """
    flat, same, digits = (
        vector(name, value, np.uint8) for name, value in (("text", text), ("expected", expected), ("digit", digit))
    )
    begins, ends = vector("begin", begin, np.int64), vector("end", end, np.int64)
    divisors = vector("divisor", np.asarray(divisor, np.float64) if isinstance(divisor, tuple) else divisor)
    width = len(same)
    if len(digits) != width:
        raise ShapeError(f"digit has {len(digits)} elements, expected has {width}: each is one a byte of a line")
    if len(ends) != len(begins):
        raise ShapeError(f"end has {len(ends)} elements, begin has {len(begins)}: each is one a group")
    if width and len(flat) % width:
        raise ShapeError(f"text has {len(flat)} bytes, a line has {width}: whole lines are needed")
    count = len(flat) // max(width, 1)
    given = (count, width, flat, same, digits, len(begins), begins, ends, len(divisors), divisors, *map(int, key))
    if path.is_numpy():
        found = reference.read(*given)
        if not isinstance(found, int):
            return Lines(*found)
        _raise(found, given)
    for place in (10, 11):
        # Before C, whose integers end.
        if not 0 <= given[place] <= width:
            _raise(Reason.OUT_OF_RANGE << 56 | place << 48, given)
    whole = np.empty((max(len(begins) - len(divisors), 0), count), np.int64)
    quotient = np.empty((len(divisors), count))
    change = np.empty(count if key[1] > key[0] else 0, np.int64)
    done = np.zeros(2, np.int64)
    passed = [pointer(each) if isinstance(each, np.ndarray) else each for each in given]
    fault = path.lib.xr_lines_read(*passed, *(pointer(each) for each in (whole, quotient, change, done)))
    if fault:
        _raise(fault, given)
    fit = int(done[0])
    if fit < count:
        # Not views: they would keep room for all lines.
        whole, quotient = whole[:, :fit].copy(), quotient[:, :fit].copy()
    return Lines(fit, whole, quotient, change[: int(done[1])].copy())


def _raise(fault: int, given: tuple[Any, ...]) -> None:
    """The error of a fault."""
    reason, place, index = unpack(fault)
    name, value = _ARGUMENTS[place], given[place]
    at = index if isinstance(value, np.ndarray) else None
    shown = value[index].item() if isinstance(value, np.ndarray) else value
    raise ArgumentError(name, at, reason, shown, _SAYS[reason, name])
