"""The feed's log in JetStream: appended to by one writer at a time, read by every instance.

    writer ──append after n──▶ stream "quotes" ──read what was missed──▶ follower of every instance ──▶ board
           └─announce n + 1 ─▶ subject quotes_announced ──as it comes──▶

The stream itself fences the writer: an append names the number of the entry that it follows, and NATS refuses it if
another entry is there already (`Nats-Expected-Last-Subject-Sequence`). So there is no lease that two could hold:
whoever has not read everything cannot write, whatever its clock says. Only what was appended is announced; the stream's
own subject is not listened to, because NATS delivers to listeners also what the stream then refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import nats.errors
from nats.aio.msg import Msg

from crossrate.events.errors import EventsError, WrongLastSequence
from crossrate.events.events import Events

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
    """One entry: its number in the stream and its bytes, a QuotesPublished."""

    number: int
    payload: bytes


class QuoteLog:
    """The log of one feed; the only one in its stream."""

    def __init__(self, events: Events, feed: str) -> None:
        self._events = events
        self._subject = LOG_SUBJECT + feed
        self._announced = ANNOUNCED_SUBJECT + feed

    async def append(self, payload: bytes, after: int) -> int:
        """Appends one entry right after entry `after`, 0 for the first, and returns its number.

        Raises:
            Fenced: `after` is not the newest entry.
            LogUnavailable: it is not known whether the entry was appended.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(after), "Crossrate-Type": TYPE}
        try:
            done = await self._events.request_json(self._subject, payload, headers=headers, timeout_s=ANSWER_S_MAX)
        except WrongLastSequence as error:
            raise Fenced(str(error)) from error
        except EventsError as error:
            raise LogUnavailable(str(error)) from error
        return done["seq"]

    async def announce(self, entry: LogEntry) -> None:
        """Tells every follower of an entry that was appended. One that does not hear it reads it later."""
        headers = {"Crossrate-Type": TYPE, "Crossrate-Stream": STREAM, "Crossrate-Sequence": str(entry.number)}
        await self._events.publish_core(self._announced, entry.payload, headers)

    async def follow(self, heard: Callable[[LogEntry], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Calls `heard` with every announced entry, one after the other, and returns what ends it.

        Raises:
            LogUnavailable: NATS is not there.
        """

        async def message(msg: Msg) -> None:
            number = (msg.headers or {}).get("Crossrate-Sequence", "")
            if number.isdecimal():
                await heard(LogEntry(int(number), msg.data))

        try:
            subscription = await self._events.subscribe_core(self._announced, message)
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
            return (await self._events.stream_ends(STREAM, timeout_s=ANSWER_S_MAX)).last
        except EventsError as error:
            raise LogUnavailable(str(error)) from error

    async def read(self, after: int) -> list[LogEntry]:
        """The oldest entries behind number `after`, as many as come in one answer; none if `after` is the newest.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            found = await self._events.read(STREAM, after, subject=self._subject, timeout_s=ANSWER_S_MAX)
        except EventsError as error:
            raise LogUnavailable(str(error)) from error
        return [LogEntry(event.sequence, event.payload) for event in found]


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits, at most until the process stops; returns whether it does."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True
