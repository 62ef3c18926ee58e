"""`pricing` on a real PostgreSQL: what is put stays, and every call of its contract through a real server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.pricing.v1 import batch_pb2, market_pb2, product_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import (
    PricingServiceStub,
    add_PricingServiceServicer_to_server,
)
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import (
    SnapshotServiceStub,
    add_SnapshotServiceServicer_to_server,
)
from crossrate.basics.pair import Pair
from crossrate.kernel import vanilla
from crossrate.rpc import arrays, errors
from crossrate.rpc.call import new_request_id
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Topology
from crossrate.store.database import Database
from services.pricing import main
from services.pricing.kernel_queue import KernelQueue
from services.pricing.library import Library
from services.pricing.pricer import Pricer
from services.pricing.service import PricingService, SnapshotService
from services.pricing.store import PostgresStore
from tests.integration.conftest import Servers, eventually

# One database and one server for all of it: starting them takes longer than the tests.
pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TOPOLOGY = Topology(services={"control": Service(), "pricing": Service(database=True)})
NOW = datetime(2026, 3, 4, 14, 0, 0, 250_000, tzinfo=UTC)
INLINE_MAX = 1000
OPTIONS_MANY = INLINE_MAX + 500


@dataclass
class Quotes:
    """Marketdata with quotes that stand still; what is not there has none."""

    quoted: dict[str, tuple[float, float]] = field(default_factory=dict)
    asked: int = 0

    async def spots(self, pairs: Sequence[Pair]) -> list[market_pb2.SpotRate]:
        """See the service's port."""
        self.asked += bool(pairs)
        for pair in pairs:
            if str(pair) not in self.quoted:
                raise errors.no_quote(str(pair), "CLOSED")
        return [
            market_pb2.SpotRate(instrument=str(p), bid=self.quoted[str(p)][0], ask=self.quoted[str(p)][1], source="s")
            for p in pairs
        ]


