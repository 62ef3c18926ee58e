"""The calling side: a channel to a proxy's Unix socket that generated stubs take in place of one of grpc.aio's.

There is one connection at a time. It is opened when the first call needs it, opened again when it is lost, and followed
by another when the peer says that it takes no more calls (GOAWAY). A call that certainly no server has seen is sent
again by itself, once; everything else is for the caller to decide.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from typing import Any

import grpc

import crossrate
from crossrate.rpc.alarms import Alarms
from crossrate.rpc.lean import messages
from crossrate.rpc.lean.client_connection import ClientConnection
from crossrate.rpc.lean.fields import field
from crossrate.rpc.lean.outcall import ClientCall
from crossrate.rpc.lean.outcalls import StreamStreamCall, StreamUnaryCall, UnaryStreamCall, UnaryUnaryCall

ANSWER_BYTES_MAX = 16 << 20
"""Largest answer taken, unless the channel says otherwise."""
PAUSE_S_MIN = 0.05
PAUSE_S_MAX = 1.0
"""Pauses between attempts to connect, while calls wait that may wait."""
CONNECT_S_MAX = 5.0

_READY = grpc.ChannelConnectivity.READY
_POST_HTTP = b"\x83\x86"
"""Entries of HPACK's static table: the method is POST, the scheme http."""
_SAME_FOR_ALL = (
    field("te", "trailers")
    + field("content-type", "application/grpc")
    + field("user-agent", f"crossrate/{crossrate.__version__}")
    + field("grpc-accept-encoding", messages.ACCEPT_ENCODING)
)


class _Method:
    """What a stub's method is. Calls begin when it is called."""

    __slots__ = ("_call", "_channel", "_deserialize", "_serialize", "_start")

    def __init__(
        self,
        channel: LeanChannel,
        call: type[ClientCall],
        method: str,
        serialize: Callable[[Any], bytes] | None,
        deserialize: Callable[[bytes], Any] | None,
    ) -> None:
        self._channel = channel
        self._call = call
        self._serialize = serialize
        self._deserialize = deserialize
        self._start = _POST_HTTP + field(":path", method) + field(":authority", "localhost") + _SAME_FOR_ALL

    def __call__(
        self,
        request: Any = None,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
        request_iterator: Any = None,
    ) -> Any:
        """As in grpc.aio. `request_iterator` is what it calls `request` where there are many.

        Raises:
            ValueError: credentials were given, which a Unix socket does not carry, or metadata cannot be sent.
        """
        if credentials is not None:
            raise ValueError("a Unix socket carries no call credentials: the proxy behind it proves who calls")
        block = self._start + messages.metadata_block(metadata) if metadata else self._start
        encoding = messages.encoding_of(compression)
        if encoding != "identity":
            block += field("grpc-encoding", encoding)
        deadline = None if timeout is None else time.monotonic() + timeout
        channel = self._channel
        call = self._call(channel, block, deadline, bool(wait_for_ready), self._serialize, self._deserialize)
        if encoding != "identity":
            call.compressed_with(encoding)
        call.start(request if request_iterator is None else request_iterator)
        return call


