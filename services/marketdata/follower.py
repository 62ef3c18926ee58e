"""Keeps the board equal to the log: what is announced as it comes, what was missed by reading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.quote_log import LogEntry, LogUnavailable, QuoteLog, pause

PATIENCE_S = 0.05
"""Writers of two feeds announce by themselves, so an entry can be heard before the one in front of it. It is waited for
this long, then read."""
EARLY_MAX = 256
"""Entries that wait for one in front of them."""

Applied = Callable[[pb.QuotesPublished, str, int], None]
"""Hears of every entry after the board has taken it: what it says, its feed, its number."""


@dataclass(slots=True)
class Written:
    """Where the writing of one feed stands.

    Attributes:
        number: of its newest entry in the log; 0 if it has none.
        epoch: that entry's term.
        following: the number that its next quote will have.
        board_number: of its newest entry that carries the board; 0 if it has none.
        state: where its source stood after it.
        feed: how the feed was, as its writer told last.
        released: whether it ended its writer's term.
        heard_at: when it came, on the monotonic clock.
    """

    number: int = 0
    epoch: int = 0
    following: int = 1
    board_number: int = 0
    state: pb.FeedState = field(default_factory=pb.FeedState)
    feed: feed_pb2.Feed = field(default_factory=feed_pb2.Feed)
    released: bool = False
    heard_at: float = 0.0

    def take(self, number: int, published: pb.QuotesPublished, now: float) -> None:
        """Takes the feed's next entry."""
        self.number, self.epoch, self.released, self.heard_at = number, published.epoch, published.released, now
        self.following = published.first_sequence + len(published.quotes)
        self.board_number = number if published.board else published.board_number
        if published.HasField("state"):
            self.state = published.state
        if published.HasField("feed"):
            self.feed = published.feed


class Follower:
    """One instance's reader of the log.

    Attributes:
        applied: number of the newest entry that the board has; 0 before the first.
        complete: whether everything that was in the log when the instance started has been read.
        feeds: where the writing of each feed stands, by the entries that were read.
    """

    def __init__(
        self,
        log: QuoteLog,
        board: Board,
        feeds: Iterable[str],
        entries_read: int,
        note: Any,
        clock: Callable[[], float] = time.monotonic,
        applied: Applied | None = None,
    ) -> None:
        self._log = log
        self._tell = applied
        self._board = board
        self._names = tuple(feeds)
        self._entries_read = entries_read
        self._note = note
        self._clock = clock
        self._behind = asyncio.Event()
        self._reading = asyncio.Lock()
        self._early: dict[int, LogEntry] = {}
        self.applied = 0
        self.complete = False
        self.feeds: dict[str, Written] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Follows the log until the process stops."""
        unfollow = None
        while not stopping.is_set():
            try:
                if unfollow is None:
                    # Listening begins before reading, so that nothing falls between the two.
                    unfollow = await self._log.follow(self._heard)
                self._behind.clear()
                await self.catch_up()
                self.complete = True
                self._drain()
                if self._early:
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
                # The log was lost. The board keeps the newest quotes; whoever writes next counts on from there.
                self._note.error("the quote log is shorter than it was", applied=self.applied, last=last)
                self.applied = 0
                self._early.clear()
                self._board.forget_places()
                for written in self.feeds.values():
                    written.number = written.board_number = 0
            news, after = 0, max(self.applied, await self._beginning(last) if not self.complete else 0)
            while after < last and (entries := await self._log.read(after)):
                news += sum([self._apply(entry) for entry in entries])
                after = entries[-1].number
            return news

    async def _beginning(self, last: int) -> int:
        """After which entry a new instance begins: early enough for the board of each feed, and to fill the ring."""
        begin = max(last - self._entries_read, 0)
        for feed in self._names:
            entry = await self._log.last_of(feed)
            if entry is None:
                continue
            published = self._decoded(entry)
            if published is not None:
                board = entry.number if published.board else published.board_number
                begin = min(begin, (board or entry.number) - 1)
        return begin

    def wrote(self, entry: LogEntry, published: pb.QuotesPublished) -> None:
        """Takes an entry that this instance has appended, if it is next, without its way over NATS; otherwise it comes
        from there like those of others."""
        if self.complete and not self._reading.locked() and entry.number == self.applied + 1:
            self._take(entry, published)
            self._drain()

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

    def _apply(self, entry: LogEntry) -> bool:
        """Takes an entry, and returns whether it was news."""
        if entry.number <= self.applied:
            return False
        self._take(entry, self._decoded(entry))
        return True

    def _take(self, entry: LogEntry, published: pb.QuotesPublished | None) -> None:
        self.applied = entry.number
        if published is not None:
            self._board.apply(published, entry.feed, entry.number)
            self.feeds.setdefault(entry.feed, Written()).take(entry.number, published, self._clock())
            if self._tell is not None:
                self._tell(published, entry.feed, entry.number)

    def _decoded(self, entry: LogEntry) -> pb.QuotesPublished | None:
        try:
            return pb.QuotesPublished.FromString(entry.payload)
        except DecodeError:
            # Nothing of this service writes such an entry; it must not stop every instance for good.
            self._note.error("an entry of the quote log cannot be decoded; skipping it", number=entry.number)
            return None


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    """Waits until one of two events is set."""
    tasks = [asyncio.ensure_future(e.wait()) for e in (first, second)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
