"""Which jobs this instance works on: it takes what waits, and what another instance left when it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from crossrate.store.errors import LeaseHeld, OutcomeUnknown, StaleWriter, StoreUnavailable
from crossrate.store.journal import Lease
from services.pipeline.domain.progress import JobState
from services.pipeline.domain.specification import Specification
from services.pipeline.job import JobRun
from services.pipeline.settings import Settings
from services.pipeline.sources import FileSource
from services.pipeline.sources.stream import StreamSource
from services.pipeline.store.jobs import Job, JobStore
from services.pipeline.store.ledger import Ledger
from services.pipeline.stores import Stores
from services.pipeline.work import Stopped

LOOK_MAX = 100
"""Waiting jobs that are looked at in one go."""
STOP_S_MAX = 8.0
"""How long files under way may take to notice that the instance ends."""


def lease_name(job: Job) -> str:
    """One job at a time writes a dataset; dry runs are in nobody's way."""
    return f"job/{job.id}" if job.dry_run else dataset_lease(job.dataset)


def dataset_lease(dataset: str) -> str:
    """The lease of who writes a dataset."""
    return f"dataset/{dataset}"


class Workers:
    """See the module.

    Args:
        store: where jobs are.
        settings: limits and times.
        holder: this instance's name, in leases.
        stores: that rows go to.
        source: makes the source of a job.
        log: where what happens is told.
    """

    def __init__(
        self,
        store: JobStore,
        settings: Settings,
        holder: str,
        stores: Stores,
        source: Callable[[Job, Specification], FileSource | StreamSource],
        log: Any,
    ) -> None:
        self._store, self._settings, self._holder = store, settings, holder
        self._stores, self._source, self._log = stores, source, log
        self._executor = ThreadPoolExecutor(settings.jobs_max, thread_name_prefix="pipeline")
        self._running: dict[str, tuple[JobRun, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """A job was accepted: look at once."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Works until the instance ends; then jobs under way stop, and are gone on with elsewhere."""
        try:
            while not stopping.is_set():
                self._wake.clear()
                try:
                    await self._look()
                except (StoreUnavailable, OutcomeUnknown) as error:
                    self._log.warning("jobs were not looked for", error=str(error))
                await self._pause(stopping)
        finally:
            await self._stop()

    async def _pause(self, stopping: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (self._wake, stopping)]
        try:
            timeout_s = self._settings.poll_interval_s
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _look(self) -> None:
        if len(self._running) >= self._settings.jobs_max:
            return
        for job in await self._store.open_jobs(LOOK_MAX):
            name = lease_name(job)
            if name in self._running:
                continue
            if len(self._running) >= self._settings.jobs_max:
                return
            try:
                lease = await Lease.acquire(self._store.database, name, self._holder, ttl_s=self._settings.lease_s)
            except LeaseHeld:
                continue
            ledger = Ledger(self._store.database, lease)
            settings = self._settings
            attempt = JobRun(
                job,
                self._store,
                ledger,
                self._executor,
                self._stores,
                self._source,
                settings.progress_interval_s,
                settings.checkpoint_rows,
            )
            task = asyncio.create_task(self._attempt(job, attempt, lease))
            self._running[name] = (attempt, task)
            task.add_done_callback(lambda _, name=name: self._ended(name))

    def _ended(self, name: str) -> None:
        del self._running[name]
        self._wake.set()

    async def _attempt(self, job: Job, attempt: JobRun, lease: Lease) -> None:
        log = self._log.bind(job=job.id, dataset=job.dataset)
        renewing = asyncio.create_task(self._renew(attempt, lease))
        try:
            log.info("job begun", attempt=job.attempts + 1)
            await attempt.run()
            log.info("job ended")
        except Stopped as stopped:
            log.info("job is left for another attempt", why=str(stopped))
            await asyncio.sleep(self._settings.poll_interval_s)
        except (StaleWriter, StoreUnavailable, OutcomeUnknown, TimeoutError) as error:
            log.warning("job is left for another attempt", error=str(error))
            await asyncio.sleep(self._settings.poll_interval_s)
        except Exception as error:
            log.exception("job failed for a reason that is the program's fault")
            await self._give_up(attempt, lease, job, f"a fault of the program: {type(error).__name__}; see the log")
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
            try:
                await lease.release()
            except (StoreUnavailable, OutcomeUnknown) as error:
                log.warning("the lease was not released; it runs out", error=str(error))

    async def _give_up(self, attempt: JobRun, lease: Lease, job: Job, error: str) -> None:
        try:
            ledger = Ledger(self._store.database, lease)
            await ledger.end(job.id, JobState.FAILED, attempt.work.snapshot(), error, [])
        except (StaleWriter, StoreUnavailable, OutcomeUnknown) as wrong:
            self._log.warning("the end of a job was not written down", job=job.id, error=str(wrong))

    async def _renew(self, attempt: JobRun, lease: Lease) -> None:
        """Keeps the lease; stops the attempt in time when it cannot."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.lease_s / 3)
            try:
                await lease.renew()
                renewed = time.monotonic()
            except StaleWriter:
                attempt.work.stop.set()
                return
            except (StoreUnavailable, OutcomeUnknown):
                if time.monotonic() - renewed > 0.8 * self._settings.lease_s:
                    attempt.work.stop.set()
                    return

    async def _stop(self) -> None:
        running = list(self._running.values())
        for attempt, _ in running:
            attempt.work.stop.set()
        if running:
            await asyncio.wait([task for _, task in running], timeout=STOP_S_MAX)
        self._executor.shutdown(wait=False, cancel_futures=True)
