"""Composites as history: what streams had when it was live, from the log of a real NATS, to the last field."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import grpc
import numpy as np
import pytest
import structlog

from crossrate.api.marketdata.v1 import bar_service_pb2 as bar_pb
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.rpc import arrays
from crossrate.ticks.bars import bars_of
from crossrate.ticks.periods import Period
from services.marketdata.board import Board
from services.marketdata.entry import COMPOSITE, COMPOSITE_SOURCE
from services.marketdata.follower import Follower
from services.marketdata.history.composer import Composing, boards
from services.marketdata.history.messages import bar_messages, timestamp
from services.marketdata.history.rows import Columns
from services.marketdata.quote_log import QuoteLog
from tests.ending import within
from tests.integration.conftest import Servers, eventually
from tests.integration.history_mesh import MONDAY, PAIRS, SECOND, Feed, Recording, log_of, nats
from tests.integration.test_marketdata import refusal
from tests.integration.test_marketdata_bars import EURUSD, Served, served

pytestmark = pytest.mark.integration

HEALTH = [*[quote_pb2.QUOTE_HEALTH_LIVE] * 5, *sorted(set(quote_pb2.QuoteHealth.values()) - {0})]
STALE_AFTER_S = 10.0
Key = tuple[str, int]


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


@pytest.fixture
async def log(mesh: Servers) -> AsyncIterator[QuoteLog]:
    async with log_of(mesh, "marketdata-9") as opened:
        yield opened


class Venue(Feed):
    """A feed whose quotes are of every health, as a normaliser makes them."""

    def quote(self, pair: str, at: int | None = None) -> quote_pb2.Quote:
        """The next quote of a pair."""
        made = super().quote(pair, at)
        made.health = HEALTH[int(self._numbers.integers(len(HEALTH)))]
        if made.health == quote_pb2.QUOTE_HEALTH_CROSSED:
            made.bid = made.ask + 0.0001
        elif made.health == quote_pb2.QUOTE_HEALTH_STALE and made.sequence % 2:
            made.bid = made.ask + 0.0002
        return made


def composed(board: Board, after: int = 0) -> dict[Key, quote_pb2.Quote]:
    """What the ring has of composites of several venues, by instrument and number."""
    quotes = [entry.quote for entry in board.composites(after) if entry.source == COMPOSITE]
    found = {(quote.instrument, quote.sequence): quote for quote in quotes}
    assert len(found) == len(quotes)
    return found


async def turns(venues: Iterable[Feed], rounds: int, board: Board | None = None) -> None:
    """Entries of the venues in turns; in between a board's own clock runs ahead of them, and says what is too old."""
    venues, numbers = list(venues), np.random.default_rng(rounds)
    for _ in range(rounds):
        venue = venues[int(numbers.integers(len(venues)))]
        await venue.write(quotes=int(numbers.integers(1, 6)))
        if board is not None:
            board.mark_stale(venue.now + int(numbers.integers(0, 30)) * SECOND)


async def replayed(server: Served) -> dict[Key, quote_pb2.Quote]:
    """Every composite that Replay gives."""
    request = pb.ReplayRequest(instruments=list(PAIRS), source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY))
    quotes = [quote async for message in server.stub.Replay(request) for quote in message.quotes.quotes]
    found = {(quote.instrument, quote.sequence): quote for quote in quotes}
    assert len(found) == len(quotes)
    return found


