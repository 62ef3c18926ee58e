"""History over gRPC: questions about quotes and bars, live bars, replays; all of it from what a real NATS carried."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import structlog

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import bar_service_pb2 as bar_pb
from crossrate.api.marketdata.v1 import bar_service_pb2_grpc, history_pb2, history_service_pb2_grpc
from crossrate.api.marketdata.v1 import history_service_pb2 as pb
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.history import arrow
from crossrate.history.bars import PARTS, BarBatch, BarStore, beside
from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.rpc import arrays
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.ticks.bars import Bars, bars_of
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import Period
from services.marketdata.board import Board
from services.marketdata.catalogue import Catalogue
from services.marketdata.follower import Follower
from services.marketdata.history.instance import History
from services.marketdata.history.messages import bar_messages, timestamp
from services.marketdata.quote_log import QuoteLog
from services.marketdata.settings import Settings
from tests.ending import ended, within
from tests.integration.conftest import Servers, eventually
from tests.integration.history_mesh import MONDAY, PAIRS, SECOND, Feed, log_of, nats
from tests.integration.test_marketdata import refusal

pytestmark = pytest.mark.integration

SETTINGS = Settings(history_interval_s=0.2, ring_capacity=4096)
EURUSD = {"base": "EUR", "counter": "USD"}


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


@pytest.fixture
async def log(mesh: Servers) -> AsyncIterator[QuoteLog]:
    async with log_of(mesh, "marketdata-9") as opened:
        yield opened


@dataclasses.dataclass
class Served:
    """An instance's history: a stub to it, and its parts."""

    stub: history_service_pb2_grpc.HistoryServiceStub
    bars: bar_service_pb2_grpc.BarServiceStub
    history: History
    board: Board
    follower: Follower
    log: QuoteLog

    async def up_to(self, feed: Feed) -> Served:
        """Waits until the board has all that was written."""
        await eventually(lambda: self.follower.applied >= feed.number)
        return self


@contextlib.asynccontextmanager
async def served(mesh: Servers, url: Path, name: str = "marketdata-1") -> AsyncIterator[Served]:
    """An instance that follows, records and serves."""
    note, closed = structlog.get_logger(), asyncio.Event()
    async with log_of(mesh, name) as log:
        board, catalogue = Board(SETTINGS.ring_capacity, 10), Catalogue()
        for pair in (*PAIRS, "EUR/SEK"):
            base, counter = pair.split("/")
            catalogue.take([reference_pb.Instrument(name=pair, base=base, counter=counter, version=1, direct=True)])
        catalogue.ready.set()
        follower = Follower(log, board, ["simulated"], SETTINGS.log_entries_read, note)
        history = History(log, str(url), lambda: follower.feeds, SETTINGS, note)
        runtime = open_runtime(RuntimeSettings(service="marketdata", instance=name, settle_s=0.0), mesh.place)
        server = Server(runtime)
        history.add_to(server, board, catalogue)
        works = [follower.run(closed), history.run(closed), server.serve()]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await eventually(lambda: mesh.place.registration(name).exists())
            async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
                stub = history_service_pb2_grpc.HistoryServiceStub(channel)
                bars = bar_service_pb2_grpc.BarServiceStub(channel)
                yield Served(stub, bars, history, board, follower, log)
        finally:
            runtime.stopping.set()
            closed.set()
            await within(asyncio.gather(*tasks), "the end of an instance")


def ticks_of(feed: Feed, pair: str) -> Ticks:
    """All that a feed has written of a pair, in the order of venue time."""
    quotes = sorted(feed.written[pair], key=lambda q: (q.venue_time.ToNanoseconds(), q.sequence))
    return Ticks.of(
        np.array([q.venue_time.ToNanoseconds() for q in quotes]),
        np.array([q.bid for q in quotes]),
        np.array([q.ask for q in quotes]),
        bid_quantity=np.array([q.bid_quantity for q in quotes]),
        ask_quantity=np.array([q.ask_quantity for q in quotes]),
        sequence=np.array([q.sequence for q in quotes]),
        flags=np.array([2 * (q.bid == q.ask) for q in quotes]),
    )


