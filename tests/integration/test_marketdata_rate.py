"""Many quotes a second over a real NATS: whatever the machine manages, every quote is counted."""

from __future__ import annotations

import asyncio
from collections import Counter

import grpc
import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from services.marketdata.domain.simulation import Market
from services.marketdata.settings import FeedConfig
from tests.integration.conftest import Servers, eventually
from tests.integration.test_marketdata import PAIRS, Instance, check, market, mesh, served, whole_log

__all__ = ["market", "mesh"]

pytestmark = pytest.mark.integration

ENOUGH = 60_000


class Fast(Instance):
    """An instance whose feed makes 20,000 quotes a second."""

    config = FeedConfig(quotes_per_s=20_000, hours=False)
    ring_capacity = 2**18


class Counts:
    """What a stream of several instruments brought: the newest of each, and what was left out."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.quotes = 0
        self.conflated = 0

    def take(self, message: marketdata.StreamQuotesResponse) -> None:
        """Asserts that a message leaves out exactly what it says."""
        missing = 0
        for quote in message.quotes.quotes:
            missing += quote.sequence - self.last.get(quote.instrument, quote.sequence - 1) - 1
            self.last[quote.instrument] = quote.sequence
        assert missing == message.quotes.conflated_count
        self.quotes += len(message.quotes.quotes)
        self.conflated += message.quotes.conflated_count


async def test_every_quote_of_a_fast_feed_is_sent_or_counted(mesh: Servers, market: Market) -> None:
    """Two readers of everything, one of which conflates, and a third that goes on from the first one's cursor: what is
    missing between two quotes of an instrument is what the message says, to the quote."""
    instance = await Fast(mesh, market).start()
    async with served(mesh, instance, "marketdata-1") as server:
        await eventually(lambda: len(instance.board.newest()) == len(PAIRS))
        wanted = marketdata.StreamQuotesRequest(instruments=PAIRS)
        slow = marketdata.StreamQuotesRequest(instruments=PAIRS)
        slow.conflation_interval.FromMilliseconds(50)

        async def read(request: marketdata.StreamQuotesRequest, counts: Counts) -> str:
            call = server.stub.StreamQuotes(request)
            cursor = ""
            while counts.quotes + counts.conflated < ENOUGH:
                message = await call.read()
                assert message is not grpc.aio.EOF
                counts.take(message)
                cursor = message.position.cursor
            call.cancel()
            return cursor

        whole, conflated = Counts(), Counts()
        wanted.resume_cursor, _ = await asyncio.gather(read(wanted, whole), read(slow, conflated))
        assert conflated.conflated > conflated.quotes
        # On the same counts: a resumed stream continues them without a gap that it does not tell.
        whole.quotes = whole.conflated = 0
        await read(wanted, whole)
    await instance.stop()


async def test_pairs_keep_their_shares(mesh: Servers, market: Market) -> None:
    """EUR/USD is quoted eight times as often as USD/TRY, in the log as in the ring."""
    instance = await Fast(mesh, market).start()
    await eventually(lambda: instance.board.head > 10_000)
    entries = await whole_log(instance.events)
    await instance.die()
    counts = Counter(quote.instrument for entry in entries for quote in entry.quotes)
    assert check(entries) > 8_000
    assert counts["EUR/USD"] == pytest.approx(8 * counts["USD/TRY"], rel=0.02)
