"""The interop server: what it answers, and how a transport carries it without the platform's chain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

import grpc

from crossrate.rpc.transport import CallContext, StreamAnswer, UnaryAnswer, Wrapped
from tests.interop.contract import handlers, messages

ECHO_INITIAL = "x-grpc-test-echo-initial"
ECHO_TRAILING = "x-grpc-test-echo-trailing-bin"
SERVER_ID = "crossrate"
CACHE_CONTROL = ("cache-control", "max-age=60, public")

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Refusal(Exception):
    """A call that ends with a code; it comes out as `set_code`, where `context.abort` would be the other way."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def payload(size: int) -> Any:
    """A body of zeros."""
    return messages.Payload(body=bytes(size))


async def _begin(context: CallContext, compressed: bool = False) -> None:
    """Echoes the metadata that ask for it and lets the answers be compressed, if the transport can do that."""
    metadata = dict(context.invocation_metadata() or ())
    if ECHO_TRAILING in metadata:
        context.set_trailing_metadata(((ECHO_TRAILING, metadata[ECHO_TRAILING]),))
    compressed = compressed and hasattr(context, "set_compression")
    if compressed:
        context.set_compression(grpc.Compression.Gzip)
    initial = tuple((key, metadata[key]) for key in (ECHO_INITIAL,) if key in metadata)
    # grpc.aio forgets the compression of a single answer unless the headers are sent by hand.
    if initial or compressed:
        await context.send_initial_metadata(initial)


def _refuse_if_asked(request: Any) -> None:
    status = request.response_status
    if status.code:
        raise Refusal(_CODES[status.code], status.message)


def _leave_next_plain(context: CallContext) -> None:
    if hasattr(context, "disable_next_message_compression"):
        context.disable_next_message_compression()


class TestServicer:
    """Answers as the published list of server features says; UnimplementedCall is missing on purpose."""

    __test__ = False

    async def EmptyCall(self, request, context):
        return messages.Empty()

    async def UnaryCall(self, request, context):
        await _begin(context, request.response_compressed.value)
        _refuse_if_asked(request)
        server_id = SERVER_ID if request.fill_server_id else ""
        return messages.SimpleResponse(payload=payload(request.response_size), server_id=server_id)

    async def CacheableUnaryCall(self, request, context):
        await context.send_initial_metadata((CACHE_CONTROL,))
        return messages.SimpleResponse(payload=messages.Payload(body=b"%d" % time.time_ns()))

    async def StreamingOutputCall(self, request, context):
        await _begin(context, any(parameters.compressed.value for parameters in request.response_parameters))
        async for answer in _answers(request, context):
            yield answer

    async def StreamingInputCall(self, requests, context):
        size = 0
        async for request in requests:
            size += len(request.payload.body)
        return messages.StreamingInputCallResponse(aggregated_payload_size=size)

    async def FullDuplexCall(self, requests, context):
        await _begin(context)
        async for request in requests:
            if request.response_status.code:
                # The way of handlers from elsewhere; UnaryCall takes ours.
                await context.abort(_CODES[request.response_status.code], request.response_status.message)
            async for answer in _answers(request, context):
                yield answer

    async def HalfDuplexCall(self, requests, context):
        kept = [request async for request in requests]
        for request in kept:
            async for answer in _answers(request, context):
                yield answer


async def _answers(request: Any, context: CallContext) -> AsyncIterator[Any]:
    for parameters in request.response_parameters:
        if parameters.interval_us:
            await asyncio.sleep(parameters.interval_us / 1e6)
        if not parameters.compressed.value:
            _leave_next_plain(context)
        yield messages.StreamingOutputCallResponse(payload=payload(parameters.size))


class Unchained:
    """Wraps handlers for a transport with nothing around them but decoding, encoding and the status of an error."""

    def __init__(self) -> None:
        self.in_flight = 0
        """Calls that have begun and not ended."""

    def methods(self, servicer: object) -> Mapping[str, Wrapped]:
        """A servicer's methods by wire path."""
        return {path: self._wrap(path, handler) for path, handler in handlers(servicer).items()}

    def unknown(self) -> Wrapped:
        """Answers paths that no method has."""

        async def handle(_request: Any, context: CallContext) -> bytes:
            with self._call():
                context.set_code(grpc.StatusCode.UNIMPLEMENTED)
                context.set_details("no such method")
                return b""

        return Wrapped("", True, False, handle)

    @contextmanager
    def _call(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def _wrap(self, path: str, handler: grpc.RpcMethodHandler) -> Wrapped:
        answer = self._streamed(handler) if handler.response_streaming else self._single(handler)
        return Wrapped(path, handler.request_streaming, handler.response_streaming, answer)

    def _single(self, handler: grpc.RpcMethodHandler) -> UnaryAnswer:
        behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary

        async def handle(raw: Any, context: CallContext) -> bytes:
            with self._call():
                try:
                    return handler.response_serializer(await behaviour(_decoded(handler, raw), context))
                except Exception as error:
                    _set_status(context, error)
                    return b""

        return handle

    def _streamed(self, handler: grpc.RpcMethodHandler) -> StreamAnswer:
        behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def handle(raw: Any, context: CallContext) -> AsyncIterator[bytes]:
            with self._call():
                try:
                    async with aclosing(behaviour(_decoded(handler, raw), context)) as answers:
                        async for answer in answers:
                            yield handler.response_serializer(answer)
                except Exception as error:
                    _set_status(context, error)

        return handle


def _decoded(handler: grpc.RpcMethodHandler, raw: Any) -> Any:
    """The request, or an async iterator of requests."""
    if not handler.request_streaming:
        return handler.request_deserializer(raw)

    async def requests() -> AsyncIterator[Any]:
        async for message in raw:
            yield handler.request_deserializer(message)

    return requests()


def _set_status(context: CallContext, error: Exception) -> None:
    """Gives an exception's status to the call.

    Raises:
        grpc.aio.AbortError: it was `context.abort`, which the transport answers.
    """
    match error:
        case grpc.aio.AbortError():
            raise error
        case Refusal():
            context.set_code(error.code)
            context.set_details(error.details)
        case _:
            context.set_code(grpc.StatusCode.UNKNOWN)
            context.set_details(f"{type(error).__name__}: {error}")
