"""The assembly of `pricing`, top to bottom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client import Gauge

from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import add_PricingServiceServicer_to_server
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import add_QuotingServiceServicer_to_server
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import add_SnapshotServiceServicer_to_server
from crossrate.events import Events, EventsUnavailable
from crossrate.kernel import path
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import Runtime
from crossrate.store import Database, StoreUnavailable
from services.pricing.domain.rules import QuotingRules
from services.pricing.kernel_queue import KernelQueue
from services.pricing.library import Library
from services.pricing.live_market import LiveMarkets
from services.pricing.live_quotes import LiveQuotes
from services.pricing.peers import MarketData, Reference
from services.pricing.price_stream import PriceStreams
from services.pricing.pricer import Pricer
from services.pricing.quote_store import PostgresQuotes
from services.pricing.quoting import Config, Quoting
from services.pricing.service import PriceStreamService, PricingService, QuotingService, SnapshotService, streams
from services.pricing.settings import Settings
from services.pricing.store import PostgresStore

KEPT_ROWS = Gauge("crossrate_pricing_kept_rows", "Rows kept for ever, as the planner estimates them", ["table"])
KEPT_BYTES = Gauge("crossrate_pricing_kept_bytes", "Bytes on disk of what is kept for ever, with indexes", ["table"])
MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings, note = Settings(), runtime.log
    note.info("kernel", build=path.current(), why_not_compiled=path.why_not_compiled())
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    channel = channel_to_mesh(runtime)
    inline_max = settings.elements_inline_max_numpy if path.is_numpy() else settings.elements_inline_max
    queue = KernelQueue(inline_max, settings.elements_piece)
    try:
        store, kept = PostgresStore(database), PostgresQuotes(database)
        library = Library(
            store, snapshots_held_max=settings.snapshots_held_max, markets_held_max=settings.markets_held_max
        )
        pricer, peer = Pricer(queue, _now), MarketData(channel)
        quotes = LiveQuotes(
            MarketDataServiceStub(channel),
            note,
            conflation_s=settings.quotes_conflation_s,
            silence_s_max=settings.quotes_silence_s_max,
            linger_s=settings.quotes_linger_s,
        )
        markets = LiveMarkets(library, store, quotes, pricer, _now, note, poll_s=settings.market_poll_s)
        live = LiveConfig(QuotingRules)
        quoting = Quoting(
            library,
            store,
            peer,
            Reference(channel),
            pricer,
            lambda: Config(live.current, live.version, live.known),
            _now,
            new_request_id,
        )
        server = Server(runtime, streams_max=settings.streams_max)
        server.config = live
        server.add(add_SnapshotServiceServicer_to_server, SnapshotService(store, library, peer, _now, new_request_id))
        server.add(add_PricingServiceServicer_to_server, PricingService(library, queue, pricer))
        server.add(streams.register, PriceStreamService(PriceStreams(markets)))
        server.add(add_QuotingServiceServicer_to_server, QuotingService(quoting, kept, new_request_id))
        # Neither the database, NATS nor another service is named as a dependency of health: while they are away,
        # markets that requests give and snapshots in memory are priced, and what needs them says so.
        async with Parts() as parts:
            works = (
                quotes.run(),
                markets.run(),
                _configure(runtime, live),
                _forget(store, kept, settings, runtime),
                _measure(store, settings, runtime),
            )
            for work in works:
                parts.create_task(work)
            await server.serve()
    finally:
        queue.close()
        await channel.close()
        await database.close()


async def _configure(runtime: Runtime, live: LiveConfig[QuotingRules]) -> None:
    """Follows the live configuration. Until it has been read nothing is quoted; everything else does without it."""
    while True:
        try:
            events = await Events.open(runtime)
            break
        except EventsUnavailable as error:
            runtime.log.warning("the live configuration cannot be read; trying again", why=str(error))
    try:
        await live.watch(events)
        await asyncio.Event().wait()
    finally:
        await live.close()
        await events.close()


async def _forget(store: PostgresStore, kept: PostgresQuotes, settings: Settings, runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(settings.forget_interval_s)
        try:
            answers = await store.forget_answers(settings.answers_kept_s)
            quotes = await kept.forget(settings.quotes_kept_s)
        except StoreUnavailable as error:
            runtime.log.warning("old answers and quotes were not forgotten", error=str(error))
        else:
            runtime.log.info("forgot what is old", answers=answers, quotes=quotes)


async def _measure(store: PostgresStore, settings: Settings, runtime: Runtime) -> None:
    """Shows what is kept for ever, so that a disk is enlarged before it is full."""
    while True:
        try:
            for room in await store.rooms():
                KEPT_ROWS.labels(room.table).set(room.rows)
                KEPT_BYTES.labels(room.table).set(room.size_bytes)
        except StoreUnavailable as error:
            runtime.log.warning("what is kept was not measured", error=str(error))
        await asyncio.sleep(settings.measure_interval_s)


def _now() -> datetime:
    return datetime.now(UTC)
