"""Calls through LeanChannel mean what they mean through a channel of grpc.aio, over either server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc.aio import EOF

from crossrate.rpc.lean import LeanChannel, LeanTransport
from crossrate.rpc.transport_aio import AioTransport
from tests.integration.lean.peer import eventually
from tests.integration.lean.serving import REQUEST_BYTES_MAX, Handlers, serving

LONG = {"grpc.max_receive_message_length": 16 << 20, "grpc.max_send_message_length": 64 << 20}
C = grpc.StatusCode


@asynccontextmanager
async def paired(kinds: str) -> AsyncIterator[tuple[Any, Handlers, str]]:
    """A channel to a server, each of either kind: the channel, the handlers, and the channel's kind."""
    client, server = kinds.split("-")
    async with serving(LeanTransport() if server == "lean" else AioTransport()) as (path, handlers, _):
        handlers.transport = server
        made = LeanChannel(path) if client == "lean" else grpc.aio.insecure_channel(f"unix:{path}", list(LONG.items()))
        async with made as channel:
            yield channel, handlers, client


@pytest.fixture(params=["lean-lean", "lean-grpcio", "grpcio-lean"])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Any, Handlers, str]]:
    """Each of the two with its own, and with the other's neighbour."""
    async with paired(request.param) as made:
        yield made


@pytest.fixture(params=["lean-lean", "lean-grpcio"])
async def own(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Any, Handlers, str]]:
    """LeanChannel alone, where a channel of grpc.aio's sometimes waits for ever."""
    async with paired(request.param) as made:
        yield made


async def ended_by_cancellation(handlers: Handlers, name: str) -> None:
    """Returns when the handler has been cancelled. What grpcio's server makes of one that reads is its own affair."""
    if handlers.transport != "grpcio":
        await eventually(lambda: handlers.ended == [f"{name} CancelledError"])


async def code_of(call: Any) -> tuple[grpc.StatusCode, str]:
    """The status of a call that does not end well."""
    return await call.code(), await call.details()


async def test_one_request_one_answer(pair) -> None:
    """The answer is what awaiting it gives, each time, and the status is OK."""
    channel, _, _ = pair
    call = channel.unary_unary("/t/echo")(b"hello")
    assert not call.done()
    assert await call == b"hello"
    assert await call == b"hello"
    assert (await call.code(), await call.details(), call.done(), call.cancelled()) == (C.OK, "", True, False)
    assert await channel.unary_unary("/t/echo")(b"") == b""


async def test_messages_are_serialized_by_the_stub(pair) -> None:
    """Requests and answers go through the functions that a stub gives."""
    channel, _, _ = pair
    method = channel.unary_unary("/t/echo", request_serializer=str.encode, response_deserializer=bytes.decode)
    assert await method("häh") == "häh"
    chat = channel.stream_stream("/t/chat", request_serializer=str.encode, response_deserializer=bytes.decode)
    assert [m async for m in chat(iter(["a", "b"]))] == ["a", "b"]
    assert [m async for m in chat(request_iterator=iter(["c"]))] == ["c"]


