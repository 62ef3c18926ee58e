"""trading, risk and broker with nothing in them; tests/bench/orders_floor.py runs them to see what their way costs.

A call takes every step that an order takes, at the same places and in batches of the same size: risk is asked, what was
entered is committed with fsync and then answered, broker is instructed and commits, its reports come by the stream and
are committed as well, and NATS gets both. But nothing is checked, decided, priced or looked at on the way, a commit is
one insert, and nobody reads along.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from crossrate.api.broker.v1 import routing_service_pb2 as routing  # noqa: E402
from crossrate.api.broker.v1 import venue_report_pb2  # noqa: E402
from crossrate.api.broker.v1.routing_service_pb2_grpc import (  # noqa: E402
    RoutingServiceServicer,
    RoutingServiceStub,
    add_RoutingServiceServicer_to_server,
)
from crossrate.api.risk.v1 import pretrade_service_pb2 as pretrade  # noqa: E402
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import (  # noqa: E402
    PreTradeServiceServicer,
    PreTradeServiceStub,
    add_PreTradeServiceServicer_to_server,
)
from crossrate.api.trading.v1 import order_entry_pb2 as entry  # noqa: E402
from crossrate.api.trading.v1 import order_pb2  # noqa: E402
from crossrate.api.trading.v1 import trading_service_pb2_grpc as trading_grpc  # noqa: E402
from crossrate.events import Events  # noqa: E402
from crossrate.events.envelope import Message  # noqa: E402
from crossrate.rpc.call import new_request_id  # noqa: E402
from crossrate.rpc.client import channel_to_mesh  # noqa: E402
from crossrate.rpc.server import Server  # noqa: E402
from crossrate.runtime.process import Runtime, run  # noqa: E402
from crossrate.store import Database, relay  # noqa: E402
from services.trading.engine.dispatch import GATHER_S  # noqa: E402
from services.trading.engine.filling import Filling  # noqa: E402
from services.trading.engine.writer import ORDERS_MAX  # noqa: E402

TABLE = "CREATE TABLE IF NOT EXISTS fact (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content bytea)"
INSERT = "INSERT INTO fact (content) SELECT unnest($1::bytea[])"


@dataclass(eq=False)
class Group:
    """Orders of one call."""

    orders: Sequence[order_pb2.NewOrder]
    future: asyncio.Future[None]

    @property
    def keys(self) -> Sequence[order_pb2.NewOrder]:
        """One for each order; what `Filling` counts."""
        return self.orders


class Facts:
    """Where bytes are committed."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, runtime: Runtime) -> Facts:
        """Connects and makes the table."""
        database = await Database.open(runtime)
        connection = await database.dedicated()
        await database.close()
        await connection.execute(TABLE)
        return cls(connection)

    async def commit(self, rows: list[bytes]) -> None:
        """One transaction."""
        async with self._lock:
            await self._connection.execute(INSERT, rows)


