"""GET /metrics over plain HTTP on loopback: all that Prometheus needs, and nothing else."""

from __future__ import annotations

import asyncio
import random

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

PORTS = range(28_000, 32_768)
"""Below the range from which the kernel takes ports for outgoing connections, and above those that a mesh has given to
its proxies (`crossrate.node.ports`), which may not listen yet."""
TRIES_MAX = 200
REQUEST_BYTES_MAX = 8192
REQUEST_S_MAX = 5.0
CONNECTIONS_MAX = 16


class MetricsListener:
    """Serves some registries on 127.0.0.1, each request on its own connection."""

    def __init__(self, *registries: CollectorRegistry) -> None:
        self._registries = registries
        self._server: asyncio.Server | None = None
        self._connections = 0

    async def start(self) -> int:
        """Listens, and returns the port.

        Raises:
            OSError: no port is free.
        """
        for _ in range(TRIES_MAX):
            port = random.choice(PORTS)
            try:
                self._server = await asyncio.start_server(
                    self._answer, "127.0.0.1", port, limit=REQUEST_BYTES_MAX, reuse_address=False
                )
            except OSError:
                continue
            return port
        raise OSError(f"no free port for metrics in {PORTS.start} to {PORTS.stop - 1} after {TRIES_MAX} tries")

    async def stop(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            async with asyncio.timeout(REQUEST_S_MAX):
                if self._connections > CONNECTIONS_MAX:
                    return
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._connections -= 1
            writer.close()

    def _response(self, request_line: bytes) -> bytes:
        verb, _, rest = request_line.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _http("404 Not Found", "text/plain", b"The metrics are at /metrics.\n")
        if verb != b"GET":
            return _http("405 Method Not Allowed", "text/plain", b"Only GET.\n")
        body = b"".join(generate_latest(registry) for registry in self._registries)
        return _http("200 OK", CONTENT_TYPE_LATEST, body)


def _http(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
