"""Asking for positions: AN, its answer AO, and AP for each position."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.enums import PosReqResult, PosReqStatus, PosReqType, SettlPriceType, SubscriptionRequestType
from crossrate.fix.parts import NestedParty, Party

HOUSE_TRADER = 3
"""AccountType (581)."""
TOTAL = "TOT"
"""PosType (703): all transactions, of today and before."""
VARIATION = "TVAR"
"""PosAmtType (707): profit by the difference of the two prices of a report."""


@message("AN")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForPositions:
    """Asks for the positions of an account.

    Attributes:
        pos_req_id: its id, which the answers carry.
        clearing_business_date: the trading day whose positions are meant.
        transact_time: when it was asked, nanoseconds since 1970 UTC.
    """

    pos_req_id: str = required(710)
    pos_req_type: PosReqType = required(724)
    subscription_request_type: SubscriptionRequestType | None = optional(263)
    parties: tuple[Party, ...] = group(453, Party)
    account: str = required(1)
    account_type: int = required(581)
    symbol: str | None = optional(55)
    currency: str | None = optional(15)
    clearing_business_date: dt.date = required(715)
    transact_time: int = required(60)
    text: str | None = optional(58)
    extra: Extra = ()


@message("AO")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForPositionsAck:
    """How many reports a request gets, or why none. `pos_maint_rpt_id` is of this message, unique for the sender."""

    pos_maint_rpt_id: str = required(721)
    pos_req_id: str | None = optional(710)
    total_num_pos_reports: int | None = optional(727)
    unsolicited_indicator: bool | None = optional(325)
    pos_req_result: PosReqResult = required(728)
    pos_req_status: PosReqStatus = required(729)
    parties: tuple[Party, ...] = group(453, Party)
    account: str = required(1)
    account_type: int = required(581)
    symbol: str | None = optional(55)
    currency: str | None = optional(15)
    text: str | None = optional(58)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionQty:
    """Quantities of one kind; both are zero or above, in the base currency."""

    pos_type: str = required(703)
    long_qty: Decimal | None = optional(704)
    short_qty: Decimal | None = optional(705)
    pos_qty_status: int | None = optional(706)
    nested_parties: tuple[NestedParty, ...] = group(539, NestedParty)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionAmount:
    """An amount of a position in the counter currency; positive is the holder's profit."""

    pos_amt_type: str = required(707)
    pos_amt: Decimal | None = optional(708)
    extra: Extra = ()


@message("AP")
@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReport:
    """One position.

    Attributes:
        pos_maint_rpt_id: of this report, unique for the sender.
        settl_price: the price at which it is valued, counter for one base.
        prior_settl_price: the price at which it was valued before; of what is not settled daily the average of what is
            open.
        positions: with an entry of PosType TOT that has the whole, or one for each kind.
    """

    pos_maint_rpt_id: str = required(721)
    pos_req_id: str | None = optional(710)
    pos_req_type: PosReqType | None = optional(724)
    subscription_request_type: SubscriptionRequestType | None = optional(263)
    total_num_pos_reports: int | None = optional(727)
    unsolicited_indicator: bool | None = optional(325)
    pos_req_result: PosReqResult = required(728)
    clearing_business_date: dt.date = required(715)
    parties: tuple[Party, ...] = group(453, Party)
    account: str = required(1)
    account_type: int = required(581)
    symbol: str | None = optional(55)
    currency: str | None = optional(15)
    settl_price: Decimal = required(730)
    settl_price_type: SettlPriceType = required(731)
    prior_settl_price: Decimal = required(734)
    positions: tuple[PositionQty, ...] = group(702, PositionQty)
    amounts: tuple[PositionAmount, ...] = group(753, PositionAmount)
    text: str | None = optional(58)
    extra: Extra = ()

    @property
    def net(self) -> Decimal:
        """Long less short: of the whole where it is told, otherwise of all kinds together."""
        whole = [each for each in self.positions if each.pos_type == TOTAL] or self.positions
        return sum(((each.long_qty or 0) - (each.short_qty or 0) for each in whole), Decimal(0))
