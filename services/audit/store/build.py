"""Facts into rows: headers, hashes, tiles, keys. What one transaction writes is made here, before it begins."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.audit.v1 import audit_events_pb2, leaf_pb2
from crossrate.transparency.continuity import Continuity
from crossrate.transparency.facts import SALT_BYTES
from crossrate.transparency.tree import HASH_BYTES, TILE_WIDTH, Frontier
from services.audit.domain import OWN_STREAM, SERVICE, Incoming

SECOND_NS = 1_000_000_000
OWN_SOURCE = (SERVICE, OWN_STREAM)


@dataclass(slots=True)
class State:
    """What an instance knows of the log as it was last committed."""

    frontier: Frontier = field(default_factory=Frontier)
    newest: bytes = b""
    """Hash of the last leaf."""
    tiles: dict[int, bytearray] = field(default_factory=dict)
    """Hashes of the last tile of each level, that may not be full."""
    continuity: Continuity = field(default_factory=Continuity)
    origins: dict[tuple[str, str], int] = field(default_factory=dict)
    types: dict[str, int] = field(default_factory=dict)


class _Salts:
    """Random salts, taken from the system many at a time."""

    def __init__(self) -> None:
        self._bytes, self._at = b"", 0

    def next(self) -> bytes:
        """One that nothing else has."""
        if self._at == len(self._bytes):
            self._bytes, self._at = os.urandom(64 * SALT_BYTES), 0
        self._at += SALT_BYTES
        return self._bytes[self._at - SALT_BYTES : self._at]


@dataclass(slots=True)
class Rows:
    """What a transaction writes. Leaves: index, hash, data, salt, payload, source, sequence, type, time."""

    first_index: int
    salts: _Salts
    leaves: list[tuple[int, bytes, bytes, bytes | None, bytes | None, tuple[str, str], int, str, int]] = field(
        default_factory=list
    )
    keys: list[tuple[str, int]] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    gaps: set[tuple[str, str]] = field(default_factory=set)
    """Sources whose missing numbers changed."""


def build(state: State, facts: Iterable[Incoming], own: Iterable[Message], keys: tuple[str, ...], now_ns: int) -> Rows:
    """Appends facts to the state, then messages about the log with their keys, and gives the rows.

    Facts that are there already are left out.

    The state is what the log is once the rows are committed; if they are not, it must be thrown away.
    """
    rows = Rows(state.frontier.size, _Salts())
    log_time = Timestamp(seconds=now_ns // SECOND_NS, nanos=now_ns % SECOND_NS)
    for fact in facts:
        last = state.continuity.last.get(fact.source, 0)
        if fact.has_journal and fact.sequence > last + 1:
            _append(state, rows, _gap_fact(state, fact, last + 1, now_ns), log_time)
            rows.gaps.add(fact.source)
        if not fact.has_journal:
            if fact.sequence <= last:
                continue
            state.continuity.last[fact.source] = fact.sequence
        elif fact.sequence <= last:
            if state.continuity.seen(fact.source, fact.sequence, 0):
                continue
            rows.gaps.add(fact.source)
        else:
            state.continuity.seen(fact.source, fact.sequence, 0)
        _append(state, rows, fact, log_time)
    for message in own:
        _append(state, rows, _own_fact(state, message, now_ns, keys), log_time)
    return rows


def _gap_fact(state: State, fact: Incoming, first: int, now_ns: int) -> Incoming:
    """The log's own fact that something is missing before another."""
    gap = audit_events_pb2.GapFound(
        service=fact.service, stream=fact.stream, first_sequence=first, last_sequence=fact.sequence - 1
    )
    return _own_fact(state, gap, now_ns)


def _own_fact(state: State, message: Message, now_ns: int, keys: tuple[str, ...] = ()) -> Incoming:
    """A fact about the log itself, as the next one of its stream; its number is taken."""
    sequence = state.continuity.last.get(OWN_SOURCE, 0) + 1
    state.continuity.seen(OWN_SOURCE, sequence, 0)
    name = message.DESCRIPTOR.full_name
    word = "".join(f"_{each.lower()}" if each.isupper() else each for each in name.rpartition(".")[2]).lstrip("_")
    subject, payload = f"crossrate.audit.v1.{word}", message.SerializeToString(deterministic=True)
    form = leaf_pb2.PAYLOAD_FORM_PROTOBUF
    return Incoming(SERVICE, OWN_STREAM, sequence, subject, name, now_ns, "", keys, payload, form)


def _append(state: State, rows: Rows, fact: Incoming, log_time: Timestamp) -> None:
    index = state.frontier.size
    salt = payload = payload_hash = None
    if fact.form != leaf_pb2.PAYLOAD_FORM_WITHHELD:
        salt, payload = rows.salts.next(), fact.payload
        payload_hash = sha256(salt + payload).digest()
    data = leaf_pb2.Leaf(
        service=fact.service,
        stream=fact.stream,
        sequence=fact.sequence,
        subject=fact.subject,
        type=fact.type,
        time=Timestamp(seconds=fact.time_ns // SECOND_NS, nanos=fact.time_ns % SECOND_NS),
        log_time=log_time,
        request_id=fact.request_id,
        keys=fact.keys,
        payload_hash=payload_hash,
        payload_form=fact.form,
    ).SerializeToString(deterministic=True)
    leaf_hash = sha256(b"\x00" + data).digest()
    for level, place, node in state.frontier.append(leaf_hash):
        tile = state.tiles.setdefault(level, bytearray())
        if len(tile) == TILE_WIDTH * HASH_BYTES:
            tile.clear()
        tile += node
        rows.tiles[level, place // TILE_WIDTH] = bytes(tile)
    state.newest = leaf_hash
    rows.leaves.append((index, leaf_hash, data, salt, payload, fact.source, fact.sequence, fact.type, fact.time_ns))
    rows.keys += [(each, index) for each in fact.keys]
