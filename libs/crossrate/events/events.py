"""A service's connection to NATS: publish with acknowledgement, core messages, streams read by position."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import PubAck

from crossrate.events.batches import collect, event_of, part_of
from crossrate.events.envelope import MESSAGE_ID, Event, Message
from crossrate.events.errors import EventsError, EventsUnavailable, Refused, WrongLastSequence
from crossrate.events.keyvalue import KeyValue
from crossrate.runtime.ending import briefly, end, heeded
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

PUBLISH_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 5.0
READ_MAX = 256
"""Messages in one read; also the most that a consumer holds unapplied."""
READ_BYTES_MAX = 4_194_304

_WRONG_LAST = (10070, 10071, 10164)
_EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
_EXPECTED_LAST_ID = "Nats-Expected-Last-Msg-Id"
_PASSING_CODES = (503, 408)


class EventsRuntime(Protocol):
    """What events need of a service's runtime."""

    service: str
    instance: str
    place: Place
    topology: Topology
    log: Any


@dataclass(frozen=True, slots=True)
class Published:
    """Where a message is now. `duplicate`: it was there already, which is a success."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class StreamEnds:
    """The numbers of the first and the last message that a stream has; 0 and 0 if it never had one."""

    first: int
    last: int
    created: str = ""
    """When it was made, RFC 3339: another stream of the same name begins its numbers anew."""


class Events:
    """The connection of one instance. It reconnects for ever; if it is closed against our will, the process ends."""

    def __init__(self, runtime: EventsRuntime) -> None:
        self.service = runtime.service
        self.instance = runtime.instance
        self.topology = runtime.topology
        self._log = runtime.log
        self._client = Client()
        self._closing = False
        self.failed_attempts, self._told = 0, ""
        """Attempts to connect since the server went away; why the newest failed that was logged."""
        self.inbox_prefix = ""

    @classmethod
    async def open(cls, runtime: EventsRuntime, *, open_timeout_s: float = 60.0) -> Events:
        """Connects with the service's credentials; waits up to `open_timeout_s` for a server that is not there yet.

        Raises:
            EventsUnavailable: the server did not come in time, or does not know the credentials.
        """
        events = cls(runtime)
        secret = json.loads(runtime.place.credentials(runtime.service).read_text())["nats"]
        events.inbox_prefix = secret["inbox_prefix"]
        connecting = asyncio.ensure_future(events._connect(secret))
        try:
            await asyncio.wait({connecting}, timeout=open_timeout_s)
            if not connecting.done():
                raise TimeoutError(f"no connection within {open_timeout_s:g} s")
            connecting.result()
        except BaseException as error:
            events._closing = True
            # A cancellation may meet an attempt that fails at that moment, which takes its place.
            await end({connecting}, again_s=0.1)
            await briefly(events._client.close(), 3.0)
            if isinstance(error, TimeoutError | OSError | nats.errors.Error):
                raise EventsUnavailable(f"NATS did not let {runtime.service} in: {error!r}") from error
            raise
        return events

    async def _connect(self, secret: Mapping[str, str]) -> None:
        await self._client.connect(
            secret["url"],
            name=self.instance,
            nkeys_seed_str=secret["seed"],
            inbox_prefix=secret["inbox_prefix"],
            # The default gives up for good after sixty attempts.
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            connect_timeout=2,
            ping_interval=10,
            max_outstanding_pings=2,
            # What is sent while the server is away is refused at once, and not kept to be sent at some later time when
            # nobody waits for it any more.
            pending_size=READ_BYTES_MAX,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
        )

    async def close(self) -> None:
        """Sends what is pending and closes, at the latest after seven seconds."""
        self._closing = True
        # Whoever needed an acknowledgement has waited for it; a server that is gone must not keep the process. The same
        # holds for closing itself.
        try:
            await briefly(self._client.flush(), 2.0)
        finally:
            await briefly(self._client.close(), 3.0)

    async def check(self) -> None:
        """Raises EventsUnavailable unless the server answers now. For health."""
        try:
            if not self._client.is_connected:
                raise EventsUnavailable("not connected to NATS")
            await heeded(self._client.flush(timeout=2))
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise EventsUnavailable(f"NATS does not answer: {error!r}") from error

    # Publishing

    async def publish(self, message: Message, *, timeout_s: float = PUBLISH_TIMEOUT_S) -> Published:
        """Publishes to the stream that has the subject, and returns when the message is on disk.

        Within the time it sends as often as it needs, always under the message's id, so that the stream has it once
        (within the stream's duplicate window, ten minutes).

        Raises:
            EventsUnavailable: no acknowledgement in time; the message may be there or not.
            Refused: JetStream will not take it (the stream is full, no stream has the subject).
        """
        try:
            async with asyncio.timeout(timeout_s):
                for pause_s in _pauses():
                    with contextlib.suppress(EventsUnavailable):
                        return await self._publish_once(message, {}, timeout_s=2.0)
                    await asyncio.sleep(pause_s)
        except TimeoutError:
            pass
        raise EventsUnavailable(f"{message.subject}: no acknowledgement within {timeout_s:g} s")

    async def publish_in_order(
        self, messages: Sequence[Message], last_sequence: int, *, timeout_s: float = PUBLISH_TIMEOUT_S
    ) -> tuple[list[Published], Exception | None]:
        """Publishes messages right behind number `last_sequence` of their stream, each right behind the one before.

        If anything else is there by then, JetStream refuses the rest. Only the last one of some is acknowledged: where
        it stands says that those before it are where they should be, for each was to be taken right behind the one
        before.
        Returns the messages that are known to be there, from the first without a gap, and what stopped the others (None
        if nothing did). Whether some of those arrived is unknown then, whatever it was.
        """
        done: list[Published] = []
        while len(done) < len(messages):
            part = part_of(messages, len(done))
            try:
                for offset, message in enumerate(part):
                    expected = {_EXPECTED_LAST_SEQUENCE: str(last_sequence + len(done) + offset)}
                    if offset:
                        # The number alone would let a message in whose predecessor was refused, where a foreign message
                        # has the predecessor's place.
                        expected[_EXPECTED_LAST_ID] = part[offset - 1].id
                    if offset < len(part) - 1:
                        await self._send(message, expected)
                    else:
                        answer = await self._publish_once(message, expected, timeout_s=timeout_s)
            except EventsError as error:
                return done, error
            if answer.sequence != last_sequence + len(done) + len(part):
                return done, WrongLastSequence(part[0].subject, None, f"{answer} is not where it should be")
            first = answer.sequence - len(part) + 1
            done += [Published(answer.stream, first + offset, False) for offset in range(len(part) - 1)]
            done.append(answer)
        return done, None

    async def _send(self, message: Message, extra: Mapping[str, str]) -> None:
        """Publishes without an answer."""
        headers = {**message.headers, **extra, MESSAGE_ID: message.id}
        try:
            if not self._client.is_connected:
                raise EventsUnavailable("not connected to NATS")
            await self._client.publish(message.subject, message.payload, headers=headers)
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise EventsUnavailable(f"{message.subject}: {error!r}") from error

    async def _publish_once(self, message: Message, extra: Mapping[str, str], *, timeout_s: float) -> Published:
        headers = {**message.headers, **extra, MESSAGE_ID: message.id}
        document = await self.request_json(message.subject, message.payload, headers=headers, timeout_s=timeout_s)
        ack = PubAck.from_response(document)
        return Published(ack.stream, ack.seq, bool(ack.duplicate))

    async def request_json(
        self, subject: str, payload: bytes = b"", *, headers: dict[str, str] | None = None, timeout_s: float
    ) -> dict[str, Any]:
        """One request to JetStream, its JSON answer.

        Raises:
            EventsUnavailable: no answer in time.
            Refused: the answer is an error.
        """
        try:
            if not self._client.is_connected:
                raise EventsUnavailable("not connected to NATS")
            answer = await heeded(self._client.request(subject, payload, timeout=timeout_s, headers=headers))
            document = json.loads(answer.data)
        except nats.errors.NoRespondersError as error:
            # While the server starts, JetStream is not there for a moment.
            raise EventsUnavailable(f"{subject}: no stream has this subject, or JetStream is not up") from error
        except (TimeoutError, OSError, ValueError, nats.errors.Error) as error:
            raise EventsUnavailable(f"{subject}: {error!r}") from error
        if problem := document.get("error"):
            if problem.get("err_code") in _WRONG_LAST:
                raise WrongLastSequence(subject, problem["err_code"], problem.get("description"))
            raise Refused(subject, problem.get("err_code"), problem.get("description"))
        return document

    async def publish_core(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> None:
        """Sends to whoever listens now; kept nowhere, acknowledged by nobody. Dropped while NATS is away."""
        if self._client.is_connected:
            with contextlib.suppress(nats.errors.OutboundBufferLimitError, nats.errors.ConnectionClosedError):
                await self._client.publish(subject, payload, headers=headers)

    async def subscribe_core(
        self, subject: str, callback: Callable[[Msg], Awaitable[None]], *, pending_max: int = 8192
    ) -> Subscription:
        """Calls back for every message that comes while we listen; again after each reconnection.

        Beyond `pending_max` messages that wait for the callback, further ones are dropped and the drop is logged.
        """
        return await self._client.subscribe(
            subject, cb=callback, pending_msgs_limit=pending_max, pending_bytes_limit=16_777_216
        )

    async def answer(self, request: Msg, payload: bytes) -> None:
        """Answers a core request."""
        if request.reply:
            await self._client.publish(request.reply, payload)

    async def request(self, subject: str, payload: bytes, *, timeout_s: float) -> bytes:
        """One core request and its answer.

        Raises:
            EventsUnavailable: nobody answered in time.
        """
        try:
            return (await heeded(self._client.request(subject, payload, timeout=timeout_s))).data
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise EventsUnavailable(f"{subject}: {error!r}") from error

    # Reading

    async def stream_ends(self, stream: str, *, timeout_s: float = READ_TIMEOUT_S) -> StreamEnds:
        """Where a stream begins and ends.

        Raises:
            EventsUnavailable: no answer in time (or the topology does not let this service read the stream).
        """
        document = await self.request_json(f"$JS.API.STREAM.INFO.{stream}", timeout_s=timeout_s)
        state = document["state"]
        return StreamEnds(state["first_seq"], state["last_seq"], document.get("created", ""))

    async def read(
        self,
        stream: str,
        after_sequence: int,
        *,
        limit: int = READ_MAX,
        subject: str = "",
        since: datetime.datetime | None = None,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> list[Event]:
        """The next messages of a stream after a position, in order, at most `limit`; empty at its end.

        `subject` chooses one subject (wildcards allowed). With `since` it begins at a time instead of a position.
        Nothing is left behind in the server.

        Raises:
            EventsUnavailable: the answer did not come, or not whole, in time.
        """
        query = {"batch": limit, "max_bytes": READ_BYTES_MAX, "next_by_subj": subject or ">"}
        query |= {"seq": after_sequence + 1} if since is None else {"start_time": since.isoformat()}
        answers: asyncio.Queue[Msg] = asyncio.Queue()
        try:
            if not self._client.is_connected:
                raise EventsUnavailable("not connected to NATS")
            inbox = self._client.new_inbox()
            subscription = await self._client.subscribe(inbox, cb=answers.put)
            try:
                await self._client.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(query).encode(), reply=inbox)
                async with asyncio.timeout(timeout_s):
                    return await collect(stream, answers)
            finally:
                with contextlib.suppress(nats.errors.Error, OSError):
                    await subscription.unsubscribe()
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise EventsUnavailable(f"stream {stream!r} was not read: {error!r}") from error

    async def last(self, stream: str, subject: str, *, timeout_s: float = READ_TIMEOUT_S) -> Event | None:
        """The newest message of one subject, or None.

        Raises:
            EventsUnavailable: no answer in time.
        """
        try:
            asked = self._client.request(f"$JS.API.DIRECT.GET.{stream}.{subject}", b"", timeout=timeout_s)
            answer = await heeded(asked)
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise EventsUnavailable(f"{subject}: {error!r}") from error
        status = (answer.headers or {}).get("Status")
        if status == "404":
            return None
        if status:
            raise EventsUnavailable(f"{subject}: JetStream answered {status}")
        return event_of(stream, answer)

    async def replay(
        self, stream: str, after_sequence: int = 0, *, subject: str = "", until_sequence: int | None = None
    ) -> AsyncIterator[Event]:
        """Every message after a position, in order, to the end that the stream has when the replay comes there.

        Raises:
            EventsUnavailable: the server did not answer in time; go on from the last message that came.
        """
        while True:
            page = await self.read(stream, after_sequence, subject=subject)
            for event in page:
                if until_sequence is not None and event.sequence > until_sequence:
                    return
                yield event
                after_sequence = event.sequence
            if not page:
                return

    def kv(self, bucket: str) -> KeyValue:
        """A key-value bucket."""
        return KeyValue(self, bucket)

    # The connection

    async def _on_error(self, error: Exception) -> None:
        words = repr(error)
        if not self._client.is_connected:
            self.failed_attempts += 1
            if words == self._told:  # there are some a second
                return
            self._told = words
        self._log.error("events_error", error=words)

    async def _on_disconnected(self) -> None:
        if not self._closing:
            self._log.warning("events_disconnected")

    async def _on_reconnected(self) -> None:
        self._log.info("events_reconnected", failed_attempts=self.failed_attempts)
        self.failed_attempts, self._told = 0, ""

    async def _on_closed(self) -> None:
        if not self._closing:
            # The client has given up (the server no longer knows our key): a process without events is of no use, and
            # the supervisor starts it again with the credentials that are valid then.
            self._log.critical("events_closed", reason=repr(self._client.last_error))
            os.kill(os.getpid(), signal.SIGTERM)


def _pauses():
    yield from (0.05, 0.1, 0.2)
    while True:
        yield 0.4
