"""A venue that speaks FIX 4.4 with a drop copy: its statement and its trades against what it told us."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.fix.acceptor import Acceptor
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import ExecType, OrdStatus, Side
from crossrate.fix.message import Message
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import ExecutionReport, TradeCaptureReport, TradeSide
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore
from crossrate.fix.trades import ACCEPTED, TradeCaptureReportRequest, TradeCaptureReportRequestAck
from tests.integration.breaks_stand import Books
from tests.integration.broker_stand import NEW, Floor, Reader, floor, instruct, instruction, order
from tests.integration.conftest import eventually
from tests.integration.test_broker_fix_venue import NOTE, Prime
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


class Copy:
    """The venue's second session: it tells trades to who subscribed to them."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.subscribed = False
        rules = Rules("PRIME-DC", "HOUSE-DC", role="acceptor", reset="never")
        decode = Decoder([TradeCaptureReportRequest])
        self.endpoint = Endpoint(rules, MemoryStore(), self, NOTE, decode=decode)
        self.acceptor = Acceptor([self.endpoint], NOTE)

    async def start(self) -> None:
        """Listens."""
        self.acceptor = Acceptor([self.endpoint], NOTE)
        await self.acceptor.start("127.0.0.1", self.port)

    async def logged_on(self) -> None:
        """See Application."""

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self.subscribed = False

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        asked = message.value
        assert isinstance(asked, TradeCaptureReportRequest)
        unit.send(
            TradeCaptureReportRequestAck(
                trade_request_id=asked.trade_request_id,
                trade_request_type=asked.trade_request_type,
                trade_request_result=0,
                trade_request_status=ACCEPTED,
            )
        )
        self.subscribed = True

    async def tell(self, fill: ExecutionReport) -> None:
        """The trade of a fill."""
        side = TradeSide(side=fill.side, order_id=fill.order_id, cl_ord_id=fill.cl_ord_id)
        assert fill.last_qty is not None
        assert fill.last_px is not None
        report = TradeCaptureReport(
            trade_report_id=f"T-{fill.exec_id}",
            exec_id=fill.exec_id,
            previously_reported=False,
            symbol=fill.symbol,
            last_qty=fill.last_qty,
            last_px=fill.last_px,
            trade_date=dt.datetime.now(dt.UTC).date(),
            transact_time=time.time_ns() // 1_000_000 * 1_000_000,
            sides=(side,),
        )
        async with self.endpoint.unit() as unit:
            unit.send(report, offline=True)


@contextlib.asynccontextmanager
async def venue() -> AsyncIterator[tuple[Books, Prime, Copy]]:
    """Broker with `prime` and its drop copy."""
    prime, copy = Prime(free_port()), Copy(free_port())
    venues = f"""
[venues.prime]
kind = "fix"
host = "127.0.0.1"
port = {prime.port}
sender_comp_id = "HOUSE"
target_comp_id = "PRIME"
heartbeat_s = 5
reconnect = {{ first_s = 0.05, cap_s = 0.2 }}
reconciliation = {{ interval_s = 0.3, statement_s = 0.3, grace_s = 1.0, late_s = 1.0 }}
drop_copy = {{ port = {copy.port}, sender_comp_id = "HOUSE-DC", target_comp_id = "PRIME-DC" }}
[[routes]]
venues = ["prime"]
"""
    async with floor(venues) as running:
        await prime.start()
        await copy.start()
        reader = running.books.reader = Reader(running.routing())
        try:
            await eventually(lambda: copy.subscribed)
            yield Books(running, reader, "prime"), prime, copy
        finally:
            await reader.close()
            await copy.acceptor.stop()
            await prime.acceptor.stop()


async def accepted(running: Floor, prime: Prime, reader: Reader, **fields: Any) -> tuple[order_pb2.Order, dict]:
    """An order that works at the venue."""
    placed = order(venue="prime", **fields)
    await running.routing().Instruct(instruct(instruction(NEW, placed)))
    await reader.until(lambda: reader.kinds(placed)[-1:] == ["ACCEPTED"])
    return placed, prime.orders[reader.about(placed)[-1].venue_order_id]


