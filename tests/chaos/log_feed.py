"""A feed that the harness itself writes into the log of quotes, so that it knows of each entry what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.quote_log import Fenced, LogEntry, LogUnavailable, QuoteLog
from tests.chaos.history import Told
from tests.integration.history_mesh import PAIRS, Feed

PAUSE_S = 0.02
RETRY_S = 0.1
QUOTES = 3

Row = tuple[float, float, int]
"""Bid, ask and venue time in ns."""


def row(quote: pb.Quote) -> Row:
    """What must be kept of a quote."""
    return quote.bid, quote.ask, quote.venue_time.ToNanoseconds()


class LogFeed:
    """Writes entry after entry, each until it is known to be in the log.

    Args:
        log: opens nothing; a connection of its own.
        told: where it is noted what was acknowledged.
        early: the fault that a check must find: it acknowledges before it writes, and goes on when that fails.
    """

    def __init__(self, name: str, log: QuoteLog, told: Told, *, early: bool = False) -> None:
        self._feed = Feed(log, seed=len(name), name=name)
        self._log = log
        self._told = told
        self._early = early

    async def run(self, stopping: asyncio.Event) -> None:
        """Until the round is over."""
        feed = self._feed
        while not stopping.is_set():
            quotes = [feed.quote(PAIRS[number % len(PAIRS)]) for number in range(QUOTES)]
            for quote in quotes:
                # Its venue's clock is of another year; it came now, or nobody would trust it.
                quote.receive_time.GetCurrentTime()
            entry = feed.term.entry(feed.now, quotes)
            for quote in quotes:
                self._told.ask((quote.instrument, quote.sequence), row(quote))
            if self._early:
                self._acknowledge(quotes)
            number = await self._append(entry.SerializeToString())
            if number:
                feed.number = number
                feed.term.appended(entry, number)
                self._acknowledge(quotes)
            # Its own pace; nothing is waited for.
            await asyncio.sleep(PAUSE_S)

    def _acknowledge(self, quotes: list[pb.Quote]) -> None:
        for quote in quotes:
            self._told.acknowledge((quote.instrument, quote.sequence), row(quote))

    async def _append(self, payload: bytes) -> int:
        """The number that an entry has in the log; 0 if it was given up."""
        name = self._feed.name
        while True:
            try:
                number = await self._log.append(name, payload, self._feed.number)
            except (LogUnavailable, Fenced):
                self._told.events["not answered"] += 1
                if self._early:
                    return 0
                # What is not known is looked up before it is tried again.
                newest = await self._until(lambda: self._log.last_of(name))
                if newest is None or newest.number == self._feed.number:
                    continue
                assert newest.payload == payload, "nobody else writes this feed"
                number = newest.number
            await self._announce(LogEntry(number, name, payload))
            return number

    async def _announce(self, entry: LogEntry) -> None:
        """Tells followers, who read the log if they do not hear of it."""
        try:
            await self._log.announce(entry)
        except Exception as error:
            self._told.events[type(error).__name__] += 1

    async def _until(self, ask: Callable) -> LogEntry | None:
        while True:
            try:
                return await ask()
            except LogUnavailable:
                await asyncio.sleep(RETRY_S)
