"""Finding facts, and the log as kept for an export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from google.protobuf.message import DecodeError

from crossrate.api.audit.v1 import checkpoint_pb2, export_pb2, leaf_pb2
from crossrate.store.database import Database
from crossrate.transparency.tree import HASH_BYTES, TILE_LEVELS, TILE_WIDTH, full_subtrees
from services.audit.domain import NO_JOURNAL, SERVICE
from services.audit.store.tree import nodes_of

PAGE_LEAVES = 1024
"""Leaves of one page of an export."""
PAGE_BYTES = 2 << 20
"""Payload bytes of one message of an export, about."""
_FIRST = ("order", "request", "person", "account")
"""Kinds of keys, those with the fewest facts each first: a search goes along the first that it has."""

_LEAF = """
SELECT l.index, l.hash, l.data, l.salt, l.payload, o.service, o.stream, l.sequence, t.name AS type, l.time_ns
FROM leaf l LEFT JOIN origin o ON o.id = l.origin LEFT JOIN fact_type t ON t.id = l.type"""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search asks for: all of it at once. Times in ns since 1970; 0 for no bound."""

    keys: tuple[str, ...] = ()
    type: str = ""
    service: str = ""
    start_ns: int = 0
    end_ns: int = 0


class Reading:
    """Reads the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fact(self, index: int) -> asyncpg.Record | None:
        """One leaf with its columns."""
        async with self._database.connection() as connection:
            return await connection.fetchrow(f"{_LEAF} WHERE l.index = $1", index)

    async def search(self, criteria: Criteria, before: int, limit: int, timeout_s: float) -> list[asyncpg.Record]:
        """Leaves that meet the criteria, the newest first, below a place.

        Raises:
            TimeoutError: it took too long.
        """
        arguments: list[Any] = [before, limit]

        def argument(value: Any) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        tests = ["l.index < $1"]
        keys = sorted(criteria.keys, key=lambda each: _FIRST.index(each.partition(":")[0]))
        source = _LEAF
        if keys:
            source += f" JOIN fact_key k ON k.index = l.index AND k.key = {argument(keys[0])}"
            tests.append("k.index < $1")
        tests += [
            f"EXISTS (SELECT 1 FROM fact_key WHERE key = {argument(each)} AND index = l.index)" for each in keys[1:]
        ]
        if criteria.type:
            name = argument(criteria.type)
            found = f"SELECT id FROM fact_type WHERE name = {name} OR name LIKE '%.' || {name}"
            tests.append(f"l.type IN ({found})")
        if criteria.service:
            tests.append(f"l.origin IN (SELECT id FROM origin WHERE service = {argument(criteria.service)})")
        if criteria.start_ns:
            tests.append(f"l.time_ns >= {argument(criteria.start_ns)}")
        if criteria.end_ns:
            tests.append(f"l.time_ns < {argument(criteria.end_ns)}")
        order = "k.index" if keys else "l.index"
        query = f"{source} WHERE {' AND '.join(tests)} ORDER BY {order} DESC LIMIT $2"
        async with self._database.connection() as connection:
            return await connection.fetch(query, *arguments, timeout=timeout_s)

    async def checkpoint(self, size_max: int = 0) -> asyncpg.Record | None:
        """The newest checkpoint, or the newest of at most a size."""
        async with self._database.connection() as connection:
            return await connection.fetchrow(
                "SELECT size, root, note || coalesce(cosignature, '') AS note, time FROM checkpoint "
                "WHERE size <= $1 ORDER BY size DESC LIMIT 1",
                size_max or 1 << 62,
            )

    async def keys(self) -> list[checkpoint_pb2.VerifierKey]:
        """Keys of the log, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT number, key, since_index FROM signing_key ORDER BY number")
        return [checkpoint_pb2.VerifierKey(**row) for row in rows]

    async def frontier(self, size: int) -> list[bytes]:
        """Roots of the full subtrees over the first leaves.

        Raises:
            LogChanged: they are not there.
        """
        subtrees = full_subtrees(0, size)
        async with self._database.connection() as connection:
            nodes = await nodes_of(connection, subtrees)
        return [nodes[each] for each in subtrees]

    async def export(
        self, first: int, size: int, *, without_payloads: bool
    ) -> AsyncIterator[tuple[int, export_pb2.ExportBatch]]:
        """Records from a leaf up to a size, and for each message the first leaf that is not in it yet."""
        at = first
        while at < size:
            page = await self._page(at, min(at + PAGE_LEAVES, size), size)
            batch, room = export_pb2.ExportBatch(), PAGE_BYTES
            past, leaves, tiles, checkpoints = page
            # A leaf that is not there leaves a gap, and the page ends where it was to end.
            due = sorted([*leaves, *tiles, *checkpoints], key=lambda each: each[0])
            for _, _, record in due:
                leaf = record.leaf if record.HasField("leaf") else None
                if leaf is not None and without_payloads and leaf.service != SERVICE:
                    leaf.payload = leaf.salt = b""
                size_of = record.ByteSize()
                if room < size_of and leaf is not None and batch.records:
                    yield leaf.index, batch
                    batch, room = export_pb2.ExportBatch(), PAGE_BYTES
                batch.records.append(record)
                room -= size_of
            at = past
            yield at, batch
        yield size, export_pb2.ExportBatch(records=await self._streams(size))

    async def _page(self, first: int, past: int, size: int) -> tuple[int, list, list, list]:
        """Leaves, tiles and checkpoints of a stretch, each with what it is sorted by: a place, then kind."""
        async with self._database.transaction() as connection:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = await connection.fetch(f"{_LEAF} WHERE l.index >= $1 AND l.index < $2 ORDER BY l.index", first, past)
            kept = await connection.fetch(
                "SELECT index, array_agg(key) AS keys FROM fact_key WHERE index >= $1 AND index < $2 GROUP BY index",
                first,
                past,
            )
            signed = await connection.fetch(
                "SELECT size, root, note || coalesce(cosignature, '') AS note FROM checkpoint "
                "WHERE size > $1 AND size <= $2 ORDER BY size",
                first,
                past,
            )
            tiles = await _tiles(connection, first, past, is_last=past == size)
        keys = {row["index"]: row["keys"] for row in kept}
        leaves = [((row["index"], 0), 0, leaf_record(row, keys.pop(row["index"], ()))) for row in rows]
        for index, extra in keys.items():
            words = f"keys of fact {index}, which is not there: {', '.join(extra)[:200]}"
            leaves.append(((index, 0), 0, export_pb2.ExportRecord(stray=words)))
        checkpoints = [
            ((row["size"] - 1, 2), 0, export_pb2.ExportRecord(checkpoint=checkpoint_pb2.Checkpoint(**row)))
            for row in signed
        ]
        return past, leaves, tiles, checkpoints

    async def _streams(self, size: int) -> Sequence[export_pb2.ExportRecord]:
        """What comes at the end: how far streams are within the exported log, and what lies beyond it."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT o.service, o.stream, o.last_sequence AS told, (SELECT l.sequence FROM leaf l "
                "WHERE l.origin = o.id AND l.index < $1 ORDER BY l.sequence DESC LIMIT 1) AS last_sequence, "
                "EXISTS (SELECT 1 FROM leaf b WHERE b.index >= $1 AND b.origin = o.id) AS beyond "
                "FROM origin o ORDER BY 1, 2",
                size,
            )
            head, leaves = await connection.fetchrow("SELECT h.size, (SELECT max(index) + 1 FROM leaf) FROM log_head h")
            strays = await connection.fetch(
                "SELECT 'leaf ' || index AS what FROM leaf WHERE index >= $1 "
                "UNION ALL SELECT 'key ' || key || ' of fact ' || index FROM fact_key WHERE index >= $1 OR index < 0 "
                "UNION ALL SELECT 'tile ' || level || '/' || number FROM tile "
                "WHERE number * 256 * (1::bigint << (8 * level)) >= $1 LIMIT 100",
                max(head, size),
            )
        records = []
        for row in rows:
            last = row["last_sequence"] if row["beyond"] else row["told"]
            if last and not row["stream"].startswith(NO_JOURNAL):
                stream = leaf_pb2.AuditedStream(service=row["service"], stream=row["stream"], last_sequence=last)
                records.append(export_pb2.ExportRecord(stream=stream))
        if head < size or head != (leaves or 0):
            told = f"the head of the log says {head} facts, its newest checkpoint {size}, its leaves {leaves}"
            records.append(export_pb2.ExportRecord(stray=told))
        words = "beyond the end of the log, which has {} facts: {}"
        return [*records, *(export_pb2.ExportRecord(stray=words.format(head, row["what"])) for row in strays)]


async def _tiles(connection: asyncpg.Connection, first: int, past: int, *, is_last: bool) -> list:
    """Tiles that become full within a stretch, and with `is_last` those that are not full at its end."""
    found, level = [], 1
    while count := past >> (TILE_LEVELS * level):
        low, high = (first >> (TILE_LEVELS * level)) // TILE_WIDTH, (count - 1) // TILE_WIDTH
        rows = await connection.fetch(
            "SELECT number, hashes FROM tile WHERE level = $1 AND number BETWEEN $2 AND $3 ORDER BY number",
            level,
            low,
            high,
        )
        for row in rows:
            number, hashes = row["number"], row["hashes"]
            entries = min(TILE_WIDTH, count - number * TILE_WIDTH)
            ends = (number + 1) * TILE_WIDTH << (TILE_LEVELS * level)
            if entries < TILE_WIDTH:
                if not is_last:
                    continue
                ends, hashes = past, hashes[: entries * HASH_BYTES]
            elif ends <= first:
                continue
            tile = leaf_pb2.Tile(level=level, number=number, hashes=hashes)
            found.append(((ends - 1, 1), level, export_pb2.ExportRecord(tile=tile)))
        level += 1
    return found


def leaf_record(row: asyncpg.Record, keys: Sequence[str]) -> export_pb2.ExportRecord:
    """A leaf's row as a record."""
    dropped = row["payload"] is None and row["salt"] is None
    try:
        form = leaf_pb2.Leaf.FromString(row["data"]).payload_form if dropped else 0
    except DecodeError:
        form = 0
    return export_pb2.ExportRecord(
        leaf=export_pb2.ExportedLeaf(
            index=row["index"],
            hash=row["hash"],
            data=row["data"],
            salt=row["salt"],
            payload=row["payload"],
            dropped=dropped and form != leaf_pb2.PAYLOAD_FORM_WITHHELD,
            service=row["service"],
            stream=row["stream"],
            sequence=row["sequence"],
            type=row["type"],
            time_ns=row["time_ns"],
            keys=keys,
        )
    )
