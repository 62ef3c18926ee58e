"""FIX 4.4 with dates and positions: a venue that deals forwards and swaps and reports positions; a client that asks."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import (
    ExecType,
    OrdStatus,
    OrdType,
    PosReqResult,
    PosReqStatus,
    PosReqType,
    SettlPriceType,
    Side,
)
from crossrate.fix.message import Message
from crossrate.fix.orders import NewOrderMultileg, NewOrderSingle
from crossrate.fix.parts import Leg
from crossrate.fix.positions import PositionQty, PositionReport, RequestForPositions, RequestForPositionsAck
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Rules
from crossrate.fix.store import MemoryStore
from services.broker.domain.dates import put_date
from tests.integration.breaks_stand import Books
from tests.integration.broker_stand import NEW, Floor, Reader, floor, instruct, instruction, order
from tests.integration.conftest import eventually
from tests.integration.test_broker_fix_clients import Trader
from tests.integration.test_broker_fix_venue import NOTE, TAKEN, Prime
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
NEAR, FAR = dt.date(2026, 12, 2), dt.date(2027, 3, 2)
HELD_BEFORE = 2_500


class Dated(Prime):
    """A venue that fills market orders at once, of swaps both legs, and reports what its account holds."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        rules = Rules("PRIME", "HOUSE", role="acceptor", reset="never")
        decode = Decoder((*TAKEN, RequestForPositions))
        self.endpoint = Endpoint(rules, MemoryStore(), self, NOTE, decode=decode)
        self.net = Decimal(HELD_BEFORE)
        self.sent: list[NewOrderSingle] = []
        self.asked: list[RequestForPositions] = []

    async def received(self, message: Message, unit: Any) -> None:
        """See Application."""
        value = message.value
        if isinstance(value, RequestForPositions):
            self.asked.append(value)
            self._report_positions(value, unit)
            return
        await super().received(message, unit)
        if not isinstance(value, NewOrderSingle):
            return
        self.sent.append(value)
        held = next(each for each in self.orders.values() if each["cl"] == value.cl_ord_id)
        if value.ord_type is OrdType.MARKET:
            held["cum"], held["status"] = held["qty"], OrdStatus.FILLED
            unit.send(self._dealt(value, held))

    def _dealt(self, value: NewOrderSingle, held: dict[str, Any]) -> Any:
        fields: dict[str, Any] = {"last_qty": held["qty"], "last_px": Decimal("1.0850"), "settl_date": value.settl_date}
        self.net += held["qty"] if value.order_qty2 is None else value.order_qty2 - held["qty"]
        if value.order_qty2 is not None:
            points = {"last_spot_rate": Decimal("1.0845"), "last_forward_points2": Decimal("0.0060")}
            fields |= points | {"settl_date2": value.settl_date2, "order_qty2": value.order_qty2}
        return self.report(held, ExecType.TRADE, **fields)

    def _report_positions(self, asked: RequestForPositions, unit: Any) -> None:
        common = {"pos_req_id": asked.pos_req_id, "account": asked.account, "account_type": asked.account_type}
        unit.send(
            RequestForPositionsAck(
                pos_maint_rpt_id=f"A-{asked.pos_req_id}",
                total_num_pos_reports=1,
                pos_req_result=PosReqResult.VALID,
                pos_req_status=PosReqStatus.COMPLETED,
                **common,
            )
        )
        quantity = PositionQty(pos_type="TOT", long_qty=max(self.net, Decimal(0)), short_qty=max(-self.net, Decimal(0)))
        unit.send(
            PositionReport(
                pos_maint_rpt_id=f"R-{asked.pos_req_id}",
                pos_req_result=PosReqResult.VALID,
                clearing_business_date=asked.clearing_business_date,
                symbol="EUR/USD",
                currency="EUR",
                settl_price=Decimal("1.085"),
                settl_price_type=SettlPriceType.THEORETICAL,
                prior_settl_price=Decimal("1.085"),
                positions=(quantity,),
                **common,
            )
        )


