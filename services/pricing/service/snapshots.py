"""Markets and snapshots over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from google.protobuf.message import Message

from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceServicer
from crossrate.rpc import arrays, errors
from services.pricing import messages
from services.pricing.domain.refusal import Refused
from services.pricing.failures import failures
from services.pricing.library import Library
from services.pricing.peers import Quotes
from services.pricing.pricer import Clock
from services.pricing.store import Store, VersionIsAnother


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
        now = self._clock()
        with failures(request.request_id):
            messages.book_of(request.curves, request.surfaces)
            if request.validate_only:
                newest = await self._store.newest(request.name)
                if request.expected_version not in (0, newest):
                    raise VersionIsAnother(request.expected_version, newest)
                return kept.PutMarketResponse(
                    name=request.name, version=newest + 1, create_time=messages.timestamp(now)
                )

            def content(version: int) -> tuple[bytes, bytes]:
                created = messages.timestamp(now)
                whole = market_pb2.Market(
                    name=request.name,
                    version=version,
                    create_time=created,
                    comment=request.comment,
                    curves=request.curves,
                    surfaces=request.surfaces,
                )
                answer = kept.PutMarketResponse(name=request.name, version=version, create_time=created)
                return whole.SerializeToString(), answer.SerializeToString()

            answer = await self._store.put_market(
                request.request_id, _body(request), request.name, request.expected_version, now, content
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
        body = _body(request)
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
        return market_pb2.Snapshot(
            id=self._new_id(),
            as_of=messages.timestamp(as_of),
            market=request.market,
            market_version=market_pb2.Market.FromString(content).version,
            spots=sorted(spots, key=lambda each: each.instrument),
        )

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
            curve = (await self._library.found(request.snapshot_id)).book.curve(request.currency)
        time = arrays.get(request, "time") if request.time else curve.times
        growth = curve.growth(time)
        return arrays.put(kept.GetCurveResponse(), time=time, rate=growth / time, discount_factor=np.exp(-growth))

    async def GetSurface(self, request: kept.GetSurfaceRequest, context: Any) -> kept.GetSurfaceResponse:
        """See the contract."""
        pair = messages.pair_of(f"{request.base}/{request.counter}")
        time, strike = arrays.get(request, "time"), arrays.get(request, "strike")
        if len(strike) not in (0, len(time)):
            raise errors.invalid(("strike", f"has {len(strike)} elements for {len(time)} times: give as many, or none"))
        with failures():
            standing = (await self._library.found(request.snapshot_id)).of(pair)
            forward = standing.forwards(time)
            strike = strike if len(strike) else forward
            volatility = standing.volatility(time, strike)
        return arrays.put(kept.GetSurfaceResponse(), strike=strike, volatility=volatility, forward=forward)


def _named(name: str, version: int) -> str:
    return f"{name} version {version}" if version else name


def _body(request: Message) -> bytes:
    """What a repetition must have in common: everything but the id."""
    body = type(request)()
    body.CopyFrom(request)
    body.request_id = ""
    return body.SerializeToString(deterministic=True)
