"""The journal: what happened, in gap-free order by stream, written by one fenced writer at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from crossrate.store.database import Database
from crossrate.store.errors import LeaseHeld, SequenceConflict, StaleWriter

BATCH_MAX = 1024
"""Events in one append, and rows in one page of a read."""

WAKE_UP = "journal"
"""The first half of the channel on which an append is announced; the second is the schema."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One event to append: its NATS subject, its full proto name, its bytes; when, in ns since 1970, UTC."""

    subject: str
    type: str
    payload: bytes
    time_ns: int
    request_id: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the journal."""

    stream: str
    seq: int
    fact: Fact


_ACQUIRE = """
INSERT INTO lease (name, epoch, holder, expire_time) VALUES ($1, 1, $2, clock_timestamp() + $3 * interval '1 second')
ON CONFLICT (name) DO UPDATE
SET epoch = lease.epoch + 1, holder = excluded.holder, expire_time = excluded.expire_time
WHERE $4 OR lease.holder = excluded.holder OR lease.expire_time < clock_timestamp()
RETURNING epoch"""

# One round trip. The shared lock on the lease orders this against a taker: either the taker waits for our commit, or we
# see its epoch and change nothing.
_APPEND = """
WITH held AS (SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE),
head AS (
    INSERT INTO journal_head (stream, last_seq) SELECT $3, cardinality($4::text[]) FROM held
    ON CONFLICT (stream) DO UPDATE SET last_seq = journal_head.last_seq + excluded.last_seq
    RETURNING last_seq - cardinality($4::text[]) AS base
),
added AS (
    INSERT INTO journal (stream, seq, subject, type, payload, request_id, traceparent, epoch, time_ns)
    SELECT $3, head.base + row.n, row.subject, row.type, row.payload, row.request_id, row.traceparent, $2, row.time_ns
    FROM head, unnest($4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[], $9::bigint[])
        WITH ORDINALITY AS row (subject, type, payload, request_id, traceparent, time_ns, n)
)
SELECT base, pg_notify($10 || '_' || current_schema(), '') FROM head"""


class Lease:
    """The right to write, fenced: who takes it raises the epoch, and the writer before finds its appends refused.

    The time limit only says when another may take it without being told to; safety rests on the epoch alone.
    """

    def __init__(self, database: Database, name: str, holder: str, epoch: int, ttl_s: float) -> None:
        self._database = database
        self.name = name
        self.holder = holder
        self.epoch = epoch
        self._ttl_s = ttl_s

    @classmethod
    async def acquire(
        cls, database: Database, name: str, holder: str, *, ttl_s: float = 10.0, take_over: bool = False
    ) -> Lease:
        """Takes the lease if it is free, has run out, or is the holder's already; with `take_over` in any case.

        Raises:
            LeaseHeld: another holds it.
        """
        async with database.transaction() as connection:
            epoch = await connection.fetchval(_ACQUIRE, name, holder, ttl_s, take_over)
            if epoch is None:
                other = await connection.fetchrow(
                    "SELECT holder, extract(epoch FROM expire_time - clock_timestamp())::float8 AS remaining_s "
                    "FROM lease WHERE name = $1",
                    name,
                )
                raise LeaseHeld(name, other["holder"], other["remaining_s"])
        return cls(database, name, holder, epoch, ttl_s)

    async def renew(self) -> None:
        """Holds it for another `ttl_s`; call it every third of that.

        Raises:
            StaleWriter: another has taken it.
        """
        async with self._database.connection() as connection:
            renewed = await connection.fetchval(
                "UPDATE lease SET expire_time = clock_timestamp() + $3 * interval '1 second' "
                "WHERE name = $1 AND epoch = $2 RETURNING epoch",
                self.name,
                self.epoch,
                self._ttl_s,
            )
        if renewed is None:
            raise StaleWriter(self.name, self.epoch)

    async def release(self) -> None:
        """Lets the next one take it at once. Does nothing if another has it."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE lease SET expire_time = clock_timestamp() - interval '1 second' WHERE name = $1 AND epoch = $2",
                self.name,
                self.epoch,
            )


class Journal:
    """Appends to and reads the journal of one schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self,
        connection: asyncpg.Connection,
        lease: Lease,
        stream: str,
        facts: Sequence[Fact],
        *,
        expected_last_seq: int | None = None,
    ) -> int:
        """Appends facts to a stream within the caller's transaction and returns the number of the last one.

        They get consecutive numbers in the order given, at most BATCH_MAX at a time. The stream stays locked until the
        transaction ends.

        Raises:
            StaleWriter: the lease was taken by another; the transaction must be rolled back.
            SequenceConflict: the stream did not end at `expected_last_seq`; the same.
            ValueError: no facts, or too many.
        """
        if not 0 < len(facts) <= BATCH_MAX:
            raise ValueError(f"{len(facts)} facts: append between 1 and {BATCH_MAX}")
        row = await connection.fetchrow(
            _APPEND,
            lease.name,
            lease.epoch,
            stream,
            [fact.subject for fact in facts],
            [fact.type for fact in facts],
            [fact.payload for fact in facts],
            [fact.request_id for fact in facts],
            [fact.traceparent for fact in facts],
            [fact.time_ns for fact in facts],
            WAKE_UP,
        )
        if row is None:
            raise StaleWriter(lease.name, lease.epoch)
        if expected_last_seq is not None and row["base"] != expected_last_seq:
            raise SequenceConflict(f"{stream!r} ended at {row['base']}, its writer expected {expected_last_seq}")
        return row["base"] + len(facts)

    async def last_seq(self, stream: str) -> int:
        """The number of a stream's last event; 0 for a stream that has none."""
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT last_seq FROM journal_head WHERE stream = $1", stream) or 0

    async def read(self, stream: str, after_seq: int = 0) -> AsyncIterator[Entry]:
        """Every event after a number, in order, a page at a time; ends at the end of the stream."""
        while True:
            async with self._database.connection() as connection:
                page = await read_page(connection, stream, after_seq, BATCH_MAX)
            for entry in page:
                yield entry
                after_seq = entry.seq
            if len(page) < BATCH_MAX:
                return


async def read_page(connection: asyncpg.Connection, stream: str, after_seq: int, limit: int) -> list[Entry]:
    """The next events of a stream after a number, at most `limit`."""
    rows = await connection.fetch(
        "SELECT seq, subject, type, payload, time_ns, request_id, traceparent FROM journal "
        "WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        stream,
        after_seq,
        limit,
    )
    return [Entry(stream, row[0], Fact(*row[1:])) for row in rows]


async def read_pages(connection: asyncpg.Connection, after: Mapping[str, int], limit: int) -> list[Entry]:
    """The next events of several streams, each after its own number and at most `limit` of it; stream by stream."""
    rows = await connection.fetch(
        "SELECT w.stream, j.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w (stream, after, n) "
        "CROSS JOIN LATERAL (SELECT seq, subject, type, payload, time_ns, request_id, traceparent FROM journal "
        "WHERE stream = w.stream AND seq > w.after ORDER BY seq LIMIT $3) j ORDER BY w.n, j.seq",
        list(after),
        list(after.values()),
        limit,
    )
    return [Entry(row[0], row[1], Fact(*row[2:])) for row in rows]
