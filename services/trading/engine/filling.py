"""How long orders wait for others to be admitted with: a batch costs nearly the same whatever its size.

Callers that come in turn would make two batches at work, each of half of them. Orders therefore wait for the end of the
commit that is under way, and then a moment for those whose callers it has answered. Nobody waits who is alone.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from services.trading.engine.work import Group

WAIT_S, WAIT_S_MAX = 0.004, 0.02
"""After a commit, orders wait at most as long as it took, and between these."""
PART = 0.75
"""Part of the callers there were lately, who need not be waited for."""


class Filling:
    """See the module.

    Args:
        waiting: groups that wait.
        entered: set when one comes.
        orders_max: orders for which nobody waits longer.
    """

    def __init__(self, waiting: deque[Group], entered: asyncio.Event, orders_max: int) -> None:
        self._waiting = waiting
        self._entered = entered
        self._orders_max = orders_max
        self._open = 0
        self._most = 0
        self._committing = False
        self._commit_s = 0.0

    def came(self) -> None:
        """A caller came."""
        self._open += 1
        self._most = max(self._most, self._open)

    def answered(self) -> None:
        """A caller was answered."""
        self._open -= 1

    @contextmanager
    def commit(self) -> Iterator[None]:
        """A commit is under way as long as the block lasts."""
        begun_s = time.perf_counter()
        self._committing = True
        try:
            yield
        finally:
            self._committing = False
            self._commit_s = time.perf_counter() - begun_s
            self._entered.set()

    async def wait(self) -> None:
        """Returns when it is time for the next batch."""
        while self._committing and not self._enough():
            await self._next()
        if self._enough():
            return
        try:
            async with asyncio.timeout(min(WAIT_S_MAX, max(WAIT_S, self._commit_s))):
                while not self._enough():
                    await self._next()
        except TimeoutError:
            self._most = self._open

    async def _next(self) -> None:
        self._entered.clear()
        await self._entered.wait()

    def _enough(self) -> bool:
        if len(self._waiting) >= int(PART * self._most):
            return True
        first = itertools.islice(self._waiting, self._orders_max)
        return sum(max(1, len(group.keys)) for group in first) >= self._orders_max
