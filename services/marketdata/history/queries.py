"""Answers to questions about history. Everything here blocks and is called in a thread."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crossrate.api.marketdata.v1 import history_pb2 as pb
from crossrate.history.bars import BarStore
from crossrate.history.cursor import Cursor
from crossrate.ticks.bars import Bars
from crossrate.ticks.columns import Flag
from crossrate.ticks.periods import NEW_YORK_17, Period, Session
from services.marketdata.history.messages import bar_messages, columns_of, tick_columns, timestamp, venue_bar_messages
from services.marketdata.history.reader import View, proceed

_CURSOR = struct.Struct(">qI")
GAP_DAYS_MAX = 366
GAPS_MAX = 10_000
"""Most gaps of an answer; what is behind them is asked for by a later start."""


@dataclass(frozen=True, slots=True)
class Range:
    """Quotes of an instrument and source from `start` to before `end`, ns since 1970 UTC."""

    instrument: str
    source: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BarRule:
    """Which bars. `until` is the clock up to which all quotes are known."""

    period: Period
    session: Session
    sides: tuple[str, ...]
    until: int


def session_of(zone: str, opens_minute: int) -> Session:
    """The session of a request.

    Raises:
        ValueError: minutes without a zone.
    """
    if zone:
        return Session(zone, opens_minute)
    if opens_minute:
        raise ValueError("it needs session_zone")
    return NEW_YORK_17


def cursor_body(cursor: Cursor) -> bytes:
    """A cursor's bytes."""
    return _CURSOR.pack(cursor.venue_time, cursor.count)


def cursor_of(body: bytes) -> Cursor:
    """The cursor of some bytes.

    Raises:
        ValueError: they are none.
    """
    try:
        return Cursor(*_CURSOR.unpack(body))
    except struct.error as wrong:
        raise ValueError("it is not one that this method gave out") from wrong


def tick_page(
    view: View, asked: Range, names: list[str], size: int, resume: Cursor | None
) -> tuple[pb.TickColumns, Cursor | None]:
    """One page of quotes, and where to go on; None at the end."""
    parts, cursor, left = [], resume, size + 1
    pages = view.ticks(asked.instrument, asked.start, asked.end, asked.source, names, limit=left, resume=resume)
    for page in pages:
        block = columns_of(page.batch)
        parts.append(block)
        left -= len(block["venue_time"])
    whole = {name: np.concatenate([part[name] for part in parts]) for name in names} if parts else {}
    if left > 0:
        return tick_columns(whole), None
    whole = {name: column[:size] for name, column in whole.items()}
    cursor = (resume or Cursor(asked.start)).after(whole["venue_time"])
    return tick_columns(whole), cursor


def tick_batches(
    view: View, asked: Range, names: list[str], size: int, resume: Cursor | None, *, as_arrow: bool
) -> Iterator[tuple[pb.TickColumns | bytes, Cursor]]:
    """Quotes as messages of at most `size`, each with the cursor behind it."""
    # Not at import: pyarrow starts threads, and a process that has any cannot be forked.
    from crossrate.history import arrow

    for page in view.ticks(asked.instrument, asked.start, asked.end, asked.source, names, resume=resume, rows_max=size):
        content = arrow.to_ipc([page.batch]) if as_arrow else tick_columns(columns_of(page.batch))
        yield content, page.resume


def bars(view: View, asked: Range, rule: BarRule) -> Iterator[Bars]:
    """The bars that begin in a range."""
    return view.store.bars(
        asked.instrument,
        rule.period,
        asked.start,
        asked.end,
        asked.source,
        session=rule.session,
        sides=rule.sides,
        until=rule.until,
        also=view.also(asked.source, asked.instrument),
        proceed=proceed,
    )


def bar_page(view: View, asked: Range, rule: BarRule, size: int, finish_by: float) -> tuple[list[pb.Bar], int | None]:
    """One page of bars, and the open time from which the next one begins; None at the end.

    A page ends early if it is not done by a time of the monotonic clock, unless it has no bar yet.
    """
    made: list[pb.Bar] = []
    for part in bars(view, asked, rule):
        rest = size - len(made)
        made += bar_messages(part[:rest])
        if len(part) > rest:
            return made, int(part.close_time[rest - 1])
        if len(part) and bool(part.complete[-1]) and (rest == len(part) or time.monotonic() > finish_by):
            following = int(part.close_time[-1])
            return made, following if following < asked.end else None
    return made, None


def venue_bar_page(
    store: BarStore, asked: Range, rule: BarRule, size: int, finish_by: float
) -> tuple[list[pb.Bar], int | None]:
    """The same of a venue's own bars.

    Raises:
        ValueError: the venue's bars cannot be made into longer ones of this period and session.
    """
    made: list[pb.Bar] = []
    for part in store.bars(asked.instrument, rule.period, asked.start, asked.end, asked.source, session=rule.session):
        rest = size - len(made)
        made += venue_bar_messages(part, rule.sides, rest)
        if len(part.bars) > rest:
            return made, int(part.bars.close_time[rest - 1])
        if len(part.bars) and (len(made) == size or time.monotonic() > finish_by):
            following = int(part.bars.close_time[-1])
            return made, following if following < asked.end else None
    return made, None


def gaps(view: View, asked: Range) -> list[pb.TickGap]:
    """Where quotes are missing, by flags and numbers, of quotes in a range."""
    found: list[pb.TickGap] = []
    before: tuple[int, int] | None = None
    names = ["venue_time", "sequence", "flags"]
    for page in view.ticks(asked.instrument, asked.start, asked.end, asked.source, names):
        block = columns_of(page.batch)
        times, numbers = block["venue_time"], block["sequence"]
        for place in np.flatnonzero(block["flags"] & int(Flag.AFTER_GAP)).tolist():
            previous = (int(times[place - 1]), int(numbers[place - 1])) if place else before
            gap = pb.TickGap(end_time=timestamp(int(times[place])))
            if previous is not None:
                gap.start_time.CopyFrom(timestamp(previous[0]))
                gap.missing_count = max(int(numbers[place]) - previous[1] - 1, 0)
            found.append(gap)
            if len(found) == GAPS_MAX:
                return found
        before = int(times[-1]), int(numbers[-1])
    return found
