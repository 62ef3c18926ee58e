"""The serving side: a connection's streams as calls, handlers run with and without a task, and the transport.

    read -> frames -> call -> handler -> answer -> write

A handler that cannot suspend (`Wrapped.suspends` is false: its code has nothing to wait at) runs to its end where its
request was read. Every other one gets a task before its first step; a coroutine that has begun is never handed to one.
"""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Any

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from crossrate.rpc.alarms import Alarms
from crossrate.rpc.lean import frames
from crossrate.rpc.lean.call import SHUTTING_DOWN, ServerCall
from crossrate.rpc.lean.connection import LINGER_S, Connection
from crossrate.rpc.lean.fields import Field
from crossrate.rpc.lean.frames import DATA, Broken, Code, Malformed
from crossrate.rpc.transport import Wrapped

STREAMS_MAX = 4096
"""Calls under way on one connection. What a server serves at once is decided by its admission, which answers with a
reason; this only bounds memory."""
CONNECTIONS_MAX = 256
RECENT_RESETS_MAX = 1024
"""Streams that we ended early and whose last frames may still arrive."""
GOING_AWAY_S_MAX = 1.0
"""How long a peer may take to notice that no new streams are taken."""
BACKLOG = 512

_PEER = Struct("3i")
_GOING_AWAY = b"draining"


