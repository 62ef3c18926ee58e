"""The call being handled: who makes it, under which ids, how much time is left.

    from crossrate.rpc.call import current

    call = current()
    rows = await database.fetch(..., timeout=call.remaining_s())

A handler of a stream learns from `call.ending` that it should come to an end (the server drains, or the stream has
reached its longest life):

    while not call.ending.is_set():
        ...
        yield message

and then simply returns; the server adds the `end` message. A handler that waits for its next event does not have to
watch: `INTERRUPT_S` later it is interrupted (CancelledError) where it waits.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crossrate.api.common.v1 import stream_pb2
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.request_id import new_request_id
from crossrate.rpc.tracing import ServerSpan, Trace, place_in_trace
from crossrate.runtime.logs import correlation

if TYPE_CHECKING:
    from crossrate.rpc.grants import Client
    from crossrate.rpc.transport import CallContext

INTERRUPT_S = 0.25
"""Time between a stream's request to end and its interruption."""
REQUEST_ID_CHARS_MAX = 128
OUTGOING_MAX = 32
"""Calls made while serving one that are kept with it."""

monotonic = time.monotonic


class Stop(enum.Enum):
    """Why the server itself stops a handler."""

    DEADLINE = "the deadline passed"
    ENDED = "the stream should have ended"
    SHUTDOWN = "the server's grace is over"
    REVOKED = "its client's session was ended, or its grants have changed"


