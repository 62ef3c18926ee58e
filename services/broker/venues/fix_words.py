"""The platform's orders in FIX 4.4, and a venue's reports in the platform's words."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.pair import parse_pair
from crossrate.fix.enums import ExecType, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from crossrate.fix.orders import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from crossrate.fix.reports import ExecutionReport
from services.broker.domain.amounts import QUANTITY_UNIT, price_text
from services.broker.domain.books import BUY, StatedOrder
from services.broker.domain.dates import Calendar, put_date
from services.broker.routed import At, Routed, Waiting
from services.broker.venues.declared import FixVenue
from services.broker.venues.exchange_terms import LIMIT, MARKET, Unfit, by_hand, dated

_FORCES = {
    order_pb2.TIME_IN_FORCE_GTC: TimeInForce.GOOD_TILL_CANCEL,
    order_pb2.TIME_IN_FORCE_DAY: TimeInForce.DAY,
    order_pb2.TIME_IN_FORCE_GTD: TimeInForce.GOOD_TILL_DATE,
    order_pb2.TIME_IN_FORCE_IOC: TimeInForce.IMMEDIATE_OR_CANCEL,
    order_pb2.TIME_IN_FORCE_FOK: TimeInForce.FILL_OR_KILL,
}
KINDS = {
    ExecType.NEW: pb.VENUE_REPORT_KIND_ACCEPTED,
    ExecType.TRADE: pb.VENUE_REPORT_KIND_FILLED,
    ExecType.CANCELED: pb.VENUE_REPORT_KIND_CANCELLED,
    ExecType.REPLACED: pb.VENUE_REPORT_KIND_REPLACED,
    ExecType.REJECTED: pb.VENUE_REPORT_KIND_REJECTED,
    ExecType.EXPIRED: pb.VENUE_REPORT_KIND_EXPIRED,
    ExecType.DONE_FOR_DAY: pb.VENUE_REPORT_KIND_EXPIRED,
    ExecType.TRADE_CANCEL: pb.VENUE_REPORT_KIND_TRADE_CANCELLED,
    ExecType.TRADE_CORRECT: pb.VENUE_REPORT_KIND_TRADE_CORRECTED,
}
_STATUSES = {
    OrdStatus.NEW: pb.VENUE_REPORT_KIND_ACCEPTED,
    OrdStatus.PARTIALLY_FILLED: pb.VENUE_REPORT_KIND_ACCEPTED,
    OrdStatus.PENDING_CANCEL: pb.VENUE_REPORT_KIND_ACCEPTED,
    OrdStatus.PENDING_REPLACE: pb.VENUE_REPORT_KIND_ACCEPTED,
    OrdStatus.CANCELED: pb.VENUE_REPORT_KIND_CANCELLED,
    OrdStatus.EXPIRED: pb.VENUE_REPORT_KIND_EXPIRED,
    OrdStatus.REJECTED: pb.VENUE_REPORT_KIND_REJECTED,
}
ENDS = (pb.VENUE_REPORT_KIND_CANCELLED, pb.VENUE_REPORT_KIND_REJECTED, pb.VENUE_REPORT_KIND_EXPIRED)


def symbol_of(spec: FixVenue, instrument: str) -> str:
    """What the venue calls an instrument."""
    base, _, counter = instrument.partition("/")
    return spec.symbol_form.replace("{base}", base).replace("{counter}", counter)


def instrument_of(symbol: str) -> str:
    """An instrument by what a venue calls it."""
    letters = "".join(each for each in symbol.upper() if each.isalpha())
    return f"{letters[:3]}/{letters[3:6]}"


def _now() -> int:
    return time.time_ns() // 1_000_000 * 1_000_000


def _side(order: order_pb2.Order) -> Side:
    return Side.BUY if order.terms.side == order_pb2.SIDE_BUY else Side.SELL


def _day(message: Any) -> dt.date | None:
    return dt.date(message.year, message.month, message.day) if message.year else None


def _settled(spec: FixVenue, order: order_pb2.Order) -> dict[str, Any]:
    """When it settles: nothing for spot, otherwise dates alone, which every venue reads alike; of a swap the near leg's
    and the far one's, whose side (54) is the order's."""
    terms, swap = order.terms, order.terms.HasField("far_leg")
    what = "swap" if swap else "forward"
    if not swap and not dated(terms):
        return {}
    if what not in spec.deals:
        raise Unfit(f"settlement: the venue deals no {what}s (`deals` in mesh/venues.toml); ask pricing for a quote")
    near = _day(order.settl_date) or _day(terms.settlement.date)
    if near is None:
        raise Unfit("settlement: the order has no date on which it settles")
    found: dict[str, Any] = {"settl_type": "B", "settl_date": near}
    if swap:
        if terms.order_type != order_pb2.ORDER_TYPE_MARKET or terms.price_bound:
            raise Unfit("order_type: FIX 4.4 has no word for a limit on swap points: MARKET without a price_bound")
        far = _day(order.far_settl_date) or _day(terms.far_leg.settlement.date)
        if far is None:
            raise Unfit("far_leg.settlement: the order has no date on which its far leg settles")
        found |= {"settl_date2": far, "order_qty2": Decimal(terms.far_leg.quantity or terms.quantity)}
    return found


def _priced(order: order_pb2.Order) -> dict[str, Any]:
    terms = order.terms
    if terms.order_type in LIMIT:
        price: Decimal | None = Decimal(terms.limit_price)
    elif terms.order_type in MARKET:
        price = Decimal(terms.price_bound) if terms.price_bound else None
    else:
        raise Unfit("order_type: only market and limit orders are sent to venues")
    force = _FORCES[terms.time_in_force]
    at_once = (TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL)
    if terms.order_type in MARKET and force not in at_once:
        force = TimeInForce.IMMEDIATE_OR_CANCEL
    expire = terms.expire_time.ToNanoseconds() // 1_000_000 * 1_000_000 if terms.HasField("expire_time") else None
    return {
        "ord_type": OrdType.LIMIT if price is not None else OrdType.MARKET,
        "price": price,
        "time_in_force": force,
        "expire_time": expire if force is TimeInForce.GOOD_TILL_DATE else None,
        "max_floor": Decimal(terms.display_quantity) if terms.display_quantity else None,
        "min_qty": Decimal(terms.min_quantity) if terms.min_quantity else None,
        "exec_inst": ("6",) if terms.post_only else None,
    }


def new_order(spec: FixVenue, routed: Routed, cl_ord_id: str) -> NewOrderSingle:
    """The order as the venue takes it.

    Raises:
        Unfit: it has terms that are not sent to venues.
    """
    return NewOrderSingle(
        cl_ord_id=cl_ord_id,
        account=spec.accounts.get(routed.account),
        symbol=symbol_of(spec, routed.instrument),
        side=_side(routed.order),
        transact_time=_now(),
        currency=routed.instrument[:3],
        order_qty=Decimal(routed.order.terms.quantity) - Decimal(routed.earlier) / QUANTITY_UNIT,
        **_priced(routed.order),
        **_settled(spec, routed.order),
    )


def replacement(spec: FixVenue, routed: Routed, order: order_pb2.Order, cl_ord_id: str) -> OrderCancelReplaceRequest:
    """The amendment as the venue takes it.

    Raises:
        Unfit: it has terms that are not sent to venues.
    """
    by_hand(order)
    if order.terms.HasField("far_leg"):
        raise Unfit("far_leg: a swap is not amended at this venue; cancel it and enter another")
    return OrderCancelReplaceRequest(
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=routed.client_id or routed.venue_order_id,
        order_id=routed.venue_order_id or None,
        account=spec.accounts.get(routed.account),
        symbol=symbol_of(spec, routed.instrument),
        side=_side(order),
        transact_time=_now(),
        currency=routed.instrument[:3],
        order_qty=Decimal(order.terms.quantity) - Decimal(routed.earlier) / QUANTITY_UNIT,
        **_priced(order),
        **_settled(spec, order),
    )


def cancel(spec: FixVenue, routed: Routed, cl_ord_id: str) -> OrderCancelRequest:
    """The cancel as the venue takes it."""
    return OrderCancelRequest(
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=routed.client_id or routed.venue_order_id,
        order_id=routed.venue_order_id or None,
        symbol=symbol_of(spec, routed.instrument),
        side=_side(routed.order),
        transact_time=_now(),
    )


def cancel_stated(spec: FixVenue, stated: StatedOrder, cl_ord_id: str) -> OrderCancelRequest:
    """The cancel of an order that the venue states, whoever placed it."""
    return OrderCancelRequest(
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=stated.client_id or stated.venue_order_id,
        order_id=stated.venue_order_id,
        symbol=symbol_of(spec, stated.instrument),
        side=Side.BUY if stated.side == BUY else Side.SELL,
        transact_time=_now(),
    )


def question(spec: FixVenue, routed: Routed, amendment: str = "") -> OrderStatusRequest:
    """Asks where an order stands; by the ClOrdID of an amendment alone, whether the venue has that."""
    return OrderStatusRequest(
        cl_ord_id=amendment or routed.client_id or routed.venue_order_id,
        order_id=None if amendment else routed.venue_order_id or None,
        symbol=symbol_of(spec, routed.instrument),
        side=_side(routed.order),
    )


def report_of(
    spec: FixVenue, venue: str, message: ExecutionReport, routed: Routed, calendar: Calendar
) -> tuple[pb.VenueReport, str] | None:
    """What a report says of an order, and the key by which a repetition is known; None if it changes nothing."""
    status = message.exec_type is ExecType.ORDER_STATUS
    kind = _STATUSES.get(message.ord_status) if status else KINDS.get(message.exec_type)
    if kind is None:
        return None
    report = pb.VenueReport(kind=kind, version=routed.version, text=(message.text or "")[:500])
    report.venue_order_id = message.order_id if message.order_id != "NONE" else routed.venue_order_id
    report.venue_time.FromNanoseconds(message.transact_time or _now())
    if kind in (pb.VENUE_REPORT_KIND_FILLED, pb.VENUE_REPORT_KIND_TRADE_CORRECTED):
        _fill(report.fill, venue, message, routed, calendar, report.venue_time.ToNanoseconds())
    report.exec_ref_id = message.exec_ref_id or ""
    if kind == pb.VENUE_REPORT_KIND_REJECTED:
        report.reason = execution.EXECUTION_REASON_VENUE
        if status and message.ord_rej_reason is OrdRejReason.UNKNOWN_ORDER:
            report.reason = execution.EXECUTION_REASON_NO_VENUE
            report.text = report.text or "the venue never had it: it was not sent again"
    elif kind == pb.VENUE_REPORT_KIND_CANCELLED:
        report.reason = (
            execution.EXECUTION_REASON_CLIENT if message.orig_cl_ord_id else execution.EXECUTION_REASON_VENUE
        )
        if routed.order.terms.time_in_force in (order_pb2.TIME_IN_FORCE_IOC, order_pb2.TIME_IN_FORCE_FOK):
            report.reason = execution.EXECUTION_REASON_NO_LIQUIDITY
    elif kind == pb.VENUE_REPORT_KIND_EXPIRED:
        report.reason = execution.EXECUTION_REASON_EXPIRED
    return report, "" if status else message.exec_id


def _fill(
    fill: execution.Fill, venue: str, message: ExecutionReport, routed: Routed, calendar: Calendar, time_ns: int
) -> None:
    if message.last_qty is None or message.last_px is None:
        raise ValueError(f"a fill without LastQty (32) or LastPx (31): ExecID {message.exec_id}")
    fill.venue_exec_id, fill.venue = message.exec_id, venue
    fill.quantity, fill.price = price_text(message.last_qty), price_text(message.last_px)
    pair = parse_pair(routed.instrument)
    trade_date = message.trade_date or calendar.session(pair, time_ns).trade_date
    terms = routed.order.terms
    # A spot order settles by the day on which it is filled, not by the one on which it was entered.
    agreed = _day(routed.order.settl_date) if dated(terms) or terms.HasField("far_leg") else None
    put_date(fill.trade_date, trade_date)
    put_date(fill.settl_date, message.settl_date or agreed or calendar.spot(pair, trade_date))
    if terms.HasField("far_leg"):
        _far(fill, message, routed)
    if message.last_liquidity_ind in (1, 2):
        fill.liquidity = message.last_liquidity_ind
    fill.venue_time.FromNanoseconds(time_ns)


def _far(fill: execution.Fill, message: ExecutionReport, routed: Routed) -> None:
    """The far leg of a swap's fill: by the report's legs, or by the spot rate and the far leg's points."""
    terms, day = routed.order.terms, message.settl_date2 or _day(routed.order.far_settl_date)
    legs = sorted((each for each in message.legs if each.leg_settl_date), key=lambda each: each.leg_settl_date or day)
    quantity, price = message.order_qty2 or Decimal(terms.far_leg.quantity or terms.quantity), None
    if len(legs) == 2:
        near, far = legs
        fill.price = price_text(near.leg_last_px) if near.leg_last_px is not None else fill.price
        put_date(fill.settl_date, near.leg_settl_date)
        quantity, price, day = far.leg_qty or quantity, far.leg_last_px, far.leg_settl_date
    elif message.last_spot_rate is not None and message.last_forward_points2 is not None:
        price = message.last_spot_rate + message.last_forward_points2
    if price is None or day is None:
        raise ValueError(
            f"a swap's fill without its far rate: ExecID {message.exec_id} needs LastSpotRate (194) and "
            "LastForwardPoints2 (641), or two legs with LegSettlDate (588) and LegLastPx (637)"
        )
    whole = Decimal(terms.quantity) - Decimal(routed.earlier) / QUANTITY_UNIT
    if message.last_qty != whole and len(legs) != 2:
        raise ValueError(
            f"a part of a swap without its far quantity: ExecID {message.exec_id}, LegQty (687) is missing"
        )
    fill.far_quantity, fill.far_price = price_text(quantity), price_text(price)
    put_date(fill.far_settl_date, day)


def moved(routed: Routed, message: ExecutionReport, kind: int, amended: Waiting | None) -> None:
    """The order as it stands after a report."""
    if kind in ENDS:
        routed.status = At.ENDED
    elif routed.status is not At.ENDED:
        routed.status = At.WORKS
    if kind == pb.VENUE_REPORT_KIND_FILLED and message.last_qty is not None:
        routed.filled += int(message.last_qty * QUANTITY_UNIT)
        if message.leaves_qty == 0:
            routed.status = At.ENDED
    if kind == pb.VENUE_REPORT_KIND_REPLACED and amended is not None:
        routed.order, routed.version = amended.order, amended.version
        routed.client_id = message.cl_ord_id or routed.client_id
    if message.order_id and message.order_id != "NONE":
        routed.venue_order_id = message.order_id
