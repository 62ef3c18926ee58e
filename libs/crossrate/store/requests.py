"""One effect for one request id: the answer is kept with the effect, and given again to a repetition."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import asyncpg
from google.protobuf.message import Message

from crossrate.store.database import Database
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreError, StoreUnavailable

ANSWER_BYTES_MAX = 1_048_576
_SETTLE_S_MAX = 5.0


def body_of(request: Message) -> bytes:
    """What a repetition of a request has in common with it: everything but `request_id`."""
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField("request_id")
    return body.SerializeToString(deterministic=True)


class RequestLog:
    """The answers that a service has given, by request id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, connection: asyncpg.Connection, request_id: str, body: bytes) -> bytes | None:
        """Claims a request id within the caller's transaction; None means that the work is the caller's to do.

        Otherwise the answer that was given before. A second call with the same id waits until the first one's
        transaction has ended. Who gets None calls `answer` before the end of the transaction.

        Raises:
            RequestIdReused: the id came before with another body.
        """
        digest = hashlib.sha256(body).digest()
        claimed = await connection.fetchval(
            "INSERT INTO request (request_id, body_sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
            request_id,
            digest,
        )
        if claimed:
            return None
        row = await connection.fetchrow("SELECT body_sha256, answer FROM request WHERE request_id = $1", request_id)
        if row is None:
            raise StoreUnavailable(f"request {request_id!r} was being forgotten just now")
        if row["body_sha256"] != digest:
            raise RequestIdReused(request_id)
        if row["answer"] is None:
            raise StoreError(f"request {request_id!r} was committed without its answer: call `answer` after `claim`")
        return row["answer"]

    async def known(self, request_id: str, body: bytes) -> bytes | None:
        """The answer that a request was given before, or None; claims nothing.

        For work that asks others first: whoever gets None still calls `once`, which decides.

        Raises:
            RequestIdReused: the id came before with another body.
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow("SELECT body_sha256, answer FROM request WHERE request_id = $1", request_id)
        if row is None:
            return None
        if row["body_sha256"] != hashlib.sha256(body).digest():
            raise RequestIdReused(request_id)
        return row["answer"]

    async def answer(self, connection: asyncpg.Connection, request_id: str, answer: bytes) -> None:
        """Keeps the answer, in the same transaction.

        Raises:
            ValueError: it is larger than ANSWER_BYTES_MAX.
        """
        if len(answer) > ANSWER_BYTES_MAX:
            raise ValueError(f"an answer of {len(answer)} bytes; at most {ANSWER_BYTES_MAX} are kept")
        await connection.execute("UPDATE request SET answer = $2 WHERE request_id = $1", request_id, answer)

    async def once(self, request_id: str, body: bytes, work: Callable[[asyncpg.Connection], Awaitable[bytes]]) -> bytes:
        """Does the work of a request exactly once, in one transaction with its answer, and returns the answer.

        If the connection breaks during the commit, the request id is looked up: the caller gets the true outcome, or
        OutcomeUnknown if the database stays away. Then the client repeats the request under the same id.

        Raises:
            RequestIdReused: the id came before with another body.
            OutcomeUnknown: the work may or may not have been committed.
            StoreUnavailable: it was not.
        """
        try:
            async with self._database.transaction() as connection:
                if (known := await self.claim(connection, request_id, body)) is not None:
                    return known
                answer = await work(connection)
                await self.answer(connection, request_id, answer)
        except OutcomeUnknown as unknown:
            return await self._settle(request_id, unknown)
        return answer

    async def _settle(self, request_id: str, unknown: OutcomeUnknown) -> bytes:
        try:
            async with asyncio.timeout(_SETTLE_S_MAX):
                while True:
                    try:
                        async with self._database.transaction() as connection:
                            # Ours may still be on its way to its commit in a backend that has not noticed the break.
                            # Inserting waits for it; what we insert is rolled back with the exception below.
                            kept = await connection.fetchval(
                                "INSERT INTO request (request_id, body_sha256) VALUES ($1, sha256('')) "
                                "ON CONFLICT DO NOTHING RETURNING true",
                                request_id,
                            )
                            if kept:
                                raise StoreUnavailable("the connection broke before the commit; nothing was done")
                            return await connection.fetchval(
                                "SELECT answer FROM request WHERE request_id = $1", request_id
                            )
                    except StoreUnavailable as error:
                        if error.__cause__ is None:
                            raise
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise unknown from None

    async def forget(self, older_than_s: float, limit: int = 10_000) -> int:
        """Forgets answers older than that, at most `limit` at a time, and returns how many.

        A client that repeats a request later than that has it done again.
        """
        async with self._database.connection() as connection:
            status = await connection.execute(
                "DELETE FROM request WHERE request_id IN (SELECT request_id FROM request "
                "WHERE create_time < now() - $1 * interval '1 second' ORDER BY create_time LIMIT $2)",
                older_than_s,
                limit,
            )
        return int(status.split()[-1])
