"""Keeps the board equal to the feed's log: what is announced as it comes, what was missed by reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.quote_log import LogEntry, LogUnavailable, QuoteLog, pause


class Follower:
    """One instance's reader of the log.

    Attributes:
        applied: number of the newest entry that the board has; 0 before the first.
        complete: whether everything that was in the log when the instance started has been read.
        state: where the simulated market stood after that entry.
        released: whether that entry ended its writer's term.
        heard_at: when an entry last came, on the monotonic clock.
    """

    def __init__(
        self, log: QuoteLog, board: Board, entries_read: int, note: Any, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._board = board
        self._entries_read = entries_read
        self._note = note
        self._clock = clock
        self._behind = asyncio.Event()
        self._reading = asyncio.Lock()
        self._announced = 0
        self.applied = 0
        self.complete = False
        self.state = pb.FeedState()
        self.released = False
        self.heard_at = clock()

    @property
    def silence_s(self) -> float:
        """Seconds since an entry last came."""
        return self._clock() - self.heard_at

    async def run(self, stopping: asyncio.Event) -> None:
        """Follows the log until the process stops."""
        unfollow = None
        while not stopping.is_set():
            try:
                if unfollow is None:
                    # Listening begins before reading, so that nothing falls between the two.
                    unfollow = await self._log.follow(self._heard)
                await self.catch_up()
                self.complete = True
                self._behind.clear()
                if self.applied < self._announced:
                    continue
                await _either(self._behind, stopping)
            except LogUnavailable as error:
                self._note.warning("the quote log cannot be read; trying again", reason=str(error))
                await pause(stopping, 0.5)
        if unfollow is not None:
            await unfollow()

    async def catch_up(self) -> int:
        """Reads to the end of the log, and returns how many entries were news.

        Raises:
            LogUnavailable: the log did not answer.
        """
        async with self._reading:
            last = await self._log.last()
            if last < self.applied:
                # The log was lost. The board keeps what it has; whoever writes next counts on from there.
                self._note.error("the quote log is shorter than it was", applied=self.applied, last=last)
                self.applied = self._announced = last
            news, after = 0, max(self.applied, last - self._entries_read)
            while after < last and (entries := await self._log.read(after)):
                news += sum([self._apply(entry) for entry in entries])
                after = entries[-1].number
            return news

    async def _heard(self, entry: LogEntry) -> None:
        self._announced = max(self._announced, entry.number)
        if not self.complete or self._behind.is_set() or self._reading.locked():
            self._behind.set()
            return
        if not self._apply(entry, in_order=True):
            self._behind.set()

    def _apply(self, entry: LogEntry, in_order: bool = False) -> bool:
        """Takes an entry unless it is known; with `in_order` only if no quotes are missing before it."""
        if entry.number <= self.applied:
            return in_order
        try:
            published = pb.QuotesPublished.FromString(entry.payload)
        except DecodeError:
            # Nothing of this service writes such an entry; it must not stop every instance for good.
            self._note.error("an entry of the quote log cannot be decoded; skipping it", number=entry.number)
            self.applied = entry.number
            return True
        if in_order and published.first_sequence > self._board.head + 1:
            return False
        self._board.apply(published)
        self.applied = entry.number
        self.state = published.state
        self.released = published.released
        self.heard_at = self._clock()
        return True


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    """Waits until one of two events is set."""
    tasks = [asyncio.ensure_future(e.wait()) for e in (first, second)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
