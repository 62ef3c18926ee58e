"""Appending: a batch of facts, the positions up to which streams have been read, and the tree, in one transaction.

Appends do not wait for the disk. Nothing that they wrote is promised to anybody before a checkpoint covers it, and the
commit of a checkpoint does wait, for itself and for all before it. What a crash takes is read again from the streams:
who remembers more than the tables have finds another last leaf there, for each has a salt, and reads the log anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg

from crossrate.store.database import Database
from crossrate.transparency.continuity import Source
from crossrate.transparency.tree import HASH_BYTES, TILE_LEVELS, TILE_WIDTH, Frontier, full_subtrees
from services.audit.domain import Incoming
from services.audit.store.build import Rows, State, build
from services.audit.store.tree import nodes_of

CONSUMER = "log"
"""The name of the positions in the inbox."""

_ADVANCE = """
UPDATE log_head SET size = $2
WHERE size = $1 AND ($1 = 0 OR EXISTS (SELECT FROM leaf WHERE index = $1 - 1 AND hash = $3)) RETURNING true"""
_IS_THERE = "SELECT EXISTS (SELECT FROM log_head, leaf WHERE size >= $1 AND index = $1 - 1 AND hash = $2)"

Action = Callable[[asyncpg.Connection, int], Awaitable[None]]
"""Further work of a transaction; the number is the place of its last fact."""

_TILES = """
INSERT INTO tile (level, number, hashes) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"""
_ORIGINS = """
UPDATE origin SET last_sequence = fresh.last_sequence
FROM unnest($1::int[], $2::bigint[]) AS fresh (id, last_sequence) WHERE origin.id = fresh.id"""
_POSITIONS = """
INSERT INTO inbox (consumer, stream, last_seq) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
ON CONFLICT (consumer, stream) DO UPDATE SET last_seq = excluded.last_seq"""


class Overtaken(Exception):
    """The log is not what this instance knew: another has appended, or a crash took what was not on disk yet.

    It is read anew, and so is how far streams were read.
    """


class Log:
    """One instance's writer of the log. Instances side by side take turns by the row of the head."""

    def __init__(self, database: Database, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.database = database
        self._clock_ns = clock_ns
        self._lock = asyncio.Lock()
        self._state: State | None = None
        self._committed, self._newest = Frontier(), b""
        self.appended = 0
        self.generation = 0
        """Changes when what this instance knew was not so: positions in memory are as wrong."""

    @property
    def committed(self) -> tuple[Frontier, bytes]:
        """The tree as this instance committed or read it last, a copy, and the hash of its last leaf."""
        return self._committed.copy(), self._newest

    @property
    def missing(self) -> int:
        """Facts that are known to be missing."""
        if self._state is None:
            return 0
        return sum(last - first + 1 for _, first, last, _ in self._state.continuity.missing())

    async def is_there(self, connection: asyncpg.Connection, tree: Frontier, newest: bytes) -> bool:
        """Whether the tables still have the tree that was `committed` here, and `newest` at its end."""
        found = await connection.fetchval(_IS_THERE, tree.size, newest)
        if not found:
            self._forget()
        return found

    async def refresh(self) -> None:
        """Reads the log as it is committed now, unless this instance knows.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._lock, self.database.connection() as connection:
            await self._state_of(connection)

    async def last_sequence(self, source: Source) -> int:
        """Number of the newest fact of a journal stream in the log; 0 for none.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._lock, self.database.connection() as connection:
            return (await self._state_of(connection)).continuity.last.get(source, 0)

    async def positions(self) -> dict[str, int]:
        """How far each stream was read."""
        async with self.database.connection() as connection:
            rows = await connection.fetch("SELECT stream, last_seq FROM inbox WHERE consumer = $1", CONSUMER)
        return {row["stream"]: row["last_seq"] for row in rows}

    async def append(
        self,
        facts: Sequence[Incoming],
        positions: Mapping[str, int],
        *,
        own: Sequence[Any] = (),
        keys: tuple[str, ...] = (),
        action: Action | None = None,
    ) -> int:
        """Appends facts that are not there yet, then messages about the log itself; returns the size then.

        Raises:
            StoreUnavailable, OutcomeUnknown: as `Database.transaction`; the next append knows what is there.
            Overtaken: another instance was first, several times; with facts already the first time, because which ones
                come next is another question then.
        """
        async with self._lock:
            for _ in range(5):
                try:
                    return await self._append(facts, positions, own, keys, action)
                except BaseException as error:
                    self._forget()
                    if facts or not isinstance(error, Overtaken):
                        raise
            raise Overtaken("other instances append all the time")

    def _forget(self) -> None:
        self._state = None
        self.generation += 1

    async def _append(self, facts, positions, own, keys, action) -> int:
        async with self.database.transaction() as connection:
            state = await self._state_of(connection)
            now_ns = self._clock_ns()
            before, newest = state.frontier.size, state.newest
            rows = build(state, facts, own, keys, now_ns)
            await connection.execute("SET LOCAL synchronous_commit = off")
            if not await connection.fetchval(_ADVANCE, before, state.frontier.size, newest):
                raise Overtaken("the log is read anew")
            await self._write(connection, state, rows)
            await connection.execute(_POSITIONS, CONSUMER, list(positions), list(positions.values()))
            if action is not None:
                await action(connection, state.frontier.size - 1)
        self._committed, self._newest = state.frontier.copy(), state.newest
        self.appended += len(rows.leaves)
        return state.frontier.size

    async def _write(self, connection: asyncpg.Connection, state: State, rows: Rows) -> None:
        if not rows.leaves:
            return
        await self._name(connection, state, rows)
        leaves = [(*row[:5], state.origins[row[5]], row[6], state.types[row[7]], row[8]) for row in rows.leaves]
        columns = ("index", "hash", "data", "salt", "payload", "origin", "sequence", "type", "time_ns")
        await connection.copy_records_to_table("leaf", records=leaves, columns=columns)
        if rows.keys:
            await connection.copy_records_to_table("fact_key", records=rows.keys, columns=("key", "index"))
        if rows.tiles:
            levels, numbers = zip(*rows.tiles, strict=True)
            await connection.execute(_TILES, levels, numbers, list(rows.tiles.values()))
        touched = {row[5] for row in rows.leaves}
        ids = [state.origins[source] for source in touched]
        await connection.execute(_ORIGINS, ids, [state.continuity.last[source] for source in touched])
        for source in rows.gaps:
            kept = [(first, last) for each, first, last, _ in state.continuity.missing() if each == source]
            await connection.execute("DELETE FROM gap WHERE origin = $1", state.origins[source])
            rows_of_gaps = [(state.origins[source], first, last) for first, last in kept]
            await connection.executemany("INSERT INTO gap VALUES ($1, $2, $3)", rows_of_gaps)

    async def _name(self, connection: asyncpg.Connection, state: State, rows: Rows) -> None:
        """Gives new sources and types their numbers."""
        fresh = sorted({row[5] for row in rows.leaves} - state.origins.keys())
        if fresh:
            found = await connection.fetch(
                "INSERT INTO origin (service, stream, last_sequence) "
                "SELECT *, 0 FROM unnest($1::text[], $2::text[]) RETURNING id, service, stream",
                [service for service, _ in fresh],
                [stream for _, stream in fresh],
            )
            state.origins |= {(row["service"], row["stream"]): row["id"] for row in found}
        names = sorted({row[7] for row in rows.leaves} - state.types.keys())
        if names:
            found = await connection.fetch(
                "INSERT INTO fact_type (name) SELECT unnest($1::text[]) RETURNING id, name", names
            )
            state.types |= {row["name"]: row["id"] for row in found}

    async def _state_of(self, connection: asyncpg.Connection) -> State:
        if self._state is None:
            self._state = await load(connection)
            self._committed, self._newest = self._state.frontier.copy(), self._state.newest
        return self._state


async def load(connection: asyncpg.Connection) -> State:
    """The log as it is committed."""
    size = await connection.fetchval("SELECT size FROM log_head")
    subtrees = full_subtrees(0, size)
    nodes = await nodes_of(connection, subtrees)
    newest = await connection.fetchval("SELECT hash FROM leaf WHERE index = $1", size - 1)
    state = State(Frontier(size, [nodes[each] for each in subtrees]), newest or b"")
    level = 1
    while count := size >> (TILE_LEVELS * level):
        number = (count - 1) // TILE_WIDTH
        hashes = await connection.fetchval("SELECT hashes FROM tile WHERE level = $1 AND number = $2", level, number)
        state.tiles[level] = bytearray((hashes or b"")[: (count - number * TILE_WIDTH) * HASH_BYTES])
        level += 1
    for row in await connection.fetch("SELECT id, service, stream, last_sequence FROM origin"):
        source = (row["service"], row["stream"])
        state.origins[source] = row["id"]
        state.continuity.last[source] = row["last_sequence"]
    by_id = {number: source for source, number in state.origins.items()}
    for row in await connection.fetch("SELECT origin, first_sequence, last_sequence FROM gap"):
        state.continuity.know_missing(by_id[row["origin"]], row["first_sequence"], row["last_sequence"])
    state.types = {row["name"]: row["id"] for row in await connection.fetch("SELECT id, name FROM fact_type")}
    return state
