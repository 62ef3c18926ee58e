"""A venue that speaks FIX 4.4, through a real socket: kills, lost connections, orders that were placed by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import structlog

from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.fix.acceptor import Acceptor
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import CxlRejReason, CxlRejResponseTo, ExecType, OrdRejReason, OrdStatus, Side
from crossrate.fix.message import Message
from crossrate.fix.orders import (
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
)
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import ExecutionReport, OrderCancelReject
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore
from services.broker.domain.breaks import adopted_id
from tests.integration.broker_stand import CANCEL, NEW, REPLACE, Floor, Reader, floor, instruct, instruction, order
from tests.integration.conftest import eventually
from tests.ports import free_port

pytestmark = pytest.mark.integration
NOTE = structlog.get_logger()
TAKEN = (NewOrderSingle, OrderCancelRequest, OrderCancelReplaceRequest, OrderStatusRequest, OrderMassStatusRequest)


class Prime:
    """The venue: it keeps its orders, and by itself accepts everything and fills nothing."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.orders: dict[str, dict[str, Any]] = {}
        self.received_orders: list[str] = []
        self.mute = False
        self._execs = 0
        rules = Rules("PRIME", "HOUSE", role="acceptor", reset="never")
        self.endpoint = Endpoint(rules, MemoryStore(), self, NOTE, decode=Decoder(TAKEN))
        self.acceptor = Acceptor([self.endpoint], NOTE)

    async def start(self) -> None:
        """Listens."""
        self.acceptor = Acceptor([self.endpoint], NOTE)
        await self.acceptor.start("127.0.0.1", self.port)

    async def logged_on(self) -> None:
        """See Application."""

    async def logged_out(self, reason: str) -> None:
        """See Application."""

    def report(self, held: dict[str, Any], kind: ExecType, **fields: Any) -> ExecutionReport:
        """A report about an order as it stands."""
        self._execs += 1
        values = {
            "order_id": held["id"],
            "cl_ord_id": held["cl"] or None,
            "exec_id": f"E{self._execs}",
            "exec_type": kind,
            "ord_status": held["status"],
            "symbol": "EUR/USD",
            "side": Side.BUY,
            "order_qty": held["qty"],
            "leaves_qty": held["qty"] - held["cum"]
            if held["status"] in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
            else Decimal(0),
            "cum_qty": held["cum"],
            "avg_px": Decimal(0),
        }
        return ExecutionReport(**(values | fields))

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        value = message.value
        if isinstance(value, NewOrderSingle):
            self.received_orders.append(value.cl_ord_id)
            held = {"id": f"V{len(self.orders) + 1}", "cl": value.cl_ord_id, "qty": value.order_qty}
            held |= {"cum": Decimal(0), "status": OrdStatus.NEW, "first": value.cl_ord_id}
            self.orders[held["id"]] = held
            if not self.mute:
                unit.send(self.report(held, ExecType.NEW))
            return
        if isinstance(value, OrderMassStatusRequest):
            working = [h for h in self.orders.values() if h["status"] is OrdStatus.NEW]
            for held in working:
                unit.send(self.report(held, ExecType.ORDER_STATUS, mass_status_req_id=value.mass_status_req_id))
            return
        wanted = value.cl_ord_id if isinstance(value, OrderStatusRequest) else value.orig_cl_ord_id
        held = next((h for h in self.orders.values() if wanted in (h["cl"], h["id"])), None)
        if isinstance(value, OrderStatusRequest):
            if held is None:
                none = {"id": "NONE", "cl": wanted, "qty": Decimal(0), "cum": Decimal(0), "status": OrdStatus.REJECTED}
                unit.send(self.report(none, ExecType.ORDER_STATUS, ord_rej_reason=OrdRejReason.UNKNOWN_ORDER))
            else:
                unit.send(self.report(held, ExecType.ORDER_STATUS))
        elif held is None or held["status"] is not OrdStatus.NEW:
            replace = isinstance(value, OrderCancelReplaceRequest)
            unit.send(
                OrderCancelReject(
                    order_id="NONE",
                    cl_ord_id=value.cl_ord_id,
                    orig_cl_ord_id=wanted,
                    ord_status=OrdStatus.REJECTED,
                    cxl_rej_response_to=CxlRejResponseTo.CANCEL_REPLACE if replace else CxlRejResponseTo.CANCEL,
                    cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
                )
            )
        elif isinstance(value, OrderCancelReplaceRequest):
            held["cl"], held["qty"] = value.cl_ord_id, value.order_qty
            unit.send(self.report(held, ExecType.REPLACED, orig_cl_ord_id=wanted))
        else:
            held["status"] = OrdStatus.CANCELED
            unit.send(self.report(held, ExecType.CANCELED, cl_ord_id=value.cl_ord_id, orig_cl_ord_id=wanted))

    async def fill(self, held: dict[str, Any], quantity: int, price: str, **fields: Any) -> ExecutionReport:
        """Fills a part of an order."""
        held["cum"] += quantity
        held["status"] = OrdStatus.FILLED if held["cum"] == held["qty"] else OrdStatus.NEW
        fill = {"last_qty": Decimal(quantity), "last_px": Decimal(price)}
        report = self.report(held, ExecType.TRADE, **(fill | fields))
        async with self.endpoint.unit() as unit:
            unit.send(report, offline=True)
        return report


