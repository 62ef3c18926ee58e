"""Messages as they pass, for people who watch. While nobody does, a call pays for looking at an empty tuple.

What passes is put aside as bytes; decoding and redaction happen when the reader takes it, so a call pays little even
while it is watched. A reader that is too slow loses messages and is told how many.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc.call import Call
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.redaction import Redaction

QUEUED_MAX = 1024
"""Messages that wait for one reader."""
QUEUED_BYTES_MAX = 8 << 20
BODY_CHARS_MAX = 65_536
"""Longest body shown; what is longer is cut."""
READERS_MAX = 16
"""Readers at once."""

REQUEST = instance_pb2.TAP_DIRECTION_REQUEST
RESPONSE = instance_pb2.TAP_DIRECTION_RESPONSE
STATUS = instance_pb2.TAP_DIRECTION_STATUS

_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Passed:
    """One message that passed; `content` is its bytes, or for a status its text. `dropped` were lost before it."""

    time_ns: int
    method: MethodContract
    direction: int
    caller: str
    request_id: str
    content: bytes | str
    dropped: int


class Reader:
    """One who watches a method (its wire path), or with None all."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._queue: deque[Passed] = deque()
        self._bytes = 0
        self._dropped = 0
        self._filled = asyncio.Event()

    def put(self, call: Call, direction: int, content: bytes | str) -> bool:
        """Puts a message aside; False if there is no room and it is dropped."""
        if len(self._queue) >= QUEUED_MAX or self._bytes + len(content) > QUEUED_BYTES_MAX:
            self._dropped += 1
            return False
        self._queue.append(
            Passed(time.time_ns(), call.method, direction, call.caller, call.request_id, content, self._dropped)
        )
        self._dropped = 0
        self._bytes += len(content)
        self._filled.set()
        return True

    async def take(self) -> Passed:
        """The next message, once there is one."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        passed = self._queue.popleft()
        self._bytes -= len(passed.content)
        return passed


class Tap:
    """Where calls leave what passes. `readers` is empty while nobody watches."""

    def __init__(self, instance: str, redaction: Redaction, counts: RpcCounts) -> None:
        self.readers: tuple[Reader, ...] = ()
        self._instance = instance
        self._redaction = redaction
        self._counts = counts

    def message(self, call: Call, direction: int, content: bytes | str) -> None:
        """A message passes."""
        for reader in self.readers:
            if (reader.path is None or reader.path == call.method.path) and not reader.put(call, direction, content):
                self._counts.tap_dropped += 1

    def status(self, call: Call, code: int, message: str) -> None:
        """A call ends."""
        name = _CODE_NAMES[code]
        self.message(call, STATUS, f"{name}: {message}" if message else name)

    def open(self, path: str | None) -> Reader:
        """A reader that gets what passes from now on, until `close`."""
        reader = Reader(path)
        self.readers = (*self.readers, reader)
        return reader

    def close(self, reader: Reader) -> None:
        """The reader gets nothing more."""
        self.readers = tuple(r for r in self.readers if r is not reader)

    def show(self, passed: Passed) -> instance_pb2.TapMessagesResponse:
        """The message as its reader sees it, redacted."""
        shown = instance_pb2.TapMessagesResponse(
            instance=self._instance,
            method=passed.method.path[1:],
            direction=passed.direction,
            caller=passed.caller,
            request_id=passed.request_id,
            body=self._body(passed),
            dropped_count=passed.dropped,
        )
        shown.time.FromNanoseconds(passed.time_ns)
        return shown

    def _body(self, passed: Passed) -> str:
        if isinstance(passed.content, str):
            return passed.content
        kind = passed.method.input if passed.direction == REQUEST else passed.method.output
        try:
            body = self._redaction.to_json(message_factory.GetMessageClass(kind).FromString(passed.content))
        except (DecodeError, TypeError, ValueError):
            return f"not a {kind.full_name}: {len(passed.content)} bytes"
        return body if len(body) <= BODY_CHARS_MAX else body[:BODY_CHARS_MAX] + "…"
