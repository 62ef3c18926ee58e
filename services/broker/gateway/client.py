"""One client's session: what comes is kept with the number that acknowledges it, then carried out at trading.

    D AB F G H q AF AD AN ▶ received: one transaction ─▶ carrying: PlaceOrders, CancelOrder, … with ids of the ClOrdIDs
    8 9 r AE AQ AO AP  ◀─ telling: trading's reports, each with the position that it moves, in one transaction

So a kill anywhere leaves what is to be done and what is to be told; both go on where they stopped.
"""

from __future__ import annotations

import asyncio
import dataclasses
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    MassCancelRejectReason,
    MassCancelResponse,
    MassCancelType,
    MassStatusReqType,
    OrdRejReason,
    OrdStatus,
    Side,
    SubscriptionRequestType,
)
from crossrate.fix.message import Message
from crossrate.fix.orders import (
    NewOrderMultileg,
    NewOrderSingle,
    OrderCancelReplaceRequest,
    OrderCancelRequest,
    OrderMassCancelRequest,
    OrderMassStatusRequest,
    OrderStatusRequest,
)
from crossrate.fix.positions import RequestForPositions
from crossrate.fix.reports import ExecutionReport, OrderCancelReject, OrderMassCancelReport
from crossrate.fix.trades import (
    ACCEPTED,
    ALL_TRADES,
    NOT_SUPPORTED,
    REJECTED,
    TradeCaptureReportRequest,
    TradeCaptureReportRequestAck,
)
from crossrate.rpc.call import new_request_id
from services.broker.gateway import words_in as words
from services.broker.gateway.carrying import Carrying
from services.broker.gateway.declared import FixClient
from services.broker.gateway.kept import Kept, Kind
from services.broker.gateway.positions import Positions
from services.broker.gateway.telling import Telling

TAKEN = (
    NewOrderSingle,
    NewOrderMultileg,
    OrderCancelRequest,
    OrderCancelReplaceRequest,
    OrderStatusRequest,
    OrderMassCancelRequest,
    OrderMassStatusRequest,
    TradeCaptureReportRequest,
    RequestForPositions,
)
"""What a client may send."""