async def test_what_was_live_is_what_history_has(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Every field of every composite, before it is stored and after, on an instance that was there and on another."""
    one, two = Venue(log, 1, "one"), Venue(log, 2, "two", MONDAY + 3 * SECOND)
    async with served(mesh, tmp_path / "t") as server:
        for rounds in (40, 60, 80):
            await turns([one, two], rounds, server.board)
            await eventually(lambda: server.follower.applied >= max(one.number, two.number))
            live = composed(server.board)
            assert {quote.health for quote in live.values()} == set(HEALTH)
            assert await replayed(server) == live

        async def stored() -> bool:
            status = await server.stub.GetHistoryStatus(pb.GetHistoryStatusRequest())
            return status.stored_number == max(one.number, two.number)

        await eventually(stored)
        assert await replayed(server) == live
        await turns([two, one], 30, server.board)
        await eventually(lambda: server.follower.applied >= max(one.number, two.number))
        live = composed(server.board)
        async with served(mesh, tmp_path / "t", "marketdata-2") as other:
            assert await replayed(other) == live
            await columns_and_bars(other, live)


async def columns_and_bars(server: Served, live: dict[Key, quote_pb2.Quote]) -> None:
    """QueryTicks, StreamTicks, QueryBars and ListCoverage have the same composites of a pair."""
    quotes = sorted(
        (quote for (pair, _), quote in live.items() if pair == "EUR/USD"),
        key=lambda quote: (quote.venue_time.ToNanoseconds(), quote.sequence),
    )
    rows = Columns()
    for quote in quotes:
        rows.add(quote, gap=False)
    wanted = rows.ticks()
    request = pb.QueryTicksRequest(**EURUSD, source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY))
    answer = await server.stub.QueryTicks(request)
    assert answer.source == COMPOSITE_SOURCE
    streamed = pb.StreamTicksRequest(**EURUSD, source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY))
    messages = [m.ticks async for m in server.stub.StreamTicks(streamed) if m.WhichOneof("event") == "ticks"]
    for parts in ([answer.ticks], messages):
        for name in ("bid", "ask", "bid_quantity", "ask_quantity", "sequence", "flags"):
            assert [each for part in parts for each in arrays.get(part, name)] == getattr(wanted, name).tolist()
        for name in ("venue_time", "receive_time"):
            assert [each for part in parts for each in arrays.get(part, f"{name}_ns")] == getattr(wanted, name).tolist()
    asked = bar_pb.QueryBarsRequest(
        **EURUSD, source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY - 86_400 * SECOND), period="1m"
    )
    bars = bars_of(wanted[np.argsort(wanted.venue_time, kind="stable")], Period("1m"), until=2**62).bars
    assert list((await server.bars.QueryBars(asked)).bars) == bar_messages(bars)
    coverage = (await server.stub.ListCoverage(pb.ListCoverageRequest(instrument="EUR/USD"))).coverage
    assert {each.source: each.tick_count for each in coverage}[COMPOSITE_SOURCE] == len(wanted)


async def test_recorders_that_take_over_from_each_other_write_each_composite_once(
    log: QuoteLog, tmp_path: Path
) -> None:
    """One that begins in the middle knows what the venues had shown before, also the one that is silent by now."""
    one, two = Venue(log, 3, "one"), Venue(log, 4, "two")
    board = Board(1 << 14, STALE_AFTER_S)
    follower = Follower(log, board, ["one", "two"], 2_000, structlog.get_logger())
    composing = Composing(lambda: ["one", "two"], boards(STALE_AFTER_S, {}))
    kept = None
    for venues, rounds in (([one, two], 50), ([one], 320), ([two, one], 20)):
        recording = Recording(log, tmp_path / "t", composing)
        await turns(venues, rounds)
        await follower.catch_up()
        live = composed(board)
        for _ in range(2):
            for pair in PAIRS:
                found = await recording.ticks(pair, COMPOSITE_SOURCE)
                assert sorted(found.sequence.tolist()) == sorted(number for name, number in live if name == pair)
                columns = (found.sequence.tolist(), found.bid.tolist(), found.ask.tolist())
                for number, bid, ask in zip(*columns, strict=True):
                    assert (live[pair, number].bid, live[pair, number].ask) == (bid, ask)
            await recording.record()
        assert recording.recorder.commits == 1
        if kept is not None:
            await kept.record()
            assert kept.recorder.overtaken == 1
        kept = recording


async def test_the_composite_of_one_venue_is_its_quotes(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Nothing is written twice for it; once a second venue has quoted, the composite has a history of its own."""
    one, two = Feed(log, 5, "one"), Feed(log, 6, "two", MONDAY + 400 * SECOND)
    await one.write(entries=40)
    request = pb.QueryTicksRequest(**EURUSD, source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY))
    async with served(mesh, tmp_path / "t") as server:
        await eventually(lambda: server.follower.applied >= one.number)
        answer = await server.stub.QueryTicks(request)
        assert answer.source == "one"
        assert arrays.get(answer.ticks, "sequence").tolist() == one.sequences("EUR/USD")
        await two.write(given=[two.quote("USD/JPY")])
        assert (await server.stub.QueryTicks(request)).source == "one"
        await two.write(given=[two.quote("EUR/USD")])
        await eventually(lambda: server.follower.applied >= two.number)
        answer = await server.stub.QueryTicks(request)
        assert answer.source == COMPOSITE_SOURCE
        assert arrays.get(answer.ticks, "sequence").tolist() == [len(one.written["EUR/USD"]) + 1]
        request.source = ""
        code, details = await refusal(server.stub.QueryTicks(request))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "one, two" in details


async def test_live_bars_of_a_composite_are_those_of_history(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """A stream that began with one venue goes on with the composite from the second venue's first quote on."""
    one, two = Feed(log, 7, "one"), Feed(log, 8, "two")
    await one.write(entries=5)
    async with served(mesh, tmp_path / "t") as server:
        await eventually(lambda: server.follower.applied >= one.number)
        request = bar_pb.StreamBarsRequest(
            instruments=["EUR/USD"], source=COMPOSITE_SOURCE, period="1m", start_time=timestamp(MONDAY)
        )
        request.heartbeat_interval.FromMilliseconds(200)
        got: dict[int, object] = {}
        sources: list[str] = []

        async def read() -> None:
            async for message in server.bars.StreamBars(request):
                if message.WhichOneof("event") == "bars":
                    sources.append(message.bars.source)
                    got.update({bar.open_time.ToNanoseconds(): bar for bar in message.bars.bars})

        reading = asyncio.create_task(read())
        try:
            await eventually(lambda: sources == ["one"])
            for _ in range(30):
                await one.write()
                await two.write()
            await eventually(lambda: server.follower.applied >= two.number)
            asked = bar_pb.QueryBarsRequest(
                **EURUSD, source=COMPOSITE_SOURCE, start_time=timestamp(MONDAY), period="1m"
            )
            bars = (await server.bars.QueryBars(asked)).bars
            wanted = {bar.open_time.ToNanoseconds(): bar for bar in bars if bar.complete}
            assert len(wanted) > 2
            await eventually(lambda: all(got.get(opens) == bar for opens, bar in wanted.items()))
            assert sources[-1] == COMPOSITE_SOURCE
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await within(reading, "the end of the reader")
