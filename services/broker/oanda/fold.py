"""Execution reports into transactions: what each of trading's steps is in the words of the v20 API."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crossrate.api.common.v1 import check_pb2
from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.oanda import fills, words
from services.broker.oanda.book import CANCELLED, PENDING, Book, Json

AT_ONCE = (pb.TIME_IN_FORCE_IOC, pb.TIME_IN_FORCE_FOK)
TYPES = {
    pb.ORDER_TYPE_MARKET: "MARKET",
    pb.ORDER_TYPE_LIMIT: "LIMIT",
    pb.ORDER_TYPE_STOP: "STOP",
    pb.ORDER_TYPE_STOP_LIMIT: "STOP",
    pb.ORDER_TYPE_TRAILING_STOP: "TRAILING_STOP_LOSS",
    pb.ORDER_TYPE_MARKET_IF_TOUCHED: "MARKET_IF_TOUCHED",
    pb.ORDER_TYPE_PREVIOUSLY_QUOTED: "MARKET",
}
ON_TRADE = {
    pb.ORDER_TYPE_LIMIT: "TAKE_PROFIT",
    pb.ORDER_TYPE_STOP: "STOP_LOSS",
    pb.ORDER_TYPE_TRAILING_STOP: "TRAILING_STOP_LOSS",
}
"""What an order that hangs on a trade is."""
CONDITIONS = {pb.TRIGGER_SOURCE_BID: "BID", pb.TRIGGER_SOURCE_ASK: "ASK", pb.TRIGGER_SOURCE_MID: "MID"}
CANCEL_REASONS = {
    ex.EXECUTION_REASON_CLIENT: "CLIENT_REQUEST",
    ex.EXECUTION_REASON_RISK: "INSUFFICIENT_MARGIN",
    ex.EXECUTION_REASON_KILL_SWITCH: "ACCOUNT_LOCKED",
    ex.EXECUTION_REASON_DISCONNECT: "CLIENT_REQUEST",
    ex.EXECUTION_REASON_CONTINGENCY: "LINKED_TRADE_CLOSED",
    ex.EXECUTION_REASON_REDUCE_ONLY: "LINKED_TRADE_CLOSED",
    ex.EXECUTION_REASON_POST_ONLY: "BOUNDS_VIOLATION",
    ex.EXECUTION_REASON_NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    ex.EXECUTION_REASON_EXPIRED: "TIME_IN_FORCE_EXPIRED",
    ex.EXECUTION_REASON_VENUE: "MARKET_HALTED",
    ex.EXECUTION_REASON_NO_VENUE: "MARKET_HALTED",
}
_CHECKS = {
    check_pb2.CHECK_KIND_KILL_SWITCH: "ACCOUNT_ORDER_CREATION_LOCKED",
    check_pb2.CHECK_KIND_REFERENCE_QUOTE: "INSTRUMENT_PRICE_UNKNOWN",
    check_pb2.CHECK_KIND_INSTRUMENT: "INSTRUMENT_NOT_TRADEABLE",
    check_pb2.CHECK_KIND_MARKET_HOURS: "INSTRUMENT_NOT_TRADEABLE",
    check_pb2.CHECK_KIND_PRICE_COLLAR: "PRICE_INVALID",
    check_pb2.CHECK_KIND_ORDER_QUANTITY: "UNITS_LIMIT_EXCEEDED",
    check_pb2.CHECK_KIND_ORDER_NOTIONAL: "UNITS_LIMIT_EXCEEDED",
    check_pb2.CHECK_KIND_MARGIN: "INSUFFICIENT_MARGIN",
    check_pb2.CHECK_KIND_OPEN_ORDERS: "PENDING_ORDERS_ALLOWED_MAX_EXCEEDED",
    check_pb2.CHECK_KIND_ACCOUNT: "ACCOUNT_NOT_ACTIVE",
}
Requests = Mapping[str, Json]
"""What programs asked for over this API, by client_order_id: see `asking`."""


def apply(book: Book, report: ex.ExecutionReport, requests: Requests) -> None:
    """Takes the next report of the account into the book."""
    assert report.sequence == book.last_report + 1, f"report {report.sequence} after {book.last_report}"
    book.last_report = report.sequence
    order, time_ns = report.order, report.time.ToNanoseconds()
    if order.terms.HasField("far_leg"):
        return  # a swap changes no spot position, and the API has no word for one
    book.begin_batch()
    asked = requests.get(order.terms.client_order_id, {})
    known = book.order_of(order.terms.client_order_id)
    kind = report.exec_type
    if known is None:
        known = _enter(book, report, asked, time_ns)
        if known is None:
            return
    if kind == ex.EXEC_TYPE_TRADE:
        fills.keep(known, report.fill)
    if kind != ex.EXEC_TYPE_TRADE or not _at_once(order) or order.status in _FINAL:
        # What deals at once is one fill, however many prices it took.
        fills.tell(book, known, order, asked, time_ns)
    if kind in (ex.EXEC_TYPE_CANCELLED, ex.EXEC_TYPE_EXPIRED, ex.EXEC_TYPE_REJECTED):
        _end(book, known, report, time_ns)
    elif kind == ex.EXEC_TYPE_REPLACED:
        _replaced(book, known, report, time_ns)
    elif kind in (ex.EXEC_TYPE_CANCEL_REJECTED, ex.EXEC_TYPE_REPLACE_REJECTED):
        known.pop("_replacement", None)
        fields = _linked(known) | {"rejectReason": "ORDER_DOESNT_EXIST", "_text": report.text}
        book.add("ORDER_CANCEL_REJECT", time_ns, **fields)
    elif kind in (ex.EXEC_TYPE_TRADE_CANCEL, ex.EXEC_TYPE_TRADE_CORRECT):
        fills.take_back(book, known, report.exec_ref_id, time_ns)
        if kind == ex.EXEC_TYPE_TRADE_CORRECT:
            fills.keep(known, report.fill)
            fills.tell(book, known, order, asked, time_ns)
    known = book.order_of(order.terms.client_order_id) or known
    if order.trigger_price and known["type"] == "TRAILING_STOP_LOSS":
        known["trailingStopValue"] = order.trigger_price
    resting = order.status in (pb.ORDER_STATUS_NEW, pb.ORDER_STATUS_PARTIALLY_FILLED, pb.ORDER_STATUS_SUSPENDED)
    known["_settled"] = known.get("_settled", False) or known["state"] != PENDING or resting
    known["_quantity"], known["_pending"] = order.terms.quantity, order.pending_sequence > 0
    known["_cum"] = order.cum_quantity
    book.put_order(known)


_FINAL = (
    pb.ORDER_STATUS_FILLED,
    pb.ORDER_STATUS_CANCELLED,
    pb.ORDER_STATUS_REJECTED,
    pb.ORDER_STATUS_EXPIRED,
)


def _at_once(order: pb.Order) -> bool:
    market = order.terms.order_type not in (pb.ORDER_TYPE_LIMIT, pb.ORDER_TYPE_STOP_LIMIT)
    return market or order.terms.time_in_force in AT_ONCE


def _linked(order: Json) -> Json:
    fields: Json = {"orderID": order["id"]}
    if client_id := order.get("clientExtensions", {}).get("id"):
        fields["clientOrderID"] = client_id
    return fields


def described(book: Book, order: pb.Order, asked: Json) -> Json:
    """What a v20 order and the transaction that creates it say alike."""
    terms = order.terms
    units = Decimal(order.entered_quantity or terms.quantity) * (1 if terms.side == pb.SIDE_BUY else -1)
    trade_id = asked.get("tradeID") or _trade_protected(book, order)
    kind = ON_TRADE.get(terms.order_type) if trade_id else None
    made: Json = {"type": kind or TYPES[terms.order_type]}
    if kind:
        made["tradeID"] = trade_id
    else:
        made |= {"instrument": words.name_of(terms.instrument), "units": words.number(units)}
    bound = terms.price_bound or (terms.limit_price if terms.order_type == pb.ORDER_TYPE_STOP_LIMIT else "")
    for key, value in (
        ("price", terms.stop_price or terms.limit_price),
        ("distance", terms.trailing_distance),
        ("priceBound", bound),
    ):
        if value:
            made[key] = words.price(Decimal(value), terms.instrument)
    made["timeInForce"] = words.FORCE_WORDS[terms.time_in_force]
    if terms.HasField("expire_time"):
        made["gtdTime"] = words.time_text(terms.expire_time.ToNanoseconds())
    if not kind:
        made["positionFill"] = asked.get("positionFill") or ("REDUCE_ONLY" if terms.reduce_only else "DEFAULT")
    if made["type"] != "MARKET":
        made["triggerCondition"] = asked.get("triggerCondition") or CONDITIONS.get(terms.trigger_source, "DEFAULT")
    if terms.HasField("on_fill") and not asked:
        made |= _on_fill(terms.on_fill)
    for key in _ASKED:
        if key in asked:
            made[key] = asked[key]
    return made


_ASKED = (
    "clientExtensions", "tradeClientExtensions", "takeProfitOnFill", "stopLossOnFill", "trailingStopLossOnFill",
    "tradeClose", "longPositionCloseout", "shortPositionCloseout",
)  # fmt: skip


def _on_fill(on_fill: pb.OnFill) -> Json:
    made: Json = {}
    if on_fill.take_profit_price:
        made["takeProfitOnFill"] = {"price": on_fill.take_profit_price, "timeInForce": "GTC"}
    if on_fill.stop_loss_price:
        made["stopLossOnFill"] = {"price": on_fill.stop_loss_price, "timeInForce": "GTC"}
    if on_fill.trailing_distance:
        made["trailingStopLossOnFill"] = {"distance": on_fill.trailing_distance, "timeInForce": "GTC"}
    return made


def _trade_protected(book: Book, order: pb.Order) -> str:
    """The trade that trading's own protection of an order is for."""
    if not order.terms.client_order_id.startswith(("tp.", "sl.")) or not order.parent_order_id:
        return ""
    found = [
        t for t in book.open_trades(words.name_of(order.terms.instrument)) if t["_opener"] == order.parent_order_id
    ]
    return found[-1]["id"] if found else ""


