"""What a handler may ask of its call: the part of grpc.aio.ServicerContext that makes sense behind a proxy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn

import grpc

from crossrate.rpc.lean import messages
from crossrate.rpc.lean.fields import Field
from crossrate.rpc.lean.stream import Stream
from crossrate.rpc.transport import Metadata

monotonic = time.monotonic


class Context(Stream):
    """The `CallContext` of a handler."""

    __slots__ = (
        "_code",
        "_details",
        "_fields",
        "_headers_sent",
        "_initial",
        "_on_done",
        "_trailing",
        "deadline",
        "headers",
        "stopped",
    )

    headers: dict[str, str]
    _fields: list[Field]

    def __init__(self, connection: Any, stream_id: int, bytes_max: int) -> None:
        Stream.__init__(self, connection, stream_id, bytes_max)
        self._code = 0
        self._details = ""
        self._trailing: Metadata | None = None
        self._initial: Metadata | None = None
        self._headers_sent = False
        self._on_done: list[Callable[[Any], None]] | None = None
        self.deadline: float | None = None
        self.stopped = False

    def _send_headers(self) -> bool:
        """Sends the answer's headers; False if the call is over or ends with this."""
        raise NotImplementedError

    def invocation_metadata(self) -> Metadata:
        """The request's metadata, gRPC's own fields aside."""
        return messages.metadata_of(self._fields)

    def time_remaining(self) -> float | None:
        """Seconds until the client's deadline, never negative; None if it gave none."""
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())

    def set_code(self, code: grpc.StatusCode | int) -> None:
        """The code that the call ends with."""
        self._code = code if isinstance(code, int) else code.value[0]

    def set_details(self, details: str) -> None:
        """The message beside the code."""
        self._details = details

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """Metadata sent with the status."""
        self._trailing = tuple(trailing_metadata)

    def code(self) -> int:
        """The code set so far."""
        return self._code

    def details(self) -> str:
        """The message set so far."""
        return self._details

    def trailing_metadata(self) -> Metadata:
        """The trailing metadata set so far."""
        return self._trailing or ()

    def set_compression(self, compression: grpc.Compression) -> None:
        """How answers are compressed, if the client takes that; before the first of them."""
        encoding = messages.encoding_of(compression)
        accepted = self.headers.get("grpc-accept-encoding", "").replace(" ", "").split(",")
        if self._headers_sent:
            raise RuntimeError("the answer's headers have been sent already")
        self.encoding_out = encoding if encoding in accepted and encoding != "identity" else ""

    def disable_next_message_compression(self) -> None:
        """The next answer is sent as it is."""
        self.plain_next = True

    async def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        """Sends the answer's headers now.

        Raises:
            RuntimeError: they were sent before.
            ValueError: metadata cannot have such a key or value.
        """
        if self._headers_sent:
            raise RuntimeError("the answer's headers have been sent already")
        initial = tuple(initial_metadata)
        messages.metadata_block(initial)
        self._initial = initial
        self._send_headers()

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()) -> NoReturn:
        """Ends the call with a code by raising."""
        if code is grpc.StatusCode.OK:
            raise ValueError("a call is not aborted with OK")
        self.set_code(code)
        self._details = details
        if trailing_metadata:
            self._trailing = tuple(trailing_metadata)
        raise grpc.aio.AbortError("the call was aborted")

    async def abort_with_status(self, status: Any) -> NoReturn:
        """Ends the call with a status, as `grpc_status.rpc_status.to_status` makes it."""
        await self.abort(status.code, status.details, status.trailing_metadata)

    def cancelled(self) -> bool:
        """Whether the client has gone away."""
        return self.stopped

    def done(self) -> bool:
        """Whether the call is over."""
        return self.local_closed

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Will be called with the context when the handler has ended."""
        if self._on_done is None:
            self._on_done = []
        self._on_done.append(callback)

    def peer(self) -> str:
        """Where the call comes from."""
        return "unix:"

    def peer_identities(self) -> None:
        """None: who calls is in the metadata that the proxy writes."""

    def peer_identity_key(self) -> None:
        """None, as above."""

    def auth_context(self) -> dict[str, Any]:
        """Empty: the socket's owner is all that is known."""
        return {}
