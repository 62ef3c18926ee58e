"""Order books over a real NATS: one instance writes them, all have the same; what is missing is named and healed."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import pytest
import structlog

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as books_pb
from crossrate.api.marketdata.v1 import book_service_pb2_grpc as books_grpc
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime import topology
from crossrate.runtime.process import RuntimeSettings, open_runtime
from services.marketdata import ecb
from services.marketdata.board import Board
from services.marketdata.books.instance import Books
from services.marketdata.books.log import BookLog
from services.marketdata.books.writer import BookTerm
from services.marketdata.catalogue import Catalogue
from services.marketdata.cursor import BOOKS, Cursor
from services.marketdata.domain.book import BookUpdate
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.composite import Health
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed
from services.marketdata.follower import Follower
from services.marketdata.quote_log import QuoteLog
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED, Simulated
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

SETTINGS = Settings(
    tick_ms=20, silence_ms=50, takeover_ms=400, ring_capacity=4096, book_interval_ms=10, book_ring_capacity=4096
)
CONFIG = FeedConfig(quotes_per_s=100)
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "EUR/SEK", "USD/TRY")
EURUSD = {"base": "EUR", "counter": "USD"}


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology."""
    servers = Servers(folder, topology.load())
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@pytest.fixture(scope="module")
def market() -> Market:
    history = ecb.load()
    return Market(calibrate(history, history.current(), window_days=780, half_life_days=120), seed=1)


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
        await asyncio.gather(*self.tasks)
        await self.events.close()

    async def die(self) -> None:
        """Stops as a killed process does: without a word."""
        pending = set(self.tasks)
        while pending:
            # asyncio.wait_for of Python 3.11 loses a cancellation that comes together with its result.
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.5)
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


async def test_every_instance_has_the_same_books(mesh: Servers, market: Market) -> None:
    """Three instances, one writer: the same books under the same numbers, their tops the quotes of the log."""
    async with running(mesh, market, 3) as instances:
        await eventually(lambda: all(i.board.head > 300 for i in instances))
        await same(instances)
        assert sum(i.feed.leading for i in instances) == 1
        bids = check(await whole_log(instances[0].events))
        assert set(bids) == set(PAIRS)
        first, second, third = (i.board for i in instances)
        low, high = max(b.oldest for b in (first, second, third)), min(b.head for b in (first, second, third))
        for number in range(low, high + 1):
            assert second.find(first.cursor(number)) == third.find(first.cursor(number)) == number
        quoted = {(e.name, e.quote.bid, e.quote.ask) for e in instances[1].quotes.between(0, frozenset(PAIRS))}
        for name in PAIRS:
            view = second.view(name, FEED)
            assert view is not None
            assert len(view.shown.bids) == len(view.shown.asks) == SETTINGS.book_levels
            assert (name, view.shown.bids[0].price, view.shown.asks[0].price) in quoted
            assert view.shown.health is Health.LIVE


async def test_a_missing_change_is_named_once_and_healed(mesh: Servers, market: Market) -> None:
    """One change of EUR/USD is lost on its way: GAPPED once, with its number, on every instance; then whole again."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        writer, other = sorted(instances, key=lambda i: not i.feed.leading)
        dropped: list[int] = []

        def lose_one(update: BookUpdate) -> bool:
            if update.instrument != "EUR/USD" or update.snapshot or dropped:
                return False
            dropped.append(update.last_sequence)
            return True

        writer.lost = lose_one
        await eventually(lambda: writer.counts["healed"] == 1)
        head = writer.board.head
        await eventually(lambda: all(i.board.head > head + 50 for i in instances))
        assert writer.counts["gaps"] == writer.counts["missing"] == 1
        told = [line for line in writer.lines if line.get("event") == "a book has a gap"]
        assert [(t["instrument"], t["expected"], t["received"]) for t in told] == [
            ("EUR/USD", dropped[0], dropped[0] + 1)
        ]
        gapped, healed = [], []
        for change in (c for entry in await whole_log(other.events) for c in entry.changes):
            if change.diff.health == quote_pb2.QUOTE_HEALTH_GAPPED:
                gapped.append(change.diff)
            elif gapped and not healed and change.snapshot.instrument == "EUR/USD":
                healed.append(change.snapshot)
        assert [d.gap.expected_sequence for d in gapped] == dropped
        assert [d.gap.received_sequence for d in gapped] == [dropped[0] + 1]
        assert healed[0].sequence == gapped[0].last_sequence + 1
        assert healed[0].health == quote_pb2.QUOTE_HEALTH_LIVE
        assert other.health() is Health.LIVE
        await same(instances)
        check(await whole_log(other.events))


async def test_while_the_venue_gives_no_snapshot_a_book_stays_gapped(mesh: Servers, market: Market) -> None:
    """Every instance serves it as GAPPED, with what is missing, until a snapshot comes; other books go on."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        writer, other = sorted(instances, key=lambda i: not i.feed.leading)
        seen = []

        def lost(update: BookUpdate) -> bool:
            if update.instrument != "EUR/USD":
                return False
            seen.append(update)
            return len(seen) == 1 or update.snapshot

        writer.lost = lost
        await eventually(lambda: other.health() is Health.GAPPED)
        head = other.board.head
        await eventually(lambda: other.board.head > head + 50)
        held = other.board.held("EUR/USD", FEED)
        assert held is not None
        assert held.gap is not None
        assert held.gap.expected_sequence == seen[0].last_sequence
        view = other.board.view("EUR/USD")
        assert view is not None
        assert view.message().gap == held.gap
        assert other.health("USD/JPY") is Health.LIVE
        assert writer.counts["gaps"] == 1
        writer.lost = lambda _update: False
        await eventually(lambda: other.health() is Health.LIVE)
        assert (writer.counts["gaps"], writer.counts["healed"]) == (1, 1)


