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
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

STREAM = "quotes"
LOG_SUBJECT = "crossrate.marketdata.v1.quotes_published."
ANNOUNCED_SUBJECT = "crossrate.marketdata.v1.quotes_announced."
TYPE = "crossrate.api.marketdata.v1.QuotesPublished"

ANSWER_S_MAX = 2.0
READ_ENTRIES_MAX = 256
READ_BYTES_MAX = 4 << 20
_WRONG_LAST_SEQUENCE = 10071
_FAILED = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


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
    """The log of one feed."""

    def __init__(self, client: Client, feed: str) -> None:
        self._client = client
        self._jetstream = client.jetstream(timeout=ANSWER_S_MAX)
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
            done = await self._jetstream.publish(self._subject, payload, timeout=ANSWER_S_MAX, headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                raise Fenced(str(error.description)) from error
            raise LogUnavailable(repr(error)) from error
        except _FAILED as error:
            raise LogUnavailable(repr(error)) from error
        return done.seq

    async def announce(self, entry: LogEntry) -> None:
        """Tells every follower of an entry that was appended.

        Raises:
            LogUnavailable: NATS is not there.
        """
        headers = {"Crossrate-Type": TYPE, "Crossrate-Stream": STREAM, "Crossrate-Sequence": str(entry.number)}
        try:
            await self._client.publish(self._announced, entry.payload, headers=headers)
        except _FAILED as error:
            raise LogUnavailable(repr(error)) from error

    async def follow(self, heard: Callable[[LogEntry], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Calls `heard` with every announced entry, one after the other, and returns what ends it."""

        async def message(msg: Msg) -> None:
            number = (msg.headers or {}).get("Crossrate-Sequence", "")
            if number.isdecimal():
                await heard(LogEntry(int(number), msg.data))

        subscription = await self._client.subscribe(self._announced, cb=message)
        return subscription.unsubscribe

    async def last(self) -> int:
        """Number of the newest entry; 0 if there is none.

        Raises:
            LogUnavailable: the log did not answer.
        """
        message = await self._direct({"last_by_subj": self._subject})
        return _number(message) or 0

    async def read(self, after: int) -> list[LogEntry]:
        """The oldest entries behind number `after`, at most READ_ENTRIES_MAX; none if `after` is the newest.

        Raises:
            LogUnavailable: the log did not answer.
        """
        question = {
            "seq": after + 1,
            "next_by_subj": self._subject,
            "batch": READ_ENTRIES_MAX,
            "max_bytes": READ_BYTES_MAX,
        }
        inbox = self._client.new_inbox()
        found: list[LogEntry] = []
        try:
            subscription = await self._client.subscribe(inbox)
            try:
                await self._client.publish(_DIRECT_GET, json.dumps(question).encode(), reply=inbox)
                while (number := _number(message := await subscription.next_msg(ANSWER_S_MAX))) is not None:
                    found.append(LogEntry(number, message.data))
            finally:
                await subscription.unsubscribe()
        except _FAILED as error:
            raise LogUnavailable(repr(error)) from error
        return found

    async def _direct(self, question: dict[str, object]) -> Msg:
        try:
            return await self._client.request(_DIRECT_GET, json.dumps(question).encode(), timeout=ANSWER_S_MAX)
        except _FAILED as error:
            raise LogUnavailable(repr(error)) from error


_DIRECT_GET = f"$JS.API.DIRECT.GET.{STREAM}"


def _number(message: Msg) -> int | None:
    """Number in the stream of an entry that a direct get answered; None for the end of a batch and for "not found".

    Raises:
        LogUnavailable: the answer is neither.
    """
    headers = message.headers or {}
    if number := headers.get("Nats-Sequence"):
        return int(number)
    if headers.get("Status") in ("204", "404"):
        return None
    raise LogUnavailable(f"the stream answered {headers}")


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits, at most until the process stops; returns whether it does."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return False
    return True
