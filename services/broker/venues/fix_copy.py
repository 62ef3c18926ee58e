"""The drop copy of a venue that speaks FIX 4.4: a second session, on which it tells its trades again.

What comes is kept in the transaction that acknowledges it, under the venue's ids, and looked at by nobody but the
comparison of books: it changes no order. ExecID (17) of a trade is that of the fill that it is about, also where it is
taken back or corrected; without one TradeReportRefID (572) is.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import ExecType, Side, SubscriptionRequestType, TradeReportTransType
from crossrate.fix.faults import NotLoggedOn
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.parts import ExecutedLeg
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import BusinessMessageReject, ExecutionReport, TradeCaptureReport
from crossrate.fix.rules import Rules
from crossrate.fix.trades import ALL_TRADES, REJECTED, TradeCaptureReportRequest, TradeCaptureReportRequestAck
from crossrate.store import Database
from crossrate.store.fix_store import FixStore
from services.broker.domain.amounts import QUANTITY_UNIT
from services.broker.domain.books import BUY, SELL
from services.broker.engine.desk import Desk
from services.broker.store.breaks import fence
from services.broker.store.copies import CORRECTED, FILL, TAKEN_BACK
from services.broker.venues.declared import DropCopySession, FixVenue
from services.broker.venues.fix_words import instrument_of

_COPY = """
INSERT INTO drop_copy (venue, number, kind, exec_id, ref, venue_order_id, client_id, instrument, side, quantity, price,
                       time_ns, net)
