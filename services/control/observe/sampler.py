"""Measurements of a while ago, so that whoever looks again and again need not wait for each window."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
KEPT_MAX = 64
KEPT_S_MAX = 60.0
FRESH_S = 0.1
"""A measurement younger than this is taken for one of now."""
NEAR_SHARE = 0.25
"""By how much of a window the measurement at its beginning may be off."""


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """Two measurements, and the time between them in seconds."""

    before: T
    now: T
    window_s: float


class Sampler(Generic[T]):
    """Takes measurements when somebody wants them.

    Args:
        measure: takes one.
        clock: seconds that only grow.
    """

    def __init__(self, measure: Callable[[], Awaitable[T]], clock: Callable[[], float] = time.monotonic) -> None:
        self._measure, self._clock = measure, clock
        self._kept: deque[tuple[float, T]] = deque(maxlen=KEPT_MAX)
        self._taking = asyncio.Lock()

    async def _take(self) -> tuple[float, T]:
        async with self._taking:
            now = self._clock()
            while self._kept and now - self._kept[0][0] > KEPT_S_MAX:
                self._kept.popleft()
            if self._kept and now - self._kept[-1][0] < FRESH_S:
                return self._kept[-1]
            measured = await self._measure()
            self._kept.append((self._clock(), measured))
            return self._kept[-1]

    async def over(self, window_s: float) -> Pair[T]:
        """The measurements at the begin and the end of a window. It ends now if one at its begin is kept, else the
        window begins now."""
        end, now = await self._take()
        near = [(abs(end - at - window_s), at, kept) for at, kept in self._kept if at < end]
        if near:
            off, at, before = min(near, key=lambda each: each[0])
            if off <= window_s * NEAR_SHARE:
                return Pair(before, now, end - at)
        await asyncio.sleep(window_s)
        later, measured = await self._take()
        return Pair(now, measured, later - end)
