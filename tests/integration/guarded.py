"""A guarded mesh for tests: real Envoys and control, every service behind the real chain of checks, an issuer of tokens
where identity stands, and NATS that carries what is revoked."""

from __future__ import annotations

import asyncio
import contextlib
import time
import tomllib
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import structlog

from crossrate.api.identity.v1.identity_events_pb2 import GrantsChanged
from crossrate.events import Events
from crossrate.events.envelope import Message
from crossrate.node import credentials
from crossrate.node.nats import NatsServer
from crossrate.rpc.client import channel_to_edge
from crossrate.rpc.contract import MethodContract, contracts
from crossrate.rpc.http_listener import HttpListener
from crossrate.rpc.revocations import Revocations
from crossrate.rpc.server import Server
from crossrate.runtime.place import Place
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.topology import DEFAULT_PATH, Topology
from tests.ending import within
from tests.integration.conftest import Servers
from tests.integration.envoys import SmallMesh, until
from tests.issuer import ISSUER, Issuer

IDENTITY = "identity"


def topology_text() -> str:
    """The mesh's own topology, with an identity service and a stream of its facts where it has none."""
    text = DEFAULT_PATH.read_text()
    own = tomllib.loads(text)
    if IDENTITY not in own["services"]:
        text += (
            '\n[services.identity]\npublishes = ["crossrate.identity.v1.>"]\nhttp = ["/oauth2/", "/.well-known/"]\n'
            '[streams.identity]\nowner = "identity"\nsubjects = ["crossrate.identity.v1.>"]\nmax_mib = 64\n'
        )
    if "tokens" not in own:
        text += f'\n[tokens]\nissuer = "{ISSUER}"\njwks_refresh_s = 1\n'
    return text


class Answers:
    """A servicer of any service: every method answers with its empty message, streams once a `step` is given.

    `served` counts the calls that reached it, by path.
    """

    def __init__(self, methods: list[MethodContract]) -> None:
        self.served: dict[str, int] = {}
        self.clients: dict[str, Any] = {}
        self.hold = asyncio.Event()
        for method in methods:
            setattr(self, method.name, self._answer(method))

    def _answer(self, method: MethodContract) -> Callable:
        from crossrate.rpc.call import current

        answer = method.output._concrete_class

        def note() -> None:
            self.served[method.path] = self.served.get(method.path, 0) + 1
            self.clients[method.path] = current().client

        if method.server_streaming:

            async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
                if method.client_streaming:
                    await anext(request)
                note()
                yield answer()
                await self.hold.wait()

            return stream

        async def unary(request: Any, context: Any) -> Any:
            note()
            return answer()

        return unary


async def tell_fact(place: Place, topology: Topology, fact: str, name: str) -> None:
    """Identity tells "session_revoked" of a session, or "grants_changed" of a subject, as its relay does."""
    log = structlog.get_logger()
    runtime = SimpleNamespace(service=IDENTITY, instance="identity-1", place=place, topology=topology, log=log)
    events = await Events.open(runtime)
    try:
        subject = f"crossrate.identity.v1.{fact}.{name}"
        content = GrantsChanged(subject=name, issued_until=int(time.time())) if fact == "grants_changed" else None
        payload = content.SerializeToString() if content else b""
        await events.publish(Message(subject, payload, f"test:{subject}:{time.time_ns()}"))
    finally:
        await events.close()


