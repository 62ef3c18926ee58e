"""One HTTP/2 connection: frames in and out, settings, windows, its beginning and its end (RFC 9113).

What a read brings is handled at once, and what is said meanwhile goes out in one write after it, or in several if it is
much. Frames that are sent outside of a read go out together at the end of the event loop's turn.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from crossrate.rpc.lean import frames
from crossrate.rpc.lean.control import Control
from crossrate.rpc.lean.fields import LIST_BYTES_MAX, Field
from crossrate.rpc.lean.frames import DATA, FRAME_BYTES_MAX, HEADERS, Broken, Code, Malformed
from crossrate.rpc.lean.stream import Stream

CONNECTION_WINDOW_BYTES = 16 << 20
"""How much a peer may send on all streams before we have taken note of it."""
_CREDIT_BYTES = CONNECTION_WINDOW_BYTES // 2
ROOM_BYTES_MAX = 64 << 20
"""Messages larger than a stream's window that are let in at once, on all streams of a connection; others wait."""
BLOCK_BYTES_MAX = 2 * LIST_BYTES_MAX
CONTINUATIONS_MAX = 64
FRAMES_AT_ONCE_MAX = 24
"""Buffers that wait for the end of a read or turn, about eight calls' worth; more are written at once.

The next process begins with the first eight answers while the rest is worked on. With all answers of a read in one
write, 32 calls in flight go through the proxies as one crowd and keep one core busy at a time: 6,700 calls/s through
edge and mesh proxy instead of 9,200."""
GREETING_S_MAX = 10.0
"""A peer that has not said what it can do by then, or not agreed to what we can, is given up."""
LINGER_S = 0.5
"""A connection that ended by an error is gone this much later, even if the peer does not read why."""


