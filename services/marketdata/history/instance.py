"""Everything of history that one instance has, put together."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from crossrate.api.marketdata.v1.bar_service_pb2_grpc import add_BarServiceServicer_to_server
from crossrate.api.marketdata.v1.history_service_pb2_grpc import add_HistoryServiceServicer_to_server
from crossrate.history.bars import BarStore, beside
from crossrate.history.errors import HistoryError
from crossrate.history.keys import LIVE
from crossrate.history.store import TickStore
from crossrate.rpc.server import Server
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.history.bar_service import BarService
from services.marketdata.history.composer import Composing, boards
from services.marketdata.history.reader import Reader
from services.marketdata.history.recorder import Recorder
from services.marketdata.history.service import HistoryService
from services.marketdata.history.status import Status
from services.marketdata.quote_log import QuoteLog, pause
from services.marketdata.settings import Settings

READING_THREADS = 2
NICENESS = 10
"""What upkeep yields to everything else by."""
VACUUM_HOURS = 24
MEASURE_S = 1.0


class History:
    """The history of one instance.

    Attributes:
        recorder: stores the log, or looks on while another instance does.
        reader: answers.
    """

    def __init__(
        self,
        log: QuoteLog,
        url: str,
        feeds: Callable[[], Iterable[str]],
        settings: Settings,
        note: Any,
        ages: Mapping[str, float] | None = None,
    ) -> None:
        self._settings = settings
        self._note = note
        self._url = settings.history_url or url
        self._writing = ThreadPoolExecutor(1, "history-write")
        self._reading = ThreadPoolExecutor(READING_THREADS, "history-read")
        self._upkeep = ThreadPoolExecutor(1, "history-upkeep", _yielding)
        # Each has the store for itself, so that none waits for another's lock.
        composing = Composing(feeds, boards(settings.stale_after_ms / 1000, ages or {}))
        self.recorder = Recorder(log, self._open, self._writing, settings, note, composing=composing)
        self.reader = Reader(log, self._open, self._reading, composing, self._open_bars)
        self.status = Status(log, self.reader, self.recorder, feeds)

    def add_to(self, server: Server, board: Board, catalogue: Catalogue) -> None:
        """Has a server answer questions about history. Health does not depend on it: quotes go on without."""
        grace_ns = self._settings.bar_grace_ms * 1_000_000
        server.add(add_HistoryServiceServicer_to_server, HistoryService(self.reader, catalogue, self.status))
        server.add(add_BarServiceServicer_to_server, BarService(board, self.reader, catalogue, grace_ns))

    async def run(self, closed: asyncio.Event) -> None:
        """Records, keeps the store in order and measures, until the process ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.recorder.run(closed))
                tasks.create_task(self._keep(closed))
                tasks.create_task(self._measure(closed))
        finally:
            for threads in (self._writing, self._reading, self._upkeep):
                threads.shutdown(wait=False, cancel_futures=True)

    def _open(self) -> TickStore:
        return TickStore.open(self._url)

    def _open_bars(self) -> BarStore:
        return BarStore.open(beside(self._url))

    async def _measure(self, closed: asyncio.Event) -> None:
        while not await pause(closed, MEASURE_S):
            self.status.measure()

    async def _keep(self, closed: asyncio.Event) -> None:
        """Compaction, retention and deletion, by the instance that records."""
        loop = asyncio.get_running_loop()
        while not await pause(closed, self._settings.history_upkeep_s):
            if not self.recorder.recording:
                continue
            try:
                begun = time.monotonic()
                done = await loop.run_in_executor(self._upkeep, self.keep)
                self._note.info("history is in order", **done, seconds=round(time.monotonic() - begun, 3))
            except (HistoryError, OSError) as error:
                self._note.warning("history could not be put in order; trying again", reason=str(error))

    def keep(self) -> dict[str, int]:
        """One round of upkeep. Blocks."""
        store, days = self._open(), self._settings.history_retention_days
        expired = 0
        if days:
            expired = store.expire(datetime.now(UTC).date() - timedelta(days=days), dataset=LIVE).rows
        changed = store.compact()
        # What loads left behind is the pipeline's, which knows from which files one of them will go on.
        deleted = store.vacuum(VACUUM_HOURS, dataset=LIVE).paths
        return {
            "files_before": changed.files_before,
            "files_after": changed.files_after,
            "rows_expired": expired,
            "files_deleted": len(deleted),
        }


def _yielding() -> None:
    """Lets a thread yield to all others; Linux has a niceness for each thread."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
