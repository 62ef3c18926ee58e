"""A call as its client sees it, with the interface of grpc.aio's calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.rpc.lean import frames, messages
from crossrate.rpc.lean.fields import Field, field
from crossrate.rpc.lean.frames import Code, Malformed
from crossrate.rpc.lean.messages import Refused
from crossrate.rpc.lean.stream import Stream

if TYPE_CHECKING:
    from crossrate.rpc.lean.channel import ClientConnection, LeanChannel

_OF_RESET = {
    Code.REFUSED_STREAM: grpc.StatusCode.UNAVAILABLE,
    Code.CANCEL: grpc.StatusCode.CANCELLED,
    Code.ENHANCE_YOUR_CALM: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.INADEQUATE_SECURITY: grpc.StatusCode.PERMISSION_DENIED,
}
"""What a stream that the peer reset means ("HTTP2 Transport Mapping", errors); INTERNAL otherwise."""
_RESENDS_MAX = 1

monotonic = time.monotonic


class ClientCall(Stream):
    """What the four kinds of call share. It becomes a stream when there is a connection for it (`attach`)."""

    __slots__ = (
        "_answer",
        "_block",
        "_callbacks",
        "_channel",
        "_code",
        "_deserialize",
        "_details",
        "_encoding",
        "_ended_writing",
        "_error",
        "_feeder",
        "_initial",
        "_locally_cancelled",
        "_request",
        "_resends",
        "_serialize",
        "_trailing",
        "_waiters",
        "attached",
        "deadline",
        "may_wait",
    )

    connection: ClientConnection

    def __init__(
        self,
        channel: LeanChannel,
        block: bytes,
        deadline: float | None,
        may_wait: bool,
        serialize: Callable[[Any], bytes] | None,
        deserialize: Callable[[bytes], Any] | None,
    ) -> None:
        self._channel = channel
        self._block = block
        self.deadline = deadline
        self.may_wait = may_wait
        self._serialize = serialize
        self._deserialize = deserialize
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._encoding = ""
        self._error: grpc.aio.AioRpcError | None = None
        self._initial: list[Field] | None = None
        self._trailing: list[Field] = []
        self._locally_cancelled = False
        self._resends = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._callbacks: list[Callable[[Any], None]] | None = None
        self._answer: bytes | None = None
        self._ended_writing = False
        self._feeder: asyncio.Task[None] | None = None
        self.attached = False
        self.local_closed = False
        self.remote_closed = False
        self.queue = None
        self.reader = None

    # The way out.

    def compressed_with(self, encoding: str) -> None:
        """Requests will be sent in this encoding."""
        self._encoding = encoding

    def start(self, request: Any) -> None:
        """Makes the request ready and asks the channel for a stream."""
        raise NotImplementedError

    def _begin(self) -> None:
        if self.deadline is not None:
            self._channel.alarms.set(self.deadline, self)
        self._channel.begin(self)

    def attach(self, connection: ClientConnection, stream_id: int) -> None:
        """There is a stream: sends the headers, and what the subclass has to send with them."""
        reader = self.reader
        Stream.__init__(self, connection, stream_id, self._channel.answer_bytes_max)
        self.reader = reader
        self.encoding_out = self._encoding
        block = self._block
        if self.deadline is not None:
            block += field("grpc-timeout", messages.timeout_of(max(0.0, self.deadline - monotonic())))
        self.attached = True
        connection.send(frames.headers(stream_id, block, False))
        self.send_first()
        if self._waiters or reader is not None:
            self._wake()

    def send_first(self) -> None:
        """What goes out right behind the headers."""

    def resendable(self) -> bool:
        """Whether the call can be sent once more as it was."""
        return False

    def not_taken(self, why: str) -> None:
        """The peer has not looked at the call: it is sent again if it can be."""
        if self._code is not None:
            return
        if self.resendable() and self._resends < _RESENDS_MAX and self._initial is None and not self._channel.closed:
            self._resends += 1
            self.attached = False
            self._channel.begin(self)
        else:
            self.fail(grpc.StatusCode.UNAVAILABLE, why)

    # The way back.

    def fields_came(self, fields: list[Field], ended: bool) -> None:
        """The headers of the answer, or its trailers, or both in one.

        Raises:
            Malformed: they are none of these.
        """
        if self._initial is None:
            headers = dict(fields)
            status = headers.get(":status", "")
            if status.startswith("1") and not ended:
                return
            if not status or any(name[0] == ":" and name != ":status" for name, _ in fields):
                raise Malformed("an answer has no status, or a field of a request")
            if "grpc-status" not in headers and (
                status != "200" or not messages.is_grpc(headers.get("content-type", ""))
            ):
                code = messages.OF_HTTP_STATUS.get(status, grpc.StatusCode.UNKNOWN)
                self._initial = fields
                self._give_up(code, f"the answer is HTTP {status} {headers.get('content-type', '')}".rstrip())
                return
            if not ended:
                self._initial = fields
                self.encoding_in = headers.get("grpc-encoding", "")
                if self._waiters:
                    self._wake()
                return
            self._initial = []
        elif not ended or any(name[0] == ":" for name, _ in fields):
            raise Malformed("trailers without an end, or with a field of a beginning")
        self.remote_closed = True
        try:
            if self._parts is not None:
                raise Refused(messages.INTERNAL, "the answer ended in the middle of a message")
            self._ended_with(fields)
        except Refused as refused:
            self.refuse(refused)

    def _ended_with(self, trailers: list[Field]) -> None:
        found = dict(trailers)
        self._trailing = trailers
        value = found.get("grpc-status")
        if value is None:
            self._finish(grpc.StatusCode.UNKNOWN, "the answer ended without a status")
        else:
            self._finish(messages.code_of(value), messages.percent_decoded(found.get("grpc-message", "")))

    def _finish(self, code: grpc.StatusCode, details: str) -> None:
        """The peer has said its last."""
        if not self.local_closed:
            # It has answered without waiting for the rest of the request.
            self.connection.reset_quietly(self)
        else:
            self.connection.forget(self)
        self._set_status(code, details)

    def receive(self, data: bytes, start: int, stop: int, taken: int, ended: bool) -> None:
        """See Stream."""
        if self._initial is None:
            raise Malformed("DATA before the headers of the answer")
        Stream.receive(self, data, start, stop, taken, ended)

    def half_closed(self) -> None:
        """See Stream: the answer ended with a message, where a status belongs."""
        self._finish(grpc.StatusCode.INTERNAL, "the answer ended without a status")

    def refuse(self, refused: Refused) -> None:
        """See Stream."""
        self._give_up(refused.code, refused.why)

    def was_reset(self, code: int | None) -> None:
        """See Stream."""
        if code is None:
            self.fail(grpc.StatusCode.UNAVAILABLE, "the connection was lost before the answer was complete")
        elif code == Code.REFUSED_STREAM:
            self.not_taken("the proxy refused the call")
        else:
            self.fail(_OF_RESET.get(code, grpc.StatusCode.INTERNAL), f"the call was reset: {frames.name_of(code)}")

    def drop_input(self) -> None:
        """See Stream. What came whole can still be read."""
        self._drop_parts()

    def fail(self, code: grpc.StatusCode, details: str) -> None:
        """The call ends with a status of our own; there is no stream any more, or none yet."""
        self._set_status(code, details)

    def _give_up(self, code: grpc.StatusCode, details: str) -> None:
        """The call ends with a status of our own, and the peer is told that nobody waits."""
        if self._code is not None:
            return
        if self.attached and self.connection.streams.get(self.id) is self:
            self.connection.reset(self, Code.CANCEL)
        self._set_status(code, details)

    def _set_status(self, code: grpc.StatusCode, details: str) -> None:
        if self._code is not None:
            return
        self._code, self._details = code, details
        self.remote_closed = True
        self._channel.ended(self)
        if self._waiters or self.reader is not None:
            self._wake()
        if self._callbacks:
            for callback in self._callbacks:
                try:
                    callback(self)
                except Exception as error:
                    context = {"message": "a callback of a call failed", "exception": error}
                    self._channel.loop.call_exception_handler(context)

    def expire(self) -> None:
        """The deadline has passed."""
        self._give_up(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._code is not None

    # Waiting.

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self.wake_reader()

    async def _something(self) -> None:
        """Returns when there is a connection, headers, or the end."""
        waiter = self._channel.loop.create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        await waiter

    async def wait_done(self) -> None:
        """Returns when the call is over."""
        while self._code is None:
            await self._something()

    # What users of grpc.aio know.

    def cancel(self) -> bool:
        """Ends the call; False if it was over."""
        if self._code is not None:
            return False
        self._locally_cancelled = True
        self._give_up(grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
        return True

    def cancelled(self) -> bool:
        """Whether the call ended with CANCELLED."""
        return self._code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether the call is over."""
        return self._code is not None

    def time_remaining(self) -> float | None:
        """Seconds to the deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Will be called with the call when it is over; at once if it is."""
        if self._code is not None:
            callback(self)
            return
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append(callback)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the server sent first."""
        while self._initial is None and self._code is None:
            await self._something()
        return grpc.aio.Metadata(*messages.metadata_of(self._initial or ()))

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What the server sent last."""
        await self.wait_done()
        return grpc.aio.Metadata(*messages.metadata_of(self._trailing))

    async def code(self) -> grpc.StatusCode:
        """The status once it is known."""
        await self.wait_done()
        return self._code

    async def details(self) -> str:
        """The status's text once it is known."""
        await self.wait_done()
        return self._details

    async def wait_for_connection(self) -> None:
        """Returns once the call is on its way.

        Raises:
            grpc.aio.AioRpcError: it ended before.
        """
        while not self.attached and self._code is None:
            await self._something()
        if not self.attached:
            self._raise()

    def debug_error_string(self) -> str:
        """The status in words."""
        return f"{self._code}: {self._details}"

    def _raise(self) -> None:
        """Raises what the call ended with, if that was not OK.

        Raises:
            asyncio.CancelledError: we have cancelled it.
            grpc.aio.AioRpcError: it failed.
        """
        if self._locally_cancelled:
            raise asyncio.CancelledError
        if self._code is grpc.StatusCode.OK:
            return
        if self._error is None:
            initial, trailing = grpc.aio.Metadata(), grpc.aio.Metadata()
            try:
                initial = grpc.aio.Metadata(*messages.metadata_of(self._initial or ()))
                trailing = grpc.aio.Metadata(*messages.metadata_of(self._trailing))
            except Refused as refused:
                self._details = f"{self._details} ({refused.why})"
            self._error = grpc.aio.AioRpcError(
                self._code, initial, trailing, details=self._details, debug_error_string=self.debug_error_string()
            )
        raise self._error
