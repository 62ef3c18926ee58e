"""Hashes of the tree out of the tables, and proofs made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import asyncpg

from crossrate.transparency.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    TILE_WIDTH,
    Node,
    Range,
    entries_of,
    full_subtrees,
    range_root,
    root_of,
)


class LogChanged(Exception):
    """The tables do not have what the log once wrote there."""


async def nodes_of(connection: asyncpg.Connection, nodes: Iterable[Node]) -> dict[Node, bytes]:
    """Hashes of nodes, each out of at most 128 entries of one tile.

    Raises:
        LogChanged: an entry is not there.
    """
    wanted: dict[int, list[tuple[Node, int, int]]] = defaultdict(list)
    for node in nodes:
        level, first, count = entries_of(node)
        wanted[level].append((node, first, count))
    found = {}
    for level, entries in wanted.items():
        hashes = await (_leaf_hashes if level == 0 else _tile_hashes)(connection, level, entries)
        for (node, first, _), each in zip(entries, hashes, strict=True):
            if each is None:
                raise LogChanged(f"hashes from {first} of level {level} are not there")
            found[node] = root_of(each)
    return found


Entries = Sequence[tuple[Node, int, int]]
Hashes = list[list[bytes] | None]


async def _leaf_hashes(connection: asyncpg.Connection, level: int, entries: Entries) -> Hashes:
    del level
    rows = await connection.fetch(
        "SELECT w.n, array_agg(l.hash ORDER BY l.index) AS hashes FROM unnest($1::bigint[], $2::bigint[]) "
        "WITH ORDINALITY AS w (first, past, n) JOIN leaf l ON l.index >= w.first AND l.index < w.past GROUP BY w.n",
        [first for _, first, _ in entries],
        [first + count for _, first, count in entries],
    )
    found = {row["n"] - 1: row["hashes"] for row in rows}
    return [
        found[n] if len(found.get(n, ())) == count and all(len(each) == HASH_BYTES for each in found[n]) else None
        for n, (_, _, count) in enumerate(entries)
    ]


async def _tile_hashes(connection: asyncpg.Connection, level: int, entries: Entries) -> Hashes:
    numbers = sorted({first // TILE_WIDTH for _, first, _ in entries})
    rows = await connection.fetch(
        "SELECT number, hashes FROM tile WHERE level = $1 AND number = ANY ($2::bigint[])", level, numbers
    )
    tiles = {row["number"]: row["hashes"] for row in rows}
    found: Hashes = []
    for _, first, count in entries:
        start = first % TILE_WIDTH * HASH_BYTES
        part = tiles.get(first // TILE_WIDTH, b"")[start : start + count * HASH_BYTES]
        whole = len(part) == count * HASH_BYTES
        found.append([part[i : i + HASH_BYTES] for i in range(0, len(part), HASH_BYTES)] if whole else None)
    return found


async def proof_of(connection: asyncpg.Connection, ranges: Sequence[Range]) -> list[bytes]:
    """Roots over ranges of leaves: a proof.

    Raises:
        LogChanged: an entry is not there.
    """
    nodes = await nodes_of(connection, {node for each in ranges for node in full_subtrees(*each)})
    return [range_root(each, nodes) for each in ranges]


async def root_at(connection: asyncpg.Connection, size: int) -> bytes:
    """Root over the first leaves.

    Raises:
        LogChanged: an entry is not there.
    """
    return (await proof_of(connection, [(0, size)]))[0] if size else EMPTY_ROOT
