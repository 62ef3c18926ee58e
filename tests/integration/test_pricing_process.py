"""Pricing as a process, beside the real marketdata and reference: a snapshot of live quotes, priced.

The way out to marketdata is a link to its socket; what the proxies add on it has tests of its own.
"""

from __future__ import annotations

import uuid

import grpc
import pytest

from crossrate.api.pricing.v1 import market_pb2, product_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from crossrate.rpc.errors import ErrorReason, failure_of
from tests.integration.test_marketdata_process import Processes, processes

pytestmark = pytest.mark.integration

__all__ = ["processes"]


def take(**other: object) -> kept.TakeSnapshotRequest:
    """A snapshot of two live pairs."""
    return kept.TakeSnapshotRequest(
        request_id=str(uuid.uuid4()), market="house", instruments=["EUR/USD", "USD/JPY"], **other
    )


async def test_a_snapshot_of_live_quotes_is_priced(processes: Processes) -> None:
    """The rates are marketdata's; after a restart the same price is made again; without marketdata no snapshot is taken
    and what was taken is still priced."""
    place = processes.place
    await processes.start("marketdata-1", CROSSRATE_SETTLE_S="0")
    place.outbound_socket("pricing").symlink_to(place.service_socket("marketdata-1"))
    await processes.start("pricing-1", CROSSRATE_SETTLE_S="0")
    async with grpc.aio.insecure_channel(f"unix:{place.service_socket('pricing-1')}") as channel:
        snapshots = SnapshotServiceStub(channel)
        curves = [market_pb2.Curve(currency=c, time=[1.0], rate=[r]) for c, r in (("EUR", 0.02), ("USD", 0.04))]
        await snapshots.PutMarket(
            kept.PutMarketRequest(request_id=str(uuid.uuid4()), name="house", curves=curves, comment="a test")
        )
        snapshot = (await snapshots.TakeSnapshot(take())).snapshot
        assert [(s.instrument, s.source) for s in snapshot.spots] == [
            ("EUR/USD", "simulated"),
            ("USD/JPY", "simulated"),
        ]
        assert all(0 < s.bid < s.ask and s.sequence > 0 for s in snapshot.spots)
        product = product_pb2.Product(instrument="EUR/USD", spot=product_pb2.Spot(notional=1e6))
        request = pb.PriceRequest(product=product, snapshot_id=snapshot.id)
        answer = await PricingServiceStub(channel).Price(request)
        mid = (snapshot.spots[0].bid + snapshot.spots[0].ask) / 2
        assert answer.par_rate == pytest.approx(mid, rel=1e-15)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await snapshots.TakeSnapshot(take(spots=[market_pb2.SpotRate(instrument="USD/JPY", bid=1, ask=1)]))
        assert failure_of(caught.value).reason is ErrorReason.INVALID_REQUEST
    await processes.stop("pricing-1")
    await processes.stop("marketdata-1")
    await processes.start("pricing-2", CROSSRATE_SETTLE_S="0")
    async with grpc.aio.insecure_channel(f"unix:{place.service_socket('pricing-2')}") as channel:
        assert await PricingServiceStub(channel).Price(request) == answer
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await SnapshotServiceStub(channel).TakeSnapshot(take(), timeout=1)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    await processes.stop("pricing-2")
