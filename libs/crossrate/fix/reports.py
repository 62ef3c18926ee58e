"""What is told about orders: 8, 9, r, AE, j.

Prices are counter for one base. `last_px` is the price of a fill, points included: last_spot_rate +
last_forward_points, which are a price's difference and not pips (FIX 4.4 volume 7, foreign exchange).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.enums import (
    CxlRejReason,
    CxlRejResponseTo,
    ExecType,
    HandlInst,
    MassCancelRejectReason,
    MassCancelResponse,
    MassCancelType,
    MultiLegReportingType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
    TradeReportTransType,
)
from crossrate.fix.parts import ExecutedLeg, Party


@message("8")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionReport:
    """What has happened to an order, and where it stands now.

    Attributes:
        order_id: the venue's id of the order.
        exec_id: of this report, unique for the venue; a fill that is told twice has one.
        exec_type: what the report is about.
        ord_status: where the order stands.
        leaves_qty: open quantity; 0 for an order that is over.
        cum_qty: filled quantity.
        avg_px: average price of what is filled, 0 for nothing.
        last_qty: quantity of this fill.
        last_px: price of this fill, forward points included.
        last_spot_rate: spot part of last_px.
        last_forward_points: difference of last_px to last_spot_rate; of a swap, of its near leg.
        last_forward_points2: the same of a swap's far leg.
        settl_date: value date; of the near leg of a swap.
        settl_date2: value date of the far leg.
        order_qty2: quantity of the far leg.
        copy_msg_indicator: the report is a drop copy.
    """

    order_id: str = required(37)
    secondary_order_id: str | None = optional(198)
    cl_ord_id: str | None = optional(11)
    orig_cl_ord_id: str | None = optional(41)
    secondary_cl_ord_id: str | None = optional(526)
    cl_ord_link_id: str | None = optional(583)
    quote_resp_id: str | None = optional(693)
    ord_status_req_id: str | None = optional(790)
    mass_status_req_id: str | None = optional(584)
    tot_num_reports: int | None = optional(911)
    last_rpt_requested: bool | None = optional(912)
    parties: tuple[Party, ...] = group(453, Party)
    list_id: str | None = optional(66)
    exec_id: str = required(17)
    exec_ref_id: str | None = optional(19)
    exec_type: ExecType = required(150)
    ord_status: OrdStatus = required(39)
    ord_rej_reason: OrdRejReason | None = optional(103)
    exec_restatement_reason: int | None = optional(378)
    account: str | None = optional(1)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    symbol: str = required(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    side: Side = required(54)
    order_qty: Decimal | None = optional(38)
    ord_type: OrdType | None = optional(40)
    price: Decimal | None = optional(44)
    stop_px: Decimal | None = optional(99)
    peg_offset_value: Decimal | None = optional(211)
    currency: str | None = optional(15)
    time_in_force: TimeInForce | None = optional(59)
    effective_time: int | None = optional(168)
    expire_date: dt.date | None = optional(432)
    expire_time: int | None = optional(126)
    exec_inst: tuple[str, ...] | None = optional(18)
    last_qty: Decimal | None = optional(32)
    last_px: Decimal | None = optional(31)
    last_spot_rate: Decimal | None = optional(194)
    last_forward_points: Decimal | None = optional(195)
    last_mkt: str | None = optional(30)
    leaves_qty: Decimal = required(151)
    cum_qty: Decimal = required(14)
    avg_px: Decimal = required(6)
    trade_date: dt.date | None = optional(75)
    transact_time: int | None = optional(60)
    commission: Decimal | None = optional(12)
    gross_trade_amt: Decimal | None = optional(381)
    net_money: Decimal | None = optional(118)
    settl_curr_amt: Decimal | None = optional(119)
    settl_currency: str | None = optional(120)
    handl_inst: HandlInst | None = optional(21)
    min_qty: Decimal | None = optional(110)
    max_floor: Decimal | None = optional(111)
    max_show: Decimal | None = optional(210)
    text: str | None = optional(58)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    last_forward_points2: Decimal | None = optional(641)
    multi_leg_reporting_type: MultiLegReportingType | None = optional(442)
    last_liquidity_ind: int | None = optional(851)
    copy_msg_indicator: bool | None = optional(797)
    legs: tuple[ExecutedLeg, ...] = group(555, ExecutedLeg)
    extra: Extra = ()


@message("9")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelReject:
    """A cancel or a replace was refused; `ord_status` is where the order stands."""

    order_id: str = required(37)
    secondary_order_id: str | None = optional(198)
    secondary_cl_ord_id: str | None = optional(526)
    cl_ord_id: str = required(11)
    orig_cl_ord_id: str = required(41)
    ord_status: OrdStatus = required(39)
    list_id: str | None = optional(66)
    account: str | None = optional(1)
    transact_time: int | None = optional(60)
    cxl_rej_response_to: CxlRejResponseTo = required(434)
    cxl_rej_reason: CxlRejReason | None = optional(102)
    text: str | None = optional(58)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedOrder:
    """An order that a mass cancel reaches."""

    orig_cl_ord_id: str = required(41)
    affected_order_id: str | None = optional(535)
    affected_secondary_order_id: str | None = optional(536)
    extra: Extra = ()


@message("r")
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMassCancelReport:
    """What a mass cancel reaches, or why it was refused."""

    cl_ord_id: str | None = optional(11)
    secondary_cl_ord_id: str | None = optional(526)
    order_id: str = required(37)
    secondary_order_id: str | None = optional(198)
    mass_cancel_request_type: MassCancelType = required(530)
    mass_cancel_response: MassCancelResponse = required(531)
    mass_cancel_reject_reason: MassCancelRejectReason | None = optional(532)
    total_affected_orders: int | None = optional(533)
    affected_orders: tuple[AffectedOrder, ...] = group(534, AffectedOrder)
    trading_session_id: str | None = optional(336)
    symbol: str | None = optional(55)
    side: Side | None = optional(54)
    transact_time: int | None = optional(60)
    text: str | None = optional(58)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSide:
    """One side of a trade."""

    side: Side = required(54)
    order_id: str = required(37)
    secondary_order_id: str | None = optional(198)
    cl_ord_id: str | None = optional(11)
    secondary_cl_ord_id: str | None = optional(526)
    list_id: str | None = optional(66)
    parties: tuple[Party, ...] = group(453, Party)
    account: str | None = optional(1)
    currency: str | None = optional(15)
    commission: Decimal | None = optional(12)
    gross_trade_amt: Decimal | None = optional(381)
    net_money: Decimal | None = optional(118)
    settl_curr_amt: Decimal | None = optional(119)
    settl_currency: str | None = optional(120)
    text: str | None = optional(58)
    extra: Extra = ()


@message("AE")
@dataclass(frozen=True, slots=True, kw_only=True)
class TradeCaptureReport:
    """A trade, told to whoever keeps the books: the drop copy of a fill.

    Attributes:
        trade_report_id: of this report, unique for the sender.
        trade_report_ref_id: the report that is cancelled or replaced.
        exec_id: of the fill.
        last_qty: quantity, in `currency` of the sides.
        last_px: price, counter for one base, forward points included.
    """

    trade_report_id: str = required(571)
    trade_report_trans_type: TradeReportTransType | None = optional(487)
    trade_report_type: int | None = optional(856)
    trd_type: int | None = optional(828)
    exec_type: ExecType | None = optional(150)
    trade_report_ref_id: str | None = optional(572)
    trd_match_id: str | None = optional(880)
    exec_id: str | None = optional(17)
    ord_status: OrdStatus | None = optional(39)
    previously_reported: bool = required(570)
    symbol: str = required(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    last_qty: Decimal = required(32)
    last_px: Decimal = required(31)
    last_spot_rate: Decimal | None = optional(194)
    last_forward_points: Decimal | None = optional(195)
    last_mkt: str | None = optional(30)
    trade_date: dt.date = required(75)
    multi_leg_reporting_type: MultiLegReportingType | None = optional(442)
    legs: tuple[ExecutedLeg, ...] = group(555, ExecutedLeg)
    transact_time: int = required(60)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    copy_msg_indicator: bool | None = optional(797)
    sides: tuple[TradeSide, ...] = group(552, TradeSide, required=True)
    extra: Extra = ()


@message("j")
@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessMessageReject:
    """A message keeps the protocol and cannot be done; reasons are crossrate.fix.faults.BusinessReason."""

    ref_seq_num: int | None = optional(45)
    ref_msg_type: str = required(372)
    business_reject_ref_id: str | None = optional(379)
    business_reject_reason: int = required(380)
    text: str | None = optional(58)
    encoded_text: bytes | None = optional(355)
    extra: Extra = ()
