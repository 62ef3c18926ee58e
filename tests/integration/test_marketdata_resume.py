"""A stream that is resumed at an instance which lags: the log says where it goes on, and nothing else does."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import feed_list_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.rpc.errors import ErrorReason, failure_of
from services.marketdata.domain.simulation import Market
from services.marketdata.quote_log import LogEntry, LogUnavailable
from tests.integration.conftest import Servers, eventually
from tests.integration.test_marketdata import Patient, Served, Unheard, served
from tests.integration.test_marketdata import market as market
from tests.integration.test_marketdata import mesh as mesh

pytestmark = pytest.mark.integration


class Remote(Unheard):
    """A log that one instance cannot reach for a time.

    Attributes:
        away: whether it is so.
    """

    away = False

    async def read(self, after: int, feed: str = "*", limit: int = 256) -> list[LogEntry]:
        """See QuoteLog."""
        return [] if self.away else await super().read(after, feed, limit)

    async def last(self) -> int:
        """See QuoteLog."""
        if self.away:
            raise LogUnavailable("it is away")
        return await super().last()


async def taken(served: Served, wanted: marketdata.StreamQuotesRequest) -> list[int]:
    """The numbers of EUR/USD that a stream brings until it is complete; its cursor is then what is wanted next."""
    messages = [message async for message in served.stub.StreamQuotes(wanted)]
    assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    wanted.resume_cursor = messages[-1].position.cursor
    return [quote.sequence for message in messages for quote in message.quotes.quotes]


async def test_a_reader_is_not_led_back_by_an_instance_that_lags(mesh: Servers, market: Market) -> None:
    """While it cannot read the log it sends its readers elsewhere, cursor in hand; then it goes on where they were."""
    writer = await Patient(mesh, market).start(Unheard)
    lagging = None
    try:
        await eventually(lambda: writer.feed.leading and writer.board.head > 50)
        lagging = await Patient(mesh, market).start(Remote)
        await eventually(lambda: lagging.follower.complete)
        lagging.log.away, head = True, writer.board.head
        # What it was reading just now it may still have come to.
        await eventually(lambda: writer.board.head > head + 50)
        async with served(mesh, writer, "marketdata-1") as ahead, served(mesh, lagging, "marketdata-2") as behind:
            wanted = marketdata.StreamQuotesRequest(instruments=["EUR/USD"], max_messages=5)
            health = feed_list_pb2.StreamHealthRequest(max_messages=1)
            numbers = await taken(ahead, wanted)
            health.resume_cursor = [m async for m in ahead.stub.StreamHealth(health)][-1].position.cursor
            for ask in (lambda: behind.stub.StreamQuotes(wanted), lambda: behind.stub.StreamHealth(health)):
                for _ in range(2):
                    with pytest.raises(grpc.aio.AioRpcError) as refused:
                        await asyncio.wait_for(anext(aiter(ask())), 30)
                    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
                    failure = failure_of(refused.value)
                    assert failure is not None
                    assert failure.reason is ErrorReason.DEPENDENCY_UNAVAILABLE
                    assert failure.retry_after_s
            numbers += await taken(ahead, wanted)
            lagging.log.away = False
            for _ in range(3):
                numbers += await taken(ahead, wanted)
                head = writer.board.head
                await eventually(lambda h=head: writer.board.head > h + 100)
                # Nobody told it of any entry: it reads them because it is asked, and has no more than that.
                wanted.max_messages = 1
                numbers += await taken(behind, wanted)
                wanted.max_messages = 5
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        for instance in (writer, lagging):
            if instance is not None:
                await instance.die()
