"""Resume cursors of the streams of quotes and books: opaque to clients, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

_FORMAT = struct.Struct(">BQQ")
_VERSION = 2
_CHECK_BYTES = 4
QUOTES = b"quote-cursor"
BOOKS = b"book-cursor"
"""Which log a cursor names a place in: one stream's cursor is none of another's."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a log: after what stands at `place`, which was written in term `epoch` of its feed."""

    epoch: int
    place: int

    def encode(self, of: bytes = QUOTES) -> str:
        """As text, 28 characters of the URL-safe base64 alphabet."""
        body = _FORMAT.pack(_VERSION, self.epoch, self.place)
        return base64.urlsafe_b64encode(body + _check(body, of)).decode()


def decode(text: str, of: bytes = QUOTES) -> Cursor:
    """Reads a cursor.

    Raises:
        ValueError: the text is not a cursor that a server of this platform made.
    """
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("it is not a cursor that this stream gave out") from error
    body, check = raw[: _FORMAT.size], raw[_FORMAT.size :]
    if len(body) != _FORMAT.size or check != _check(body, of) or body[0] != _VERSION:
        raise ValueError("it is not a cursor that this stream gave out")
    _, epoch, place = _FORMAT.unpack(body)
    return Cursor(epoch, place)


def _check(body: bytes, of: bytes) -> bytes:
    """Four bytes that catch a cursor that was cut, mistyped or meant for something else; they are no secret."""
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES, person=of).digest()
