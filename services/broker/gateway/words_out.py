"""Trading's reports as FIX messages to a client."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.fix.enums import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    MultiLegReportingType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
    TradeReportTransType,
)
from crossrate.fix.parts import ExecutedLeg
from crossrate.fix.reports import ExecutionReport, OrderCancelReject, TradeCaptureReport, TradeSide
from crossrate.rpc.call_error import CallError

TAGS = {
    "account": 1,
    "client_order_id": 11,
    "reduce_only": 18,
    "post_only": 18,
    "quantity": 38,
    "order_type": 40,
    "limit_price": 44,
    "side": 54,
    "instrument": 55,
    "text": 58,
    "time_in_force": 59,
    "settlement": 64,
    "stop_price": 99,
    "venue": 100,
    "min_quantity": 110,
    "quote_id": 117,
    "expire_time": 126,
    "far_leg.quantity": 192,
    "far_leg.settlement": 193,
    "display_quantity": 210,
    "trailing_distance": 211,
}
"""The tags of an order's fields."""
STATUSES = {
    pb.ORDER_STATUS_PENDING_NEW: OrdStatus.PENDING_NEW,
    pb.ORDER_STATUS_NEW: OrdStatus.NEW,
    pb.ORDER_STATUS_PARTIALLY_FILLED: OrdStatus.PARTIALLY_FILLED,
    pb.ORDER_STATUS_FILLED: OrdStatus.FILLED,
    pb.ORDER_STATUS_PENDING_CANCEL: OrdStatus.PENDING_CANCEL,
    pb.ORDER_STATUS_CANCELLED: OrdStatus.CANCELED,
    pb.ORDER_STATUS_PENDING_REPLACE: OrdStatus.PENDING_REPLACE,
    pb.ORDER_STATUS_REJECTED: OrdStatus.REJECTED,
    pb.ORDER_STATUS_EXPIRED: OrdStatus.EXPIRED,
    pb.ORDER_STATUS_SUSPENDED: OrdStatus.SUSPENDED,
    pb.ORDER_STATUS_PENDING_UNKNOWN: OrdStatus.PENDING_NEW,
}
EXEC_TYPES = {
    ex.EXEC_TYPE_PENDING_NEW: ExecType.PENDING_NEW,
    ex.EXEC_TYPE_NEW: ExecType.NEW,
    ex.EXEC_TYPE_TRADE: ExecType.TRADE,
    ex.EXEC_TYPE_PENDING_CANCEL: ExecType.PENDING_CANCEL,
    ex.EXEC_TYPE_CANCELLED: ExecType.CANCELED,
    ex.EXEC_TYPE_PENDING_REPLACE: ExecType.PENDING_REPLACE,
    ex.EXEC_TYPE_REPLACED: ExecType.REPLACED,
    ex.EXEC_TYPE_REJECTED: ExecType.REJECTED,
    ex.EXEC_TYPE_EXPIRED: ExecType.EXPIRED,
    ex.EXEC_TYPE_SUSPENDED: ExecType.SUSPENDED,
    ex.EXEC_TYPE_RESTATED: ExecType.RESTATED,
    # FIX 4.4 has no word for these two: a restatement, with the text.
    ex.EXEC_TYPE_TRIGGERED: ExecType.RESTATED,
    ex.EXEC_TYPE_UNKNOWN: ExecType.RESTATED,
    ex.EXEC_TYPE_TRADE_CANCEL: ExecType.TRADE_CANCEL,
    ex.EXEC_TYPE_TRADE_CORRECT: ExecType.TRADE_CORRECT,
}
REFUSALS = {
    ex.EXEC_TYPE_CANCEL_REJECTED: CxlRejResponseTo.CANCEL,
    ex.EXEC_TYPE_REPLACE_REJECTED: CxlRejResponseTo.CANCEL_REPLACE,
}
_TYPES = {
    pb.ORDER_TYPE_MARKET: OrdType.MARKET,
    pb.ORDER_TYPE_LIMIT: OrdType.LIMIT,
    pb.ORDER_TYPE_STOP: OrdType.STOP,
    pb.ORDER_TYPE_STOP_LIMIT: OrdType.STOP_LIMIT,
    pb.ORDER_TYPE_TRAILING_STOP: OrdType.PEGGED,
    pb.ORDER_TYPE_MARKET_IF_TOUCHED: OrdType.MARKET_IF_TOUCHED,
    pb.ORDER_TYPE_PREVIOUSLY_QUOTED: OrdType.PREVIOUSLY_QUOTED,
}
_FORCES = {
    pb.TIME_IN_FORCE_GTC: TimeInForce.GOOD_TILL_CANCEL,
    pb.TIME_IN_FORCE_DAY: TimeInForce.DAY,
    pb.TIME_IN_FORCE_GTD: TimeInForce.GOOD_TILL_DATE,
    pb.TIME_IN_FORCE_IOC: TimeInForce.IMMEDIATE_OR_CANCEL,
    pb.TIME_IN_FORCE_FOK: TimeInForce.FILL_OR_KILL,
}
_REJECTS = {
    ex.EXECUTION_REASON_RISK: OrdRejReason.ORDER_EXCEEDS_LIMIT,
    ex.EXECUTION_REASON_NO_VENUE: OrdRejReason.EXCHANGE_CLOSED,
    ex.EXECUTION_REASON_EXPIRED: OrdRejReason.TOO_LATE_TO_ENTER,
}
_TRADES = {
    ex.EXEC_TYPE_TRADE: TradeReportTransType.NEW,
    ex.EXEC_TYPE_TRADE_CANCEL: TradeReportTransType.CANCEL,
    ex.EXEC_TYPE_TRADE_CORRECT: TradeReportTransType.REPLACE,
}
TEXT_MAX = 500
TRAILS = "a"
"""ExecInst (18): trailing stop peg."""


