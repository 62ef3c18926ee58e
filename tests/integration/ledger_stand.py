"""The ledger on a real PostgreSQL and NATS, beside a trading and a marketdata of which only what it hears is real:
facts through JetStream, quotes on their subjects, and ListExecutions behind the ledger's way out."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from crossrate.api.ledger.v1 import account_pb2, account_service_pb2, ledger_service_pb2, movement_service_pb2
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceStub
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.trading.v1 import execution_pb2, order_history_pb2, order_pb2, trading_events_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import (
    TradingServiceServicer,
    add_TradingServiceServicer_to_server,
)
from crossrate.events import Events, Message, message_id
from crossrate.rpc.errors import Failure, failure_of
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import load
from services.ledger import main
from services.ledger.messages import date_message
from tests.ending import within
from tests.integration.conftest import Servers, eventually

TOPOLOGY = """
[clients.local]
roles = ["viewer", "trader", "operator"]
accounts = ["*"]
step_up = true

[clients.second]
roles = ["viewer", "risk_officer"]
accounts = ["*"]
step_up = true

[services.control]
publishes = ["crossrate.control.v1.>"]

[services.trading]
publishes = ["crossrate.trading.v1.>"]

[services.marketdata]
publishes = ["crossrate.marketdata.v1.>"]

[services.ledger]
calls = ["trading"]
publishes = ["crossrate.ledger.v1.>"]
consumes = ["trading", "quotes_latest"]
database = true

[streams.ledger]
owner = "ledger"
subjects = ["crossrate.ledger.v1.>"]
max_mib = 64

[streams.trading]
owner = "trading"
subjects = ["crossrate.trading.v1.>"]
max_mib = 64

[streams.quotes_latest]
owner = "marketdata"
subjects = ["crossrate.marketdata.v1.quote.*"]
max_mib = 8
latest_only = true
"""
SPOT = dt.date(2026, 12, 1)
TRADE_DATE = dt.date(2026, 11, 27)


class Trading(TradingServiceServicer):
    """Has every report that was made."""

    def __init__(self) -> None:
        self.reports: dict[str, list[execution_pb2.ExecutionReport]] = {}
        self.asked = 0

    async def ListExecutions(self, request, context):
        """As the contract says."""
        self.asked += 1
        reports = self.reports.get(request.account, [])
        found = reports[request.after_sequence : request.after_sequence + (request.page_size or 100)]
        return order_history_pb2.ListExecutionsResponse(reports=found, last_sequence=len(reports))


@dataclass
class Stubs:
    """What an instance answers by."""

    accounts: AccountServiceStub
    ledger: LedgerServiceStub
    movements: MovementServiceStub


@dataclass
class Stand:
    """Everything around the ledger."""

    servers: Servers
    topology: Path
    events: Events
    quotes: Events
    trading: Trading = field(default_factory=Trading)

    def report(self, account: str, exec_type: int = execution_pb2.EXEC_TYPE_NEW) -> execution_pb2.ExecutionReport:
        """The next report of an account; trading has it from now on."""
        mine = self.trading.reports.setdefault(account, [])
        report = execution_pb2.ExecutionReport(sequence=len(mine) + 1, exec_type=exec_type)
        report.exec_id = f"{account}:{report.sequence}"
        report.time.GetCurrentTime()
        report.order.terms.account = account
        mine.append(report)
        return report

    def trade(
        self,
        account: str,
        quantity: int,
        price: str,
        *,
        instrument: str = "EUR/USD",
        settles: dt.date = SPOT,
        exec_type: int = execution_pb2.EXEC_TYPE_TRADE,
        refers_to: str = "",
        position_id: str = "",
        commission: str = "",
        far: tuple[str, dt.date] | None = None,
        exec_id: str = "",
    ) -> execution_pb2.ExecutionReport:
        """The next report of an account, with a fill: positive quantities buy."""
        report = self.report(account, exec_type)
        terms, fill = report.order.terms, report.fill
        terms.instrument = instrument
        terms.side = order_pb2.SIDE_BUY if quantity > 0 else order_pb2.SIDE_SELL
        fill.venue_exec_id, fill.venue = exec_id or f"sim-{account}-{report.sequence}", "sim"
        fill.quantity, fill.price, fill.position_id = str(abs(quantity)), price, position_id
        fill.settl_date.CopyFrom(date_message(settles))
        fill.trade_date.CopyFrom(date_message(TRADE_DATE))
        if commission:
            fill.commission, fill.commission_currency = commission, "USD"
        if far is not None:
            terms.far_leg.settlement.date.CopyFrom(date_message(far[1]))
            fill.far_quantity, fill.far_price = str(abs(quantity)), far[0]
            fill.far_settl_date.CopyFrom(date_message(far[1]))
        report.exec_ref_id = refers_to
        return report

    async def publish(self, *reports: execution_pb2.ExecutionReport) -> None:
        """What trading's relay does with reports."""
        for report in reports:
            account = report.order.terms.account
            await self.events.publish(
                Message.of(
                    f"crossrate.trading.v1.execution_reported.{account}",
                    trading_events_pb2.ExecutionReported(report=report),
                    message_id("trading", f"accounts/{account}", report.sequence),
                    origin=(f"accounts/{account}", report.sequence),
                )
            )

    async def quote(self, instrument: str, bid: float, ask: float) -> None:
        """What marketdata tells of an instrument."""
        quote = quote_pb2.Quote(instrument=instrument, bid=bid, ask=ask, health=quote_pb2.QUOTE_HEALTH_LIVE)
        quote.receive_time.GetCurrentTime()
        subject = f"crossrate.marketdata.v1.quote.{instrument.replace('/', '-')}"
        await self.quotes.publish_core(subject, quote.SerializeToString())

    @asynccontextmanager
    async def assembled(self, instance: str = "ledger-1") -> AsyncIterator[Stubs]:
        """One instance as its main assembles it, up to its drain at the end."""
        place = self.servers.place
        runtime = open_runtime(
            RuntimeSettings(service="ledger", instance=instance, settle_s=0, topology=self.topology), place
        )
        running = asyncio.create_task(main.serve(runtime))
        try:
            await eventually(lambda: running.done() or place.registration(instance).exists())
            async with self.stubs(instance) as stubs:
                yield stubs
        finally:
            runtime.stopping.set()
            await within(running, "the end of the ledger")

    @asynccontextmanager
    async def stubs(self, instance: str) -> AsyncIterator[Stubs]:
        """Calls to an instance as the local operator makes them."""
        async with grpc.aio.insecure_channel(f"unix:{self.servers.place.service_socket(instance)}") as channel:
            yield Stubs(AccountServiceStub(channel), LedgerServiceStub(channel), MovementServiceStub(channel))

    def process(self, instance: str = "ledger-1", **environment: str) -> subprocess.Popen:
        """One instance as a process of its own."""
        place = self.servers.place
        surroundings = os.environ | {
            "CROSSRATE_SERVICE": "ledger",
            "CROSSRATE_INSTANCE": instance,
            "CROSSRATE_STATE": str(place.state),
            "CROSSRATE_RUN": str(place.run),
            "CROSSRATE_TOPOLOGY": str(self.topology),
            **environment,
        }
        with place.log(instance).open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "services.ledger"], stdout=log, stderr=log, env=surroundings)


