"""The platform's orders in the words of the simulated exchange, and its events in the platform's."""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from crossrate.exchange.event import Event, EventKind, Liquidity, Reason
from crossrate.exchange.grid import Grid, OffGrid
from crossrate.exchange.order import (
    NewOrder,
    Operation,
    OrderType,
    Replace,
    SelfMatchPrevention,
    Side,
    TimeInForce,
)
from services.broker.domain.amounts import QUANTITY_UNIT, price_text, quantity_text
from services.broker.domain.books import BUY, SELL, StatedOrder
from services.broker.domain.dates import Calendar, put_date
from services.broker.routed import At, Routed

MARKET = (
    order_pb2.ORDER_TYPE_MARKET,
    order_pb2.ORDER_TYPE_STOP,
    order_pb2.ORDER_TYPE_TRAILING_STOP,
    order_pb2.ORDER_TYPE_MARKET_IF_TOUCHED,
)
"""Types that a venue sees as market orders: triggers are looked at before an order is sent."""
LIMIT = (order_pb2.ORDER_TYPE_LIMIT, order_pb2.ORDER_TYPE_STOP_LIMIT)
_AT_ONCE = {
    order_pb2.TIME_IN_FORCE_IOC: TimeInForce.IMMEDIATE_OR_CANCEL,
    order_pb2.TIME_IN_FORCE_FOK: TimeInForce.FILL_OR_KILL,
}

OUTLIVED = "its date is nearer than spot now: no forward is dealt to it any more"


class Unfit(ValueError):
    """An order that the venue cannot take; the text says which field, why, and what to do."""


def grid_of(instrument: str, quantity_unit: Decimal, finer: int = 0) -> Grid:
    """The increments of an instrument, its prices by so many decimal places finer.

    Raises:
        Unfit: there is no such instrument.
    """
    convention = CONVENTIONS.get(parse_pair(instrument))
    if convention is None:
        raise Unfit(f"instrument: {instrument} is no pair of the platform")
    return Grid(Decimal(1).scaleb(-convention.price_places - finer), quantity_unit)


@functools.lru_cache(maxsize=4096)
def owner_of(account: str) -> int:
    """An account as an owner: the exchange keeps orders of one owner from dealing with each other."""
    return 1 + (int.from_bytes(hashlib.sha256(account.encode()).digest()[:8]) >> 4)


def number_of(routed: Routed) -> int:
    """What the exchange knows an order by: our number, or its own for one that was placed there by hand."""
    digits = routed.venue_order_id.removeprefix("S")
    return int(digits) if digits.isdecimal() else routed.number


def exec_id_of(instrument: str, event: Event) -> str:
    """The id of a fill: a deal has two sides, and ours is that of the order."""
    return f"{instrument.replace('/', '')}.{event.execution}.{event.id}"


def ticks_of(bid: float, ask: float, grid: Grid) -> tuple[int, int]:
    """A quote in the book's ticks: away from the middle where it is finer than they are; a hair is not finer."""
    places = 1 / float(grid.tick)
    return max(math.floor(bid * places + 1e-6), 0), max(math.ceil(ask * places - 1e-6), 0)


def stated_of(event: Event, instrument: str, grid: Grid) -> StatedOrder:
    """An order that was placed by hand, as a statement has it."""
    side = BUY if event.side == Side.BUY else SELL
    quantity = int(grid.quantity(event.quantity) * QUANTITY_UNIT)
    return StatedOrder(f"S{event.id}", "", instrument, side, quantity, grid.price(event.price), 0)


