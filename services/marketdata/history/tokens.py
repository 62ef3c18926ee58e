"""Page tokens and cursors of history: opaque to clients, tied to their question, checked when they come back."""

from __future__ import annotations

import base64
import binascii
import hashlib

from google.protobuf.message import Message

_CHECK_BYTES = 6


def encode(body: bytes, question: bytes) -> str:
    """A place in the answer to a question, as text of the URL-safe base64 alphabet."""
    return base64.urlsafe_b64encode(body + _check(body, question)).decode().rstrip("=")


def decode(text: str, question: bytes) -> bytes:
    """The place that a text names.

    Raises:
        ValueError: it was made for another question, or by nobody.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("it is not one that this method gave out") from error
    body, check = raw[:-_CHECK_BYTES], raw[-_CHECK_BYTES:]
    if check != _check(body, question):
        raise ValueError("it belongs to another question: ask again without it")
    return body


def question(request: Message, *left_out: str) -> bytes:
    """What a question is recognised by: all that is asked, but not where to go on, nor fields that may change."""
    asked = type(request)()
    asked.CopyFrom(request)
    for name in ("page_token", "page_size", "resume_cursor", *left_out):
        if name in asked.DESCRIPTOR.fields_by_name:
            asked.ClearField(name)
    return asked.DESCRIPTOR.name.encode() + asked.SerializeToString(deterministic=True)


def _check(body: bytes, question: bytes) -> bytes:
    """Bytes that catch what was cut, mistyped or meant for something else; they are no secret."""
    return hashlib.blake2b(body + question, digest_size=_CHECK_BYTES, person=b"history").digest()
