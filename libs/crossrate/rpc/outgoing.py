"""One call out: its deadline, its metadata, its repetitions and how its failure is told. `client` builds on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import grpc
from grpc.aio import EOF

from crossrate.rpc.bearer import at_hand, let_in
from crossrate.rpc.call_error import CallError
from crossrate.rpc.plan import Plan, serving_call
from crossrate.rpc.resilience import RetryLimits, retry

REQUEST_ID = "x-request-id"
UNKNOWN_METHOD_S_MAX = 10.0
"""Deadline of unary methods that are not the platform's own, such as health checks."""


class _Callable:
    """What a stub's method is."""

    __slots__ = ("_inner", "_plan")

    def __init__(self, plan: Plan, inner: Any) -> None:
        self._plan = plan
        self._inner = inner

    def _sender(
        self,
        request: Any,
        plain: tuple[tuple[str, Any], ...],
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
        compression: grpc.Compression | None,
    ) -> Callable[[float | None], Any]:
        tokens = self._plan.tokens
        wait = self._plan.wait_for_ready if wait_for_ready is None else wait_for_ready

        def send(left_s: float | None) -> Any:
            # Of each attempt anew: the token before may have been refused.
            headers = plain if tokens is None else (*plain, ("authorization", f"Bearer {tokens.current()}"))
            return self._inner(
                request,
                timeout=left_s,
                metadata=headers,
                credentials=credentials,
                wait_for_ready=wait,
                compression=compression,
            )

        return send


class UnaryCallable(_Callable):
    """Call it and await what it returns."""

    __slots__ = ()

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, Any]] | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> UnaryCall:
        """As in grpc.aio; `timeout` in seconds shortens the contract's deadline."""
        headers = self._plan.headers(metadata)
        send = self._sender(request, headers, credentials, wait_for_ready, compression)
        end_s = self._plan.end_s(timeout, UNKNOWN_METHOD_S_MAX)
        return UnaryCall(self._plan, self._plan.limits_for(request), send, end_s, request, headers)


class StreamCallable(_Callable):
    """Call it and iterate over what it returns."""

    __slots__ = ()

    def __call__(
        self,
        request: Any = None,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, Any]] | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> StreamCall:
        """As in grpc.aio; `timeout` in seconds shortens the longest life that the contract gives the stream."""
        headers = self._plan.headers(metadata)
        send = self._sender(request, headers, credentials, wait_for_ready, compression)
        end_s = self._plan.end_s(timeout, None)
        return StreamCall(self._plan, self._plan.limits_for(request), send, end_s, request, headers)


class _Call:
    """One call, which may be sent more than once. Only one task may wait for it."""

    __slots__ = ("_current", "_end_s", "_headers", "_limits", "_plan", "_request", "_send", "_sent")

    def __init__(
        self,
        plan: Plan,
        limits: RetryLimits,
        send: Callable[[float | None], Any],
        end_s: float | None,
        request: Any = None,
        headers: tuple[tuple[str, Any], ...] = (),
    ) -> None:
        self._request = request
        self._headers = headers
        self._plan = plan
        self._limits = limits
        self._send = send
        self._end_s = end_s
        self._sent = 0
        self._current: Any = None
        if at_hand(plan.tokens):
            self._begin()

    def _begin(self) -> None:
        """Sends the call, unless no time is left for it: then there is no current one."""
        left_s = None if self._end_s is None else self._end_s - time.monotonic()
        self._current = None
        if left_s is None or left_s > 0:
            self._sent += 1
            self._current = self._send(left_s)

    async def _ready(self) -> None:
        """Sends the call if it waits for a token: getting one must not make the event loop wait."""
        if self._sent or self._current is not None or self._plan.tokens is None:
            return
        try:
            async with asyncio.timeout(self.time_remaining()):
                await asyncio.to_thread(self._plan.tokens.current)
        except TimeoutError:
            return  # no time is left, which is told to whoever waits for the answer
        self._begin()

    def _begun(self) -> bool:
        self._begin()
        return self._current is not None

    def _failed(self, error: CallError) -> CallError:
        error.attempts, error.request = self._sent, self._request
        # What a proxy refuses names no id: the one that went out with the call.
        error.call_id = error.call_id or next((value for name, value in self._headers if name == REQUEST_ID), "")
        return error

    def _may_repeat(self, error: Exception) -> bool:
        if not isinstance(error, CallError) or not error.may_pass:
            return False
        pause_s = error.retry_after_s or 0.0
        return self._end_s is None or time.monotonic() + pause_s < self._end_s

    async def _first(self, wait: Callable[[], Awaitable[Any]]) -> Any:
        """Waits for the first answer of the call, sending it anew where the contract allows it."""
        last: CallError | None = None

        async def attempt() -> Any:
            nonlocal last
            await self._ready()
            if last is not None:
                self._begin()
            if self._current is None:
                raise last or self._failed(self._plan.too_late())
            try:
                return await let_in(self._plan.tokens, wait, self._begun)
            except grpc.aio.AioRpcError as error:
                last = self._failed(CallError.of(error, self._plan.method))
                raise last from None

        return await retry(
            self._plan.method, attempt, self._limits, is_retryable=self._may_repeat, budget=self._plan.budget
        )

    def _told(self, start: float, code: str) -> float:
        """Tells the call that is being served, if one is, what became of this one; returns how long it took."""
        took_s = time.monotonic() - start
        if (serving := serving_call()) is not None:
            serving.called(self._plan.method[1:], start, took_s, code, self._sent)
        return took_s

    def cancel(self) -> bool:
        """Ends the call; False if it was over."""
        return self._current.cancel() if self._current is not None else False

    def cancelled(self) -> bool:
        """Whether it was ended by `cancel`."""
        return self._current is not None and self._current.cancelled()

    def done(self) -> bool:
        """Whether the attempt under way is over."""
        return self._current is None or self._current.done()

    def time_remaining(self) -> float | None:
        """Seconds to the deadline."""
        return None if self._end_s is None else max(0.0, self._end_s - time.monotonic())

    async def initial_metadata(self) -> grpc.aio.Metadata:
        """What the server sent first."""
        await self._ready()
        return await self._current.initial_metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        """What the server sent last."""
        return await self._current.trailing_metadata()

    async def code(self) -> grpc.StatusCode:
        """The status once it is known."""
        return await self._current.code()

    async def details(self) -> str:
        """The status's text once it is known."""
        return await self._current.details()


