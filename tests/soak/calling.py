"""Clients that do all that clients do, at random, and never the same twice."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc

from crossrate.rpc.lean import LeanChannel
from tests.integration.lean import peer as wire

WORKERS = 6
TIMEOUT_S = 60.0
C = grpc.StatusCode

Step = Callable[[], Awaitable[None]]


class Client:
    """One process's calls, by one kind of channel."""

    def __init__(self, kind: str, path: Path, seed: int) -> None:
        self._kind = kind
        self._path = path
        self._chance = random.Random(seed)
        self._channel = self._open()
        self.done: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []

    def _open(self) -> Any:
        if self._kind == "lean":
            return LeanChannel(self._path)
        # A pool of its own for each channel: otherwise grpc shares connections between channels.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        return grpc.aio.insecure_channel(f"unix:{self._path}", options)

    async def run(self, seconds: float) -> None:
        """Calls for some time."""
        until = time.monotonic() + seconds
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(WORKERS):
                    workers.create_task(self._work(until))
        finally:
            await self._channel.close()

    async def _work(self, until: float) -> None:
        steps: list[Step] = [
            self.unary, self.unary, self.at_once, self.large, self.read, self.half_read, self.write, self.half_write,
            self.chat, self.cancel, self.too_late, self.fail, self.churn, self.hang_up, self.resets, self.nonsense,
        ]  # fmt: skip
        while time.monotonic() < until:
            step = self._chance.choice(steps)
            try:
                await step()
            except (grpc.aio.AioRpcError, AssertionError, OSError, TimeoutError) as error:
                self.wrong = [*self.wrong[:20], f"{self._kind} {step.__name__}: {error!r}"[:400]]
            self.done[step.__name__] += 1

    async def unary(self) -> None:
        """Some calls at once."""
        raw = self._chance.randbytes(self._chance.randrange(3000))
        calls = [self._channel.unary_unary("/s/echo")(raw, timeout=TIMEOUT_S) for _ in range(20)]
        assert await asyncio.gather(*calls) == [raw] * 20

    async def at_once(self) -> None:
        """Calls that need no task."""
        for _ in range(20):
            assert await self._channel.unary_unary("/s/now")(b"x", metadata=(("k", "v"),)) == b"x"

    async def large(self) -> None:
        """A message of some MiB, both ways."""
        raw = bytes(self._chance.randrange(100_000, 4 << 20))
        assert await self._channel.unary_unary("/s/echo")(raw, timeout=TIMEOUT_S) == raw

    async def read(self) -> None:
        """A stream to its end."""
        count = self._chance.randrange(300)
        call = self._channel.unary_stream("/s/count")(str(count).encode(), timeout=TIMEOUT_S)
        assert len([m async for m in call]) == count

    async def half_read(self) -> None:
        """The beginning of a stream, and then nothing more, or a cancel."""
        call = self._channel.unary_stream("/s/count")(b"100000", timeout=TIMEOUT_S)
        for _ in range(self._chance.randrange(1, 30)):
            await call.read()
        await asyncio.sleep(self._chance.random() / 20)
        call.cancel()

    async def write(self) -> None:
        """A stream of requests, from an iterator."""
        sizes = [self._chance.randrange(20_000) for _ in range(self._chance.randrange(60))]
        call = self._channel.stream_unary("/s/collect")(iter([bytes(n) for n in sizes]), timeout=TIMEOUT_S)
        assert await call == str(sum(sizes)).encode()

    async def half_write(self) -> None:
        """A stream of requests that is given up."""
        call = self._channel.stream_unary("/s/collect")(timeout=TIMEOUT_S)
        for _ in range(self._chance.randrange(10)):
            await call.write(bytes(30_000))
        call.cancel()

    async def chat(self) -> None:
        """Questions and answers."""
        call = self._channel.stream_stream("/s/chat")(timeout=TIMEOUT_S, compression=grpc.Compression.Gzip)
        for _ in range(self._chance.randrange(20)):
            await call.write(b"word" * 100)
            assert await call.read() == b"word" * 100
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF

    async def cancel(self) -> None:
        """A call that waits, given up."""
        call = self._channel.unary_unary("/s/wait")(b"", timeout=TIMEOUT_S)
        await asyncio.sleep(self._chance.random() / 50)
        call.cancel()

    async def too_late(self) -> None:
        """A deadline that passes."""
        call = self._channel.unary_unary("/s/wait")(b"", timeout=self._chance.random() / 20)
        assert await call.code() is C.DEADLINE_EXCEEDED

    async def fail(self) -> None:
        """Calls that end with a status."""
        assert await self._channel.unary_unary("/s/fail")(b"").code() is C.FAILED_PRECONDITION
        assert await self._channel.unary_unary("/s/none")(b"").code() is C.UNIMPLEMENTED
        call = self._channel.unary_unary("/s/now")(bytes(9 << 20))
        assert await call.code() is C.RESOURCE_EXHAUSTED

    async def churn(self) -> None:
        """A channel of its own, closed with calls under way."""
        channel = self._open()
        calls = [channel.unary_unary("/s/echo")(b"x", timeout=TIMEOUT_S) for _ in range(5)]
        assert await asyncio.gather(*calls) == [b"x"] * 5
        stream = channel.unary_stream("/s/count")(b"100000")
        await stream.read()
        await channel.close()

    async def hang_up(self) -> None:
        """A connection with calls of all kinds, cut off."""
        async with wire.connected(self._path) as peer:
            peer.send(wire.call(1, "/s/count", b"100000"), wire.call(3, "/s/wait"))
            peer.send(wire.headers(5, wire.request("/s/chat")), wire.data(5, wire.message(bytes(70_000))[:-1]))
            peer.send(wire.headers(7, wire.request("/s/collect")), wire.data(7, wire.message(bytes(1000)) * 50))
            await peer.settle()

    async def resets(self) -> None:
        """Calls that are reset as soon as they are begun."""
        async with wire.connected(self._path) as peer:
            for stream in range(1, 201, 2):
                peer.send(wire.call(stream, "/s/echo", b"x"), wire.reset(stream))
            await peer.settle()

    async def nonsense(self) -> None:
        """Bytes that are no frames, or break off."""
        # What looks like the beginning of a frame is waited for.
        with contextlib.suppress(AssertionError, ConnectionError, TimeoutError):
            async with asyncio.timeout(2), wire.connected(self._path) as peer:
                peer.send(wire.call(1, "/s/wait"), self._chance.randbytes(self._chance.randrange(500)))
                await peer.settle()
