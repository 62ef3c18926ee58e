"""Markets as a desk quotes them, through a real server and PostgreSQL: put, taken, priced, found again."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crossrate.api.pricing.v1 import market_pb2, product_pb2, strike_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_list_pb2 as lists
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1 import surface_quotes_pb2 as options
from crossrate.rpc import arrays
from crossrate.rpc.errors import ErrorReason
from services.pricing.main import KEPT_BYTES, KEPT_ROWS
from tests.integration.test_pricing import NOW, Served, failure, fields, served, serving
from tests.unit.pricing import desk

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

__all__ = ["served", "serving"]

OLD_MARKET = bytes.fromhex(
    "0a0361676510011a02080122036f6c642a190a035553441208000000000000f03f1a087b14ae47e17aa43f2a190a03455552"
    "1208000000000000f03f1a087b14ae47e17a943f32380a074555522f555344122d09000000000000e03f1210000000000000"
    "f03f333333333333f33f1a100ad7a3703d0ab73f7b14ae47e17ab43f"
)
"""A version of a market with pillars, as it was kept before there were other forms."""


def take(name: str = "desk", **other: object) -> kept.TakeSnapshotRequest:
    """A snapshot of live euros and of yen that are given."""
    given = market_pb2.SpotRate(instrument="USD/JPY", bid=149.9, ask=150.1, source="desk")
    request = kept.TakeSnapshotRequest(
        request_id=str(uuid.uuid4()), market=name, instruments=["EUR/USD"], spots=[given]
    )
    request.MergeFrom(kept.TakeSnapshotRequest(**other))
    return request


async def test_a_desks_market_is_put_taken_and_priced(served: Served) -> None:
    """The snapshot's forwards are its own spot rate plus the points; options see the calibrated smile, also later."""
    answer = await served.snapshots.PutMarket(desk.put())
    assert (answer.arbitrage_count, list(answer.unchecked)) == (0, [])
    served.quotes.quoted["EUR/USD"] = (1.1199, 1.1201)
    snapshot = (await served.snapshots.TakeSnapshot(take())).snapshot
    forward = product_pb2.Forward(value_date="1Y", notional=1e6)
    product = product_pb2.Product(instrument="EUR/USD", forward=forward)
    priced = await served.prices.Price(pb.PriceRequest(product=product, snapshot_id=snapshot.id))
    assert priced.par_rate == pytest.approx(1.12 + 206e-4, rel=1e-12)
    asked = kept.GetSurfaceRequest(snapshot_id=snapshot.id, base="EUR", counter="USD")
    surface = await served.snapshots.GetSurface(asked)
    year = next(each for each in surface.calibrated if each.time > 0.9)
    vanilla = product_pb2.Vanilla(
        put_or_call=product_pb2.PUT_OR_CALL_CALL,
        expiry="1Y",
        cut=product_pb2.EXPIRY_CUT_NEW_YORK,
        strike=year.strike[3],
        notional=1e6,
    )
    request = pb.PriceRequest(
        product=product_pb2.Product(instrument="EUR/USD", vanilla=vanilla), snapshot_id=snapshot.id
    )
    leg = (first := await served.prices.Price(request)).legs[0]
    assert leg.volatility == pytest.approx(year.volatility[3], rel=1e-13)
    assert leg.forward == pytest.approx(year.forward, rel=1e-14)
    # Another snapshot takes its place in memory; then it is read and calibrated again.
    await served.snapshots.PutMarket(desk.put(name="another"))
    other = (await served.snapshots.TakeSnapshot(take("another"))).snapshot
    assert (await served.snapshots.GetCurve(kept.GetCurveRequest(snapshot_id=other.id, currency="JPY"))).time
    assert await served.prices.Price(request) == first


async def test_strikes_on_a_snapshot(served: Served) -> None:
    """By tenor they are the calibrated points; many are solved aside; what has no strike is named or listed."""
    await served.snapshots.PutMarket(desk.put())
    known = (await served.snapshots.TakeSnapshot(take())).snapshot.id
    asked = kept.GetSurfaceRequest(snapshot_id=known, base="USD", counter="JPY")
    points = (await served.snapshots.GetSurface(asked)).calibrated[2]
    request = strike_pb2.SolveStrikeRequest(delta=[-0.1, -0.25, 0, 0.25, 0.1], atm_type=[0, 0, 2, 0, 0])
    request.snapshot.MergeFrom(strike_pb2.StrikeSnapshot(snapshot_id=known, instruments=["USD/JPY"], expiry=["1Y"]))
    found = await served.prices.SolveStrike(request)
    assert found.strike == pytest.approx(list(points.strike), rel=1e-11)
    assert found.volatility == pytest.approx(list(points.volatility), rel=1e-10)
    many = arrays.put(strike_pb2.SolveStrikeRequest(), delta=np.tile([0.25, -0.25], 1000), time=[0.5])
    many.snapshot.snapshot_id = known
    many.snapshot.instruments.append("EUR/USD")
    found = await served.prices.SolveStrike(many)
    assert len(set(found.strike)) == 2
    request.delta[3] = 1.5
    assert fields(await failure(served.prices.SolveStrike(request))) == ["delta[3]"]
    request.skip_unsolved = True
    found = await served.prices.SolveStrike(request)
    assert list(found.unsolved) == [3]
    assert np.isnan(found.strike[3])
    request.delta_type.append(5)
    assert fields(await failure(served.prices.SolveStrike(request))) == ["delta_type[0]"]


