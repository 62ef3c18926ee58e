"""Decisions about margin and close-outs in the service's schema."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncpg

from crossrate.api.risk.v1 import margin_call_pb2, risk_events_pb2
from crossrate.store.database import Database
from services.risk.store.term import Term

SUBJECT = "margin_changed"


@dataclass(slots=True)
class Kept:
    """What a term begins with: the last decision of each account, and the close-outs that are under way."""

    standings: list[margin_call_pb2.MarginStanding] = field(default_factory=list)
    close_outs: list[margin_call_pb2.CloseOut] = field(default_factory=list)


class MarginStore:
    """See the module.

    Methods raise StoreUnavailable while the database is away, OutcomeUnknown if a commit's end was not heard, and those
    with a term StaleWriter if another instance has taken over.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, term: Term) -> Kept:
        """Everything that was decided."""
        async with term.transaction() as connection:
            standings = await connection.fetch("SELECT content FROM margin_standing ORDER BY account")
            open_ones = await connection.fetch("SELECT content FROM close_out WHERE NOT ended ORDER BY number")
        return Kept(
            [margin_call_pb2.MarginStanding.FromString(row["content"]) for row in standings],
            [margin_call_pb2.CloseOut.FromString(row["content"]) for row in open_ones],
        )

    async def change(
        self,
        term: Term,
        standing: margin_call_pb2.MarginStanding,
        previous_state: int,
        close_out: margin_call_pb2.CloseOut | None,
        time_ns: int,
    ) -> None:
        """Keeps a decision, the close-out that begins or ends with it, and their fact."""
        fact = risk_events_pb2.MarginChanged(standing=standing, previous_state=previous_state)
        async with term.transaction() as connection:
            await connection.execute(
                "INSERT INTO margin_standing VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET content = $2",
                standing.account,
                standing.SerializeToString(),
            )
            if close_out is not None:
                fact.close_out.CopyFrom(_summary(close_out))
                await _put(connection, close_out)
            await term.tell(connection, f"{SUBJECT}.{standing.account}", fact, "", time_ns)

    async def keep(self, term: Term, close_out: margin_call_pb2.CloseOut) -> None:
        """Keeps what a close-out has come to."""
        async with term.transaction() as connection:
            await _put(connection, close_out)

    async def close_out(self, close_out_id: str) -> margin_call_pb2.CloseOut | None:
        """A close-out; None if there is none of that id."""
        async with self._database.connection() as connection:
            content = await connection.fetchval("SELECT content FROM close_out WHERE close_out_id = $1", close_out_id)
        return None if content is None else margin_call_pb2.CloseOut.FromString(content)

    async def close_outs(self, account: str, before: int, size: int) -> list[tuple[int, margin_call_pb2.CloseOut]]:
        """Close-outs of an account ("" for all) below a number (0: from the newest), newest first, without steps."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, summary FROM close_out WHERE ($1 = 0 OR number < $1) AND ($2 = '' OR account = $2) "
                "ORDER BY number DESC LIMIT $3",
                before,
                account,
                size,
            )
        return [(row["number"], margin_call_pb2.CloseOut.FromString(row["summary"])) for row in rows]


async def _put(connection: asyncpg.Connection, close_out: margin_call_pb2.CloseOut) -> None:
    await connection.execute(
        "INSERT INTO close_out (close_out_id, account, ended, summary, content) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (close_out_id) DO UPDATE SET ended = $3, summary = $4, content = $5",
        close_out.close_out_id,
        close_out.account,
        close_out.HasField("end_time"),
        _summary(close_out).SerializeToString(),
        close_out.SerializeToString(),
    )


def _summary(close_out: margin_call_pb2.CloseOut) -> margin_call_pb2.CloseOut:
    summary = margin_call_pb2.CloseOut()
    summary.CopyFrom(close_out)
    summary.ClearField("steps")
    return summary
