"""`broker` on a real PostgreSQL, in a process that may be killed; marketdata is a stand-in by its contract."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceStub
from crossrate.api.ledger.v1.account_service_pb2_grpc import add_AccountServiceServicer_to_server
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import add_LedgerServiceServicer_to_server
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import add_MarketDataServiceServicer_to_server
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import add_QuotingServiceServicer_to_server
from crossrate.api.risk.v1.kill_switch_service_pb2_grpc import add_KillSwitchServiceServicer_to_server
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import add_TradingServiceServicer_to_server
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import add_TradingStateServiceServicer_to_server
from crossrate.node import credentials
from crossrate.rpc.server import Server
from crossrate.runtime.place import REPOSITORY
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Topology
from tests.ending import within
from tests.integration.broker_books import Gates, TradingState
from tests.integration.broker_ledger import Accounts, Ledger
from tests.integration.broker_market import Market
from tests.integration.broker_pricing import Quoting
from tests.integration.broker_trading import Trading
from tests.integration.conftest import Servers, eventually

TOPOLOGY = Topology(
    services={
        "control": Service(),
        "marketdata": Service(),
        "trading": Service(),
        "ledger": Service(),
        "risk": Service(),
        "pricing": Service(),
        "broker": Service(calls=("ledger", "marketdata", "risk", "trading"), database=True, http=("/v3/",)),
    },
)
TOPOLOGY_TOML = """
trust_domain = "crossrate"
layout = "node"
[edge]
[clients.ann]
roles = ["operator", "risk_officer"]
accounts = []
step_up = true
[clients.bob]
roles = ["operator", "risk_officer"]
accounts = []
step_up = true
[certificates]
[services.control]
[services.marketdata]
[services.risk]
[services.pricing]
[services.trading]
[services.ledger]
[services.broker]
calls = ["ledger", "marketdata", "risk", "trading"]
database = true
http = ["/v3/"]
"""
VENUES = """
[venues.sim]
kind = "simulated"
seed = 7
tiers = [{ offset = 0, quantity = "1000000" }, { offset = 2, quantity = "5000000" }]
[[routes]]
venues = ["sim"]
"""
BUY, SELL = order_pb2.SIDE_BUY, order_pb2.SIDE_SELL
NEW, CANCEL = routing.INSTRUCTION_KIND_NEW, routing.INSTRUCTION_KIND_CANCEL
REPLACE, STATUS = routing.INSTRUCTION_KIND_REPLACE, routing.INSTRUCTION_KIND_STATUS


class Floor:
    """The running pieces and what a test may turn."""

    def __init__(self, servers: Servers, folder: Path, venues: str) -> None:
        self.servers = servers
        self.folder = folder
        self.market = Market()
        self.pricing = Quoting(self.market)
        self.priced = False
        self.trading = Trading()
        self.books, self.gates = TradingState(), Gates()
        self.ledger = Ledger(self.books)
        self.venues = venues
        self._channels: list[grpc.aio.Channel] = []
        self._peer: tuple[Runtime, asyncio.Task[None]] | None = None
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.settings: dict[str, str] = {}
        self.fix_clients = ""
        self.oanda_clients = ""

    async def start_peers(self) -> None:
        """The stand-ins behind broker's way out."""
        settings = RuntimeSettings(service="marketdata", instance="marketdata-1", settle_s=0, grace_s=1)
        runtime = open_runtime(settings, self.servers.place)
        runtime.topology = self.servers.topology
        server = Server(runtime)
        server.add(add_MarketDataServiceServicer_to_server, self.market)
        server.add(add_QuotingServiceServicer_to_server, self.pricing)
        server.add(add_TradingServiceServicer_to_server, self.trading)
        server.add(add_AccountServiceServicer_to_server, Accounts())
        server.add(add_LedgerServiceServicer_to_server, self.ledger)
        server.add(add_TradingStateServiceServicer_to_server, self.books)
        server.add(add_KillSwitchServiceServicer_to_server, self.gates)
        serving = asyncio.create_task(server.serve())
        self._peer = runtime, serving
        await eventually(lambda: self.servers.place.registration("marketdata-1").exists() or serving.done())
        self.servers.place.outbound_socket("broker").symlink_to(self.servers.place.service_socket("marketdata-1"))

    async def start(self, name: str = "broker-1") -> None:
        """A process of broker, ready."""
        topology, venues = self.folder / "topology.toml", self.folder / "venues.toml"
        called = '"marketdata", "pricing"' if self.priced else '"marketdata"'
        topology.write_text(TOPOLOGY_TOML.replace('"marketdata"', called))
        clients = self.folder / "fix_clients.toml"
        clients.write_text(self.fix_clients)
        programs = self.folder / "oanda_clients.toml"
        programs.write_text(self.oanda_clients)
        venues.write_text(self.venues)
        place = self.servers.place
        environment = {
            **os.environ,
            "CROSSRATE_SERVICE": "broker",
            "CROSSRATE_INSTANCE": name,
            "CROSSRATE_STATE": str(place.state),
            "CROSSRATE_RUN": str(place.run),
            "CROSSRATE_TOPOLOGY": str(topology),
            "CROSSRATE_BROKER_VENUES": str(venues),
            "CROSSRATE_BROKER_FIX_CLIENTS": str(clients),
            "CROSSRATE_BROKER_OANDA_CLIENTS": str(programs),
            "CROSSRATE_SETTLE_S": "0",
            "CROSSRATE_GRACE_S": "1",
            **self.settings,
        }
        place.registration(name).unlink(missing_ok=True)
        with place.log(name).open("ab") as log:
            command = [sys.executable, "-m", "services.broker"]
            process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                command, stdout=log, stderr=log, env=environment, cwd=REPOSITORY
            )
        self.processes[name] = process
        await eventually(lambda: place.registration(name).exists() or process.poll() is not None, 60)
        assert process.poll() is None, place.log(name).read_text()[-4000:]

    def kill(self, name: str = "broker-1", with_signal: int = signal.SIGKILL) -> None:
        """Ends a process at once."""
        process = self.processes.pop(name)
        process.send_signal(with_signal)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=60)
            raise

    def routing(self, name: str = "broker-1") -> RoutingServiceStub:
        """The calls of trading, at an instance's own socket."""
        return RoutingServiceStub(self.channel(name))

    def channel(self, name: str = "broker-1") -> grpc.aio.Channel:
        """A channel to an instance's own socket."""
        channel = grpc.aio.insecure_channel(f"unix:{self.servers.place.service_socket(name)}")
        self._channels.append(channel)
        return channel

    async def close(self) -> None:
        """Ends everything, also what comes after one that does not end."""
        async with contextlib.AsyncExitStack() as last_first:
            if self._peer is not None:
                runtime, serving = self._peer
                last_first.push_async_callback(within, serving, "the end of the stand-in")
                last_first.callback(runtime.stopping.set)
            for name in self.processes:
                last_first.push_async_callback(asyncio.to_thread, self.kill, name, signal.SIGTERM)
            for channel in self._channels:
                last_first.push_async_callback(channel.close)


