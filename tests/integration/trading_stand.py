"""`trading` on a real PostgreSQL behind a real server; risk, broker and ledger are stand-ins by their contracts."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.broker.v1.routing_service_pb2_grpc import (
    add_RoutingServiceServicer_to_server,
)
from crossrate.api.ledger.v1.account_service_pb2_grpc import (
    add_AccountServiceServicer_to_server,
)
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import (
    add_QuotingServiceServicer_to_server,
)
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import (
    add_PreTradeServiceServicer_to_server,
)
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import TradingStateServiceStub
from crossrate.rpc.errors import Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Stream, Topology
from crossrate.store.database import Database
from services.marketdata.service import register
from services.trading import main
from services.trading.store.proof import differences
from tests.ending import within
from tests.integration.conftest import Servers, eventually
from tests.integration.desk import Upstream
from tests.integration.trading_peers import Broker, Ledger, Quotes, Risk, accepting, filling, report_of, silent

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
        await eventually(lambda: self.runtime.place.registration(self.name).exists() or self.running.done())
        if self.running.done():
            await self.running
        return self

    async def stop(self) -> None:
        """Ends as a service does."""
        self.runtime.stopping.set()
        if self.running is not None:
            await within(self.running, "the end of an instance")


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
            await eventually(lambda account=account, last=last: self.risk.sequences.get(account, 0) >= last)

    async def close(self) -> None:
        """Ends everything, also what comes after one that does not end."""
        async with contextlib.AsyncExitStack() as last_first:
            if hasattr(self, "database"):
                last_first.push_async_callback(self.database.close)
            for name in sorted(self.instances):
                last_first.push_async_callback(self.instances[name].stop)
            for channel in self._channels:
                last_first.push_async_callback(channel.close)


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
        try:
            await made.close()
        finally:
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


async def status(stub: TradingServiceStub, order: order_pb2.NewOrder, wanted: int, timeout_s: float = 60.0) -> Any:
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


__all__ = ["Broker", "Ledger", "Quotes", "Risk", "accepting", "filling", "report_of", "silent"]
