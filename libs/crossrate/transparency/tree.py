"""The Merkle tree of RFC 6962 and RFC 9162, section 2.1: hashes, roots while it grows, proofs and their checks.

Leaves have indices 0, 1, 2 … A node is named by its level (0 for leaves) and its index there: node (l, i) is the root
of the full subtree over leaves i·2^l … (i+1)·2^l − 1. Tiles (C2SP tlog-tiles) keep every eighth level: entry i of
tile level L is node (8L, i), 256 entries a tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree of no leaves."""
TILE_LEVELS = 8
TILE_WIDTH = 1 << TILE_LEVELS
"""Entries of a full tile."""

Node = tuple[int, int]
"""Level and index."""


class ProofError(ValueError):
    """A proof does not prove what it is said to; the message says what is wrong."""


def hash_leaf(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256 of a zero byte and its data."""
    return sha256(b"\x00" + data).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash of an interior node: SHA-256 of a byte of one, the left and the right child."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes (or over nodes of one level, of which only the last may be ragged)."""
    frontier = Frontier()
    for each in hashes:
        frontier.append(each)
    return frontier.root()


@dataclass(slots=True)
class Frontier:
    """The right edge of a tree: as much of it as is needed to append and to know the root. O(log n) hashes.

    `nodes` are the roots of the full subtrees that the leaves fall into, the largest first: one for each bit of `size`.
    """

    size: int = 0
    nodes: list[bytes] = field(default_factory=list)

    def append(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Appends a leaf by its hash; gives the entries of tiles that became known: tile level, index, hash."""
        nodes, size = self.nodes, self.size
        level, node, bits, entries = 0, leaf_hash, size, []
        while bits & 1:
            node = sha256(b"\x01" + nodes.pop() + node).digest()
            level += 1
            bits >>= 1
            if not level % TILE_LEVELS:
                entries.append((level // TILE_LEVELS, bits, node))
        nodes.append(node)
        self.size = size + 1
        return entries

    def root(self) -> bytes:
        """Root of the tree as it is."""
        if not self.nodes:
            return EMPTY_ROOT
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = sha256(b"\x01" + left + node).digest()
        return node

    def copy(self) -> Frontier:
        """The same, apart."""
        return Frontier(self.size, list(self.nodes))


def full_subtrees(start: int, end: int) -> list[Node]:
    """The full subtrees that leaves start … end − 1 fall into, from left to right; the largest that fit."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


Range = tuple[int, int]
"""Leaves from the first up to but without the second."""


def _split(size: int) -> int:
    """The largest power of two below a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """What an inclusion proof consists of: the roots over these leaves, from the leaf upwards (RFC 9162, 2.1.3.1).

    Raises:
        ProofError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    found, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The same for a proof that a tree of `old` leaves is the beginning of one of `size` (RFC 9162, 2.1.4.1).

    Raises:
        ProofError: not 0 ≤ old ≤ size.
    """
    if not 0 <= old <= size:
        raise ProofError(f"a tree of {size} leaves has no beginning of {old}")
    if old in (0, size):
        return []
    found, start, end, whole = [], 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def entries_of(node: Node) -> tuple[int, int, int]:
    """Which entries of tiles a node is the root of: tile level, the first entry, how many (a power of two up to
    128)."""
    level, index = node
    above = level % TILE_LEVELS
    return level // TILE_LEVELS, index << above, 1 << above


def range_root(leaves: Range, nodes: Mapping[Node, bytes]) -> bytes:
    """Root over a range whose full subtrees are known."""
    *lefts, last = full_subtrees(*leaves)
    root = nodes[last]
    for left in reversed(lefts):
        root = hash_children(nodes[left], root)
    return root


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that a leaf stands in a tree (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: it is not proved.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    place, last, found = index, size - 1, leaf_hash
    for each in proof:
        if not last:
            raise ProofError(f"the inclusion proof is too long: {len(proof)} hashes")
        if place & 1 or place == last:
            found = hash_children(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hash_children(found, each)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"the inclusion proof is too short: {len(proof)} hashes")
    if found != root:
        raise ProofError(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Checks that a tree is the beginning of another (RFC 9162, 2.1.4.2).

    Raises:
        ProofError: it is not proved.
    """
    if not 0 <= old <= size:
        raise ProofError(f"a tree of {size} leaves has no beginning of {old}")
    if old in (0, size):
        if proof:
            raise ProofError("the consistency proof is too long: none is needed")
        if (old_root != root) if old else (old_root != EMPTY_ROOT):
            raise ProofError(f"two roots for the tree of {old} leaves")
        return
    hashes = list(proof)
    if not old & (old - 1):
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("the consistency proof is too short: no hashes")
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = found = hashes[0]
    for each in hashes[1:]:
        if not last:
            raise ProofError(f"the consistency proof is too long: {len(proof)} hashes")
        if place & 1 or place == last:
            old_found, found = hash_children(each, old_found), hash_children(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hash_children(found, each)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"the consistency proof is too short: {len(proof)} hashes")
    if old_found != old_root:
        raise ProofError(f"the proof does not belong to the tree of {old} leaves with its root")
    if found != root:
        raise ProofError(f"the tree of {old} leaves is not the beginning of that of {size}: one of them was changed")


def grow(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Appends leaves and gives the entries of tiles that became known, in order."""
    for each in leaf_hashes:
        yield from frontier.append(each)
