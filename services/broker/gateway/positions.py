"""A client's question about positions (AN), and what the ledger has as its answer (AO, AP).

A report says up to which execution report it counts, by the ExecID (17) that the session was told it by: whoever adds
the later fills to it has the position of now. Questions are asked beside orders and cancels, which wait for no ledger.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crossrate.api.ledger.v1 import balance_pb2
from crossrate.api.ledger.v1 import ledger_service_pb2 as ledger
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.basics.pair import parse_pair
from crossrate.fix.application import Unit
from crossrate.fix.endpoint import Endpoint
from crossrate.fix.enums import PosReqResult, PosReqStatus, PosReqType, SettlPriceType, SubscriptionRequestType
from crossrate.fix.positions import (
    TOTAL,
    VARIATION,
    PositionAmount,
    PositionQty,
    PositionReport,
    RequestForPositions,
    RequestForPositionsAck,
)
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.domain.dates import Calendar
from services.broker.gateway.kept import Asked, Kept, Kind
from services.broker.gateway.words_in import Refused

ID_MAX = 64
PAUSE_S = 1.0
DAY = parse_pair("EUR/USD")
"""Whose session is the trading day."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whose answer it is that a message belongs to. `symbol`: None for all."""

    pos_req_id: str
    account: str
    account_type: int
    symbol: str | None = None


class Positions:
    """Of one session. `run` is a task; `received` is called for each question."""

    def __init__(self, kept: Kept, stub: LedgerServiceStub, accounts: Sequence[str], note: Any) -> None:
        self._kept, self._stub, self._accounts, self._note = kept, stub, accounts, note
        self._calendar = Calendar()
        self.wake = asyncio.Event()
        self.endpoint: Endpoint | None = None

    def _days(self) -> tuple[dt.date, dt.date]:
        """The trading day, and the day by UTC."""
        now_ns = time.time_ns()
        return self._calendar.session(DAY, now_ns).trade_date, dt.datetime.fromtimestamp(now_ns / 1e9, dt.UTC).date()

    async def received(self, request: RequestForPositions, unit: Unit) -> None:
        """Keeps the question in the transaction that acknowledges it, or refuses it."""
        try:
            made = asked(request, self._accounts, self._days())
        except Refused as refused:
            unit.send(refusal(_of(request), f"R{time.time_ns()}", str(refused)))
            return
        await self._kept.ask(
            unit.transaction,
            Kind.POSITIONS,
            request.account,
            str(request.account_type),
            request.pos_req_id,
            made.SerializeToString(),
        )

    async def run(self) -> None:
        """Answers, until it is cancelled."""
        complained = False
        while True:
            self.wake.clear()
            try:
                found = await self._kept.undone(questions=True)
                for each in found:
                    await self._answer(each)
                complained = False
                if not found:
                    await self.wake.wait()
            except StoreError as error:
                if not complained:
                    self._note.warning("a client's questions wait", session=self._kept.session, why=str(error))
                complained = True
                await asyncio.sleep(PAUSE_S)

    async def _answer(self, each: Asked) -> None:
        assert self.endpoint is not None
        request = ledger.ListPositionsRequest.FromString(each.content)
        question = Question(each.cl_ord_id, each.account, int(each.root), request.instrument or None)
        try:
            told = await self._stub.ListPositions(request)
            messages = answer(question, each.number, self._days()[0], told)
        except CallError as error:
            # Whoever asks is told, and asks again: an answer that comes later is no answer.
            messages = [refusal(question, f"P{each.number}", f"the ledger cannot say: {error.message}")]
        async with self.endpoint.unit() as unit:
            for message in messages:
                unit.send(message, offline=True)
            await self._kept.done(unit.transaction, [each.number])


def _of(request: RequestForPositions) -> Question:
    return Question(request.pos_req_id, request.account, request.account_type, request.symbol)


