"""A book with a market at known prices, for tests of the checks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from crossrate.basics.instrument import CONVENTIONS
from services.risk.domain.pretrade.accounts import TRADE, Account, Book, Fill
from services.risk.domain.pretrade.amounts import SCALE, price_of, quantity_of
from services.risk.domain.pretrade.authorise import MARGIN_SCALE, Authoriser, Outcome
from services.risk.domain.pretrade.checks import Found, Plans
from services.risk.domain.pretrade.limits import Check, Limit, Limits
from services.risk.domain.pretrade.market import Market
from services.risk.domain.pretrade.orders import Kind, Order, Status

WEDNESDAY_NS = int(datetime(2026, 3, 4, 14, tzinfo=UTC).timestamp()) * 1_000_000_000
SECOND_NS = 1_000_000_000
PRICES = {"EUR/USD": (1.0, 1.0), "USD/JPY": (100.0, 100.0), "GBP/USD": (2.0, 2.0), "EUR/GBP": (0.5, 0.5)}
"""Round ones, so that sums can be done by heart."""


class Bench:
    """A market, a book, and an account "alpha" of desk "spot" with a million dollars."""

    def __init__(self, *limits: Limit, funds: int | None = 1_000_000) -> None:
        self.now_ns = WEDNESDAY_NS
        self.market = Market(CONVENTIONS.values(), age_max_ns=10 * SECOND_NS, rate_age_max_ns=60 * SECOND_NS)
        self.market.heard = self.market.statuses_known = True
        self.book = Book(self.market, Limits(1, limits))
        self.plans = Plans(self.book)
        self.authoriser = Authoriser(self.book, self.plans)
        self._ids = itertools.count(1)
        for name, (bid, ask) in PRICES.items():
            self.quote(name, bid, ask)
        self.market.revalue(self.now_ns)
        self.alpha = self.open("alpha", funds=funds)

    def quote(self, name: str, bid: float, ask: float, health: str = "LIVE") -> None:
        """A quote of this moment."""
        self.market.quote(name, bid, ask, health, source="test", sequence=1, receive_ns=self.now_ns)

    def open(self, name: str, desk: str = "spot", currency: str = "USD", funds: int | None = 1_000_000) -> Account:
        """An account that trading and the ledger know."""
        account = self.book.account(name)
        account.listed = account.known = True
        account.desk, account.currency, account.margin_rate = desk, currency, MARGIN_SCALE // 20
        account.funds = None if funds is None else {currency: funds * SCALE}
        self.book.rebuild()
        return account

    def limit(self, *limits: Limit) -> None:
        """Other limits from now on."""
        self.book.rebuild(Limits(self.book.limits.version + 1, limits))

    def order(
        self,
        side: int = 1,
        quantity: str = "1000",
        price: str = "",
        instrument: str = "EUR/USD",
        **other: Any,
    ) -> Order:
        """A limit order at a price, or a market order."""
        values = {
            "order_id": f"o{next(self._ids)}",
            "account": "alpha",
            "kind": Kind.LIMIT if price else Kind.MARKET,
            "time_in_force": 1 if price else 4,
        }
        made = Order(
            **(values | other),
            instrument=instrument,
            side=side,
            quantity=quantity_of(quantity),
            limit_price=price_of(price),
        )
        made.leaves = made.quantity - made.filled
        return made

    def ask(self, *orders: Order, groups: Iterable[int] = (), **other: Any) -> list[Outcome]:
        """Authorises."""
        return self.authoriser.authorise([(each, False) for each in orders], list(groups), self.now_ns, **other)

    def amend(self, order: Order) -> Outcome:
        """Authorises an amendment."""
        return self.authoriser.authorise([(order, True)], [], self.now_ns)[0]

    def passes(self, order: Order, **other: Any) -> bool:
        """Whether an order would be authorised; nothing is kept."""
        return self.ask(order, validate_only=True, **other)[0].authorised

    def hold(self, quantity: str, price: str = "1", instrument: str = "EUR/USD", account: str = "alpha", **other: Any):
        """A position, as a filled order makes it."""
        amount = quantity_of(quantity.removeprefix("-"))
        side = -1 if quantity.startswith("-") else 1
        order = self.order(side, quantity.removeprefix("-"), instrument=instrument, account=account, **other)
        order.status, order.filled, order.leaves = Status.FILLED, amount, 0
        owner = self.book.account(account)
        fill = Fill(("sim", order.order_id), order.position_id, side * amount, -side * amount * price_of(price))
        assert self.book.report(owner, owner.sequence + 1, TRADE, order, fill)

    def work(self, order: Order) -> Order:
        """An order that works."""
        owner = self.book.account(order.account)
        order.status = Status.NEW
        self.book.report(owner, owner.sequence + 1, 2, order, None)
        return order


def failed(outcome: Outcome) -> list[Check]:
    """Kinds of the checks that failed."""
    return [row.kind for row, passed, *_ in outcome.checks if not passed]


def of(outcome: Outcome, kind: Check, scope: str = "") -> Found:
    """The check of a kind."""
    return next(each for each in outcome.checks if each[0].kind is kind and scope in ("", each[0].scope))


def money(scope: str, kind: Check, value: str, unit: str = "USD", **other: Any) -> Limit:
    """A limit of money."""
    return Limit(scope, kind, quantity_of(value), unit, **other)


def count(scope: str, kind: Check, value: str, window_s: int = 0, **other: Any) -> Limit:
    """A limit without a currency."""
    return Limit(scope, kind, quantity_of(value), window_ns=window_s * SECOND_NS, **other)