class UnaryCall(_Call):
    """A call with one answer: await it. Raises CallError."""

    __slots__ = ("_outcome",)

    def __init__(self, *call: Any) -> None:
        super().__init__(*call)
        self._outcome: tuple[Any, CallError | None] | None = None

    def __await__(self) -> Any:
        return self._answer().__await__()

    async def _attempt(self) -> Any:
        return await self._current

    async def _answer(self) -> Any:
        if self._outcome is None:
            start, code = time.monotonic(), "CANCELLED"
            try:
                self._outcome = await self._first(self._attempt), None
            except CallError as error:
                self._outcome, code = (None, error), error.code().name
                self._plan.count(code)
            except asyncio.CancelledError:
                self._plan.count(code)
                raise
            else:
                code = "OK"
                self._plan.succeeded.inc()
            finally:
                self._plan.seconds.observe(self._told(start, code))
        answer, error = self._outcome
        if error is not None:
            raise error
        return answer


class StreamCall(_Call):
    """A call with many answers: iterate over it, or `read()` until grpc.aio.EOF. Raises CallError.

    It is sent anew only while nothing was received: what comes after the first message is for the caller to resume.
    """

    __slots__ = ("_started",)

    def __init__(self, *call: Any) -> None:
        super().__init__(*call)
        self._started = False

    async def _attempt(self) -> Any:
        return await self._current.read()

    async def read(self) -> Any:
        """The next message, or grpc.aio.EOF after the last."""
        try:
            if self._started:
                message = await self._current.read()
            else:
                message = await self._begun_with()
        except CallError as error:
            self._plan.count(error.code().name)
            raise
        except grpc.aio.AioRpcError as error:
            self._plan.count(error.code().name)
            raise self._failed(CallError.of(error, self._plan.method)) from None
        except asyncio.CancelledError:
            self._plan.count("CANCELLED")
            raise
        if message is EOF:
            self._plan.succeeded.inc()
        return message

    async def _begun_with(self) -> Any:
        """The first message. The call that is served is told of the way to it alone: the rest may go on for ever."""
        start, code = time.monotonic(), "CANCELLED"
        try:
            message = await self._first(self._attempt)
            self._started, code = True, "OK"
        except CallError as error:
            code = error.code().name
            raise
        finally:
            self._told(start, code)
        return message

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (message := await self.read()) is not EOF:
            yield message

    async def write(self, request: Any) -> None:
        """Sends one more request of a bidirectional stream."""
        await self._ready()
        await self._current.write(request)

    async def done_writing(self) -> None:
        """Says that no more requests follow."""
        await self._ready()
        await self._current.done_writing()
