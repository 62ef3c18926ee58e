"""Corrections: who proposed what, and who decided."""

from __future__ import annotations

import asyncpg

from crossrate.api.ledger.v1 import correction_pb2
from crossrate.store.database import Database

LISTED_MAX = 1000


async def put(connection: asyncpg.Connection, correction: correction_pb2.Correction) -> None:
    """Keeps a correction as it is now."""
    await connection.execute(
        "INSERT INTO correction (correction_id, account, state, message) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (correction_id) DO UPDATE SET state = excluded.state, message = excluded.message",
        correction.correction_id,
        correction.account,
        correction.state,
        correction.SerializeToString(),
    )


async def lock(
    connection: asyncpg.Connection, correction_id: str, granted: list[str]
) -> correction_pb2.Correction | None:
    """A correction, which nobody else decides until the transaction ends; None if there is none of an account that
    matches a pattern in `granted`."""
    message = await connection.fetchval(
        "SELECT message FROM correction WHERE correction_id = $1 AND account LIKE ANY ($2) FOR UPDATE",
        correction_id,
        granted,
    )
    return None if message is None else correction_pb2.Correction.FromString(message)


async def waiting_for(connection: asyncpg.Connection, account: str, reverses: int) -> str:
    """Id of the correction of an entry that waits for approval; "" if none does."""
    rows = await connection.fetch(
        "SELECT message FROM correction WHERE account = $1 AND state = $2",
        account,
        correction_pb2.CORRECTION_STATE_PROPOSED,
    )
    found = (correction_pb2.Correction.FromString(row["message"]) for row in rows)
    return next((each.correction_id for each in found if each.reverses == reverses), "")


async def listed(
    database: Database, account: str, only_proposed: bool, granted: list[str]
) -> list[correction_pb2.Correction]:
    """Corrections, newest first, at most LISTED_MAX; of one account or, for "", of all that match a pattern.

    Raises:
        StoreUnavailable: the database is away.
    """
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT message FROM correction WHERE ($1 = '' OR account = $1) AND (NOT $2 OR state = $3) "
            "AND account LIKE ANY ($5) ORDER BY number DESC LIMIT $4",
            account,
            only_proposed,
            correction_pb2.CORRECTION_STATE_PROPOSED,
            LISTED_MAX,
            granted,
        )
    return [correction_pb2.Correction.FromString(row["message"]) for row in rows]
