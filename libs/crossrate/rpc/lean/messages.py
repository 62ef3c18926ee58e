"""gRPC's own layer over HTTP/2: length-prefixed messages, compression, timeouts, metadata, status.

After "gRPC over HTTP2" (the protocol's published description), whose words for the parts of a header are used here.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
import zlib
from collections.abc import Iterable, Sequence

import grpc

from crossrate.rpc.lean.fields import Field, field

PREFIX_BYTES = 5
"""Compressed-Flag and Message-Length before each message."""
ENCODINGS = ("identity", "deflate", "gzip")
ACCEPT_ENCODING = ",".join(ENCODINGS)

INTERNAL = grpc.StatusCode.INTERNAL
RESOURCE_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_ALGORITHMS = {
    grpc.Compression.NoCompression: "identity",
    grpc.Compression.Deflate: "deflate",
    grpc.Compression.Gzip: "gzip",
}
_UNITS_S = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "S": 1.0, "M": 60.0, "H": 3600.0}
_TIMEOUT = re.compile(r"([0-9]{1,8})([numSMH])", re.ASCII)
_UNSAFE = re.compile(rb"[^ -$&-~]")
_KEY = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_CODES = {str(code.value[0]): code for code in grpc.StatusCode}

RESERVED = frozenset(
    {
        ":authority",
        ":method",
        ":path",
        ":scheme",
        ":status",
        "content-length",
        "content-type",
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-message",
        "grpc-message-type",
        "grpc-status",
        "grpc-timeout",
        "te",
    }
)
"""Fields that are gRPC's, not the application's metadata."""

OF_HTTP_STATUS = {
    "400": grpc.StatusCode.INTERNAL,
    "401": grpc.StatusCode.UNAUTHENTICATED,
    "403": grpc.StatusCode.PERMISSION_DENIED,
    "404": grpc.StatusCode.UNIMPLEMENTED,
    "429": grpc.StatusCode.UNAVAILABLE,
    "502": grpc.StatusCode.UNAVAILABLE,
    "503": grpc.StatusCode.UNAVAILABLE,
    "504": grpc.StatusCode.UNAVAILABLE,
}
"""What an answer without a gRPC status means ("HTTP to gRPC Status Code Mapping"); UNKNOWN otherwise."""


class Refused(Exception):
    """A call ends with a status because of what was sent, before any handler or caller has a say."""

    def __init__(self, code: grpc.StatusCode, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class NotGrpc(Refused):
    """A request that is HTTP but not gRPC; it is answered in HTTP's words."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(grpc.StatusCode.INTERNAL, why)
        self.status = status


class UnknownEncoding(Refused):
    """Requests in an encoding that is not read here; the answer says which ones are."""

    def __init__(self, encoding: str) -> None:
        super().__init__(grpc.StatusCode.UNIMPLEMENTED, f"encoding {encoding[:32]!r} is not one that is read here")


def encoding_of(algorithm: grpc.Compression | None) -> str:
    """The word for a compression algorithm of grpc's."""
    return _ALGORITHMS[algorithm] if algorithm is not None else "identity"


def compress(message: bytes, encoding: str) -> bytes:
    """The message in an encoding other than identity."""
    packer = zlib.compressobj(wbits=_WINDOW_BITS[encoding])
    return packer.compress(message) + packer.flush()


def decompress(message: bytes, encoding: str, bytes_max: int) -> bytes:
    """The message that was compressed.

    Raises:
        Refused: it is not one of that encoding, or has more than `bytes_max` bytes.
    """
    if encoding not in _WINDOW_BITS:
        raise Refused(grpc.StatusCode.INTERNAL, "a message is compressed, but no encoding was announced")
    unpacker = zlib.decompressobj(wbits=_WINDOW_BITS[encoding])
    try:
        plain = unpacker.decompress(message, bytes_max + 1)
    except zlib.error as error:
        raise Refused(grpc.StatusCode.INTERNAL, f"a message is not {encoding}: {error}") from None
    if len(plain) > bytes_max:
        raise too_large(len(plain), bytes_max)
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(grpc.StatusCode.INTERNAL, f"a message is not one whole {encoding} stream")
    return plain


