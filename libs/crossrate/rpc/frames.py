"""Messages of a stream that are encoded already: what many readers are sent is encoded once, each gets a copy of bytes.

A handler yields `Frame` instead of the message; to the server's envelope it is a message like any other. The service is
registered through `frames_of`, which gives the streaming method a serializer that takes the bytes as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.internal.encoder import _VarintBytes as varint

from crossrate.api.common.v1 import stream_pb2

LENGTH_DELIMITED = 2
"""Wire type of messages, texts and bytes (protobuf, "Encoding")."""


_TAGS = tuple(bytes([number << 3 | LENGTH_DELIMITED]) for number in range(16))
_LENGTHS = tuple(bytes([size]) for size in range(128))


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of a stream, encoded; its position is in the bytes, and here for what the server adds after it."""

    position: stream_pb2.StreamPosition
    encoded: bytes

    def HasField(self, name: str) -> bool:
        """Frames carry what a stream is for or a heartbeat, never what closes it."""
        return name == "position"


def element(number: int, encoded: bytes) -> bytes:
    """An encoded message as the field of that number, up to 15, of another one; fields may be joined in any order."""
    assert number < 16, "the tag is one byte"
    size = len(encoded)
    if size < 1 << 14:
        length = _LENGTHS[size] if size < 128 else bytes((size & 127 | 128, size >> 7))
        return _TAGS[number] + length + encoded
    return _TAGS[number] + varint(size) + encoded


def tag(number: int) -> int:
    """The byte in front of an element of that number, up to 15."""
    return _TAGS[number][0]


def tags_of(encoded: bytes) -> Iterator[int]:
    """Where the tags of elements are that were joined, each of a number up to 15."""
    at, end = 0, len(encoded)
    while at < end:
        yield at
        size, shift = encoded[at + 1] & 127, 7
        at += 1
        while encoded[at] > 127:
            at += 1
            size |= (encoded[at] & 127) << shift
            shift += 7
        at += 1 + size


def retagged(encoded: bytes, places: Iterable[int], tags: Mapping[int, int]) -> bytes:
    """Joined elements under other numbers: `tags` has the new byte of each old one, `places` is from `tags_of`."""
    made = bytearray(encoded)
    for place in places:
        made[place] = tags[made[place]]
    return bytes(made)


def frames_of(register: Callable[[Any, Any], None], *methods: str) -> Callable[[Any, Any], None]:
    """A generated registration whose streaming methods of these names yield frames; those that answer once may answer
    with anything that says its bytes by `SerializeToString`."""

    def registered(servicer: Any, server: Any) -> None:
        register(servicer, _Registration(server, methods))

    return registered


class _Registration:
    """Takes the handlers from the generated registration on their way to the server."""

    def __init__(self, server: Any, methods: tuple[str, ...]) -> None:
        self._server = server
        self._methods = methods

    def add_generic_rpc_handlers(self, _handlers: Any) -> None:
        """Left out: the same methods come by name."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """Hands the handlers on, those of frames with another serializer."""
        framed = {
            name: grpc.unary_stream_rpc_method_handler(made.unary_stream, made.request_deserializer, _encode)
            if made.response_streaming
            else grpc.unary_unary_rpc_method_handler(made.unary_unary, made.request_deserializer, _encode)
            for name in self._methods
            for made in (handlers[name],)
        }
        self._server.add_registered_method_handlers(service, handlers | framed)


def _encode(message: Any) -> bytes:
    return message.encoded if isinstance(message, Frame) else message.SerializeToString()