@dataclass
class Served:
    """A running instance, clients of its socket, and what stands behind it."""

    prices: PricingServiceStub
    snapshots: SnapshotServiceStub
    quotes: Quotes
    queue: KernelQueue
    servers: Servers
    store: PostgresStore
    database: Database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving() -> AsyncIterator[Served]:
    """The service as its main wires it, with a clock and quotes that stand still, called as the local operator."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(TOPOLOGY)
        runtime = open_runtime(RuntimeSettings(service="pricing", instance="pricing-1", settle_s=0), servers.place)
        database = await Database.open(servers.runtime("pricing"), main.MIGRATIONS)
        store, quotes, queue = PostgresStore(database), Quotes(), KernelQueue(INLINE_MAX, 400)
        library = Library(store, snapshots_held_max=1, markets_held_max=1)
        server = Server(runtime)
        snapshots = SnapshotService(store, library, quotes, lambda: NOW, new_request_id)
        server.add(add_SnapshotServiceServicer_to_server, snapshots)
        server.add(add_PricingServiceServicer_to_server, PricingService(library, queue, Pricer(queue, lambda: NOW)))
        running = asyncio.create_task(server.serve())
        options = [("grpc.max_receive_message_length", 16 << 20)]
        async with grpc.aio.insecure_channel(f"unix:{server.socket}", options=options) as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            await eventually(lambda: servers.place.registration("pricing-1").exists())
            stubs = PricingServiceStub(channel), SnapshotServiceStub(channel)
            yield Served(*stubs, quotes, queue, servers, store, database)
        runtime.stopping.set()
        await asyncio.wait_for(running, 60)
        queue.close()
        await database.close()
    finally:
        await asyncio.to_thread(servers.remove)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def served(serving: Served) -> Served:
    """The service with the quotes that it had in the beginning."""
    serving.quotes.quoted, serving.quotes.asked, serving.queue.calls = {"EUR/USD": (1.0799, 1.0801)}, 0, 0
    return serving


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found


def fields(found: Failure) -> list[str]:
    """The paths of the fields that were refused."""
    assert found.reason is ErrorReason.INVALID_REQUEST, found
    return [violation.field for violation in found.violations]


def put(**other: object) -> kept.PutMarketRequest:
    """A market of three currencies with a smile for EUR/USD."""
    flat = {"USD": 0.04, "EUR": 0.02, "JPY": 0.005}
    smile = market_pb2.Smile(time=0.5, strike=[1.0, 1.1, 1.2], volatility=[0.09, 0.08, 0.085])
    request = kept.PutMarketRequest(
        request_id=str(uuid.uuid4()),
        name="house",
        curves=[market_pb2.Curve(currency=code, time=[1.0], rate=[rate]) for code, rate in flat.items()],
        surfaces=[market_pb2.Surface(instrument="EUR/USD", smiles=[smile])],
        comment="a test",
    )
    request.MergeFrom(kept.PutMarketRequest(**other))
    return request


def take(**other: object) -> kept.TakeSnapshotRequest:
    """A snapshot of the live EUR/USD and of a USD/JPY that is given."""
    given = market_pb2.SpotRate(instrument="USD/JPY", bid=149.9, ask=150.1, source="desk")
    request = kept.TakeSnapshotRequest(
        request_id=str(uuid.uuid4()), market="house", instruments=["EUR/USD"], spots=[given]
    )
    request.MergeFrom(kept.TakeSnapshotRequest(**other))
    return request


def vanilla_product(notional: float = 1e6, expiry: str = "6M") -> product_pb2.Product:
    """A call on EUR/USD."""
    terms = product_pb2.Vanilla(
        put_or_call=product_pb2.PUT_OR_CALL_CALL,
        expiry=expiry,
        cut=product_pb2.EXPIRY_CUT_NEW_YORK,
        strike=1.1,
        notional=notional,
    )
    return product_pb2.Product(instrument="EUR/USD", vanilla=terms)


async def test_markets_and_snapshots_are_kept_once(served: Served) -> None:
    """Versions count 1, 2, 3; a repetition has the same answer; a snapshot keeps its version when the next is put."""
    stub = served.snapshots
    assert (await stub.PutMarket(put(name="once", validate_only=True))).version == 1
    assert (await failure(stub.GetMarket(kept.GetMarketRequest(name="once")))).reason is ErrorReason.NOT_FOUND
    first = put(name="once")
    answer = await stub.PutMarket(first)
    assert (answer.version, answer.create_time.ToDatetime(UTC)) == (1, NOW)
    assert await stub.PutMarket(first) == answer
    reused = put(name="once", request_id=first.request_id, comment="another")
    assert (await failure(stub.PutMarket(reused))).reason is ErrorReason.REQUEST_ID_REUSED
    conflict = await failure(stub.PutMarket(put(name="once", expected_version=7)))
    assert (conflict.reason, conflict.metadata["actual"]) == (ErrorReason.VERSION_CONFLICT, "1")

    request = take(market="once")
    snapshot = (await stub.TakeSnapshot(request)).snapshot
    assert [s.instrument for s in snapshot.spots] == ["EUR/USD", "USD/JPY"]
    assert (snapshot.market_version, snapshot.as_of.ToDatetime(UTC)) == (1, NOW)
    assert (await stub.PutMarket(put(name="once", expected_version=1))).version == 2
    served.quotes.quoted.clear()
    assert (await stub.TakeSnapshot(request)).snapshot == snapshot
    assert served.quotes.asked == 1
    assert (await stub.GetSnapshot(kept.GetSnapshotRequest(snapshot_id=snapshot.id))).snapshot == snapshot
    old = (await stub.GetMarket(kept.GetMarketRequest(name="once", version=1))).market
    assert (old.version, old.comment, len(old.curves)) == (1, "a test", 3)
    assert (await stub.GetMarket(kept.GetMarketRequest(name="once"))).market.version == 2


async def test_two_writers_at_once_make_two_versions(served: Served) -> None:
    """Ten puts side by side are versions 1 to 10, each once."""
    answers = await asyncio.gather(*(served.snapshots.PutMarket(put(name="raced")) for _ in range(10)))
    assert sorted(answer.version for answer in answers) == list(range(1, 11))


async def test_what_markets_and_snapshots_refuse(served: Served) -> None:
    """Each refusal names the field, and nothing is kept of it."""
    stub = served.snapshots
    twice = market_pb2.Curve(currency="USD", time=[1.0], rate=[0.1])
    assert fields(await failure(stub.PutMarket(put(curves=[twice])))) == ["curves[3].currency"]
    descending = market_pb2.Curve(currency="GBP", time=[2.0, 1.0], rate=[0.1, 0.1])
    assert fields(await failure(stub.PutMarket(put(curves=[descending])))) == ["curves[3].time[1]"]
    short = market_pb2.Curve(currency="GBP", time=[1.0, 2.0], rate=[0.1])
    assert fields(await failure(stub.PutMarket(put(curves=[short])))) == ["curves[3]"]
    assert (await failure(stub.TakeSnapshot(take(market="none")))).metadata == {"resource": "market", "name": "none"}
    await stub.PutMarket(put())
    given_twice = market_pb2.SpotRate(instrument="EUR/USD", bid=1.0, ask=1.0)
    assert fields(await failure(stub.TakeSnapshot(take(spots=[given_twice])))) == ["spots[1].instrument"]
    assert fields(await failure(stub.TakeSnapshot(take(as_of=Timestamp(seconds=1_700_000_000))))) == ["as_of"]
    crossed = market_pb2.SpotRate(instrument="GBP/USD", bid=1.3, ask=1.2)
    assert fields(await failure(stub.TakeSnapshot(take(spots=[crossed])))) == ["spots[1]"]
    closed = await failure(stub.TakeSnapshot(take(instruments=["GBP/USD"])))
    assert (closed.reason, closed.metadata["instrument"]) == (ErrorReason.NO_QUOTE, "GBP/USD")
    unknown = kept.GetSnapshotRequest(snapshot_id=str(uuid.uuid4()))
    assert (await failure(stub.GetSnapshot(unknown))).metadata["resource"] == "snapshot"


async def snapshot_id(served: Served) -> str:
    """The id of a new snapshot."""
    await served.snapshots.PutMarket(put())
    return (await served.snapshots.TakeSnapshot(take())).snapshot.id


async def test_prices_of_a_snapshot_can_be_made_again(served: Served) -> None:
    """The same request has the same answer to the last bit, after another snapshot took its place in memory and after
    PostgreSQL was killed while it is held."""
    first = pb.PriceRequest(product=vanilla_product(), snapshot_id=await snapshot_id(served), reporting_currency="JPY")
    answer = await served.prices.Price(first)
    assert answer.snapshot_id == first.snapshot_id
    assert answer.reporting_value == pytest.approx(answer.valuation.present_value * answer.reporting_rate)
    assert answer.reporting_rate == pytest.approx(150.0, rel=1e-3)
    served.quotes.quoted["EUR/USD"] = (1.2, 1.2)
    other = pb.PriceRequest(product=vanilla_product(), snapshot_id=await snapshot_id(served))
    assert (await served.prices.Price(other)).unit_price > answer.unit_price
    assert await served.prices.Price(first) == answer
    served.servers.kill("postgres")
    try:
        kept_one = kept.GetSnapshotRequest(snapshot_id=first.snapshot_id)

        async def away() -> bool:
            # A backend that has not noticed the death of its parent still answers.
            try:
                await served.snapshots.GetSnapshot(kept_one)
            except grpc.aio.AioRpcError as error:
                found = failure_of(error)
                assert found is not None
                assert (found.reason, found.metadata["dependency"]) == (ErrorReason.DEPENDENCY_UNAVAILABLE, "postgres")
                return True
            return False

        await eventually(away)
        assert await served.prices.Price(first) == answer
    finally:
        await served.servers.start_postgres()
    assert (await served.prices.Price(other)).unit_price > answer.unit_price


async def test_products_agree_with_each_other(served: Served) -> None:
    """Signs, par rates and points of exchanges; a straddle is its put and its call; sold, it is worth the negative."""
    market = market_pb2.FlatMarket(spot=1.08, domestic_rate=0.04, foreign_rate=0.02, volatility=0.1)

    async def price(**terms: object) -> pb.PriceResponse:
        made = product_pb2.Product(instrument="EUR/USD", **terms)
        return await served.prices.Price(pb.PriceRequest(product=made, flat_market=market))

    spot = await price(spot=product_pb2.Spot(notional=1e6))
    assert spot.par_rate == pytest.approx(1.08, rel=1e-15)
    assert spot.valuation.present_value == 0.0
    forward = await price(forward=product_pb2.Forward(value_date="1Y", notional=1e6, rate=1.08))
    assert forward.par_rate == pytest.approx(1.08 * np.exp(0.02 * 367 / 365), rel=1e-12)
    assert forward.valuation.present_value > 0
    swap = await price(swap=product_pb2.Swap(near_date="SP", far_date="1Y", notional=1e6))
    assert swap.par_points == pytest.approx(forward.par_rate - spot.par_rate, rel=1e-12)
    assert swap.valuation.present_value == pytest.approx(0.0, abs=1e-9)
    assert [leg.notional for leg in swap.legs] == [-1e6, 1e6]
    ndf = await price(ndf=product_pb2.Ndf(value_date="1Y", notional=1e6, rate=1.08))
    assert ndf.valuation == forward.valuation
    assert ndf.legs[0].HasField("expiry_date")
    terms = {"expiry": "3M", "cut": product_pb2.EXPIRY_CUT_TOKYO}
    sides = [
        (await price(vanilla=product_pb2.Vanilla(put_or_call=side, strike=1.09, notional=1e6, **terms))).valuation
        for side in (product_pb2.PUT_OR_CALL_PUT, product_pb2.PUT_OR_CALL_CALL)
    ]
    kind = product_pb2.STRATEGY_KIND_STRADDLE
    bought, sold = [
        await price(strategy=product_pb2.Strategy(kind=kind, strikes=[1.09], notional=notional, **terms))
        for notional in (1e6, -1e6)
    ]
    assert bought.valuation.present_value == pytest.approx(sum(side.present_value for side in sides), rel=1e-14)
    assert bought.valuation.vega == pytest.approx(sum(side.vega for side in sides), rel=1e-14)
    assert sold.valuation.present_value == -bought.valuation.present_value
    assert sold.unit_price == bought.unit_price > 0


async def test_what_prices_refuse(served: Served) -> None:
    """Each refusal names the field or what the market lacks."""
    known = await snapshot_id(served)
    price = served.prices.Price
    bad = pb.PriceRequest(product=vanilla_product(expiry="2026-03-07"), snapshot_id=known)
    assert fields(await failure(price(bad))) == ["product.vanilla.expiry"]
    flat = pb.PriceRequest(product=vanilla_product())
    flat.flat_market.spot = 1.1
    assert fields(await failure(price(flat))) == ["flat_market.volatility"]
    forward = product_pb2.Product(instrument="GBP/USD", forward=product_pb2.Forward(value_date="1M", notional=1))
    lacks = await failure(price(pb.PriceRequest(product=forward, snapshot_id=known)))
    assert lacks.metadata == {"resource": "spot rate", "name": "GBP/USD"}
    option = vanilla_product()
    option.instrument = "USD/JPY"
    lacks = await failure(price(pb.PriceRequest(product=option, snapshot_id=known)))
    assert lacks.metadata == {"resource": "surface", "name": "USD/JPY"}
    unknown = pb.PriceRequest(product=vanilla_product(), snapshot_id=str(uuid.uuid4()))
    assert (await failure(price(unknown))).metadata["resource"] == "snapshot"
    option.instrument = "USD/EUR"
    assert (await failure(price(pb.PriceRequest(product=option, snapshot_id=known)))).metadata["name"] == "USD/EUR"
    beyond = pb.PriceRequest(product=vanilla_product(expiry="99Y"), snapshot_id=known)
    assert (await failure(price(beyond))).reason is ErrorReason.OUTSIDE_CALENDAR
    nothing = pb.PriceRequest(product=vanilla_product(0.0), snapshot_id=known)
    assert fields(await failure(price(nothing))) == ["product.vanilla.notional"]


def batch(count: int) -> tuple[pb.PriceBatchRequest, list[np.ndarray]]:
    """Options with a market of their own, and the kernel's arguments for them."""
    rng = np.random.default_rng(count)
    columns = [
        (np.arange(count) % 2).astype(np.int8),
        rng.uniform(1.0, 1.2, count),
        rng.uniform(0.9, 1.3, count),
        rng.uniform(0.01, 3.0, count),
        rng.uniform(0.05, 0.3, count),
        rng.uniform(-0.01, 0.06, count),
        np.full(count, 0.02),
    ]
    sides, spot, strike, time, volatility, domestic, foreign = columns
    request = arrays.put(pb.PriceBatchRequest(), put_or_call=sides.astype(np.int32), strike=strike, time=time)
    given = batch_pb2.BatchMarket()
    arrays.put(given, spot=spot, volatility=volatility, domestic_rate=domestic, foreign_rate=foreign[:1])
    request.given.CopyFrom(given)
    return request, columns


