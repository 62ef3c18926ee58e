"""The real risk behind real proxies on a real PostgreSQL, with stand-ins of its neighbours whose every word a test
turns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.control.v1 import mesh_pb2
from crossrate.api.ledger.v1 import account_pb2, book_pb2, ledger_service_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as ledger
from crossrate.api.ledger.v1.account_service_pb2_grpc import (
    AccountServiceServicer,
    add_AccountServiceServicer_to_server,
)
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import (
    LedgerServiceServicer,
    add_LedgerServiceServicer_to_server,
)
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import (
    MarketDataServiceServicer,
    add_MarketDataServiceServicer_to_server,
)
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import (
    ReferenceServiceServicer,
    add_ReferenceServiceServicer_to_server,
)
from crossrate.node import credentials
from crossrate.node.postgres import PostgresServer
from crossrate.runtime.topology import DEFAULT_PATH, load
from tests.ending import within
from tests.integration.envoys import SmallMesh, until
from tests.integration.stand_in_trading import Trading

QUOTES = {"EUR/USD": (1.17, 1.1701), "USD/JPY": (148.0, 148.01), "GBP/USD": (1.3, 1.3001), "EUR/GBP": (0.9, 0.9001)}


class Market(MarketDataServiceServicer):
    """Quotes as a test writes them, told again ten times a second."""

    def __init__(self) -> None:
        self.quotes = {name: (*sides, quote_pb2.QUOTE_HEALTH_LIVE) for name, sides in QUOTES.items()}
        self.silent = False
        self._sequence = 0

    def put(self, name: str, bid: float, ask: float, health: int = quote_pb2.QUOTE_HEALTH_LIVE) -> None:
        """A quote from now on."""
        self.quotes[name] = bid, ask, health

    async def StreamQuotes(self, request, context):
        """All of the wanted, again and again."""
        sequence = 0
        while True:
            sequence += 1
            answer = marketdata.StreamQuotesResponse(position=stream_pb2.StreamPosition(sequence=sequence))
            self._sequence += 1
            for name, (bid, ask, health) in self.quotes.items():
                if name in request.instruments:
                    quote = answer.quotes.quotes.add(
                        instrument=name, bid=bid, ask=ask, health=health, source="stand", sequence=self._sequence
                    )
                    quote.receive_time.GetCurrentTime()
            if not answer.quotes.quotes:
                answer.heartbeat.server_time.GetCurrentTime()
            if not self.silent:
                yield answer
            await asyncio.sleep(0.05)


class Catalogue(ReferenceServiceServicer):
    """Instruments that are traded unless a test says otherwise."""

    def __init__(self) -> None:
        self.said: dict[str, int] = {}

    async def ListInstruments(self, request, context):
        """Those that have quotes."""
        answer = reference.ListInstrumentsResponse()
        for name in QUOTES:
            status = self.said.get(name, instrument_pb2.INSTRUMENT_STATUS_TRADING)
            answer.instruments.add(name=name, status=status)
        return answer


class Ledger(AccountServiceServicer, LedgerServiceServicer):
    """Accounts of two desks, each with ten million of its currency."""

    def __init__(self) -> None:
        self.funds = "10000000"
        self.own_funds: dict[str, str] = {}
        self.moved: dict[str, list[book_pb2.PositionMovement]] = {}
        self.levels = account_pb2.MarginLevels(call="1", close_out="0.5")
        self.last_entry = 1
        self.accounts = {name: account(name) for name in ("alpha", "beta")}
        self.accounts["gamma"] = account("gamma", desk="forwards", currency="EUR")

    async def ListAccounts(self, request, context):
        """All of them."""
        return ledger.ListAccountsResponse(accounts=self.accounts.values())

    async def GetAccount(self, request, context):
        """One of them."""
        if request.account not in self.accounts:
            await context.abort(grpc.StatusCode.NOT_FOUND, "none")
        return ledger.GetAccountResponse(account=self.accounts[request.account])

    async def ListEquity(self, request, context):
        """The same of all of them."""
        names = request.accounts or list(self.accounts)
        answer = ledger_service_pb2.ListEquityResponse(last_entry=self.last_entry)
        for name in names:
            if name in self.accounts and (not request.after_entry or self.last_entry > request.after_entry):
                amount = book_pb2.CashAmount(
                    currency=self.accounts[name].currency, amount=self.own_funds.get(name, self.funds)
                )
                answer.equities.add(
                    account=name,
                    non_trade=[amount],
                    movements=self.moved.get(name, ()),
                    last_entry=self.last_entry,
                    margin_levels=self.levels,
                )
        return answer

    def register(self, _servicer, server):
        """Adds both services to a server."""
        add_AccountServiceServicer_to_server(self, server)
        add_LedgerServiceServicer_to_server(self, server)


def account(name: str, desk: str = "spot", currency: str = "USD") -> account_pb2.Account:
    """An account that may trade."""
    return account_pb2.Account(
        account=name,
        desk=desk,
        currency=currency,
        position_mode=account_pb2.POSITION_MODE_NETTING,
        cost_method=account_pb2.COST_METHOD_FIFO,
        status=account_pb2.ACCOUNT_STATUS_ACTIVE,
        margin_rate="0.05",
        version=1,
    )


def topology(folder: Path) -> Path:
    """The platform's topology with trading in it."""
    text = DEFAULT_PATH.read_text()
    known = load(DEFAULT_PATH).services
    if "trading" not in known:
        text += '\n[services.trading]\ncalls = ["risk"]\ndatabase = false\n'
    if "trading" not in known["risk"].calls:
        before, section = text.split("[services.risk]", 1)
        calls = ", ".join(f'"{each}"' for each in (*known["risk"].calls, "trading"))
        text = f"{before}[services.risk]" + re.sub(r"\ncalls = .*", f"\ncalls = [{calls}]", section, count=1)
    made = folder / "topology.toml"
    made.write_text(text)
    return made


