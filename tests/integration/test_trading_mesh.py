"""Orders through the whole way: a client's certificate, the edge, the mesh, trading as a process, and its peers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from crossrate.api.broker.v1.routing_service_pb2_grpc import add_RoutingServiceServicer_to_server
from crossrate.api.ledger.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import add_PreTradeServiceServicer_to_server
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1 import session_pb2 as session
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.client import AsyncClient
from crossrate.client.find import client_certificate
from crossrate.node import credentials
from crossrate.node.postgres import PostgresServer
from crossrate.rpc.client import channel_to_edge
from crossrate.runtime.topology import DEFAULT_PATH
from tests.ending import within
from tests.integration import trading_stand as stand
from tests.integration.envoys import SmallMesh, until
from tests.integration.trading_stand import cancel, new, place, status

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).resolve().parents[2]


def topology(folder: Path) -> Path:
    """The platform's, with a broker."""
    path = folder / "topology.toml"
    text = DEFAULT_PATH.read_text()
    if "[services.broker]" not in text:
        text = text.replace(
            'calls = ["ledger", "marketdata", "pricing", "risk"]', 'calls = ["broker", "ledger", "risk"]'
        )
        text += "\n[services.broker]\ncalls = []\n"
    path.write_text(text)
    return path


class Stand:
    """The mesh, the stand-ins, and trading's process."""

    def __init__(self, mesh: SmallMesh, path: Path) -> None:
        self.mesh = mesh
        self.risk, self.broker, self.ledger = stand.Risk(), stand.Broker(), stand.Ledger()
        self._path = path
        self._postgres = PostgresServer(mesh.place)
        self._processes: list[subprocess.Popen] = []

    async def start(self, program: list[str] | None = None) -> None:
        """Starts all of it; `program` is what serves as trading."""
        mesh, place_ = self.mesh, self.mesh.place
        credentials.issue(place_, mesh.topology, "nats://127.0.0.1:1", self._postgres.socket_folder)
        # Before anything of gRPC is there: its threads and a fork do not go together.
        command = await asyncio.to_thread(self._postgres.prepare)
        self._run("postgres", command.argv, command.options())
        await self._postgres.ready()
        await self._postgres.provision(mesh.topology)
        await mesh.start()
        for name, register, servicer in (
            ("risk-1", add_PreTradeServiceServicer_to_server, self.risk),
            ("broker-1", add_RoutingServiceServicer_to_server, self.broker),
            ("ledger-1", add_AccountServiceServicer_to_server, self.ledger),
        ):
            await mesh.start_backend(name, register, servicer)
        environment = os.environ | {
            "CROSSRATE_SERVICE": "trading",
            "CROSSRATE_INSTANCE": "trading-1",
            "CROSSRATE_STATE": str(place_.state),
            "CROSSRATE_RUN": str(place_.run),
            "CROSSRATE_TOPOLOGY": str(self._path),
            "PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}",
        }
        program = program or [sys.executable, "-m", "services.trading"]
        self._run("trading-1", program, {"cwd": ROOT, "env": environment})
        await until(lambda: self._serves("trading-1"), 60)

    def _run(self, name: str, argv: list[str], options: dict) -> None:
        with self.mesh.place.log(name).open("ab") as log:
            self._processes.append(subprocess.Popen(argv, stdout=log, stderr=log, **options))

    async def _serves(self, name: str) -> bool:
        clusters = await self.mesh.admin("node", "/clusters")
        return f"local|trading::{self.mesh.place.service_socket(name)}::health_flags::healthy" in clusters

    def client(self, name: str) -> grpc.aio.Channel:
        """The edge as a client of the topology."""
        target, ca = f"localhost:{self.mesh.ports['edge']}", self.mesh.place.ca_bundle.read_bytes()
        return channel_to_edge(target, ca, client_pem=client_certificate(name, self.mesh.place))

    def remove(self) -> None:
        """Ends what was started here."""
        for process in reversed(self._processes):
            process.terminate()
            process.wait(30)
        self._postgres.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory) -> AsyncIterator[Stand]:
    """One instance of trading in a mesh."""
    path = topology(tmp_path_factory.mktemp("trading"))
    mesh = SmallMesh(path)
    found = Stand(mesh, path)
    try:
        await found.start()
        yield found
    finally:
        await asyncio.to_thread(found.remove)
        await mesh.stop()