World = tuple[Floor, Dated, Reader, Trader]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    """Broker with the venue, the simulated one before it in the route, and a client."""
    prime, port = Dated(free_port()), free_port()
    venues = f"""
[venues.sim]
kind = "simulated"
[venues.prime]
kind = "fix"
host = "127.0.0.1"
port = {prime.port}
sender_comp_id = "HOUSE"
target_comp_id = "PRIME"
heartbeat_s = 5
reconnect = {{ first_s = 0.05, cap_s = 0.2 }}
deals = ["forward", "swap"]
positions = ["ACC-1"]
reconciliation = {{ interval_s = 0.3, statement_s = 0.3, grace_s = 1.0 }}
[[routes]]
venues = ["sim", "prime"]
"""
    clients = f'[gateway]\nport = {port}\n[clients.desk]\ncomp_id = "DESK"\naccounts = ["alpha"]\n'
    async with floor(venues, fix_clients=clients, passwords={"desk": "s3cret"}) as running:
        await prime.start()
        reader = running.books.reader = Reader(running.routing())
        trader = Trader(port)
        try:
            yield running, prime, reader, trader
        finally:
            await trader.close()
            await reader.close()
            await prime.acceptor.stop()


def said(trader: Trader, pos_req_id: str) -> list[Any]:
    """What answers a question about positions."""
    return [each.value for each in trader.others if getattr(each.value, "pos_req_id", "") == pos_req_id]


def dated(**terms: Any) -> order_pb2.Order:
    """An order as trading has it once its dates are worked out."""
    made = order(order_type=order_pb2.ORDER_TYPE_MARKET, **terms)
    put_date(made.settl_date, NEAR)
    if made.terms.HasField("far_leg"):
        put_date(made.far_settl_date, FAR)
    return made


SWAP = {"far_leg": order_pb2.FarLeg(settlement=order_pb2.Settlement(tenor="3M"), quantity="130000")}
BROKEN = {"settlement": order_pb2.Settlement(date={"year": 2026, "month": 12, "day": 2})}


async def test_forwards_and_swaps_go_to_the_venue_that_deals_them(world: World) -> None:
    """Not to the first of the route, which deals spot; their fills settle on their dates, those of a swap with both
    legs; the positions that the venue reports are explained by them."""
    running, prime, reader, _ = world
    books = Books(running, reader, "prime")
    await eventually(lambda: bool(prime.asked), 60)
    forward, swap = dated(**BROKEN), dated(**SWAP)
    await running.routing().Instruct(instruct(instruction(NEW, forward), instruction(NEW, swap)))
    for each in (forward, swap):
        await reader.until(lambda each=each: reader.kinds(each) == ["ACCEPTED", "FILLED"], 60)
        assert reader.about(each)[-1].venue == "prime"
    first, second = prime.sent[:2]
    assert (first.settl_type, first.settl_date, first.settl_date2) == ("B", NEAR, None)
    assert (second.settl_date, second.settl_date2, second.order_qty2) == (NEAR, FAR, 130_000)
    dealt = reader.about(forward)[-1].fill
    assert (dealt.price, dealt.settl_date.month, dealt.settl_date.day) == ("1.085", 12, 2)
    legs = reader.about(swap)[-1].fill
    assert (legs.quantity, legs.price, legs.far_quantity, legs.far_price) == ("100000", "1.085", "130000", "1.0905")
    assert (legs.far_settl_date.year, legs.far_settl_date.month) == (2027, 3)
    asked = len(prime.asked)
    await eventually(lambda: len(prime.asked) > asked + 2, 60)
    answer = await books.compared(whole=True)
    assert [each for each in answer.breaks if each.type == pb.BREAK_TYPE_POSITION] == []
    assert answer.run.pending == 0


