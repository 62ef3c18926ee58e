"""Bytes of a fuzzer's to what a peer does: frames of all kinds, well formed or not, cut anywhere, and turns between.

The same bytes always mean the same. A byte more or less at the end changes nothing before it, so that mutations stay
small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from crossrate.rpc.lean import frames, messages
from crossrate.rpc.lean.fields import field

PATHS = ("echo", "now", "wait", "fail", "deceive", "raise", "big", "count", "forever", "collect", "deaf", "early",
         "chat", "flood", "none")  # fmt: skip
ACTIONS_MAX = 200

Action = bytes | str
"""Bytes that come from the peer, or something else that happens: see `TURN` and those after it."""
TURN, DEAF, HEARING, LEAVE, CALL, CANCEL = "turn", "deaf", "hearing", "leave", "call", "cancel"

_METHOD = b"\x83\x86"
_AUTHORITY = field(":authority", "localhost") + field("te", "trailers")
_GRPC = field("content-type", "application/grpc")
_EXTRAS = (
    b"",
    field("grpc-timeout", "1n"),
    field("grpc-timeout", "9H"),
    field("grpc-timeout", "x"),
    field("grpc-encoding", "gzip"),
    field("grpc-encoding", "br"),
    field("content-length", "7"),
    field("content-length", "x"),
    field("k-bin", "AAE"),
    field("k-bin", "!"),
    field("x-long", "v" * 300),
    b"\x00\x01A\x01b",
    b"\x82",
    b"\xb9",
    field("connection", "close"),
)
_FATAL = (b"\x80", b"\x20", b"\xbe", b"\x00\x82\xff\xff\x81\x1f", b"\x00")
_ANSWERS = (
    field(":status", "200") + _GRPC,
    field(":status", "200") + _GRPC + field("grpc-encoding", "gzip"),
    field(":status", "200") + _GRPC + field("grpc-status", "0"),
    field("grpc-status", "0"),
    field("grpc-status", "5") + field("grpc-message", "%C3%A9%"),
    field(":status", "103"),
    field(":status", "503"),
    field("k-bin", "!"),
    b"",
)
_PACKED = messages.compress(bytes(3000), "gzip")
_BODIES = (
    b"\0\0\0\0\0",
    b"\0\0\0\0\1a",
    b"\0\0\0\0\1a" * 3,
    b"\0\0\0\x04\0" + bytes(1024),
    b"\0\0\0\x04\0" + bytes(1000),
    b"\0\0\x10\0\0" + bytes(9000),
    b"\0\x7f\xff\xff\xff",
    b"\1" + len(_PACKED).to_bytes(4, "big") + _PACKED,
    b"\1\0\0\0\3abc",
    b"\7\0\0\0\0",
    b"\0\0",
    b"",
)
_NUMBERS = (0, 1, 100, 16_384, 65_535, 1 << 20, (1 << 31) - 1, (1 << 32) - 1)


class Cursor:
    """Takes choices out of bytes; zeros when they are used up."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._raw)

    def byte(self) -> int:
        """One byte."""
        self._at += 1
        return self._raw[self._at - 1] if self._at <= len(self._raw) else 0

    def number(self) -> int:
        """A number that is often a border of something."""
        chosen = self.byte()
        return _NUMBERS[chosen] if chosen < len(_NUMBERS) else chosen * (self.byte() + 1)

    def raw(self) -> bytes:
        """Some bytes."""
        size = self.byte()
        self._at += size
        return self._raw[self._at - size : self._at]

    def rarely(self) -> bool:
        """True for one byte in sixteen: a peer that broke every rule at once would not get far."""
        return self.byte() >= 0xF0

    def pick(self, choices: Sequence[Any]) -> Any:
        """One of several."""
        return choices[self.byte() % len(choices)]


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return frames.HEAD.pack(len(payload) << 8 & 0xFFFFFFFF | kind, flags, stream & 0xFFFFFFFF) + payload


