"""A stand-in of `trading` by its contract: orders are taken once, and go as a test says."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceServicer
from crossrate.rpc import errors


class Trading(TradingServiceServicer):
    """Accepts every order at once; cancels and amendments are done at once; `fill` fills."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str], pb.Order] = {}
        self.reports: dict[str, list[ex.ExecutionReport]] = {}
        self.placed: list[str] = []
        self.requests: set[str] = set()
        self.away = False
        self.fills_at = ""
        """The price at which market orders are filled as they come; empty: they wait for `fill`."""
        self._changed = asyncio.Condition()

    async def _tell(self, order: pb.Order, kind: int, **fields: Any) -> None:
        account = order.terms.account
        told = self.reports.setdefault(account, [])
        order.sequence = len(told) + 1
        report = ex.ExecutionReport(
            sequence=order.sequence, exec_id=f"{account}:{order.sequence}", exec_type=kind, order=order, **fields
        )
        report.time.GetCurrentTime()
        async with self._changed:
            told.append(report)
            self._changed.notify_all()

    async def _place(self, new: pb.NewOrder) -> entry.PlaceOrderResponse:
        if new.instrument == "XXX/YYY":
            raise errors.invalid(("order.instrument", "there is no such instrument"))
        self.placed.append(new.client_order_id)
        key = (new.account, new.client_order_id)
        if key not in self.orders:
            order = pb.Order(order_id=str(uuid.uuid4()), terms=new, version=1, status=pb.ORDER_STATUS_PENDING_NEW)
            order.cum_quantity, order.leaves_quantity = "0", new.quantity
            self.orders[key] = order
            await self._tell(order, ex.EXEC_TYPE_PENDING_NEW)
            order.status = pb.ORDER_STATUS_NEW
            await self._tell(order, ex.EXEC_TYPE_NEW)
            if self.fills_at and new.order_type == pb.ORDER_TYPE_MARKET:
                await self.fill(*key, new.quantity, self.fills_at)
        return entry.PlaceOrderResponse(order=self.orders[key])

    def _there(self) -> None:
        if self.away:
            raise errors.dependency_unavailable("trading")

    async def PlaceOrder(self, request, context):
        self._there()
        return await self._place(request.order)

    async def PlaceOrders(self, request, context):
        self._there()
        if any(each.instrument == "XXX/YYY" for each in request.orders):
            raise errors.invalid(("orders[0].instrument", "there is no such instrument"))
        return entry.PlaceOrdersResponse(results=[await self._place(each) for each in request.orders])

    def _order(self, account: str, name: str) -> pb.Order:
        if (account, name) not in self.orders:
            raise errors.not_found("order", name)
        return self.orders[account, name]

    async def CancelOrder(self, request, context):
        order = self._order(request.account, request.client_order_id)
        if request.request_id not in self.requests:
            self.requests.add(request.request_id)
            await self._cancel(order)
        return entry.CancelOrderResponse(order=order)

    async def _cancel(self, order: pb.Order) -> None:
        if order.status == pb.ORDER_STATUS_CANCELLED:
            raise errors.wrong_state("CANCELLED", "the order has ended")
        order.status = pb.ORDER_STATUS_PENDING_CANCEL
        await self._tell(order, ex.EXEC_TYPE_PENDING_CANCEL)
        order.status, order.leaves_quantity = pb.ORDER_STATUS_CANCELLED, "0"
        await self._tell(order, ex.EXEC_TYPE_CANCELLED)

    async def AmendOrder(self, request, context):
        order = self._order(request.account, request.client_order_id)
        if request.request_id not in self.requests:
            self.requests.add(request.request_id)
            order.status = pb.ORDER_STATUS_PENDING_REPLACE
            await self._tell(order, ex.EXEC_TYPE_PENDING_REPLACE)
            order.terms.limit_price, order.terms.quantity = request.limit_price, request.quantity
            order.version, order.status, order.leaves_quantity = 2, pb.ORDER_STATUS_NEW, request.quantity
            await self._tell(order, ex.EXEC_TYPE_REPLACED)
        return entry.AmendOrderResponse(order=order)

    async def CancelAll(self, request, context):
        self._there()
        working = [o for o in self.orders.values() if o.terms.account == request.account and o.status == 2]
        for order in working:
            await self._cancel(order)
        return entry.CancelAllResponse(orders=working)

    async def fill(self, account: str, name: str, quantity: str, price: str) -> None:
        """A fill of the whole order."""
        order = self.orders[account, name]
        order.status, order.leaves_quantity, order.cum_quantity = pb.ORDER_STATUS_FILLED, "0", quantity
        order.avg_price = price
        fill = ex.Fill(venue_exec_id=uuid.uuid4().hex, venue="sim", quantity=quantity, price=price)
        await self._tell(order, ex.EXEC_TYPE_TRADE, fill=fill)

    async def GetOrder(self, request, context):
        return history.GetOrderResponse(order=self._order(request.account, request.order))

    async def ListOrders(self, request, context):
        found = [o for o in self.orders.values() if o.terms.account == request.account and o.status == 2]
        return history.ListOrdersResponse(orders=found)

    async def ListExecutions(self, request, context):
        return history.ListExecutionsResponse(last_sequence=len(self.reports.get(request.account, ())))

    async def StreamExecutions(self, request, context):
        at, number = request.after_sequence, 0
        while True:
            async with self._changed:
                while len(self.reports.get(request.account, ())) <= at:
                    await self._changed.wait()
            page = self.reports[request.account][at:]
            at += len(page)
            number += 1
            message = history.StreamExecutionsResponse(reports=history.ExecutionReports(reports=page))
            message.position.sequence, message.position.cursor = number, str(at)
            yield message
