"""Orders that only reduce: what would take a position beyond zero is cut off."""

from __future__ import annotations

from dataclasses import replace

from services.trading.domain.account import Account
from services.trading.domain.order import Order


def room(account: Account, order: Order) -> int:
    """How much of the position an order may still take away, beside what other reducing orders take: 0 or more.

    Orders that are one-cancels-the-other take it together, not each.
    """
    net = account.net(order.instrument, order.terms.position_id)
    size = -net if order.side > 0 else net
    if size <= 0:
        return 0
    taken: dict[str, int] = {}
    for other in account.reducing.values():
        if other.order_id == order.order_id or other.final:
            continue
        if other.instrument != order.instrument or other.side != order.side:
            continue
        if other.terms.position_id != order.terms.position_id:
            continue
        group = other.list_id or other.order_id
        if order.list_id and group == order.list_id:
            continue
        taken[group] = max(taken.get(group, 0), other.exposed)
    return max(0, size - sum(taken.values()))


def cut(account: Account, order: Order) -> None:
    """Cuts a new order that only reduces to what there is; to nothing where there is none. Others stay as they are."""
    if not order.terms.reduce_only:
        return
    most = room(account, order)
    if order.terms.quantity > most:
        order.entered = order.entered or order.terms.quantity
        order.terms = replace(order.terms, quantity=most)