class PreTradeMesh(SmallMesh):
    """See the module."""

    def __init__(self, path: Path, settings: dict[str, str]) -> None:
        super().__init__(path)
        self.settings = settings
        self.postgres = PostgresServer(self.place)
        self.trading, self.market, self.catalogue, self.ledger = Trading(), Market(), Catalogue(), Ledger()
        self._channels: list[grpc.aio.Channel] = []
        self._local_channels: dict[tuple[str, int], grpc.aio.Channel] = {}

    async def start(self) -> PreTradeMesh:
        """Everything, with one instance of risk that authorises."""
        credentials.issue(self.place, self.topology, "nats://127.0.0.1:1", self.postgres.socket_folder)
        with self.place.log("postgres").open("ab") as log:
            command = await asyncio.to_thread(self.postgres.prepare)
            self.processes["postgres"] = await asyncio.create_subprocess_exec(
                *command.argv, stdout=log, stderr=log, **command.options()
            )
        await self.postgres.ready()
        await self.postgres.provision(self.topology)
        stands = {
            "reference-1": (add_ReferenceServiceServicer_to_server, self.catalogue),
            "marketdata-1": (add_MarketDataServiceServicer_to_server, self.market),
            "ledger-1": (self.ledger.register, self.ledger),
            "trading-1": (self.trading.register, self.trading),
        }
        for name, (register, servicer) in stands.items():
            await self.start_backend(name, register, servicer)
        await self.start_control()
        await self.start_envoys()
        await self.start_risk("risk-1")
        await until(self.is_whole)
        channel = self.outbound_channel("trading")
        self._channels.append(channel)
        self.trading.calls(channel)
        await until(self.authorises)
        return self

    async def is_whole(self) -> bool:
        """As in a small mesh, with the instances of risk counted."""
        status = await self.status()
        risks = sum(name.startswith("risk-") for name in self.processes)
        wanted = len(self.backends) + 1 + risks
        return (
            status is not None
            and len(status.instances) == wanted
            and all(i.health == mesh_pb2.INSTANCE_HEALTH_SERVING for i in status.instances)
        )

    async def start_risk(self, name: str) -> None:
        """Starts an instance of risk and returns when it serves."""
        environment = os.environ | {
            "CROSSRATE_SERVICE": "risk",
            "CROSSRATE_INSTANCE": name,
            "CROSSRATE_STATE": str(self.place.state),
            "CROSSRATE_RUN": str(self.place.run),
            "CROSSRATE_TOPOLOGY": str(self.topology_path),
            **self.settings,
        }
        with self.place.log(name).open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.risk", stdout=log, stderr=log, env=environment
            )
        await until(self.place.registration(name).exists)

    async def kill_risk(self, name: str) -> None:
        """SIGKILL; its registration goes as the supervisor would have it go."""
        await self.kill(name)
        del self.processes[name]
        self.place.registration(name).unlink(missing_ok=True)

    async def authorises(self) -> bool:
        """Whether orders are authorised, with quotes and instruments known: an order that is only looked at passes."""
        from tests.integration.stand_in_trading import order

        with contextlib.suppress(grpc.aio.AioRpcError):
            answer = await self.trading.authorise([order()], validate_only=True)
            return answer.authorisations[0].authorised
        return False

    def local(self, instance: str) -> grpc.aio.Channel:
        """An instance's own socket, as the local operator: one channel for each process."""
        key = instance, self.processes[instance].pid
        if key not in self._local_channels:
            self._local_channels[key] = self._local(self.place.service_socket(instance))
            self._channels.append(self._local_channels[key])
        return self._local_channels[key]

    async def stop(self) -> None:
        """Ends everything."""
        for channel in self._channels:
            await channel.close()
        postgres = self.processes.pop("postgres", None)
        if postgres is not None and postgres.returncode is None:
            for name, process in self.processes.items():
                if name.startswith("risk-") and process.returncode is None:
                    process.kill()
                    await within(process.wait(), f"the end of {name}")
            postgres.send_signal(2)
            await within(postgres.wait(), "the end of PostgreSQL")
        await super().stop()
        self.postgres.remove()


@contextlib.asynccontextmanager
async def pretrade_mesh(**settings: Any) -> AsyncIterator[PreTradeMesh]:
    """A mesh that is gone afterwards; settings of risk by their names in lower case."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        given = {"value_interval_s": 0, "statuses_interval_s": 0.1} | settings
        environment = {f"CROSSRATE_RISK_{name.upper()}": str(value) for name, value in given.items()}
        mesh = PreTradeMesh(topology(Path(folder)), environment)
        try:
            yield await mesh.start()
        finally:
            await mesh.stop()
