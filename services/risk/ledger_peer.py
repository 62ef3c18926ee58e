"""Accounts and their funds as the ledger has them, kept in memory; away too long, no account may trade."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Container, Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import grpc

from crossrate.api.ledger.v1 import account_pb2, balance_pb2, ledger_service_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as ledger_pb
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.rpc.client import CallError, ContractChannel
from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.amounts import FINE_SCALE, SCALE
from services.risk.domain.pretrade.authorise import MARGIN_SCALE

PAGE_SIZE = 1000


class Accounts:
    """Accounts as the ledger has them.

    Args:
        book: where they are written.
        interval_s: how often all are asked for; one that is not known is asked for at once.
        funds_interval_s: how often those are asked for of which something was booked.
        stale_s_max: after this time without an answer no account is known to exist.
    """

    def __init__(
        self,
        channel: ContractChannel,
        book: Callable[[], Book],
        note: Any,
        *,
        interval_s: float,
        funds_interval_s: float,
        stale_s_max: float,
        assumed_funds: int | None,
    ) -> None:
        self._stub = AccountServiceStub(channel)
        self._books = LedgerServiceStub(channel)
        self._book = book
        self._note = note
        self._interval_s = interval_s
        self._funds_interval_s = funds_interval_s
        self._stale_s_max = stale_s_max
        self._assumed_funds = assumed_funds
        self._answered_s = -math.inf
        self._asked: dict[str, float] = {}
        self._known: dict[str, account_pb2.Account] = {}
        self._equities: dict[str, balance_pb2.Equity] = {}
        self._last_entry = 0

    async def run(self) -> None:
        """Asks, until it is cancelled: for everything, and in between for what the ledger has booked since."""
        while True:
            try:
                await self.ask()
                await self.ask_funds()
                until = time.monotonic() + self._interval_s
                while time.monotonic() < until:
                    await asyncio.sleep(self._funds_interval_s)
                    await self.ask_funds(self._last_entry)
            except CallError as error:
                self._lost(error)
                await asyncio.sleep(self._interval_s)

    async def ask(self) -> None:
        """Asks for all of them once.

        Raises:
            CallError: the ledger does not answer.
        """
        token = ""
        while True:
            page = await self._stub.ListAccounts(ledger_pb.ListAccountsRequest(page_size=PAGE_SIZE, page_token=token))
            for each in page.accounts:
                self._take(each)
            token = page.next_page_token
            if not token:
                break
        self._answered_s = time.monotonic()

    async def ask_funds(self, after_entry: int = 0) -> None:
        """Asks what accounts have without their trades, once: those with an entry after a number, or all.

        Raises:
            CallError: the ledger does not answer.
        """
        token, last_entry = "", None
        while True:
            request = ledger_service_pb2.ListEquityRequest(
                page_size=PAGE_SIZE, page_token=token, after_entry=after_entry
            )
            try:
                page = await self._books.ListEquity(request)
            except CallError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return
                raise
            for each in page.equities:
                self._take_equity(each)
            # What is booked while pages are read comes again with the next question.
            last_entry = page.last_entry if last_entry is None else last_entry
            token = page.next_page_token
            if not token:
                self._last_entry = last_entry
                return

    async def look(self, names: Iterable[str]) -> None:
        """Asks for accounts that are not known yet, each at most once a second."""
        now = time.monotonic()
        for name in names:
            if self._book().account(name).listed or now - self._asked.get(name, -math.inf) < 1.0:
                continue
            self._asked[name] = now
            if len(self._asked) > 10_000:
                self._asked.clear()
            try:
                answer = await self._stub.GetAccount(ledger_pb.GetAccountRequest(account=name), timeout=0.2)
            except CallError as error:
                if error.reason != "NOT_FOUND":
                    self._note.warning("the ledger was not asked for an account", account=name, why=str(error))
            else:
                self._take(answer.account)
                await self._look_at_funds(name)

    async def _look_at_funds(self, name: str) -> None:
        try:
            page = await self._books.ListEquity(ledger_service_pb2.ListEquityRequest(accounts=[name]), timeout=0.2)
        except CallError as error:
            self._note.warning("the ledger was not asked for funds", account=name, why=str(error))
            return
        for each in page.equities:
            self._take_equity(each)

    def _take_equity(self, equity: balance_pb2.Equity) -> None:
        known = self._equities.get(equity.account)
        # Answers may overtake each other; an older one takes nothing back.
        if known is None or known.last_entry <= equity.last_entry:
            self._equities[equity.account] = equity
            self._write_equity(equity)

    def _write_equity(self, equity: balance_pb2.Equity) -> None:
        book = self._book()
        account = book.account(equity.account)
        account.funds = funds_of(equity)
        account.call_level, account.close_out_level = levels_of(equity.margin_levels)
        try:
            book.move(account, movements_of(equity, book.market.instruments))
        except KeyError as unknown:
            self._note.error("the ledger has moved what is no instrument", account=equity.account, what=str(unknown))
            account.listed = False

    def install(self) -> None:
        """Writes what is known into a new book."""
        for each in self._known.values():
            self._take(each)
            if each.account in self._equities:
                self._write_equity(self._equities[each.account])
            self._assume(each.account)

    def _lost(self, error: CallError) -> None:
        if time.monotonic() - self._answered_s > self._stale_s_max:
            for account in self._book().accounts.values():
                if account.listed:
                    account.listed = False
                    self._note.warning("the ledger does not answer: no account may trade", why=str(error))

    def _take(self, message: account_pb2.Account) -> None:
        book = self._book()
        account = book.account(message.account)
        changed = write_account(account, message)
        self._known[message.account] = message
        self._assume(message.account)
        if changed:
            book.rebuild()

    def _assume(self, name: str) -> None:
        account = self._book().account(name)
        if account.funds is None and self._assumed_funds is not None:
            account.funds = {account.currency: self._assumed_funds * SCALE}


def funds_of(equity: balance_pb2.Equity) -> dict[str, int]:
    """What an account has without its trades, by currency, in ten-thousandths: rounded down."""
    funds: dict[str, int] = {}
    for each in equity.non_trade:
        amount = (Decimal(each.amount) * SCALE).to_integral_value(ROUND_FLOOR)
        funds[each.currency] = funds.get(each.currency, 0) + int(amount)
    return funds


def movements_of(equity: balance_pb2.Equity, instruments: Container[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """What of an account's positions no report of trading tells, by instrument and position.

    Raises:
        KeyError: it has an instrument that is none.
    """
    moved = {}
    for each in equity.movements:
        if each.instrument not in instruments:
            raise KeyError(each.instrument)
        amounts = round(Decimal(each.quantity) * SCALE), round(Decimal(each.counter_amount) * FINE_SCALE)
        if any(amounts):
            moved[each.instrument, each.position_id] = amounts
    return moved


def levels_of(levels: account_pb2.MarginLevels) -> tuple[int, int]:
    """Levels of margin call and close-out in ten-thousandths; 0 for none."""
    call, close_out = (int(Decimal(each or "0") * SCALE) for each in (levels.call, levels.close_out))
    return call, close_out


def write_account(account: Account, message: account_pb2.Account) -> bool:
    """Takes what the ledger says of an account; whether sums over it have to be made anew."""
    changed = account.desk != message.desk or account.currency != message.currency
    account.listed = True
    account.desk, account.currency, account.status = message.desk, message.currency, message.status
    account.margin_rate = int(Decimal(message.margin_rate) * MARGIN_SCALE)
    return changed
