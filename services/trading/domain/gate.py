"""What the kill switch ends among orders that work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from services.trading.domain.account import Account
from services.trading.domain.order import Order


class Mode(IntEnum):
    """How much is stopped; each mode stops what the ones before it stop."""

    CANCEL_ONLY = 1
    REDUCE_ONLY = 2
    HALT = 3
    FLATTEN = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What is stopped, and how much. `accounts` are those of a desk."""

    kind: str
    name: str
    mode: Mode
    accounts: frozenset[str] = frozenset()


def reaches(rule: Rule, order: Order, attributes: Mapping[str, str]) -> bool:
    """Whether a rule is about an order. `attributes` are its strategy and venue."""
    match rule.kind:
        case "platform":
            return True
        case "desk":
            return order.account in rule.accounts
        case "account":
            return order.account == rule.name
        case "instrument":
            return order.instrument == rule.name
        case "market":  # an instrument at a venue; with no venue behind the @, orders that are at none and name none
            return rule.name == f"{order.instrument}@{attributes.get('venue', '')}"
        case "strategy" | "venue":
            return attributes.get(rule.kind, "") == rule.name
    return False


def reduces(account: Account, order: Order) -> bool:
    """Whether an order can only take its position towards zero, even with all that works beside it on its side."""
    if order.terms.reduce_only:
        return True
    if order.terms.swap:
        return False
    net = account.net(order.instrument, order.terms.position_id)
    if net == 0 or (net > 0) == (order.side > 0):
        return False
    beside = sum(
        _towards(other, order.side) for other in account.orders.values() if other.instrument == order.instrument
    )
    return beside <= abs(net)


def _towards(order: Order, side: int) -> int:
    """The most by which an order may still move its position that way; a swap, by what its legs differ."""
    if not order.terms.swap:
        return order.exposed if order.side == side else 0
    differs = order.side * side * (order.terms.far_quantity - order.terms.quantity)
    return max(0, differs) if order.exposed else 0


def ended(account: Account, order: Order, version: int, rules: Sequence[Rule], attributes: Mapping[str, str]) -> bool:
    """Whether an order that works is ended by a gate of this version: not if it was admitted under it already."""
    if order.final or order.gate_version >= version:
        return False
    for rule in rules:
        if reaches(rule, order, attributes) and (
            rule.mode >= Mode.HALT or (rule.mode is Mode.REDUCE_ONLY and not reduces(account, order))
        ):
            return True
    return False
