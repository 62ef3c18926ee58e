"""`trading` on a real PostgreSQL behind a real server; risk, broker and ledger are stand-ins by their contracts."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.broker.v1.routing_service_pb2_grpc import (
    RoutingServiceServicer,
    add_RoutingServiceServicer_to_server,
)
from crossrate.api.common.v1 import check_pb2
from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts
from crossrate.api.ledger.v1.account_service_pb2_grpc import (
    AccountServiceServicer,
    add_AccountServiceServicer_to_server,
)
from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as quoting
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import (
    QuotingServiceServicer,
    add_QuotingServiceServicer_to_server,
)
from crossrate.api.risk.v1 import pretrade_service_pb2 as pretrade
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import (
    PreTradeServiceServicer,
    add_PreTradeServiceServicer_to_server,
)
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceStub
from crossrate.rpc import errors
from crossrate.rpc.errors import Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Stream, Topology
from crossrate.store.database import Database
from services.marketdata.service import register
from services.trading import main
from services.trading.store.proof import differences
from tests.integration.conftest import Servers, eventually
from tests.integration.desk import Upstream

TOPOLOGY = Topology(
    services={
        "control": Service(),
        "broker": Service(),
        "ledger": Service(),
        "risk": Service(),
        "trading": Service(calls=("broker", "ledger", "risk"), publishes=("crossrate.trading.v1.>",), database=True),
    },
    streams={"trading": Stream(owner="trading", subjects=("crossrate.trading.v1.>",), max_mib=64)},
)
BUY, SELL = order_pb2.SIDE_BUY, order_pb2.SIDE_SELL


class Risk(PreTradeServiceServicer):
    """Admits what it is told to, and keeps what trading reports: whatever has a gap it asks for whole."""

    def __init__(self) -> None:
        self.sequences: dict[str, int] = {}
        self.states: dict[str, Any] = {}
        self.refuse: Callable[[order_pb2.Order], str] = lambda order: ""
        self.gate_version = 0
        self.calls = 0
        self.sizes: list[int] = []
        self.away = False

    def _hear(self, told: Any) -> list[str]:
        missing = []
        for each in told:
            if each.HasField("state"):
                self.sequences[each.account], self.states[each.account] = each.state.sequence, each.state
            for report in each.reports:
                if each.account not in self.sequences or report.sequence > self.sequences[each.account] + 1:
                    missing.append(each.account)
                    break
                self.sequences[each.account] = max(report.sequence, self.sequences[each.account])
        return missing

    async def Authorise(self, request, context):
        self.calls += 1
        if self.away:
            raise errors.dependency_unavailable("risk")
        answer = pretrade.AuthoriseResponse(gate_version=self.gate_version)
        missing = self._hear(request.accounts)
        missing += [o.order.terms.account for o in request.orders if o.order.terms.account not in self.sequences]
        if missing:
            answer.missing_accounts.extend(sorted(set(missing)))
            return answer
        self.sizes.append(len(request.orders))
        for each in request.orders:
            words = self.refuse(each.order)
            said = answer.authorisations.add(authorised=not words, margin_currency="USD", equity="1000000")
            said.margin_before, said.margin_after = "0", "5000.5"
            check = said.checks.add(kind=check_pb2.CHECK_KIND_ORDER_QUANTITY, scope="platform", passed=not words)
            check.limit, check.value, check.headroom, check.unit = "5000000", each.order.terms.quantity, "1000", "EUR"
            check.text = words or "within the limit"
            said.quote_seen.bid, said.quote_seen.ask = "1.0799", "1.0801"
        return answer

    async def Report(self, request, context):
        return pretrade.ReportResponse(missing_accounts=sorted(set(self._hear(request.accounts))))


class Broker(RoutingServiceServicer):
    """Takes each instruction once; what the venue says is what the test lets it say. By itself it accepts."""

    def __init__(self) -> None:
        self.taken: dict[str, routing.Instruction] = {}
        self.reports: list[venue.VenueReport] = []
        self.changed = asyncio.Condition()
        self.answer: Callable[[Broker, routing.Instruction], list[venue.VenueReport]] = accepting
        self.away = False

    async def Instruct(self, request, context):
        if self.away:
            raise errors.dependency_unavailable("broker")
        for each in request.instructions:
            if each.instruction_id not in self.taken:
                self.taken[each.instruction_id] = each
                for report in self.answer(self, each):
                    self._number(report)
        await self._tell()
        return routing.InstructResponse(last_sequence=len(self.reports))

    def _number(self, report: venue.VenueReport) -> None:
        report.sequence = len(self.reports) + 1
        report.time.GetCurrentTime()
        self.reports.append(report)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def say(self, order: order_pb2.Order, kind: int, **fields: Any) -> venue.VenueReport:
        """A report of the venue."""
        report = report_of(order, kind, **fields)
        self._number(report)
        await self._tell()
        return report

    async def fill(self, order: order_pb2.Order, quantity: str, price: str, exec_id: str = "") -> venue.VenueReport:
        """A fill."""
        fill = execution_pb2.Fill(venue_exec_id=exec_id or uuid.uuid4().hex, quantity=quantity, price=price)
        return await self.say(order, venue.VENUE_REPORT_KIND_FILLED, fill=fill)

    def instructions(self, kind: int) -> list[routing.Instruction]:
        """What was instructed, of a kind."""
        return [each for each in self.taken.values() if each.kind == kind]

    async def StreamReports(self, request, context):
        at, number = request.after_sequence, 0
        while True:
            async with self.changed:
                while len(self.reports) <= at:
                    await self.changed.wait()
            page = self.reports[at : at + 500]
            at += len(page)
            number += 1
            message = routing.StreamReportsResponse(reports=routing.VenueReports(reports=page))
            message.position.sequence = number
            yield message

    async def ListReports(self, request, context):
        found = [r for r in self.reports if r.account == request.account and r.sequence > request.after_sequence]
        page = found[: request.page_size or 100]
        return routing.ListReportsResponse(reports=page, last_sequence=len(self.reports))


def report_of(order: order_pb2.Order, kind: int, **fields: Any) -> venue.VenueReport:
    """A report about an order."""
    return venue.VenueReport(
        account=order.terms.account, order_id=order.order_id, kind=kind, version=order.version, venue="sim", **fields
    )


def accepting(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """New orders are accepted, cancels and amendments done."""
    kinds = {
        routing.INSTRUCTION_KIND_NEW: venue.VENUE_REPORT_KIND_ACCEPTED,
        routing.INSTRUCTION_KIND_CANCEL: venue.VENUE_REPORT_KIND_CANCELLED,
        routing.INSTRUCTION_KIND_REPLACE: venue.VENUE_REPORT_KIND_REPLACED,
    }
    return [report_of(instruction.order, kinds[instruction.kind])]


def silent(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """The venue says nothing by itself."""
    return []


def filling(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """New orders are accepted and filled at once."""
    if instruction.kind != routing.INSTRUCTION_KIND_NEW:
        return accepting(broker, instruction)
    order = instruction.order
    fill = execution_pb2.Fill(
        venue_exec_id=f"x-{order.order_id}", quantity=order.terms.quantity, price=order.terms.limit_price or "1.0801"
    )
    accepted = report_of(order, venue.VENUE_REPORT_KIND_ACCEPTED)
    return [accepted, report_of(order, venue.VENUE_REPORT_KIND_FILLED, fill=fill)]


class Ledger(AccountServiceServicer):
    """Every account is there and nets in dollars, unless a test says otherwise."""

    def __init__(self) -> None:
        self.said: dict[str, dict[str, Any]] = {}

    async def GetAccount(self, request, context):
        if request.account.startswith("none"):
            raise errors.not_found("account", request.account)
        values = {
            "account": request.account,
            "desk": "spot",
            "currency": "USD",
            "position_mode": account_pb2.POSITION_MODE_NETTING,
            "cost_method": account_pb2.COST_METHOD_FIFO,
            "status": account_pb2.ACCOUNT_STATUS_ACTIVE,
            "margin_rate": "0.05",
        }
        return accounts.GetAccountResponse(account=account_pb2.Account(**(values | self.said.get(request.account, {}))))


class Quotes(QuotingServiceServicer):
    """Executable quotes that a test makes; each is taken once."""

    def __init__(self) -> None:
        self.made: dict[str, quote_pb2.ExecutableQuote] = {}
        self.taken: dict[str, str] = {}

    def make(self, amount: str = "100000", bid: str = "1.0799", offer: str = "1.0801") -> str:
        """A two-way quote of EUR/USD."""
        quote = quote_pb2.ExecutableQuote(quote_id=str(uuid.uuid4()), amount=amount)
        quote.product.instrument, quote.state = "EUR/USD", quote_pb2.QUOTE_STATE_ACTIVE
        quote.product.spot.notional = 1
        quote.bid.px, quote.offer.px = bid, offer
        leg = quote.legs.add(amount=amount, bid_px=bid, offer_px=offer)
        leg.value_date.year, leg.value_date.month, leg.value_date.day = 2026, 3, 6
        self.made[quote.quote_id] = quote
        return quote.quote_id

    async def GetQuoteTerms(self, request, context):
        if request.quote_id not in self.made:
            raise errors.not_found("quote", request.quote_id)
        return quoting.GetQuoteTermsResponse(quote=self.made[request.quote_id])

    async def TakeQuote(self, request, context):
        by = self.taken.setdefault(request.quote_id, request.request_id)
        if by != request.request_id:
            raise errors.wrong_state("EXECUTED", "the quote was executed before: it is executed once")
        return quoting.TakeQuoteResponse(quote=self.made[request.quote_id])


class Instance:
    """One running server of a service in this process."""

    def __init__(self, servers: Servers, name: str) -> None:
        service = name.partition("-")[0]
        settings = RuntimeSettings(service=service, instance=name, settle_s=0, grace_s=1)
        self.runtime = open_runtime(settings, servers.place)
        self.runtime.topology = servers.topology
        self.running: asyncio.Task[None] | None = None
        self.name = name

    async def start(self, work: Awaitable[None]) -> Instance:
        """Serves."""
        self.running = asyncio.ensure_future(work)
        await eventually(lambda: self.runtime.place.registration(self.name).exists() or self.running.done(), 40)
        if self.running.done():
            await self.running
        return self

    async def stop(self) -> None:
        """Ends as a service does."""
        self.runtime.stopping.set()
        if self.running is not None:
            await asyncio.wait_for(self.running, 20)


class Floor:
    """The running services and what a test may turn."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.risk, self.broker, self.ledger = Risk(), Broker(), Ledger()
        self.market = Upstream(servers)
        self.quotes = Quotes()
        self.instances: dict[str, Instance] = {}
        self.database: Database
        self._channels: list[grpc.aio.Channel] = []

    async def start_peers(self) -> None:
        """The stand-ins behind the way out of trading."""
        stand = Instance(self.servers, "broker-1")
        server = Server(stand.runtime)
        server.add(add_PreTradeServiceServicer_to_server, self.risk)
        server.add(add_RoutingServiceServicer_to_server, self.broker)
        server.add(add_AccountServiceServicer_to_server, self.ledger)
        server.add(add_QuotingServiceServicer_to_server, self.quotes)
        server.add(register, self.market.service)
        self.instances["broker-1"] = await stand.start(server.serve())
        self.servers.place.outbound_socket("trading").symlink_to(self.servers.place.service_socket("broker-1"))
        self.database = await Database.open(self.servers.runtime("trading", "trading-test"), main.MIGRATIONS)

    async def start(self, name: str = "trading-1") -> None:
        """An instance of trading."""
        instance = Instance(self.servers, name)
        self.instances[name] = await instance.start(main.serve(instance.runtime))

    async def stop(self, name: str = "trading-1") -> None:
        """Ends an instance in order."""
        await self.instances.pop(name).stop()

    def channel(self, name: str = "trading-1") -> grpc.aio.Channel:
        """A channel to an instance's own socket."""
        channel = grpc.aio.insecure_channel(f"unix:{self.servers.place.service_socket(name)}")
        self._channels.append(channel)
        return channel

    def trading(self, name: str = "trading-1") -> TradingServiceStub:
        """The calls of clients."""
        return TradingServiceStub(self.channel(name))

    def state(self, name: str = "trading-1") -> TradingStateServiceStub:
        """The calls of risk."""
        return TradingStateServiceStub(self.channel(name))

    async def is_proved(self, *accounts: str) -> None:
        """The tables are what the journal makes of them, and risk knows all of it."""
        for account in accounts:
            assert await differences(self.database, account) == []
            async with self.database.connection() as connection:
                last = await connection.fetchval(
                    "SELECT last_seq FROM journal_head WHERE stream = $1", f"accounts/{account}"
                )
            await eventually(lambda account=account, last=last: self.risk.sequences.get(account) == last)

    async def close(self) -> None:
        """Ends everything."""
        for channel in self._channels:
            await channel.close()
        for name in sorted(self.instances, reverse=True):
            await self.instances[name].stop()
        if hasattr(self, "database"):
            await self.database.close()