async def test_the_drop_copy_and_the_statement_of_a_fix_venue() -> None:
    """A trade of the drop copy alone is adopted once; one that is late there heals; ghosts end; silence is late."""
    async with venue() as (it, prime, copy):
        placed, held = await accepted(it.running, prime, it.reader)
        # Told on both ways: nothing.
        both = await prime.fill(held, 10_000, "1.0799")
        await copy.tell(both)
        await it.reader.until(lambda: it.reader.kinds(placed)[1:] == ["FILLED"])
        # By the drop copy alone: the venue's own report comes when two persons have booked it already.
        held["cum"] += 20_000
        fill = {"last_qty": Decimal(20_000), "last_px": Decimal("1.08")}
        unheard = prime.report(held, ExecType.TRADE, **fill)
        await copy.tell(unheard)
        found = await it.break_of(pb.BREAK_TYPE_MISSING_FILL)
        assert (found.venue_exec_id, found.order_id, found.account) == (unheard.exec_id, placed.order_id, "alpha")
        assert (await it.correct(found)).resolution == "corrected"
        async with prime.endpoint.unit() as unit:
            unit.send(unheard, offline=True)
        # By the order's session alone, and on the drop copy when it was a break already.
        late = await prime.fill(held, 30_000, "1.0801")
        found = await it.break_of(pb.BREAK_TYPE_UNKNOWN_FILL)
        assert found.venue_exec_id == late.exec_id
        await copy.tell(late)
        assert (await it.closed(found)).resolution == "healed"
        assert it.reader.kinds(placed)[1:] == ["FILLED"] * 3
        # The venue has an order no more, and says nothing.
        ghost, gone = await accepted(it.running, prime, it.reader)
        gone["status"] = OrdStatus.CANCELED
        found = await it.break_of(pb.BREAK_TYPE_MISSING_AT_VENUE)
        assert found.order_id == ghost.order_id
        assert (await it.correct(found)).resolution == "corrected"
        # The venue has one that we think has ended.
        gone["status"] = OrdStatus.NEW
        found = await it.break_of(pb.BREAK_TYPE_STATE)
        assert (await it.correct(found)).resolution == "corrected"
        assert gone["status"] is OrdStatus.CANCELED
        # An order that is not answered.
        prime.mute = True
        silent = order(venue="prime")
        await it.running.routing().Instruct(instruct(instruction(NEW, silent)))
        found = await it.break_of(pb.BREAK_TYPE_LATE)
        assert (found.order_id, found.HasField("gate")) == (silent.order_id, False)
        sent = next(each for each in prime.orders.values() if each["cl"] == prime.received_orders[-1])
        async with prime.endpoint.unit() as unit:
            unit.send(prime.report(sent, ExecType.NEW, side=Side.BUY))
        assert (await it.closed(found)).resolution == "healed"


async def test_without_its_session_the_drop_copy_accuses_nobody() -> None:
    """The run says what was not compared; what was told meanwhile comes by the session's numbers."""
    async with venue() as (it, prime, copy):
        placed, held = await accepted(it.running, prime, it.reader)
        await copy.acceptor.stop()
        fill = await prime.fill(held, 10_000, "1.0799")
        await it.reader.until(lambda: it.reader.kinds(placed)[1:] == ["FILLED"])
        run = (await it.compared()).run
        assert any(each.startswith("drop copy") for each in run.missing)
        assert run.pending == 1
        await copy.tell(fill)
        await copy.start()
        await eventually(lambda: copy.subscribed)
        end = time.monotonic() + 60
        while (run := (await it.compared()).run).pending or run.missing:
            assert time.monotonic() < end, run
        assert await it.listed(closed=True) == []
