"""The recorder: the log of all feeds into the store, each quote once.

    log ──read behind the store's own position──▶ columns ──interval or rows──▶ one commit: files and position

Every instance has one, and one writes. There is no lease: a commit says which position it follows, and the store takes
it only if that is where it is. An instance that finds another's commit there has written nothing, and only looks on;
once the position has stood still for longer than two intervals it goes on from there itself. After kill -9 at any point
the position says which entries are stored, so none is lost that the log still has, and none is stored twice. What the
log had forgotten before is counted by the numbers of the feed, and the quote behind it is marked.

Reading, decoding and writing happen in a thread; while the store does not take anything, no more than `rows_max` quotes
are held.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

from crossrate.events.events import StreamEnds
from crossrate.history.errors import HistoryError, PositionMovedError, UncertainError
from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from services.marketdata.history import ledger
from services.marketdata.history.composer import Composing
from services.marketdata.history.rows import Collected
from services.marketdata.quote_log import LogUnavailable, QuoteLog, pause
from services.marketdata.settings import Settings

T = TypeVar("T")

POLL_S_MAX = 1.0
INTERVALS_OF_SILENCE = 2
"""A position that has not moved for so many intervals has nobody who moves it."""


class Recorder:
    """One instance's share in storing the log.

    Attributes:
        recording: whether it writes; False while another instance does.
        at: how far the log is stored, as far as this instance knows; None before it has looked.
        commits: how often it has written.
        overtaken: how often another instance had written first.
        problem: why the last attempt failed; "" if it did not.
    """

    def __init__(
        self,
        log: QuoteLog,
        open_store: Callable[[], TickStore],
        threads: Executor,
        settings: Settings,
        note: Any,
        monotonic: Callable[[], float] = time.monotonic,
        composing: Composing | None = None,
    ) -> None:
        self._log = log
        self._open_store = open_store
        self._threads = threads
        self._interval_s = settings.history_interval_s
        self._rows_max = settings.history_rows_max
        self._note = note
        self._monotonic = monotonic
        self._composing = composing
        self._composed = False
        self._store: TickStore | None = None
        self._held: Collected | None = None
        self._written_at = self._moved_at = monotonic()
        self.recording = True
        self.at: ledger.Stored | None = None
        self.commits = self.overtaken = 0
        self.problem = ""

    @property
    def held(self) -> Collected | None:
        """What was read and is not stored yet."""
        return self._held

    async def run(self, stopping: asyncio.Event) -> None:
        """Records until the process stops, and then what there is by then."""
        while not await pause(stopping, min(self._interval_s / 4, POLL_S_MAX)):
            await self.attempt()
        if self.recording:
            await self.attempt(flush=True)

    async def attempt(self, *, flush: bool = False) -> None:
        """Reads what is new, and writes if it is time to, or if it is said; what fails is tried again next time."""
        try:
            await self._step(flush)
        except PositionMovedError as moved:
            self.overtaken += 1
            self.recording, self._held = False, None
            self._moved_at = self._monotonic()
            self._note.info("another instance records", reason=str(moved))
        except UncertainError as error:
            # It was committed or not: the position tells, once it can be read again.
            self.problem, self._held = str(error), None
            self._note.warning("a write may have been stored; looking", reason=str(error))
        except (LogUnavailable, HistoryError, OSError) as error:
            if str(error) != self.problem:
                self._note.error("quotes cannot be stored; trying again", reason=str(error))
            self.problem = str(error)
        else:
            if self.problem:
                self._note.info("quotes are stored again")
            self.problem = ""

    async def _step(self, flush: bool) -> None:
        if self._store is None:
            self._store = await self._blocking(self._open_store)
        ends = await self._log.ends()
        store, held = self._store, self._held
        if held is None or self.at is None or held.number > ends.last or not _of(self.at, ends):
            await self._look(store, ends)
            held = self._held
        if held is None:
            return
        while held.rows < self._rows_max and (entries := await self._log.read(held.number)):
            if self._composing is not None:
                held.composer = await self._composing.composer(
                    self._log, held.number, entries, begun=held.composer, always=self._composed
                )
            try:
                await self._blocking(held.take_all, entries)
            except (HistoryError, OSError):
                # An entry may have been taken by half.
                self._held = None
                raise
            if held.number >= ends.last:
                break
        due = self._monotonic() - self._written_at >= self._interval_s
        full = held.rows >= self._rows_max
        if self.at and held.number > (self.at.number or 0) and (flush or due or full or _endangered(self.at, ends)):
            await self._write(store, held)

    async def _look(self, store: TickStore, ends: StreamEnds) -> None:
        """Finds where the store stands, and whether it is this instance's to go on from there."""
        at = await self._blocking(ledger.stored, store, ends)
        now = self._monotonic()
        if at != self.at:
            self.at, self._moved_at = at, now
        silent = now - self._moved_at > INTERVALS_OF_SILENCE * self._interval_s
        if not self.recording and ends.last > (at.number or 0) and (silent or _endangered(at, ends)):
            self._note.info("nobody records; going on", after=at.number)
            self.recording = True
        self._composed = await self._blocking(ledger.composed, store)
        self._held = ledger.collected(store, at) if self.recording else None

    async def _write(self, store: TickStore, held: Collected) -> None:
        assert self.at is not None, "whoever holds quotes has looked"
        at, number = self.at, held.number

        def commit() -> None:
            batches = [Batch(feed, name, columns.ticks()) for (feed, name), columns in held.columns.items()]
            said = ledger.positions(at.name, number, held.feeds)
            if store.append_all(batches, said, after={at.name: at.number}).repeated:
                raise PositionMovedError(f"{at.name} has come to {number} already")

        await self._blocking(commit)
        self.at, self._held = ledger.Stored(at.name, number), held.after()
        self._written_at = self._monotonic()
        self.commits += 1

    async def _blocking(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _endangered(at: ledger.Stored, ends: StreamEnds) -> bool:
    """Whether the log may soon forget what is not stored."""
    return ends.first > 1 and (at.number or 0) - ends.first < (ends.last - ends.first) / 4


def _of(at: ledger.Stored, ends: StreamEnds) -> bool:
    """Whether a place is of the log that is there."""
    return (at.number or 0) <= ends.last and ledger.name_of(ends) == at.name.partition(".")[0]
