"""The assembly of `trading`, top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import PreTradeServiceStub
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import add_TradingStateServiceServicer_to_server
from crossrate.events import Events, EventsUnavailable
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database, Newest, OutboxRelay
from crossrate.store.errors import StoreError
from services.trading.domain.dates import Calendar
from services.trading.engine.engine import Engine
from services.trading.engine.gate import GateKeeper
from services.trading.engine.market import Market
from services.trading.engine.sessions import Sessions
from services.trading.engine.sweeper import Sweeper, holder_of
from services.trading.engine.taking import Taking
from services.trading.engine.timers import Timers
from services.trading.peers import LedgerAccounts, PricingQuotes
from services.trading.service import TradingService, TradingStateService, register
from services.trading.service.elsewhere import Elsewhere
from services.trading.service.entering import Entering
from services.trading.settings import Settings
from services.trading.store import Reading, Store

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "trading"
"""The stream of the topology that carries execution reports."""
LAST_RELAY_S_MAX = 2.0
LAST_WORDS_S_MAX = 1.0
"""How long an instance that ends tries to tell risk what it does not know. Others find out what remains."""


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings, note = Settings(), runtime.log
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    channel = channel_to_mesh(runtime)
    holder = holder_of(runtime.instance)
    store, reading = Store(database, holder), Reading(database)
    try:
        engine = Engine(
            store, reading, PreTradeServiceStub(channel), RoutingServiceStub(channel), holder, note, time.time_ns
        )
        newest = Newest()
        engine.writer.on_committed(lambda batch: newest.committed(batch.entries))
        gate = GateKeeper(database, engine.accounts, engine.writer, note)
        engine.accounts.on_claimed(gate.claimed)
        sweeper = Sweeper(database, engine, gate, holder, note, interval_s=settings.sweep_interval_s)
        ledger = LedgerAccounts(
            AccountServiceStub(channel), note, fresh_s=settings.account_fresh_s, kept_s=settings.account_kept_s
        )
        quotes = PricingQuotes(QuotingServiceStub(channel))
        market = Market(
            MarketDataServiceStub(channel),
            engine.accounts,
            engine.writer,
            note,
            silence_s_max=settings.quotes_silence_s_max,
            trail_s=settings.trail_interval_s,
            linger_s=settings.quotes_linger_s,
        )
        timers = Timers(engine.writer, time.time_ns, grace_s=settings.expire_grace_s)
        engine.applier.quote = market.last
        engine.follow(market, market.run)
        engine.follow(timers, timers.run)
        engine.follow(Taking(quotes, engine.writer, note))
        entering = Entering(ledger, quotes, Calendar(), new_request_id, time.time_ns)
        server = Server(runtime, streams_max=settings.streams_max)
        sessions = Sessions(database, engine.writer, note, interval_s=settings.session_interval_s)
        trading = TradingService(
            engine,
            entering,
            Elsewhere(RoutingServiceStub(channel), LedgerServiceStub(channel)),
            sessions,
            new_request_id,
            instance=runtime.instance,
            heartbeat_s=settings.heartbeat_s,
        )
        server.add(register, trading)
        server.add(add_TradingStateServiceServicer_to_server, TradingStateService(reading, gate, engine.accounts))
        server.health.depends_on("postgres", database.check)
        engine.parts += [sweeper.run, sessions.run]
        served = asyncio.Event()
        async with Parts() as parts:
            # A part that fails takes the process down, and the supervisor starts it anew: memory that may be wrong
            # serves nobody.
            parts.create_task(engine.run())
            relaying = parts.create_task(_relay(runtime, database, newest, served))
            await server.serve()
            served.set()
            await asyncio.wait([relaying], timeout=LAST_RELAY_S_MAX)
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S_MAX):
                if await engine.risk.tell_all():
                    await store.release()
    finally:
        await channel.close()
        await store.close()
        await reading.close()
        await database.close()


async def _relay(runtime: Runtime, database: Database, newest: Newest, served: asyncio.Event) -> None:
    """Publishes the journal. Orders do not wait for it: NATS may be away."""
    while not served.is_set():
        try:
            events = await Events.open(runtime)
            break
        except EventsUnavailable as error:
            runtime.log.warning("reports are not published yet; trying again", why=str(error))
            await asyncio.sleep(1.0)
    else:
        return
    try:
        await OutboxRelay(database, events, JETSTREAM, join=True, newest=newest).run(served)
    finally:
        await events.close()
