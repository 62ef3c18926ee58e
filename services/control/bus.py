"""Control's part of NATS: live configuration, and the routes that replace rendered ones.

Control serves the proxies without NATS. A route that is applied meanwhile is kept on disk and written when NATS is
there; otherwise what NATS has is what counts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import nats.errors
from google.protobuf import json_format
from google.protobuf.message import Message
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from crossrate.events import Event as Received
from crossrate.events import Events, EventsError, EventsUnavailable
from crossrate.events import Message as Event
from crossrate.rpc import errors
from crossrate.runtime.live_config import ConfigStore
from crossrate.runtime.process import Runtime
from services.control import routes as gateway
from services.control.ads import NotAcknowledgedError, RefusedError
from services.control.envoy_api import ResourceError
from services.control.mesh import Mesh

BUCKET = "control"
FAULT = "fault"
TAP = "tap"
OPEN_S_MAX = 30.0
RETRY_S = 0.5


def route_key(service: str) -> str:
    """Where a service's route stands in the bucket."""
    return f"route.{service}"


class Bus:
    """The connection, as soon and as long as there is one."""

    def __init__(self, runtime: Runtime, mesh: Mesh) -> None:
        self._runtime = runtime
        self._mesh = mesh
        self._events: Events | None = None
        self._store: ConfigStore | None = None

    @property
    def store(self) -> ConfigStore:
        """Where live configuration is kept.

        Raises:
            Failure: DEPENDENCY_UNAVAILABLE while NATS was never reached.
        """
        if self._store is None:
            raise errors.dependency_unavailable("nats")
        return self._store

    async def run(self) -> None:
        """Connects, brings the routes in line, and stays connected until it is cancelled."""
        log = self._runtime.log
        said = ""
        while self._events is None:
            try:
                self._events = await Events.open(self._runtime, open_timeout_s=OPEN_S_MAX)
            except (EventsError, OSError, ValueError, KeyError) as error:
                # The credentials are not there either before the node has made them.
                if said != (said := str(error)):
                    log.warning("control goes on without NATS", reason=said)
                await asyncio.sleep(RETRY_S)
        self._store = ConfigStore(self._events)
        while True:
            try:
                await self._align_routes()
                return
            except EventsError as error:
                log.warning("routes cannot be read from NATS", reason=str(error))
                await asyncio.sleep(RETRY_S)

    async def _align_routes(self) -> None:
        assert self._events is not None
        bucket = self._events.kv(BUCKET)
        for service in self._mesh.topology.services:
            if service in self._mesh.kept.unwritten:
                await self.write_route(service)
                continue
            entry = await bucket.get(route_key(service))
            document = _document(entry.value) if entry is not None else None
            if document != self._mesh.kept.routes.get(service):
                await self._take_route(service, document)

    async def _take_route(self, service: str, document: dict[str, Any] | None) -> None:
        try:
            route = self._mesh.read_route(document) if document is not None else None
            await self._mesh.set_route(service, route, f"route {service} read from NATS")
        except (gateway.RouteError, ResourceError, RefusedError, NotAcknowledgedError) as error:
            self._runtime.log.error("a route in NATS cannot be used", service=service, reason=str(error))
        else:
            self._mesh.kept.written(service)

    async def write_route(self, service: str) -> None:
        """Writes a service's route as it is in force.

        Raises:
            EventsError: NATS did not take it.
        """
        if self._events is None:
            return
        bucket, document = self._events.kv(BUCKET), self._mesh.kept.routes.get(service)
        if document is None:
            await bucket.delete(route_key(service))
        else:
            await bucket.put(route_key(service), json.dumps(document).encode())
        self._mesh.kept.written(service)

    async def keep_route(self, service: str) -> None:
        """The same, as well as it can be done now; what was not written is written at the next start."""
        try:
            await self.write_route(service)
        except EventsError as error:
            self._runtime.log.warning("a route is kept on disk alone for now", service=service, reason=str(error))

    async def publish(self, message: Event) -> None:
        """Publishes a fact of control's own; when it returns, it is on disk.

        Raises:
            EventsError: NATS is not there, or did not take it.
        """
        if self._events is None:
            raise EventsUnavailable("NATS was never reached")
        await self._events.publish(message)

    def reads(self, stream: str) -> bool:
        """Whether the topology lets control read a stream."""
        return stream in self._runtime.topology.services[self._runtime.service].consumes

    async def read(self, stream: str, after_sequence: int, subject: str) -> list[Received]:
        """The next messages of a stream with a subject, in order; empty at its end.

        Raises:
            EventsError: NATS was never reached, or is away.
        """
        if self._events is None:
            raise EventsUnavailable("NATS was never reached")
        return await self._events.read(stream, after_sequence, subject=subject)

    async def subscribe(self, subject: str, take: Callable[[bytes], None]) -> Subscription:
        """Has every message of a subject taken as it is published, from now on.

        Raises:
            EventsError: NATS was never reached, or is away.
        """
        if self._events is None:
            raise EventsUnavailable("NATS was never reached")

        async def came(message: Msg) -> None:
            take(message.data)

        try:
            return await self._events.subscribe_core(subject, came)
        except (nats.errors.Error, OSError) as error:
            raise EventsUnavailable(f"{subject}: {error!r}") from error

    async def tell_fault(self, name: str, fault: Message | None) -> None:
        """Writes down, for the audit, that a fault begins or (None) has ended. Faults do not wait for NATS."""
        if self._events is None:
            self._runtime.log.warning("a fault is not written down: NATS was never reached", fault=name)
            return
        bucket, key = self._events.kv(BUCKET), f"{FAULT}.{name}"
        try:
            if fault is None:
                await bucket.delete(key)
            else:
                await bucket.put(key, json_format.MessageToJson(fault, indent=None).encode())
        except EventsError as error:
            self._runtime.log.warning("a fault is not written down", fault=name, reason=str(error))

    async def tell_tap(self, name: str, fact: Mapping[str, Any] | None) -> bool:
        """Writes down, for the audit, that somebody begins to watch or (None) has ended; False if it cannot be done."""
        if self._events is None:
            self._runtime.log.warning("a tap is not written down: NATS was never reached", tap=name)
            return False
        bucket, key = self._events.kv(BUCKET), f"{TAP}.{name}"
        try:
            if fact is None:
                await bucket.delete(key)
            else:
                await bucket.put(key, json.dumps(fact).encode())
        except EventsError as error:
            self._runtime.log.warning("a tap is not written down", tap=name, reason=str(error))
            return False
        return True

    async def close(self) -> None:
        """Closes the connection."""
        if self._events is not None:
            await self._events.close()


def _document(value: bytes | None) -> dict[str, Any] | None:
    try:
        document = json.loads(value) if value else None
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