@pytest.mark.parametrize("size", [70_000, 8 << 20])
async def test_large_messages(pair, size: int) -> None:
    """Up to the largest, both ways."""
    channel, _, _ = pair
    raw = bytes(range(256)) * (size // 256)
    assert await channel.unary_unary("/t/echo")(raw) == raw
    chat = channel.stream_stream("/t/chat")()
    await chat.write(raw)
    assert await chat.read() == raw
    chat.cancel()


async def test_messages_over_the_limit(pair) -> None:
    """RESOURCE_EXHAUSTED, whether the server or the client refuses it, and the channel goes on."""
    channel, _, _ = pair
    call = channel.unary_unary("/t/echo")(bytes(REQUEST_BYTES_MAX + 1))
    assert (await code_of(call))[0] is C.RESOURCE_EXHAUSTED
    call = channel.unary_unary("/t/big")(str((16 << 20) + 256).encode())
    assert (await code_of(call))[0] is C.RESOURCE_EXHAUSTED
    assert await channel.unary_unary("/t/echo")(b"next") == b"next"


@pytest.mark.parametrize(
    "compression", [grpc.Compression.Gzip, grpc.Compression.Deflate, grpc.Compression.NoCompression]
)
async def test_compressed_requests(pair, compression: grpc.Compression) -> None:
    """What is sent compressed arrives as it was."""
    channel, _, _ = pair
    assert await channel.unary_unary("/t/echo")(b"ab" * 10_000, compression=compression) == b"ab" * 10_000
    chat = channel.stream_stream("/t/chat")(iter([b"ab" * 9000, b"", b"c"]), compression=compression)
    assert [m async for m in chat] == [b"ab" * 9000, b"", b"c"]


async def test_many_answers(pair) -> None:
    """By iteration and by read(), which gives EOF after the last, again and again."""
    channel, _, _ = pair
    method = channel.unary_stream("/t/count")
    assert [int.from_bytes(m[:4], "big") async for m in method(b"300 1000")] == list(range(300))
    call = method(b"2 4")
    assert [await call.read(), await call.read()] == [bytes(4), b"\0\0\0\1"]
    assert (await call.read(), await call.read(), await call.code()) == (EOF, EOF, C.OK)
    assert [m async for m in method(b"0 4")] == []


async def test_many_requests(pair) -> None:
    """From an iterator, an async iterator, and by write() and done_writing()."""
    channel, handlers, _ = pair
    method = channel.stream_unary("/t/collect")

    async def requests() -> AsyncIterator[bytes]:
        for i in range(50):
            await asyncio.sleep(0)
            yield bytes(i)

    assert await method(requests()) == b"50 1225"
    assert await method(iter([b"a", b"bc"])) == b"2 3"
    call = method()
    await call.write(b"abc")
    await call.write(b"")
    await call.done_writing()
    await call.done_writing()
    assert await call == b"2 3"
    assert handlers.read[-1] == b""
    call = method(iter([]))
    assert await call == b"0 0"


async def test_a_conversation(pair) -> None:
    """Reading and writing take turns; writing ends before reading does."""
    channel, _, _ = pair
    call = channel.stream_stream("/t/chat")()
    for word in (b"a", b"b", b""):
        await call.write(word)
        assert await call.read() == word
    await call.done_writing()
    assert (await call.read(), await call.code()) == (EOF, C.OK)


async def test_reading_and_writing_at_once(pair) -> None:
    """Two tasks, one that writes more than all windows hold, one that reads."""
    channel, _, _ = pair
    call = channel.stream_stream("/t/chat")()

    async def write() -> None:
        for _ in range(300):
            await call.write(bytes(10_000))
        await call.done_writing()

    writing = asyncio.create_task(write())
    assert sum([len(m) async for m in call]) == 3_000_000
    await writing


async def test_what_a_call_that_is_over_takes(pair) -> None:
    """write() after done_writing() and after the end is an InvalidStateError, done_writing() nothing."""
    channel, _, _ = pair
    call = channel.stream_unary("/t/collect")()
    await call.write(b"x")
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"y")
    assert await call == b"1 1"
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"z")
    await call.done_writing()


async def test_the_two_styles_do_not_mix(pair) -> None:
    """A call whose requests come from an iterator takes none by write()."""
    channel, _, _ = pair
    call = channel.stream_stream("/t/chat")(iter([b"a"]))
    with pytest.raises(grpc.aio.UsageError):
        await call.write(b"b")
    with pytest.raises(grpc.aio.UsageError):
        await call.done_writing()
    assert [m async for m in call] == [b"a"]


