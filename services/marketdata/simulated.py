"""The simulated feed: a market that is calibrated to the published rates, and how it is quoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from services.marketdata.books.simulated import SimulatedBooks
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.simulation import Market
from services.marketdata.quote_log import pause
from services.marketdata.quoter import Quoter
from services.marketdata.settings import FeedConfig
from services.marketdata.term import Term

FEED = "simulated"


class Simulated:
    """A source that needs nobody else. With `books` it has depth behind its quotes."""

    name = FEED

    def __init__(
        self,
        market: Market,
        catalogue: Catalogue,
        config: Callable[[], FeedConfig],
        books: SimulatedBooks | None = None,
    ) -> None:
        self._market = market
        self._catalogue = catalogue
        self._config = config
        self._books = books

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[_Open]:
        """A venue for one term."""
        async with AsyncExitStack() as stack:
            venue = _Open(self._market, self._catalogue, self._config, term)
            if self._books is not None:
                venue.check = await stack.enter_async_context(self._books.open(term))
            yield venue


class _Open(Quoter):
    """A quoter that waits for its next tick, and fails with its books."""

    check: Callable[[], None] | None = None

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits until the tick is due."""
        if self.check is not None:
            self.check()
        return await pause(stopping, seconds)
