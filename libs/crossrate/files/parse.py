"""Blocks of text as columns: fast where all lines are rows, line by line around those that are not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.files import lanes, table
from crossrate.files.containers import Limits
from crossrate.files.failure import Rejected
from crossrate.files.fields import Fields, checked
from crossrate.files.plan import Plan
from crossrate.files.rows import Wrong, row_of

FEW = 64
"""So few lines are read one by one rather than in halves."""
STRETCHES_MAX = 32
"""Of a block with more stretches, equal and not, the rest is read as if no line were like another."""


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """The rows of a block.

    Attributes:
        fields: its rows, all of them good.
        line: the line of each row, from 1.
        rejected: lines that are no rows.
        data: the block, for the text of a row that is refused later.
        first: number of its first line.
    """

    fields: Fields
    line: NDArray[np.int64] | None
    rejected: list[Rejected]
    data: bytes
    first: int

    def line_of(self, row: int) -> int:
        """The number of a row's line."""
        return self.first + row if self.line is None else int(self.line[row])

    def texts_of(self, lines: list[int]) -> list[bytes]:
        """The texts of some lines; nothing for records, which have none."""
        if not self.data:
            return [b""] * len(lines)
        begins = _begins(self.data)
        return [self.data[begins[line - self.first] : begins[line - self.first + 1]] for line in lines]


def _begins(data: bytes) -> NDArray[np.int64]:
    """Where each line begins, and the end of the last."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10) + 1
    return np.concatenate([[0], ends, [len(data)]])


def parsed(data: bytes, first: int, lines: int, plan: Plan, limits: Limits) -> Parsed:
    """The rows of whole lines, the first of which has number `first`."""
    head = lanes.fixed(data, plan)
    if head is None:
        return _general(data, first, lines, plan, limits)
    fields, end = head
    if end == len(data):
        return _without_doubt(fields, data, first, plan, limits)
    return _joined(_stretches(data, head, first, lines, plan, limits), data, first)


def _stretches(
    data: bytes, head: tuple[Fields, int], first: int, lines: int, plan: Plan, limits: Limits
) -> list[Parsed]:
    """Stretches of equal lines, and what is between them, as long as there are few."""
    parts: list[Parsed] = []
    begin, line, odd = 0, first, 1
    for _ in range(STRETCHES_MAX):
        found = head if begin == 0 else lanes.fixed(data, plan, begin)
        if found is not None:
            fields, end = found
            parts.append(_without_doubt(fields, data[begin:end], line, plan, limits))
            begin, line, odd = end, line + len(fields), 1
        else:
            # A line is unlike the others, or some are: the more, the further on the next that are alike.
            end, count = _after(data, begin, odd)
            parts.append(_general(data[begin:end], line, count, plan, limits))
            begin, line, odd = end, line + count, 2 * odd
        if begin == len(data):
            return parts
    parts.append(_general(data[begin:], line, first + lines - line, plan, limits))
    return parts


def _after(data: bytes, begin: int, lines: int) -> tuple[int, int]:
    """Where some lines end that begin at a place, and how many there are until the end."""
    for count in range(lines):
        end = data.find(b"\n", begin) + 1
        if not end:
            return len(data), count + (begin < len(data))
        begin = end
    return begin, lines


def _general(data: bytes, first: int, lines: int, plan: Plan, limits: Limits) -> Parsed:
    """The rows of lines of any kind."""
    fields = table.read(data, lines, plan)
    if fields is not None:
        return _without_doubt(fields, data, first, plan, limits)
    # Somewhere in here is a line that cannot be read: the half without it need not be read slowly.
    cut = data.find(b"\n", len(data) // 2) + 1
    if lines <= FEW or not 0 < cut < len(data):
        return _careful(data, first, plan, limits)
    before = data.count(b"\n", 0, cut)
    halves = [
        parsed(data[:cut], first, before, plan, limits),
        parsed(data[cut:], first + before, lines - before, plan, limits),
    ]
    return _joined(halves, data, first)


def _without_doubt(fields: Fields, data: bytes, first: int, plan: Plan, limits: Limits) -> Parsed:
    """Lines of which those in doubt are read one by one."""
    fields = checked(fields, plan)
    if fields.good.all():
        return Parsed(fields, None, [], data, first)
    return _mended(fields, data, first, plan, limits)


def _mended(fields: Fields, data: bytes, first: int, plan: Plan, limits: Limits) -> Parsed:
    """With the doubtful lines read one by one."""
    begins = _begins(data)
    time = fields.time.copy()
    numbers = {role: values.copy() for role, values in fields.numbers.items()}
    good = fields.good.copy()
    rejected = []
    for row in np.flatnonzero(~good):
        text = data[begins[row] : begins[row + 1]]
        try:
            time[row], values = row_of(text, plan, limits.line_bytes_max)
            for role, value in values.items():
                numbers[role][row] = value
            good[row] = True
        except Wrong as error:
            rejected.append(Rejected.of(first + int(row), text, str(error)))
    kept = np.flatnonzero(good)
    rows = Fields(time[kept], {role: values[kept] for role, values in numbers.items()}, good[kept])
    return Parsed(rows, kept + first, rejected, data, first)


def _careful(data: bytes, first: int, plan: Plan, limits: Limits) -> Parsed:
    """Every line by itself."""
    times: list[int] = []
    found: dict = {role: [] for role in plan.numbers}
    line: list[int] = []
    rejected = []
    texts = data.split(b"\n")
    if texts and not texts[-1]:
        texts.pop()
    for number, text in enumerate(texts, start=first):
        try:
            time, values = row_of(text, plan, limits.line_bytes_max)
        except Wrong as error:
            rejected.append(Rejected.of(number, text, str(error)))
            continue
        times.append(time)
        line.append(number)
        for role, value in values.items():
            found[role].append(value)
    numbers = {role: np.array(values, np.float64) for role, values in found.items()}
    fields = Fields(np.array(times, np.int64), numbers, np.ones(len(times), np.bool_))
    return Parsed(fields, np.array(line, np.int64), rejected, data, first)


def _joined(parts: list[Parsed], data: bytes, first: int) -> Parsed:
    """Two parts of one block."""
    line = np.concatenate(
        [np.arange(len(each.fields)) + each.first if each.line is None else each.line for each in parts]
    )
    fields = [each.fields for each in parts]
    numbers = {role: np.concatenate([each.numbers[role] for each in fields]) for role in fields[0].numbers}
    return Parsed(
        Fields(np.concatenate([each.time for each in fields]), numbers, np.ones(len(line), np.bool_)),
        line,
        [rejected for each in parts for rejected in each.rejected],
        data,
        first,
    )