async def test_a_writer_that_stops_or_dies_is_followed_by_another(mesh: Servers, market: Market) -> None:
    """In good order or without a word: numbers go on, and every book is whole and LIVE at once under the new writer."""
    async with running(mesh, market, 3) as instances:
        await eventually(lambda: all(i.board.head > 100 for i in instances))
        for end in ("stop", "die"):
            old = next(i for i in instances if i.feed.leading)
            instances.remove(old)
            await getattr(old, end)()
            await eventually(lambda: any(i.feed.leading for i in instances))
            head = instances[0].board.head
            await eventually(lambda h=head: all(i.board.head > h + 50 for i in instances))
        assert all(i.health(name) is Health.LIVE for i in instances for name in PAIRS)
        entries = await whole_log(instances[0].events)
        check(entries)
        assert len({e.epoch for e in entries}) == 3


async def test_a_writer_of_an_older_term_is_stopped(mesh: Servers, market: Market) -> None:
    """What it appends after its successor is refused, and it writes nothing more; what it wrote before is overwritten."""
    async with running(mesh, market, 1) as (instance,):
        await eventually(lambda: instance.board.head > 50)
        rival = Books(instance.events, [FEED], SETTINGS, structlog.get_logger())
        await rival.follower.catch_up()
        epoch = rival.board.epochs[FEED] + 1
        feed = rival.feed(FEED)
        async with feed.lead(epoch, lambda _name: None) as term:
            term.put(BookUpdate("EUR/USD", [(1.0, 1e6)], [(1.1, 1e6)], True, last_sequence=1))
        await eventually(lambda: any("another instance writes" in str(line.get("event")) for line in instance.lines))
        await eventually(lambda: instance.board.epochs[FEED] == epoch)
        entries = await whole_log(instance.events)
        check(entries)
        assert entries[-1].epoch == epoch
        assert instance.board.view("EUR/USD", FEED).shown.bids[0] == (1.0, 1e6, ())


async def test_an_instance_that_starts_late_has_every_book_at_once(mesh: Servers, market: Market) -> None:
    """It begins at the last whole round, and takes cursors that another one gave out."""
    async with running(mesh, market, 1) as instances:
        old = instances[0]
        await eventually(lambda: old.board.head > 300)
        late = await Instance(mesh, market).start()
        instances.append(late)
        await eventually(lambda: late.books.follower.complete)
        assert set(late.state()) == set(PAIRS)
        await same(instances)
        cursor = old.board.cursor(200)
        position = late.board.find(cursor)
        assert position is not None
        names = frozenset(PAIRS)
        mine = [e.encoded for e in old.board.between(200, names)]
        assert [e.encoded for e in late.board.between(position, names)][: len(mine)] == mine


async def test_nats_can_be_killed(mesh: Servers, market: Market) -> None:
    """After kill -9 of NATS and its return the books go on where they were, on every instance."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 50 for i in instances))
        mesh.kill("nats")
        await mesh.start_nats()
        head = max(i.board.head for i in instances)
        await eventually(lambda: all(i.board.head > head + 50 for i in instances), 30)
        await same(instances)
        check(await whole_log(instances[0].events))


async def test_a_halt_closes_the_book(mesh: Servers, market: Market) -> None:
    """It keeps its levels, says CLOSED on every instance, and opens again."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 20 for i in instances))
        for version, status, health in (
            (2, reference_pb.INSTRUMENT_STATUS_HALTED, Health.CLOSED),
            (3, reference_pb.INSTRUMENT_STATUS_TRADING, Health.LIVE),
        ):
            changed = reference_pb.Instrument(
                name="EUR/USD", base="EUR", counter="USD", version=version, direct=True, price_precision=5
            )
            changed.status = status
            for instance in instances:
                instance.catalogue.take([changed])
            await eventually(lambda h=health: all(i.health() is h for i in instances))
            assert len(instances[1].board.held("EUR/USD", FEED).ladder.bids) > 0


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
        await serving
