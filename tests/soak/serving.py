"""The server that is soaked: its methods, and what it says of itself."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc

from crossrate.rpc.lean import LeanTransport
from crossrate.rpc.transport import Wrapped

REQUEST_BYTES_MAX = 8 << 20
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") >> 10


async def echo(request: bytes, context: Any) -> bytes:
    """The request."""
    await asyncio.sleep(0)
    return request


async def now(request: bytes, context: Any) -> bytes:
    """The request, without a task."""
    return request


async def fail(request: bytes, context: Any) -> bytes:
    """A status with metadata."""
    context.set_trailing_metadata((("k-bin", b"\0" * 100),))
    await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked")
    return b""


async def wait(request: bytes, context: Any) -> bytes:
    """Nothing, for a long time."""
    await asyncio.sleep(3600)
    return b""


async def count(request: bytes, context: Any) -> AsyncIterator[bytes]:
    """As many messages as asked."""
    for number in range(int(request)):
        yield number.to_bytes(4, "big") * 500


async def collect(requests: AsyncIterator[bytes], context: Any) -> bytes:
    """The bytes of all requests."""
    return str(sum([len(request) async for request in requests])).encode()


async def chat(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    """Each request."""
    async for request in requests:
        yield request


async def unknown(requests: AsyncIterator[bytes], context: Any) -> bytes:
    """There is no such method."""
    context.set_code(grpc.StatusCode.UNIMPLEMENTED)
    return b""


def state_of(transport: LeanTransport) -> dict[str, int]:
    """What a server holds."""
    gc.collect()
    connections = tuple(transport.connections)
    streams = [stream for connection in connections for stream in connection.streams.values()]
    return {
        "rss_kib": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KIB,
        "tasks": len(asyncio.all_tasks()),
        "connections": len(connections),
        "streams": len(streams),
        "lingering": sum(connection.lingering for connection in connections),
        "fds": len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - one look, nothing to join
        "room": sum(connection.room_used for connection in connections),
        "queued": sum(stream.queue_bytes for stream in streams),
        "unsent": sum(c.transport.get_write_buffer_size() + sum(map(len, c._out)) for c in connections),
        "alarms": len(transport.alarms._heap),
    }


async def serve(path: Path) -> None:
    """Serves until it is cancelled."""
    transport = LeanTransport()

    async def state(request: bytes, context: Any) -> bytes:
        return json.dumps(state_of(transport)).encode()

    table = {
        "echo": (False, False, echo, True),
        "now": (False, False, now, False),
        "fail": (False, False, fail, True),
        "wait": (False, False, wait, True),
        "count": (False, True, count, True),
        "collect": (True, False, collect, True),
        "chat": (True, True, chat, True),
        "state": (False, False, state, False),
    }
    methods = {f"/s/{name}": Wrapped(f"/s/{name}", *row) for name, row in table.items()}
    await transport.start(path, methods, Wrapped("", True, False, unknown), REQUEST_BYTES_MAX)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await transport.stop(0.0)
