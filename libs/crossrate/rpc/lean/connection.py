"""One HTTP/2 connection: frames in and out, settings, windows, its beginning and its end (RFC 9113).

What a read brings is handled at once, and everything that is said meanwhile goes out in one write after it. Frames that
are sent outside of a read go out together at the end of the event loop's turn.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.fields import LIST_BYTES_MAX, Field, FieldReader
from crossrate.rpc.lean.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES_MAX,
    FRAME_HEADER_BYTES,
    GOAWAY,
    HEAD,
    HEADERS,
    NUMBER,
    PADDED,
    PING,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTING,
    SETTINGS,
    WINDOW_BYTES_DEFAULT,
    WINDOW_BYTES_MAX,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    Broken,
    Code,
    Malformed,
)
from crossrate.rpc.lean.stream import STREAM_WINDOW_BYTES, Stream

CONNECTION_WINDOW_BYTES = 16 << 20
"""How much a peer may send on all streams before we have taken note of it."""
_CREDIT_BYTES = CONNECTION_WINDOW_BYTES // 2
GATHERED_BYTES_MAX = 64 << 20
"""Parts of messages that are not complete yet, on all streams of a connection."""
TURN_BYTES = 64 << 10
"""What one stream sends before the next one has its turn, where several wait for the connection's window."""
BLOCK_BYTES_MAX = 2 * LIST_BYTES_MAX
CONTINUATIONS_MAX = 64
FRAMES_AT_ONCE_MAX = 512
"""Buffers that wait for the end of the turn; more are written at once."""
GREETING_S_MAX = 10.0
"""A peer that has not said what it can do by then, or not agreed to what we can, is given up."""
LINGER_S = 0.5
"""A connection that ended by an error is gone this much later, even if the peer does not read why."""


