"""A server of the lean transport with handlers that tell what happens to them."""

from __future__ import annotations

import asyncio
import contextvars
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from crossrate.rpc.lean import LeanTransport
from crossrate.rpc.transport import Transport, Wrapped

REQUEST_BYTES_MAX = 9 << 20

mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="untouched")


class Handlers:
    """Handlers of all kinds, by path."""

    def __init__(self) -> None:
        self.contexts: list[Any] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.yielded = 0
        self.read: list[bytes] = []
        self.tasks: list[asyncio.Task | None] = []
        self.go_on = asyncio.Event()
        self.transport = "lean"

    def methods(self) -> dict[str, Wrapped]:
        """All of them."""
        table = (
            ("echo", False, False, self.echo, True),
            ("now", False, False, self.now, False),
            ("wait", False, False, self.wait, True),
            ("fail", False, False, self.fail, True),
            ("deceive", False, False, self.deceive, False),
            ("raise", False, False, self.raise_at_once, False),
            ("big", False, False, self.big, True),
            ("count", False, True, self.count, True),
            ("forever", False, True, self.forever, True),
            ("collect", True, False, self.collect, True),
            ("deaf", True, False, self.deaf, True),
            ("early", True, False, self.early, True),
            ("chat", True, True, self.chat, True),
            ("flood", True, True, self.flood, True),
        )
        return {f"/t/{n}": Wrapped(f"/t/{n}", cs, ss, handle, waits) for n, cs, ss, handle, waits in table}

    def unknown(self) -> Wrapped:
        """What answers all other paths."""

        async def handle(_requests: Any, context: Any) -> bytes:
            context.set_code(grpc.StatusCode.UNIMPLEMENTED)
            context.set_details("there is no such method")
            return b""

        return Wrapped("", True, False, handle)

    @asynccontextmanager
    async def _told(self, name: str, context: Any) -> AsyncIterator[None]:
        self.contexts.append(context)
        self.tasks.append(asyncio.current_task())
        self.begun.append(name)
        try:
            yield
        except BaseException as error:
            self.ended.append(f"{name} {type(error).__name__}")
            raise
        else:
            self.ended.append(name)

    async def echo(self, request: bytes, context: Any) -> bytes:
        """The request, after a wait."""
        async with self._told("echo", context):
            await asyncio.sleep(0)
            return request

    async def now(self, request: bytes, context: Any) -> bytes:
        """The request, without a wait."""
        self.contexts.append(context)
        self.tasks.append(asyncio.current_task() if asyncio.current_task() else None)
        self.begun.append(mark.get())
        mark.set("touched")
        return request

    async def wait(self, request: bytes, context: Any) -> bytes:
        """The request, once the test says so."""
        async with self._told("wait", context):
            await self.go_on.wait()
            return request

    async def fail(self, request: bytes, context: Any) -> bytes:
        """A status with everything that belongs to one, or an exception."""
        async with self._told("fail", context):
            await context.send_initial_metadata((("a", "1"), ("b-bin", b"\x00\x01")))
            context.set_trailing_metadata((("c", "2"), ("d-bin", b"\xff\xfe")))
            if request == b"raise":
                raise ValueError("secret")
            if request == b"abort":
                await context.abort(grpc.StatusCode.NOT_FOUND, "not there: 5% é")
            context.set_code(grpc.StatusCode.NOT_FOUND)
            context.set_details("not there: 5% é")
            return b"never sent"

    async def deceive(self, request: bytes, context: Any) -> bytes:
        """Declared never to wait, and waits."""
        try:
            self.begun.append("deceive")
            await asyncio.sleep(0)
            self.begun.append("deceive went on")
            return request
        finally:
            self.ended.append("deceive")

    async def raise_at_once(self, request: bytes, context: Any) -> Any:
        """Declared never to wait, and does not answer either."""
        if request == b"nothing":
            return None
        if request == b"cancelled":
            raise asyncio.CancelledError
        if request == b"metadata":
            context.set_trailing_metadata((("k", 7),))
            return b"x"
        raise KeyError("secret")

    async def big(self, request: bytes, context: Any) -> bytes:
        """As many bytes as the request says."""
        return bytes(range(256)) * (int(request) // 256)

    async def count(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """`b"<n> <size>"`: n messages of a size, without a wait of its own."""
        n, size = map(int, request.split())
        async with self._told("count", context):
            for number in range(n):
                self.yielded += 1
                yield number.to_bytes(4, "big") + bytes(size - 4)

    async def forever(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        """One message, and then nothing until the test says so."""
        async with self._told("forever", context):
            yield b"first"
            await self.go_on.wait()
            yield b"last"

    async def collect(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """The number of requests and of their bytes."""
        async with self._told("collect", context):
            count = size = 0
            async for request in requests:
                self.read.append(request)
                count, size = count + 1, size + len(request)
            return b"%d %d" % (count, size)

    async def deaf(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """Reads its requests only once the test says so."""
        async with self._told("deaf", context):
            await self.go_on.wait()
            size = 0
            async for request in requests:
                size += len(request)
            return b"%d" % size

    async def early(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        """Answers after the first request."""
        async with self._told("early", context):
            async for request in requests:
                return request
            return b"none"

    async def chat(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Each request comes back."""
        async with self._told("chat", context):
            async for request in requests:
                yield request

    async def flood(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Sends without an end, and never reads."""
        async with self._told("flood", context):
            while True:
                self.yielded += 1
                yield bytes(1000)


@asynccontextmanager
async def serving(transport: Transport | None = None) -> AsyncIterator[tuple[Path, Handlers, Any]]:
    """A server on a socket in a folder of its own: where, its handlers, and the transport."""
    transport = transport or LeanTransport()
    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        path, handlers = Path(folder) / "s", Handlers()
        await transport.start(path, handlers.methods(), handlers.unknown(), REQUEST_BYTES_MAX)
        try:
            yield path, handlers, transport
        finally:
            await transport.stop(0.0)
