"""What the cases run against: a transport that serves the interop server, with a real Envoy in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc

from crossrate.node.bootstrap import arguments
from crossrate.rpc.lean import LeanChannel, LeanTransport
from crossrate.rpc.transport import Transport
from crossrate.rpc.transport_aio import AioTransport
from tests.integration.envoys import until
from tests.interop.servicer import TestServicer, Unchained
from tests.ports import free_ports

TRANSPORTS: dict[str, Callable[[], Transport]] = {"grpc.aio": AioTransport, "lean": LeanTransport}
"""What is tested, by name."""
REQUEST_BYTES_MAX = 4 << 20


def _aio_channel(target: str) -> Any:
    options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(target, options)


CLIENTS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "grpc.aio": (_aio_channel, ("straight", "envoy-tcp")),
    "lean": (lambda target: LeanChannel(target.removeprefix("unix:")), ("straight", "envoy-pipe")),
}
"""What it is tested with: how a channel is made to a target in gRPC's form, and the ways it takes."""


class Stand:
    """One transport on a Unix socket and one Envoy before it; `stop` leaves no process and no file."""

    def __init__(self, transport: Transport) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="xr-"))
        self.socket = self.folder / "server.sock"
        self.envoy_socket = self.folder / "envoy.sock"
        self.envoy_port = 0
        self.calls = Unchained()
        self._transport = transport
        self._envoy: asyncio.subprocess.Process | None = None

    def target(self, way: str) -> str:
        """Where a client of that way dials."""
        ways = {
            "straight": f"unix:{self.socket}",
            "envoy-tcp": f"127.0.0.1:{self.envoy_port}",
            "envoy-pipe": f"unix:{self.envoy_socket}",
        }
        return ways[way]

    async def start(self) -> Stand:
        """Serves."""
        methods = self.calls.methods(TestServicer())
        await self._transport.start(self.socket, methods, self.calls.unknown(), REQUEST_BYTES_MAX)
        return self

    async def start_envoy(self) -> Stand:
        """Starts the proxy and returns when it accepts connections."""
        (self.envoy_port,) = free_ports(1)
        config = self.folder / "envoy.json"
        config.write_text(json.dumps(self._bootstrap()))
        log = self.folder / "envoy.log"
        with log.open("wb") as out:
            self._envoy = await asyncio.create_subprocess_exec(*arguments(config), stdout=out, stderr=out)

        async def accepts() -> bool:
            assert self._envoy.returncode is None, log.read_text()[-4000:]
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.envoy_port)
            except OSError:
                return False
            writer.close()
            return True

        await until(accepts)
        return self

    def _bootstrap(self) -> dict[str, Any]:
        pipe = {"pipe": {"path": str(self.envoy_socket), "mode": 0o600}}
        tcp = {"socket_address": {"address": "127.0.0.1", "port_value": self.envoy_port}}
        options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        http2 = {"@type": f"type.googleapis.com/{options}", "explicit_http_config": {"http2_protocol_options": {}}}
        endpoint = {"endpoint": {"address": {"pipe": {"path": str(self.socket)}}}}
        cluster = {
            "name": "server",
            "type": "STATIC",
            "connect_timeout": "1s",
            "load_assignment": {"cluster_name": "server", "endpoints": [{"lb_endpoints": [endpoint]}]},
            "typed_extension_protocol_options": {options: http2},
            # The cases send hundreds of calls at once.
            "circuit_breakers": {"thresholds": [{"max_requests": 10_000, "max_pending_requests": 10_000}]},
        }
        listeners = [_listener("tcp", tcp), _listener("pipe", pipe)]
        return {"static_resources": {"listeners": listeners, "clusters": [cluster]}}

    async def settled(self) -> None:
        """Returns when no handler runs any more: what a client gave up has been cancelled."""
        await until(lambda: self.calls.in_flight == 0)

    async def stop(self) -> None:
        """Ends the proxy, then the transport, and removes every file."""
        try:
            if self._envoy is not None:
                if self._envoy.returncode is None:
                    self._envoy.kill()
                await self._envoy.wait()
            await self._transport.stop(1.0)
        finally:
            shutil.rmtree(self.folder)


def _listener(name: str, address: dict[str, Any]) -> dict[str, Any]:
    """A plain-text HTTP/2 listener that passes everything on, with the client's own deadline and no other."""
    filters = "envoy.extensions.filters"
    route = {"cluster": "server", "timeout": "0s", "max_stream_duration": {"grpc_timeout_header_max": "0s"}}
    virtual_host = {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": route}]}
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"type.googleapis.com/{filters}.http.router.v3.Router"},
    }
    manager = {
        "@type": f"type.googleapis.com/{filters}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "HTTP2",
        "route_config": {"virtual_hosts": [virtual_host]},
        "http_filters": [router],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": address, "filter_chains": [chain]}


@contextlib.asynccontextmanager
async def stand(transport: str, *, envoy: bool = True) -> AsyncIterator[Stand]:
    """A stand that is gone afterwards."""
    made = Stand(TRANSPORTS[transport]())
    try:
        await made.start()
        if envoy:
            await made.start_envoy()
        yield made
    finally:
        await made.stop()
