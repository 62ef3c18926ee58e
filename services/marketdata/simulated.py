"""The simulated feed: a market that is calibrated to the published rates, and how it is quoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from services.marketdata.books.simulated import SimulatedBooks
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.seasonality import Seasonality
from services.marketdata.domain.simulation import Market
from services.marketdata.quote_log import pause
from services.marketdata.quoter import Quoter
from services.marketdata.settings import FeedConfig
from services.marketdata.term import Term

FEED = "simulated"


QUOTES_PER_ENTRY = 16
"""Entries come as soon as so many quotes are due, as far as `tick_ms_min` and `tick_ms` let them."""


class Simulated:
    """A source that needs nobody else.

    Args:
        books: makes depth behind its quotes; without it there are no books.
        tick_s_min: shortest time between two of its entries.
        weekends: whether its market closes from Friday to Sunday.
    """

    name = FEED

    def __init__(
        self,
        market: Market,
        catalogue: Catalogue,
        config: Callable[[], FeedConfig],
        books: SimulatedBooks | None = None,
        *,
        tick_s_min: float = 0.01,
        weekends: bool = False,
    ) -> None:
        self._market = market
        self._catalogue = catalogue
        self._config = config
        self._books = books
        self._tick_s_min = tick_s_min
        self._seasonality = Seasonality(weekends=weekends)

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[_Open]:
        """A venue for one term."""
        quoter = Quoter(self._market, self._catalogue, self._config, term, self._seasonality)
        async with AsyncExitStack() as stack:
            venue = _Open(quoter, self._tick_s_min)
            if self._books is not None:
                venue.check = await stack.enter_async_context(self._books.open(term))
            yield venue


class _Open:
    """A quoter that waits for its next tick: the more it quotes, the sooner, because a quote is as old as its entry.

    Attributes:
        check: raises what the books failed with, if they did.
    """

    check: Callable[[], None] | None = None

    def __init__(self, quoter: Quoter, tick_s_min: float) -> None:
        self._tick_s_min = tick_s_min
        self._quoter = quoter
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self.tick = quoter.tick

    @property
    def interval_s(self) -> float:
        """Time between two entries at the rate of this hour."""
        return max(QUOTES_PER_ENTRY / self._quoter.quotes_per_s, self._tick_s_min)

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits until the tick is due."""
        if self.check is not None:
            self.check()
        now, interval_s = self._loop.time(), self.interval_s
        # Never further away than one interval, which may have been longer before.
        self._due = min(max(self._due + interval_s, now), now + interval_s)
        return await pause(stopping, min(self._due - now, seconds))
