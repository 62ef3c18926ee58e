"""The seam between the calls and what carries them.

A transport accepts connections on a Unix socket, finds the method by its wire path and hands the raw request to one of
the wrapped handlers below. It knows HTTP/2, framing and flow control; it knows nothing of contracts. The wrapped
handlers know nothing of sockets: of a call they use only `CallContext`.

Rules that a transport keeps:

* Every call runs in an `asyncio.Task` of its own. A transport may run a handler without one only if it never suspends
  (`Wrapped.suspends`), and then in a `contextvars.Context` of its own.
* When the client goes away, the task is cancelled.
* A handler that set another code than OK has failed: its returned bytes are not sent; code, details and trailing
  metadata are. For a streaming answer everything yielded before is.
* An async generator that is not run to its end is closed (`aclose`) before the call counts as finished.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc
from prometheus_client.core import Metric

Metadata = Sequence[tuple[str, str | bytes]]


class CallContext(Protocol):
    """All that a call needs of its transport; `grpc.aio.ServicerContext` is one."""

    def invocation_metadata(self) -> Metadata | None:
        """The request's metadata, keys in lower case; "-bin" values are bytes.

        A context that has them as a mapping at hand offers it as `headers`, as it stands on the wire.
        """
        ...

    def time_remaining(self) -> float | None:
        """Seconds until the client's deadline; None if it gave none."""
        ...

    def set_code(self, code: grpc.StatusCode) -> None:
        """The code that the call ends with; OK unless set."""
        ...

    def set_details(self, details: str) -> None:
        """The message beside the code, any text."""
        ...

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """Metadata sent with the status."""
        ...

    async def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        """Sends response headers now; at most once, before any message."""
        ...

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()) -> Any:
        """Ends the call with a code by raising. For handlers from elsewhere; our own raise `Failure`."""
        ...

    def cancelled(self) -> bool:
        """Whether the client has gone away."""
        ...


def headers_of(context: CallContext) -> Mapping[str, str]:
    """The request's headers by name; of one that came twice, the last."""
    headers = getattr(context, "headers", None)
    return headers if headers is not None else dict(context.invocation_metadata() or ())


UnaryAnswer = Callable[[Any, CallContext], Awaitable[bytes]]
StreamAnswer = Callable[[Any, CallContext], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """One method with everything around it.

    `handle` takes the request's bytes, or an async iterator of them if `client_streaming`, and is a coroutine function
    that returns the answer's bytes, or an async generator function that yields them if `server_streaming`.
    """

    path: str
    client_streaming: bool
    server_streaming: bool
    handle: UnaryAnswer | StreamAnswer
    suspends: bool = True
    """False only if `handle` is known to run to its end without waiting for anything."""


class Transport(Protocol):
    """Carries calls on one Unix socket."""

    async def start(
        self, socket: Path, methods: Mapping[str, Wrapped], unknown: Wrapped, request_bytes_max: int
    ) -> None:
        """Accepts calls from the return on.

        Args:
            socket: the path to listen on; nothing is there. Its mode is 0600 from the first moment.
            methods: by wire path.
            unknown: answers every other path.
            request_bytes_max: largest message that is read at all.
        """
        ...

    def collect(self) -> Iterable[Metric]:
        """What it tells Prometheus of its connections, if anything."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Refuses new calls, gives those under way `grace_s` seconds, cancels the rest, closes the socket."""
        ...
