"""Values in messages: durations, and JSON objects as google.protobuf.Struct.

Struct has one kind of number, a double. A whole one is an int here: strict readers of configuration tell 5 from 5.0,
and every int is a float to those who want one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import duration_pb2, json_format, struct_pb2


def seconds(duration: duration_pb2.Duration) -> float:
    """A duration in seconds, the nearest double."""
    return duration.seconds + duration.nanos / 1e9


def to_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Values as a message.

    Raises:
        google.protobuf.json_format.ParseError: a value is not JSON.
    """
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


def from_struct(message: struct_pb2.Struct) -> dict[str, Any]:
    """The values in a message; whole numbers up to 2^53 as int."""
    return _whole(json_format.MessageToDict(message))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= 1 << 53 else value
