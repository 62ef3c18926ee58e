"""RoutingService."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as pb
from crossrate.api.broker.v1.routing_service_pb2_grpc import RoutingServiceServicer
from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, StoreError
from services.broker.engine.desk import Desk
from services.broker.engine.hub import Hub
from services.broker.engine.router import Router
from services.broker.routed import Routed
from services.broker.store import Reading, Store
from services.broker.store.outcome import Entry

PAGE_DEFAULT = 100
REPORTS_MAX = 500
"""Reports in one message of a stream."""


class RoutingService(RoutingServiceServicer):
    """Answers every call of the contract.

    Args:
        desk: the desk of a venue, while this instance has it.
    """

    def __init__(
        self,
        router: Router,
        store: Store,
        reading: Reading,
        hub: Hub,
        heartbeat_s: float,
        desk: Callable[[str], Desk | None],
    ) -> None:
        self._router = router
        self._desk = desk
        self._store = store
        self._reading = reading
        self._hub = hub
        self._heartbeat_s = heartbeat_s
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def Instruct(self, request: pb.InstructRequest, context: Any) -> pb.InstructResponse:
        """See the contract."""
        _check(request.instructions)
        try:
            async with self._alone([each.order.order_id for each in request.instructions]):
                entries, orders, first = await self._router.entries(request.instructions)
                handed = self._handed(request.instructions, entries, orders) if first else None
                if handed is not None:
                    await handed
                else:
                    await self._store.take(entries, orders)
                    self._hub.wake()
        except OutcomeUnknown:
            raise errors.outcome_unknown(request.request_id) from None
        except StoreError as error:
            raise errors.dependency_unavailable("postgres") from error
        return pb.InstructResponse(last_sequence=max(self._hub.last, 0))

    @contextlib.asynccontextmanager
    async def _alone(self, order_ids: Sequence[str]) -> AsyncIterator[None]:
        """What comes twice side by side comes one after the other: the second sees what the first has kept."""
        while before := {self._under_way[each] for each in order_ids if each in self._under_way}:
            await asyncio.wait(before)
        mine = asyncio.get_running_loop().create_future()
        self._under_way.update(dict.fromkeys(order_ids, mine))
        try:
            yield
        finally:
            for each in set(order_ids):
                del self._under_way[each]
            mine.set_result(None)

    def _handed(
        self, instructions: Sequence[pb.Instruction], entries: Sequence[Entry], orders: Sequence[Routed]
    ) -> asyncio.Future[None] | None:
        """Hands new orders of one venue straight to its desk, if that is here and takes them so: one commit then keeps
        them with what became of them."""
        if len(orders) != len(entries) or len({each.venue for each in orders}) != 1:
            return None
        desk = self._desk(orders[0].venue)
        return desk.hand(instructions, orders) if desk is not None else None

    async def ListReports(self, request: pb.ListReportsRequest, context: Any) -> pb.ListReportsResponse:
        """See the contract."""
        size = request.page_size or PAGE_DEFAULT
        try:
            reports, last = await self._reading.reports_of(
                request.account, request.after_sequence, size, request.order_id
            )
        except StoreError as error:
            raise errors.dependency_unavailable("postgres") from error
        return pb.ListReportsResponse(reports=reports, last_sequence=last)

    async def StreamReports(
        self, request: pb.StreamReportsRequest, context: Any
    ) -> AsyncIterator[pb.StreamReportsResponse]:
        """See the contract."""
        at, number = request.after_sequence, 0
        with self._hub.listening() as changed:
            while True:
                changed.clear()
                try:
                    reports = await self._hub.after(at, REPORTS_MAX)
                except StoreError as error:
                    raise errors.dependency_unavailable("postgres") from error
                if not reports and await _heard(changed, self._heartbeat_s):
                    continue
                number += 1
                message = pb.StreamReportsResponse()
                if reports:
                    at = reports[-1].sequence
                    message.reports.reports.extend(reports)
                else:
                    message.heartbeat.server_time.GetCurrentTime()
                message.position.sequence, message.position.cursor = number, str(at)
                yield message


async def _heard(changed: asyncio.Event, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await changed.wait()
    except TimeoutError:
        return False
    return True


def _check(instructions: Sequence[pb.Instruction]) -> None:
    """An order of an instruction is trading's: only what would harm is looked at."""
    wrong: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, each in enumerate(instructions):
        where = f"instructions[{number}]"
        if not each.order.order_id:
            wrong.append((f"{where}.order.order_id", "is missing: an instruction carries the order as it stands"))
        if not each.order.terms.account or not each.order.terms.instrument:
            wrong.append((f"{where}.order.terms", "has no account or no instrument"))
        if each.instruction_id in seen:
            wrong.append((f"{where}.instruction_id", "is there twice: each has its own"))
        seen.add(each.instruction_id)
    if wrong:
        raise errors.invalid(*wrong)
