"""The gateway: every instance of broker answers the v20 API for all clients that are declared."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.api.marketdata.v1.bar_service_pb2_grpc import BarServiceStub
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.store import Database
from services.broker.oanda.accounts import Accounts
from services.broker.oanda.api import Account, Api
from services.broker.oanda.declared import OandaClients, Tokens
from services.broker.oanda.desk import Desk
from services.broker.oanda.following import Rates, followers
from services.broker.oanda.hanging import Hanging, Reactor
from services.broker.oanda.pricing import Prices
from services.broker.oanda.trades import Trades
from services.broker.oanda.web import Door


class OandaGateway:
    """See the module. `run` is a task of the process, `app` what is served.

    Args:
        channel: the way to the other services.
        stopping: set when the process is to end: streams end then, and clients come back to another instance.

    Raises:
        OandaClientsInvalid: a client has no tokens.
    """

    def __init__(
        self, declared: OandaClients, state: Path, database: Database, channel: Any, stopping: asyncio.Event, note: Any
    ) -> None:
        # Read at start, so that a file that is missing is said before anybody comes.
        tokens = Tokens(state, declared)
        market, trading = MarketDataServiceStub(channel), TradingServiceStub(channel)
        ledger, holders = LedgerServiceStub(channel), AccountServiceStub(channel)
        rates = Rates(market)
        prices = Prices(market, BarServiceStub(channel), rates)
        self._followers = followers(declared.accounts, database, trading, holders, rates, note)
        self._reactors: list[Reactor] = []
        accounts: dict[str, Account] = {}
        for name, follower in self._followers.items():
            desk = Desk(follower, trading)
            trades, hanging = Trades(desk, prices), Hanging(desk, trading)
            accounts[name] = Account(desk, trades, hanging, Accounts(desk, trades, holders, ledger))
            self._reactors.append(Reactor(hanging, desk, note))
        self.app: Starlette = Api(Door(declared, tokens, note), accounts, prices, stopping).app()
        if declared.clients:
            note.info("clients of the v20 API are served", clients=len(declared.clients), accounts=len(accounts))

    async def run(self) -> None:
        """Keeps every account up, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for follower in self._followers.values():
                group.create_task(follower.run())
                group.create_task(follower.look())
            for reactor in self._reactors:
                group.create_task(reactor.run())
