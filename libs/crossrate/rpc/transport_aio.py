"""The reference transport: grpc.aio."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from pathlib import Path

import grpc
from prometheus_client.core import Metric

from crossrate.rpc.transport import Wrapped

ANSWER_BYTES_MAX = 64 << 20
"""Largest message sent."""


def _rpc_handler(wrapped: Wrapped) -> grpc.RpcMethodHandler:
    """The method as grpc.aio takes it: bytes in, bytes out."""
    handle = wrapped.handle
    if not wrapped.server_streaming:

        async def answer(request, context) -> bytes:
            message = await handle(request, context)
            if (code := context.code()) not in (None, grpc.StatusCode.OK):
                # grpc.aio would send an empty message before the status, which a transcoding proxy takes for an answer.
                await context.abort(code, context.details(), context.trailing_metadata())
            return message

        build = (
            grpc.stream_unary_rpc_method_handler if wrapped.client_streaming else grpc.unary_unary_rpc_method_handler
        )
        return build(answer)

    async def write_all(request, context) -> None:
        # With its own loop over a generator grpc.aio leaves it to the garbage collector when a client goes away in the
        # middle of a write; closing it here keeps the count of calls in flight true.
        async with aclosing(handle(request, context)) as messages:
            async for message in messages:
                await context.write(message)

    build = grpc.stream_stream_rpc_method_handler if wrapped.client_streaming else grpc.unary_stream_rpc_method_handler
    return build(write_all)


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, methods: Mapping[str, Wrapped], unknown: Wrapped) -> None:
        self._handlers = {path: _rpc_handler(wrapped) for path, wrapped in methods.items()}
        self._unknown = _rpc_handler(unknown)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return self._handlers.get(handler_call_details.method, self._unknown)


class AioTransport:
    """Serves by grpc.aio. Create it in the running event loop, never before a fork."""

    def __init__(self) -> None:
        self._server: grpc.aio.Server | None = None

    async def start(
        self, socket: Path, methods: Mapping[str, Wrapped], unknown: Wrapped, request_bytes_max: int
    ) -> None:
        """See `Transport.start`.

        Raises:
            RuntimeError: the socket cannot be bound.
        """
        options = (
            ("grpc.max_receive_message_length", request_bytes_max),
            ("grpc.max_send_message_length", ANSWER_BYTES_MAX),
            ("grpc.so_reuseport", 0),
            # A proxy keeps one connection for hours; its pings are never too many.
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
        )
        server = grpc.aio.server(options=options)
        server.add_generic_rpc_handlers((_Methods(methods, unknown),))
        before = os.umask(0o177)
        try:
            server.add_insecure_port(f"unix:{socket}")
        finally:
            os.umask(before)
        await server.start()
        self._server = server

    def collect(self) -> Iterable[Metric]:
        """See `Transport.collect`: grpc.aio tells nothing."""
        return ()

    async def stop(self, grace_s: float) -> None:
        """See `Transport.stop`."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(grace_s)
