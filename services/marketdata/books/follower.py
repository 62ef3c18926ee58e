"""Keeps the books equal to their log: what is announced as it comes, what was missed by reading."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1 import book_events_pb2 as pb
from services.marketdata.books.board import BookBoard
from services.marketdata.books.log import BookLog
from services.marketdata.quote_log import LogEntry, LogUnavailable, pause

PATIENCE_S = 0.05
"""Writers of two feeds announce by themselves, so an entry can be heard before the one in front of it. It is waited for
this long, then read."""
EARLY_MAX = 256
"""Entries that wait for one in front of them."""
RETRY_S = 0.5


@dataclass(slots=True)
class Written:
    """Where the writing of one feed's books stands.

    Attributes:
        number: of its newest entry in the log; 0 if it has none.
        epoch: that entry's term.
        round_number: where a reader begins who wants every book; 0 if no round was finished.
    """

    number: int = 0
    epoch: int = 0
    round_number: int = 0


class BookFollower:
    """One instance's reader of the books' log.

    Attributes:
        applied: number of the newest entry that the board has; 0 before the first.
        complete: whether everything that was in the log when the instance started has been read.
        feeds: where the writing of each feed stands, by the entries that were read.
        bytes_read: of the entries that were read.
    """

    def __init__(self, log: BookLog, board: BookBoard, feeds: Iterable[str], entries_read: int, note: Any) -> None:
        self._log = log
        self._board = board
        self._names = tuple(feeds)
        self._entries_read = entries_read
        self._note = note
        self._early: dict[int, LogEntry] = {}
        self._behind = asyncio.Event()
        self._reading = asyncio.Lock()
        self.applied = 0
        self.complete = False
        self.bytes_read = 0
        self.feeds: dict[str, Written] = {}

    def written(self, feed: str) -> Written:
        """Where the writing of a feed stands."""
        return self.feeds.get(feed) or Written()

    async def check(self) -> None:
        """For health: whether the log has been read.

        Raises:
            TimeoutError: not yet.
        """
        if not self.complete:
            raise TimeoutError("the books' log has not been read yet")

    async def run(self, stopping: asyncio.Event) -> None:
        """Follows until the process stops."""
        unfollow = None
        closing = asyncio.ensure_future(stopping.wait())
        try:
            while not stopping.is_set():
                try:
                    if unfollow is None:
                        # Listening begins before reading, so that nothing falls between the two.
                        unfollow = await self._log.follow(self._heard)
                    self._behind.clear()
                    await self.catch_up()
                    if self._early:
                        continue
                    behind = asyncio.ensure_future(self._behind.wait())
                    await asyncio.wait([behind, closing], return_when=asyncio.FIRST_COMPLETED)
                    behind.cancel()
                except LogUnavailable as error:
                    self._note.warning("the books' log cannot be read; trying again", reason=str(error))
                    await pause(stopping, RETRY_S)
        finally:
            closing.cancel()
            if unfollow is not None:
                await unfollow()

    async def catch_up(self) -> None:
        """Reads to the end of the log.

        Raises:
            LogUnavailable: the log did not answer.
        """
        async with self._reading:
            last = await self._log.last()
            if last < self.applied:
                self._note.error("the books' log is shorter than it was", applied=self.applied, last=last)
                self.applied = 0
                self._early.clear()
                self._board.forget_places()
                self.feeds.clear()
            after = self.applied if self.complete else max(self.applied, await self._beginning(last))
            while after < last and (entries := await self._log.read(after)):
                for entry in entries:
                    self._apply(entry)
                after = entries[-1].number
            self.complete = True
            self._drain()

    async def _beginning(self, last: int) -> int:
        """After which entry a new instance begins: early enough for every book of each feed, and to fill the ring."""
        begin = max(last - self._entries_read, 0)
        for feed in self._names:
            entry = await self._log.last_of(feed)
            if entry is not None:
                published = self._decoded(entry)
                begin = min(begin, max((published.round_number if published else 0) - 1, 0))
        return begin

    async def _heard(self, entry: LogEntry) -> None:
        if entry.number <= self.applied:
            return
        if len(self._early) >= EARLY_MAX:
            self._early.clear()
            self._behind.set()
        self._early[entry.number] = entry
        if self.complete and not self._reading.locked():
            self._drain()
        if self._early:
            asyncio.get_running_loop().call_later(PATIENCE_S, self._still_waiting, self.applied)

    def _still_waiting(self, applied: int) -> None:
        if self._early and self.applied == applied:
            self._behind.set()

    def _drain(self) -> None:
        """Takes what was heard, as far as nothing is missing in front of it."""
        while (entry := self._early.pop(self.applied + 1, None)) is not None:
            self._apply(entry)
        if self._early:
            self._early = {number: entry for number, entry in self._early.items() if number > self.applied}

    def _apply(self, entry: LogEntry) -> None:
        if entry.number <= self.applied:
            return
        self.applied = entry.number
        self.bytes_read += len(entry.payload)
        published = self._decoded(entry)
        if published is not None:
            self._board.apply(published, entry.feed, entry.number)
            self.feeds[entry.feed] = Written(entry.number, published.epoch, published.round_number)

    def _decoded(self, entry: LogEntry) -> pb.BooksPublished | None:
        try:
            return pb.BooksPublished.FromString(entry.payload)
        except DecodeError:
            # Nothing of this service writes such an entry; it must not stop every instance for good.
            self._note.error("an entry of the books' log cannot be decoded; skipping it", number=entry.number)
            return None
