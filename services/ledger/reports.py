"""What an execution report of trading is for the books: an entry, or nothing."""

from __future__ import annotations

import datetime as dt

from crossrate.api.trading.v1 import execution_pb2, order_pb2
from services.ledger.domain import amounts
from services.ledger.domain.entry import BookingFault, Deal, Entry, Kind, Trade
from services.ledger.messages import NS, date_of

KINDS = {
    execution_pb2.EXEC_TYPE_TRADE: Kind.TRADE,
    execution_pb2.EXEC_TYPE_TRADE_CANCEL: Kind.TRADE_CANCEL,
    execution_pb2.EXEC_TYPE_TRADE_CORRECT: Kind.TRADE_CORRECT,
}


def entry_of(account: str, report: execution_pb2.ExecutionReport) -> Entry | None:
    """The entry that a report makes, without its postings; None if nothing was dealt.

    Raises:
        BookingFault: the report does not make sense.
    """
    kind = KINDS.get(report.exec_type)
    if kind is None:
        return None
    if not report.HasField("fill"):
        raise BookingFault(f"report {report.exec_id} tells of a fill and has none")
    try:
        trade = _trade(report)
    except ValueError as error:
        raise BookingFault(f"report {report.exec_id}: {error}") from error
    return Entry(
        account=account,
        kind=kind,
        reference=report.exec_id or f"{account}:{report.sequence}",
        time_ns=report.time.seconds * NS + report.time.nanos,
        trade=trade,
        cancelled_trade_id=report.exec_ref_id if kind is not Kind.TRADE else "",
        execution_sequence=report.sequence,
        text=report.text,
    )


def _trade(report: execution_pb2.ExecutionReport) -> Trade:
    fill, terms = report.fill, report.order.terms
    side = {order_pb2.SIDE_BUY: 1, order_pb2.SIDE_SELL: -1}.get(terms.side)
    if side is None:
        raise ValueError("the order has no side")
    quantity, price = amounts.quantity(fill.quantity), amounts.price(fill.price)
    if quantity <= 0 or price <= 0:
        raise ValueError("a fill has a quantity and a price above zero")
    deals: tuple[Deal, ...] = (Deal(side * quantity, price, date_of(fill.settl_date)),)
    if terms.HasField("far_leg"):
        far = Deal(
            side * amounts.quantity(fill.far_quantity), amounts.price(fill.far_price), date_of(fill.far_settl_date)
        )
        deals = (Deal(-side * quantity, price, date_of(fill.settl_date)), far)
    trade_date = _date(fill)
    return Trade(
        fill.venue_exec_id,
        f"venue:{fill.venue or report.order.venue}",
        terms.instrument,
        fill.position_id,
        deals,
        trade_date,
        amounts.money(fill.commission or "0"),
        fill.commission_currency,
    )


def _date(fill: execution_pb2.Fill) -> dt.date | None:
    return date_of(fill.trade_date) if fill.HasField("trade_date") else None
