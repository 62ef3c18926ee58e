"""Dropping payloads by age, as the policy says: the headers and the tree stay, and a fact of the log says what went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg

from crossrate.api.audit.v1 import audit_events_pb2
from crossrate.store.errors import StoreError
from services.audit.domain import OWN_TYPES, Retention
from services.audit.store.log import Log, Overtaken
from services.audit.store.tree import LogChanged

DAY_NS = 86_400 * 1_000_000_000
BATCH_MAX = 5_000
"""Payloads of one transaction."""


class Retaining:
    """Applies the policy now and then."""

    def __init__(
        self,
        log: Log,
        retention: Retention,
        notes: Any,
        *,
        interval_s: float,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._log = log
        self._retention = retention
        self._notes = notes
        self._interval_s = interval_s
        self._clock_ns = clock_ns

    async def run(self) -> None:
        """Applies it for ever; ends by cancellation."""
        while True:
            try:
                await self.apply()
            except (OSError, TimeoutError, StoreError, asyncpg.PostgresError, Overtaken, LogChanged) as error:
                self._notes.warning("payloads were not dropped", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(self._interval_s)

    async def apply(self) -> int:
        """Drops what is older than it may be and returns how many payloads.

        Raises:
            StoreUnavailable: the database is away; what was dropped stays dropped, and is told.
        """
        if not any(self._retention.days.values()):
            return 0
        async with self._log.database.connection() as connection:
            types = await connection.fetch("SELECT id, name FROM fact_type")
        dropped, now_ns = 0, self._clock_ns()
        for row in types:
            days = self._retention.days_of(row["name"])
            if days and not row["name"].startswith(OWN_TYPES):
                while count := await self._drop(row["id"], row["name"], now_ns - days * DAY_NS):
                    dropped += count
                    if count < BATCH_MAX:
                        break
        return dropped

    async def _drop(self, type_id: int, name: str, before_ns: int) -> int:
        """Drops one batch of a type, with the fact that says so in the same transaction."""
        async with self._log.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT index FROM leaf WHERE type = $1 AND time_ns < $2 AND salt IS NOT NULL ORDER BY index LIMIT $3",
                type_id,
                before_ns,
                BATCH_MAX,
            )
        if not rows:
            return 0
        places = [row["index"] for row in rows]
        fact = audit_events_pb2.PayloadsDropped(
            type=name, first_index=places[0], last_index=places[-1], count=len(places)
        )
        fact.before_time.FromNanoseconds(before_ns)

        async def drop(connection: asyncpg.Connection, _: int) -> None:
            await connection.execute(
                "UPDATE leaf SET payload = NULL, salt = NULL WHERE index = ANY ($1::bigint[]) AND salt IS NOT NULL",
                places,
            )

        await self._log.append((), {}, own=[fact], action=drop)
        self._notes.info("payloads_dropped", type=name, count=len(places))
        return len(places)
