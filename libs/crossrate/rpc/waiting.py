"""What waits for one reader, bounded in number and in bytes: nobody who puts something aside ever waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """A queue that leaves out what finds no room, and tells the next that does how many that were.

    Args:
        count_max: that wait at once.
        bytes_max: of all of them together.
    """

    def __init__(self, count_max: int, bytes_max: int) -> None:
        self._count_max, self._bytes_max = count_max, bytes_max
        self._queue: deque[tuple[T, int]] = deque()
        self._bytes = self._left_out = 0
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, size: int, make: Callable[[int], T]) -> bool:
        """Puts aside what `make` gives for the number of those that were left out before it.

        Args:
            size: its bytes.

        Returns:
            False if there is no room: then it is left out.
        """
        if len(self._queue) >= self._count_max or self._bytes + size > self._bytes_max:
            return self.leave_out()
        self._queue.append((make(self._left_out), size))
        self._left_out = 0
        self._bytes += size
        self._filled.set()
        return True

    def leave_out(self) -> bool:
        """Counts one that is left out; always False."""
        self._left_out += 1
        return False

    async def take(self) -> T:
        """The next one, once there is one."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        taken, size = self._queue.popleft()
        self._bytes -= size
        return taken