async def test_a_position_that_no_report_explains_is_a_break(world: World) -> None:
    """What the account held before it was asked is its own affair; a part that came since and that nobody told is a
    break, and gates its instrument until two persons book it."""
    running, prime, reader, _ = world
    books = Books(running, reader, "prime")
    asked = len(prime.asked)
    await eventually(lambda: len(prime.asked) > asked + 2, 60)  # what it held before is known
    prime.net += 700
    found = await books.break_of(pb.BREAK_TYPE_POSITION)
    says = {each.book: int(each.quantity) for each in found.books}
    assert says["statement"] - says["broker"] == 700
    await books.until(lambda _: books.gates.get("EUR/USD@prime") is not None)
    assert (await books.correct(found, price="1.08")).resolution == "corrected"


async def test_a_client_s_question_is_answered_beside_its_orders(world: World) -> None:
    """By the ledger's positions, up to a report that the client knows; without the ledger at once, in words, and its
    orders go on. A swap of two legs and a trailing stop are orders."""
    running, _, _, trader = world
    mark = balance_pb2.Mark(instrument="EUR/USD", bid="1.1010", ask="1.1012", live=True)
    running.ledger.positions = [
        balance_pb2.Position(
            instrument="EUR/USD", quantity="250000", average_price="1.1", unrealised_counter="250", mark=mark
        )
    ]
    now = time.time_ns() // 1_000_000 * 1_000_000
    today = dt.datetime.now(dt.UTC).date()
    values = {"pos_req_type": PosReqType.POSITIONS, "account": "alpha", "account_type": 1, "transact_time": now}
    values["clearing_business_date"] = today
    await trader.send(RequestForPositions(pos_req_id="p-1", **values))
    await eventually(lambda: len(said(trader, "p-1")) == 2, 60)
    ack, report = said(trader, "p-1")
    assert (ack.total_num_pos_reports, ack.pos_req_status) == (1, PosReqStatus.COMPLETED)
    assert (report.symbol, report.net, report.settl_price) == ("EUR/USD", 250_000, Decimal("1.1010"))
    assert "alpha:12" in report.text
    running.ledger.away = True
    legs = (
        Leg(leg_symbol="EUR/USD", leg_side=Side.SELL, leg_settl_date=NEAR, leg_qty=Decimal(100_000)),
        Leg(leg_symbol="EUR/USD", leg_side=Side.BUY, leg_settl_date=FAR, leg_qty=Decimal(130_000)),
    )
    await trader.send(
        RequestForPositions(pos_req_id="p-2", **values),
        NewOrderMultileg(cl_ord_id="s-1", side=Side.BUY, legs=legs, transact_time=now, ord_type=OrdType.MARKET),
        NewOrderSingle(
            cl_ord_id="t-1",
            symbol="EUR/USD",
            side=Side.SELL,
            transact_time=now,
            order_qty=Decimal(100_000),
            ord_type=OrdType.PEGGED,
            exec_inst=("a",),
            peg_offset_value=Decimal("0.0025"),
        ),
        RequestForPositions(pos_req_id="p-3", **(values | {"account": "gamma"})),
    )
    await eventually(lambda: bool(said(trader, "p-2")) and bool(said(trader, "p-3")), 60)
    assert said(trader, "p-2")[0].pos_req_status is PosReqStatus.REJECTED
    assert "the ledger cannot say" in said(trader, "p-2")[0].text
    assert said(trader, "p-3")[0].pos_req_result is PosReqResult.NOT_AUTHORISED
    await eventually(lambda: all(trader.types(name) == ["PENDING_NEW", "NEW"] for name in ("s-1", "t-1")), 60)
    swap, trailing = (running.trading.orders["alpha", name].terms for name in ("s-1", "t-1"))
    assert (swap.side, swap.quantity, swap.far_leg.quantity) == (order_pb2.SIDE_BUY, "100000", "130000")
    assert (trailing.order_type, trailing.trailing_distance) == (order_pb2.ORDER_TYPE_TRAILING_STOP, "0.0025")
    assert trader.about("t-1")[-1].peg_offset_value == Decimal("0.0025")