def plain(text: str) -> str | None:
    """A text as FIX can carry it: what Latin-1 lacks is a question mark, and SOH a space; None for an empty one.

    People write reasons as they like, and venues answer in JSON; a report that could not be written would keep all
    that come after it.
    """
    return text[:TEXT_MAX].encode("latin-1", "replace").decode("latin-1").replace("\x01", " ") or None


@dataclass(slots=True)
class Chain:
    """The ids of an order at a client: its newest one, and that of what is under way; empty for nothing."""

    newest: str
    pending: str = ""


def message_of(report: ex.ExecutionReport, chain: Chain, copy: bool) -> Any:
    """A report as the client gets it; the chain goes on to where it is after it.

    Args:
        copy: the order was not entered on the session: the report is a drop copy.
    """
    order = report.order
    if report.exec_type in REFUSALS:
        refused, chain.pending = chain.pending or chain.newest, ""
        late = report.reason == ex.EXECUTION_REASON_TOO_LATE
        pending = report.reason == ex.EXECUTION_REASON_PENDING
        reason = CxlRejReason.TOO_LATE_TO_CANCEL if late else CxlRejReason.OTHER
        return OrderCancelReject(
            order_id=order.order_id,
            cl_ord_id=refused,
            orig_cl_ord_id=chain.newest,
            ord_status=STATUSES[order.status],
            account=order.terms.account,
            transact_time=report.time.ToNanoseconds(),
            cxl_rej_response_to=REFUSALS[report.exec_type],
            cxl_rej_reason=CxlRejReason.ALREADY_PENDING if pending else reason,
            text=plain(report.text),
        )
    cl_ord_id, orig = chain.newest, None
    about_pending = (ex.EXEC_TYPE_PENDING_CANCEL, ex.EXEC_TYPE_PENDING_REPLACE, ex.EXEC_TYPE_REPLACED)
    if chain.pending and report.exec_type in (*about_pending, ex.EXEC_TYPE_CANCELLED):
        cl_ord_id, orig = chain.pending, chain.newest
    if report.exec_type == ex.EXEC_TYPE_REPLACED and chain.pending:
        chain.newest, chain.pending = chain.pending, ""
    elif report.exec_type == ex.EXEC_TYPE_CANCELLED:
        chain.pending = ""
    return execution(report, cl_ord_id, orig, copy)


def execution(report: ex.ExecutionReport, cl_ord_id: str, orig: str | None, copy: bool) -> ExecutionReport:
    """An execution report."""
    order = report.order
    fields = standing(order)
    if report.HasField("fill"):
        fill = report.fill
        fields |= {
            "last_qty": Decimal(fill.quantity),
            "last_px": Decimal(fill.price),
            "last_mkt": fill.venue or None,
            "settl_date": _date(fill.settl_date) or fields["settl_date"],
            "trade_date": _date(fill.trade_date) or fields["trade_date"],
            "last_liquidity_ind": fill.liquidity if fill.HasField("liquidity") else None,
            **_legs(order, fill),
        }
    rejected = report.exec_type == ex.EXEC_TYPE_REJECTED
    kind = EXEC_TYPES[report.exec_type]
    return ExecutionReport(
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig,
        exec_id=report.exec_id,
        exec_ref_id=report.exec_ref_id or None,
        exec_type=kind,
        exec_restatement_reason=99 if kind is ExecType.RESTATED else None,
        ord_rej_reason=_REJECTS.get(report.reason, OrdRejReason.OTHER) if rejected else None,
        transact_time=report.time.ToNanoseconds(),
        text=plain(report.text or order.reason_text),
        copy_msg_indicator=True if copy else None,
        **fields,
    )


