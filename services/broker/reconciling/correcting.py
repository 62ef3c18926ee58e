"""Approved corrections, carried out by whoever has the venue: as reports of its own, committed like a venue's.

A correction and what came of it are one transaction, so that it is done once. Trading and the ledger hear of it as of
any report: a fill that is reversed or adopted is reversed or booked there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import asyncpg

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.broker.v1 import venue_report_pb2 as reports
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.basics.pair import parse_pair
from crossrate.store import StoreError
from crossrate.store.errors import StaleWriter
from services.broker.adopting import adopted, key_of
from services.broker.domain.amounts import QUANTITY_UNIT, price_text, quantity_text
from services.broker.domain.books import BUY, SELL, StatedOrder, Statement
from services.broker.domain.dates import Calendar, put_date
from services.broker.engine.desk import Desk
from services.broker.engine.holders import Adapter
from services.broker.reconciling.changes import CORRECTED
from services.broker.reconciling.reading import ADJUSTED
from services.broker.routed import At, Routed
from services.broker.store import Outcome
from services.broker.store.breaks import KeptBreak, lock, put, step
from services.broker.venues.exchange_terms import dated


class Impossible(Exception):
    """It cannot be carried out; the text says why."""


class Corrector:
    """See the module. Of one venue."""

    def __init__(
        self, desk: Desk, adapter: Adapter, account: str, calendar: Calendar, clock_ns: Callable[[], int]
    ) -> None:
        self._desk, self._adapter, self._account = desk, adapter, account
        self._calendar, self._clock_ns = calendar, clock_ns

    async def carry_out(self, breaks: Mapping[str, KeptBreak], statement: Statement | None) -> None:
        """Does what was approved and is not done.

        Raises:
            RuntimeError: the database is away: the venue is begun anew, and it is done then.
        """
        for each in breaks.values():
            correction = each.message.correction
            if not each.message.HasField("correction") or correction.state != pb.BREAK_CORRECTION_STATE_APPROVED:
                continue
            stated = self._stated(each.message, statement)
            if correction.action == pb.CORRECTION_ACTION_CANCEL_AT_VENUE and stated is not None:
                # Sent before it is noted: a cancel that is sent twice is refused the second time, and nothing else.
                await self._adapter.cancel_there(stated)
            async with self._desk.turn:
                try:
                    await self._one(each.message.break_id, stated)
                except StaleWriter:
                    raise
                except StoreError as error:
                    # What the desk remembers may be ahead of what is kept: everything begins anew.
                    raise RuntimeError(f"a correction was not carried out: {error}") from error

    async def _one(self, break_id: str, stated: StatedOrder | None) -> None:
        outcome = Outcome()
        store = self._desk.store
        async with store.transaction() as connection:
            kept = await lock(connection, break_id)
            if kept is None or kept.message.correction.state != pb.BREAK_CORRECTION_STATE_APPROVED:
                return
            message, correction = kept.message, kept.message.correction
            now = self._clock_ns()
            try:
                await self._make(connection, outcome, message, stated, now)
            except Impossible as why:
                correction.state, correction.outcome = pb.BREAK_CORRECTION_STATE_FAILED, str(why)
                message.state = pb.BREAK_STATE_OPEN
                step(message, "failed", str(why), now)
                outcome = Outcome()
            told = await store.within(connection, self._desk.lease, outcome)
            if correction.state == pb.BREAK_CORRECTION_STATE_APPROVED:
                correction.state = pb.BREAK_CORRECTION_STATE_DONE
                correction.report_sequences.extend(each.sequence for each in told)
                correction.outcome = "done; it closes when the books agree"
                step(message, CORRECTED, f"reports {', '.join(str(each.sequence) for each in told) or 'none'}", now)
            await put(connection, [kept])
        store.told(told)
        self._desk.wake.set()

    async def _make(
        self,
        connection: asyncpg.Connection,
        outcome: Outcome,
        message: pb.Break,
        stated: StatedOrder | None,
        now_ns: int,
    ) -> None:
        match message.correction.action:
            case pb.CORRECTION_ACTION_ADOPT_FILL:
                await self._adopt_fill(connection, outcome, message, now_ns)
            case pb.CORRECTION_ACTION_REVERSE_FILL:
                await self._reverse(connection, outcome, message, now_ns)
            case pb.CORRECTION_ACTION_CORRECT_FILL:
                await self._correct(connection, outcome, message, now_ns)
            case pb.CORRECTION_ACTION_END_ORDER:
                await self._end(connection, outcome, message, now_ns)
            case pb.CORRECTION_ACTION_ADOPT_ORDER:
                if stated is None:
                    raise Impossible("the venue states the order no more: it has ended there")
                routed, report = adopted(self._desk.venue, self._account, stated, self._calendar, now_ns)
                self._tell(outcome, routed, report, message, key_of(stated))
            case pb.CORRECTION_ACTION_CANCEL_AT_VENUE:
                if stated is None:
                    raise Impossible("the venue states the order no more: it has ended there")
            case action:
                raise Impossible(f"action {action} is none that is carried out")

    def _stated(self, message: pb.Break, statement: Statement | None) -> StatedOrder | None:
        for each in statement.orders if statement is not None else ():
            if each.venue_order_id == message.venue_order_id or (each.order_id and each.order_id == message.order_id):
                return each
        return None

    async def _order(self, connection: asyncpg.Connection, message: pb.Break) -> Routed:
        routed = await self._desk.reading.within(connection, message.order_id) if message.order_id else None
        if routed is None:
            raise Impossible(f"order {message.order_id or '(none)'} is not known here")
        return routed

    async def _adopt_fill(
        self, connection: asyncpg.Connection, outcome: Outcome, message: pb.Break, now_ns: int
    ) -> None:
        """The venue's fill on its order; on an adopted one where there is none or it cannot take it."""
        if message.type == pb.BREAK_TYPE_POSITION:
            self._adjust(outcome, message, now_ns)
            return
        book = "broker" if message.type == pb.BREAK_TYPE_NOT_BOOKED else "drop_copy"
        says = next((each for each in message.books if each.book == book and each.present), None)
        if says is None:
            raise Impossible("no book says what was dealt")
        report = reports.VenueReport(kind=reports.VENUE_REPORT_KIND_FILLED)
        self._fill(report, message, says.quantity, says.price, message.venue_exec_id, now_ns)
        if message.type == pb.BREAK_TYPE_SIDE:
            await self._reverse(connection, outcome, message, now_ns)
        elif message.type == pb.BREAK_TYPE_MISSING_FILL and message.order_id:
            routed = await self._order(connection, message)
            _agreed(report.fill, routed)
            self._filled(routed, _units(says.quantity))
            self._tell(outcome, routed, report, message, message.venue_exec_id)
            return
        # Told under an id of its own: an order has it, or had it, under the venue's.
        report.exec_ref_id = message.venue_exec_id
        report.fill.venue_exec_id = f"{message.venue_exec_id[:60]}.{message.correction.correction_id[:8]}"
        self._on_adopted(outcome, report, message, says, f"C:{message.correction.correction_id}", now_ns)

    def _adjust(self, outcome: Outcome, message: pb.Break, now_ns: int) -> None:
        sums = {each.book: _units(each.quantity) for each in message.books}
        difference = sums["statement"] - sums.get("drop_copy", sums["broker"])
        if not message.correction.price:
            raise Impossible("price: nobody has told what it was dealt at; propose it with a price")
        side = "BUY" if difference > 0 else "SELL"
        says = pb.BookSays(side=side, quantity=quantity_text(abs(difference)), price=message.correction.price)
        exec_id = f"{ADJUSTED}{message.correction.correction_id}"
        report = reports.VenueReport(kind=reports.VENUE_REPORT_KIND_FILLED)
        self._fill(report, message, says.quantity, says.price, exec_id, now_ns)
        self._on_adopted(outcome, report, message, says, exec_id, now_ns)

    def _on_adopted(
        self,
        outcome: Outcome,
        report: reports.VenueReport,
        message: pb.Break,
        says: pb.BookSays,
        key: str,
        now_ns: int,
    ) -> None:
        stated = StatedOrder(
            f"C-{message.correction.correction_id}",
            "",
            message.instrument,
            BUY if says.side == "BUY" else SELL,
            _units(says.quantity),
            Decimal(says.price),
            0,
        )
        account = message.account or self._account
        routed, opened = adopted(self._desk.venue, account, stated, self._calendar, now_ns)
        opened.text = f"made for a correction of break {message.break_id}"
        self._tell(outcome, routed, opened, message, key_of(stated))
        self._filled(routed, stated.quantity)
        self._tell(outcome, routed, report, message, key)

    async def _reverse(self, connection: asyncpg.Connection, outcome: Outcome, message: pb.Break, now_ns: int) -> None:
        routed = await self._order(connection, message)
        says = next(each for each in message.books if each.book == "broker")
        routed.filled -= _units(says.quantity)
        report = reports.VenueReport(kind=reports.VENUE_REPORT_KIND_TRADE_CANCELLED, exec_ref_id=message.venue_exec_id)
        report.venue_time.FromNanoseconds(now_ns)
        self._tell(outcome, routed, report, message, f"R:{message.correction.correction_id}")

    async def _correct(self, connection: asyncpg.Connection, outcome: Outcome, message: pb.Break, now_ns: int) -> None:
        routed = await self._order(connection, message)
        books = {each.book: each for each in message.books}
        now, was = books.get("drop_copy"), books["broker"]
        if now is None or not now.present:
            raise Impossible("only a fill is corrected; an order is cancelled at its venue")
        report = reports.VenueReport(kind=reports.VENUE_REPORT_KIND_TRADE_CORRECTED, exec_ref_id=message.venue_exec_id)
        self._fill(report, message, now.quantity, now.price, message.venue_exec_id, now_ns)
        _agreed(report.fill, routed)
        routed.filled += _units(now.quantity) - _units(was.quantity)
        self._tell(outcome, routed, report, message, f"R:{message.correction.correction_id}")

    async def _end(self, connection: asyncpg.Connection, outcome: Outcome, message: pb.Break, now_ns: int) -> None:
        routed = await self._order(connection, message)
        routed.status = At.ENDED
        report = reports.VenueReport(kind=reports.VENUE_REPORT_KIND_CANCELLED)
        report.venue_time.FromNanoseconds(now_ns)
        self._tell(outcome, routed, report, message, f"R:{message.correction.correction_id}")

    def _fill(
        self, report: reports.VenueReport, message: pb.Break, quantity: str, price: str, exec_id: str, now_ns: int
    ) -> None:
        fill, pair = report.fill, parse_pair(message.instrument)
        fill.venue_exec_id, fill.venue, fill.quantity = exec_id, self._desk.venue, quantity
        fill.price = price_text(Decimal(price))
        trade_date = self._calendar.session(pair, now_ns).trade_date
        put_date(fill.trade_date, trade_date)
        put_date(fill.settl_date, self._calendar.spot(pair, trade_date))
        fill.venue_time.FromNanoseconds(now_ns)
        report.venue_time.FromNanoseconds(now_ns)

    def _filled(self, routed: Routed, units: int) -> None:
        routed.filled += units
        whole = _units(routed.order.terms.quantity) - routed.earlier if routed.order.terms.quantity else 0
        if whole and routed.filled >= whole:
            routed.status = At.ENDED

    def _tell(self, outcome: Outcome, routed: Routed, report: reports.VenueReport, message: pb.Break, key: str) -> None:
        correction = message.correction
        words = f"break {message.break_id}: {correction.proposed_by} and {correction.decided_by}: {correction.reason}"
        report.text = report.text or words[:500]
        if report.kind != reports.VENUE_REPORT_KIND_ADOPTED:
            report.reason = execution.EXECUTION_REASON_CORRECTION
        self._desk.told(outcome, routed, report, key)


def _agreed(fill: execution.Fill, routed: Routed) -> None:
    """A fill of a forward settles when the order does.

    Raises:
        Impossible: it is a swap's, whose far leg no book tells.
    """
    if routed.order.terms.HasField("far_leg"):
        raise Impossible("a swap has a far leg, which the drop copy does not price: have the venue tell it again")
    if dated(routed.order.terms) and routed.order.settl_date.year:
        fill.settl_date.CopyFrom(routed.order.settl_date)


def _units(text: str) -> int:
    return int(Decimal(text) * QUANTITY_UNIT)
