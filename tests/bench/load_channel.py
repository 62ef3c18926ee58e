"""The client of the transport benchmark: cheap, so that the server's cost is what is seen, and it checks every answer.

It is the lean transport's own channel, dialled over TCP or TLS, which in the product it never is. Every arm of a
comparison is measured with it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

from crossrate.rpc.lean import LeanChannel
from crossrate.rpc.lean.client_connection import ClientConnection


class LoadChannel(LeanChannel):
    """A channel to a port on loopback; with roots, over TLS, and with a file of certificate and key, as a client."""

    def __init__(self, port: int, roots_pem: bytes | None = None, client: Path | None = None) -> None:
        super().__init__(f"localhost:{port}")
        self._port = port
        self._tls: ssl.SSLContext | None = None
        if roots_pem is not None:
            self._tls = ssl.create_default_context(cadata=roots_pem.decode())
            self._tls.set_alpn_protocols(["h2"])
            if client is not None:
                self._tls.load_cert_chain(client)

    async def _dial(self, connection: ClientConnection) -> None:
        name = "localhost" if self._tls else None
        await self.loop.create_connection(
            lambda: connection, "127.0.0.1", self._port, ssl=self._tls, server_hostname=name
        )


class Arm:
    """One way to make the same call: a channel, the request's bytes and the answer that it must bring."""

    def __init__(self, channel: LeanChannel, path: str, request: bytes) -> None:
        self._call = channel.unary_unary(path)
        self._request = request
        self._answer: bytes | None = None
        self.calls = 0
        self.failed = 0
        self.failures: set[str] = set()

    async def call(self) -> None:
        """Makes the call; whatever is not the first answer again is a failure."""
        self.calls += 1
        try:
            answer = await self._call(self._request, timeout=10)
        except Exception as error:
            self.failed += 1
            self.failures.add(str(error)[:200])
            return
        if self._answer is None:
            self._answer = answer
        elif answer != self._answer:
            self.failed += 1
            self.failures.add("another answer than before")

    async def latencies(self, count: int) -> list[float]:
        """Seconds that calls took, one after the other."""
        found = []
        for _ in range(count):
            start = time.perf_counter()
            await self.call()
            found.append(time.perf_counter() - start)
        return found

    async def rate(self, seconds: float, in_flight: int) -> float:
        """Calls a second with some under way at once."""
        before, start = self.calls, time.perf_counter()
        end = start + seconds

        async def worker() -> None:
            while time.perf_counter() < end:
                await self.call()

        await asyncio.gather(*(worker() for _ in range(in_flight)))
        return (self.calls - before) / (time.perf_counter() - start)
