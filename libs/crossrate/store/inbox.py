"""How far a service has applied other services' streams, kept where the effects are."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import asyncpg

from crossrate.events.envelope import Event
from crossrate.store.database import Database


class Inbox:
    """The positions of the consumers of one schema. An event and the position past it commit together.

    The row of a position is locked while its next event is applied, so instances that consume side by side take turns,
    and each event is applied by one of them, in order.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, consumer: str, stream: str) -> int:
        """The number of the last applied message; 0 for none.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            found = await connection.fetchval(
                "SELECT last_seq FROM inbox WHERE consumer = $1 AND stream = $2", consumer, stream
            )
        return found or 0

    @contextlib.asynccontextmanager
    async def apply(self, consumer: str, event: Event) -> AsyncIterator[tuple[bool, asyncpg.Connection]]:
        """A transaction that moves the position to an event; (False, …) if it is there or further already.

        Raises:
            StoreUnavailable: nothing was done.
            OutcomeUnknown: the next `load` or `apply` tells whether it was.
        """
        async with self._database.transaction() as connection:
            moved = await connection.fetchval(
                "INSERT INTO inbox (consumer, stream, last_seq) VALUES ($1, $2, $3) ON CONFLICT (consumer, stream) "
                "DO UPDATE SET last_seq = excluded.last_seq WHERE inbox.last_seq < excluded.last_seq RETURNING true",
                consumer,
                event.stream,
                event.sequence,
            )
            yield bool(moved), connection

    @contextlib.asynccontextmanager
    async def apply_batch(
        self, consumer: str, events: Sequence[Event]
    ) -> AsyncIterator[tuple[Sequence[Event], asyncpg.Connection]]:
        """A transaction that moves the position to the last of some events of one stream, in order, at least one.

        Gives those of them that were not applied before. The position stays locked until the transaction ends.

        Raises:
            StoreUnavailable: nothing was done.
            OutcomeUnknown: the next `load` or `apply_batch` tells whether it was.
        """
        stream, last = events[-1].stream, events[-1].sequence
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO inbox (consumer, stream, last_seq) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
                consumer,
                stream,
            )
            position = await connection.fetchval(
                "SELECT last_seq FROM inbox WHERE consumer = $1 AND stream = $2 FOR UPDATE", consumer, stream
            )
            fresh = [event for event in events if event.sequence > position]
            yield fresh, connection
            if fresh:
                await connection.execute(
                    "UPDATE inbox SET last_seq = $3 WHERE consumer = $1 AND stream = $2", consumer, stream, last
                )

    @contextlib.asynccontextmanager
    async def apply_again(self, consumer: str, event: Event) -> AsyncIterator[tuple[bool, asyncpg.Connection]]:
        """The same for a dead letter that is delivered again: at most once; the position stays."""
        async with self._database.transaction() as connection:
            claimed = await connection.fetchval(
                "INSERT INTO inbox_redriven (consumer, stream, seq) VALUES ($1, $2, $3) "
                "ON CONFLICT DO NOTHING RETURNING true",
                consumer,
                event.stream,
                event.sequence,
            )
            yield bool(claimed), connection
