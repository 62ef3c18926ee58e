"""Parquet files with columns for time and prices, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crossrate.files.assemble import Assembler
from crossrate.files.chunk import Chunk, Place
from crossrate.files.containers import Limits
from crossrate.files.failure import FileFailure
from crossrate.files.fields import Fields
from crossrate.files.plan import Plan, instrument_of, named
from crossrate.files.records import chunk_of
from crossrate.files.shape import OPTIONAL, Role, Shape
from crossrate.files.stamps import EPOCHS
from crossrate.ticks.clock import Clock

ROWS = 1 << 16
GROUP_BYTES_MAX = 1 << 30
"""A row group is read as a whole; a larger one is not one that quotes are kept in."""
UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def read_parquet(
    path: Path, shape: Shape, instrument: str | None, limits: Limits, start: Place | None = None
) -> Iterator[Chunk]:
    """The rows of a file; times are timestamps of any unit, or integers as the shape says.

    Raises:
        FileFailure: it is damaged, lacks a column, or a column has another type.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _refuse_large(path, file, limits)
            names = _columns(path, shape, schema)
            what = instrument_of(
                shape, str(path), named(shape, path.absolute().as_posix()), instrument, _first(file, names)
            )
            places = {role: place for place, role in enumerate(names)}
            plan = Plan(
                shape, places, len(names), what, 0, 10.0 ** shape.digits(what), _clock(shape, schema, names), False
            )
            assembler, row = Assembler(plan), 1
            if start is not None:
                assembler.restore(start.state)
            for batch in file.iter_batches(ROWS, columns=list(names.values())):
                row += batch.num_rows
                if start is None or row - 1 > start.end:
                    first = row - batch.num_rows
                    chunk = chunk_of(str(path), _fields(path, batch, names, plan), first, assembler)
                    yield replace(chunk, place=Place(0, row - 1, 0, assembler.state()))
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFailure(str(path), f"is no whole Parquet file ({error}); fetch it again") from error


def _refuse_large(path: Path, file: pq.ParquetFile, limits: Limits) -> None:
    """Before anything is read: how large it says that it is."""
    sizes = [file.metadata.row_group(each).total_byte_size for each in range(file.num_row_groups)]
    if max(sizes, default=0) > GROUP_BYTES_MAX:
        raise FileFailure(
            str(path), f"has a row group of {max(sizes)} bytes, {GROUP_BYTES_MAX} are allowed; write smaller ones"
        )
    if sum(sizes) > limits.expanded_bytes_max:
        raise FileFailure(str(path), f"expands to {sum(sizes)} bytes, {limits.expanded_bytes_max} are allowed")


def _columns(path: Path, shape: Shape, schema: pa.Schema) -> dict[Role, str]:
    """The name of each role's column."""
    names: dict[Role, str] = {}
    for column in shape.columns:
        answering = [name for name in schema.names if column.answers_to(name) and name not in names.values()]
        if answering and column.role is not Role.IGNORE:
            names[column.role] = answering[0]
        elif column.role not in OPTIONAL | {Role.IGNORE}:
            raise FileFailure(str(path), f"has no column for {column.role}; it has {', '.join(schema.names)[:200]}")
    return names


def _first(file: pq.ParquetFile, names: dict[Role, str]) -> str | None:
    """The instrument of the first row, where there is a column for it."""
    if Role.INSTRUMENT not in names:
        return None
    for batch in file.iter_batches(1, columns=[names[Role.INSTRUMENT]]):
        return str(batch.column(0)[0].as_py())
    return None


def _clock(shape: Shape, schema: pa.Schema, names: dict[Role, str]) -> Clock:
    """The clock of the shape; a timestamp with a zone is in UTC whatever the zone."""
    kind = schema.field(names[Role.TIME]).type
    return Clock() if pa.types.is_timestamp(kind) and kind.tz else Clock.parse(shape.clock)


def _fields(path: Path, batch: pa.RecordBatch, names: dict[Role, str], plan: Plan) -> Fields:
    """The columns of a batch."""
    good = np.ones(batch.num_rows, np.bool_)
    numbers = {}
    time = np.zeros(0, np.int64)
    for role, name in names.items():
        column = batch.column(name)
        kind = column.type
        if role is Role.TIME:
            if pa.types.is_timestamp(kind):
                unit = UNITS[kind.unit]
            elif pa.types.is_integer(kind) and plan.shape.times[0] in EPOCHS:
                unit = plan.epoch
            else:
                raise FileFailure(str(path), f"column {name} is {kind}; times are timestamps or whole numbers")
            raw = pc.fill_null(column.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
            good &= (raw >= 0) & (raw < 2**62 // unit)
            time = np.where(good, raw, 0) * unit
        elif role is Role.INSTRUMENT:
            good &= np.array([_is(plan, each) for each in column.to_pylist()], np.bool_)
        elif pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
            numbers[role] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        else:
            raise FileFailure(str(path), f"column {name} is {kind}; {role} is a number")
    return Fields(time, numbers, good)


def _is(plan: Plan, name: object) -> bool:
    try:
        return plan.shape.instrument(str(name)) == plan.instrument
    except ValueError:
        return False
