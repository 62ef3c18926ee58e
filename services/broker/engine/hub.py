"""Reports on their way to readers: the newest in memory, older ones from the database.

Whatever instance committed a report, every instance streams it: PostgreSQL says that there is something new, and what
this instance committed by itself does not take the way over the database.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.store import Database, StoreError
from services.broker.store.breaks import CHANNEL_BREAKS
from services.broker.store.commits import CHANNEL_INSTRUCTIONS, CHANNEL_REPORTS
from services.broker.store.reading import Reading

KEPT = 10_000
PAGE = 1000
PAUSE_S = 0.2
CHECK_S = 5.0
"""How often the listening connection is looked at, and the database asked in case that something was missed."""


class Hub:
    """See the module. `run` is a task of the process."""

    def __init__(self, database: Database, reading: Reading, note: Any) -> None:
        self._database = database
        self._reading = reading
        self._note = note
        self._kept: deque[pb.VenueReport] = deque(maxlen=KEPT)
        self._early: dict[int, pb.VenueReport] = {}
        self._listeners: set[asyncio.Event] = set()
        self.name = uuid.uuid4().hex
        """This life of this instance, among those who tell of instructions."""
        self._behind = asyncio.Event()
        self.last = -1
        """The number up to which everything is known here; -1 before the first look."""
        self.instructions: set[Callable[[], None]] = set()
        """Called when instructions were committed by any instance."""
        self.breaks: set[Callable[[], None]] = set()
        """Called when breaks have changed, or something was asked about them, by any instance."""

    def told(self, reports: Sequence[pb.VenueReport]) -> None:
        """This instance has committed these."""
        for report in reports:
            if report.sequence > self.last:
                self._early[report.sequence] = report
        self._drain()
        if self._early:
            self._behind.set()

    def _drain(self) -> None:
        if self.last < 0:
            return
        moved = False
        while (report := self._early.pop(self.last + 1, None)) is not None:
            self._kept.append(report)
            self.last += 1
            moved = True
        if moved:
            for listener in self._listeners:
                listener.set()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set when there are new reports, as long as the block lasts."""
        event = asyncio.Event()
        self._listeners.add(event)
        try:
            yield event
        finally:
            self._listeners.discard(event)

    async def after(self, sequence: int, limit: int) -> list[pb.VenueReport]:
        """Reports after a number, oldest first; none if there are none yet.

        Raises:
            StoreUnavailable: they are older than what is kept here, and the database is away.
        """
        if sequence >= self.last >= 0:
            return []
        if self._kept and self._kept[0].sequence <= sequence + 1:
            begin = sequence + 1 - self._kept[0].sequence
            return [self._kept[i] for i in range(begin, min(begin + limit, len(self._kept)))]
        return await self._reading.reports(sequence, limit)

    async def run(self) -> None:
        """Listens, until it is cancelled."""
        while True:
            try:
                connection = await self._database.dedicated()
                try:
                    await self._listen(connection)
                finally:
                    await connection.close(timeout=2.0)
            except (StoreError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                self._note.warning("the database does not say what is new; trying again", why=str(error))
            await asyncio.sleep(PAUSE_S)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        schema = await connection.fetchval("SELECT current_schema()")
        await connection.add_listener(f"{CHANNEL_REPORTS}_{schema}", lambda *said: self._said(said[-1]))
        await connection.add_listener(f"{CHANNEL_INSTRUCTIONS}_{schema}", self._instructed)
        await connection.add_listener(f"{CHANNEL_BREAKS}_{schema}", lambda *_: self._tell_breaks())
        self.wake()
        while not connection.is_closed():
            self._behind.clear()
            await self._catch_up()
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._behind.wait()
            except TimeoutError:
                await connection.fetchval("SELECT 1", timeout=CHECK_S)

    def _said(self, last: str) -> None:
        """A commit says its newest report: what was committed here is known already."""
        if not last.isdigit() or int(last) > self.last:
            self._behind.set()

    def _instructed(self, *said: Any) -> None:
        if said[-1] != self.name:
            self.wake()

    def _tell_breaks(self) -> None:
        for tell in self.breaks:
            tell()

    def wake(self) -> None:
        """Instructions were committed."""
        for tell in self.instructions:
            tell()

    async def _catch_up(self) -> None:
        if self.last < 0:
            self.last = await self._reading.last_sequence()
            self._early = {n: r for n, r in self._early.items() if n > self.last}
            self._drain()
        while page := await self._reading.reports(self.last, PAGE):
            for report in page:
                if report.sequence > self.last:
                    self._early.setdefault(report.sequence, report)
            self._drain()
            if len(page) < PAGE:
                return
