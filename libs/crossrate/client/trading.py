"""What a strategy does, with asyncio: orders in words, reports without a gap, sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_pb2
from crossrate.client.executions import ExecutionStream
from crossrate.client.order_form import Amount, OrderRejected, OutcomeUnknown, changed, member, new_order
from crossrate.client.resuming import Resumption
from crossrate.client.session import TradeSession
from crossrate.rpc.call_error import CallError
from crossrate.rpc.request_id import new_request_id

if TYPE_CHECKING:
    from crossrate.api.trading.v1.execution_pb2 import ExecutionReport
    from crossrate.api.trading.v1.order_pb2 import NewOrder, Order

LOST = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
"""How a call ends of which nobody knows whether it was carried out."""
_BUSY = grpc.StatusCode.RESOURCE_EXHAUSTED


def uncertain(error: CallError) -> bool:
    """Whether what was asked for may have been done although the call failed.

    Certain is the word of a service that has looked: trading answers a repetition before it asks anybody else. A
    proxy's word that a connection broke or that the time is over is not, nor that of a service which did not look,
    since an attempt before may have come through.
    """
    if error.code() not in LOST:
        return error.code() is _BUSY and error.attempts > 1
    if error.reason == "DEPENDENCY_UNAVAILABLE":
        return error.metadata.get("dependency", "") in ("", "postgres")
    return error.reason != "NO_QUOTE"


async def entered(trading: Any, order: NewOrder, *, validate_only: bool = False) -> entry.PlaceOrderResponse:
    """Enters an order that was made by `new_order`; raises as `Orders.place`."""
    request = entry.PlaceOrderRequest(request_id=new_request_id(), order=order, validate_only=validate_only)
    try:
        answer = await trading.PlaceOrder(request)
    except CallError as error:
        if validate_only or not uncertain(error):
            raise
        raise OutcomeUnknown(order, error) from error
    if answer.order.status == order_pb2.ORDER_STATUS_REJECTED:
        raise OrderRejected(answer)
    return answer


class Orders:
    """The part of `AsyncClient` that trades."""

    trading: Any

    async def place(
        self,
        account: str,
        instrument: str,
        side: str | int,
        quantity: Amount,
        *,
        limit_price: Amount | None = None,
        validate_only: bool = False,
        **terms: Any,
    ) -> entry.PlaceOrderResponse:
        """Enters one order and returns its answer, which is durable: `order`, `checks`, `margin`.

        Without prices it is a market order, with `limit_price` a limit, with `stop_price` a stop, with both a
        stop-limit, with `trailing_distance` a trailing stop, with `quote_id` one that deals on that quote of pricing. A
        market order is IOC, others are DAY, or GTD with `expire_time`, unless `time_in_force` says otherwise.

        Args:
            account: who deals.
            instrument: "EUR/USD".
            side: "buy" or "sell", of the base currency.
            quantity: units of the base currency.
            limit_price: units of the counter currency per unit of the base currency, as all prices; of a swap its limit
                on swap points in the same units ("-0.00042"), which may be zero or below.
            validate_only: check only; keep nothing, send nothing.
            terms: `stop_price`, `trailing_distance`, `price_bound` (worst price of a market order), `order_type`,
                `time_in_force` ("gtc", "day", "gtd", "ioc", "fok"), `expire_time` (with a time zone), `client_order_id`
                (else one is made), `take_profit_price` and `stop_loss_price` of the position that it opens, `tenor`
                ("SP", "1M" …), `far_tenor` of a swap, whose side is that of this leg, and any other field of NewOrder:
                `post_only`, `reduce_only`, `strategy`, `venue` …

        Amounts are Decimal, str or int.

        Raises:
            OrderRejected: a check or the kill switch refused it; it has the checks.
            OutcomeUnknown: nobody who has looked answered; place it again with the same `client_order_id`.
            CallError: the request is wrong, or refused before it was looked at: nothing was entered.
            TypeError: an amount is a float.
            ValueError: a word or an amount is none.
        """
        order = new_order(account, instrument, side, quantity, limit_price=limit_price, **terms)
        return await entered(self.trading, order, validate_only=validate_only)

    async def place_all(
        self,
        orders: Iterable[NewOrder],
        *,
        atomic: bool = False,
        contingency: str | int | None = None,
        validate_only: bool = False,
    ) -> entry.PlaceOrdersResponse:
        """Enters orders of one account, 1 to 500, made by `new_order`, in one commit; a refused one is a result.

        Args:
            orders: in the order in which they are checked and sent.
            atomic: all of them or none.
            contingency: "oco" or "oto" makes them one list.
            validate_only: check only.
        """
        listed = list(orders)
        if not listed:
            raise ValueError("there are no orders: give 1 to 500")
        request = entry.PlaceOrdersRequest(
            request_id=new_request_id(),
            account=listed[0].account,
            orders=listed,
            atomic=atomic,
            validate_only=validate_only,
        )
        if contingency is not None:
            request.contingency = member(order_pb2.ContingencyType, "CONTINGENCY_TYPE_", contingency, "contingency")
        return await self.trading.PlaceOrders(request)

    async def cancel(self, account: str, client_order_id: str) -> Order:
        """Asks for the cancel of an order: returns it PENDING_CANCEL, or CANCELLED if no venue had to be asked.

        Raises:
            CallError: WRONG_STATE if it has ended, NOT_FOUND if there is none.
        """
        answer = await self.trading.CancelOrder(
            request_id=new_request_id(), account=account, client_order_id=client_order_id
        )
        return answer.order

    async def cancel_all(self, account: str, *, instrument: str = "", strategy: str = "") -> list[Order]:
        """Asks for the cancel of every working order of an account, or of those of an instrument or strategy."""
        answer = await self.trading.CancelAll(
            request_id=new_request_id(), account=account, instrument=instrument, strategy=strategy
        )
        return list(answer.orders)

    async def amend(self, account: str, client_order_id: str, *, expected_version: int = 0, **changes: Amount) -> Order:
        """Asks for other terms of a working order: `quantity` (whole, with what has been filled), `limit_price`,
        `stop_price`, `trailing_distance`; what is left out stays. Returns it PENDING_REPLACE or amended.

        Raises:
            CallError: WRONG_STATE if it has ended, VERSION_CONFLICT if `expected_version` is another than its own.
        """
        answer = await self.trading.AmendOrder(
            request_id=new_request_id(),
            account=account,
            client_order_id=client_order_id,
            expected_version=expected_version,
            **changed(changes),
        )
        return answer.order

    def stream_executions(self, account: str, *, after: int | None = 0) -> AsyncIterator[ExecutionReport]:
        """Execution reports of an account after a number, each once and without a gap, without end.

        Args:
            account: whose.
            after: number of the last report that the reader has; 0 for all there are, None for those from now on.

        Raises:
            CallError: the service refuses the request, or was not reachable for a minute.
        """
        return self.execution_reports(account, after=after)

    async def execution_reports(
        self, account: str, *, after: int | None = 0, resumption: Resumption | None = None
    ) -> AsyncIterator[ExecutionReport]:
        """The same, with how a broken stream is resumed."""
        if after is None:
            after = (await self.trading.ListExecutions(account=account, page_size=1)).last_sequence
        async for report in ExecutionStream(account, after, resumption).reports(self.trading):
            yield report

    def session(
        self,
        account: str,
        name: str = "python",
        *,
        after: int | None = None,
        cancel_on_disconnect: bool = False,
        heartbeat_s: float = 5.0,
        resumption: Resumption | None = None,
    ) -> TradeSession:
        """A trading session: the fastest way in for many orders, and their reports on the same stream.

        Args:
            account: of all its orders.
            name: the session's, the same each time it comes back; a newer connection takes it over from an older one.
            after: number of the last report that the client has; None for those from now on.
            cancel_on_disconnect: the platform cancels the session's working orders if it is silent for two heartbeats.
            heartbeat_s: how often each side speaks at least, 1 to 30 s.
            resumption: how a broken connection is replaced.
        """
        return TradeSession(
            self.trading,
            account,
            name,
            after=after,
            cancel_on_disconnect=cancel_on_disconnect,
            heartbeat_s=heartbeat_s,
            resumption=resumption,
        )
