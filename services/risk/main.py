"""The assembly of `risk`, top to bottom."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import add_KillSwitchServiceServicer_to_server
from crossrate.api.risk.v1.limit_service_pb2_grpc import add_LimitServiceServicer_to_server
from crossrate.api.risk.v1.margin_call_service_pb2_grpc import add_MarginCallServiceServicer_to_server
from crossrate.api.risk.v1.risk_service_pb2_grpc import add_RiskServiceServicer_to_server
from crossrate.basics.instrument import CONVENTIONS
from crossrate.kernel import path
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import ContractChannel, channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database
from services.risk import upkeep
from services.risk.decider import Decider
from services.risk.domain.pretrade.market import Market
from services.risk.duty import Duty
from services.risk.ledger_peer import Accounts
from services.risk.peers import MarketData
from services.risk.service import RiskService
from services.risk.service.deciding import Deciding
from services.risk.service.kill_switch import KillSwitchService
from services.risk.service.limits import LimitService
from services.risk.service.margin_calls import MarginCallService
from services.risk.service.pretrade import PreTradeService, register
from services.risk.settings import Settings
from services.risk.store import KillStore, LimitStore, MarginStore
from services.risk.surroundings import Instruments, Quotes
from services.risk.trading_peer import TradingPeer
from services.risk.worker import Worker

MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    runtime.log.info("kernel", build=path.current(), why_not_compiled=path.why_not_compiled())
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    channel = channel_to_mesh(runtime)
    cells = settings.slice_cells_numpy if path.is_numpy() else settings.slice_cells
    worker = Worker(settings.threads, cells, settings.heartbeat_interval_s)
    try:
        server = Server(runtime)
        rates = MarketData(channel, settings.rates_kept_s, time.monotonic)
        server.add(add_RiskServiceServicer_to_server, RiskService(rates, worker))
        works = before_trades(runtime, settings, database, channel, server)
        # Neither marketdata nor the database is named as a dependency of health: while they are away, books with spot
        # rates and scenarios of their own are calculated, and what needs them says so.
        async with Parts() as parts:
            for work in works:
                parts.create_task(work)
            await server.serve()
    finally:
        worker.close()
        await channel.close()
        await database.close()


def before_trades(
    runtime: Runtime, settings: Settings, database: Database, channel: ContractChannel, server: Server
) -> list[Coroutine[Any, Any, None]]:
    """Adds what decides before a trade to the server; returns what has to run beside it."""
    note = runtime.log
    market = Market(
        CONVENTIONS.values(),
        age_max_ns=round(settings.quote_age_s_max * 1e9),
        rate_age_max_ns=round(settings.rate_age_s_max * 1e9),
        always_open=settings.always_open,
    )
    limits, kills = LimitStore(database), KillStore(database)
    decider = Decider(
        limits,
        kills,
        MarginStore(database),
        TradingPeer(channel),
        market,
        settings,
        note,
        lambda: accounts.install(),
        time.time_ns,
    )
    duty = Duty(
        database,
        runtime.instance,
        note,
        lease_s=settings.lease_s,
        begin=decider.begin,
        read=decider.read,
        end=decider.end,
    )
    accounts = Accounts(
        channel,
        decider.book,
        note,
        interval_s=settings.statuses_interval_s,
        funds_interval_s=settings.funds_interval_s,
        stale_s_max=settings.neighbours_stale_s_max,
        assumed_funds=settings.assumed_funds,
    )
    instruments = Instruments(
        channel, market, note, interval_s=settings.statuses_interval_s, stale_s_max=settings.neighbours_stale_s_max
    )
    quotes = Quotes(
        channel,
        market,
        note,
        conflation_s=settings.quote_interval_s,
        silence_s_max=settings.quotes_silence_s_max,
    )
    deciding = Deciding(duty, runtime.instance, runtime.place.service_socket, runtime.settings.transport)
    server.add(register, PreTradeService(deciding, decider.engine, accounts))
    server.add(add_LimitServiceServicer_to_server, LimitService(deciding, decider, time.time_ns, new_request_id))
    switch = KillSwitchService(deciding, decider, time.time_ns, new_request_id)
    server.add(add_KillSwitchServiceServicer_to_server, switch)
    margins = MarginCallService(deciding, decider, time.time_ns)
    server.add(add_MarginCallServiceServicer_to_server, margins)
    return [
        duty.run(),
        upkeep.publish(database, runtime),
        accounts.run(),
        instruments.run(),
        quotes.run(),
        upkeep.forget(limits, settings, note),
        upkeep.fail(decider, runtime),
    ]
