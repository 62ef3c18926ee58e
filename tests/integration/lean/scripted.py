"""A server that follows a script, for what no real one says."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from crossrate.rpc.lean import LeanChannel
from crossrate.rpc.lean.frames import GOAWAY, PREFACE
from tests.ending import ended
from tests.integration.lean.peer import PATIENCE_S, Peer, data, frame, headers, message, settings

Script = Callable[[Peer], Awaitable[None]]
BEGIN = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]


def goaway(last: int, code: int = 0) -> bytes:
    """A GOAWAY frame."""
    return frame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big"))


def answered(stream: int, raw: bytes = b"x") -> bytes:
    """A whole answer."""
    return headers(stream, BEGIN) + data(stream, message(raw)) + headers(stream, OK, True)


@asynccontextmanager
async def scripted(*scripts: Script, values: tuple[tuple[int, int], ...] = ()) -> AsyncIterator[LeanChannel]:
    """A channel to a server that follows one script on each connection, and refuses all after the last."""
    left, failures, tasks = list(scripts), [], []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        try:
            if left:
                script, peer = left.pop(0), Peer(reader, writer, acknowledges=True)
                peer.send(settings(*values))
                assert await reader.readexactly(len(PREFACE)) == PREFACE
                await peer.until(lambda: peer.settings)
                await script(peer)
        except (AssertionError, TimeoutError) as failure:
            failures.append(failure)
        finally:
            writer.transport.abort()

    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        server = await asyncio.start_unix_server(serve, Path(folder) / "s")
        try:
            async with LeanChannel(Path(folder) / "s") as channel, asyncio.timeout(2 * PATIENCE_S):
                yield channel
        finally:
            server.close()
            await ended(tasks, "the scripts")
    assert not failures, failures


def saying(*frames: bytes) -> Script:
    """Reads one request whole, says something, and stays until the client has gone."""

    async def script(peer: Peer) -> None:
        await peer.finished(1)
        peer.send(*frames)
        await peer.ended()

    return script
