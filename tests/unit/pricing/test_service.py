"""The service without a server: what it asks of its store and of marketdata, and what it holds in memory."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import pytest

from crossrate.api.pricing.v1 import market_pb2, product_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.basics.pair import Pair
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.store.errors import RequestIdReused
from services.pricing.kernel_queue import KernelQueue
from services.pricing.library import Library, Shelf
from services.pricing.pricer import Pricer
from services.pricing.service import PricingService, SnapshotService
from services.pricing.store import VersionIsAnother
from tests.unit.pricing.worlds import AS_OF


class MemoryStore:
    """The port in memory, counting what is read."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[bytes, bytes]] = {}
        self.markets: dict[str, list[bytes]] = {}
        self.snapshots: dict[str, bytes] = {}
        self.reads = 0

    async def answered(self, request_id: str, body: bytes) -> bytes | None:
        """See Store."""
        known = self.answers.get(request_id)
        if known is not None and known[0] != body:
            raise RequestIdReused(request_id)
        return known and known[1]

    async def newest(self, name: str) -> int:
        """See Store."""
        return len(self.markets.get(name, []))

    async def put_market(
        self,
        request_id: str,
        body: bytes,
        name: str,
        expected_version: int,
        now: datetime,
        comment: str,
        content: Callable[[int], tuple[bytes, bytes]],
    ) -> bytes:
        """See Store."""
        if (known := await self.answered(request_id, body)) is not None:
            return known
        newest = await self.newest(name)
        if expected_version not in (0, newest):
            raise VersionIsAnother(expected_version, newest)
        market, answer = content(newest + 1)
        self.markets.setdefault(name, []).append(market)
        self.answers[request_id] = (body, answer)
        return answer

    async def put_snapshot(
        self, request_id: str, body: bytes, key: tuple[str, datetime, str, int], content: bytes, answer: bytes
    ) -> bytes:
        """See Store."""
        if (known := await self.answered(request_id, body)) is not None:
            return known
        self.snapshots[key[0]] = content
        self.answers[request_id] = (body, answer)
        return answer

    async def market(self, name: str, version: int) -> bytes | None:
        """See Store."""
        self.reads += 1
        versions = self.markets.get(name, [])
        return versions[version - 1] if 0 <= version <= len(versions) and versions else None

    async def snapshot(self, snapshot_id: str) -> bytes | None:
        """See Store."""
        self.reads += 1
        return self.snapshots.get(snapshot_id)


class Quotes:
    """Marketdata, counting what it is asked."""

    asked = 0

    async def spots(self, pairs: Sequence[Pair]) -> list[market_pb2.SpotRate]:
        """See the service's port."""
        self.asked += 1
        return [market_pb2.SpotRate(instrument=str(pair), bid=1.0799, ask=1.0801) for pair in pairs]


class Desk:
    """Both servicers over one store."""

    def __init__(self) -> None:
        self.store, self.quotes, self.queue = MemoryStore(), Quotes(), KernelQueue(1000, 1000)
        library = Library(self.store, snapshots_held_max=2, markets_held_max=1)
        self.snapshots = SnapshotService(self.store, library, self.quotes, lambda: AS_OF, lambda: str(uuid.uuid4()))
        self.prices = PricingService(library, self.queue, Pricer(self.queue, lambda: AS_OF))

    async def snapshot(self) -> str:
        """The id of a new snapshot of a new version of the market."""
        curves = [market_pb2.Curve(currency=c, time=[1.0], rate=[r]) for c, r in (("EUR", 0.02), ("USD", 0.04))]
        smile = market_pb2.Smile(time=0.5, strike=[1.1], volatility=[0.08])
        surface = market_pb2.Surface(instrument="EUR/USD", smiles=[smile])
        request = kept.PutMarketRequest(request_id=str(uuid.uuid4()), name="m", curves=curves, surfaces=[surface])
        await self.snapshots.PutMarket(request, None)
        return (await self.snapshots.TakeSnapshot(self.take(), None)).snapshot.id

    def take(self) -> kept.TakeSnapshotRequest:
        """A request for a snapshot."""
        return kept.TakeSnapshotRequest(request_id=str(uuid.uuid4()), market="m", instruments=["EUR/USD"])


@pytest.fixture
async def desk() -> Desk:
    """A desk with nothing on it."""
    return Desk()


@pytest.fixture(autouse=True)
def closed(desk: Desk) -> Iterator[None]:
    """Ends the worker."""
    yield
    desk.queue.close()


def option(strike: float, **market: object) -> pb.PriceRequest:
    """A request for a call."""
    terms = product_pb2.Vanilla(
        put_or_call=product_pb2.PUT_OR_CALL_CALL,
        expiry="3M",
        cut=product_pb2.EXPIRY_CUT_NEW_YORK,
        strike=strike,
        notional=1e6,
    )
    return pb.PriceRequest(product=product_pb2.Product(instrument="EUR/USD", vanilla=terms), **market)


async def test_single_prices_that_arrive_together_are_one_call_of_the_kernel(desk: Desk) -> None:
    """Thirty options asked for side by side, each with the answer that it has alone."""
    known = await desk.snapshot()
    asked = [option(1 + i / 100, snapshot_id=known) for i in range(30)]
    alone = [await desk.prices.Price(each, None) for each in asked]
    assert desk.queue.calls == 30
    together = await asyncio.gather(*(desk.prices.Price(each, None) for each in asked))
    assert desk.queue.calls == 31
    assert together == alone


