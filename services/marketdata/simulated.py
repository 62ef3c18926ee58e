"""The simulated feed: a market that is calibrated to the published rates, and how it is quoted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.simulation import Market
from services.marketdata.feed_status import LIVE, FeedStatus
from services.marketdata.quote_log import pause
from services.marketdata.quoter import Quoter
from services.marketdata.settings import FeedConfig
from services.marketdata.term import Term

FEED = "simulated"


class Simulated:
    """A source that needs nobody else."""

    name = FEED

    def __init__(
        self, market: Market, catalogue: Catalogue, config: Callable[[], FeedConfig], instance: str = ""
    ) -> None:
        self._instance = instance
        self._market = market
        self._catalogue = catalogue
        self._config = config

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[_Open]:
        """A venue for one term."""
        yield _Open(self._market, self._catalogue, self._config, term, self._instance)


class _Open(Quoter):
    """A quoter that waits for its next tick, and tells how its feed is."""

    def __init__(
        self, market: Market, catalogue: Catalogue, config: Callable[[], FeedConfig], term: Term, instance: str
    ) -> None:
        super().__init__(market, catalogue, config, term)
        self._before, self._instance = term.feed_before, instance
        self._status: FeedStatus | None = None

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> events_pb.QuotesPublished | None:
        """The quoter's entry, with the feed's status in it."""
        entry = super().tick(elapsed_s, now_ns, always=always)
        if entry is None:
            return None
        if self._status is None:
            self._status = FeedStatus(FEED, feed_pb2.FEED_KIND_SIMULATED, self._instance, self._before, now_ns)
            self._status.become(LIVE, "", now_ns)
        if entry.quotes:
            self._status.counts.quotes += len(entry.quotes)
            self._status.quoted_ns = now_ns
        told = self._status.told(now_ns, (), (), always=bool(entry.board))
        if told is not None:
            entry.feed.CopyFrom(told)
        return entry

    async def pause(self, stopping: asyncio.Event, seconds: float) -> bool:
        """Waits until the tick is due."""
        return await pause(stopping, seconds)
