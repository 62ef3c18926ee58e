"""Counts over a window of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable


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


class Alike:
    """How many of each kind of thing happened in the last `window_ns`; most kinds happen once."""

    __slots__ = ("_swept_ns", "_times", "window_ns")

    def __init__(self, window_ns: int) -> None:
        self.window_ns = window_ns
        self._times: dict[Hashable, list[int]] = {}
        self._swept_ns = 0

    def at(self, key: Hashable, now_ns: int) -> int:
        """How many of a kind happened in the window that ends now."""
        begin = now_ns - self.window_ns
        if begin >= self._swept_ns:
            self._swept_ns = now_ns
            self._times = {each: times for each, times in self._times.items() if times[-1] > begin}
        times = self._times.get(key)
        if times is None:
            return 0
        if times[0] <= begin:
            times[:] = [each for each in times if each > begin]
            if not times:
                del self._times[key]
        return len(times)

    def add(self, key: Hashable, now_ns: int) -> None:
        """One more of a kind happens now."""
        times = self._times.get(key)
        if times is None:
            self._times[key] = [now_ns]
        else:
            times.append(now_ns)

    def take_back(self, key: Hashable) -> None:
        """The newest of a kind did not happen after all."""
        times = self._times.get(key)
        if times:
            times.pop()
            if not times:
                del self._times[key]
