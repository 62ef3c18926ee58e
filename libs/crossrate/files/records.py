"""Rows that come as typed columns rather than as text: which of them are no rows, and why."""

from __future__ import annotations

import numpy as np

from crossrate.files.assemble import Assembler
from crossrate.files.failure import TEXT_MAX, Rejected
from crossrate.files.fields import Fields, checked
from crossrate.files.parse import Parsed
from crossrate.files.plan import Plan
from crossrate.files.reader import Chunk
from crossrate.files.rows import Wrong, possible


def chunk_of(member: str, fields: Fields, first: int, assembler: Assembler) -> Chunk:
    """A chunk of typed columns; records are numbered from 1 as lines are."""
    plan = assembler.plan
    fields = checked(fields, plan)
    rejected = [_rejected(fields, int(row), first, plan) for row in np.flatnonzero(~fields.good)]
    kept = np.flatnonzero(fields.good)
    rows = Fields(fields.time[kept], {role: values[kept] for role, values in fields.numbers.items()}, fields.good[kept])
    part = Parsed(rows, kept + first, rejected, b"", first)
    ticks, candles, late, repeated = assembler.add(part)
    # A record has no text of its own, so that a refused time is told by its columns too.
    late = [_rejected_as(fields, each, first) for each in late]
    every = sorted([*rejected, *late], key=lambda each: each.line)
    return Chunk(member, plan.instrument, ticks, candles, tuple(every), len(fields), repeated)


def _text(fields: Fields, row: int) -> str:
    values = ", ".join(f"{role} {values[row]:.10g}" for role, values in fields.numbers.items())
    return f"time {int(fields.time[row])}, {values}"[:TEXT_MAX]


def _rejected(fields: Fields, row: int, first: int, plan: Plan) -> Rejected:
    try:
        possible(int(fields.time[row]), {role: float(values[row]) for role, values in fields.numbers.items()}, plan)
        reason = "time is empty or out of range"
    except Wrong as error:
        reason = str(error)
    return Rejected(first + row, _text(fields, row), reason)


def _rejected_as(fields: Fields, late: Rejected, first: int) -> Rejected:
    return Rejected(late.line, _text(fields, late.line - first), late.reason)