class LeanChannel(grpc.aio.Channel):
    """A channel to a Unix socket. Create it in the running event loop.

    Args:
        path: the socket.
        answer_bytes_max: largest answer taken.
    """

    def __init__(self, path: Path | str, *, answer_bytes_max: int = ANSWER_BYTES_MAX) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer_bytes_max = answer_bytes_max
        self.alarms: Alarms[ClientCall] = Alarms(ClientCall.expire)
        self.waiting: dict[ClientCall, None] = {}
        """Calls that wait for a connection, or for room on it."""
        self.calls: set[ClientCall] = set()
        self._path = str(path)
        self._connection: ClientConnection | None = None
        self._leaving: set[ClientConnection] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._again = asyncio.Event()
        self.closed = False
        self._state = grpc.ChannelConnectivity.IDLE
        self._state_changed = asyncio.Event()

    # What stubs use.

    def _method(
        self,
        call: type[ClientCall],
        method: str,
        request_serializer: Any = None,
        response_deserializer: Any = None,
        _registered_method: bool | None = False,
    ) -> _Method:
        """As in grpc.aio."""
        return _Method(self, call, method, request_serializer, response_deserializer)

    unary_unary = partialmethod(_method, UnaryUnaryCall)
    unary_stream = partialmethod(_method, UnaryStreamCall)
    stream_unary = partialmethod(_method, StreamUnaryCall)
    stream_stream = partialmethod(_method, StreamStreamCall)

    async def close(self, grace: float | None = None) -> None:
        """Begins no more calls; gives those under way `grace` seconds, then cancels them."""
        self.closed = True
        if grace and self.calls:
            waits = [asyncio.ensure_future(call.wait_done()) for call in tuple(self.calls)]
            await asyncio.wait(waits, timeout=grace)
            for wait in waits:
                wait.cancel()
        for call in tuple(self.calls):
            call.cancel()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        for connection in (*self._leaving, *([self._connection] if self._connection else ())):
            connection.end()
        self.alarms.close()
        self._set_state(grpc.ChannelConnectivity.SHUTDOWN)
        # The closed sockets are gone with the next turn of the loop.
        await asyncio.sleep(0)

    async def __aenter__(self) -> LeanChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """As in grpc.aio."""
        if try_to_connect and self._state is grpc.ChannelConnectivity.IDLE:
            self._connect()
        return self._state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """As in grpc.aio."""
        while self._state is last_observed_state:
            changed = self._state_changed
            await changed.wait()

    async def channel_ready(self) -> None:
        """Returns once there is a connection."""
        while (state := self._state) is not _READY:
            self._connect()
            await self.wait_for_state_change(state)

    # What calls use.

    def begin(self, call: ClientCall) -> None:
        """Sends a call, or lets it wait for a connection."""
        if self.closed:
            raise grpc.aio.UsageError("the channel is closed")
        self.calls.add(call)
        connection = self._connection
        if connection is not None and connection.takes_calls:
            connection.open(call)
            return
        self.waiting[call] = None
        if connection is None:
            self._connect()

    def ended(self, call: ClientCall) -> None:
        """A call is over."""
        self.calls.discard(call)
        self.waiting.pop(call, None)

    def serve_waiting(self) -> None:
        """Sends calls that wait, as far as there is room."""
        connection = self._connection
        while self.waiting and connection is not None and connection.takes_calls:
            call = next(iter(self.waiting))
            del self.waiting[call]
            connection.open(call)

    # The connection.

    def connection_ended(self, connection: ClientConnection) -> None:
        """A connection is lost, or takes no more calls."""
        if connection.closed:
            self._leaving.discard(connection)
        else:
            self._leaving.add(connection)
        if connection is self._connection:
            self._connection = None
            if self.closed:
                return
            self._set_state(grpc.ChannelConnectivity.IDLE)
            if self.waiting:
                self._connect()

    def _connect(self) -> None:
        if self.closed or self._connection is not None:
            return
        if self._connecting is None:
            self._connecting = self.loop.create_task(self._connect_until_done())
        else:
            self._again.set()

    async def _connect_until_done(self) -> None:
        """Connects, trying again as long as calls wait that may."""
        pause_s = PAUSE_S_MIN
        try:
            while True:
                self._set_state(grpc.ChannelConnectivity.CONNECTING)
                self._again.clear()
                why = await self._connect_once()
                if not why:
                    self._set_state(_READY)
                    self.serve_waiting()
                    return
                self._set_state(grpc.ChannelConnectivity.TRANSIENT_FAILURE)
                for call in [c for c in self.waiting if not c.may_wait]:
                    call.fail(grpc.StatusCode.UNAVAILABLE, f"failed to connect to {self._path}: {why}")
                if not self.waiting:
                    return
                # Whoever asks meanwhile does not wait for the pause: to ask a socket again costs next to nothing.
                try:
                    async with asyncio.timeout(pause_s * (0.5 + random.random() / 2)):
                        await self._again.wait()
                except TimeoutError:
                    pause_s = min(PAUSE_S_MAX, pause_s * 2)
        finally:
            self._connecting = None
            if self.waiting and self._connection is None and not self.closed:
                self._connect()

    async def _dial(self, connection: ClientConnection) -> None:
        await self.loop.create_unix_connection(lambda: connection, self._path)

    async def _connect_once(self) -> str:
        """One attempt; returns why it failed, empty if it did not."""
        connection = ClientConnection(self)
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await self._dial(connection)
                if not await connection.settled:
                    return "it closed the connection at once"
            if connection.leaving or connection.closed:
                return "it takes no calls"
            self._connection = connection
            return ""
        except TimeoutError:
            return f"no answer in {CONNECT_S_MAX:g} s"
        except OSError as error:
            return error.strerror or str(error)
        finally:
            # Nobody else knows of a connection that came to nothing.
            if connection is not self._connection and connection.transport is not None:
                connection.transport.abort()

    def _set_state(self, state: grpc.ChannelConnectivity) -> None:
        if state is not self._state:
            self._state = state
            changed, self._state_changed = self._state_changed, asyncio.Event()
            changed.set()
