"""Order books from a socket: answers, refusals, streams that resume, readers that stop reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import structlog

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import book_events_pb2 as events_pb
from crossrate.api.marketdata.v1 import book_pb2 as pb
from crossrate.api.marketdata.v1 import book_service_pb2 as books_pb
from crossrate.api.marketdata.v1 import book_service_pb2_grpc as books_grpc
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.reference.v1 import instrument_pb2 as reference_pb
from crossrate.client.books import BookStream, LiveBook
from crossrate.client.resuming import Gap
from crossrate.events.events import Events
from crossrate.runtime import topology
from services.marketdata import ecb
from services.marketdata.books.instance import Books
from services.marketdata.cursor import BOOKS, QUOTES, Cursor
from services.marketdata.domain.calibration import calibrate
from services.marketdata.domain.simulation import Market
from services.marketdata.simulated import FEED
from tests.integration.book_instances import PAIRS, SETTINGS, Instance, apply, running, served, whole_log
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

EURUSD = {"base": "EUR", "counter": "USD"}


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """NATS with the platform's own topology."""
    servers = Servers(folder, topology.load())
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@pytest.fixture(scope="module")
def market() -> Market:
    history = ecb.load()
    return Market(calibrate(history, history.current(), window_days=780, half_life_days=120), seed=1)


