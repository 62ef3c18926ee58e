"""Keeps a board equal to a log: what is announced as it comes, what was missed by reading.

    announced ──▶ early ──in the order of the log──▶ board
    log ──read from where every feed's state begins──▶──┘

The same for the log of quotes and that of books; a subclass says where its entries begin, and what becomes of them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from google.protobuf.message import DecodeError, Message

from services.marketdata.quote_log import LogEntry, LogUnavailable, QuoteLog, pause

P = TypeVar("P", bound=Message)

PATIENCE_S = 0.05
"""Writers of two feeds announce by themselves, so an entry can be heard before the one in front of it. It is waited for
this long, then read."""
EARLY_MAX = 256
"""Entries that wait for one in front of them."""
RETRY_S = 0.5


class LogFollower(ABC, Generic[P]):
    """One instance's reader of a log.

    Attributes:
        what: what the log is called in notes.
        kind: the message that its entries are.
        applied: number of the newest entry that was taken; 0 before the first.
        complete: whether everything that was in the log when the instance started has been read.
    """

    what: ClassVar[str]
    kind: type[P]

    def __init__(self, log: QuoteLog, feeds: Iterable[str], entries_read: int, note: Any) -> None:
        self._log = log
        self._names = tuple(feeds)
        self._entries_read = entries_read
        self._note = note
        self._behind = asyncio.Event()
        self._reading = asyncio.Lock()
        self._early: dict[int, LogEntry] = {}
        self._looking = asyncio.Lock()
        self._looks_begun = self._look_ended = 0
        self._look_failed = ""
        self.applied = 0
        self.complete = False

    @abstractmethod
    def _begins(self, entry: LogEntry, published: P | None) -> int | None:
        """The number of the entry from which on everything is read that a feed's newest entry stands on; None if the
        entry asks for nothing. `published` is None if it cannot be decoded."""

    @abstractmethod
    def _take(self, entry: LogEntry, published: P) -> None:
        """Takes the next entry."""

    @abstractmethod
    def _forget(self) -> None:
        """The log was lost: numbers begin anew, what they told of stays."""

    async def check(self) -> None:
        """For health: whether the log has been read.

        Raises:
            TimeoutError: not yet.
        """
        if not self.complete:
            raise TimeoutError(f"{self.what} has not been read yet")

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
                    try:
                        await asyncio.wait([behind, closing], return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        behind.cancel()
                except LogUnavailable as error:
                    self._note.warning(f"{self.what} cannot be read; trying again", reason=str(error))
                    await pause(stopping, RETRY_S)
        finally:
            closing.cancel()
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
                self._note.error(f"{self.what} is shorter than it was", applied=self.applied, last=last)
                self.applied = 0
                self._early.clear()
                self._forget()
            after = self.applied if self.complete else max(self.applied, await self._beginning(last))
            news = 0
            while after < last and (entries := await self._log.read(after)):
                news += sum([self._apply(entry) for entry in entries])
                after = entries[-1].number
            self.complete = True
            self._drain()
            return news

    async def look(self) -> None:
        """Reads to the end that the log has after the call. Those who ask meanwhile share the next reading: when an
        instance dies, all its readers come together.

        Raises:
            LogUnavailable: the log did not answer.
        """
        before = self._looks_begun
        async with self._looking:
            # One that was under way is not enough: it may have asked before what the caller knows of was written.
            if self._look_ended <= before:
                number = self._looks_begun = self._looks_begun + 1
                try:
                    await self.catch_up()
                    self._look_failed = ""
                except LogUnavailable as error:
                    self._look_failed = str(error) or repr(error)
                self._look_ended = number
            if self._look_failed:
                raise LogUnavailable(self._look_failed)

    async def _beginning(self, last: int) -> int:
        """After which entry a new instance begins: early enough for the state of each feed, and to fill the ring."""
        begin = max(last - self._entries_read, 0)
        for feed in self._names:
            entry = await self._log.last_of(feed)
            if entry is not None and (first := self._begins(entry, self._decoded(entry))) is not None:
                begin = min(begin, max(first - 1, 0))
        return begin

    def wrote(self, entry: LogEntry, published: P) -> None:
        """Takes an entry that this instance has appended, if it is next, without its way over NATS; otherwise it comes
        from there like those of others."""
        if self.complete and not self._reading.locked() and entry.number == self.applied + 1:
            self.applied = entry.number
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
        self.applied = entry.number
        published = self._decoded(entry)
        if published is not None:
            self._take(entry, published)
        return True

    def _decoded(self, entry: LogEntry) -> P | None:
        try:
            return self.kind.FromString(entry.payload)
        except DecodeError:
            # Nothing of this service writes such an entry; it must not stop every instance for good.
            self._note.error(f"an entry of {self.what} cannot be decoded; skipping it", number=entry.number)
            return None
