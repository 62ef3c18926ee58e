"""The log of all feeds in JetStream: each feed appended to by one writer at a time, all of it read by every instance.

    writer ──append after n──▶ stream "quotes" ──read what was missed──▶ follower of every instance ──▶ board
           └─announce n + 1 ─▶ subject quotes_announced ──as it comes──▶

Every feed has a subject of its own in the one stream, so that the stream's numbers put the entries of all feeds into
one order, which is the same for everybody. The stream itself fences a feed's writer: an append names the number of
the feed's entry that it follows, and NATS refuses it if another is there already (`Nats-Expected-Last-Subject-
Sequence`). So there is no lease that two could hold: whoever has not read everything cannot write, whatever its clock
says. Only what was appended is announced; the stream's own subject is not listened to, because NATS delivers to
listeners also what the stream then refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg

from crossrate.events.errors import EventsError, WrongLastSequence
from crossrate.events.events import READ_MAX, Events, StreamEnds

STREAM = "quotes"
LOG_SUBJECT = "crossrate.marketdata.v1.quotes_published."
ANNOUNCED_SUBJECT = "crossrate.marketdata.v1.quotes_announced."
TYPE = "crossrate.api.marketdata.v1.QuotesPublished"
ANSWER_S_MAX = 2.0


class Fenced(Exception):
    """Another entry is where this one should have been: somebody else writes, or the log was lost."""


class LogUnavailable(Exception):
    """The log did not answer. Whether an entry was appended is not known."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry: its number in the stream, its feed and its bytes, a QuotesPublished."""

    number: int
    feed: str
    payload: bytes


class QuoteLog:
    """The log.

    Attributes:
        stream, log_subject, announced_subject, kind: where its entries stand, where they are announced, what they are.
    """

    stream = STREAM
    log_subject = LOG_SUBJECT
    announced_subject = ANNOUNCED_SUBJECT
    kind = TYPE

    def __init__(self, events: Events) -> None:
        self._events = events

    async def append(self, feed: str, payload: bytes, after: int) -> int:
        """Appends an entry of a feed right after the feed's entry `after`, 0 for its first, and returns its number.

        Raises:
            Fenced: `after` is not the feed's newest entry.
            LogUnavailable: it is not known whether the entry was appended.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(after), "Crossrate-Type": self.kind}
        try:
            done = await self._events.request_json(
                self.log_subject + feed, payload, headers=headers, timeout_s=ANSWER_S_MAX
            )
        except WrongLastSequence as error:
            raise Fenced(str(error)) from error
        except EventsError as error:
            raise LogUnavailable(str(error)) from error
        return done["seq"]

    async def announce(self, entry: LogEntry) -> None:
        """Tells every follower of an entry that was appended. One that does not hear it reads it later."""
        headers = {
            "Crossrate-Type": self.kind,
            "Crossrate-Stream": self.stream,
            "Crossrate-Sequence": str(entry.number),
        }
        await self._events.publish_core(self.announced_subject + entry.feed, entry.payload, headers)

    async def follow(self, heard: Callable[[LogEntry], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Calls `heard` with every announced entry, one after the other, and returns what ends it.

        Raises:
            LogUnavailable: NATS is not there.
        """

        async def message(msg: Msg) -> None:
            number = (msg.headers or {}).get("Crossrate-Sequence", "")
            if number.isdecimal():
                await heard(LogEntry(int(number), msg.subject.removeprefix(self.announced_subject), msg.data))

        try:
            subscription = await self._events.subscribe_core(f"{self.announced_subject}*", message)
        except (nats.errors.Error, OSError) as error:
            raise LogUnavailable(repr(error)) from error

        async def end() -> None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

        return end

    async def last(self) -> int:
        """Number of the newest entry; 0 if there never was one.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            return (await self._events.stream_ends(self.stream, timeout_s=ANSWER_S_MAX)).last
        except EventsError as error:
            raise LogUnavailable(str(error)) from error

    async def ends(self) -> StreamEnds:
        """Where the log begins and ends, and when it was made.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            return await self._events.stream_ends(self.stream, timeout_s=ANSWER_S_MAX)
        except EventsError as error:
            raise LogUnavailable(str(error)) from error

    async def last_of(self, feed: str) -> LogEntry | None:
        """The newest entry of a feed; None if the log has none.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            event = await self._events.last(self.stream, self.log_subject + feed, timeout_s=ANSWER_S_MAX)
        except EventsError as error:
            raise LogUnavailable(str(error)) from error
        return None if event is None else LogEntry(event.sequence, feed, event.payload)

    async def read(self, after: int, feed: str = "*", limit: int = READ_MAX) -> list[LogEntry]:
        """The oldest entries behind number `after`, of one feed or of all, as many as come in one answer and at most
        `limit`; none if `after` is the newest.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            found = await self._events.read(
                self.stream, after, subject=self.log_subject + feed, limit=limit, timeout_s=ANSWER_S_MAX
            )
        except EventsError as error:
            raise LogUnavailable(str(error)) from error
        return [
            LogEntry(event.sequence, event.subject.removeprefix(self.log_subject), event.payload) for event in found
        ]


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits, at most until the process stops; returns whether it does."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True
