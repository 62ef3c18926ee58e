"""Trading as risk sees it: a stand-in that speaks the real contract and keeps to its promises, in memory.

It commits orders under the gate that they were authorised by, and refuses what a newer gate has overtaken; its accounts
have gap-free reports; it fills at the quote when told to. What it lacks is a database, venues, and everything that risk
never sees.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import grpc

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import pretrade_service_pb2 as risk
from crossrate.api.risk.v1.pretrade_service_pb2_grpc import PreTradeServiceStub
from crossrate.api.trading.v1 import (
    account_state_pb2,
    execution_pb2,
    order_entry_pb2,
    order_history_pb2,
    order_pb2,
)
from crossrate.api.trading.v1 import trading_state_service_pb2 as state_pb
from crossrate.api.trading.v1.trading_service_pb2_grpc import (
    TradingServiceServicer,
    add_TradingServiceServicer_to_server,
)
from crossrate.api.trading.v1.trading_state_service_pb2_grpc import (
    TradingStateServiceServicer,
    add_TradingStateServiceServicer_to_server,
)

FINAL = frozenset(
    {
        order_pb2.ORDER_STATUS_FILLED,
        order_pb2.ORDER_STATUS_CANCELLED,
        order_pb2.ORDER_STATUS_REJECTED,
        order_pb2.ORDER_STATUS_EXPIRED,
    }
)


class Kept:
    """One account: its orders, positions and reports, and how many of the reports risk has been told."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.orders: dict[str, order_pb2.Order] = {}
        self.positions: dict[tuple[str, str], list[Decimal]] = {}
        self.reports: list[execution_pb2.ExecutionReport] = []
        self.told = 0

    def state(self) -> account_state_pb2.AccountState:
        """As committed."""
        state = account_state_pb2.AccountState(account=self.account, sequence=len(self.reports))
        state.working.extend(each for each in self.orders.values() if each.status not in FINAL)
        for (instrument, strategy), (quantity, counter) in self.positions.items():
            if quantity or counter:
                state.positions.add(
                    instrument=instrument, strategy=strategy, quantity=f"{quantity:f}", counter_amount=f"{counter:f}"
                )
        return state


class StaleGate(Exception):
    """The gate has changed since orders were authorised: authorise again."""


