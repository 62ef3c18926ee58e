"""HTTP/2 frames by their numbers (RFC 9113, sections 4, 6 and 7)."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from struct import Struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA = 0x0
HEADERS = 0x1
PRIORITY = 0x2
RST_STREAM = 0x3
SETTINGS = 0x4
PUSH_PROMISE = 0x5
PING = 0x6
GOAWAY = 0x7
WINDOW_UPDATE = 0x8
CONTINUATION = 0x9

ACK = 0x1
END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

HEADER_TABLE_SIZE = 0x1
ENABLE_PUSH = 0x2
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME_SIZE = 0x5
MAX_HEADER_LIST_SIZE = 0x6

FRAME_HEADER_BYTES = 9
FRAME_BYTES_MAX = 16_384
"""Largest payload of a frame, in both directions: the size that every peer takes (section 4.2)."""
WINDOW_BYTES_DEFAULT = 65_535
WINDOW_BYTES_MAX = (1 << 31) - 1
STREAM_ID_MAX = (1 << 31) - 1

# The 24 bits of a length and the 8 of a type are read as one number: length << 8 | type.
HEAD = Struct(">IBI")
NUMBER = Struct(">I")
SETTING = Struct(">HI")
_RESET = Struct(">IBII")
_GOAWAY = Struct(">IBIII")


class Code(enum.IntEnum):
    """Why a stream or a connection ends (section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class Broken(Exception):
    """The peer broke a rule that the whole connection rests on: it ends with GOAWAY and `code`."""

    def __init__(self, code: Code, why: str) -> None:
        super().__init__(why)
        self.code = code


class Malformed(Exception):
    """The peer broke a rule in one stream: the stream ends with RST_STREAM and `code`, the connection goes on."""

    def __init__(self, why: str, code: Code = Code.PROTOCOL_ERROR) -> None:
        super().__init__(why)
        self.code = code


def settings(values: Iterable[tuple[int, int]]) -> bytes:
    """A SETTINGS frame."""
    body = b"".join(SETTING.pack(name, value) for name, value in values)
    return HEAD.pack(len(body) << 8 | SETTINGS, 0, 0) + body


SETTINGS_ACK = HEAD.pack(SETTINGS, ACK, 0)


def ping(payload: bytes, ack: bool) -> bytes:
    """A PING frame; its payload has 8 bytes."""
    return HEAD.pack(8 << 8 | PING, ACK if ack else 0, 0) + payload


def window_update(stream: int, credit: int) -> bytes:
    """A WINDOW_UPDATE frame; stream 0 is the connection."""
    return _RESET.pack(4 << 8 | WINDOW_UPDATE, 0, stream, credit)


def reset(stream: int, code: int) -> bytes:
    """A RST_STREAM frame."""
    return _RESET.pack(4 << 8 | RST_STREAM, 0, stream, code)


def goaway(last_stream: int, code: int, why: str = "") -> bytes:
    """A GOAWAY frame; `why` is for whoever debugs the peer."""
    words = why.encode()[:256]
    return _GOAWAY.pack((8 + len(words)) << 8 | GOAWAY, 0, 0, last_stream, code) + words


def headers(stream: int, block: bytes, end: bool) -> bytes:
    """A header block as HEADERS and as many CONTINUATION frames as it needs."""
    flags = END_STREAM if end else 0
    if len(block) <= FRAME_BYTES_MAX:
        return HEAD.pack(len(block) << 8 | HEADERS, flags | END_HEADERS, stream) + block
    parts = [block[at : at + FRAME_BYTES_MAX] for at in range(0, len(block), FRAME_BYTES_MAX)]
    frames = [HEAD.pack(len(parts[0]) << 8 | HEADERS, flags, stream), parts[0]]
    for part in parts[1:-1]:
        frames += HEAD.pack(len(part) << 8 | CONTINUATION, 0, stream), part
    frames += HEAD.pack(len(parts[-1]) << 8 | CONTINUATION, END_HEADERS, stream), parts[-1]
    return b"".join(frames)
