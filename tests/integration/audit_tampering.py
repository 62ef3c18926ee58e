"""Ways in which somebody who owns the database may change the log. Each says at which places it has to be found."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from crossrate.api.audit.v1 import leaf_pb2
from crossrate.transparency.checkpoint import Checkpoint, sign_checkpoint
from crossrate.transparency.note import Note, Signer
from crossrate.transparency.tree import TILE_WIDTH, Frontier, hash_leaf

TABLES = ("leaf", "fact_key", "tile", "checkpoint", "origin", "signing_key", "log_head", "fact_type")


class Held:
    """A database of one connection whose transaction is open already: what is read there is what was changed there."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """The connection."""
        yield self._connection

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """The same, but for the choice of an isolation that comes too late here."""
        yield self

    async def execute(self, statement: str) -> None:
        """The choice of an isolation."""
        assert statement.startswith("SET TRANSACTION")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@dataclass
class Log:
    """The log under a hand that may do everything but sign."""

    connection: asyncpg.Connection
    random: random.Random
    size: int

    def place(self, low: int = 0) -> int:
        """Some fact."""
        return self.random.randrange(low, self.size)

    async def leaf(self, index: int) -> asyncpg.Record:
        """Its row."""
        return await self.connection.fetchrow("SELECT * FROM leaf WHERE index = $1", index)

    async def do(self, statement: str, *arguments: Any) -> None:
        """One statement."""
        await self.connection.execute(statement, *arguments)

    def bent(self, value: bytes) -> bytes:
        """Bytes of which one bit is another."""
        place = self.random.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << self.random.randrange(8)]) + value[place + 1 :]

    async def forge(self, index: int) -> None:
        """Another header with a hash that fits it."""
        header = leaf_pb2.Leaf.FromString((await self.leaf(index))["data"])
        header.request_id = f"forged-{self.random.random()}"
        data = header.SerializeToString(deterministic=True)
        await self.do("UPDATE leaf SET data = $2, hash = $3 WHERE index = $1", index, data, hash_leaf(data))

    async def rebuild(self) -> None:
        """Tiles that fit the leaves."""
        frontier, tiles = Frontier(), {}
        for row in await self.connection.fetch("SELECT hash FROM leaf ORDER BY index"):
            for level, place, node in frontier.append(row["hash"]):
                tiles.setdefault((level, place // TILE_WIDTH), []).append(node)
        await self.do("DELETE FROM tile")
        rows = [(level, number, b"".join(nodes)) for (level, number), nodes in tiles.items()]
        await self.connection.executemany("INSERT INTO tile VALUES ($1, $2, $3)", rows)

    async def move(self, first: int, by: int) -> None:
        """Leaves and keys from a place on get other numbers."""
        for table in ("leaf", "fact_key"):
            await self.do(f"UPDATE {table} SET index = index + 1000000 WHERE index >= $1", first)
            await self.do(f"UPDATE {table} SET index = index - 1000000 + $1 WHERE index >= 1000000", by)

    async def cut(self, size: int) -> None:
        """Everything as it was when the log had so many facts: an old copy put back."""
        for table in ("leaf", "fact_key"):
            await self.do(f"DELETE FROM {table} WHERE index >= $1", size)
        await self.do("DELETE FROM checkpoint WHERE size > $1", size)
        await self.do(
            "UPDATE origin o SET last_sequence = (SELECT coalesce(max(sequence), 0) FROM leaf WHERE origin = o.id)"
        )
        await self.do("DELETE FROM origin WHERE last_sequence = 0")
        await self.do("UPDATE log_head SET size = $1", size)
        await self.rebuild()


Range = tuple[int, int]
Tampering = Callable[[Log], Awaitable[Range]]
"""Changes something and gives the first and the last place at which it may be said to be."""


async def edit_header(log: Log) -> Range:
    """A header's bit."""
    i = log.place()
    await log.do("UPDATE leaf SET data = $2 WHERE index = $1", i, log.bent((await log.leaf(i))["data"]))
    return i, i


async def edit_hash(log: Log) -> Range:
    """A hash's bit."""
    i = log.place()
    await log.do("UPDATE leaf SET hash = $2 WHERE index = $1", i, log.bent((await log.leaf(i))["hash"]))
    return i, i


