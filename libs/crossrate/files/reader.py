"""Reading a file: chunks of quotes or bars in UTC, with the lines that were rejected."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import Path

from crossrate.files.assemble import Assembler
from crossrate.files.blocks import Block, blocks
from crossrate.files.chunk import Chunk, Place
from crossrate.files.containers import Limits, Member, members
from crossrate.files.failure import FileFailure
from crossrate.files.parse import Parsed, parsed
from crossrate.files.plan import PROBE_LINES, Plan, plan_of
from crossrate.files.shape import Container, Shape

THREADS = 2
AHEAD = 2
"""Blocks that are parsed while another is being used."""


def read(
    path: Path,
    shape: Shape,
    *,
    instrument: str | None = None,
    date: date | None = None,
    limits: Limits | None = None,
    start: Place | None = None,
) -> Iterator[Chunk]:
    """The rows of a file, in parts of about `limits.block_bytes`; at most four parts are in memory.

    Args:
        path: a file, plain or as .gz, .zst or .zip.
        shape: how it is written.
        instrument: what it is of, as EUR/USD; taken from its name or first row if not given.
        date: its date, for shapes whose times count from midnight; taken from its name if not given.
        limits: how much of it is believed.
        start: `place` of the last chunk that another reading gave, of the same bytes by the same arguments: what is
            before it is passed over, and not parsed.

    Raises:
        FileFailure: it cannot be read, or not on. What was given before stays as it is: a reader that must take all or
            nothing keeps it aside until the end.
    """
    limits = limits or Limits()
    if shape.container is Container.PARQUET:
        from crossrate.files.parquet import read_parquet

        chunks = read_parquet(path, shape, instrument, limits, start)
    elif shape.container is Container.BI5:
        from crossrate.files.bi5 import read_bi5

        chunks = read_bi5(path, shape, instrument, limits)
    else:
        named = Named(shape, instrument, date, limits)
        first = start.member if start else 0
        chunks = chain.from_iterable(
            _text(member, number, named, start if number == first else None)
            for number, member in enumerate(members(path, shape.members, limits))
            if number >= first
        )
    rejected = start.rejected if start else 0
    for chunk in chunks:
        rejected += len(chunk.rejected)
        if rejected > limits.rejected_max:
            last = chunk.rejected[-1]
            raise FileFailure(
                chunk.member,
                f"more than {limits.rejected_max} lines are no rows, the last because it {last.reason}",
                line=last.line,
            )
        yield replace(chunk, place=replace(chunk.place, rejected=rejected)) if chunk.place else chunk


@dataclass(frozen=True, slots=True)
class Named:
    """What the members of a file have in common."""

    shape: Shape
    instrument: str | None
    date: date | None
    limits: Limits


def _text(member: Member, number: int, named: Named, start: Place | None) -> Iterator[Chunk]:
    """The chunks of one member."""
    limits = named.limits
    source = blocks(member, limits)
    first = next(source, None)
    if first is None:
        raise FileFailure(member.name, "is empty but for a byte-order mark")
    plan, first, header = _begun(first, member, named.shape, named.instrument, named.date, limits)
    assembler = Assembler(plan)
    following: Iterator[Block] = chain([first], source)
    if start is not None:
        assembler.restore(start.state)
        begin = next((block for block in following if block.end > start.end), None)
        if begin is None:
            return
        following, header = chain([begin], following), header if begin is first else 0
    for part, block in _ahead(following, plan, limits):
        lines = block.lines + header + (block.too_long is not None)
        chunk = assembler.add(part, lines, too_long=block.too_long, member=member.name)
        yield replace(chunk, place=Place(number, block.end, 0, assembler.state()))
        header = 0


def _begun(
    block: Block, member: Member, shape: Shape, instrument: str | None, date: date | None, limits: Limits
) -> tuple[Plan, Block, int]:
    """The plan by the first lines, and the first block without its header.

    Raises:
        FileFailure: the first lines do not have the shape, or none of them is a row.
    """
    texts = block.data.split(b"\n", PROBE_LINES)[:PROBE_LINES]
    lines = [each[: limits.line_bytes_max].decode("utf-8", "replace").rstrip("\r") for each in texts if each.strip()]
    if not lines:
        if block.too_long:
            raise FileFailure(member.name, block.too_long.reason, line=block.too_long.line)
        raise FileFailure(member.name, "holds nothing but empty lines")
    plan = plan_of(shape, member.name, member.paths, lines, instrument=instrument, date=date)
    data, line, count = block.data, block.line, block.lines
    header = int(plan.has_header)
    if header:
        end = data.find(b"\n") + 1 or len(data)
        data, line, count = data[end:], line + 1, count - 1
    probe = b"\n".join(data.split(b"\n", PROBE_LINES)[:PROBE_LINES])
    if probe.strip():
        tried = parsed(probe, line, probe.count(b"\n") + 1, plan, limits)
        if not len(tried.fields):
            first = tried.rejected[0]
            reason = f"none of the first lines is a row of {shape.name}: line {first.line} {first.reason}"
            raise FileFailure(member.name, reason, line=first.line)
    return plan, replace(block, data=data, line=line, lines=count), header


def _ahead(source: Iterator[Block], plan: Plan, limits: Limits) -> Iterator[tuple[Parsed, Block]]:
    """The blocks parsed, in order; a few are parsed in threads while others are used."""
    first = next(source)
    if len(first.data) < limits.block_bytes // 2:
        for block in chain([first], source):
            yield parsed(block.data, block.line, block.lines, plan, limits), block
        return
    waiting: deque[tuple[Future[Parsed], Block]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
    try:
        for block in chain([first], source):
            waiting.append((pool.submit(parsed, block.data, block.line, block.lines, plan, limits), block))
            if len(waiting) > AHEAD:
                part, done = waiting.popleft()
                yield part.result(), done
        while waiting:
            part, done = waiting.popleft()
            yield part.result(), done
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
