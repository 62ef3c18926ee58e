"""The reading calls: orders and reports, from memory where they are there, else as they are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.trading.v1 import order_history_pb2 as pb
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc import errors
from crossrate.rpc.frames import Frame, element
from services.trading.engine.engine import Engine
from services.trading.engine.hub import Listener
from services.trading.service import explaining
from services.trading.service.elsewhere import Elsewhere
from services.trading.service.failures import failures

PAGE_DEFAULT = 100
REPORTS_MAX = 500
"""Reports in one message of a stream."""


class History:
    """The part of the service that reads."""

    def __init__(self, engine: Engine, elsewhere: Elsewhere, heartbeat_s: float) -> None:
        self._engine = engine
        self._elsewhere = elsewhere
        self._heartbeat_s = heartbeat_s

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
        """See the contract."""
        held = self._engine.accounts.held.get(request.account)
        if held is not None and not self._engine.writer.settled.locked():
            order = held.by_client.get(request.order) or held.orders.get(request.order)
            if order is not None:
                return pb.GetOrderResponse(order=order.image)
        with failures():
            kept = await self._engine.reading.order(request.account, request.order)
        if kept is None:
            remedy = "ListOrders has the orders of the account"
            raise errors.not_found("order", f"{request.account}/{request.order}", remedy)
        return pb.GetOrderResponse(order=order_pb2.Order.FromString(kept[0]))

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Any) -> pb.ListOrdersResponse:
        """See the contract."""
        size = request.page_size or PAGE_DEFAULT
        before = _number(request.page_token) if request.page_token else 0
        with failures():
            rows = await self._engine.reading.orders(
                request.account,
                before,
                size + 1,
                working=request.working,
                instrument=request.instrument,
                strategy=request.strategy,
            )
        answer = pb.ListOrdersResponse(orders=[order_pb2.Order.FromString(content) for _, content in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = str(rows[size - 1][0])
        return answer

    async def ListExecutions(self, request: pb.ListExecutionsRequest, context: Any) -> pb.ListExecutionsResponse:
        """See the contract."""
        with failures():
            rows = await self._engine.reading.events(
                request.account, request.after_sequence, request.page_size or PAGE_DEFAULT
            )
            last = await self._engine.reading.last_sequence(request.account)
        reports = pb.ExecutionReports.FromString(b"".join(event for _, event in rows))
        return pb.ListExecutionsResponse(reports=reports.reports, last_sequence=last)

    async def ExplainOrder(self, request: pb.ExplainOrderRequest, context: Any) -> pb.ExplainOrderResponse:
        """See the contract."""
        with failures():
            return await explaining.explained(self._engine.reading, self._elsewhere, request.account, request.order)

    async def StreamExecutions(self, request: pb.StreamExecutionsRequest, context: Any) -> AsyncIterator[Frame]:
        """See the contract."""
        with failures():
            at = await self._begin(request)
        number = 0
        with self._engine.hub.listening(request.account) as listener:
            while True:
                listener.changed.clear()
                with failures():
                    events = await self.next_events(request.account, at)
                if not events:
                    if await self._quiet(listener):
                        continue
                    number += 1
                    yield _heartbeat(number, at)
                    continue
                at = events[-1][0]
                number += 1
                position = stream_pb2.StreamPosition(sequence=number, cursor=str(at))
                body = b"".join(event for _, event in events)
                yield Frame(position, element(1, position.SerializeToString()) + element(2, body))

    async def _begin(self, request: pb.StreamExecutionsRequest) -> int:
        if request.only_new and not request.resume_cursor:
            return await self._engine.reading.last_sequence(request.account)
        field = "resume_cursor" if request.resume_cursor else "after_sequence"
        at = _number(request.resume_cursor, field) if request.resume_cursor else request.after_sequence
        # Behind a number that no report has had, those to come up to it would be missed in silence.
        if at and at > (last := await self._engine.reading.last_sequence(request.account)):
            words = f"the account's newest report is {last}: give the number of the last one received"
            raise errors.invalid((field, words))
        return at

    async def next_events(self, account: str, after: int) -> list[tuple[int, bytes]]:
        """The reports that follow a number: from memory if they are there."""
        found = self._engine.hub.after(account, after, REPORTS_MAX)
        if found is not None:
            return [(each.sequence, each.event) for each in found]
        return await self._engine.reading.events(account, after, REPORTS_MAX)

    async def _quiet(self, listener: Listener) -> bool:
        """Whether something has changed before a heartbeat is due."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await listener.changed.wait()
        except TimeoutError:
            return False
        return True


def _heartbeat(number: int, at: int) -> Frame:
    message = pb.StreamExecutionsResponse()
    message.position.sequence, message.position.cursor = number, str(at)
    message.heartbeat.server_time.FromNanoseconds(time.time_ns())
    return Frame(message.position, message.SerializeToString())


def _number(token: str, field: str = "page_token") -> int:
    if not token.isdecimal() or len(token) > 18:
        raise errors.invalid((field, "is none that was given: leave it empty to begin anew"))
    return int(token)
