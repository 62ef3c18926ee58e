"""A venue that speaks FIX 4.4.

What is sent commits with its number and with the instruction's mark; what came commits with the number that
acknowledges it. So a kill leaves nothing in doubt that the session's own numbers do not tell: a venue handles our
messages in their order, hence the answer to a question that was sent after an order says whether the order came.
Nothing of an order is remembered in memory: what a failed commit has undone is undone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import CxlRejReason, CxlRejResponseTo, ExecType
from crossrate.fix.faults import NotLoggedOn, Throttled
from crossrate.fix.initiator import Initiator
from crossrate.fix.message import Message
from crossrate.fix.numbers import Sent
from crossrate.fix.positions import PositionReport, RequestForPositionsAck
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import BusinessMessageReject, ExecutionReport, OrderCancelReject
from crossrate.fix.rules import Rules
from crossrate.store import Database
from crossrate.store.fix_store import FixStore
from services.broker.adopting import adopted, key_of
from services.broker.domain.amounts import quantity_of
from services.broker.domain.books import StatedOrder, Statement
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.engine.session import Session
from services.broker.routed import At, Routed, Waiting, recalled
from services.broker.store import Outcome
from services.broker.venues import fix_doubts as doubts
from services.broker.venues import fix_words as words
from services.broker.venues.declared import FixVenue
from services.broker.venues.fix_copy import FixCopy, tls_of
from services.broker.venues.fix_statement import WORKING, Stating, stated_of

CHECK_S = 0.5
"""How often it is looked whether something waits for too long."""
PREFIX = "X"
HEARD = (ExecutionReport, OrderCancelReject, BusinessMessageReject, RequestForPositionsAck, PositionReport)


class FixAdapter:
    """See the module.

    Args:
        elsewhere: another venue for an order that could not be sent here; None for none.
    """

    def __init__(
        self,
        desk: Desk,
        spec: FixVenue,
        folder: Path,
        database: Database,
        calendar: Calendar,
        elsewhere: Callable[[Waiting], Awaitable[str | None]],
        note: Any,
    ) -> None:
        self._desk, self._spec, self._database = desk, spec, database
        self._folder, self._calendar, self._elsewhere, self._note = folder, calendar, elsewhere, note
        self._ready = False
        self._passed_over = self._resets = 0
        """Of the venue's messages, and of the session, when it was last asked: what was lost is answered by asking."""
        self._stating = Stating(desk, spec, database, calendar, PREFIX, note)
        self._copy: FixCopy | None = None
        if spec.drop_copy is not None:
            self._copy = FixCopy(desk, spec, spec.drop_copy, folder, database, note)
        password = (folder / spec.password_file).read_text().strip() if spec.password_file else ""
        rules = Rules(
            spec.sender_comp_id,
            spec.target_comp_id,
            username=spec.username,
            heartbeat_s=spec.heartbeat_s,
            reset="never",
            peer_may_reset=spec.may_reset,
            clock_s=spec.clock_s,
            sent_per_s_max=spec.messages_per_s_max,
        )
        self._endpoint = Endpoint(
            rules,
            FixStore(database, f"venue:{desk.venue}"),
            self,
            note,
            password=password,
            decode=Decoder(HEARD),
            may_resend=self._may_resend,
        )

    def _may_resend(self, sent: Sent) -> bool:
        """New orders and amendments do not arrive late; cancels and questions may."""
        age_s = (time.time_ns() - sent.time_ns) / 1e9
        return sent.kind not in (b"D", b"G") or age_s <= self._spec.resend_s_max

    async def run(self) -> None:
        """See Adapter."""
        await FixStore.prepare(self._database)
        spec, stopping = self._spec, asyncio.Event()
        self._desk.become(Session.CONNECTING, f"{spec.host}:{spec.port}")
        way = Initiator(
            self._endpoint,
            spec.host,
            spec.port,
            self._note,
            tls=tls_of(spec, self._folder),
            server_name=spec.server_name,
            pause_s=spec.reconnect.first_s,
            pause_s_max=spec.reconnect.cap_s,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(way.run(stopping))
            group.create_task(self._work())
            if self._copy is not None:
                group.create_task(self._copy.run())

    # The session.

    async def logged_on(self) -> None:
        """See Application."""
        self._desk.become(Session.RECOVERING, "the session stands; the venue is being asked")
        self._ready, self._resets = False, 0
        self._stating.begin()
        self._desk.instruct()

    async def logged_out(self, reason: str) -> None:
        """See Application."""
        self._ready = False
        self._desk.become(Session.CONNECTING, reason)

    # What goes out.

    async def _work(self) -> None:
        while True:
            self._desk.wake.clear()
            try:
                if self._endpoint.standing:
                    if not self._ready or self._lost != (self._passed_over, self._resets):
                        await self._recover()
                    await self._pass()
                else:
                    await self._age()
            except (NotLoggedOn, Throttled):
                self._ready = self._ready and self._endpoint.standing
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await self._desk.wake.wait()

    @property
    def _lost(self) -> tuple[int, int]:
        return self._endpoint.passed_over, self._endpoint.resets

    async def _recover(self) -> None:
        """Asks for every order whose fate is not known, and for all that works there."""
        passed_over, resets = self._lost
        async with self._endpoint.unit() as unit:
            outcome = Outcome()
            asked = await doubts.ask(self._desk, self._spec, unit, outcome, PREFIX)
            if resets > self._resets:
                await doubts.cancel_again(self._desk, self._spec, unit, outcome, PREFIX)
            reports = await self._desk.store.within(unit.transaction, self._desk.lease, outcome)
        self._desk.store.told(reports)
        self._ready, self._passed_over, self._resets = True, passed_over, resets
        self._desk.become(Session.READY, f"{asked} orders and amendments were asked for" if asked else "")

    async def _pass(self) -> None:
        waiting = await self._desk.reading.waiting(self._desk.venue, 100)
        if not waiting:
            return
        async with self._endpoint.unit() as unit:
            outcome = Outcome()
            for order_id, numbers in recalled(waiting).items():
                self._desk.recall(outcome, await self._desk.reading.within(unit.transaction, order_id), numbers)
            for each in waiting:
                if each.number in outcome.done:
                    continue
                routed = outcome.orders.get(each.order_id) or await self._desk.reading.within(
                    unit.transaction, each.order_id
                )
                if routed is None:
                    outcome.done.append(each.number)
                else:
                    self._send(unit, outcome, routed, each)
            reports = await self._desk.store.within(unit.transaction, self._desk.lease, outcome)
        self._desk.store.told(reports)
        self._desk.wake.set()

    def _send(self, unit: Unit, outcome: Outcome, routed: Routed, each: Waiting) -> None:
        cl_ord_id = f"{PREFIX}{each.number}"
        try:
            if each.kind == routing.INSTRUCTION_KIND_NEW:
                if routed.status is not At.HERE:
                    outcome.done.append(each.number)
                    return
                if each.age_s > self._spec.unsent_s_max:
                    raise words.Unfit(f"it waited {each.age_s:.0f} s for its venue: not sent late")
                if quantity_of(routed.order.terms.quantity) > quantity_of(self._spec.limits.order_quantity_max):
                    raise words.Unfit(f"quantity: the venue's limit is {self._spec.limits.order_quantity_max} an order")
                unit.send(words.new_order(self._spec, routed, cl_ord_id))
                routed.status, routed.client_id = At.SENT, cl_ord_id
                outcome.orders[routed.order_id] = routed
                self._desk.sends(routed)
            elif not routed.client_id and not routed.venue_order_id:
                self._desk.never_sent(outcome, routed, each)
                return
            elif each.kind == routing.INSTRUCTION_KIND_REPLACE:
                unit.send(words.replacement(self._spec, routed, each.order, cl_ord_id))
            elif each.kind == routing.INSTRUCTION_KIND_CANCEL:
                unit.send(words.cancel(self._spec, routed, cl_ord_id))
            else:
                unit.send(words.question(self._spec, routed))
                outcome.done.append(each.number)
                return
            outcome.sent.append(each.number)
        except words.Unfit as unfit:
            self._desk.refuse(outcome, routed, each, str(unfit))
        except ValueError as error:
            # Nothing of it was sent; it would end every adapter that tries it.
            self._note.error("an instruction cannot be written", instruction=each.instruction_id, why=str(error))
            self._desk.refuse(outcome, routed, each, f"it cannot be written for the venue: {error}")

    async def _age(self) -> None:
        """While there is no session: new orders go elsewhere, or are refused once they have waited too long."""
        outcome = Outcome()
        waiting = await self._desk.reading.waiting(self._desk.venue, 100)
        for order_id, numbers in recalled(waiting).items():
            self._desk.recall(outcome, (await self._desk.reading.orders([order_id])).get(order_id), numbers)
        for each in waiting:
            if each.number in outcome.done:
                continue
            routed = (await self._desk.reading.orders([each.order_id])).get(each.order_id)
            if each.kind != routing.INSTRUCTION_KIND_NEW or routed is None or routed.status is not At.HERE:
                continue
            # It waits, so no byte of it has left: it may go to another venue.
            other = None if each.pinned else await self._elsewhere(each)
            if other is not None:
                routed.venue = other
                outcome.orders[routed.order_id] = routed
                outcome.moved.append((each.number, other))
            elif each.age_s > self._spec.unsent_s_max:
                self._desk.refuse(outcome, routed, each, f"it waited {each.age_s:.0f} s for a session with its venue")
        if not outcome.empty:
            await self._desk.commit(outcome)

    def _tell(self, outcome: Outcome, routed: Routed, report: pb.VenueReport, key: str = "") -> None:
        if not report.HasField("venue_time"):
            report.venue_time.GetCurrentTime()
        self._desk.told(outcome, routed, report, key)

    # What comes in.

    async def received(self, message: Message, unit: Unit) -> None:
        """See Application."""
        outcome, value = Outcome(), message.value
        if self._stating.answered(message):
            return
        if isinstance(value, RequestForPositionsAck | PositionReport):
            await self._stating.take_position(unit.transaction, value)
        elif isinstance(value, ExecutionReport):
            try:
                await self._report(unit, outcome, value)
            except ValueError as error:
                # It would come again and again: it is told to people, and the session goes on.
                self._note.error("a venue's report cannot be read", venue=self._desk.venue, why=str(error))
        elif isinstance(value, OrderCancelReject):
            await self._refused(unit, outcome, value)
        elif isinstance(value, BusinessMessageReject):
            await self._not_taken(unit, outcome, value)
        if not outcome.empty:
            await self._desk.store.within(unit.transaction, self._desk.lease, outcome)

    async def _instruction(self, unit: Unit, cl_ord_id: str | None) -> Waiting | None:
        digits = (cl_ord_id or "").removeprefix(PREFIX)
        if not (cl_ord_id or "").startswith(PREFIX) or not digits.isdecimal() or len(digits) > 18:
            return None
        found = await self._desk.reading.instructed(unit.transaction, int(digits))
        return found[0] if found is not None and found[1] == self._desk.venue else None

    async def _report(self, unit: Unit, outcome: Outcome, value: ExecutionReport) -> None:
        asked = await self._instruction(unit, value.cl_ord_id) or await self._instruction(unit, value.orig_cl_ord_id)
        if asked is not None:
            routed = await self._desk.reading.within(unit.transaction, asked.order_id)
        else:
            routed = await self._desk.reading.named(unit.transaction, self._desk.venue, value.order_id)
        self._stating.take(value, routed.order_id if routed is not None else "")
        if routed is None:
            if value.order_id != "NONE":
                routed = await self._adopt(unit, outcome, value)
            if routed is None or value.exec_type is not ExecType.TRADE:
                return
        status = value.exec_type is ExecType.ORDER_STATUS
        amended = asked if asked is not None and asked.kind == routing.INSTRUCTION_KIND_REPLACE else None
        is_open = amended is not None and not await self._desk.reading.answered(unit.transaction, amended.number)
        replaces = value.exec_type is ExecType.REPLACED
        if amended is not None and is_open and not replaces and value.cl_ord_id == f"{PREFIX}{amended.number}":
            doubts.answer_amendment(self._desk, outcome, routed, amended, value)
            if status:
                return
        said = words.report_of(self._spec, self._desk.venue, value, routed, self._calendar)
        if said is None:
            return
        report, key = said
        if key and await self._desk.reading.seen(unit.transaction, self._desk.venue, key):
            return
        if status and routed.status is not At.UNKNOWN:
            return  # nothing was in doubt: what changes is told by reports of its own
        if replaces and amended is not None and not is_open:
            return  # a question was answered in its place
        if routed.status in doubts.DOUBTFUL and (new := await self._instruction(unit, routed.client_id)) is not None:
            outcome.done.append(new.number)  # whatever is told of an order says that it came
        words.moved(routed, value, report.kind, amended)
        if amended is not None and report.kind == pb.VENUE_REPORT_KIND_REPLACED:
            report.version = amended.version
        self._tell(outcome, routed, report, key)
        if asked is not None and not status and value.ord_status not in doubts.PENDING:
            outcome.done.append(asked.number)

    async def _refused(self, unit: Unit, outcome: Outcome, value: OrderCancelReject) -> None:
        asked = await self._instruction(unit, value.cl_ord_id)
        routed = await self._desk.reading.within(unit.transaction, asked.order_id) if asked is not None else None
        if asked is None or routed is None:
            self._note.error("a venue refuses a cancel that nobody here sent", cl_ord_id=value.cl_ord_id)
            return
        replace = value.cxl_rej_response_to is CxlRejResponseTo.CANCEL_REPLACE
        late = value.cxl_rej_reason in (CxlRejReason.TOO_LATE_TO_CANCEL, CxlRejReason.UNKNOWN_ORDER)
        report = pb.VenueReport(
            kind=pb.VENUE_REPORT_KIND_REPLACE_REJECTED if replace else pb.VENUE_REPORT_KIND_CANCEL_REJECTED,
            version=asked.version,
            text=(value.text or "")[:500],
            reason=execution.EXECUTION_REASON_TOO_LATE if late else execution.EXECUTION_REASON_VENUE,
        )
        self._tell(outcome, routed, report, f"9:{value.cl_ord_id}")
        outcome.done.append(asked.number)

    async def _not_taken(self, unit: Unit, outcome: Outcome, value: BusinessMessageReject) -> None:
        asked = await self._instruction(unit, value.business_reject_ref_id)
        routed = await self._desk.reading.within(unit.transaction, asked.order_id) if asked is not None else None
        if asked is None or routed is None:
            self._note.warning("a venue does not take a message", kind=value.ref_msg_type, text=value.text)
            return
        self._desk.refuse(outcome, routed, asked, value.text or "the venue does not take the message")

    async def _adopt(self, unit: Unit, outcome: Outcome, value: ExecutionReport) -> Routed | None:
        """An order that nobody here sent: it is one of ours from now on, by an id made of the venue's."""
        working = value.ord_status in WORKING or value.exec_type is ExecType.TRADE
        if not self._spec.adopts or not working or value.settl_date2 is not None:
            return None  # of a swap by hand the statement tells, and two persons decide
        stated, now = stated_of(value), value.transact_time or time.time_ns()
        routed, report = adopted(self._desk.venue, self._spec.adopted_account, stated, self._calendar, now)
        if await self._desk.reading.seen(unit.transaction, self._desk.venue, key_of(stated)):
            return await self._desk.reading.within(unit.transaction, routed.order_id)
        self._tell(outcome, routed, report, key_of(stated))
        return routed

    # The books.

    @property
    def copied(self) -> bool:
        """See Adapter."""
        return self._copy is not None

    @property
    def copy_since_ns(self) -> int | None:
        """See Adapter."""
        return self._copy.since_ns if self._copy is not None else None

    latency_s = 0.0

    async def statement(self) -> Statement | None:
        """See Adapter."""
        if not self._ready or not self._endpoint.standing:
            return None
        return await self._stating.statement(self._endpoint)

    async def cancel_there(self, stated: StatedOrder) -> None:
        """See Adapter."""
        with contextlib.suppress(NotLoggedOn, Throttled):
            async with self._endpoint.unit() as unit:
                unit.send(words.cancel_stated(self._spec, stated, f"{PREFIX}C{time.time_ns()}"))
