"""One call out: its deadline, its metadata, its repetitions and how its failure is told. `client` builds on it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import grpc
from grpc.aio import EOF
from prometheus_client import Counter, Histogram

from crossrate.rpc.bearer import Tokens, let_in
from crossrate.rpc.call_error import CallError
from crossrate.rpc.contract import Idempotency, MethodContract
from crossrate.rpc.resilience import RetryBudget, RetryLimits, retry

UNKNOWN_METHOD_S_MAX = 10.0
"""Deadline of unary methods that are not the platform's own, such as health checks."""
RETURN_SHARE = 0.05
RETURN_S_MAX = 0.05
"""While serving a call, calls out get what is left of its time less this, so that the answer can still travel back."""

CALLS = Counter("crossrate_client_calls_total", "Calls made by their outcome", ["method", "code"])
SECONDS = Histogram(
    "crossrate_client_call_seconds",
    "Duration of unary calls made, repetitions included",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

Metadata = Sequence[tuple[str, str | bytes]]


class Plan:
    """What the contract says about calls of one method, made ready once for each stub."""

    __slots__ = (
        "budget",
        "deadline_s",
        "limits",
        "metadata",
        "method",
        "needs_request_id",
        "once",
        "seconds",
        "succeeded",
        "tokens",
        "wait_for_ready",
    )

    def __init__(
        self,
        method: str,
        contract: MethodContract | None,
        *,
        replayable: bool,
        limits: RetryLimits,
        budget: RetryBudget,
        wait_for_ready: bool,
        metadata: Metadata,
        tokens: Tokens | None = None,
    ) -> None:
        self.method = method
        self.tokens = tokens
        self.deadline_s = contract.deadline_s if contract else None
        self.once = limits.model_copy(update={"attempts_max": 1})
        self.limits = limits if replayable and contract and contract.retryable else self.once
        self.needs_request_id = contract is not None and contract.idempotency is Idempotency.IDEMPOTENT
        self.budget = budget
        self.wait_for_ready = wait_for_ready
        self.metadata = metadata
        self.seconds = SECONDS.labels(method)
        self.succeeded = CALLS.labels(method, "OK")

    def end_s(self, timeout_s: float | None, unknown_s: float | None) -> float | None:
        """When the call must be over, on the monotonic clock; None for a stream without end."""
        bounds = [s for s in (timeout_s, self.deadline_s) if s is not None]
        if not bounds and unknown_s is not None:
            bounds = [unknown_s]
        if (serving := serving_call()) is not None:
            left_s = serving.remaining_s()
            bounds.append(left_s - min(RETURN_S_MAX, left_s * RETURN_SHARE))
        return time.monotonic() + min(bounds) if bounds else None

    def headers(self, given: Iterable[tuple[str, Any]] | None) -> tuple[tuple[str, Any], ...]:
        """The metadata of a call: the caller's own, the channel's, request id and trace context."""
        serving = serving_call()
        added = [*self.metadata, ("x-request-id", serving.request_id if serving is not None else _request_id())]
        if trace := _traceparent(serving):
            added.append(("traceparent", trace))
        if not given:
            return tuple(added)
        own = tuple(given)
        names = {name for name, _ in own}
        return (*own, *(header for header in added if header[0] not in names))

    def limits_for(self, request: Any) -> RetryLimits:
        """How often this request may be sent: a write without the request id that makes repeating it safe, once."""
        return self.once if self.needs_request_id and not getattr(request, "request_id", "") else self.limits

    def too_late(self) -> CallError:
        """The failure of a call for which no time is left."""
        error = CallError(grpc.StatusCode.DEADLINE_EXCEEDED, "no time was left to begin the call", method=self.method)
        error.reason = "DEADLINE_TOO_SHORT"
        error.metadata = {"method": self.method, "remaining_ms": "0"}
        return error

    def count(self, code: str) -> None:
        """Counts a call that failed."""
        CALLS.labels(self.method, code).inc()


def serving_call() -> Any:
    """The call that this task serves, None outside of one.

    Only a process that serves has loaded `crossrate.rpc.call` and the telemetry behind it; a mere client does not pay
    for them.
    """
    module = sys.modules.get("crossrate.rpc.call")
    return module.current_or_none() if module else None


def _request_id() -> str:
    """A random UUID (RFC 9562, version 4), in a sixth of the time of the uuid module."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _traceparent(serving: Any) -> str:
    """The active span's context, else the served call's; "" outside of both: the edge or the server begins a trace."""
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is not None:
        context = tracing.get_current_span().get_span_context()
        if context.is_valid:
            return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return serving.traceparent if serving is not None else ""


class _Callable:
    """What a stub's method is."""

    __slots__ = ("_inner", "_plan")

    def __init__(self, plan: Plan, inner: Any) -> None:
        self._plan = plan
        self._inner = inner

    def _sender(
        self,
        request: Any,
        metadata: Iterable[tuple[str, Any]] | None,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
        compression: grpc.Compression | None,
    ) -> Callable[[float | None], Any]:
        plain = self._plan.headers(metadata)
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
        send = self._sender(request, metadata, credentials, wait_for_ready, compression)
        end_s = self._plan.end_s(timeout, UNKNOWN_METHOD_S_MAX)
        return UnaryCall(self._plan, self._plan.limits_for(request), send, end_s, request)


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
        send = self._sender(request, metadata, credentials, wait_for_ready, compression)
        end_s = self._plan.end_s(timeout, None)
        return StreamCall(self._plan, self._plan.limits_for(request), send, end_s, request)


class _Call:
    """One call, which may be sent more than once. Only one task may wait for it."""

    __slots__ = ("_current", "_end_s", "_limits", "_plan", "_request", "_send", "_sent")

    def __init__(
        self,
        plan: Plan,
        limits: RetryLimits,
        send: Callable[[float | None], Any],
        end_s: float | None,
        request: Any = None,
    ) -> None:
        self._request = request
        self._plan = plan
        self._limits = limits
        self._send = send
        self._end_s = end_s
        self._sent = 0
        self._current: Any = None
        self._begin()

    def _begin(self) -> None:
        """Sends the call, unless no time is left for it: then there is no current one."""
        left_s = None if self._end_s is None else self._end_s - time.monotonic()
        self._current = None
        if left_s is None or left_s > 0:
            self._sent += 1
            self._current = self._send(left_s)

    def _begun(self) -> bool:
        self._begin()
        return self._current is not None

    def _failed(self, error: CallError) -> CallError:
        error.attempts, error.request = self._sent, self._request
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
            start = time.perf_counter()
            try:
                self._outcome = await self._first(self._attempt), None
            except CallError as error:
                self._outcome = None, error
                self._plan.count(error.code().name)
            except asyncio.CancelledError:
                self._plan.count("CANCELLED")
                raise
            else:
                self._plan.succeeded.inc()
            finally:
                self._plan.seconds.observe(time.perf_counter() - start)
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
                message = await self._first(self._attempt)
                self._started = True
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

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (message := await self.read()) is not EOF:
            yield message

    async def write(self, request: Any) -> None:
        """Sends one more request of a bidirectional stream."""
        await self._current.write(request)

    async def done_writing(self) -> None:
        """Says that no more requests follow."""
        await self._current.done_writing()
