"""What persons and clients may do, and the desks that they belong to."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.access import NOTHING, Access
from services.identity.domain.person import SelfService
from services.identity.store.people import Missing, Taken, tell_grants
from services.identity.store.rows import access_of, columns_of
from services.identity.store.writing import Change

_TABLES = ("person", "client")
DESKS_MAX = 1000


async def table_of(connection: asyncpg.Connection, subject: str) -> str:
    """Where a subject stands.

    Raises:
        Missing: nowhere.
    """
    is_person = await connection.fetchval("SELECT is_person FROM subject WHERE name = $1", subject)
    if is_person is None:
        raise Missing("user or client", subject)
    return _TABLES[0] if is_person else _TABLES[1]


async def access_of_subject(connection: asyncpg.Connection, subject: str) -> tuple[Access, str, datetime | None]:
    """What a subject may do, its desk, and since when.

    Raises:
        Missing: there is none.
    """
    table = await table_of(connection, subject)
    row = await connection.fetchrow(f"SELECT * FROM {table} WHERE name = $1", subject)
    return access_of(row), row["desk"], row["access_time"]


async def change_access(
    change: Change, subject: str, by: str, *, more: Access = NOTHING, less: Access = NOTHING, comment: str = ""
) -> Access:
    """Adds and takes away; returns what is there then.

    Raises:
        Missing: there is no such subject; SelfService: `by` is the subject and would gain something.
    """
    table = await table_of(change.connection, subject)
    row = await change.connection.fetchrow(f"SELECT * FROM {table} WHERE name = $1 FOR UPDATE", subject)
    before = access_of(row)
    after = before.plus(more).minus(less)
    if after == before:
        return after
    if by == subject and after.plus(before) != before:
        raise SelfService("nobody grants to themselves: another admin does it")
    # The row is locked: who has issued a token with the grants before has committed, and took its time before now.
    # One second more than before, because tokens of this second may say the next one (`issue_time`).
    until = max(row["access_until"] + 1, int(change.clock().timestamp()))
    more_columns = ", update_time = $6" if table == "person" else ""
    await change.connection.execute(
        f"UPDATE {table} SET roles = $2, accounts = $3, instruments = $4, access_until = $5, access_time = $6, "
        f"version = version + 1{more_columns} WHERE name = $1",
        subject,
        *columns_of(after),
        until,
        change.now,
    )
    tell_grants(change, subject, before, after, until, comment)
    return after


async def create_desk(change: Change, name: str, display_name: str) -> datetime:
    """Opens a desk and returns when.

    Raises:
        Taken: there is one.
    """
    made = await change.connection.fetchval(
        "INSERT INTO desk (name, display_name, create_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true",
        name,
        display_name,
        change.now,
    )
    if not made:
        raise Taken("desk", name)
    change.tell(name, events_pb2.DeskCreated(desk=name))
    return change.now


async def desks(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Every desk in order of name."""
    return await connection.fetch("SELECT name, display_name, create_time FROM desk ORDER BY name LIMIT $1", DESKS_MAX)