class Client:
    """The application behind a client's session."""

    def __init__(self, spec: FixClient, kept: Kept, carrying: Carrying, telling: Telling, positions: Positions) -> None:
        self._spec = spec
        self._kept = kept
        self._carrying = carrying
        self._telling = telling
        self._positions = positions

    def wake(self) -> None:
        """There may be requests."""
        self._carrying.wake.set()
        self._positions.wake.set()

    def attach(self, endpoint: Endpoint) -> None:
        """The session that it speaks by."""
        self._carrying.endpoint = self._telling.endpoint = self._positions.endpoint = endpoint

    async def begin(self) -> None:
        """See Telling.begin. A session that stood when its last instance ended was lost with it."""
        for account in self._spec.accounts:
            await self._telling.begin(account)
        await self._lost()

    async def run(self) -> None:
        """Carries out and tells, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._carrying.run())
            group.create_task(self._positions.run())
            for account in self._spec.accounts:
                group.create_task(self._telling.run(account))

    async def logged_on(self) -> None:
        """See Application."""
        if self._spec.cancel_on_disconnect:
            await self._kept.stands(self._cancels())
        self._telling.stand()

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self._telling.fall()
        await self._lost()

    async def _lost(self) -> None:
        """What works is cancelled, once for each session that was lost, after all that it had sent was carried out."""
        if self._spec.cancel_on_disconnect:
            await self._kept.falls(self._cancels())
            self.wake()

    def _cancels(self) -> list[entry.CancelAllRequest]:
        return [entry.CancelAllRequest(request_id=new_request_id(), account=each) for each in self._spec.accounts]

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        value = message.value
        if isinstance(value, NewOrderSingle | NewOrderMultileg):
            await self._place(value, unit, again=message.possible_resend)
        elif isinstance(value, OrderCancelRequest | OrderCancelReplaceRequest):
            await self._change(value, unit)
        elif isinstance(value, OrderStatusRequest):
            await self._status(value, unit)
        elif isinstance(value, OrderMassCancelRequest):
            await self._cancel_all(value, unit)
        elif isinstance(value, OrderMassStatusRequest):
            await self._status_of_all(value, unit)
        elif isinstance(value, TradeCaptureReportRequest):
            await self._trades(value, unit)
        elif isinstance(value, RequestForPositions):
            await self._positions.received(value, unit)

    async def _trades(self, request: TradeCaptureReportRequest, unit: Unit) -> None:
        """From now on the session is told each fill once more as a trade, or no more."""
        wants = request.subscription_request_type
        text = ""
        if request.trade_request_type != ALL_TRADES:
            text = f"569={request.trade_request_type}: 0 (all trades)"
        elif wants not in (SubscriptionRequestType.SUBSCRIBE, SubscriptionRequestType.UNSUBSCRIBE):
            text = "263: 1 (trades from now on) or 2 (no more); earlier ones are in execution reports"
        else:
            on = wants is SubscriptionRequestType.SUBSCRIBE
            await self._kept.subscribe(unit.transaction, request.trade_request_id if on else "")
        unit.send(
            TradeCaptureReportRequestAck(
                trade_request_id=request.trade_request_id,
                trade_request_type=request.trade_request_type,
                subscription_request_type=wants,
                trade_request_result=NOT_SUPPORTED if text else 0,
                trade_request_status=REJECTED if text else ACCEPTED,
                text=text or None,
            )
        )

    def _account(self, named: str | None) -> str:
        if named and named not in self._spec.accounts:
            raise words.Refused(f"1={named}: the session's accounts are {', '.join(self._spec.accounts)}")
        return named or self._spec.accounts[0]

    async def _place(self, order: NewOrderSingle | NewOrderMultileg, unit: Unit, *, again: bool) -> None:
        connection = unit.transaction
        known = await self._kept.root(connection, order.cl_ord_id)
        if known is not None and again:
            request = history.GetOrderRequest(account=known[0], order=known[1])
            await self._kept.ask(connection, Kind.STATUS, *known, order.cl_ord_id, request.SerializeToString())
            return
        try:
            if known is not None:
                raise words.Refused(f"11={order.cl_ord_id}: was used before; every order has its own ClOrdID")
            account = self._account(order.account)
            made = words.new_order(words.swap(order) if isinstance(order, NewOrderMultileg) else order, account)
        except words.Refused as refused:
            reason = OrdRejReason.DUPLICATE_ORDER if known is not None else OrdRejReason.OTHER
            unit.send(rejected(order, str(refused), reason))
            return
        await self._kept.begin(connection, account, order.cl_ord_id)
        await self._kept.ask(
            connection, Kind.PLACE, account, order.cl_ord_id, order.cl_ord_id, made.SerializeToString()
        )

    async def _change(self, request: OrderCancelRequest | OrderCancelReplaceRequest, unit: Unit) -> None:
        connection, replace = unit.transaction, isinstance(request, OrderCancelReplaceRequest)
        known = await self._kept.root(connection, request.orig_cl_ord_id)
        try:
            if known is None:
                raise words.Refused(f"41={request.orig_cl_ord_id}: no order of this session has had this ClOrdID")
            if await self._kept.root(connection, words.checked_id(request.cl_ord_id)) is not None:
                raise words.Refused(f"11={request.cl_ord_id}: was used before; every request has its own ClOrdID")
            account, root = known
            if isinstance(request, OrderCancelReplaceRequest):
                made: Any = words.amendment(self._kept.session, request, account, root)
            else:
                made = entry.CancelOrderRequest(
                    request_id=words.request_id(self._kept.session, request.cl_ord_id),
                    account=account,
                    client_order_id=root,
                )
        except words.Refused as refused:
            reason = CxlRejReason.UNKNOWN_ORDER if known is None else CxlRejReason.DUPLICATE_CL_ORD_ID
            unit.send(change_rejected(request, replace, str(refused), reason))
            return
        await self._kept.link(connection, account, root, request.cl_ord_id)
        kind = Kind.AMEND if replace else Kind.CANCEL
        await self._kept.ask(connection, kind, account, root, request.cl_ord_id, made.SerializeToString())

    async def _status(self, request: OrderStatusRequest, unit: Unit) -> None:
        known = await self._kept.root(unit.transaction, request.cl_ord_id)
        if known is None:
            text = f"11={request.cl_ord_id}: no order of this session has had this ClOrdID"
            report = unknown(request.cl_ord_id, request.symbol, request.side, text)
            report = _with(report, ord_status_req_id=request.ord_status_req_id)
            unit.send(report)
            return
        asked = history.GetOrderRequest(account=known[0], order=known[1])
        # The answer's ClOrdID is the newest; what it was asked by goes with it where the client gave it.
        reference = request.ord_status_req_id or ""
        await self._kept.ask(unit.transaction, Kind.STATUS, *known, reference, asked.SerializeToString())

    async def _cancel_all(self, request: OrderMassCancelRequest, unit: Unit) -> None:
        kind = request.mass_cancel_request_type
        if kind not in (MassCancelType.ALL, MassCancelType.SECURITY):
            unit.send(
                OrderMassCancelReport(
                    cl_ord_id=request.cl_ord_id,
                    order_id="NONE",
                    mass_cancel_request_type=kind,
                    mass_cancel_response=MassCancelResponse.REJECTED,
                    mass_cancel_reject_reason=MassCancelRejectReason.NOT_SUPPORTED,
                    text=f"530={kind}: 1 (of a symbol) or 7 (all)",
                )
            )
            return
        for account in self._spec.accounts:
            made = entry.CancelAllRequest(
                request_id=words.request_id(self._kept.session, f"{request.cl_ord_id}\n{account}"),
                account=account,
                instrument=request.symbol or "" if kind is MassCancelType.SECURITY else "",
            )
            if request.side in (Side.BUY, Side.SELL):
                made.side = int(request.side)
            await self._kept.ask(
                unit.transaction, Kind.CANCEL_ALL, account, "", request.cl_ord_id, made.SerializeToString()
            )

    async def _status_of_all(self, request: OrderMassStatusRequest, unit: Unit) -> None:
        security = request.mass_status_req_type is MassStatusReqType.SECURITY
        if not security and request.mass_status_req_type is not MassStatusReqType.ALL:
            text = f"585={request.mass_status_req_type}: 1 (of a symbol) or 7 (all)"
            report = unknown("NONE", request.symbol or "NONE", request.side or Side.BUY, text)
            unit.send(_with(report, mass_status_req_id=request.mass_status_req_id, tot_num_reports=0))
            return
        account = request.account if request.account in self._spec.accounts else self._spec.accounts[0]
        made = history.ListOrdersRequest(
            account=account, working=True, page_size=1000, instrument=request.symbol or "" if security else ""
        )
        await self._kept.ask(
            unit.transaction,
            Kind.STATUS_OF_ALL,
            account,
            "",
            request.mass_status_req_id,
            made.SerializeToString(),
        )


def rejected(order: NewOrderSingle | NewOrderMultileg, text: str, reason: OrdRejReason) -> ExecutionReport:
    """The refusal of an order that trading never heard of."""
    report = unknown(order.cl_ord_id, order.symbol or "NONE", order.side, text)
    return _with(report, exec_type=ExecType.REJECTED, ord_rej_reason=reason, order_qty=order.order_qty)


def change_rejected(request: Any, replace: bool, text: str, reason: CxlRejReason) -> OrderCancelReject:
    """The refusal of a cancel or an amendment."""
    unknown_order = reason is CxlRejReason.UNKNOWN_ORDER
    return OrderCancelReject(
        order_id=request.order_id or "NONE",
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id=request.orig_cl_ord_id,
        ord_status=OrdStatus.REJECTED if unknown_order else OrdStatus.NEW,
        cxl_rej_response_to=CxlRejResponseTo.CANCEL_REPLACE if replace else CxlRejResponseTo.CANCEL,
        cxl_rej_reason=reason,
        text=text[:500],
    )


def unknown(cl_ord_id: str, symbol: str, side: Side, text: str) -> ExecutionReport:
    """A report about an order that is not there."""
    return ExecutionReport(
        order_id="NONE",
        cl_ord_id=cl_ord_id,
        exec_id=f"R-{cl_ord_id}",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        symbol=symbol,
        side=side,
        leaves_qty=Decimal(0),
        cum_qty=Decimal(0),
        avg_px=Decimal(0),
        text=text[:500],
    )


def _with(report: ExecutionReport, **fields: Any) -> ExecutionReport:
    return dataclasses.replace(report, **fields)
