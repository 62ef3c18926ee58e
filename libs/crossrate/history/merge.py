"""Rows of several files as one stream in the order of time, without reading more of them than is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crossrate.history.parquet import Block, in_order, joined, part

FOREVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of a file that are in order, and the least time that is among them."""

    first: int
    blocks: Callable[[], Iterator[Block]]


class _Open:
    """A source that is being read: what was read and is not yet given."""

    def __init__(self, source: Source) -> None:
        self._blocks = source.blocks()
        self.held: Block | None = None
        self.ended = False
        self.more()

    def more(self) -> None:
        """Reads on."""
        following = next(self._blocks, None)
        if following is None:
            self.ended = True
        else:
            self.held = following if self.held is None else joined([self.held, following])

    @property
    def last(self) -> int:
        """Time up to before which all of its rows are held."""
        return FOREVER if self.ended or self.held is None else int(self.held["venue_time"][-1])

    def take(self, end: int) -> Block | None:
        """The held rows from before a time."""
        held = self.held
        if held is None:
            return None
        count = int(np.searchsorted(held["venue_time"], end))
        self.held = part(held, count, len(held["venue_time"])) if count < len(held["venue_time"]) else None
        return part(held, 0, count) if count else None


def merged(sources: Sequence[Source]) -> Iterator[Block]:
    """The rows of all sources in the order of time, then number; of equal ones those of the earlier source come first.

    A source is opened when its first row is due. What is held is a row group of each open source, and rows of one time.
    """
    # Sorting is stable: sources that begin together stay in their order.
    waiting = sorted(enumerate(sources), key=lambda each: each[1].first)
    waiting.reverse()
    reading: dict[int, _Open] = {}
    while waiting or reading:
        due = min((each.last for each in reading.values()), default=FOREVER)
        following = waiting[-1][1].first if waiting else FOREVER
        if waiting and following <= due:
            place, source = waiting.pop()
            reading[place] = _Open(source)
            reading = dict(sorted(reading.items()))
        elif len(reading) == 1 and _alone(reading, following):
            (only,) = reading.values()
            if only.held is not None:
                yield only.held
            only.held = None
            only.more()
        else:
            parts = [block for each in reading.values() if (block := each.take(due)) is not None]
            if parts:
                yield in_order(joined(parts)) if len(parts) > 1 else parts[0]
            for each in reading.values():
                if not each.ended and each.last <= due:
                    each.more()
        reading = {place: each for place, each in reading.items() if each.held is not None or not each.ended}


def _alone(reading: dict[int, _Open], following: int) -> bool:
    """Whether the one source that is read is alone until all of what is held of it."""
    (only,) = reading.values()
    return only.held is None or int(only.held["venue_time"][-1]) < following