@contextlib.asynccontextmanager
async def trading_at(extra: str = "") -> AsyncIterator[tuple[Floor, Prime, Reader]]:
    """Broker, a venue `prime`, and the simulated one behind it."""
    prime = Prime(free_port())
    venues = f"""
[venues.prime]
kind = "fix"
host = "127.0.0.1"
port = {prime.port}
sender_comp_id = "HOUSE"
target_comp_id = "PRIME"
heartbeat_s = 5
reconnect = {{ first_s = 0.05, cap_s = 0.2 }}
{extra}
[venues.sim]
kind = "simulated"
[[routes]]
venues = ["prime", "sim"]
"""
    async with floor(venues) as running:
        await prime.start()
        reader = Reader(running.routing())
        try:
            yield running, prime, reader
        finally:
            await reader.close()
            await prime.acceptor.stop()


async def _accepted(running: Floor, prime: Prime, reader: Reader, **fields: Any) -> tuple[Any, dict[str, Any]]:
    placed = order(venue="prime", **fields)
    await running.routing().Instruct(instruct(instruction(NEW, placed)))
    await reader.until(lambda: reader.kinds(placed)[-1:] == ["ACCEPTED"])
    return placed, prime.orders[reader.about(placed)[-1].venue_order_id]


async def test_an_order_lives_at_a_fix_venue() -> None:
    """It is accepted, filled in part, amended, cancelled, and each report is told once."""
    async with trading_at() as (running, prime, reader):
        placed, held = await _accepted(running, prime, reader)
        fill = await prime.fill(held, 40_000, "1.0799")
        async with prime.endpoint.unit() as unit:
            unit.send(fill)  # the same once more
        await reader.until(lambda: reader.kinds(placed)[1:] == ["FILLED"])
        told = reader.about(placed)[-1].fill
        assert (told.quantity, told.price, told.venue_exec_id) == ("40000", "1.0799", fill.exec_id)
        amended = order_pb2.Order()
        amended.CopyFrom(placed)
        amended.version, amended.terms.quantity = 2, "150000"
        await running.routing().Instruct(instruct(instruction(REPLACE, amended)))
        await reader.until(lambda: reader.kinds(placed)[2:] == ["REPLACED"])
        assert reader.about(placed)[-1].version == 2
        await running.routing().Instruct(instruct(instruction(CANCEL, amended)))
        await reader.until(lambda: reader.kinds(placed)[3:] == ["CANCELLED"])
        amended.version = 3
        await running.routing().Instruct(instruct(instruction(CANCEL, amended)))
        await reader.until(lambda: reader.kinds(placed)[4:] == ["CANCEL_REJECTED"])
        assert reader.about(placed)[-1].reason == execution.EXECUTION_REASON_TOO_LATE


