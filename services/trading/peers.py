"""What trading asks of others beside risk and broker: accounts of the ledger, quotes of pricing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from crossrate.api.ledger.v1 import account_pb2, account_service_pb2
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as quoting
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
from crossrate.rpc import errors
from crossrate.rpc.call_error import CallError

ACCOUNTS_KEPT_MAX = 100_000


class Ledger(Protocol):
    """Who knows accounts."""

    async def account(self, name: str) -> account_pb2.Account:
        """An account.

        Raises:
            Failure: NOT_FOUND if there is none, DEPENDENCY_UNAVAILABLE if nobody can say.
        """
        ...


@dataclass(slots=True)
class _Known:
    account: account_pb2.Account
    asked_s: float


class LedgerAccounts:
    """The ledger's accounts, kept for a while: what was heard serves while it is fresh, and longer while the ledger is
    away. A stale one is asked for again aside, so that no order waits for it.

    Args:
        fresh_s: for how long it is not asked again.
        kept_s: for how long it serves at all.
    """

    def __init__(
        self,
        stub: AccountServiceStub,
        note: Any,
        *,
        fresh_s: float,
        kept_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub = stub
        self._note = note
        self._fresh_s = fresh_s
        self._kept_s = kept_s
        self._clock_s = clock_s
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[account_pb2.Account]] = {}

    async def account(self, name: str) -> account_pb2.Account:
        """See Ledger."""
        known = self._known.get(name)
        age_s = self._clock_s() - known.asked_s if known is not None else float("inf")
        if known is not None and age_s < self._fresh_s:
            return known.account
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda done: self._asked(name, done))
        if known is not None and age_s < self._kept_s:
            return known.account
        return await asyncio.shield(task)

    def _asked(self, name: str, task: asyncio.Task[account_pb2.Account]) -> None:
        self._asking.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None and name in self._known:
            self._note.warning("the ledger was not asked again", account=name, why=str(error))

    async def _ask(self, name: str) -> account_pb2.Account:
        try:
            answer = await self._stub.GetAccount(account_service_pb2.GetAccountRequest(account=name))
        except CallError as error:
            if error.reason == "NOT_FOUND":
                self._known.pop(name, None)
                raise errors.not_found("account", name, "open it with the ledger's OpenAccount") from None
            raise errors.dependency_unavailable("ledger") from error
        if len(self._known) >= ACCOUNTS_KEPT_MAX:
            self._known.clear()
        self._known[name] = _Known(answer.account, self._clock_s())
        return answer.account


class Quotes(Protocol):
    """Who makes and keeps executable quotes."""

    async def terms(self, quote_id: str) -> quote_pb2.ExecutableQuote:
        """A quote.

        Raises:
            Failure: NOT_FOUND, or DEPENDENCY_UNAVAILABLE if nobody can say.
        """
        ...

    async def take(self, request_id: str, quote_id: str, side: int, comment: str) -> quote_pb2.ExecutableQuote | str:
        """Executes a quote, once; in words why it is gone.

        Raises:
            Failure: DEPENDENCY_UNAVAILABLE: whether it was taken is not known; the same request tells.
        """
        ...


class PricingQuotes:
    """Pricing's quotes."""

    def __init__(self, stub: QuotingServiceStub) -> None:
        self._stub = stub

    async def terms(self, quote_id: str) -> quote_pb2.ExecutableQuote:
        """See Quotes."""
        try:
            return (await self._stub.GetQuoteTerms(quoting.GetQuoteTermsRequest(quote_id=quote_id))).quote
        except CallError as error:
            if error.reason in ("NOT_FOUND", "INVALID_REQUEST"):  # an id that pricing does not take is no quote's
                raise errors.not_found("quote", quote_id, "ask pricing's RequestQuote for one") from None
            raise errors.dependency_unavailable("pricing") from error

    async def take(self, request_id: str, quote_id: str, side: int, comment: str) -> quote_pb2.ExecutableQuote | str:
        """See Quotes."""
        request = quoting.TakeQuoteRequest(request_id=request_id, quote_id=quote_id, side=side, comment=comment)
        try:
            return (await self._stub.TakeQuote(request)).quote
        except CallError as error:
            if error.reason in ("NOT_FOUND", "WRONG_STATE", "INVALID_REQUEST"):
                return error.message
            raise errors.dependency_unavailable("pricing") from error
