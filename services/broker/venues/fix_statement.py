"""A FIX venue's statement: all that works there (AF), and a question behind it whose answer says that all were told.

A venue handles our messages in their order. So the answer to a question about an order that never was, sent after the
mass status request, comes when everything that works has been told, be it nothing.
"""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import asyncpg

from crossrate.basics.pair import parse_pair
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import ExecType, MassStatusReqType, OrdStatus, Side
from crossrate.fix.faults import NotLoggedOn, Throttled
from crossrate.fix.kinds import REJECT
from crossrate.fix.message import Message
from crossrate.fix.orders import OrderMassStatusRequest, OrderStatusRequest
from crossrate.fix.positions import PositionReport, RequestForPositions, RequestForPositionsAck
from crossrate.fix.reports import BusinessMessageReject, ExecutionReport
from crossrate.store import Database
from services.broker.domain.amounts import QUANTITY_UNIT
from services.broker.domain.books import BUY, SELL, StatedOrder, Statement
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.venues.declared import FixVenue
from services.broker.venues.fix_positions import AskedPositions, Base
from services.broker.venues.fix_words import instrument_of, symbol_of
from services.broker.venues.owned import own_order

WORKING = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)


STATEMENT_S_MAX = 10.0
"""How long a statement is waited for."""
DAY = parse_pair("EUR/USD")
"""Whose session is the trading day."""
ASKS_POSITIONS = RequestForPositions.KIND.decode()
FILLS = (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)


class Stating:
    """What a venue is asked for its statement, and what of its messages answers that."""

    def __init__(
        self, desk: Desk, spec: FixVenue, database: Database, calendar: Calendar, prefix: str, note: Any
    ) -> None:
        self._desk, self._spec, self._calendar, self._prefix, self._note = desk, spec, calendar, prefix, note
        self._base = Base(desk.venue, database)
        self._orders: Asking | None = None
        self._positions: AskedPositions | None = None
        self._said = ""
        self._asks = bool(spec.positions)

    def begin(self) -> None:
        """A session begins."""
        self._asks = bool(self._spec.positions)

    def answered(self, message: Message) -> bool:
        """Whether a message only says that something is complete, or that it is not done."""
        value = message.value
        if self._orders is None:
            return False
        if message.kind == REJECT and message.text(372) == ASKS_POSITIONS and self._positions is not None:
            self._positions.refuse(message.text(58))
            return True
        if isinstance(value, ExecutionReport):
            if self._positions is not None and value.exec_type in FILLS:
                self._positions.fill()
            return self._orders.answers(value)
        if isinstance(value, BusinessMessageReject) and value.business_reject_ref_id == self._orders.last:
            self._orders.complete.set()
            return True
        refused = isinstance(value, BusinessMessageReject) and value.ref_msg_type == ASKS_POSITIONS
        if refused and self._positions is not None:
            self._positions.refuse(value.text or "")
        return refused

    def take(self, value: ExecutionReport, order_id: str) -> None:
        """The status of an order, with the order here that it is about."""
        if self._orders is not None and value.exec_type is ExecType.ORDER_STATUS:
            self._orders.take(value, order_id)

    async def take_position(
        self, connection: asyncpg.Connection, value: RequestForPositionsAck | PositionReport
    ) -> None:
        """What answers the question about positions."""
        if self._positions is not None:
            self._positions.take(value, await connection.fetchval("SELECT last_sequence FROM report_head"))

    async def statement(self, endpoint: Endpoint) -> Statement | None:
        """Asks; None where there is no session, or no answer in time.

        Raises:
            StoreError: the database is away.
        """
        now_ns = time.time_ns()
        orders = self._orders = Asking(f"{self._prefix}R{now_ns}", symbol_of(self._spec, "EUR/USD"))
        day = self._calendar.session(DAY, now_ns).trade_date
        # By milliseconds, as every venue reads them.
        positions = AskedPositions(
            f"{self._prefix}P{now_ns}", self._spec.positions, day, now_ns // 1_000_000 * 1_000_000
        )
        self._positions = positions if self._asks else None
        try:
            async with endpoint.unit() as unit:
                for question in orders.questions():
                    unit.send(question)
                for asked in positions.questions() if self._asks else ():
                    unit.send(asked)
            async with asyncio.timeout(STATEMENT_S_MAX):
                await orders.complete.wait()
        except (NotLoggedOn, Throttled, TimeoutError):
            return None
        held, upto = await self._held(positions) if self._asks else (None, None)
        reading, venue = self._desk.reading, self._desk.venue
        unanswered = await reading.unanswered_s(venue)
        known = await reading.open_orders(venue)
        known += (await reading.orders(orders.order_ids - {each.order_id for each in known})).values()
        own = {each.order_id: own_order(each, unanswered.get(each.order_id, 0.0)) for each in known}
        return Statement(orders.stated, held, own=own, reports=upto)

    async def _held(self, asked: AskedPositions) -> tuple[dict[str, int] | None, int | None]:
        try:
            async with asyncio.timeout(STATEMENT_S_MAX):
                await asked.complete.wait()
            stated = asked.positions()
        except TimeoutError:
            asked.refuse(f"no answer in {STATEMENT_S_MAX:.0f} s")
        except ValueError as error:
            asked.refuse(str(error))
        if asked.refused:
            # Who does not answer would hold up what is said of orders: asked again in the next session.
            self._asks = False
            if asked.refused != self._said:
                self._note.warning("a venue does not report positions", venue=self._desk.venue, why=asked.refused)
        self._said = asked.refused
        if asked.refused or asked.moved:
            return None, None
        return await self._base.without(stated, asked.upto), asked.upto


