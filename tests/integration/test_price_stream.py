"""Streams of prices through real servers: what is sent, resumed, marked, shared, and what a slow reader costs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import pricing_service_pb2 as prices_pb
from crossrate.api.pricing.v1 import product_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.price_stream_service_pb2_grpc import PriceStreamServiceStub
from crossrate.rpc.call import new_request_id
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from tests.integration.conftest import eventually
from tests.integration.desk import WEDNESDAY, Desk, desk
from tests.unit.pricing import desk as market_desk

# One database and one pair of servers for most of it.
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

LIVE, STALE = quote_pb2.QUOTE_HEALTH_LIVE, quote_pb2.QUOTE_HEALTH_STALE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Desk]:
    """The services with a market."""
    async with desk() as made:
        await made.put()
        yield made


@pytest.fixture
def house(running: Desk) -> Desk:
    """The desk on a Wednesday with two live pairs."""
    running.turn.now = None
    running.upstream.tick("EUR/USD", 1.0799, 1.0801)
    running.upstream.tick("USD/JPY", 149.9, 150.1)
    return running


def spot(instrument: str = "EUR/USD") -> product_pb2.Product:
    """A million of a pair."""
    return product_pb2.Product(instrument=instrument, spot=product_pb2.Spot(notional=1e6))


def option(strike: float = 1.09, expiry: str = "3M") -> product_pb2.Product:
    """A call on EUR/USD."""
    terms = product_pb2.Vanilla(
        put_or_call=product_pb2.PUT_OR_CALL_CALL,
        expiry=expiry,
        cut=product_pb2.EXPIRY_CUT_NEW_YORK,
        strike=strike,
        notional=1e6,
    )
    return product_pb2.Product(instrument="EUR/USD", vanilla=terms)


class Reader:
    """A client of one stream."""

    def __init__(
        self,
        house: Desk,
        *products: product_pb2.Product,
        streams: PriceStreamServiceStub | None = None,
        **other: object,
    ) -> None:
        values = {"market": "house", "heartbeat_interval": Duration(seconds=60)} | other
        self.call = (streams or house.streams).StreamPrices(pb.StreamPricesRequest(products=products, **values))
        self.cursor = ""
        self.sequence = 0

    async def message(self) -> pb.StreamPricesResponse:
        """The next message, whose number is the next."""
        message = await asyncio.wait_for(self.call.read(), 60)
        assert message is not grpc.aio.EOF
        self.sequence += 1
        assert message.position.sequence == self.sequence
        self.cursor = message.position.cursor
        return message

    async def prices(self) -> pb.PriceUpdate:
        """The next message, which carries prices."""
        message = await self.message()
        assert message.WhichOneof("event") == "prices", message
        return message.prices

    async def failure(self) -> Failure:
        """How the stream fails before its first message."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(self.call.read(), 60)
        found = failure_of(caught.value)
        assert found is not None, caught.value
        return found


@contextlib.asynccontextmanager
async def reading(house: Desk, *products: product_pb2.Product, **other: object) -> AsyncIterator[Reader]:
    """A reader that has gone, also on the server, when the block ends."""
    reader = Reader(house, *products, **other)
    try:
        yield reader
    finally:
        reader.call.cancel()


async def nobody_listens(house: Desk) -> None:
    """Returns when the last stream to marketdata is closed."""
    await eventually(lambda: not house.live.following and not house.upstream.service.open)


async def test_only_what_changed_is_sent(house: Desk) -> None:
    """First every product, then those of the pair that ticked, priced at its mid; a new version sends all."""
    async with reading(house, spot(), spot("USD/JPY"), option()) as reader:
        first = await reader.prices()
        assert [p.index for p in first.prices] == [0, 1, 2]
        assert [p.quote_health for p in first.prices] == [LIVE] * 3
        assert first.prices[0].price.par_rate == pytest.approx(1.08, rel=1e-15)
        assert first.prices[0].quote_receive_time.seconds == WEDNESDAY.timestamp()
        assert (first.prices[1].spot.bid, first.prices[1].spot.source) == (149.9, "test")
        house.upstream.tick("EUR/USD", 1.0899, 1.0901)
        second = await reader.prices()
        assert [p.index for p in second.prices] == [0, 2]
        assert second.prices[0].price.par_rate == pytest.approx(1.09, rel=1e-15)
        assert second.prices[1].price.unit_price > first.prices[2].price.unit_price
        version = await house.put(USD=0.05)
        third = await reader.prices()
        assert [p.index for p in third.prices] == [0, 1, 2]
        assert third.market_version == version > second.market_version
        assert third.prices[2].price.unit_price != second.prices[1].price.unit_price
    await nobody_listens(house)


