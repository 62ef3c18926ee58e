"""One client's stream of health: a number among the changes, and what it is sent from there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from crossrate.api.marketdata.v1 import feed_list_pb2 as list_pb
from crossrate.api.marketdata.v1 import feed_pb2 as pb
from services.marketdata import cursor as cursors
from services.marketdata.cursor import Cursor
from services.marketdata.health import ChangesForgotten, HealthBoard
from services.marketdata.ring import Look

CURSOR_PREFIX = "health."
"""Tells these cursors from those of quotes, whose places count something else."""
CHANGES_MAX = 1_000
"""Most changes in one message."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for. Empty sets stand for all; `after` is the last change that it has, None for none."""

    instruments: frozenset[str]
    sources: frozenset[str]
    heartbeat_s: float
    messages_max: int = 0
    after: int | None = None

    def wants(self, of: pb.Feed | pb.InstrumentHealth) -> bool:
        """Whether a change is of interest. With instruments named, feeds are told whatever instruments they have."""
        if isinstance(of, pb.Feed):
            return not self.sources or of.name in self.sources
        if self.sources and of.source not in self.sources:
            return False
        return not self.instruments or of.instrument in self.instruments


def _message(of: Iterable[pb.Feed | pb.InstrumentHealth], *, complete: bool = False) -> list_pb.HealthChanges:
    made = list_pb.HealthChanges(complete=complete)
    for each in of:
        (made.feeds if isinstance(each, pb.Feed) else made.instruments).append(each)
    return made


class Reader:
    """What one client has been sent.

    Attributes:
        number: of the last change that it has.
    """

    def __init__(self, health: HealthBoard, wanted: Wanted) -> None:
        self._health = health
        self._wanted = wanted
        self.number = wanted.after if wanted.after is not None else 0
        self._began = wanted.after is not None
        self._again = wanted.after is not None

    def take(self) -> list_pb.HealthChanges | None:
        """What the client is sent next; None if nothing of interest happened."""
        health, wanted = self._health, self._wanted
        changes = health.since(self.number) if self._began else None
        if changes is None:
            # At the begin, and for a reader that is so far behind that changes were forgotten.
            self._began, self.number = True, health.last
            everything = (*health.feeds(), *health.instruments())
            return _message((each for each in everything if wanted.wants(each)), complete=True)
        changes = changes[:CHANGES_MAX]
        if changes:
            self.number = changes[-1].number
        told: list[pb.Feed | pb.InstrumentHealth] = [c.of for c in changes if wanted.wants(c.of)]
        if self._again and self.number == health.last:
            self._again = False
            told += [each for each in health.found() if wanted.wants(each) and not any(each is t for t in told)]
        return _message(told) if told else None

    @property
    def pending(self) -> bool:
        """Whether there is something to look at."""
        return not self._began or self._again or self.number != self._health.last


async def messages(
    health: HealthBoard,
    wanted: Wanted,
    ending: asyncio.Event,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[list_pb.StreamHealthResponse]:
    """The stream's messages until it is complete or should end; the server adds the message that says why."""
    reader = Reader(health, wanted)
    sequence = told = 0
    heartbeat_at = monotonic() + wanted.heartbeat_s
    while not ending.is_set():
        changed = health.changed()
        changes = reader.take() if reader.pending else None
        if changes is None:
            if reader.pending:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(heartbeat_at - monotonic(), 0.0)):
                    await changed.wait()
            if changed.is_set() or ending.is_set() or monotonic() < heartbeat_at:
                continue
        sequence += 1
        message = list_pb.StreamHealthResponse()
        message.position.sequence, message.position.cursor = sequence, encode(health.cursor(reader.number))
        if changes is None:
            message.heartbeat.server_time.FromNanoseconds(now_ns())
        else:
            message.changes.CopyFrom(changes)
        yield message
        told += changes is not None
        if told and told == wanted.messages_max:
            return
        heartbeat_at = monotonic() + wanted.heartbeat_s


def encode(cursor: Cursor) -> str:
    """A cursor of this stream as text."""
    return CURSOR_PREFIX + cursor.encode()


def decode(text: str) -> Cursor:
    """Reads a cursor.

    Raises:
        ValueError: the text is no cursor of this stream.
    """
    if not text.startswith(CURSOR_PREFIX):
        raise ValueError("it is not a cursor that this stream gave out")
    return cursors.decode(text.removeprefix(CURSOR_PREFIX))


async def place(health: HealthBoard, cursor: Cursor, patience_s: float, look: Look) -> int:
    """The number of the last change that a cursor's owner has, waiting a little for what is announced and then reading
    the log.

    Raises:
        ChangesForgotten: the changes after it are not kept, or the log does not come that far any more.
        Exception: whatever `look` raises; whether the place is to come is not known then.
    """
    health.waiting += 1
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while (found := health.find(cursor)) is None:
                    await health.changed().wait()
                return found
        await look()
        if (found := health.find(cursor)) is not None:
            return found
        raise ChangesForgotten(encode(health.cursor(health.last)))
    finally:
        health.waiting -= 1
