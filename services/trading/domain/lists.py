"""Orders that depend on each other: one cancels the others, one triggers the others, protections of a position, and
orders that only reduce what is there.

Nothing is remembered of what was asked: after every step each order is compared with what it should be by the fills of
the others and the position, so that no answer that comes late, twice or in another order leaves a wrong size. What its
parent's fill had released ends when the venue takes that fill back; the next fill makes protections anew.
"""

from __future__ import annotations

from dataclasses import replace

from services.trading.domain import reduction
from services.trading.domain.account import Account, Instruct, Recorder, Refused, Step
from services.trading.domain.lifecycle import PENDING, Exec, Reason, Status
from services.trading.domain.order import TRIGGERED_TYPES, Amendment, Contingency, Order

CAUSE = "list"
_EXEMPT = (Reason.CONTINGENCY, Reason.REDUCE_ONLY)
"""Who was cancelled for such a reason ends nobody else: its list, or the position, had done so already."""


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
        full = min(full, parent.cum)
    for other in account.children.get(order.list_id, ()):
        if other is order or other is parent:
            continue
        if other.status is Status.CANCELLED and other.reason not in _EXEMPT:
            return 0
        if other.status is Status.FILLED and parent is None:
            return 0
        full -= other.cum
    return max(0, full)


def settle(account: Account, list_id: str, to: Recorder) -> None:
    """Brings every order of a list to what it should be."""
    for order in list(account.children.get(list_id, ())):
        if order.final or (order.contingency is Contingency.OTO and not order.parent_id):
            continue
        if order.parent_id:
            parent = account.orders.get(order.parent_id)
            waits = order.status is Status.SUSPENDED and parent is not None and not parent.cum and not parent.final
            if parent is None or waits:
                continue
        _bring(account, order, target(account, order), to, Reason.CONTINGENCY)


def settle_reductions(account: Account, instrument: str, to: Recorder) -> None:
    """Brings the orders that only reduce, outside of lists, to what there is to reduce."""
    for order in list(account.reducing.values()):
        if order.instrument == instrument and not order.final and not order.list_id:
            wanted = min(order.terms.quantity, order.done + reduction.room(account, order))
            _bring(account, order, wanted, to, Reason.REDUCE_ONLY)


def _bring(account: Account, order: Order, wanted: int, to: Recorder, reason: Reason) -> None:
    if order.terms.reduce_only and reason is Reason.CONTINGENCY and wanted > order.done:
        wanted = min(wanted, order.done + reduction.room(account, order))
        if wanted <= order.done:
            reason = Reason.REDUCE_ONLY
    if wanted <= order.done:
        if order.status is not Status.PENDING_CANCEL:
            _end(account, order, to, reason)
        return
    if order.status is Status.SUSPENDED:
        _activate(account, order, wanted, to)
        return
    if wanted == order.terms.quantity or order.status in PENDING:
        return
    if order.status in (Status.PENDING_NEW, Status.PENDING_UNKNOWN):
        return  # no venue has confirmed it: brought when one has
    order.entered = order.entered or order.terms.quantity
    words = "its size follows the fills of its list"
    if reason is Reason.REDUCE_ONLY:
        words = "cut to the position that is left to reduce"
    step = Step(Exec.PENDING_REPLACE, CAUSE, reason, words)
    try:
        account.ask_amend(order, Amendment(quantity=wanted), CAUSE, to, step)
    except Refused:
        return  # IOC and FOK are over in an instant


def _end(account: Account, order: Order, to: Recorder, reason: Reason) -> None:
    words = "another order of its list was filled or ended"
    if reason is Reason.REDUCE_ONLY:
        words = "there is no position left for it to reduce"
    try:
        account.ask_cancel(order, reason, CAUSE, to, words)
    except Refused:
        return  # the quote that it deals on is being taken: it ends by itself


def _activate(account: Account, order: Order, wanted: int, to: Recorder) -> None:
    if wanted != order.terms.quantity:
        order.entered = order.entered or order.terms.quantity
        order.terms = replace(order.terms, quantity=wanted)
    held = order.terms.order_type in TRIGGERED_TYPES
    after = Status.NEW if held else Status.PENDING_NEW
    words = "the order that it depends on was filled"
    account.record(order, after, Step(Exec.RESTATED, CAUSE, Reason.CONTINGENCY, words), to)
    if not held:
        to.instruct(order, Instruct.NEW)
