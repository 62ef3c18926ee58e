"""A feed: every instance can write it, one does.

    follow ── released, or silent too long, and everything read ──▶ lead ── fenced, or the log is away ──▶ follow

An instance leads for one term. Its first entry carries a greater epoch and the board; its last, when it stops in good
order, releases the term so that the next instance begins at once. An instance that was only slow is fenced by its next
append and follows again. Numbers of quotes continue from the board, so they neither repeat nor go back.

Where quotes come from is the source's affair; only the instance that leads has its source open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as pb
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.follower import Follower, Written
from services.marketdata.quote_log import Fenced, LogEntry, LogUnavailable, QuoteLog, pause
from services.marketdata.settings import Settings
from services.marketdata.term import Term

RETRY_S = 0.5
"""After the log did not answer, nothing is tried for this long."""

PublishQuotes = Callable[[pb.QuotesPublished], Awaitable[None]]
"""Tells the world outside of this service of an entry that was appended, with quotes or without."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The two clocks of a feed: what time it is, in nanoseconds since 1970 UTC, and how much has passed, in seconds."""

    now_ns: Callable[[], int] = time.time_ns
    monotonic: Callable[[], float] = time.monotonic


class Venue(Protocol):
    """A source that is open for one term."""

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> pb.QuotesPublished | None:
        """The next entry of the term, made of what there is by now; None if there is nothing, unless `always`."""

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits for something to write, at most so long; returns whether the process stops."""


class Source(Protocol):
    """Where a feed's quotes come from."""

    @property
    def name(self) -> str:
        """The feed: lower-case letters, digits and hyphens."""

    def open(self, term: Term) -> AbstractAsyncContextManager[Venue]:
        """Opens it for a term."""


class Feed:
    """One instance's share in writing one feed."""

    def __init__(
        self,
        *,
        source: Source,
        catalogue: Catalogue,
        log: QuoteLog,
        follower: Follower,
        board: Board,
        publish: PublishQuotes,
        settings: Settings,
        note: Any,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._catalogue = catalogue
        self._log = log
        self._follower = follower
        self._board = board
        self._publish = publish
        self._tick_s = settings.tick_ms / 1000
        self._silence_s = settings.silence_ms / 1000
        self._takeover_s = settings.takeover_ms / 1000
        self._note = note.bind(feed=source.name) if hasattr(note, "bind") else note
        self._clock = clock or Clock()
        self.leading = False
        self.terms = 0
        self.fenced = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Follows and leads until the process stops."""
        while not await self._follow(stopping):
            await self._lead(stopping)

    @property
    def written(self) -> Written:
        """Where the writing of the feed stands."""
        return self._follower.feeds.get(self._source.name) or Written()

    async def _follow(self, stopping: asyncio.Event) -> bool:
        """Returns False when this instance may try to lead, True when the process stops."""
        follower = self._follower
        while not stopping.is_set():
            written, number = self.written, self.written.number
            silent = self._clock.monotonic() - written.heard_at >= self._takeover_s
            free = written.released or not number or silent
            if follower.complete and self._catalogue.loaded and free:
                try:
                    # Announcements can be lost. Who leads has read the log itself to its end, and found nothing new.
                    await follower.catch_up()
                    if self.written.number == number:
                        return False
                except LogUnavailable as error:
                    self._note.warning("the quote log cannot be read; not leading", reason=str(error))
                    await pause(stopping, RETRY_S)
            if await pause(stopping, self._tick_s):
                break
        return True

    async def _lead(self, stopping: asyncio.Event) -> None:
        """Writes one term."""
        written, clock, name = self.written, self._clock, self._source.name
        # The time in milliseconds, so that no term has the epoch of one that a log lost together with its end.
        epoch = max(written.epoch + 1, clock.now_ns() // 1_000_000)
        newest = {each: entry.quote for each, entry in self._board.newest(name).items()}
        term = Term(name, epoch, written.following, newest, written.state, written.board_number, written.feed)
        self.leading, self.terms = True, self.terms + 1
        self._note.info("leading the feed", epoch=epoch, after=written.number, quotes=written.following - 1)
        try:
            async with self._source.open(term) as venue:
                number = await self._write(venue, term, written.number, stopping)
            await self._append(term, term.release(clock.now_ns()), number)
            self._note.info("released the feed", epoch=epoch)
        except Fenced:
            self.fenced += 1
            self._note.warning("another instance writes the feed; following it", epoch=epoch)
        except LogUnavailable as error:
            self._note.warning("the quote log does not answer; following", epoch=epoch, reason=str(error))
            await pause(stopping, RETRY_S)
        finally:
            self.leading = False

    async def _write(self, venue: Venue, term: Term, number: int, stopping: asyncio.Event) -> int:
        """Appends an entry a tick until the process stops; returns the number of the last.

        Raises:
            Fenced: another instance writes.
            LogUnavailable: the log does not answer.
        """
        clock = self._clock
        before = appended = due = clock.monotonic()
        elapsed_s, first = self._tick_s, True
        while True:
            always = first or clock.monotonic() - appended >= self._silence_s
            entry = venue.tick(elapsed_s, clock.now_ns(), always=always)
            if entry is not None:
                number = await self._append(term, entry, number)
                appended, first = clock.monotonic(), False
            # A tick that was missed is not made up for: the market moves by the time that passed. What wakes a venue
            # early does not put its next tick off.
            if clock.monotonic() >= due:
                due = max(due + self._tick_s, clock.monotonic())
            if await venue.pause(stopping, due - clock.monotonic()):
                # What has come by now is written by this instance; nobody else has it.
                entry = venue.tick(clock.monotonic() - before, clock.now_ns(), always=False)
                return number if entry is None else await self._append(term, entry, number)
            now = clock.monotonic()
            before, elapsed_s = now, now - before

    async def _append(self, term: Term, published: pb.QuotesPublished, number: int) -> int:
        payload = published.SerializeToString()
        number = await self._log.append(term.feed, payload, number)
        term.appended(published, number)
        entry = LogEntry(number, term.feed, payload)
        await self._log.announce(entry)
        self._follower.wrote(entry, published)
        await self._publish(published)
        return number
