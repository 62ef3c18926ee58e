"""The paths of the v20 API."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from services.broker.oanda import asking as orders
from services.broker.oanda import params, words
from services.broker.oanda.accounts import Accounts
from services.broker.oanda.asking import DEPENDENT
from services.broker.oanda.book import PENDING, Json
from services.broker.oanda.desk import Desk
from services.broker.oanda.faults import Fault, Refused, bad_value, no_such, unavailable
from services.broker.oanda.hanging import KEYS, Hanging
from services.broker.oanda.history import History
from services.broker.oanda.pricing import Prices, price_of
from services.broker.oanda.trades import Trades
from services.broker.oanda.web import HEARTBEAT_S, Answer, Asking, Door, Handler

BEGIN_S_MAX = 3.0
"""How long a request waits for an account that is being read for the first time."""
WAITING_MAX = 10_000
"""Prices that wait for a slow reader; then the stream ends."""


@dataclass(slots=True)
class Account:
    """Everything of one account."""

    desk: Desk
    trades: Trades
    hanging: Hanging
    accounts: Accounts


class Api:
    """See the module."""

    def __init__(self, door: Door, accounts: Mapping[str, Account], prices: Prices, streams_end: asyncio.Event) -> None:
        self._door = door
        self._accounts = accounts
        self._prices = prices
        self._end = streams_end

    def app(self) -> Starlette:
        """As ASGI."""
        here = "/v3/accounts/{account}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/v3/accounts", self.list_accounts),
            ("GET", here, self.account),
            ("GET", f"{here}/summary", self.summary),
            ("GET", f"{here}/instruments", self.instruments),
            ("PATCH", f"{here}/configuration", self.configure),
            ("GET", f"{here}/changes", self.changes),
            ("POST", f"{here}/orders", self.place),
            ("GET", f"{here}/orders", self.list_orders),
            ("GET", f"{here}/pendingOrders", self.pending_orders),
            ("GET", f"{here}/orders/{{order}}", self.order),
            ("PUT", f"{here}/orders/{{order}}", self.replace),
            ("PUT", f"{here}/orders/{{order}}/cancel", self.cancel),
            ("PUT", f"{here}/orders/{{order}}/clientExtensions", self.name_order),
            ("GET", f"{here}/trades", self.list_trades),
            ("GET", f"{here}/openTrades", self.open_trades),
            ("GET", f"{here}/trades/{{trade}}", self.trade),
            ("PUT", f"{here}/trades/{{trade}}/close", self.close_trade),
            ("PUT", f"{here}/trades/{{trade}}/clientExtensions", self.name_trade),
            ("PUT", f"{here}/trades/{{trade}}/orders", self.hang),
            ("GET", f"{here}/positions", self.positions),
            ("GET", f"{here}/openPositions", self.open_positions),
            ("GET", f"{here}/positions/{{instrument}}", self.position),
            ("PUT", f"{here}/positions/{{instrument}}/close", self.close_position),
            ("GET", f"{here}/pricing", self.pricing),
            ("GET", f"{here}/pricing/stream", self.price_stream),
            ("GET", f"{here}/instruments/{{instrument}}/candles", self.candles),
            ("GET", "/v3/instruments/{instrument}/candles", self.candles),
        ]
        table += History(self._door, self.of, self._end).table(here)
        routes = [Route(path, self._door.admit(handler), methods=[method]) for method, path, handler in table]
        return Starlette(routes=routes, exception_handlers={HTTPException: self._door.nobody})

    async def of(self, asking: Asking) -> Account:
        """The account of a request, once it has been read.

        Raises:
            Fault: it does not exist, or it has not been read yet.
        """
        account = self._accounts[asking.path("account")]
        if account.desk.follower.last_transaction < 0 and not await account.desk.follower.after(0, BEGIN_S_MAX):
            raise unavailable("the account does not exist yet, does not net, or is being read: see the log")
        return account

    # Accounts.

    async def list_accounts(self, asking: Asking) -> Answer:
        """Those of the client."""
        return 200, {"accounts": [{"id": each, "tags": []} for each in asking.visitor.spec.accounts]}

    async def account(self, asking: Asking) -> Answer:
        """Everything of one."""
        made = await (await self.of(asking)).accounts.whole()
        return 200, {"account": made, "lastTransactionID": made["lastTransactionID"]}

    async def summary(self, asking: Asking) -> Answer:
        """Its figures."""
        made = await (await self.of(asking)).accounts.summary()
        return 200, {"account": made, "lastTransactionID": made["lastTransactionID"]}

    async def instruments(self, asking: Asking) -> Answer:
        """What may be dealt."""
        account = await self.of(asking)
        only = [each for each in asking.params.get("instruments", "").split(",") if each]
        return 200, {"instruments": await account.accounts.instruments(only)} | _last(account)

    async def configure(self, asking: Asking) -> Answer:
        """Nothing: margin rates are set by operators."""
        raise Fault(403, "The account's name and margin rate are changed by an operator, not over this API.")

    async def changes(self, asking: Asking) -> Answer:
        """What has changed."""
        account = await self.of(asking)
        return 200, await account.accounts.changes(params.whole(asking.params, "sinceTransactionID"))

    # Orders.

    async def place(self, asking: Asking) -> tuple[int, Json]:
        """A new order."""
        account = await self.of(asking)
        body = _wrapped(asking)
        trade = None
        if body.get("type") in DEPENDENT:
            if "tradeID" in body:
                specifier = str(body["tradeID"])
            else:
                specifier = f"@{body['clientTradeID']}" if "clientTradeID" in body else ""
            trade = await account.trades.trade(specifier, still_open=True)
            given = {key: each for key, each in body.items() if key not in ("type", "tradeID", "clientTradeID")}
            key = KEYS[body["type"]]
            return 201, _renamed(await account.hanging.hang(trade["id"], {key: given}, asking.request_id), key)
        try:
            asked = orders.order_of(asking.path("account"), body)
        except Refused as refused:
            raise await account.desk.refuse(None, refused, body) from refused
        return 201, await account.desk.place(asked, asking.request_id)

    async def list_orders(self, asking: Asking) -> Answer:
        """Orders, newest first."""
        account = await self.of(asking)
        state = asking.params.get("state", "PENDING")
        if state not in ("PENDING", "FILLED", "TRIGGERED", "CANCELLED", "ALL"):
            raise bad_value("state", "one of PENDING, FILLED, TRIGGERED, CANCELLED, ALL")
        wanted = params.listing(asking.params) | {
            "open": True if state == "PENDING" else None if state == "ALL" else False
        }
        found = await account.desk.kept.listed("v20_order", wanted)
        if state in ("FILLED", "CANCELLED", "TRIGGERED"):
            found = [each for each in found if each["state"] == state]
        return 200, {"orders": found} | _last(account)

    async def pending_orders(self, asking: Asking) -> Answer:
        """All that are."""
        account = await self.of(asking)
        return 200, {"orders": await account.desk.kept.listed("v20_order", {"open": True, "count": 10_000})} | _last(
            account
        )

    async def order(self, asking: Asking) -> Answer:
        """One."""
        account = await self.of(asking)
        return 200, {"order": await account.desk.order(asking.path("order"))} | _last(account)

    async def replace(self, asking: Asking) -> Answer:
        """Another in its place."""
        account = await self.of(asking)
        body = _wrapped(asking)
        body.pop("clientTradeID", None)
        return 201, await account.desk.replace(asking.path("order"), body, asking.request_id)

    async def cancel(self, asking: Asking) -> Answer:
        """Cancels one."""
        account = await self.of(asking)
        order = await account.desk.kept.order(asking.path("order"))
        if order is not None and "tradeID" in order and order["state"] == PENDING:
            return 200, await account.hanging.cancel(order, asking.request_id)
        return 200, await account.desk.cancel(asking.path("order"), asking.request_id)

    async def name_order(self, asking: Asking) -> Answer:
        """Its client's words."""
        account = await self.of(asking)
        return 200, await account.desk.name(asking.path("order"), asking.body, asking.request_id)

    # Trades and positions.

    async def list_trades(self, asking: Asking) -> Answer:
        """Trades, newest first."""
        account = await self.of(asking)
        state = asking.params.get("state", "OPEN")
        if state not in ("OPEN", "CLOSED", "CLOSE_WHEN_TRADEABLE", "ALL"):
            raise bad_value("state", "one of OPEN, CLOSED, CLOSE_WHEN_TRADEABLE, ALL")
        wanted = params.listing(asking.params) | {"open": None if state == "ALL" else state == "OPEN"}
        found = [] if state == "CLOSE_WHEN_TRADEABLE" else await account.desk.kept.listed("v20_trade", wanted)
        return 200, {"trades": await account.trades.valued(found)} | _last(account)

    async def open_trades(self, asking: Asking) -> Answer:
        """All that are."""
        account = await self.of(asking)
        found = await account.desk.kept.listed("v20_trade", {"open": True, "count": 10_000})
        return 200, {"trades": await account.trades.valued(found)} | _last(account)

    async def trade(self, asking: Asking) -> Answer:
        """One."""
        account = await self.of(asking)
        found = await account.trades.valued([await account.trades.trade(asking.path("trade"))])
        return 200, {"trade": found[0]} | _last(account)

    async def close_trade(self, asking: Asking) -> Answer:
        """Closes one."""
        account = await self.of(asking)
        return 200, await account.trades.close(asking.path("trade"), asking.body, asking.request_id)

    async def name_trade(self, asking: Asking) -> Answer:
        """Its client's words."""
        account = await self.of(asking)
        return 200, await account.trades.name(asking.path("trade"), asking.body, asking.request_id)

    async def hang(self, asking: Asking) -> Answer:
        """What protects it."""
        account = await self.of(asking)
        return 200, await account.hanging.hang(asking.path("trade"), asking.body, asking.request_id)

    async def positions(self, asking: Asking) -> Answer:
        """Of every instrument that was ever dealt."""
        account = await self.of(asking)
        return 200, {"positions": await account.trades.positions()} | _last(account)

    async def open_positions(self, asking: Asking) -> Answer:
        """Those that are open."""
        account = await self.of(asking)
        return 200, {"positions": await account.trades.positions(still_open=True)} | _last(account)

    async def position(self, asking: Asking) -> Answer:
        """Of one instrument."""
        account = await self.of(asking)
        name = params.instrument(asking.path("instrument"))
        found = await account.trades.positions(name)
        if not found:
            raise no_such("Position", name)
        return 200, {"position": found[0]} | _last(account)

    async def close_position(self, asking: Asking) -> Answer:
        """Closes its sides."""
        account = await self.of(asking)
        return 200, await account.trades.close_position(
            params.instrument(asking.path("instrument")), asking.body, asking.request_id
        )

    # Prices.

    async def pricing(self, asking: Asking) -> Answer:
        """Prices as they are."""
        account = await self.of(asking)
        quotes = await self._prices.quotes(params.instruments(asking.params))
        since_ns = params.moment(asking.params, "since") or 0
        home = account.desk.follower.currency
        found = [q for q in quotes.values() if q.receive_time.ToNanoseconds() > since_ns]
        made = [await self._prices.shown(each, home) for each in found]
        return 200, {"time": words.time_text(time.time_ns()), "prices": made}

    async def price_stream(self, asking: Asking) -> Any:
        """Prices as they change, and a heartbeat every five seconds."""
        await self.of(asking)
        names = params.instruments(asking.params)
        snapshot = asking.params.get("snapshot", "true").lower() != "false"
        return self._door.stream(asking, self._told(names, snapshot))

    async def _told(self, names: list[str], snapshot: bool) -> AsyncIterator[Json]:
        waiting: asyncio.Queue[Json | None] = asyncio.Queue(WAITING_MAX)

        async def read() -> None:
            try:
                async for quote in self._prices.stream(names, snapshot):
                    waiting.put_nowait(price_of(quote))
            except (Fault, asyncio.QueueFull):
                pass
            with contextlib.suppress(asyncio.QueueFull):
                waiting.put_nowait(None)

        reading = asyncio.create_task(read())
        beat_s = time.monotonic() + HEARTBEAT_S
        try:
            while not self._end.is_set():
                try:
                    async with asyncio.timeout(min(1.0, max(0.0, beat_s - time.monotonic()))):
                        line = await waiting.get()
                except TimeoutError:
                    if reading.done() and waiting.empty():
                        return
                    if time.monotonic() >= beat_s:
                        beat_s += HEARTBEAT_S
                        yield {"type": "HEARTBEAT", "time": words.time_text(time.time_ns())}
                    continue
                if line is None:
                    return
                yield line
        finally:
            reading.cancel()

    async def candles(self, asking: Asking) -> Answer:
        """Candles of an instrument."""
        return 200, await self._prices.candles(params.instrument(asking.path("instrument")), asking.params)


def _last(account: Account) -> Json:
    return {"lastTransactionID": str(account.desk.follower.last_transaction)}


def _wrapped(asking: Asking) -> Json:
    if set(asking.body) != {"order"}:
        raise bad_value("order", "the body is {'order': {…}} and nothing else")
    return orders.mapping(asking.body["order"], "order")


def _renamed(made: Json, key: str) -> Json:
    """The answer of an order that hangs on a trade, in the words of an order."""
    for end, name in (
        ("OrderCancelTransaction", "replacedOrderCancelTransaction"),
        ("OrderTransaction", "orderCreateTransaction"),
        ("OrderFillTransaction", "orderFillTransaction"),
    ):
        if key + end in made:
            made[name] = made.pop(key + end)
    return made
