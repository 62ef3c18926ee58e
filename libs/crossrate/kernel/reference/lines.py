"""Lines of text that are all alike: the numpy twin of xr/lines.h. A fault is a number as of C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel.faults import Reason

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]
Array = NDArray[np.float64]
Made = tuple[int, Integers, Array, Integers]

LANE = 8
WIDTH_MAX = 512
GROUPS_MAX = 16
CHARACTERS_MAX = 16
DIGITS_MAX = 15
KEY_MAX = 64
DIVISOR_MAX = 1e22
PIECE = 1 << 15
"""Lines at a time, so that what an operation writes is still in the cache for the next."""

_U = np.uint64
_HIGH = _U(0x8080808080808080)
_MASK, _MUL1, _MUL2 = _U(0x000000FF000000FF), _U(0x000F424000000064), _U(0x0000271000000001)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Up to eight characters of a number: where they are, which of them are digits, and the weight of the whole.

    `before_point` covers what stands before the point, which moves over it; `shift` brings the last digit to the end.
    """

    begin: int
    digits: np.uint64
    before_point: np.uint64
    shift: np.uint64
    weight: int


def read(
    count: int,
    width: int,
    text: Bytes,
    expected: Bytes,
    digit: Bytes,
    groups: int,
    begin: Integers,
    end: Integers,
    quotients: int,
    divisor: Array,
    key_begin: int,
    key_end: int,
) -> Made | int:
    """How many of the first lines fit, integers and quotients of these, and where their part changes."""
    refused = _refused(width, digit, groups, begin, end, quotients, divisor, key_begin, key_end)
    if refused:
        return refused
    fit = _fitting(count, width, text, expected, digit)
    numbers = [_lanes(digit, int(one), int(other)) for one, other in zip(begin, end, strict=True)]
    whole, quotient = np.empty((groups - quotients, fit), np.int64), np.empty((quotients, fit))
    for first in range(0, fit, PIECE):
        last = min(first + PIECE, fit)
        for place, lanes in enumerate(numbers):
            found = _whole(text, width, first, last, lanes).view(np.int64)
            if place < len(whole):
                whole[place, first:last] = found
            else:
                np.divide(found, divisor[place - len(whole)], out=quotient[place - len(whole), first:last])
    return fit, whole, quotient, _changes(text, width, fit, key_begin, key_end)


def _fault(reason: Reason, argument: int, index: int = 0) -> int:
    return reason << 56 | argument << 48 | index


def _refused(width, digit, groups, begin, end, quotients, divisor, key_begin, key_end) -> int:
    """The fault of the first argument that cannot be, in C's order; 0 if there is none."""
    if not LANE <= width <= WIDTH_MAX:
        return _fault(Reason.OUT_OF_RANGE, 1)
    odd = np.flatnonzero(digit > 1)
    if len(odd):
        return _fault(Reason.NOT_A_CODE, 4, int(odd[0]))
    if groups > GROUPS_MAX:
        return _fault(Reason.OUT_OF_RANGE, 5)
    if quotients > groups:
        return _fault(Reason.OUT_OF_RANGE, 8)
    for place, (one, other) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        if not 0 <= one < width:
            return _fault(Reason.OUT_OF_RANGE, 6, place)
        if not one < other <= min(width, one + CHARACTERS_MAX):
            return _fault(Reason.OUT_OF_RANGE, 7, place)
        digits = int(np.count_nonzero(digit[one:other]))
        if not digits or other - one - digits > 1:
            return _fault(Reason.INCONSISTENT, 6, place)
        if digits > DIGITS_MAX:
            return _fault(Reason.OUT_OF_RANGE, 7, place)
    for place, by in enumerate(divisor.tolist()):
        if not 1.0 <= by <= DIVISOR_MAX:
            return _fault(Reason.OUT_OF_RANGE if np.isfinite(by) else Reason.NOT_FINITE, 9, place)
    if not 0 <= key_begin <= width:
        return _fault(Reason.OUT_OF_RANGE, 10)
    if not key_begin <= key_end <= min(width, key_begin + KEY_MAX):
        return _fault(Reason.OUT_OF_RANGE, 11)
    return 0


def _load(text: Bytes, width: int, first: int, last: int, at: int) -> NDArray[np.uint64]:
    """Eight characters of each line from `at` on, the first one lowest."""
    return np.ndarray((last - first,), "<u8", text, first * width + at, (width,))


def _fitting(count: int, width: int, text: Bytes, expected: Bytes, digit: Bytes) -> int:
    """How many of the first lines have digits and the expected characters where they must."""
    same = np.where(digit, np.uint8(0x30), expected)
    # Added to the difference, these carry into the high bit from 10 on where a digit is, from 1 on elsewhere.
    slack = np.where(digit, np.uint8(0x76), np.uint8(0x7F))
    starts = sorted({*range(0, width - LANE + 1, LANE), width - LANE})
    for first in range(0, count, PIECE):
        last = min(first + PIECE, count)
        wrong = np.zeros(last - first, np.uint64)
        for at in starts:
            one, more = (np.frombuffer(each[at : at + LANE].tobytes(), "<u8")[0] for each in (same, slack))
            difference = _load(text, width, first, last, at) ^ one
            # A byte whose own high bit is set may carry into the next one: it is wrong itself.
            wrong |= difference
            difference += more
            wrong |= difference
        if (wrong & _HIGH).any():
            # What was carried may mark a neighbour, but only in a line that is wrong.
            return first + int(np.flatnonzero(wrong & _HIGH)[0])
    return count


def _lanes(digit: Bytes, begin: int, end: int) -> list[_Lane]:
    """How a group is read."""
    lanes, weight = [], 1
    for last in range(end, begin, -LANE):
        first, at = max(begin, last - LANE), max(last - LANE, 0)
        points = [place for place in range(first, last) if not digit[place]]
        digits = bytes(0x0F if first <= at + i < last and digit[at + i] else 0 for i in range(LANE))
        before = bytes(0xFF if points and at + i < points[0] else 0 for i in range(LANE))
        masks = (np.frombuffer(each, "<u8")[0] for each in (digits, before))
        lanes.append(_Lane(at, *masks, _U(8 * (at + LANE - last)), weight))
        weight *= 10 ** (last - first - len(points))
    return lanes


def _whole(text: Bytes, width: int, first: int, last: int, lanes: list[_Lane]) -> NDArray[np.uint64]:
    """The digits of a group as one integer, without its point."""
    total = np.zeros(last - first, np.uint64)
    for lane in lanes:
        digits = _load(text, width, first, last, lane.begin) & lane.digits
        if lane.before_point:
            # The digits before the point move over it.
            moved = (digits & lane.before_point) << _U(8)
            digits &= ~lane.before_point
            digits |= moved
        digits <<= lane.shift
        pairs = digits >> _U(8)
        digits *= _U(10)
        digits += pairs
        high = digits & _MASK
        high *= _MUL1
        digits >>= _U(16)
        digits &= _MASK
        digits *= _MUL2
        digits += high
        digits >>= _U(32)
        total += digits * _U(lane.weight)
    return total


def _changes(text: Bytes, width: int, count: int, begin: int, end: int) -> Integers:
    """The lines whose part is another than in the line before, and the first."""
    if begin == end or not count:
        return np.empty(0, np.int64)
    part = np.ndarray((count, end - begin), np.uint8, text, begin, (width, 1))
    changed = np.zeros(count - 1, np.bool_)
    for place in range(end - begin):
        changed |= part[1:, place] != part[:-1, place]
    return np.concatenate([[0], np.flatnonzero(changed) + 1])
