"""One stream of a connection: messages in, messages out, and how much of each may be under way.

Receiving, a stream's window is opened again only while few messages wait for whoever reads them, so that a slow reader
holds back its sender. A message larger than the window is let in as a whole, once there is room for it among all that
are on their way (`Connection.make_room`).

Sending, what finds no window waits in `_pending`, and whoever sends waits for it in `writable`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from struct import Struct
from typing import TYPE_CHECKING

from crossrate.rpc.lean import frames, messages
from crossrate.rpc.lean.frames import (
    DATA,
    END_STREAM,
    FRAME_BYTES_MAX,
    HEAD,
    NUMBER,
    WINDOW_BYTES_MAX,
    Code,
    Malformed,
)
from crossrate.rpc.lean.messages import PREFIX_BYTES, Refused

if TYPE_CHECKING:
    from crossrate.rpc.lean.connection import Connection

_DATA_HEAD = Struct(">IBIBI")
"""The header of a DATA frame and the prefix of the message in it."""
_PREFIX = Struct(">BI")


class Stream:
    """The part that servers and clients share. Subclasses say what a message and an end mean to them."""

    __slots__ = (
        "_have",
        "_need",
        "_packed",
        "_parts",
        "_pending",
        "_room",
        "_trailers",
        "_writable",
        "bytes_max",
        "connection",
        "encoding_in",
        "encoding_out",
        "id",
        "local_closed",
        "plain_next",
        "queue",
        "queue_bytes",
        "reader",
        "remote_closed",
        "window_in",
        "window_out",
    )

    def __init__(self, connection: Connection, stream_id: int, bytes_max: int) -> None:
        self.connection = connection
        self.id = stream_id
        self.bytes_max = bytes_max
        self.window_in = connection.stream_window
        self.window_out = connection.peer_stream_window
        self.local_closed = False
        self.remote_closed = False
        self.encoding_in = ""
        self.encoding_out = ""
        self.plain_next = False
        self.queue: deque[bytes] | None = None
        self.queue_bytes = 0
        self.reader: asyncio.Future[None] | None = None
        self._parts: list[bytes] | None = None
        self._have = 0
        self._need = -1
        self._packed = 0
        self._room = 0
        self._pending: deque[memoryview] | None = None
        self._trailers: bytes | None = None
        self._writable: asyncio.Future[None] | None = None

    # What subclasses say.

    def deliver(self, message: bytes) -> None:
        """A whole message has come."""
        raise NotImplementedError

    def half_closed(self) -> None:
        """The peer sends nothing more."""
        raise NotImplementedError

    def was_reset(self, code: int | None) -> None:
        """The stream has ended before its time, by RST_STREAM or, without a code, with the connection."""
        raise NotImplementedError

    def refuse(self, refused: Refused) -> None:
        """What the peer sent cannot be taken."""
        raise NotImplementedError

    # Receiving.

    def receive(self, data: bytes, start: int, stop: int, taken: int, ended: bool) -> None:
        """The payload of a DATA frame: data[start:stop] without padding, `taken` bytes of the window with it.

        Raises:
            Malformed: the peer has sent more than it may.
        """
        if self.remote_closed:
            raise Malformed("DATA after the end of the stream", Code.STREAM_CLOSED)
        self.window_in -= taken
        if self.window_in < 0:
            raise Malformed("more DATA than the window of the stream", Code.FLOW_CONTROL_ERROR)
        try:
            if self._parts is None:
                start = self._messages(data, start, stop)
                if start < stop:
                    self._parts = []
            if self._parts is not None and start < stop:
                self._gather(data[start:stop])
            if ended:
                if self._parts is not None:
                    raise Refused(messages.INTERNAL, "the stream ended in the middle of a message")
                self.remote_closed = True
                self.half_closed()
            else:
                self.credit()
        except Refused as refused:
            self.remote_closed = self.remote_closed or ended
            self.drop_input()
            self.refuse(refused)

    def _messages(self, data: bytes, start: int, stop: int) -> int:
        """Takes the whole messages from a border on; returns where the rest begins."""
        while stop - start >= PREFIX_BYTES:
            (size,) = NUMBER.unpack_from(data, start + 1)
            if size > self.bytes_max:
                raise messages.too_large(size, self.bytes_max)
            end = start + PREFIX_BYTES + size
            if end > stop:
                break
            packed, message = data[start], data[start + PREFIX_BYTES : end]
            start = end
            self.deliver(self._unpack(message, packed) if packed else message)
        return start

    def _gather(self, chunk: bytes) -> None:
        """A part of a message that does not fit into one frame."""
        parts = self._parts
        parts.append(chunk)
        self._have += len(chunk)
        if self._need < 0:
            if self._have < PREFIX_BYTES:
                return
            head = b"".join(parts)
            self._packed = head[0]
            (self._need,) = NUMBER.unpack_from(head, 1)
            if self._need > self.bytes_max:
                raise messages.too_large(self._need, self.bytes_max)
            parts[:] = (head[PREFIX_BYTES:],)
            self._have -= PREFIX_BYTES
            if self._need - self._have > self.window_in:
                self._room = self._need
                self.connection.make_room(self)
        if self._have < self._need:
            return
        over = self._have - self._need
        rest = b""
        if over:
            last = parts[-1]
            parts[-1], rest = last[: len(last) - over], last[len(last) - over :]
        message, packed = b"".join(parts), self._packed
        self._drop_parts()
        self.deliver(self._unpack(message, packed) if packed else message)
        start = self._messages(rest, 0, len(rest))
        if start < len(rest):
            self._parts = []
            self._gather(rest[start:])

    def _unpack(self, message: bytes, packed: int) -> bytes:
        if packed != 1:
            raise Refused(messages.INTERNAL, f"the Compressed-Flag of a message is {packed}")
        return messages.decompress(message, self.encoding_in, self.bytes_max)

    @property
    def room(self) -> int:
        """The bytes that the message on its way needs, if it is larger than the window."""
        return self._room

    def let_in(self) -> None:
        """There is room: the peer may send the rest of the message."""
        credit = self._need - self._have - self.window_in
        if credit > 0:
            self.window_in += credit
            self.connection.send(frames.window_update(self.id, credit))

    def _drop_parts(self) -> None:
        if self._room:
            self.connection.give_room_back(self)
            self._room = 0
        self._have = 0
        self._need = -1
        self._parts = None

    def drop_input(self) -> None:
        """Forgets what has come and was not read."""
        self._drop_parts()
        if self.queue is not None:
            self.queue.clear()
            self.queue_bytes = 0

    def credit(self) -> None:
        """Opens the peer's window again, if little waits to be read."""
        window = self.connection.stream_window
        half = window >> 1
        if self.window_in <= half and self.queue_bytes < half and not self._room and not self.remote_closed:
            self.connection.send(frames.window_update(self.id, window - self.window_in))
            self.window_in = window

    def enqueue(self, message: bytes) -> None:
        """Keeps a message for a reader."""
        if self.queue is None:
            self.queue = deque()
        self.queue.append(message)
        self.queue_bytes += len(message) + PREFIX_BYTES
        self.wake_reader()

    def dequeue(self) -> bytes:
        """The oldest message that waits."""
        message = self.queue.popleft()
        self.queue_bytes -= len(message) + PREFIX_BYTES
        self.credit()
        return message

    def wake_reader(self) -> None:
        """Something has changed for whoever reads."""
        reader = self.reader
        if reader is not None:
            self.reader = None
            if not reader.done():
                reader.set_result(None)

    async def something_to_read(self) -> None:
        """Returns when `wake_reader` is called."""
        assert self.reader is None, "one reader at a time"
        self.reader = self.connection.loop.create_future()
        try:
            await self.reader
        finally:
            self.reader = None

    # Sending.

    def send_message(self, message: bytes, end: bool = False) -> bool:
        """Sends a message, now or as the windows open.

        Returns:
            Whether the next one may follow at once; if not, wait for `writable` before it.
        """
        connection, flag = self.connection, 0
        if self.encoding_out and not self.plain_next:
            message, flag = messages.compress(message, self.encoding_out), 1
        self.plain_next = False
        size = len(message)
        whole = size + PREFIX_BYTES
        if (
            self._pending is None
            and whole <= self.window_out
            and whole <= connection.window_out
            and whole <= FRAME_BYTES_MAX
        ):
            self.window_out -= whole
            connection.window_out -= whole
            head = _DATA_HEAD.pack(whole << 8 | DATA, END_STREAM if end else 0, self.id, flag, size)
            connection.send(head, message)
            if end:
                self.closed_here()
            return not connection.paused
        if self._pending is None:
            self._pending = deque()
        # The prefix and what fills the first frame with it; the rest is sent from where it lies.
        cut = FRAME_BYTES_MAX - PREFIX_BYTES
        self._pending.append(memoryview(_PREFIX.pack(flag, size) + message[:cut]))
        if size > cut:
            self._pending.append(memoryview(message)[cut:])
        if end:
            self._trailers = b""
        self.pump()
        return self._pending is None and not connection.paused

    def send_body(self, body: bytes) -> None:
        """Sends bytes that are no message, and the end."""
        self._pending = deque((memoryview(body),))
        self._trailers = b""
        self.pump()

    def send_trailers(self, block: bytes) -> None:
        """Sends the last header block after everything else."""
        if self._pending is None:
            self.connection.send(frames.headers(self.id, block, True))
            self.closed_here()
        else:
            self._trailers = block

    def send_end(self) -> None:
        """Says that nothing more follows."""
        if self._pending is None:
            self.connection.send(HEAD.pack(DATA, END_STREAM, self.id))
            self.closed_here()
        else:
            self._trailers = b""

    def pump(self, turn: int = WINDOW_BYTES_MAX) -> None:
        """Sends what waits, as far as the windows let it, and at most `turn` bytes."""
        pending, connection = self._pending, self.connection
        if pending is None:
            return
        while pending:
            view = pending[0]
            size = min(len(view), self.window_out, connection.window_out, FRAME_BYTES_MAX)
            if size <= 0 and len(view):
                if self.window_out > 0:
                    connection.wait_for_window(self)
                return
            if turn <= 0:
                connection.wait_for_window(self)
                return
            last = size == len(view) and len(pending) == 1 and self._trailers == b""
            connection.send(HEAD.pack(size << 8 | DATA, END_STREAM if last else 0, self.id), view[:size])
            self.window_out -= size
            connection.window_out -= size
            turn -= size
            if size == len(view):
                pending.popleft()
            else:
                pending[0] = view[size:]
        self._pending = None
        if self._trailers is not None:
            if self._trailers:
                connection.send(frames.headers(self.id, self._trailers, True))
            self.closed_here()
        self.wake_writer()

    def wake_writer(self) -> None:
        """Lets whoever waits to send go on, if there is room, or find out that the stream is over."""
        writer = self._writable
        if writer is not None and (self.local_closed or (self._pending is None and not self.connection.paused)):
            self._writable = None
            if not writer.done():
                writer.set_result(None)

    async def writable(self) -> None:
        """Returns when the next message may be sent, or never will."""
        while (self._pending is not None or self.connection.paused) and not self.local_closed:
            if self._writable is None:
                self._writable = self.connection.loop.create_future()
            # Several may wait, and one that is cancelled leaves the others waiting.
            await asyncio.shield(self._writable)

    def closed_here(self) -> None:
        """Our side has said its last."""
        self.local_closed = True
        if self.remote_closed:
            self.connection.forget(self)

    def drop_output(self) -> None:
        """Forgets what was not sent: nobody will read it."""
        self._pending = None
        self._trailers = None
        self.local_closed = True
        self.wake_writer()
