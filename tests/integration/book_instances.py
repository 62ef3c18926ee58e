"""Instances of marketdata with books, over a real NATS, and what their log says."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable

import grpc
import structlog

from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2_grpc as books_grpc
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.books.log import BookLog
from services.marketdata.books.writer import BookTerm
from services.marketdata.catalogue import Catalogue
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.composite import Health
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed
from services.marketdata.follower import Follower
from services.marketdata.quote_log import QuoteLog
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED, Simulated
from tests.ending import ended, within
from tests.integration.conftest import Servers, eventually

SETTINGS = Settings(
    tick_ms=20, silence_ms=50, takeover_ms=400, ring_capacity=4096, book_interval_ms=10, book_ring_capacity=4096
)
CONFIG = FeedConfig(quotes_per_s=400)
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "EUR/SEK", "USD/TRY")


class Instance:
    """Everything of one instance but its gRPC server. `lost` says which of the venue's updates do not arrive."""

    def __init__(self, mesh: Servers, market: Market) -> None:
        self._mesh = mesh
        self._market = market
        self.quotes = Board(SETTINGS.ring_capacity, 10)
        self.catalogue = Catalogue()
        for name in PAIRS:
            base, counter = name.split("/")
            listed = reference_pb.Instrument(
                name=name, base=base, counter=counter, price_precision=5, version=1, direct=True
            )
            listed.status = reference_pb.INSTRUMENT_STATUS_TRADING
            self.catalogue.take([listed])
        self.catalogue.ready.set()
        self.stopping = asyncio.Event()
        self.closed = asyncio.Event()
        self.lost: Callable[[BookUpdate], bool] = lambda _update: False
        self.lines: list[dict[str, object]] = []

    async def start(self) -> Instance:
        """Connects and begins."""
        self.events = await Events.open(self._mesh.runtime("marketdata"))
        note = structlog.get_logger()
        log = QuoteLog(self.events)
        follower = Follower(log, self.quotes, [FEED], SETTINGS.log_entries_read, note)
        self.books = Books(self.events, [FEED], SETTINGS, structlog.wrap_logger(None, processors=[self._noted]))
        self.board = self.books.board
        simulated = self.books.simulated(FEED, self.quotes, self.catalogue)
        self.counts = simulated.feed.counts
        simulated.feed.resnapshot_s = 0.2
        deliver = simulated.deliver

        def sometimes(term: BookTerm, update: BookUpdate) -> None:
            if not self.lost(update):
                deliver(term, update)

        simulated.deliver = sometimes  # type: ignore[method-assign]
        self.feed = Feed(
            source=Simulated(self._market, self.catalogue, lambda: CONFIG, books=simulated),
            catalogue=self.catalogue,
            log=log,
            follower=follower,
            board=self.quotes,
            publish=self._publish,
            settings=SETTINGS,
            note=note,
        )
        self.tasks = [
            asyncio.create_task(follower.run(self.closed)),
            asyncio.create_task(self.books.run(self.closed)),
            asyncio.create_task(self.feed.run(self.stopping)),
        ]
        return self

    def _noted(self, _logger: object, _method: str, line: dict[str, object]) -> dict[str, object]:
        self.lines.append(line)
        raise structlog.DropEvent

    async def _publish(self, _published: object) -> None:
        """Quotes go to the log alone."""

    async def stop(self) -> None:
        """Stops in good order."""
        self.stopping.set()
        self.closed.set()
        await within(asyncio.gather(*self.tasks), "the end of an instance")
        await self.events.close()

    async def die(self) -> None:
        """Stops as a killed process does: without a word."""
        await ended(self.tasks, "an instance")
        await self.events.close()

    def state(self) -> dict[str, bytes]:
        """Every book as bytes."""
        views = {name: self.board.view(name, FEED) for name in PAIRS}
        return {name: view.message().SerializeToString(deterministic=True) for name, view in views.items() if view}

    def health(self, name: str = "EUR/USD") -> Health | None:
        """A book's health."""
        held = self.board.held(name, FEED)
        return held and held.health


@contextlib.asynccontextmanager
async def running(mesh: Servers, market: Market, count: int) -> AsyncIterator[list[Instance]]:
    """Some instances, started one after the other; what is left of them at the end is stopped."""
    instances: list[Instance] = []
    try:
        for _ in range(count):
            instances.append(await Instance(mesh, market).start())
        yield instances
    finally:
        for instance in instances:
            await instance.die()


async def whole_log(events: Events) -> list[events_pb.BooksPublished]:
    """Every entry of the books' log."""
    log, after, entries = BookLog(events), 0, []
    while batch := await log.read(after):
        entries += [events_pb.BooksPublished.FromString(e.payload) for e in batch]
        after = batch[-1].number
    return entries


def check(entries: list[events_pb.BooksPublished]) -> dict[str, dict[float, float]]:
    """Asserts that the log is one gap-free story of each book, and that its rounds tell the same; returns the bids."""
    epoch, numbers, bids = 0, {}, {}
    for entry in entries:
        assert entry.epoch >= epoch
        epoch = entry.epoch
        for change in entry.changes:
            if change.WhichOneof("change") == "snapshot":
                book = change.snapshot
                assert book.sequence == numbers.get(book.instrument, 0) + 1
                numbers[book.instrument] = book.sequence
                bids[book.instrument] = {level.price: level.quantity for level in book.bids}
            else:
                diff = change.diff
                assert diff.first_sequence == diff.last_sequence == numbers[diff.instrument] + 1
                numbers[diff.instrument] = diff.last_sequence
                apply(bids[diff.instrument], diff.bids)
        for book in entry.books:
            assert book.sequence == numbers[book.instrument]
            assert {level.price: level.quantity for level in book.bids} == bids[book.instrument]
    return bids


def apply(side: dict[float, float], updates: list[pb.BookLevelUpdate]) -> None:
    """Applies changes of levels, each of which must be what it says it is."""
    for update in updates:
        assert (update.price in side) == (update.action != pb.BOOK_UPDATE_ACTION_NEW)
        if update.action == pb.BOOK_UPDATE_ACTION_DELETE:
            del side[update.price]
        else:
            side[update.price] = update.quantity


async def same(instances: list[Instance]) -> None:
    """Waits until all instances have read as much, and asserts that their books are the same to the byte."""

    def together() -> bool:
        return len({i.board.place for i in instances}) == 1 and len({tuple(i.state().items()) for i in instances}) == 1

    await eventually(together)


@dataclasses.dataclass
class Served:
    """A stub to a server, and the event that makes it drain."""

    stub: books_grpc.BookServiceStub
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def served(mesh: Servers, instance: Instance, name: str) -> AsyncIterator[Served]:
    """An instance's gRPC server on its socket."""
    runtime = open_runtime(RuntimeSettings(service="marketdata", instance=name, settle_s=0.0), mesh.place)
    server = Server(runtime)
    instance.books.add_to(server, instance.catalogue)
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: mesh.place.registration(name).exists())
        async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
            yield Served(books_grpc.BookServiceStub(channel), runtime.stopping)
    finally:
        runtime.stopping.set()
        await within(serving, "the end of the server")
