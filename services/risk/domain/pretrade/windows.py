"""Counts over a window of time."""

from __future__ import annotations

from collections import deque


class Window:
    """How many things happened in the last `window_ns`; those of one moment are one entry."""

    __slots__ = ("_entries", "count", "window_ns")

    def __init__(self, window_ns: int) -> None:
        self.window_ns = window_ns
        self.count = 0
        self._entries: deque[list[int]] = deque()

    def at(self, now_ns: int) -> int:
        """How many happened in the window that ends now."""
        entries, begin = self._entries, now_ns - self.window_ns
        while entries and entries[0][0] <= begin:
            self.count -= entries.popleft()[1]
        return self.count

    def add(self, now_ns: int) -> None:
        """One more happens now."""
        entries = self._entries
        if entries and entries[-1][0] >= now_ns:
            entries[-1][1] += 1
        else:
            entries.append([now_ns, 1])
        self.count += 1

    def take_back(self) -> None:
        """The newest did not happen after all."""
        entries = self._entries
        if entries:
            entries[-1][1] -= 1
            self.count -= 1
            if not entries[-1][1]:
                entries.pop()