async def test_arbitrage_is_refused_or_kept_and_reported(served: Served) -> None:
    """A check says what a put would; with allow_arbitrage the version is kept with what was found."""
    bad = desk.surface(quoted=(("1M", 0.2), ("3M", 0.05)))
    for validate_only in (True, False):
        refused = await failure(
            served.snapshots.PutMarket(desk.put(name="bad", surfaces=[bad], validate_only=validate_only))
        )
        assert fields(refused) == ["surfaces[0].quotes.quotes[1]"]
    assert (
        await failure(served.snapshots.GetMarket(kept.GetMarketRequest(name="bad")))
    ).reason is ErrorReason.NOT_FOUND
    allowed = desk.put(name="bad", surfaces=[bad], allow_arbitrage=True)
    rehearsed = kept.PutMarketRequest()
    rehearsed.CopyFrom(allowed)
    rehearsed.request_id, rehearsed.validate_only = str(uuid.uuid4()), True
    rehearsal = await served.snapshots.PutMarket(rehearsed)
    answer = await served.snapshots.PutMarket(allowed)
    assert (answer, answer.arbitrage_count) == (rehearsal, 1)
    assert answer.arbitrage[0].kind == options.ARBITRAGE_KIND_CALENDAR
    market = (await served.snapshots.GetMarket(kept.GetMarketRequest(name="bad"))).market
    assert list(market.arbitrage) == list(answer.arbitrage)
    assert [each.instrument for each in market.spots] == ["EUR/USD", "USD/JPY"]
    assert market.as_of.ToDatetime(UTC) == NOW


async def test_what_quotes_refuse(served: Served) -> None:
    """By the contract and by the domain: forms, pairs of quotes, sides, spot rates, days; each by its path."""
    put = served.snapshots.PutMarket
    both = desk.dollars()
    both.time.append(1.0)
    both.rate.append(0.04)
    assert fields(await failure(put(desk.put(curves=[both])))) == ["curves[0]"]
    assert fields(await failure(put(desk.put(curves=[market_pb2.Curve(currency="USD")])))) == ["curves[0]"]
    crossed = desk.euros()
    crossed.swap_points.quotes[0].bid = 9.0
    assert fields(await failure(put(desk.put(curves=[desk.dollars(), crossed])))) == ["curves[1].swap_points.quotes[0]"]
    half = desk.surface()
    half.quotes.quotes[1].ClearField("butterfly_25")
    assert fields(await failure(put(desk.put(surfaces=[half])))) == ["surfaces[0].quotes.quotes[1]"]
    assert fields(await failure(put(desk.put(surfaces=[market_pb2.Surface(instrument="EUR/USD")])))) == ["surfaces[0]"]
    assert fields(await failure(put(desk.put(spots=[])))) == ["spots"]
    wild = desk.surface()
    wild.quotes.quotes[2].atm = 7.4
    assert fields(await failure(put(desk.put(surfaces=[wild])))) == ["surfaces[0].quotes.quotes[2].atm"]
    broken = desk.surface()
    broken.quotes.quotes[2].atm = float("nan")
    assert fields(await failure(put(desk.put(surfaces=[broken])))) == ["surfaces[0].quotes.quotes[2].atm"]
    beyond = desk.points("CNY", desk.Pair("USD", "CNY"), {"5Y": (1.0, 1.0)})
    given = [*desk.spots(), market_pb2.SpotRate(instrument="USD/CNY", bid=7.2, ask=7.2)]
    late = await failure(put(desk.put(curves=[desk.dollars(), beyond], surfaces=[], spots=given)))
    assert late.reason is ErrorReason.OUTSIDE_CALENDAR


