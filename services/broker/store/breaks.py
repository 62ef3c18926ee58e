"""Breaks, their changes, what they gate, and comparisons that were asked for, as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.store import Database, Lease
from crossrate.store.errors import StaleWriter

CHANNEL_BREAKS = "broker_breaks"
HISTORY_MAX = 100


@dataclass(slots=True)
class KeptBreak:
    """A break and what is not shown of it."""

    message: pb.Break
    subject: str
    evidence: str

    @property
    def open(self) -> bool:
        """Whether it is not closed."""
        return self.message.state != pb.BREAK_STATE_CLOSED


@dataclass(frozen=True, slots=True)
class Market:
    """What breaks stop: an instrument at a venue, how much, and by which breaks."""

    venue: str
    instrument: str
    mode: int
    break_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A comparison that was asked for."""

    number: int
    whole: bool


async def fence(connection: asyncpg.Connection, lease: Lease) -> None:
    """Fails unless the venue is still ours.

    Raises:
        StaleWriter: another instance has it.
    """
    held = await connection.fetchval(
        "SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE", lease.name, lease.epoch
    )
    if held is None:
        raise StaleWriter(lease.name, lease.epoch)


def step(message: pb.Break, what: str, text: str, now_ns: int, who: str = "") -> None:
    """Adds to a break's history."""
    made = message.history.add(what=what, who=who, text=text[:500])
    made.time.FromNanoseconds(now_ns)
    if len(message.history) > HISTORY_MAX:
        del message.history[: len(message.history) - HISTORY_MAX]


async def put(connection: asyncpg.Connection, breaks: Sequence[KeptBreak]) -> None:
    """Writes breaks as they are now, each as a numbered change that watchers see in order."""
    if not breaks:
        return
    last = await connection.fetchval(
        "UPDATE break_head SET last_number = last_number + $1 RETURNING last_number", len(breaks)
    )
    for number, each in enumerate(breaks, last - len(breaks) + 1):
        message = each.message
        message.change = number
        content = message.SerializeToString()
        correction = message.correction
        await connection.execute(
            "INSERT INTO venue_break (break_id, change, venue, instrument, account, type, closed, gate, approved, "
            "subject, evidence, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
            "ON CONFLICT (break_id) DO UPDATE SET change = excluded.change, instrument = excluded.instrument, "
            "account = excluded.account, closed = excluded.closed, gate = excluded.gate, "
            "approved = excluded.approved, evidence = excluded.evidence, content = excluded.content",
            message.break_id,
            number,
            message.venue,
            message.instrument,
            message.account,
            message.type,
            not each.open,
            message.gate if each.open else 0,
            message.HasField("correction") and correction.state == pb.BREAK_CORRECTION_STATE_APPROVED,
            each.subject,
            each.evidence,
            content,
        )
        await connection.execute(
            "INSERT INTO break_change (number, venue, content) VALUES ($1, $2, $3)", number, message.venue, content
        )
    await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_BREAKS)


