"""Writes into a journal under a lease that any instance may take over; and requests whose effect is such a write."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from crossrate.store.database import Database
from crossrate.store.errors import StaleWriter
from crossrate.store.journal import Lease
from crossrate.store.requests import RequestLog

TAKE_OVERS_MAX = 10
"""How often a write takes the lease before it gives up. Two instances overlap only while one replaces the other."""
PAUSE_S_MAX = 0.02
"""Before it takes the lease again a write waits for a random part of this: two in step could each take it from the
other before it is used."""

T = TypeVar("T")
Work = Callable[[asyncpg.Connection, Lease], Awaitable[bytes]]
"""The effect, within the transaction of its answer, which it returns."""


class Fence:
    """The lease `name` of one schema, which this instance, `holder`, takes to write and keeps until another does."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self._database = database
        self._name = name
        self._holder = holder
        self._lease: Lease | None = None

    async def under(self, attempt: Callable[[Lease], Awaitable[T]]) -> T:
        """What a write returns that commits under the lease. It is attempted again, with a new lease if another
        instance took this one before its commit, and where the database ended it for another's sake (a deadlock).

        Raises:
            StaleWriter: others took the lease each time; nothing was done.
            asyncpg.DeadlockDetectedError: the same each time.
        """
        for number in range(1, TAKE_OVERS_MAX + 1):
            lease = self._lease or await self._take()
            try:
                return await attempt(lease)
            except (StaleWriter, asyncpg.DeadlockDetectedError) as error:
                if self._lease is lease and isinstance(error, StaleWriter):
                    self._lease = None
                if number == TAKE_OVERS_MAX:
                    raise
                await asyncio.sleep(random.uniform(0.0, PAUSE_S_MAX))
        raise AssertionError("the last attempt returns or raises")

    async def _take(self) -> Lease:
        self._lease = lease = await Lease.acquire(self._database, self._name, self._holder, take_over=True)
        return lease


class FencedRequests:
    """The requests of one schema that append under the lease `name`; `holder` names this instance in it."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self._requests = RequestLog(database)
        self._fence = Fence(database, name, holder)

    async def once(self, request_id: str, body: bytes, work: Work) -> bytes:
        """Does the work of a request exactly once and returns its answer; see RequestLog.once.

        The work may be called again; see Fence.under.

        Raises:
            StaleWriter: others took the lease each time; nothing was done.
            RequestIdReused, OutcomeUnknown, StoreUnavailable: as RequestLog.once.
        """
        return await self._fence.under(
            lambda lease: self._requests.once(request_id, body, functools.partial(work, lease=lease))
        )

    async def forget(self, older_than_s: float) -> int:
        """See RequestLog.forget."""
        return await self._requests.forget(older_than_s)