async def edit_payload(log: Log) -> Range:
    """A payload's bit."""
    i = log.place()
    await log.do("UPDATE leaf SET payload = $2 WHERE index = $1", i, log.bent((await log.leaf(i))["payload"]))
    return i, i


async def edit_salt(log: Log) -> Range:
    """A salt's bit."""
    i = log.place()
    await log.do("UPDATE leaf SET salt = $2 WHERE index = $1", i, log.bent((await log.leaf(i))["salt"]))
    return i, i


async def drop_payload(log: Log) -> Range:
    """A payload taken away as if by age."""
    i = log.place()
    await log.do("UPDATE leaf SET payload = NULL, salt = NULL WHERE index = $1", i)
    return i, i


async def forge(log: Log) -> Range:
    """A header with its hash."""
    i = log.place()
    await log.forge(i)
    return i, i


async def forge_with_tiles(log: Log) -> Range:
    """A header with its hash and all tiles above it."""
    i = log.place()
    await log.forge(i)
    await log.rebuild()
    return i, i


async def edit_column(log: Log) -> Range:
    """What a fact is found by."""
    i = log.place()
    column = log.random.choice(("sequence", "time_ns", "type", "origin"))
    await log.do(f"UPDATE leaf SET {column} = {column} + 1000003 WHERE index = $1", i)
    return i, i


async def rename_type(log: Log) -> Range:
    """The name of a type."""
    name = await log.connection.fetchval("SELECT name FROM fact_type ORDER BY random() LIMIT 1")
    await log.do("UPDATE fact_type SET name = name || 'x' WHERE name = $1", name)
    return 0, log.size - 1


async def delete(log: Log) -> Range:
    """A leaf with its keys."""
    i = log.place()
    await log.do("DELETE FROM leaf WHERE index = $1", i)
    if log.random.random() < 0.5:
        await log.do("DELETE FROM fact_key WHERE index = $1", i)
    return i, i


async def delete_and_close(log: Log) -> Range:
    """A leaf, and those behind it moved up, with tiles that fit."""
    i = log.place()
    await log.do("DELETE FROM leaf WHERE index = $1", i)
    await log.do("DELETE FROM fact_key WHERE index = $1", i)
    await log.move(i + 1, -1)
    await log.rebuild()
    await log.do("UPDATE log_head SET size = size - 1")
    return i, log.size


async def insert(log: Log) -> Range:
    """A forged leaf between others, with tiles that fit."""
    i = log.place()
    row = await log.leaf(i)
    await log.move(i, 1)
    header = leaf_pb2.Leaf.FromString(row["data"])
    header.sequence += 1_000_000
    data = header.SerializeToString(deterministic=True)
    await log.do(
        "INSERT INTO leaf VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(i, hash_leaf(data), data, row["salt"], row["payload"], row["origin"], header.sequence, row["type"]),
        row["time_ns"],
    )
    await log.connection.executemany("INSERT INTO fact_key VALUES ($1, $2)", [(key, i) for key in header.keys])
    await log.rebuild()
    await log.do("UPDATE log_head SET size = size + 1")
    return i, log.size


async def reorder(log: Log) -> Range:
    """Two leaves change places, with their keys, and tiles that fit."""
    i, j = sorted(log.random.sample(range(log.size), 2))
    for table in ("leaf", "fact_key"):
        await log.do(f"UPDATE {table} SET index = index + 1000000 WHERE index IN ($1, $2)", i, j)
        await log.do(
            f"UPDATE {table} SET index = $1::bigint + $2::bigint - (index - 1000000) WHERE index >= 1000000", i, j
        )
    if log.random.random() < 0.5:
        await log.rebuild()
    return i, j


async def truncate(log: Log) -> Range:
    """The last leaves, and nothing else."""
    i = log.place()
    await log.do("DELETE FROM leaf WHERE index >= $1", i)
    return i, log.size


async def put_back(log: Log) -> Range:
    """An old copy of everything."""
    sizes = [row["size"] for row in await log.connection.fetch("SELECT size FROM checkpoint ORDER BY size")]
    size = log.random.choice(sizes[:-1])
    await log.cut(size)
    return size, log.size


async def delete_key(log: Log) -> Range:
    """A key by which a fact would be found."""
    row = await log.connection.fetchrow("SELECT key, index FROM fact_key ORDER BY random() LIMIT 1")
    await log.do("DELETE FROM fact_key WHERE key = $1 AND index = $2", row["key"], row["index"])
    return row["index"], row["index"]