async def test_a_failing_iterator_of_requests_cancels_its_call(pair) -> None:
    """The caller meets the cancellation, the handler as well."""
    channel, handlers, _ = pair
    loop, seen = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _loop, context: seen.append(context))

    async def requests() -> AsyncIterator[bytes]:
        yield b"a"
        raise KeyError("no more")

    call = channel.stream_unary("/t/collect")(requests())
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await call.code() is C.CANCELLED
    if handlers.begun:
        await ended_by_cancellation(handlers, "collect")


async def test_an_answer_before_all_requests_are_read(pair) -> None:
    """The caller has its answer while it still writes; writing more is an error then, not a hang."""
    channel, _, _ = pair
    call = channel.stream_unary("/t/early")()
    await call.write(b"enough")
    assert await call == b"enough"
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"late")


@pytest.mark.parametrize("asked", [b"", b"abort"])
async def test_a_status_with_everything(pair, asked: bytes) -> None:
    """Code, message, metadata before and after, binary ones as bytes: on the call and on the exception."""
    channel, _, _ = pair
    call = channel.unary_unary("/t/fail")(asked)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = caught.value
    assert (error.code(), error.details()) == (C.NOT_FOUND, "not there: 5% é")
    assert dict(error.initial_metadata()) == dict(await call.initial_metadata()) == {"a": "1", "b-bin": b"\x00\x01"}
    assert dict(error.trailing_metadata()) == dict(await call.trailing_metadata()) == {"c": "2", "d-bin": b"\xff\xfe"}
    assert await code_of(call) == (C.NOT_FOUND, "not there: 5% é")


async def test_metadata_reach_the_handler(pair) -> None:
    """Text and bytes, in order, a key twice."""
    channel, handlers, _ = pair
    sent = (("a", "1"), ("b-bin", b"\x00\xff"), ("a", "2"), ("c.d_e-f", "x y"))
    await channel.unary_unary("/t/echo")(b"", metadata=sent)
    seen = [(k, v) for k, v in handlers.contexts[0].invocation_metadata() if k in {"a", "b-bin", "c.d_e-f"}]
    assert sorted(map(str, seen)) == sorted(map(str, sent))
    assert [v for k, v in seen if k == "a"] == ["1", "2"]
    await channel.unary_unary("/t/echo")(b"", metadata=grpc.aio.Metadata(("k", "v")))
    assert ("k", "v") in tuple(map(tuple, handlers.contexts[1].invocation_metadata()))


async def test_a_stream_that_fails_in_the_middle(pair) -> None:
    """What came before can be read, then the status is raised, each time."""
    channel, _, _ = pair
    call = channel.unary_stream("/t/none")(b"")
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is C.UNIMPLEMENTED


@pytest.mark.parametrize(
    "kind", ["unary_unary /t/wait", "unary_stream /t/forever", "stream_unary /t/deaf", "stream_stream /t/chat"]
)
async def test_cancelling_a_call(pair, kind: str) -> None:
    """cancel() is True once; the caller meets CancelledError and the handler is cancelled."""
    channel, handlers, _ = pair
    method, path = kind.split()
    call = getattr(channel, method)(path)(*((b"x",) if method.startswith("unary") else ()))
    if method.startswith("stream"):
        await call.write(b"x")
    await eventually(lambda: handlers.begun)
    assert call.cancel()
    assert not call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await (call.read() if method.endswith("stream") else call)
    assert (await call.code(), call.cancelled(), call.done()) == (C.CANCELLED, True, True)
    await ended_by_cancellation(handlers, path[3:])


@pytest.mark.parametrize("kind", ["unary_unary /t/wait", "unary_stream /t/forever", "stream_stream /t/chat"])
async def test_cancelling_who_waits_cancels_the_call(own, kind: str) -> None:
    """A task that is cancelled while it waits for an answer takes its call with it."""
    channel, handlers, _ = own
    method, path = kind.split()
    call = getattr(channel, method)(path)(*((b"x",) if method.startswith("unary") else ()))

    async def wait() -> None:
        await (call.read() if method.endswith("stream") else call)
        await call.read()

    waiting = asyncio.create_task(wait())
    if method == "stream_stream":
        await call.write(b"x")
    await eventually(lambda: handlers.begun)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await call.code() is C.CANCELLED
    await ended_by_cancellation(handlers, path[3:])


