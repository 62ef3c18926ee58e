"""Keeping the store small and sound: compaction, retention, removal, verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossrate.history.errors import ContendedError, DamagedError, HistoryError, UncertainError
from crossrate.history.log import File, Log, Positions, Raced, Snapshot
from crossrate.history.merge import FOREVER, Source, merged
from crossrate.history.parquet import FILE_ROWS_MAX, ORDER, SCHEMA, digest_of, joined, read
from crossrate.history.writing import Draft, Names
from crossrate.ticks.columns import COLUMNS
from crossrate.ticks.periods import DAY, EPOCH

ATTEMPTS_MAX = 20
MAINTENANCE = "maintenance"
"""Whatever takes files out of the store moves this position, so that no two of them take out the same ones: delta-rs
does not see that conflict by itself."""
BEGINNING = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of the store's files did."""

    files_before: int
    files_after: int
    rows: int
    """Rows that were moved or taken out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a file."""

    path: str
    what: str


def next_positions(log: Log) -> Positions:
    """What a commit says that takes files out."""
    return {MAINTENANCE: (log.position(MAINTENANCE) or 0) + 1}


def take_out(log: Log, chosen: Callable[[Snapshot], list[File]], positions: Positions) -> Changed:
    """Takes files out, and moves positions, as one commit; those that read them may go on."""
    for _ in range(ATTEMPTS_MAX):
        moved = next_positions(log) | positions
        files = chosen(log.refresh())
        if not files and not any(log.position(name) for name in positions):
            return Changed(0, 0, 0)
        try:
            log.commit([], [file.taken_out(data_change=True) for file in files], moved)
            return Changed(len(files), 0, sum(file.rows for file in files))
        except Raced:
            continue
    raise ContendedError(f"{ATTEMPTS_MAX} other changes of the store's files came first")


def compact(log: Log, names: Names, before: date | None, files_min: int) -> Changed:
    """Makes one file of the several that a day of a dataset has, day by day, a commit each."""
    total = Changed(0, 0, 0)
    candidates = log.refresh().files(before=before)
    for key, group in groupby(candidates, key=lambda file: file.key):
        if len(list(group)) < files_min:
            continue
        done = _compacted(log, names, key, files_min)
        total = Changed(*(getattr(total, each) + getattr(done, each) for each in Changed.__slots__))
    return total


def _compacted(log: Log, names: Names, key: object, files_min: int) -> Changed:
    """One day of a dataset."""
    for _ in range(ATTEMPTS_MAX):
        moved = next_positions(log)
        files = [file for file in log.refresh().files(**_names(key)) if file.key == key]
        rows = sum(file.rows for file in files)
        if len(files) < files_min or len(files) <= -(-rows // FILE_ROWS_MAX):
            return Changed(0, 0, 0)
        draft = Draft(log, names)
        try:
            sources = [Source(file.first, lambda file=file: _all_of(log, file)) for file in files]
            whole = joined(list(merged(sources)))
            # Among rows of one time and number those of the earlier file stay first, also before files to come.
            draft.put(files[0].key, whole, _place_of(files[0]), data_change=False)
        except BaseException:
            draft.discard()
            raise
        if draft.rows != rows:
            draft.discard()
            raise DamagedError(f"{key}: {draft.rows} rows were read where {rows} had been committed; see `verify`")
        try:
            log.commit(draft.actions, [file.taken_out(data_change=False) for file in files], moved)
            return Changed(len(files), len(draft.actions), rows)
        except Raced:
            draft.discard()
        except UncertainError:
            raise
        except HistoryError:
            draft.discard()
            raise
    raise ContendedError(f"{ATTEMPTS_MAX} other changes of the store's files came first")


def _names(key: object) -> dict[str, str]:
    return {name: getattr(key, name) for name in ("venue", "instrument", "dataset")}


def _place_of(file: File) -> str:
    """The part of a file's name that says where its rows come."""
    name = file.path.rpartition("/")[2]
    return name.rpartition("-")[0][:29]


def _all_of(log: Log, file: File) -> Iterator[dict]:
    return read(log.place, file.path, COLUMNS, BEGINNING, FOREVER)


def verify(log: Log, files: list[File]) -> Iterator[Problem]:
    """What is wrong with files: content, columns, number of rows, order, times; nothing for sound ones."""
    for file in files:
        try:
            with log.place.open(file.path) as source:
                content = source.read_buffer()
        except (OSError, pa.ArrowException) as wrong:
            yield Problem(file.path, f"it cannot be read: {wrong}")
            continue
        if content.size != file.size_bytes:
            yield Problem(file.path, f"it has {content.size} bytes, {file.size_bytes} were committed")
        if digest_of(content) != file.path.rpartition("-")[2].removesuffix(".parquet"):
            yield Problem(file.path, "its content is not what its name says: it was changed after it was written")
            continue
        yield from (Problem(file.path, what) for what in _rows_wrong(content, file))


def _rows_wrong(content: pa.Buffer, file: File) -> Iterator[str]:
    """What is wrong with the rows of a file."""
    with pq.ParquetFile(pa.BufferReader(content)) as parquet:
        if parquet.schema_arrow != SCHEMA:
            yield f"its columns are {parquet.schema_arrow}"
            return
        table = parquet.read(list(ORDER))
    if table.num_rows != file.rows:
        yield f"it has {table.num_rows} rows, {file.rows} were committed"
    times, numbers = (table[name].to_numpy() for name in ORDER)
    later, same = times[1:] > times[:-1], times[1:] == times[:-1]
    if not (later | (same & (numbers.view(np.uint64)[1:] >= numbers.view(np.uint64)[:-1]))).all():
        yield "its rows are not in the order of time"
    if len(times) and (int(times[0]), int(times[-1])) != (file.first, file.last):
        yield f"its times are from {times[0]} to {times[-1]}, {file.first} to {file.last} were committed"
    day = (file.key.day - EPOCH).days
    if len(times) and (times[0] // DAY, times[-1] // DAY) != (day, day):
        yield f"it has times outside of {file.key.day}"
