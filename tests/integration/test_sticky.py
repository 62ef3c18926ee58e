"""Calls of one account go to one instance, through real Envoys: gRPC, REST and sessions."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from crossrate.api.trading.v1 import order_entry_pb2, order_history_pb2, order_pb2, session_pb2
from crossrate.api.trading.v1 import trading_service_pb2_grpc as trading_grpc
from crossrate.client.find import client_certificate
from crossrate.rpc.client import channel_to_edge
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.envoys import SmallMesh, small_mesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ACCOUNTS = [f"account-{number}" for number in range(200)]
STRAYS_MAX = len(ACCOUNTS) // 20


class Trading(trading_grpc.TradingServiceServicer):
    """Says in every answer which instance it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def PlaceOrder(self, request, context):
        """The instance as the order's id."""
        return order_entry_pb2.PlaceOrderResponse(order=order_pb2.Order(order_id=self.name))

    async def GetOrder(self, request, context):
        """The same."""
        return order_history_pb2.GetOrderResponse(order=order_pb2.Order(order_id=self.name))

    async def TradeSession(self, requests, context):
        """The same, for each message."""
        async for _ in requests:
            yield session_pb2.TradeSessionResponse(opened=session_pb2.SessionOpened(instance=self.name))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[SmallMesh]:
    """Two small instances of trading."""
    path: Path = tmp_path_factory.mktemp("sticky") / "topology.toml"
    text = DEFAULT_PATH.read_text()
    path.write_text(text if "[services.trading]" in text else text + "\n[services.trading]\ncalls = []\n")
    async with small_mesh(path) as small:
        for name in ("trading-1", "trading-2"):
            await start(small, name)
        yield small


async def start(mesh: SmallMesh, name: str) -> None:
    """Starts an instance and waits until calls reach it."""
    await mesh.start_backend(name, trading_grpc.add_TradingServiceServicer_to_server, Trading(name))
    await until(lambda: serves(mesh, name))


async def serves(mesh: SmallMesh, name: str) -> bool:
    """Whether the proxy has an instance among its healthy endpoints."""
    clusters = await mesh.admin("node", "/clusters")
    line = f"local|trading::{mesh.place.service_socket(name)}::health_flags::healthy"
    return line in clusters


def edge(mesh: SmallMesh) -> grpc.aio.Channel:
    """The edge as a trader."""
    target, ca = f"localhost:{mesh.ports['edge']}", mesh.place.ca_bundle.read_bytes()
    return channel_to_edge(target, ca, client_pem=client_certificate("local", mesh.place))


def order(account: str) -> order_entry_pb2.PlaceOrderRequest:
    """An order of an account."""
    return order_entry_pb2.PlaceOrderRequest(
        request_id=str(uuid.uuid4()),
        order=order_pb2.NewOrder(client_order_id="a", account=account, instrument="EUR/USD", quantity="1000"),
    )


async def placed(mesh: SmallMesh) -> dict[str, str]:
    """The instance that took an order of each account."""
    async with edge(mesh) as channel:
        stub = trading_grpc.TradingServiceStub(channel)
        return {a: (await stub.PlaceOrder(order(a), timeout=10)).order.order_id for a in ACCOUNTS}


async def test_all_calls_of_an_account_reach_one_instance(mesh: SmallMesh) -> None:
    """Orders, reads and sessions of an account agree; the accounts are shared between the instances."""
    first = await placed(mesh)
    assert await placed(mesh) == first
    shares = Counter(first.values())
    assert set(shares) == {"trading-1", "trading-2"}
    assert min(shares.values()) > len(ACCOUNTS) // 5
    async with edge(mesh) as channel:
        stub = trading_grpc.TradingServiceStub(channel)
        for account in ACCOUNTS[:20]:
            read = await stub.GetOrder(order_history_pb2.GetOrderRequest(account=account, order="a"), timeout=10)
            assert read.order.order_id == first[account]

            async def logon(account: str = account) -> AsyncIterator[session_pb2.TradeSessionRequest]:
                yield session_pb2.TradeSessionRequest(
                    number=1, logon=session_pb2.SessionLogon(account=account, session="s")
                )

            async for answer in stub.TradeSession(logon(), timeout=10):
                assert answer.opened.instance == first[account]


async def test_json_sticks_as_well(mesh: SmallMesh) -> None:
    """An order that comes as JSON reaches the instance of its account."""
    first = await placed(mesh)
    proof = mesh.place.client_certificate("local")
    for account in ACCOUNTS[:10]:
        status, _, body = await mesh.rest("GET", f"/v1/accounts/{account}/orders/a", client=proof)
        assert status == 200, body
        assert json.loads(body)["order"]["orderId"] == first[account]


async def test_only_the_accounts_of_who_goes_or_comes_move(mesh: SmallMesh) -> None:
    """An instance that ends leaves its accounts to the others, one that comes takes some; hardly any other moves."""
    before = await placed(mesh)
    await start(mesh, "trading-3")
    grown = await placed(mesh)
    assert sum(grown[a] == "trading-3" for a in ACCOUNTS) > len(ACCOUNTS) // 6
    strays = [a for a in ACCOUNTS if grown[a] not in (before[a], "trading-3")]
    print(f"{len(strays)} of {len(ACCOUNTS)} accounts moved without need when a third instance came")
    assert len(strays) <= STRAYS_MAX
    await mesh.stop_backend("trading-2")
    await until(lambda: gone(mesh, "trading-2"))
    shrunk = await placed(mesh)
    strays = [a for a in ACCOUNTS if grown[a] not in (shrunk[a], "trading-2")]
    assert len(strays) <= STRAYS_MAX
    assert "trading-2" not in shrunk.values()


async def gone(mesh: SmallMesh, name: str) -> bool:
    """Whether the proxy has an instance no more."""
    return f"local|trading::{mesh.place.service_socket(name)}::" not in await mesh.admin("node", "/clusters")
