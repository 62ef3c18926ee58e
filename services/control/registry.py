"""Endpoint discovery on one machine: registrations in a folder, health from each instance's own stream.

An instance writes its registration when it serves and removes it before it stops. For each one a health stream is held
open, and only an instance that says SERVING is an endpoint; a broken stream takes it out at once. In a cluster the API
server's EndpointSlices take this part's place.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SCAN_INTERVAL_S = 0.05
RECONNECT_INTERVAL_S = 0.2
SETTLED_NS = 1_000_000_000
INSTANCES_MAX = 1024
CHANNEL_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0))


@dataclass(slots=True)
class Registered:
    """One instance. `health` is "SERVING", "NOT_SERVING", "UNREACHABLE" or "" before it was asked; `offered_version` is
    the first snapshot that has it as an endpoint, 0 while it is none."""

    service: str
    name: str
    backend: str
    socket: str
    pid: int
    version: str
    start_time: dt.datetime
    health: str = ""
    offered_version: int = 0
    watch: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def serving(self) -> bool:
        """Whether it takes calls."""
        return self.health == "SERVING"


def read_registration(text: str) -> Registered:
    """The instance in a registration.

    Raises:
        ValueError, KeyError, TypeError: it is not one.
    """
    content = json.loads(text)
    return Registered(
        service=str(content["service"]),
        name=str(content["instance"]),
        backend=str(content.get("backend") or content["service"]),
        socket=str(content["socket"]),
        pid=int(content["pid"]),
        version=str(content["version"]),
        start_time=dt.datetime.fromisoformat(content["start_time"]),
    )


class Registry:
    """Watches the registrations and the health behind them.

    Args:
        on_change: is told the cause, in words, whenever the set of serving endpoints has changed, and returns the
            version of the snapshot that offers it.
    """

    def __init__(self, folder: Path, on_change: Callable[[str], int], log: Any) -> None:
        self._folder = folder
        self._on_change = on_change
        self._log = log
        self._seen_at_ns = -1
        self._files: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.instances: dict[str, Registered] = {}

    @property
    def endpoints(self) -> Mapping[str, tuple[str, ...]]:
        """Sockets of the serving instances, by backend, in order of instance."""
        found: dict[str, tuple[str, ...]] = {}
        for _, instance in sorted(self.instances.items()):
            if instance.serving:
                found[instance.backend] = (*found.get(instance.backend, ()), instance.socket)
        return found

    def serves(self, service: str) -> bool:
        """Whether a service has an instance that serves."""
        return any(i.service == service and i.serving for i in self.instances.values())

    async def changed(self) -> None:
        """Returns at the next change of any instance."""
        await self._changed.wait()

    async def known(self, timeout_s: float) -> None:
        """Returns when every instance that is registered now has said how it does, or after `timeout_s` seconds.

        A control plane that starts in a mesh that runs must not tell the proxies that nobody serves.
        """
        self._scan()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while any(not i.health for i in self.instances.values()):
                    await self.changed()

    async def run(self) -> None:
        """Watches until it is cancelled."""
        try:
            while True:
                self._scan()
                await asyncio.sleep(SCAN_INTERVAL_S)
        finally:
            for instance in self.instances.values():
                if instance.watch:
                    instance.watch.cancel()

    def _scan(self) -> None:
        try:
            changed_at_ns = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return
        # A folder's time moves in steps of some milliseconds: one that changed just now may have changed again since.
        settled = time.time_ns() - changed_at_ns > SETTLED_NS
        if changed_at_ns == self._seen_at_ns and settled:
            return
        self._seen_at_ns = changed_at_ns
        files: dict[str, int] = {}
        for path in self._folder.glob("[!.]*.json"):
            with contextlib.suppress(FileNotFoundError):
                files[path.stem] = path.stat().st_mtime_ns
        for name in self._files.keys() - files.keys():
            self._withdraw(name)
        for name, written_at_ns in files.items():
            if self._files.get(name) != written_at_ns:
                self._register(self._folder / f"{name}.json")
        self._files = files

    def _register(self, path: Path) -> None:
        try:
            instance = read_registration(path.read_text())
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._log.warning("a registration cannot be read", path=str(path), error=str(error))
            return
        if instance.name != path.stem or len(self.instances) >= INSTANCES_MAX:
            self._log.warning("a registration is left out", path=str(path))
            return
        self._withdraw(instance.name)
        self.instances[instance.name] = instance
        instance.watch = asyncio.create_task(self._watch(instance), name=f"health of {instance.name}")
        self._notify()

    def _withdraw(self, name: str) -> None:
        instance = self.instances.pop(name, None)
        if instance is None:
            return
        if instance.watch:
            instance.watch.cancel()
        if instance.serving:
            self._on_change(f"{name} withdrew")
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _became(self, instance: Registered, health: str) -> None:
        before, instance.health = instance.health, health
        if before == health or self.instances.get(instance.name) is not instance:
            return
        if "SERVING" in (before, health):
            version = self._on_change(f"{instance.name} is {health.lower().replace('_', ' ')}")
            instance.offered_version = version if instance.serving else 0
        self._notify()

    async def _watch(self, instance: Registered) -> None:
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async with grpc.aio.insecure_channel(f"unix:{instance.socket}", CHANNEL_OPTIONS) as channel:
                    stub = health_pb2_grpc.HealthStub(channel)
                    async for answer in stub.Watch(health_pb2.HealthCheckRequest(service="")):
                        serving = answer.status == health_pb2.HealthCheckResponse.SERVING
                        self._became(instance, "SERVING" if serving else "NOT_SERVING")
            self._became(instance, "UNREACHABLE")
            await asyncio.sleep(RECONNECT_INTERVAL_S)


def known_candidates(registry: Registry) -> Callable[[str], bool]:
    """Says whether the instance at a socket is, or was, a release's candidate: a call that ended with its instance is
    logged when the instance is not registered any more."""
    known: set[str] = set()

    def is_candidate(socket: str) -> bool:
        known.update(i.socket for i in registry.instances.values() if i.backend != i.service)
        return socket in known

    return is_candidate


def serving_of(registry: Registry, backend: str) -> list[Registered]:
    """The instances of a backend, a service's own or its candidates, that take calls."""
    return [i for i in registry.instances.values() if i.backend == backend and i.serving]
