"""One client's stream of books: what it has been sent, and what it is sent next.

Two kinds of readers. One gets every change of one venue's books, as they were encoded for all when they came. The other
gets books as they stand when it looks, each as what changed since its last look: composites, limited depth, conflation.
Neither keeps anything of the feed while its client is slow: the first returns to whole books, the second merges more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import book_service_pb2 as pb
from crossrate.rpc.frames import Frame
from services.marketdata.books.board import COMPOSITE, BookBoard
from services.marketdata.books.view import View, health_only
from services.marketdata.cursor import BOOKS
from services.marketdata.ring import Bell

BACKLOG_MAX = 2_000
"""Changes of its books that a reader of every change may be behind; beyond it, it is sent whole books."""
MESSAGE_BYTES_MAX = 1_048_576
"""Of changes in one message; what is more comes in the next."""

_BOOKS_TAG = bytes([pb.StreamBookResponse.BOOKS_FIELD_NUMBER << 3 | 2])

Elements = list[bytes]
"""Elements of `BookBatch.changes`, tags and lengths included."""


class BookReader(Protocol):
    """What one client has been sent. `position`: of the change after which it continues."""

    position: int

    def resume(self, position: int) -> None:
        """Begins after a change that is in the ring."""

    def pending(self) -> bool:
        """Whether the board changed since the last `take`; what changed may be of no interest."""

    def take(self) -> Elements:
        """What the client is sent next; empty if nothing of interest happened."""


@dataclass(slots=True)
class ChangeReader:
    """Every change of one venue's books, at full depth."""

    board: BookBoard
    names: frozenset[str]
    source: str
    position: int = 0
    _generation: int = -1
    _stale_version: int = 0
    _replay_until: int = 0
    _told_stale: dict[str, int] = field(default_factory=dict)

    def resume(self, position: int) -> None:
        """Begins after a change that is in the ring; everything up to now will be sent, however much it is."""
        self.position, self._replay_until = position, self.board.head
        self._generation = self.board.generation

    def pending(self) -> bool:
        """Whether the board changed since the last `take`."""
        board = self.board
        return (
            self.position != board.head
            or self._generation != board.generation
            or self._stale_version != board.stale_version
        )

    def take(self) -> Elements:
        """Changes in their order, or whole books where these do not follow on what was sent."""
        board = self.board
        if self._generation != board.generation:
            self._generation = board.generation
            return self._whole(self.names)
        if self.position == board.head:
            return self._gone_stale()
        if self.position + 1 < board.oldest:
            return self._whole(self.names)
        entries = board.between(self.position, self.names, self.source)
        if len(entries) <= BACKLOG_MAX:
            self.position = board.head
            return [entry.encoded for entry in entries]
        if self.position < self._replay_until:
            self.position = entries[BACKLOG_MAX - 1].position
            return [entry.encoded for entry in entries[:BACKLOG_MAX]]
        return self._whole(frozenset(entry.name for entry in entries))

    def _whole(self, names: frozenset[str]) -> Elements:
        self.position = self.board.head
        views = [self.board.view(name, self.source) for name in sorted(names)]
        found = [view for view in views if view is not None]
        for view in found:
            held = self.board.held(view.name, self.source)
            if held is not None and held.stale:
                self._told_stale[view.name] = held.sequence
        return [view.whole() for view in found]

    def _gone_stale(self) -> Elements:
        self._stale_version = self.board.stale_version
        elements = []
        for name in sorted(self.names):
            held = self.board.held(name, self.source)
            if held is None or not held.stale or self._told_stale.get(name) == held.sequence:
                continue
            self._told_stale[name] = held.sequence
            if (view := self.board.view(name, self.source)) is not None:
                elements.append(health_only(view))
        return elements