@contextlib.asynccontextmanager
async def floor(*instances: str) -> AsyncIterator[Floor]:
    """PostgreSQL, the stand-ins and some instances of trading, "none" for none; no NATS, which orders do not need."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    servers = Servers(folder, TOPOLOGY)
    made = Floor(servers)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(servers.topology)
        await made.start_peers()
        for name in instances or ("trading-1",):
            if name != "none":
                await made.start(name)
        yield made
    finally:
        await made.close()
        await asyncio.to_thread(servers.remove)
        shutil.rmtree(folder, ignore_errors=True)


def new(account: str = "alpha", **fields: Any) -> order_pb2.NewOrder:
    """A limit order to buy a hundred thousand euros."""
    values = {
        "client_order_id": uuid.uuid4().hex,
        "account": account,
        "instrument": "EUR/USD",
        "side": BUY,
        "quantity": "100000",
        "order_type": order_pb2.ORDER_TYPE_LIMIT,
        "limit_price": "1.08",
        "time_in_force": order_pb2.TIME_IN_FORCE_GTC,
    }
    if fields.get("order_type", order_pb2.ORDER_TYPE_LIMIT) not in (
        order_pb2.ORDER_TYPE_LIMIT,
        order_pb2.ORDER_TYPE_STOP_LIMIT,
    ):
        del values["limit_price"]
    return order_pb2.NewOrder(**(values | fields))


def place(order: order_pb2.NewOrder, **fields: Any) -> pb.PlaceOrderRequest:
    """A request to place it."""
    return pb.PlaceOrderRequest(request_id=str(uuid.uuid4()), order=order, **fields)


def cancel(order: order_pb2.NewOrder, **fields: Any) -> pb.CancelOrderRequest:
    """A request to cancel it."""
    return pb.CancelOrderRequest(
        request_id=str(uuid.uuid4()), account=order.account, client_order_id=order.client_order_id, **fields
    )


async def got(stub: TradingServiceStub, order: order_pb2.NewOrder) -> order_pb2.Order:
    """The order as it stands."""
    request = history.GetOrderRequest(account=order.account, order=order.client_order_id)
    return (await stub.GetOrder(request)).order


async def status(stub: TradingServiceStub, order: order_pb2.NewOrder, wanted: int, timeout_s: float = 15.0) -> Any:
    """Waits until an order stands somewhere, and returns it."""
    end = time.monotonic() + timeout_s
    while True:
        found = await got(stub, order)
        if found.status == wanted:
            return found
        names = order_pb2.OrderStatus.Name(found.status), order_pb2.OrderStatus.Name(wanted)
        assert time.monotonic() < end, f"the order is {names[0]}, not {names[1]}"
        await asyncio.sleep(0.01)


async def failure(call: Awaitable[Any]) -> Failure:
    """Why a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found