@pytest.mark.parametrize("timeout", [0.03, 0.0, -1.0])
@pytest.mark.parametrize("kind", ["unary_unary /t/wait", "unary_stream /t/forever", "stream_unary /t/deaf"])
async def test_a_deadline_that_passes(pair, kind: str, timeout: float) -> None:
    """DEADLINE_EXCEEDED, also for one that has passed before."""
    channel, _, _ = pair
    method, path = kind.split()
    call = getattr(channel, method)(path)(*((b"x",) if method.startswith("unary") else ()), timeout=timeout)

    async def wait() -> None:
        while True:
            await (call.read() if method.endswith("stream") else call)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await wait()
    assert caught.value.code() is C.DEADLINE_EXCEEDED
    assert not call.cancelled()


async def test_the_time_that_remains(pair) -> None:
    """The caller and the handler see the same deadline, neither more than was given."""
    channel, handlers, _ = pair
    call = channel.unary_unary("/t/echo")(b"", timeout=60.0)
    assert 50 < call.time_remaining() <= 60
    await call
    assert 50 < handlers.contexts[0].time_remaining() <= 61
    assert channel.unary_unary("/t/echo")(b"").time_remaining() is None


async def test_callbacks_of_a_call(pair) -> None:
    """They are called at its end, and at once when it has ended."""
    channel, _, _ = pair
    ended: list[Any] = []
    call = channel.unary_unary("/t/echo")(b"")
    call.add_done_callback(ended.append)
    await call
    await eventually(lambda: ended == [call])
    call.add_done_callback(ended.append)
    await eventually(lambda: ended == [call, call])


async def test_waiting_for_a_connection(pair) -> None:
    """wait_for_connection() returns while the call is under way, and initial metadata come before the end."""
    channel, _, _ = pair
    call = channel.unary_stream("/t/forever")(b"")
    await call.wait_for_connection()
    assert not call.done()
    assert dict(await call.initial_metadata()) == {}
    assert await call.read() == b"first"
    assert not call.done()
    call.cancel()


async def test_many_calls_at_once(pair) -> None:
    """Each has its own answer."""
    channel, _, _ = pair
    method = channel.unary_unary("/t/echo")
    assert await asyncio.gather(*(method(str(i).encode()) for i in range(500))) == [str(i).encode() for i in range(500)]


async def test_closing_a_channel(pair) -> None:
    """Calls under way end as cancelled, later ones are a UsageError."""
    channel, handlers, _ = pair
    call = channel.unary_unary("/t/wait")(b"")
    await eventually(lambda: handlers.begun)
    await channel.close()
    await channel.close()
    assert await call.code() is C.CANCELLED
    assert channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
    with pytest.raises(grpc.aio.UsageError):
        await channel.unary_unary("/t/echo")(b"")
    await ended_by_cancellation(handlers, "wait")


async def test_closing_a_channel_with_grace(pair) -> None:
    """Calls under way may end in that time."""
    channel, handlers, _ = pair
    call = channel.unary_unary("/t/wait")(b"x")
    await eventually(lambda: handlers.begun)
    closing = asyncio.create_task(channel.close(5.0))
    asyncio.get_running_loop().call_soon(handlers.go_on.set)
    await closing
    assert (await call, await call.code()) == (b"x", C.OK)


async def test_the_state_of_a_channel(pair) -> None:
    """It is idle until something needs it, then ready."""
    channel, _, _ = pair
    assert channel.get_state() is grpc.ChannelConnectivity.IDLE
    waiting = asyncio.create_task(channel.wait_for_state_change(grpc.ChannelConnectivity.IDLE))
    await channel.channel_ready()
    await waiting
    assert channel.get_state() is grpc.ChannelConnectivity.READY
    await channel.channel_ready()
