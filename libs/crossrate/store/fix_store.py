"""A FIX session's numbers and messages in the service's own schema; see crossrate.fix.store."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from crossrate.fix.numbers import Changes, Numbers, Sent
from crossrate.fix.store import StaleNumbers
from crossrate.store.database import Database
from crossrate.store.migrations import migrate

FIX_MIGRATIONS = Path(__file__).parent / "fix_schema"


class FixStore:
    """The store of one session. Its transaction is a connection of the schema, for the application's effects too.

    Two processes that speak for one session cannot both commit: each step names the numbers that it found.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database, self._name = database, name

    @staticmethod
    async def prepare(database: Database) -> None:
        """Brings the tables of FIX sessions up to date; only services that have such sessions have them.

        Raises:
            MigrationError: it cannot be.
            StoreUnavailable: the database is away.
        """
        async with database.connection() as connection:
            await migrate(connection, "crossrate.store.fix", FIX_MIGRATIONS)

    async def load(self) -> Numbers:
        """See crossrate.fix.store.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO fix_session (name, next_out, next_due, begun_ns) VALUES ($1, 1, 1, 0) "
                "ON CONFLICT DO NOTHING",
                self._name,
            )
            row = await connection.fetchrow(
                "SELECT next_out, next_due, begun_ns FROM fix_session WHERE name = $1", self._name
            )
        return Numbers(row["next_out"], row["next_due"], fresh=False, begun_ns=row["begun_ns"])

    def transaction(self) -> contextlib.AbstractAsyncContextManager[asyncpg.Connection]:
        """See crossrate.fix.store, and Database.transaction for what it raises."""
        return self._database.transaction()

    async def save(self, transaction: asyncpg.Connection, changes: Changes) -> None:
        """See crossrate.fix.store."""
        moved = await transaction.fetchval(
            "UPDATE fix_session SET next_out = $2, next_due = $3, begun_ns = $4, update_time = now() "
            "WHERE name = $1 AND next_out = $5 AND next_due = $6 RETURNING true",
            self._name,
            changes.out,
            changes.due,
            changes.begun_ns,
            changes.out_before,
            changes.due_before,
        )
        if not moved:
            raise StaleNumbers(f"another process has stored numbers of {self._name}")
        if changes.reset:
            await transaction.execute("DELETE FROM fix_sent WHERE session = $1", self._name)
        if changes.sent:
            sent = changes.sent
            await transaction.execute(
                "INSERT INTO fix_sent (session, number, kind, header, body, time_ns) SELECT $1, * FROM "
                "unnest($2::bigint[], $3::text[], $4::bytea[], $5::bytea[], $6::bigint[])",
                self._name,
                [each.number for each in sent],
                [each.kind.decode("latin-1") for each in sent],
                [each.header for each in sent],
                [each.body for each in sent],
                [each.time_ns for each in sent],
            )

    async def forget(self, before: int) -> int:
        """Deletes the messages with numbers below `before`, and returns how many there were.

        For sessions whose numbers never begin anew. A peer that asks for them gets a gap in their place, so `before` is
        a number that both sides have reconciled.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            done = await connection.execute(
                "DELETE FROM fix_sent WHERE session = $1 AND number < $2", self._name, before
            )
        return int(done.rpartition(" ")[2])

    async def sent(self, first: int, last: int, limit: int) -> Sequence[Sent]:
        """See crossrate.fix.store.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, kind, header, body, time_ns FROM fix_sent "
                "WHERE session = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4",
                self._name,
                first,
                last,
                limit,
            )
        return [Sent(row["number"], row["kind"].encode("latin-1"), *row[2:]) for row in rows]
