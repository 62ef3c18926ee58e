"""`pricing` on a real PostgreSQL beside a real marketdata whose board the test writes, both behind real servers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
import structlog

from crossrate.api.marketdata.v1 import marketdata_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept_pb
from crossrate.api.pricing.v1.price_stream_service_pb2_grpc import PriceStreamServiceStub
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub, add_PricingServiceServicer_to_server
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub, add_QuotingServiceServicer_to_server
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import (
    SnapshotServiceStub,
    add_SnapshotServiceServicer_to_server,
)
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.basics.pair import Pair
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.errors import Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Topology
from crossrate.store.database import Database
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.health import HealthBoard
from services.marketdata.service import MarketDataService, register
from services.pricing import main
from services.pricing.domain.rules import QuotingRules
from services.pricing.kernel_queue import KernelQueue
from services.pricing.library import Library
from services.pricing.live_market import LiveMarkets
from services.pricing.live_quotes import LiveQuotes
from services.pricing.peers import MarketData
from services.pricing.price_stream import PriceStreams
from services.pricing.pricer import Pricer
from services.pricing.quote_store import PostgresQuotes
from services.pricing.quoting import Config, Quoting
from services.pricing.service import PriceStreamService, PricingService, QuotingService, SnapshotService, streams
from services.pricing.store import PostgresStore
from tests.ending import ended
from tests.integration.conftest import Servers, eventually
from tests.unit.marketdata.looks import nothing

TOPOLOGY = Topology(services={"control": Service(), "pricing": Service(database=True)})
WEDNESDAY = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
"""While every session is open; EUR/USD is spot on Friday 6 March."""


class Streams(MarketDataService):
    """Marketdata that counts the streams that are open."""

    open = 0
    opened = 0

    async def StreamQuotes(self, request, context):
        """As it is, counted."""
        self.open += 1
        self.opened += 1
        try:
            async for frame in super().StreamQuotes(request, context):
                yield frame
        finally:
            self.open -= 1


class Upstream:
    """An instance of marketdata: its board is written by the test, everything else is the service's own."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self.board = Board(4096, 3600)
        self.service = Streams(self.board, Catalogue(), None, HealthBoard({}, self.board, dict, 3600.0), nothing)
        self._sequences: dict[str, int] = {}
        self._entries = 0
        self._running: asyncio.Task[None] | None = None
        self.now = lambda: WEDNESDAY

    async def start(self) -> None:
        """Serves."""
        settings = RuntimeSettings(service="marketdata", instance="marketdata-1", settle_s=0, grace_s=1)
        self._runtime = open_runtime(settings, self._servers.place)
        server = Server(self._runtime)
        server.add(register, self.service)
        self._running = asyncio.create_task(server.serve())
        await eventually(lambda: self._servers.place.registration("marketdata-1").exists())

    async def stop(self) -> None:
        """Ends as a service does, its streams with their reason."""
        if self._running is not None:
            self._runtime.stopping.set()
            await asyncio.wait_for(self._running, 60)
            self._running = None

    def tick(self, instrument: str, bid: float, ask: float, health: int = quote_pb2.QUOTE_HEALTH_LIVE) -> None:
        """A new quote."""
        sequence = self._sequences[instrument] = self._sequences.get(instrument, 0) + 1
        quote = quote_pb2.Quote(
            instrument=instrument, bid=bid, ask=ask, sequence=sequence, health=health, source="test"
        )
        quote.receive_time.FromDatetime(self.now())
        self._entries += 1
        published = events_pb.QuotesPublished(epoch=1, first_sequence=self._entries, quotes=[quote])
        self.board.apply(published, quote.source, self._entries)


@dataclass
class Statuses:
    """Reference with what a test says; everything else is traded."""

    said: dict[str, int] = field(default_factory=dict)

    async def status(self, pair: Pair) -> int:
        """See the service's port."""
        return self.said.get(str(pair), instrument_pb2.INSTRUMENT_STATUS_TRADING)