SELECT $1, coalesce((SELECT max(number) FROM drop_copy WHERE venue = $1), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
       $11, $12
ON CONFLICT (venue, exec_id, kind) DO NOTHING"""
_REPORTED = {
    ExecType.TRADE: FILL,
    ExecType.TRADE_CANCEL: TAKEN_BACK,
    ExecType.TRADE_CORRECT: CORRECTED,
}
_CAPTURED = {
    TradeReportTransType.CANCEL: TAKEN_BACK,
    TradeReportTransType.REVERSE: TAKEN_BACK,
    TradeReportTransType.REPLACE: CORRECTED,
}


class FixCopy:
    """See the module."""

    def __init__(
        self, desk: Desk, venue: FixVenue, spec: DropCopySession, folder: Path, database: Database, note: Any
    ) -> None:
        self._desk, self._venue, self._spec, self._folder, self._note = desk, venue, spec, folder, note
        self.since_ns: int | None = None
        """Since when it is heard without a break, ns since 1970 UTC; None while it is not."""
        self._standing = asyncio.Event()
        password = (folder / spec.password_file).read_text().strip() if spec.password_file else ""
        rules = Rules(
            spec.sender_comp_id,
            spec.target_comp_id,
            username=spec.username,
            heartbeat_s=venue.heartbeat_s,
            reset="never",
            peer_may_reset=venue.may_reset,
            clock_s=venue.clock_s,
        )
        self._endpoint = Endpoint(
            rules,
            FixStore(database, f"venue:{desk.venue}:copy"),
            self,
            note,
            password=password,
            decode=Decoder([TradeCaptureReport, TradeCaptureReportRequestAck, ExecutionReport, BusinessMessageReject]),
        )

    async def run(self) -> None:
        """Stays logged on, until it is cancelled."""
        venue, spec = self._venue, self._spec
        host = spec.host or venue.host
        way = Initiator(
            self._endpoint,
            host,
            spec.port,
            self._note,
            tls=tls_of(venue, self._folder),
            server_name=venue.server_name,
            pause_s=venue.reconnect.first_s,
            pause_s_max=venue.reconnect.cap_s,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(way.run(asyncio.Event()))
            group.create_task(self._subscribe())

    async def _subscribe(self) -> None:
        """What was missed comes by the session's numbers; where trades are asked for, they are at each logon."""
        while True:
            await self._standing.wait()
            self._standing.clear()
            try:
                if self._spec.tells == "trade_reports":
                    async with self._endpoint.unit() as unit:
                        unit.send(
                            TradeCaptureReportRequest(
                                trade_request_id=f"D{time.time_ns()}",
                                trade_request_type=ALL_TRADES,
                                subscription_request_type=SubscriptionRequestType.SUBSCRIBE,
                            )
                        )
            except NotLoggedOn:
                continue
            self.since_ns = time.time_ns()
            self._note.info("a venue's drop copy is heard", venue=self._desk.venue)

    async def logged_on(self) -> None:
        """See Application."""
        self._standing.set()

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self.since_ns = None

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        value = message.value
        try:
            if isinstance(value, TradeCaptureReport):
                await self._captured(unit.transaction, value)
            elif isinstance(value, ExecutionReport) and value.exec_type in _REPORTED:
                await self._reported(unit.transaction, value)
            elif isinstance(value, TradeCaptureReportRequestAck) and value.trade_request_status == REJECTED:
                self._note.error("a venue tells no trades", venue=self._desk.venue, why=value.text or "")
                self.since_ns = None
        except ValueError as error:
            # It would come again and again: it is told to people, and the session goes on.
            self._note.error("a venue's trade cannot be read", venue=self._desk.venue, why=str(error))

    async def _captured(self, connection: asyncpg.Connection, value: TradeCaptureReport) -> None:
        side = value.sides[0]
        kind = _CAPTURED.get(value.trade_report_trans_type) if value.trade_report_trans_type is not None else None
        kind = kind or _REPORTED.get(value.exec_type or ExecType.TRADE, FILL)
        fill_id = value.exec_id or value.trade_report_ref_id or value.trade_report_id
        await self._keep(
            connection,
            kind,
            fill_id if kind == FILL else value.trade_report_id,
            "" if kind == FILL else fill_id,
            (side.order_id, side.cl_ord_id or ""),
            value.symbol,
            side.side,
            (value.last_qty, value.last_px),
            value.transact_time,
            _net(side.side, value.last_qty, None, value.legs),
        )

    async def _reported(self, connection: asyncpg.Connection, value: ExecutionReport) -> None:
        kind = _REPORTED[value.exec_type]
        if kind != FILL and not value.exec_ref_id:
            raise ValueError(f"ExecID {value.exec_id}: takes back or corrects no fill: ExecRefID (19) is missing")
        await self._keep(
            connection,
            kind,
            value.exec_id,
            value.exec_ref_id or "" if kind != FILL else "",
            (value.order_id, value.cl_ord_id or ""),
            value.symbol,
            value.side,
            (value.last_qty or Decimal(0), value.last_px or Decimal(0)),
            value.transact_time or time.time_ns(),
            _net(value.side, value.last_qty or Decimal(0), value.order_qty2, value.legs),
        )

    async def _keep(
        self,
        connection: asyncpg.Connection,
        kind: int,
        exec_id: str,
        ref: str,
        ids: tuple[str, str],
        symbol: str,
        side: Side,
        deal: tuple[Decimal, Decimal],
        time_ns: int,
        net: int | None,
    ) -> None:
        if kind != TAKEN_BACK and (deal[0] <= 0 or deal[1] <= 0):
            raise ValueError(f"ExecID {exec_id}: LastQty (32) or LastPx (31) is missing, or not above zero")
        await fence(connection, self._desk.lease)
        await connection.execute(
            _COPY,
            self._desk.venue,
            kind,
            exec_id,
            ref,
            *ids,
            instrument_of(symbol),
            BUY if side is Side.BUY else SELL,
            int(deal[0] * QUANTITY_UNIT),
            deal[1],
            time_ns,
            net,
        )


def _net(side: Side, near: Decimal, far: Decimal | None, legs: Sequence[ExecutedLeg]) -> int | None:
    """What a swap does to the position, whose side is that of its far leg; None for what is none."""
    quantities = [each.leg_qty for each in sorted(legs, key=lambda each: each.leg_settl_date or dt.date.min)]
    if len(quantities) == 2:
        near, far = quantities[0] or near, quantities[1] or far or near
    if far is None:
        return None
    return (BUY if side is Side.BUY else SELL) * int((far - near) * QUANTITY_UNIT)


def tls_of(spec: FixVenue, folder: Path) -> ssl.SSLContext | None:
    """How a venue's certificate is checked; None without TLS."""
    if not spec.tls:
        return None
    context = ssl.create_default_context(cafile=str(folder / spec.ca_file) if spec.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
