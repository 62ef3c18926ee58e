"""The simulated feed: a market that is calibrated to the published rates, and how it is quoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.simulation import Market
from services.marketdata.quote_log import pause
from services.marketdata.quoter import Quoter
from services.marketdata.settings import FeedConfig
from services.marketdata.term import Term

FEED = "simulated"


class Simulated:
    """A source that needs nobody else."""

    name = FEED

    def __init__(self, market: Market, catalogue: Catalogue, config: Callable[[], FeedConfig]) -> None:
        self._market = market
        self._catalogue = catalogue
        self._config = config

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[_Open]:
        """A venue for one term."""
        yield _Open(self._market, self._catalogue, self._config, term)


class _Open(Quoter):
    """A quoter that waits for its next tick."""

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits until the tick is due."""
        return await pause(stopping, seconds)