async def test_a_snapshot_in_which_quotes_are_over_is_not_taken(served: Served) -> None:
    """A market of dates is put, and a month later no snapshot can be taken of it: the words say why."""
    made = desk.surface(quoted=(("2026-03-20", 0.08),))
    await served.snapshots.PutMarket(desk.put(name="dated", surfaces=[made]))
    given = [market_pb2.SpotRate(instrument="EUR/USD", bid=1.08, ask=1.08)]
    request = kept.TakeSnapshotRequest(request_id=str(uuid.uuid4()), market="dated", spots=given)
    request.as_of.FromDatetime(NOW + timedelta(days=30))
    refused = await failure(served.snapshots.TakeSnapshot(request))
    assert fields(refused) == ["market"]
    assert "past" in refused.message
    request.as_of.FromDatetime(NOW + timedelta(days=1))
    assert (await served.snapshots.TakeSnapshot(request)).snapshot.market == "dated"


async def test_a_market_from_before_still_prices(served: Served) -> None:
    """A row of pillars that an earlier build wrote is read, taken and priced."""
    old = market_pb2.Market.FromString(OLD_MARKET)
    assert (old.name, len(old.curves), len(old.surfaces)) == ("age", 2, 1)
    async with served.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO market_version (name, version, create_time, content) VALUES ('age', 1, $1, $2)",
            datetime(2020, 1, 1, tzinfo=UTC),
            OLD_MARKET,
        )
    snapshot = (await served.snapshots.TakeSnapshot(take("age"))).snapshot
    asked = kept.GetSurfaceRequest(snapshot_id=snapshot.id, base="EUR", counter="USD", time=[0.5], strike=[1.0])
    surface = await served.snapshots.GetSurface(asked)
    assert list(surface.volatility) == pytest.approx([0.09])
    assert not surface.calibrated


async def test_what_is_kept_is_found(served: Served) -> None:
    """Pages of markets and snapshots, the newest first, each once, by name and time; and how much room they take."""
    name = "listed"
    put = [await served.snapshots.PutMarket(desk.put(name=name, surfaces=[])) for _ in range(5)]
    assert [each.version for each in put] == [1, 2, 3, 4, 5]
    request = lists.ListMarketsRequest(page_size=2, filter=f'name = "{name}" AND version <= 4')
    found: list[lists.MarketSummary] = []
    while True:
        page = await served.snapshots.ListMarkets(request)
        found += page.markets
        if not page.next_page_token:
            break
        assert len(page.markets) == 2
        request.page_token = page.next_page_token
    assert [each.version for each in found] == [4, 3, 2, 1]
    assert {each.comment for each in found} == {"a test"}
    market = (await served.snapshots.GetMarket(kept.GetMarketRequest(name=name, version=4))).market
    assert found[0].size_bytes == market.ByteSize()
    other = lists.ListMarketsRequest(filter=f"name = {name}", page_token=request.page_token)
    assert fields(await failure(served.snapshots.ListMarkets(other))) == ["page_token"]
    assert fields(await failure(served.snapshots.ListMarkets(lists.ListMarketsRequest(filter="size > 1")))) == [
        "filter"
    ]

    moments = [NOW - timedelta(days=days) for days in (3, 2, 1)]
    taken = []
    for moment in moments:
        given = [market_pb2.SpotRate(instrument="EUR/USD", bid=1.08, ask=1.08)]
        asked = kept.TakeSnapshotRequest(request_id=str(uuid.uuid4()), market=name, spots=given)
        asked.as_of.FromDatetime(moment)
        taken.append((await served.snapshots.TakeSnapshot(asked)).snapshot)
    since = f'market = {name} AND as_of >= "{moments[1].isoformat()}"'
    page = await served.snapshots.ListSnapshots(lists.ListSnapshotsRequest(filter=since))
    assert [each.id for each in page.snapshots] == [taken[2].id, taken[1].id]
    assert page.snapshots[0].size_bytes == taken[2].ByteSize()
    first = await served.snapshots.ListSnapshots(lists.ListSnapshotsRequest(filter=since, page_size=1))
    rest = lists.ListSnapshotsRequest(filter=since, page_size=1, page_token=first.next_page_token)
    last = await served.snapshots.ListSnapshots(rest)
    assert [each.id for each in (*first.snapshots, *last.snapshots)] == [taken[2].id, taken[1].id]
    assert not last.next_page_token
    rooms = {room.table: room for room in await served.store.rooms()}
    assert set(rooms) == {"market_version", "snapshot"}
    assert all(room.size_bytes > 0 for room in rooms.values())
    assert (KEPT_ROWS._labelnames, KEPT_BYTES._labelnames) == (("table",), ("table",))


async def test_many_markets_are_checked_at_once(served: Served) -> None:
    """Twenty whole markets side by side, each calibrated in a thread, all with the answer that one has."""
    puts = [served.snapshots.PutMarket(desk.put(name=f"many-{i}", validate_only=True)) for i in range(20)]
    assert {answer.version for answer in await asyncio.gather(*puts)} == {1}
