"""A relay of bytes to a Unix socket, which can keep what passes, and what gRPC's framing says about that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

PREFACE_BYTES = 24
_DATA, _PADDED = 0x0, 0x8


class Relay:
    """Passes every connection on; `requests` and `answers` hold what passed on the last one."""

    def __init__(self, target: Path, *, keeps: bool = False) -> None:
        self._target = target
        self._keeps = keeps
        self._connections: set[asyncio.Task] = set()
        self.requests = bytearray()
        self.answers = bytearray()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection; for `asyncio.start_server` and its kin."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests, self.answers = bytearray(), bytearray()
        there: asyncio.Task | None = None
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
            try:
                there = asyncio.create_task(self._pass(reader, far_writer, self.requests))
                # An end of the server's ends the connection; one of the client's only that direction.
                await self._pass(far_reader, writer, self.answers)
            finally:
                far_writer.close()
        finally:
            writer.close()
            if there is not None:
                there.cancel()
                await asyncio.wait((there,))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
        # Whoever is cut off has nothing to be told.
        with contextlib.suppress(OSError):
            while chunk := await reader.read(1 << 16):
                if self._keeps:
                    kept += chunk
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()

    async def close(self) -> None:
        """Cuts what is still connected."""
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)


@contextlib.asynccontextmanager
async def tcp_relay(target: Path, port: int) -> AsyncIterator[Relay]:
    """A relay from a loopback port."""
    relay = Relay(target)
    async with await asyncio.start_server(relay.connected, "127.0.0.1", port):
        yield relay
        await relay.close()


@contextlib.asynccontextmanager
async def unix_relay(target: Path, socket: Path) -> AsyncIterator[Relay]:
    """A relay from another Unix socket that keeps what passes."""
    relay = Relay(target, keeps=True)
    async with await asyncio.start_unix_server(relay.connected, socket):
        yield relay
        await relay.close()
    socket.unlink(missing_ok=True)


def compressed_flags(passed: bytes) -> dict[int, list[bool]]:
    """Of each gRPC message in one direction of an HTTP/2 connection whether it is compressed, by stream."""
    bodies: dict[int, bytearray] = {}
    at = PREFACE_BYTES if passed.startswith(b"PRI * HTTP/2.0") else 0
    while at + 9 <= len(passed):
        size, kind, flags = int.from_bytes(passed[at : at + 3]), passed[at + 3], passed[at + 4]
        stream = int.from_bytes(passed[at + 5 : at + 9]) & 0x7FFF_FFFF
        payload = passed[at + 9 : at + 9 + size]
        if kind == _DATA:
            content = payload[1 : len(payload) - payload[0]] if flags & _PADDED else payload
            bodies.setdefault(stream, bytearray()).extend(content)
        at += 9 + size
    return {stream: _flags(body) for stream, body in bodies.items()}


def _flags(body: bytes) -> list[bool]:
    found = []
    at = 0
    while at + 5 <= len(body):
        found.append(bool(body[at]))
        at += 5 + int.from_bytes(body[at + 1 : at + 5])
    return found