class Connection(Control):
    """The part that servers and clients share."""

    stream_window = 64 << 10
    """How much a peer may send on one stream before it is read."""

    def __init__(self, settings: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.transport: Any = None
        self.paused = False
        self.closed = False
        self.room_max = ROOM_BYTES_MAX
        self._room_given: dict[int, int] = {}
        self.room_used = 0
        self._room_wanted: dict[int, Stream] = {}
        self._settings = settings
        self._rest = b""
        self._uncredited = 0
        self._greeted = False
        self._block: list[bytes] | None = None
        self._block_stream = 0
        self._block_flags = 0
        self._block_bytes = 0
        self._out: list[Any] = []
        self._planned = False

    # What subclasses say.

    def fields_came(self, stream_id: int, fields: list[Field] | Malformed, ended: bool) -> None:
        """A header block has come, or one that no stream can go on with."""
        raise NotImplementedError

    def broken(self, code: Code, why: str) -> None:
        """The connection ends because of an error; for whoever looks after it."""

    # Beginning and end.

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.transport = transport
        greeting = b"" if self.is_server else frames.PREFACE
        values = (
            (frames.HEADER_TABLE_SIZE, 0),
            (frames.INITIAL_WINDOW_SIZE, self.stream_window),
            (frames.MAX_HEADER_LIST_SIZE, LIST_BYTES_MAX),
            *self._settings,
        )
        credit = frames.window_update(0, CONNECTION_WINDOW_BYTES - frames.WINDOW_BYTES_DEFAULT)
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
        self.broken(code, why)
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
            self.flush()

    def _flush_planned(self) -> None:
        self._planned = False
        self.flush()

    def flush(self) -> None:
        """Writes what was sent so far."""
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

    def make_room(self, stream: Stream) -> None:
        """The stream's message is larger than its window: it is let in now, or when others are complete."""
        self._room_wanted[stream.id] = stream
        self._give_room()

    def _give_room(self) -> None:
        """Lets in those that wait, in their order. One is always let in, however large."""
        wanted, given = self._room_wanted, self._room_given
        while wanted:
            stream = next(iter(wanted.values()))
            if given and self.room_used + stream.room > self.room_max:
                return
            del wanted[stream.id]
            given[stream.id] = stream.room
            self.room_used += stream.room
            stream.let_in()

    def give_room_back(self, stream: Stream) -> None:
        """The stream's message is complete, or will never be."""
        self._room_wanted.pop(stream.id, None)
        self.room_used -= self._room_given.pop(stream.id, 0)
        if self._room_wanted and not self.closed:
            self._give_room()

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
            self.flush()

    def _greet(self, data: bytes) -> bytes:
        """Checks how the peer begins; returns what is left once it has."""
        expected = frames.PREFACE if self.is_server else b""
        if not expected.startswith(data[: len(expected)]):
            raise Broken(Code.PROTOCOL_ERROR, "this is no HTTP/2 connection preface")
        if len(data) < len(expected) + frames.FRAME_HEADER_BYTES:
            return data
        data = data[len(expected) :]
        if data[3] != frames.SETTINGS or data[4] & frames.ACK:
            raise Broken(Code.PROTOCOL_ERROR, "the connection does not begin with SETTINGS")
        self._greeted = True
        return data

    def _take(self, data: bytes) -> int:
        """Handles the whole frames in `data`; returns where the rest begins."""
        at, end = 0, len(data)
        unpack = frames.HEAD.unpack_from
        while end - at >= frames.FRAME_HEADER_BYTES and self._greeted:
            word, flags, stream_id = unpack(data, at)
            length = word >> 8
            if length > FRAME_BYTES_MAX:
                raise Broken(Code.FRAME_SIZE_ERROR, f"a frame has {length} bytes; the most is {FRAME_BYTES_MAX}")
            start = at + frames.FRAME_HEADER_BYTES
            stop = start + length
            if stop > end:
                break
            at = stop
            kind = word & 0xFF
            stream_id &= frames.STREAM_ID_MAX
            if self._block is not None:
                if kind != frames.CONTINUATION or stream_id != self._block_stream:
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
        if flags & frames.PADDED:
            if not taken or data[start] >= taken:
                raise Broken(Code.PROTOCOL_ERROR, "a frame is padded with more than it has")
            stop -= data[start]
            start += 1
        stream = self.streams.get(stream_id)
        try:
            if stream is None:
                self.stray(DATA, stream_id)
            else:
                stream.receive(data, start, stop, taken, flags & frames.END_STREAM != 0)
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
        if flags & (frames.PADDED | frames.WITH_PRIORITY):
            padding = 0
            if flags & frames.PADDED:
                padding = data[start] if start < stop else 1
                start += 1
            if flags & frames.WITH_PRIORITY:
                if stop - start >= 4 and frames.NUMBER.unpack_from(data, start)[0] & frames.STREAM_ID_MAX == stream_id:
                    raise Broken(Code.PROTOCOL_ERROR, "a stream depends on itself")
                start += 5
            stop -= padding
            if start > stop:
                raise Broken(Code.PROTOCOL_ERROR, "a frame is padded with more than it has")
        if flags & frames.END_HEADERS:
            self._complete(stream_id, data[start:stop], flags)
        else:
            self._block = [data[start:stop]]
            self._block_stream, self._block_flags, self._block_bytes = stream_id, flags, stop - start

    def _continued(self, part: bytes, flags: int) -> None:
        self._block.append(part)
        self._block_bytes += len(part)
        if self._block_bytes > BLOCK_BYTES_MAX or len(self._block) > CONTINUATIONS_MAX:
            raise Broken(Code.ENHANCE_YOUR_CALM, f"a header block has more than {BLOCK_BYTES_MAX} bytes")
        if flags & frames.END_HEADERS:
            block, self._block = b"".join(self._block), None
            self._complete(self._block_stream, block, self._block_flags)

    def _complete(self, stream_id: int, block: bytes, flags: int) -> None:
        try:
            fields: list[Field] | Malformed = self._reader.read(block)
        except Malformed as malformed:
            fields = malformed
        try:
            self.fields_came(stream_id, fields, flags & frames.END_STREAM != 0)
        except Malformed as malformed:
            self._malformed(stream_id, malformed)
