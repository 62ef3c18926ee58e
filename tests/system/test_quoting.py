"""Prices and quotes through the whole mesh: real quotes, real reference, live rules, restarts."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal

import grpc
import pytest

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as marketdata_pb
from crossrate.api.pricing.v1 import market_pb2, product_pb2, quote_pb2
from crossrate.api.pricing.v1 import price_stream_service_pb2 as pb
from crossrate.api.pricing.v1 import quoting_service_pb2 as quoting_pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept_pb
from crossrate.api.pricing.v1.price_stream_service_pb2_grpc import PriceStreamServiceStub
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceStub
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference_pb
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from crossrate.rpc.errors import failure_of
from tests.mesh import Mesh

pytestmark = pytest.mark.system

MARKET = "system-test"
SPOT = product_pb2.Product(instrument="EUR/USD", spot=product_pb2.Spot(notional=1))


def local(mesh: Mesh, service: str) -> grpc.aio.Channel:
    """A channel to an instance's own socket, as the local operator; the newest instance, should there be several."""
    sockets = [s for i in range(1, 10) if (s := mesh.place.service_socket(f"{service}-{i}")).exists()]
    return grpc.aio.insecure_channel(f"unix:{sockets[-1]}")


def identity() -> str:
    """A new request id."""
    return str(uuid.uuid4())


@pytest.fixture
async def market(mesh: Mesh) -> AsyncIterator[None]:
    """A market, and rules that quote on it at any time of the week."""
    async with local(mesh, "pricing") as channel:
        curves = [market_pb2.Curve(currency=c, time=[1.0], rate=[r]) for c, r in (("EUR", 0.02), ("USD", 0.04))]
        await SnapshotServiceStub(channel).PutMarket(
            kept_pb.PutMarketRequest(request_id=identity(), name=MARKET, curves=curves, comment="a test")
        )
    values = (f'market="{MARKET}"', "outside_sessions=true", "age_max_s=30")
    mesh.command("config", "set", "pricing", *values, "-m", "a test")
    yield
    mesh.command("config", "set", "pricing", "quoting=true", "-m", "the test is over")


async def until_configured(mesh: Mesh, stub: QuotingServiceStub) -> quote_pb2.ExecutableQuote:
    """A two-way quote of a million EUR/USD, as soon as the instance has the rules of the test."""
    async with asyncio.timeout(60):
        while True:
            request = quoting_pb.RequestQuoteRequest(
                request_id=identity(), product=SPOT, side=quote_pb2.QUOTE_SIDE_TWO_WAY, amount="1000000"
            )
            with contextlib.suppress(grpc.aio.AioRpcError):
                return (await stub.RequestQuote(request)).quote
            await asyncio.sleep(0.1)


async def test_a_quote_through_the_mesh_is_taken_once(mesh: Mesh, market: None) -> None:
    """Live rules and quotes, a status of reference, and the edge lets nobody without a role ask or take."""
    async with local(mesh, "pricing") as channel, local(mesh, "reference") as other, mesh.edge_channel() as edge:
        stub = QuotingServiceStub(channel)
        quote = await until_configured(mesh, stub)
        assert Decimal(quote.bid.px) < Decimal(quote.offer.px)
        assert quote.explanation.config_version > 0
        take = quoting_pb.TakeQuoteRequest(
            request_id=identity(), quote_id=quote.quote_id, side=quote_pb2.QUOTE_SIDE_BUY, comment="a test"
        )
        for call in (
            QuotingServiceStub(edge).TakeQuote(take),
            QuotingServiceStub(edge).RequestQuote(
                quoting_pb.RequestQuoteRequest(
                    request_id=identity(), product=SPOT, side=quote_pb2.QUOTE_SIDE_BUY, amount="1000000"
                )
            ),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        answer = await stub.TakeQuote(take)
        assert answer.quote.state == quote_pb2.QUOTE_STATE_EXECUTED
        assert await stub.TakeQuote(take) == answer

        async def set_status(status: int) -> None:
            await ReferenceServiceStub(other).SetInstrumentStatus(
                reference_pb.SetInstrumentStatusRequest(
                    request_id=identity(), base="EUR", counter="USD", status=status, comment="a test"
                )
            )

        await set_status(instrument_pb2.INSTRUMENT_STATUS_HALTED)
        try:
            request = quoting_pb.RequestQuoteRequest(
                request_id=identity(), product=SPOT, side=quote_pb2.QUOTE_SIDE_BUY, amount="1000000"
            )
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.RequestQuote(request)
            found = failure_of(caught.value)
            assert found is not None
            assert found.metadata == {"state": "HALTED"}
        finally:
            await set_status(instrument_pb2.INSTRUMENT_STATUS_TRADING)


async def test_a_stream_of_prices_outlives_restarts(mesh: Mesh, market: None) -> None:
    """Through the edge: marketdata restarts within one stream; pricing restarts, and the cursor resumes on the next
    instance."""
    async with mesh.edge_channel() as edge:
        stub, request = PriceStreamServiceStub(edge), pb.StreamPricesRequest(products=[SPOT], market=MARKET)

        async def live_prices(call: grpc.aio.UnaryStreamCall, count: int) -> str:
            """Reads so many prices on live quotes, and returns the cursor of the last."""
            sequence = 0
            async with asyncio.timeout(60):
                while True:
                    message = await call.read()
                    assert message is not grpc.aio.EOF
                    kind = message.WhichOneof("event")
                    assert kind in ("prices", "heartbeat"), message
                    if kind == "prices" and message.prices.prices[0].quote_health == marketdata_pb.QUOTE_HEALTH_LIVE:
                        (price,) = message.prices.prices
                        assert price.price.par_rate == pytest.approx((price.spot.bid + price.spot.ask) / 2)
                        assert price.spot.sequence > sequence
                        sequence, count = price.spot.sequence, count - 1
                    if not count:
                        return message.position.cursor

        call = stub.StreamPrices(request)
        await live_prices(call, 3)
        await asyncio.to_thread(mesh.command, "restart", "marketdata")
        await live_prices(call, 3)
        restart = asyncio.create_task(asyncio.to_thread(mesh.command, "restart", "pricing"))
        async with asyncio.timeout(60):
            while (message := await call.read()).WhichOneof("event") != "end":
                assert message.WhichOneof("event") in ("prices", "heartbeat")
        assert message.end.reason == stream_pb2.STREAM_END_REASON_DRAINING
        request.resume_cursor = message.position.cursor
        resumed = stub.StreamPrices(request)
        await live_prices(resumed, 3)
        await restart
        resumed.cancel()
