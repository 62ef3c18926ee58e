"""Facts as leaves: the header that is hashed, the salted hash of the payload, and columns that must agree."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from google.protobuf.message import DecodeError

from crossrate.api.audit.v1 import export_pb2, leaf_pb2
from crossrate.transparency.tree import hash_leaf

SALT_BYTES = 16
KEYS_MAX = 64
KEY_CHARS_MAX = 200


def payload_hash(salt: bytes, payload: bytes) -> bytes:
    """What a header says of its payload."""
    return sha256(salt + payload).digest()


def disagreements(leaf: export_pb2.ExportedLeaf) -> Iterable[str]:
    """What of a leaf as kept does not agree with its header, in words; nothing if all does."""
    if hash_leaf(leaf.data) != leaf.hash:
        yield "its header is not what its hash is of: one of the two was changed"
    try:
        header = leaf_pb2.Leaf.FromString(leaf.data)
    except DecodeError:
        yield "its header cannot be read"
        return
    if header.payload_hash:
        if leaf.dropped:
            if leaf.payload or leaf.salt:
                yield "its payload is said to be dropped, and is there"
        elif leaf.payload or leaf.salt:
            if payload_hash(leaf.salt, leaf.payload) != header.payload_hash:
                yield "its payload or salt is not what its header has the hash of: it was changed"
        else:
            yield "its payload is missing and not said to be dropped"
    elif leaf.payload:
        yield "it has a payload that was withheld when it was appended"
    kept = (leaf.service, leaf.stream, leaf.sequence, leaf.type, leaf.time_ns, sorted(leaf.keys))
    true = (
        header.service,
        header.stream,
        header.sequence,
        header.type,
        header.time.seconds * 1_000_000_000 + header.time.nanos,
        sorted(header.keys),
    )
    names = ("service", "stream", "sequence", "type", "time", "keys")
    for name, one, other in zip(names, kept, true, strict=True):
        if one != other:
            yield f"its {name} as kept for searching ({_short(one)}) is not that of its header ({_short(other)})"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:119] + "…"
