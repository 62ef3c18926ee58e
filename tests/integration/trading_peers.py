"""Risk, broker, ledger and pricing as trading meets them: stand-ins that speak the contracts and do as a test says."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.broker.v1.routing_service_pb2_grpc import (
    RoutingServiceServicer,
)
from crossrate.api.common.v1 import check_pb2
from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as accounts
from crossrate.api.ledger.v1.account_service_pb2_grpc import (
    AccountServiceServicer,
)
from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as quoting
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import (
    QuotingServiceServicer,
)
from crossrate.api.risk.v1 import pretrade_service_pb2 as pretrade
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import (
    PreTradeServiceServicer,
)
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.rpc import errors


class Risk(PreTradeServiceServicer):
    """Admits what it is told to, and keeps what trading reports: whatever has a gap it asks for whole."""

    def __init__(self) -> None:
        self.sequences: dict[str, int] = {}
        self.states: dict[str, Any] = {}
        self.refuse: Callable[[order_pb2.Order], str] = lambda order: ""
        self.gate_version = 0
        self.calls = 0
        self.sizes: list[int] = []
        self.away = False

    def _hear(self, told: Any) -> list[str]:
        missing = []
        for each in told:
            if each.HasField("state"):
                self.sequences[each.account], self.states[each.account] = each.state.sequence, each.state
            for report in each.reports:
                if each.account not in self.sequences or report.sequence > self.sequences[each.account] + 1:
                    missing.append(each.account)
                    break
                self.sequences[each.account] = max(report.sequence, self.sequences[each.account])
        return missing

    async def Authorise(self, request, context):
        self.calls += 1
        if self.away:
            raise errors.dependency_unavailable("risk")
        answer = pretrade.AuthoriseResponse(gate_version=self.gate_version)
        missing = self._hear(request.accounts)
        missing += [o.order.terms.account for o in request.orders if o.order.terms.account not in self.sequences]
        if missing:
            answer.missing_accounts.extend(sorted(set(missing)))
            return answer
        self.sizes.append(len(request.orders))
        for each in request.orders:
            words = self.refuse(each.order)
            said = answer.authorisations.add(authorised=not words, margin_currency="USD", equity="1000000")
            said.margin_before, said.margin_after, said.margin_free = "0", "5000.5", "994999.5"
            said.first_limit = 1
            check = said.checks.add(kind=check_pb2.CHECK_KIND_ORDER_QUANTITY, scope="platform", passed=not words)
            check.limit, check.value, check.headroom, check.unit = "5000000", each.order.terms.quantity, "1000", "EUR"
            check.text = words or "within the limit"
            said.quote_seen.bid, said.quote_seen.ask = "1.0799", "1.0801"
        return answer

    async def Report(self, request, context):
        return pretrade.ReportResponse(missing_accounts=sorted(set(self._hear(request.accounts))))


class Broker(RoutingServiceServicer):
    """Takes each instruction once; what the venue says is what the test lets it say. By itself it accepts."""

    def __init__(self) -> None:
        self.taken: dict[str, routing.Instruction] = {}
        self.reports: list[venue.VenueReport] = []
        self.changed = asyncio.Condition()
        self.answer: Callable[[Broker, routing.Instruction], list[venue.VenueReport]] = accepting
        self.away = False

    async def Instruct(self, request, context):
        if self.away:
            raise errors.dependency_unavailable("broker")
        for each in request.instructions:
            if each.instruction_id not in self.taken:
                self.taken[each.instruction_id] = each
                for report in self.answer(self, each):
                    self._number(report)
        await self._tell()
        return routing.InstructResponse(last_sequence=len(self.reports))

    def _number(self, report: venue.VenueReport) -> None:
        report.sequence = len(self.reports) + 1
        report.time.GetCurrentTime()
        self.reports.append(report)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def say(self, order: order_pb2.Order, kind: int, **fields: Any) -> venue.VenueReport:
        """A report of the venue; of an order that is adopted it has the order."""
        report = report_of(order, kind, **fields)
        if kind == venue.VENUE_REPORT_KIND_ADOPTED:
            report.order.CopyFrom(order)
        self._number(report)
        await self._tell()
        return report

    async def fill(self, order: order_pb2.Order, quantity: str, price: str, exec_id: str = "") -> venue.VenueReport:
        """A fill."""
        fill = execution_pb2.Fill(venue_exec_id=exec_id or uuid.uuid4().hex, quantity=quantity, price=price)
        return await self.say(order, venue.VENUE_REPORT_KIND_FILLED, fill=fill)

    def instructions(self, kind: int) -> list[routing.Instruction]:
        """What was instructed, of a kind."""
        return [each for each in self.taken.values() if each.kind == kind]

    async def StreamReports(self, request, context):
        at, number = request.after_sequence, 0
        while True:
            async with self.changed:
                while len(self.reports) <= at:
                    await self.changed.wait()
            page = self.reports[at : at + 500]
            at += len(page)
            number += 1
            message = routing.StreamReportsResponse(reports=routing.VenueReports(reports=page))
            message.position.sequence = number
            yield message

    async def ListReports(self, request, context):
        found = [r for r in self.reports if r.account == request.account and r.sequence > request.after_sequence]
        if request.order_id:
            found = [each for each in found if each.order_id == request.order_id]
        page = found[: request.page_size or 100]
        return routing.ListReportsResponse(reports=page, last_sequence=len(self.reports))


def report_of(order: order_pb2.Order, kind: int, **fields: Any) -> venue.VenueReport:
    """A report about an order."""
    return venue.VenueReport(
        account=order.terms.account, order_id=order.order_id, kind=kind, version=order.version, venue="sim", **fields
    )


def accepting(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """New orders are accepted, cancels and amendments done."""
    kinds = {
        routing.INSTRUCTION_KIND_NEW: venue.VENUE_REPORT_KIND_ACCEPTED,
        routing.INSTRUCTION_KIND_CANCEL: venue.VENUE_REPORT_KIND_CANCELLED,
        routing.INSTRUCTION_KIND_REPLACE: venue.VENUE_REPORT_KIND_REPLACED,
    }
    return [report_of(instruction.order, kinds[instruction.kind])]


def silent(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """The venue says nothing by itself."""
    return []


def filling(broker: Broker, instruction: routing.Instruction) -> list[venue.VenueReport]:
    """New orders are accepted and filled at once."""
    if instruction.kind != routing.INSTRUCTION_KIND_NEW:
        return accepting(broker, instruction)
    order = instruction.order
    fill = execution_pb2.Fill(
        venue_exec_id=f"x-{order.order_id}", quantity=order.terms.quantity, price=order.terms.limit_price or "1.0801"
    )
    accepted = report_of(order, venue.VENUE_REPORT_KIND_ACCEPTED)
    return [accepted, report_of(order, venue.VENUE_REPORT_KIND_FILLED, fill=fill)]


class Ledger(AccountServiceServicer):
    """Every account is there and nets in dollars, unless a test says otherwise."""

    def __init__(self) -> None:
        self.said: dict[str, dict[str, Any]] = {}

    async def GetAccount(self, request, context):
        if request.account.startswith("none"):
            raise errors.not_found("account", request.account)
        values = {
            "account": request.account,
            "desk": "spot",
            "currency": "USD",
            "position_mode": account_pb2.POSITION_MODE_NETTING,
            "cost_method": account_pb2.COST_METHOD_FIFO,
            "status": account_pb2.ACCOUNT_STATUS_ACTIVE,
            "margin_rate": "0.05",
        }
        return accounts.GetAccountResponse(account=account_pb2.Account(**(values | self.said.get(request.account, {}))))


class Quotes(QuotingServiceServicer):
    """Executable quotes that a test makes; each is taken once."""

    def __init__(self) -> None:
        self.made: dict[str, quote_pb2.ExecutableQuote] = {}
        self.taken: dict[str, str] = {}

    def make(self, amount: str = "100000", bid: str = "1.0799", offer: str = "1.0801") -> str:
        """A two-way quote of EUR/USD."""
        quote = quote_pb2.ExecutableQuote(quote_id=str(uuid.uuid4()), amount=amount)
        quote.product.instrument, quote.state = "EUR/USD", quote_pb2.QUOTE_STATE_ACTIVE
        quote.product.spot.notional = 1
        quote.bid.px, quote.offer.px = bid, offer
        leg = quote.legs.add(amount=amount, bid_px=bid, offer_px=offer)
        leg.value_date.year, leg.value_date.month, leg.value_date.day = 2026, 3, 6
        self.made[quote.quote_id] = quote
        return quote.quote_id

    def make_swap(self, near: dt.date, far: dt.date, far_amount: str) -> str:
        """A quote of a swap of a hundred thousand euros, far points of 45 pips."""
        made = self.made[quote_id := self.make()]
        made.product.swap.notional = 1
        for leg, day in ((made.legs[0], near), (made.legs.add(amount=f"-{far_amount}"), far)):
            leg.value_date.year, leg.value_date.month, leg.value_date.day = day.year, day.month, day.day
        made.legs[1].bid_px, made.legs[1].offer_px = "1.0844", "1.0847"
        return quote_id

    async def GetQuoteTerms(self, request, context):
        if request.quote_id not in self.made:
            raise errors.not_found("quote", request.quote_id)
        return quoting.GetQuoteTermsResponse(quote=self.made[request.quote_id])

    async def TakeQuote(self, request, context):
        by = self.taken.setdefault(request.quote_id, request.request_id)
        if by != request.request_id:
            raise errors.wrong_state("EXECUTED", "the quote was executed before: it is executed once")
        return quoting.TakeQuoteResponse(quote=self.made[request.quote_id])
