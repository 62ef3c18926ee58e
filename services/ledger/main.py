"""The assembly of `ledger`, top to bottom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crossrate.api.ledger.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import add_LedgerServiceServicer_to_server
from crossrate.api.ledger.v1.movement_service_pb2_grpc import add_MovementServiceServicer_to_server
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.events import Events
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay, StoreUnavailable
from services.ledger.consumer import STREAM as EXECUTIONS
from services.ledger.consumer import Executions
from services.ledger.market import Market
from services.ledger.peers import TradingReports
from services.ledger.rates import load_rates
from services.ledger.roller import Roller
from services.ledger.service.accounts import AccountService
from services.ledger.service.ledger import LedgerService
from services.ledger.service.movements import MovementService
from services.ledger.settings import Settings
from services.ledger.store.accounts import PostgresAccounts
from services.ledger.store.books import Books
from services.ledger.store.desks import Desks

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "ledger"
"""The stream of the topology that carries the facts."""
LAST_RELAY_S_MAX = 2.0
"""How long the relay may take at the end; what it does not publish then, the next instance does."""


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    try:
        events = await Events.open(runtime)
        try:
            await _serve(runtime, settings, database, events)
        finally:
            await events.close()
    finally:
        await database.close()


async def _serve(runtime: Runtime, settings: Settings, database: Database, events: Events) -> None:
    accounts = PostgresAccounts(database, runtime.instance)
    books = Books(database)
    market = Market()
    roller = Roller(books, market, load_rates(settings.financing_path), runtime.log)
    channel = channel_to_mesh(runtime)
    executions = Executions(books, events, TradingReports(TradingServiceStub(channel)), poll_s=settings.poll_s)
    relay = OutboxRelay(database, events, JETSTREAM)
    server = Server(runtime)
    server.add(
        add_AccountServiceServicer_to_server,
        AccountService(accounts, Desks(database, runtime.instance), settings, _now),
    )
    server.add(add_LedgerServiceServicer_to_server, LedgerService(books, market, settings))
    server.add(add_MovementServiceServicer_to_server, MovementService(books, roller, market, settings, _now))
    server.health.depends_on("postgres", database.check)

    served = asyncio.Event()
    async with Parts() as parts:
        # A task that fails takes the process down, and the supervisor starts it anew: no half of an instance serves.
        parts.create_task(_forget(accounts, settings, runtime.log))
        ending = [parts.create_task(work.run(served)) for work in (roller, relay)]
        ending.append(parts.create_task(market.run(events, served)))
        if EXECUTIONS in runtime.topology.streams:
            ending.append(parts.create_task(executions.run(served)))
        await server.serve()
        served.set()
        await asyncio.wait(ending, timeout=LAST_RELAY_S_MAX)
    await channel.close()


async def _forget(accounts: PostgresAccounts, settings: Settings, log: Any) -> None:
    while True:
        await asyncio.sleep(settings.forget_interval_s)
        try:
            count = await accounts.forget_answers(settings.answers_kept_s)
        except StoreUnavailable as error:
            log.warning("old answers were not forgotten", error=str(error))
        else:
            log.info("forgot old answers", count=count)


def _now() -> datetime:
    return datetime.now(UTC)
