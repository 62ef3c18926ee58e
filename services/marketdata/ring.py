"""The last entries of a log that an instance has, and where each reader stands in them.

The ring only grows at its head. A reader is a position in it and holds nothing else: one that stops reading costs the
others nothing. A position counts what this instance has seen; a cursor names the same entry by its place in the log,
which every instance understands.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar, Generic, Protocol, TypeVar

from services.marketdata.cursor import Cursor


class Placed(Protocol):
    """What stands in a ring: its position there, its place in the log, and the term in which it was written."""

    position: int
    place: int
    epoch: int


E = TypeVar("E", bound=Placed)

Look = Callable[[], Awaitable[None]]
"""Reads a log up to the end that it has after the call, or raises what says that it cannot be read."""
BEFORE_ALL = 1
"""A place before everything in any log: 0 stands for whoever has nothing yet."""


class CursorUnknown(LookupError):
    """The place that a cursor names is not in the ring any more, or no longer in the log; `oldest` is the oldest cursor
    that is."""

    def __init__(self, oldest: Cursor) -> None:
        super().__init__(oldest.encode())
        self.oldest = oldest


class Ring(ABC, Generic[E]):
    """Entries by position, and those who wait for the next.

    Attributes:
        together: so many places in the log are one, which instances may have filled differently.
        head: position of the newest entry; 0 before the first.
        oldest: position of the oldest entry in the ring; head + 1 while it is empty.
        place: place in the log up to which it has read everything.
    """

    together: ClassVar[int] = 1

    def __init__(self, capacity: int) -> None:
        """For one instance.

        Args:
            capacity: entries that it holds, a power of two.
        """
        if capacity & (capacity - 1) or capacity < 2:
            raise ValueError(f"a ring's capacity is a power of two, not {capacity}")
        self._ring: list[E | None] = [None] * capacity
        self._mask = capacity - 1
        self._changed = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self.head = 0
        self.oldest = 1
        self.place = 0

    @abstractmethod
    def _epochs(self) -> Iterable[int]:
        """The term of the newest entry of each feed."""

    def _behind(self, after: int) -> list[E | None]:
        """The entries at positions greater than `after`, ascending. `after` + 1 is in the ring."""
        assert self.oldest - 1 <= after <= self.head, f"{after} is not in {self.oldest} … {self.head}"
        if after == self.head:
            return []
        begin, end = (after + 1) & self._mask, (self.head + 1) & self._mask
        ring = self._ring
        return ring[begin:end] if begin < end else ring[begin:] + ring[:end]

    def cursor(self, position: int) -> Cursor:
        """The cursor of a position."""
        entry = self._at(position)
        if entry is not None:
            return Cursor(entry.epoch, entry.place)
        return Cursor(max(self._epochs(), default=0), max(self.place, BEFORE_ALL) if self.head else 0)

    def find(self, cursor: Cursor) -> int | None:
        """The position after which a cursor continues; None while the ring has not come that far.

        Raises:
            CursorUnknown: the place is older than the ring, or something else stands there since the log went back.
        """
        if cursor.place > self.place:
            return None
        low, high = self.oldest - 1, self.head
        while low < high:
            middle = (low + high + 1) // 2
            if self._ring[middle & self._mask].place <= cursor.place:  # type: ignore[union-attr]
                low = middle
            else:
                high = middle - 1
        entry, together = self._at(low), self.together
        if entry is None or entry.place // together != cursor.place // together or entry.epoch != cursor.epoch:
            raise self.unknown()
        return low

    async def found(self, cursor: Cursor, patience_s: float, look: Look) -> int:
        """The same, waiting a little for what is announced and then reading the log, which alone can tell a place that
        this instance has not come to from one that there is no more.

        Raises:
            CursorUnknown: the place is not in the ring, nor in what the log has behind it.
            Exception: whatever `look` raises; whether the place is to come is not known then.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while True:
                    changed = self.changed()
                    if (found := self.find(cursor)) is not None:
                        return found
                    await changed.wait()
        await look()
        if (found := self.find(cursor)) is not None:
            return found
        raise self.unknown()

    def _at(self, position: int) -> E | None:
        entry = self._ring[position & self._mask]
        return entry if entry is not None and entry.position == position and position >= self.oldest else None

    def unknown(self) -> CursorUnknown:
        """The error that a place is not in the ring."""
        return CursorUnknown(self.cursor(min(self.oldest, self.head)))

    def forget_places(self) -> None:
        """Empties the ring: the log was lost, and another one's numbers begin anew. The newest of each stays."""
        self.oldest, self.place = self.head + 1, 0

    def changed(self) -> asyncio.Event:
        """An event that is set with the next change; take it before looking, wait after."""
        return self._changed

    def tell(self, waiting: asyncio.Future[None]) -> None:
        """Has a future done with the next change; the cheap way for streams, of which there are many."""
        self._waiting.append(waiting)

    def wake(self) -> None:
        """Lets everyone who waits look again."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


class Bell:
    """Lets one stream wait for a change of a ring or for a time, whichever comes first.

    Its timer is set again only when it has rung: of the streams that are woken a hundred times a second, few need it.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def rings(self, seconds: float, *, at_change: bool) -> None:
        """Returns after some seconds or, if wanted, with the next change; sometimes earlier."""
        loop = self._loop
        waiting = self._waiting = loop.create_future()
        if at_change:
            self._ring.tell(waiting)
        at = loop.time() + max(seconds, 0.0)
        timer = self._timer
        if timer is not None and timer.when() > at:
            timer.cancel()
            timer = None
        if timer is None:
            self._timer = loop.call_at(at, self._sound)
        await waiting

    def _sound(self) -> None:
        self._timer = None
        waiting = self._waiting
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def put_away(self) -> None:
        """It rings no more."""
        if self._timer is not None:
            self._timer.cancel()