class Peer:
    """Writes the frames of one peer."""

    def __init__(self, cursor: Cursor, client: bool) -> None:
        self._cursor = cursor
        self._client = client
        self._next = 1

    def _stream(self) -> int:
        chosen = self._cursor.byte()
        last = self._next - 2 if self._client else 9
        return max(1, last - 2 * (chosen % 6)) if chosen < 0xF0 else self._cursor.number()

    def _fields(self) -> bytes:
        return self._good_fields() + (self._cursor.pick(_FATAL) if self._cursor.rarely() else b"")

    def _good_fields(self) -> bytes:
        cursor = self._cursor
        if not self._client:
            return cursor.pick(_ANSWERS) + (cursor.pick(_EXTRAS) if cursor.byte() & 1 else b"")
        path = field(":path", "/t/" + PATHS[cursor.byte() % len(PATHS)])
        extras = b"".join(cursor.pick(_EXTRAS) for _ in range((0, 0, 0, 1, 1, 2, 3, 4)[cursor.byte() % 8]))
        return _METHOD + path + _AUTHORITY + _GRPC + extras if not cursor.rarely() else path + extras + _METHOD

    @property
    def begun(self) -> bool:
        """Whether there is a stream."""
        return not self._client or self._next > 1

    def headers(self) -> bytes:
        """A header block on a new stream or on another one, padded, cut into several frames, or neither."""
        how = self._cursor.byte()
        stream = self._next if self._client and how < 0xF0 else self._stream()
        self._next = max(self._next, stream + 2) if stream < 1 << 20 else self._next
        return self._block(stream, self._fields(), how)

    def _block(self, stream: int, block: bytes, how: int) -> bytes:
        flags = how & frames.END_STREAM
        if how & 8 and how & 0x10:
            cut = self._cursor.byte()
            more = _frame(frames.CONTINUATION, frames.END_HEADERS, stream, block[cut:])
            return _frame(frames.HEADERS, flags, stream, block[:cut]) + more
        if how & 2:
            block, flags = b"\0\0\0\0\x10" + block, flags | frames.WITH_PRIORITY
        if how & 4:
            padding = self._cursor.byte()
            block, flags = bytes((padding,)) + block + bytes(padding), flags | frames.PADDED
        return _frame(frames.HEADERS, flags | frames.END_HEADERS, stream, block)

    def whole(self) -> bytes:
        """A call with one request, or an answer to one, with nothing missing."""
        cursor = self._cursor
        body = cursor.pick(_BODIES)
        if self._client:
            stream, self._next = self._next, self._next + 2
            block = self._block(stream, self._fields(), cursor.byte() & 0x1E)
            return block + _frame(frames.DATA, frames.END_STREAM, stream, body)
        stream = self._stream()
        begin = _frame(frames.HEADERS, frames.END_HEADERS, stream, _ANSWERS[cursor.byte() % 2])
        end = _frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, field("grpc-status", "0"))
        return begin + _frame(frames.DATA, 0, stream, body) + end

    def data(self) -> bytes:
        """A part of a message, a message or several."""
        how, stream = self._cursor.byte(), self._stream()
        body, flags = self._cursor.pick(_BODIES), how & frames.END_STREAM
        if how & 2:
            body = body[: self._cursor.byte()]
        if how & 4:
            padding = self._cursor.byte()
            body, flags = bytes((padding,)) + body + bytes(padding), flags | frames.PADDED
        return _frame(frames.DATA, flags, stream, body) * (1 + (how >> 6))

    def trailers(self) -> bytes:
        """A block that ends a stream."""
        block = field("grpc-status", "0") if not self._client else field("x-trailer", "1")
        return _frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, self._stream(), block)

    def window(self) -> bytes:
        """A window that opens."""
        stream = 0 if self._cursor.byte() & 1 else self._stream()
        return _frame(frames.WINDOW_UPDATE, 0, stream, (self._cursor.number() & 0xFFFFFFFF).to_bytes(4, "big"))

    def settings(self) -> bytes:
        """Some settings."""
        cursor, pairs = self._cursor, []
        for _ in range(cursor.byte() % 3):
            if cursor.rarely():
                pairs.append((cursor.byte() % 8, cursor.number() & 0xFFFFFFFF))
            else:
                pairs.append((cursor.pick(b"\4\4\3\1"), cursor.number() & frames.WINDOW_BYTES_MAX))
        return frames.settings(pairs)

    def reset(self) -> bytes:
        """The end of a stream."""
        return frames.reset(self._stream() & 0xFFFFFFFF, self._cursor.byte() % 16)

    def farewell(self) -> bytes:
        """The end of a connection."""
        if self._client or not self._cursor.rarely():
            return self.window()
        return frames.goaway(self._stream() & 0xFFFFFFFF, self._cursor.byte() % 16, "bye")

    def odd(self) -> bytes:
        """Any frame."""
        cursor = self._cursor
        if not cursor.rarely():
            return self.whole()
        return _frame(cursor.byte() % 12, cursor.byte(), self._stream(), cursor.raw())

    def nonsense(self) -> bytes:
        """No frame."""
        if not self._cursor.rarely():
            return self.whole()
        return self._cursor.raw()

    def ping(self) -> bytes:
        """A ping, or what pretends to answer one."""
        return frames.ping(b"draining", bool(self._cursor.byte() & 1))

    def acknowledgement(self) -> bytes:
        """Agrees to settings."""
        return frames.SETTINGS_ACK


def actions(raw: bytes, client: bool) -> Iterator[Action]:
    """What a client does to a server, or a server to a client, by these bytes: frames one by one or several at once."""
    cursor = Cursor(raw)
    peer = Peer(cursor, client)
    said: tuple[Callable[[], bytes], ...] = (
        peer.headers, peer.data, peer.headers, peer.data, peer.trailers, peer.window, peer.settings, peer.reset,
        peer.farewell, peer.odd, peer.nonsense, peer.ping, peer.acknowledgement)  # fmt: skip
    happens = (TURN, TURN, DEAF, HEARING, LEAVE, CALL, CANCEL)
    yield (frames.PREFACE if client else b"") + frames.settings(())
    waiting = b""
    for _ in range(ACTIONS_MAX):
        if cursor.over:
            break
        chosen = cursor.byte()
        kind = chosen % (len(said) + len(happens))
        if kind < len(said):
            # What is said of a stream is said after there is one.
            waiting += said[kind]() if peer.begun or chosen >= 0xF0 else peer.whole()
        if chosen >= 0x60 or kind >= len(said):
            cut = cursor.byte() if chosen & 1 else 0
            if cut:
                yield waiting[:cut]
            yield waiting[cut:]
            waiting = b""
        if kind >= len(said):
            yield happens[kind - len(said)]
    yield waiting


def pieces(raw: bytes) -> Iterator[Action]:
    """The bytes as they are, in pieces whose lengths the first byte says, with turns between."""
    size = (raw[0] if raw else 0) + 1
    for at in range(1, len(raw), size):
        yield raw[at : at + size]
        yield TURN