@asynccontextmanager
async def stand_in(folder: Path) -> AsyncIterator[Stand]:
    """PostgreSQL, NATS and the neighbours."""
    path = folder / "topology.toml"
    path.write_text(TOPOLOGY)
    topology = load(path)
    servers = Servers(folder, topology)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(topology)
        await servers.start_nats()
        await servers.nats.provision(topology)
        events = await Events.open(servers.runtime("trading"))
        quotes = await Events.open(servers.runtime("marketdata"))
        stand = Stand(servers, path, events, quotes)
        server = grpc.aio.server()
        add_TradingServiceServicer_to_server(stand.trading, server)
        server.add_insecure_port(f"unix:{servers.place.outbound_socket('ledger')}")
        await server.start()
        try:
            yield stand
        finally:
            await server.stop(0)
            await events.close()
            await quotes.close()
    finally:
        await asyncio.to_thread(servers.remove)


async def opened(stubs: Stubs, name: str, **fields: object) -> account_pb2.Account:
    """An account that was opened."""
    terms = {
        "desk": "spot",
        "currency": "USD",
        "position_mode": account_pb2.POSITION_MODE_NETTING,
        "cost_method": account_pb2.COST_METHOD_FIFO,
        "status": account_pb2.ACCOUNT_STATUS_ACTIVE,
        "margin_rate": "0.05",
    }
    account = account_pb2.Account(account=name, **(terms | fields))
    request = account_service_pb2.OpenAccountRequest(request_id=str(uuid.uuid4()), account=account)
    return (await stubs.accounts.OpenAccount(request, timeout=10)).account


async def applied(stubs: Stubs, account: str, sequence: int) -> ledger_service_pb2.GetBalancesResponse:
    """The balances, once a report was applied or cannot be."""

    async def there() -> bool:
        request = ledger_service_pb2.GetBalancesRequest(account=account)
        balances = (await stubs.ledger.GetBalances(request, timeout=10)).balances
        return balances.execution_sequence >= sequence or bool(balances.fault)

    await eventually(there)
    request = ledger_service_pb2.GetBalancesRequest(account=account)
    return (await stubs.ledger.GetBalances(request, timeout=10)).balances


def deposit(account: str, currency: str, amount: str) -> movement_service_pb2.DepositRequest:
    """A request to deposit, settled already."""
    return movement_service_pb2.DepositRequest(
        request_id=str(uuid.uuid4()), account=account, currency=currency, amount=amount
    )


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None
    return found
