"""Which connection of LeanChannel's a call goes out on, when it waits, and when it is sent again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.rpc.lean import LeanChannel, LeanTransport
from crossrate.rpc.lean.frames import STREAM_ID_MAX, Code
from tests.integration.lean.peer import Peer, data, eventually, frame, headers, message, reset, settings, window
from tests.integration.lean.scripted import BEGIN, OK, answered, goaway, saying, scripted
from tests.integration.lean.serving import Handlers, serving

C = grpc.StatusCode


async def status_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """How a call ended."""
    return await call.code(), await call.details()


def unary(channel: LeanChannel, **more: Any) -> Any:
    """A call with one request and one answer."""
    return channel.unary_unary("/t/x")(b"request", **more)


@pytest.mark.parametrize("by", ["REFUSED_STREAM", "GOAWAY"])
async def test_a_call_that_was_not_looked_at_is_sent_again_once(by: str) -> None:
    """Nobody notices the first time; the second time it is UNAVAILABLE."""
    refusals = [reset(1, Code.REFUSED_STREAM)] if by == "REFUSED_STREAM" else [goaway(0)]

    async def refuse(peer: Peer) -> None:
        await peer.finished(1)
        peer.send(*refusals)
        if by == "REFUSED_STREAM":
            await peer.finished(3)
            assert peer.answer(3).messages == [b"request"]
            peer.send(answered(3, b"again"))
        await peer.ended()

    async with scripted(refuse, saying(answered(1, b"again"))) as channel:
        assert await unary(channel) == b"again"

    async def refuse_always(peer: Peer) -> None:
        stream = 1
        while not peer.eof:
            await peer.until(lambda: peer.answer(stream).ended or peer.eof)  # noqa: B023 - looked at here
            peer.send(reset(stream, Code.REFUSED_STREAM) if by == "REFUSED_STREAM" else goaway(stream - 1))
            stream += 2

    async with scripted(refuse_always, refuse_always) as channel:
        assert (await status_of(unary(channel)))[0] is C.UNAVAILABLE


async def test_a_farewell_lets_calls_under_way_end() -> None:
    """Those up to the last one named are answered on the old connection, the others and later ones on a new one."""

    async def leave(peer: Peer) -> None:
        await peer.finished(1, 3)
        peer.send(goaway(STREAM_ID_MAX), frame(6, 0, 0, b"draining"))
        await peer.until(lambda: peer.pongs)
        peer.send(goaway(1))
        peer.send(headers(1, BEGIN), data(1, message(b"old")))
        await asyncio.sleep(0)
        peer.send(headers(1, OK, True))
        await peer.ended()

    async def follow(peer: Peer) -> None:
        await peer.finished(1)
        peer.send(answered(1, b"new"))
        await peer.finished(3)
        peer.send(answered(3, b"newer"))
        await peer.ended()

    async with scripted(leave, follow) as channel:
        first, second = unary(channel), unary(channel)
        assert (await first, await second) == (b"old", b"new")
        assert await unary(channel) == b"newer"
        await eventually(lambda: not channel._leaving)


async def test_a_stream_of_requests_that_was_not_looked_at() -> None:
    """It is not sent again: what was written may not come a second time."""
    async with scripted(saying(), saying()) as channel:
        call = channel.stream_unary("/t/x")()
        await call.write(b"a")
        channel._connection.going_away(0, 0, "")
        assert (await status_of(call))[0] is C.UNAVAILABLE


async def test_a_call_that_was_not_looked_at_while_the_channel_closes() -> None:
    """It is UNAVAILABLE; the calls that have their grace are not disturbed."""

    async def script(peer: Peer) -> None:
        await peer.finished(1, 3)
        peer.send(goaway(1), answered(1, b"in time"))
        await peer.ended()

    async with scripted(script) as channel:
        first, second = unary(channel), unary(channel)
        await first.wait_for_connection()
        await channel.close(5.0)
        assert await first == b"in time"
        assert (await status_of(second))[0] is C.UNAVAILABLE


async def test_the_most_calls_of_a_server() -> None:
    """Calls over it wait, in order, and begin as others end or the server allows more."""

    async def script(peer: Peer) -> None:
        await peer.finished(1, 3)
        peer.send(frame(6, 0, 0, bytes(8)))
        await peer.until(lambda: peer.pongs)
        assert set(peer.answers) == {1, 3}
        peer.send(answered(3, b"3"))
        await peer.finished(5)
        assert set(peer.answers) == {1, 3, 5}
        peer.send(settings((3, 100)))
        await peer.finished(7, 9)
        peer.send(*(answered(s, str(s).encode()) for s in (9, 7, 5, 1)))
        await peer.ended()

    async with scripted(script, values=((3, 2),)) as channel:
        calls = [unary(channel) for _ in range(5)]
        late = unary(channel, timeout=0.0)
        assert await asyncio.gather(*calls) == [b"1", b"3", b"5", b"7", b"9"]
        assert await late.code() is C.DEADLINE_EXCEEDED


async def test_a_server_that_opens_no_window() -> None:
    """write() waits for the server's window; what a cancelled call had left to say is forgotten."""

    async def script(peer: Peer) -> None:
        await peer.until(lambda: len(peer.answer(1).body) == 10)
        peer.send(window(1, 1000))
        await peer.until(lambda: len(peer.answer(1).body) == 1010)
        await peer.until(lambda: peer.answer(1).reset is not None)
        assert peer.answer(1).reset == Code.CANCEL
        await peer.ended()

    async with scripted(script, values=((4, 10),)) as channel:
        call = channel.stream_unary("/t/x")()
        await call.write(bytes(5))
        writing = asyncio.create_task(call.write(bytes(5000)))
        await eventually(lambda: getattr(call, "_pending", None) and len(call._pending[0]) == 5005 - 1000)
        assert not writing.done()
        call.cancel()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await writing