def is_grpc(content_type: str) -> bool:
    """Whether a content type is gRPC's, with any format of the messages; that of gRPC-Web is not."""
    return content_type == "application/grpc" or content_type.startswith(("application/grpc+", "application/grpc;"))


def too_large(size: int, bytes_max: int) -> Refused:
    """A message with `size` bytes or more is over the limit."""
    return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, f"a message has {size} bytes or more; the most is {bytes_max}")


@functools.lru_cache(1024)
def seconds_of(timeout: str) -> float:
    """The seconds of a `grpc-timeout`.

    Raises:
        Refused: it is none.
    """
    found = _TIMEOUT.fullmatch(timeout)
    if found is None:
        raise Refused(grpc.StatusCode.INTERNAL, f"grpc-timeout {timeout[:32]!r} is no number with a unit")
    return int(found[1]) * _UNITS_S[found[2]]


def timeout_of(seconds: float) -> str:
    """The `grpc-timeout` for some seconds, at most eight digits, rounded up."""
    for unit, size_s in (("u", 1e-6), ("m", 1e-3), ("S", 1.0), ("M", 60.0)):
        count = math.ceil(min(seconds / size_s, 1e8))
        if count < 100_000_000:
            return f"{max(0, count)}{unit}"
    return f"{math.ceil(min(seconds / 3600, 99_999_999))}H"


def percent_encoded(message: str) -> str:
    """A status message as `grpc-message` carries it."""
    raw = message.encode("utf-8", "surrogatepass")
    return _UNSAFE.sub(lambda m: b"%%%02X" % m[0][0], raw).decode("ascii")


def percent_decoded(value: str) -> str:
    """The status message of a `grpc-message`; what is not well formed stays as it is."""
    if "%" not in value and value.isascii():
        return value
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes((int(m[1], 16),)), value.encode("latin-1"))
    return raw.decode("utf-8", "replace")


def code_of(value: str) -> grpc.StatusCode:
    """The code of a `grpc-status`; UNKNOWN for one that is not known."""
    return _CODES.get(value, grpc.StatusCode.UNKNOWN)


def metadata_of(fields: Iterable[Field]) -> tuple[tuple[str, str | bytes], ...]:
    """The application's metadata among the fields; "-bin" values as bytes.

    Raises:
        Refused: a "-bin" value is not base64.
    """
    found: list[tuple[str, str | bytes]] = []
    for name, value in fields:
        if name in RESERVED:
            continue
        if name.endswith("-bin"):
            found += ((name, _bytes_of(name, part)) for part in value.split(","))
        else:
            found.append((name, value))
    return tuple(found)


def _bytes_of(name: str, value: str) -> bytes:
    text = value.strip().rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(grpc.StatusCode.INTERNAL, f"the value of {name} is not base64") from None


def metadata_block(metadata: Iterable[tuple[str, str | bytes]] | None) -> bytes:
    """Metadata as fields of a header block.

    Raises:
        ValueError: a key or value that metadata cannot have; the message names the key.
    """
    return b"".join([_metadatum(name, value) for name, value in metadata]) if metadata else b""


def _metadatum(name: str, value: str | bytes) -> bytes:
    if not isinstance(name, str) or not isinstance(value, (str, bytes)):
        raise ValueError(f"metadata {name!r}: keys are text, values text or bytes, not {type(value).__name__}")
    if not _KEY.fullmatch(name) or name in RESERVED:
        raise ValueError(
            f"metadata key {name!r}: keys are of lower case letters, digits, '_', '-' and '.', not gRPC's own"
        )
    if name.endswith("-bin"):
        raw = value if isinstance(value, bytes) else value.encode()
        return field(name, base64.b64encode(raw).rstrip(b"="))
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"metadata {name!r}: values are of printable ASCII; a key that ends in -bin takes any bytes")
    return field(name, text.strip(" "))


def status_block(code: int, message: str, metadata: Sequence[tuple[str, str | bytes]] | None) -> bytes:
    """The trailers of a call."""
    block = field("grpc-status", str(code))
    if message:
        block += field("grpc-message", percent_encoded(message))
    return block + metadata_block(metadata)
