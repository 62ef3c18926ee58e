"""Limits by version, proposals, and marks of days in the service's schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import asyncpg

from crossrate.api.risk.v1 import limit_pb2, risk_events_pb2
from crossrate.store.database import Database
from crossrate.store.requests import RequestLog
from services.risk.store.term import Term


class LimitStore:
    """See the module. Contents are messages as bytes.

    Methods raise StoreUnavailable while the database is away; those with a request id also RequestIdReused and
    OutcomeUnknown; those with a term StaleWriter if another instance has taken over.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def begin(self, term: Term, first: limit_pb2.LimitSet) -> limit_pb2.LimitSet:
        """The newest limits; `first` on a new platform, which is kept then."""
        async with term.transaction() as connection:
            content = await connection.fetchval("SELECT content FROM limit_version ORDER BY version DESC LIMIT 1")
            if content is None:
                content = first.SerializeToString()
                await connection.execute("INSERT INTO limit_version VALUES ($1, $2)", first.version, content)
        return limit_pb2.LimitSet.FromString(content)

    async def get(self, version: int) -> limit_pb2.LimitSet | None:
        """A version; 0 for the newest."""
        async with self._database.connection() as connection:
            content = await connection.fetchval(
                "SELECT content FROM limit_version WHERE $1 = 0 OR version = $1 ORDER BY version DESC LIMIT 1", version
            )
        return None if content is None else limit_pb2.LimitSet.FromString(content)

    async def versions(self, before: int, size: int) -> list[limit_pb2.LimitSet]:
        """Versions below one (0: from the newest), newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT content FROM limit_version WHERE $1 = 0 OR version < $1 ORDER BY version DESC LIMIT $2",
                before,
                size,
            )
        return [limit_pb2.LimitSet.FromString(row["content"]) for row in rows]

    async def proposals(self, before: int, size: int, pending: bool) -> list[tuple[int, limit_pb2.LimitProposal]]:
        """Proposals below a number (0: from the newest), newest first, each with its number."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, content FROM limit_proposal WHERE ($1 = 0 OR number < $1) AND (pending OR NOT $3) "
                "ORDER BY number DESC LIMIT $2",
                before,
                size,
                pending,
            )
        return [(row["number"], limit_pb2.LimitProposal.FromString(row["content"])) for row in rows]

    async def proposal(self, proposal_id: str) -> limit_pb2.LimitProposal | None:
        """A proposal; None if there is none of that id."""
        async with self._database.connection() as connection:
            content = await connection.fetchval(
                "SELECT content FROM limit_proposal WHERE proposal_id = $1", proposal_id
            )
        return None if content is None else limit_pb2.LimitProposal.FromString(content)

    async def propose(self, term: Term, request_id: str, body: bytes, proposal: limit_pb2.LimitProposal) -> bytes:
        """Keeps a proposal once, and returns it, or the one that the request made before."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            content = proposal.SerializeToString()
            await connection.execute(
                "INSERT INTO limit_proposal (proposal_id, pending, content) VALUES ($1, true, $2)",
                proposal.proposal_id,
                content,
            )
            return content

        return await self._requests.once(request_id, body, work)

    async def known(self, request_id: str, body: bytes) -> bytes | None:
        """The answer that a request was given before."""
        return await self._requests.known(request_id, body)

    async def decide(
        self,
        term: Term,
        request_id: str,
        body: bytes,
        proposal_id: str,
        decided: Callable[[limit_pb2.LimitProposal, limit_pb2.LimitSet], limit_pb2.LimitSet | None],
        time_ns: int,
    ) -> bytes:
        """Decides a proposal once.

        Args:
            decided: changes the proposal to how it ends and returns the limits that it makes, None for none; what it
            raises
                leaves everything as it was.

        Returns:
            The limits that were made, or else the proposal.

        Raises:
            LookupError: there is no such proposal.
        """

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            content = await connection.fetchval(
                "SELECT content FROM limit_proposal WHERE proposal_id = $1 FOR UPDATE", proposal_id
            )
            if content is None:
                raise LookupError(proposal_id)
            proposal = limit_pb2.LimitProposal.FromString(content)
            newest = await connection.fetchval("SELECT content FROM limit_version ORDER BY version DESC LIMIT 1")
            made = decided(proposal, limit_pb2.LimitSet.FromString(newest))
            await connection.execute(
                "UPDATE limit_proposal SET pending = false, content = $2 WHERE proposal_id = $1",
                proposal_id,
                proposal.SerializeToString(),
            )
            if made is None:
                return proposal.SerializeToString()
            await connection.execute(
                "INSERT INTO limit_version VALUES ($1, $2)", made.version, made.SerializeToString()
            )
            fact = risk_events_pb2.LimitsChanged(limits=made, proposal=proposal)
            await term.tell(connection, "limits_changed", fact, request_id, time_ns)
            return made.SerializeToString()

        return await self._requests.once(request_id, body, work)

    async def day_marks(self) -> tuple[date | None, dict[str, int]]:
        """The newest mark of each scope, and the newest day."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT ON (scope) scope, trade_date, profit FROM day_mark ORDER BY scope, trade_date DESC"
            )
        day = max((row["trade_date"] for row in rows), default=None)
        return day, {row["scope"]: int(row["profit"]) for row in rows}

    async def mark_day(self, term: Term, day: date, marks: Mapping[str, int]) -> None:
        """Keeps the profits with which a day begins; those that stand already stay."""
        async with term.transaction() as connection:
            await connection.execute(
                "INSERT INTO day_mark SELECT s, $1, p FROM unnest($2::text[], $3::numeric[]) AS m (s, p) "
                "ON CONFLICT DO NOTHING",
                day,
                list(marks),
                list(marks.values()),
            )

    async def forget_answers(self, older_than_s: float) -> int:
        """Deletes answers to request ids older than that; at most 10,000 a call."""
        return await self._requests.forget(older_than_s)