async def test_a_snapshot_is_read_once(desk: Desk) -> None:
    """The second price reads nothing; of three snapshots the one asked for longest ago is read again."""
    first, second, third = [await desk.snapshot() for _ in range(3)]
    for known, reads in ((first, 2), (first, 0), (second, 2), (first, 0), (third, 2), (first, 0), (second, 2)):
        before = desk.store.reads
        await desk.prices.Price(option(1.1, snapshot_id=known), None)
        assert desk.store.reads - before == reads, (known, reads)


async def test_a_repeated_snapshot_asks_for_no_quotes(desk: Desk) -> None:
    """Its answer is known; a check alone asks for quotes and keeps nothing."""
    await desk.snapshot()
    request = desk.take()
    first = await desk.snapshots.TakeSnapshot(request, None)
    asked = desk.quotes.asked
    assert await desk.snapshots.TakeSnapshot(request, None) == first
    assert desk.quotes.asked == asked
    rehearsal = desk.take()
    rehearsal.validate_only = True
    answer = await desk.snapshots.TakeSnapshot(rehearsal, None)
    assert desk.quotes.asked == asked + 1
    assert answer.snapshot.id not in desk.store.snapshots
    assert rehearsal.request_id not in desk.store.answers


async def test_moments_without_a_session_are_refused(desk: Desk) -> None:
    """Before 1999 and after 2099, and what is no time at all."""
    for seconds, reason in (
        (0, ErrorReason.OUTSIDE_CALENDAR),
        (4_102_444_800, ErrorReason.OUTSIDE_CALENDAR),
        (1 << 60, ErrorReason.INVALID_REQUEST),
    ):
        request = option(1.1, flat_market=market_pb2.FlatMarket(spot=1.08, volatility=0.1))
        request.flat_market.as_of.seconds = seconds
        with pytest.raises(Failure) as caught:
            await desk.prices.Price(request, None)
        assert caught.value.reason is reason


async def test_a_missing_cross_is_named(desk: Desk) -> None:
    """A reporting currency that no spot rate reaches is not guessed."""
    request = option(1.1, flat_market=market_pb2.FlatMarket(spot=1.08, volatility=0.1), reporting_currency="EUR")
    answer = await desk.prices.Price(request, None)
    assert answer.reporting_value == pytest.approx(answer.valuation.present_value / 1.08)
    request.reporting_currency = "JPY"
    with pytest.raises(Failure) as caught:
        await desk.prices.Price(request, None)
    assert caught.value.metadata == {"resource": "spot rate", "name": "USD/JPY"}
    assert "of the spot rates here (EUR/USD) none leads" in caught.value.message


async def test_a_pair_the_wrong_way_round_is_told_its_order(desk: Desk) -> None:
    """An instrument that is not there is missed with what there is instead."""
    request = option(1.1, flat_market=market_pb2.FlatMarket(spot=1.08, volatility=0.1))
    for name, remedy in (("USD/EUR", "it is quoted as EUR/USD"), ("XXX/YYY", "ListInstruments")):
        request.product.instrument = name
        with pytest.raises(Failure, match=remedy) as caught:
            await desk.prices.Price(request, None)
        assert caught.value.reason is ErrorReason.NOT_FOUND


@pytest.mark.parametrize("terms", ["vanilla", "digital", "barrier", "touch", "asian", "american"])
async def test_a_volatility_too_small_to_differ_by_is_refused(desk: Desk, terms: str) -> None:
    """Every option has a price at 1e-9, and none below."""
    full = {
        "put_or_call": 2, "expiry": "3M", "cut": 1, "strike": 1.2, "notional": 1e6, "knock": 1, "upper_barrier": 1.5,
        "condition": 1, "payout_currency": "USD", "payout": 1e6, "payout_style": 2, "next_fixing": "1M", "fixings": 3,
    }  # fmt: skip
    kind = product_pb2.Product.DESCRIPTOR.fields_by_name[terms].message_type
    product = {"instrument": "EUR/USD", terms: {k: v for k, v in full.items() if k in kind.fields_by_name}}
    for volatility in (1e-300, 9.9e-10):
        flat = market_pb2.FlatMarket(spot=1.08, volatility=volatility)
        with pytest.raises(Failure, match=f"must be at least 1e-09 to price a {terms}") as caught:
            await desk.prices.Price(pb.PriceRequest(product=product, flat_market=flat), None)
        assert [v.field for v in caught.value.violations] == ["flat_market.volatility"]
    flat.volatility = 1e-9
    answer = await desk.prices.Price(pb.PriceRequest(product=product, flat_market=flat), None)
    greeks = [value for _, value in answer.valuation.ListFields()]
    assert all(map(math.isfinite, greeks))


async def test_a_premium_that_no_volatility_gives_is_told_what_would_do(desk: Desk) -> None:
    """The refusal says between which premiums there is a volatility, and how to go on without."""
    request = pb.ImplyVolatilityRequest(
        put_or_call=[1], strike=[1.1], time=[0.5], price=[2.0], spot=[1.1], domestic_rate=[0.0], foreign_rate=[0.0]
    )
    with pytest.raises(Failure, match=r"price\[0\]: is 2.0: no volatility .* skip_unsolved"):
        await desk.prices.ImplyVolatility(request, None)


def test_a_shelf_lets_go_of_what_was_asked_for_longest_ago() -> None:
    """Asking counts, putting counts, and there is never more than there is room for."""
    shelf: Shelf[int, str] = Shelf(2)
    shelf.put(1, "one")
    shelf.put(2, "two")
    assert shelf.get(1) == "one"
    shelf.put(3, "three")
    assert (shelf.get(2), shelf.get(1), shelf.get(3)) == (None, "one", "three")
    assert len(shelf) == 2