@dataclass
class Desk:
    """The running services, clients of pricing's socket as the local operator, and what a test may turn."""

    servers: Servers
    upstream: Upstream
    prices: PricingServiceStub
    streams: PriceStreamServiceStub
    snapshots: SnapshotServiceStub
    quoting: QuotingServiceStub
    live: LiveQuotes
    queue: KernelQueue
    quotes: PostgresQuotes
    statuses: Statuses
    turn: SimpleNamespace
    runtime: Runtime

    async def put(self, name: str = "house", **rates: float) -> int:
        """The next version of a market of some currencies, with a surface of EUR/USD."""
        rates = {"USD": 0.04, "EUR": 0.02, "JPY": 0.005, "CNY": 0.016} | rates
        curves = [market_pb2.Curve(currency=code, time=[1.0], rate=[rate]) for code, rate in rates.items()]
        smile = market_pb2.Smile(time=0.5, strike=[1.0, 1.1, 1.2], volatility=[0.09, 0.08, 0.085])
        surface = market_pb2.Surface(instrument="EUR/USD", smiles=[smile])
        request = kept_pb.PutMarketRequest(
            request_id=str(uuid.uuid4()), name=name, curves=curves, surfaces=[surface], comment="a test"
        )
        return (await self.snapshots.PutMarket(request)).version


@contextlib.asynccontextmanager
async def desk(*, linger_s: float = 0.0, silence_s_max: float = 60.0) -> AsyncIterator[Desk]:
    """The services, wired as main wires them but for the clock, the rules and reference, which the test turns."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    servers = Servers(folder, TOPOLOGY)
    upstream = Upstream(servers)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.push_async_callback(asyncio.to_thread, servers.remove)
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(TOPOLOGY)
        await upstream.start()
        stack.push_async_callback(upstream.stop)
        servers.place.outbound_socket("pricing").symlink_to(servers.place.service_socket("marketdata-1"))
        runtime = open_runtime(RuntimeSettings(service="pricing", instance="pricing-1", settle_s=0), servers.place)
        database = await Database.open(servers.runtime("pricing"), main.MIGRATIONS)
        stack.push_async_callback(database.close)
        channel = channel_to_mesh(runtime)
        stack.push_async_callback(channel.close)
        queue = KernelQueue(1000, 1000)
        stack.callback(queue.close)
        turn = SimpleNamespace(rules=QuotingRules(), known=True, now=None)
        upstream.now = lambda: now(turn)
        store, quotes = PostgresStore(database), PostgresQuotes(database)
        statuses, note = Statuses(), structlog.get_logger()
        library = Library(store, snapshots_held_max=100, markets_held_max=10)
        pricer, peer = Pricer(queue, lambda: now(turn)), MarketData(channel)
        live = LiveQuotes(
            MarketDataServiceStub(channel), note, conflation_s=0.0, silence_s_max=silence_s_max, linger_s=linger_s
        )
        markets = LiveMarkets(library, store, live, pricer, lambda: now(turn), note, poll_s=0.05)
        quoting = Quoting(
            library,
            store,
            peer,
            statuses,
            pricer,
            lambda: Config(turn.rules, 7, turn.known),
            lambda: now(turn),
            new_request_id,
        )
        server = Server(runtime)
        snapshots = SnapshotService(store, library, peer, lambda: now(turn), new_request_id)
        server.add(add_SnapshotServiceServicer_to_server, snapshots)
        server.add(add_PricingServiceServicer_to_server, PricingService(library, queue, pricer))
        server.add(streams.register, PriceStreamService(PriceStreams(markets)))
        server.add(add_QuotingServiceServicer_to_server, QuotingService(quoting, quotes, new_request_id))
        tasks = [asyncio.create_task(work) for work in (server.serve(), live.run(), markets.run())]
        try:
            async with grpc.aio.insecure_channel(f"unix:{server.socket}") as client:
                await asyncio.wait_for(client.channel_ready(), 60)
                await eventually(lambda: servers.place.registration("pricing-1").exists())
                kinds = (PricingServiceStub, PriceStreamServiceStub, SnapshotServiceStub, QuotingServiceStub)
                stubs = (stub(client) for stub in kinds)
                yield Desk(servers, upstream, *stubs, live, queue, quotes, statuses, turn, runtime)
        finally:
            runtime.stopping.set()
            await asyncio.wait_for(tasks[0], 60)
            await ended(tasks[1:], "what keeps the desk's markets")


def now(turn: SimpleNamespace) -> datetime:
    """The desk's clock: a Wednesday afternoon unless the test says otherwise."""
    return turn.now or WEDNESDAY


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found
