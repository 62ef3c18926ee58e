"""Where quotes are kept: the port, and PostgreSQL behind it.

A quote leaves ACTIVE by one statement that names the state and the time it must find, so of any number of takers one
finds it. Time is the database's clock: every instance has the same one, and a quote's life is counted on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg

from crossrate.store.database import Database
from crossrate.store.requests import RequestLog

ACTIVE, EXPIRED, CANCELLED, EXECUTED = "ACTIVE", "EXPIRED", "CANCELLED", "EXECUTED"
"""States, as in the contract."""


@dataclass(frozen=True, slots=True)
class End:
    """How a quote ends: in which state, why, and for an execution which side."""

    state: str
    comment: str
    side: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A quote as it was made, its state by the database's clock, and its end and when that was if somebody ended it."""

    content: bytes
    state: str
    end: End | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """A quote to be kept, with the snapshot that it was made on.

    `content` makes the quote from the moments between which it lives.
    """

    quote_id: str
    validity: timedelta
    snapshot: tuple[str, datetime, str, int]
    snapshot_content: bytes
    content: Callable[[datetime, datetime], tuple[bytes, bytes]]


class NoSuchQuote(LookupError):
    """There is no quote of that id, or it is not kept any more."""


class NotActive(Exception):
    """The quote has ended: it expired, was withdrawn or executed."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the quote is {state}")
        self.state = state


class QuoteStore(Protocol):
    """The port. Contents and answers are messages as bytes.

    All of its methods raise StoreUnavailable while the database is away; those with a request id also RequestIdReused
    if it came before with another body, and OutcomeUnknown if it could not be learned whether they were done.
    """

    async def answered(self, request_id: str, body: bytes) -> bytes | None:
        """The answer that a request was given before, or None."""
        ...

    async def put(self, request_id: str, body: bytes, fresh: Fresh) -> bytes:
        """Keeps a quote and its snapshot once for a request id, and returns the answer: this one, or the one before."""
        ...

    async def get(self, quote_id: str) -> Kept:
        """A quote as it stands.

        Raises:
            NoSuchQuote: there is none.
        """
        ...

    async def end(
        self,
        request_id: str,
        body: bytes,
        quote_id: str,
        wanted: Callable[[bytes], End],
        answer: Callable[[Kept], bytes],
    ) -> bytes:
        """Ends an active quote once for a request id, and returns the answer: this one, or that of the request before.

        Args:
            wanted: from the quote to how it should end; what it raises leaves the quote as it was.
            answer: from the quote, ended, to the answer.

        Raises:
            NoSuchQuote: there is none.
            NotActive: it ended before.
        """
        ...


class PostgresQuotes:
    """Quotes in the service's schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def answered(self, request_id: str, body: bytes) -> bytes | None:
        """See QuoteStore."""
        return await self._requests.known(request_id, body)

    async def put(self, request_id: str, body: bytes, fresh: Fresh) -> bytes:
        """See QuoteStore."""

        async def work(connection: asyncpg.Connection) -> bytes:
            created = await connection.fetchval("SELECT clock_timestamp()")
            until = created + fresh.validity
            content, answer = fresh.content(created, until)
            await connection.execute(
                "WITH kept AS (INSERT INTO snapshot (id, as_of, market, market_version, content) "
                "VALUES ($1, $2, $3, $4, $5)) "
                "INSERT INTO quote (id, snapshot_id, create_time, valid_until_time, content) "
                "VALUES ($6, $1, $7, $8, $9)",
                *fresh.snapshot,
                fresh.snapshot_content,
                fresh.quote_id,
                created,
                until,
                content,
            )
            return answer

        return await self._requests.once(request_id, body, work)

    async def get(self, quote_id: str) -> Kept:
        """See QuoteStore."""
        async with self._database.connection() as connection:
            return await _read(connection, quote_id)

    async def end(
        self,
        request_id: str,
        body: bytes,
        quote_id: str,
        wanted: Callable[[bytes], End],
        answer: Callable[[Kept], bytes],
    ) -> bytes:
        """See QuoteStore."""

        async def work(connection: asyncpg.Connection) -> bytes:
            kept = await _read(connection, quote_id)
            end = wanted(kept.content)
            # The clock is read again where the row is found: waiting for another taker may have outlasted the quote.
            moment = await connection.fetchval(
                "UPDATE quote SET state = $2, executed_side = $3, end_time = clock_timestamp(), end_request_id = $4, "
                "end_comment = $5 WHERE id = $1 AND state = 'ACTIVE' AND clock_timestamp() < valid_until_time "
                "RETURNING end_time",
                quote_id,
                end.state,
                end.side or None,
                request_id,
                end.comment,
            )
            if moment is None:
                state = (await _read(connection, quote_id)).state
                raise NotActive(EXPIRED if state == ACTIVE else state)
            return answer(Kept(kept.content, end.state, end, moment))

        return await self._requests.once(request_id, body, work)

    async def forget(self, older_than_s: float, limit: int = 10_000) -> int:
        """Deletes quotes that ended without execution longer ago, at most `limit`, and returns how many.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            status = await connection.execute(
                "DELETE FROM quote WHERE id IN (SELECT id FROM quote WHERE state <> 'EXECUTED' "
                "AND valid_until_time < clock_timestamp() - $1 * interval '1 second' "
                "ORDER BY valid_until_time LIMIT $2)",
                older_than_s,
                limit,
            )
        return int(status.split()[-1])


async def _read(connection: asyncpg.Connection, quote_id: str) -> Kept:
    row = await connection.fetchrow(
        "SELECT content, executed_side, end_time, end_comment, CASE WHEN state = 'ACTIVE' "
        "AND clock_timestamp() >= valid_until_time THEN 'EXPIRED' ELSE state END AS state FROM quote WHERE id = $1",
        quote_id,
    )
    if row is None:
        raise NoSuchQuote(quote_id)
    if row["end_time"] is None:
        return Kept(row["content"], row["state"])
    end = End(row["state"], row["end_comment"], row["executed_side"] or 0)
    return Kept(row["content"], row["state"], end, row["end_time"])
