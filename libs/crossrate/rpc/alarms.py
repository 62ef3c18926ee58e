"""One timer for the deadlines of all calls.

Nearly every call ends long before its deadline, so a timer for each would be made and cancelled for nothing. Calls wait
in a heap instead; those that ended stay until the timer rings for an earlier one, or until there are many.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

ENTRIES_MAX = 256
"""Entries, most of calls that have ended, at which the heap is cleared of these. Each keeps its call, and that its
connection, until then."""
EARLY_S = 0.001
"""The event loop's timers have this resolution; what is due within it is due."""


class Timed(Protocol):
    """Something that may take too long."""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        ...


T = TypeVar("T", bound=Timed)


class Alarms(Generic[T]):
    """Calls `ring` with whatever has not ended by its deadline."""

    def __init__(self, ring: Callable[[T], None]) -> None:
        self._ring_one = ring
        self._heap: list[tuple[float, int, T]] = []
        self._order = itertools.count()
        self._armed_for = float("inf")
        self._timer: asyncio.TimerHandle | None = None
        self._clear_at = ENTRIES_MAX

    def set(self, deadline: float, call: T) -> None:
        """Will ring for the call at its deadline, on the clock of `time.monotonic`, if it has not ended by then."""
        heapq.heappush(self._heap, (deadline, next(self._order), call))
        if deadline < self._armed_for:
            self._arm(deadline)
        if len(self._heap) > self._clear_at:
            self._heap = [entry for entry in self._heap if not entry[2].over]
            heapq.heapify(self._heap)
            # Where most are still under way there is nothing to clear, and the next look has to be worth it.
            self._clear_at = max(ENTRIES_MAX, 2 * len(self._heap))

    def close(self) -> None:
        """Rings for nobody any more, and lets go of all."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_for = float("inf")

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = deadline
        wait_s = max(0.0, deadline - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        heap = self._heap
        due = time.monotonic() + EARLY_S
        self._timer = None
        self._armed_for = float("inf")
        while heap and (heap[0][0] <= due or heap[0][2].over):
            _, _, call = heapq.heappop(heap)
            if not call.over:
                self._ring_one(call)
        if heap and heap[0][0] < self._armed_for:
            self._arm(heap[0][0])