def expected(feed: Feed, pair: str, period: str) -> list[history_pb2.Bar]:
    """The bars of all that a feed has written, made at once; all are over, because it was years ago."""
    bars: Bars = bars_of(ticks_of(feed, pair), Period(period), sides=("bid", "ask", "mid"), until=2**62).bars
    return bar_messages(bars)


async def all_bars(server: Served, **asked: object) -> list[history_pb2.Bar]:
    """Every page of QueryBars."""
    request = bar_pb.QueryBarsRequest(**EURUSD, start_time=timestamp(MONDAY - 40 * 86_400 * SECOND), **asked)
    request.sides.extend([history_pb2.PRICE_SIDE_BID, history_pb2.PRICE_SIDE_ASK, history_pb2.PRICE_SIDE_MID])
    bars: list[history_pb2.Bar] = []
    while True:
        page = await server.bars.QueryBars(request)
        bars += page.bars
        request.page_token = page.next_page_token
        if not request.page_token:
            return bars


async def test_quotes_are_answered_page_by_page_and_as_a_stream(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Pages, columns and Arrow have the same quotes once; a stream goes on on another instance behind its cursor."""
    feed = Feed(log)
    await feed.write(entries=100)
    async with served(mesh, tmp_path / "t") as one, served(mesh, tmp_path / "t", "marketdata-2") as other:
        await eventually(lambda: one.history.recorder.commits + other.history.recorder.commits > 0)
        await feed.write(entries=20)
        wanted = ticks_of(feed, "EUR/USD")
        request = pb.QueryTicksRequest(**EURUSD, start_time=timestamp(MONDAY), page_size=37)
        found: list[int] = []
        while True:
            page = await one.stub.QueryTicks(request)
            assert len(page.ticks.venue_time_ns) <= 37
            found += page.ticks.sequence
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        assert found == wanted.sequence.tolist()
        stream = pb.StreamTicksRequest(**EURUSD, start_time=timestamp(MONDAY), batch_size=50)
        stream.columns.append(history_pb2.TICK_COLUMN_BID)
        messages = [message async for message in one.stub.StreamTicks(stream)]
        assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
        bids = np.concatenate([arrays.get(message.ticks, "bid") for message in messages[:-1]])
        assert bids.tolist() == wanted.bid.tolist()
        assert not messages[0].ticks.ask
        stream.resume_cursor, stream.format = messages[1].position.cursor, history_pb2.TICK_FORMAT_ARROW_IPC
        rest = [message async for message in other.stub.StreamTicks(stream)]
        tables = [arrow.from_ipc(message.arrow_ipc) for message in rest[:-1]]
        assert [bid for table in tables for bid in table["bid"].to_pylist()] == wanted.bid.tolist()[100:]


@pytest.mark.parametrize("period", list(Period))
async def test_bars_of_the_store_and_of_the_log_are_those_of_the_quotes(
    mesh: Servers, log: QuoteLog, tmp_path: Path, period: Period
) -> None:
    """Whatever is stored already, whatever the page size: QueryBars answers what the builder makes of all quotes."""
    feed = Feed(log)
    await feed.write(entries=60)
    async with served(mesh, tmp_path / "t") as server:
        await eventually(lambda: server.history.recorder.commits > 0)
        await feed.write(entries=30)
        assert await all_bars(server, period=period, page_size=7) == expected(feed, "EUR/USD", period)
        assert await all_bars(server, period=period) == expected(feed, "EUR/USD", period)


async def test_live_bars_are_those_of_history(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """A run is followed live over two instances with a restart between; late quotes come as corrections."""
    now = time.time_ns()
    feed = Feed(log, begin=now - 900 * SECOND)
    request = bar_pb.StreamBarsRequest(instruments=["EUR/USD", "USD/JPY"], period="10s", max_messages=20)
    request.start_time.CopyFrom(timestamp(now - 1000 * SECOND))
    request.sides.extend([history_pb2.PRICE_SIDE_BID, history_pb2.PRICE_SIDE_ASK, history_pb2.PRICE_SIDE_MID])
    got: dict[tuple[str, int], history_pb2.Bar] = {}
    corrections = 0

    async def read(server: Served) -> None:
        nonlocal corrections
        async for message in server.bars.StreamBars(request):
            request.resume_cursor = message.position.cursor
            corrections += message.bars.correction
            for bar in message.bars.bars:
                key = message.bars.instrument, bar.open_time.ToNanoseconds()
                assert bar.complete
                assert (key in got) == (message.bars.correction and key in got)
                got[key] = bar

    await feed.write(entries=20)
    for name in ("marketdata-1", "marketdata-2"):
        async with served(mesh, tmp_path / "t", name) as server:
            reading = asyncio.create_task(read(server))
            for round_number in range(200):
                await feed.write(entries=1)
                if round_number == 20:
                    await feed.write(given=[feed.quote("EUR/USD", feed.now - 60 * SECOND)])
                await server.up_to(feed)
                if reading.done() or feed.now > now - 120 * SECOND:
                    break
            request.max_messages = 0
            await eventually(lambda r=reading: r.done() or len(got) > 60)
            await ended([reading], "the reader of bars")
    async with served(mesh, tmp_path / "t", "marketdata-3") as server:
        reading = asyncio.create_task(read(server))

        async def equal() -> bool:
            history: dict[tuple[str, int], history_pb2.Bar] = {}
            for pair in request.instruments:
                base, counter = pair.split("/")
                query = bar_pb.QueryBarsRequest(base=base, counter=counter, period="10s", sides=request.sides)
                query.start_time.CopyFrom(request.start_time)
                page = await server.bars.QueryBars(query)
                history |= {(pair, bar.open_time.ToNanoseconds()): bar for bar in page.bars}
            assert not reading.done()
            return got == history

        await eventually(equal)
        await ended([reading], "the reader of bars")
    assert corrections > 0


async def test_the_bar_that_is_not_over_is_sent_as_it_grows(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """With an interval of updates it comes marked as incomplete, with every quote so far; heartbeats fill silence."""
    feed = Feed(log, begin=time.time_ns())
    request = bar_pb.StreamBarsRequest(instruments=["EUR/USD"], period="1d")
    request.update_interval.FromMilliseconds(100)
    request.heartbeat_interval.FromMilliseconds(300)
    async with served(mesh, tmp_path / "t") as server:
        stream = aiter(server.bars.StreamBars(request))
        assert (await anext(stream)).WhichOneof("event") == "heartbeat"
        for count in (1, 2, 3):
            quote = feed.quote("EUR/USD", time.time_ns())
            await feed.write(given=[quote])
            message = await anext(stream)
            while message.WhichOneof("event") == "heartbeat":
                message = await anext(stream)
            (bar,) = message.bars.bars
            assert (bar.complete, bar.tick_count, bar.bid.close) == (False, count, quote.bid)


async def test_a_replay_has_every_quote_in_the_order_of_time(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Of several instruments, resumable between any two messages on another instance; with a pace it waits."""
    feed = Feed(log)
    await feed.write(entries=200, quotes=20)
    request = pb.ReplayRequest(instruments=list(PAIRS), start_time=timestamp(MONDAY), max_messages=2)
    got: list[tuple[str, int]] = []
    async with served(mesh, tmp_path / "t") as one, served(mesh, tmp_path / "t", "marketdata-2") as other:
        for server in (one, other, one):
            async for message in server.stub.Replay(request):
                got += [(quote.instrument, quote.sequence) for quote in message.quotes.quotes]
                request.resume_cursor = message.position.cursor
            request.max_messages = 0
        wanted = sorted(
            (quote.venue_time.ToNanoseconds(), PAIRS.index(pair), quote.sequence)
            for pair, quotes in feed.written.items()
            for quote in quotes
        )
        assert got == [(PAIRS[place], number) for _, place, number in wanted]
        request.resume_cursor, request.speed, request.max_messages = "", 50.0, 5
        begun = time.monotonic()
        paced = [message async for message in one.stub.Replay(request)]
        quotes = [quote for message in paced for quote in message.quotes.quotes]
        passed = (quotes[-1].venue_time.ToNanoseconds() - quotes[0].venue_time.ToNanoseconds()) / 1e9
        assert time.monotonic() - begun >= passed / 50.0 - 0.05


async def test_coverage_and_status_say_what_there_is(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Stored and not yet stored quotes are counted; loaded datasets stand beside feeds; gaps are listed."""
    feed = Feed(log)
    loaded = Ticks.of(np.arange(5) * SECOND + MONDAY, np.ones(5), np.ones(5), sequence=np.array([1, 2, 5, 6, 7]))
    loaded.flags[2] = 16
    TickStore.open(str(tmp_path / "t")).load("2024-03", [Batch("broker", "EUR/USD", loaded)])
    await feed.write(entries=30)
    async with served(mesh, tmp_path / "t") as server:
        answer = await server.stub.ListCoverage(pb.ListCoverageRequest(page_size=2))
        rest = await server.stub.ListCoverage(pb.ListCoverageRequest(page_size=2, page_token=answer.next_page_token))
        found = {(each.source, each.instrument): each.tick_count for each in (*answer.coverage, *rest.coverage)}
        assert found == {("broker", "EUR/USD"): 5} | {
            ("simulated", pair): len(quotes) for pair, quotes in feed.written.items()
        }
        request = pb.ListCoverageRequest(instrument="EUR/USD", source="broker", gaps=True)
        request.start_time.CopyFrom(timestamp(MONDAY))
        request.end_time.CopyFrom(timestamp(MONDAY + 86_400 * SECOND))
        (gap,) = (await server.stub.ListCoverage(request)).coverage[0].gaps
        assert (gap.missing_count, gap.end_time) == (2, timestamp(MONDAY + 2 * SECOND))

        async def stored() -> bool:
            status = await server.stub.GetHistoryStatus(pb.GetHistoryStatusRequest())
            return status.stored_number == feed.number and status.recording and not status.lag_entries

        await eventually(stored)
        status = await server.stub.GetHistoryStatus(pb.GetHistoryStatusRequest())
        assert [(each.source, each.sequence, each.missing_count) for each in status.feeds] == [("simulated", 150, 0)]
        kept = await asyncio.to_thread(server.history.keep)
        assert kept["rows_expired"] == 150
        left = (await server.stub.ListCoverage(pb.ListCoverageRequest())).coverage
        assert [(each.source, each.tick_count) for each in left] == [("broker", 5)]


async def test_what_cannot_be_answered_is_refused(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """Each refusal names the field and the remedy; a pair without quotes has none, and that is an answer."""
    feed = Feed(log)
    await feed.write(entries=10)
    TickStore.open(str(tmp_path / "t")).append("broker", "EUR/USD", ticks_of(feed, "EUR/USD"))
    start = timestamp(MONDAY)
    async with served(mesh, tmp_path / "t") as server:
        stub, bars = server.stub, server.bars
        unclear = pb.QueryTicksRequest(**EURUSD, start_time=start)
        code, details = await refusal(stub.QueryTicks(unclear))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "EUR/USD has quotes of broker, simulated: name one of them" in details
        for pair, source in (("EUR/XXX", ""), ("EUR/USD", "nobody")):
            base, counter = pair.split("/")
            nothing = bar_pb.QueryBarsRequest(base=base, counter=counter, source=source, period="1h", start_time=start)
            code, _ = await refusal(bars.QueryBars(nothing))
            assert code is grpc.StatusCode.NOT_FOUND
        empty = await stub.QueryTicks(pb.QueryTicksRequest(base="EUR", counter="SEK", start_time=start))
        assert not empty.ticks.venue_time_ns
        reversed_range = pb.QueryTicksRequest(
            **EURUSD, source="broker", start_time=start, end_time=timestamp(MONDAY - 1)
        )
        zone = bar_pb.QueryBarsRequest(
            **EURUSD, source="broker", period="1h", start_time=start, session_zone="New York"
        )
        token = bar_pb.QueryBarsRequest(**EURUSD, source="broker", period="1h", start_time=start, page_token="AAAA")
        for call, field in (
            (stub.QueryTicks(reversed_range), "end_time"),
            (bars.QueryBars(zone), "session_zone"),
            (bars.QueryBars(token), "page_token"),
        ):
            code, details = await refusal(call)
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert field in details


async def test_a_venues_own_bars_are_answered_and_never_mixed_with_built_ones(mesh: Servers, folder: Path) -> None:
    """By their source, with their origin and volume, also as longer ones and page by page; a source of quotes gives
    built bars; where no quote of the pair is, the one venue that has bars is meant. Mids of them nobody knows."""
    url = folder / "history"
    begin = MONDAY + 3600 * SECOND
    times = begin + np.arange(120) * 60 * SECOND
    low = 1.08 + np.arange(120) * 1e-5
    block = {"venue_time": times, "close_time": times + 60 * SECOND, "volume": np.full(120, 2.0)}
    block |= {f"{side}_{part}": low + (side == "ask") * 1e-4 for side in ("bid", "ask") for part in PARTS}
    load = BarStore.open(beside(str(url))).begin("own", {"content": 1})
    for pair in ("EUR/USD", "EUR/SEK"):
        load.add(BarBatch("V.bars", pair, block | {"flags": np.zeros(120, np.int16)}))
    load.commit()
    quotes = Ticks.of(times, low, low + 2e-4)
    TickStore.open(str(url)).append_all([Batch("V", "EUR/USD", quotes)], dataset="own-quotes")
    asked = {"period": "1m", "start_time": timestamp(begin), "end_time": timestamp(begin + 7200 * SECOND)}
    async with served(mesh, url) as instance:

        async def bars(**fields: object) -> bar_pb.QueryBarsResponse:
            return await instance.bars.QueryBars(bar_pb.QueryBarsRequest(**EURUSD | asked | fields))

        own = await bars(source="V.bars", page_size=100)
        assert (own.origin, own.source, len(own.bars)) == (history_pb2.BAR_ORIGIN_VENUE, "V.bars", 100)
        assert (own.bars[0].ask.high, own.bars[0].volume, own.bars[0].tick_count) == (low[0] + 1e-4, 2.0, 0)
        rest = await bars(source="V.bars", page_size=100, page_token=own.next_page_token)
        assert (len(rest.bars), rest.next_page_token) == (20, "")
        hours = await bars(source="V.bars", period="1h")
        assert [(each.bid.open, each.bid.close, each.volume) for each in hours.bars] == [
            (low[0], low[59], 120.0),
            (low[60], low[119], 120.0),
        ]
        built = await bars()
        assert (built.origin, built.source, len(built.bars)) == (history_pb2.BAR_ORIGIN_BUILT, "V", 120)
        assert not built.bars[0].HasField("volume")
        alone = await bars(counter="SEK")
        assert (alone.origin, alone.source) == (history_pb2.BAR_ORIGIN_VENUE, "V.bars")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bars(source="V.bars", sides=[history_pb2.PRICE_SIDE_MID])
        assert "mids are not known" in caught.value.details()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await bars(source="W.bars")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
