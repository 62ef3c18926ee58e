"""An account as the v20 API has it: what execution reports, one after another, make of it. No I/O.

    report ─▶ apply ─▶ transactions 1, 2, 3 … without a gap, and the orders and trades that they change

Orders, trades and transactions are kept as the JSON that programs see; what begins with "_" is not shown. An order of
the platform is a v20 order until it is replaced: then the next v20 order goes on with it. Everything follows from the
reports and what was asked for, so that any instance that folds them gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from services.broker.oanda import words

Json = dict[str, Any]
PENDING, FILLED, CANCELLED = "PENDING", "FILLED", "CANCELLED"


@dataclass(slots=True)
class Book:
    """One account.

    Attributes:
        currency: in which `pl` is told.
        last_report: number of trading's newest report in it.
        last_transaction: number of the newest transaction.
        orders: v20 orders by id: those that are open, and others that a report is about.
        trades: the same of trades, oldest first.
        rate: units of the account's currency for a unit of another one; None for not known now.
    """

    account: str
    currency: str
    last_report: int = 0
    last_transaction: int = 0
    orders: dict[str, Json] = field(default_factory=dict)
    trades: dict[str, Json] = field(default_factory=dict)
    rate: Callable[[str], Decimal | None] = lambda _: None
    transactions: list[Json] = field(default_factory=list)
    """New since `taken`."""
    changed_orders: set[str] = field(default_factory=set)
    changed_trades: set[str] = field(default_factory=set)
    _batch: str = ""

    def begin_batch(self) -> None:
        """The next transaction begins a batch: what belongs together has the id of its first."""
        self._batch = ""

    def add(self, kind: str, time_ns: int, **fields: Any) -> Json:
        """A new transaction."""
        self.last_transaction += 1
        made: Json = {
            "id": str(self.last_transaction),
            "time": words.time_text(time_ns),
            "userID": 1,
            "accountID": self.account,
        }
        self._batch = made["batchID"] = self._batch or made["id"]
        made |= {"requestID": "", "type": kind}
        made |= {key: value for key, value in fields.items() if value is not None}
        if not made["requestID"]:
            del made["requestID"]
        self.transactions.append(made)
        return made

    def put_order(self, order: Json) -> None:
        """An order is new, or another than it was."""
        self.orders[order["id"]] = order
        self.changed_orders.add(order["id"])

    def put_trade(self, trade: Json) -> None:
        """The same of a trade."""
        self.trades[trade["id"]] = trade
        self.changed_trades.add(trade["id"])

    def order_of(self, root: str) -> Json | None:
        """The v20 order with which an order of the platform, by its client_order_id, goes on now."""
        found = [each for each in self.orders.values() if each["_root"] == root]
        return max(found, key=lambda each: int(each["id"])) if found else None

    def open_trades(self, instrument: str) -> list[Json]:
        """Open trades of a v20 instrument, oldest first."""
        found = [each for each in self.trades.values() if each["instrument"] == instrument and is_open(each)]
        return sorted(found, key=lambda each: int(each["id"]))

    def taken(self) -> None:
        """Everything new is kept: what has ended need not be remembered."""
        self.transactions.clear()
        self.changed_orders.clear()
        self.changed_trades.clear()
        self.orders = {key: each for key, each in self.orders.items() if each["state"] == PENDING}
        self.trades = {key: each for key, each in self.trades.items() if is_open(each)}


def is_open(trade: Mapping[str, Any]) -> bool:
    """Whether a trade is."""
    return trade["state"] == "OPEN"


def new_book(account: str, currency: str, time_ns: int) -> Book:
    """An account that begins: its first transaction says so."""
    book = Book(account, currency)
    book.add(
        "CREATE",
        time_ns,
        divisionID=1,
        siteID=1,
        accountUserID=1,
        accountNumber=1,
        homeCurrency=currency,
    )
    return book


def currencies_of(instruments: Iterable[str], currency: str) -> set[str]:
    """Currencies whose rate in the account's is needed for reports about some instruments ("EUR/USD")."""
    return {each[4:] for each in instruments} - {currency}