@pytest.mark.parametrize("count", [1, 100, OPTIONS_MANY])
async def test_a_batch_is_what_the_kernel_says(served: Served, count: int) -> None:
    """To the last bit, with and without sensitivities, on the loop and in the thread."""
    request, columns = batch(count)
    answer = await served.prices.PriceBatch(request)
    expected = vanilla.greeks(*columns)
    for name in vanilla.Greeks.__slots__:
        assert np.array_equal(arrays.get(answer, name), getattr(expected, name)), name
    request.price_only = True
    answer = await served.prices.PriceBatch(request)
    assert np.array_equal(arrays.get(answer, "price"), vanilla.price(*columns))
    assert not answer.delta


async def test_the_largest_batch_passes(served: Served) -> None:
    """A hundred thousand options with every array in full are within the contract's bytes; one more is refused."""
    request, columns = batch(100_000)
    arrays.put(request.given, foreign_rate=columns[6])
    answer = await served.prices.PriceBatch(request)
    assert np.array_equal(arrays.get(answer, "vega"), vanilla.greeks(*columns).vega)
    arrays.put(request, strike=np.append(columns[2], 1.0))
    assert fields(await failure(served.prices.PriceBatch(request))) == ["strike"]


async def test_calls_that_arrive_together_are_one_call_of_the_kernel(served: Served) -> None:
    """Fifty small batches side by side need fewer calls of the kernel than fifty, with the same results."""
    made = [batch(count) for count in range(1, 51)]
    answers = await asyncio.gather(*(served.prices.PriceBatch(request) for request, _ in made))
    for answer, (_, columns) in zip(answers, made, strict=True):
        assert np.array_equal(arrays.get(answer, "delta"), vanilla.greeks(*columns).delta)
    assert served.queue.calls < len(made)


