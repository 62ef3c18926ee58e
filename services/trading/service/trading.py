"""The calls of clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_pb2, session_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import (
    TradingServiceServicer,
    add_TradingServiceServicer_to_server,
)
from crossrate.rpc import errors
from crossrate.rpc.call import current_or_none
from crossrate.rpc.frames import element, frames_of
from services.trading.domain.account import Account
from services.trading.domain.lifecycle import Reason, Status
from services.trading.domain.order import SELL, Contingency, Order
from services.trading.engine.engine import Engine
from services.trading.engine.sessions import Sessions
from services.trading.engine.work import Entry, ListTerms, NewEntry
from services.trading.service.amending import Amending
from services.trading.service.elsewhere import Elsewhere
from services.trading.service.entering import Entering, body_digest, same_account
from services.trading.service.failures import failures
from services.trading.service.history import History
from services.trading.service.session import Session, result_of
from services.trading.store import Batch
from services.trading.store.batch import Request

register = frames_of(add_TradingServiceServicer_to_server, "StreamExecutions", "PlaceOrder", "PlaceOrders")


def caller() -> str:
    """Who calls, as the mesh has proved it."""
    call = current_or_none()
    return call.principal if call is not None else ""


class TradingService(History, Amending, TradingServiceServicer):
    """Entry, amendments, cancels, and the reading of them."""

    def __init__(
        self,
        engine: Engine,
        entering: Entering,
        elsewhere: Elsewhere,
        sessions: Sessions,
        new_id: Callable[[], str],
        *,
        instance: str,
        heartbeat_s: float,
    ) -> None:
        History.__init__(self, engine, elsewhere, heartbeat_s)
        self._sessions = sessions
        self._instance = instance
        self.hub = engine.hub
        self._engine = engine
        self._entering = entering
        self._new_id = new_id

    async def PlaceOrder(self, request: pb.PlaceOrderRequest, context: Any) -> pb.PlaceOrderResponse:
        """See the contract."""
        made = await self._known_or_made(request)
        if isinstance(made, pb.PlaceOrderResponse):
            return made
        if request.validate_only:
            return (await self._checked([made], ListTerms()))[0]
        with failures(request.request_id):
            return (await self._enter([made], ListTerms()))[0]

    async def TradeSession(
        self, requests: AsyncIterator[session_pb2.TradeSessionRequest], context: Any
    ) -> AsyncIterator[session_pb2.TradeSessionResponse]:
        """See the contract."""
        with failures():
            async for message in Session(self, self._sessions, self._instance).run(requests):
                yield message

    async def last_sequence(self, account: str) -> int:
        """Number of the newest report of an account."""
        return await self._engine.reading.last_sequence(account)

    async def enter_on_session(
        self, account: str, session: str, orders: Sequence[order_pb2.NewOrder]
    ) -> Awaitable[list[session_pb2.SessionResult]]:
        """Enters orders, each by itself; returns when they are on their way. What is wrong with one is its own
        result."""
        results: list[session_pb2.SessionResult | None] = [None] * len(orders)
        made: dict[tuple[str, str], tuple[int, NewEntry]] = {}
        for i, new in enumerate(orders):
            try:
                if new.account != account:
                    raise errors.invalid(("account", f"the session is of {account}: open another one"))
                each = await self._entering.entry(new, caller(), "", session)
                if each.key in made:
                    raise errors.invalid(("client_order_id", "is twice in one message: an order has one of its own"))
                made[each.key] = (i, each)
            except errors.Failure as failure:
                results[i] = await self._refused_or_known(new, failure)
        entered = None
        if made:
            entered = await self._begin_entry([each for _, each in made.values()], ListTerms(each_alone=True))

        async def answered() -> list[session_pb2.SessionResult]:
            if entered is not None:
                for (i, _), answer in zip(made.values(), await entered, strict=True):
                    failed = isinstance(answer, errors.Failure)
                    results[i] = refused(orders[i], answer) if failed else result_of(answer)
            return [each for each in results if each is not None]

        return answered()

    async def _refused_or_known(self, new: order_pb2.NewOrder, failure: errors.Failure) -> session_pb2.SessionResult:
        """A repetition has its answer also when it is not valid any more."""
        known = (await self._engine.reading.known_orders([(new.account, new.client_order_id)])).values()
        for each in known:
            return result_of(await self._engine.replays.placed(new.account, each))
        return refused(new, failure)

    async def _known_or_made(self, request: pb.PlaceOrderRequest) -> Any:
        """An order ready for the writer; the answer that it was given before, where it is not valid any more."""
        try:
            return await self._entering.entry(request.order, caller())
        except errors.Failure:
            # A repetition has its answer also when its time is over, its quote gone, its account closed.
            key = (request.order.account, request.order.client_order_id)
            with failures(request.request_id):
                known = (await self._engine.reading.known_orders([key])).get(key)
                if known is not None:
                    return await self._engine.replays.placed(key[0], known)
            raise

    async def _enter(self, orders: list[NewEntry], terms: ListTerms) -> list[Any]:
        return await (await self._begin_entry(orders, terms))

    async def _begin_entry(self, orders: list[NewEntry], terms: ListTerms) -> asyncio.Future[list[Any]]:
        """Hands orders to the writer; the future has their answers."""
        future = asyncio.get_running_loop().create_future()
        group = Entry(orders[0].key[0], orders, terms, future)
        for each in orders:
            before = self._engine.writer.inflight.get(each.key)
            if before is not None:
                # The same order is on its way: its answer is committed first, then this one finds it.
                await asyncio.wait([before.future])
        self._engine.writer.enter(group)
        return future

    async def _checked(self, orders: list[Any], terms: ListTerms) -> list[pb.PlaceOrderResponse]:
        """What would become of orders: the same way, and nothing is kept of it."""
        account = orders[0].key[0]
        with failures():
            held = await self._engine.accounts.account(account)
            group = Entry(account, orders, terms, asyncio.get_running_loop().create_future())
            numbers = [1 if terms.atomic else 0] * len(orders)
            said = await self._engine.risk.authorise(group.to_admit(held), numbers, validate_only=True)
        return group.as_if(held, said)

    async def PlaceOrders(self, request: pb.PlaceOrdersRequest, context: Any) -> pb.PlaceOrdersResponse:
        """See the contract."""
        same_account(request.account, request.orders)
        contingency = Contingency(request.contingency)
        terms = ListTerms(request.atomic or bool(contingency), contingency=contingency)
        with failures(request.request_id):
            if contingency or request.atomic:
                body = body_digest(request)
                known = await self._engine.replays.request(request.account, request.request_id, body)
                if known is not None:
                    return await self._placed_before(request, pb.PlaceOrdersResponse.FromString(known))
                list_id = self._new_id() if contingency else ""
                answer = pb.PlaceOrdersResponse(list_id=list_id).SerializeToString()
                kept = Request(request.account, request.request_id, body, answer)
                terms = ListTerms(True, False, contingency, list_id, kept)
            self._list_is_one(request, contingency)
            orders = [await self._entering.entry(new, caller(), f"orders[{i}]") for i, new in enumerate(request.orders)]
            if request.validate_only:
                return pb.PlaceOrdersResponse(results=await self._checked(orders, terms))
            return Several(await self._enter(orders, terms), terms.list_id)

    async def _placed_before(
        self, request: pb.PlaceOrdersRequest, answer: pb.PlaceOrdersResponse
    ) -> pb.PlaceOrdersResponse:
        keys = [(request.account, new.client_order_id) for new in request.orders]
        known = await self._engine.reading.known_orders(keys)
        answer.results.extend([await self._engine.replays.placed(request.account, known[key]) for key in keys])
        return answer

    def _list_is_one(self, request: pb.PlaceOrdersRequest, contingency: Contingency) -> None:
        """Nothing for a list whose orders may depend on each other.

        Raises:
            Failure: INVALID_REQUEST.
        """
        if not contingency:
            return
        wrong = []
        if len(request.orders) < 2:
            wrong.append(("contingency", "needs at least two orders: leave it unset for one"))
        for i, new in enumerate(request.orders):
            if new.HasField("far_leg"):
                wrong.append((f"orders[{i}].far_leg", "a swap depends on no other order: enter it by itself"))
            if new.quote_id:
                wrong.append((f"orders[{i}].quote_id", "a quoted order depends on no other: enter it by itself"))
            if new.HasField("on_fill"):
                wrong.append(
                    (f"orders[{i}].on_fill", "not in a list with a contingency: add the protection to the list")
                )
            if new.instrument != request.orders[0].instrument:
                wrong.append((f"orders[{i}].instrument", "the orders of a list are of one instrument"))
        if wrong:
            raise errors.invalid(*wrong)

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Any) -> pb.CancelOrderResponse:
        """See the contract."""
        account, name, request_id = request.account, request.client_order_id, request.request_id
        with failures(request_id):
            await self.arrived(account, name)
            if request.validate_only:
                order = await self._found(account, name)
                if order.final:
                    raise await self._ended(account, name)
                return pb.CancelOrderResponse(order=order.image)
            body = body_digest(request)
            known = await self._engine.replays.request(account, request_id, body)
            if known is not None:
                return pb.CancelOrderResponse.FromString(known)

            def do(held: Account, batch: Batch) -> pb.CancelOrderResponse:
                order = held.by_client.get(name)
                if order is None:
                    raise _NotHere
                held.ask_cancel(order, Reason.CLIENT, request_id, batch)
                answer = pb.CancelOrderResponse(order=order.image)
                batch.requests.append(Request(account, request_id, body, answer.SerializeToString()))
                return answer

            try:
                return await self._engine.writer.work(account, do)
            except _NotHere:
                raise await self._ended(account, name) from None

    async def CancelAll(self, request: pb.CancelAllRequest, context: Any) -> pb.CancelAllResponse:
        """See the contract."""
        account, request_id = request.account, request.request_id

        def chosen(held: Account) -> list[Order]:
            return [order for order in held.orders.values() if not order.final and in_scope(order, request)]

        with failures(request_id):
            if request.validate_only:
                orders = chosen(await self._engine.accounts.account(account))
                return pb.CancelAllResponse(orders=[order.image for order in orders])
            body = body_digest(request)
            known = await self._engine.replays.request(account, request_id, body)
            if known is not None:
                return pb.CancelAllResponse.FromString(known)

            def do(held: Account, batch: Batch) -> pb.CancelAllResponse:
                orders = chosen(held)
                for order in orders:
                    if not order.final:
                        cancel_quietly(held, order, Reason.CLIENT, request_id, batch)
                answer = pb.CancelAllResponse(orders=[order.image for order in orders])
                batch.requests.append(Request(account, request_id, body, answer.SerializeToString()))
                return answer

            return await self._engine.writer.work(account, do)


class Several:
    """A PlaceOrdersResponse of answers that are encoded already."""

    def __init__(self, results: Sequence[Any], list_id: str) -> None:
        self._results = results
        self._list_id = list_id

    def SerializeToString(self) -> bytes:
        """Its bytes."""
        rest = pb.PlaceOrdersResponse(list_id=self._list_id).SerializeToString()
        return b"".join((*(element(1, each.SerializeToString()) for each in self._results), rest))


def refused(new: order_pb2.NewOrder, failure: errors.Failure) -> session_pb2.SessionResult:
    """The result of an order that was not entered."""
    return session_pb2.SessionResult(client_order_id=new.client_order_id, error=failure.to_status())


class _NotHere(errors.Failure):
    """The order is not among those in memory."""

    def __init__(self) -> None:
        super().__init__(errors.ErrorReason.NOT_FOUND, "")


def in_scope(order: Order, request: pb.CancelAllRequest) -> bool:
    """Whether a cancel of many means this order."""
    if request.instrument and order.instrument != request.instrument:
        return False
    if request.side and (order.side == SELL) != (request.side == 2):
        return False
    return not request.strategy or order.image.terms.strategy == request.strategy


def cancel_quietly(account: Account, order: Order, reason: Reason, cause: str, batch: Batch, text: str = "") -> None:
    """Cancels one of many: what cannot be cancelled just now ends by itself."""
    if order.status is Status.PENDING_CANCEL or order.terms.quote_id:
        return
    account.ask_cancel(order, reason, cause, batch, text)