def new_order(routed: Routed, grid: Grid, calendar: Calendar, now_ns: int) -> NewOrder:
    """The order as the exchange takes it.

    Raises:
        Unfit: it has terms that the exchange does not know.
    """
    terms = routed.order.terms
    market = terms.order_type in MARKET
    if not market and terms.order_type not in LIMIT:
        raise Unfit("order_type: the simulated exchange takes market and limit orders")
    price = Decimal(terms.limit_price) if not market else Decimal(terms.price_bound) if terms.price_bound else None
    at_once = _AT_ONCE.get(terms.time_in_force)
    force, expire = (
        (at_once or TimeInForce.IMMEDIATE_OR_CANCEL, 0) if market else _force(routed.order, calendar, now_ns)
    )
    try:
        return NewOrder(
            id=routed.number,
            owner=owner_of(routed.account),
            side=Side.BUY if terms.side == order_pb2.SIDE_BUY else Side.SELL,
            quantity=_left(routed, terms, grid),
            type=OrderType.LIMIT if price is not None else OrderType.MARKET,
            price=grid.ticks(price) if price is not None else 0,
            time_in_force=force,
            display_quantity=_units(grid, terms.display_quantity) if not market and not at_once else 0,
            minimum_quantity=_units(grid, terms.min_quantity) if force is TimeInForce.IMMEDIATE_OR_CANCEL else 0,
            expire_time=expire,
            self_match_prevention=SelfMatchPrevention.CANCEL_AGGRESSING,
            post_only=terms.post_only and not market and not at_once,
        )
    except OffGrid as error:
        raise Unfit(str(error)) from None


def replacement(routed: Routed, order: order_pb2.Order, grid: Grid, calendar: Calendar, now_ns: int) -> Replace:
    """The amendment as the exchange takes it.

    Raises:
        Unfit: it asks for what the exchange does not do.
    """
    terms = order.terms
    _, expire = _force(order, calendar, now_ns)
    try:
        return Replace(
            id=number_of(routed),
            owner=owner_of(routed.account),
            quantity=_left(routed, terms, grid),
            price=grid.ticks(Decimal(terms.limit_price)),
            display_quantity=_units(grid, terms.display_quantity),
            expire_time=expire,
        )
    except OffGrid as error:
        raise Unfit(str(error)) from None


def _left(routed: Routed, terms: order_pb2.NewOrder, grid: Grid) -> int:
    quantity = Decimal(terms.quantity)
    return grid.units(quantity - Decimal(routed.earlier) / QUANTITY_UNIT if routed.earlier else quantity)


def by_hand(order: order_pb2.Order) -> None:
    """Nothing for an order whose terms are known.

    Raises:
        Unfit: it was placed by hand and has no limit: it may wait for a trigger, which a replacement would take away.
    """
    if order.adopted and order.terms.order_type not in LIMIT:
        raise Unfit(
            "order_type: an order that was placed by hand without a limit is amended at the venue; cancels pass"
        )


def is_swap(routed: Routed) -> bool:
    """Whether an order is two legs."""
    return routed.order.terms.HasField("far_leg")


def dated(terms: order_pb2.NewOrder) -> bool:
    """Whether an order names another value date than spot, or a swap another near one."""
    return terms.HasField("settlement") and (
        terms.settlement.HasField("date") or terms.settlement.tenor not in ("", "SP")
    )


def day_of(message: Any) -> date | None:
    """A google.type.Date, None where it is unset."""
    return date(message.year, message.month, message.day) if message.year else None


def _units(grid: Grid, text: str) -> int:
    return grid.units(Decimal(text)) if text else 0


def _force(order: order_pb2.Order, calendar: Calendar, now_ns: int) -> tuple[TimeInForce, int]:
    terms = order.terms
    if at_once := _AT_ONCE.get(terms.time_in_force):
        return at_once, 0
    ends = []
    if terms.time_in_force == order_pb2.TIME_IN_FORCE_GTD:
        ends.append(terms.expire_time.ToNanoseconds())
    if terms.time_in_force == order_pb2.TIME_IN_FORCE_DAY:
        ends.append(calendar.session_end_ns(parse_pair(terms.instrument), now_ns))
    if dated(terms) and (day := day_of(order.settl_date)) is not None:
        ends.append(calendar.dealt_until_ns(parse_pair(terms.instrument), day, now_ns))
    return (TimeInForce.GOOD_TILL_DATE, min(ends)) if ends else (TimeInForce.GOOD_TILL_CANCEL, 0)


@dataclass(frozen=True, slots=True)
class Said:
    """An event as a report, and the key by which a repetition is known."""

    report: pb.VenueReport
    key: str = ""


