"""Quotes and bars as Arrow: record batches, and the bytes of a stream of them for bulk transfer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from crossrate.history.parquet import Block
from crossrate.ticks.bars import Bars
from crossrate.ticks.columns import COLUMNS

TIME = pa.timestamp("ns", tz="UTC")
NAMES = pa.dictionary(pa.int32(), pa.string())


def _is_time(name: str) -> bool:
    return name.endswith("_time")


def field(name: str, kind: np.dtype | type) -> pa.Field:
    """A column's name and type: times as timestamps in ns of UTC, names as text, all others as they are."""
    if _is_time(name):
        return pa.field(name, TIME, nullable=False)
    return pa.field(name, NAMES if kind is object or kind == np.object_ else pa.from_numpy_dtype(kind), nullable=False)


def batch_of(columns: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> pa.RecordBatch:
    """Columns as a record batch that shares their memory."""
    schema = pa.schema([field(name, column.dtype) for name, column in columns.items()], dict(metadata))
    arrays = []
    for name, column in columns.items():
        array = pa.array(column)
        if _is_time(name):
            array = array.view(TIME)
        arrays.append(array.dictionary_encode() if column.dtype == np.object_ else array)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def ticks_schema(columns: Iterable[str], metadata: Mapping[str, str]) -> pa.Schema:
    """The schema of quotes with these columns; a query that finds nothing has it, too."""
    return pa.schema([field(name, COLUMNS.get(name, object)) for name in columns], dict(metadata))


def ticks_batch(block: Block, columns: Iterable[str], metadata: Mapping[str, str]) -> pa.RecordBatch:
    """Quotes as a record batch."""
    return batch_of({name: block[name] for name in columns}, metadata)


def bars_batch(bars: Bars, metadata: Mapping[str, str] | None = None) -> pa.RecordBatch:
    """Bars as a record batch: prices as `bid_open`, `bid_high` and so on."""
    return batch_of(bars.columns(), metadata or {})


def to_ipc(batches: Iterable[pa.RecordBatch], schema: pa.Schema | None = None, *, compression: str = "lz4") -> bytes:
    """Record batches as the bytes of an Arrow IPC stream, which any Arrow library reads.

    Args:
        batches: of one schema.
        schema: theirs; needed where there may be none of them.
        compression: "lz4", "zstd" or "" for none.

    Raises:
        ValueError: there is no batch and no schema.
    """
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression or None)
    writer = None
    for batch in batches:
        writer = writer or pa.ipc.new_stream(sink, schema or batch.schema, options=options)
        writer.write_batch(batch)
    if writer is None:
        if schema is None:
            raise ValueError("batches: there is none, and no schema")
        writer = pa.ipc.new_stream(sink, schema, options=options)
    writer.close()
    return sink.getvalue().to_pybytes()


def from_ipc(content: bytes) -> pa.Table:
    """The record batches of an Arrow IPC stream as a table."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()
