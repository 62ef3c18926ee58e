"""An event on the wire: the bytes of a protobuf message, and headers that say what it is and where it came from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message as ProtobufMessage

MESSAGE_ID = "Nats-Msg-Id"
TYPE = "Crossrate-Type"
STREAM = "Crossrate-Stream"
SEQUENCE = "Crossrate-Sequence"
FIRST_SEQUENCE = "Crossrate-First-Sequence"
REQUEST_ID = "Crossrate-Request-Id"
TIME_NS = "Crossrate-Time-Ns"
TRACEPARENT = "traceparent"

M = TypeVar("M", bound=ProtobufMessage)


def message_id(service: str, stream: str, seq: int) -> str:
    """The id under which a journal event is published, however often it is."""
    return f"{service}:{stream}:{seq}"


@dataclass(frozen=True, slots=True)
class Message:
    """What a publisher hands over. `id` names the fact: the same fact published again has the same id."""

    subject: str
    payload: bytes
    id: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        subject: str,
        message: ProtobufMessage | bytes,
        id: str,
        *,
        type: str = "",
        origin: tuple[str, int] | None = None,
        first: int = 0,
        time_ns: int | None = None,
        request_id: str = "",
        traceparent: str = "",
    ) -> Message:
        """A message with the headers of the platform; `origin` is the journal stream and number that it is from.

        If several events that follow each other are joined in it, that is the last one's number, `first` the first's.
        """
        payload = message if isinstance(message, bytes) else message.SerializeToString()
        headers = {
            TYPE: type or ("" if isinstance(message, bytes) else message.DESCRIPTOR.full_name),
            STREAM: origin[0] if origin else "",
            SEQUENCE: str(origin[1]) if origin else "",
            FIRST_SEQUENCE: str(first) if first else "",
            TIME_NS: str(time_ns) if time_ns is not None else "",
            REQUEST_ID: request_id,
            TRACEPARENT: traceparent,
        }
        return cls(subject, payload, id, {name: value for name, value in headers.items() if value})


@dataclass(frozen=True, slots=True)
class Event:
    """What a reader gets. `sequence` is the place in the JetStream stream, from 1; `origin_*` are the journal's."""

    stream: str
    sequence: int
    subject: str
    payload: bytes
    store_time: datetime.datetime
    headers: Mapping[str, str]

    @property
    def id(self) -> str:
        """The id that it was published under."""
        return self.headers.get(MESSAGE_ID, "")

    @property
    def type(self) -> str:
        """Full name of the protobuf message ("crossrate.api.reference.v1.InstrumentChanged")."""
        return self.headers.get(TYPE, "")

    @property
    def origin_stream(self) -> str:
        """The journal stream that it is from; empty if it is from no journal."""
        return self.headers.get(STREAM, "")

    @property
    def origin_sequence(self) -> int:
        """Its number in that journal stream, the last one's if several are joined in it; 0 if it is from no journal."""
        return int(self.headers.get(SEQUENCE, "0"))

    @property
    def origin_first(self) -> int:
        """The number of the first one that is joined in it; `origin_sequence` if it is one."""
        return int(self.headers.get(FIRST_SEQUENCE, "0")) or self.origin_sequence

    @property
    def time_ns(self) -> int:
        """When it happened, ns since 1970, UTC; 0 if the publisher did not say."""
        return int(self.headers.get(TIME_NS, "0"))

    @property
    def request_id(self) -> str:
        """The request that caused it."""
        return self.headers.get(REQUEST_ID, "")

    @property
    def traceparent(self) -> str:
        """The trace that it belongs to (W3C)."""
        return self.headers.get(TRACEPARENT, "")

    def parse(self, message: type[M]) -> M:
        """The payload as a protobuf message.

        Raises:
            google.protobuf.message.DecodeError: the bytes are no such message.
        """
        return message.FromString(self.payload)
