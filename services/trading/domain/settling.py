"""What the steps of a commit cause in other orders of the account, until nothing more follows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from services.trading.domain import lists, protection
from services.trading.domain.account import Account, Recorder
from services.trading.domain.order import Order

ROUNDS_MAX = 16
"""A step of one order needs one of another, which needs none back: more rounds than this are a mistake."""


class Steps(Recorder, Protocol):
    """A recorder that knows which orders took a step so far."""

    @property
    def orders(self) -> Iterable[Order]:
        """The orders that took a step."""
        ...

    @property
    def count(self) -> int:
        """How many steps were taken."""
        ...


def settle(account: Account, steps: Steps, make: protection.Make) -> None:
    """Brings everything that depends on what took a step to what it should be.

    Raises:
        AssertionError: it does not come to an end.
    """
    for _ in range(ROUNDS_MAX):
        before = steps.count
        mine = [order for order in steps.orders if order.account == account.name]
        for order in mine:
            if order.terms.protection is not None:
                protection.protect(account, order, make, steps)
        related = [key for order in mine for key in (order.list_id, order.order_id) if key in account.children]
        for list_id in dict.fromkeys(related):
            lists.settle(account, list_id, steps)
        if account.reducing:
            for instrument in dict.fromkeys(order.instrument for order in mine):
                lists.settle_reductions(account, instrument, steps)
        if steps.count == before:
            return
    raise AssertionError(f"the orders of {account.name} do not settle")
