"""Market data over a real NATS: one feed, several instances, writers that come, go and die."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import structlog

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import feed_pb2
from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.marketdata.v1 import quote_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.events.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime import topology
from crossrate.runtime.process import RuntimeSettings, open_runtime
from services.marketdata import ecb
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.cursor import Cursor
from services.marketdata.daily.sources import DailySources
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.feed import Feed
from services.marketdata.follower import Follower
from services.marketdata.health import HealthBoard
from services.marketdata.quote_log import Fenced, LogEntry, QuoteLog
from services.marketdata.service import MarketDataService, register
from services.marketdata.settings import FeedConfig, Settings
from services.marketdata.simulated import FEED, Simulated
from tests.ending import ended, within
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

SETTINGS = Settings(tick_ms=20, silence_ms=50, takeover_ms=400, ring_capacity=4096)
CONFIG = FeedConfig(quotes_per_s=400, hours=False)
PAIRS = ("EUR/USD", "USD/JPY", "GBP/USD", "EUR/SEK", "USD/TRY")


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
    """Everything of one instance but its gRPC server."""

    config = CONFIG
    settings = SETTINGS
    ring_capacity = SETTINGS.ring_capacity

    def __init__(self, mesh: Servers, market: Market) -> None:
        self._mesh = mesh
        self._market = market
        self.board = Board(self.ring_capacity, 10)
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
        self.numbers: list[int] = []

    async def start(self, log: type[QuoteLog] = QuoteLog) -> Instance:
        """Connects and begins."""
        self.events = await Events.open(self._mesh.runtime("marketdata"))
        note = structlog.get_logger()
        self.log = log(self.events)
        self.health = HealthBoard({FEED: feed_pb2.FEED_KIND_SIMULATED}, self.board, lambda: self.follower.feeds, 1.0)
        self.follower = Follower(
            self.log, self.board, [FEED], SETTINGS.log_entries_read, note, applied=self.health.applied
        )
        self.feed = Feed(
            source=Simulated(self._market, self.catalogue, lambda: self.config),
            catalogue=self.catalogue,
            log=self.log,
            follower=self.follower,
            board=self.board,
            publish=self._publish,
            settings=self.settings,
            note=note,
        )
        self.tasks = [
            asyncio.create_task(self.follower.run(self.closed)),
            asyncio.create_task(self.feed.run(self.stopping)),
        ]
        return self

    async def _publish(self, published: events_pb.QuotesPublished) -> None:
        self.numbers += range(published.first_sequence, published.first_sequence + len(published.quotes))

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


async def whole_log(events: Events) -> list[events_pb.QuotesPublished]:
    """Every entry of the log."""
    log, after, entries = QuoteLog(events), 0, []
    while batch := await log.read(after):
        entries += [events_pb.QuotesPublished.FromString(e.payload) for e in batch]
        after = batch[-1].number
    return entries


def check(entries: list[events_pb.QuotesPublished]) -> int:
    """Asserts that numbers and sequences have no gap, no repetition and no step back; returns how many quotes."""
    following, sequences, epoch = 1, {}, 0
    for entry in entries:
        assert entry.epoch >= epoch
        assert entry.first_sequence == following
        epoch, following = entry.epoch, following + len(entry.quotes)
        for quote in entry.quotes:
            assert quote.sequence == sequences.get(quote.instrument, 0) + 1
            sequences[quote.instrument] = quote.sequence
    return following - 1


async def test_every_instance_serves_what_one_writes(mesh: Servers, market: Market) -> None:
    """Three instances have the same quotes under the same numbers; exactly one of them writes."""
    async with running(mesh, market, 3) as instances:
        await eventually(lambda: all(i.board.head > 200 for i in instances))
        # Who was only slow learns with its next append that another one writes.
        await eventually(lambda: sum(i.feed.leading for i in instances) == 1)
        first, second, third = (i.board for i in instances)
        low, high = max(b.oldest for b in (first, second, third)), min(b.head for b in (first, second, third))
        for number in range(low, high + 1):
            cursor = first.cursor(number)
            assert second.find(cursor) == third.find(cursor) == number
        names = frozenset(PAIRS)
        mine = {e.position: e.encoded for e in first.between(low - 1, names)}
        yours = {e.position: e.encoded for e in second.between(low - 1, names)}
        assert all(mine[n] == yours[n] for n in range(low, high + 1))
        check(await whole_log(instances[0].events))


class Unheard(QuoteLog):
    """A log whose announcements all get lost."""

    async def announce(self, entry: LogEntry) -> None:
        """See QuoteLog."""


async def test_a_writer_serves_its_own_entries_without_hearing_of_them(mesh: Servers, market: Market) -> None:
    """What is appended is on the writer's board at once; no announcement and no reading is needed for it."""
    instance = await Instance(mesh, market).start(Unheard)
    await eventually(lambda: instance.board.head > 200)
    check(await whole_log(instance.events))
    await instance.die()


class Patient(Instance):
    """An instance that takes over from a silent writer after an hour."""

    settings = SETTINGS.model_copy(update={"takeover_ms": 3_600_000})


