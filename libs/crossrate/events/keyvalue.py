"""A key-value bucket of JetStream, in the layout that every NATS client knows, read without consumers."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nats.aio.msg import Msg

from crossrate.events.envelope import Event, Message
from crossrate.events.errors import EventsError, EventsUnavailable, WrongLastSequence
from crossrate.runtime.ending import end

if TYPE_CHECKING:
    from crossrate.events.events import Events

POLL_S = 15.0
"""A watcher asks this often even if nothing was announced: announcements are lost while the connection is."""

_OPERATION = "KV-Operation"
_EXPECTED_REVISION = "Nats-Expected-Last-Subject-Sequence"


class WrongRevision(EventsError):
    """The key was changed by somebody else since it was read."""


@dataclass(frozen=True, slots=True)
class KeyValueEntry:
    """One revision of one key. Revisions of a bucket rise from 1; `value` is None where the key was deleted."""

    key: str
    value: bytes | None
    revision: int
    create_time: datetime.datetime


class KeyValue:
    """One bucket. Which keys a service may read or write is the topology's decision."""

    def __init__(self, events: Events, bucket: str) -> None:
        self._events = events
        self.bucket = bucket
        self._stream = f"KV_{bucket}"

    def _subject(self, key: str) -> str:
        return f"$KV.{self.bucket}.{key}"

    def _entry(self, event: Event) -> KeyValueEntry:
        key = event.subject.removeprefix(f"$KV.{self.bucket}.")
        deleted = event.headers.get(_OPERATION) in ("DEL", "PURGE")
        return KeyValueEntry(key, None if deleted else event.payload, event.sequence, event.store_time)

    async def get(self, key: str) -> KeyValueEntry | None:
        """The newest revision of a key, or None if it never had one or was deleted.

        Raises:
            EventsUnavailable: no answer in time.
        """
        event = await self._events.last(self._stream, self._subject(key))
        entry = self._entry(event) if event else None
        return entry if entry and entry.value is not None else None

    async def put(self, key: str, value: bytes) -> int:
        """Writes a key, whatever it was; returns the revision."""
        return await self._write(key, value, {})

    async def update(self, key: str, value: bytes, revision: int) -> int:
        """Writes a key if its newest revision is still this one (0: it has none); returns the new revision.

        Raises:
            WrongRevision: it is another.
            EventsUnavailable: no answer in time; it may have been written.
        """
        return await self._write(key, value, {_EXPECTED_REVISION: str(revision)})

    async def delete(self, key: str) -> int:
        """Marks a key as deleted; its history stays."""
        return await self._write(key, b"", {_OPERATION: "DEL"})

    async def _write(self, key: str, value: bytes, headers: dict[str, str]) -> int:
        # One id for all attempts of this write: an attempt whose answer was lost is not refused by its own success.
        message = Message(self._subject(key), value, str(uuid.uuid4()), headers)
        try:
            return (await self._events.publish(message)).sequence
        except WrongLastSequence as error:
            raise WrongRevision(f"{key!r} in bucket {self.bucket!r} was changed meanwhile") from error

    async def history(self, key: str) -> list[KeyValueEntry]:
        """The revisions of a key that the bucket keeps, oldest first."""
        replayed = self._events.replay(self._stream, subject=self._subject(key))
        return [self._entry(event) async for event in replayed]

    async def keys(self) -> list[str]:
        """Every key that has a value, in order."""
        newest: dict[str, KeyValueEntry] = {}
        async for event in self._events.replay(self._stream, subject=self._subject(">")):
            entry = self._entry(event)
            newest[entry.key] = entry
        return sorted(key for key, entry in newest.items() if entry.value is not None)

    async def watch(
        self, key: str, callback: Callable[[KeyValueEntry], Awaitable[None]], *, poll_s: float = POLL_S
    ) -> KeyValueWatch:
        """Calls back with the present value of a key, if it has one, before it returns, and then with each newer one.

        Revisions between two calls may be left out; the newest never is. After a reconnection the value is asked for.
        """
        watch = KeyValueWatch(self, key, callback, poll_s)
        await watch.start()
        return watch

    async def announce(self, key: str, callback: Callable[[Msg], Awaitable[None]]):
        """Subscribes to the writes of one key."""
        return await self._events.subscribe_core(self._subject(key), callback, pending_max=64)

    async def newest(self, key: str) -> KeyValueEntry | None:
        """Like `get`, but with the mark of a deletion."""
        event = await self._events.last(self._stream, self._subject(key))
        return self._entry(event) if event else None


class KeyValueWatch:
    """A running watch of one key; `close` ends it."""

    def __init__(self, bucket: KeyValue, key: str, callback, poll_s: float) -> None:
        self._bucket = bucket
        self._key = key
        self._callback = callback
        self._poll_s = poll_s
        self._revision = 0
        self._wake_up = asyncio.Event()
        self._subscription = None
        self._task: asyncio.Task | None = None
        self.answered = False
        """Whether the bucket has been read: until then nobody knows whether the key has a value."""

    async def start(self) -> None:
        """Begins; the callback has had the present value when this returns, unless NATS does not answer."""

        async def announced(_: Msg) -> None:
            self._wake_up.set()

        self._subscription = await self._bucket.announce(self._key, announced)
        await self._ask()
        self._task = asyncio.create_task(self._run(), name=f"watch {self._bucket.bucket}/{self._key}")

    async def close(self) -> None:
        """Ends the watch."""
        if self._task:
            await end({self._task})

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._wake_up.wait()
            except TimeoutError:
                pass
            self._wake_up.clear()
            await self._ask()

    async def _ask(self) -> None:
        try:
            entry = await self._bucket.newest(self._key)
        except EventsUnavailable:
            # Asked again soon, not after a whole poll: what was announced meanwhile was not heard.
            asyncio.get_running_loop().call_later(0.5, self._wake_up.set)
            return
        if entry and entry.revision > self._revision:
            self._revision = entry.revision
            await self._callback(entry)
        self.answered = True