async def test_a_trader_trades_and_others_may_not(made: Stand) -> None:
    """The order knows who entered it; whoever is no trader is refused."""
    order = new("alpha")
    async with made.client("local") as channel:
        stub = TradingServiceStub(channel)
        answer = await stub.PlaceOrder(place(order))
        assert answer.order.entered_by == "client:local"
        await status(stub, order, order_pb2.ORDER_STATUS_NEW)
        await stub.CancelOrder(cancel(order))
        await status(stub, order, order_pb2.ORDER_STATUS_CANCELLED)
    async with made.client("second") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TradingServiceStub(channel).PlaceOrder(place(new("alpha")))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    async with made.mesh.edge_channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await TradingServiceStub(channel).PlaceOrder(place(new("alpha")))
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_an_order_is_json_as_well(made: Stand) -> None:
    """Placed, read and listed over REST, as the contract's paths say."""
    proof = made.mesh.place.client_certificate("local")
    order = {
        "clientOrderId": uuid.uuid4().hex,
        "instrument": "EUR/USD",
        "side": "SIDE_BUY",
        "quantity": "100000",
        "orderType": "ORDER_TYPE_LIMIT",
        "limitPrice": "1.08",
        "timeInForce": "TIME_IN_FORCE_DAY",
    }
    body = json.dumps({"requestId": str(uuid.uuid4()), "order": order}).encode()
    headers = {"content-type": "application/json"}
    code, _, said = await made.mesh.rest("POST", "/v1/accounts/alpha/orders", headers, body, client=proof)
    assert code == 200, said
    name = order["clientOrderId"]
    code, _, said = await made.mesh.rest("GET", f"/v1/accounts/alpha/orders/{name}", client=proof)
    assert (code, json.loads(said)["order"]["terms"]["clientOrderId"]) == (200, name)
    code, _, said = await made.mesh.rest("GET", f"/v1/accounts/alpha/orders/{name}:explain", client=proof)
    assert (code, len(json.loads(said)["causes"]) >= 2) == (200, True), said


async def test_a_session_goes_through_the_mesh(made: Stand) -> None:
    """Orders in and reports out on one stream from a client outside."""
    async with made.client("local") as channel:
        call = TradingServiceStub(channel).TradeSession()
        await call.write(
            session.TradeSessionRequest(number=1, logon=session.SessionLogon(account="beta", session="desk"))
        )
        assert (await call.read()).HasField("opened")
        orders = session.SessionOrders(orders=[new("beta") for _ in range(10)])
        await call.write(session.TradeSessionRequest(number=2, orders=orders))
        reports, answer = [], None
        async with asyncio.timeout(30):
            while len(reports) < 20 or answer is None:
                message = await call.read()
                reports += [report.sequence for report in message.reports.reports]
                answer = message.answer if message.HasField("answer") else answer
        assert reports == list(range(1, 21))
        assert len(answer.results) == 10
        await call.write(session.TradeSessionRequest(number=3, logout=session.SessionLogout()))
        while (message := await call.read()) is not grpc.aio.EOF:
            last = message
        assert last.HasField("end")


async def test_the_sdk_and_the_command_line_trade(made: Stand) -> None:
    """Placed, listed, explained and watched by the command; reports followed by the SDK without a gap."""
    place_ = made.mesh.place
    environment = os.environ | {
        "CROSSRATE_STATE": str(place_.state),
        "CROSSRATE_RUN": str(place_.run),
        "PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}",
    }

    async def command(*arguments: str, code: int = 0) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "crossrate.cli", "orders", *arguments, stdout=-1, stderr=-1, env=environment, cwd=ROOT
        )
        out, problems = await within(process.communicate(), f"the end of `crossrate orders {arguments[0]}`")
        assert process.returncode == code, (out, problems)
        return (out + (problems if code else b"")).decode()

    order = ("gamma", "buy", "100_000", "EUR/USD", "--limit", "1.08", "--id", "one")
    placed = json.loads(await command("place", *order, "--json"))
    assert placed["order"]["status"] == "ORDER_STATUS_NEW"
    assert json.loads(await command("place", *order, "--json")) == placed
    assert "one" in await command("list", "gamma")
    await command("cancel", "gamma", "one")
    words = await command("explain", "gamma", "one")
    assert "checks, all passed" in words
    watched = await command("watch", "gamma", "--after", "0", "-n", "2", "--json")
    assert [int(json.loads(line)["sequence"]) for line in watched.splitlines()] == [1, 2]
    assert "give one of buy, sell" in await command("place", "gamma", "hold", "1", "EUR/USD", "--json", code=1)
    target, ca = f"localhost:{made.mesh.ports['edge']}", place_.ca_bundle.read_bytes()
    proof = client_certificate("local", place_)
    async with AsyncClient(target, ca=ca, client=proof) as client:
        await client.trading.PlaceOrder(place(new("gamma")))
        seen = []
        async with asyncio.timeout(30):
            async for report in client.stream_executions("gamma", after=1):
                seen.append(report.sequence)
                if len(seen) == 4:
                    break
    assert seen == [2, 3, 4, 5]
