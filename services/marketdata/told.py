"""A source that tells nothing of itself, with the status of its feed in its entries."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from services.marketdata.feed import Source, Venue
from services.marketdata.feed_status import LIVE, FeedStatus
from services.marketdata.term import Term


class Told:
    """A source that is LIVE as long as an instance writes it."""

    def __init__(self, source: Source, kind: int, instance: str, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.name = source.name
        self._source, self._kind, self._instance, self._now_ns = source, kind, instance, now_ns

    @asynccontextmanager
    async def open(self, term: Term) -> AsyncIterator[Venue]:
        """The source's venue for a term, and what it tells."""
        async with self._source.open(term) as venue:
            status = FeedStatus(self.name, self._kind, self._instance, term.feed_before, self._now_ns())
            status.become(LIVE, "", self._now_ns())
            yield _Telling(venue, status)


class _Telling:
    def __init__(self, venue: Venue, status: FeedStatus) -> None:
        self._venue, self._status = venue, status
        self.pause = venue.pause

    def tick(self, elapsed_s: float, now_ns: int, *, always: bool) -> events_pb.QuotesPublished | None:
        """The venue's next entry."""
        entry = self._venue.tick(elapsed_s, now_ns, always=always)
        if entry is None:
            return None
        if entry.quotes:
            self._status.counts.quotes += len(entry.quotes)
            self._status.quoted_ns = now_ns
        told = self._status.told(now_ns, (), (), always=bool(entry.board))
        if told is not None:
            entry.feed.CopyFrom(told)
        return entry
