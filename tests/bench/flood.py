"""Calls on HTTP/2 connections at a rate that no answer slows down, or so many at once, in a process of its own.

Whoever shares the processors with what it measures has to be cheap: requests are prepared ahead as frames, a tick's are
written at once, and an answer is judged by its frames: a message and trailers, or trailers alone. Some 15 µs a call, a
tenth of what the lean channel costs. What a connection's limit of streams has no room for is not sent, and told.

    echo '{"port": …, "roots": …, "client": …, "path": …, "requests": […], …}' | python -m tests.bench.flood
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hpack
import uvloop

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.fields import field
from tests.bench.figures import percentile

TICK_S = 0.002
STREAMS_MAX = 100
WINDOW_BYTES = 1 << 30
ROOT = Path(__file__).resolve().parents[2]
_KINDS = frozenset((frames.DATA, frames.HEADERS, frames.RST_STREAM, frames.WINDOW_UPDATE, frames.SETTINGS))


class Connection(asyncio.Protocol):
    """One connection: sends prepared calls, counts how they end.

    `outcomes` counts by gRPC status; -1 is a stream that was reset or lost. `taken` are milliseconds of the calls that
    succeeded, `refused` of those that did not.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = bytearray()
        self._next = 1
        self._window = frames.WINDOW_BYTES_DEFAULT
        self._begun: dict[int, float] = {}
        self._decoder = hpack.Decoder()
        self._statuses: dict[bytes, int] = {}
        self.transport: Any = None
        self.gone = False

    def connection_made(self, transport: Any) -> None:
        """Says what it takes: answers of any size, and headers without a table."""
        self.transport = transport
        settings = frames.settings(((frames.HEADER_TABLE_SIZE, 0), (frames.INITIAL_WINDOW_SIZE, WINDOW_BYTES)))
        opened = frames.HEAD.pack(4 << 8 | frames.WINDOW_UPDATE, 0, 0) + frames.NUMBER.pack(WINDOW_BYTES)
        transport.write(frames.PREFACE + settings + opened)

    def connection_lost(self, _error: Exception | None) -> None:
        """Everything under way is lost."""
        self.gone = True
        for stream in list(self._begun):
            self._end(stream, -1)

    def frames_of(self, body: bytes) -> bytes | None:
        """The frames of a call, which is under way from here on; None if the connection has no room."""
        if self.gone or len(self._begun) >= STREAMS_MAX or self._window < len(body):
            return None
        stream, self._next = self._next, self._next + 2
        self._begun[stream] = time.perf_counter()
        self._window -= len(body)
        head = self._load.head
        return b"".join(
            (
                frames.HEAD.pack(len(head) << 8 | frames.HEADERS, frames.END_HEADERS, stream),
                head,
                frames.HEAD.pack(len(body) << 8 | frames.DATA, frames.END_STREAM, stream),
                body,
            )
        )

    def data_received(self, data: bytes) -> None:
        """Judges whole frames and keeps the rest."""
        buffer, at = self._buffer, 0
        buffer += data
        end = len(buffer) - frames.FRAME_HEADER_BYTES
        while at <= end:
            size, flags, stream = frames.HEAD.unpack_from(buffer, at)
            kind, size = size & 0xFF, size >> 8
            start = at + frames.FRAME_HEADER_BYTES
            if start + size > len(buffer):
                break
            if kind in _KINDS:
                self._frame(kind, flags, stream, bytes(buffer[start : start + size]))
            elif kind == frames.PING and not flags & frames.ACK:
                self.transport.write(frames.ping(bytes(buffer[start : start + size]), True))
            at = start + size
        del buffer[:at]

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == frames.HEADERS:
            if flags & frames.END_STREAM:
                self._end(stream, self._status(payload))
            else:
                self._status(payload)  # Each block has to go through the decoder.
        elif kind == frames.RST_STREAM:
            self._end(stream, -1)
        elif kind == frames.WINDOW_UPDATE and stream == 0:
            self._window += frames.NUMBER.unpack(payload)[0]
        elif kind == frames.SETTINGS and not flags & frames.ACK:
            self.transport.write(frames.SETTINGS_ACK)

    def _status(self, block: bytes) -> int:
        """The status that a block of fields says; without a table the same bytes always say the same."""
        status = self._statuses.get(block)
        if status is None:
            said = dict(self._decoder.decode(block, raw=True))
            status = int(said.get(b"grpc-status", b"-1"))
            if len(self._statuses) < 10_000:
                self._statuses[block] = status
        return status

    def _end(self, stream: int, status: int) -> None:
        begun = self._begun.pop(stream, None)
        if begun is not None:
            self._load.ended(self, status, (time.perf_counter() - begun) * 1e3)