async def test_a_writer_that_stops_hands_over_at_once(mesh: Servers, market: Market) -> None:
    """Five surge restarts in a row: no quote is numbered twice, none is missing, and none waits for the silence."""
    instance = await Patient(mesh, market).start()
    for _ in range(5):
        head = instance.board.head
        await eventually(lambda i=instance, h=head: i.feed.leading and i.board.head > h + 20)
        successor = await Patient(mesh, market).start()
        await eventually(lambda s=successor: s.follower.complete)
        await instance.stop()
        await eventually(lambda s=successor: s.feed.leading)
        instance = successor
    entries = await whole_log(instance.events)
    await instance.stop()
    assert check(entries) > 100
    assert len({e.epoch for e in entries}) == 6
    assert sum(e.released for e in entries) == 5


async def test_a_writer_that_dies_is_replaced(mesh: Servers, market: Market) -> None:
    """Another instance writes after the silence, and continues every sequence."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 50 for i in instances))
        dead, heir = sorted(instances, key=lambda i: not i.feed.leading)
        await dead.die()
        instances.remove(dead)
        head = heir.board.head
        await eventually(lambda: heir.feed.leading and heir.board.head > head + 50)
        check(await whole_log(heir.events))


async def test_two_writers_cannot_write(mesh: Servers, market: Market) -> None:
    """An append that does not follow the newest entry is refused, and leaves nothing behind."""
    async with running(mesh, market, 1) as (instance,):
        await eventually(lambda: instance.board.head > 50)
        entry = events_pb.QuotesPublished(epoch=1, first_sequence=1)
        entry.quotes.add(instrument="EUR/USD", bid=1, ask=2, sequence=1)
        with pytest.raises(Fenced):
            await instance.log.append(FEED, entry.SerializeToString(), instance.follower.applied - 3)
        with pytest.raises(Fenced):
            await instance.log.append(FEED, entry.SerializeToString(), 0)
        check(await whole_log(instance.events))


async def test_a_writer_that_was_overtaken_follows(mesh: Servers, market: Market) -> None:
    """An instance that lost its term while it slept is fenced by its next append, and goes on as a reader."""
    async with running(mesh, market, 1) as (instance,):
        await eventually(lambda: instance.board.head > 20)
        # Somebody else writes a term in between, and stays the writer by breaking the silence.
        rival = await Events.open(mesh.runtime("marketdata", "marketdata-2"))
        log = QuoteLog(rival)
        while True:
            last = await log.last()
            newest = (await log.read(last - 1))[-1]
            published = events_pb.QuotesPublished.FromString(newest.payload)
            following = published.first_sequence + len(published.quotes)
            usurped = events_pb.QuotesPublished(epoch=published.epoch + 1, first_sequence=following)
            usurped.state.CopyFrom(published.state)
            with contextlib.suppress(Fenced):
                await log.append(FEED, usurped.SerializeToString(), newest.number)
                break
        await eventually(lambda: instance.feed.fenced == 1)
        head = instance.board.head
        await eventually(lambda: instance.feed.leading and instance.board.head > head + 20)
        check(await whole_log(rival))
        await rival.close()


async def test_an_instance_that_starts_late_takes_the_others_cursors(mesh: Servers, market: Market) -> None:
    """The ring of a new instance is filled from the log, so a stream can move to it without losing its place."""
    async with running(mesh, market, 1) as instances:
        old = instances[0]
        await eventually(lambda: old.board.head > 300)
        cursor = old.board.cursor(100)
        late = await Instance(mesh, market).start()
        instances.append(late)
        await eventually(lambda: late.board.head >= 300)
        assert late.board.find(cursor) == 100
        assert [e.encoded for e in late.board.between(100, frozenset(PAIRS))][:100] == [
            e.encoded for e in old.board.between(100, frozenset(PAIRS))
        ][:100]


async def test_nats_can_be_killed(mesh: Servers, market: Market) -> None:
    """After kill -9 of NATS and its return the feed goes on where it was, on every instance."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 50 for i in instances))
        mesh.kill("nats")
        await mesh.start_nats()
        head = max(i.board.head for i in instances)
        await eventually(lambda: all(i.board.head > head + 50 for i in instances))
        check(await whole_log(instances[0].events))


async def test_a_halt_reaches_every_board(mesh: Servers, market: Market) -> None:
    """The writer's CLOSED quote is what the other instance serves."""
    async with running(mesh, market, 2) as instances:
        await eventually(lambda: all(i.board.head > 20 for i in instances))
        halted = reference_pb.Instrument(name="EUR/USD", base="EUR", counter="USD", version=2, direct=True)
        halted.status = reference_pb.INSTRUMENT_STATUS_HALTED
        for instance in instances:
            instance.catalogue.take([halted])

        def closed(instance: Instance) -> bool:
            entry = instance.board.last("EUR/USD")
            return entry is not None and entry.quote.health == pb.QUOTE_HEALTH_CLOSED

        await eventually(lambda: all(closed(i) for i in instances))


