"""A log of quotes in a real NATS, written by the test itself, and instances that record it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import structlog

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.events.events import Events
from crossrate.history.store import TickStore
from crossrate.runtime import topology
from crossrate.ticks.columns import Ticks
from services.marketdata.history.composer import Composing
from services.marketdata.history.messages import columns_of, timestamp
from services.marketdata.history.reader import Reader
from services.marketdata.history.recorder import Recorder
from services.marketdata.quote_log import LogEntry, QuoteLog
from services.marketdata.settings import Settings
from services.marketdata.term import Term
from tests.integration.conftest import Servers

PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD")
MONDAY = int(np.datetime64("2024-03-04T00:00", "ns").astype(np.int64))
SECOND = 1_000_000_000


@contextlib.asynccontextmanager
async def nats(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology, but a log that soon forgets."""
    mesh = topology.load()
    log = mesh.streams["quotes"].model_copy(update={"max_mib": 1})
    servers = Servers(folder, mesh.model_copy(update={"streams": mesh.streams | {"quotes": log}}))
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


class Feed:
    """Writes quotes of three pairs into the log, entry by entry, and knows all that it has written."""

    def __init__(self, log: QuoteLog, seed: int = 1, name: str = "simulated", begin: int = MONDAY) -> None:
        self.log = log
        self.name = name
        self.term = Term(name, 1)
        self.written: dict[str, list[pb.Quote]] = {pair: [] for pair in PAIRS}
        self.number = 0
        self.now = begin
        self._numbers = np.random.default_rng(seed)

    def quote(self, pair: str, at: int | None = None) -> pb.Quote:
        """The next quote of a pair, up to two seconds after the one before."""
        self.now += int(self._numbers.integers(1, 2 * SECOND))
        mid = 1 + float(self._numbers.integers(0, 1000)) / 1e4
        quote = pb.Quote(
            instrument=pair,
            bid=mid,
            ask=mid + float(self._numbers.integers(0, 4)) / 1e4,
            bid_quantity=float(self._numbers.integers(1, 9)) * 1e6,
            ask_quantity=1e6,
            sequence=len(self.written[pair]) + 1,
            venue_time=timestamp(self.now if at is None else at),
            receive_time=timestamp(self.now + 1_000_000),
            health=pb.QUOTE_HEALTH_LIVE,
            source=self.name,
        )
        self.written[pair].append(quote)
        return quote

    async def write(self, entries: int = 1, quotes: int = 5, given: list[pb.Quote] | None = None) -> None:
        """Appends entries of random quotes, or one of given quotes."""
        for _ in range(entries):
            made = given or [self.quote(PAIRS[int(self._numbers.integers(0, 3))]) for _ in range(quotes)]
            entry = self.term.entry(self.now, made)
            payload = entry.SerializeToString()
            self.number = await self.log.append(self.name, payload, self.number)
            self.term.appended(entry, self.number)
            await self.log.announce(LogEntry(self.number, self.name, payload))

    def sequences(self, pair: str) -> list[int]:
        """The numbers of all quotes of a pair, in the order of venue time."""
        quotes = sorted(self.written[pair], key=lambda q: (q.venue_time.ToNanoseconds(), q.sequence))
        return [quote.sequence for quote in quotes]

    def times(self, pair: str) -> list[int]:
        """Their venue times."""
        return sorted(quote.venue_time.ToNanoseconds() for quote in self.written[pair])


@contextlib.asynccontextmanager
async def log_of(mesh: Servers, instance: str = "marketdata-1") -> AsyncIterator[QuoteLog]:
    """The log, over a connection of its own."""
    events = await Events.open(mesh.runtime("marketdata", instance))
    try:
        yield QuoteLog(events)
    finally:
        await events.close()


class Recording:
    """A recorder and a reader of one store, moved by the test."""

    def __init__(self, log: QuoteLog, url: Path | str, composing: Composing | None = None, **settings: float) -> None:
        self.threads = ThreadPoolExecutor(2)
        self.now = 0.0
        self._open = functools.partial(TickStore.open, str(url))
        self.recorder = Recorder(
            log, self._open, self.threads, Settings(**settings), structlog.get_logger(), lambda: self.now, composing
        )
        self.reader = Reader(log, self._open, self.threads, composing)

    async def record(self, seconds: float = 100.0) -> None:
        """Lets time pass and the recorder look."""
        self.now += seconds
        await self.recorder.attempt()

    async def ticks(self, pair: str, source: str = "simulated") -> Ticks:
        """All quotes that the reader answers."""
        view = await self.reader.view([pair], source)
        pages = view.store.ticks(pair, 0, 2**62, source, also=view.also(source, pair))
        return Ticks.concatenated([Ticks(**columns_of(page.batch)) for page in pages])

    def stored(self, pair: str) -> list[int]:
        """The sequences that are stored."""
        pages = self._open().ticks(pair, 0, 2**62, "simulated", ["sequence"])
        return [number for page in pages for number in page.batch.column("sequence").to_pylist()]