_REASONS = {
    Reason.REQUESTED: execution.EXECUTION_REASON_CLIENT,
    Reason.MASS_CANCEL: execution.EXECUTION_REASON_CLIENT,
    Reason.QUANTITY_FILLED: execution.EXECUTION_REASON_CLIENT,
    Reason.NO_LIQUIDITY: execution.EXECUTION_REASON_NO_LIQUIDITY,
    Reason.IMMEDIATE_OR_CANCEL: execution.EXECUTION_REASON_NO_LIQUIDITY,
    Reason.FILL_OR_KILL: execution.EXECUTION_REASON_NO_LIQUIDITY,
    Reason.MINIMUM_NOT_AVAILABLE: execution.EXECUTION_REASON_NO_LIQUIDITY,
    Reason.SELF_MATCH: execution.EXECUTION_REASON_SELF_TRADE,
    Reason.POST_ONLY: execution.EXECUTION_REASON_POST_ONLY,
    Reason.UNKNOWN_ORDER: execution.EXECUTION_REASON_TOO_LATE,
}
_REFUSED = {
    Operation.NEW: pb.VENUE_REPORT_KIND_REJECTED,
    Operation.REPLACE: pb.VENUE_REPORT_KIND_REPLACE_REJECTED,
    Operation.CANCEL: pb.VENUE_REPORT_KIND_CANCEL_REJECTED,
}
_KINDS = {
    EventKind.ACCEPTED: pb.VENUE_REPORT_KIND_ACCEPTED,
    EventKind.REPLACED: pb.VENUE_REPORT_KIND_REPLACED,
    EventKind.CANCELLED: pb.VENUE_REPORT_KIND_CANCELLED,
    EventKind.EXPIRED: pb.VENUE_REPORT_KIND_EXPIRED,
}


def report_of(event: Event, routed: Routed, grid: Grid, calendar: Calendar) -> Said | None:
    """What an event says of an order, which is moved on to where it stands after it; None for what says nothing."""
    report = pb.VenueReport(version=routed.version)
    report.venue_time.FromNanoseconds(event.time)
    key = ""
    if event.kind is EventKind.FILLED:
        report.kind = pb.VENUE_REPORT_KIND_FILLED
        key = exec_id_of(routed.instrument, event)
        _fill(report.fill, event, routed, grid, calendar, key)
        routed.filled += int(grid.quantity(event.quantity) * QUANTITY_UNIT)
        routed.status = At.WORKS if event.leaves else At.ENDED
    elif event.kind is EventKind.REJECTED:
        kind = _REFUSED.get(Operation(event.operation))
        if kind is None:
            return None
        report.kind = kind
        report.text = event.reason.says
        report.reason = _REASONS.get(event.reason, execution.EXECUTION_REASON_VENUE)
        if kind == pb.VENUE_REPORT_KIND_REJECTED:
            routed.status = At.ENDED
    elif event.kind in _KINDS:
        report.kind = _KINDS[event.kind]
        if event.kind in (EventKind.CANCELLED, EventKind.EXPIRED):
            routed.status, report.text = At.ENDED, event.reason.says
            expired = event.kind is EventKind.EXPIRED
            if expired and routed.order.terms.time_in_force == order_pb2.TIME_IN_FORCE_GTC:
                report.text = OUTLIVED
            report.reason = (
                execution.EXECUTION_REASON_EXPIRED
                if expired
                else _REASONS.get(event.reason, execution.EXECUTION_REASON_VENUE)
            )
        else:
            routed.status = At.WORKS
    else:
        return None
    return Said(report, key)


def _fill(fill: execution.Fill, event: Event, routed: Routed, grid: Grid, calendar: Calendar, key: str) -> None:
    pair = parse_pair(routed.instrument)
    trade_date = calendar.session(pair, event.time).trade_date
    fill.venue_exec_id, fill.venue = key, routed.venue
    fill.quantity = quantity_text(int(grid.quantity(event.quantity) * QUANTITY_UNIT))
    fill.price = price_text(grid.price(event.price))
    terms = routed.order.terms
    # A spot order settles by the day on which it is filled, not by the one on which it was entered.
    agreed = day_of(routed.order.settl_date) if dated(terms) or terms.HasField("far_leg") else None
    put_date(fill.settl_date, agreed or calendar.spot(pair, trade_date))
    put_date(fill.trade_date, trade_date)
    maker = event.liquidity is Liquidity.ADDED
    fill.liquidity = execution.LIQUIDITY_MAKER if maker else execution.LIQUIDITY_TAKER
    fill.venue_time.FromNanoseconds(event.time)
