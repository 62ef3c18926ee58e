"""Work on the books for one request: done once, in one transaction with its answer, or only rehearsed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

import asyncpg
from google.protobuf.message import Message

from crossrate.api.ledger.v1 import account_pb2
from crossrate.basics.currency import CURRENCIES
from crossrate.rpc import errors
from crossrate.store.requests import RequestLog, body_of
from services.ledger import messages
from services.ledger.domain import amounts
from services.ledger.service.failures import failures
from services.ledger.store.books import Books, Kept, Writing

A = TypeVar("A", bound=Message)
Work = Callable[[Writing], Awaitable[Message]]


class _Rehearsed(Exception):
    """Takes the answer out of a transaction that is not to be committed."""

    def __init__(self, answer: Message) -> None:
        self.answer = answer


class Booking:
    """Does requests on the books."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._requests = RequestLog(books.database)

    async def once(self, request: Any, work: Work, answer: type[A]) -> A:
        """The answer to a request, done if it was not before; `validate_only` leaves nothing behind.

        Raises:
            Failure: as `failures`, or what the work raises.
        """

        async def done(connection: asyncpg.Connection) -> bytes:
            return (await work(await self._books.writing(connection))).SerializeToString()

        with failures(request.request_id):
            if not getattr(request, "validate_only", False):
                kept = await self._requests.once(request.request_id, body_of(request), done)
                return answer.FromString(kept)
            try:
                async with self._books.database.transaction() as connection:
                    raise _Rehearsed(await work(await self._books.writing(connection)))
            except _Rehearsed as rehearsed:
                return answer.FromString(rehearsed.answer.SerializeToString())


async def open_account(writing: Writing, name: str) -> Kept:
    """An account's book, if money may move on it.

    Raises:
        UnknownAccount: nobody opened it.
        Failure: it is closed.
    """
    kept = await writing.one(name)
    if kept.account.status == account_pb2.ACCOUNT_STATUS_CLOSED:
        raise errors.wrong_state("ACCOUNT_STATUS_CLOSED", f"account {name} is closed: nothing moves on it any more")
    return kept


def money_of(field: str, text: str, currency_field: str, currency: str) -> int:
    """An amount that a currency can pay.

    Raises:
        Failure: no such currency, or it has fewer places.
    """
    known = CURRENCIES.get(currency)
    if known is None or not known.alive:
        words = "is none of the platform's living currencies: ListCurrencies names them"
        raise errors.invalid((currency_field, f"{currency} {words}"))
    money = amounts.money(text)
    if money % 10 ** (amounts.MONEY_PLACES - known.minor_units):
        raise errors.invalid((field, f"{currency} has {known.minor_units} decimal places"))
    return money


def day_of(field: str, request: Any, name: str, otherwise: date) -> date:
    """A date of a request, or another where it is left out.

    Raises:
        Failure: it is no date.
    """
    if not request.HasField(name):
        return otherwise
    try:
        return messages.date_of(getattr(request, name))
    except ValueError:
        raise errors.invalid((field, "is no date of the calendar")) from None
