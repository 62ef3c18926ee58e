"""A JetStream stream as a source: read by position, stretch by stretch; nothing about the reader is kept in NATS."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from crossrate.events import Event, Events, EventsUnavailable
from services.pipeline.domain.specification import Nats
from services.pipeline.sources import SourceFailure

PAUSE_S = 0.1
"""How often an empty stream is looked at."""
AWAY_S_MAX = 300.0
"""How long NATS may be away before the job is left for another attempt."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Messages that follow on each other.

    Attributes:
        messages: in their order.
        last: number of the last one that was looked at: where to go on behind.
        is_end: whether nothing follows, by what the job declares.
    """

    messages: list[Event]
    last: int
    is_end: bool

    @property
    def size_bytes(self) -> int:
        """Of all messages together."""
        return sum(len(each.payload) for each in self.messages)

    def uri(self, declared: Nats) -> str:
        """What it is called in reports."""
        subject = f"/{declared.subject}" if declared.subject else ""
        return f"nats://{declared.stream}{subject}#{self.messages[0].sequence}-{self.messages[-1].sequence}"

    def digest(self, declared: Nats) -> str:
        """SHA-256 of stream, subject, numbers and contents."""
        found = hashlib.sha256(f"{declared.stream}\0{declared.subject}".encode())
        for each in self.messages:
            found.update(f"\0{each.sequence}\0{len(each.payload)}\0".encode())
            found.update(each.payload)
        return found.hexdigest()


class StreamSource:
    """The stream of one job."""

    def __init__(self, declared: Nats, events: Events) -> None:
        self.declared = declared
        self._events = events
        self._end: int | None = declared.end_sequence

    async def begin(self, after: int | None) -> int:
        """Where to go on behind.

        Args:
            after: the dataset's position in the stream; None if it has none.

        Raises:
            SourceFailure: messages that follow are gone, or the stream may not be read.
            EventsUnavailable: NATS does not answer.
        """
        declared = self.declared
        ends = await self._events.stream_ends(declared.stream)
        if declared.until_now:
            self._end = ends.last if self._end is None else min(self._end, ends.last)
        begin = (declared.begin_sequence or ends.first) - 1 if after is None else after
        asked = after is not None or declared.begin_sequence is not None
        if asked and begin + 1 < ends.first and not declared.gaps_allowed:
            raise SourceFailure(
                f"source.stream: messages {begin + 1} to {ends.first - 1} of {declared.stream} are gone; set "
                "`source.gaps_allowed` to go on behind them"
            )
        return begin

    async def following(self, after: int, stop: Callable[[], None]) -> Stretch:
        """The next stretch; waits for its messages.

        Args:
            after: number behind which it begins.
            stop: raises if the job should come to an end.

        Raises:
            EventsUnavailable: NATS has been away for long.
        """
        declared, found, at = self.declared, [], after
        since = heard = came = time.monotonic()
        while True:
            stop()
            if self._end is not None and at >= self._end:
                return Stretch(found, at, True)
            room = declared.part_messages_max - len(found)
            try:
                page = await self._events.read(declared.stream, at, limit=min(room, 1000), subject=declared.subject)
                heard = time.monotonic()
            except EventsUnavailable:
                if time.monotonic() - heard > AWAY_S_MAX:
                    raise
                page = []
            page = [each for each in page if self._end is None or each.sequence <= self._end]
            if page:
                came = time.monotonic()
                since = since if found else came
                found += page
                at = page[-1].sequence
            elif await self._at_end(at):
                return Stretch(found, at, True)
            now = time.monotonic()
            if found and (len(found) >= declared.part_messages_max or now - since >= declared.part_s):
                return Stretch(found, at, False)
            if not page:
                idle = declared.until_idle_s
                if idle is not None and now - came >= idle:
                    return Stretch(found, at, True)
                await asyncio.sleep(PAUSE_S)

    async def _at_end(self, at: int) -> bool:
        """Whether the declared end lies before what the subject has next."""
        if self._end is None:
            return False
        try:
            ends = await self._events.stream_ends(self.declared.stream)
        except EventsUnavailable:
            return False
        return ends.last >= self._end and not await self._events.read(
            self.declared.stream, at, limit=1, subject=self.declared.subject
        )
