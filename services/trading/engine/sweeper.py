"""Looks after accounts that nobody looks after: their holder is gone, their orders go on, and risk has to know them.

Each life of an instance holds a lock of PostgreSQL's that ends with its connection. Whose lock can be taken is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from typing import Any

import asyncpg

from crossrate.store.database import BROKEN_CONNECTION, Database
from crossrate.store.errors import StoreError
from services.trading.engine.engine import Engine
from services.trading.engine.gate import GateKeeper

_LOCK = 0x74726164  # "trad": the first half of the advisory lock's key; the second is the schema and the holder
ADOPTED_MAX = 500
"""Accounts that are taken over in one sweep."""

_LIVE = "SELECT pg_advisory_lock($1, hashtext(current_schema() || '/' || $2))"
_ALIVE = "SELECT pg_try_advisory_lock($1, hashtext(current_schema() || '/' || $2))"
_HOLDERS = "SELECT DISTINCT holder FROM lease WHERE name LIKE 'accounts/%' AND holder <> $1"
# Of a life that was killed all accounts: risk may not know the last reports of any of them. Accounts that were given up
# ('', see `Store.release`) have nothing untold: those with working orders are taken, the others when somebody asks.
_LEFT = """
SELECT substr(l.name, 10) FROM lease l
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT 1 FROM client_order o WHERE o.account = substr(l.name, 10) AND o.working) AS working
) w
WHERE l.name LIKE 'accounts/%' AND l.holder = $1 AND (w.working OR l.holder <> '')
ORDER BY w.working DESC, l.name LIMIT $2"""


def holder_of(instance: str) -> str:
    """A name for this life of an instance: no other life ever has it."""
    return f"{instance}/{os.urandom(6).hex()}"


class Sweeper:
    """Holds this life's lock, adopts accounts of lives that are over, follows the gate, wakes streams."""

    def __init__(
        self, database: Database, engine: Engine, gate: GateKeeper, holder: str, note: Any, *, interval_s: float
    ) -> None:
        self._database = database
        self._engine = engine
        self._gate = gate
        self._holder = holder
        self._note = note
        self._interval_s = interval_s

    async def run(self) -> None:
        """Sweeps, until it is cancelled."""
        while True:
            try:
                connection = await self._database.dedicated()
                try:
                    await self._sweep(connection)
                finally:
                    _cut(connection)
            except (StoreError, asyncpg.PostgresError, *BROKEN_CONNECTION) as error:
                self._note.warning("cannot look after other instances' accounts", why=str(error))
            await asyncio.sleep(self._interval_s)

    async def _sweep(self, connection: asyncpg.Connection) -> None:
        schema = await connection.fetchval("SELECT current_schema()")
        # Whoever looks whether this life is over has the lock for an instant: it is waited for, or nobody would see us.
        await connection.execute(_LIVE, _LOCK, self._holder)
        await connection.add_listener(f"journal_{schema}", lambda *_: self._engine.hub.wake())
        while not connection.is_closed():
            await self._gate.look()
            for (holder,) in await connection.fetch(_HOLDERS, self._holder):
                if await self._is_gone(connection, holder):
                    rows = await connection.fetch(_LEFT, holder, ADOPTED_MAX)
                    self._adopt(holder, [name for (name,) in rows])
            await asyncio.sleep(self._interval_s)

    async def _is_gone(self, connection: asyncpg.Connection, holder: str) -> bool:
        if not holder:
            return True
        if not await connection.fetchval(_ALIVE, _LOCK, holder):
            return False
        await connection.execute(
            "SELECT pg_advisory_unlock($1, hashtext(current_schema() || '/' || $2))", _LOCK, holder
        )
        return True

    def _adopt(self, holder: str, names: Iterable[str]) -> None:
        names = [name for name in names if name not in self._engine.accounts.held]
        if names:
            self._note.info("adopts accounts", holder=holder, count=len(names))
            self._engine.accounts.want(names)


def _cut(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError, OSError):
        connection.terminate()
