"""One client's stream of bars: what is over from history, then what the board's ring adds to it.

Each instrument is a line: a builder that has all quotes since the last bar that was sent. A line begins in history and
goes on in the ring behind the number of the last quote that history had, so that no quote is missed or taken twice
where the two meet. Whoever falls out of the ring begins in history again.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import bar_service_pb2 as pb
from crossrate.api.marketdata.v1 import history_pb2, quote_pb2
from crossrate.ticks.bars import BarBuilder, Bars
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import grid
from services.marketdata.board import Board
from services.marketdata.entry import COMPOSITE, COMPOSITE_SOURCE
from services.marketdata.history import ledger, queries, tokens
from services.marketdata.history.messages import bar_messages, columns_of, ns
from services.marketdata.history.queries import BarRule, Range
from services.marketdata.history.reader import Reader, View
from services.marketdata.history.rows import Columns

PAGE = 1_000
"""Bars of a message from history."""
PAGE_S = 5.0
LATE_NS_MAX = 86_400 * 10**9
"""A stream that resumes looks for quotes that came late so long before its place."""
TURN_S = 0.02
"""Quotes of so much time are taken together."""
CLOCK_S = 0.25
"""How often the clock is looked at while no quote comes."""
FOREVER = 1 << 62

SourceOf = Callable[[View, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for.

    Attributes:
        begin: for each name, the open time from which bars are sent, ns.
        numbers: for each name, the sequence up to which quotes are in what was sent before; 0 for a new stream.
    """

    names: tuple[str, ...]
    source: str
    rule: BarRule
    begin: tuple[int, ...]
    numbers: tuple[int, ...]
    update_s: float
    heartbeat_s: float
    messages_max: int
    question: bytes


@dataclass(slots=True)
class Line:
    """One instrument. All bars that end by `sent` were sent; `sequence` is the number of the last quote it has."""

    name: str
    source: str
    sent: int
    builder: BarBuilder
    sequence: int = 0
    changed: bool = False
    late: set[int] = field(default_factory=set)

    def take(self, quotes: Sequence[quote_pb2.Quote]) -> Bars:
        """Takes quotes of the ring, and gives the bars that are over; notes those of late quotes."""
        columns = Columns()
        for quote in quotes:
            if quote.sequence > self.sequence:
                columns.add(quote, bool(self.sequence) and quote.sequence > self.sequence + 1)
                self.sequence = quote.sequence
        ticks = columns.ticks()
        if len(ticks):
            times, builder = ticks.venue_time, self.builder
            edges = grid(builder.period, builder.session, int(times.min()), int(times.max()))
            opens, closes = edges.spans(times)
            known = np.maximum.accumulate(np.append(max(builder.known_until, self.sent), times))[:-1]
            self.late |= set(opens[closes <= known].tolist())
            self.changed = True
        return self.builder.add(ticks)


