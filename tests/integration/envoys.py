"""A small mesh for tests: real Envoys under control's configuration, in front of small real gRPC servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.control.v1 import mesh_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.node.bootstrap import admin_socket, arguments, write_bootstrap
from crossrate.runtime.place import Place
from crossrate.runtime.topology import DEFAULT_PATH, load
from services.control.compile import proxy_of
from tests.ending import within
from tests.ports import free_ports

READY_S_MAX = 120.0
READER = "viewer"
"""The client of the topology that only reads."""


async def until(condition: Callable[[], Any], seconds: float = READY_S_MAX) -> Any:
    """Waits until a condition holds and returns its value; a TimeoutError says that it never did."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        await asyncio.sleep(0.02)


class Reference(reference_grpc.ReferenceServiceServicer):
    """Knows every instrument but those with XXX, and remembers the headers of the last call."""

    def __init__(self, name: str = "reference-1") -> None:
        self.name = name
        self.headers: dict[str, Any] = {}
        self.calls = 0

    async def GetInstrument(self, request, context):
        """The pair, named; the price of the pair XXX is an error, SLO is slow."""
        self.headers = dict(context.invocation_metadata())
        self.calls += 1
        if request.counter == "XXX":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such instrument")
        if request.counter == "SLO":
            await asyncio.sleep(30)
        answer = reference.GetInstrumentResponse()
        answer.instrument.name = f"{request.base}/{request.counter}"
        return answer


class MarketData(marketdata_grpc.MarketDataServiceServicer):
    """Streams positions until it is told to stop."""

    async def StreamQuotes(self, request, context):
        """`max_messages` messages, then the end; without a bound one every 20 ms."""
        sequence = 0
        while not request.max_messages or sequence < request.max_messages:
            sequence += 1
            answer = marketdata.StreamQuotesResponse()
            answer.position.sequence = sequence
            answer.heartbeat.server_time.GetCurrentTime()
            yield answer
            await asyncio.sleep(0.02)
        yield marketdata.StreamQuotesResponse(end=stream_pb2.StreamEnd(reason=stream_pb2.STREAM_END_REASON_COMPLETE))


