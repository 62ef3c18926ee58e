"""What was committed here just now, in memory: the relay need not read it from the journal, which stays the truth.

Whatever is not here, or does not go on where the relay is, is read from the journal as ever.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence

from crossrate.store.journal import Entry

EVENTS_MAX = 20_000
"""Events in memory; beyond that all is forgotten, and read from the journal."""


class Newest:
    """The newest events of journal streams, each without a gap. Only what is committed may be put in."""

    def __init__(self) -> None:
        self._streams: dict[str, deque[Entry]] = {}
        self._count = 0
        self._wanted = False

    def begin(self) -> None:
        """A relay works here from now on."""
        self._wanted = True

    def end(self) -> None:
        """None does any more: what comes is not kept."""
        self._wanted = False
        self._forget()

    def _forget(self) -> None:
        self._streams.clear()
        self._count = 0

    def committed(self, entries: Sequence[Entry]) -> None:
        """These were committed here, each stream's in order."""
        if not self._wanted:
            return
        if self._count + len(entries) > EVENTS_MAX:
            self._forget()
            return
        for entry in entries:
            held = self._streams.setdefault(entry.stream, deque())
            if held and held[-1].seq + 1 != entry.seq:
                # Others wrote in between.
                self._count -= len(held)
                held.clear()
            held.append(entry)
            self._count += 1

    def published(self, positions: Mapping[str, int]) -> None:
        """Streams were published up to these numbers."""
        for stream, position in positions.items():
            held = self._streams.get(stream)
            if held is None:
                continue
            while held and held[0].seq <= position:
                held.popleft()
                self._count -= 1
            if not held:
                del self._streams[stream]

    def after(self, positions: Mapping[str, int], limit: int) -> list[Entry]:
        """The events that follow what was published of each stream, stream by stream, about so many in all."""
        ready = [held for stream, held in self._streams.items() if held[0].seq == positions.get(stream, 0) + 1]
        each = max(1, limit // len(ready)) if ready else 0
        return [entry for held in ready for entry in itertools.islice(held, each)]