def _enter(book: Book, report: ex.ExecutionReport, asked: Json, time_ns: int) -> Json | None:
    """The transaction that creates an order, or refuses it."""
    order = report.order
    fields = described(book, order, asked)
    kind = f"{fields.pop('type')}_ORDER"
    protects = order.terms.client_order_id.startswith(("tp.", "sl.")) and bool(order.parent_order_id)
    reason = asked.get("reason") or ("ON_FILL" if protects else "CLIENT_ORDER")
    if report.exec_type == ex.EXEC_TYPE_REJECTED:
        text = report.text or order.reason_text
        refused = {"rejectReason": reject_reason(report), "_text": text, "_root": order.terms.client_order_id}
        book.add(f"{kind}_REJECT", time_ns, **fields, reason=reason, **refused)
        return None
    created = book.add(kind, time_ns, **fields, reason=reason, requestID=asked.get("requestID", ""))
    made = {
        "id": created["id"],
        "createTime": created["time"],
        "type": kind.removesuffix("_ORDER"),
        "state": PENDING,
        **fields,
        "_root": order.terms.client_order_id,
        "_order_id": order.order_id,
        "_instrument": order.terms.instrument,
        "_side": order.terms.side,
    }
    book.put_order(made)
    for trade in (each for each in book.trades.values() if each["id"] == fields.get("tradeID")):
        _hang(book, trade, made)
    return made


