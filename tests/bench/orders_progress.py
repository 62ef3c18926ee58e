"""How far everything has come that an order causes: committed, published, seen by the ledger."""

from __future__ import annotations

import asyncio
import json
import time

import asyncpg

from tests.mesh import Mesh

BEHIND_S_MAX = 60.0
LOOK_S = 0.1

_BEHIND = {
    "trading": "SELECT coalesce(sum(last_seq), 0)::bigint FROM journal_head",
    "relay": "SELECT coalesce(sum(last_seq), 0)::bigint FROM relay_position",
    "ledger": "SELECT coalesce(sum(execution_sequence), 0)::bigint FROM book",
}
"""Reports that exist, that were published, and that the ledger has seen."""


class Progress:
    """How far the reports of all accounts have come."""

    def __init__(self, mesh: Mesh) -> None:
        self._dsn = {
            name: json.loads(mesh.place.credentials(name).read_text())["postgres"]["dsn"]
            for name in ("trading", "ledger")
        }
        self._connections: dict[str, asyncpg.Connection] = {}

    async def __aenter__(self) -> Progress:
        for name, dsn in self._dsn.items():
            self._connections[name] = await asyncpg.connect(dsn)
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections.values():
            await connection.close()

    async def read(self) -> dict[str, int]:
        """Reports so far, by stage."""
        return {
            stage: await self._connections["ledger" if stage == "ledger" else "trading"].fetchval(query)
            for stage, query in _BEHIND.items()
        }

    async def caught_up(self, wanted: int) -> dict[str, int]:
        """Waits until every stage has that many reports.

        Raises:
            TimeoutError: it has not come to that.
        """
        end_s = time.monotonic() + BEHIND_S_MAX
        while True:
            now = await self.read()
            if all(count >= wanted for count in now.values()):
                return now
            if time.monotonic() > end_s:
                raise TimeoutError(f"of {wanted} reports there are {now}")
            await asyncio.sleep(LOOK_S)

    async def settled(self) -> None:
        """Waits until nothing is left to do of what was entered so far, so that it does not stand in the way of what
        is measured next.

        Raises:
            TimeoutError: it has not come to that.
        """
        end_s = time.monotonic() + BEHIND_S_MAX
        while True:
            now = await self.read()
            if len(set(now.values())) == 1:
                await asyncio.sleep(LOOK_S)
                if await self.read() == now:
                    return
            if time.monotonic() > end_s:
                raise TimeoutError(f"reports by stage: {now}")
            await asyncio.sleep(LOOK_S)