class Breaks:
    """Reads and writes; every method may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, venue: str) -> int:
        """The number of the report from which a venue is compared; now, if it never was."""
        async with self._database.connection() as connection:
            return await connection.fetchval(
                "INSERT INTO reconciled_venue (venue, begin_sequence) SELECT $1, last_sequence FROM report_head "
                "ON CONFLICT (venue) DO UPDATE SET venue = excluded.venue RETURNING begin_sequence",
                venue,
            )

    async def of(self, venue: str) -> dict[str, KeptBreak]:
        """Breaks of a venue that are not closed."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT subject, evidence, content FROM venue_break WHERE venue = $1 AND NOT closed", venue
            )
        found = [_kept(row) for row in rows]
        return {each.message.break_id: each for each in found}

    async def some(self, break_ids: Sequence[str]) -> dict[str, KeptBreak]:
        """Breaks by their ids, closed ones too."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT subject, evidence, content FROM venue_break WHERE break_id = ANY($1)", list(break_ids)
            )
        found = [_kept(row) for row in rows]
        return {each.message.break_id: each for each in found}

    async def listed(
        self, before: int, limit: int, *, closed: bool, venue: str, instrument: str, account: str, kind: int
    ) -> list[pb.Break]:
        """Breaks whose last change is before a number (0: all), newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT content FROM venue_break WHERE ($1 = 0 OR change < $1) AND ($3 OR NOT closed) "
                "AND ($4 = '' OR venue = $4) AND ($5 = '' OR instrument = $5) AND ($6 = '' OR account = $6) "
                "AND ($7 = 0 OR type = $7) ORDER BY change DESC LIMIT $2",
                before,
                limit,
                closed,
                venue,
                instrument,
                account,
                kind,
            )
        return [pb.Break.FromString(row[0]) for row in rows]

    async def changes(self, after: int, limit: int, venue: str) -> tuple[list[pb.Break], int]:
        """Changes after a number, in order, and the number up to which they were looked at."""
        async with self._database.connection() as connection:
            last = await connection.fetchval("SELECT last_number FROM break_head")
            rows = await connection.fetch(
                "SELECT content FROM break_change WHERE number > $1 AND number <= $4 AND ($3 = '' OR venue = $3) "
                "ORDER BY number LIMIT $2",
                after,
                limit,
                venue,
                last,
            )
        found = [pb.Break.FromString(row[0]) for row in rows]
        return found, found[-1].change if len(found) == limit else max(last, after)

    async def last_change(self) -> int:
        """The number of the newest change."""
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT last_number FROM break_head")

    async def runs(self) -> list[pb.ReconciliationRun]:
        """The newest run at each venue."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT run FROM reconciled_venue WHERE run <> '' ORDER BY venue")
        return [pb.ReconciliationRun.FromString(row[0]) for row in rows]

    # Comparisons that were asked for.

    async def asked(self, venue: str) -> list[Asked]:
        """What waits."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, whole FROM reconciliation_request WHERE venue = $1 AND NOT done ORDER BY number", venue
            )
        return [Asked(row[0], row[1]) for row in rows]

    async def answer(self, number: int) -> pb.ReconciliationRun | None:
        """The run of a comparison that was asked for; None while it is not done."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow("SELECT done, run FROM reconciliation_request WHERE number = $1", number)
        return pb.ReconciliationRun.FromString(row[1]) if row is not None and row[0] else None

    async def ran(self, lease: Lease, run: pb.ReconciliationRun, asked: Sequence[Asked]) -> None:
        """Keeps a run, which answers what was asked."""
        content = run.SerializeToString()
        async with self._database.transaction() as connection:
            # Nobody misses a run that a crash took back: orders' commits do not wait for its fsync.
            await connection.execute("SET LOCAL synchronous_commit = off")
            await fence(connection, lease)
            await connection.execute("UPDATE reconciled_venue SET run = $2 WHERE venue = $1", run.venue, content)
            if asked:
                await connection.execute(
                    "UPDATE reconciliation_request SET done = true, run = $2 WHERE number = ANY($1)",
                    [each.number for each in asked],
                    content,
                )
                await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_BREAKS)

    # Gates.

    async def markets(self) -> list[Market]:
        """Everything that breaks stop now, at all venues."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT venue, instrument, max(gate), array_agg(break_id ORDER BY break_id) FROM venue_break "
                "WHERE NOT closed AND gate > 0 GROUP BY venue, instrument ORDER BY venue, instrument"
            )
        return [Market(row[0], row[1], row[2], tuple(row[3])) for row in rows]

    async def gate(self, lease: Lease, venue: str, content: bytes, instruments: Sequence[str]) -> tuple[int, bool]:
        """Keeps what is to be stopped at a venue; its number, and whether risk was told."""
        async with self._database.transaction() as connection:
            await fence(connection, lease)
            row = await connection.fetchrow(
                "UPDATE reconciled_venue SET gate_number = gate_number + (gate_content <> $2)::int, "
                "gate_told = gate_told AND gate_content = $2, gate_content = $2 WHERE venue = $1 "
                "RETURNING gate_number, gate_told",
                venue,
                content,
            )
            await connection.execute(
                "UPDATE venue SET gated = $2 WHERE name = $1 AND gated <> $2", venue, list(instruments)
            )
        return row[0], row[1]

    async def gate_told(self, lease: Lease, venue: str, number: int) -> None:
        """Risk has it."""
        async with self._database.transaction() as connection:
            await fence(connection, lease)
            await connection.execute(
                "UPDATE reconciled_venue SET gate_told = true WHERE venue = $1 AND gate_number = $2", venue, number
            )


def _kept(row: asyncpg.Record) -> KeptBreak:
    return KeptBreak(pb.Break.FromString(row["content"]), row["subject"], row["evidence"])


async def lock(connection: asyncpg.Connection, break_id: str) -> KeptBreak | None:
    """A break that nobody else changes until the transaction ends; None if there is none."""
    row = await connection.fetchrow(
        "SELECT subject, evidence, content FROM venue_break WHERE break_id = $1 FOR UPDATE", break_id
    )
    return None if row is None else _kept(row)