def _hang(book: Book, trade: Json, order: Json) -> None:
    key = fills.DEPENDENT[order["type"]]
    trade[key] = order["id"]
    book.put_trade(trade)


def reject_reason(report: ex.ExecutionReport) -> str:
    """Why an order was refused, as a TransactionRejectReason."""
    failed = [each.kind for each in report.checks if not each.passed]
    if failed:
        return _CHECKS.get(failed[0], "ACCOUNT_ORDER_CREATION_LOCKED")
    if report.reason == ex.EXECUTION_REASON_KILL_SWITCH:
        return "ACCOUNT_ORDER_CREATION_LOCKED"
    if report.reason == ex.EXECUTION_REASON_REDUCE_ONLY:
        return "CLOSEOUT_POSITION_DOESNT_EXIST"
    return "INSTRUMENT_NOT_TRADEABLE" if report.reason == ex.EXECUTION_REASON_NO_VENUE else "INTERNAL_SERVER_ERROR"


def _end(book: Book, order: Json, report: ex.ExecutionReport, time_ns: int, **more: Any) -> None:
    if order["state"] != PENDING:
        return
    expired = report.exec_type == ex.EXEC_TYPE_EXPIRED
    reason = "TIME_IN_FORCE_EXPIRED" if expired else CANCEL_REASONS.get(report.reason, "CLIENT_REQUEST")
    if reason == "INSUFFICIENT_LIQUIDITY" and order.get("priceBound"):
        reason = "BOUNDS_VIOLATION"
    if order.get("tradeID") and reason != "CLIENT_REQUEST" and not _lives(book, order["tradeID"]):
        reason = "LINKED_TRADE_CLOSED"
    ended = book.add("ORDER_CANCEL", time_ns, **_linked(order), reason=more.get("reason", reason), _text=report.text)
    order |= {"state": CANCELLED, "cancellingTransactionID": ended["id"], "cancelledTime": ended["time"]}
    fills.unhang(book, order)


