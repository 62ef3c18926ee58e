"""What a repeated request must have in common with the first."""

from __future__ import annotations

from google.protobuf.message import Message


def body_of(request: Message) -> bytes:
    """Everything of a request but its id."""
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField("request_id")
    return body.SerializeToString(deterministic=True)
