"""The four kinds of call, with the interface that grpc.aio gives each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc.aio import EOF

from crossrate.rpc.lean.fields import Field
from crossrate.rpc.lean.messages import Refused
from crossrate.rpc.lean.outcall import ClientCall


class _OneAnswer(ClientCall):
    """A call with one answer: await it."""

    __slots__ = ()

    def deliver(self, message: bytes) -> None:
        """See Stream."""
        if self._answer is not None:
            raise Refused(grpc.StatusCode.INTERNAL, "the method has one answer, and more were sent")
        self._answer = message

    def _ended_with(self, trailers: list[Field]) -> None:
        if self._answer is None and dict(trailers).get("grpc-status") == "0":
            self._trailing = trailers
            self._finish(grpc.StatusCode.INTERNAL, "the method has one answer, and none was sent")
        else:
            super()._ended_with(trailers)

    def __await__(self) -> Any:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        try:
            while self._code is None:
                await self._something()
        except asyncio.CancelledError:
            self.cancel()
            raise
        self._raise()
        answer = self._answer
        return answer if self._deserialize is None else self._deserialize(answer)


class _ManyAnswers(ClientCall):
    """A call with many answers: iterate over it, or `read()` until grpc.aio.EOF."""

    __slots__ = ()

    def deliver(self, message: bytes) -> None:
        """See Stream."""
        self.enqueue(message)

    async def read(self) -> Any:
        """The next answer, or grpc.aio.EOF after the last."""
        try:
            while not self.queue or self._locally_cancelled:
                if self._code is not None:
                    self._raise()
                    return EOF
                await self._something_to_read()
        except asyncio.CancelledError:
            self.cancel()
            raise
        message = self.dequeue()
        return message if self._deserialize is None else self._deserialize(message)

    async def _something_to_read(self) -> None:
        if self.reader is not None:
            raise asyncio.InvalidStateError("only one task may read the answers of a call")
        self.reader = self._channel.loop.create_future()
        try:
            await self.reader
        finally:
            self.reader = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (message := await self.read()) is not EOF:
            yield message


class _OneRequest(ClientCall):
    """A call with one request."""

    __slots__ = ()

    def start(self, request: Any) -> None:
        """See ClientCall."""
        self._request = request if self._serialize is None else self._serialize(request)
        self._begin()

    def send_first(self) -> None:
        """See ClientCall."""
        self.send_message(self._request, end=True)

    def resendable(self) -> bool:
        """See ClientCall."""
        return True


class _ManyRequests(ClientCall):
    """A call with many requests: from an iterator, or by `write` and `done_writing`."""

    __slots__ = ()

    def start(self, request: Any) -> None:
        """See ClientCall."""
        self._begin()
        if request is not None:
            self._feeder = self._channel.loop.create_task(self._feed(request))

    async def _feed(self, requests: Any) -> None:
        try:
            if inspect.isasyncgen(requests) or hasattr(requests, "__aiter__"):
                async for request in requests:
                    await self._write(request)
            else:
                for request in requests:
                    await self._write(request)
            await self._end_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The call is over; whoever waits for its answer learns why.
            return
        except Exception:
            self.cancel()
            raise

    async def write(self, request: Any) -> None:
        """Sends one more request, as soon as there is room for it."""
        if self._feeder is not None:
            raise grpc.aio.UsageError("the requests come from an iterator")
        try:
            await self._write(request)
        except asyncio.CancelledError:
            self.cancel()
            raise

    async def _write(self, request: Any) -> None:
        if self._code is not None:
            self._raise()
            raise asyncio.InvalidStateError("the call is over")
        if self._ended_writing:
            raise asyncio.InvalidStateError("done_writing was called before")
        raw = request if self._serialize is None else self._serialize(request)
        await self.wait_for_connection()
        if not self.local_closed and not self.send_message(raw):
            await self.writable()
        if self._code is not None and self._code is not grpc.StatusCode.OK:
            self._raise()

    async def done_writing(self) -> None:
        """Says that no more requests follow."""
        if self._feeder is not None:
            raise grpc.aio.UsageError("the requests come from an iterator")
        await self._end_writing()

    async def _end_writing(self) -> None:
        if self._ended_writing or self._code is not None:
            return
        self._ended_writing = True
        await self.wait_for_connection()
        if not self.local_closed:
            self.send_end()

    def _set_status(self, code: grpc.StatusCode, details: str) -> None:
        super()._set_status(code, details)
        feeder = self._feeder
        if feeder is not None and not feeder.done() and feeder is not asyncio.current_task():
            feeder.cancel()


class UnaryUnaryCall(_OneRequest, _OneAnswer):
    """One request, one answer."""

    __slots__ = ()


class UnaryStreamCall(_OneRequest, _ManyAnswers):
    """One request, many answers."""

    __slots__ = ()


class StreamUnaryCall(_ManyRequests, _OneAnswer):
    """Many requests, one answer."""

    __slots__ = ()


class StreamStreamCall(_ManyRequests, _ManyAnswers):
    """Many requests, many answers."""

    __slots__ = ()