@pytest.mark.parametrize("count", [100, OPTIONS_MANY])
async def test_what_batches_refuse(served: Served, count: int) -> None:
    """The first offending element of an array, a length that fits nothing, a place without a pair."""
    call = served.prices.PriceBatch
    for name in ("strike", "time"):
        request, _ = batch(count)
        getattr(request, name)[count - 3] = np.nan
        assert fields(await failure(call(request))) == [f"{name}[{count - 3}]"]
    request, _ = batch(count)
    request.given.volatility[7] = -0.1
    assert fields(await failure(call(request))) == ["given.volatility[7]"]
    request, _ = batch(count)
    request.put_or_call[5] = 2
    assert fields(await failure(call(request))) == ["put_or_call[5]"]
    request, _ = batch(count)
    del request.given.spot[3:]
    assert fields(await failure(call(request))) == ["given.spot"]
    request.snapshot.snapshot_id = await snapshot_id(served)
    request.snapshot.instruments.append("EUR/USD")
    request.snapshot.instrument_index.extend([0] * (count - 1) + [1])
    assert fields(await failure(call(request))) == [f"snapshot.instrument_index[{count - 1}]"]


@pytest.mark.parametrize("count", [3, OPTIONS_MANY])
async def test_a_batch_of_a_snapshot_agrees_with_single_prices(served: Served, count: int) -> None:
    """A batch and a single option see the same smile: the volatility that prices the batch is the single one's."""
    request = pb.PriceBatchRequest(put_or_call=[1], strike=np.linspace(1.0, 1.2, count), time=[0.5])
    request.snapshot.snapshot_id = await snapshot_id(served)
    request.snapshot.instruments.append("EUR/USD")
    answer = await served.prices.PriceBatch(request)
    # The smile was put at half a year, so that its ends and its middle are the volatilities that were put.
    today = 1.08 * np.exp((0.02 - 0.04) * 2 / 365)
    for place, strike, volatility in ((0, 1.0, 0.09), (count - 1, 1.2, 0.085)):
        expected = vanilla.greeks(1, today, strike, 0.5, volatility, 0.04, 0.02)
        assert answer.price[place] == pytest.approx(float(expected.price), rel=1e-13)
        assert answer.delta[place] == pytest.approx(float(expected.delta) * today / 1.08, rel=1e-13)