class Trading(TradingStateServiceServicer, TradingServiceServicer):
    """See the module."""

    def __init__(self) -> None:
        self.accounts: dict[str, Kept] = {}
        self.gate = gate_pb2.Gate()
        self.away = False
        self.fill_price: Callable[[order_pb2.NewOrder], str] | None = None
        self.writer = f"trading-1-{uuid.uuid4().hex[:8]}"
        self.cancels_at_gate = True
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()
        self._stub: PreTradeServiceStub | None = None

    def register(self, _servicer: Any, server: Any) -> None:
        """Adds both services to a server."""
        add_TradingStateServiceServicer_to_server(self, server)
        add_TradingServiceServicer_to_server(self, server)

    def calls(self, channel: grpc.aio.Channel) -> None:
        """The way to risk."""
        self._stub = PreTradeServiceStub(channel)

    def kept(self, account: str) -> Kept:
        """An account."""
        return self.accounts.setdefault(account, Kept(account))

    # What risk asks.

    async def ListAccountStates(self, request, context):
        """All on one page."""
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return state_pb.ListAccountStatesResponse(
            states=[each.state() for each in self.accounts.values()], gate_version=self.gate.version
        )

    async def ApplyGate(self, request, context):
        """Commits a newer gate, and cancels what it ends."""
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if request.gate.version <= self.gate.version:
            return state_pb.ApplyGateResponse(version=self.gate.version)
        self.gate = request.gate
        answer = state_pb.ApplyGateResponse(version=self.gate.version)
        for kept in self.accounts.values():
            for order in list(kept.orders.values()):
                rules = [rule for rule in self.gate.rules if _reaches(rule, order.terms)]
                if order.status in FINAL or not rules:
                    continue
                answer.working.append(order)
                ends = max(rule.mode for rule in rules) >= gate_pb2.KILL_MODE_HALT
                if ends and self.cancels_at_gate:
                    self.end(order, order_pb2.ORDER_STATUS_CANCELLED, execution_pb2.EXEC_TYPE_CANCELLED)
        return answer

    async def GetOrder(self, request, context):
        """By either id."""
        for order in self.kept(request.account).orders.values():
            if request.order in (order.order_id, order.terms.client_order_id):
                return order_history_pb2.GetOrderResponse(order=order)
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
        return None

    async def PlaceOrder(self, request, context):
        """Authorised by risk, committed, and filled if the stand-in was told a price."""
        known = [
            each
            for each in self.kept(request.order.account).orders.values()
            if each.terms.client_order_id == request.order.client_order_id
        ]
        if known:
            return order_entry_pb2.PlaceOrderResponse(order=known[0])
        order = made(request.order)
        answer = await self.place([order])
        if answer.authorisations[0].authorised and self.fill_price is not None:
            self.fill(order, order.terms.quantity, self.fill_price(order.terms))
            await self.tell()
        return order_entry_pb2.PlaceOrderResponse(order=order, checks=answer.authorisations[0].checks)

    async def CancelAll(self, request, context):
        """Of one side of an instrument."""
        ended = []
        for order in list(self.kept(request.account).orders.values()):
            terms = order.terms
            if order.status not in FINAL and (terms.instrument, terms.side) == (request.instrument, request.side):
                self.end(order, order_pb2.ORDER_STATUS_CANCELLED, execution_pb2.EXEC_TYPE_CANCELLED)
                ended.append(order)
        await self.tell()
        return order_entry_pb2.CancelAllResponse(orders=ended)

    # What trading asks.

    def told(self, accounts: Iterable[str]) -> list[risk.AccountReports]:
        """Reports that risk has not been told."""
        found = []
        for name in sorted(set(accounts)):
            kept = self.kept(name)
            found.append(
                risk.AccountReports(account=name, reports=kept.reports[kept.told :], last_sequence=len(kept.reports))
            )
        return found

    async def authorise(
        self, orders: list[order_pb2.Order], *, pending: Iterable[str] = (), **other: Any
    ) -> risk.AuthoriseResponse:
        """One call at a time, as a writer makes them, repeated with whole states where risk asks for them."""
        async with self._turn:
            return await self._authorise(orders, pending, other)

    async def _authorise(
        self, orders: list[order_pb2.Order], pending: Iterable[str], other: dict[str, Any]
    ) -> risk.AuthoriseResponse:
        assert self._stub is not None
        names = {each.terms.account for each in orders}
        amends = other.pop("amends", False)
        accounts = self.told(names | {each.account for each in self.accounts.values() if each.told < len(each.reports)})
        for _ in range(3):
            request = risk.AuthoriseRequest(
                request_id=str(uuid.uuid4()),
                writer=self.writer,
                number=next(self._numbers),
                accounts=accounts,
                pending_order_ids=list(pending),
                orders=[risk.OrderToAuthorise(order=each, amends=amends) for each in orders],
                **other,
            )
            answer = await self._stub.Authorise(request, timeout=5)
            if not answer.missing_accounts:
                for each in accounts:
                    self.kept(each.account).told = each.last_sequence
                return answer
            names = names | set(answer.missing_accounts)
            accounts = [
                risk.AccountReports(
                    account=name, state=self.kept(name).state(), last_sequence=len(self.kept(name).reports)
                )
                for name in sorted(names)
            ]
        raise AssertionError(f"risk keeps asking for {answer.missing_accounts}")

    async def tell(self, *, pending: Iterable[str] = ()) -> None:
        """Reports without orders."""
        async with self._turn:
            await self._tell(pending)

    async def _tell(self, pending: Iterable[str]) -> None:
        assert self._stub is not None
        accounts = self.told(self.accounts)
        request = risk.ReportRequest(
            request_id=str(uuid.uuid4()),
            writer=self.writer,
            number=next(self._numbers),
            accounts=accounts,
            pending_order_ids=list(pending),
        )
        answer = await self._stub.Report(request, timeout=5)
        for each in accounts:
            if each.account not in answer.missing_accounts:
                self.kept(each.account).told = each.last_sequence

    async def place(self, orders: list[order_pb2.Order], **other: Any) -> risk.AuthoriseResponse:
        """Authorises, and commits what passes under the gate by which it did; again if that has changed meanwhile."""
        for _ in range(5):
            answer = await self.authorise(orders, **other)
            if not other.get("validate_only"):
                try:
                    self.commit(orders, answer)
                except StaleGate:
                    continue
            return answer
        raise AssertionError("the gate keeps changing")

    def commit(self, orders: list[order_pb2.Order], answer: risk.AuthoriseResponse) -> None:
        """Commits what passed.

        Raises:
            StaleGate: nothing was committed.
        """
        if answer.gate_version != self.gate.version:
            raise StaleGate
        for order, each in zip(orders, answer.authorisations, strict=True):
            if each.authorised:
                self.kept(order.terms.account).orders[order.order_id] = order
                self.step(order, execution_pb2.EXEC_TYPE_PENDING_NEW)

    # What happens to orders.

    def step(
        self, order: order_pb2.Order, exec_type: int, fill: execution_pb2.Fill | None = None, reference: str = ""
    ) -> None:
        """A report of an order as it stands."""
        kept = self.kept(order.terms.account)
        report = execution_pb2.ExecutionReport(
            sequence=len(kept.reports) + 1, exec_type=exec_type, order=order, fill=fill, exec_ref_id=reference
        )
        kept.reports.append(report)

    def end(self, order: order_pb2.Order, status: int, exec_type: int) -> None:
        """An order ends without being filled any further."""
        order.status, order.leaves_quantity = status, "0"
        order.update_time.GetCurrentTime()
        self.step(order, exec_type)

    def fill(self, order: order_pb2.Order, quantity: str, price: str, fill_id: str = "") -> execution_pb2.Fill:
        """Fills some of an order."""
        filled = Decimal(order.cum_quantity) + Decimal(quantity)
        left = Decimal(order.terms.quantity) - filled
        order.cum_quantity, order.leaves_quantity = f"{filled:f}", f"{left:f}"
        order.status = order_pb2.ORDER_STATUS_FILLED if not left else order_pb2.ORDER_STATUS_PARTIALLY_FILLED
        order.update_time.GetCurrentTime()
        fill = execution_pb2.Fill(
            venue_exec_id=fill_id or uuid.uuid4().hex, venue="sim", quantity=quantity, price=price
        )
        self._hold(order, Decimal(quantity), Decimal(price))
        self.step(order, execution_pb2.EXEC_TYPE_TRADE, fill)
        return fill

    def take_back(self, order: order_pb2.Order, fill: execution_pb2.Fill) -> None:
        """The venue takes a fill back; the order stays as it ended."""
        self._hold(order, -Decimal(fill.quantity), Decimal(fill.price))
        self.step(order, execution_pb2.EXEC_TYPE_TRADE_CANCEL, fill, fill.venue_exec_id)

    def _hold(self, order: order_pb2.Order, quantity: Decimal, price: Decimal) -> None:
        sign = 1 if order.terms.side == order_pb2.SIDE_BUY else -1
        held = self.kept(order.terms.account).positions.setdefault(
            (order.terms.instrument, order.terms.strategy), [Decimal(0), Decimal(0)]
        )
        held[0] += sign * quantity
        held[1] -= sign * quantity * price