class Load:
    """What one process sends.

    Args:
        order: `port`, `roots`, `client` (paths of PEM files), `path` of the method, `requests` (base64),
            `connections`, and either `rate` a second for `seconds`, or `in_flight` for `seconds`.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        bodies = (base64.b64decode(each) for each in order["requests"])
        self._bodies = iter([b"\0" + len(body).to_bytes(4, "big") + body for body in bodies])
        self.head = b"\x83\x87" + field(":path", order["path"]) + field(":authority", "localhost")
        self.head += field("te", "trailers") + field("content-type", "application/grpc")
        for name, value in order.get("metadata", {}).items():
            self.head += field(name, value)
        self._connections: list[Connection] = []
        self.outcomes: dict[int, int] = {}
        self.taken: list[float] = []
        self.refused: list[float] = []
        self.sent = self.kept_back = 0
        self._closed = False

    def ended(self, connection: Connection, status: int, taken_ms: float) -> None:
        """A call has ended; in a closed load the next one begins."""
        self.outcomes[status] = self.outcomes.get(status, 0) + 1
        (self.taken if status == 0 else self.refused).append(taken_ms)
        if self._closed:
            self._send(connection)

    def _send(self, connection: Connection) -> None:
        body = next(self._bodies, None)
        written = connection.frames_of(body) if body is not None else None
        if written is not None:
            self.sent += 1
            connection.transport.write(written)

    async def connect(self) -> None:
        """Opens the connections, so that none of their handshakes is measured."""
        order, loop = self._order, asyncio.get_running_loop()
        tls = ssl.create_default_context(cafile=order["roots"])
        tls.set_alpn_protocols(["h2"])
        if order.get("client"):
            tls.load_cert_chain(order["client"])
        for _ in range(order["connections"]):
            _, made = await loop.create_connection(
                lambda: Connection(self), "127.0.0.1", order["port"], ssl=tls, server_hostname="localhost"
            )
            self._connections.append(made)

    async def run(self) -> dict[str, Any]:
        """Sends, waits a moment for the last answers, and tells."""
        seconds = self._order["seconds"]
        begun, used = time.perf_counter(), time.process_time()
        if "rate" in self._order:
            await self._open(begun, seconds, self._order["rate"])
        else:
            self._closed = True
            for index in range(self._order["in_flight"]):
                self._send(self._connections[index % len(self._connections)])
            await asyncio.sleep(seconds)
            self._closed = False
        took = time.perf_counter() - begun
        done, outcomes = len(self.taken), dict(self.outcomes)
        used = time.process_time() - used
        await asyncio.sleep(0.5)
        for connection in self._connections:
            connection.transport.close()
        return {
            "seconds": took,
            "sent": self.sent,
            "kept_back": self.kept_back,
            "done": done,
            "outcomes": outcomes,
            "done_p99_ms": percentile(self.taken, 0.99) if self.taken else 0.0,
            "refused_p99_ms": percentile(self.refused, 0.99) if self.refused else 0.0,
            "own_core": used / took,
        }

    async def _open(self, begun: float, seconds: float, rate: float) -> None:
        due, turn = 0, 0
        while (now := time.perf_counter() - begun) < seconds:
            wanted = int(now * rate)
            parts: dict[Connection, list[bytes]] = {}
            while due < wanted:
                due += 1
                body = next(self._bodies, None)
                if body is None:
                    return
                for _ in range(len(self._connections)):
                    turn += 1
                    connection = self._connections[turn % len(self._connections)]
                    written = connection.frames_of(body)
                    if written is not None:
                        parts.setdefault(connection, []).append(written)
                        self.sent += 1
                        break
                else:
                    self.kept_back += 1
            for connection, each in parts.items():
                connection.transport.write(b"".join(each))
            await asyncio.sleep(TICK_S)


class Flood:
    """A load in a process of its own: it connects, says so, and waits for `go`."""

    def __init__(self, **order: Any) -> None:
        self._order = order

    async def __aenter__(self) -> Flood:
        """Connected."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.flood", stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        self._process.stdin.write(json.dumps(self._order).encode() + b"\n")
        await self._process.stdin.drain()
        assert (await self._process.stdout.readline()).strip() == b"connected"
        return self

    async def go(self) -> dict[str, Any]:
        """Sends everything; what came of it."""
        self._process.stdin.write(b"go\n")
        return json.loads(await self._process.stdout.readline())

    async def __aexit__(self, *_: object) -> None:
        """Ended."""
        self._process.stdin.close()
        if self._process.returncode is None:
            try:
                await asyncio.wait_for(self._process.wait(), 5.0)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


async def _main() -> None:
    load = Load(json.loads(await asyncio.to_thread(sys.stdin.readline)))
    await load.connect()
    print("connected", flush=True)
    if (await asyncio.to_thread(sys.stdin.readline)).strip() == "go":
        print(json.dumps(await load.run()), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
