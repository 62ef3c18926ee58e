"""Blocks whose lines are all alike: the same length, digits and delimiters at the same places.

Most files of ticks are so for long stretches. What the first line is like is found here; whether the others are like
it, and what their digits say, is `crossrate.kernel.lines`. The first line that is not so, in any byte, and what
follows it are for the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crossrate.files.fields import Fields
from crossrate.files.plan import Plan
from crossrate.files.shape import Role
from crossrate.files.stamps import FRACTION_MAX, Layout, Texts, layout_of, parse, parse_to_minute
from crossrate.kernel import lines as kernel
from crossrate.ticks.clock import MINUTE

ROWS_MIN = 64
UNITS_NS_MAX = 2**62


@dataclass(frozen=True, slots=True)
class _Number:
    """Digits of a line as one number: their begin and end, and how many stand behind the point."""

    begin: int
    end: int
    decimals: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    """How a time in text is read: its begin, its layout, and its seconds as one number of a unit of nanoseconds.

    Without `seconds` all of it is read where it differs from the line before, or else in every line.
    """

    begin: int
    layout: Layout
    seconds: _Number | None
    unit: int

    @property
    def key_end(self) -> int:
        """Behind what is read only where it changes; nothing is if seconds are followed by something else."""
        everywhere = self.seconds is None and self.layout.minute_end < self.layout.width
        return self.begin if everywhere else self.begin + self.layout.minute_end


@dataclass(slots=True)
class _Read:
    """What the kernel is asked for, and where its answers are."""

    whole: list[_Number] = field(default_factory=list)
    quotient: list[_Number] = field(default_factory=list)
    key: tuple[int, int] = (0, 0)


def fixed(data: bytes, plan: Plan, begin: int = 0) -> tuple[Fields, int] | None:
    """The columns of the first lines from `begin` on, all of which are equal, and where they end; None if they are few.

    They end where the text does, or with a line that is unlike them.
    """
    width = data.find(b"\n", begin) + 1 - begin
    if not kernel.WIDTH_MIN < width <= kernel.WIDTH_MAX or len(data) - begin < ROWS_MIN * width:
        return None
    line = data[begin : begin + width]
    cells = _cells(line, plan) if plan.shape.decimal_mark == "." else None
    if cells is None:
        return None
    numbers = [_number(line, *cells[place]) for place in plan.numbers.values()]
    stamps = [] if plan.epoch else _stamps(line, cells, plan)
    epoch = _number(line, *cells[plan.places[Role.TIME]]) if plan.epoch else None
    quotient = [each for each in numbers if each is not None]
    if len(quotient) < len(numbers) or (not stamps and epoch is None) or len(numbers) > kernel.GROUPS_MAX - 2:
        return None
    whole = [epoch] if epoch else [each.seconds for each in stamps if each.seconds]
    flat = np.frombuffer(data, np.uint8, (len(data) - begin) // width * width, begin)
    found = _read(flat, line, cells, plan, _Read(whole, quotient, _key(stamps)))
    if found.count < ROWS_MIN:
        return None
    if epoch:
        time, good = found.whole[0], np.ones(found.count, np.bool_)
        if time.max() >= UNITS_NS_MAX // plan.epoch:
            # What would not fit after the multiplication is no time, and is refused with its line.
            good = time < UNITS_NS_MAX // plan.epoch
            time = np.where(good, time, 0)
        time *= plan.epoch
        time += plan.date_ns
    else:
        time, good = _times(flat, width, stamps, found)
    columns = dict(zip(plan.numbers, found.quotient, strict=True))
    return Fields(time, columns, good), begin + found.count * width


def _read(
    flat: NDArray[np.uint8], line: bytes, cells: list[tuple[int, int]], plan: Plan, wanted: _Read
) -> kernel.Lines:
    """What the kernel finds: every line has digits where the first has, and its very characters elsewhere."""
    expected = np.frombuffer(line, np.uint8)
    digit = ((expected >= 48) & (expected <= 57)).view(np.uint8)
    if Role.INSTRUMENT in plan.places:
        begin, end = cells[plan.places[Role.INSTRUMENT]]
        digit[begin:end] = 0
    groups = [*wanted.whole, *wanted.quotient]
    return kernel.read(
        flat,
        expected,
        digit,
        np.array([each.begin for each in groups], np.int64),
        np.array([each.end for each in groups], np.int64),
        np.array([10.0**each.decimals for each in wanted.quotient]),
        wanted.key,
    )


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


def _number(line: bytes, begin: int, end: int) -> _Number | None:
    """How a cell of the first line is read as a number; None if it is none, or too long."""
    text = line[begin:end]
    if (
        not re.fullmatch(rb"\d+(\.\d*)?|\.\d+", text)
        or len(text) > kernel.CHARACTERS_MAX
        or len(text) - text.count(b".") > kernel.DIGITS_MAX
    ):
        return None
    return _Number(begin, end, len(text.partition(b".")[2]))


def _stamps(line: bytes, cells: list[tuple[int, int]], plan: Plan) -> list[_Stamp]:
    """How the date and the time are read; nothing if one of them has no format that fits the first line.

    All lines have digits and other characters where the first has them: the format that fits it fits all.
    """
    found = []
    for role, forms in ((Role.DATE, plan.shape.dates), (Role.TIME, plan.shape.times)):
        if not forms:
            continue
        begin, end = cells[plan.places[role]]
        layouts = [each for form in forms if (each := layout_of(form, end - begin)) is not None]
        fitting = [each for each in layouts if all(line[begin + place] == literal for place, literal in each.literals)]
        if not fitting:
            return []
        layout = fitting[0]
        tail = layout.width - layout.minute_end
        number = _number(line, begin + layout.minute_end, end) if tail >= 2 and _ends_so(layout) else None
        # %S%f has no point: of the digits behind the minute two are seconds.
        unit = 10 ** (FRACTION_MAX - (number.decimals or tail - 2)) if number else 0
        found.append(_Stamp(begin, layout, number, unit))
    return found


def _ends_so(layout: Layout) -> bool:
    """Whether nothing follows the seconds and their fraction."""
    return max(place + length for _, place, length in layout.places) == layout.width


def _key(stamps: list[_Stamp]) -> tuple[int, int]:
    """The part of a line that has all that is read only where it changes; none if there is none, or it is long."""
    parts = [(each.begin, each.key_end) for each in stamps if each.key_end > each.begin]
    if not parts:
        return 0, 0
    begin, end = min(begin for begin, _ in parts), max(end for _, end in parts)
    return (begin, end) if end - begin <= kernel.KEY_MAX else (0, 0)


def _times(
    flat: NDArray[np.uint8], width: int, stamps: list[_Stamp], found: kernel.Lines
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The times of the lines that fit, and where they are times."""
    count, lengths = found.count, np.diff(found.change, append=found.count)
    time, good = None, np.ones(count, np.bool_)
    seconds = iter(found.whole)
    for stamp in stamps:
        within = next(seconds) if stamp.seconds else None
        texts = Texts(flat, stamp.begin, width, count, stamp.layout.width)
        if len(found.change) and stamp.key_end > stamp.begin:
            base, fits = parse_to_minute(texts, stamp.layout, found.change)
            if not fits.all():
                good &= np.repeat(fits, lengths)
            part = np.repeat(base, lengths)
        else:
            part, fits = parse(texts, stamp.layout, to_minute=within is not None)
            good &= fits
        if within is not None:
            within *= stamp.unit
            if within.max() >= MINUTE:
                good &= within < MINUTE
            part += within
        if time is None:
            time = part
        else:
            time += part
    assert time is not None
    return time, good