async def refusal(call) -> tuple[grpc.StatusCode, str]:
    """How a call fails: its code and the bytes of its details as text."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    return caught.value.code(), details.decode(errors="replace")


async def test_books_and_prices_over_grpc(mesh: Servers, market: Market) -> None:
    """Every answer and every refusal of the contract, from a socket."""
    async with running(mesh, market, 1) as (instance,), served(mesh, instance, "marketdata-1") as server:
        stub = server.stub
        await eventually(lambda: len(instance.state()) == len(PAIRS))
        book = (await stub.GetBook(books_pb.GetBookRequest(**EURUSD, depth=3))).book
        assert (book.instrument, book.source, book.health) == ("EUR/USD", FEED, quote_pb2.QUOTE_HEALTH_LIVE)
        assert [len(book.bids), len(book.asks)] == [3, 3]
        assert book.bids[2].price < book.bids[1].price < book.bids[0].price < book.asks[0].price < book.asks[2].price
        assert len((await stub.GetBook(books_pb.GetBookRequest(**EURUSD, source=FEED))).book.bids) == 10
        request = books_pb.GetTieredPricesRequest(**EURUSD, quantities=[1e6, 50e6, 1e12])
        prices = (await stub.GetTieredPrices(request)).prices
        assert [p.quantity for p in prices] == [1e6, 50e6, 1e12]
        assert prices[0].ask.average_price < prices[1].ask.average_price < prices[1].ask.worst_price
        assert prices[0].bid.average_price > prices[1].bid.average_price > prices[1].bid.worst_price
        assert prices[2].bid.unfilled_quantity > 0
        assert prices[2].bid.filled_quantity + prices[2].bid.unfilled_quantity == 1e12
        cross = reference_pb.Instrument(name="EUR/JPY", base="EUR", counter="JPY", version=1)
        instance.catalogue.take([cross])
        for call, wrong, code, word in (
            (stub.GetBook, {"counter": "XXX"}, grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
            (stub.GetBook, {"counter": "JPY"}, grpc.StatusCode.UNAVAILABLE, "NO_QUOTE"),
            (stub.GetBook, {"source": "nobody"}, grpc.StatusCode.UNAVAILABLE, "NO_QUOTE"),
            (stub.GetBook, {"depth": 1001}, grpc.StatusCode.INVALID_ARGUMENT, "depth"),
        ):
            found = await refusal(call(books_pb.GetBookRequest(**EURUSD | wrong)))
            assert found[0] is code, wrong
            assert word in found[1]
        for quantities in ([], [0.0], [-1.0], [float("nan")], [1.0, 1.0], [1e16]):
            request = books_pb.GetTieredPricesRequest(**EURUSD, quantities=quantities)
            code, details = await refusal(stub.GetTieredPrices(request))
            assert code is grpc.StatusCode.INVALID_ARGUMENT, quantities
            assert "quantities" in details


@pytest.mark.parametrize("how", [{"source": FEED}, {}, {"depth": 2}, {"source": FEED, "depth": 1}])
async def test_a_stream_of_books_resumes_on_another_instance(mesh: Servers, market: Market, how: dict) -> None:
    """Put together by their sequences, the books are those of the log; the cursor continues elsewhere."""
    wanted = books_pb.StreamBookRequest(instruments=["EUR/USD", "USD/JPY"], max_messages=20, **how)
    reading = BookStream(list(wanted.instruments), **how)
    async with (
        running(mesh, market, 2) as (first, second),
        served(mesh, first, "marketdata-1") as one,
        served(mesh, second, "marketdata-2") as other,
    ):
        await eventually(lambda: all(len(i.state()) == len(PAIRS) for i in (first, second)))
        for server in (one, other, one, other):
            messages = [m async for m in server.stub.StreamBook(wanted)]
            assert [m.position.sequence for m in messages] == list(range(1, 22))
            assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
            events = [e for m in messages for e in reading._taken(m)]
            assert not [e for e in events if isinstance(e, Gap)]
            wanted.resume_cursor = messages[-1].position.cursor
        log = await whole_log(first.events)
        for name in wanted.instruments:
            book = reading.books[name]
            bids = bids_at(log, name, book.sequence)
            depth = how.get("depth", 0)
            assert [tuple(level) for level in book.bids()] == (bids[:depth] if depth else bids)
        for cursor, code, word in (
            (Cursor(1, 1).encode(BOOKS), grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED"),
            (Cursor(1, 1).encode(QUOTES), grpc.StatusCode.INVALID_ARGUMENT, "resume_cursor"),
        ):
            wanted.resume_cursor = cursor
            found = await refusal(anext(aiter(one.stub.StreamBook(wanted))))
            assert found[0] is code
            assert word in found[1]


def bids_at(log: list[events_pb.BooksPublished], name: str, sequence: int) -> list[tuple[float, float]]:
    """The bids of a book after a change, by the log."""
    bids: dict[float, float] = {}
    for change in (c for entry in log for c in entry.changes):
        whole = change.WhichOneof("change") == "snapshot"
        if (change.snapshot if whole else change.diff).instrument != name:
            continue
        if whole and change.snapshot.sequence <= sequence:
            bids = {level.price: level.quantity for level in change.snapshot.bids}
        elif not whole and change.diff.last_sequence <= sequence:
            apply(bids, change.diff.bids)
    return sorted(bids.items(), reverse=True)


async def test_a_draining_server_ends_its_streams_with_a_cursor(mesh: Servers, market: Market) -> None:
    """The stream says DRAINING; a reader that resumes has every change once."""
    reading = BookStream(["EUR/USD"], source=FEED)
    wanted = books_pb.StreamBookRequest(instruments=["EUR/USD"], source=FEED)
    sequences: list[int] = []

    async with running(mesh, market, 2) as (first, second), served(mesh, second, "marketdata-2") as other:
        await eventually(lambda: "EUR/USD" in second.state() and "EUR/USD" in first.state())

        async def read(stub: books_grpc.BookServiceStub) -> None:
            async for message in stub.StreamBook(wanted):
                wanted.resume_cursor = message.position.cursor
                for event in reading._taken(message):
                    assert isinstance(event, LiveBook)
                    sequences.append(event.sequence)
            assert message.end.reason in (
                stream_pb2.STREAM_END_REASON_DRAINING,
                stream_pb2.STREAM_END_REASON_COMPLETE,
            )

        async with served(mesh, first, "marketdata-1") as one:
            task = asyncio.create_task(read(one.stub))
            await eventually(lambda: len(sequences) > 5)
            one.stopping.set()
            await task
        wanted.max_messages = 5
        await read(other.stub)
        assert sequences == list(range(sequences[0], sequences[-1] + 1))


def thick_entry(number: int) -> events_pb.BooksPublished:
    """An entry by hand: the first with a whole book, the others with ten changes of it, of twenty levels each."""
    entry = events_pb.BooksPublished(epoch=1)
    if number == 1:
        entry.changes.add().snapshot.CopyFrom(pb.Book(instrument="EUR/USD", sequence=1, health=1))
        return entry
    for sequence in range(10 * number - 18, 10 * number - 8):
        diff = entry.changes.add().diff
        diff.instrument, diff.first_sequence, diff.last_sequence, diff.health = "EUR/USD", sequence, sequence, 1
        for level in range(20):
            price, quantity = 1.0 + (sequence + level) % 50 / 1e4, 1e6 + sequence
            diff.bids.add(action=pb.BOOK_UPDATE_ACTION_CHANGE, price=price, quantity=quantity)
    return entry


async def test_a_reader_that_stops_reading_costs_nobody_anything(mesh: Servers, market: Market) -> None:
    """The other client has every change; it itself has a whole book when it reads again, and the number of changes that
    it was not told."""
    instance = Instance(mesh, market)
    instance.events = await Events.open(mesh.runtime("marketdata"))
    instance.books = Books(instance.events, [FEED], SETTINGS, structlog.get_logger())
    board = instance.books.board
    await instance.books.follower.catch_up()
    board.apply(thick_entry(1), FEED, 1)
    async with served(mesh, instance, "marketdata-1") as server:
        wanted = books_pb.StreamBookRequest(instruments=["EUR/USD"], source=FEED)
        wanted.heartbeat_interval.FromMilliseconds(200)
        slow, fast = BookStream(["EUR/USD"], source=FEED), BookStream(["EUR/USD"], source=FEED)
        stopped, quick = server.stub.StreamBook(wanted), server.stub.StreamBook(wanted)
        told = list(slow._taken(await stopped.read()))
        list(fast._taken(await quick.read()))
        # Far more than the windows of both ends take.
        for number in range(2, 2_002):
            board.apply(thick_entry(number), FEED, number)
            while fast.books["EUR/USD"].sequence < 10 * number - 9:
                assert not [e for e in fast._taken(await quick.read()) if isinstance(e, Gap)]
        quick.cancel()
        last = board.held("EUR/USD", FEED)
        assert last is not None
        while slow.books["EUR/USD"].sequence < last.sequence:
            told += slow._taken(await stopped.read())
        stopped.cancel()
        gaps = [e for e in told if isinstance(e, Gap)]
        assert len(gaps) >= 1
        assert sum(g.missing_count for g in gaps) + len(told) - len(gaps) == last.sequence
        assert slow.books["EUR/USD"].bids() == last.ladder.bids.levels()
    await instance.events.close()
