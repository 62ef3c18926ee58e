"""A quote stream that outlives its connections: it resumes with the cursor and says what it could not get back."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.rpc.call_error import CallError

if TYPE_CHECKING:
    from crossrate.api.marketdata.v1.quote_pb2 import Quote

METHOD = "/crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"
HEARTBEAT_S = 5
SILENCE_S_MAX = 3 * HEARTBEAT_S
"""A stream that is silent for three heartbeats is broken, whatever TCP says."""

_log = logging.getLogger("crossrate.client")


@dataclass(frozen=True, slots=True)
class Gap:
    """Quotes are missing between the one before and the one after.

    `reason` is a sentence; `instrument` is empty when any may be concerned; `missing_count` is 0 when nobody knows.
    """

    reason: str
    instrument: str = ""
    missing_count: int = 0
    cursor: str = ""


def warn(gap: Gap) -> None:
    """Logs a gap: what happens unless the reader wants to know itself."""
    _log.warning("quotes are missing: %s", gap.reason)


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a broken stream is resumed: pauses with full jitter, given up after `unreachable_s_max` without a message."""

    pause_s: float = 0.05
    pause_s_max: float = 2.0
    unreachable_s_max: float = 60.0


class _Broken(Exception):
    """The connection broke; resume. `cause` is what it is given up with, if nothing comes any more."""

    def __init__(self, cause: CallError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class QuoteStream:
    """The state of one reader: the cursor, and the last sequence number of each instrument."""

    def __init__(self, instruments: list[str], conflation_s: float | None, cursor: str, resumption: Resumption) -> None:
        self._request = pb.StreamQuotesRequest(instruments=instruments, resume_cursor=cursor)
        self._request.heartbeat_interval.seconds = HEARTBEAT_S
        self._conflated = bool(conflation_s)
        if conflation_s:
            self._request.conflation_interval.FromNanoseconds(round(conflation_s * 1e9))
        self._resumption = resumption
        self._last: dict[str, int] = {}
        self._heard_s = time.monotonic()
        self._broken = 0
        self.heard = False
        """Whether the server has ever been heard."""

    @property
    def silence_s(self) -> float:
        """Seconds since the server was last heard, heartbeats included, or since the begin if it never was."""
        return time.monotonic() - self._heard_s

    async def events(self, stub: Any) -> AsyncIterator[Quote | Gap]:
        """Quotes and gaps, until the reader stops or the service refuses."""
        self._heard_s = time.monotonic()
        while True:
            call = stub.StreamQuotes(self._request)
            try:
                async for event in self._read(call):
                    yield event
            except _Broken as broken:
                await self._pause(broken.cause)
            except CallError as error:
                if error.reason == "CURSOR_EXPIRED" and self._request.resume_cursor:
                    yield self._begin_anew(error)
                elif error.may_pass or error.code() in _BREAKS:
                    await self._pause(error)
                else:
                    raise
            else:
                return
            finally:
                call.cancel()

    async def _read(self, call: Any) -> AsyncIterator[Quote | Gap]:
        """One connection's events; returns when all was sent, raises _Broken when there is more to resume."""
        while True:
            try:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await call.read()
            except TimeoutError:
                raise _Broken(_unavailable(f"the stream was silent for {SILENCE_S_MAX} s")) from None
            if message is grpc.aio.EOF:
                raise _Broken(_unavailable("the stream ended without saying why"))
            kind = message.WhichOneof("event")
            if kind == "error":
                raise CallError.of_status(message.error, METHOD)
            self._heard_s, self._broken, self.heard = time.monotonic(), 0, True
            if kind == "quotes":
                for event in self._quotes(message):
                    yield event
            self._request.resume_cursor = message.position.cursor or self._request.resume_cursor
            if kind == "end":
                if message.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE:
                    return
                raise _Broken(_unavailable("the server drains"))

    def _quotes(self, message: pb.StreamQuotesResponse) -> list[Quote | Gap]:
        batch = message.quotes
        events: list[Quote | Gap] = []
        if batch.conflated_count and not self._conflated:
            reason = f"this reader was too slow, {batch.conflated_count} quotes were replaced by newer ones"
            events.append(Gap(reason, missing_count=batch.conflated_count, cursor=message.position.cursor))
        for quote in batch.quotes:
            last = self._last.get(quote.instrument)
            self._last[quote.instrument] = quote.sequence
            if last is not None and not self._conflated and not batch.conflated_count:
                if last == quote.sequence:
                    continue  # the last one before the break, sent again
                if quote.sequence < last:
                    reason = f"the feed of {quote.instrument} began anew at {quote.sequence} after {last}"
                    events.append(Gap(reason, quote.instrument, cursor=message.position.cursor))
                elif quote.sequence > last + 1:
                    missing = quote.sequence - last - 1
                    reason = f"{missing} quotes of {quote.instrument} are missing after sequence {last}"
                    events.append(Gap(reason, quote.instrument, missing, message.position.cursor))
            events.append(quote)
        return events

    def _begin_anew(self, error: CallError) -> Gap:
        gap = Gap(
            f"the stream could not be resumed where it broke: {error.message}", cursor=self._request.resume_cursor
        )
        self._request.resume_cursor = ""
        self._last.clear()
        return gap

    async def _pause(self, cause: CallError) -> None:
        limits = self._resumption
        if time.monotonic() - self._heard_s > limits.unreachable_s_max:
            raise cause
        if self._broken:
            ceiling_s = min(limits.pause_s_max, limits.pause_s * 2 ** min(self._broken, 20))
            await asyncio.sleep((cause.retry_after_s or 0.0) + random.random() * ceiling_s)
        self._broken += 1


_BREAKS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
    }
)
"""How a stream ends that broke on its way; INTERNAL is what gRPC makes of a connection cut inside a message."""


def _unavailable(words: str) -> CallError:
    return CallError(grpc.StatusCode.UNAVAILABLE, words, method=METHOD)