@contextlib.asynccontextmanager
async def floor(
    venues: str = VENUES,
    fix_clients: str = "",
    passwords: dict[str, str] | None = None,
    oanda_clients: str = "",
    tokens: dict[str, str] | None = None,
    priced: bool = False,
) -> AsyncIterator[Floor]:
    """PostgreSQL, the stand-ins and one process of broker; no NATS, which orders do not need.

    Args:
        priced: whether broker may call pricing, so that its exchange deals forwards and swaps.
    """
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    servers = Servers(folder, TOPOLOGY)
    made = Floor(servers, folder, venues)
    made.fix_clients, made.oanda_clients, made.priced = fix_clients, oanda_clients, priced
    try:
        servers.issue()
        for client, password in (passwords or {}).items():
            path = servers.place.state / "fix" / f"{client}.password"
            path.parent.mkdir(mode=0o700, exist_ok=True)
            credentials.write_private(path, password)
        for client, token in (tokens or {}).items():
            path = servers.place.state / "oanda" / f"{client}.token"
            path.parent.mkdir(mode=0o700, exist_ok=True)
            credentials.write_private(path, hashlib.sha256(token.encode()).hexdigest())
        await servers.start_postgres()
        await servers.postgres.provision(servers.topology)
        await made.start_peers()
        await made.start()
        yield made
    except BaseException:
        with contextlib.suppress(OSError):
            sys.stderr.write(servers.place.log("broker-1").read_text()[-6000:])
        raise
    finally:
        try:
            await made.close()
        finally:
            await asyncio.to_thread(servers.remove)
            shutil.rmtree(folder, ignore_errors=True)


def order(account: str = "alpha", **fields: Any) -> order_pb2.Order:
    """A limit order to buy a hundred thousand euros, as trading has it."""
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
    if fields.get("order_type") == order_pb2.ORDER_TYPE_MARKET:
        del values["limit_price"]
        values["time_in_force"] = order_pb2.TIME_IN_FORCE_IOC
    terms = order_pb2.NewOrder(**(values | fields))
    made = order_pb2.Order(order_id=str(uuid.uuid4()), terms=terms, version=1, cum_quantity="0")
    made.status, made.leaves_quantity = order_pb2.ORDER_STATUS_PENDING_NEW, terms.quantity
    return made


def instruction(kind: int, about: order_pb2.Order) -> routing.Instruction:
    """An instruction as trading makes it."""
    word = routing.InstructionKind.Name(kind).removeprefix("INSTRUCTION_KIND_").lower()
    return routing.Instruction(instruction_id=f"{about.order_id}:{about.version}:{word}", kind=kind, order=about)


def instruct(*instructions: routing.Instruction) -> routing.InstructRequest:
    """A call."""
    return routing.InstructRequest(request_id=str(uuid.uuid4()), instructions=instructions)


class Reader:
    """Follows the reports of an instance from a number on."""

    def __init__(self, stub: RoutingServiceStub, after: int = 0) -> None:
        self.reports: list[venue.VenueReport] = []
        self._after = after
        self._stub = stub
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                after = self.reports[-1].sequence if self.reports else self._after
                async for message in self._stub.StreamReports(routing.StreamReportsRequest(after_sequence=after)):
                    self.reports.extend(message.reports.reports)
            await asyncio.sleep(0.05)

    def about(self, of: order_pb2.Order) -> list[venue.VenueReport]:
        """Those of one order."""
        return [each for each in self.reports if each.order_id == of.order_id]

    def kinds(self, of: order_pb2.Order) -> list[str]:
        """What was told of an order, in words."""
        return [kind_of(each) for each in self.about(of)]

    async def until(
        self, holds: Callable[[], bool], timeout_s: float = 60.0, says: Callable[[], str] = lambda: ""
    ) -> None:
        """Waits until something holds of what was read."""
        end = time.monotonic() + timeout_s
        while not holds():
            said = [(each.order_id[:8], kind_of(each), each.text) for each in self.reports[-10:]]
            assert time.monotonic() < end, f"it does not come; {says()} the last reports are {said}"
            assert not self._task.done(), self._task.exception()
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Reads no more."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await within(self._task, "the end of who reads")


def kind_of(report: venue.VenueReport) -> str:
    """A report's kind without what all kinds begin with."""
    return venue.VenueReportKind.Name(report.kind).removeprefix("VENUE_REPORT_KIND_")
