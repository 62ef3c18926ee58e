"""Messages as they pass, for people who watch. While nobody does, a call pays for looking at an empty tuple.

What passes is put aside as bytes; decoding and redaction happen when the reader takes it, so a call pays little even
while it is watched. A reader that is too slow loses messages and is told how many.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc.call import Call
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.grants import reader
from crossrate.rpc.metrics import CODE_NAMES, RpcCounts
from crossrate.rpc.redaction import Redaction
from crossrate.rpc.waiting import Waiting

QUEUED_MAX = 1024
"""Messages that wait for one reader."""
QUEUED_BYTES_MAX = 8 << 20
BODY_CHARS_MAX = 65_536
"""Longest body shown; what is longer is cut."""
READERS_MAX = 16
"""Readers at once."""
HELD_CALLS_MAX = 4096
"""Calls of which one reader cannot tell yet whether it wants them."""
HELD_MESSAGES_MAX = 64
HELD_BYTES_MAX = 256 << 10
"""What of one call waits for its end; the rest is left out and counted."""

REQUEST = instance_pb2.TAP_DIRECTION_REQUEST
RESPONSE = instance_pb2.TAP_DIRECTION_RESPONSE
STATUS = instance_pb2.TAP_DIRECTION_STATUS
_TAPPED = instance_pb2.TapMessagesResponse.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls a reader wants; what several fields ask for has to hold at once, and an empty one asks for nothing.

    Args:
        path: the method's wire path.
        codes: names with which the call has ended: its messages are shown when it has.
        account: that its request names.
        sample_percent: share of the calls, by request id; 0 for all.
        headers_only: sizes instead of bodies.
    """

    path: str | None = None
    callers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    account: str = ""
    request_id: str = ""
    sample_percent: float = 0.0
    headers_only: bool = False

    def fits(self, call: Call) -> bool:
        """Whether a call is wanted, as far as it can be told before its request is read."""
        if self.path is not None and self.path != call.method.path:
            return False
        if self.callers and call.caller not in self.callers:
            return False
        if self.request_id and self.request_id != call.request_id:
            return False
        share = self.sample_percent
        return not share or zlib.crc32(call.request_id.encode()) * 100 < share * (1 << 32)


@dataclass(frozen=True, slots=True)
class Passed:
    """One message that passed; `content` is its bytes, for a status its text, or None where its reader wants none.
    `dropped` were lost before it."""

    time_ns: int
    method: MethodContract
    direction: int
    caller: str
    principal: str
    request_id: str
    content: bytes | str | None
    size: int
    code: str
    elapsed_s: float
    dropped: int


class _Held:
    """What is known of one call whose messages cannot be shown yet."""

    __slots__ = ("messages", "named", "size")

    def __init__(self) -> None:
        self.named = False
        self.messages: list[Passed] = []
        self.size = 0


class Reader:
    """One who watches what `wanted` says."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._stateful = bool(wanted.codes or wanted.account)
        self._held: dict[Call, _Held] = {}
        self._waiting: Waiting[Passed] = Waiting(QUEUED_MAX, QUEUED_BYTES_MAX)

    def offer(self, call: Call, direction: int, content: bytes | str, code: str) -> bool:
        """Puts a message aside if it is wanted; False if it is and there is no room."""
        wanted = self.wanted
        if not wanted.fits(call):
            return True
        passed = self._passed(call, direction, content, code)
        if not self._stateful:
            return self._put(passed)
        held = self._held.get(call)
        if held is None:
            if len(self._held) >= HELD_CALLS_MAX:
                return self._waiting.leave_out()
            held = self._held[call] = _Held()
        if direction == REQUEST and wanted.account and not held.named and isinstance(content, bytes):
            held.named = names_account(call.method, content, wanted.account)
        if direction == STATUS:
            del self._held[call]
        if wanted.account and not held.named:
            return True
        if not wanted.codes:
            return self._put(passed)
        if direction == STATUS:
            return code not in wanted.codes or self._put_all((*held.messages, passed))
        if len(held.messages) >= HELD_MESSAGES_MAX or held.size + passed.size > HELD_BYTES_MAX:
            return self._waiting.leave_out()
        held.messages.append(passed)
        held.size += passed.size
        return True

    def _passed(self, call: Call, direction: int, content: bytes | str, code: str) -> Passed:
        size = len(content) if isinstance(content, bytes) else 0
        shown = None if self.wanted.headers_only else content
        elapsed_s = time.monotonic() - call.begun
        now, caller, principal = time.time_ns(), call.caller, call.principal
        request_id = call.request_id
        return Passed(now, call.method, direction, caller, principal, request_id, shown, size, code, elapsed_s, 0)

    def _put_all(self, messages: Sequence[Passed]) -> bool:
        return sum(self._put(each) for each in messages) == len(messages)

    def _put(self, passed: Passed) -> bool:
        kept = 0 if passed.content is None else len(passed.content)
        return self._waiting.put(kept, lambda dropped: replace(passed, dropped=dropped) if dropped else passed)

    async def take(self) -> Passed:
        """The next message, once there is one."""
        return await self._waiting.take()


def names_account(method: MethodContract, content: bytes, account: str) -> bool:
    """Whether a request names an account, where its contract says that one stands."""
    if not method.account_fields:
        return False
    try:
        request = message_factory.GetMessageClass(method.input).FromString(content)
    except DecodeError:
        return False
    return any(account in reader(method.input, path)(request) for path in method.account_fields)


def shows_taps(method: MethodContract) -> bool:
    """Whether a method's answers hold what a tap has seen."""
    return any(f.message_type is not None and f.message_type.full_name == _TAPPED for f in method.output.fields)


class Tap:
    """Where calls leave what passes. `readers` is empty while nobody watches."""

    def __init__(self, instance: str, redaction: Redaction, counts: RpcCounts) -> None:
        self.readers: tuple[Reader, ...] = ()
        self._instance = instance
        self._redaction = redaction
        self._counts = counts

    def message(self, call: Call, direction: int, content: bytes | str, code: str = "") -> None:
        """A message passes. What a tap shows is shown by none: each message of it would bring about another that holds
        it."""
        if direction == RESPONSE and shows_taps(call.method):
            return
        for each in self.readers:
            if not each.offer(call, direction, content, code):
                self._counts.tap_dropped += 1

    def status(self, call: Call, code: int, message: str) -> None:
        """A call ends."""
        name = CODE_NAMES[code]
        self.message(call, STATUS, f"{name}: {message}" if message else name, name)

    def open(self, wanted: Wanted) -> Reader:
        """A reader that gets what passes from now on, until `close`."""
        opened = Reader(wanted)
        self.readers = (*self.readers, opened)
        return opened

    def close(self, closed: Reader) -> None:
        """The reader gets nothing more."""
        self.readers = tuple(each for each in self.readers if each is not closed)

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
            principal=passed.principal,
            size_bytes=passed.size,
            code=passed.code,
        )
        shown.time.FromNanoseconds(passed.time_ns)
        shown.elapsed.FromNanoseconds(max(0, round(passed.elapsed_s * 1e9)))
        return shown

    def _body(self, passed: Passed) -> str:
        if passed.content is None:
            return ""
        if isinstance(passed.content, str):
            return passed.content
        kind = passed.method.input if passed.direction == REQUEST else passed.method.output
        try:
            body = self._redaction.to_json(message_factory.GetMessageClass(kind).FromString(passed.content))
        except (DecodeError, TypeError, ValueError):
            return f"not a {kind.full_name}: {len(passed.content)} bytes"
        return body if len(body) <= BODY_CHARS_MAX else body[:BODY_CHARS_MAX] + "…"
