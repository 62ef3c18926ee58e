"""Who has which venue: one instance each, by a fenced lease; the venue's adapter runs there and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Any, Protocol

from crossrate.store import Database, Lease, LeaseHeld, StoreError
from crossrate.store.errors import StaleWriter
from services.broker.domain.books import StatedOrder, Statement
from services.broker.engine.desk import Desk
from services.broker.engine.hub import Hub
from services.broker.engine.session import Session, Sessions, Standing
from services.broker.store import Reading, Store

LEASE_S = 6.0
RETRY_S = 1.0
WRITE_S = 2.0
"""How often a holder says that it is there."""
PAUSE_S_MAX = 10.0
STEADY_S = 30.0
"""An adapter that has worked for so long fails for the first time, and pauses as briefly as that."""


class Adapter(Protocol):
    """A venue, spoken to in its own way."""

    async def run(self) -> None:
        """Logs on, recovers, carries out what waits and commits what the venue says, until it is cancelled.

        Whatever it raises, it is begun anew from what is kept.
        """
        ...

    @property
    def copied(self) -> bool:
        """Whether the venue has a drop copy."""
        ...

    @property
    def copy_since_ns(self) -> int | None:
        """Since when the drop copy is heard without a break, ns since 1970 UTC; None while it is not."""
        ...

    @property
    def latency_s(self) -> float:
        """How long the venue's words may be on their way, as far as that is known."""
        ...

    async def statement(self) -> Statement | None:
        """What the venue states now, with our orders at the same moment; None while it cannot be asked."""
        ...

    async def cancel_there(self, stated: StatedOrder) -> None:
        """Cancels an order at the venue, whoever placed it; what comes of it is in its next statement."""
        ...


class Runs(Protocol):
    """What runs beside an adapter for as long as this instance has the venue."""

    async def run(self) -> None:
        """Until it is cancelled."""
        ...


class Holder:
    """Holds one venue whenever no other instance does. `run` is a task of the process."""

    def __init__(
        self,
        venue: str,
        adapter: Callable[[Desk], Adapter],
        database: Database,
        store: Store,
        reading: Reading,
        sessions: Sessions,
        hub: Hub,
        holder: str,
        note: Any,
        reconciler: Callable[[Desk, Adapter], Runs],
    ) -> None:
        self._venue = venue
        self._reconciler = reconciler
        self._adapter = adapter
        self._database = database
        self._store = store
        self._reading = reading
        self._sessions = sessions
        self._hub = hub
        self._holder = holder
        self._note = note
        self.desk: Desk | None = None
        """The venue's desk while this instance has it."""

    async def run(self) -> None:
        """Takes the venue and works it, again and again, until it is cancelled."""
        failures = 0
        while True:
            try:
                lease = await Lease.acquire(self._database, f"venue:{self._venue}", self._holder, ttl_s=LEASE_S)
            except LeaseHeld as held:
                await asyncio.sleep(min(max(held.remaining_s, 0.0) + 0.05, RETRY_S))
                continue
            except StoreError:
                await asyncio.sleep(RETRY_S * random.uniform(0.5, 1))
                continue
            begun_s = time.monotonic()
            try:
                await self._hold(lease)
            except* (StaleWriter, _Taken):
                self._note.warning("another instance has taken the venue", venue=self._venue)
            except* Exception as error:
                failures = failures + 1 if time.monotonic() - begun_s < STEADY_S else 1
                why = "; ".join(str(each) or type(each).__name__ for each in _leaves(error))
                self._note.exception("a venue's adapter failed; it begins anew", venue=self._venue, why=why)
                pause_s = min(PAUSE_S_MAX, 0.05 * 2 ** min(failures, 10)) * random.uniform(0.5, 1)
                await asyncio.sleep(pause_s)
            else:
                failures = 0
            finally:
                self.desk = None
                with contextlib.suppress(StoreError):
                    await lease.release()

    async def _hold(self, lease: Lease) -> None:
        standing = Standing()
        desk = Desk(self._venue, lease, self._store, self._reading, standing, self._note)
        await desk.load()
        self.desk = desk
        self._hub.instructions.add(desk.instruct)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew(lease))
                group.create_task(self._say(desk))
                adapter = self._adapter(desk)
                group.create_task(adapter.run())
                group.create_task(self._reconciler(desk, adapter).run())
        finally:
            self._hub.instructions.discard(desk.instruct)
            desk.close()
            standing.become(Session.AWAY, "its adapter has ended")
            with contextlib.suppress(StoreError):
                await self._sessions.write(self._venue, self._holder, standing, lease)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            # A database that is away fails the next commit anyway; only a taker ends the holding here.
            with contextlib.suppress(StoreError):
                try:
                    await lease.renew()
                except StaleWriter as stale:
                    raise _Taken from stale

    async def _say(self, desk: Desk) -> None:
        while True:
            desk.changed.clear()
            with contextlib.suppress(StoreError):
                await self._sessions.write(self._venue, self._holder, desk.standing, desk.lease)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WRITE_S):
                    await desk.changed.wait()


class _Taken(Exception):
    """Another instance has the lease."""


def _leaves(error: BaseExceptionGroup) -> list[BaseException]:
    found: list[BaseException] = []
    for each in error.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