def trade_of(report: ex.ExecutionReport, chain: Chain) -> TradeCaptureReport:
    """A fill, or what became of it, as a trade, by the venue's id of the fill that a cancel or a correction names."""
    fill, terms = report.fill, report.order.terms
    fields = standing(report.order)
    side = TradeSide(
        side=fields["side"],
        order_id=report.order.order_id,
        cl_ord_id=chain.newest,
        account=terms.account,
        currency=terms.instrument[:3],
    )
    return TradeCaptureReport(
        trade_report_id=report.exec_id,
        trade_report_trans_type=_TRADES[report.exec_type],
        exec_type=EXEC_TYPES[report.exec_type],
        exec_id=report.exec_ref_id or fill.venue_exec_id,
        ord_status=fields["ord_status"],
        previously_reported=False,
        symbol=terms.instrument,
        last_qty=Decimal(fill.quantity),
        last_px=Decimal(fill.price),
        last_mkt=fill.venue or None,
        trade_date=_date(fill.trade_date) or fields["trade_date"] or report.time.ToDatetime().date(),
        transact_time=report.time.ToNanoseconds(),
        settl_date=_date(fill.settl_date) or fields["settl_date"],
        sides=(side,),
        **_legs(report.order, fill),
    )


def _legs(order: pb.Order, fill: ex.Fill) -> dict[str, Any]:
    """Both legs of a swap's fill, near one first, each with its rate and its date; nothing for what is none."""
    if not fill.far_quantity:
        return {}
    sides = (Side.SELL, Side.BUY) if order.terms.side == pb.SIDE_BUY else (Side.BUY, Side.SELL)
    sums = ((fill.quantity, fill.price, fill.settl_date), (fill.far_quantity, fill.far_price, fill.far_settl_date))
    legs = tuple(
        ExecutedLeg(
            leg_symbol=order.terms.instrument,
            leg_side=side,
            leg_qty=Decimal(quantity),
            leg_settl_date=_date(day),
            leg_last_px=Decimal(price),
        )
        for side, (quantity, price, day) in zip(sides, sums, strict=True)
    )
    return {"legs": legs, "multi_leg_reporting_type": MultiLegReportingType.MULTILEG}


def standing(order: pb.Order) -> dict[str, Any]:
    """What every report says of where its order stands."""
    terms = order.terms
    trails = terms.order_type == pb.ORDER_TYPE_TRAILING_STOP
    far: dict[str, Any] = {}
    if terms.HasField("far_leg"):
        far["settl_date2"] = _date(order.far_settl_date)
        far["order_qty2"] = Decimal(terms.far_leg.quantity or terms.quantity)
    return {
        "order_id": order.order_id,
        "ord_status": STATUSES[order.status],
        "account": terms.account,
        "symbol": terms.instrument,
        "side": Side.BUY if terms.side == pb.SIDE_BUY else Side.SELL,
        "order_qty": Decimal(terms.quantity),
        "ord_type": _TYPES[terms.order_type],
        "price": Decimal(terms.limit_price) if terms.limit_price else None,
        "stop_px": Decimal(order.trigger_price) if order.trigger_price else None,
        "peg_offset_value": Decimal(terms.trailing_distance) if trails and terms.trailing_distance else None,
        "exec_inst": (TRAILS,) if trails else None,
        "currency": terms.instrument[:3],
        "time_in_force": _FORCES[terms.time_in_force],
        "expire_time": terms.expire_time.ToNanoseconds() if terms.HasField("expire_time") else None,
        "leaves_qty": Decimal(order.leaves_quantity or "0"),
        "cum_qty": Decimal(order.cum_quantity or "0"),
        "avg_px": Decimal(order.avg_price or "0"),
        "settl_date": _date(order.settl_date),
        "trade_date": _date(order.trade_date),
        **far,
    }


def _date(day: Any) -> dt.date | None:
    return dt.date(day.year, day.month, day.day) if day.year else None


def refusal_text(error: CallError) -> str:
    """Why trading refuses what was asked for, with the tags in the place of its fields."""
    told = []
    for each in error.violations:
        name = each.field.removeprefix("order.")
        told.append(f"{TAGS.get(name, each.field)}: {each.description}")
    return "; ".join(told) or error.message
