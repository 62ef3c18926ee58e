"""Whether this instance can do its work: grpc.health.v1, for each service and for "" (all of them).

A service serves when everything that it depends on answered its last check. Dependencies are checked periodically, and
when somebody asks and the last answer is not fresh. One lost check does not take an instance out, `FAILURES_MAX` in a
row do; one good check brings it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from crossrate.rpc import errors
from crossrate.rpc.metrics import RpcCounts
from crossrate.runtime.ending import end

CHECK_INTERVAL_S = 1.0
CHECK_TIMEOUT_S = 2.0
FRESH_S = 0.5
"""A check asked for sooner than this after the last gets its answer."""
FAILURES_MAX = 2
WATCHERS_MAX = 256
ASKED_S_MAX = 0.2
"""Longest that a question waits for a check; after that the last known state is the answer."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

Check = Callable[[], Awaitable[Any]]


class Dependency:
    """Something that the work needs. `failure` is why it cannot be used, "" if it can."""

    def __init__(self, name: str, check: Check, services: frozenset[str] | None) -> None:
        self.name = name
        self.check = check
        self.services = services
        self.failures = FAILURES_MAX
        self.failure = "not checked yet"

    @property
    def up(self) -> bool:
        """Whether it counts as reachable."""
        return self.failures < FAILURES_MAX

    async def ask(self) -> None:
        """Runs the check once, within CHECK_TIMEOUT_S."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                if await self.check() is False:
                    raise RuntimeError("its check says no")
        except TimeoutError:
            self._failed(f"no answer in {CHECK_TIMEOUT_S:g} s")
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}"[:500])
        else:
            self.failures, self.failure = 0, ""

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.failure = why


class Health(health_pb2_grpc.HealthServicer):
    """The instance's health. It serves nobody until `start` and the first good check of every dependency."""

    def __init__(self, log: Any, counts: RpcCounts) -> None:
        self._log = log
        self._counts = counts
        self._services: tuple[str, ...] = ()
        self._dependencies: list[Dependency] = []
        self._fronted: dict[str, Dependency] = {}
        self._open = False
        self._changed = asyncio.Event()
        self._states: dict[str, int] = {"": _NOT_SERVING}
        self._checked_at = float("-inf")
        self._checking: asyncio.Task[None] | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._watchers = 0
        self._over = False

    def depends_on(self, name: str, check: Check, *, services: Iterable[str] | None = None) -> None:
        """Names something that the work needs ("postgres").

        Args:
            check: a coroutine function that raises, or returns False, when it cannot be used.
            services: full names of the services that need it; None for all.
        """
        self._dependencies.append(Dependency(name, check, None if services is None else frozenset(services)))
        self._counts.dependencies[name] = False

    def fronts(self, service: str, check: Check) -> None:
        """Answers also for a service that other instances serve; it has no part in the state of this one ("").

        Args:
            service: its full name.
            check: a coroutine function that raises, or returns False, while nobody serves it.
        """
        self._fronted[service] = Dependency(service, check, None)

    @property
    def serving(self) -> bool:
        """Whether every service of the instance can do its work."""
        return self._states[""] == _SERVING

    def failures(self) -> dict[str, str]:
        """Why each dependency that is down is down."""
        return {d.name: d.failure for d in self._dependencies if not d.up}

    def start(self, services: Iterable[str]) -> None:
        """Begins to check on behalf of the services with these full names."""
        self._services = tuple(services)
        self._open = True
        self._publish()
        self._loop_task = asyncio.create_task(self._check_forever(), name="health")

    def close(self) -> None:
        """The instance drains: from now on, and at once, nothing serves."""
        self._open = False
        self._publish()

    async def stop(self) -> None:
        """Ends the checks and everybody's watch."""
        self._over = True
        self._changed.set()
        await end(task for task in (self._loop_task, self._checking) if task is not None)

    async def wait_serving(self) -> None:
        """Returns once every service can do its work."""
        while not self.serving:
            await self._changed.wait()

    async def check_now(self) -> None:
        """Checks every dependency, or waits for the check that is under way; does nothing if the last is fresh."""
        loop = asyncio.get_running_loop()
        if self._checking is None:
            if loop.time() - self._checked_at < FRESH_S:
                return
            self._checking = asyncio.create_task(self._check_all(), name="health check")
        await asyncio.shield(self._checking)

    async def _check_soon(self) -> None:
        try:
            async with asyncio.timeout(ASKED_S_MAX):
                await self.check_now()
        except TimeoutError:
            return

    async def _check_all(self) -> None:
        try:
            await asyncio.gather(*(d.ask() for d in (*self._dependencies, *self._fronted.values())))
            self._checked_at = asyncio.get_running_loop().time()
            self._publish()
        finally:
            self._checking = None

    async def _check_forever(self) -> None:
        while True:
            await self.check_now()
            await asyncio.sleep(CHECK_INTERVAL_S)

    def _publish(self) -> None:
        states: dict[str, int] = {}
        for service in self._services:
            needs = (d for d in self._dependencies if d.services is None or service in d.services)
            states[service] = _SERVING if self._open and all(d.up for d in needs) else _NOT_SERVING
        for service, dependency in self._fronted.items():
            states[service] = _SERVING if self._open and dependency.up else _NOT_SERVING
        well = self._open and all(d.up for d in self._dependencies)
        states[""] = _SERVING if well else _NOT_SERVING
        self._counts.dependencies.update((d.name, d.up) for d in self._dependencies)
        if states != self._states:
            if self._open and self.serving and not well:
                self._log.warning("not serving", dependencies=self.failures())
            elif well:
                self._log.info("serving")
            self._states = states
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def Check(self, request, context) -> health_pb2.HealthCheckResponse:
        """The state of a service. NOT_FOUND if the instance has none of that name."""
        if self._open:
            await self._check_soon()
        state = self._states.get(request.service)
        if state is None:
            raise errors.not_found("service", request.service)
        return health_pb2.HealthCheckResponse(status=state)

    async def List(self, request, context) -> health_pb2.HealthListResponse:
        """The states of all services."""
        states = {name: health_pb2.HealthCheckResponse(status=state) for name, state in self._states.items()}
        return health_pb2.HealthListResponse(statuses=states)

    async def Watch(self, request, context) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """The state of a service now and whenever it changes."""
        if self._watchers >= WATCHERS_MAX:
            raise errors.too_many_requests(WATCHERS_MAX, 1.0)
        self._watchers += 1
        try:
            said = None
            while not self._over:
                changed = self._changed
                state = self._states.get(request.service, _SERVICE_UNKNOWN)
                if state != said:
                    yield health_pb2.HealthCheckResponse(status=state)
                    said = state
                await changed.wait()
        finally:
            self._watchers -= 1