async def test_a_kill_between_sending_and_answer_is_resolved_by_asking() -> None:
    """The order becomes UNKNOWN, the venue is asked, nothing is sent twice; fills of meanwhile come once."""
    async with trading_at() as (running, prime, reader):
        before, held = await _accepted(running, prime, reader)
        prime.mute = True
        silent = order(venue="prime")
        await running.routing().Instruct(instruct(instruction(NEW, silent)))
        await eventually(lambda: len(prime.received_orders) == 2)
        running.kill()
        await eventually(lambda: not prime.endpoint.standing)
        await prime.fill(held, 30_000, "1.08")
        await running.start()
        await reader.until(lambda: reader.kinds(silent) == ["UNKNOWN", "ACCEPTED"], 60)
        await reader.until(lambda: reader.kinds(before) == ["ACCEPTED", "FILLED"], 60)
        assert len(prime.received_orders) == 2


async def test_an_order_that_was_placed_by_hand_is_adopted() -> None:
    """Once, with its terms, while the session runs; its fills are told, and it can be cancelled."""
    async with trading_at() as (running, prime, reader):
        await _accepted(running, prime, reader)
        by_hand = {"id": "H7", "cl": "", "qty": Decimal(5_000), "cum": Decimal(0), "status": OrdStatus.NEW}
        prime.orders["H7"] = by_hand
        async with prime.endpoint.unit() as unit:
            unit.send(prime.report(by_hand, ExecType.NEW, price=Decimal("1.07")))
            unit.send(prime.report(by_hand, ExecType.ORDER_STATUS, price=Decimal("1.07")))
        found = lambda: [each for each in reader.reports if each.order_id == adopted_id("prime", "H7")]  # noqa: E731
        await reader.until(lambda: bool(found()))
        adopted = found()[0].order
        terms = (adopted.terms.account, adopted.terms.instrument, adopted.terms.quantity, adopted.terms.limit_price)
        assert terms == ("adopted", "EUR/USD", "5000", "1.07")
        assert adopted.adopted
        assert "H7" in adopted.terms.text
        await prime.fill(by_hand, 2_000, "1.07")
        await reader.until(lambda: found()[-1].fill.quantity == "2000")
        await running.routing().Instruct(instruct(instruction(CANCEL, adopted)))
        await reader.until(lambda: found()[-1].kind == venue_report_pb2.VENUE_REPORT_KIND_CANCELLED)
        assert [each.kind for each in found()] == [
            venue_report_pb2.VENUE_REPORT_KIND_ADOPTED,
            venue_report_pb2.VENUE_REPORT_KIND_FILLED,
            venue_report_pb2.VENUE_REPORT_KIND_CANCELLED,
        ]
        assert by_hand["status"] is OrdStatus.CANCELED


async def test_an_order_goes_elsewhere_only_while_it_was_not_sent() -> None:
    """With the first venue away the second takes it; an order that is pinned waits, and is refused in time."""
    async with trading_at("unsent_s_max = 2.0") as (running, prime, reader):
        await _accepted(running, prime, reader)
        await running.market.say("EUR/USD", 1.08, 1.0801)
        await prime.acceptor.stop()
        free, pinned = order(limit_price="1.05"), order(venue="prime")
        await running.routing().Instruct(instruct(instruction(NEW, free), instruction(NEW, pinned)))
        await reader.until(lambda: reader.kinds(free) == ["ACCEPTED"])
        assert reader.about(free)[0].venue == "sim"
        await reader.until(lambda: reader.kinds(pinned) == ["REJECTED"])
        assert reader.about(pinned)[0].reason == execution.EXECUTION_REASON_NO_VENUE
        await prime.start()
        again, _ = await _accepted(running, prime, reader)
        assert reader.about(again)[0].venue == "prime"
        assert len(prime.received_orders) == 2