async def insert_key(log: Log) -> Range:
    """A key by which another fact would be found."""
    i = log.random.choice((log.place(), log.size + 5, -1))
    await log.do("INSERT INTO fact_key VALUES ('account:mallory', $1)", i)
    return (i, i) if 0 <= i < log.size else (log.size, log.size)


async def edit_tile(log: Log) -> Range:
    """A tile's bit."""
    row = await log.connection.fetchrow("SELECT * FROM tile ORDER BY random() LIMIT 1")
    hashes = log.bent(row["hashes"])
    await log.do("UPDATE tile SET hashes = $3 WHERE level = $1 AND number = $2", row["level"], row["number"], hashes)
    return 0, log.size


async def delete_tile(log: Log) -> Range:
    """A tile."""
    await log.do("DELETE FROM tile")
    return 0, log.size


async def insert_tile(log: Log) -> Range:
    """A tile of no leaves."""
    await log.do("INSERT INTO tile VALUES (2, 7, $1)", log.random.randbytes(64))
    return log.size, log.size


async def edit_checkpoint(log: Log) -> Range:
    """A checkpoint's size, root or note."""
    row = await log.connection.fetchrow("SELECT * FROM checkpoint ORDER BY random() LIMIT 1")
    kind = log.random.choice(("root", "note"))
    if kind == "root":
        await log.do("UPDATE checkpoint SET root = $2 WHERE size = $1", row["size"], log.bent(row["root"]))
    else:
        note = row["note"].replace("time 2", "time 3")
        await log.do("UPDATE checkpoint SET note = $2 WHERE size = $1", row["size"], note)
    return 0, row["size"] - 1


async def delete_checkpoint(log: Log) -> Range:
    """A checkpoint."""
    size = await log.connection.fetchval("SELECT size FROM checkpoint ORDER BY random() LIMIT 1")
    await log.do("DELETE FROM checkpoint WHERE size = $1", size)
    return 0, log.size


async def sign_as_another(log: Log) -> Range:
    """A forged leaf under a checkpoint that another key has signed."""
    i = log.place()
    await log.forge(i)
    await log.rebuild()
    frontier, roots = Frontier(), {}
    for row in await log.connection.fetch("SELECT hash FROM leaf ORDER BY index"):
        frontier.append(row["hash"])
        roots[frontier.size] = frontier.root()
    signer = None
    for row in await log.connection.fetch("SELECT size, note FROM checkpoint WHERE size > $1", i):
        checkpoint = Checkpoint.parse(Note.parse(row["note"]).text)
        signer = signer or Signer.generate(checkpoint.origin)
        fresh = Checkpoint(checkpoint.origin, row["size"], roots[row["size"]], checkpoint.extensions)
        note = sign_checkpoint(fresh, [signer])
        await log.do(
            "UPDATE checkpoint SET root = $2, note = $3, cosignature = NULL WHERE size = $1",
            *(row["size"], fresh.root, note),
        )
    return i, i


async def edit_stream(log: Log) -> Range:
    """How far a stream is said to be."""
    await log.do("UPDATE origin SET last_sequence = last_sequence + 3 WHERE id = (SELECT max(id) FROM origin)")
    return 0, log.size


async def edit_signing_key(log: Log) -> Range:
    """The key that the log says that it has."""
    await log.do("UPDATE signing_key SET key = $1", str(Signer.generate("crossrate/audit").verifier))
    return 0, log.size


async def edit_head(log: Log) -> Range:
    """The size that the log says that it has."""
    await log.do("UPDATE log_head SET size = size + $1", log.random.choice((-1, 1, 1000)))
    return log.size - 1, log.size + 1000


TAMPERINGS: tuple[Tampering, ...] = (
    edit_header,
    edit_hash,
    edit_payload,
    edit_salt,
    drop_payload,
    forge,
    forge_with_tiles,
    edit_column,
    rename_type,
    delete,
    delete_and_close,
    insert,
    reorder,
    truncate,
    put_back,
    delete_key,
    insert_key,
    edit_tile,
    delete_tile,
    insert_tile,
    edit_checkpoint,
    delete_checkpoint,
    sign_as_another,
    edit_stream,
    edit_signing_key,
    edit_head,
)
