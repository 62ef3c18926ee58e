"""The gRPC surface of `pricing`: markets and snapshots, and prices made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any, TypeVar

import numpy as np
from google.protobuf.message import Message

from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceServicer
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceServicer
from crossrate.basics.calendar import OutsideCalendar
from crossrate.basics.pair import Pair
from crossrate.kernel.faults import ArgumentError
from crossrate.kernel.vanilla import Greeks
from crossrate.rpc import arrays, errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StoreUnavailable
from services.pricing import messages
from services.pricing.domain import market
from services.pricing.domain.batch import Columns, Held, Options
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.product import Exchange
from services.pricing.domain.refusal import Missing, Refused
from services.pricing.domain.valuation import (
    Priced,
    option_columns,
    par_far_rate,
    value_exchange,
    value_options,
)
from services.pricing.kernel_queue import (
    KernelQueue,
    greeks,
    premiums,
    volatilities,
    volatilities_with_status,
)
from services.pricing.library import Library
from services.pricing.peers import Quotes
from services.pricing.store import Store, VersionIsAnother

Clock = Callable[[], datetime]
"""Now, in UTC."""

GIVEN = ("spot", "volatility", "domestic_rate", "foreign_rate")
"""The arrays of a batch's own market."""
PAID = ("price", "spot", "domestic_rate", "foreign_rate")
"""The arrays from which volatilities are implied."""

T = TypeVar("T")


