"""Plain HTTP for the paths that a service answers itself: an ASGI application on the instance's HTTP socket.

    listener = HttpListener(runtime, app)
    async with listener:
        await server.serve()

It listens before the instance registers and until it has drained, so that what the edge sends finds it. The edge is all
that reaches the socket: its folder is 0700. What only the mesh can say of a request is in `seen_by_edge`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket as sockets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import uvicorn

from crossrate.rpc.caller import CLIENT_HEADER, EDGE, FINGERPRINT_HEADER, Callers
from crossrate.rpc.registration import clear_socket
from crossrate.runtime.process import Runtime

KEEP_ALIVE_S = 90
"""Longer than the proxy keeps an idle connection."""
REQUESTS_MAX = 512
"""Answered at once; what comes on top gets 503."""
HEADERS_BYTES_MAX = 64 << 10
DRAIN_S = 5
"""What requests under way get at the end."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the edge saw of a client: its address, the SPIFFE id and the SHA-256 (hexadecimal) of its certificate, ""
    where it showed none, and the id of the request. A request that the edge did not send has nothing of it."""

    address: str = ""
    identity: str = ""
    fingerprint: str = ""
    request_id: str = ""


class EdgeWords:
    """Reads what the edge says, and believes nobody else."""

    def __init__(self, trust_domain: str) -> None:
        self._callers = Callers(trust_domain)

    def of(self, headers: Mapping[str, str]) -> Seen:
        """What it says in a request's headers."""
        proof = headers.get("x-forwarded-client-cert")
        if not proof or self._callers.name(proof) != EDGE:
            return Seen()
        fingerprint = headers.get(FINGERPRINT_HEADER, "").lower()
        return Seen(
            # The edge appends the address of its own peer, which is the last; those before it are a client's words.
            address=headers.get("x-forwarded-for", "").rpartition(",")[2].strip(),
            identity=headers.get(CLIENT_HEADER, ""),
            fingerprint=fingerprint if _FINGERPRINT.fullmatch(fingerprint) else "",
            request_id=headers.get("x-request-id", ""),
        )


class _Quiet(uvicorn.Server):
    """Leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[sockets.socket] | None = None) -> None:
        """Listens."""
        await super().startup(sockets)
        self.listens.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class HttpListener:
    """Serves `app` while it is open. Create it in the running event loop."""

    def __init__(self, runtime: Runtime, app: Any) -> None:
        self.socket = runtime.place.http_socket(runtime.instance)
        """Where it listens."""
        self._log = runtime.log
        self._task: asyncio.Task[None] | None = None
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=REQUESTS_MAX,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=DRAIN_S,
            h11_max_incomplete_event_size=HEADERS_BYTES_MAX,
        )
        self._server = _Quiet(config)

    async def __aenter__(self) -> Self:
        """Returns when it listens.

        Raises:
            AlreadyServedError: another process serves this instance.
            OSError: the socket cannot be had.
        """
        clear_socket(self.socket)
        listening = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        listening.bind(str(self.socket))
        self.socket.chmod(0o600)
        listening.listen(1024)
        listening.setblocking(False)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]), name="http")
        listens = asyncio.create_task(self._server.listens.wait())
        await asyncio.wait((self._task, listens), return_when=asyncio.FIRST_COMPLETED)
        listens.cancel()
        if self._task.done():
            self._task.result()
            raise OSError(f"nothing can be served on {self.socket}")
        return self

    async def check(self) -> None:
        """Raises while it does not serve; for the instance's health."""
        if self._task is None or self._task.done():
            raise ConnectionError("the HTTP listener has ended")

    async def __aexit__(self, *_: object) -> None:
        """Finishes requests under way, at most DRAIN_S seconds, and closes."""
        assert self._task is not None
        self._server.should_exit = True
        try:
            await self._task
        finally:
            self.socket.unlink(missing_ok=True)
