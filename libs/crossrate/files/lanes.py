"""Blocks whose lines are all alike: the same length, digits and delimiters at the same places.

Most files of ticks are so for long stretches. Eight characters are one integer: a comparison of these with the first
line says for eight places of a line at once whether they are as expected, and digits become numbers by three
multiplications (D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience, 2021, section
3.1). A block that is not so, in any byte, is left to the general reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossrate.files.fields import Fields
from crossrate.files.plan import Plan
from crossrate.files.shape import Role
from crossrate.files.stamps import FRACTION_MAX, Layout, Texts, layout_of, parse
from crossrate.ticks.clock import MINUTE

PIECE = 1 << 15
"""Rows at a time, so that what an operation writes is still in the cache for the next."""
ROWS_MIN = 64
RUNS_MAX = 16
PROBE_BYTES = 8192
DIGITS_MAX = 15
"""A number of so many digits is exact in a double, and so is its quotient by a power of ten, rounded once."""
LANE = 8

_U = np.uint64
_HIGH = _U(0x8080808080808080)
_MASK, _MUL1, _MUL2 = _U(0x000000FF000000FF), _U(0x000F424000000064), _U(0x0000271000000001)


@dataclass(frozen=True, slots=True)
class _Lane:
    """Up to eight characters of a number: where they are, which of them are digits, and how many.

    `before_point` covers what stands before the point, which moves over it; `shift` brings the last digit to the end.
    """

    begin: int
    digits: np.uint64
    before_point: np.uint64
    shift: np.uint64
    count: int


def fixed(data: bytes, plan: Plan) -> Fields | None:
    """The columns of a block of equal lines; None if it is not one."""
    width = data.find(b"\n") + 1
    if width <= LANE or len(data) % width or len(data) < ROWS_MIN * width or plan.shape.decimal_mark != ".":
        return None
    cells = _cells(data[:width], plan)
    if cells is None:
        return None
    wanted = {role: _number(data, width, *cells[place]) for role, place in plan.numbers.items()}
    epoch = _number(data, width, *cells[plan.places[Role.TIME]]) if plan.epoch else None
    stamps = [] if plan.epoch else _stamps(data, width, cells, plan)
    if any(each is None for each in wanted.values()) or (not stamps and epoch is None):
        return None
    same = _template(data, width, cells, plan)
    flat = np.frombuffer(data, np.uint8)
    count = len(data) // width
    time, good = np.zeros(count, np.int64), np.ones(count, np.bool_)
    numbers = {role: np.empty(count) for role in wanted}
    # All of a piece before the next, while its lines are in the cache.
    for begin in range(0, count, PIECE):
        end = min(begin + PIECE, count)
        if not _fits(data, width, begin, end, same):
            return None
        for role, (lanes, decimals) in wanted.items():
            whole = _whole(data, width, begin, end, lanes)
            np.divide(whole.view(np.int64), 10.0**decimals, out=numbers[role][begin:end])
        if epoch:
            time[begin:end] = _whole(data, width, begin, end, epoch[0]).view(np.int64) * plan.epoch + plan.date_ns
        for stamp in stamps:
            found, fits = _stamp(data, flat, width, begin, end, stamp)
            time[begin:end] += found
            good[begin:end] &= fits
    return Fields(time, numbers, good)


def runs(data: bytes) -> list[int] | None:
    """Where the length of lines changes, if that is seldom: ends of stretches of equal lines; None if it is often."""
    begin = [len(each) for each in data[:PROBE_BYTES].split(b"\n")[:-1]]
    if sum(one != other for one, other in pairwise(begin)) > RUNS_MAX:
        return None
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    lengths = np.diff(ends, prepend=0)
    changes = np.flatnonzero(lengths[1:] != lengths[:-1])
    if not len(changes) or len(changes) > RUNS_MAX:
        return None
    return [*(int(ends[each]) for each in changes), len(data)]


def _cells(line: bytes, plan: Plan) -> list[tuple[int, int]] | None:
    """Begin and end of each cell of the first line; None if it is not a plain row of the right instrument."""
    body = line.rstrip(b"\r\n")
    if b'"' in body:
        return None
    cells, at = [], 0
    for cell in body.split(plan.shape.delimiter.encode()):
        cells.append((at, at + len(cell)))
        at += len(cell) + 1
    if len(cells) != plan.width:
        return None
    if Role.INSTRUMENT in plan.places:
        begin, end = cells[plan.places[Role.INSTRUMENT]]
        try:
            if plan.shape.instrument(line[begin:end].decode("ascii")) != plan.instrument:
                return None
        except ValueError:
            return None
    return cells


def _template(
    data: bytes, width: int, cells: list[tuple[int, int]], plan: Plan
) -> list[tuple[int, np.uint64, np.uint64]]:
    """What every line must be like, by eights: where, which characters, and what to add to see a difference."""
    line = np.frombuffer(data, np.uint8, width)
    digit = (line >= 48) & (line <= 57)
    if Role.INSTRUMENT in plan.places:
        begin, end = cells[plan.places[Role.INSTRUMENT]]
        digit[begin:end] = False
    expected = np.where(digit, np.uint8(0x30), line)
    # Added to the difference, these carry into the high bit from 10 on where a digit is, from 1 on elsewhere.
    slack = np.where(digit, np.uint8(0x76), np.uint8(0x7F))
    starts = sorted({*range(0, width - LANE + 1, LANE), width - LANE})
    return [
        (at, *(np.frombuffer(each[at : at + LANE].tobytes(), "<u8")[0] for each in (expected, slack))) for at in starts
    ]


def _fits(data: bytes, width: int, begin: int, end: int, same: list[tuple[int, np.uint64, np.uint64]]) -> bool:
    """Whether lines have digits where the first line of the block has digits, and its very characters elsewhere."""
    wrong = np.zeros(end - begin, np.uint64)
    for at, expected, slack in same:
        difference = _load(data, width, begin, end, at) ^ expected
        wrong |= difference
        difference += slack
        wrong |= difference
    return not (wrong & _HIGH).any()


def _load(data: bytes, width: int, begin: int, end: int, at: int) -> NDArray[np.uint64]:
    """Eight characters of each line from `at` on, the first one lowest."""
    return np.ndarray((end - begin,), "<u8", data, begin * width + at, (width,))


def _number(data: bytes, width: int, begin: int, end: int) -> tuple[list[_Lane], int] | None:
    """How a cell of the first line is read as a number, and its decimals; None if it is none, or too long."""
    text = data[begin:end]
    if (
        not re.fullmatch(rb"\d+(\.\d*)?|\.\d+", text)
        or len(text) > 2 * LANE
        or len(text) - text.count(b".") > DIGITS_MAX
    ):
        return None
    decimals = text.partition(b".")[2]
    lanes = []
    for last in range(end, begin, -LANE):
        first = max(begin, last - LANE)
        at = min(max(last - LANE, 0), width - LANE)
        part = data[first:last]
        place = part.find(b".")
        digits = bytes(
            0x0F if begin <= at + i and first <= at + i < last and data[at + i] != 46 else 0 for i in range(LANE)
        )
        point = first + place - at if place >= 0 else 0
        before = bytes(0xFF if i < point else 0 for i in range(LANE))
        lanes.append(
            _Lane(
                at,
                np.frombuffer(digits, "<u8")[0],
                np.frombuffer(before, "<u8")[0],
                _U(8 * (at + LANE - last)),
                len(part) - (place >= 0),
            )
        )
    return lanes, len(decimals)


def _whole(data: bytes, width: int, begin: int, end: int, lanes: list[_Lane]) -> NDArray[np.uint64]:
    """The digits of a cell as one integer, without its point."""
    total = None
    scale = 1
    for lane in lanes:
        digits = _load(data, width, begin, end, lane.begin) & lane.digits
        if lane.before_point:
            # The digits before the point move over it.
            moved = (digits & lane.before_point) << _U(8)
            digits &= ~lane.before_point
            digits |= moved
        if lane.shift:
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
        total = digits if total is None else total + digits * _U(scale)
        scale *= 10**lane.count
    assert total is not None
    return total


@dataclass(frozen=True, slots=True)
class _Stamp:
    """How a time in text is read: its begin, its layout, and its seconds as one number of a unit of nanoseconds."""

    begin: int
    layout: Layout
    seconds: list[_Lane] | None
    unit: int


def _stamps(data: bytes, width: int, cells: list[tuple[int, int]], plan: Plan) -> list[_Stamp]:
    """How the date and the time are read; nothing if one of them has no format that fits the first line.

    All lines have digits and other characters where the first has them: the format that fits it fits all.
    """
    found = []
    for role, forms in ((Role.DATE, plan.shape.dates), (Role.TIME, plan.shape.times)):
        if not forms:
            continue
        begin, end = cells[plan.places[role]]
        layouts = [each for form in forms if (each := layout_of(form, end - begin)) is not None]
        fitting = [each for each in layouts if all(data[begin + place] == literal for place, literal in each.literals)]
        if not fitting:
            return []
        layout = fitting[0]
        tail = layout.width - layout.minute_end
        number = _number(data, width, begin + layout.minute_end, end) if tail >= 2 and _ends_so(layout) else None
        # %S%f has no point: of the digits behind the minute two are seconds.
        unit = 10 ** (FRACTION_MAX - (number[1] or tail - 2)) if number else 0
        found.append(_Stamp(begin, layout, number[0] if number else None, unit))
    return found


def _ends_so(layout: Layout) -> bool:
    """Whether nothing follows the seconds and their fraction."""
    return max(place + length for _, place, length in layout.places) == layout.width


def _stamp(
    data: bytes, flat: NDArray[np.uint8], width: int, begin: int, end: int, stamp: _Stamp
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The time of some lines, and where it is one."""
    texts = Texts(flat, begin * width + stamp.begin, width, end - begin, stamp.layout.width)
    if stamp.seconds is None:
        return parse(texts, stamp.layout)
    total, good = parse(texts, stamp.layout, to_minute=True)
    within = _whole(data, width, begin, end, stamp.seconds).view(np.int64)
    within *= stamp.unit
    good &= within < MINUTE
    total += within
    return total, good
