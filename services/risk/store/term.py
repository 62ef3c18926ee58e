"""One instance's right to decide: a lease, and the version of the gate that fences whoever decided before.

Whoever begins to decide raises the gate's version and has trading commit it. What the instance before authorised and
trading had not committed by then is refused by trading's database, so that the new one, which reads every account
afterwards, has missed nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import asyncpg
from google.protobuf.message import Message

from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.errors import StaleWriter
from crossrate.store.journal import Fact, Journal, Lease

LEASE = "pretrade"
STREAM = "pretrade"
"""The journal's stream: every change of limits and of the kill switch."""


class Term:
    """A term of one instance, from its taking of the lease to its loss."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.database = database
        self.lease = lease
        self._journal = Journal(database)

    @classmethod
    async def begin(cls, database: Database, holder: str, ttl_s: float) -> Term:
        """Takes the lease.

        Raises:
            LeaseHeld: another instance has it.
            StoreUnavailable: the database is away.
        """
        return cls(database, await Lease.acquire(database, LEASE, holder, ttl_s=ttl_s))

    async def fence(self, connection: asyncpg.Connection) -> None:
        """Fails unless the lease is still ours, and holds off a taker until the transaction ends.

        Raises:
            StaleWriter: another instance has it.
        """
        held = await connection.fetchval(
            "SELECT true FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE", LEASE, self.lease.epoch
        )
        if not held:
            raise StaleWriter(LEASE, self.lease.epoch)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A fenced transaction."""
        async with self.database.transaction() as connection:
            await self.fence(connection)
            yield connection

    async def raise_gate(self, connection: asyncpg.Connection) -> int:
        """The next version of the gate."""
        return await connection.fetchval(
            "INSERT INTO gate (version) VALUES (1) ON CONFLICT (one) DO UPDATE SET version = gate.version + 1 "
            "RETURNING version"
        )

    async def tell(
        self, connection: asyncpg.Connection, subject: str, fact: Message, request_id: str, time_ns: int
    ) -> None:
        """Appends a fact to the journal, from where it goes to NATS when that is there."""
        call = current_or_none()
        made = Fact(
            subject=f"crossrate.risk.v1.{subject}",
            type=fact.DESCRIPTOR.full_name,
            payload=fact.SerializeToString(),
            time_ns=time_ns,
            request_id=request_id,
            traceparent=call.traceparent if call is not None else "",
        )
        await self._journal.append(connection, self.lease, STREAM, [made])
