"""How everything is written: rows and facts in one transaction, fenced, under a request id where there is one.

Persons change rarely; what happens often (a refreshed token) is no fact and takes no lease.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from google.protobuf.message import Message

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.fenced import Fence
from crossrate.store.journal import Fact, Journal, Lease
from crossrate.store.requests import RequestLog
from services.identity.vault import Vault

STREAM = "identity"
"""The journal's stream."""
LEASE = "identity"
SUBJECTS = {
    "LoggedIn": "logged_in",
    "LoginFailed": "login_failed",
    "LockedOut": "locked_out",
    "SteppedUp": "stepped_up",
    "FactorChanged": "factor_changed",
    "UserChanged": "user_changed",
    "ClientChanged": "client_changed",
    "DeskCreated": "desk_created",
    "GrantsChanged": "grants_changed",
    "SessionRevoked": "session_revoked",
    "TokenReused": "token_reused",
    "ApiKeyChanged": "api_key_changed",
    "SigningKeyChanged": "signing_key_changed",
}
"""The noun of each fact's subject; behind it stands whose it is."""

Origin = events_pb2.Origin
Clock = Callable[[], datetime]
"""Now, in UTC."""


@dataclass
class Change:
    """One transaction: its connection, its time, and the facts that are appended at its end."""

    connection: asyncpg.Connection
    now: datetime
    origin: Origin
    clock: Clock
    facts: list[tuple[str, Message]] = field(default_factory=list)

    def tell(self, whose: str, fact: Message) -> None:
        """Adds a fact; `whose` ends its subject. The origin is the change's."""
        fact.origin.CopyFrom(self.origin)  # type: ignore[attr-defined]
        self.facts.append((f"crossrate.identity.v1.{SUBJECTS[fact.DESCRIPTOR.name]}.{whose}", fact))


Work = Callable[[Change], Awaitable[bytes | None]]


class Writer:
    """Writes under the lease, which any instance may take over."""

    def __init__(self, database: Database, vault: Vault, holder: str, clock: Clock) -> None:
        self.database = database
        self._vault = vault
        self._clock = clock
        self._journal = Journal(database)
        self._requests = RequestLog(database)
        self._fence = Fence(database, LEASE, holder)

    async def change(self, origin: Origin, work: Work) -> None:
        """Does the work in one transaction with its facts. It may be called again; see Fence.under.

        Raises:
            StaleWriter: others took the lease each time; nothing was done.
            StoreUnavailable, OutcomeUnknown: as Database.transaction.
        """

        async def once(lease: Lease) -> None:
            async with self.database.transaction() as connection:
                change = Change(connection, self._clock(), origin, self._clock)
                await work(change)
                await self._append(change, lease)

        await self._fence.under(once)

    async def once(self, request_id: str, body: bytes, origin: Origin, work: Work) -> bytes:
        """Does the work of a request exactly once and returns its answer, which is kept sealed.

        Raises:
            StaleWriter, RequestIdReused, OutcomeUnknown, StoreUnavailable: as FencedRequests.once.
        """

        async def fenced(lease: Lease) -> bytes:
            async def within(connection: asyncpg.Connection) -> bytes:
                change = Change(connection, self._clock(), origin, self._clock)
                answer = await work(change) or b""
                await self._append(change, lease)
                return self._vault.seal(answer, "answer")

            return await self._requests.once(request_id, body, within)

        return self._vault.unseal(await self._fence.under(fenced), "answer")

    async def forget(self, older_than_s: float) -> int:
        """See RequestLog.forget."""
        return await self._requests.forget(older_than_s)

    async def _append(self, change: Change, lease: Lease) -> None:
        if not change.facts:
            return
        call = current_or_none()
        time_ns = int(change.now.timestamp()) * 1_000_000_000 + change.now.microsecond * 1000
        facts = [
            Fact(
                subject=subject,
                type=fact.DESCRIPTOR.full_name,
                payload=fact.SerializeToString(),
                time_ns=time_ns,
                request_id=change.origin.request_id,
                traceparent=call.traceparent if call is not None else "",
            )
            for subject, fact in change.facts
        ]
        # Rows first, the journal's head last: it stays locked until the commit.
        for first in range(0, len(facts), 1000):
            await self._journal.append(change.connection, lease, STREAM, facts[first : first + 1000])