async def test_a_price_is_the_one_that_price_gives(house: Desk) -> None:
    """On a snapshot of the same quote and version, at the same moment."""
    taken = await house.snapshots.TakeSnapshot(
        kept.TakeSnapshotRequest(request_id=new_request_id(), market="house", instruments=["EUR/USD"])
    )
    async with reading(house, option(), max_messages=1) as reader:
        (streamed,) = (await reader.prices()).prices
    asked = prices_pb.PriceRequest(product=option(), snapshot_id=taken.snapshot.id)
    asked_price = await house.prices.Price(asked)
    asked_price.snapshot_id = ""
    assert streamed.price == asked_price
    await nobody_listens(house)


async def test_a_bad_quote_is_marked(house: Desk) -> None:
    """STALE, GAPPED, CROSSED and CLOSED come with the price; a pair without a quote has a problem until it has one."""
    async with reading(house, spot()) as reader:
        await reader.prices()
        for name in ("STALE", "GAPPED", "CROSSED", "CLOSED", "LIVE"):
            health = quote_pb2.QuoteHealth.Value(f"QUOTE_HEALTH_{name}")
            house.upstream.tick("EUR/USD", 1.0801, 1.0799 if name == "CROSSED" else 1.0803, health)
            (price,) = (await reader.prices()).prices
            assert price.quote_health == health
            assert price.price.par_rate > 1.0
    async with reading(house, spot("EUR/JPY")) as reader:
        (price,) = (await reader.prices()).prices
        assert price.WhichOneof("result") == "problem"
        assert Failure.from_status(price.problem).reason is ErrorReason.NO_QUOTE
        assert not price.HasField("spot")
        house.upstream.tick("EUR/JPY", 161.9, 162.1)
        (price,) = (await reader.prices()).prices
        assert price.price.par_rate == pytest.approx(162.0)
    await nobody_listens(house)


async def test_a_stream_resumes_where_it_was(house: Desk) -> None:
    """With a cursor only what changed since comes; a cursor of other products, or none at all, is refused."""
    products = (spot(), spot("USD/JPY"))
    async with reading(house, *products) as reader:
        await reader.prices()
        cursor = reader.cursor
    house.upstream.tick("USD/JPY", 150.0, 150.2)
    async with reading(house, *products, resume_cursor=cursor) as reader:
        assert [p.index for p in (await reader.prices()).prices] == [1]
        cursor = reader.cursor
    beat = Duration(nanos=100_000_000)
    async with reading(house, *products, resume_cursor=cursor, heartbeat_interval=beat) as reader:
        assert (await reader.message()).WhichOneof("event") == "heartbeat"
        house.upstream.tick("EUR/USD", 1.081, 1.0812)
        while (message := await reader.message()).WhichOneof("event") == "heartbeat":
            pass
        assert [p.index for p in message.prices.prices] == [0]
    for wanted, text in ((products[:1], cursor), (products, "AAAA"), (products, "nothing"), (products, cursor[4:])):
        refused = await Reader(house, *wanted, resume_cursor=text).failure()
        assert [v.field for v in refused.violations] == ["resume_cursor"]
    await nobody_listens(house)


async def test_all_readers_share_one_stream_of_quotes(house: Desk) -> None:
    """However many read; a new pair opens it anew; it is closed when nobody reads."""
    assert house.upstream.service.open == 0
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            reader = await stack.enter_async_context(reading(house, spot(), option()))
            await reader.prices()
        assert house.live.following == {"EUR/USD"}
        await eventually(lambda: house.upstream.service.open == 1)
        other = await stack.enter_async_context(reading(house, spot("USD/JPY")))
        await other.prices()
        assert house.live.following == {"EUR/USD", "USD/JPY"}
        await eventually(lambda: house.upstream.service.open == 1)
    await nobody_listens(house)


