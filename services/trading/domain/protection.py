"""Protections: orders of their own for what an order has filled, one-cancels-the-other among themselves.

entry filled 40 of 100 ─► tp and sl of 40 ─ entry filled to 100 ─► both grow to 100
tp filled 40 of 40 while the entry goes on ─► sl ends; the next fill of the entry gets a new pair
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.trading.domain import reduction
from services.trading.domain.account import Account, Recorder, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.lists import CAUSE
from services.trading.domain.order import TRIGGERED_TYPES, Contingency, Order, OrderType, Terms, TimeInForce

Make = Callable[[Order, str, Terms], Order]
"""A new order that protects another: the one that it protects, its client's id, its terms."""

WORDS = "protects what was filled of the order that it depends on"


def protect(account: Account, order: Order, make: Make, to: Recorder) -> None:
    """Makes the protections that an order's fills need and do not have. What is there already grows in `lists`."""
    wanted = order.terms.protection
    if wanted is None or not order.cum:
        return
    made = account.children.get(order.order_id, [])
    mine = [other for other in made if other.parent_id == order.order_id]
    if any(not other.final for other in mine) or _given_up(mine):
        return
    open_quantity = order.cum - sum(other.cum for other in mine)
    if open_quantity <= 0:
        return
    generation = 1 + sum(other.client_order_id.startswith(_prefixes(wanted)[0]) for other in mine)
    for prefix, terms in _terms(order, open_quantity):
        suffix = f".{generation}" if generation > 1 else ""
        child = make(order, f"{prefix}.{order.order_id}{suffix}", terms)
        child.list_id, child.parent_id, child.contingency = order.order_id, order.order_id, Contingency.OCO
        child.position_id = order.position_id
        _enter(account, order, child, to)


def _given_up(made: list[Order]) -> bool:
    """Whether somebody has cancelled a protection, or a venue refused it: then it is not made again."""
    done = (Reason.CONTINGENCY, Reason.REDUCE_ONLY)
    return any(
        (other.status is Status.CANCELLED and other.reason not in done)
        or other.status in (Status.REJECTED, Status.EXPIRED)
        for other in made
    )


def _prefixes(wanted) -> list[str]:
    found = ["tp"] if wanted.take_profit_price else []
    return found + (["sl"] if wanted.stop_loss_price or wanted.trailing_distance else [])


def _terms(order: Order, quantity: int) -> list[tuple[str, Terms]]:
    wanted = order.terms.protection
    assert wanted is not None
    common = Terms(
        side=-order.side,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        reduce_only=True,
        trigger_source=wanted.trigger_source,
        position_id=order.position_id,
        strategy=order.terms.strategy,
    )
    found = []
    if wanted.take_profit_price:
        found.append(("tp", replace(common, limit_price=wanted.take_profit_price)))
    if wanted.stop_loss_price:
        stop = replace(common, order_type=OrderType.STOP, stop_price=wanted.stop_loss_price)
        found.append(("sl", stop))
    if wanted.trailing_distance:
        trailing = replace(common, order_type=OrderType.TRAILING_STOP, trailing_distance=wanted.trailing_distance)
        found.append(("sl", trailing))
    return found


def _enter(account: Account, order: Order, child: Order, to: Recorder) -> None:
    room = reduction.room(account, child)
    if room <= 0:
        return  # the fill has closed a position on the other side: there is nothing to protect
    quantity = min(child.terms.quantity, room)
    child.entered = order.terms.quantity if order.terms.quantity != quantity else 0
    child.terms = replace(child.terms, quantity=quantity)
    child.gate_version = order.gate_version
    held = child.terms.order_type in TRIGGERED_TYPES
    status, exec_type = (Status.NEW, Exec.NEW) if held else (Status.PENDING_NEW, Exec.PENDING_NEW)
    account.enter(child, status, Step(exec_type, CAUSE, None, WORDS), to)