class Connection(asyncio.Protocol):
    """The part that servers and clients share."""

    is_server = False

    def __init__(self, settings: tuple[tuple[int, int], ...]) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: Any = None
        self.streams: dict[int, Stream] = {}
        self.paused = False
        self.closed = False
        self.window_out = WINDOW_BYTES_DEFAULT
        self.peer_stream_window = WINDOW_BYTES_DEFAULT
        self.peer_streams_max = 1 << 31
        self.gathered = 0
        self.gathered_max = GATHERED_BYTES_MAX
        self._settings = settings
        self._reader = FieldReader()
        self._rest = b""
        self._uncredited = 0
        self._greeted = False
        self._acknowledged = False
        self._greeting: asyncio.TimerHandle | None = None
        self._block: list[bytes] | None = None
        self._block_stream = 0
        self._block_flags = 0
        self._block_bytes = 0
        self._out: list[Any] = []
        self._planned = False
        self._waiting: dict[int, Stream] = {}

    # What subclasses say.

    def fields_came(self, stream_id: int, fields: list[Field] | Malformed, ended: bool) -> None:
        """A header block has come, or one that no stream can go on with."""
        raise NotImplementedError

    def stray(self, kind: int, stream_id: int) -> None:
        """A frame has come for a stream that is not open. Raises Broken or Malformed if it should not have."""
        raise NotImplementedError

    def going_away(self, last_stream: int, code: int, why: str) -> None:
        """The peer takes no more streams than those up to `last_stream`."""

    def pinged(self, payload: bytes) -> None:
        """A ping of ours has been answered."""

    # Beginning and end.

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.transport = transport
        greeting = b"" if self.is_server else frames.PREFACE
        values = (
            (frames.HEADER_TABLE_SIZE, 0),
            (frames.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES),
            (frames.MAX_HEADER_LIST_SIZE, LIST_BYTES_MAX),
            *self._settings,
        )
        credit = frames.window_update(0, CONNECTION_WINDOW_BYTES - WINDOW_BYTES_DEFAULT)
        transport.write(greeting + frames.settings(values) + credit)
        self._greeting = self.loop.call_later(GREETING_S_MAX, self._no_greeting)

    def _no_greeting(self) -> None:
        self.break_off(Code.SETTINGS_TIMEOUT, f"no settings, or none of ours acknowledged, within {GREETING_S_MAX:g} s")

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.closed = True
        if self._greeting is not None:
            self._greeting.cancel()
        self._out.clear()
        self._waiting.clear()
        streams = list(self.streams.values())
        self.streams.clear()
        for stream in streams:
            stream.drop_output()
            stream.drop_input()
            stream.was_reset(None)

    def eof_received(self) -> None:
        """See asyncio.Protocol: the peer has closed; so do we."""

    def break_off(self, code: Code, why: str) -> None:
        """Ends the connection because of an error, saying so to the peer."""
        if self.closed or self.transport.is_closing():
            return
        self.send(frames.goaway(self.last_stream(), code, why))
        self.flush()
        self.closed = True
        with contextlib.suppress(OSError, RuntimeError):
            self.transport.pause_reading()
        self.loop.call_later(LINGER_S, self.transport.abort)
        self.transport.close()
        for stream in list(self.streams.values()):
            stream.drop_output()
            stream.drop_input()
            self.streams.pop(stream.id, None)
            stream.was_reset(code)

    def last_stream(self) -> int:
        """The highest stream of the peer's that we have looked at."""
        return 0

    # Sending.

    def send(self, *buffers: Any) -> None:
        """Sends frames with everything else of this turn."""
        out = self._out
        out += buffers
        if not self._planned:
            self._planned = True
            self.loop.call_soon(self._flush_planned)
        elif len(out) > FRAMES_AT_ONCE_MAX:
            self._write()

    def _flush_planned(self) -> None:
        self._planned = False
        self._write()

    def flush(self) -> None:
        """Writes what was sent so far."""
        self._write()

    def _write(self) -> None:
        if self._out and not self.closed:
            out, self._out = self._out, []
            self.transport.write(b"".join(out))

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.paused = True

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.paused = False
        for stream in list(self.streams.values()):
            stream.wake_writer()

    def wait_for_window(self, stream: Stream) -> None:
        """The stream has something to send as soon as the connection's window opens."""
        self._waiting[stream.id] = stream

    def forget(self, stream: Stream) -> None:
        """The stream is over on both sides."""
        self.streams.pop(stream.id, None)
        self._waiting.pop(stream.id, None)

    def reset(self, stream: Stream, code: int) -> None:
        """Ends a stream from our side."""
        if not self.closed:
            self.send(frames.reset(stream.id, code))
        stream.drop_output()
        stream.drop_input()
        self.forget(stream)

    # Receiving.

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.closed:
            return
        if self._rest:
            data = self._rest + data
        # Everything said from here on goes out below.
        planned, self._planned = self._planned, True
        try:
            if not self._greeted:
                data = self._greet(data)
            at = self._take(data)
        except Broken as broken:
            self.break_off(broken.code, str(broken))
            return
        finally:
            self._planned = planned
        self._rest = data[at:] if at < len(data) else b""
        if self._out:
            self._write()

    def _greet(self, data: bytes) -> bytes:
        """Checks how the peer begins; returns what is left once it has."""
        expected = frames.PREFACE if self.is_server else b""
        if not expected.startswith(data[: len(expected)]):
            raise Broken(Code.PROTOCOL_ERROR, "this is no HTTP/2 connection preface")
        if len(data) < len(expected) + FRAME_HEADER_BYTES:
            return data
        data = data[len(expected) :]
        if data[3] != SETTINGS or data[4] & ACK:
            raise Broken(Code.PROTOCOL_ERROR, "the connection does not begin with SETTINGS")
        self._greeted = True
        return data

    def _take(self, data: bytes) -> int:
        """Handles the whole frames in `data`; returns where the rest begins."""
        at, end = 0, len(data)
        unpack = HEAD.unpack_from
        while end - at >= FRAME_HEADER_BYTES and self._greeted:
            word, flags, stream_id = unpack(data, at)
            length = word >> 8
            if length > FRAME_BYTES_MAX:
                raise Broken(Code.FRAME_SIZE_ERROR, f"a frame has {length} bytes; the most is {FRAME_BYTES_MAX}")
            start = at + FRAME_HEADER_BYTES
            stop = start + length
            if stop > end:
                break
            at = stop
            kind = word & 0xFF
            stream_id &= frames.STREAM_ID_MAX
            if self._block is not None:
                if kind != CONTINUATION or stream_id != self._block_stream:
                    raise Broken(Code.PROTOCOL_ERROR, "a header block is interrupted by another frame")
                self._continued(data[start:stop], flags)
            elif kind == DATA:
                self._data(stream_id, flags, data, start, stop)
            elif kind == HEADERS:
                self._headers(stream_id, flags, data, start, stop)
            else:
                self._control(kind, flags, stream_id, data[start:stop])
        return at

    def _data(self, stream_id: int, flags: int, data: bytes, start: int, stop: int) -> None:
        taken = stop - start
        self._uncredited += taken
        if self._uncredited >= _CREDIT_BYTES:
            self.send(frames.window_update(0, self._uncredited))
            self._uncredited = 0
        if flags & PADDED:
            if not taken or data[start] >= taken:
                raise Broken(Code.PROTOCOL_ERROR, "a frame is padded with more than it has")
            stop -= data[start]
            start += 1
        stream = self.streams.get(stream_id)
        try:
            if stream is None:
                self.stray(DATA, stream_id)
            else:
                stream.receive(data, start, stop, taken, flags & END_STREAM != 0)
        except Malformed as malformed:
            self._malformed(stream_id, malformed)

    def _malformed(self, stream_id: int, malformed: Malformed) -> None:
        stream = self.streams.get(stream_id)
        if stream is None:
            self.send(frames.reset(stream_id, malformed.code))
        else:
            self.reset(stream, malformed.code)
            stream.was_reset(malformed.code)

    def _headers(self, stream_id: int, flags: int, data: bytes, start: int, stop: int) -> None:
        if not stream_id:
            raise Broken(Code.PROTOCOL_ERROR, "HEADERS for stream 0")
        if flags & (PADDED | WITH_PRIORITY):
            padding = 0
            if flags & PADDED:
                padding = data[start] if start < stop else 1
                start += 1
            if flags & WITH_PRIORITY:
                if stop - start >= 4 and NUMBER.unpack_from(data, start)[0] & frames.STREAM_ID_MAX == stream_id:
                    raise Broken(Code.PROTOCOL_ERROR, "a stream depends on itself")
                start += 5
            stop -= padding
            if start > stop:
                raise Broken(Code.PROTOCOL_ERROR, "a frame is padded with more than it has")
        if flags & END_HEADERS:
            self._complete(stream_id, data[start:stop], flags)
        else:
            self._block = [data[start:stop]]
            self._block_stream, self._block_flags, self._block_bytes = stream_id, flags, stop - start

    def _continued(self, part: bytes, flags: int) -> None:
        self._block.append(part)
        self._block_bytes += len(part)
        if self._block_bytes > BLOCK_BYTES_MAX or len(self._block) > CONTINUATIONS_MAX:
            raise Broken(Code.ENHANCE_YOUR_CALM, f"a header block has more than {BLOCK_BYTES_MAX} bytes")
        if flags & END_HEADERS:
            block, self._block = b"".join(self._block), None
            self._complete(self._block_stream, block, self._block_flags)

    def _complete(self, stream_id: int, block: bytes, flags: int) -> None:
        try:
            fields: list[Field] | Malformed = self._reader.read(block)
        except Malformed as malformed:
            fields = malformed
        try:
            self.fields_came(stream_id, fields, flags & END_STREAM != 0)
        except Malformed as malformed:
            self._malformed(stream_id, malformed)

    def _control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == WINDOW_UPDATE:
            _size(payload, 4)
            self._window_opened(stream_id, NUMBER.unpack(payload)[0] & WINDOW_BYTES_MAX)
        elif kind == RST_STREAM:
            _size(payload, 4)
            self._stream_reset(stream_id, NUMBER.unpack(payload)[0])
        elif kind == PRIORITY:
            self._priority(stream_id, payload)
        elif kind == CONTINUATION:
            raise Broken(Code.PROTOCOL_ERROR, "CONTINUATION without a header block")
        elif kind == PUSH_PROMISE:
            raise Broken(Code.PROTOCOL_ERROR, "nothing may be pushed here")
        elif kind in (SETTINGS, PING, GOAWAY):
            if stream_id:
                raise Broken(Code.PROTOCOL_ERROR, "a frame of the connection names a stream")
            if kind == SETTINGS:
                self._settle(flags, payload)
            elif kind == PING:
                _size(payload, 8)
                if flags & ACK:
                    self.pinged(payload)
                else:
                    self.send(frames.ping(payload, True))
            else:
                if len(payload) < 8:
                    raise Broken(Code.FRAME_SIZE_ERROR, "GOAWAY is too short")
                last, code = (NUMBER.unpack_from(payload, at)[0] for at in (0, 4))
                self.going_away(last & frames.STREAM_ID_MAX, code, payload[8:264].decode("utf-8", "replace"))

    def _priority(self, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise Broken(Code.PROTOCOL_ERROR, "PRIORITY for stream 0")
        if len(payload) != 5:
            self._malformed(stream_id, Malformed("PRIORITY has not 5 bytes", Code.FRAME_SIZE_ERROR))
        elif NUMBER.unpack_from(payload)[0] & frames.STREAM_ID_MAX == stream_id:
            self._malformed(stream_id, Malformed("a stream depends on itself"))

    def _stream_reset(self, stream_id: int, code: int) -> None:
        stream = self.streams.get(stream_id)
        if stream is None:
            self.stray(RST_STREAM, stream_id)
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
            if self.window_out > WINDOW_BYTES_MAX:
                raise Broken(Code.FLOW_CONTROL_ERROR, "the connection's window is larger than a window can be")
            self._serve_waiting()
            return
        stream = self.streams.get(stream_id)
        if stream is None:
            self.stray(WINDOW_UPDATE, stream_id)
            return
        stream.window_out += credit
        if not credit:
            self._malformed(stream_id, Malformed("a window opens by nothing"))
        elif stream.window_out > WINDOW_BYTES_MAX:
            self._malformed(stream_id, Malformed("a window is too large", Code.FLOW_CONTROL_ERROR))
        else:
            stream.pump()

    def _serve_waiting(self) -> None:
        """Streams that wait for the connection's window send in turn, as long as there is any."""
        while self._waiting and self.window_out > 0:
            stream_id = next(iter(self._waiting))
            self._waiting.pop(stream_id).pump(TURN_BYTES)

    def _settle(self, flags: int, payload: bytes) -> None:
        if flags & ACK:
            _size(payload, 0)
            if not self._acknowledged:
                self._acknowledged = True
                self._reader.table_is_gone()
                if self._greeting is not None:
                    self._greeting.cancel()
            return
        if len(payload) % SETTING.size:
            raise Broken(Code.FRAME_SIZE_ERROR, "SETTINGS is not a list of settings")
        for name, value in SETTING.iter_unpack(payload):
            self._setting(name, value)
        self.send(frames.SETTINGS_ACK)

    def _setting(self, name: int, value: int) -> None:
        if name == frames.INITIAL_WINDOW_SIZE:
            if value > WINDOW_BYTES_MAX:
                raise Broken(Code.FLOW_CONTROL_ERROR, "a window is larger than a window can be")
            change, self.peer_stream_window = value - self.peer_stream_window, value
            for stream in list(self.streams.values()):
                stream.window_out += change
                if stream.window_out > WINDOW_BYTES_MAX:
                    raise Broken(Code.FLOW_CONTROL_ERROR, "a window is larger than a window can be")
                stream.pump()
        elif name == frames.MAX_CONCURRENT_STREAMS:
            self.peer_streams_max = value
        elif name == frames.ENABLE_PUSH and value > (1 if self.is_server else 0):
            raise Broken(Code.PROTOCOL_ERROR, "ENABLE_PUSH is not what the peer may say")
        elif name == frames.MAX_FRAME_SIZE and not FRAME_BYTES_MAX <= value < 1 << 24:
            raise Broken(Code.PROTOCOL_ERROR, "MAX_FRAME_SIZE is not a size that frames can have")


def _size(payload: bytes, expected: int) -> None:
    if len(payload) != expected:
        raise Broken(Code.FRAME_SIZE_ERROR, f"a frame has {len(payload)} bytes where {expected} belong")
