"""Margin levels of desks: a desk's levels, their fact and the answer commit together."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from crossrate.api.ledger.v1 import account_events_pb2, account_pb2, account_service_pb2
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.fenced import FencedRequests
from crossrate.store.journal import Fact, Journal, Lease
from services.ledger.store.accounts import LEASE, STREAM, VersionPassed

SUBJECT = "crossrate.ledger.v1.desk_margin_changed.{desk}"
DESKS_MAX = 10_000


class Desks:
    """See the module. Any instance may write: it takes the journal's lease over if it has to."""

    def __init__(self, database: Database, holder: str) -> None:
        """`holder` names this instance in the lease."""
        self._database = database
        self._journal = Journal(database)
        self._requests = FencedRequests(database, LEASE, holder)

    async def put(self, request_id: str, wanted: account_pb2.DeskMargin, body: bytes, now: datetime) -> bytes:
        """Sets a desk's levels once and returns the answer, a SetDeskMarginResponse.

        Raises:
            VersionPassed: they changed since they were read.
            RequestIdReused, StoreUnavailable, OutcomeUnknown: as `RequestLog.once`.
        """

        async def work(connection: asyncpg.Connection, lease: Lease) -> bytes:
            changed = await self._changed(connection, wanted)
            await self._write(connection, lease, request_id, changed, now)
            return account_service_pb2.SetDeskMarginResponse(desk_margin=changed).SerializeToString()

        return await self._requests.once(request_id, body, work)

    async def rehearse(self, wanted: account_pb2.DeskMargin) -> account_pb2.DeskMargin:
        """What a change would come to; raises as `put`."""
        async with self._database.transaction() as connection:
            return await self._changed(connection, wanted)

    async def all(self) -> list[account_pb2.DeskMargin]:
        """Desks that have levels, by name."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT message FROM desk_margin ORDER BY desk LIMIT $1", DESKS_MAX)
        return [account_pb2.DeskMargin.FromString(row["message"]) for row in rows]

    async def _changed(self, connection: asyncpg.Connection, wanted: account_pb2.DeskMargin) -> account_pb2.DeskMargin:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('desk_margin'), hashtext($1))", wanted.desk)
        version = await connection.fetchval("SELECT version FROM desk_margin WHERE desk = $1", wanted.desk) or 0
        if version != wanted.version:
            raise VersionPassed(wanted.version, version)
        return account_pb2.DeskMargin(desk=wanted.desk, levels=wanted.levels, version=version + 1)

    async def _write(
        self,
        connection: asyncpg.Connection,
        lease: Lease,
        request_id: str,
        changed: account_pb2.DeskMargin,
        now: datetime,
    ) -> None:
        fact = account_events_pb2.DeskMarginChanged(desk_margin=changed, request_id=request_id)
        call = current_or_none()
        made = Fact(
            subject=SUBJECT.format(desk=changed.desk),
            type=fact.DESCRIPTOR.full_name,
            payload=fact.SerializeToString(),
            time_ns=int(now.timestamp()) * 1_000_000_000 + now.microsecond * 1000,
            request_id=request_id,
            traceparent=call.traceparent if call is not None else "",
        )
        await self._journal.append(connection, lease, STREAM, [made])
        await connection.execute(
            "INSERT INTO desk_margin (desk, version, message) VALUES ($1, $2, $3) ON CONFLICT (desk) "
            "DO UPDATE SET version = excluded.version, message = excluded.message",
            changed.desk,
            changed.version,
            changed.SerializeToString(),
        )
