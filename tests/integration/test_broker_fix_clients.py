"""Clients trade over FIX 4.4 through a real socket, also while broker is killed."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import ssl
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import structlog

from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import (
    ExecType,
    MassCancelType,
    MassStatusReqType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    SubscriptionRequestType,
)
from crossrate.fix.initiator import Initiator
from crossrate.fix.orders import (
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
)
from crossrate.fix.positions import PositionReport, RequestForPositionsAck
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import (
    BusinessMessageReject,
    ExecutionReport,
    OrderCancelReject,
    OrderMassCancelReport,
    TradeCaptureReport,
)
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore
from crossrate.fix.trades import TradeCaptureReportRequest, TradeCaptureReportRequestAck
from tests.ending import within
from tests.integration.broker_stand import Floor, floor
from tests.integration.conftest import eventually
from tests.ports import free_port
from tests.venues.fix_desk import Desk

pytestmark = pytest.mark.integration
NOTE = structlog.get_logger()
REPORTS = (
    ExecutionReport,
    OrderCancelReject,
    OrderMassCancelReport,
    BusinessMessageReject,
    TradeCaptureReport,
    TradeCaptureReportRequestAck,
    RequestForPositionsAck,
    PositionReport,
)


class Trader(Desk):
    """A client's side of a session."""

    def __init__(
        self, port: int, password: str = "s3cret", comp_id: str = "DESK", tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        rules = Rules(comp_id, "CROSSRATE", reset="never", heartbeat_s=5, username="desk")
        self.endpoint = Endpoint(rules, MemoryStore(), self, NOTE, password=password, decode=Decoder(REPORTS))
        self.stopping = asyncio.Event()
        way = Initiator(self.endpoint, "127.0.0.1", port, NOTE, tls=tls, pause_s=0.1, pause_s_max=0.5)
        self._running = asyncio.create_task(way.run(self.stopping))

    async def send(self, *messages: Any) -> None:
        """Sends; waits for a session first."""
        await asyncio.wait_for(self.standing.wait(), 60)
        async with self.endpoint.unit() as unit:
            for each in messages:
                unit.send(each, offline=True)

    def about(self, cl_ord_id: str) -> list[ExecutionReport]:
        """Reports that name a ClOrdID."""
        return [each for each in self.reports if each.cl_ord_id == cl_ord_id]

    def types(self, cl_ord_id: str) -> list[str]:
        """What they tell."""
        return [each.exec_type.name for each in self.about(cl_ord_id)]

    async def lose(self) -> None:
        """Ends without a word: the connection breaks."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await within(self._running, "the end of who reads")

    async def close(self) -> None:
        """Logs out."""
        self.stopping.set()
        with contextlib.suppress(asyncio.CancelledError):
            await within(self._running, "the end of who reads")


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Floor, int]]:
    """Broker with a client on a port."""
    port = free_port()
    clients = f"""
[gateway]
port = {port}
[clients.desk]
comp_id = "DESK"
accounts = ["alpha", "beta"]
[clients.copy]
comp_id = "COPY"
accounts = ["alpha", "beta"]
reports = "all"
"""
    async with floor(fix_clients=clients, passwords={"desk": "s3cret", "copy": "0ther"}) as running:
        yield running, port


def order(name: str, **fields: Any) -> NewOrderSingle:
    """A limit order of one million."""
    values = {
        "symbol": "EUR/USD",
        "side": Side.BUY,
        "transact_time": time.time_ns() // 1_000_000 * 1_000_000,
        "ord_type": OrdType.LIMIT,
        "order_qty": Decimal(1_000_000),
        "price": Decimal("1.08505"),
    }
    return NewOrderSingle(cl_ord_id=name, **(values | fields))


def _of(name: str, orig: str) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000 * 1_000_000
    return {"cl_ord_id": name, "orig_cl_ord_id": orig, "symbol": "EUR/USD", "side": Side.BUY, "transact_time": now}


async def test_orders_in_and_reports_out() -> None:
    """An order is entered, amended, asked for and cancelled, each step under its own ClOrdID."""
    async with serving() as (running, port):
        trader, copy = Trader(port), Trader(port, "0ther", "COPY")
        try:
            await asyncio.wait_for(copy.standing.wait(), 60)
            subscribe = TradeCaptureReportRequest(
                trade_request_id="t-1",
                trade_request_type=0,
                subscription_request_type=SubscriptionRequestType.SUBSCRIBE,
            )
            snapshot = TradeCaptureReportRequest(trade_request_id="t-2", trade_request_type=0)
            await copy.send(subscribe, snapshot)
            await eventually(lambda: [each.value.trade_request_status for each in copy.others] == [0, 2])
            await trader.send(order("o-1"), order("o-2", account="beta"), order("bad", symbol="XXX/YYY"))
            await eventually(lambda: trader.types("o-1") == trader.types("o-2") == ["PENDING_NEW", "NEW"])
            await eventually(lambda: trader.types("bad") == ["REJECTED"])
            assert trader.about("bad")[0].text == "55: there is no such instrument"
            replace = OrderCancelReplaceRequest(
                **_of("r-1", "o-1"), ord_type=OrdType.LIMIT, order_qty=Decimal(2_000_000), price=Decimal("1.07")
            )
            await trader.send(replace)
            await eventually(lambda: trader.types("r-1") == ["PENDING_REPLACE", "REPLACED"])
            replaced = trader.about("r-1")[-1]
            assert (replaced.orig_cl_ord_id, replaced.order_qty, replaced.price) == ("o-1", 2_000_000, Decimal("1.07"))
            ask = OrderStatusRequest(cl_ord_id="r-1", symbol="EUR/USD", side=Side.BUY, ord_status_req_id="q-1")
            await trader.send(
                ask, OrderMassStatusRequest(mass_status_req_id="m-1", mass_status_req_type=MassStatusReqType.ALL)
            )
            await eventually(
                lambda: [r.ord_status for r in trader.reports if r.ord_status_req_id == "q-1"] == [OrdStatus.NEW]
            )
            await eventually(lambda: [r.cl_ord_id for r in trader.reports if r.mass_status_req_id == "m-1"] == ["r-1"])
            await trader.send(dataclasses.replace(ask, cl_ord_id="bad", ord_status_req_id="q-2"))
            await eventually(lambda: trader.about("bad")[-1].ord_status_req_id == "q-2")
            assert trader.about("bad")[-1].ord_rej_reason is OrdRejReason.UNKNOWN_ORDER
            await trader.send(OrderCancelRequest(**_of("c-1", "r-1")))
            await eventually(lambda: trader.types("c-1") == ["PENDING_CANCEL", "CANCELED"])
            assert trader.about("c-1")[-1].orig_cl_ord_id == "r-1"
            await trader.send(OrderCancelRequest(**_of("c-2", "r-1")), OrderCancelRequest(**_of("c-3", "nothing")))
            await eventually(lambda: len(trader.others) == 2)
            assert {each.value.cl_ord_id for each in trader.others} == {"c-2", "c-3"}
            await running.trading.fill("beta", "o-2", "1000000", "1.085")
            await eventually(lambda: trader.types("o-2")[-1] == "TRADE")
            fill = trader.about("o-2")[-1]
            assert (fill.last_qty, fill.last_px, fill.ord_status) == (1_000_000, Decimal("1.085"), OrdStatus.FILLED)
            trades = lambda: [m.value for m in copy.others if isinstance(m.value, TradeCaptureReport)]  # noqa: E731
            await eventually(lambda: len(trades()) == 1)
            trade = trades()[0]
            assert (trade.last_qty, trade.last_px, trade.symbol) == (1_000_000, Decimal("1.085"), "EUR/USD")
            assert (trade.sides[0].account, trade.sides[0].order_id) == ("beta", fill.order_id)
            assert trade.exec_id
            assert not any(isinstance(m.value, TradeCaptureReport) for m in trader.others)
            copied = [each for each in copy.reports if each.copy_msg_indicator and each.account == "alpha"]
            assert [each.exec_type for each in copied][:2] == [ExecType.PENDING_NEW, ExecType.NEW]
            await trader.send(order("o-1"))
            await eventually(lambda: trader.types("o-1")[-1] == "REJECTED")
            assert trader.about("o-1")[-1].ord_rej_reason is OrdRejReason.DUPLICATE_ORDER
            await trader.send(
                order("o-5"),
                OrderMassCancelRequest(
                    cl_ord_id="a-1", mass_cancel_request_type=MassCancelType.ALL, transact_time=order("x").transact_time
                ),
            )
            await eventually(lambda: "CANCELED" in trader.types("o-5"))
            await eventually(lambda: sum(isinstance(m.value, OrderMassCancelReport) for m in trader.others) == 2)
        finally:
            await trader.close()
            await copy.close()


async def test_a_wrong_password_and_a_strange_name_are_turned_away() -> None:
    """Neither gets a session, and what they send goes nowhere."""
    async with serving() as (running, port):
        wrong, strange = Trader(port, "guess"), Trader(port, "s3cret", "STRANGER")
        try:
            right = Trader(port, "0ther", "COPY")
            await asyncio.wait_for(right.standing.wait(), 60)
            await right.close()
            assert not wrong.standing.is_set()
            assert not strange.standing.is_set()
            assert running.trading.placed == []
        finally:
            await wrong.close()
            await strange.close()


async def test_kills_lose_no_order_and_double_no_report() -> None:
    """Broker is killed while orders come and reports go: each order is entered once, each report comes once."""
    async with serving() as (running, port):
        trader, names = Trader(port), [f"k-{number}" for number in range(60)]
        try:
            for begin in range(0, 60, 20):
                await trader.send(*(order(name) for name in names[begin : begin + 20]))
                if begin < 40:
                    await eventually(lambda: bool(trader.reports))
                    running.kill()
                    await running.start()
            await eventually(lambda: all(trader.types(name) == ["PENDING_NEW", "NEW"] for name in names))
            ids = [each.exec_id for each in trader.reports]
            assert len(ids) == len(set(ids)) == 120
            assert set(running.trading.orders) == {("alpha", name) for name in names}
        finally:
            await trader.close()
