"""One timer for the deadlines of all calls.

Nearly every call ends long before its deadline, so a timer for each would be made and cancelled for nothing. Calls wait
in a heap instead; those that ended stay until the timer rings for an earlier one, or until there are many.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools

from crossrate.rpc.call import Call, Stop, monotonic

ENTRIES_MAX = 4096
"""Entries, most of calls that have ended, at which the heap is cleared of these."""
EARLY_S = 0.001
"""The event loop's timers have this resolution; what is due within it is due."""


class Alarms:
    """Stops calls at their deadline. A call whose `task` is None has ended."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Call]] = []
        self._order = itertools.count()
        self._armed_for = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def set(self, call: Call) -> None:
        """Will stop the call at its deadline if it has not ended by then."""
        heapq.heappush(self._heap, (call.deadline, next(self._order), call))
        if call.deadline < self._armed_for:
            self._arm(call.deadline)
        if len(self._heap) > ENTRIES_MAX:
            self._heap = [entry for entry in self._heap if entry[2].task is not None]
            heapq.heapify(self._heap)

    def _arm(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = deadline
        wait_s = max(0.0, deadline - monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        heap = self._heap
        due = monotonic() + EARLY_S
        while heap and (heap[0][0] <= due or heap[0][2].task is None):
            _, _, call = heapq.heappop(heap)
            if call.task is not None:
                call.stop(Stop.DEADLINE)
        self._timer = None
        self._armed_for = float("inf")
        if heap:
            self._arm(heap[0][0])