@pytest.mark.parametrize("count", [1, 100, OPTIONS_MANY])
async def test_premiums_imply_the_volatilities_that_made_them(served: Served, count: int) -> None:
    """On out-of-the-money options with a premium worth the name; what has no solution is refused or listed."""
    _, (sides, spot, strike, time, volatility, domestic, _) = batch(count)
    foreign = np.array([0.02])
    forward = spot * np.exp((domestic - foreign) * time)
    sides = (strike > forward).astype(np.int8)
    strike = forward * np.exp(np.clip(np.log(strike / forward), -1, 1) * volatility * np.sqrt(time))
    price = vanilla.price(sides, spot, strike, time, volatility, domestic, np.full(count, 0.02))
    request = arrays.put(pb.ImplyVolatilityRequest(), put_or_call=sides.astype(np.int32), price=price, spot=spot)
    arrays.put(request, strike=strike, time=time, domestic_rate=domestic, foreign_rate=foreign)
    answer = await served.prices.ImplyVolatility(request)
    assert arrays.get(answer, "volatility") == pytest.approx(volatility, rel=1e-11)
    request.price[count - 1] = 5.0
    assert fields(await failure(served.prices.ImplyVolatility(request))) == [f"price[{count - 1}]"]
    request.skip_unsolved = True
    answer = await served.prices.ImplyVolatility(request)
    assert list(answer.unsolved) == [count - 1]
    assert np.isnan(answer.volatility[count - 1])
    assert arrays.get(answer, "volatility")[: count - 1] == pytest.approx(volatility[: count - 1], rel=1e-11)
    request.time[0] = -1.0
    assert fields(await failure(served.prices.ImplyVolatility(request))) == ["time[0]"]