def asked(
    request: RequestForPositions, accounts: Sequence[str], days: Sequence[dt.date]
) -> ledger.ListPositionsRequest:
    """The question to the ledger.

    Args:
        accounts: those of the session.
        days: the trading day and the day by UTC, which are the only ones of which positions are told.

    Raises:
        Refused: it asks for what is not told; the text names the tag.
    """
    if len(request.pos_req_id) > ID_MAX:
        raise Refused(f"710: at most {ID_MAX} characters")
    if request.pos_req_type is not PosReqType.POSITIONS:
        raise Refused(f"724={request.pos_req_type}: 0 (positions)")
    if request.subscription_request_type not in (None, SubscriptionRequestType.SNAPSHOT):
        raise Refused("263: 0 (once); what changes a position afterwards is in execution reports")
    if request.account not in accounts:
        raise Refused(f"1={request.account}: the session's accounts are {', '.join(accounts)}")
    if request.clearing_business_date not in days:
        day = request.clearing_business_date
        raise Refused(f"715={day:%Y%m%d}: positions are those of now, {days[0]:%Y%m%d}; GetStatement has those of then")
    return ledger.ListPositionsRequest(account=request.account, instrument=request.symbol or "")


def refusal(request: Question, number: str, text: str) -> RequestForPositionsAck:
    """The answer to what is not told."""
    of_another = text.startswith("1=")
    return RequestForPositionsAck(
        pos_maint_rpt_id=number,
        pos_req_id=request.pos_req_id,
        total_num_pos_reports=0,
        pos_req_result=PosReqResult.NOT_AUTHORISED if of_another else PosReqResult.UNSUPPORTED,
        pos_req_status=PosReqStatus.REJECTED,
        account=request.account,
        account_type=request.account_type,
        symbol=request.symbol,
        text=text[:500],
    )


def answer(request: Question, number: int, day: dt.date, told: ledger.ListPositionsResponse) -> list[Any]:
    """The answer: how many there are, and each."""
    held = [each for each in told.positions if Decimal(each.quantity)]
    ack = RequestForPositionsAck(
        pos_maint_rpt_id=f"P{number}",
        pos_req_id=request.pos_req_id,
        total_num_pos_reports=len(held),
        pos_req_result=PosReqResult.VALID if held else PosReqResult.NO_POSITIONS,
        pos_req_status=PosReqStatus.COMPLETED,
        account=request.account,
        account_type=request.account_type,
        symbol=request.symbol,
        text=_upto(request.account, told.execution_sequence),
    )
    return [ack, *(_report(request, f"P{number}.{at}", day, told, each) for at, each in enumerate(held, 1))]


def _upto(account: str, sequence: int) -> str:
    return f"with every fill up to ExecID {account}:{sequence}"


def _report(
    request: Question,
    number: str,
    day: dt.date,
    told: ledger.ListPositionsResponse,
    held: balance_pb2.Position,
) -> PositionReport:
    quantity, opened = Decimal(held.quantity), Decimal(held.average_price)
    mark = held.mark.bid if quantity > 0 else held.mark.ask
    text = _upto(request.account, told.execution_sequence)
    if held.position_id:
        text += f"; position {held.position_id}"
    amounts: tuple[PositionAmount, ...] = ()
    if held.unrealised_counter:
        amounts = (PositionAmount(pos_amt_type=VARIATION, pos_amt=Decimal(held.unrealised_counter)),)
    else:
        text += "; there is no price to value it at: SettlPrice is that of its deals"
    return PositionReport(
        pos_maint_rpt_id=number,
        pos_req_id=request.pos_req_id,
        pos_req_type=PosReqType.POSITIONS,
        total_num_pos_reports=sum(1 for each in told.positions if Decimal(each.quantity)),
        pos_req_result=PosReqResult.VALID,
        clearing_business_date=day,
        account=request.account,
        account_type=request.account_type,
        symbol=held.instrument,
        currency=held.instrument[:3],
        settl_price=Decimal(mark) if amounts and mark else opened,
        settl_price_type=SettlPriceType.THEORETICAL,
        prior_settl_price=opened,
        positions=(
            PositionQty(pos_type=TOTAL, long_qty=max(quantity, Decimal(0)), short_qty=max(-quantity, Decimal(0))),
        ),
        amounts=amounts,
        text=text,
    )