async def test_what_ticks_together_is_one_call_of_the_kernel(house: Desk) -> None:
    """Ten readers of different options and the same ones: one tick, one call."""
    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for i in range(10):
            made = (option(1.05 + i // 2 / 100), option(1.2))
            readers.append(await stack.enter_async_context(reading(house, *made)))
        for reader in readers:
            await reader.prices()
        house.queue.calls = 0
        house.upstream.tick("EUR/USD", 1.0701, 1.0703)
        updates = [await reader.prices() for reader in readers]
        assert house.queue.calls == 1
        assert {u.prices[1].price.unit_price for u in updates} == {updates[0].prices[1].price.unit_price}
    await nobody_listens(house)


async def test_conflation_leaves_out_and_counts(house: Desk) -> None:
    """The newest comes once in the interval, with the exact number of quotes that it replaced."""
    async with reading(house, spot(), conflation_interval=Duration(nanos=300_000_000)) as reader:
        await reader.prices()
        left_out = received = 0
        for i in range(50):
            house.upstream.tick("EUR/USD", 1.05 + i / 1000, 1.0502 + i / 1000)
        while True:
            update = await reader.prices()
            left_out, received = left_out + update.conflated_count, received + 1
            if update.prices[0].spot.bid == pytest.approx(1.099):
                break
        assert left_out + received == 50
        assert received < 50
    await nobody_listens(house)


async def test_a_slow_reader_costs_nobody_anything(house: Desk) -> None:
    """While one does not read, another gets every tick at once; then the slow one has the newest and a true count."""
    products = [option(1.0 + i / 1000) for i in range(50)]
    count = 300
    # A client that lets little be on its way to it: what it does not read stands in the service.
    options = [
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 65_536),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    socket = house.servers.place.service_socket("pricing-1")
    async with (
        grpc.aio.insecure_channel(f"unix:{socket}", options) as channel,
        reading(house, *products, streams=PriceStreamServiceStub(channel)) as slow,
    ):
        await slow.prices()
        async with reading(house, spot()) as quick:
            await quick.prices()
            for i in range(count):
                house.upstream.tick("EUR/USD", 1.05 + i / 1e4, 1.0502 + i / 1e4)
                assert (await quick.prices()).prices[0].spot.bid == pytest.approx(1.05 + i / 1e4)
        received = left_out = 0
        newest = 0.0
        while newest != pytest.approx(1.05 + (count - 1) / 1e4):
            update = await slow.prices()
            received, left_out = received + 1, left_out + update.conflated_count
            newest = update.prices[0].spot.bid
        assert received + left_out == count
        assert received < count / 2
    await nobody_listens(house)


async def test_a_quoted_market_is_calibrated_with_each_tick(house: Desk) -> None:
    """Points and deltas move with spot; a cross needs the pair that implies its curve, and is as good as the worst."""
    await house.snapshots.PutMarket(market_desk.put())
    house.queue.calls = 0
    async with reading(house, option(), spot("EUR/JPY"), market="desk") as reader:
        house.upstream.tick("EUR/JPY", 161.9, 162.1)
        first = await reader.prices()
        while first.prices[-1].WhichOneof("result") == "problem":
            first = await reader.prices()
        assert house.live.following == {"EUR/USD", "USD/JPY", "EUR/JPY"}
        house.upstream.tick("EUR/USD", 1.0999, 1.1001)
        second = await reader.prices()
        assert [p.index for p in second.prices] == [0, 1], "the euro's curve comes from points over EUR/USD"
        taken = await house.snapshots.TakeSnapshot(
            kept.TakeSnapshotRequest(request_id=new_request_id(), market="desk", instruments=["EUR/USD"])
        )
        asked = prices_pb.PriceRequest(product=option(), snapshot_id=taken.snapshot.id)
        assert second.prices[0].price.unit_price == (await house.prices.Price(asked)).unit_price
        house.upstream.tick("USD/JPY", 149.9, 150.1, STALE)
        third = await reader.prices()
        assert [(p.index, p.quote_health) for p in third.prices] == [(1, STALE)]
        house.upstream.tick("EUR/USD", 0.0009, 0.0011)
        problem = (await reader.prices()).prices[0].problem
        assert "gives no market" in Failure.from_status(problem).message
        house.upstream.tick("EUR/USD", 1.0799, 1.0801)
        assert (await reader.prices()).prices[0].WhichOneof("result") == "price"
    await nobody_listens(house)


async def test_a_product_that_expires_has_a_problem(house: Desk) -> None:
    """The stream goes on with the others."""
    async with reading(house, option(expiry="ON"), spot()) as reader:
        assert (await reader.prices()).prices[0].WhichOneof("result") == "price"
        house.turn.now = WEDNESDAY + timedelta(days=1)
        house.upstream.tick("EUR/USD", 1.0799, 1.0801)
        assert (await reader.prices()).prices[0].WhichOneof("result") == "price", "a tenor follows the clock"
    async with reading(house, option(expiry="2026-03-09"), spot()) as reader:
        await reader.prices()
        house.turn.now = WEDNESDAY + timedelta(days=6)
        house.upstream.tick("EUR/USD", 1.0799, 1.0801)
        expired, other = (await reader.prices()).prices
        assert Failure.from_status(expired.problem).violations[0].field == "products[0].vanilla.expiry"
        assert other.WhichOneof("result") == "price"
    await nobody_listens(house)


async def test_what_streams_refuse(house: Desk) -> None:
    """A product that cannot be priced by its path, a market that is not there, a curve that it lacks."""
    refused = await Reader(house, spot(), option(expiry="2026-03-07")).failure()
    assert [v.field for v in refused.violations] == ["products[1].vanilla.expiry"]
    assert (await Reader(house, spot(), market="nowhere").failure()).metadata["resource"] == "market"
    assert (await Reader(house, spot("USD/EUR")).failure()).metadata["resource"] == "instrument"
    house.upstream.tick("GBP/USD", 1.27, 1.2702)
    assert (await Reader(house, spot("GBP/USD")).failure()).metadata == {"resource": "curve", "name": "GBP"}
    await nobody_listens(house)


async def test_a_stream_ends_with_its_reason(house: Desk) -> None:
    """COMPLETE after the messages that were asked for; the end has the last cursor."""
    async with reading(house, spot(), max_messages=1) as reader:
        await reader.prices()
        cursor = reader.cursor
        end = await reader.message()
        assert end.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
        assert end.position.cursor == cursor
        assert await reader.call.read() is grpc.aio.EOF
    await nobody_listens(house)


async def test_marketdata_may_go_and_come_back() -> None:
    """A drain and a new instance: the stream goes on with the next tick; silence before that turns the quotes stale."""
    async with desk(silence_s_max=0.4) as house:
        await house.put()
        house.upstream.tick("EUR/USD", 1.0799, 1.0801)
        async with reading(house, spot()) as reader:
            await reader.prices()
            await house.upstream.stop()
            # A machine that stands still for the length of the silence is silence too, and has gone by now.
            await eventually(lambda: house.live.silent)
            async with asyncio.timeout(60):
                while (price := (await reader.prices()).prices[0]).quote_health != STALE:
                    pass
            assert price.price.par_rate == pytest.approx(1.08, rel=1e-15)
            async with reading(house, spot(), spot("USD/JPY")) as late:
                # A stream that is opened meanwhile does not make the old quote young.
                found = [p.quote_health for p in (await late.prices()).prices]
                assert found[0] == STALE
            await house.upstream.start()
            async with asyncio.timeout(60):
                while price.quote_health != LIVE:
                    (price,) = (await reader.prices()).prices
                house.upstream.tick("EUR/USD", 1.0899, 1.0901)
                while price.spot.bid != pytest.approx(1.0899) or price.quote_health != LIVE:
                    (price,) = (await reader.prices()).prices


async def test_a_drain_ends_streams_with_their_cursor() -> None:
    """DRAINING, with the cursor from which another instance goes on; nothing of pricing is left listening."""
    async with desk() as house:
        await house.put()
        house.upstream.tick("EUR/USD", 1.0799, 1.0801)
        async with reading(house, spot()) as reader:
            await reader.prices()
            cursor = reader.cursor
            house.runtime.stopping.set()
            end = await reader.message()
            assert end.end.reason == stream_pb2.STREAM_END_REASON_DRAINING
            assert end.position.cursor == cursor