class GuardedMesh(SmallMesh):
    """Every service of the topology has one instance, in this process and behind the real chain."""

    def __init__(self, topology: Path) -> None:
        super().__init__(topology)
        self.issuer = Issuer()
        self.answers: dict[str, Answers] = {}
        self.nats = Servers.__new__(Servers)
        self._stack = contextlib.AsyncExitStack()
        self._runtimes: list[Runtime] = []
        self._serving: list[asyncio.Task] = []
        self.changed_at = 0
        """When somebody's grants were last changed, seconds since 1970."""
        self.revocations: list[Revocations] = []
        """What each service knows to be revoked."""

    async def start(self) -> GuardedMesh:
        """NATS, control, the proxies, the issuer, and an instance of everything."""
        await self._start_nats()
        await self.start_control()
        for service in self.topology.services:
            if service not in ("control",):
                self._start_service(service)
        identity = SimpleNamespace(place=self.place, instance="identity-1", log=structlog.get_logger())
        await self._stack.enter_async_context(HttpListener(identity, self.issuer))
        await self.start_envoys()
        await until(self.is_whole)
        await until(self._has_keys)
        return self

    async def _start_nats(self) -> None:
        from tests.ports import free_port

        self.nats.topology, self.nats.place, self.nats.processes = self.topology, self.place, {}
        self.nats.nats = NatsServer(self.place, free_port(), store_mib_max=4096)
        credentials.issue(self.place, self.topology, self.nats.nats.url, self.place.run)
        await self.nats.start_nats()
        await self.nats.nats.provision(self.topology)

    def _start_service(self, service: str) -> None:
        settings = RuntimeSettings(
            service=service, instance=f"{service}-1", topology=self.topology_path, settle_s=0.02, grace_s=2.0
        )
        runtime = open_runtime(settings, self.place)
        server = Server(runtime)
        methods = [m for m in contracts().values() if m.workload == service]
        self.answers[service] = answers = Answers(methods)
        for name in sorted({m.service for m in methods}):
            module = import_module(
                next(m for m in methods if m.service == name)
                .descriptor.containing_service.file.name.removesuffix(".proto")
                .replace("/", ".")
                + "_pb2_grpc"
            )
            server.add(getattr(module, f"add_{name.rpartition('.')[2]}Servicer_to_server"), answers)
        self.revocations.append(server.revocations)
        self._runtimes.append(runtime)
        self._serving.append(asyncio.create_task(server.serve()))

    async def is_whole(self) -> bool:
        """Whether every service serves and every proxy knows it."""
        from crossrate.api.control.v1 import mesh_pb2

        for task in self._serving:
            if task.done():
                task.result()
        status = await self.status()
        if status is None or len(status.instances) != len(self.topology.services):
            return False
        return all(i.health == mesh_pb2.INSTANCE_HEALTH_SERVING for i in status.instances)

    async def _has_keys(self) -> bool:
        """Whether the edge has the issuer's keys."""
        status, _, _ = await self.rest("GET", "/v1/currencies", self.bearer(self.issuer.token()))
        return status == 200

    def bearer(self, token: str) -> dict[str, str]:
        """The header that shows a token."""
        return {"authorization": f"Bearer {token}"}

    def token_channel(self, token: str | None, client_pem: bytes | None = None) -> grpc.aio.Channel:
        """A client of the edge with a token, a certificate, both or neither."""
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        target = f"localhost:{self.ports['edge']}"
        return channel_to_edge(target, self.place.ca_bundle.read_bytes(), client_pem=client_pem, metadata=metadata)

    async def publish(self, fact: str, name: str) -> None:
        """Identity tells a fact, as its relay does."""
        await tell_fact(self.place, self.topology, fact, name)

    async def stop(self) -> None:
        """Ends everything."""
        for runtime in self._runtimes:
            runtime.stopping.set()
        for answers in self.answers.values():
            answers.hold.set()
        await within(asyncio.gather(*self._serving, return_exceptions=True), "the end of all servers")
        await self._stack.aclose()
        if "nats" in self.nats.processes:
            self.nats.kill("nats")
        await super().stop()


@contextlib.asynccontextmanager
async def guarded_mesh(folder: Path, text: str | None = None) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh that is gone afterwards."""
    path = folder / "topology.toml"
    path.write_text(text or topology_text())
    mesh = GuardedMesh(path)
    try:
        yield await mesh.start()
    finally:
        await mesh.stop()
