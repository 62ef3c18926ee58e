"""One client's quote stream: a position in the board's ring, and what it is sent from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.rpc.frames import Frame
from services.marketdata.board import Board, Entry
from services.marketdata.ring import Bell

BATCH_MAX = 1_000
"""Most quotes in one message."""
BACKLOG_MAX = 5_000
"""A reader that is further behind is not sent what it missed, but the newest of each."""

STREAMS_PER_MS = 10
"""A stream sends once in a millisecond for every so many streams that there are, in its turn, and then whatever has
come: 10,000 messages a second in all. Otherwise many streams would keep the writer, in the same process, from its
ticks."""

_QUOTES_TAG = bytes([pb.StreamQuotesResponse.QUOTES_FIELD_NUMBER << 3 | 2])
_CONFLATED_TAG = bytes([pb.QuoteBatch.CONFLATED_COUNT_FIELD_NUMBER << 3])


@dataclass(frozen=True, slots=True)
class Batch:
    """Quotes for one message, ascending by position, and how many newer ones replaced."""

    entries: list[Entry]
    conflated: int


@dataclass(slots=True)
class Reader:
    """What one client has been sent; pure, so that every rule below can be tested without a stream.

    Attributes:
        names: the wanted instruments.
        source: whose quotes; "" for the composites.
        conflate: send the newest of each instead of every quote.
        position: position of the quote after which the client continues.
    """

    board: Board
    names: frozenset[str]
    conflate: bool
    source: str = ""
    position: int = 0
    _replay_until: int = 0
    _generation: int = -1
    _stale_version: int = 0
    _sent: dict[str, Entry] = field(default_factory=dict)
    _before: dict[str, int] = field(default_factory=dict)
    _told: dict[str, Entry] = field(default_factory=dict)

    def resume(self, position: int) -> None:
        """Begins after a quote that is in the ring; everything up to now will be sent without conflation."""
        self.position, self._replay_until = position, self.board.head
        self._generation, self._stale_version = self.board.generation, self.board.stale_version
        newest = self.board.newest(self.source)
        for name in self.names & newest.keys():
            self._before[name] = newest[name].quote.sequence
        for entry in reversed(self.board.between(position, self.names, self.source)):
            self._before[entry.name] = entry.quote.sequence - 1

    def pending(self) -> bool:
        """Whether the board changed since the last `take`; what changed may be of no interest."""
        board = self.board
        return (
            self.position != board.head
            or self._generation != board.generation
            or self._stale_version != board.stale_version
        )

    def take(self) -> Batch | None:
        """What the client is sent next; None if nothing of interest happened. Moves the position."""
        board = self.board
        if self._generation != board.generation:
            return self._begin()
        if self.position == board.head:
            return self._gone_stale()
        if self.position + 1 >= board.oldest and not self.conflate:
            entries = board.between(self.position, self.names, self.source)
            if len(entries) <= BATCH_MAX:
                return self._all(entries, board.head)
            if len(entries) <= BACKLOG_MAX or self.position < self._replay_until:
                return self._all(entries[:BATCH_MAX], entries[BATCH_MAX - 1].position)
        return self._newest()

    def _begin(self) -> Batch | None:
        board = self.board
        self._generation, self._stale_version = board.generation, board.stale_version
        self._sent.clear()
        self._before.clear()
        found = [e for e in (board.last(n, self.source) for n in self.names) if e is not None]
        return self._all(sorted(found, key=_by_position), board.head)

    def _gone_stale(self) -> Batch | None:
        board = self.board
        self._stale_version = board.stale_version
        entries = [e for n, e in board.stale(self.source).items() if n in self.names and self._told.get(n) is not e]
        self._told.update((e.name, e) for e in entries)
        return Batch(sorted(entries, key=_by_position), 0) if entries else None

    def _all(self, entries: list[Entry], position: int) -> Batch | None:
        self.position = position
        sent = self._sent
        for entry in entries:
            sent[entry.name] = entry
        return Batch(entries, 0) if entries else None

    def _newest(self) -> Batch | None:
        newest = (self.board.last(n, self.source) for n in self.names)
        entries = sorted((e for e in newest if e is not None and e.position > self.position), key=_by_position)
        conflated = 0
        for entry in entries:
            # Sequences of an instrument have no gaps, so their difference is exact even after the ring forgot them.
            sent = self._sent.get(entry.name)
            before = sent.quote.sequence if sent is not None else self._before.get(entry.name, 0)
            conflated += max(entry.quote.sequence - before - 1, 0)
        self._all(entries, self.board.head)
        return Batch(entries, conflated) if entries else None


def _by_position(entry: Entry) -> int:
    return entry.position


def quotes_frame(position: stream_pb2.StreamPosition, batch: Batch) -> Frame:
    """Quotes, put together from their encodings: a copy of bytes for each, no message."""
    head = pb.StreamQuotesResponse(position=position).SerializeToString()
    body = b"".join([entry.encoded for entry in batch.entries])
    if batch.conflated:
        body += _CONFLATED_TAG + varint(batch.conflated)
    return Frame(position, head + _QUOTES_TAG + varint(len(body)) + body)


def heartbeat_frame(position: stream_pb2.StreamPosition, now_ns: int) -> Frame:
    """Nothing new."""
    beat = pb.StreamQuotesResponse(position=position)
    beat.heartbeat.server_time.FromNanoseconds(now_ns)
    return Frame(position, beat.SerializeToString())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for. Times in seconds; `conflation_s` 0 for every quote, `messages_max` 0 for no end."""

    names: frozenset[str]
    conflation_s: float
    heartbeat_s: float
    messages_max: int = 0
    position: int | None = None
    source: str = ""


async def frames(
    board: Board,
    wanted: Wanted,
    ending: asyncio.Event,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Frame]:
    """The stream's messages until it is complete or should end; the server adds the message that says why.

    While whoever iterates is busy nothing is kept for it: what it missed is in the ring, or is conflated.
    """
    reader = Reader(board, wanted.names, wanted.conflation_s > 0, wanted.source)
    if wanted.position is not None:
        reader.resume(wanted.position)
    sequence = quoted = 0
    bell, turn = Bell(board), board.turns.take()
    board.readers += 1
    earliest = monotonic()
    heartbeat_at = earliest + wanted.heartbeat_s
    try:
        while not ending.is_set():
            now = monotonic()
            batch = reader.take() if now >= earliest and reader.pending() else None
            if batch is None and now < heartbeat_at:
                # What is known to wait until its interval is over needs no change to be sent.
                waits = reader.pending()
                await bell.rings(
                    min(heartbeat_at, earliest) - now if waits else heartbeat_at - now, at_change=not waits
                )
                continue
            sequence += 1
            position = stream_pb2.StreamPosition(sequence=sequence, cursor=board.cursor(reader.position).encode())
            if batch is None:
                yield heartbeat_frame(position, now_ns())
            else:
                yield quotes_frame(position, batch)
                quoted += 1
                if quoted == wanted.messages_max:
                    return
                earliest = turn.after(now, max(wanted.conflation_s, board.readers // STREAMS_PER_MS / 1000))
            heartbeat_at = monotonic() + wanted.heartbeat_s
    finally:
        board.readers -= 1
        bell.put_away()
