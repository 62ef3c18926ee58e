"""Stored quotes as they came: of several instruments in the order of venue time, at a multiple of their speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.history.cursor import Cursor
from crossrate.ticks.columns import Ticks
from services.marketdata.history import queries, tokens
from services.marketdata.history.messages import columns_of, quotes_of
from services.marketdata.history.reader import Reader, View
from services.marketdata.quote_log import pause

BATCH_MAX = 1_000
"""Most quotes of a message."""
WINDOW_FIRST_NS, WINDOW_MAX_NS = 10 * 10**9, 86_400 * 10**9
ROWS_FEW, ROWS_MANY = 5_000, 50_000
"""A window of time is made longer or shorter so that about so many quotes are held."""
STEP_S = 0.01
"""At a speed, quotes that are due within so much time are sent together."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for: sources by instrument, a range in ns, market seconds a second (0 for no pace)."""

    sources: Mapping[str, str]
    start: int
    end: int
    speed: float
    resume: Cursor | None
    heartbeat_s: float
    messages_max: int
    question: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """Quotes of all instruments in the order of time; `which` is the place of each one's instrument."""

    ticks: Ticks
    which: NDArray[np.int64]


def window(view: View, wanted: Wanted, begin: int, end: int) -> Window:
    """The quotes of a range of time. Blocks."""
    parts, which = [], []
    for place, (name, source) in enumerate(wanted.sources.items()):
        for page in view.ticks(name, begin, end, source):
            parts.append(Ticks(**columns_of(page.batch)))
            which.append(np.full(len(parts[-1]), place, np.int64))
    ticks, places = Ticks.concatenated(parts), np.concatenate([np.empty(0, np.int64), *which])
    order = np.lexsort((ticks.sequence, places, ticks.venue_time))
    return Window(ticks[order], places[order])


class Replay:
    """The messages of one stream."""

    def __init__(
        self, view: View, reader: Reader, wanted: Wanted, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._view = view
        self._reader = reader
        self._wanted = wanted
        self._monotonic = monotonic
        self._cursor = wanted.resume or Cursor(wanted.start)
        self._begun: tuple[float, int] | None = None
        self._sequence = self._batches = 0
        self._beat_at = monotonic() + wanted.heartbeat_s

    async def messages(self, ending: asyncio.Event) -> AsyncIterator[pb.ReplayResponse]:
        """Until the range is done or the stream should end."""
        wanted, length = self._wanted, WINDOW_FIRST_NS
        begin, skip = self._cursor.venue_time, self._cursor.count
        while begin < wanted.end and not ending.is_set():
            end = min(begin + length, wanted.end)
            held = await self._reader.blocking(window, self._view, wanted, begin, end)
            async for message in self._of(held, skip, ending):
                yield message
                if self._batches == wanted.messages_max > 0:
                    return
            rows = len(held.which)
            length = min(length * 2, WINDOW_MAX_NS) if rows < ROWS_FEW else length // 2 if rows > ROWS_MANY else length
            begin, skip = end, 0

    async def _of(self, held: Window, place: int, ending: asyncio.Event) -> AsyncIterator[pb.ReplayResponse]:
        """The messages of a window, from one of its quotes on."""
        times = held.ticks.venue_time
        while place < len(times) and not ending.is_set():
            stop = min(place + BATCH_MAX, self._due(times, place), len(times))
            if stop > place:
                batch = await self._reader.blocking(self._batch, held, place, stop)
                last = int(times[stop - 1])
                self._cursor = Cursor(last, stop - int(np.searchsorted(times, last)))
                yield pb.ReplayResponse(position=self._position(), quotes=batch)
                self._batches += 1
                place = stop
                continue
            waits = min(self._wait_s(int(times[place])), max(self._beat_at - self._monotonic(), 0))
            await pause(ending, max(waits, STEP_S))
            if self._monotonic() >= self._beat_at:
                message = pb.ReplayResponse(position=self._position())
                message.heartbeat.server_time.GetCurrentTime()
                yield message

    def _due(self, times: NDArray[np.int64], place: int) -> int:
        """Up to which quote they are due."""
        if not self._wanted.speed:
            return len(times)
        if self._begun is None:
            self._begun = self._monotonic(), int(times[place])
        passed = (self._monotonic() - self._begun[0]) * self._wanted.speed
        return int(np.searchsorted(times, self._begun[1] + int(passed * 1e9), "right"))

    def _wait_s(self, until: int) -> float:
        assert self._begun is not None, "a replay without a pace does not wait"
        return (until - self._begun[1]) / 1e9 / self._wanted.speed - (self._monotonic() - self._begun[0])

    def _batch(self, held: Window, begin: int, end: int) -> pb.ReplayBatch:
        named = list(self._wanted.sources.items())
        which = [named[place] for place in held.which[begin:end].tolist()]
        return pb.ReplayBatch(quotes=quotes_of(which, held.ticks[begin:end]))

    def _position(self) -> stream_pb2.StreamPosition:
        self._sequence += 1
        self._beat_at = self._monotonic() + self._wanted.heartbeat_s
        cursor = tokens.encode(queries.cursor_body(self._cursor), self._wanted.question)
        return stream_pb2.StreamPosition(sequence=self._sequence, cursor=cursor)
