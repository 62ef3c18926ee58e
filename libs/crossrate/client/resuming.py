"""A stream that outlives its connections: it resumes with the cursor and says what it could not get back."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.rpc.call_error import CallError

HEARTBEAT_S = 5
SILENCE_S_MAX = 3 * HEARTBEAT_S
"""A stream that is silent for three heartbeats is broken, whatever TCP says."""

_log = logging.getLogger("crossrate.client")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing between what came before it and what comes after.

    `reason` is a sentence; `instrument` is empty when any may be concerned; `missing_count` is 0 when nobody knows.
    """

    reason: str
    instrument: str = ""
    missing_count: int = 0
    cursor: str = ""


def warn(gap: Gap) -> None:
    """Logs a gap: what happens unless the reader wants to know itself."""
    _log.warning("a stream has a gap: %s", gap.reason)


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a broken stream is resumed: pauses with full jitter, given up after `unreachable_s_max` without a message."""

    pause_s: float = 0.05
    pause_s_max: float = 2.0
    unreachable_s_max: float = 60.0


class Broken(Exception):
    """The connection broke; resume. `cause` is what it is given up with, if nothing comes any more."""

    def __init__(self, cause: CallError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Torn(Exception):
    """What came does not go with what was received; begin anew. Its message says why."""


class ResumingStream(Generic[T]):
    """The state of one reader, whatever it reads; `request` has `resume_cursor`, and `heartbeat_interval` if that
    can be asked for.

    Args:
        method: full path, for errors.
        request: what is asked for; its cursor moves with what was received.
        resumption: how a broken stream is resumed.
    """

    oneof = "event"
    """What a message calls that which it carries."""
    begins_anew = True
    """Whether a stream whose cursor has expired is begun anew, with a gap; else the reader is told by the error."""

    def __init__(self, method: str, request: Any, resumption: Resumption) -> None:
        self._method = method
        self._request = request
        if "heartbeat_interval" in request.DESCRIPTOR.fields_by_name:
            self._request.heartbeat_interval.seconds = HEARTBEAT_S
        self._resumption = resumption
        self._heard_s = time.monotonic()
        self._broken = 0
        self.heard = False
        """Whether the server has ever been heard."""
        self.complete = False
        """Whether all that was asked for is there, so that a stream that breaks need not be resumed."""

    @property
    def silence_s(self) -> float:
        """Seconds since the server was last heard, heartbeats included, or since the begin if it never was."""
        return time.monotonic() - self._heard_s

    async def events(self, stub: Any) -> AsyncIterator[T | Gap]:
        """What is read, and gaps, until the reader stops or the service refuses."""
        self._heard_s = time.monotonic()
        open_call = getattr(stub, self._method.rpartition("/")[2])
        while not self.complete:
            call = open_call(self._request)
            try:
                async for event in self._read(call):
                    yield event
            except Broken as broken:
                await self._pause(broken.cause)
            except Torn as torn:
                for gap in self._begin_anew(str(torn)):
                    yield gap
                await self._pause(self._unavailable(str(torn)))
            except CallError as error:
                if error.reason == "CURSOR_EXPIRED" and self._request.resume_cursor and self.begins_anew:
                    for gap in self._begin_anew(f"the stream could not be resumed where it broke: {error.message}"):
                        yield gap
                elif error.may_pass or error.code() in BREAKS:
                    await self._pause(error)
                else:
                    raise
            else:
                return
            finally:
                call.cancel()

    async def _read(self, call: Any) -> AsyncIterator[T | Gap]:
        """One connection's events; returns when all was sent, raises Broken when there is more to resume."""
        while True:
            try:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await call.read()
            except TimeoutError:
                raise Broken(self._unavailable(f"the stream was silent for {SILENCE_S_MAX} s")) from None
            if message is grpc.aio.EOF:
                raise Broken(self._unavailable("the stream ended without saying why"))
            kind = message.WhichOneof(self.oneof)
            if kind == "error":
                raise CallError.of_status(message.error, self._method)
            self._heard_s, self._broken, self.heard = time.monotonic(), 0, True
            if kind not in ("heartbeat", "end"):
                for event in self._taken(message):
                    yield event
            self._moved(message)
            if kind == "end":
                if message.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE:
                    return
                raise Broken(self._unavailable("the server drains"))

    def _taken(self, message: Any) -> Iterable[T | Gap]:
        """What a message says to the reader.

        Raises:
            Torn: it does not go with what was received.
        """
        raise NotImplementedError

    def _forget(self) -> None:
        """What was received does not continue."""
        raise NotImplementedError

    def _moved(self, message: Any) -> None:
        """Everything up to this message was received."""
        self._request.resume_cursor = message.position.cursor or self._request.resume_cursor

    def _begin_anew(self, reason: str) -> list[Gap]:
        gap = Gap(reason, cursor=self._request.resume_cursor)
        self._request.resume_cursor = ""
        self._forget()
        return [gap]

    async def _pause(self, cause: CallError) -> None:
        limits = self._resumption
        if time.monotonic() - self._heard_s > limits.unreachable_s_max:
            raise cause
        if self._broken:
            ceiling_s = min(limits.pause_s_max, limits.pause_s * 2 ** min(self._broken, 20))
            await asyncio.sleep((cause.retry_after_s or 0.0) + random.random() * ceiling_s)
        self._broken += 1

    def _unavailable(self, words: str) -> CallError:
        return CallError(grpc.StatusCode.UNAVAILABLE, words, method=self._method)


BREAKS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
    }
)
"""How a stream ends that broke on its way; INTERNAL is what gRPC makes of a connection cut inside a message."""