def _lives(book: Book, trade_id: str) -> bool:
    return trade_id in book.trades and book.trades[trade_id]["state"] == "OPEN"


def _replaced(book: Book, old: Json, report: ex.ExecutionReport, time_ns: int) -> None:
    """An amendment: of its price or time, or of what was asked for here, the old order goes and a new one comes."""
    asked = old.pop("_replacement", None) or {k: old[k] for k in _ASKED if k in old}
    order = report.order
    fields = described(book, order, asked | ({"tradeID": old["tradeID"]} if "tradeID" in old else {}))
    kind = fields.pop("type")
    same = all(fields.get(key) == old.get(key) for key in ("price", "distance", "gtdTime", "clientExtensions"))
    units_alike = "tradeID" in old or fields.get("units") == old.get("units")
    if old["state"] != PENDING or (same and (units_alike or order.terms.reduce_only)):
        return  # a size that follows others: the API does not tell
    ended = book.add("ORDER_CANCEL", time_ns, **_linked(old), reason="CLIENT_REQUEST_REPLACED")
    ended["replacedByOrderID"] = str(book.last_transaction + 1)
    old |= {"state": CANCELLED, "cancellingTransactionID": ended["id"], "cancelledTime": ended["time"]}
    links = {"replacesOrderID": old["id"], "cancellingTransactionID": ended["id"]}
    created = book.add(f"{kind}_ORDER", time_ns, **fields, reason="REPLACEMENT", **links)
    old["replacedByOrderID"] = created["id"]
    made = {
        "id": created["id"],
        "createTime": created["time"],
        "type": kind,
        "state": PENDING,
        **fields,
        "replacesOrderID": old["id"],
        **{key: value for key, value in old.items() if key.startswith("_")},
    }
    fills.unhang(book, old)
    book.put_order(old)
    book.put_order(made)
    if "tradeID" in made and _lives(book, made["tradeID"]):
        _hang(book, book.trades[made["tradeID"]], made)
