"""What a stream of answers says of itself in its own messages: REST cannot carry a status after a first message.

A stream's answer message has, by the contracts' convention, `position` (StreamPosition), and in its oneof `error`
(google.rpc.Status) and `end` (StreamEnd). Handlers give every message its position; the server adds the last message.
"""

from __future__ import annotations

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.rpc import status_pb2

from crossrate.api.common.v1 import stream_pb2


def _has(message: Descriptor, field: str, kind: Descriptor) -> bool:
    found = message.fields_by_name.get(field)
    return found is not None and found.message_type is not None and found.message_type.full_name == kind.full_name


class Envelope:
    """The closing messages of one kind of stream. `ends` and `fails` say which of them its answer can carry."""

    def __init__(self, answer: Descriptor) -> None:
        self._make = message_factory.GetMessageClass(answer)
        self._positioned = _has(answer, "position", stream_pb2.StreamPosition.DESCRIPTOR)
        self.ends = _has(answer, "end", stream_pb2.StreamEnd.DESCRIPTOR)
        self.fails = _has(answer, "error", status_pb2.Status.DESCRIPTOR)

    def closed(self, last: Message | None) -> bool:
        """Whether the handler's own last message already closes the stream."""
        return last is not None and ((self.ends and last.HasField("end")) or (self.fails and last.HasField("error")))

    def end(self, last: Message | None, reason: int) -> Message:
        """The message after `last` that ends the stream without an error; its cursor is that of `last`."""
        message = self._after(last)
        message.end.reason = reason or stream_pb2.STREAM_END_REASON_COMPLETE
        return message

    def error(self, last: Message | None, status: status_pb2.Status) -> Message:
        """The message after `last` that ends the stream with an error."""
        message = self._after(last)
        message.error.CopyFrom(status)
        return message

    def _after(self, last: Message | None) -> Message:
        message = self._make()
        if self._positioned:
            message.position.sequence = 1
            if last is not None:
                message.position.sequence += last.position.sequence
                message.position.cursor = last.position.cursor
        return message
