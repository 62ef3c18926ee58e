"""Frames about the connection itself: settings, windows, pings, resets and farewells (RFC 9113, section 6)."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.fields import FieldReader
from crossrate.rpc.lean.frames import FRAME_BYTES_MAX, Broken, Code, Malformed
from crossrate.rpc.lean.stream import Stream

TURN_BYTES = 64 << 10
"""What one stream sends before the next one has its turn, where several wait for the connection's window."""


class Control(asyncio.Protocol):
    """Handles these frames. `Connection` builds on it, and is what sends."""

    is_server = False

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.window_out = frames.WINDOW_BYTES_DEFAULT
        self.peer_stream_window = frames.WINDOW_BYTES_DEFAULT
        self.peer_streams_max = 1 << 31
        self._reader = FieldReader()
        self._acknowledged = False
        self._greeting: asyncio.TimerHandle | None = None
        self._waiting: dict[int, Stream] = {}

    def send(self, *buffers: Any) -> None:
        """Sends frames."""
        raise NotImplementedError

    def forget(self, stream: Stream) -> None:
        """The stream is over."""
        raise NotImplementedError

    def stray(self, kind: int, stream_id: int) -> None:
        """A frame has come for a stream that is not open. Raises Broken or Malformed if it should not have."""
        raise NotImplementedError

    def going_away(self, last_stream: int, code: int, why: str) -> None:
        """The peer takes no more streams than those up to `last_stream`."""

    def pinged(self, payload: bytes) -> None:
        """A ping of ours has been answered."""

    def _malformed(self, stream_id: int, malformed: Malformed) -> None:
        raise NotImplementedError

    def _control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == frames.WINDOW_UPDATE:
            _size(payload, 4)
            self._window_opened(stream_id, frames.NUMBER.unpack(payload)[0] & frames.WINDOW_BYTES_MAX)
        elif kind == frames.RST_STREAM:
            _size(payload, 4)
            self._stream_reset(stream_id, frames.NUMBER.unpack(payload)[0])
        elif kind == frames.PRIORITY:
            self._priority(stream_id, payload)
        elif kind == frames.CONTINUATION:
            raise Broken(Code.PROTOCOL_ERROR, "CONTINUATION without a header block")
        elif kind == frames.PUSH_PROMISE:
            raise Broken(Code.PROTOCOL_ERROR, "nothing may be pushed here")
        elif kind in (frames.SETTINGS, frames.PING, frames.GOAWAY):
            if stream_id:
                raise Broken(Code.PROTOCOL_ERROR, "a frame of the connection names a stream")
            if kind == frames.SETTINGS:
                self._settle(flags, payload)
            elif kind == frames.PING:
                _size(payload, 8)
                if flags & frames.ACK:
                    self.pinged(payload)
                else:
                    self.send(frames.ping(payload, True))
            else:
                if len(payload) < 8:
                    raise Broken(Code.FRAME_SIZE_ERROR, "GOAWAY is too short")
                last, code = (frames.NUMBER.unpack_from(payload, at)[0] for at in (0, 4))
                self.going_away(last & frames.STREAM_ID_MAX, code, payload[8:264].decode("utf-8", "replace"))

    def _priority(self, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise Broken(Code.PROTOCOL_ERROR, "PRIORITY for stream 0")
        if len(payload) != 5:
            malformed = Malformed("PRIORITY has not 5 bytes", Code.FRAME_SIZE_ERROR)
        elif frames.NUMBER.unpack_from(payload)[0] & frames.STREAM_ID_MAX == stream_id:
            malformed = Malformed("a stream depends on itself")
        else:
            return
        if stream_id not in self.streams:
            # A stream that was never opened cannot be reset.
            raise Broken(malformed.code, str(malformed))
        self._malformed(stream_id, malformed)

    def _stream_reset(self, stream_id: int, code: int) -> None:
        stream = self.streams.get(stream_id)
        if stream is None:
            self.stray(frames.RST_STREAM, stream_id)
        else:
            self.forget(stream)
            stream.drop_output()
            stream.drop_input()
            stream.was_reset(code)

    def _window_opened(self, stream_id: int, credit: int) -> None:
        if not stream_id:
            self.window_out += credit
            if not credit:
                raise Broken(Code.PROTOCOL_ERROR, "a window opens by nothing")
            if self.window_out > frames.WINDOW_BYTES_MAX:
                raise Broken(Code.FLOW_CONTROL_ERROR, "the connection's window is larger than a window can be")
            self._serve_waiting()
            return
        stream = self.streams.get(stream_id)
        if stream is None:
            self.stray(frames.WINDOW_UPDATE, stream_id)
            return
        stream.window_out += credit
        if not credit:
            self._malformed(stream_id, Malformed("a window opens by nothing"))
        elif stream.window_out > frames.WINDOW_BYTES_MAX:
            self._malformed(stream_id, Malformed("a window is too large", Code.FLOW_CONTROL_ERROR))
        else:
            stream.pump()

    def _serve_waiting(self) -> None:
        """Streams that wait for the connection's window send in turn, as long as there is any."""
        while self._waiting and self.window_out > 0:
            stream_id = next(iter(self._waiting))
            self._waiting.pop(stream_id).pump(TURN_BYTES)

    def _settle(self, flags: int, payload: bytes) -> None:
        if flags & frames.ACK:
            _size(payload, 0)
            if not self._acknowledged:
                self._acknowledged = True
                self._reader.table_is_gone()
                if self._greeting is not None:
                    self._greeting.cancel()
            return
        if len(payload) % frames.SETTING.size:
            raise Broken(Code.FRAME_SIZE_ERROR, "SETTINGS is not a list of settings")
        for name, value in frames.SETTING.iter_unpack(payload):
            self._setting(name, value)
        self.send(frames.SETTINGS_ACK)
        for stream in list(self.streams.values()):
            stream.pump()

    def _setting(self, name: int, value: int) -> None:
        if name == frames.INITIAL_WINDOW_SIZE:
            if value > frames.WINDOW_BYTES_MAX:
                raise Broken(Code.FLOW_CONTROL_ERROR, "a window is larger than a window can be")
            change, self.peer_stream_window = value - self.peer_stream_window, value
            for stream in list(self.streams.values()):
                stream.window_out += change
                if stream.window_out > frames.WINDOW_BYTES_MAX:
                    raise Broken(Code.FLOW_CONTROL_ERROR, "a window is larger than a window can be")
        elif name == frames.MAX_CONCURRENT_STREAMS:
            self.peer_streams_max = value
        elif name == frames.ENABLE_PUSH and value > (1 if self.is_server else 0):
            raise Broken(Code.PROTOCOL_ERROR, "ENABLE_PUSH is not what the peer may say")
        elif name == frames.MAX_FRAME_SIZE and not FRAME_BYTES_MAX <= value < 1 << 24:
            raise Broken(Code.PROTOCOL_ERROR, "MAX_FRAME_SIZE is not a size that frames can have")


def _size(payload: bytes, expected: int) -> None:
    if len(payload) != expected:
        raise Broken(Code.FRAME_SIZE_ERROR, f"a frame has {len(payload)} bytes where {expected} belong")