class SnapshotService(SnapshotServiceServicer):
    """Markets and snapshots: kept once, read for ever."""

    def __init__(self, store: Store, quotes: Quotes, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._quotes = quotes
        self._clock = clock
        self._new_id = new_id

    async def PutMarket(self, request: kept.PutMarketRequest, context: Any) -> kept.PutMarketResponse:
        """See the contract."""
        now = self._clock()
        with _failures(request.request_id):
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
        with _failures():
            content = await self._store.market(request.name, request.version)
        if content is None:
            raise errors.not_found("market", _named(request.name, request.version))
        return kept.GetMarketResponse(market=market_pb2.Market.FromString(content))

    async def TakeSnapshot(self, request: kept.TakeSnapshotRequest, context: Any) -> kept.TakeSnapshotResponse:
        """See the contract."""
        body = _body(request)
        with _failures(request.request_id):
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
        with _failures():
            content = await self._store.snapshot(request.snapshot_id)
        if content is None:
            raise errors.not_found("snapshot", request.snapshot_id)
        return kept.GetSnapshotResponse(snapshot=market_pb2.Snapshot.FromString(content))


class PricingService(PricingServiceServicer):
    """Prices."""

    def __init__(self, library: Library, queue: KernelQueue, clock: Clock) -> None:
        self._library = library
        self._queue = queue
        self._clock = clock

    async def Price(self, request: pb.PriceRequest, context: Any) -> pb.PriceResponse:
        """See the contract."""
        pair = messages.pair_of(request.product.instrument)
        with _failures():
            snapshot = await self._market(request, pair)
            standing = snapshot.of(pair)
            priced = await self._priced(messages.legs_of(request.product, standing), standing)
            total = reduce(add, (each.valuation for each in priced))
            answer = pb.PriceResponse(
                valuation=messages.valuation_message(total),
                legs=[messages.leg_message(each) for each in priced],
                trade_date=messages.date_message(standing.trade_date),
                spot_date=messages.date_message(standing.dates.spot),
                snapshot_id=snapshot.id,
                as_of=messages.timestamp(snapshot.as_of),
            )
            currency = request.reporting_currency or pair.counter
            rate = snapshot.today(pair.counter, currency)
        answer.reporting_currency, answer.reporting_rate = currency, rate
        answer.reporting_value = total.present_value * rate
        _set_par(answer, priced, standing, getattr(request.product, request.product.WhichOneof("terms")).notional)
        return answer

    async def _market(self, request: pb.PriceRequest, pair: Pair) -> Snapshot:
        if request.WhichOneof("market") == "snapshot_id":
            return await self._found(request.snapshot_id)
        given = request.flat_market
        as_of = messages.moment_of(given.as_of, "flat_market.as_of") if given.HasField("as_of") else self._clock()
        terms = request.product.WhichOneof("terms")
        if terms in ("vanilla", "strategy") and given.volatility <= 0:
            raise Refused("flat_market.volatility", f"must be above 0 to price a {terms}")
        return market.flat(
            pair,
            as_of,
            spot=given.spot,
            domestic_rate=given.domestic_rate,
            foreign_rate=given.foreign_rate,
            volatility=given.volatility,
        )

    async def _found(self, snapshot_id: str) -> Snapshot:
        snapshot = await self._library.snapshot(snapshot_id)
        if snapshot is None:
            raise errors.not_found("snapshot", snapshot_id)
        return snapshot

    async def _priced(self, legs: messages.Legs, standing: Standing) -> list[Priced]:
        if isinstance(legs[0], Exchange):
            return [value_exchange(leg, standing) for leg in legs]
        columns = option_columns(legs, standing)
        found = Greeks(*await self._queue.run(greeks, columns.arrays()))
        return value_options(legs, standing, columns, found)

    async def PriceBatch(self, request: pb.PriceBatchRequest, context: Any) -> pb.PriceBatchResponse:
        """See the contract."""
        snapshot, pairs = None, []
        with _failures(given="" if request.HasField("snapshot") else "given."):
            if request.HasField("snapshot"):
                snapshot = await self._found(request.snapshot.snapshot_id)
                pairs = [messages.pair_of(name) for name in request.snapshot.instruments]
            options = _options(request)

            def columns() -> Columns | Held:
                if snapshot is None:
                    return options.given({name: arrays.get(request.given, name) for name in GIVEN})
                return options.of_snapshot(snapshot, pairs, arrays.get(request.snapshot, "instrument_index"))

            made = await self._made(options, columns)
            given = made.columns if isinstance(made, Held) else made
            if request.price_only:
                (price,) = await self._queue.run(premiums, given.arrays())
                return arrays.put(pb.PriceBatchResponse(), price=price)
            found = Greeks(*await self._queue.run(greeks, given.arrays()))
        if isinstance(made, Held):
            found = made.quoted(found)
        return arrays.put(pb.PriceBatchResponse(), **{name: getattr(found, name) for name in Greeks.__slots__})

    async def ImplyVolatility(self, request: pb.ImplyVolatilityRequest, context: Any) -> pb.ImplyVolatilityResponse:
        """See the contract."""
        with _failures():
            options = _options(request)
            columns = await self._made(
                options, lambda: options.with_premiums({name: arrays.get(request, name) for name in PAID})
            )
            if not request.skip_unsolved:
                (volatility,) = await self._queue.run(volatilities, columns)
                return arrays.put(pb.ImplyVolatilityResponse(), volatility=volatility)
            volatility, status = await self._queue.run(volatilities_with_status, columns)
        unsolved = np.flatnonzero(status).astype(np.uint32)
        return arrays.put(pb.ImplyVolatilityResponse(), volatility=volatility, unsolved=unsolved)

    async def _made(self, options: Options, columns: Callable[[], T]) -> T:
        """The columns of a request, made in the thread if there are many."""
        large = len(options.strike) > self._queue.elements_inline_max
        return await self._queue.aside(columns) if large else columns()


def _options(request: pb.PriceBatchRequest | pb.ImplyVolatilityRequest) -> Options:
    return Options(*(arrays.get(request, name) for name in ("put_or_call", "strike", "time")))


def _set_par(answer: pb.PriceResponse, priced: list[Priced], standing: Standing, notional: float) -> None:
    first, last = priced[0], priced[-1]
    if not isinstance(first.leg, Exchange):
        answer.unit_price = answer.valuation.present_value / notional
    elif len(priced) == 1:
        answer.par_rate = first.forward
    else:
        answer.par_rate = par_far_rate(first, last, standing)
        answer.par_points = answer.par_rate - first.rate


@contextmanager
def _failures(request_id: str = "", *, given: str = "") -> Iterator[None]:
    """What the domain, the kernel and the store refuse, as failures of the contract.

    Args:
        given: what stands before the names of a batch's market in the request.
    """
    try:
        yield
    except Refused as error:
        raise errors.invalid((error.field, error.words)) from None
    except Missing as error:
        raise errors.not_found(error.resource, error.name) from None
    except OutsideCalendar as error:
        raise errors.outside_calendar(str(error), error.first.isoformat(), error.last.isoformat()) from None
    except ArgumentError as error:
        raise errors.invalid((_place(error, given), f"is {error.value!r}: {error.says}")) from None
    except VersionIsAnother as error:
        raise errors.version_conflict(error.expected, error.actual) from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except StoreUnavailable as error:
        raise errors.dependency_unavailable("postgres") from error


def _place(error: ArgumentError, given: str) -> str:
    path = f"{given}{error.argument}" if error.argument in GIVEN else error.argument
    return path if error.index is None else f"{path}[{error.index}]"


def _named(name: str, version: int) -> str:
    return f"{name} version {version}" if version else name


def _body(request: Message) -> bytes:
    """What a repetition must have in common: everything but the id."""
    body = type(request)()
    body.CopyFrom(request)
    body.request_id = ""
    return body.SerializeToString(deterministic=True)
