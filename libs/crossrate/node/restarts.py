"""Restarting one thing while the mesh goes on serving."""

from __future__ import annotations

import asyncio
import time

from crossrate.node import proxies
from crossrate.node.keeper import Keeper, State
from crossrate.node.supervisor import POLL_S, Node

READY_S_MAX = 45.0
"""Longest wait until what was restarted does its work again."""
OLD_GRACE_S = 15.0
"""Longest time that a replaced instance gets to finish its calls."""


class RestartFailed(Exception):
    """It did not come back; the message says what is running now."""


def _number(name: str) -> int:
    return int(name.rsplit("-", 1)[1])


class Restarts:
    """Restarts of one node, one at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = asyncio.Lock()

    async def restart(self, target: str) -> list[str]:
        """Restarts a service (each instance in turn, the new one first), an instance, or another process, in place.

        Returns the names of the processes that took over.

        Raises:
            RestartFailed: nothing is called that, or it does not come back.
        """
        table = self._node.table
        async with self._turn:
            if self._node.state not in ("healthy", "degraded"):
                raise RestartFailed(f"the mesh is {self._node.state}: wait until it is up")
            instances = [k for k in table.of_kind("service") if k.name.rsplit("-", 1)[0] == target or k.name == target]
            if instances:
                await self._node.renew_zygote()
                names = [await self._surge(keeper) for keeper in instances]
            elif target == "control" or target in table:
                names = [await self._in_place(table["control-1" if target == "control" else target])]
            else:
                known = sorted({k.name for k in table} | set(self._node.topology.services))
                raise RestartFailed(f"nothing is called {target!r}: there are {', '.join(known)}")
            if all(k.state is State.RUNNING for k in table):
                self._node.state = "healthy"
            return names

    async def scale(self, service: str, instances: int) -> list[str]:
        """Starts what a service lacks of so many instances, all at once, or ends what it has beyond them, the newest
        first. Asked again it has nothing to do. Returns the names of those that run.

        Raises:
            RestartFailed: one that was started does not come up; it is ended, and the others go on.
        """
        table = self._node.table
        async with self._turn:
            running = [k for k in table.of_kind("service") if k.name.rsplit("-", 1)[0] == service]
            # One that does its work stays rather than one that does not.
            running.sort(key=lambda keeper: (not keeper.ready, _number(keeper.name)))
            too_many = running[instances:]
            await asyncio.gather(*(keeper.stop(OLD_GRACE_S) for keeper in too_many))
            for keeper in too_many:
                table.forget(keeper.name)
            free = [f"{service}-{number}" for number in range(1, 1000) if f"{service}-{number}" not in table]
            await self._start(free[: max(0, instances - len(running))])
            return [k.name for k in table.of_kind("service") if k.name.rsplit("-", 1)[0] == service]

    async def _start(self, names: list[str]) -> None:
        """Starts instances of services and waits until all of them take calls."""
        node = self._node
        if not names:
            return
        await node.renew_zygote()
        async with node.observing():
            started = [node.keep_instance(name.rsplit("-", 1)[0], name) for name in names]
            results = await asyncio.gather(*map(self._until_ready, started), return_exceptions=True)
            failed = [(k, r) for k, r in zip(started, results, strict=True) if isinstance(r, BaseException)]
            for keeper, _ in failed:
                await keeper.stop()
                node.table.forget(keeper.name)
        for keeper, error in failed:
            if not isinstance(error, RestartFailed):
                raise error
            raise RestartFailed(f"the new {keeper.name} did not come up: {error}") from None

    async def _surge(self, old: Keeper) -> str:
        """Starts a new instance, waits until it takes calls, then ends the old one."""
        node = self._node
        service = old.name.rsplit("-", 1)[0]
        number = next(n for n in range(1, 1000) if f"{service}-{n}" not in node.table)
        name = f"{service}-{number}"
        async with node.observing():
            new = node.keep_instance(service, name)
            try:
                await self._until_ready(new)
            except RestartFailed as error:
                await new.stop()
                node.table.forget(name)
                raise RestartFailed(f"{old.name} goes on serving: the new {name} did not come up: {error}") from None
        new.restarts = old.restarts + 1
        await old.stop(OLD_GRACE_S)
        node.table.forget(old.name)
        return name

    async def _in_place(self, keeper: Keeper) -> str:
        node = self._node
        if keeper.kept.kind == "proxy" and keeper.ready and proxies.can_hand_over(node.place, keeper.name):
            return await self._succeed(keeper)
        async with node.observing():
            await keeper.restart()
            await self._until_ready(keeper)
        return keeper.name

    async def _succeed(self, old: Keeper) -> str:
        """Replaces an Envoy by a newer generation of itself, which takes over its listening sockets."""
        node = self._node
        name = old.name
        async with node.observing():
            new = node.succeed_proxy(old)
            new.restarts = old.restarts + 1
            await self._until_ready(new)
        await old.ended(proxies.HANDOVER_S + OLD_GRACE_S)
        node.table.forget(old.name)
        return name

    async def _until_ready(self, keeper: Keeper) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while not keeper.ready:
            await self._node.check()
            if keeper.state is State.FAILED:
                raise RestartFailed(keeper.failure())
            if time.monotonic() > deadline:
                why = "; ".join(p for p in self._node.missing() if p.startswith(f"{keeper.name} "))
                raise RestartFailed(f"not ready after {READY_S_MAX:.0f} s: {why}")
            await asyncio.sleep(POLL_S)