async def test_curves_and_surfaces_can_be_looked_at(served: Served) -> None:
    """What a snapshot prices with: its own pillars, any times, any strikes, and the forwards."""
    known = await snapshot_id(served)
    curve = await served.snapshots.GetCurve(kept.GetCurveRequest(snapshot_id=known, currency="USD"))
    assert (list(curve.time), list(curve.rate)) == ([1.0], [0.04])
    curve = await served.snapshots.GetCurve(kept.GetCurveRequest(snapshot_id=known, currency="USD", time=[0.5, 2.0]))
    assert curve.discount_factor == pytest.approx(np.exp([-0.02, -0.08]), rel=1e-15)
    asked = {"snapshot_id": known, "base": "EUR", "counter": "USD", "time": [0.5, 0.5, 0.5]}
    surface = await served.snapshots.GetSurface(kept.GetSurfaceRequest(**asked, strike=[1.0, 1.1, 1.2]))
    assert surface.volatility == pytest.approx([0.09, 0.08, 0.085], rel=1e-14)
    at_forward = await served.snapshots.GetSurface(kept.GetSurfaceRequest(**asked))
    assert list(at_forward.strike) == list(surface.forward)
    refused = await failure(served.snapshots.GetSurface(kept.GetSurfaceRequest(**asked, strike=[1.0])))
    assert fields(refused) == ["strike"]
    lacks = await failure(served.snapshots.GetCurve(kept.GetCurveRequest(snapshot_id=known, currency="SEK")))
    assert lacks.metadata == {"resource": "curve", "name": "SEK"}
