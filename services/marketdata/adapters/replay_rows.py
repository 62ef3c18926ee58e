"""The rows of several files in one order: by time, then by file, then as they stand. No event loop.

    files ── first time of each ──▶ opened when it is their turn ── merged ──▶ blocks of rows

The order depends on the files alone, so that a number of rows is a place in it. A row that is earlier than one before
it in its file keeps its turn: it counts with the time of the one before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossrate.files.chunk import Chunk
from crossrate.files.containers import Limits
from crossrate.files.reader import read
from crossrate.files.shape import Shape

PROBE_BYTES = 65_536
SMALL = Limits(block_bytes=PROBE_BYTES)

Reject = Callable[[str, int, str], None]
"""Hears of a line that is no row: file, line, reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows in order.

    Attributes:
        key: when each has its turn, nanoseconds since 1970 UTC, ascending.
        instruments: names; `which` chooses among them.
        which: the instrument of each.
        venue_time: nanoseconds since 1970 UTC.
        bid: counter per base; NaN for a side that is not there.
        ask: counter per base.
        bid_quantity: units of the base currency, 0 where it is not known.
        ask_quantity: units of the base currency.
        sequence: the file's own numbers; 0 where there are none.
    """

    key: NDArray[np.int64]
    instruments: tuple[str, ...]
    which: NDArray[np.int64]
    venue_time: NDArray[np.int64]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_quantity: NDArray[np.float64]
    ask_quantity: NDArray[np.float64]
    sequence: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, which: slice | NDArray) -> Rows:
        columns = (getattr(self, name)[which] for name in COLUMNS)
        return Rows(self.key[which], self.instruments, self.which[which], *columns)


COLUMNS = ("venue_time", "bid", "ask", "bid_quantity", "ask_quantity", "sequence")


def digest(paths: Sequence[Path], shape: Shape, instrument: str | None, run: str) -> str:
    """What tells this run of these files, read so, from others: names, sizes, their begins and ends."""
    found = hashlib.blake2b(f"{shape.model_dump_json()} {instrument} {run} ".encode(), digest_size=16)
    for path in paths:
        size = path.stat().st_size
        with path.open("rb") as file:
            begin = file.read(PROBE_BYTES)
            file.seek(max(size - PROBE_BYTES, 0))
            found.update(f"{path.name} {size} ".encode() + begin + file.read(PROBE_BYTES))
    return found.hexdigest()


class _File:
    """One file being read."""

    def __init__(self, path: Path, shape: Shape, instrument: str | None, index: int, reject: Reject) -> None:
        self._chunks: Iterator[Chunk] = read(path, shape, instrument=instrument)
        self._reject = reject
        self._latest = 0
        self.index = index
        self.waiting: list[Rows] = []
        self.last = 0
        self.more = True

    def fill(self) -> None:
        """Reads on until there are rows, or nothing is left."""
        while self.more and not self.waiting:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.more = False
                return
            for line in chunk.rejected:
                self._reject(chunk.member, line.line, line.reason)
            if len(chunk.ticks):
                self.waiting.append(self._rows(chunk))

    def _rows(self, chunk: Chunk) -> Rows:
        ticks = chunk.ticks
        key = np.maximum(np.maximum.accumulate(ticks.venue_time), self._latest)
        self._latest = self.last = int(key[-1])
        which = np.zeros(len(ticks), np.int64)
        bids, asks = np.nan_to_num(ticks.bid_quantity), np.nan_to_num(ticks.ask_quantity)
        return Rows(key, (chunk.instrument,), which, ticks.venue_time, ticks.bid, ticks.ask, bids, asks, ticks.sequence)

    def take(self, bound: int, side: str) -> list[Rows]:
        """The rows that wait with a time up to the bound; the bound included if `side` is "right"."""
        taken = []
        while self.waiting:
            rows = self.waiting[0]
            count = int(np.searchsorted(rows.key, bound, side))  # type: ignore[call-overload]
            if count:
                taken.append(rows[:count])
            if count < len(rows):
                self.waiting[0] = rows[count:]
                break
            del self.waiting[0]
        return taken

    def close(self) -> None:
        """Reads no further."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()


def merged(
    paths: Sequence[Path], shape: Shape, instrument: str | None, reject: Reject, *, skip: int = 0
) -> Iterator[Rows]:
    """Blocks of the rows of all files, in order, without the first `skip`.

    Raises:
        FileFailure: a file cannot be read, or not on.
    """
    begins = [(_begin(path, shape, instrument), index, path) for index, path in enumerate(paths)]
    later = sorted((begin, index, path) for begin, index, path in begins if begin is not None)
    opened: list[_File] = []
    try:
        while later or opened:
            if not opened:
                opened.append(_open(later.pop(0), shape, instrument, reject))
            for file in opened:
                file.fill()
            opened = [file for file in opened if file.waiting]
            if not opened:
                continue
            # Up to here everything is known of the files that are open; whoever begins before it is opened first.
            first = min(opened, key=lambda file: (file.last, file.index))
            if later and later[0][0] <= first.last:
                opened.append(_open(later.pop(0), shape, instrument, reject))
                continue
            taken = [
                (file, rows)
                for file in sorted(opened, key=lambda file: file.index)
                for rows in file.take(first.last, "right" if file.index <= first.index else "left")
            ]
            block = _together(taken)
            left, skip = min(skip, len(block)), max(skip - len(block), 0)
            if left < len(block):
                yield block[left:]
    finally:
        for file in opened:
            file.close()


def _begin(path: Path, shape: Shape, instrument: str | None) -> int | None:
    """The time of a file's first row; None if it has none."""
    chunks = read(path, shape, instrument=instrument, limits=SMALL)
    try:
        for chunk in chunks:
            if len(chunk.ticks):
                return int(chunk.ticks.venue_time[0])
        return None
    finally:
        chunks.close()  # type: ignore[attr-defined]


def _open(file: tuple[int, int, Path], shape: Shape, instrument: str | None, reject: Reject) -> _File:
    _, index, path = file
    return _File(path, shape, instrument, index, reject)


def _together(taken: Sequence[tuple[_File, Rows]]) -> Rows:
    names = tuple(dict.fromkeys(rows.instruments[0] for _, rows in taken))
    places = {name: place for place, name in enumerate(names)}
    which = np.concatenate([np.full(len(rows), places[rows.instruments[0]]) for _, rows in taken])
    file = np.concatenate([np.full(len(rows), each.index) for each, rows in taken])
    key = np.concatenate([rows.key for _, rows in taken])
    columns = (np.concatenate([getattr(rows, name) for _, rows in taken]) for name in COLUMNS)
    made = Rows(key, names, which, *columns)
    return made if len({each.index for each, _ in taken}) == 1 else made[np.lexsort((file, key))]
