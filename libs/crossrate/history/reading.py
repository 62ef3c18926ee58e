"""Quotes and bars out of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from crossrate.history.arrow import ticks_batch
from crossrate.history.cursor import Cursor
from crossrate.history.errors import UnknownVenueError
from crossrate.history.log import File, Log, Pinned, Snapshot
from crossrate.history.merge import FOREVER, Source, merged
from crossrate.history.parquet import ORDER, Block, columns_of, in_order, joined, part, read, ticks_of
from crossrate.ticks.bars import BarBuilder, Bars
from crossrate.ticks.columns import COLUMNS, Ticks
from crossrate.ticks.periods import DAY, EPOCH, grid

BAR_COLUMNS = ("venue_time", "bid", "ask", "sequence", "flags")
QUANTITIES = ("bid_quantity", "ask_quantity")
BEGINNING = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Page:
    """Some quotes, and where to go on after them."""

    batch: pa.RecordBatch
    resume: Cursor


def blocks(
    log: Log | Pinned,
    files: Sequence[File],
    columns: Sequence[str],
    start: int,
    end: int,
    also: Ticks | None = None,
    proceed: Callable[[], object] | None = None,
) -> Iterator[Block]:
    """The rows of files, and some more, from `start` to before `end` in the order of time, day by day.

    `proceed` is called before each row group is read; what it raises ends it.
    """
    wanted = [name for name in columns if name != "venue"]

    def rows(file: File) -> Iterator[Block]:
        for block in read(log.place, file.path, wanted, start, end, proceed):
            if "venue" in columns:
                block["venue"] = np.full(len(block["venue_time"]), file.key.venue, object)
            yield block

    days: dict[int, list[Source]] = {}
    for file in files:
        source = Source(max(file.first, start), lambda file=file: rows(file))
        days.setdefault((file.key.day - EPOCH).days, []).append(source)
    more = in_order(columns_of(also)) if also is not None else {}
    for day in np.unique(more["venue_time"] // DAY) if more else ():
        begin, stop = np.searchsorted(more["venue_time"], [max(day * DAY, start), min((day + 1) * DAY, end)])
        if begin < stop:
            piece = {name: more[name][begin:stop] for name in dict.fromkeys([*ORDER, *wanted])}
            source = Source(int(piece["venue_time"][0]), lambda piece=piece: iter([piece]))
            days.setdefault(int(day), []).append(source)
    for day in sorted(days):
        yield from merged(days[day])


def pages(
    log: Log | Pinned,
    files: Sequence[File],
    columns: Sequence[str],
    cursor: Cursor,
    end: int,
    limit: int | None,
    rows_max: int,
    also: Ticks | None = None,
    proceed: Callable[[], object] | None = None,
) -> Iterator[Page]:
    """Quotes after a cursor as record batches of at most `rows_max` rows, in all at most `limit`."""
    skip, left = cursor.count, limit
    for block in blocks(log, files, columns, cursor.venue_time, end, also, proceed):
        begin = min(skip, len(block["venue_time"]))
        skip -= begin
        while begin < len(block["venue_time"]) and left != 0:
            stop = min(len(block["venue_time"]), begin + rows_max, begin + (left if left is not None else rows_max))
            piece = part(block, begin, stop)
            cursor = cursor.after(piece["venue_time"])
            left = None if left is None else left - (stop - begin)
            begin = stop
            yield Page(ticks_batch(piece, columns, {}), cursor)
        if left == 0:
            return


def ends(log: Log | Pinned, files: Sequence[File], count: int) -> tuple[Block, Block]:
    """The first and the last `count` rows of files in the order of time; none is in both."""
    days = sorted({file.key.day for file in files})
    total = sum(file.rows for file in files)

    def rows(day: date) -> Iterator[Block]:
        return blocks(log, [file for file in files if file.key.day == day], list(COLUMNS), BEGINNING, FOREVER)

    first: list[Block] = []
    for block in (block for day in days for block in rows(day)):
        have = sum(len(each["venue_time"]) for each in first)
        if have >= count:
            break
        first.append(part(block, 0, count - have))
    wanted = min(count, max(total - count, 0))
    last: list[Block] = []
    for day in reversed(days):
        have = sum(len(each["venue_time"]) for each in last)
        if have >= wanted:
            break
        whole = joined(list(rows(day)))
        size = len(whole["venue_time"])
        last.insert(0, part(whole, max(size - (wanted - have), 0), size))
    nothing = columns_of(Ticks.concatenated([]))
    return (joined(first) if first else nothing), (joined(last) if last and wanted else nothing)


def the_venue(files: Sequence[File], instrument: str) -> str | None:
    """The one venue of files; None if there is no file.

    Raises:
        UnknownVenueError: there are several.
    """
    venues = sorted({file.key.venue for file in files})
    if len(venues) > 1:
        raise UnknownVenueError(f"venue: {instrument} has quotes of {', '.join(venues)}; name one of them")
    return venues[0] if venues else None


def bars(
    log: Log | Pinned,
    snapshot: Snapshot,
    builder: BarBuilder,
    instrument: str,
    venue: str | None,
    start: int,
    end: int,
    until: int | None,
    also: Ticks | None = None,
    proceed: Callable[[], object] | None = None,
) -> Iterator[Bars]:
    """The bars that begin from `start` to before `end`; the last may be incomplete."""
    edges = grid(builder.period, builder.session, start, max(start, end - 1))
    opens, closes = edges.spans(np.array([start, max(start, end - 1)]))
    low, high = int(opens[0] if opens[0] == start else closes[0]), int(closes[1])
    if low >= end:
        return
    every = snapshot.files(instrument=instrument, venue=venue, start=low)
    the_venue(every, instrument)
    files = [file for file in every if file.first < high]
    columns = [*BAR_COLUMNS, *(QUANTITIES if builder.quantities else ())]
    for block in blocks(log, files, columns, low, high, also, proceed):
        done = builder.add(ticks_of(block))
        if len(done):
            yield done
    # Bars are over also when quotes after the range say so.
    last = max((file.last for file in every), default=low)
    if also is not None and len(also):
        last = max(last, int(also.venue_time.max()))
    done = builder.advance(max(min(last, high), until or low))
    if len(done):
        yield done
    if len(builder.current()):
        yield builder.current()


def of_columns(columns: Sequence[str] | None, several_venues: bool) -> list[str]:
    """The columns that were asked for, `venue` among them where quotes may be of several.

    Raises:
        ValueError: there is no such column.
    """
    if columns is None:
        return [*COLUMNS, *(["venue"] if several_venues else [])]
    unknown = [name for name in columns if name not in COLUMNS and name != "venue"]
    if unknown:
        raise ValueError(f"columns: {unknown[0]!r} is none of {', '.join(COLUMNS)}, venue")
    return list(dict.fromkeys(columns))
