"""One venue's part of broker, for as long as this instance has it: what waits, what is open, what is committed.

An adapter works only through its desk. The desk is thrown away with everything that it remembers when a commit fails or
another instance takes the venue; the next one begins from what is kept.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.store import Lease, StoreError
from crossrate.store.errors import StoreUnavailable
from services.broker.engine.session import Session, Standing
from services.broker.routed import At, Carried
from services.broker.store import Outcome, Reading, Routed, Store, Told, Waiting

INSTRUCTIONS_MAX = 500
"""In one pass."""
HANDED_MAX = 5_000
"""New orders that are handed over and not committed yet; what comes beyond is kept first."""
ENDED_MAX = 10_000
"""Ended orders that stay in memory for what a venue says late."""


@dataclass(eq=False, slots=True)
class Handed:
    """New orders, with their instructions, that nobody has kept yet: the adapter commits them with what it does.
    `future` ends by that commit."""

    instructions: Sequence[routing.Instruction]
    orders: Sequence[Routed]
    future: asyncio.Future[None]


class Desk:
    """See the module."""

    def __init__(self, venue: str, lease: Lease, store: Store, reading: Reading, standing: Standing, note: Any) -> None:
        self.venue = venue
        self.lease = lease
        self.store = store
        self.reading = reading
        self.standing = standing
        self.note = note
        self.turn = asyncio.Lock()
        """Held while what is in memory is ahead of what is committed."""
        self.wake = asyncio.Event()
        """Set when there is something to do."""
        self.instructed = True
        """Whether there may be instructions."""
        self.changed = asyncio.Event()
        """Set when the session stands otherwise than before."""
        self.orders: dict[str, Routed] = {}
        """Open orders by id."""
        self._ended: OrderedDict[str, Routed] = OrderedDict()
        self.takes: Callable[[Routed], bool] | None = None
        """Whether the adapter carries a new order out before it is kept; None while it takes what is kept alone."""
        self._handed: deque[Handed] = deque()
        self._handed_count = 0

    def hand(
        self, instructions: Sequence[routing.Instruction], orders: Sequence[Routed]
    ) -> asyncio.Future[None] | None:
        """Hands new orders over; None where they have to be kept first. What is kept and waits goes before them.

        The future raises StoreError: nothing of them was kept, or whether it was is not known.
        """
        takes, count = self.takes, len(orders)
        if takes is None or self.instructed or count != len(instructions) or not all(map(takes, orders)):
            return None
        if self._handed_count + count > HANDED_MAX:
            return None
        handed = Handed(instructions, orders, asyncio.get_running_loop().create_future())
        self._handed.append(handed)
        self._handed_count += count
        self.wake.set()
        return handed.future

    @property
    def handed(self) -> bool:
        """Whether something was handed over."""
        return bool(self._handed)

    def taken(self) -> list[Handed]:
        """What was handed over, as much of it as a pass has room for."""
        found: list[Handed] = []
        count = 0
        while self._handed and (not found or count + len(self._handed[0].orders) <= INSTRUCTIONS_MAX):
            found.append(self._handed.popleft())
            count += len(found[-1].orders)
        self._handed_count -= count
        return found

    async def begin(self, handed: Sequence[Handed]) -> list[tuple[Carried, Waiting]]:
        """Gives handed orders their numbers and takes them into memory, each that is not there already.

        Raises:
            StoreUnavailable: the database is away.
        """
        pairs = [pair for each in handed for pair in zip(each.instructions, each.orders, strict=True)]
        made = []
        for (instruction, order), number in zip(pairs, await self.store.numbers(len(pairs)), strict=True):
            if self.order(order.order_id) is not None:
                continue  # it came twice
            order.number = number
            self.remember(order)
            name, version, pinned = instruction.instruction_id, order.version, bool(order.order.terms.venue)
            waiting = Waiting(0, name, order.order_id, instruction.kind, version, pinned, order.order, 0.0)
            made.append((Carried(name, version, pinned, order), waiting))
        return made

    def close(self) -> None:
        """It is thrown away: what was handed over and not taken is not done."""
        self.takes = None
        settle(self._handed, StoreUnavailable("the venue's adapter has ended; nothing was done"))
        self._handed.clear()

    def instruct(self) -> None:
        """There may be instructions."""
        self.instructed = True
        self.wake.set()

    async def load(self) -> None:
        """Reads what is open."""
        self.orders = {order.order_id: order for order in await self.reading.open_orders(self.venue)}

    def become(self, session: Session, text: str = "") -> None:
        """Says how the session stands."""
        if self.standing.become(session, text):
            self.changed.set()
            self.note.info("a venue's session", venue=self.venue, session=session.name, text=text)

    async def waiting(self) -> list[Waiting]:
        """Instructions that wait, in their order; their orders are in memory afterwards."""
        self.instructed = False
        found, orders = await self.reading.waiting_with_orders(self.venue, INSTRUCTIONS_MAX)
        self.instructed = self.instructed or len(found) == INSTRUCTIONS_MAX
        for each in found:
            if each.kind == routing.INSTRUCTION_KIND_NEW:
                self._ended.pop(each.order_id, None)  # it begins anew
        for order in orders:
            if self.order(order.order_id) is None:
                self.remember(order)
        return found

    async def know(self, order_ids: Sequence[str]) -> None:
        """Reads orders that are not in memory."""
        missing = [each for each in order_ids if each not in self.orders and each not in self._ended]
        if missing:
            for order in (await self.reading.orders(missing)).values():
                self.remember(order)

    def order(self, order_id: str) -> Routed | None:
        """An order, open or ended a while ago."""
        return self.orders.get(order_id) or self._ended.get(order_id)

    def remember(self, order: Routed) -> None:
        """Puts an order where it belongs now."""
        if order.status is At.ENDED:
            self.orders.pop(order.order_id, None)
            self._ended[order.order_id] = order
            while len(self._ended) > ENDED_MAX:
                self._ended.popitem(last=False)
        else:
            self._ended.pop(order.order_id, None)
            self.orders[order.order_id] = order

    def refuse(
        self,
        outcome: Outcome,
        order: Routed,
        each: Waiting,
        text: str,
        reason: int = execution.EXECUTION_REASON_NO_VENUE,
    ) -> None:
        """Answers an instruction that is not carried out; a new order has ended by that."""
        kinds = {
            routing.INSTRUCTION_KIND_NEW: pb.VENUE_REPORT_KIND_REJECTED,
            routing.INSTRUCTION_KIND_REPLACE: pb.VENUE_REPORT_KIND_REPLACE_REJECTED,
        }
        kind = kinds.get(each.kind, pb.VENUE_REPORT_KIND_CANCEL_REJECTED)
        if kind == pb.VENUE_REPORT_KIND_REJECTED:
            order.status = At.ENDED
        report = pb.VenueReport(kind=kind, text=text, reason=reason, version=each.version)
        report.venue_time.GetCurrentTime()
        self.told(outcome, order, report)
        outcome.done.append(each.number)

    def never_sent(self, outcome: Outcome, order: Routed, each: Waiting) -> None:
        """An order that ended here has no name at the venue by which it could be cancelled, amended or asked for."""
        if each.kind == routing.INSTRUCTION_KIND_STATUS:
            outcome.done.append(each.number)
        else:
            late = execution.EXECUTION_REASON_TOO_LATE
            self.refuse(outcome, order, each, "the order ended before it was sent to the venue", late)

    def recall(self, outcome: Outcome, order: Routed | None, numbers: Sequence[int]) -> bool:
        """Ends an order that was not sent because its cancel waits too; False if it was sent.

        The report names no reason: that of the cancel holds.
        """
        if order is None or order.status is not At.HERE:
            return False
        order.status = At.ENDED
        report = pb.VenueReport(kind=pb.VENUE_REPORT_KIND_CANCELLED, text="cancelled before it was sent to the venue")
        report.venue_time.GetCurrentTime()
        self.told(outcome, order, report)
        outcome.done.extend(numbers)
        return True

    def sends(self, order: Routed) -> None:
        """A new order goes to the venue."""
        self.standing.counts.sent += 1
        self.standing.asked(order.order_id, time.monotonic_ns())

    def told(self, outcome: Outcome, order: Routed, report: pb.VenueReport, exec_key: str = "") -> None:
        """Adds a report about an order, and the order as it is after it, to what is to be committed."""
        report.account, report.order_id, report.venue = order.account, order.order_id, self.venue
        report.venue_order_id = report.venue_order_id or order.venue_order_id
        report.version = report.version or order.version
        outcome.reports.append(Told(report, exec_key))
        outcome.orders[order.order_id] = order
        self.remember(order)
        if report.kind != pb.VENUE_REPORT_KIND_UNKNOWN:
            self.standing.answered(order.order_id, time.monotonic_ns())
        counts = self.standing.counts
        if report.kind == pb.VENUE_REPORT_KIND_ACCEPTED:
            counts.accepted += 1
        elif report.kind == pb.VENUE_REPORT_KIND_FILLED:
            counts.fills += 1
        elif report.kind == pb.VENUE_REPORT_KIND_UNKNOWN:
            counts.unknown += 1
        elif report.kind in REFUSALS:
            counts.refused += 1

    async def commit(
        self,
        outcome: Outcome,
        also: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
        carried: Sequence[Carried] = (),
    ) -> list[pb.VenueReport]:
        """See Store.commit."""
        return await self.store.commit(self.lease, outcome, also, carried)


def settle(handed: Iterable[Handed], error: StoreError | None = None) -> None:
    """Tells those who wait what became of what they handed over."""
    for each in handed:
        if each.future.done():
            continue
        if error is None:
            each.future.set_result(None)
        else:
            each.future.set_exception(error)


REFUSALS = (
    pb.VENUE_REPORT_KIND_REJECTED,
    pb.VENUE_REPORT_KIND_CANCEL_REJECTED,
    pb.VENUE_REPORT_KIND_REPLACE_REJECTED,
)