class Call:
    """One call. Times are seconds; `deadline`, when the work must be done, is on the clock of `time.monotonic`.

    `given_id` is the request id as its caller gave it, unchecked; `request_id` is the one to use. `code`, `elapsed_s`
    are set at its end, `handled` (on the same clock) when its handler begins; `failure`, `outgoing`, `release` and
    `mark` where there is one: a call without does not pay for it (see `crossrate.rpc.kept`, `release_mark`). `release`
    is the release's id and the rule that chose the version.
    """

    __slots__ = (
        "_ending",
        "_trace",
        "_traceparent",
        "begun",
        "caller",
        "client",
        "code",
        "deadline",
        "elapsed_s",
        "end_reason",
        "failure",
        "given_id",
        "handled",
        "in_handler",
        "margin_s",
        "mark",
        "method",
        "outgoing",
        "reached",
        "received",
        "release",
        "sent",
        "span",
        "stopped",
        "task",
        "timer",
    )

    def __init__(self, method: MethodContract, request_id: str | None = None, traceparent: str | None = None) -> None:
        self.method = method
        self.caller = ""
        self.client: Client | None = None
        self.code: int
        self.elapsed_s: float
        self.handled: float
        self.failure: tuple[str, str]
        self.outgoing: list[tuple[str, float, float, str, int]]
        self.release: tuple[str, str]
        self.mark: str
        self.begun = monotonic()
        self.deadline = self.begun + method.deadline_s
        self.task: asyncio.Task | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.span: ServerSpan | None = None
        self.stopped: Stop | None = None
        self.in_handler = False
        self.reached = False
        self.margin_s = 2 * INTERRUPT_S
        self.end_reason = 0
        self.received = 0
        self.sent = 0
        self.given_id = request_id
        self._traceparent = traceparent
        self._trace: Trace | None = None
        self._ending: asyncio.Event | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended, or runs where nothing could stop it."""
        return self.task is None

    @property
    def name(self) -> str:
        """The full method name, as in errors, logs and metrics: the wire path without its leading slash."""
        return self.method.path[1:]

    @property
    def principal(self) -> str:
        """Who is answerable for the call: "client:desk", "anonymous", "client:operator", or a service by its word."""
        return str(self.client) if self.client is not None else self.caller

    @property
    def request_id(self) -> str:
        """The id under which every log line, error and event of this call is found: the caller's, else a new one."""
        known = self.given_id
        if not known or len(known) > REQUEST_ID_CHARS_MAX or not known.isascii() or not known.isprintable():
            known = self.given_id = new_request_id()
        return known

    @property
    def trace(self) -> Trace:
        """The call's place in its trace."""
        if self._trace is None:
            self._trace = self.span.trace if self.span else place_in_trace(self._traceparent)
        return self._trace

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.trace.trace_id

    @property
    def traceparent(self) -> str:
        """The header that hands the trace on to the next service."""
        return self.trace.header()

    @property
    def parent_traceparent(self) -> str:
        """The header that it came with; "" for none."""
        return self._traceparent or ""

    @property
    def placed(self) -> Trace | None:
        """Its place in its trace, if anything asked for it yet."""
        return self._trace

    def called(self, method: str, begun: float, elapsed_s: float, code: str, attempts: int) -> None:
        """A call that was made while serving this one has ended. The first OUTGOING_MAX are kept."""
        outgoing = getattr(self, "outgoing", None)
        if outgoing is None:
            outgoing = self.outgoing = []
        if len(outgoing) < OUTGOING_MAX:
            outgoing.append((method, begun, elapsed_s, code, attempts))

    def remaining_s(self) -> float:
        """Seconds left for the work, never negative. Calls made meanwhile take no longer."""
        return max(0.0, self.deadline - monotonic())

    @property
    def ending(self) -> asyncio.Event:
        """Set when a stream should come to an end."""
        if self._ending is None:
            self._ending = asyncio.Event()
            if self.end_reason:
                self._ending.set()
        return self._ending

    def log_fields(self) -> Mapping[str, str]:
        """The ids of this call for log lines."""
        return {
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "caller": self.principal,
            "method": self.name,
        }

    def end(self, reason: stream_pb2.StreamEndReason) -> None:
        """Asks a stream to end, and interrupts it if it has not within INTERRUPT_S."""
        if self.end_reason:
            return
        self.end_reason = reason
        if self._ending is not None:
            self._ending.set()
        if self.timer is not None:
            self.timer.cancel()
        wait_s = min(INTERRUPT_S, self.margin_s / 2)
        self.timer = asyncio.get_running_loop().call_later(wait_s, self.stop, Stop.ENDED)

    def stop(self, why: Stop) -> None:
        """Interrupts the handler where it waits. If it is not the handler that waits but the transport, the call is
        only marked, and looks at the mark when the transport is done."""
        if self.stopped is None or why is Stop.SHUTDOWN:
            self.stopped = why
            if self.in_handler and self.task is not None:
                self.task.cancel()

    def interrupted(self) -> bool:
        """Whether the cancellation just caught was the server's own; it is then taken back. False if the client's."""
        return self.stopped is not None and (self.task is None or self.task.uncancel() == 0)


def current_or_none() -> Call | None:
    """The call being handled, if one is."""
    work = correlation.get()
    return work if isinstance(work, Call) else None


def granted_accounts() -> list[str]:
    """The accounts that the call being handled may be shown, as patterns for SQL: `account LIKE ANY ($1)`. All of them
    for a service, for the local operator, and where no call is."""
    call = current_or_none()
    return ["%"] if call is None or call.client is None else call.client.account_patterns


def may_see(account: str) -> bool:
    """Whether the call being handled may be shown what concerns an account."""
    call = current_or_none()
    return call is None or call.client is None or call.client.may_see(account)


def granted_desk(asked: str) -> str:
    """The desk whose things the call being handled may be shown: the one asked for, else its client's; "" for all."""
    call = current_or_none()
    return asked or ("" if call is None or call.client is None else call.client.desk)


def current() -> Call:
    """The call being handled.

    Raises:
        LookupError: no call is; the code runs at start-up or in a task of its own.
    """
    call = current_or_none()
    if call is None:
        raise LookupError("no call is being handled here")
    return call


__all__ = [
    "Call",
    "CallContext",
    "Stop",
    "current",
    "current_or_none",
    "granted_accounts",
    "granted_desk",
    "may_see",
    "new_request_id",
]
