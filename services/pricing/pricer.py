"""One product on one market: what every call that prices products asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import add

from crossrate.api.pricing.v1 import market_pb2, product_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.kernel.vanilla import Greeks
from services.pricing import messages
from services.pricing.domain import market
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.product import Exchange
from services.pricing.domain.refusal import Refused
from services.pricing.domain.valuation import (
    Priced,
    option_columns,
    par_far_rate,
    value_exchange,
    value_options,
)
from services.pricing.kernel_queue import KernelQueue, greeks

Clock = Callable[[], datetime]
"""Now, in UTC."""


class Pricer:
    """Prices products; options of all callers in one turn of the loop are one call of the kernel."""

    def __init__(self, queue: KernelQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    def flat(self, given: market_pb2.FlatMarket, product: product_pb2.Product) -> Snapshot:
        """A flat market of the product's pair.

        Raises:
            Refused: it has no volatility and the product needs one.
            Failure: its moment is none, or the pair is none of the platform's instruments.
        """
        as_of = messages.moment_of(given.as_of, "flat_market.as_of") if given.HasField("as_of") else self._clock()
        terms = product.WhichOneof("terms")
        if terms in ("vanilla", "strategy") and given.volatility <= 0:
            raise Refused("flat_market.volatility", f"must be above 0 to price a {terms}")
        return market.flat(
            messages.pair_of(product.instrument),
            as_of,
            spot=given.spot,
            domestic_rate=given.domestic_rate,
            foreign_rate=given.foreign_rate,
            volatility=given.volatility,
        )

    async def price(self, product: product_pb2.Product, snapshot: Snapshot, currency: str = "") -> pb.PriceResponse:
        """The worth of a product, reported besides in a currency ("" for the counter currency).

        Raises:
            Refused: the product's terms cannot be used.
            Missing: the snapshot lacks something that the product needs.
            OutsideCalendar: the product needs a day that a calendar does not know.
        """
        pair = messages.pair_of(product.instrument)
        standing = snapshot.of(pair)
        priced = await self._priced(messages.legs_of(product, standing), standing)
        total = reduce(add, (each.valuation for each in priced))
        answer = pb.PriceResponse(
            valuation=messages.valuation_message(total),
            legs=[messages.leg_message(each) for each in priced],
            trade_date=messages.date_message(standing.trade_date),
            spot_date=messages.date_message(standing.dates.spot),
            snapshot_id=snapshot.id,
            as_of=messages.timestamp(snapshot.as_of),
        )
        currency = currency or pair.counter
        rate = snapshot.today(pair.counter, currency)
        answer.reporting_currency, answer.reporting_rate = currency, rate
        answer.reporting_value = total.present_value * rate
        _set_par(answer, priced, standing, getattr(product, product.WhichOneof("terms")).notional)
        return answer

    async def _priced(self, legs: messages.Legs, standing: Standing) -> list[Priced]:
        if isinstance(legs[0], Exchange):
            return [value_exchange(leg, standing) for leg in legs]
        columns = option_columns(legs, standing)
        found = Greeks(*await self._queue.run(greeks, columns.arrays()))
        return value_options(legs, standing, columns, found)


def _set_par(answer: pb.PriceResponse, priced: list[Priced], standing: Standing, notional: float) -> None:
    first, last = priced[0], priced[-1]
    if not isinstance(first.leg, Exchange):
        answer.unit_price = answer.valuation.present_value / notional
    elif len(priced) == 1:
        answer.par_rate = first.forward
    else:
        answer.par_rate = par_far_rate(first, last, standing)
        answer.par_points = answer.par_rate - first.rate
