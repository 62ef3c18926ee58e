"""What the contract says about calls of one method: deadline, metadata, repetitions. `outgoing` sends them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import grpc
from prometheus_client import Counter, Histogram

from crossrate.rpc.bearer import Tokens
from crossrate.rpc.call_error import CallError
from crossrate.rpc.contract import Idempotency, MethodContract
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY
from crossrate.rpc.resilience import RetryBudget, RetryLimits

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
        """The metadata of a call: the caller's own, the channel's, request id, trace context, and a release's mark."""
        serving = serving_call()
        added = [*self.metadata, ("x-request-id", serving.request_id if serving is not None else _request_id())]
        if trace := _traceparent(serving):
            added.append(("traceparent", trace))
        if mark := _mark(serving):
            added.append((MARK_HEADER, mark))
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


def _mark(serving: Any) -> str:
    """The mark of the call that is served, "" without one. What a process that serves asks for nobody's call says so; a
    mere client need not: its calls begin at the edge."""
    if serving is not None:
        return getattr(serving, "mark", "")
    return OF_NOBODY if "crossrate.rpc.call" in sys.modules else ""


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
