"""Repeating groups that several messages share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from crossrate.fix.codec import Extra, group, member, optional, required
from crossrate.fix.enums import Side


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class PartySub:
    """Part of a party, such as a desk."""

    party_sub_id: str = required(523)
    party_sub_id_type: int | None = optional(803)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who takes part, in which role (PartyRole, 452: 1 executing firm, 3 client, 11 order origination trader, …)."""

    party_id: str = required(448)
    party_id_source: str | None = optional(447)
    party_role: int | None = optional(452)
    subs: tuple[PartySub, ...] = group(802, PartySub)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class NestedPartySub:
    """Part of a party of a leg or an allocation."""

    nested_party_sub_id: str = required(545)
    nested_party_sub_id_type: int | None = optional(805)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class NestedParty:
    """Who takes part in a leg."""

    nested_party_id: str = required(524)
    nested_party_id_source: str | None = optional(525)
    nested_party_role: int | None = optional(538)
    subs: tuple[NestedPartySub, ...] = group(804, NestedPartySub)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSession:
    """A trading session of the venue."""

    trading_session_id: str = required(336)
    trading_session_sub_id: str | None = optional(625)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLeg:
    """One leg of a swap or a strategy that is asked for.

    Attributes:
        leg_symbol: pair, "EUR/USD".
        leg_side: of the leg.
        leg_qty: in the leg's currency.
        leg_ratio_qty: quantity for one of the order's.
        leg_settl_type: tenor of the leg.
        leg_settl_date: value date of the leg; with SettlType B.
    """

    leg_symbol: str = required(600)
    leg_symbol_sfx: str | None = optional(601)
    leg_security_id: str | None = optional(602)
    leg_security_id_source: str | None = optional(603)
    leg_product: int | None = optional(607)
    leg_cfi_code: str | None = optional(608)
    leg_security_type: str | None = optional(609)
    leg_maturity_date: dt.date | None = optional(611)
    leg_strike_price: Decimal | None = optional(612)
    leg_ratio_qty: Decimal | None = optional(623)
    leg_side: Side | None = optional(624)
    leg_currency: str | None = optional(556)
    leg_qty: Decimal | None = optional(687)
    leg_settl_type: str | None = optional(587)
    leg_settl_date: dt.date | None = optional(588)
    nested_parties: tuple[NestedParty, ...] = group(539, NestedParty)
    extra: Extra = ()


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(QuoteLeg):
    """One leg of an order; `leg_price` is its limit, `leg_ref_id` what its fills are told by."""

    leg_ref_id: str | None = optional(654)
    leg_price: Decimal | None = optional(566)


@member
@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedLeg(Leg):
    """One leg of a fill; `leg_last_px` is its price, forward points included."""

    leg_last_px: Decimal | None = optional(637)
