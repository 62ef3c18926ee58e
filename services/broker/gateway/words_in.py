"""A client's FIX messages as requests to trading."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from decimal import Decimal

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.fix.enums import OrdType, Side, TimeInForce
from crossrate.fix.orders import NewOrderMultileg, NewOrderSingle, OrderCancelReplaceRequest
from crossrate.fix.parts import Leg

_NAMES = uuid.UUID("6f1c3f4e-90a7-5d5e-8f0e-2d7f6f1a4b11")
_ID = re.compile(r"^[A-Za-z0-9._:-]{1,64}$")
_TYPES = {
    OrdType.MARKET: pb.ORDER_TYPE_MARKET,
    OrdType.LIMIT: pb.ORDER_TYPE_LIMIT,
    OrdType.STOP: pb.ORDER_TYPE_STOP,
    OrdType.STOP_LIMIT: pb.ORDER_TYPE_STOP_LIMIT,
    OrdType.MARKET_IF_TOUCHED: pb.ORDER_TYPE_MARKET_IF_TOUCHED,
    OrdType.PREVIOUSLY_QUOTED: pb.ORDER_TYPE_PREVIOUSLY_QUOTED,
    OrdType.PEGGED: pb.ORDER_TYPE_TRAILING_STOP,
}
TRAILS = "a"
"""ExecInst (18): trailing stop peg."""
_INSTRUCTIONS = "1256E"
"""ExecInst that are followed; 1, 2 and 5 (not held, work, held) ask for nothing that is not done anyway."""
_FORCES = {
    TimeInForce.DAY: pb.TIME_IN_FORCE_DAY,
    TimeInForce.GOOD_TILL_CANCEL: pb.TIME_IN_FORCE_GTC,
    TimeInForce.IMMEDIATE_OR_CANCEL: pb.TIME_IN_FORCE_IOC,
    TimeInForce.FILL_OR_KILL: pb.TIME_IN_FORCE_FOK,
    TimeInForce.GOOD_TILL_DATE: pb.TIME_IN_FORCE_GTD,
}
PEG_OFFSET_TYPE = 836
_SIDES = {Side.BUY: pb.SIDE_BUY, Side.SELL: pb.SIDE_SELL}
_TENOR = re.compile(r"^([DWMY])([1-9][0-9]?)$")


class Refused(ValueError):
    """What was asked for cannot be; the text names the tag and the remedy."""


def request_id(session: str, cl_ord_id: str) -> str:
    """The id of a request to trading: the same message gives the same id for ever."""
    return str(uuid.uuid5(_NAMES, f"{session}\n{cl_ord_id}"))


def checked_id(value: str, tag: int = 11) -> str:
    """A ClOrdID that can be a client_order_id.

    Raises:
        Refused: it cannot.
    """
    if not _ID.match(value):
        raise Refused(f"{tag}={value[:64]!r}: 1 to 64 letters, digits, full stops, underscores, colons and hyphens")
    return value


def text_of(number: Decimal | None) -> str:
    """A number as the contract has it; empty for none."""
    if number is None:
        return ""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def new_order(order: NewOrderSingle, account: str) -> pb.NewOrder:
    """An order.

    Raises:
        Refused: it has what the platform does not take.
    """
    if order.side not in _SIDES:
        raise Refused(f"54={order.side}: 1 (buy) or 2 (sell)")
    if order.ord_type not in _TYPES:
        raise Refused(f"40={order.ord_type}: 1, 2, 3, 4, J, D, or P with ExecInst (18) a")
    if order.order_qty is None:
        raise Refused("38: OrderQty is missing; CashOrderQty is not taken")
    if order.currency and order.currency != order.symbol[:3]:
        raise Refused(f"15={order.currency}: quantities are in the base currency, {order.symbol[:3]}")
    market = order.ord_type in (OrdType.MARKET, OrdType.PREVIOUSLY_QUOTED)
    force = order.time_in_force or (TimeInForce.IMMEDIATE_OR_CANCEL if market else TimeInForce.DAY)
    if force not in _FORCES:
        raise Refused(f"59={force}: 0, 1, 3, 4 or 6")
    for each in order.exec_inst or ():
        if each not in _INSTRUCTIONS and (each != TRAILS or order.ord_type is not OrdType.PEGGED):
            raise Refused(f"18={each}: 6 (post only), E (reduce only), or a with 40=P (trailing stop); leave it out")
    made = pb.NewOrder(
        client_order_id=checked_id(order.cl_ord_id),
        account=account,
        instrument=order.symbol,
        side=_SIDES[order.side],
        quantity=text_of(order.order_qty),
        order_type=_TYPES[order.ord_type],
        limit_price=text_of(order.price),
        stop_price=text_of(order.stop_px),
        time_in_force=_FORCES[force],
        post_only="6" in (order.exec_inst or ()),
        reduce_only="E" in (order.exec_inst or ()),
        display_quantity=text_of(order.max_show or order.max_floor),
        min_quantity=text_of(order.min_qty),
        venue=(order.ex_destination or "").lower(),
        quote_id=order.quote_id or "",
        text=(order.text or "")[:200],
    )
    if order.ord_type is OrdType.MARKET and order.price is not None:
        raise Refused("44: a market order has no Price")
    if order.expire_time is not None:
        made.expire_time.FromNanoseconds(order.expire_time)
    elif force is TimeInForce.GOOD_TILL_DATE:
        raise Refused("126: a good-till-date order has its ExpireTime; ExpireDate (432) is not taken")
    if order.ord_type is OrdType.PEGGED:
        made.trailing_distance = _distance(order)
    _settle(made, order)
    return made


def _distance(order: NewOrderSingle) -> str:
    """How far a trailing stop stands from the market: PegOffsetValue, whatever its sign, since the side says where."""
    if TRAILS not in (order.exec_inst or ()):
        raise Refused("18: of pegged orders only trailing stops are taken: ExecInst a")
    if order.peg_offset_value is None or not order.peg_offset_value:
        raise Refused("211: a trailing stop has its distance there, in units of the price")
    given = dict(order.extra)
    if given.get(PEG_OFFSET_TYPE, b"0") != b"0":
        raise Refused("836: 0 (PegOffsetValue is a price)")
    return text_of(abs(order.peg_offset_value))


def _settle(made: pb.NewOrder, order: NewOrderSingle) -> None:
    if order.settl_date is not None:
        _date(made.settlement, order.settl_date)
    elif order.settl_type not in (None, "0"):
        match = _TENOR.match(order.settl_type or "")
        if match is None:
            raise Refused(f"63={order.settl_type}: 0 (spot), a tenor such as M1, or SettlDate (64)")
        made.settlement.tenor = match[2] + match[1]
    if order.settl_date2 is not None:
        _unlimited(order.ord_type)
        _date(made.far_leg.settlement, order.settl_date2)
        made.far_leg.quantity = text_of(order.order_qty2)


def _unlimited(ord_type: OrdType) -> None:
    if ord_type is not OrdType.MARKET and ord_type is not OrdType.PREVIOUSLY_QUOTED:
        raise Refused(
            f"40={ord_type}: 1, or D for a swap that pricing has quoted; FIX 4.4 has no word for a limit on swap points"
        )


def swap(order: NewOrderMultileg) -> NewOrderSingle:
    """A swap of two legs as one order of two dates, whose side is that of the far leg.

    Raises:
        Refused: its legs are no swap.
    """
    if len(order.legs) != 2 or any(each.leg_settl_date is None for each in order.legs):
        raise Refused("555: a swap has two legs, each with its LegSettlDate (588)")
    near, far = sorted(order.legs, key=lambda each: each.leg_settl_date or dt.date.min)
    if near.leg_symbol != far.leg_symbol or (order.symbol or near.leg_symbol) != near.leg_symbol:
        raise Refused(f"600={far.leg_symbol}: both legs of a swap are of one pair, {near.leg_symbol}")
    if {near.leg_side, far.leg_side} != {Side.BUY, Side.SELL}:
        raise Refused("624: one leg of a swap buys (1) what the other sells (2)")
    if order.side not in (far.leg_side, Side.AS_DEFINED):
        raise Refused(f"54={order.side}: the side of the far leg, {far.leg_side}, or B (as the legs define)")
    _unlimited(order.ord_type)
    quantities = [_leg_quantity(order, each) for each in (near, far)]
    return NewOrderSingle(
        cl_ord_id=order.cl_ord_id,
        account=order.account,
        exec_inst=order.exec_inst,
        min_qty=order.min_qty,
        ex_destination=order.ex_destination,
        symbol=near.leg_symbol,
        side=far.leg_side or order.side,
        transact_time=order.transact_time,
        order_qty=quantities[0],
        ord_type=order.ord_type,
        currency=order.currency or near.leg_currency,
        quote_id=order.quote_id,
        time_in_force=order.time_in_force,
        expire_time=order.expire_time,
        text=order.text,
        settl_date=near.leg_settl_date,
        settl_date2=far.leg_settl_date,
        order_qty2=quantities[1],
    )


def _leg_quantity(order: NewOrderMultileg, leg: Leg) -> Decimal:
    if leg.leg_qty is not None:
        return leg.leg_qty
    if order.order_qty is None:
        raise Refused("687: each leg has its LegQty, or the order its OrderQty (38)")
    return order.order_qty * (leg.leg_ratio_qty or 1)


def _date(settlement: pb.Settlement, day: object) -> None:
    settlement.date.year, settlement.date.month, settlement.date.day = day.year, day.month, day.day  # type: ignore[attr-defined]


def amendment(session: str, order: OrderCancelReplaceRequest, account: str, root: str) -> entry.AmendOrderRequest:
    """An amendment: what FIX states anew is given anew.

    Raises:
        Refused: it changes what cannot be changed.
    """
    made = entry.AmendOrderRequest(
        request_id=request_id(session, checked_id(order.cl_ord_id)),
        account=account,
        client_order_id=root,
        quantity=text_of(order.order_qty),
        limit_price=text_of(order.price) if order.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT) else "",
        stop_price=text_of(order.stop_px),
    )
    if order.ord_type is OrdType.PEGGED:
        made.stop_price = ""  # it follows the market: a client may say where it stood
        made.trailing_distance = text_of(abs(order.peg_offset_value)) if order.peg_offset_value else ""
    if order.expire_time is not None:
        made.expire_time.FromNanoseconds(order.expire_time)
    return made
