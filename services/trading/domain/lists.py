"""Orders that depend on each other: one cancels the others, one triggers the others, protections of a position.

Nothing is remembered of what was asked: after every step each order of a list is compared with what it should be by
the fills of the others, so that no answer that comes late, twice or in another order leaves a wrong size.
"""

from __future__ import annotations

from services.trading.domain.account import Account, Recorder, Refused, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.order import TRIGGERED_TYPES, Amendment, Contingency, Order

_CAUSE = "list"


def first_status(order: Order) -> Status:
    """Where a new order stands: SUSPENDED behind its parent, NEW where it is held, else PENDING_NEW."""
    if order.parent_id:
        return Status.SUSPENDED
    return Status.NEW if order.terms.order_type in TRIGGERED_TYPES else Status.PENDING_NEW


def target(account: Account, order: Order) -> int:
    """The whole quantity that an order of a list should have now, with what it has filled; 0 to end it."""
    full = order.entered or order.terms.quantity
    parent = account.orders.get(order.parent_id) if order.parent_id else None
    if parent is not None:
        if parent.final and not parent.cum:
            return 0
        full = min(full, parent.cum)
    for other in account.children.get(order.list_id, ()):
        if other is order or other is parent:
            continue
        if parent is None and order.contingency is not Contingency.OCO:
            continue
        if other.status is Status.CANCELLED and other.reason is not Reason.REDUCE_ONLY:
            return 0
        if other.status is Status.FILLED and (parent is None or parent.final):
            return 0
        full -= other.cum
    return max(0, full)


def settle(account: Account, list_id: str, to: Recorder) -> None:
    """Brings every order of a list to what it should be."""
    for order in list(account.children.get(list_id, ())):
        if order.final or (order.contingency is Contingency.OTO and not order.parent_id):
            continue
        parent = account.orders.get(order.parent_id) if order.parent_id else None
        if parent is not None and not parent.cum and not parent.final:
            continue  # waits
        if order.parent_id and parent is None:
            continue
        _bring(account, order, target(account, order), to)


def _bring(account: Account, order: Order, wanted: int, to: Recorder) -> None:
    now = order.terms.quantity
    if wanted <= order.cum:
        if order.status is not Status.PENDING_CANCEL:
            words = "another order of its list was filled or ended"
            _quietly(account, order, to, words)
        return
    if order.status is Status.SUSPENDED:
        _activate(account, order, wanted, to)
        return
    if wanted == now or order.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE, Status.PENDING_UNKNOWN):
        return
    if order.status is Status.PENDING_NEW:
        return  # no venue has confirmed it: brought when one has
    order.entered = order.entered or now
    step = Step(Exec.PENDING_REPLACE, _CAUSE, Reason.CONTINGENCY, "its size follows the fills of its list")
    account.ask_amend(order, Amendment(quantity=wanted), _CAUSE, to, step)


def _quietly(account: Account, order: Order, to: Recorder, words: str) -> None:
    try:
        account.ask_cancel(order, Reason.CONTINGENCY, _CAUSE, to, words)
    except Refused:
        return  # the quote that it deals on is being taken: it ends by itself


def _activate(account: Account, order: Order, wanted: int, to: Recorder) -> None:
    from dataclasses import replace

    from services.trading.domain.account import Instruct

    if wanted != order.terms.quantity:
        order.entered = order.entered or order.terms.quantity
        order.terms = replace(order.terms, quantity=wanted)
    held = order.terms.order_type in TRIGGERED_TYPES
    words = "the order that it depends on was filled"
    after = Status.NEW if held else Status.PENDING_NEW
    account.record(order, after, Step(Exec.RESTATED, _CAUSE, Reason.CONTINGENCY, words), to)
    if not held:
        to.instruct(order, Instruct.NEW)