class Asking:
    """One statement that was asked for. Made with a name that no other has."""

    def __init__(self, name: str, symbol: str) -> None:
        self.last = f"{name}E"
        self._name = name
        self._symbol = symbol
        self._told: dict[str, StatedOrder] = {}
        self.complete = asyncio.Event()

    def questions(self) -> tuple[OrderMassStatusRequest, OrderStatusRequest]:
        """What is sent, in order."""
        return (
            OrderMassStatusRequest(mass_status_req_id=self._name, mass_status_req_type=MassStatusReqType.ALL),
            OrderStatusRequest(cl_ord_id=self.last, symbol=self._symbol, side=Side.BUY),
        )

    def answers(self, value: ExecutionReport) -> bool:
        """Whether a report says that all were told."""
        if value.cl_ord_id == self.last or value.ord_status_req_id == self.last:
            self.complete.set()
            return True
        return False

    def take(self, value: ExecutionReport, order_id: str) -> None:
        """A report, if it answers this one; with the order here that it is about."""
        if value.mass_status_req_id == self._name and value.ord_status in WORKING and value.order_id != "NONE":
            self._told[value.order_id] = stated_of(value, order_id)

    @property
    def order_ids(self) -> set[str]:
        """Orders here that it is about."""
        return {each.order_id for each in self._told.values() if each.order_id}

    @property
    def stated(self) -> tuple[StatedOrder, ...]:
        """What was told."""
        return tuple(self._told.values())


def stated_of(value: ExecutionReport, order_id: str = "") -> StatedOrder:
    """An order as a report states it."""
    quantity = value.order_qty if value.order_qty is not None else value.leaves_qty + value.cum_qty
    return StatedOrder(
        value.order_id,
        value.cl_ord_id or "",
        instrument_of(value.symbol),
        BUY if value.side is Side.BUY else SELL,
        int(quantity * QUANTITY_UNIT),
        value.price or None if value.stop_px is None else None,
        int((value.cum_qty or Decimal(0)) * QUANTITY_UNIT),
        order_id,
        value.ord_status.name.lower(),
        value.stop_px,
    )
