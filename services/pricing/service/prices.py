"""Prices over gRPC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1 import strike_pb2
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceServicer
from crossrate.kernel.vanilla import Greeks
from crossrate.rpc import arrays
from services.pricing import messages
from services.pricing.domain.batch import Columns, Held, Options
from services.pricing.domain.refusal import Refused
from services.pricing.failures import GIVEN, failures
from services.pricing.kernel_queue import (
    KernelQueue,
    greeks,
    premiums,
    volatilities,
    volatilities_with_status,
)
from services.pricing.library import Library
from services.pricing.pricer import Pricer
from services.pricing.service.product_list import ProductList
from services.pricing.strikes import Solved, solve_given, solve_snapshot

PAID = ("price", "spot", "domestic_rate", "foreign_rate")
"""The arrays from which volatilities are implied."""

SOUGHT_INLINE_MAX = 200
"""Strikes on smiles that are sought on the loop in one go: each takes some ten rounds of the surface."""

T = TypeVar("T")


class PricingService(PricingServiceServicer):
    """Prices."""

    def __init__(self, library: Library, queue: KernelQueue, pricer: Pricer) -> None:
        self._library = library
        self._queue = queue
        self._pricer = pricer
        self._list = ProductList(queue, pricer)

    async def Price(self, request: pb.PriceRequest, context: Any) -> pb.PriceResponse:
        """See the contract."""
        with failures():
            if request.WhichOneof("market") == "snapshot_id":
                snapshot = await self._library.found(request.snapshot_id)
            else:
                snapshot = self._pricer.flat(request.flat_market, request.product)
            return await self._pricer.price(request.product, snapshot, request.reporting_currency)

    async def PriceProducts(self, request: pb.PriceProductsRequest, context: Any) -> pb.PriceProductsResponse:
        """See the contract."""
        with failures():
            snapshot = await self._library.found(request.snapshot_id) if request.snapshot_id else None
            return await self._list.price(request, snapshot)

    async def PriceBatch(self, request: pb.PriceBatchRequest, context: Any) -> pb.PriceBatchResponse:
        """See the contract."""
        snapshot, pairs = None, []
        with failures(given="" if request.HasField("snapshot") else "given."):
            if request.HasField("snapshot"):
                snapshot = await self._library.found(request.snapshot.snapshot_id)
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
        with failures():
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

    async def SolveStrike(self, request: strike_pb2.SolveStrikeRequest, context: Any) -> strike_pb2.SolveStrikeResponse:
        """See the contract."""
        with failures(given="given."):
            snapshot = None
            if request.HasField("snapshot"):
                snapshot = await self._library.found(request.snapshot.snapshot_id)

            def solved() -> Solved:
                return solve_given(request) if snapshot is None else solve_snapshot(request, snapshot)

            most = self._queue.elements_inline_max if snapshot is None else SOUGHT_INLINE_MAX
            large = len(request.delta) > most
            found = await self._queue.aside(solved) if large else solved()
            unsolved = np.flatnonzero(~found.fine).astype(np.uint32)
            if unsolved.size and not request.skip_unsolved:
                place = int(unsolved[0])
                words = f"is {request.delta[place]}: no strike has it at {found.time[place]:.6g} years"
                raise Refused(f"delta[{place}]", words)
        return arrays.put(
            strike_pb2.SolveStrikeResponse(),
            strike=found.strike,
            volatility=found.volatility,
            forward=found.forward,
            time=found.time,
            unsolved=unsolved,
        )

    async def _made(self, options: Options, columns: Callable[[], T]) -> T:
        """The columns of a request, made in the thread if there are many."""
        large = len(options.strike) > self._queue.elements_inline_max
        return await self._queue.aside(columns) if large else columns()


def _options(request: pb.PriceBatchRequest | pb.ImplyVolatilityRequest) -> Options:
    return Options(*(arrays.get(request, name) for name in ("put_or_call", "strike", "time")))