class Backend:
    """A gRPC server on a Unix socket with its health."""

    def __init__(self, path: Path, register: Callable[[Any, grpc.aio.Server], None], servicer: Any) -> None:
        self.path = path
        self.servicer = servicer
        self.server = grpc.aio.server()
        self.health = health.aio.HealthServicer()
        register(servicer, self.server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.server.add_insecure_port(f"unix:{path}")

    async def start(self) -> Backend:
        """Serves."""
        await self.health.set("", health_pb2.HealthCheckResponse.SERVING)
        await self.server.start()
        return self

    async def stop(self) -> None:
        """Finishes what it does and ends."""
        await self.server.stop(2)


class SmallMesh:
    """Control, the proxies and small servers behind them; `stop` leaves no process and no file."""

    def __init__(self, topology: Path) -> None:
        self.topology_path = topology
        self.topology = load(topology)
        self.folder = Path(tempfile.mkdtemp(prefix="xr-"))
        self.place = Place(self.folder / "state", self.folder / "run").make()
        ports = free_ports(1 + len(self.topology.backends()))
        self.ports = {"edge": ports[0], "inbound": dict(zip(self.topology.backends(), ports[1:], strict=True))}
        self.place.ports.write_text(json.dumps(self.ports))
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.backends: dict[str, Backend] = {}

    async def start(self) -> SmallMesh:
        """One instance of reference and one of marketdata, control, the proxies; no other service has an instance."""
        await self.start_backend("reference-1", reference_grpc.add_ReferenceServiceServicer_to_server, Reference())
        await self.start_backend("marketdata-1", marketdata_grpc.add_MarketDataServiceServicer_to_server, MarketData())
        await self.start_control()
        await self.start_envoys()
        await until(self.is_whole)
        return self

    async def start_control(self) -> None:
        """Starts the control plane's program and returns when it answers."""
        environment = os.environ | {
            "CROSSRATE_SERVICE": "control",
            "CROSSRATE_INSTANCE": "control-1",
            "CROSSRATE_STATE": str(self.place.state),
            "CROSSRATE_RUN": str(self.place.run),
            "CROSSRATE_TOPOLOGY": str(self.topology_path),
        }
        with self.place.log("control-1").open("ab") as log:
            self.processes["control-1"] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.control", stdout=log, stderr=log, env=environment
            )
        await until(self.status)

    async def kill(self, name: str) -> None:
        """SIGKILL to a process; returns when it is gone."""
        self.processes[name].kill()
        await within(self.processes[name].wait(), f"the end of {name}")

    async def start_backend(self, name: str, register: Callable, servicer: Any, *, candidate: bool = False) -> Backend:
        """Starts a server and registers it as an instance, or as one of a release's candidate."""
        backend = Backend(self.place.service_socket(name), register, servicer)
        self.backends[name] = await backend.start()
        entry = {
            "service": name.rpartition("-")[0],
            "backend": name.rpartition("-")[0] + ("-candidate" if candidate else ""),
            "instance": name,
            "pid": os.getpid(),
            "socket": str(backend.path),
            "metrics_port": 0,
            "version": "0",
            "start_time": "2026-01-01T00:00:00+00:00",
        }
        path = self.place.registration(name)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(entry))
        draft.replace(path)
        return backend

    async def stop_backend(self, name: str) -> None:
        """Ends an instance as a server does: not serving, withdrawn, then finished."""
        backend = self.backends.pop(name)
        await backend.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        self.place.registration(name).unlink()

        async def withdrawn() -> bool:
            status = await self.status()
            return status is not None and all(instance.name != name for instance in status.instances)

        await until(withdrawn)
        await asyncio.sleep(0.3)  # What a server waits for every proxy to notice.
        await backend.server.stop(5)

    async def start_envoys(self) -> None:
        """Starts the proxies that the layout asks for and waits until they serve."""
        names = ["edge", *sorted({proxy_of(s, self.topology) for s in self.topology.services})]
        for name in names:
            config = write_bootstrap(name, self.place, self.topology)
            with self.place.log(name).open("wb") as log:
                self.processes[name] = await asyncio.create_subprocess_exec(*arguments(config), stdout=log, stderr=log)
        for name in names:
            await until(lambda name=name: self.is_live(name))

    async def is_live(self, name: str) -> bool:
        """Whether a proxy serves."""
        assert self.processes[name].returncode is None, self.log(name)
        return "LIVE" in await self.admin(name, "/ready")

    async def is_whole(self) -> bool:
        """Whether all instances serve and every proxy has its configuration."""
        status = await self.status()
        serving = status is not None and all(i.health == mesh_pb2.INSTANCE_HEALTH_SERVING for i in status.instances)
        return serving and len(status.instances) == len(self.backends) + 1

    def log(self, name: str) -> str:
        """The end of a process's log."""
        return self.place.log(name).read_text()[-4000:]

    async def admin(self, name: str, path: str) -> str:
        """What a proxy tells its operator; empty if it does not answer yet."""
        try:
            reader, writer = await asyncio.open_unix_connection(admin_socket(self.place, name))
        except OSError:
            return ""
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n".encode())
            return (await reader.read()).decode()
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def operator(self) -> AsyncIterator[control_grpc.ControlServiceStub]:
        """Control as the local operator reaches it."""
        async with self._local(self.place.service_socket("control-1")) as channel:
            yield control_grpc.ControlServiceStub(channel)

    async def status(self) -> control.GetMeshStatusResponse | None:
        """What control says, or None if it does not answer."""
        assert self.processes["control-1"].returncode is None, self.log("control-1")
        async with self.operator() as stub:
            with contextlib.suppress(grpc.aio.AioRpcError):
                return await stub.GetMeshStatus(control.GetMeshStatusRequest(), timeout=20)
        return None

    def edge_channel(self) -> grpc.aio.Channel:
        """A client of the edge that only reads."""
        proof = self.place.client_certificate(READER).read_bytes()
        credentials = grpc.ssl_channel_credentials(self.place.ca_bundle.read_bytes(), proof, proof)
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.secure_channel(f"localhost:{self.ports['edge']}", credentials, options)

    def outbound_channel(self, service: str) -> grpc.aio.Channel:
        """A service's way to the others."""
        return self._local(self.place.outbound_socket(service))

    def _local(self, socket: Path) -> grpc.aio.Channel:
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.insecure_channel(f"unix:{socket}", options)

    async def rest(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        client: Path | str | None = READER,
    ) -> tuple[int, dict[str, str], bytes]:
        """One REST call through the edge, by a client's certificate or by nobody: status, headers, body."""
        proof = self.place.client_certificate(client) if isinstance(client, str) else client

        def call() -> tuple[int, dict[str, str], bytes]:
            context = ssl.create_default_context(cadata=self.place.ca_bundle.read_text())
            if proof is not None:
                context.load_cert_chain(proof)
            connection = http.client.HTTPSConnection("localhost", self.ports["edge"], context=context, timeout=60)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            result = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            connection.close()
            return result

        return await asyncio.to_thread(call)

    async def stop(self) -> None:
        """Ends every process and removes every file."""
        for process in self.processes.values():
            if process.returncode is None:
                process.kill()
        for name, process in self.processes.items():
            await within(process.wait(), f"the end of {name}")
        for backend in self.backends.values():
            await backend.server.stop(0)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def small_mesh(topology: Path = DEFAULT_PATH) -> AsyncIterator[SmallMesh]:
    """A small mesh that is gone afterwards."""
    mesh = SmallMesh(topology)
    try:
        yield await mesh.start()
    finally:
        await mesh.stop()
