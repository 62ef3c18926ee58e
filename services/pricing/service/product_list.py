"""Many products in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from google.rpc.status_pb2 import Status

from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.rpc.errors import Failure, Violation, summarise
from services.pricing.domain.market import Snapshot
from services.pricing.domain.refusal import Refused
from services.pricing.failures import failures
from services.pricing.kernel_queue import KernelQueue
from services.pricing.pricer import PRODUCTS_INLINE_MAX, Plan, Pricer

PRODUCTS_PIECE = 25
"""Products in one piece of a larger list; between two pieces a list whose deadline passes is given up."""
AMERICANS_MAX = 100
"""American options in one call: each takes the kernel some 30 ms."""

T = TypeVar("T")
R = TypeVar("R")


class ProductList:
    """Prices the products of a request: for each its price or its error."""

    def __init__(self, queue: KernelQueue, pricer: Pricer) -> None:
        self._queue = queue
        self._pricer = pricer

    async def price(self, request: pb.PriceProductsRequest, snapshot: Snapshot | None) -> pb.PriceProductsResponse:
        """One result a product, in their order.

        Raises:
            Refused: there are more American options than one call may have.
        """
        americans = sum(each.product.HasField("american") for each in request.products)
        if americans > AMERICANS_MAX:
            words = f"has {americans} American options: give at most {AMERICANS_MAX} and the others in further calls"
            raise Refused("products", words)

        now = self._pricer.now()

        def plan(place: tuple[int, pb.ProductOnMarket]) -> Plan | Status:
            i, each = place
            return _outcome(i, lambda: self._plan(each, snapshot, request.reporting_currency, now))

        plans = await self._each(plan, list(enumerate(request.products)))
        ready = [each for each in plans if isinstance(each, Plan)]
        found = iter(await self._pricer.found(ready))
        answers = [(i, each, next(found) if isinstance(each, Plan) else ()) for i, each in enumerate(plans)]

        def answer(place: tuple[int, Plan | Status, object]) -> pb.PricedProduct:
            i, each, columns = place
            result = each if isinstance(each, Status) else _outcome(i, lambda: self._pricer.answer(each, columns))
            if isinstance(result, Status):
                return pb.PricedProduct(error=result)
            return pb.PricedProduct(price=result)

        return pb.PriceProductsResponse(results=await self._each(answer, answers))

    def _plan(self, each: pb.ProductOnMarket, snapshot: Snapshot | None, currency: str, now: datetime) -> Plan:
        if each.HasField("flat_market"):
            return self._pricer.plan(each.product, self._pricer.flat(each.flat_market, each.product, now), currency)
        if snapshot is None:
            raise Refused("flat_market", "is not given, and the request names no snapshot_id: give one of them")
        return self._pricer.plan(each.product, snapshot, currency)

    async def _each(self, work: Callable[[T], R], things: Sequence[T]) -> list[R]:
        """Does something with each of many things, in the thread and in pieces if they are more than a few."""
        if len(things) <= PRODUCTS_INLINE_MAX:
            return [work(thing) for thing in things]
        done: list[R] = []
        for start in range(0, len(things), PRODUCTS_PIECE):
            piece = things[start : start + PRODUCTS_PIECE]
            done += await self._queue.aside(lambda piece=piece: [work(thing) for thing in piece])
        return done


def _outcome(place: int, work: Callable[[], R]) -> R | Status:
    """What some work for a product gives, or its failure as the status that a call of its own would end with."""
    try:
        with failures():
            return work()
    except Failure as error:
        violations = [Violation(f"products[{place}].{v.field}", v.description, v.rule) for v in error.violations]
        message = summarise(violations) if violations else error.message
        moved = Failure(error.reason, message, metadata=error.metadata, violations=violations)
        return moved.to_status()
