"""What keeps the service small: old jobs are forgotten, files of the store that no commit names are deleted.

A load that was killed leaves files that it had written. Those that a checkpoint names stay, whatever their age:
somebody will go on from them. All others go once they are old enough for nobody to be writing or reading them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge

from crossrate.store.errors import OutcomeUnknown, StoreUnavailable
from services.pipeline.settings import Settings
from services.pipeline.store import checkpoints
from services.pipeline.store.datasets import DatasetStore, VacuumRow
from services.pipeline.store.jobs import JobStore
from services.pipeline.stores import Stores

if TYPE_CHECKING:
    from crossrate.history.bars import BarStore
    from crossrate.history.log import Vacuumed
    from crossrate.history.store import TickStore

INTERVAL_S = 3600.0
FIRST_S = 60.0
"""Not at once: an instance that begins goes on with loads first."""
HOUR_S = 3600

VACUUMED_FILES = Counter(
    "crossrate_pipeline_vacuumed_files", "Files of the store that no commit named and that were deleted"
)
VACUUMED_BYTES = Counter("crossrate_pipeline_vacuumed_bytes", "Their bytes")
UNFINISHED = Gauge("crossrate_pipeline_unfinished_files", "Old files of no commit that a load will go on from")


class Housekeeping:
    """Keeps order.

    Args:
        store: where jobs are.
        datasets: where it is told what was deleted.
        settings: for how long what is kept.
        stores: that rows are in.
        log: where it is told.
    """

    def __init__(
        self,
        store: JobStore,
        datasets: DatasetStore,
        settings: Settings,
        stores: Stores,
        log: Any,
    ) -> None:
        self._store, self._datasets, self._settings = store, datasets, settings
        self._stores, self._log = stores, log

    async def run(self) -> None:
        """Keeps order now and then, for ever."""
        pause_s = FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = INTERVAL_S
            await self._forget()
            await self._clean()

    async def _forget(self) -> None:
        try:
            count = await self._store.forget(self._settings.jobs_kept_s, self._settings.answers_kept_s)
        except (StoreUnavailable, OutcomeUnknown) as error:
            self._log.warning("old jobs were not forgotten", error=str(error))
        else:
            self._log.info("forgot old jobs", count=count)

    async def _clean(self) -> None:
        try:
            row, _ = await self.vacuum(int(self._settings.vacuum_age_s), dry_run=False)
            async with self._store.database.transaction() as connection:
                await self._datasets.vacuumed(connection, row)
        except (StoreUnavailable, OutcomeUnknown) as error:
            self._log.warning("what loads left behind was not deleted", error=str(error))
        else:
            tell = self._log.warning if row.error else self._log.info
            tell("vacuum of the history", files=row.files, bytes=row.bytes, kept=row.kept, error=row.error)

    async def vacuum(self, min_age_s: int, *, dry_run: bool) -> tuple[VacuumRow, list[str]]:
        """Deletes what no commit names and no load will go on from; a store that fails is told, not raised.

        Returns:
            what was, or would be, deleted; paths.
        """
        keep = await checkpoints.named(self._store.database)
        paths: list[str] = []
        size = kept = 0
        error = ""
        for open_store in (self._stores.quotes, self._stores.bars):
            try:
                found = await asyncio.to_thread(_vacuum, open_store, min_age_s, keep, dry_run)
            except Exception as wrong:
                self._log.exception("a vacuum failed")
                error = f"{type(wrong).__name__}: {wrong}"
                continue
            paths += found.paths
            size += found.size_bytes
            kept += found.kept
        if not dry_run:
            VACUUMED_FILES.inc(len(paths))
            VACUUMED_BYTES.inc(size)
            UNFINISHED.set(kept)
        return VacuumRow(datetime.now(UTC), min_age_s, len(paths), size, kept, error[:2000]), paths


def _vacuum(open_store: Callable[[], TickStore | BarStore], min_age_s: int, keep: list[str], dry_run: bool) -> Vacuumed:
    return open_store().vacuum(max(1, -(-min_age_s // HOUR_S)), keep=keep, dry_run=dry_run)
