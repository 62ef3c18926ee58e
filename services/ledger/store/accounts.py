"""Where accounts are kept: the port, and PostgreSQL behind it. An account, its fact and the answer commit together."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import asyncpg

from crossrate.api.ledger.v1 import account_events_pb2, account_pb2, account_service_pb2, book_pb2
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.fenced import FencedRequests
from crossrate.store.journal import Fact, Journal, Lease
from services.ledger import messages
from services.ledger.domain.book import Book
from services.ledger.store.books import lock_books

STREAM = "accounts"
"""The journal's stream: every change of every account, in order of commit."""
LEASE = "accounts"
SUBJECT = "crossrate.ledger.v1.account_changed.{account}"


class AccountExists(ValueError):
    """There is an account of that name, with other terms."""


class NoSuchAccount(LookupError):
    """There is no account of that name."""


class VersionPassed(ValueError):
    """The account changed since it was read."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"version {actual}, not {expected}")
        self.expected = expected
        self.actual = actual


class ChangeRefused(ValueError):
    """The account's state does not admit the change."""

    def __init__(self, state: str, words: str) -> None:
        super().__init__(words)
        self.state = state


def change_fault(before: account_pb2.Account, after: account_pb2.Account, book: Book | None) -> tuple[str, str] | None:
    """Why an account cannot be changed, as state and words; None if it can."""
    closed = account_pb2.ACCOUNT_STATUS_CLOSED
    if before.status == closed:
        return "ACCOUNT_STATUS_CLOSED", "account.status: it is closed for ever; open another account"
    if book is None or not book.last_entry:
        return None
    for name in ("currency", "position_mode", "cost_method"):
        if getattr(before, name) != getattr(after, name):
            return "HAS_ENTRIES", f"account.{name}: fixed since the first entry; open another account"
    if after.status == closed and not book.empty:
        return "HAS_BALANCES", "account.status: close its positions and withdraw its cash first"
    return None