class Trading(trading_grpc.TradingServiceServicer):
    """Orders on the way of the real ones."""

    def __init__(self, runtime: Runtime, facts: Facts, risk: PreTradeServiceStub, broker: RoutingServiceStub) -> None:
        self._writer, self._facts, self._risk, self._broker = runtime.instance, facts, risk, broker
        self._waiting: deque[Group] = deque()
        self._entered = asyncio.Event()
        self._filling = Filling(self._waiting, self._entered, ORDERS_MAX)  # type: ignore[arg-type]
        self._admitted: asyncio.Queue[list[Group]] = asyncio.Queue(1)
        self._instructions: deque[order_pb2.NewOrder] = deque()
        self._instructed = asyncio.Event()
        self.untold: list[bytes] = []
        """What NATS is to get."""

    async def _enter(self, orders: Sequence[order_pb2.NewOrder]) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._filling.came()
        self._waiting.append(Group(orders, future))
        self._entered.set()
        try:
            await future
        finally:
            self._filling.answered()

    async def PlaceOrder(self, request: entry.PlaceOrderRequest, context: Any) -> entry.PlaceOrderResponse:
        """Answers behind the commit."""
        await self._enter([request.order])
        return entry.PlaceOrderResponse()

    async def PlaceOrders(self, request: entry.PlaceOrdersRequest, context: Any) -> entry.PlaceOrdersResponse:
        """Answers behind the commit."""
        await self._enter(request.orders)
        return entry.PlaceOrdersResponse(results=[entry.PlaceOrderResponse() for _ in request.orders])

    async def admit(self) -> None:
        """Asks risk about what waits, batch by batch."""
        while True:
            await self._entered.wait()
            self._entered.clear()
            while self._waiting:
                await self._filling.wait()
                groups: list[Group] = []
                count = 0
                while self._waiting and (not groups or count + len(self._waiting[0].orders) <= ORDERS_MAX):
                    groups.append(self._waiting.popleft())
                    count += len(groups[-1].orders)
                asked = pretrade.AuthoriseRequest(request_id=new_request_id(), writer=self._writer)
                for group in groups:
                    for order in group.orders:
                        asked.orders.add().order.terms.CopyFrom(order)
                await self._risk.Authorise(asked)
                await self._admitted.put(groups)
                await self._admitted.join()

    async def commit(self) -> None:
        """Commits what risk has seen, answers, and has broker instructed."""
        while True:
            groups = await self._admitted.get()
            self._admitted.task_done()
            orders = [order for group in groups for order in group.orders]
            rows = [order.SerializeToString() for order in orders]
            with self._filling.commit():
                await self._facts.commit(rows)
            for group in groups:
                group.future.set_result(None)
            self.untold += rows
            self._instructions += orders
            self._instructed.set()

    async def instruct(self) -> None:
        """Tells broker."""
        while True:
            await self._instructed.wait()
            self._instructed.clear()
            while self._instructions:
                told = routing.InstructRequest(request_id=new_request_id())
                while self._instructions and len(told.instructions) < ORDERS_MAX:
                    each = told.instructions.add(instruction_id=new_request_id(), kind=routing.INSTRUCTION_KIND_NEW)
                    each.order.terms.CopyFrom(self._instructions.popleft())
                await self._broker.Instruct(told)
                await asyncio.sleep(GATHER_S)

    async def follow(self) -> None:
        """Commits what broker reports."""
        async for message in self._broker.StreamReports(routing.StreamReportsRequest()):
            if message.HasField("reports"):
                rows = [report.SerializeToString() for report in message.reports.reports]
                await self._facts.commit(rows)
                self.untold += rows

    async def relay(self, runtime: Runtime) -> None:
        """Publishes what was committed."""
        events = await Events.open(runtime)
        number = 0
        while True:
            await asyncio.sleep(relay.GATHER_S)
            if self.untold:
                rows, self.untold = self.untold, []
                number += 1
                subject = "crossrate.trading.v1.execution_reported.floor"
                await events.publish(Message.of(subject, b"".join(rows), f"floor:{number}"))


class Risk(PreTradeServiceServicer):
    """Says yes."""

    async def Authorise(self, request: pretrade.AuthoriseRequest, context: Any) -> pretrade.AuthoriseResponse:
        """One word for each order."""
        return pretrade.AuthoriseResponse(
            authorisations=[pretrade.Authorisation(authorised=True)] * len(request.orders)
        )


class Broker(RoutingServiceServicer):
    """Takes everything, and reports it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._told: list[venue_report_pb2.VenueReport] = []
        self._changed = asyncio.Event()

    async def Instruct(self, request: routing.InstructRequest, context: Any) -> routing.InstructResponse:
        """Commits, and answers."""
        reports = [
            venue_report_pb2.VenueReport(
                kind=venue_report_pb2.VENUE_REPORT_KIND_ACCEPTED, account=each.order.terms.account
            )
            for each in request.instructions
        ]
        await self._facts.commit([each.order.SerializeToString() for each in request.instructions])
        self._told += reports
        self._changed.set()
        return routing.InstructResponse()

    async def StreamReports(
        self, request: routing.StreamReportsRequest, context: Any
    ) -> AsyncIterator[routing.StreamReportsResponse]:
        """What was taken."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            told, self._told = self._told, []
            yield routing.StreamReportsResponse(reports=routing.VenueReports(reports=told))


async def serve(runtime: Runtime) -> None:
    """Serves one instance of whichever it is."""
    server = Server(runtime)
    if runtime.service == "risk":
        server.add(add_PreTradeServiceServicer_to_server, Risk())
        await server.serve()
        return
    facts = await Facts.open(runtime)
    if runtime.service == "broker":
        server.add(add_RoutingServiceServicer_to_server, Broker(facts))
        await server.serve()
        return
    channel = channel_to_mesh(runtime)
    trading = Trading(runtime, facts, PreTradeServiceStub(channel), RoutingServiceStub(channel))
    server.add(trading_grpc.add_TradingServiceServicer_to_server, trading)
    parts = (trading.admit(), trading.commit(), trading.instruct(), trading.follow(), trading.relay(runtime))
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await channel.close()


if __name__ == "__main__":
    run(serve)
