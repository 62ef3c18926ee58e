"""Instances with declared feeds over a real NATS, a venue on loopback, and files to replay."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import structlog

from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events.events import Events
from crossrate.runtime import topology
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.catalogue import Catalogue
from services.marketdata.feed import Feed
from services.marketdata.feeds import Feeds, parse
from services.marketdata.follower import Follower
from services.marketdata.health import HealthBoard
from services.marketdata.quote_log import QuoteLog
from services.marketdata.settings import Settings
from services.marketdata.sources import ages, kinds, sources
from tests.ending import ended, within
from tests.integration.conftest import Servers
from tests.venues.fix_acceptor import Acceptor

SETTINGS = Settings(tick_ms=20, silence_ms=50, takeover_ms=400, ring_capacity=4096)
EUR, JPY = "EUR/USD", "USD/JPY"
PUBLISHER = topology.Publisher(publishes=("crossrate.marketdata.v1.quotes_in.desk.>",))


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology, and a publisher from outside."""
    servers = Servers(folder, topology.load().model_copy(update={"publishers": {"desk": PUBLISHER}}))
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


class Instance:
    """Everything of one instance but its gRPC server."""

    def __init__(self, mesh: Servers, feeds: Feeds, folder: Path, name: str) -> None:
        self._mesh, self._feeds, self._folder, self.name = mesh, feeds, folder, name
        self.board = Board(SETTINGS.ring_capacity, 10, ages(feeds))
        self.catalogue = Catalogue()
        for pair in (EUR, JPY, "GBP/USD", "EUR/JPY"):
            base, counter = pair.split("/")
            listed = reference_pb.Instrument(name=pair, base=base, counter=counter, price_precision=5, version=1)
            listed.status = reference_pb.INSTRUMENT_STATUS_TRADING
            self.catalogue.take([listed])
        self.catalogue.ready.set()
        self.stopping, self.closed = asyncio.Event(), asyncio.Event()
        self._term = self._quotes = 0

    async def start(self) -> Instance:
        """Connects and begins."""
        self.events = await Events.open(self._mesh.runtime("marketdata", self.name))
        note = structlog.get_logger()
        self.log = QuoteLog(self.events)
        self.health = HealthBoard(kinds(self._feeds), self.board, lambda: self.follower.feeds, 0.5)
        self.follower = Follower(
            self.log,
            self.board,
            list(self._feeds.feeds),
            SETTINGS.log_entries_read,
            note,
            applied=self.health.applied,
        )
        self.books = Books(self.events, list(self._feeds.feeds), SETTINGS, note, ages(self._feeds))
        made = sources(
            self._feeds,
            self._folder,
            market=None,  # type: ignore[arg-type]
            catalogue=self.catalogue,
            settings=SETTINGS,
            config=None,  # type: ignore[arg-type]
            events=self.events,
            books=self.books,
            quotes=self.board,
            instance=self.name,
            note=note,
        )
        self.feeds = [
            Feed(
                source=source,
                catalogue=self.catalogue,
                log=self.log,
                follower=self.follower,
                board=self.board,
                publish=self._publish,
                settings=SETTINGS,
                note=note,
            )
            for source in made
        ]
        self.tasks = [asyncio.create_task(self.follower.run(self.closed)), asyncio.create_task(self._check())]
        self.tasks += [asyncio.create_task(self.books.run(self.closed))]
        self.tasks += [asyncio.create_task(feed.run(self.stopping)) for feed in self.feeds]
        return self

    async def _publish(self, published: events_pb.QuotesPublished) -> None:
        """Nobody listens; what was appended is counted by term."""
        if published.epoch != self._term:
            self._term, self._quotes = published.epoch, 0
        self._quotes += len(published.quotes)

    async def _check(self) -> None:
        while not self.closed.is_set():
            self.health.check()
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stops in good order."""
        self.stopping.set()
        self.closed.set()
        await within(asyncio.gather(*self.tasks), "the end of an instance")
        await self.events.close()

    async def die(self) -> None:
        """Stops as a killed process does: without a word to the log."""
        await ended(self.tasks, "an instance")
        await self.events.close()

    @property
    def leading(self) -> bool:
        """Whether it writes its only feed."""
        return self.feeds[0].leading

    def has_written(self, count: int) -> bool:
        """Whether it leads, and the log has so many quotes of this very term of it."""
        return self.leading and self._quotes >= count

    def feed(self) -> feed_pb2.Feed:
        """How its only feed is."""
        return self.health.feeds()[0]

    def quote(self, name: str) -> pb.Quote:
        """The newest quote of an instrument; empty while there is none."""
        entry = self.board.last(name)
        return pb.Quote() if entry is None else entry.quote


@contextlib.asynccontextmanager
async def running(mesh: Servers, text: str, folder: Path, count: int = 1) -> AsyncIterator[list[Instance]]:
    """Some instances of declared feeds; what is left of them at the end dies."""
    instances: list[Instance] = []
    try:
        for number in range(count):
            made = Instance(mesh, parse(text, "feeds.toml"), folder, f"marketdata-{number + 1}")
            instances.append(await made.start())
        yield instances
    finally:
        for instance in instances:
            await instance.die()


@contextlib.asynccontextmanager
async def venue(port: int) -> AsyncIterator[Acceptor]:
    """A venue that listens."""
    acceptor = await Acceptor().start(port)
    try:
        yield acceptor
    finally:
        await acceptor.stop()


def fix(port: int, more: str = "") -> str:
    """A declared FIX feed."""
    return f"""
        [feeds.trial]
        kind = "fix"
        host = "127.0.0.1"
        port = {port}
        sender_comp_id = "HOUSE"
        target_comp_id = "VENUE"
        instruments = ["EUR/USD", "USD/JPY"]
        reconnect = {{ first_s = 0.05, cap_s = 0.2 }}
        outliers = {{ enabled = false }}
        {more}
        """


async def whole_log(events: Events) -> list[events_pb.QuotesPublished]:
    """Every entry of the log."""
    log, after, entries = QuoteLog(events), 0, []
    while batch := await log.read(after):
        entries += [events_pb.QuotesPublished.FromString(e.payload) for e in batch]
        after = batch[-1].number
    return entries


def quotes(entries: list[events_pb.QuotesPublished]) -> list[pb.Quote]:
    """The quotes of a log, after a check that their numbers have neither gap nor repetition."""
    following, sequences = 1, {}
    for entry in entries:
        assert entry.first_sequence == following
        following += len(entry.quotes)
        for quote in entry.quotes:
            assert quote.sequence == sequences.get(quote.instrument, 0) + 1
            sequences[quote.instrument] = quote.sequence
    return [quote for entry in entries for quote in entry.quotes]


def write(path: Path, seed: int, count: int, start: float) -> list[tuple[int, float, float]]:
    """A file of quotes; returns time, bid and ask of each."""
    chance = np.random.default_rng(seed)
    times = 1_767_312_000_000 + np.cumsum(chance.integers(0, 5, count))
    bids = np.round(start + np.cumsum(chance.normal(0, 1e-5, count)), 5)
    lines = [f"{np.datetime64(int(t), 'ms')}Z,{bid:.5f},{bid + 0.0002:.5f}" for t, bid in zip(times, bids, strict=True)]
    path.write_text("time,bid,ask\n" + "\n".join(lines) + "\n")
    return [
        (int(t) * 1_000_000, float(f"{bid:.5f}"), float(f"{bid + 0.0002:.5f}"))
        for t, bid in zip(times, bids, strict=True)
    ]


def replay(more: str) -> str:
    """A declared replay."""
    return f"""
        [feeds.rerun]
        kind = "replay"
        paths = ["*.csv"]
        shape = "generic"
        times = "kept"
        outliers = {{ enabled = false }}
        disorder_ms = 86_400_000
        {more}
        """