class Accounts(Protocol):
    """The port."""

    async def open(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """Opens an account once and returns the answer, an OpenAccountResponse.

        Raises:
            AccountExists: there is one of that name with other terms.
            RequestIdReused, StoreUnavailable, OutcomeUnknown: as `RequestLog.once`.
        """
        ...

    async def change(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """Changes an account once and returns the answer, a ChangeAccountResponse.

        Raises:
            NoSuchAccount, VersionPassed, ChangeRefused: it cannot be.
            RequestIdReused, StoreUnavailable, OutcomeUnknown: as `RequestLog.once`.
        """
        ...

    async def rehearse(self, account: account_pb2.Account) -> account_pb2.Account:
        """What a change would come to; raises as `change`."""
        ...

    async def get(self, name: str) -> account_pb2.Account | None:
        """An account, or None."""
        ...

    async def page(self, desk: str, after: str, size: int, granted: list[str]) -> list[account_pb2.Account]:
        """Accounts whose names come after one and match a pattern in `granted`, by name; of one desk, or of all."""
        ...


class PostgresAccounts:
    """Accounts in the service's schema. Any instance may write: it takes the journal's lease over if it has to."""

    def __init__(self, database: Database, holder: str) -> None:
        """`holder` names this instance in the lease."""
        self._database = database
        self._journal = Journal(database)
        self._requests = FencedRequests(database, LEASE, holder)

    async def open(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """See Accounts."""

        async def work(connection: asyncpg.Connection, lease: Lease) -> bytes:
            opened = await self._opened(connection, lease, request_id, account, now)
            return account_service_pb2.OpenAccountResponse(account=opened).SerializeToString()

        return await self._requests.once(request_id, body, work)

    async def change(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """See Accounts."""

        async def work(connection: asyncpg.Connection, lease: Lease) -> bytes:
            changed = await self._changed(connection, account)
            await self._write(connection, lease, request_id, changed, now)
            return account_service_pb2.ChangeAccountResponse(account=changed).SerializeToString()

        return await self._requests.once(request_id, body, work)

    async def rehearse(self, account: account_pb2.Account) -> account_pb2.Account:
        """See Accounts."""
        async with self._database.transaction() as connection:
            return await self._changed(connection, account)

    async def get(self, name: str) -> account_pb2.Account | None:
        """See Accounts."""
        async with self._database.connection() as connection:
            message = await connection.fetchval("SELECT message FROM account WHERE account = $1", name)
        return None if message is None else account_pb2.Account.FromString(message)

    async def page(self, desk: str, after: str, size: int, granted: list[str]) -> list[account_pb2.Account]:
        """See Accounts."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT message FROM account WHERE account > $1 AND ($2 = '' OR desk = $2) AND account LIKE ANY ($4) "
                "ORDER BY account LIMIT $3",
                after,
                desk,
                size,
                granted,
            )
        return [account_pb2.Account.FromString(row["message"]) for row in rows]

    async def forget_answers(self, older_than_s: float) -> int:
        """Deletes answers to request ids older than that and returns how many; at most 10,000 a call.

        Raises:
            StoreUnavailable: the database is away.
        """
        return await self._requests.forget(older_than_s)

    async def _opened(
        self, connection: asyncpg.Connection, lease: Lease, request_id: str, account: account_pb2.Account, now: datetime
    ) -> account_pb2.Account:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('account'), hashtext($1))", account.account)
        known = await connection.fetchval("SELECT message FROM account WHERE account = $1", account.account)
        if known is not None:
            existing = account_pb2.Account.FromString(known)
            if _terms(existing) != _terms(account):
                raise AccountExists(account.account)
            return existing
        opened = account_pb2.Account()
        opened.CopyFrom(account)
        opened.version = 1
        opened.create_time.FromDatetime(now)
        await self._write(connection, lease, request_id, opened, now)
        return opened

    async def _changed(self, connection: asyncpg.Connection, account: account_pb2.Account) -> account_pb2.Account:
        """What an account is after a change. Nobody books on it until the transaction ends."""
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('account'), hashtext($1))", account.account)
        await lock_books(connection)
        row = await connection.fetchrow(
            "SELECT a.message, b.last_entry, b.message AS book FROM account a LEFT JOIN book b USING (account) "
            "WHERE account = $1",
            account.account,
        )
        if row is None:
            raise NoSuchAccount(account.account)
        before = account_pb2.Account.FromString(row["message"])
        if before.version != account.version:
            raise VersionPassed(account.version, before.version)
        book = messages.book_of(book_pb2.Book.FromString(row["book"])) if row["book"] is not None else None
        if words := change_fault(before, account, book):
            raise ChangeRefused(*words)
        changed = account_pb2.Account()
        changed.CopyFrom(account)
        changed.version = before.version + 1
        changed.create_time.CopyFrom(before.create_time)
        return changed

    async def _write(
        self,
        connection: asyncpg.Connection,
        lease: Lease,
        request_id: str,
        opened: account_pb2.Account,
        now: datetime,
    ) -> None:
        fact = account_events_pb2.AccountChanged(account=opened, request_id=request_id)
        call = current_or_none()
        await self._journal.append(
            connection,
            lease,
            STREAM,
            [
                Fact(
                    subject=SUBJECT.format(account=opened.account),
                    type=fact.DESCRIPTOR.full_name,
                    payload=fact.SerializeToString(),
                    time_ns=int(now.timestamp()) * 1_000_000_000 + now.microsecond * 1000,
                    request_id=request_id,
                    traceparent=call.traceparent if call is not None else "",
                )
            ],
        )
        await connection.execute(
            "INSERT INTO account (account, desk, version, message) VALUES ($1, $2, $3, $4) ON CONFLICT (account) "
            "DO UPDATE SET desk = excluded.desk, version = excluded.version, message = excluded.message",
            opened.account,
            opened.desk,
            opened.version,
            opened.SerializeToString(),
        )


def _terms(account: account_pb2.Account) -> bytes:
    """What the client chose: everything but version and time."""
    terms = account_pb2.Account()
    terms.CopyFrom(account)
    terms.ClearField("version")
    terms.ClearField("create_time")
    return terms.SerializeToString(deterministic=True)
