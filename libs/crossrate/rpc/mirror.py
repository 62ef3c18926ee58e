"""A sample of the calls that a shadow may repeat, handed to who asks for it. While nobody does, a call pays for looking
at an empty tuple.

The contract says what may be repeated: what has no side effects as it was, what can be asked to be only checked with
`validate_only` set, and nothing else. No call waits for the reader: bytes are put aside when the call has been
answered, and left out where there is no room.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import random

from google.protobuf.descriptor import FieldDescriptor
from google.rpc import status_pb2

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.rpc.call import Call
from crossrate.rpc.contract import Idempotency, MethodContract
from crossrate.rpc.release_mark import RELEASE_HEADER
from crossrate.rpc.waiting import Waiting

QUEUED_MAX = 256
"""Calls that wait for one reader."""
QUEUED_BYTES_MAX = 8 << 20
CALL_BYTES_MAX = 2 << 20
"""Largest request and answer together that is handed on."""
READERS_MAX = 4
"""Readers at once."""
FAIR_S = 1.0
"""A method of which no call was taken for so long comes before those that are called all the time."""
SHARE_MAX = 10_000
IDENTITY_PREFIX = "x-crossrate-"
PROVED = "x-forwarded-client-cert"
NOT_ANSWERS = frozenset({1, 4, 7, 8, 14, 16})
"""Codes of calls that are not repeated. CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE tell of the
moment. PERMISSION_DENIED and UNAUTHENTICATED are facts of the audit log, which a repetition would tell twice."""
VALIDATE_ONLY = "validate_only"
SHADOW_ID = "shadow-"
"""Begins the request id of a repeated call, and of what that calls in turn: none of it is repeated again."""


class Manner(enum.Enum):
    """How calls of a method are repeated."""

    AS_IS = "as is"
    VALIDATE_ONLY = "validate only"
    STREAM = "stream"


def manner_of(contract: MethodContract) -> Manner | None:
    """How calls of a method may be repeated; None if they may not."""
    if contract.client_streaming or contract.workload in ("instance", ""):
        return None
    if contract.side_effects == "NONE" and contract.idempotency is Idempotency.NO_SIDE_EFFECTS:
        return Manner.STREAM if contract.server_streaming else Manner.AS_IS
    if contract.side_effects == "VALIDATE_ONLY" and not contract.server_streaming:
        field = contract.input.fields_by_name.get(VALIDATE_ONLY)
        if field is not None and field.type == FieldDescriptor.TYPE_BOOL and not field.is_repeated:
            return Manner.VALIDATE_ONLY
    return None


def identity_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that tell who calls; clients cannot send them. Not that of the release that it belonged to."""
    return {
        name: value
        for name, value in headers.items()
        if (name == PROVED or name.startswith(IDENTITY_PREFIX)) and name != RELEASE_HEADER and isinstance(value, str)
    }


@dataclass(frozen=True, slots=True)
class Mirrored:
    """One call: bytes as they crossed the wire. A stream has neither answer nor failure."""

    time_ns: int
    path: str
    request_id: str
    headers: Mapping[str, str]
    request: bytes
    answer: bytes | None
    failure: status_pb2.Status | None
    dropped: int

    def message(self) -> instance_pb2.MirrorCallsResponse:
        """What its reader gets."""
        made = instance_pb2.MirrorCallsResponse(
            method=self.path[1:],
            request_id=self.request_id,
            headers=identity_of(self.headers),
            request=self.request,
            answer=self.answer,
            failure=self.failure,
            dropped_count=self.dropped,
        )
        made.time.FromNanoseconds(self.time_ns)
        return made


class Reader:
    """One who repeats calls.

    Args:
        paths: wire paths of the methods.
        share: of the calls, in hundredths of a percent.
        per_s: most calls a second, on average.
        clock: seconds that only grow.
        chance: from 0 up to 1.
    """

    def __init__(
        self,
        paths: Iterable[str],
        share: int,
        per_s: int,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random,
    ) -> None:
        self._paths = frozenset(paths)
        self._share, self._per_s = share / SHARE_MAX, float(per_s)
        self._clock, self._chance = clock, chance
        self._tokens, self._filled_at = float(per_s), clock()
        self._taken_at: dict[str, float] = {}
        self._waiting: Waiting[Mirrored] = Waiting(QUEUED_MAX, QUEUED_BYTES_MAX)

    def wants(self, path: str) -> bool:
        """Whether a call of a method is in the sample; what it says yes to is counted."""
        if path not in self._paths or (self._share < 1.0 and self._chance() >= self._share):
            return False
        now = self._clock()
        self._tokens = min(self._per_s, self._tokens + (now - self._filled_at) * self._per_s)
        self._filled_at = now
        # On credit, which the next calls of others pay for: the average stays what it may be.
        rare = now - self._taken_at.get(path, -FAIR_S) >= FAIR_S and self._tokens > -self._per_s
        if self._tokens < 1.0 and not rare:
            return False
        self._tokens -= 1.0
        self._taken_at[path] = now
        return True

    def put(
        self,
        call: Call,
        headers: Mapping[str, str],
        request: bytes,
        answer: bytes | None,
        failure: status_pb2.Status | None,
    ) -> None:
        """Puts a call aside; without room it is left out."""
        size = len(request) + len(answer or b"")
        if size > CALL_BYTES_MAX:
            self._waiting.leave_out()
            return
        told = time.time_ns(), call.method.path, call.request_id, headers, request, answer, failure
        self._waiting.put(size, lambda dropped: Mirrored(*told, dropped))

    async def take(self) -> Mirrored:
        """The next call, once there is one."""
        return await self._waiting.take()


class Mirror:
    """Where calls leave what may be repeated. `readers` is empty while nobody asks."""

    def __init__(self) -> None:
        self.readers: tuple[Reader, ...] = ()

    def passed(
        self,
        call: Call,
        headers: Mapping[str, str],
        request: bytes,
        answer: bytes | None,
        failure: status_pb2.Status | None,
    ) -> None:
        """A call has been answered, or a stream begins. Give it only calls of methods that may be repeated."""
        if (failure is not None and failure.code in NOT_ANSWERS) or call.request_id.startswith(SHADOW_ID):
            return
        for reader in self.readers:
            if reader.wants(call.method.path):
                reader.put(call, headers, request, answer, failure)

    def open(self, paths: Iterable[str], share: int, per_s: int) -> Reader:
        """A reader that gets a sample from now on, until `close`."""
        reader = Reader(paths, share, per_s)
        self.readers = (*self.readers, reader)
        return reader

    def close(self, reader: Reader) -> None:
        """The reader gets nothing more."""
        self.readers = tuple(each for each in self.readers if each is not reader)
