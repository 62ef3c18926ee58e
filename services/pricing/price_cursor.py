"""What a stream of prices was asked for, what it has sent, and the cursor that says both.

A cursor names no place in a log: prices are made when they are sent. It holds for each instrument a mark of the quotes
that were used last and the market's version, so that any instance can tell, at any later time, what has changed since.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import product_pb2

HEARTBEAT_S = 5.0
NO_MARK = bytes(6)
"""The mark of an instrument without a quote; every mark is as long."""

_HEAD = struct.Struct(">B8sQ")
_VERSION = 1
_CHECK_BYTES = 4


class CursorUnknown(ValueError):
    """The text is no cursor of such a stream."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asked for. Times in seconds; `conflation_s` 0 for every change, `messages_max` 0 for no end.

    `keys` are the products' encodings, `names` their instruments, each once, in order.
    """

    products: tuple[product_pb2.Product, ...]
    keys: tuple[bytes, ...]
    names: tuple[str, ...]
    market: str
    conflation_s: float
    heartbeat_s: float
    messages_max: int
    cursor: str

    @classmethod
    def of(cls, request: pb.StreamPricesRequest) -> Wanted:
        """A request's wishes."""
        return cls(
            products=tuple(request.products),
            keys=tuple(each.SerializeToString(deterministic=True) for each in request.products),
            names=tuple(dict.fromkeys(each.instrument for each in request.products)),
            market=request.market,
            conflation_s=request.conflation_interval.ToNanoseconds() / 1e9,
            heartbeat_s=request.heartbeat_interval.ToNanoseconds() / 1e9 or HEARTBEAT_S,
            messages_max=request.max_messages,
            cursor=request.resume_cursor,
        )

    def mark(self) -> bytes:
        """Eight bytes that tell its products and market from others."""
        return _digest(8, self.market.encode(), *self.keys)


@dataclass(slots=True)
class Sent:
    """What a client has: by instrument the mark of its quotes, and the market's version; a cursor is made of it."""

    wanted: Wanted
    version: int = 0
    marks: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def cursor(self) -> str:
        """As text."""
        names = self.wanted.names
        body = _HEAD.pack(_VERSION, self.wanted.mark(), self.version)
        body += b"".join(self.marks.get(name, NO_MARK) for name in names)
        return base64.urlsafe_b64encode(body + _digest(_CHECK_BYTES, body)).decode()

    @classmethod
    def of(cls, wanted: Wanted) -> Sent:
        """What a client has by its cursor; nothing without one.

        Raises:
            CursorUnknown: it is none, or one of other products or another market.
        """
        if not wanted.cursor:
            return cls(wanted)
        try:
            raw = base64.b64decode(wanted.cursor, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise CursorUnknown("is no cursor that this stream gave out") from None
        body, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
        if len(body) < _HEAD.size or check != _digest(_CHECK_BYTES, body) or body[0] != _VERSION:
            raise CursorUnknown("is no cursor that this stream gave out")
        _, mark, version = _HEAD.unpack_from(body)
        if mark != wanted.mark():
            raise CursorUnknown("is of a stream of other products or of another market: begin anew without it")
        marks = {name: body[_HEAD.size + i * len(NO_MARK) :][: len(NO_MARK)] for i, name in enumerate(wanted.names)}
        return cls(wanted, version, marks)


def _digest(size: int, *parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(struct.pack(">I", len(p)) + p for p in parts), digest_size=size).digest()


def mark_of(quotes: Sequence[quote_pb2.Quote]) -> bytes:
    """Six bytes that tell some quotes from others; a quote that grows stale is another."""
    return _digest(len(NO_MARK), *(quote.SerializeToString(deterministic=True) for quote in quotes))
