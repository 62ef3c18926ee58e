"""Each account's book, kept up with trading's reports; what wants to know of new transactions waits here.

Reports are folded under the lock of the account's row, so that every instance of broker may do it: whoever comes second
finds them done and goes on from what is kept. A book is thrown away when its commit fails.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as ledger
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as market
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.trading.v1 import execution_pb2 as ex
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc.call_error import CallError
from crossrate.store import Database
from crossrate.store.errors import StoreError
from services.broker.oanda.book import Book, Json, currencies_of, new_book
from services.broker.oanda.fold import apply
from services.broker.oanda.kept import Kept

SILENCE_S_MAX = 30.0
PAUSE_S_MAX = 2.0
PAGE = 100
"""Reports of one commit."""
RATE_FRESH_S = 1.0
CHECK_S = 2.0
"""How often it is looked whether another instance has added transactions."""


class NotNetting(Exception):
    """The account keeps both sides apart: over this API a close would open the other side."""


class Rates:
    """What a unit of a currency is worth in another one, by the middle of the newest composite quote."""

    def __init__(self, stub: MarketDataServiceStub) -> None:
        self._stub = stub
        self._known: dict[tuple[str, str], tuple[float, Decimal | None]] = {}

    async def rate(self, currency: str, into: str) -> Decimal | None:
        """The rate; None if there is no quote, neither now nor earlier."""
        if currency == into:
            return Decimal(1)
        at, known = self._known.get((currency, into), (0.0, None))
        if time.monotonic() - at < RATE_FRESH_S and at:
            return known
        direct = Pair(currency, into) in CONVENTIONS
        base, counter = (currency, into) if direct else (into, currency)
        try:
            quote = (await self._stub.GetQuote(market.GetQuoteRequest(base=base, counter=counter))).quote
            middle = (Decimal(str(quote.bid)) + Decimal(str(quote.ask))) / 2
            known = middle if direct else 1 / middle
        except (CallError, ArithmeticError):
            pass  # what was known last stays
        self._known[currency, into] = (time.monotonic(), known)
        return known


class Follower:
    """Of one account. `run` is a task."""

    def __init__(
        self, kept: Kept, trading: TradingServiceStub, accounts: AccountServiceStub, rates: Rates, note: Any
    ) -> None:
        self.kept = kept
        self._trading = trading
        self._accounts = accounts
        self._rates = rates
        self._note = note
        self._book: Book | None = None
        self._news = asyncio.Condition()
        self._folding = asyncio.Lock()
        self.currency = ""
        """The account's; empty before the account is known."""
        self.last_report = -1
        self.last_transaction = -1
        self.closed = asyncio.Event()
        """Set when trades were reduced or closed: what hangs on them may have to follow."""
        self.closed.set()

    async def run(self) -> None:
        """Follows, until it is cancelled."""
        failures = 0
        while True:
            try:
                await self._begin()
                await self._follow()
                failures = 0
            except (CallError, StoreError, NotNetting, TimeoutError, StopAsyncIteration) as error:
                failures += 1
                if failures == 3:
                    self._note.warning("an account's reports do not come", account=self.kept.account, why=str(error))
            await asyncio.sleep(min(PAUSE_S_MAX, 0.02 * 2 ** min(failures, 8)) * random.uniform(0.5, 1))

    async def _begin(self) -> None:
        row = await self.kept.account_row()
        if row is None:
            request = ledger.GetAccountRequest(account=self.kept.account)
            account = (await self._accounts.GetAccount(request)).account
            if account.position_mode == account_pb2.POSITION_MODE_HEDGING:
                raise NotNetting("hedging accounts are not served over the v20 API: declare one that nets")
            book = new_book(self.kept.account, account.currency, account.create_time.ToNanoseconds() or time.time_ns())
            async with self.kept.transaction() as connection:
                await self.kept.begin(connection, book)
            row = await self.kept.account_row()
        assert row is not None
        self.currency = row["currency"]
        await self._became(row["last_report"], row["last_transaction"])

    async def _follow(self) -> None:
        request = history.StreamExecutionsRequest(account=self.kept.account, after_sequence=max(0, self.last_report))
        call = self._trading.StreamExecutions(request)
        try:
            stream = aiter(call)
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await anext(stream)
                if message.HasField("reports"):
                    reports = message.reports.reports
                    for begin in range(0, len(reports), PAGE):
                        await self.take(reports[begin : begin + PAGE])
                elif message.HasField("error") or message.HasField("end"):
                    return
        finally:
            call.cancel()

    async def take(self, reports: Sequence[ex.ExecutionReport]) -> None:
        """Folds reports and commits what comes of them; those that are there already change nothing."""
        rates = {
            each: await self._rates.rate(each, self.currency)
            for each in currencies_of({r.order.terms.instrument for r in reports if r.HasField("fill")}, self.currency)
        }
        roots = list(dict.fromkeys(each.order.terms.client_order_id for each in reports))

        async def fold(connection: Any, book: Book) -> None:
            requests = await self.kept.recall(connection, book, roots)
            book.rate = rates.get
            for report in reports:
                if report.sequence > book.last_report:
                    apply(book, report, requests)

        await self._commit(fold)

    async def append(self, change: Callable[[Book], Any]) -> Any:
        """Lets something here, that no report tells, change the book, and returns what it returned.

        Raises:
            StoreError: nothing was changed, or whether it was is unknown.
        """
        result: list[Any] = []

        async def fold(connection: Any, book: Book) -> None:
            book.begin_batch()
            result.append(change(book))

        await self._commit(fold)
        return result[0]

    async def _commit(self, fold: Callable[[Any, Book], Any]) -> None:
        async with self._folding:
            book, self._book = self._book, None  # it comes back when its commit has
            async with self.kept.transaction() as connection:
                row = await self.kept.lock(connection)
                assert row is not None, f"account {self.kept.account} has not begun"
                if book is None or (book.last_report, book.last_transaction) != (row[1], row[2]):
                    book = await self.kept.load(connection, row)
                await fold(connection, book)
                await self.kept.write(connection, book)
            touched = bool(book.changed_trades or book.changed_orders)
            book.taken()
            self._book = book
        if touched:
            self.closed.set()
        await self._became(book.last_report, book.last_transaction)

    async def _became(self, report: int, transaction: int) -> None:
        async with self._news:
            self.last_report, self.last_transaction = (
                max(self.last_report, report),
                max(self.last_transaction, transaction),
            )
            self._news.notify_all()

    async def reached(self, report: int, within_s: float) -> bool:
        """Waits until a report of trading is in the book, but not longer than that."""
        return await self._until(lambda: self.last_report >= report, within_s)

    async def after(self, transaction: int, within_s: float) -> bool:
        """Waits until there is a transaction after a number, but not longer than that."""
        return await self._until(lambda: self.last_transaction > transaction, within_s)

    async def until(self, holds: Callable[[], Any], within_s: float) -> Any:
        """Waits until a coroutine function returns something, looking after each change, but not longer than that."""
        end = time.monotonic() + within_s
        while True:
            seen = self.last_report
            found = await holds()
            left_s = end - time.monotonic()
            if found or left_s <= 0 or not await self._until(lambda: self.last_report > seen, left_s):  # noqa: B023
                return found

    async def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            return holds()
        return True

    async def look(self) -> None:
        """Looks what other instances have added, every now and then, until it is cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                row = await self.kept.account_row()
            except StoreError:
                continue
            if row is not None:
                await self._became(row["last_report"], row["last_transaction"])


def followers(
    accounts: Sequence[str],
    database: Database,
    trading: TradingServiceStub,
    ledger_accounts: AccountServiceStub,
    rates: Rates,
    note: Any,
) -> dict[str, Follower]:
    """One for each account."""
    return {each: Follower(Kept(database, each), trading, ledger_accounts, rates, note) for each in accounts}


__all__ = ["Follower", "Json", "Rates", "followers"]