def _reaches(rule: gate_pb2.GateRule, terms: order_pb2.NewOrder) -> bool:
    scope = rule.scope
    if scope.kind == "platform":
        return True
    if scope.kind == "desk":
        return terms.account in rule.accounts
    return getattr(terms, scope.kind) == scope.name


def made(terms: order_pb2.NewOrder) -> order_pb2.Order:
    """An order as it would be entered."""
    return order_pb2.Order(
        order_id=str(uuid.uuid4()),
        terms=terms,
        status=order_pb2.ORDER_STATUS_PENDING_NEW,
        cum_quantity="0",
        leaves_quantity=terms.quantity,
        version=1,
    )


def order(
    side: str = "buy", quantity: str = "100000", price: str = "", instrument: str = "EUR/USD", **other: Any
) -> order_pb2.Order:
    """A limit order at a price, or a market order without one."""
    terms = order_pb2.NewOrder(
        client_order_id=uuid.uuid4().hex,
        instrument=instrument,
        side=order_pb2.SIDE_BUY if side == "buy" else order_pb2.SIDE_SELL,
        quantity=quantity,
        order_type=order_pb2.ORDER_TYPE_LIMIT if price else order_pb2.ORDER_TYPE_MARKET,
        limit_price=price,
        time_in_force=order_pb2.TIME_IN_FORCE_GTC if price else order_pb2.TIME_IN_FORCE_IOC,
    )
    terms.account = "alpha"
    for name, value in other.items():
        setattr(terms, name, value)
    return made(terms)
