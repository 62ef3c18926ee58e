"""How often one address may try: token buckets in memory, of each instance."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

ADDRESSES_MAX = 10_000
"""Remembered; the one that was longest away is forgotten first, which is then full again."""


class Buckets:
    """A bucket of `per_minute` for each address, filled evenly."""

    def __init__(self, per_minute: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._rate = per_minute / 60.0
        self._clock_s = clock_s
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, cost: float = 1.0) -> float:
        """Takes from an address's bucket; 0 if there was enough, else seconds until there is."""
        now_s = self._clock_s()
        level, at_s = self._levels.pop(address, (self._size, now_s))
        level = min(self._size, level + (now_s - at_s) * self._rate)
        enough = level >= cost
        self._levels[address] = (level - cost if enough else level, now_s)
        if len(self._levels) > ADDRESSES_MAX:
            self._levels.popitem(last=False)
        return 0.0 if enough else (cost - level) / self._rate
