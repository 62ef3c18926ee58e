"""A server that is replaced while clients call it loses no call that they let wait."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from crossrate.rpc.lean import LeanChannel, LeanTransport
from tests.integration.lean.peer import eventually
from tests.integration.lean.serving import serving


@pytest.mark.parametrize("client", ["lean", "grpcio"])
async def test_no_call_is_lost_while_servers_follow_each_other(client: str) -> None:
    """Every call of several clients, short, streamed and with many requests, is answered by one of the servers."""
    async with serving() as (path, handlers, transport):
        soon = [(f"grpc.{word}_reconnect_backoff_ms", 50) for word in ("initial", "min", "max")]
        channel: Any = LeanChannel(path) if client == "lean" else grpc.aio.insecure_channel(f"unix:{path}", soon)
        answered, over = [0, 0, 0], False

        async def call_unary(number: int) -> None:
            method = channel.unary_unary("/t/echo" if number % 2 else "/t/now")
            while not over:
                assert await method(b"x", wait_for_ready=True, timeout=60) == b"x"
                answered[0] += 1

        async def read_stream() -> None:
            while not over:
                call = channel.unary_stream("/t/count")(b"70 2000", wait_for_ready=True, timeout=60)
                assert [len(m) async for m in call] == [2000] * 70
                answered[1] += 1

        async def write_stream() -> None:
            while not over:
                call = channel.stream_unary("/t/collect")(wait_for_ready=True, timeout=60)
                await call.wait_for_connection()
                for _ in range(3):
                    await call.write(b"ab")
                await call.done_writing()
                assert await call == b"3 6"
                answered[2] += 1

        async with channel:
            calling = [asyncio.create_task(call_unary(n)) for n in range(8)]
            calling += [asyncio.create_task(read_stream())]
            calling += [asyncio.create_task(write_stream())]
            for _ in range(8):
                before = list(answered)
                await eventually(
                    lambda before=before: answered[0] > before[0] + 100 or any(task.done() for task in calling)
                )
                await transport.stop(5.0)
                path.unlink(missing_ok=True)
                transport = LeanTransport()
                await transport.start(path, handlers.methods(), handlers.unknown(), 1 << 20)
            over = True
            await asyncio.gather(*calling)
        await transport.stop(1.0)
        assert answered[0] > 500
        assert not any(ended.endswith("Error") for ended in handlers.ended)
