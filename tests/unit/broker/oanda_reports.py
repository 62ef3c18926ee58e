"""Execution reports as trading makes them, for the book of an account over the v20 API."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.oanda.book import Book, Json, new_book
from services.broker.oanda.fold import apply

BUY, SELL = pb.SIDE_BUY, pb.SIDE_SELL
BEGIN_NS = 1_700_000_000_000_000_000


class Trading:
    """One account's orders; each step is a report, which is folded at once."""

    def __init__(self, currency: str = "USD") -> None:
        self.book: Book = new_book("alpha", currency, BEGIN_NS)
        self.told: list[Json] = list(self.book.transactions)
        self.requests: dict[str, Json] = {}
        self.reports: list[ex.ExecutionReport] = []

    def tell(self, order: pb.Order, kind: int, **fields: Any) -> list[Json]:
        """A report, and the transactions that it makes."""
        number = len(self.reports) + 1
        order.sequence = number
        report = ex.ExecutionReport(sequence=number, exec_type=kind, order=order, **fields)  # type: ignore[arg-type]
        report.time.FromNanoseconds(BEGIN_NS + number * 1_000_000_000)
        self.reports.append(report)
        apply(self.book, report, self.requests)
        made = [dict(each) for each in self.book.transactions if each["id"] not in {e["id"] for e in self.told}]
        self.told += made
        return made

    def order(self, quantity: str, side: int = BUY, **terms: Any) -> pb.Order:
        """A new order that trading has taken; a market order unless told otherwise."""
        terms.setdefault("order_type", pb.ORDER_TYPE_MARKET)
        market = terms["order_type"] == pb.ORDER_TYPE_MARKET
        terms.setdefault("time_in_force", pb.TIME_IN_FORCE_IOC if market else pb.TIME_IN_FORCE_GTC)
        new = pb.NewOrder(
            client_order_id=terms.pop("root", None) or uuid.uuid4().hex,
            account="alpha",
            instrument=terms.pop("instrument", "EUR/USD"),
            side=side,  # type: ignore[arg-type]
            quantity=quantity,
            **terms,
        )
        order = pb.Order(order_id=str(uuid.uuid4()), terms=new, version=1, cum_quantity="0", leaves_quantity=quantity)
        order.status = pb.ORDER_STATUS_PENDING_NEW
        return order

    def enter(self, order: pb.Order) -> list[Json]:
        """It is accepted."""
        return self.tell(order, ex.EXEC_TYPE_PENDING_NEW)

    def work(self, order: pb.Order) -> list[Json]:
        """Its venue has it."""
        order.status, order.confirmed = pb.ORDER_STATUS_NEW, True
        return self.tell(order, ex.EXEC_TYPE_NEW)

    def fill(self, order: pb.Order, quantity: str, price: str, name: str = "") -> list[Json]:
        """A fill."""
        done = Decimal(order.cum_quantity) + Decimal(quantity)
        whole = done == Decimal(order.terms.quantity)
        order.status = pb.ORDER_STATUS_FILLED if whole else pb.ORDER_STATUS_PARTIALLY_FILLED
        order.cum_quantity = str(done)
        fill = ex.Fill(venue_exec_id=name or uuid.uuid4().hex, venue="sim", quantity=quantity, price=price)
        return self.tell(order, ex.EXEC_TYPE_TRADE, fill=fill)

    def end(self, order: pb.Order, reason: int = ex.EXECUTION_REASON_CLIENT) -> list[Json]:
        """It is cancelled."""
        order.status = pb.ORDER_STATUS_CANCELLED
        return self.tell(order, ex.EXEC_TYPE_CANCELLED, reason=reason)

    def deal(self, quantity: str, price: str, side: int = BUY, **terms: Any) -> list[Json]:
        """A market order that is filled whole."""
        order = self.order(quantity, side, **terms)
        return self.enter(order) + self.fill(order, quantity, price)
