"""What persons do about breaks: propose, approve, reject, ask for a comparison; each once for a request id."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.store import Database, RequestLog
from services.broker.store.breaks import CHANNEL_BREAKS, KeptBreak, lock, put


class NoBreak(Exception):
    """There is no break of that id."""


class Decisions:
    """Methods raise RequestIdReused, OutcomeUnknown and StoreUnavailable as the request log does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def change(self, request_id: str, body: bytes, break_id: str, do: Callable[[KeptBreak], None]) -> pb.Break:
        """Changes a break once; what `do` raises undoes it.

        Raises:
            NoBreak: there is none.
        """

        async def work(connection: asyncpg.Connection) -> bytes:
            kept = await lock(connection, break_id)
            if kept is None:
                raise NoBreak(break_id)
            do(kept)
            await put(connection, [kept])
            return kept.message.SerializeToString()

        return pb.Break.FromString(await self._requests.once(request_id, body, work))

    async def compare(self, request_id: str, body: bytes, venue: str, whole: bool) -> int:
        """Asks for a comparison once; its number."""

        async def work(connection: asyncpg.Connection) -> bytes:
            number = await connection.fetchval(
                "INSERT INTO reconciliation_request (venue, whole) VALUES ($1, $2) RETURNING number", venue, whole
            )
            await connection.execute("SELECT pg_notify($1 || '_' || current_schema(), '')", CHANNEL_BREAKS)
            return b"%d" % number

        return int(await self._requests.once(request_id, body, work))
