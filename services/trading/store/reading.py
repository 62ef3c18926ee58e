"""The reading half: orders, reports and answers that were committed, by whichever instance."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from crossrate.store.database import BROKEN_CONNECTION, Database
from crossrate.store.errors import StoreUnavailable
from services.trading.store.commits import load

PAYLOADS = "SELECT seq, payload FROM journal WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3"

KNOWN = """
SELECT account, client_order_id, order_id::text, digest, first_sequence, margin FROM client_order
WHERE (account, client_order_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))"""


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order that was entered before, as far as a repetition needs it."""

    order_id: str
    digest: bytes
    first_sequence: int
    margin: bytes


class Reading:
    """Reads on connections of the pool.

    Every method raises StoreUnavailable while the database is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def _looking_up(self) -> asyncpg.Connection:
        """A connection for what every entry asks: the pool's would be reset after each use."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._database.dedicated()
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(asyncpg.InterfaceError, OSError):
                self._connection.terminate()
        self._connection = None

    async def close(self) -> None:
        """Closes what is not of the pool."""
        self._close()

    async def known_orders(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], KnownOrder]:
        """The orders of some accounts and clients' ids that were entered before."""
        async with self._turn:
            connection = await self._looking_up()
            try:
                rows = await connection.fetch(KNOWN, [key[0] for key in keys], [key[1] for key in keys])
            except BaseException as error:
                self._close()
                if isinstance(error, BROKEN_CONNECTION):
                    raise StoreUnavailable(f"the database connection broke: {error}") from error
                raise
        return {(row[0], row[1]): KnownOrder(*row[2:]) for row in rows}

    async def known_request(self, account: str, request_id: str) -> tuple[bytes, bytes] | None:
        """Digest and answer of a request that was answered before."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT digest, answer FROM account_request WHERE account = $1 AND request_id = $2", account, request_id
            )
        return None if row is None else (row[0], row[1])

    async def event(self, account: str, sequence: int) -> bytes | None:
        """One report's event, encoded."""
        async with self._database.connection() as connection:
            return await connection.fetchval(
                "SELECT payload FROM journal WHERE stream = $1 AND seq = $2", f"accounts/{account}", sequence
            )

    async def events(self, account: str, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Reports' events after a number, encoded, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(PAYLOADS, f"accounts/{account}", after, limit)
        return [(row[0], row[1]) for row in rows]

    async def events_of(self, account: str, sequences: Sequence[int]) -> list[bytes]:
        """Some reports' events, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT payload FROM journal WHERE stream = $1 AND seq = ANY ($2::bigint[]) ORDER BY seq",
                f"accounts/{account}",
                list(sequences),
            )
        return [row[0] for row in rows]

    async def last_sequence(self, account: str) -> int:
        """Number of the newest report of an account; 0 for none."""
        async with self._database.connection() as connection:
            found = await connection.fetchval(
                "SELECT last_seq FROM journal_head WHERE stream = $1", f"accounts/{account}"
            )
        return found or 0

    async def order(self, account: str, name: str) -> tuple[bytes, list[int]] | None:
        """An order by the client's id or the platform's, and the numbers of its reports."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT content, sequences FROM client_order WHERE account = $1 AND client_order_id = $2", account, name
            )
            if row is None:
                row = await connection.fetchrow(
                    "SELECT content, sequences FROM client_order WHERE account = $1 AND order_id::text = $2",
                    account,
                    name,
                )
        return None if row is None else (row[0], list(row[1]))

    async def orders(
        self, account: str, before: int, limit: int, *, working: bool, instrument: str, strategy: str
    ) -> list[tuple[int, bytes]]:
        """Orders entered before a number (0 for all), newest first, each with the number of its first report."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT first_sequence, content FROM client_order WHERE account = $1 "
                "AND ($2 = 0 OR first_sequence < $2) AND ($4 = false OR working) "
                "AND ($5 = '' OR instrument = $5) AND ($6 = '' OR strategy = $6) "
                "ORDER BY first_sequence DESC LIMIT $3",
                account,
                before,
                limit,
                working,
                instrument,
                strategy,
            )
        return [(row[0], row[1]) for row in rows]

    async def fill(self, venue: str, venue_exec_id: str) -> tuple[str, bytes, bool] | None:
        """A fill: the order's id, what it is now, and whether it was taken back."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT order_id::text, content, withdrawn FROM fill WHERE venue = $1 AND venue_exec_id = $2",
                venue,
                venue_exec_id,
            )
        return None if row is None else (row[0], row[1], row[2])

    async def fills(self, venue: str, exec_ids: Sequence[str]) -> list[tuple[str, str, str, bytes, bool]]:
        """Fills of a venue by its ids: id, account, order, what it is now, and whether it was taken back."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT venue_exec_id, account, order_id::text, content, withdrawn FROM fill "
                "WHERE venue = $1 AND venue_exec_id = ANY ($2)",
                venue,
                list(exec_ids),
            )
        return [tuple(row) for row in rows]

    async def exec_ids(self, order_id: str) -> list[str]:
        """The venues' ids of an order's fills."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT venue_exec_id FROM fill WHERE order_id = $1::text::uuid", order_id)
        return [row[0] for row in rows]

    async def account_names(self, after: str, limit: int) -> list[str]:
        """Accounts that ever had an order, by name, after one."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT substr(stream, 10) FROM journal_head WHERE stream LIKE 'accounts/%' AND stream > $1 "
                "ORDER BY stream LIMIT $2",
                f"accounts/{after}",
                limit,
            )
        return [row[0] for row in rows]

    async def accounts(self, names: Sequence[str]) -> list:
        """Accounts as they are committed, each consistent in itself."""
        async with self._database.connection() as connection:
            return [await _at_one_moment(connection, name) for name in names]


async def _at_one_moment(connection: asyncpg.Connection, name: str):
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await load(connection, name)
