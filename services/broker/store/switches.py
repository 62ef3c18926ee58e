"""What operators want of venues, and how much each venue has to do."""

from __future__ import annotations

import asyncpg

from crossrate.store import Database, RequestLog
from services.broker.engine.session import Wanted


class Changed(Exception):
    """The version is another one than the caller thought."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the version is {version}")
        self.version = version


class Switches:
    """Reads and writes; methods may raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def set(
        self, request_id: str, body: bytes, venue: str, wanted: Wanted, by: str, why: str, expected: int
    ) -> None:
        """Sets what is wanted of a venue, once for a request id.

        Raises:
            Changed: the version is not `expected`, which is not 0.
            RequestIdReused: the id came before with another body.
            OutcomeUnknown: perhaps it was set; the same call tells.
        """

        async def work(connection: asyncpg.Connection) -> bytes:
            version = await connection.fetchval("SELECT wanted_version FROM venue WHERE name = $1 FOR UPDATE", venue)
            if expected not in (0, version):
                raise Changed(version)
            await connection.execute(
                "UPDATE venue SET wanted = $2, wanted_by = $3, wanted_why = $4, wanted_time = clock_timestamp(), "
                "wanted_version = wanted_version + 1 WHERE name = $1",
                venue,
                int(wanted),
                by,
                why,
            )
            return b""

        await self._requests.once(request_id, body, work)

    async def loads(self) -> dict[str, tuple[int, int]]:
        """Open orders and waiting instructions of each venue."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT name, (SELECT count(*) FROM venue_order o WHERE o.venue = v.name AND status < 4), "
                "(SELECT count(*) FROM instruction i WHERE i.venue = v.name AND state = 0) FROM venue v"
            )
        return {row[0]: (row[1], row[2]) for row in rows}
