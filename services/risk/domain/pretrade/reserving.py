"""Reserving what an order asks for, so that it can be undone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.groups import Group, Slot
from services.risk.domain.pretrade.orders import Order, Working
from services.risk.domain.pretrade.windows import Alike, Window


@dataclass(slots=True)
class Change:
    """What an order has changed, to be undone if it fails, or its group does, or nothing is to be kept."""

    account: Account
    working: Working
    asked_before: int
    terms_before: Order
    is_new: bool
    windows: Sequence[Window] = ()
    alike: tuple[Alike, Hashable] | None = None

    @property
    def added(self) -> int:
        """By how much it may move the position beyond what was reserved before."""
        working = self.working
        if self.is_new:
            return working.wanted
        filled = working.order.filled
        before = max(working.leaves, self.asked_before - filled, working.replacing - filled)
        return max(working.asked - filled - before, 0)


def reserve(book: Book, account: Account, order: Order, amends: bool, touched: list[tuple[Group, Slot]]) -> Change:
    """Reserves an order, or what an amendment would add to it; `touched` are the groups that count it."""
    working = account.working.get(order.order_id)
    if working is None or not amends:
        if working is not None:
            # The same order again, before its first commit: what it reserved then is taken back.
            book.remove(account, order.order_id)
        working = Working(order, order.direction, asked=order.quantity, touched=touched)
        book.add(account, working)
        return Change(account, working, 0, order, True)
    change = Change(account, working, working.asked, working.order, False)
    order.filled = working.order.filled
    working.confirmed = working.confirmed or working.order
    working.order, working.asked = order, order.quantity
    book.settle(account, working)
    return change


def undo(book: Book, change: Change) -> None:
    """Makes everything as it was."""
    working = change.working
    if change.is_new:
        book.remove(change.account, working.order.order_id)
    else:
        working.order, working.asked = change.terms_before, change.asked_before
        if working.confirmed is working.order:
            working.confirmed = None
        book.settle(change.account, working)
        book.rest(change.account, working)
    for window in change.windows:
        window.take_back()
    if change.alike is not None:
        alike, key = change.alike
        alike.take_back(key)


def redo(book: Book, change: Change, terms: Order, asked: int) -> None:
    """Reserves again what was undone just now."""
    working = change.working
    if change.is_new:
        working.reserved, working.counted = 0, False
        book.add(change.account, working)
    else:
        working.confirmed = working.confirmed or working.order
        working.order, working.asked = terms, asked
        book.settle(change.account, working)
