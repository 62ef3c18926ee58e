"""Dead-man leases while their silence is dealt with: a stand-in of the store commits when the test says."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
import structlog

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import dead_man_lease_pb2, kill_switch_pb2
from crossrate.rpc.errors import ErrorReason, Failure
from services.risk.kill_switch import KillSwitch
from services.risk.store.kills import Kept
from tests.unit.risk.pretrade.bench import Bench


class SlowStore:
    """Begins a commit at once and ends it when it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go, self.done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.engaged: list[str] = []
        self.released: list[str] = []

    async def engage(self, term: Any, request_id: str, body: bytes, kill: kill_switch_pb2.Kill, state: Any) -> bytes:
        """Commits a kill."""
        self.begun.set()
        await self.let_go.wait()
        self.engaged.append(kill.scope.name)
        kill.gate_version = len(self.engaged)
        return kill.SerializeToString()

    async def release(self, term: Any, lease_id: str) -> None:
        """Forgets a lease."""
        self.released.append(lease_id)
        if self.engaged:
            self.done.set()


def lease(name: str) -> dead_man_lease_pb2.DeadManLease:
    """A lease of a bot whose silence may be a fiftieth of a second."""
    made = dead_man_lease_pb2.DeadManLease(lease_id=name, holder="bot", mode=gate_pb2.KILL_MODE_CANCEL_ONLY)
    made.scope.kind, made.scope.name = "strategy", name
    made.silence_max.FromMilliseconds(20)
    return made


async def test_a_renewal_that_comes_while_silence_engages_is_told_so() -> None:
    """It is NOT_FOUND from the moment of the decision on; another that is released meanwhile engages nothing."""
    store, bench = SlowStore(), Bench()
    switch = KillSwitch(
        Mock(),
        store,  # type: ignore[arg-type]
        Kept(0, leases=[lease("first"), lease("second")]),
        Mock(),
        bench.authoriser,
        bench.book,
        Mock(),
        structlog.get_logger(),
        lambda: 0,
        Mock(),
    )
    watching = asyncio.create_task(switch._watch_leases())
    async with asyncio.timeout(60):
        await store.begun.wait()
        with pytest.raises(Failure) as caught:
            switch.renew("first", "bot")
        assert caught.value.reason is ErrorReason.NOT_FOUND
        await switch.release("second", "bot")
        store.let_go.set()
        await store.done.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert store.engaged == ["first"]
    assert store.released == ["second", "first"]
