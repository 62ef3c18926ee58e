"""One file of quotes: how it is written and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from crossrate.history.errors import DamagedError
from crossrate.history.places import Place
from crossrate.ticks.columns import COLUMNS, Ticks

Block = dict[str, NDArray]
"""Columns of quotes in the order of time, those that were asked for and those that the order is made of."""

ROW_GROUP = 32_768
"""Rows that are read or left out together: an hour of a busy pair."""
FILE_ROWS_MAX = 4_000_000
ORDER = ("venue_time", "sequence")
"""What rows are sorted by; rows that have the same keep the order in which they came."""
STORED = {"sequence": np.int64, "flags": np.int16}
"""Types that differ from those of `Ticks`: a table of the log has no unsigned ones. `sequence` keeps its bits."""
SCHEMA = pa.schema([(name, pa.from_numpy_dtype(STORED.get(name, kind))) for name, kind in COLUMNS.items()])
DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Form:
    """What the rows of a store are.

    Attributes:
        what: the word for them in messages.
        schema: columns as files have them.
        dictionary: columns of few values.
        delta: whole numbers that differ little from the one before.
    """

    what: str
    schema: pa.Schema
    dictionary: tuple[str, ...]
    delta: tuple[str, ...]


QUOTES = Form(
    "quotes",
    SCHEMA,
    # Prices and quantities of a day are few values, times and numbers differ little from the one before.
    ("bid", "ask", "bid_quantity", "ask_quantity", "flags"),
    ("venue_time", "receive_time", "sequence"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file's content, ready to be put in its place."""

    content: pa.Buffer
    rows: int
    first: int
    """Least venue time, ns since 1970 UTC."""
    last: int
    digest: str
    """BLAKE2b of the content, in hexadecimal; it is part of the file's name."""
    columns: tuple[str, ...] = tuple(COLUMNS)

    @property
    def stats(self) -> str:
        """What the log says of it."""
        none = dict.fromkeys(self.columns, 0)
        times = {"minValues": {"venue_time": self.first}, "maxValues": {"venue_time": self.last}}
        return json.dumps({"numRecords": self.rows, **times, "nullCount": none})


def digest_of(content: bytes | pa.Buffer) -> str:
    """What a file's name says of its content."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).hexdigest()


def in_order(block: Block) -> Block:
    """Rows sorted by time, then number; a view if they already are."""
    times, numbers = block["venue_time"], block["sequence"]
    later, same = times[1:] > times[:-1], times[1:] == times[:-1]
    if (later | (same & (numbers[1:] >= numbers[:-1]))).all():
        return block
    order = np.lexsort((numbers, times))
    return {name: column[order] for name, column in block.items()}


def encoded(block: Block, form: Form = QUOTES) -> Iterator[Written]:
    """Rows that are in order as the content of one or more files."""
    for begin in range(0, len(block["venue_time"]), FILE_ROWS_MAX):
        rows = {name: column[begin : begin + FILE_ROWS_MAX] for name, column in block.items()}
        arrays = [_stored(name, rows[name]) for name in form.schema.names]
        sink = pa.BufferOutputStream()
        pq.write_table(
            pa.Table.from_arrays(arrays, schema=form.schema),
            sink,
            row_group_size=ROW_GROUP,
            compression="zstd",
            compression_level=1,
            use_dictionary=list(form.dictionary),
            column_encoding=dict.fromkeys(form.delta, "DELTA_BINARY_PACKED"),
            write_page_checksum=True,
            # The default of 1,024 costs a sixth more time.
            write_batch_size=ROW_GROUP,
        )
        content = sink.getvalue()
        times = rows["venue_time"]
        names = tuple(form.schema.names)
        yield Written(content, len(times), int(times[0]), int(times[-1]), digest_of(content), names)


def _stored(name: str, column: NDArray) -> pa.Array:
    """A column as the files have it."""
    if name == "sequence":
        return pa.array(column.view(np.int64))
    return pa.array(column.astype(STORED.get(name, column.dtype), copy=False))


def columns_of(ticks: Ticks) -> Block:
    """Quotes as a block, without copies."""
    return {name: getattr(ticks, name) for name in COLUMNS}


def ticks_of(block: Block) -> Ticks:
    """A block as quotes; what was not read is not known."""
    others = {name: column for name, column in block.items() if name not in ("venue_time", "bid", "ask")}
    return Ticks.of(block["venue_time"], block["bid"], block["ask"], **others)


def joined(blocks: list[Block]) -> Block:
    """Blocks of the same columns after each other."""
    if len(blocks) == 1:
        return blocks[0]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def part(block: Block, begin: int, end: int) -> Block:
    """Some rows, without copies."""
    return {name: column[begin:end] for name, column in block.items()}


def read(
    place: Place,
    path: str,
    columns: Iterable[str],
    start: int,
    end: int,
    proceed: Callable[[], object] | None = None,
    order: Iterable[str] = ORDER,
) -> Iterator[Block]:
    """The rows of a file with a venue time from `start` to before `end`, row group by row group.

    Row groups outside of that time are not read, nor are columns that are neither asked for nor part of the order.
    `proceed` is called before the file is opened and before each row group is read; what it raises ends it.

    Raises:
        DamagedError: the file is not there or cannot be read.
    """
    names = list(dict.fromkeys([*order, *columns]))
    if proceed is not None:
        proceed()
    try:
        with place.open(path) as source, pq.ParquetFile(source, page_checksum_verification=True) as file:
            for number in range(file.num_row_groups):
                seen = file.metadata.row_group(number).column(0).statistics
                if seen is not None and seen.has_min_max and (seen.max < start or seen.min >= end):
                    continue
                if proceed is not None:
                    proceed()
                block = _block(file.read_row_group(number, names, use_threads=False))
                times = block["venue_time"]
                if len(times) and (times[0] < start or times[-1] >= end):
                    block = part(block, *np.searchsorted(times, [start, end]))
                if len(block["venue_time"]):
                    yield block
    except (OSError, pa.ArrowException, FileNotFoundError) as wrong:
        raise DamagedError(f"{path} cannot be read: {wrong}. `verify` tells what else is wrong") from wrong


def _block(table: pa.Table) -> Block:
    """A row group as numpy columns; those whose types agree share its memory."""
    block = {}
    for name in table.column_names:
        chunks = table.column(name).combine_chunks()
        column = chunks.to_numpy(zero_copy_only=True)
        block[name] = (
            column.view(np.uint64) if name == "sequence" else column.astype(COLUMNS.get(name, column.dtype), copy=False)
        )
    return block
