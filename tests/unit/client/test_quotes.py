"""The quote stream that resumes: nothing is lost or repeated silently."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.call_error import CallError

FAST = Resumption(pause_s=0.0001, pause_s_max=0.001, unreachable_s_max=60.0)


def quotes(cursor: str, *sequences: int, conflated: int = 0) -> pb.StreamQuotesResponse:
    """A message with quotes of EUR/USD."""
    message = pb.StreamQuotesResponse()
    message.position.cursor = cursor
    message.quotes.conflated_count = conflated
    for sequence in sequences:
        message.quotes.quotes.add(instrument="EUR/USD", sequence=sequence)
    return message


def end(reason: int, cursor: str = "") -> pb.StreamQuotesResponse:
    """The last message of a stream."""
    message = pb.StreamQuotesResponse(end=stream_pb2.StreamEnd(reason=reason))
    message.position.cursor = cursor
    return message


COMPLETE = end(stream_pb2.STREAM_END_REASON_COMPLETE)
DRAINING = end(stream_pb2.STREAM_END_REASON_DRAINING)


class Connections:
    """A service whose connections carry what the test says; an exception in one is how it breaks."""

    def __init__(self, *connections: list[Any]) -> None:
        self._connections: Iterator[list[Any]] = iter(connections)
        self.cursors: list[str] = []

    def StreamQuotes(self, request: pb.StreamQuotesRequest) -> "Connection":
        self.cursors.append(request.resume_cursor)
        return Connection(next(self._connections))


class Connection:
    """One of them."""

    def __init__(self, events: list[Any]) -> None:
        self._events = iter(events)

    async def read(self) -> Any:
        event = next(self._events, grpc.aio.EOF)
        if isinstance(event, Exception):
            raise event
        return event

    def cancel(self) -> None:
        pass


def broken(code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, reason: str = "") -> CallError:
    """A connection's end."""
    error = CallError(code, "gone", method="/m")
    error.reason = reason
    return error


async def read(service: Connections, conflation_s: float | None = None, resumption: Resumption = FAST) -> list[Any]:
    """Sequence numbers of quotes, and gaps."""
    stream = QuoteStream(["EUR/USD"], conflation_s, "", resumption)
    return [e if isinstance(e, Gap) else e.sequence async for e in stream.events(service)]


@pytest.mark.parametrize("how", [[broken()], [DRAINING], [], [broken(grpc.StatusCode.INTERNAL)]])
async def test_a_broken_stream_goes_on_where_it_broke(how: list[Any]) -> None:
    """However a connection ends, the next one begins after the last cursor, and no quote is missing or repeated."""
    service = Connections([quotes("a", 1, 2), quotes("b", 3), *how], [quotes("c", 4), COMPLETE])
    assert await read(service) == [1, 2, 3, 4]
    assert service.cursors == ["", "b"]


async def test_the_last_quote_sent_again_is_left_out() -> None:
    """A quote that was already delivered is not delivered twice."""
    service = Connections([quotes("a", 1, 2), broken()], [quotes("b", 2, 3), COMPLETE])
    assert await read(service) == [1, 2, 3]


async def test_missing_quotes_are_said_in_their_place() -> None:
    """A hole in the sequence is a gap with its size, before the next quote."""
    first, gap, second = await read(Connections([quotes("a", 1), quotes("b", 5), COMPLETE]))
    assert (first, second) == (1, 5)
    assert gap.missing_count == 3
    assert gap.instrument == "EUR/USD"


async def test_a_feed_that_begins_anew_is_a_gap() -> None:
    """Sequence numbers that fall mean a new feed."""
    _, gap, _ = await read(Connections([quotes("a", 7), broken()], [quotes("b", 1), COMPLETE]))
    assert "began anew" in gap.reason


async def test_an_expired_cursor_is_a_gap_and_a_new_beginning() -> None:
    """When what was missed is gone, the reader is told and goes on with the newest."""
    expired = broken(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")
    service = Connections([quotes("a", 7), broken()], [expired], [quotes("z", 90), COMPLETE])
    first, gap, second = await read(service)
    assert (first, second) == (7, 90)
    assert "could not be resumed" in gap.reason
    assert service.cursors == ["", "a", ""]


async def test_a_slow_reader_is_told_unless_it_asked_for_conflation() -> None:
    """Quotes left out for a slow reader are a gap; those left out on request are not."""
    _, gap, _ = await read(Connections([quotes("a", 1), quotes("b", 9, conflated=7), COMPLETE]))
    assert gap.missing_count == 7
    wanted = await read(Connections([quotes("a", 1), quotes("b", 9, conflated=7), COMPLETE]), conflation_s=1)
    assert wanted == [1, 9]


async def test_a_refusal_ends_the_stream() -> None:
    """What repeating cannot change is raised."""
    with pytest.raises(CallError):
        await read(Connections([broken(grpc.StatusCode.INVALID_ARGUMENT)]))


async def test_a_service_that_stays_away_is_given_up() -> None:
    """After unreachable_s_max without a message the last failure is raised."""
    soon = dataclasses.replace(FAST, unreachable_s_max=0.05)
    with pytest.raises(CallError, match="gone"):
        await read(Connections(*[[broken()] for _ in range(10_000)]), resumption=soon)
