"""A call as the server sees it: a stream that runs a handler."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import copy_context
from struct import Struct
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.rpc.lean import frames, messages
from crossrate.rpc.lean.context import Context, monotonic
from crossrate.rpc.lean.fields import Field, field, request_of
from crossrate.rpc.lean.frames import DATA, END_HEADERS, END_STREAM, FRAME_BYTES_MAX, HEADERS, Code, Malformed
from crossrate.rpc.lean.messages import PREFIX_BYTES, NotGrpc, Refused, UnknownEncoding
from crossrate.rpc.lean.stream import Stream
from crossrate.rpc.transport import Wrapped

if TYPE_CHECKING:
    from crossrate.rpc.lean.server import ServerConnection

UNBROKEN_MAX = 64
"""Messages that a handler may send in a row without waiting for anything, before others have their turn."""
SHUTTING_DOWN = "the server is shutting down"

_ANSWER = field(":status", "200") + field("content-type", "application/grpc")
_ENCODINGS = field("grpc-accept-encoding", messages.ACCEPT_ENCODING)
_TRAILERS_OK = field("grpc-status", "0")
_HEAD = Struct(f">IBI{len(_ANSWER)}sIBIBI")
_TAIL = Struct(f">IBI{len(_TRAILERS_OK)}s")
_HEAD_WORD = len(_ANSWER) << 8 | HEADERS
_TAIL_WORD = len(_TRAILERS_OK) << 8 | HEADERS


class ServerCall(Context):
    """One call. It is the `CallContext` of its handler, and for streams of requests their iterator."""

    __slots__ = (
        "_content_length",
        "_not_grpc",
        "_request",
        "expired",
        "lingers",
        "refused",
        "task",
        "wrapped",
    )

    connection: ServerConnection

    def __init__(self, connection: ServerConnection, stream_id: int, bytes_max: int) -> None:
        Context.__init__(self, connection, stream_id, bytes_max)
        self._request: bytes | None = None
        self._content_length: int | None = None
        self._not_grpc: NotGrpc | None = None
        self.task: asyncio.Task[None] | None = None
        self.expired = False
        self.lingers = False
        self.refused = False

    # From the wire.

    def begin(self, fields: list[Field], ended: bool) -> None:
        """The request's headers have come.

        Raises:
            Malformed: it is no HTTP request.
        """
        self._fields = fields
        headers = self.headers = request_of(fields)
        server = self.connection.server
        self.wrapped: Wrapped = server.methods.get(headers[":path"]) or server.unknown
        self.remote_closed = ended
        try:
            self._check_grpc(headers)
            if ended:
                self.half_closed()
            elif self.wrapped.client_streaming:
                self._start(self)
        except NotGrpc as refused:
            if ended:
                self.refuse(refused)
            else:
                self._not_grpc = refused
        except Refused as refused:
            self.refuse(refused)

    def _check_grpc(self, headers: dict[str, str]) -> None:
        """What gRPC says of a request's headers."""
        length = headers.get("content-length")
        if length is not None:
            if not (length.isascii() and length.isdecimal() and len(length) < 20):
                raise Malformed("content-length is no number")
            self._content_length = int(length)
            if self.remote_closed and self._content_length:
                raise Malformed("the body has another length than the request said")
        if headers[":method"] != "POST":
            raise NotGrpc("405", "gRPC calls are made by POST")
        if not messages.is_grpc(headers.get("content-type", "")):
            raise NotGrpc("415", "the content type of a gRPC call is application/grpc")
        timeout = headers.get("grpc-timeout")
        if timeout is not None:
            self.deadline = monotonic() + messages.seconds_of(timeout)
        encoding = headers.get("grpc-encoding")
        if encoding is not None and encoding != "identity":
            if encoding not in messages.ENCODINGS:
                raise UnknownEncoding(encoding)
            self.encoding_in = encoding

    def trailers_came(self, fields: list[Field], ended: bool) -> None:
        """A second header block has come.

        Raises:
            Malformed: it is none that may.
        """
        if self.remote_closed:
            raise Malformed("HEADERS after the end of the stream", Code.STREAM_CLOSED)
        if not ended or any(name[0] == ":" for name, _ in fields):
            raise Malformed("trailers without an end, or with a field of a beginning")
        self.receive(b"", 0, 0, 0, True)

    def receive(self, data: bytes, start: int, stop: int, taken: int, ended: bool) -> None:
        """See Stream. Where the request said how long it is, it has to be."""
        if self._content_length is not None:
            self._content_length -= stop - start
            if self._content_length < 0 or (ended and self._content_length):
                raise Malformed("the body has another length than the request said")
        if self._not_grpc is not None or self.refused:
            # Nobody reads it; it only has to keep to HTTP/2.
            start = stop
        Stream.receive(self, data, start, stop, taken, ended)

    def deliver(self, message: bytes) -> None:
        """See Stream."""
        if self.wrapped.client_streaming:
            self.enqueue(message)
        elif self._request is None:
            self._request = message
        else:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "the method takes one message, and more were sent")

    def half_closed(self) -> None:
        """See Stream."""
        wrapped = self.wrapped
        if self._not_grpc is not None:
            raise self._not_grpc
        if self.refused:
            return
        if wrapped.client_streaming:
            if self.task is None:
                self._start(self)
            else:
                self.wake_reader()
            return
        request, self._request = self._request, None
        if request is None:
            raise Refused(grpc.StatusCode.UNIMPLEMENTED, "the method takes one message, and none was sent")
        if wrapped.suspends:
            self._start(request)
        else:
            self._run_at_once(request)

    def refuse(self, refused: Refused) -> None:
        """See Stream: answers in place of the handler, which ends if it has begun."""
        if self.local_closed or self.refused:
            return
        self.refused = self.stopped = True
        if isinstance(refused, NotGrpc):
            block = field(":status", refused.status) + field("content-type", "text/plain")
            self.connection.send(frames.headers(self.id, block, False))
            self.send_body(refused.why.encode())
        else:
            self._code, self._details, self._trailing = refused.code.value[0], refused.why, None
            if isinstance(refused, UnknownEncoding):
                self._headers_sent = True
                self.send_trailers(_ANSWER + _ENCODINGS + messages.status_block(self._code, refused.why, None))
            else:
                self._send_status()
        if self.task is not None:
            self.task.cancel()

    def was_reset(self, code: int | None) -> None:
        """See Stream: the client has gone away, and so goes the handler."""
        self.stopped = True
        self.wake_reader()
        if self.task is not None:
            self.lingers = True
            self.connection.lingering += 1
            self.task.cancel()

    # Running the handler.

    def _start(self, request: Any) -> None:
        """Runs the handler in a task."""
        connection = self.connection
        run = self._run_stream(request) if self.wrapped.server_streaming else self._run_unary(request)
        self.task = connection.loop.create_task(run)
        self.task.add_done_callback(self._over)
        if self.deadline is not None:
            connection.alarms.set(self.deadline, self)

    def _over(self, task: asyncio.Task[None]) -> None:
        self.task = None
        if self.lingers:
            self.connection.lingering -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)
        elif task.cancelled() and not self.local_closed:
            self.failed(asyncio.CancelledError())
        if self._on_done:
            for callback in self._on_done:
                callback(self)

    def _run_at_once(self, request: bytes) -> None:
        """Runs a handler that cannot suspend to its end, in a context of its own."""
        coroutine, context = self.wrapped.handle(request, self), copy_context()
        try:
            try:
                context.run(coroutine.send, None)
            except StopIteration as done:
                self.answer(done.value)
            else:
                context.run(coroutine.close)
                raise RuntimeError("the handler waits, although its code has nothing to wait at")
        except (Exception, asyncio.CancelledError) as error:
            self.failed(error)
        if self._on_done:
            for callback in self._on_done:
                self.connection.loop.call_soon(callback, self)

    async def _run_unary(self, request: Any) -> None:
        try:
            answer = await self.wrapped.handle(request, self)
        except BaseException as error:
            self.failed(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.answer(answer)

    async def _run_stream(self, request: Any) -> None:
        unbroken = 0
        try:
            async with contextlib.aclosing(self.wrapped.handle(request, self)) as answers:
                async for answer in answers:
                    if self.local_closed or not (self._headers_sent or self._send_headers()):
                        break
                    if not self.send_message(answer):
                        unbroken = 0
                        await self.writable()
                    elif (unbroken := unbroken + 1) >= UNBROKEN_MAX:
                        unbroken = 0
                        await asyncio.sleep(0)
        except BaseException as error:
            self.failed(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._send_status()

    def expire(self) -> None:
        """The client's deadline has passed and the handler has not noticed."""
        if self.task is not None and not self.local_closed:
            self.expired = True
            self.task.cancel()

    def stop(self) -> None:
        """The server's grace is over."""
        self.stopped = True
        if self.task is not None:
            self.task.cancel()
        else:
            self.failed(asyncio.CancelledError())

    @property
    def over(self) -> bool:
        """Whether no alarm need ring for it."""
        return self.task is None

    def failed(self, error: BaseException) -> None:
        """The handler has raised."""
        if self.local_closed or self.refused:
            return
        match error:
            case asyncio.CancelledError() if self.expired:
                self._code, self._details = 4, "the deadline passed"
            case asyncio.CancelledError() if self.stopped:
                self._code, self._details = 14, SHUTTING_DOWN
            case asyncio.CancelledError():
                self._code, self._details = 1, "the handler was cancelled"
            case grpc.aio.AbortError():
                pass
            case Refused():
                self._code, self._details, self._trailing = error.code.value[0], error.why, None
            case _:
                self.connection.server.log.error("a handler failed", method=self.wrapped.path, exc_info=error)
                self._code, self._details, self._trailing = 2, f"the handler failed: {type(error).__name__}", None
        self._send_status()

    def answer(self, message: bytes) -> None:
        """The one answer of a call, or its status if the handler set one."""
        if self.local_closed:
            return
        if self._code:
            self._send_status()
            return
        connection, size = self.connection, len(message)
        whole = size + PREFIX_BYTES
        if (
            self._headers_sent
            or self.encoding_out
            or self._trailing
            or self._initial
            or whole > FRAME_BYTES_MAX
            or whole > self.window_out
            or whole > connection.window_out
        ):
            if self._headers_sent or self._send_headers():
                self.send_message(message)
                self._send_status()
            return
        connection.window_out -= whole
        stream_id = self.id
        head = _HEAD.pack(_HEAD_WORD, END_HEADERS, stream_id, _ANSWER, whole << 8 | DATA, 0, stream_id, 0, size)
        tail = _TAIL.pack(_TAIL_WORD, END_HEADERS | END_STREAM, stream_id, _TRAILERS_OK)
        connection.send(head, message, tail)
        self._end_here()

    def _send_headers(self) -> bool:
        """Sends the answer's headers; False if the call is over or ends with this."""
        if self.local_closed:
            return False
        try:
            block = _ANSWER + messages.metadata_block(self._initial)
        except ValueError as error:
            self.failed(error)
            return False
        if self.encoding_out:
            block += field("grpc-encoding", self.encoding_out)
        self._headers_sent = True
        self.connection.send(frames.headers(self.id, block, False))
        return True

    def _send_status(self) -> None:
        """Ends the call with its status."""
        if self.local_closed:
            return
        code, details, trailing = self._code, self._details, self._trailing
        try:
            block = messages.status_block(code, details, trailing) if code or trailing else _TRAILERS_OK
        except (ValueError, AttributeError, TypeError) as error:
            self.connection.server.log.error(
                "trailing metadata cannot be sent", method=self.wrapped.path, why=str(error)
            )
            block = messages.status_block(13, "the server's trailing metadata cannot be sent", None)
        if not self._headers_sent:
            block = _ANSWER + (messages.metadata_block(self._initial) if self._initial else b"") + block
            self._headers_sent = True
        self.send_trailers(block)

    def _end_here(self) -> None:
        """The answer is out."""
        self.local_closed = True
        if self.remote_closed:
            self.connection.forget(self)
        else:
            self._finish_input()

    def _finish_input(self) -> None:
        """Tells a client that is still sending that nobody reads it."""
        if self.local_closed and not self.remote_closed:
            self.connection.reset(self, Code.NO_ERROR)

    def closed_here(self) -> None:
        """See Stream."""
        Stream.closed_here(self)
        self._finish_input()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        # A handler must never take requests that were cut off for all that there are.
        while not self.stopped:
            if self.queue:
                return self.dequeue()
            if self.remote_closed:
                raise StopAsyncIteration
            if self.local_closed:
                break
            await self.something_to_read()
        raise asyncio.CancelledError("the client has gone away, or has been answered")
