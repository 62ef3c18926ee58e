"""The calling side of a connection: which calls it carries, and when it takes no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.connection import Connection
from crossrate.rpc.lean.fields import Field
from crossrate.rpc.lean.frames import Broken, Code, Malformed
from crossrate.rpc.lean.outcall import ClientCall

if TYPE_CHECKING:
    from crossrate.rpc.lean.channel import LeanChannel


class ClientConnection(Connection):
    """One connection to the proxy."""

    stream_window = 256 << 10

    def __init__(self, channel: LeanChannel) -> None:
        super().__init__(((frames.ENABLE_PUSH, 0),))
        self.channel = channel
        self.streams: dict[int, ClientCall] = {}
        self.settled = self.loop.create_future()
        """Done when the peer has said what it takes, or the connection is lost."""
        self.leaving = False
        """Whether the peer takes no more calls."""
        self._next = 1

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.leaving = True
        super().connection_lost(error)
        if not self.settled.done():
            self.settled.set_result(False)
        self.channel.connection_ended(self)

    def _settle(self, flags: int, payload: bytes) -> None:
        super()._settle(flags, payload)
        if not self.settled.done():
            self.settled.set_result(True)
        elif not flags & frames.ACK:
            self.channel.serve_waiting()

    @property
    def takes_calls(self) -> bool:
        """Whether one more call may begin here now."""
        return not self.leaving and not self.closed and len(self.streams) < self.peer_streams_max

    def open(self, call: ClientCall) -> None:
        """Begins a call."""
        stream_id, self._next = self._next, self._next + 2
        if self._next > frames.STREAM_ID_MAX:
            self.leave()
        self.streams[stream_id] = call
        call.attach(self, stream_id)

    def forget(self, stream: ClientCall) -> None:
        """See Connection."""
        super().forget(stream)
        if self.leaving and not self.streams:
            self.end()
        elif self.channel.waiting:
            self.channel.serve_waiting()

    def stray(self, kind: int, stream_id: int) -> None:
        """See Connection: what comes for a call that was given up is of no interest."""
        if not stream_id & 1 or stream_id >= self._next:
            raise Broken(Code.PROTOCOL_ERROR, f"a frame of type {kind} for stream {stream_id}, which was never opened")

    def fields_came(self, stream_id: int, fields: list[Field] | Malformed, ended: bool) -> None:
        """See Connection: the headers or trailers of an answer."""
        call = self.streams.get(stream_id)
        if call is None:
            self.stray(frames.HEADERS, stream_id)
        elif isinstance(fields, Malformed):
            raise fields
        else:
            call.fields_came(fields, ended)

    def reset_quietly(self, call: ClientCall) -> None:
        """The peer has answered and does not wait for the rest of the requests."""
        if not self.closed:
            self.send(frames.reset(call.id, Code.NO_ERROR))
        call.drop_output()
        self.forget(call)

    def leave(self) -> None:
        """No more calls begin here."""
        self.leaving = True
        self.channel.connection_ended(self)

    def going_away(self, last_stream: int, code: int, why: str) -> None:
        """See Connection."""
        self.leave()
        for stream_id, call in list(self.streams.items()):
            if stream_id > last_stream:
                call.drop_output()
                self.forget(call)
                call.not_taken(
                    f"the proxy takes no more calls: {why or Code(code).name if code in list(Code) else code}"
                )
        if not self.streams:
            self.end()

    def end(self) -> None:
        """Closes the connection after what was written."""
        if not self.closed:
            self.flush()
            self.transport.close()
