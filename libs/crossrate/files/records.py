"""Rows that come as typed columns rather than as text: which of them are no rows, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from crossrate.files.assemble import Assembler
from crossrate.files.chunk import Chunk
from crossrate.files.failure import TEXT_MAX, Rejected
from crossrate.files.fields import Fields, checked
from crossrate.files.parse import Parsed
from crossrate.files.plan import Plan
from crossrate.files.rows import Wrong, possible


def chunk_of(member: str, fields: Fields, first: int, assembler: Assembler) -> Chunk:
    """A chunk of typed columns; records are numbered from 1 as lines are."""
    plan = assembler.plan
    fields = checked(fields, plan)
    rejected = [_rejected(fields, int(row), first, plan) for row in np.flatnonzero(~fields.good)]
    kept = np.flatnonzero(fields.good)
    rows = Fields(fields.time[kept], {role: values[kept] for role, values in fields.numbers.items()}, fields.good[kept])
    part = Parsed(rows, kept + first, rejected, b"", first)
    chunk = assembler.add(part, len(fields), member=member)
    # A record has no text of its own: what was refused for its time is told by its columns too.
    told = tuple(each if each.text else replace(each, text=_text(fields, each.line - first)) for each in chunk.rejected)
    return replace(chunk, rejected=told)


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
