"""What is kept of accounts as the v20 API sees them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import asyncpg

from crossrate.store import Database
from services.broker.oanda import words
from services.broker.oanda.book import PENDING, Book, Json, is_open

LIST_MAX = 500


def _text(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


class Kept:
    """Of one account. Methods with a connection are parts of the caller's transaction."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self.account = account

    def transaction(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A transaction of the schema."""
        return self._database.transaction()

    async def lock(self, connection: asyncpg.Connection) -> asyncpg.Record | None:
        """The account's row, which no other instance changes until the transaction ends."""
        return await connection.fetchrow(
            "SELECT currency, last_report, last_transaction FROM v20_account WHERE account = $1 FOR UPDATE",
            self.account,
        )

    async def begin(self, connection: asyncpg.Connection, book: Book) -> None:
        """The account is new; of several instances the first one's counts."""
        status = await connection.execute(
            "INSERT INTO v20_account (account, currency, last_report, last_transaction) VALUES ($1, $2, 0, 0) "
            "ON CONFLICT DO NOTHING",
            self.account,
            book.currency,
        )
        if status.endswith(" 1"):
            await self.write(connection, book)

    async def load(self, connection: asyncpg.Connection, row: asyncpg.Record) -> Book:
        """The book as it is kept: what is open."""
        orders = await connection.fetch("SELECT content FROM v20_order WHERE account = $1 AND open", self.account)
        trades = await connection.fetch("SELECT content FROM v20_trade WHERE account = $1 AND open", self.account)
        book = Book(self.account, row["currency"], row["last_report"], row["last_transaction"])
        book.orders = {each["id"]: each for each in (json.loads(o[0]) for o in orders)}
        book.trades = {each["id"]: each for each in (json.loads(t[0]) for t in trades)}
        return book

    async def recall(self, connection: asyncpg.Connection, book: Book, roots: Sequence[str]) -> dict[str, Json]:
        """Ended orders of some roots into the book, and what was asked for of them."""
        missing = [each for each in roots if book.order_of(each) is None]
        if missing:
            rows = await connection.fetch(
                "SELECT content FROM v20_order WHERE account = $1 AND root = ANY($2)", self.account, missing
            )
            book.orders |= {each["id"]: each for each in (json.loads(row[0]) for row in rows)}
        rows = await connection.fetch(
            "SELECT root, content FROM v20_request WHERE account = $1 AND root = ANY($2)", self.account, list(roots)
        )
        return {row[0]: json.loads(row[1]) for row in rows}

    async def write(self, connection: asyncpg.Connection, book: Book) -> None:
        """What is new in the book."""
        await connection.execute(
            "UPDATE v20_account SET last_report = $2, last_transaction = $3 WHERE account = $1",
            self.account,
            book.last_report,
            book.last_transaction,
        )
        if book.transactions:
            await connection.executemany(
                "INSERT INTO v20_transaction (account, id, type, order_id, root, time, content) "
                "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::float8), $7)",
                [self._transaction_row(each) for each in book.transactions],
            )
        if book.changed_orders:
            await connection.executemany(
                "INSERT INTO v20_order (account, id, root, client_id, instrument, open, content) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account, id) DO UPDATE "
                "SET open = excluded.open, content = excluded.content, client_id = excluded.client_id",
                [self._order_row(book.orders[each]) for each in sorted(book.changed_orders)],
            )
        if book.changed_trades:
            await connection.executemany(
                "INSERT INTO v20_trade (account, id, client_id, instrument, open, content) "
                "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account, id) DO UPDATE "
                "SET open = excluded.open, content = excluded.content, client_id = excluded.client_id",
                [self._trade_row(book.trades[each]) for each in sorted(book.changed_trades)],
            )

    def _transaction_row(self, each: Json) -> tuple[Any, ...]:
        created = each["type"].endswith("_ORDER")
        order_id = int(each["id"]) if created else int(each["orderID"]) if "orderID" in each else None
        seconds = (words.time_ns_of(each["time"]) or 0) / 1e9
        return self.account, int(each["id"]), each["type"], order_id, each.get("_root"), seconds, _text(each)

    def _order_row(self, each: Json) -> tuple[Any, ...]:
        client_id = each.get("clientExtensions", {}).get("id")
        name, still_open = words.name_of(each["_instrument"]), each["state"] == PENDING
        return self.account, int(each["id"]), each["_root"], client_id, name, still_open, _text(each)

    def _trade_row(self, each: Json) -> tuple[Any, ...]:
        client_id = each.get("clientExtensions", {}).get("id")
        return self.account, int(each["id"]), client_id, each["instrument"], is_open(each), _text(each)

    # Requests.

    async def ask(self, root: str, client_id: str | None, content: Json) -> Json | None:
        """Keeps what a program asks for. If the client's id was used before, what was asked for then, and nothing is
        kept."""
        async with self._database.transaction() as connection:
            status = await connection.execute(
                "INSERT INTO v20_request (account, root, client_id, content) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT DO NOTHING",
                self.account,
                root,
                client_id,
                _text(content),
            )
            if status.endswith(" 1"):
                return None
            row = await connection.fetchrow(
                "SELECT root, content FROM v20_request WHERE account = $1 AND (client_id = $2 OR root = $3)",
                self.account,
                client_id,
                root,
            )
        return {**json.loads(row[1]), "_root": row[0]}

    # Reading.

    async def account_row(self) -> asyncpg.Record | None:
        """The account."""
        async with self._database.connection() as connection:
            return await connection.fetchrow(
                "SELECT currency, last_report, last_transaction FROM v20_account WHERE account = $1", self.account
            )

    async def _contents(self, statement: str, *values: Any) -> list[Json]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(statement, self.account, *values)
        return [json.loads(row[0]) for row in rows]

    async def transactions(self, first: int, last: int, types: Sequence[str] = (), limit: int = 1000) -> list[Json]:
        """Transactions of a range of ids, oldest first."""
        return await self._contents(
            "SELECT content FROM v20_transaction WHERE account = $1 AND id BETWEEN $2 AND $3 "
            "AND ($4::text[] = '{}' OR type = ANY($4)) ORDER BY id LIMIT $5",
            first,
            last,
            list(types),
            limit,
        )

    async def range_of(self, from_ns: int, to_ns: int, types: Sequence[str]) -> list[int]:
        """Ids of the transactions of a range of times; at most ten thousand."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT id FROM v20_transaction WHERE account = $1 AND time >= to_timestamp($2::float8) "
                "AND time < to_timestamp($3::float8) AND ($4::text[] = '{}' OR type = ANY($4)) ORDER BY id LIMIT 10000",
                self.account,
                from_ns / 1e9,
                to_ns / 1e9,
                list(types),
            )
        return [row[0] for row in rows]

    async def about(self, order_id: int) -> list[Json]:
        """Transactions about an order, oldest first."""
        return await self._contents(
            "SELECT content FROM v20_transaction WHERE account = $1 AND order_id = $2 ORDER BY id LIMIT 1000", order_id
        )

    async def refused(self, root: str) -> list[Json]:
        """The transaction that refused an order."""
        return await self._contents("SELECT content FROM v20_transaction WHERE account = $1 AND root = $2", root)

    async def orders_of(self, root: str) -> list[Json]:
        """The v20 orders of one of trading's, newest first."""
        return await self._contents(
            "SELECT content FROM v20_order WHERE account = $1 AND root = $2 ORDER BY id DESC LIMIT 100", root
        )

    async def order(self, specifier: str) -> Json | None:
        """An order by its id, or by "@" and the client's."""
        column, value = _specified(specifier)
        found = await self._contents(
            f"SELECT content FROM v20_order WHERE account = $1 AND {column} = $2 ORDER BY id DESC LIMIT 1", value
        )
        return found[0] if found else None

    async def trade(self, specifier: str) -> Json | None:
        """The same of a trade."""
        column, value = _specified(specifier)
        found = await self._contents(
            f"SELECT content FROM v20_trade WHERE account = $1 AND {column} = $2 ORDER BY id DESC LIMIT 1", value
        )
        return found[0] if found else None

    async def earned(self) -> dict[tuple[str, bool], Decimal]:
        """What the trades of each instrument have realised, by instrument and whether they were long."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT instrument, (content::jsonb->>'initialUnits')::numeric > 0, "
                "sum((content::jsonb->>'realizedPL')::numeric) FROM v20_trade WHERE account = $1 GROUP BY 1, 2",
                self.account,
            )
        return {(row[0], row[1]): row[2] for row in rows}

    async def listed(self, table: str, wanted: Json) -> list[Json]:
        """Orders or trades, newest first.

        Args:
            table: "v20_order" or "v20_trade".
            wanted: `open` (None for all), `instrument`, `ids`, `before`, `count`.
        """
        assert table in ("v20_order", "v20_trade")
        return await self._contents(
            f"SELECT content FROM {table} WHERE account = $1 AND ($2::boolean IS NULL OR open = $2) "
            "AND ($3::text IS NULL OR instrument = $3) AND ($4::bigint[] IS NULL OR id = ANY($4)) "
            "AND ($5::bigint IS NULL OR id < $5) ORDER BY id DESC LIMIT $6",
            wanted.get("open"),
            wanted.get("instrument"),
            wanted.get("ids"),
            wanted.get("before"),
            wanted.get("count", LIST_MAX),
        )


def _specified(specifier: str) -> tuple[str, str | int]:
    if specifier.startswith("@"):
        return "client_id", specifier[1:]
    return "id", int(specifier) if specifier.isdecimal() and len(specifier) < 19 else -1
