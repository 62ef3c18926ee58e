"""gRPC's published interoperability cases, each as a function over a channel that behaves as grpc.aio's.

A case asserts what its description says a client asserts. Where it cannot, its docstring says what is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import pytest

from tests.interop.contract import UNIMPLEMENTED_SERVICE, messages, stub
from tests.interop.servicer import CACHE_CONTROL, ECHO_INITIAL, ECHO_TRAILING, payload

REQUEST_BYTES = 271_828
ANSWER_BYTES = 314_159
STREAM_REQUEST_BYTES = (27_182, 8, 1_828, 45_904)
STREAM_ANSWER_BYTES = (31_415, 9, 2_653, 58_979)
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
SOAK_CALLS = 20
TRIES_MAX = 10
CONCURRENT_CALLS = 300
"""The description says 1000; 300 are already more than the 64 MiB of large messages that lean lets in at once."""

Case = Callable[[Any], Awaitable[None]]
CASES: dict[str, Case] = {}
"""Every case by its published name."""


def _case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


def large_request(**fields: Any) -> Any:
    """The request that most cases send."""
    return messages.SimpleRequest(response_size=ANSWER_BYTES, payload=payload(REQUEST_BYTES), **fields)


def _flag(value: bool) -> Any:
    return messages.BoolValue(value=value)


def _stream_request(size: int, body_bytes: int) -> Any:
    parameters = [messages.ResponseParameters(size=size)]
    return messages.StreamingOutputCallRequest(response_parameters=parameters, payload=payload(body_bytes))


async def _each(requests: Sequence[Any]) -> AsyncIterator[Any]:
    for request in requests:
        yield request


def _check_large(answer: Any) -> None:
    assert answer == messages.SimpleResponse(payload=payload(ANSWER_BYTES))


def _sizes(answers: Sequence[Any]) -> tuple[int, ...]:
    return tuple(len(answer.payload.body) for answer in answers)


async def _failure(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


@_case
async def empty_unary(channel: Any) -> None:
    """Messages of no bytes travel both ways."""
    assert (await stub(channel).EmptyCall(messages.Empty())).SerializeToString() == b""


@_case
async def cacheable_unary(channel: Any) -> None:
    """Without a cache on the way and with POST alone: both calls succeed, and the answer says that it may be kept."""
    request = messages.SimpleRequest(payload=messages.Payload(body=b"%d" % time.time_ns()))
    for _ in range(2):
        call = stub(channel).CacheableUnaryCall(request, metadata=(("x-user-ip", "1.2.3.4"),))
        assert (await call).payload.body.isdigit()
        assert CACHE_CONTROL in tuple(await call.initial_metadata())


@_case
async def large_unary(channel: Any) -> None:
    """A request and an answer larger than a flow control window."""
    _check_large(await stub(channel).UnaryCall(large_request()))


@_case
async def client_compressed_unary(channel: Any) -> None:
    """A compressed request and a plain one are both understood.

    No probe: a handler is not told whether its request came compressed. See test_compression.
    """
    call = stub(channel).UnaryCall
    _check_large(await call(large_request(expect_compressed=_flag(True)), compression=grpc.Compression.Gzip))
    _check_large(await call(large_request(expect_compressed=_flag(False))))


@_case
async def server_compressed_unary(channel: Any) -> None:
    """An answer that is compressed and one that is not are both understood."""
    for compressed in (True, False):
        _check_large(await stub(channel).UnaryCall(large_request(response_compressed=_flag(compressed))))


@_case
async def client_compressed_streaming(channel: Any) -> None:
    """A stream of compressed requests is understood. No probe, and no plain message in the midst: there is no API."""
    requests = [
        messages.StreamingInputCallRequest(expect_compressed=_flag(True), payload=payload(27_182)),
        messages.StreamingInputCallRequest(payload=payload(45_904)),
    ]
    answer = await stub(channel).StreamingInputCall(_each(requests), compression=grpc.Compression.Gzip)
    assert answer.aggregated_payload_size == 73_086


@_case
async def server_compressed_streaming(channel: Any) -> None:
    """A stream with a compressed and a plain answer is understood."""
    parameters = [
        messages.ResponseParameters(size=31_415, compressed=_flag(True)),
        messages.ResponseParameters(size=92_653, compressed=_flag(False)),
    ]
    request = messages.StreamingOutputCallRequest(response_parameters=parameters)
    answers = [answer async for answer in stub(channel).StreamingOutputCall(request)]
    assert _sizes(answers) == (31_415, 92_653)


@_case
async def client_streaming(channel: Any) -> None:
    """The server counts what several requests brought."""
    requests = [messages.StreamingInputCallRequest(payload=payload(size)) for size in STREAM_REQUEST_BYTES]
    answer = await stub(channel).StreamingInputCall(_each(requests))
    assert answer.aggregated_payload_size == 74_922


@_case
async def server_streaming(channel: Any) -> None:
    """Answers come complete and in order."""
    parameters = [messages.ResponseParameters(size=size) for size in STREAM_ANSWER_BYTES]
    request = messages.StreamingOutputCallRequest(response_parameters=parameters)
    answers = [answer async for answer in stub(channel).StreamingOutputCall(request)]
    assert answers == [messages.StreamingOutputCallResponse(payload=payload(size)) for size in STREAM_ANSWER_BYTES]


@_case
async def ping_pong(channel: Any) -> None:
    """Each request is answered before the next one is sent."""
    call = stub(channel).FullDuplexCall()
    for size, body_bytes in zip(STREAM_ANSWER_BYTES, STREAM_REQUEST_BYTES, strict=True):
        await call.write(_stream_request(size, body_bytes))
        assert _sizes([await call.read()]) == (size,)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


@_case
async def half_duplex(channel: Any) -> None:
    """All requests are sent before the first answer. Not in the published list any more, but in its contract."""
    requests = [_stream_request(size, 8) for size in STREAM_ANSWER_BYTES]
    answers = [answer async for answer in stub(channel).HalfDuplexCall(_each(requests))]
    assert _sizes(answers) == STREAM_ANSWER_BYTES


@_case
async def empty_stream(channel: Any) -> None:
    """A call without any message succeeds."""
    call = stub(channel).FullDuplexCall()
    await call.done_writing()
    assert [answer async for answer in call] == []
    assert await call.code() is grpc.StatusCode.OK


@_case
async def custom_metadata(channel: Any) -> None:
    """Text comes back with the headers, bytes with the trailers."""
    sent = ((ECHO_INITIAL, "test_initial_metadata_value"), (ECHO_TRAILING, b"\xab\xab\xab"))
    single = stub(channel).UnaryCall(large_request(), metadata=sent)
    _check_large(await single)
    streamed = stub(channel).FullDuplexCall(metadata=sent)
    await streamed.write(_stream_request(ANSWER_BYTES, REQUEST_BYTES))
    await streamed.done_writing()
    assert _sizes([answer async for answer in streamed]) == (ANSWER_BYTES,)
    for call in (single, streamed):
        assert sent[0] in tuple(await call.initial_metadata())
        assert sent[1] in tuple(await call.trailing_metadata())


@_case
async def status_code_and_message(channel: Any) -> None:
    """A code and its message arrive as they were set, from a single answer and from a stream."""
    status = messages.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message="test status message")
    failure = await _failure(stub(channel).UnaryCall(messages.SimpleRequest(response_status=status)))
    assert (failure.code(), failure.details()) == (grpc.StatusCode.UNKNOWN, status.message)
    call = stub(channel).FullDuplexCall()
    await call.write(messages.StreamingOutputCallRequest(response_status=status))
    await call.done_writing()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        assert [answer async for answer in call] == []
    assert (raised.value.code(), raised.value.details()) == (grpc.StatusCode.UNKNOWN, status.message)
    assert (await call.code(), await call.details()) == (grpc.StatusCode.UNKNOWN, status.message)


@_case
async def special_status_message(channel: Any) -> None:
    """A message with white space and characters of any plane arrives unchanged."""
    status = messages.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=SPECIAL_MESSAGE)
    failure = await _failure(stub(channel).UnaryCall(messages.SimpleRequest(response_status=status)))
    assert (failure.code(), failure.details()) == (grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE)


@_case
async def unimplemented_method(channel: Any) -> None:
    """A method that a known service does not serve is UNIMPLEMENTED."""
    failure = await _failure(stub(channel).UnimplementedCall(messages.Empty()))
    assert failure.code() is grpc.StatusCode.UNIMPLEMENTED


@_case
async def unimplemented_service(channel: Any) -> None:
    """A service that nobody serves is UNIMPLEMENTED."""
    failure = await _failure(stub(channel, UNIMPLEMENTED_SERVICE).UnimplementedCall(messages.Empty()))
    assert failure.code() is grpc.StatusCode.UNIMPLEMENTED


@_case
async def cancel_after_begin(channel: Any) -> None:
    """A call that is cancelled before any message ends as CANCELLED."""
    call = stub(channel).StreamingInputCall()
    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await call.code() is grpc.StatusCode.CANCELLED


@_case
async def cancel_after_first_response(channel: Any) -> None:
    """A call that is cancelled between two messages ends as CANCELLED."""
    call = stub(channel).FullDuplexCall()
    await call.write(_stream_request(STREAM_ANSWER_BYTES[0], STREAM_REQUEST_BYTES[0]))
    assert _sizes([await call.read()]) == STREAM_ANSWER_BYTES[:1]
    assert call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call.read()
    assert await call.code() is grpc.StatusCode.CANCELLED


@_case
async def timeout_on_sleeping_server(channel: Any) -> None:
    """A call that outlives its millisecond ends as DEADLINE_EXCEEDED."""
    for _ in range(TRIES_MAX):
        call = stub(channel).FullDuplexCall(timeout=0.001)
        # The time may be over before the message is on its way.
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.write(messages.StreamingOutputCallRequest(payload=payload(STREAM_REQUEST_BYTES[0])))
        # What grpc.aio says now and then of a write of its own that the deadline overtakes.
        if await call.details() != "Internal error from Core":
            break
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@_case
async def rpc_soak(channel: Any) -> None:
    """One channel carries large calls one after the other, none of them slow."""
    for _ in range(SOAK_CALLS):
        _check_large(await stub(channel).UnaryCall(large_request(), timeout=2.0))


@_case
async def concurrent_large_unary(channel: Any) -> None:
    """One channel carries many large calls at once."""
    call, request = stub(channel).UnaryCall, large_request()
    for answer in await asyncio.gather(*(call(request) for _ in range(CONCURRENT_CALLS))):
        _check_large(answer)


async def channel_soak(connect: Callable[[], Any]) -> None:
    """Each of many large calls has a channel of its own, none of them slow."""
    for _ in range(SOAK_CALLS):
        async with connect() as channel:
            _check_large(await stub(channel).UnaryCall(large_request(), timeout=2.0))
