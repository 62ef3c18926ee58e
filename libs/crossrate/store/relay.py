"""The outbox relay: what is in the journal comes into JetStream, all of it, once, in order.

The relay knows how far it is by two numbers in PostgreSQL: the last message that it put into the JetStream stream, and
the last journal event that this was. Every message is published with the demand to stand right behind the one before
(`Nats-Expected-Last-Sequence`). If an acknowledgement is lost, or another relay or a delayed message of an earlier life
of this one was there, JetStream refuses, and the relay reads what stands in the stream behind its last message
before it goes on. That holds however long it was away; the duplicate window of JetStream is only a second guard.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Iterator, Sequence

import asyncpg
import structlog

from crossrate.events.envelope import Message, message_id
from crossrate.events.errors import EventsError, WrongLastSequence
from crossrate.events.events import Events
from crossrate.store.database import BROKEN_CONNECTION, Database
from crossrate.store.errors import StoreError, StoreUnavailable
from crossrate.store.journal import WAKE_UP, Entry, read_pages
from crossrate.store.newest import Newest

BATCH_MAX = 2048
"""Journal events of one pass."""
STREAMS_MAX = 64
"""Journal streams of one pass."""
GATHER_S = 0.05
"""Between two passes, so that what is written in many small commits is read, published and noted together."""
JOINED_BYTES_MAX = 131_072
"""Of one message in which events are joined."""
_POSITIONS_MAY_BE_OLD = {"synchronous_commit": "off"}
"""How far the relay is stands in the stream itself: what the database forgot by a crash is read there."""
POLL_S = 0.2
"""The journal is also looked at this often: a NOTIFY is only a wake-up, and may be lost."""
_BACKOFF_S_MAX = 5.0
_LOCK = 0x72656C61  # "rela": the first half of the advisory lock's key; the second is the schema and the target


_SAVE = """
WITH last AS (UPDATE relay SET last_sequence = $2 WHERE target = $1)
INSERT INTO relay_position (target, stream, last_seq) SELECT $1, * FROM unnest($3::text[], $4::bigint[])
ON CONFLICT (target, stream) DO UPDATE SET last_seq = excluded.last_seq"""


class Diverged(StoreError):
    """The stream holds events that the journal does not: a backup was restored, or somebody else published as us."""


class OutboxRelay:
    """Publishes the journal of one schema into one JetStream stream of the same service.

    Every instance may run it; one at a time works, the others stand by.

    Args:
        join: whether events of a stream that follow each other are published as one message where there are several.
            Their message has to be one field, a message: encodings written one after another are that of a message
            which repeats the field, and that is what readers take them for. Its type is still that of each.
        newest: what this instance has committed just now, so that it need not be read; empty for a service that
            does not tell.
    """

    def __init__(
        self,
        database: Database,
        events: Events,
        target: str,
        *,
        poll_s: float = POLL_S,
        join: bool = False,
        newest: Newest | None = None,
    ) -> None:
        self._database = database
        self._events = events
        self._target = target
        self._poll_s = poll_s
        self._join = join
        self._newest = newest or Newest()
        self._looked_s = -math.inf
        self._wake_up = asyncio.Event()
        self._log = structlog.get_logger().bind(relay=target)
        self._last_sequence = 0
        self._positions: dict[str, int] = {}
        self.published = 0
        self.foreign = 0
        self.error = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Relays until `stopping` is set. Lives through restarts of NATS and PostgreSQL."""
        failures = 0
        while not stopping.is_set():
            try:
                connection = await self._database.dedicated(**_POSITIONS_MAY_BE_OLD)
                try:
                    if await self._is_first(connection):
                        await self._work(connection, stopping)
                        failures = 0
                finally:
                    await _close(connection)
            except (EventsError, StoreError, asyncpg.PostgresError, *BROKEN_CONNECTION) as e:
                failures += 1
                self.error = f"{type(e).__name__}: {e}"
                self._log.warning("relay_waits", error=self.error, failures=failures)
            await self._pause(min(_BACKOFF_S_MAX, 0.1 * 2 ** min(failures, 8)) * random.uniform(0.5, 1), stopping)

    async def lag(self) -> int:
        """How many events of the journal are not known to be in JetStream. For metrics and health.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            return await connection.fetchval(
                "SELECT coalesce(sum(h.last_seq - coalesce(p.last_seq, 0)), 0)::bigint FROM journal_head h "
                "LEFT JOIN relay_position p ON p.stream = h.stream AND p.target = $1",
                self._target,
            )

    async def _is_first(self, connection: asyncpg.Connection) -> bool:
        """Whether this relay works. The lock spares contention; it is not what makes the relay safe."""
        return await connection.fetchval(
            "SELECT pg_try_advisory_lock($1, hashtext(current_schema() || '/' || $2))", _LOCK, self._target
        )

    async def _work(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        schema = await connection.fetchval("SELECT current_schema()")
        await connection.add_listener(f"{WAKE_UP}_{schema}", lambda *_: self._wake_up.set())
        await self._load(connection)
        await self._reconcile(connection)
        self._newest.begin()
        try:
            await self._relay(connection, stopping)
        finally:
            self._newest.end()

    async def _relay(self, connection: asyncpg.Connection, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            self._wake_up.clear()
            entries = await self._next(connection)
            if entries:
                await self._publish(connection, entries)
                if len(entries) < BATCH_MAX // 2:
                    await self._pause(GATHER_S, stopping)
            else:
                self.error = ""
                await self._pause(self._poll_s, stopping, self._wake_up)
                if connection.is_closed():
                    raise StoreUnavailable("the relay's connection broke")

    async def _load(self, connection: asyncpg.Connection) -> None:
        await connection.execute(
            "INSERT INTO relay (target, last_sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING", self._target
        )
        self._last_sequence = await connection.fetchval(
            "SELECT last_sequence FROM relay WHERE target = $1", self._target
        )
        rows = await connection.fetch("SELECT stream, last_seq FROM relay_position WHERE target = $1", self._target)
        self._positions = {row["stream"]: row["last_seq"] for row in rows}

    async def _next(self, connection: asyncpg.Connection) -> list[Entry]:
        """The next events that are not published: those of memory, and now and then what else the journal has."""
        entries = self._newest.after(self._positions, BATCH_MAX)
        if not entries or time.monotonic() >= self._looked_s + self._poll_s:
            entries += await self._kept(connection, list({entry.stream for entry in entries}))
        return entries

    async def _kept(self, connection: asyncpg.Connection, others: Sequence[str]) -> list[Entry]:
        """The same from the journal, without some streams; of up to STREAMS_MAX that have any, each in order."""
        rows = await connection.fetch(
            "SELECT h.stream FROM journal_head h LEFT JOIN relay_position p ON p.stream = h.stream AND p.target = $1 "
            "WHERE h.last_seq > coalesce(p.last_seq, 0) AND h.stream <> ALL ($3::text[]) "
            "ORDER BY h.last_seq - coalesce(p.last_seq, 0) LIMIT $2",
            self._target,
            STREAMS_MAX,
            others,
        )
        self._looked_s = time.monotonic()
        if not rows:
            return []
        positions = {row["stream"]: self._positions.get(row["stream"], 0) for row in rows}
        # At least one of each, so that a long stream holds no other one up.
        entries = await read_pages(connection, positions, max(1, BATCH_MAX // len(positions)))
        for entry in entries:
            positions[entry.stream] += 1
            if entry.seq != positions[entry.stream]:
                raise Diverged(f"journal {entry.stream!r} has a gap before {entry.seq}; nothing is published past it")
        return entries

    async def _publish(self, connection: asyncpg.Connection, entries: list[Entry]) -> None:
        parts = list(_parts(entries)) if self._join else [[entry] for entry in entries]
        done, problem = await self._events.publish_in_order(
            [self._message(part) for part in parts], self._last_sequence
        )
        if done:
            positions = {part[-1].stream: part[-1].seq for part in parts[: len(done)]}
            await self._save(connection, done[-1].sequence, positions)
            self.published += sum(map(len, parts[: len(done)]))
        if isinstance(problem, WrongLastSequence):
            await self._reconcile(connection)
        elif problem is not None:
            # Whether the rest arrived is not known: `run` begins anew, and that begins with reading the stream.
            raise problem

    def _message(self, part: Sequence[Entry]) -> Message:
        last = part[-1]
        fact, alone = last.fact, len(part) == 1
        return Message.of(
            fact.subject,
            fact.payload if alone else b"".join(entry.fact.payload for entry in part),
            message_id(self._events.service, last.stream, last.seq),
            type=fact.type,
            origin=(last.stream, last.seq),
            first=0 if alone else part[0].seq,
            time_ns=fact.time_ns,
            request_id=fact.request_id if alone else "",
            traceparent=fact.traceparent if alone else "",
        )

    async def _save(self, connection: asyncpg.Connection, last_sequence: int, positions: dict[str, int]) -> None:
        await connection.execute(_SAVE, self._target, last_sequence, list(positions), list(positions.values()))
        self._last_sequence = last_sequence
        self._positions |= positions
        self._newest.published(positions)

    async def _reconcile(self, connection: asyncpg.Connection) -> None:
        """Brings both numbers up to what stands in the stream.

        Raises:
            Diverged: the stream holds what the journal does not.
        """
        ends = await self._events.stream_ends(self._target)
        if ends.last < self._last_sequence:
            await self._go_back(connection)
            return
        positions = dict(self._positions)
        while self._last_sequence < ends.last:
            page = await self._events.read(self._target, self._last_sequence)
            if not page:
                # Messages between were removed by age; the numbers go on behind them.
                await self._save(connection, ends.last, positions)
                break
            for event in page:
                self._recognise(event, positions)
            await self._check_journal(connection, positions)
            await self._save(connection, page[-1].sequence, positions)

    def _recognise(self, event, positions: dict[str, int]) -> None:
        """Counts one message of the stream towards the positions if it is the next of its journal stream."""
        expected = positions.get(event.origin_stream, 0) + 1
        ours = event.origin_stream and event.id == message_id(
            self._events.service, event.origin_stream, event.origin_sequence
        )
        # A message that several are joined in counts from its first to its last.
        if not ours or event.origin_sequence < expected:
            self.foreign += 1
            self._log.error("relay_found_foreign_message", sequence=event.sequence, subject=event.subject, id=event.id)
        elif event.origin_first > expected:
            raise Diverged(f"{self._target} has {event.id} at {event.sequence} where number {expected} should be")
        else:
            positions[event.origin_stream] = event.origin_sequence

    async def _check_journal(self, connection: asyncpg.Connection, positions: dict[str, int]) -> None:
        rows = await connection.fetch("SELECT stream, last_seq FROM journal_head")
        ends = {row["stream"]: row["last_seq"] for row in rows}
        for stream, seq in positions.items():
            if seq > ends.get(stream, 0):
                raise Diverged(
                    f"{self._target} has {stream}:{seq}, the journal ends at {ends.get(stream, 0)}: was the database "
                    "put back from a backup? Restore its newest state, or begin a new stream"
                )

    async def _go_back(self, connection: asyncpg.Connection) -> None:
        """The stream lost its end (its files were damaged or removed): what it still has decides where to go on.

        Events are published again in the order of their journal streams; with one journal stream every message gets
        the number that it had, and positions of consumers stay right.
        """
        self._log.error("relay_stream_lost_messages", known=self._last_sequence)
        positions = dict.fromkeys(self._positions, 0)
        last_sequence = 0
        async for event in self._events.replay(self._target):
            if event.origin_stream:
                positions[event.origin_stream] = max(positions.get(event.origin_stream, 0), event.origin_sequence)
            last_sequence = event.sequence
        if last_sequence == 0:
            last_sequence = (await self._events.stream_ends(self._target)).last
        await self._check_journal(connection, positions)
        await self._save(connection, last_sequence, positions)

    async def _pause(self, seconds: float, *until: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in until]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Events that follow each other in one stream with one subject and type, as many as a message may hold."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        fact = entry.fact
        size += len(fact.payload)
        if part:
            first = part[0]
            alike = (entry.stream, fact.subject, fact.type) == (first.stream, first.fact.subject, first.fact.type)
            if not alike or size > JOINED_BYTES_MAX:
                yield part
                part, size = [], len(fact.payload)
        part.append(entry)
    if part:
        yield part


async def _close(connection: asyncpg.Connection) -> None:
    # A connection that cannot be closed in order is cut off on the next line.
    with contextlib.suppress(Exception):
        await connection.close(timeout=1.0)
    connection.terminate()