@dataclass(slots=True)
class ViewReader:
    """Books as they stand, of a venue or composites, at any depth."""

    board: BookBoard
    names: frozenset[str]
    source: str
    depth: int
    position: int = 0
    _sent: dict[str, View] = field(default_factory=dict)
    _begun: bool = False
    _stale_version: int = -1

    def resume(self, position: int) -> None:
        """Begins with whole books, none older than the change: which of those behind it the client was told of by
        a view, nobody knows any more."""
        self.position = position

    def pending(self) -> bool:
        """Whether the board changed since the last `take`."""
        board = self.board
        return not self._begun or self.position != board.head or self._stale_version != board.stale_version

    def take(self) -> Elements:
        """What makes the books that were sent those that stand, or whole ones where there is no such way."""
        board = self.board
        names = self.names
        if self._begun and self._stale_version == board.stale_version and self.position + 1 >= board.oldest:
            names = frozenset(e.name for e in board.between(self.position, names, self.source))
        self.position, self._begun, self._stale_version = board.head, True, board.stale_version
        elements = []
        for name in sorted(names):
            view = board.view(name, self.source, self.depth)
            if view is None:
                continue
            sent = self._sent.get(name)
            if sent is view:
                continue
            if sent is None or not view.follows(sent):
                elements.append(view.whole())
            elif view.differs(sent):
                elements.append(view.since(sent))
            else:
                # The next diff begins where the client is, not where nothing was said to it.
                continue
            self._sent[name] = view
        return elements


def reader(board: BookBoard, wanted: Wanted) -> BookReader:
    """The reader for what a client wants."""
    if wanted.source != COMPOSITE and not wanted.depth and not wanted.conflation_s:
        return ChangeReader(board, wanted.names, wanted.source)
    return ViewReader(board, wanted.names, wanted.source, wanted.depth)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for. Times in seconds; 0 for every change, all levels, no end."""

    names: frozenset[str]
    source: str = COMPOSITE
    depth: int = 0
    conflation_s: float = 0.0
    heartbeat_s: float = 5.0
    messages_max: int = 0
    position: int | None = None


def books_frame(position: stream_pb2.StreamPosition, elements: Elements) -> Frame:
    """Changes, put together from their encodings."""
    head = pb.StreamBookResponse(position=position).SerializeToString()
    body = b"".join(elements)
    return Frame(position, head + _BOOKS_TAG + varint(len(body)) + body)


def heartbeat_frame(position: stream_pb2.StreamPosition, now_ns: int) -> Frame:
    """Nothing new."""
    beat = pb.StreamBookResponse(position=position)
    beat.heartbeat.server_time.FromNanoseconds(now_ns)
    return Frame(position, beat.SerializeToString())


def parts(elements: Elements) -> list[Elements]:
    """The same in messages of at most MESSAGE_BYTES_MAX, unless one change alone is longer."""
    made, size = [[]], 0
    for element in elements:
        if made[-1] and size + len(element) > MESSAGE_BYTES_MAX:
            made.append([])
            size = 0
        made[-1].append(element)
        size += len(element)
    return made


async def frames(
    board: BookBoard,
    wanted: Wanted,
    ending: asyncio.Event,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Frame]:
    """The stream's messages until it is complete or should end; the server adds the message that says why."""
    chosen = reader(board, wanted)
    if wanted.position is not None:
        chosen.resume(wanted.position)
    sequence = sent = 0
    turn = board.turns.take()
    cursor = board.cursor(wanted.position).encode(BOOKS) if wanted.position is not None else ""
    earliest = monotonic()
    heartbeat_at = earliest + wanted.heartbeat_s
    bell = Bell(board)
    try:
        while not ending.is_set():
            now = monotonic()
            elements = chosen.take() if now >= earliest and chosen.pending() else []
            if not elements and now < heartbeat_at:
                waits = chosen.pending()
                due = min(heartbeat_at, earliest) if waits else heartbeat_at
                await bell.rings(due - now, at_change=not waits)
                continue
            after = board.cursor(chosen.position).encode(BOOKS)
            messages = parts(elements)
            for number, part in enumerate(messages, 1):
                sequence += 1
                # Who resumes in the middle of what belongs together begins before it.
                cursor = after if number == len(messages) else cursor
                position = stream_pb2.StreamPosition(sequence=sequence, cursor=cursor)
                if not part:
                    yield heartbeat_frame(position, now_ns())
                    continue
                yield books_frame(position, part)
                sent += 1
                if sent == wanted.messages_max:
                    return
                earliest = turn.after(now, wanted.conflation_s)
            heartbeat_at = monotonic() + wanted.heartbeat_s
    finally:
        bell.put_away()
