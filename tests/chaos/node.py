"""A whole mesh that its own node keeps: what the nemesis kills comes back as it does for a user."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossrate.node.client import NodeClient, NodeError
from crossrate.node.keeper import CRASH_WINDOW_S, CRASHES_MAX
from crossrate.node.process import start_ticks
from tests.chaos.checker import Broken, Problem
from tests.chaos.device import Device
from tests.chaos.nemesis import Blow
from tests.chaos.points import Armory, Point
from tests.chaos.supervisor import LOG_BYTES, children
from tests.integration.conftest import eventually
from tests.mesh import Mesh

BACK_S_MAX = 120.0
"""Longest time to everything healthy again, with the node's pauses before it starts what crashed."""
POLL_S = 0.05
NEXT_S_MAX = 10.0
PASSED_S_MAX = 60.0
"""Longest time under load in which a process comes to a point."""


class NodeProcesses:
    """The processes of a mesh by their names in `crossrate status`.

    Attributes:
        kills: how many were killed.
        points: how often a process ended at each named point.
        problems: points that nobody came to.
    """

    def __init__(self, mesh: Mesh, armory: Armory, device: Device | None = None) -> None:
        self.mesh = mesh
        self.armory = armory
        self.device = device
        self.kills = 0
        self.points: collections.Counter[str] = collections.Counter()
        self.problems: list[Problem] = []
        self.armed = asyncio.Event()
        """Set when somebody is to end at a point."""
        self._stopped: dict[str, list[int]] = {}
        self._ended_s: dict[str, list[float]] = collections.defaultdict(list)

    def status(self) -> dict[str, Any]:
        """What the node says. Blocks."""
        with NodeClient(self.mesh.place) as node:
            return node.status()

    def _pid(self, name: str) -> int:
        return next((row["pid"] for row in self.status()["processes"] if row["name"] == name), 0)

    def _instances(self, service: str) -> list[str]:
        names = [row["name"] for row in self.status()["processes"]]
        return [name for name in names if name.rpartition("-")[0] == service]

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when it is gone."""
        pid = await asyncio.to_thread(self._pid, name)
        ticks = start_ticks(pid) if pid else None
        if ticks is None:
            return
        self._count(name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: start_ticks(pid) != ticks, BACK_S_MAX)

    def _count(self, name: str) -> None:
        self.kills += 1
        self._ended_s[name].append(time.monotonic())

    async def spare(self, plan: Sequence[Blow]) -> None:
        """Waits until the node does not give up on a process that a plan ends: it does on one that ends again and again
        within half a minute."""
        for blow in plan:
            names = [blow.victim]
            if blow.point is not None:
                names = await asyncio.to_thread(self._instances, blow.point.service)
            for ends in (self._ended_s[name] for name in names if len(self._ended_s[name]) > CRASHES_MAX - 3):
                await asyncio.sleep(max(0.0, ends[2 - CRASHES_MAX] + CRASH_WINDOW_S - time.monotonic()))

    async def end_at(self, point: Point, passes: int) -> None:
        """Has an instance of the point's service end itself there; returns when one has, or when none came there."""
        instances = await asyncio.to_thread(self._instances, point.service)
        files = {name: self.armory.arm(point, name, passes) for name in instances}
        self.armed.set()

        def passed() -> bool:
            return any(map(self.armory.passed, files.values()))

        try:
            first = self.kills % len(instances)
            for name in (*instances[first:], *instances[:first]) if point.needs in ("restart", "takeover") else ():
                await self.kill(name)
                # Who looked after no account leaves none to be taken over: the next one has them.
                with contextlib.suppress(TimeoutError):
                    await eventually(passed, NEXT_S_MAX)
                    break
            await eventually(passed, PASSED_S_MAX)
        except TimeoutError:
            self.problems.append(
                Problem(Broken.STUCK, f"point {point.name}", f"nobody came there in {PASSED_S_MAX:g} s")
            )
        finally:
            self.armed.clear()
            for name, file in files.items():
                if self.armory.passed(file):
                    self._count(name)
                    self.points[point.name] += 1
                self.armory.disarm(file)

    async def cut(self) -> None:
        """Cuts the power of the machine, and starts it again; returns when everything is healthy."""
        await asyncio.to_thread(self._cut)
        await asyncio.to_thread(self.mesh.up)
        self._ended_s.clear()

    def _cut(self) -> None:
        assert self.device is not None, "there is a device"
        with NodeClient(self.mesh.place) as node:
            supervisor = next(row["pid"] for row in node.status()["processes"] if row["name"] == "supervisor")
        everybody = stopped([supervisor])
        ticks = {pid: start_ticks(pid) for pid in everybody}
        # From here on nobody tells anybody anything: what clients were told before has to be on the device.
        self.device.remember()
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.kills += len(everybody)
        deadline = time.monotonic() + BACK_S_MAX
        while any(at is not None and start_ticks(pid) == at for pid, at in ticks.items()):
            assert time.monotonic() < deadline, "processes that were killed have not ended"
            time.sleep(POLL_S)
        self.device.cut()

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

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.mesh.place.log("supervisor").parent

    def said(self, event: str) -> set[str]:
        """Lines of all logs that tell of an event."""
        texts = [log.read_text(errors="replace") for log in self.logs.glob("*.log*")]
        return {line for text in texts for line in text.splitlines() if event in line}

    def last_words(self) -> str:
        """The end of everybody's log."""
        logs = sorted(self.logs.glob("*.log"))
        return "\n".join(f"--- {log.stem}\n{log.read_text(errors='replace')[-LOG_BYTES:]}" for log in logs)


def stopped(pids: Sequence[int]) -> list[int]:
    """Stops processes and all that descend from them, and returns who they are."""
    found: dict[int, None] = {}
    while new := [pid for pid in [*pids, *(each for pid in found for each in children(pid))] if pid not in found]:
        for pid in new:
            found[pid] = None
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
    return list(found)
