"""A whole mesh that its own node keeps: what the nemesis kills comes back as it does for a user."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from typing import Any

from crossrate.node.client import NodeClient, NodeError
from crossrate.node.process import start_ticks
from tests.chaos.supervisor import LOG_BYTES, children
from tests.integration.conftest import eventually
from tests.mesh import Mesh

BACK_S_MAX = 60.0
"""Longest time to everything healthy again, with the node's pauses before it starts what crashed."""
POLL_S = 0.05


class NodeProcesses:
    """The processes of a mesh by their names in `crossrate status`.

    Attributes:
        kills: how many were killed.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.kills = 0
        self._stopped: dict[str, list[int]] = {}

    def status(self) -> dict[str, Any]:
        """What the node says. Blocks."""
        with NodeClient(self.mesh.place) as node:
            return node.status()

    def _pid(self, name: str) -> int:
        return next((row["pid"] for row in self.status()["processes"] if row["name"] == name), 0)

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when it is gone."""
        pid = await asyncio.to_thread(self._pid, name)
        ticks = start_ticks(pid) if pid else None
        if ticks is None:
            return
        self.kills += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: start_ticks(pid) != ticks, BACK_S_MAX)

    async def spawn(self, name: str) -> None:
        """The node does it by itself."""

    def stop(self, name: str) -> None:
        """SIGSTOP to a process and its children."""
        pid = self._pid(name)
        self._stopped[name] = [pid, *children(pid)] if pid else []
        self._signal(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """SIGCONT to the same."""
        self._signal(name, signal.SIGCONT)
        del self._stopped[name]

    def _signal(self, name: str, number: signal.Signals) -> None:
        for pid in self._stopped[name]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def all_ready(self) -> None:
        """Returns when the node finds everything healthy.

        Raises:
            AssertionError: it does not become so; with what is missing.
        """
        end, missing = time.monotonic() + BACK_S_MAX, ["nothing was heard of the node"]
        while time.monotonic() < end:
            with contextlib.suppress(NodeError):
                status = await asyncio.to_thread(self.status)
                missing = status["missing"]
                if not missing and status["state"] == "healthy":
                    return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"the mesh does not come back: {'; '.join(missing)}\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of everybody's log."""
        logs = sorted(self.mesh.place.log("supervisor").parent.glob("*.log"))
        return "\n".join(f"--- {log.stem}\n{log.read_text(errors='replace')[-LOG_BYTES:]}" for log in logs)
