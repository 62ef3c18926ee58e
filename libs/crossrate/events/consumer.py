"""Consuming a stream: every message in order, applied once, set aside with its reason when it cannot be.

A consumer's position is its own (in its database, moved in the transaction of the effect, or in its memory), and it
reads the stream from there. JetStream's own consumers hand out messages in another order after any loss of a
connection, and a position cannot follow that: one message ahead of its turn makes those before it look applied.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from crossrate.events.envelope import MESSAGE_ID, Event, Message
from crossrate.events.errors import EventsUnavailable
from crossrate.events.events import READ_MAX, Events

DEAD_LETTERS = "dead_letters"
DEAD_REASON = "Crossrate-Dead-Reason"
DEAD_ATTEMPTS = "Crossrate-Dead-Attempts"
DEAD_SUBJECT = "Crossrate-Dead-Subject"
DEAD_MESSAGE_ID = "Crossrate-Dead-Msg-Id"
REDRIVEN = "Crossrate-Redriven"
REASON_CHARACTERS_MAX = 500

Handler = Callable[[Event, Any], Awaitable[None]]
"""Applies one event. The second argument is what the position gives: a connection within the transaction that moves it
(`crossrate.store.Inbox`), or None."""


class Unprocessable(Exception):
    """Raised by a handler: this event can never be applied, set it aside at once."""


PASSING = (OSError, TimeoutError)
"""Errors that say nothing about the event (a database or a peer is away): tried again for ever, with growing pauses."""


class Position(Protocol):
    """Where a consumer keeps how far it is. `crossrate.store.Inbox` keeps it in PostgreSQL."""

    async def load(self, consumer: str, stream: str) -> int:
        """The number of the last message that was applied; 0 for none, -1 for all that were there at the start."""
        ...

    def apply(self, consumer: str, event: Event) -> AbstractAsyncContextManager[tuple[bool, Any]]:
        """A block in which an event is applied and the position moves to it, both or neither.

        Gives (False, …) if it was applied before, else (True, what the handler gets).
        """
        ...

    def apply_again(self, consumer: str, event: Event) -> AbstractAsyncContextManager[tuple[bool, Any]]:
        """The same for a dead letter that is delivered again: at most once, and the position stays."""
        ...


class StartPosition:
    """A position in memory: each instance begins where it is told to, and applies everything from there itself."""

    def __init__(self, after_sequence: int | Literal["end"] = 0) -> None:
        self.sequence = after_sequence
        self._again: set[int] = set()

    async def load(self, consumer: str, stream: str) -> int:
        """The number of the last applied message; -1 for all that were there at the start."""
        return -1 if self.sequence == "end" else self.sequence

    @contextlib.asynccontextmanager
    async def apply(self, consumer: str, event: Event):
        """Moves on when the handler has returned."""
        yield self.sequence == "end" or event.sequence > self.sequence, None
        self.sequence = max(event.sequence, 0 if self.sequence == "end" else self.sequence)

    @contextlib.asynccontextmanager
    async def apply_again(self, consumer: str, event: Event):
        """At most once in this process."""
        yield event.sequence not in self._again, None
        self._again.add(event.sequence)


class Consumer:
    """One consumer of one stream. Instances that share a position in a database may run it side by side."""

    def __init__(
        self,
        events: Events,
        stream: str,
        name: str,
        handler: Handler,
        position: Position,
        *,
        subject: str = "",
        batch_max: int = READ_MAX,
        attempts_max: int = 5,
        handler_timeout_s: float = 30.0,
        backoff_s_min: float = 0.05,
        backoff_s_max: float = 5.0,
        poll_s: float = 1.0,
    ) -> None:
        self._events = events
        self.stream = stream
        self.name = name
        self._handler = handler
        self._position = position
        self._subject = subject
        self._batch_max = min(batch_max, READ_MAX)
        self._attempts_max = attempts_max
        self._handler_timeout_s = handler_timeout_s
        self._backoff_s_min = backoff_s_min
        self._backoff_s_max = backoff_s_max
        self._poll_s = poll_s
        self._wake_up = asyncio.Event()
        self._log = structlog.get_logger().bind(consumer=name, stream=stream)
        self._end_at_start: int | None = None
        self.sequence = 0
        self.applied = 0
        self.dead = 0
        self.error = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Consumes until `stopping` is set; an event that is being applied then is finished first."""
        subscriptions = await self._listen()
        failures = 0
        try:
            while not stopping.is_set():
                try:
                    moved = await self._step(stopping)
                    failures, self.error = 0, ""
                except PASSING as error:
                    failures += 1
                    self._note("consumer_waits", error)
                    await self._sleep(self._backoff_s(failures), stopping)
                    continue
                if not moved:
                    await self._sleep(self._poll_s, stopping, self._wake_up)
        finally:
            for subscription in subscriptions:
                # It ends with its connection at the latest; what ended this consumer must not be hidden by it.
                with contextlib.suppress(Exception):
                    await subscription.unsubscribe()

    async def lag(self) -> int:
        """How many numbers the stream is ahead of what this process has seen applied. For metrics and health.

        Raises:
            EventsUnavailable: NATS did not answer.
        """
        return max(0, (await self._events.stream_ends(self.stream)).last - self.sequence)

    async def _listen(self) -> list[Any]:
        """Core subscriptions that only say that there is something to read; the stream is also polled."""

        async def announced(_: Msg) -> None:
            self._wake_up.set()

        async def redrive(request: Msg) -> None:
            await self._events.answer(request, (await self._redrive_answer(request)).encode())

        subjects = [self._subject] if self._subject else self._events.topology.streams[self.stream].subjects
        listening = [await self._events.subscribe_core(subject, announced, pending_max=65_536) for subject in subjects]
        command = f"crossrate.redrive.{self._events.service}.{self.stream}.{self.name}"
        return [*listening, await self._events.subscribe_core(command, redrive)]

    async def _step(self, stopping: asyncio.Event) -> bool:
        """Applies the next batch; False if there is none."""
        self._wake_up.clear()
        self.sequence = await self._position.load(self.name, self.stream)
        if self.sequence < 0:
            if self._end_at_start is None:
                self._end_at_start = (await self._events.stream_ends(self.stream)).last
            self.sequence = self._end_at_start
        batch = await self._events.read(self.stream, self.sequence, limit=self._batch_max, subject=self._subject)
        for event in batch:
            if stopping.is_set():
                break
            await self._apply(event, stopping)
            self.sequence = event.sequence
        return bool(batch)

    async def _apply(self, event: Event, stopping: asyncio.Event) -> None:
        """Applies one event, or sets it aside; returns when one of the two is certain.

        Raises:
            OSError, TimeoutError: something that the work needs is away; nothing was applied.
        """
        for attempt in range(1, self._attempts_max + 1):
            try:
                async with self._position.apply(self.name, event) as (is_new, context):
                    if is_new:
                        async with asyncio.timeout(self._handler_timeout_s):
                            await self._handler(event, context)
                self.applied += is_new
                return
            except PASSING:
                raise
            except (Unprocessable, DecodeError) as error:
                await self._set_aside(event, error, attempt)
                return
            except Exception as error:
                self._note("event_failed", error, sequence=event.sequence, attempt=attempt)
                if attempt == self._attempts_max:
                    await self._set_aside(event, error, attempt)
                    return
                await self._sleep(self._backoff_s(attempt), stopping)
                if stopping.is_set():
                    raise TimeoutError("stopping") from error

    async def _set_aside(self, event: Event, error: Exception, attempts: int) -> None:
        """Writes the dead letter first, then moves on: a crash between the two writes the same letter again."""
        headers = {name: value for name, value in event.headers.items() if not name.startswith("Nats-")} | {
            DEAD_REASON: _one_line(f"{type(error).__name__}: {error}"),
            DEAD_ATTEMPTS: str(attempts),
            DEAD_SUBJECT: event.subject,
            DEAD_MESSAGE_ID: event.id,
        }
        await self._events.publish(
            Message(self._letter(event.sequence), event.payload, f"{self.name}:{self.stream}:{event.sequence}", headers)
        )
        async with self._position.apply(self.name, event):
            pass  # the position moves past it
        self.dead += 1
        self._log.error("event_set_aside", sequence=event.sequence, subject=event.subject, reason=headers[DEAD_REASON])

    def _letter(self, sequence: int) -> str:
        return f"crossrate.{DEAD_LETTERS}.{self._events.service}.{self.stream}.{self.name}.{sequence}"

    async def redrive(self, sequence: int) -> bool:
        """Applies the dead letter of a message once more; False if there is none or it was delivered again before.

        It is applied now, after everything that followed it: the handler must not take it for the newest fact.

        Raises:
            Exception: whatever the handler raises; the letter stays.
        """
        letter = await self._events.last(DEAD_LETTERS, self._letter(sequence))
        if letter is None or REDRIVEN in letter.headers:
            return False
        headers = dict(letter.headers)
        subject, headers[MESSAGE_ID] = headers.pop(DEAD_SUBJECT), headers.pop(DEAD_MESSAGE_ID, "")
        for name in (DEAD_REASON, DEAD_ATTEMPTS):
            headers.pop(name, None)
        event = Event(self.stream, sequence, subject, letter.payload, letter.store_time, headers)
        async with self._position.apply_again(self.name, event) as (is_new, context):
            if is_new:
                async with asyncio.timeout(self._handler_timeout_s):
                    await self._handler(event, context)
        mark = Message(letter.subject, b"", f"{letter.id}:redriven", {REDRIVEN: "true", DEAD_SUBJECT: subject})
        await self._events.publish(mark)
        self._log.info("event_redriven", sequence=sequence, applied=is_new)
        return is_new

    async def _redrive_answer(self, request: Msg) -> str:
        try:
            return "applied" if await self.redrive(int(request.data)) else "nothing to do"
        except Exception as error:
            return f"failed: {_one_line(f'{type(error).__name__}: {error}')}"

    def _note(self, what: str, error: Exception, **details: object) -> None:
        self.error = _one_line(f"{type(error).__name__}: {error}")
        self._log.warning(what, error=self.error, **details)

    def _backoff_s(self, failures: int) -> float:
        longest = min(self._backoff_s_max, self._backoff_s_min * 2 ** min(failures, 16))
        return longest * random.uniform(0.5, 1.0)

    async def _sleep(self, seconds: float, *until: asyncio.Event) -> None:
        """Sleeps until the time is over or one of some events is set."""
        waits = [asyncio.ensure_future(event.wait()) for event in until]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:REASON_CHARACTERS_MAX].encode("ascii", "replace").decode()


async def dead_letters(events: Events, service: str = "") -> list[Event]:
    """The dead letters that wait, of one service or all. Only control and the node may read them all.

    Raises:
        EventsUnavailable: NATS did not answer.
    """
    subject = f"crossrate.{DEAD_LETTERS}.{service}.>" if service else ""
    return [letter async for letter in events.replay(DEAD_LETTERS, subject=subject) if REDRIVEN not in letter.headers]


async def ask_redrive(events: Events, letter: Event, *, timeout_s: float = 35.0) -> str:
    """Has the consumer that set a letter aside apply it again; returns what it says.

    Raises:
        EventsUnavailable: no instance of the service answered.
    """
    _, _, service, stream, name, sequence = letter.subject.split(".")
    command = f"crossrate.redrive.{service}.{stream}.{name}"
    try:
        return (await events.request(command, sequence.encode(), timeout_s=timeout_s)).decode()
    except EventsUnavailable as error:
        raise EventsUnavailable(f"no instance of {service} answered; it is down or has no such consumer") from error
