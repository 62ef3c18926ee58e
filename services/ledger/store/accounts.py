"""Where accounts are kept: the port, and PostgreSQL behind it. An account, its fact and the answer commit together."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import asyncpg

from crossrate.api.ledger.v1 import account_events_pb2, account_pb2, account_service_pb2
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.errors import StaleWriter
from crossrate.store.journal import Fact, Journal, Lease
from crossrate.store.requests import RequestLog

STREAM = "accounts"
"""The journal's stream: every change of every account, in order of commit."""
LEASE = "accounts"
SUBJECT = "crossrate.ledger.v1.account_changed.{account}"
TAKE_OVERS_MAX = 3
"""How often a write takes the lease before it gives up. Two instances overlap only while one replaces the other."""


class AccountExists(ValueError):
    """There is an account of that name, with other terms."""


class Accounts(Protocol):
    """The port."""

    async def open(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """Opens an account once and returns the answer, an OpenAccountResponse.

        Raises:
            AccountExists: there is one of that name with other terms.
            RequestIdReused, StoreUnavailable, OutcomeUnknown: as `RequestLog.once`.
        """
        ...

    async def get(self, name: str) -> account_pb2.Account | None:
        """An account, or None."""
        ...

    async def page(self, desk: str, after: str, size: int) -> list[account_pb2.Account]:
        """Accounts whose names come after one, by name; of one desk, or of all for ""."""
        ...


class PostgresAccounts:
    """Accounts in the service's schema. Any instance may write: it takes the journal's lease over if it has to."""

    def __init__(self, database: Database, holder: str) -> None:
        """`holder` names this instance in the lease."""
        self._database = database
        self._journal = Journal(database)
        self._requests = RequestLog(database)
        self._holder = holder
        self._lease: Lease | None = None

    async def open(self, request_id: str, account: account_pb2.Account, body: bytes, now: datetime) -> bytes:
        """See Accounts."""
        for attempt in range(1, TAKE_OVERS_MAX + 1):
            lease = self._lease or await self._take_lease()

            async def work(connection: asyncpg.Connection, lease: Lease = lease) -> bytes:
                opened = await self._opened(connection, lease, request_id, account, now)
                return account_service_pb2.OpenAccountResponse(account=opened).SerializeToString()

            try:
                return await self._requests.once(request_id, body, work)
            except StaleWriter:
                if self._lease is lease:
                    self._lease = None
                if attempt == TAKE_OVERS_MAX:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def get(self, name: str) -> account_pb2.Account | None:
        """See Accounts."""
        async with self._database.connection() as connection:
            message = await connection.fetchval("SELECT message FROM account WHERE account = $1", name)
        return None if message is None else account_pb2.Account.FromString(message)

    async def page(self, desk: str, after: str, size: int) -> list[account_pb2.Account]:
        """See Accounts."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT message FROM account WHERE account > $1 AND ($2 = '' OR desk = $2) ORDER BY account LIMIT $3",
                after,
                desk,
                size,
            )
        return [account_pb2.Account.FromString(row["message"]) for row in rows]

    async def forget_answers(self, older_than_s: float) -> int:
        """Deletes answers to request ids older than that and returns how many; at most 10,000 a call.

        Raises:
            StoreUnavailable: the database is away.
        """
        return await self._requests.forget(older_than_s)

    async def _take_lease(self) -> Lease:
        lease = await Lease.acquire(self._database, LEASE, self._holder, take_over=True)
        self._lease = lease
        return lease

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
            "INSERT INTO account (account, desk, version, message) VALUES ($1, $2, $3, $4)",
            opened.account,
            opened.desk,
            opened.version,
            opened.SerializeToString(),
        )
        return opened


def _terms(account: account_pb2.Account) -> bytes:
    """What the client chose: everything but version and time."""
    terms = account_pb2.Account()
    terms.CopyFrom(account)
    terms.ClearField("version")
    terms.ClearField("create_time")
    return terms.SerializeToString(deterministic=True)