class ServerConnection(Connection):
    """One proxy's connection."""

    is_server = True

    def __init__(self, transport: LeanTransport) -> None:
        super().__init__(((frames.MAX_CONCURRENT_STREAMS, STREAMS_MAX),))
        self.server = transport
        self.alarms = transport.alarms
        self.streams: dict[int, ServerCall] = {}
        self.lingering = 0
        """Handlers that still run although their stream is over."""
        self._last = 0
        self._last_taken: int | None = None
        self._recent_resets: dict[int, None] = {}
        self._noticed: asyncio.Future[None] | None = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol. Whoever is not the one account that may open the socket is not spoken to."""
        why = self.server.reason_to_refuse(transport)
        if why:
            self.server.refused += 1
            self.server.log.warning("a connection was refused", reason=why)
            self.closed = True
            transport.abort()
            return
        self.server.connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.server.connections.discard(self)
        super().connection_lost(error)
        if self._noticed is not None and not self._noticed.done():
            self._noticed.set_result(None)
        self.server.changed()

    def pause_writing(self) -> None:
        """See asyncio.Protocol. Whoever does not read answers is not read from: they must not pile up."""
        super().pause_writing()
        with suppress(RuntimeError):
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if not self.closed:
            with suppress(RuntimeError):
                self.transport.resume_reading()
        super().resume_writing()

    def last_stream(self) -> int:
        """See Connection."""
        return self._last

    def reset(self, stream: ServerCall, code: int) -> None:
        """See Connection."""
        if not stream.remote_closed:
            self._ended_early(stream.id)
        super().reset(stream, code)

    def _malformed(self, stream_id: int, malformed: Malformed) -> None:
        self._ended_early(stream_id)
        super()._malformed(stream_id, malformed)

    def _ended_early(self, stream_id: int) -> None:
        self._recent_resets[stream_id] = None
        if len(self._recent_resets) > RECENT_RESETS_MAX:
            del self._recent_resets[next(iter(self._recent_resets))]

    def forget(self, stream: ServerCall) -> None:
        """See Connection."""
        super().forget(stream)
        if self._last_taken is not None and not self.streams:
            self.server.changed()

    def stray(self, kind: int, stream_id: int) -> None:
        """See Connection."""
        if not stream_id & 1 or stream_id > self._last:
            raise Broken(Code.PROTOCOL_ERROR, f"a frame of type {kind} for stream {stream_id}, which was never opened")
        if kind == DATA and stream_id not in self._recent_resets:
            raise Malformed("DATA for a stream that is over", Code.STREAM_CLOSED)

    def fields_came(self, stream_id: int, fields: list[Field] | Malformed, ended: bool) -> None:
        """See Connection: a new call, or the trailers of one."""
        call = self.streams.get(stream_id)
        if call is not None:
            if isinstance(fields, Malformed):
                raise fields
            call.trailers_came(fields, ended)
            return
        if not stream_id & 1:
            raise Broken(Code.PROTOCOL_ERROR, f"stream {stream_id} is not a client's")
        if stream_id <= self._last:
            if stream_id in self._recent_resets:
                return
            raise Broken(Code.STREAM_CLOSED, f"HEADERS for stream {stream_id}, which is over")
        self._last = stream_id
        if isinstance(fields, Malformed):
            raise fields
        if self._last_taken is not None or len(self.streams) + self.lingering >= STREAMS_MAX:
            self._ended_early(stream_id)
            self.send(frames.reset(stream_id, Code.REFUSED_STREAM))
            return
        call = ServerCall(self, stream_id, self.server.bytes_max)
        self.streams[stream_id] = call
        call.begin(fields, ended)

    async def drain(self) -> None:
        """Takes no new streams, in two steps, so that none that is on its way is lost (RFC 9113, section 6.8).

        Returns when the peer has taken note of the second step, too: nothing that it sent before is still unread, and
        the connection may be closed once its calls have ended.
        """
        for last in (frames.STREAM_ID_MAX, None):
            if self.closed or self._last_taken is not None:
                break
            if last is None:
                last = self._last_taken = self._last
            noticed = self._noticed = self.loop.create_future()
            self.send(frames.goaway(last, Code.NO_ERROR, "draining"), frames.ping(_GOING_AWAY, False))
            with suppress(TimeoutError):
                async with asyncio.timeout(GOING_AWAY_S_MAX):
                    await noticed
        self.server.changed()

    def pinged(self, payload: bytes) -> None:
        """See Connection."""
        if payload == _GOING_AWAY and self._noticed is not None and not self._noticed.done():
            self._noticed.set_result(None)

    def broken(self, code: Code, why: str) -> None:
        """See Connection."""
        self.server.broken[code.name] += 1
        self.server.log.warning("a connection was broken off", code=code.name, reason=why, calls=len(self.streams))

    def end(self) -> None:
        """Closes the connection after what was written; the client learns which calls were never looked at."""
        if self._last_taken is None and not self.closed:
            self._last_taken = self._last
            self.send(frames.goaway(self._last, Code.NO_ERROR, "closing"))
        self.flush()
        # Whoever does not read the last words does not keep the connection alive.
        self.loop.call_later(LINGER_S, self.transport.abort)
        self.transport.close()


class LeanTransport:
    """Serves on a Unix socket that only one account can open. Create it in the running event loop.

    Args:
        peers: accounts (user ids) whose processes may connect; None for our own alone.
    """

    def __init__(self, *, peers: frozenset[int] | None = None) -> None:
        self.connections: set[ServerConnection] = set()
        self.methods: Mapping[str, Wrapped] = {}
        self.unknown: Wrapped | None = None
        self.bytes_max = 0
        self.alarms: Alarms[ServerCall] = Alarms(ServerCall.expire)
        self.log = structlog.get_logger()
        self.broken: Counter[str] = Counter()
        """Connections that an error has ended, by HTTP/2's word for it."""
        self.refused = 0
        """Connections that were not spoken to."""
        self._peers = peers or frozenset({os.geteuid()})
        self._server: asyncio.Server | None = None
        self._changed: asyncio.Event = asyncio.Event()

    async def start(
        self, socket: Path, methods: Mapping[str, Wrapped], unknown: Wrapped, request_bytes_max: int
    ) -> None:
        """See `Transport.start`.

        Raises:
            PermissionError: the folder of the socket is another account's, or others may change it.
            OSError: the socket cannot be bound.
        """
        folder = socket.parent.stat()
        if folder.st_uid not in (os.geteuid(), 0):
            raise PermissionError(f"{socket.parent} belongs to account {folder.st_uid}: serve in a folder of your own")
        if folder.st_mode & 0o022 and not folder.st_mode & stat.S_ISVTX:
            raise PermissionError(f"{socket.parent} can be changed by other accounts: chmod go-w it")
        self.methods, self.unknown, self.bytes_max = methods, unknown, request_bytes_max
        listener = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM | sockets.SOCK_NONBLOCK)
        before = os.umask(0o177)
        try:
            listener.bind(str(socket))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: ServerConnection(self), sock=listener, backlog=BACKLOG)

    def reason_to_refuse(self, transport: Any) -> str:
        """Why a new connection is not served; empty if it is."""
        peer = transport.get_extra_info("socket")
        if peer.family != sockets.AF_UNIX:
            return "it is not a Unix socket"
        _, account, _ = _PEER.unpack(peer.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size))
        if account not in self._peers:
            return f"it comes from account {account}"
        if self._server is None:
            return SHUTTING_DOWN
        return f"there are {CONNECTIONS_MAX} already" if len(self.connections) >= CONNECTIONS_MAX else ""

    def collect(self) -> Iterator[Metric]:
        """See `Transport.collect`."""
        streams = sum(len(connection.streams) for connection in self.connections)
        yield GaugeMetricFamily("crossrate_transport_connections", "Connections open.", len(self.connections))
        yield GaugeMetricFamily("crossrate_transport_streams", "Streams open on all connections.", streams)
        yield CounterMetricFamily("crossrate_transport_refused", "Connections not spoken to.", self.refused)
        broken = CounterMetricFamily("crossrate_transport_broken", "Connections ended by an error.", labels=["code"])
        for code, count in self.broken.items():
            broken.add_metric([code], count)
        yield broken

    def changed(self) -> None:
        """A connection has ended, or has nothing more to do."""
        self._changed.set()

    async def stop(self, grace_s: float) -> None:
        """See `Transport.stop`."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*(c.drain() for c in tuple(self.connections)))
                while any(c.streams for c in self.connections):
                    self._changed.clear()
                    await self._changed.wait()
        for connection in tuple(self.connections):
            for call in tuple(connection.streams.values()):
                call.stop()
        # What was stopped is told so before its connection goes.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for connection in tuple(self.connections):
            connection.end()
        self.alarms.close()
