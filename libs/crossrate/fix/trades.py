"""Asking for trades: AD, and its answer AQ. The trades themselves are AE, in `reports`."""

from __future__ import annotations

from dataclasses import dataclass

from crossrate.fix.codec import Extra, message, optional, required
from crossrate.fix.enums import Side, SubscriptionRequestType

ALL_TRADES = 0
"""TradeRequestType (569)."""
ACCEPTED, REJECTED = 0, 2
"""TradeRequestStatus (750)."""
NOT_SUPPORTED = 8
"""TradeRequestResult (749): TradeRequestType not supported."""


@message("AD")
@dataclass(frozen=True, slots=True, kw_only=True)
class TradeCaptureReportRequest:
    """Asks for trades that fit, once or from now on; each AE that answers it says what a fill said."""

    trade_request_id: str = required(568)
    trade_request_type: int = required(569)
    subscription_request_type: SubscriptionRequestType | None = optional(263)
    trade_report_id: str | None = optional(571)
    exec_id: str | None = optional(17)
    order_id: str | None = optional(37)
    cl_ord_id: str | None = optional(11)
    symbol: str | None = optional(55)
    side: Side | None = optional(54)
    text: str | None = optional(58)
    extra: Extra = ()


@message("AQ")
@dataclass(frozen=True, slots=True, kw_only=True)
class TradeCaptureReportRequestAck:
    """Whether trades that were asked for will be told.

    Attributes:
        tot_num_trade_reports: trades that are told at once.
        trade_request_result: 0 for success.
        trade_request_status: ACCEPTED or REJECTED.
    """

    trade_request_id: str = required(568)
    trade_request_type: int = required(569)
    subscription_request_type: SubscriptionRequestType | None = optional(263)
    tot_num_trade_reports: int | None = optional(748)
    trade_request_result: int = required(749)
    trade_request_status: int = required(750)
    symbol: str | None = optional(55)
    text: str | None = optional(58)
    extra: Extra = ()
