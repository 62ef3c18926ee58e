"""What the checks know of the rest of the platform: quotes, instruments that may be traded, accounts and their funds.

Everything comes by RPC and is kept in memory; whatever is away too long makes the checks refuse, never pass.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.ledger.v1 import account_service_pb2 as ledger_pb
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.reference.v1 import reference_service_pb2 as reference_pb
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from crossrate.basics.instrument import CONVENTIONS
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.client import CallError, ContractChannel
from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.authorise import MARGIN_SCALE
from services.risk.domain.pretrade.market import Market

STREAM_INSTRUMENTS_MAX = 200
"""Instruments of one stream of quotes."""
PAGE_SIZE = 1000
REFUSED_PAUSE_S = 2.0
RESUMPTION = Resumption(pause_s_max=1.0, unreachable_s_max=math.inf)


class Quotes:
    """The composites of all instruments that are dealt directly.

    Args:
        conflation_s: how often a quote comes at most.
        silence_s_max: marketdata is not heard after this time without a word; its heartbeats come more often.
    """

    def __init__(
        self, channel: ContractChannel, market: Market, note: Any, *, conflation_s: float, silence_s_max: float
    ) -> None:
        self._stub = MarketDataServiceStub(channel)
        self._market = market
        self._note = note
        self._conflation_s = conflation_s
        self._silence_s_max = silence_s_max
        self._streams: dict[int, QuoteStream] = {}

    async def run(self) -> None:
        """Follows all quotes, until it is cancelled."""
        names = [str(each.pair) for each in CONVENTIONS.values() if each.direct and each.last_trade_date is None]
        parts = [names[at : at + STREAM_INSTRUMENTS_MAX] for at in range(0, len(names), STREAM_INSTRUMENTS_MAX)]
        async with asyncio.TaskGroup() as group:
            for number, part in enumerate(parts):
                group.create_task(self._follow(number, part))
            group.create_task(self._listen(len(parts)))

    async def _follow(self, number: int, names: list[str]) -> None:
        while True:
            stream = QuoteStream(names, self._conflation_s, "", RESUMPTION)
            self._streams[number] = stream
            try:
                async for event in stream.events(self._stub):
                    if not isinstance(event, Gap):
                        self._take(event)
            except CallError as error:
                self._note.warning("marketdata refuses to stream quotes", why=str(error))
            await asyncio.sleep(REFUSED_PAUSE_S)

    async def _listen(self, count: int) -> None:
        while True:
            streams = self._streams.values()
            heard = len(streams) == count and all(
                each.heard and each.silence_s <= self._silence_s_max for each in streams
            )
            if heard != self._market.heard:
                self._market.heard = heard
                self._note.info("marketdata is heard" if heard else "marketdata is not heard: quotes are not LIVE")
            await asyncio.sleep(self._silence_s_max / 16)

    def _take(self, quote: quote_pb2.Quote) -> None:
        self._market.quote(
            quote.instrument,
            quote.bid,
            quote.ask,
            quote_pb2.QuoteHealth.Name(quote.health).removeprefix("QUOTE_HEALTH_"),
            source=quote.source,
            sequence=quote.sequence,
            receive_ns=quote.receive_time.ToNanoseconds(),
        )


class Instruments:
    """Which instruments may be traded, asked of reference again and again.

    Args:
        interval_s: how often.
        stale_s_max: after this time without an answer no instrument may be traded.
    """

    def __init__(
        self, channel: ContractChannel, market: Market, note: Any, *, interval_s: float, stale_s_max: float
    ) -> None:
        self._stub = ReferenceServiceStub(channel)
        self._market = market
        self._note = note
        self._interval_s = interval_s
        self._stale_s_max = stale_s_max

    async def run(self) -> None:
        """Asks, until it is cancelled."""
        answered_s = -math.inf
        while True:
            try:
                await self.ask()
                answered_s = time.monotonic()
                self._market.statuses_known = True
            except CallError as error:
                if time.monotonic() - answered_s > self._stale_s_max and self._market.statuses_known:
                    self._market.statuses_known = False
                    self._note.warning("reference does not answer: nothing may be traded", why=str(error))
            await asyncio.sleep(self._interval_s)

    async def ask(self) -> None:
        """Asks once.

        Raises:
            CallError: reference does not answer.
        """
        token = ""
        while True:
            request = reference_pb.ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=token)
            page = await self._stub.ListInstruments(request)
            for each in page.instruments:
                known = self._market.instruments.get(each.name)
                if known is not None:
                    known.status = each.status
            token = page.next_page_token
            if not token:
                return


class Accounts:
    """Accounts as the ledger has them.

    Args:
        book: where they are written.
        interval_s: how often all are asked for; one that is not known is asked for at once.
        stale_s_max: after this time without an answer no account is known to exist.
    """

    def __init__(
        self,
        channel: ContractChannel,
        book: Callable[[], Book],
        note: Any,
        *,
        interval_s: float,
        stale_s_max: float,
        assumed_funds: int | None,
    ) -> None:
        self._stub = AccountServiceStub(channel)
        self._book = book
        self._note = note
        self._interval_s = interval_s
        self._stale_s_max = stale_s_max
        self._assumed_funds = assumed_funds
        self._answered_s = -math.inf
        self._asked: dict[str, float] = {}
        self._known: dict[str, account_pb2.Account] = {}

    async def run(self) -> None:
        """Asks, until it is cancelled."""
        while True:
            try:
                await self.ask()
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

    def install(self) -> None:
        """Writes what is known into a new book."""
        for each in self._known.values():
            self._take(each)

    def _lost(self, error: CallError) -> None:
        if time.monotonic() - self._answered_s > self._stale_s_max:
            for account in self._book().accounts.values():
                if account.listed:
                    account.listed = False
                    self._note.warning("the ledger does not answer: no account may trade", why=str(error))

    def _take(self, message: account_pb2.Account) -> None:
        book = self._book()
        account = book.account(message.account)
        changed = write_account(account, message, self._assumed_funds)
        self._known[message.account] = message
        if changed:
            book.rebuild()


def write_account(account: Account, message: account_pb2.Account, assumed_funds: int | None) -> bool:
    """Takes what the ledger says of an account; whether sums over it have to be made anew."""
    changed = account.desk != message.desk or account.currency != message.currency
    account.listed = True
    account.desk, account.currency, account.status = message.desk, message.currency, message.status
    account.margin_rate = int(Decimal(message.margin_rate) * MARGIN_SCALE)
    if account.funds is None and assumed_funds is not None:
        account.funds = {account.currency: assumed_funds * SCALE}
    return changed
