"""Markets and snapshots over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_list_pb2 as lists
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceServicer
from crossrate.rpc import arrays, errors
from crossrate.store.requests import body_of
from services.pricing import messages
from services.pricing.checks import Checked, check_market, check_snapshot
from services.pricing.domain.refusal import Refused
from services.pricing.failures import failures
from services.pricing.library import Library
from services.pricing.lists import page_of_markets, page_of_snapshots
from services.pricing.peers import Quotes
from services.pricing.pricer import Clock
from services.pricing.store import Store, VersionIsAnother
from services.pricing.surfaces import surface_answer

DELTAS_INLINE_MAX = 200
"""Deltas whose strikes are sought on the loop in one go: a few milliseconds."""


class SnapshotService(SnapshotServiceServicer):
    """Markets and snapshots: kept once, read for ever."""

    def __init__(self, store: Store, library: Library, quotes: Quotes, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._library = library
        self._quotes = quotes
        self._clock = clock
        self._new_id = new_id

    async def PutMarket(self, request: kept.PutMarketRequest, context: Any) -> kept.PutMarketResponse:
        """See the contract."""
        now, body = self._clock(), body_of(request)
        with failures(request.request_id):
            as_of = messages.moment_of(request.as_of, "as_of") if request.HasField("as_of") else now
            if not request.validate_only:
                # Before the checks: what was found at an earlier moment stays the answer.
                known = await self._store.answered(request.request_id, body)
                if known is not None:
                    return kept.PutMarketResponse.FromString(known)
            # Aside, because hundreds of surfaces take longer than the loop may wait.
            checked = await asyncio.to_thread(check_market, request, as_of)
            if request.validate_only:
                newest = await self._store.newest(request.name)
                if request.expected_version not in (0, newest):
                    raise VersionIsAnother(request.expected_version, newest)
                return _put(request.name, newest + 1, now, checked)

            def content(version: int) -> tuple[bytes, bytes]:
                whole = market_pb2.Market(
                    name=request.name,
                    version=version,
                    create_time=messages.timestamp(now),
                    comment=request.comment,
                    curves=request.curves,
                    surfaces=request.surfaces,
                    spots=request.spots,
                    arbitrage=checked.arbitrage,
                )
                if request.spots:
                    whole.as_of.CopyFrom(messages.timestamp(as_of))
                answer = _put(request.name, version, now, checked)
                return whole.SerializeToString(), answer.SerializeToString()

            answer = await self._store.put_market(
                request.request_id, body, request.name, request.expected_version, now, request.comment, content
            )
        return kept.PutMarketResponse.FromString(answer)

    async def GetMarket(self, request: kept.GetMarketRequest, context: Any) -> kept.GetMarketResponse:
        """See the contract."""
        with failures():
            content = await self._store.market(request.name, request.version)
        if content is None:
            raise errors.not_found("market", _named(request.name, request.version))
        return kept.GetMarketResponse(market=market_pb2.Market.FromString(content))

    async def TakeSnapshot(self, request: kept.TakeSnapshotRequest, context: Any) -> kept.TakeSnapshotResponse:
        """See the contract."""
        body = body_of(request)
        with failures(request.request_id):
            if not request.validate_only:
                # Before the quotes are asked for: a repetition is answered also when there are none any more.
                known = await self._store.answered(request.request_id, body)
                if known is not None:
                    return kept.TakeSnapshotResponse.FromString(known)
            snapshot = await self._snapshot(request)
            answer = kept.TakeSnapshotResponse(snapshot=snapshot)
            if request.validate_only:
                return answer
            key = (snapshot.id, messages.moment_of(snapshot.as_of, "as_of"), snapshot.market, snapshot.market_version)
            written = await self._store.put_snapshot(
                request.request_id, body, key, snapshot.SerializeToString(), answer.SerializeToString()
            )
        return kept.TakeSnapshotResponse.FromString(written)

    async def _snapshot(self, request: kept.TakeSnapshotRequest) -> market_pb2.Snapshot:
        wanted = [messages.pair_of(name) for name in request.instruments]
        taken = set(wanted)
        for i, each in enumerate(request.spots):
            pair = messages.pair_of(each.instrument)
            if pair in taken:
                raise Refused(f"spots[{i}].instrument", f"{pair} is there already: give or ask for it once")
            taken.add(pair)
        if not taken:
            raise Refused("instruments", "is empty and so is spots: a snapshot needs at least one pair")
        if wanted and request.HasField("as_of"):
            raise Refused("as_of", "cannot be given together with instruments, whose quotes are of now: give spots")
        as_of = messages.moment_of(request.as_of, "as_of") if request.HasField("as_of") else self._clock()
        content = await self._store.market(request.market, request.market_version)
        if content is None:
            raise errors.not_found("market", _named(request.market, request.market_version))
        spots = [*await self._quotes.spots(wanted), *request.spots]
        market = market_pb2.Market.FromString(content)
        snapshot = market_pb2.Snapshot(
            id=self._new_id(),
            as_of=messages.timestamp(as_of),
            market=request.market,
            market_version=market.version,
            spots=sorted(spots, key=lambda each: each.instrument),
        )
        await asyncio.to_thread(check_snapshot, snapshot, market)
        return snapshot

    async def GetSnapshot(self, request: kept.GetSnapshotRequest, context: Any) -> kept.GetSnapshotResponse:
        """See the contract."""
        with failures():
            content = await self._store.snapshot(request.snapshot_id)
        if content is None:
            raise errors.not_found("snapshot", request.snapshot_id)
        return kept.GetSnapshotResponse(snapshot=market_pb2.Snapshot.FromString(content))

    async def GetCurve(self, request: kept.GetCurveRequest, context: Any) -> kept.GetCurveResponse:
        """See the contract."""
        with failures():
            curve = (await self._library.found(request.snapshot_id)).curve(request.currency)
        time = arrays.get(request, "time") if request.time else curve.times
        growth = curve.growth(time)
        return arrays.put(kept.GetCurveResponse(), time=time, rate=growth / time, discount_factor=np.exp(-growth))

    async def GetSurface(self, request: kept.GetSurfaceRequest, context: Any) -> kept.GetSurfaceResponse:
        """See the contract."""
        pair = messages.pair_of(f"{request.base}/{request.counter}")
        with failures():
            standing = (await self._library.found(request.snapshot_id)).of(pair)
            if len(request.delta) > DELTAS_INLINE_MAX:
                return await asyncio.to_thread(surface_answer, request, standing)
            return surface_answer(request, standing)

    async def ListMarkets(self, request: lists.ListMarketsRequest, context: Any) -> lists.ListMarketsResponse:
        """See the contract."""
        with failures():
            return await page_of_markets(self._store, request)

    async def ListSnapshots(self, request: lists.ListSnapshotsRequest, context: Any) -> lists.ListSnapshotsResponse:
        """See the contract."""
        with failures():
            return await page_of_snapshots(self._store, request)


def _put(name: str, version: int, now: datetime, checked: Checked) -> kept.PutMarketResponse:
    return kept.PutMarketResponse(
        name=name,
        version=version,
        create_time=messages.timestamp(now),
        arbitrage=checked.arbitrage,
        arbitrage_count=checked.count,
        unchecked=checked.unchecked,
    )


def _named(name: str, version: int) -> str:
    return f"{name} version {version}" if version else name
