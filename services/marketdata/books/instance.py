"""Everything of books that one instance has, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from crossrate.events.events import Events
from crossrate.rpc.server import Server
from services.marketdata.board import Board
from services.marketdata.books.board import BookBoard
from services.marketdata.books.follower import BookFollower
from services.marketdata.books.log import BookLog
from services.marketdata.books.service import BookService, register_books
from services.marketdata.books.simulated import SimulatedBooks
from services.marketdata.books.writer import BookFeed
from services.marketdata.catalogue import Catalogue
from services.marketdata.quote_log import pause
from services.marketdata.settings import Settings

STALE_CHECK_S = 0.5


class Books:
    """The books of one instance.

    Attributes:
        board: the books, as every instance has them.
        follower: keeps the board equal to the log.
    """

    def __init__(
        self,
        events: Events,
        feeds: Iterable[str],
        settings: Settings,
        note: Any,
        ages: Mapping[str, float] | None = None,
    ) -> None:
        self._settings = settings
        self._note = note
        self._log = BookLog(events)
        self.board = BookBoard(settings.book_ring_capacity, settings.stale_after_ms / 1000, ages)
        self.follower = BookFollower(self._log, self.board, feeds, settings.book_log_entries_read, note)

    def feed(self, name: str) -> BookFeed:
        """What writes the books of a feed while this instance leads it."""
        return BookFeed(name, self._log, self.follower, self.board, self._note)

    def simulated(self, name: str, quotes: Board, catalogue: Catalogue) -> SimulatedBooks:
        """Depth behind the quotes of the simulated feed."""
        these = self._settings
        return SimulatedBooks(
            self.feed(name),
            quotes,
            catalogue,
            levels=these.book_levels,
            seed=these.seed,
            interval_s=these.book_interval_ms / 1000,
        )

    def add_to(self, server: Server, catalogue: Catalogue) -> None:
        """Has a server serve the books, and wait for them before it is healthy."""
        server.add(register_books, BookService(self.board, catalogue, self.follower.look))
        server.health.depends_on("books", self.follower.check)

    async def run(self, closed: asyncio.Event) -> None:
        """Follows the log and marks what grows too old, until the process ends."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follower.run(closed))
            tasks.create_task(self._keep_stale(closed))

    async def _keep_stale(self, closed: asyncio.Event) -> None:
        while not await pause(closed, STALE_CHECK_S):
            self.board.mark_stale(time.time_ns())
