"""The platform's orders in the words of the v20 API, and a venue's transactions in the platform's."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.pair import parse_pair
from services.broker.domain.amounts import QUANTITY_UNIT, price_text
from services.broker.domain.dates import Calendar
from services.broker.oanda import words
from services.broker.routed import Routed
from services.broker.venues.exchange_terms import LIMIT, MARKET, Unfit, by_hand, dated

Json = dict[str, Any]
PREFIX = "X"
CANCEL, REPLACE = routing.INSTRUCTION_KIND_CANCEL, routing.INSTRUCTION_KIND_REPLACE
CREATES = ("MARKET_ORDER", "LIMIT_ORDER")
"""Transactions that an order of ours begins with."""
ENTRIES = (*CREATES, "STOP_ORDER", "MARKET_IF_TOUCHED_ORDER", "FIXED_PRICE_ORDER")
"""The same of orders that others enter."""
_CANCELS = {
    "CLIENT_REQUEST": execution.EXECUTION_REASON_CLIENT,
    "INSUFFICIENT_LIQUIDITY": execution.EXECUTION_REASON_NO_LIQUIDITY,
    "BOUNDS_VIOLATION": execution.EXECUTION_REASON_NO_LIQUIDITY,
}


def client_id(number: int) -> str:
    """The client's id under which an instruction is sent."""
    return f"{PREFIX}{number}"


def instruction_number(text: Any) -> int | None:
    """The instruction of a client's id; None for an id that is not ours."""
    if not isinstance(text, str) or not text.startswith(PREFIX):
        return None
    digits = text[len(PREFIX) :]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 18 else None


def new_order(routed: Routed, number: int) -> Json:
    """The body of an order.

    Raises:
        Unfit: it has terms that the API does not know.
    """
    return {"order": _terms(routed, routed.order, number, routed.earlier)}


def replacement(routed: Routed, order: order_pb2.Order, number: int) -> Json:
    """The body of a replacement: its units are what is left.

    Raises:
        Unfit: it has terms that the API does not know.
    """
    by_hand(order)
    return {"order": _terms(routed, order, number, routed.earlier + routed.filled)}


def _terms(routed: Routed, order: order_pb2.Order, number: int, done: int) -> Json:
    terms = order.terms
    if terms.HasField("far_leg") or dated(terms):
        raise Unfit("settlement: only spot is sent to venues; forwards and swaps deal on quotes of pricing")
    for field in ("post_only", "display_quantity", "min_quantity"):
        if getattr(terms, field):
            raise Unfit(f"{field}: the venue's API has no such term; leave it out, or name another venue")
    units = Decimal(terms.quantity) - Decimal(done) / QUANTITY_UNIT
    if units != int(units) or units <= 0:
        raise Unfit(f"quantity: the venue deals whole units, not {units}")
    made: Json = {
        "instrument": words.name_of(routed.instrument),
        "units": words.number(units if terms.side == order_pb2.SIDE_BUY else -units),
        "positionFill": "DEFAULT",
        "clientExtensions": {"id": client_id(number)},
    }
    force = words.FORCE_WORDS[terms.time_in_force]
    if terms.order_type in LIMIT:
        made |= {"type": "LIMIT", "price": terms.limit_price, "timeInForce": force}
        if force == "GTD":
            made["gtdTime"] = words.time_text(terms.expire_time.ToNanoseconds())
    elif terms.order_type in MARKET:
        made |= {"type": "MARKET", "timeInForce": force if force in ("FOK", "IOC") else "IOC"}
        if terms.price_bound:
            made["priceBound"] = terms.price_bound
    else:
        raise Unfit("order_type: only market and limit orders are sent to venues")
    return made


def report(kind: int, transaction: Json, **fields: Any) -> pb.VenueReport:
    """A report of a transaction."""
    made = pb.VenueReport(kind=kind, **fields)  # type: ignore[arg-type]
    time_ns = words.time_ns_of(str(transaction.get("time", "")))
    if time_ns is not None:
        made.venue_time.FromNanoseconds(time_ns)
    else:
        made.venue_time.GetCurrentTime()
    return made


def fill(venue: str, account_id: str, transaction: Json, routed: Routed, calendar: Calendar) -> pb.VenueReport:
    """The report of an ORDER_FILL.

    Raises:
        ValueError: it has no units or no price.
    """
    try:
        units, price = abs(Decimal(transaction["units"])), Decimal(transaction.get("fullVWAP") or transaction["price"])
        commission = Decimal(transaction.get("commission") or 0)
    except (KeyError, InvalidOperation, TypeError) as error:
        raise ValueError(f"fill {transaction.get('id')} has no units or no price") from error
    if not units.is_finite() or units <= 0 or not price.is_finite() or price <= 0:
        raise ValueError(f"fill {transaction.get('id')} has units {units} at {price}")
    made = report(pb.VENUE_REPORT_KIND_FILLED, transaction, version=routed.version)
    time_ns, pair = made.venue_time.ToNanoseconds(), parse_pair(routed.instrument)
    told = made.fill
    told.venue_exec_id, told.venue = f"{account_id}/{transaction['id']}", venue
    told.quantity, told.price = price_text(units), price_text(price)
    trade_date = calendar.session(pair, time_ns).trade_date
    for target, day in ((told.trade_date, trade_date), (told.settl_date, calendar.spot(pair, trade_date))):
        target.year, target.month, target.day = day.year, day.month, day.day
    told.venue_time.FromNanoseconds(time_ns)
    if commission:
        told.commission = words.number(commission)
    return made


def ended(transaction: Json, routed: Routed) -> pb.VenueReport:
    """The report of an ORDER_CANCEL."""
    reason = str(transaction.get("reason", ""))
    if reason == "TIME_IN_FORCE_EXPIRED" and routed.order.terms.time_in_force not in _AT_ONCE:
        kind, why = pb.VENUE_REPORT_KIND_EXPIRED, execution.EXECUTION_REASON_EXPIRED
    else:
        kind = pb.VENUE_REPORT_KIND_CANCELLED
        why = _CANCELS.get(reason, execution.EXECUTION_REASON_VENUE)
        if routed.order.terms.time_in_force in _AT_ONCE and why != execution.EXECUTION_REASON_CLIENT:
            why = execution.EXECUTION_REASON_NO_LIQUIDITY
    return report(kind, transaction, version=routed.version, reason=why, text=reason[:500])


_AT_ONCE = (order_pb2.TIME_IN_FORCE_IOC, order_pb2.TIME_IN_FORCE_FOK)
