"""Orders and what is asked about them: D, E, AB, F, G, H, q, AF.

Quantities are in `currency`, one of the pair's, and by default its base; prices are counter for one base. An FX swap is
a NewOrderSingle with `settl_date2` and `order_qty2` of its far leg, or a NewOrderMultileg with a Leg each.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.enums import (
    BidType,
    HandlInst,
    MassCancelType,
    MassStatusReqType,
    OrdType,
    Side,
    TimeInForce,
)
from crossrate.fix.parts import Leg, Party, TradingSession

_PRICED = frozenset((OrdType.LIMIT, OrdType.STOP_LIMIT, OrdType.LIMIT_OR_BETTER))
_STOPPED = frozenset((OrdType.STOP, OrdType.STOP_LIMIT))


class _Terms:
    """What several orders have in common."""

    __slots__ = ()

    def lacking(self) -> tuple[int, str] | None:
        """The first field that is missing because of another one's value, and why; None if none is."""
        kind = self.ord_type
        if kind in _PRICED and self.price is None:
            return 44, f"an order of OrdType {kind} has a Price"
        if kind in _STOPPED and self.stop_px is None:
            return 99, f"an order of OrdType {kind} has a StopPx"
        # A replacement names no quote: the order's stays.
        if kind is OrdType.PREVIOUSLY_QUOTED and not getattr(self, "quote_id", "the order's"):
            return 117, "an order on a quote has its QuoteID"
        gone = self.time_in_force is TimeInForce.GOOD_TILL_DATE
        if gone and self.expire_time is None and self.expire_date is None:
            return 126, "an order good till a date has an ExpireTime or an ExpireDate"
        if self.settl_type == "B" and self.settl_date is None:
            return 64, "a broken date (SettlType B) has a SettlDate"
        return None