class BarStream:
    """The messages of one stream."""

    def __init__(
        self,
        board: Board,
        reader: Reader,
        wanted: Wanted,
        source_of: SourceOf,
        grace_ns: int,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._board = board
        self._reader = reader
        self._wanted = wanted
        self._source_of = source_of
        self._grace_ns = grace_ns
        self._now_ns = now_ns
        self._sent, self._numbers = list(wanted.begin), list(wanted.numbers)
        self._sequence = self._batches = 0

    async def messages(self, ending: asyncio.Event) -> AsyncIterator[pb.StreamBarsResponse]:
        """Until the stream is complete or should end."""
        async with contextlib.aclosing(self._messages(ending)) as messages:
            async for message in messages:
                yield message
                self._batches += message.WhichOneof("event") == "bars"
                if self._batches == self._wanted.messages_max > 0:
                    return

    async def _messages(self, ending: asyncio.Event) -> AsyncIterator[pb.StreamBarsResponse]:
        while not ending.is_set():
            board = self._board
            position, generation = board.head, board.generation
            lines: list[Line] = []
            for place, name in enumerate(self._wanted.names):
                async for given in self._history(place, name, ending):
                    if isinstance(given, Line):
                        lines.append(given)
                    else:
                        yield given
            async for message in self._live(lines, position, generation, ending):
                yield message

    async def _history(
        self, place: int, name: str, ending: asyncio.Event
    ) -> AsyncIterator[pb.StreamBarsResponse | Line]:
        """The bars that are over, page by page, and at the end a line that has all that follows."""
        wanted, blocking = self._wanted, self._reader.blocking
        while not ending.is_set():
            view = await self._reader.view([name], wanted.source)
            source = await blocking(self._source_of, view, name, wanted.source)
            now = self._now_ns()
            rule = replace(wanted.rule, until=now - self._grace_ns)
            line = Line(name, source or wanted.source, self._sent[place], _builder(rule))
            if source is None:
                yield line
                return
            if number := self._numbers[place]:
                line.late = await blocking(_late, view, line, number)
                for message in await self._corrections(place, line):
                    yield message
            self._numbers[place] = await blocking(_newest, view, line)
            asked = Range(name, source, line.sent, now + 1)
            made, following = await blocking(queries.bar_page, view, asked, rule, PAGE, time.monotonic() + PAGE_S)
            done = [bar for bar in made if bar.complete]
            if done:
                self._sent[place] = line.sent = ns(done[-1].close_time)
            if following is None:
                await blocking(_seed, view, line)
            if done:
                yield self._message(name, source, done)
            if following is None:
                yield line
                return

    async def _live(
        self, lines: list[Line], position: int, generation: int, ending: asyncio.Event
    ) -> AsyncIterator[pb.StreamBarsResponse]:
        """What the ring adds, until this stream has fallen out of it."""
        board, wanted = self._board, self._wanted
        beat_at = update_at = time.monotonic()
        beat_at += wanted.heartbeat_s
        while not ending.is_set():
            changed, head = board.changed(), board.head
            if position + 1 < board.oldest or board.generation != generation:
                return
            count = self._sequence
            # While a message is sent the ring moves on.
            quotes = [self._quotes(line, position) for line in lines]
            if any(each is None for each in quotes):
                return
            for place, line in enumerate(lines):
                bars = [line.take(quotes[place] or ())]
                bars.append(line.builder.advance(self._now_ns() - self._grace_ns))
                for done in bars:
                    if len(done):
                        self._sent[place] = line.sent = max(line.sent, int(done.close_time[-1]))
                        yield self._message(line.name, line.source, bar_messages(done))
                for corrected in await self._corrections(place, line):
                    yield corrected
                # Only now: until they are sent, a client that resumes has to be told of what came late.
                self._numbers[place] = line.sequence or self._numbers[place]
            position = head
            if wanted.update_s and time.monotonic() >= update_at:
                update_at = time.monotonic() + wanted.update_s
                for line in lines:
                    if line.changed and len(current := line.builder.current()):
                        yield self._message(line.name, line.source, bar_messages(current))
                    line.changed = False
            if self._sequence > count:
                beat_at = time.monotonic() + wanted.heartbeat_s
            elif time.monotonic() >= beat_at:
                beat_at = time.monotonic() + wanted.heartbeat_s
                yield self._heartbeat()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOCK_S):
                    await changed.wait()
                    await asyncio.sleep(TURN_S)

    def _quotes(self, line: Line, position: int) -> list[quote_pb2.Quote] | None:
        """What the ring has of a line behind a position; None if a second venue has begun to quote it, so that its
        composite is no longer the quotes of the first."""
        composite = self._wanted.source == COMPOSITE_SOURCE
        entries = self._board.between(position, frozenset((line.name,)), COMPOSITE if composite else line.source)
        if composite:
            alone = line.source != COMPOSITE_SOURCE
            return None if alone and any(e.source == COMPOSITE for e in entries) else [e.quote for e in entries]
        if not line.source and entries:
            # Nothing was known of the instrument: its first venue is the one.
            line.source = entries[0].source
            entries = [entry for entry in entries if entry.source == line.source]
        return [entry.quote for entry in entries]

    async def _corrections(self, place: int, line: Line) -> list[pb.StreamBarsResponse]:
        """Bars that were over when a quote of theirs came, as history has them now."""
        made = []
        if line.late:
            view = await self._reader.view([line.name], self._wanted.source)
            rule = replace(self._wanted.rule, until=self._now_ns() - self._grace_ns)
            for begin in sorted(line.late):
                asked = Range(line.name, line.source, begin, begin + 1)
                bars, _ = await self._reader.blocking(queries.bar_page, view, asked, rule, 1, FOREVER)
                if bars:
                    # Where there had been no bar this is its first: it is not sent again to a client that resumes.
                    self._sent[place] = line.sent = max(line.sent, ns(bars[0].close_time))
                    made.append(self._message(line.name, line.source, bars, correction=True))
            line.late.clear()
        return made

    def _message(
        self, name: str, source: str, bars: list[history_pb2.Bar], *, correction: bool = False
    ) -> pb.StreamBarsResponse:
        batch = pb.BarBatch(instrument=name, source=source, bars=bars, correction=correction)
        return pb.StreamBarsResponse(position=self._position(), bars=batch)

    def _heartbeat(self) -> pb.StreamBarsResponse:
        message = pb.StreamBarsResponse(position=self._position())
        message.heartbeat.server_time.FromNanoseconds(self._now_ns())
        return message

    def _position(self) -> stream_pb2.StreamPosition:
        self._sequence += 1
        cursor = tokens.encode(packed(self._sent, self._numbers), self._wanted.question)
        return stream_pb2.StreamPosition(sequence=self._sequence, cursor=cursor)


