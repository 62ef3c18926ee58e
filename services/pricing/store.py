"""Where versions of markets and snapshots are kept: the port, and PostgreSQL behind it.

Both are written once and never changed. Any instance may write; the number of a market's next version is taken under a
lock within the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import asyncpg

from crossrate.store.database import Database
from crossrate.store.requests import RequestLog
from services.pricing.domain.listing import Comparison


class VersionIsAnother(Exception):
    """The newest version is not the one that the writer expected."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the version is {actual}, not {expected}")
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True, slots=True)
class KeptMarket:
    """A version of a market without its content."""

    name: str
    version: int
    create_time: datetime
    comment: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """A snapshot without its spot rates."""

    id: str
    as_of: datetime
    market: str
    market_version: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Room:
    """What one table takes: rows as the planner estimates them, and bytes on disk with indexes."""

    table: str
    rows: int
    size_bytes: int


class Store(Protocol):
    """The port. Contents and answers are messages as bytes."""

    async def answered(self, request_id: str, body: bytes) -> bytes | None:
        """The answer that a request was given before, or None.

        Raises:
            RequestIdReused: the id came before with another body.
            StoreUnavailable: the database is away.
        """
        ...

    async def newest(self, name: str) -> int:
        """The newest version of a market; 0 if there is none.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...

    async def put_market(
        self,
        request_id: str,
        body: bytes,
        name: str,
        expected_version: int,
        now: datetime,
        comment: str,
        content: Callable[[int], tuple[bytes, bytes]],
    ) -> bytes:
        """Keeps the next version of a market once for a request id, and returns the answer.

        Args:
            body: what a repetition must have in common.
            expected_version: the version that this one follows; 0 for any.
            comment: why, for lists.
            content: from the new version's number to the market and the answer, both as bytes.

        Raises:
            VersionIsAnother: the newest version is not the expected one; nothing is kept.
            RequestIdReused: the id came before with another body.
            StoreUnavailable: nothing was done.
            OutcomeUnknown: it may have been done; the same request tells.
        """
        ...

    async def put_snapshot(
        self, request_id: str, body: bytes, key: tuple[str, datetime, str, int], content: bytes, answer: bytes
    ) -> bytes:
        """Keeps a snapshot once for a request id, and returns the answer: this one, or that of the request before.

        Args:
            body: what a repetition must have in common.
            key: the snapshot's id, moment, market and that market's version, which exists.

        Raises:
            RequestIdReused, StoreUnavailable, OutcomeUnknown: as above.
        """
        ...

    async def market(self, name: str, version: int) -> bytes | None:
        """A version of a market, 0 for the newest; None if there is none.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...

    async def snapshot(self, snapshot_id: str) -> bytes | None:
        """A snapshot; None if there is none.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...

    async def markets(
        self, conditions: Sequence[Comparison], after: tuple[datetime, str, int] | None, limit: int
    ) -> list[KeptMarket]:
        """Versions of markets, the newest first: by time, name and version, all descending.

        Args:
            conditions: on `name`, `version` and `create_time`; all hold.
            after: time, name and version of the row that they follow; None for the first.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...

    async def snapshots(self, conditions: Sequence[Comparison], after: str | None, limit: int) -> list[KeptSnapshot]:
        """Snapshots by id, descending: the one that was taken last first.

        Args:
            conditions: on `market`, `market_version` and `as_of`; all hold.
            after: id of the row that they follow; None for the first.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...


class _NotAnswered(Exception):
    """Rolls back the claim of an id that was only asked about."""


class PostgresStore:
    """Markets and snapshots in the service's schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def answered(self, request_id: str, body: bytes) -> bytes | None:
        """See Store."""
        try:
            async with self._database.transaction() as connection:
                known = await self._requests.claim(connection, request_id, body)
                if known is None:
                    raise _NotAnswered
        except _NotAnswered:
            return None
        return known

    async def newest(self, name: str) -> int:
        """See Store."""
        async with self._database.connection() as connection:
            return await _newest(connection, name)

    async def put_market(
        self,
        request_id: str,
        body: bytes,
        name: str,
        expected_version: int,
        now: datetime,
        comment: str,
        content: Callable[[int], tuple[bytes, bytes]],
    ) -> bytes:
        """See Store."""

        async def work(connection: asyncpg.Connection) -> bytes:
            # A market without a version has no row to lock, so the lock is on its name.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('market'), hashtext($1))", name)
            newest = await _newest(connection, name)
            if expected_version not in (0, newest):
                raise VersionIsAnother(expected_version, newest)
            market, answer = content(newest + 1)
            await connection.execute(
                "INSERT INTO market_version (name, version, create_time, comment, content) VALUES ($1, $2, $3, $4, $5)",
                name,
                newest + 1,
                now,
                comment,
                market,
            )
            return answer

        return await self._requests.once(request_id, body, work)

    async def put_snapshot(
        self, request_id: str, body: bytes, key: tuple[str, datetime, str, int], content: bytes, answer: bytes
    ) -> bytes:
        """See Store."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await connection.execute(
                "INSERT INTO snapshot (id, as_of, market, market_version, content) VALUES ($1, $2, $3, $4, $5)",
                *key,
                content,
            )
            return answer

        return await self._requests.once(request_id, body, work)

    async def market(self, name: str, version: int) -> bytes | None:
        """See Store."""
        async with self._database.connection() as connection:
            return await connection.fetchval(
                "SELECT content FROM market_version WHERE name = $1 AND ($2 = 0 OR version = $2) "
                "ORDER BY version DESC LIMIT 1",
                name,
                version,
            )

    async def snapshot(self, snapshot_id: str) -> bytes | None:
        """See Store."""
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT content FROM snapshot WHERE id = $1", snapshot_id)

    async def markets(
        self, conditions: Sequence[Comparison], after: tuple[datetime, str, int] | None, limit: int
    ) -> list[KeptMarket]:
        """See Store."""
        where, values = _where(conditions)
        if after is not None:
            n = len(values)
            where.append(f"(create_time, name, version) < (${n + 1}, ${n + 2}, ${n + 3})")
            values += after
        rows = await self._rows(
            "name, version, create_time, comment, octet_length(content) AS size_bytes FROM market_version",
            where,
            "create_time DESC, name DESC, version DESC",
            values,
            limit,
        )
        return [KeptMarket(**row) for row in rows]

    async def snapshots(self, conditions: Sequence[Comparison], after: str | None, limit: int) -> list[KeptSnapshot]:
        """See Store."""
        where, values = _where(conditions)
        if after is not None:
            where.append(f"id < ${len(values) + 1}::text::uuid")
            values.append(after)
        rows = await self._rows(
            "id::text, as_of, market, market_version, octet_length(content) AS size_bytes FROM snapshot",
            where,
            "snapshot.id DESC",
            values,
            limit,
        )
        return [KeptSnapshot(**row) for row in rows]

    async def _rows(
        self, what: str, where: list[str], order: str, values: list[object], limit: int
    ) -> list[asyncpg.Record]:
        only = f"WHERE {' AND '.join(where)} " if where else ""
        async with self._database.connection() as connection:
            return await connection.fetch(
                f"SELECT {what} {only}ORDER BY {order} LIMIT ${len(values) + 1}", *values, limit
            )

    async def rooms(self) -> list[Room]:
        """What the tables that only grow take.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT relname::text AS table, greatest(reltuples, 0)::bigint AS rows, "
                "pg_total_relation_size(oid) AS size_bytes FROM pg_class "
                "WHERE oid IN ('market_version'::regclass, 'snapshot'::regclass) ORDER BY relname"
            )
        return [Room(**row) for row in rows]

    async def forget_answers(self, older_than_s: float) -> int:
        """Deletes answers to request ids older than that and returns how many; at most 10,000 a call.

        Raises:
            StoreUnavailable: the database is away.
        """
        return await self._requests.forget(older_than_s)


async def _newest(connection: asyncpg.Connection, name: str) -> int:
    found = await connection.fetchval("SELECT max(version) FROM market_version WHERE name = $1", name)
    return found or 0


_COLUMNS = frozenset({"name", "version", "create_time", "market", "market_version", "as_of"})
_OPERATORS = frozenset({"=", "<", "<=", ">", ">="})


def _where(conditions: Sequence[Comparison]) -> tuple[list[str], list[object]]:
    """Conditions as SQL with parameters from $1 on, and their values. Names and operators are of a fixed set."""
    for each in conditions:
        assert each.name in _COLUMNS, each.name
        assert each.operator in _OPERATORS, each.operator
    return [f"{each.name} {each.operator} ${i}" for i, each in enumerate(conditions, start=1)], [
        each.value for each in conditions
    ]
