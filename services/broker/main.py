"""The assembly of `broker`, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossrate.api.broker.v1.reconciliation_service_pb2_grpc import add_ReconciliationServiceServicer_to_server
from crossrate.api.broker.v1.routing_service_pb2_grpc import add_RoutingServiceServicer_to_server
from crossrate.api.broker.v1.venue_service_pb2_grpc import add_VenueServiceServicer_to_server
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import KillSwitchServiceStub
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceStub
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.http_listener import HttpListener
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.engine.holders import Adapter, Holder
from services.broker.engine.hub import Hub
from services.broker.engine.router import Router
from services.broker.engine.session import Sessions
from services.broker.gateway import declared as fix_clients
from services.broker.gateway.gateway import FixGateway
from services.broker.indications import Indications
from services.broker.oanda import declared as oanda_clients
from services.broker.oanda.gateway import OandaGateway
from services.broker.peers import Quotes
from services.broker.reconciling.others import LedgerPeer, RiskPeer, TradingPeer
from services.broker.reconciling.reconciler import Reconciler
from services.broker.service.reconciliation import ReconciliationService
from services.broker.service.routing import RoutingService
from services.broker.service.venues import VenueService
from services.broker.settings import Settings
from services.broker.store import Reading, Store, Waiting
from services.broker.store.breaks import Breaks
from services.broker.store.copies import Copies
from services.broker.store.decisions import Decisions
from services.broker.store.switches import Switches
from services.broker.venues import declared
from services.broker.venues.declared import FixVenue, OandaVenue
from services.broker.venues.fix import FixAdapter
from services.broker.venues.oanda import OandaAdapter
from services.broker.venues.sim import SimAdapter
from services.broker.venues.sim_terms import RealClock

MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings, note = Settings(), runtime.log
    venues = _venues(settings, runtime)
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    channel = channel_to_mesh(runtime)
    quoted: set[Callable[[str], None]] = set()

    def told(instrument: str) -> None:
        for each in quoted:
            each(instrument)

    try:
        reading, sessions = Reading(database), Sessions(database)
        hub = Hub(database, reading, note)
        store = Store(database, hub.told, hub.name)
        await sessions.ensure(list(venues.venues))
        quotes = Quotes(MarketDataServiceStub(channel), settings.quotes_silence_s_max, told, note)
        prices = Indications(QuotingServiceStub(channel), quotes)
        calendar, clock = Calendar(), RealClock(time.time_ns)

        def adapter(desk: Desk) -> Adapter:
            spec = venues.venues[desk.venue]
            folder = settings.venues.parent

            async def elsewhere(waiting: Waiting) -> str | None:
                return await router.elsewhere(waiting.order, desk.venue)

            if isinstance(spec, FixVenue):
                return FixAdapter(desk, spec, folder, database, calendar, elsewhere, note)
            if isinstance(spec, OandaVenue):
                return OandaAdapter(desk, spec, folder, database, calendar, elsewhere, note)
            return SimAdapter(desk, spec, quotes, quoted, prices, database, calendar, clock, note)

        router = Router(venues, sessions, reading, settings.session_fresh_s_max)
        breaks, copies = Breaks(database), Copies(database)

        def reconciler(desk: Desk, adapter: Adapter) -> Reconciler:
            spec = venues.venues[desk.venue]
            return Reconciler(
                desk, adapter, spec, router.rules, breaks, copies, *_peers(channel), calendar, hub.breaks, note
            )

        holders = {
            name: Holder(name, adapter, database, store, reading, sessions, hub, runtime.instance, note, reconciler)
            for name in venues.venues
        }
        server = Server(runtime)
        server.add(
            add_RoutingServiceServicer_to_server,
            RoutingService(router, store, reading, hub, settings.heartbeat_s, lambda venue: holders[venue].desk),
        )
        server.add(add_VenueServiceServicer_to_server, VenueService(venues, router, sessions, Switches(database)))
        server.add(
            add_ReconciliationServiceServicer_to_server,
            ReconciliationService(breaks, Decisions(database), router, hub, time.time_ns),
        )
        server.health.depends_on("postgres", database.check)
        gateway, rest = _gateways(settings, runtime, database, channel, hub)
        listener = HttpListener(runtime, rest.app)
        server.health.depends_on("http", listener.check)
        async with listener, Parts() as parts:
            # A task that fails takes the process down, and it starts anew: no half of an instance serves.
            for each in (hub, quotes, gateway, rest, *holders.values()):
                parts.create_task(each.run())
            await server.serve()
    finally:
        await channel.close()
        await database.close()


def _venues(settings: Settings, runtime: Runtime) -> declared.Venues:
    """What is declared, as far as the topology lets it be."""
    venues = declared.load(settings.venues)
    return venues if "pricing" in runtime.topology.services["broker"].calls else declared.without_points(venues)


def _peers(channel: Any) -> tuple[TradingPeer, LedgerPeer, RiskPeer]:
    """Whom books are compared with, and who is told what that stops."""
    trading, ledger = TradingPeer(TradingStateServiceStub(channel)), LedgerPeer(LedgerServiceStub(channel))
    return trading, ledger, RiskPeer(KillSwitchServiceStub(channel))


def _gateways(
    settings: Settings, runtime: Runtime, database: Database, channel: Any, hub: Hub
) -> tuple[FixGateway, OandaGateway]:
    """Clients that trade over FIX, and programs that do over the v20 API."""
    state, note, clients = runtime.place.state, runtime.log, fix_clients.load(settings.fix_clients)
    folder, trading = settings.fix_clients.parent, TradingServiceStub(channel)
    ledger = LedgerServiceStub(channel)
    fix = FixGateway(clients, folder, state, database, trading, ledger, hub, runtime.instance, note)
    programs = oanda_clients.load(settings.oanda_clients)
    return fix, OandaGateway(programs, state, database, channel, runtime.stopping, note)
