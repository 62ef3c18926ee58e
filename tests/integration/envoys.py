"""A small mesh for tests: real Envoys under control's configuration, in front of small real gRPC servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.node.bootstrap import admin_socket, arguments, write_bootstrap
from crossrate.rpc.contract import contracts
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology
from services.control.compile import proxy_of
from services.control.mesh import Mesh

READY_S_MAX = 15.0


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


def free_ports(count: int) -> list[int]:
    """TCP ports below 32768 that nobody listens on."""
    found: list[int] = []
    start = 20_000 + os.getpid() % 5_000
    for port in range(start, 32_768):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError("no free ports")


class SmallMesh:
    """Control's core, its proxies and the servers behind them; `stop` leaves no process and no file."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.folder = Path(tempfile.mkdtemp(prefix="xr-"))
        self.place = Place(self.folder / "state", self.folder / "run").make()
        ports = free_ports(1 + len(topology.services))
        self.ports = {"edge": ports[0], "inbound": dict(zip(topology.services, ports[1:], strict=True))}
        self.envoys: dict[str, asyncio.subprocess.Process] = {}
        self.backends: dict[str, Backend] = {}
        self.mesh: Mesh
        self.log = structlog.get_logger()

    async def start_control(self) -> None:
        """Starts the control plane on what it has kept; endpoints are those of the servers that run."""
        self.mesh = Mesh(self.topology, contracts(), self.place, self.ports, self.log)
        self.set_endpoints("start")
        await self.mesh.ads.start(self.place.xds_socket)

    def set_endpoints(self, cause: str = "endpoints") -> int:
        """Every server that runs is an endpoint; returns the snapshot's version."""
        found: dict[str, tuple[str, ...]] = {}
        for name, backend in sorted(self.backends.items()):
            service = name.rpartition("-")[0]
            found[service] = (*found.get(service, ()), str(backend.path))
        return self.mesh.set_endpoints(found, cause).version

    async def start_backend(self, name: str, register: Callable, servicer: Any) -> Backend:
        """Starts a server as an instance."""
        backend = Backend(self.place.service_socket(name), register, servicer)
        self.backends[name] = await backend.start()
        return backend

    async def start_envoys(self) -> None:
        """Starts the proxies that the layout asks for and waits until they serve."""
        names = ["edge", *sorted({proxy_of(s, self.topology) for s in self.topology.services})]
        for name in names:
            config = write_bootstrap(name, self.place, self.topology)
            log = self.place.log(f"envoy-{name}").open("wb")
            with log:
                self.envoys[name] = await asyncio.create_subprocess_exec(*arguments(config), stdout=log, stderr=log)
        for name in names:
            await until(lambda name=name: self.is_ready(name))
        await self.mesh.ads.acknowledged(self.mesh.snapshots.current.version, READY_S_MAX)

    async def start(self) -> SmallMesh:
        """Everything: control, the proxies, one instance of reference and one of marketdata."""
        register = reference_grpc.add_ReferenceServiceServicer_to_server
        await self.start_backend("reference-1", register, Reference())
        register = marketdata_grpc.add_MarketDataServiceServicer_to_server
        await self.start_backend("marketdata-1", register, MarketData())
        await self.start_control()
        await self.start_envoys()
        return self

    async def is_ready(self, name: str) -> bool:
        """Whether a proxy serves."""
        process = self.envoys[name]
        assert process.returncode is None, self.place.log(f"envoy-{name}").read_text()[-4000:]
        return "LIVE" in await self.admin(name, "/ready")

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

    def edge_channel(self) -> grpc.aio.Channel:
        """A client of the edge."""
        credentials = grpc.ssl_channel_credentials(self.place.ca_bundle.read_bytes())
        options = [("grpc.enable_retries", 0)]
        return grpc.aio.secure_channel(f"localhost:{self.ports['edge']}", credentials, options)

    def outbound_channel(self, service: str) -> grpc.aio.Channel:
        """A service's way to the others."""
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.insecure_channel(f"unix:{self.place.outbound_socket(service)}", options)

    async def rest(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """One REST call through the edge: status, headers, body."""
        import http.client
        import ssl

        def call() -> tuple[int, dict[str, str], bytes]:
            context = ssl.create_default_context(cadata=self.place.ca_bundle.read_text())
            connection = http.client.HTTPSConnection("localhost", self.ports["edge"], context=context, timeout=10)
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            result = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            connection.close()
            return result

        return await asyncio.to_thread(call)

    async def stop(self) -> None:
        """Ends every process and removes every file."""
        for process in self.envoys.values():
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
        for process in self.envoys.values():
            await process.wait()
        if hasattr(self, "mesh"):
            await self.mesh.ads.stop()
        for backend in self.backends.values():
            await backend.server.stop(0)
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def small_mesh(topology: Topology) -> AsyncIterator[SmallMesh]:
    """A small mesh that is gone afterwards."""
    mesh = SmallMesh(topology)
    try:
        yield await mesh.start()
    finally:
        await mesh.stop()