async def test_answers_that_nobody_reads_hold_back_the_server() -> None:
    """The window of a stream opens as its answers are read."""
    async with serving() as (path, handlers, _), LeanChannel(path) as channel:
        call = channel.unary_stream("/t/count")(b"2000 1000")
        assert await call.read() == bytes(1000)
        for _ in range(50):
            await channel.unary_unary("/t/now")(b"")
        stopped = handlers.yielded
        assert stopped < 500
        assert len([m async for m in call]) == 1999
        assert handlers.yielded == 2000


async def test_several_writers_of_one_call() -> None:
    """Each goes on when there is room again, also when one of them has been cancelled."""
    async with serving() as (path, handlers, _), LeanChannel(path) as channel:
        call = channel.stream_unary("/t/deaf")()
        writing = [asyncio.create_task(call.write(bytes(300_000))) for _ in range(4)]
        await eventually(lambda call=call: getattr(call, "_writable", None))
        assert not any(task.done() for task in writing)
        handlers.go_on.set()
        await asyncio.gather(*writing)
        await call.done_writing()
        assert await call == b"1200000"
        call = channel.stream_stream("/t/flood")()
        writing = [asyncio.create_task(call.write(bytes(300_000))) for _ in range(2)]
        await eventually(lambda call=call: getattr(call, "_writable", None))
        writing[0].cancel()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await writing[1]
        assert await call.code() is C.CANCELLED


@asynccontextmanager
async def nowhere() -> AsyncIterator[Path]:
    """A path where nobody listens yet."""
    with tempfile.TemporaryDirectory(prefix="cr-") as folder:
        yield Path(folder) / "s"


async def test_nobody_listens() -> None:
    """UNAVAILABLE at once, the reason in the details, and again for the next call."""
    async with nowhere() as path, LeanChannel(path) as channel:
        for _ in range(3):
            code, words = await status_of(unary(channel))
            assert (code, str(path) in words) == (C.UNAVAILABLE, True)
        assert channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE


async def test_calls_that_wait_for_a_server() -> None:
    """With wait_for_ready they go out once there is one, in time or not at all; others do not wait with them."""
    async with nowhere() as path, LeanChannel(path) as channel:
        waiting = [channel.unary_unary("/t/echo")(b"x", wait_for_ready=True) for _ in range(3)]
        given_up = channel.unary_unary("/t/echo")(b"x", wait_for_ready=True)
        late = channel.unary_unary("/t/echo")(b"x", wait_for_ready=True, timeout=0.03)
        assert (await status_of(unary(channel)))[0] is C.UNAVAILABLE
        assert await late.code() is C.DEADLINE_EXCEEDED
        given_up.cancel()
        transport, handlers = LeanTransport(), Handlers()
        await transport.start(path, handlers.methods(), handlers.unknown(), 1000)
        assert await asyncio.gather(*waiting) == [b"x"] * 3
        assert len(handlers.begun) == 3
        await transport.stop(0.0)


async def test_a_server_that_comes_back() -> None:
    """A call after the restart connects again by itself."""
    async with nowhere() as path, LeanChannel(path) as channel:
        for _ in range(3):
            transport, handlers = LeanTransport(), Handlers()
            await transport.start(path, handlers.methods(), handlers.unknown(), 1000)
            assert await channel.unary_unary("/t/echo")(b"x") == b"x"
            await transport.stop(1.0)
            path.unlink(missing_ok=True)
        assert (await status_of(unary(channel)))[0] is C.UNAVAILABLE


async def test_a_server_that_does_not_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt is given up, as is its connection; closing the channel does not leave it open either."""
    monkeypatch.setattr("crossrate.rpc.lean.channel.CONNECT_S_MAX", 0.03)
    gone: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.append(b"")
        writer.close()

    async with nowhere() as path:
        server = await asyncio.start_unix_server(silent, path)
        async with LeanChannel(path) as channel:
            assert (await status_of(unary(channel)))[0] is C.UNAVAILABLE
            await eventually(lambda: len(gone) == 1)
            monkeypatch.setattr("crossrate.rpc.lean.channel.CONNECT_S_MAX", 60.0)
            unary(channel)
            await eventually(lambda: channel._connecting is not None)
            await asyncio.sleep(0)
        await eventually(lambda: len(gone) == 2)
        server.close()


async def test_a_callback_that_fails() -> None:
    """It is told to the event loop, and the other calls of the connection are not disturbed."""
    seen: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: seen.append(context["exception"]))
    async with serving() as (path, _, _), LeanChannel(path) as channel:
        other = channel.stream_stream("/t/chat")()
        call = channel.unary_unary("/t/echo")(b"x")
        call.add_done_callback(lambda _call: 1 // 0)
        assert await call == b"x"
        await other.write(b"y")
        assert await other.read() == b"y"
        assert [type(error) for error in seen] == [ZeroDivisionError]
        other.cancel()


async def test_credentials_are_refused() -> None:
    """A Unix socket carries none."""
    async with nowhere() as path, LeanChannel(path) as channel:
        with pytest.raises(ValueError, match="credentials"):
            unary(channel, credentials=grpc.access_token_call_credentials("x"))


@pytest.mark.parametrize("timeout", [float("inf"), 1e12])
async def test_a_timeout_without_end(timeout: float) -> None:
    """It is the longest that can be said."""
    async with serving() as (path, handlers, _), LeanChannel(path) as channel:
        assert await channel.unary_unary("/t/echo")(b"x", timeout=timeout) == b"x"
        assert handlers.contexts[0].headers["grpc-timeout"] == "99999999H"