@dataclasses.dataclass
class Served:
    """A stub to a server, and the event that makes it drain."""

    stub: marketdata_grpc.MarketDataServiceStub
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def served(mesh: Servers, instance: Instance, name: str) -> AsyncIterator[Served]:
    """An instance's gRPC server on its socket."""
    runtime = open_runtime(RuntimeSettings(service="marketdata", instance=name, settle_s=0.0), mesh.place)
    server = Server(runtime)
    rates = DailySources(ecb.load(), ecb.FILE, {}, mesh.place.state, runtime.log)
    server.add(
        register, MarketDataService(instance.board, instance.catalogue, rates, instance.health, instance.follower.look)
    )
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: mesh.place.registration(name).exists())
        async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
            yield Served(marketdata_grpc.MarketDataServiceStub(channel), runtime.stopping)
    finally:
        runtime.stopping.set()
        await within(serving, "the end of the server")


async def refusal(call) -> tuple[grpc.StatusCode, str]:
    """How a call fails: its code and the bytes of its details as text."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    return caught.value.code(), details.decode(errors="replace")


async def test_quotes_and_rates_over_grpc(mesh: Servers, market: Market) -> None:
    """Every answer and every refusal of the contract, from a socket."""
    async with running(mesh, market, 1) as (instance,), served(mesh, instance, "marketdata-1") as server:
        stub = server.stub
        await eventually(lambda: instance.board.head > 20)
        quote = (await stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"))).quote
        assert quote.bid < quote.ask
        assert quote.health == pb.QUOTE_HEALTH_LIVE
        code, details = await refusal(stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="XXX")))
        assert code is grpc.StatusCode.NOT_FOUND
        assert "NOT_FOUND" in details
        cross = reference_pb.Instrument(name="EUR/JPY", base="EUR", counter="JPY", version=1)
        instance.catalogue.take([cross])
        code, details = await refusal(stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="JPY")))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "NO_QUOTE" in details
        request = marketdata.ListDailyRatesRequest(base="USD", counter="JPY", page_size=2)
        request.start_date.year, request.start_date.month, request.start_date.day = 1999, 1, 1
        page = await stub.ListDailyRates(request)
        assert page.rates[0].rate == 133.73 / 1.1789
        assert page.source.startswith("European Central Bank")
        request.page_token = page.next_page_token
        assert (await stub.ListDailyRates(request)).rates[0].date.day == 6
        request.base = "GBP"
        code, details = await refusal(stub.ListDailyRates(request))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "page_token" in details


async def test_a_stream_over_grpc_is_numbered_resumable_and_ends(mesh: Servers, market: Market) -> None:
    """Messages count from 1, the last says COMPLETE, and its cursor continues on another instance without a gap."""
    wanted = marketdata.StreamQuotesRequest(instruments=["EUR/USD", "USD/JPY"], max_messages=10)
    last: dict[str, int] = {}
    async with (
        running(mesh, market, 2) as (first, second),
        served(mesh, first, "marketdata-1") as one,
        served(mesh, second, "marketdata-2") as other,
    ):
        await eventually(lambda: first.board.head > 50 and second.board.head > 50)
        for stub in (one.stub, other.stub, one.stub, other.stub):
            messages = [m async for m in stub.StreamQuotes(wanted)]
            assert [m.position.sequence for m in messages] == list(range(1, 12))
            assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
            for message in messages:
                for quote in message.quotes.quotes:
                    assert quote.sequence == last.get(quote.instrument, quote.sequence - 1) + 1
                    last[quote.instrument] = quote.sequence
            wanted.resume_cursor = messages[-1].position.cursor
        wanted.resume_cursor = Cursor(1, 1).encode()
        code, details = await refusal(anext(aiter(one.stub.StreamQuotes(wanted))))
        assert code is grpc.StatusCode.OUT_OF_RANGE
        assert "CURSOR_EXPIRED" in details
        wanted.resume_cursor = "nonsense"
        code, details = await refusal(anext(aiter(one.stub.StreamQuotes(wanted))))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "resume_cursor" in details


async def test_a_draining_server_ends_its_streams_with_a_cursor(mesh: Servers, market: Market) -> None:
    """The stream says DRAINING, and another instance continues after its last message."""
    async with running(mesh, market, 2) as (first, second), served(mesh, second, "marketdata-2") as other:
        await eventually(lambda: second.board.head > 20)
        wanted = marketdata.StreamQuotesRequest(instruments=list(PAIRS))
        got: list[marketdata.StreamQuotesResponse] = []

        async def read(stub: marketdata_grpc.MarketDataServiceStub) -> None:
            async for message in stub.StreamQuotes(wanted):
                got.append(message)

        async with served(mesh, first, "marketdata-1") as one:
            reading = asyncio.create_task(read(one.stub))
            await eventually(lambda: len(got) > 5)
            one.stopping.set()
            await reading
        assert got[-1].end.reason == stream_pb2.STREAM_END_REASON_DRAINING
        wanted.resume_cursor, wanted.max_messages = got[-1].position.cursor, 5
        await read(other.stub)
        last: dict[str, int] = {}
        for quote in (q for message in got for q in message.quotes.quotes):
            assert quote.sequence == last.get(quote.instrument, quote.sequence - 1) + 1
            last[quote.instrument] = quote.sequence
