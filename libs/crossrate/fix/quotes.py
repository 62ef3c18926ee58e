"""Requests for quotes, quotes and what becomes of them, and the list of instruments: R, S, AJ, x, y.

Market data (V, W, X, Y) is read by services that take it as it comes, field by field; see crossrate.fix.message.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from crossrate.fix.codec import Extra, group, member, message, optional, required
from crossrate.fix.enums import OrdType, QuoteType, Side, SubscriptionRequestType
from crossrate.fix.parts import Party, QuoteLeg


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequestItem:
    """One instrument that is asked for; without a side both are.

    Attributes:
        symbol: pair, "EUR/USD".
        order_qty: in `currency`; of the near leg of a swap.
        settl_date2: value date of a swap's far leg.
        order_qty2: quantity of a swap's far leg.
    """

    symbol: str = required(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    quote_type: QuoteType | None = optional(537)
    side: Side | None = optional(54)
    order_qty: Decimal | None = optional(38)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    currency: str | None = optional(15)
    account: str | None = optional(1)
    legs: tuple[QuoteLeg, ...] = group(555, QuoteLeg)
    ord_type: OrdType | None = optional(40)
    valid_until_time: int | None = optional(62)
    expire_time: int | None = optional(126)
    transact_time: int | None = optional(60)
    parties: tuple[Party, ...] = group(453, Party)
    extra: Extra = ()


@message("R")
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """Asks for prices to deal on."""

    quote_req_id: str = required(131)
    rfq_req_id: str | None = optional(644)
    cl_ord_id: str | None = optional(11)
    items: tuple[QuoteRequestItem, ...] = group(146, QuoteRequestItem, required=True)
    text: str | None = optional(58)
    extra: Extra = ()


@message("S")
@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Prices of a dealer, until `valid_until_time`.

    Attributes:
        bid_px: the dealer buys base at, forward points included.
        offer_px: the dealer sells base at, forward points included.
        bid_spot_rate: spot part of bid_px; bid_forward_points is the difference.
        bid_forward_points2: points of a swap's far leg.
    """

    quote_req_id: str | None = optional(131)
    quote_id: str = required(117)
    quote_resp_id: str | None = optional(693)
    quote_type: QuoteType | None = optional(537)
    parties: tuple[Party, ...] = group(453, Party)
    symbol: str = required(55)
    security_type: str | None = optional(167)
    product: int | None = optional(460)
    side: Side | None = optional(54)
    order_qty: Decimal | None = optional(38)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    currency: str | None = optional(15)
    account: str | None = optional(1)
    bid_px: Decimal | None = optional(132)
    offer_px: Decimal | None = optional(133)
    bid_size: Decimal | None = optional(134)
    offer_size: Decimal | None = optional(135)
    valid_until_time: int | None = optional(62)
    bid_spot_rate: Decimal | None = optional(188)
    offer_spot_rate: Decimal | None = optional(190)
    bid_forward_points: Decimal | None = optional(189)
    offer_forward_points: Decimal | None = optional(191)
    transact_time: int | None = optional(60)
    ord_type: OrdType | None = optional(40)
    bid_forward_points2: Decimal | None = optional(642)
    offer_forward_points2: Decimal | None = optional(643)
    text: str | None = optional(58)
    extra: Extra = ()


@message("AJ")
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteResponse:
    """What whoever asked does with a quote.

    Attributes:
        quote_resp_type: 1 hit or lift, 2 counter, 3 expired, 4 cover, 5 done away, 6 pass.
        price: of a hit or lift: the quote's bid, or its offer.
    """

    quote_resp_id: str = required(693)
    quote_id: str | None = optional(117)
    quote_resp_type: int = required(694)
    cl_ord_id: str | None = optional(11)
    quote_type: QuoteType | None = optional(537)
    parties: tuple[Party, ...] = group(453, Party)
    symbol: str = required(55)
    side: Side | None = optional(54)
    order_qty: Decimal | None = optional(38)
    settl_type: str | None = optional(63)
    settl_date: dt.date | None = optional(64)
    settl_date2: dt.date | None = optional(193)
    order_qty2: Decimal | None = optional(192)
    currency: str | None = optional(15)
    account: str | None = optional(1)
    bid_px: Decimal | None = optional(132)
    offer_px: Decimal | None = optional(133)
    valid_until_time: int | None = optional(62)
    transact_time: int | None = optional(60)
    ord_type: OrdType | None = optional(40)
    price: Decimal | None = optional(44)
    text: str | None = optional(58)
    extra: Extra = ()


@message("x")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityListRequest:
    """Asks for the venue's instruments; `security_list_request_type` 0 symbol, 1 type, 2 product, 4 all."""

    security_req_id: str = required(320)
    security_list_request_type: int = required(559)
    symbol: str | None = optional(55)
    security_type: str | None = optional(167)
    currency: str | None = optional(15)
    text: str | None = optional(58)
    subscription_request_type: SubscriptionRequestType | None = optional(263)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSecurity:
    """An instrument of the venue."""

    symbol: str = required(55)
    security_id: str | None = optional(48)
    security_id_source: str | None = optional(22)
    product: int | None = optional(460)
    security_type: str | None = optional(167)
    currency: str | None = optional(15)
    round_lot: Decimal | None = optional(561)
    min_trade_vol: Decimal | None = optional(562)
    text: str | None = optional(58)
    extra: Extra = ()


@message("y")
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityList:
    """The venue's instruments; `security_request_result` is 0 for an answer, else why there is none."""

    security_req_id: str = required(320)
    security_response_id: str = required(322)
    security_request_result: int = required(560)
    tot_no_related_sym: int | None = optional(393)
    last_fragment: bool | None = optional(893)
    securities: tuple[ListedSecurity, ...] = group(146, ListedSecurity)
    extra: Extra = ()
