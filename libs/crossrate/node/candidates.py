"""Candidates of releases: instances of another version beside those of a service, and their promotion.

They are called `<service>-901`, -902 …, register as the backend `<service>-candidate`, and get calls only from a route
that control has made for a release. A mesh is healthy without them: what becomes of one is the release's business.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from crossrate.node import logs
from crossrate.node.keeper import Keeper, State
from crossrate.node.memory import processor_s, rss_mib
from crossrate.node.nursery import ForkError
from crossrate.node.programs import Program
from crossrate.node.restarts import RestartFailed, Restarts
from crossrate.node.supervisor import Node

CANDIDATE = "candidate"
FIRST_NUMBER = 901
INSTANCES_MAX = 8


def _rss_mib(keeper: Keeper) -> float:
    return round(rss_mib(keeper.child.pid), 1) if keeper.child is not None else 0.0


def _processor_s(keeper: Keeper) -> float:
    return processor_s(keeper.child.pid) if keeper.child is not None else 0.0


class Candidates:
    """The candidates of one node."""

    def __init__(self, node: Node, restarts: Restarts) -> None:
        self._node = node
        self._restarts = restarts
        self._turn = asyncio.Lock()

    def _of(self, service: str) -> list[Keeper]:
        return [k for k in self._node.table.of_kind(CANDIDATE) if k.name.rsplit("-", 1)[0] == service]

    async def ensure(self, service: str, instances: int, program: Program) -> dict[str, Any]:
        """Starts those of a service's candidates that are not there; returns how each does.

        Raises:
            ValueError: there is no such service, or too many instances are asked for.
            ForkError: the mesh is going down.
        """
        node = self._node
        if service not in node.topology.services or service == "control":
            raise ValueError(f"there is no service {service!r} that could have a candidate")
        if not 1 <= instances <= INSTANCES_MAX:
            raise ValueError(f"a candidate has 1 to {INSTANCES_MAX} instances")
        async with self._turn:
            # Data that they need is there when the mesh is up.
            await node.until_up()
            names = [f"{service}-{number}" for number in range(FIRST_NUMBER, FIRST_NUMBER + instances)]
            missing = [name for name in names if name not in node.table]
            if missing:
                await node.renew_zygote()
            for name in missing:
                node.keep_instance(f"{service}-{CANDIDATE}", name, program, CANDIDATE)
        return self.state(service)

    def _stable(self, service: str) -> list[Keeper]:
        return [k for k in self._node.table.of_kind("service") if k.name.rsplit("-", 1)[0] == service]

    def state(self, service: str) -> dict[str, Any]:
        """Each candidate's name, state, restarts, memory, processor time, and why it is not running; of one that
        crashed the end of its log. Beside them memory and processor time of each of the service's own instances. Memory
        is resident, in MiB; processor time is what the process has used since it began, in seconds, and `read_s` when
        that was read, on the machine's monotonic clock."""
        return {
            "read_s": time.monotonic(),
            "candidates": [
                {
                    "name": keeper.name,
                    "state": str(keeper.state),
                    "restarts": keeper.restarts,
                    "detail": keeper.detail,
                    "log": logs.tail(keeper.kept.log) if keeper.restarts or keeper.state is State.FAILED else "",
                    "rss_mib": _rss_mib(keeper),
                    "processor_s": _processor_s(keeper),
                }
                for keeper in self._of(service)
            ],
            "stable_rss_mib": {keeper.name: _rss_mib(keeper) for keeper in self._stable(service)},
            "stable_processor_s": {keeper.name: _processor_s(keeper) for keeper in self._stable(service)},
        }

    async def end(self, service: str, keep: int = 0) -> None:
        """Ends a service's candidates, but for the first `keep` of them, as any instance ends: withdrawn first, then
        drained."""
        async with self._turn:
            ending = sorted(self._of(service), key=lambda keeper: keeper.name)[keep:]
            await asyncio.gather(*(keeper.stop() for keeper in ending))
            for keeper in ending:
                self._node.table.forget(keeper.name)

    async def promote(self, service: str, program: Program) -> list[str]:
        """Makes a program the service's own: kept on disk, then each instance replaced, the new one first.

        Asked again it has nothing to do. Returns the names of the instances.

        Raises:
            RestartFailed: a new instance does not come up; the program before is the service's again.
        """
        node = self._node
        async with self._turn:
            await node.until_up()
            before = node.programs.of(service)
            running = self._stable(service)
            if before == program and all(node.running_program.get(k.name) == program for k in running):
                return [k.name for k in running]
            node.programs.promote(service, program)
            try:
                return await self._restarts.restart(service)
            except (RestartFailed, ForkError):
                node.programs.promote(service, before)
                await self._replace(service, program)
                raise

    async def scale(self, service: str, instances: int) -> list[str]:
        """Has so many of the service's own instances run; see `Restarts.scale`.

        Raises:
            ValueError: there is no such service, or too many instances are asked for, or none.
            RestartFailed: one that was started does not come up; the others go on.
        """
        wanted = self._node.topology.services.get(service)
        if wanted is None or not 1 <= instances <= wanted.instances:
            most = "" if wanted is None else f": 1 to {wanted.instances}"
            raise ValueError(f"{service} cannot have {instances} instances{most}")
        async with self._turn:
            await self._node.until_up()
            return await self._restarts.scale(service, instances)

    async def _replace(self, service: str, program: Program) -> list[str]:
        """Replaces the instances that run a program by what runs as the service."""
        replaced = []
        for keeper in self._stable(service):
            if self._node.running_program.get(keeper.name) == program:
                replaced += await self._restarts.restart(keeper.name)
        return replaced

    async def take_back(self, service: str, program: Program) -> list[str]:
        """Makes what was before a program the service's own again, if that program was promoted last.

        Asked again it has nothing to do. Returns the names of the instances that were replaced.

        Raises:
            RestartFailed: an instance of the program before does not come up.
        """
        async with self._turn:
            await self._node.until_up()
            if self._node.programs.of(service) == program:
                self._node.programs.take_back(service)
            return await self._replace(service, program)