@message("D")
@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrderSingle(_Terms):
    """One order.

    Attributes:
        cl_ord_id: its id, unique for the sender for ever.
        symbol: pair, "EUR/USD".
        side: of `currency`.
        transact_time: when it was made, nanoseconds since 1970 UTC.
        order_qty: in `currency`; of the near leg of a swap.
        price: limit, counter for one base.
        stop_px: the price that triggers a stop.
        settl_type: 0 regular (spot), 1 today, 2 tomorrow, B broken date, or a tenor such as M1.
        settl_date: value date of the near leg.
        settl_date2: value date of a swap's far leg, whose side is the order's: the near leg has the other one.
        order_qty2: quantity of a swap's far leg.
        quote_id: the quote that is dealt on, with OrdType PREVIOUSLY_QUOTED.
    """

    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    cl_ord_link_id: str | None = optional(583)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    handl_inst: HandlInst | None = optional(21)
    exec_inst: tuple[str, ...] | None = optional(18)
    min_qty: Decimal | None = optional(110)
    max_floor: Decimal | None = optional(111)
    ex_destination: str | None = optional(100)
    trading_sessions: tuple[TradingSession, ...] = group(386, TradingSession)
    symbol: str = required(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    side: Side = required(54)
    transact_time: int = required(60)
    order_qty: Decimal | None = optional(38)
    cash_order_qty: Decimal | None = optional(152)
    ord_type: OrdType = required(40)
    price: Decimal | None = optional(44)
    stop_px: Decimal | None = optional(99)
    currency: str | None = optional(15)
    quote_id: str | None = optional(117)
    time_in_force: TimeInForce | None = optional(59)
    effective_time: int | None = optional(168)
    expire_date: dt.date | None = optional(432)
    expire_time: int | None = optional(126)
    settl_currency: str | None = optional(120)
    text: str | None = optional(58)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    max_show: Decimal | None = optional(210)
    peg_offset_value: Decimal | None = optional(211)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrder(_Terms):
    """One order of a list; `list_seq_no` counts from 1. Fields as in NewOrderSingle."""

    cl_ord_id: str = required(11)
    list_seq_no: int = required(67)
    cl_ord_link_id: str | None = optional(583)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    handl_inst: HandlInst | None = optional(21)
    exec_inst: tuple[str, ...] | None = optional(18)
    min_qty: Decimal | None = optional(110)
    symbol: str = required(55)
    security_type: str | None = optional(167)
    side: Side = required(54)
    transact_time: int | None = optional(60)
    order_qty: Decimal | None = optional(38)
    ord_type: OrdType | None = optional(40)
    price: Decimal | None = optional(44)
    stop_px: Decimal | None = optional(99)
    currency: str | None = optional(15)
    quote_id: str | None = optional(117)
    time_in_force: TimeInForce | None = optional(59)
    expire_date: dt.date | None = optional(432)
    expire_time: int | None = optional(126)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    text: str | None = optional(58)
    extra: Extra = ()


@message("E")
@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrderList:
    """Orders that are one list, such as an OCO with `contingency` in what the parties agreed on.

    Attributes:
        list_id: its id, unique for the sender.
        tot_no_orders: how many orders the whole list has, over all messages.
    """

    list_id: str = required(66)
    bid_id: str | None = optional(390)
    bid_type: BidType = required(394)
    list_exec_inst_type: str | None = optional(433)
    list_exec_inst: str | None = optional(69)
    tot_no_orders: int = required(68)
    last_fragment: bool | None = optional(893)
    orders: tuple[ListOrder, ...] = group(73, ListOrder, required=True)
    extra: Extra = ()

    def lacking(self) -> tuple[int, str] | None:
        """The first field that one of the orders lacks."""
        return next((missing for order in self.orders if (missing := order.lacking()) is not None), None)


@message("AB")
@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrderMultileg(_Terms):
    """One order for several legs that are dealt together, such as an FX swap. Fields as in NewOrderSingle."""

    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    cl_ord_link_id: str | None = optional(583)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    handl_inst: HandlInst | None = optional(21)
    exec_inst: tuple[str, ...] | None = optional(18)
    min_qty: Decimal | None = optional(110)
    ex_destination: str | None = optional(100)
    side: Side = required(54)
    symbol: str | None = optional(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    legs: tuple[Leg, ...] = group(555, Leg, required=True)
    transact_time: int = required(60)
    order_qty: Decimal | None = optional(38)
    ord_type: OrdType = required(40)
    price: Decimal | None = optional(44)
    stop_px: Decimal | None = optional(99)
    currency: str | None = optional(15)
    quote_id: str | None = optional(117)
    time_in_force: TimeInForce | None = optional(59)
    expire_date: dt.date | None = optional(432)
    expire_time: int | None = optional(126)
    text: str | None = optional(58)
    extra: Extra = ()


@message("F")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelRequest:
    """Asks to cancel all that is left of an order.

    Attributes:
        orig_cl_ord_id: the order's newest id.
        cl_ord_id: of this request, unique as an order's.
    """

    orig_cl_ord_id: str = required(41)
    order_id: str | None = optional(37)
    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    account: str | None = optional(1)
    parties: tuple[Party, ...] = group(453, Party)
    symbol: str = required(55)
    side: Side = required(54)
    transact_time: int = required(60)
    order_qty: Decimal | None = optional(38)
    text: str | None = optional(58)
    extra: Extra = ()


@message("G")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelReplaceRequest(_Terms):
    """Asks for other terms of an order. `order_qty` is of the whole order, filled part included; see NewOrderSingle.

    Attributes:
        orig_cl_ord_id: the order's newest id.
        cl_ord_id: the order's id once it is replaced.
    """

    order_id: str | None = optional(37)
    orig_cl_ord_id: str = required(41)
    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    handl_inst: HandlInst | None = optional(21)
    exec_inst: tuple[str, ...] | None = optional(18)
    min_qty: Decimal | None = optional(110)
    max_floor: Decimal | None = optional(111)
    ex_destination: str | None = optional(100)
    symbol: str = required(55)
    side: Side = required(54)
    transact_time: int = required(60)
    order_qty: Decimal | None = optional(38)
    ord_type: OrdType = required(40)
    price: Decimal | None = optional(44)
    stop_px: Decimal | None = optional(99)
    currency: str | None = optional(15)
    time_in_force: TimeInForce | None = optional(59)
    effective_time: int | None = optional(168)
    expire_date: dt.date | None = optional(432)
    expire_time: int | None = optional(126)
    text: str | None = optional(58)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    max_show: Decimal | None = optional(210)
    peg_offset_value: Decimal | None = optional(211)
    extra: Extra = ()


@message("H")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusRequest:
    """Asks where an order stands; answered by an ExecutionReport of ExecType ORDER_STATUS."""

    order_id: str | None = optional(37)
    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    ord_status_req_id: str | None = optional(790)
    symbol: str = required(55)
    side: Side = required(54)
    extra: Extra = ()


@message("q")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMassCancelRequest:
    """Asks to cancel all orders that fit."""

    cl_ord_id: str = required(11)
    secondary_cl_ord_id: str | None = optional(526)
    mass_cancel_request_type: MassCancelType = required(530)
    trading_session_id: str | None = optional(336)
    symbol: str | None = optional(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    side: Side | None = optional(54)
    transact_time: int = required(60)
    text: str | None = optional(58)
    extra: Extra = ()

    def lacking(self) -> tuple[int, str] | None:
        """A cancellation by security names it."""
        if self.mass_cancel_request_type is MassCancelType.SECURITY and not self.symbol:
            return 55, "a mass cancel of MassCancelRequestType 1 has a Symbol"
        return None


@message("AF")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMassStatusRequest:
    """Asks for the status of all orders that fit; each report carries `mass_status_req_id`."""

    mass_status_req_id: str = required(584)
    mass_status_req_type: MassStatusReqType = required(585)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    trading_session_id: str | None = optional(336)
    symbol: str | None = optional(55)
    side: Side | None = optional(54)
    extra: Extra = ()
