"""A session's requests on their way to trading, in their order, repeated until trading has answered."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    MassCancelRejectReason,
    MassCancelResponse,
    MassCancelType,
    OrdRejReason,
    OrdStatus,
    Side,
)
from crossrate.fix.reports import ExecutionReport, OrderCancelReject, OrderMassCancelReport
from crossrate.rpc.call import new_request_id
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.gateway import words_out
from services.broker.gateway.kept import Asked, Kept, Kind

PAUSE_S_MAX = 2.0
UNTRIED_S_MAX = 10.0
"""An order that could not be given to trading for so long is refused rather than entered late."""
FINAL = (
    "INVALID_REQUEST", "UNKNOWN_FIELD", "NOT_FOUND", "REQUEST_ID_REUSED", "CALLER_NOT_ALLOWED", "WRONG_STATE",
    "VERSION_CONFLICT", "ALREADY_EXISTS", "OUTSIDE_CALENDAR", "NO_QUOTE",
)  # fmt: skip
"""Reasons that a repetition does not mend."""


class Carrying:
    """See the module."""

    def __init__(self, kept: Kept, trading: TradingServiceStub, accounts: Sequence[str], note: Any) -> None:
        self._kept = kept
        self._trading = trading
        self._accounts = accounts
        self._note = note
        self.wake = asyncio.Event()
        self.endpoint: Endpoint | None = None

    async def run(self) -> None:
        """Carries out, until it is cancelled."""
        failures = 0
        while True:
            self.wake.clear()
            try:
                asked = await self._kept.undone()
                for kind, group in itertools.groupby(asked, lambda each: (each.kind, each.account)):
                    await self._carry(kind[0], list(group))
                failures = 0
                if not asked:
                    await self.wake.wait()
            except (CallError, StoreError) as error:
                failures += 1
                if failures == 1:
                    self._note.warning("a client's requests wait", session=self._kept.session, why=str(error))
                await asyncio.sleep(min(PAUSE_S_MAX, 0.02 * 2 ** min(failures, 8)) * random.uniform(0.5, 1))

    async def _carry(self, kind: Kind, group: list[Asked]) -> None:
        if kind is Kind.PLACE:
            await self._place(group)
            return
        for each in group:
            if kind is Kind.CANCEL:
                await self._change(each, entry.CancelOrderRequest, self._trading.CancelOrder)
            elif kind is Kind.AMEND:
                await self._change(each, entry.AmendOrderRequest, self._trading.AmendOrder)
            elif kind is Kind.CANCEL_ALL:
                await self._cancel_all(each)
            elif kind is Kind.STATUS:
                await self._status(each)
            else:
                await self._status_of_all(each)

    # Orders.

    async def _place(self, group: list[Asked]) -> None:
        late = [each for each in group if not each.tried and each.age_s > UNTRIED_S_MAX]
        for each in late:
            text = f"it waited {each.age_s:.0f} s for the trading service: send it again under a new ClOrdID"
            await self._refuse(each, order_pb2.NewOrder.FromString(each.content), text, OrdRejReason.TOO_LATE_TO_ENTER)
        group = [each for each in group if each not in late]
        if not group:
            return
        await self._kept.trying([each.number for each in group])
        orders = [order_pb2.NewOrder.FromString(each.content) for each in group]
        if len(group) > 1:
            request = entry.PlaceOrdersRequest(
                request_id=new_request_id(), account=group[0].account, orders=orders, atomic=False
            )
            try:
                await self._trading.PlaceOrders(request)
            except CallError as error:
                if error.reason not in FINAL:
                    raise
            else:
                await self._kept.finish([each.number for each in group])
                return
        # One by one, so that what is wrong with one is not the others' fault.
        for each, order in zip(group, orders, strict=True):
            try:
                await self._trading.PlaceOrder(entry.PlaceOrderRequest(request_id=new_request_id(), order=order))
            except CallError as error:
                if error.reason not in FINAL:
                    raise
                await self._refuse(each, order, words_out.refusal_text(error), OrdRejReason.OTHER)
            else:
                await self._kept.finish([each.number])

    async def _refuse(self, each: Asked, order: order_pb2.NewOrder, text: str, reason: OrdRejReason) -> None:
        report = ExecutionReport(
            order_id="NONE",
            cl_ord_id=each.cl_ord_id,
            exec_id=f"R-{each.number}",
            exec_type=ExecType.REJECTED,
            ord_status=OrdStatus.REJECTED,
            ord_rej_reason=reason,
            account=order.account,
            symbol=order.instrument,
            side=Side.BUY if order.side == order_pb2.SIDE_BUY else Side.SELL,
            order_qty=Decimal(order.quantity),
            leaves_qty=Decimal(0),
            cum_qty=Decimal(0),
            avg_px=Decimal(0),
            text=words_out.plain(text),
        )
        await self._answer([each], [report])

    # Cancels and amendments.

    async def _change(self, each: Asked, kind: Any, method: Any) -> None:
        request = kind.FromString(each.content)
        async with self._kept.transaction() as connection:
            chain = await self._kept.chain(connection, each.account, each.root)
            if chain is not None and chain.pending != each.cl_ord_id:
                chain.pending = each.cl_ord_id
                await self._kept.set_chain(connection, each.account, each.root, chain)
        try:
            await method(request)
        except CallError as error:
            if error.reason not in FINAL:
                raise
            await self._refuse_change(each, error)
        else:
            await self._kept.finish([each.number])

    async def _refuse_change(self, each: Asked, error: CallError) -> None:
        async with self._kept.transaction() as connection:
            chain = await self._kept.chain(connection, each.account, each.root)
        newest = chain.newest if chain is not None else each.root
        unknown = error.reason == "NOT_FOUND"
        to = CxlRejResponseTo.CANCEL if each.kind is Kind.CANCEL else CxlRejResponseTo.CANCEL_REPLACE
        reject = OrderCancelReject(
            order_id="NONE",
            cl_ord_id=each.cl_ord_id,
            orig_cl_ord_id=newest,
            ord_status=OrdStatus.REJECTED if unknown else OrdStatus.NEW,
            account=each.account,
            cxl_rej_response_to=to,
            cxl_rej_reason=CxlRejReason.UNKNOWN_ORDER if unknown else CxlRejReason.OTHER,
            text=words_out.plain(words_out.refusal_text(error)),
        )
        await self._answer([each], [reject])

    async def _cancel_lost(self, each: Asked, request: entry.CancelAllRequest) -> None:
        """The session was lost; nobody waits for the answer, the orders' reports tell."""
        try:
            await self._trading.CancelAll(request)
        except CallError as error:
            if error.reason not in FINAL:
                raise
            self._note.warning("a lost client's orders cannot be cancelled", account=each.account, why=str(error))
        await self._kept.finish([each.number])

    async def _cancel_all(self, each: Asked) -> None:
        request = entry.CancelAllRequest.FromString(each.content)
        if not each.cl_ord_id:
            await self._cancel_lost(each, request)
            return
        kind = MassCancelType.SECURITY if request.instrument else MassCancelType.ALL
        try:
            answer = await self._trading.CancelAll(request)
        except CallError as error:
            if error.reason not in FINAL:
                raise
            report = OrderMassCancelReport(
                cl_ord_id=each.cl_ord_id,
                order_id="NONE",
                mass_cancel_request_type=kind,
                mass_cancel_response=MassCancelResponse.REJECTED,
                mass_cancel_reject_reason=MassCancelRejectReason.OTHER,
                text=words_out.plain(error.message),
            )
        else:
            report = OrderMassCancelReport(
                cl_ord_id=each.cl_ord_id,
                order_id=f"{each.account}:{each.number}",
                mass_cancel_request_type=kind,
                mass_cancel_response=MassCancelResponse(kind.value),
                total_affected_orders=len(answer.orders),
                symbol=request.instrument or None,
            )
        await self._answer([each], [report])

    # Questions.

    async def _status(self, each: Asked) -> None:
        request = history.GetOrderRequest.FromString(each.content)
        try:
            order = (await self._trading.GetOrder(request)).order
        except CallError as error:
            if error.reason not in FINAL:
                raise
            # Such as an order that was refused before trading had it: who asks is told, and does not wait for ever.
            await self._answer([each], [_unknown(each, error.message)])
            return
        await self._answer([each], [await self._standing(order, each, ord_status_req_id=each.cl_ord_id or None)])

    async def _status_of_all(self, each: Asked) -> None:
        request = history.ListOrdersRequest.FromString(each.content)
        orders: list[order_pb2.Order] = []
        while True:
            page = await self._trading.ListOrders(request)
            orders += page.orders
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        reports = [
            await self._standing(
                order,
                each,
                mass_status_req_id=each.cl_ord_id,
                tot_num_reports=len(orders),
                last_rpt_requested=number == len(orders),
            )
            for number, order in enumerate(orders, 1)
        ]
        if not reports:
            reports = [_none(each)]
        await self._answer([each], reports)

    async def _standing(self, order: order_pb2.Order, each: Asked, **fields: Any) -> ExecutionReport:
        async with self._kept.transaction() as connection:
            chain = await self._kept.chain(connection, each.account, order.terms.client_order_id)
        return ExecutionReport(
            cl_ord_id=chain.newest if chain is not None else order.terms.client_order_id,
            exec_id=f"S-{each.number}-{order.sequence}",
            exec_type=ExecType.ORDER_STATUS,
            text=words_out.plain(order.reason_text),
            **words_out.standing(order),
            **fields,
        )

    async def _answer(self, group: list[Asked], messages: list[Any]) -> None:
        """Answers and the requests that they answer are one transaction; without a session they wait for the next."""
        assert self.endpoint is not None
        async with self.endpoint.unit() as unit:
            for message in messages:
                unit.send(message, offline=True)
            await self._kept.done(unit.transaction, [each.number for each in group])


def _unknown(each: Asked, text: str) -> ExecutionReport:
    return ExecutionReport(
        order_id="NONE",
        cl_ord_id=each.root,
        exec_id=f"S-{each.number}",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        ord_status_req_id=each.cl_ord_id or None,
        account=each.account,
        symbol="NONE",
        side=Side.BUY,
        leaves_qty=Decimal(0),
        cum_qty=Decimal(0),
        avg_px=Decimal(0),
        text=words_out.plain(text),
    )


def _none(each: Asked) -> ExecutionReport:
    return ExecutionReport(
        order_id="NONE",
        exec_id=f"S-{each.number}",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        mass_status_req_id=each.cl_ord_id,
        tot_num_reports=0,
        last_rpt_requested=True,
        symbol="NONE",
        side=Side.BUY,
        leaves_qty=Decimal(0),
        cum_qty=Decimal(0),
        avg_px=Decimal(0),
        text="no order works",
    )
