"""What a FIX session keeps: requests that are to be carried out, ids of its orders, how far reports were told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum

import asyncpg

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.store import Database
from services.broker.gateway.words_out import Chain
from services.broker.store.commits import CHANNEL_INSTRUCTIONS

REQUESTS_MAX = 200
"""Requests that are looked at at once."""


class Kind(IntEnum):
    """What a client asked for."""

    PLACE = 1
    CANCEL = 2
    AMEND = 3
    CANCEL_ALL = 4
    STATUS = 5
    STATUS_OF_ALL = 6
    STANDS = 7
    """No request: the mark that the session stands, not done as long as it does."""
    POSITIONS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is not done.

    Attributes:
        tried: whether trading was asked before, so that it may know of it.
        age_s: seconds since it came.
    """

    number: int
    kind: Kind
    account: str
    root: str
    cl_ord_id: str
    content: bytes
    tried: bool
    age_s: float


class Kept:
    """Of one session. Methods with a connection are parts of the caller's transaction."""

    def __init__(self, database: Database, session: str) -> None:
        self._database = database
        self.session = session

    def transaction(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A transaction of the schema."""
        return self._database.transaction()

    async def root(self, connection: asyncpg.Connection, cl_ord_id: str) -> tuple[str, str] | None:
        """The account and the client_order_id of an order, by any of its ids."""
        row = await connection.fetchrow(
            "SELECT account, root FROM fix_chain WHERE session = $1 AND cl_ord_id = $2", self.session, cl_ord_id
        )
        return None if row is None else (row[0], row[1])

    async def ask(
        self, connection: asyncpg.Connection, kind: Kind, account: str, root: str, cl_ord_id: str, content: bytes
    ) -> None:
        """Keeps a request."""
        await connection.execute(
            "INSERT INTO fix_request (session, kind, account, root, cl_ord_id, content) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            self.session,
            int(kind),
            account,
            root,
            cl_ord_id,
            content,
        )
        # Heard when the transaction is committed, and not before.
        await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_INSTRUCTIONS)

    async def begin(self, connection: asyncpg.Connection, account: str, cl_ord_id: str) -> None:
        """An order begins."""
        await self.link(connection, account, cl_ord_id, cl_ord_id)
        await connection.execute(
            "INSERT INTO fix_order (session, account, root, newest, pending) VALUES ($1, $2, $3, $3, '')",
            self.session,
            account,
            cl_ord_id,
        )

    async def link(self, connection: asyncpg.Connection, account: str, root: str, cl_ord_id: str) -> None:
        """Another id of an order."""
        await connection.execute(
            "INSERT INTO fix_chain (session, cl_ord_id, account, root) VALUES ($1, $2, $3, $4)",
            self.session,
            cl_ord_id,
            account,
            root,
        )

    async def chain(self, connection: asyncpg.Connection, account: str, root: str) -> Chain | None:
        """The ids of an order; None if it was not entered on the session."""
        row = await connection.fetchrow(
            "SELECT newest, pending FROM fix_order WHERE session = $1 AND account = $2 AND root = $3 FOR UPDATE",
            self.session,
            account,
            root,
        )
        return None if row is None else Chain(row[0], row[1])

    async def set_chain(self, connection: asyncpg.Connection, account: str, root: str, chain: Chain) -> None:
        """The ids as they are now."""
        await connection.execute(
            "UPDATE fix_order SET newest = $4, pending = $5 WHERE session = $1 AND account = $2 AND root = $3",
            self.session,
            account,
            root,
            chain.newest,
            chain.pending,
        )

    async def undone(self, *, questions: bool = False) -> list[Asked]:
        """Requests that are not done, in their order: what trading is asked, or questions to the ledger."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, kind, account, root, cl_ord_id, content, tried, "
                "extract(epoch FROM clock_timestamp() - create_time)::float8 FROM fix_request "
                "WHERE session = $1 AND NOT done AND kind <> $3 AND (kind = $4) = $5 ORDER BY number LIMIT $2",
                self.session,
                REQUESTS_MAX,
                int(Kind.STANDS),
                int(Kind.POSITIONS),
                questions,
            )
        return [Asked(row[0], Kind(row[1]), *row[2:]) for row in rows]

    async def stands(self, cancels: Sequence[entry.CancelAllRequest]) -> None:
        """The session stands: whoever finds that undone later knows that it was lost. One that was not noted as lost
        before is noted now."""
        async with self._database.transaction() as connection:
            if await self._fallen(connection):
                await self._keep(connection, cancels)
            await self.ask(connection, Kind.STANDS, "", "", "", b"")

    async def falls(self, cancels: Sequence[entry.CancelAllRequest]) -> None:
        """The session is lost, if it stood: the cancels are kept behind what it had sent, and before what comes later.

        Raises:
            StoreError: the database is away; whoever serves the session next does it.
        """
        async with self._database.transaction() as connection:
            if await self._fallen(connection):
                await self._keep(connection, cancels)

    async def _keep(self, connection: asyncpg.Connection, cancels: Sequence[entry.CancelAllRequest]) -> None:
        for each in cancels:
            await self.ask(connection, Kind.CANCEL_ALL, each.account, "", "", each.SerializeToString())

    async def _fallen(self, connection: asyncpg.Connection) -> bool:
        rows = await connection.fetch(
            "UPDATE fix_request SET done = true WHERE session = $1 AND kind = $2 AND NOT done RETURNING number",
            self.session,
            int(Kind.STANDS),
        )
        return bool(rows)

    async def trying(self, numbers: list[int]) -> None:
        """Trading is about to be asked."""
        async with self._database.connection() as connection:
            await connection.execute("UPDATE fix_request SET tried = true WHERE number = ANY($1)", numbers)

    async def done(self, connection: asyncpg.Connection, numbers: list[int]) -> None:
        """These are done."""
        await connection.execute("UPDATE fix_request SET done = true WHERE number = ANY($1)", numbers)

    async def finish(self, numbers: list[int]) -> None:
        """The same in a transaction of its own."""
        async with self._database.transaction() as connection:
            await self.done(connection, numbers)

    async def told(self, account: str) -> int | None:
        """The number of the last report of an account that the session was told; None if it was told none yet."""
        async with self._database.connection() as connection:
            return await connection.fetchval(
                "SELECT last_sequence FROM fix_told WHERE session = $1 AND account = $2", self.session, account
            )

    async def subscribe(self, connection: asyncpg.Connection, request_id: str) -> None:
        """Trades are told from now on; with an empty id no more."""
        await connection.execute(
            "INSERT INTO fix_trades (session, request_id) VALUES ($1, $2) "
            "ON CONFLICT (session) DO UPDATE SET request_id = excluded.request_id",
            self.session,
            request_id,
        )

    async def subscribed(self, connection: asyncpg.Connection) -> bool:
        """Whether trades are told."""
        found = await connection.fetchval("SELECT request_id FROM fix_trades WHERE session = $1", self.session)
        return bool(found)

    async def tell(self, connection: asyncpg.Connection, account: str, last: int) -> None:
        """Reports were told up to a number."""
        await connection.execute(
            "INSERT INTO fix_told (session, account, last_sequence) VALUES ($1, $2, $3) "
            "ON CONFLICT (session, account) DO UPDATE SET last_sequence = excluded.last_sequence",
            self.session,
            account,
            last,
        )