def _builder(rule: BarRule) -> BarBuilder:
    return BarBuilder(rule.period, rule.session, rule.sides)


def _seed(view: View, line: Line) -> None:
    """Gives a line the quotes since the last bar that was sent. Blocks."""
    line.builder.advance(line.sent)
    for page in view.ticks(line.name, line.sent, FOREVER, line.source):
        line.builder.add(Ticks(**columns_of(page.batch)))
    line.changed = True
    line.sequence = _newest(view, line)


def _newest(view: View, line: Line) -> int:
    """The number of the newest quote that history has of a line. Blocks."""
    also = view.also(line.source, line.name)
    if also is not None and len(also):
        return int(also.sequence[-1])
    return ledger.last_sequence(view.store, (line.source, line.name)) or 0


def _late(view: View, line: Line, number: int) -> set[int]:
    """The bars that were sent and have quotes behind a number: those came while nobody listened. Blocks."""
    opens: set[int] = set()
    begin, builder = line.sent - LATE_NS_MAX, line.builder
    for page in view.ticks(line.name, begin, line.sent, line.source, ["venue_time", "sequence"]):
        block = columns_of(page.batch)
        times = block["venue_time"][block["sequence"] > number]
        if len(times):
            edges = grid(builder.period, builder.session, int(times[0]), int(times[-1]))
            opens |= set(edges.spans(times)[0].tolist())
    return opens


def packed(times: Sequence[int], numbers: Sequence[int]) -> bytes:
    """Places of instruments as a cursor's bytes: times up to which bars were sent, and numbers of quotes."""
    return struct.pack(f">{len(times)}q{len(numbers)}Q", *times, *numbers)


def unpacked(body: bytes, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of a cursor: times and numbers.

    Raises:
        ValueError: they are of another number of instruments.
    """
    try:
        places = struct.unpack(f">{count}q{count}Q", body)
    except struct.error as wrong:
        raise ValueError("it is of other instruments") from wrong
    return places[:count], places[count:]
