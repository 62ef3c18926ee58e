"""Products on markets: what every call that prices products asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from operator import add

import numpy as np

from crossrate.api.pricing.v1 import market_pb2, product_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.kernel.faults import ArgumentError
from services.pricing import messages
from services.pricing.domain import market
from services.pricing.domain.exotic_columns import ask
from services.pricing.domain.exotic_valuation import value_exotic
from services.pricing.domain.formula import Columns, vanillas
from services.pricing.domain.market import Snapshot, Standing
from services.pricing.domain.product import Exchange, Option
from services.pricing.domain.refusal import Refused
from services.pricing.domain.valuation import (
    Priced,
    option_columns,
    par_far_rate,
    reported,
    value_exchange,
    value_options,
)
from services.pricing.kernel_queue import Function, KernelQueue
from services.pricing.terms import WITHOUT_VOLATILITY, legs_of

Clock = Callable[[], datetime]
"""Now, in UTC."""
VOLATILITY_MIN = 1e-9
"""The least volatility of an option in a flat market; the distances of points for Greeks go with it."""
PRODUCTS_INLINE_MAX = 8
"""Products whose terms and answers are worked on in the loop in one go, a few milliseconds; more go to the thread."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A product on its market, ready for the kernel: what it is asked, and what is made of its answer."""

    product: product_pb2.Product
    snapshot: Snapshot
    standing: Standing
    currency: str
    function: Function | None
    columns: Columns
    value: Callable[[Columns], list[Priced]]

    @property
    def amount(self) -> float:
        """The notional or the payout."""
        terms = self.product.WhichOneof("terms")
        chosen = getattr(self.product, terms)
        return float(chosen.payout if terms in ("digital", "touch") else chosen.notional)


class Pricer:
    """Prices products; options of all callers in one turn of the loop are one call of the kernel for each formula."""

    def __init__(self, queue: KernelQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    def now(self) -> datetime:
        """The clock's time."""
        return self._clock()

    def flat(self, given: market_pb2.FlatMarket, product: product_pb2.Product, now: datetime | None = None) -> Snapshot:
        """A flat market of the product's pair; where it says no moment of its own it is of `now`, or of the clock's.

        Raises:
            Refused: it has no volatility and the product needs one.
            Failure: its moment is none, or the pair is none of the platform's instruments.
        """
        as_of = (
            messages.moment_of(given.as_of, "flat_market.as_of") if given.HasField("as_of") else now or self._clock()
        )
        terms = product.WhichOneof("terms")
        if terms not in WITHOUT_VOLATILITY and given.volatility < VOLATILITY_MIN:
            raise Refused("flat_market.volatility", f"must be at least {VOLATILITY_MIN:g} to price a {terms}")
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
        plan = self.plan(product, snapshot, currency)
        found: Columns | ArgumentError = ()
        if plan.function is not None:
            try:
                found = await self._queue.run(plan.function, plan.columns)
            except ArgumentError as error:
                found = error
        return self.answer(plan, found)

    def plan(self, product: product_pb2.Product, snapshot: Snapshot, currency: str = "") -> Plan:
        """What the kernel is asked for a product; raises as `price` does."""
        standing = snapshot.of(messages.pair_of(product.instrument))
        legs = legs_of(product, standing)
        to_plan = partial(Plan, product, snapshot, standing, currency or standing.pair.counter)
        if isinstance(legs[0], Exchange):
            return to_plan(None, (), lambda found: [value_exchange(leg, standing) for leg in legs])
        if isinstance(legs[0], Option):
            columns = option_columns(legs, standing)
            return to_plan(vanillas, columns.arrays(), lambda found: value_options(legs, standing, columns, found))
        asked = ask(legs[0], standing)
        return to_plan(asked.formula, asked.columns, lambda found: [value_exotic(asked, found, standing)])

    def answer(self, plan: Plan, found: Columns | ArgumentError) -> pb.PriceResponse:
        """The answer of a plan with what the kernel found, or with why it refused; raises as `price` does."""
        if isinstance(found, ArgumentError):
            words = f"cannot be priced in this market: {found.argument} of the formula is {found.value!r}, {found.says}"
            raise Refused(f"product.{plan.product.WhichOneof('terms')}", words)
        snapshot, standing = plan.snapshot, plan.standing
        priced = plan.value(found)
        total = reduce(add, (each.valuation for each in priced))
        rate = snapshot.today(standing.pair.counter, plan.currency)
        moves = snapshot.way(standing.pair.counter, plan.currency)[:1] == ((standing.pair, True),)
        answer = pb.PriceResponse(
            valuation=messages.valuation_message(total),
            legs=[messages.leg_message(each) for each in priced],
            trade_date=messages.date_message(standing.trade_date),
            spot_date=messages.date_message(standing.dates.spot),
            snapshot_id=snapshot.id,
            as_of=messages.timestamp(snapshot.as_of),
            model=messages.MODELS[type(priced[0].leg)],
            deltas=messages.deltas_message(priced, standing.spot),
            reporting_currency=plan.currency,
            reporting_rate=rate,
            reporting_value=total.present_value * rate,
            reporting_valuation=messages.valuation_message(
                reported(total, standing.spot, standing.spot_time, rate, moves=moves)
            ),
        )
        _set_par(answer, priced, standing, plan.amount)
        return answer

    async def found(self, plans: Sequence[Plan]) -> list[Columns | ArgumentError]:
        """The kernel's answers to many plans, or why it refuses one: one call of it for each formula."""
        answers: list[Columns | ArgumentError] = [()] * len(plans)
        places: dict[Function, list[int]] = {}
        for i, plan in enumerate(plans):
            if plan.function is not None:
                places.setdefault(plan.function, []).append(i)
        groups = await asyncio.gather(
            *(self._together(function, [plans[i].columns for i in where]) for function, where in places.items())
        )
        for where, group in zip(places.values(), groups, strict=True):
            for i, answer in zip(where, group, strict=True):
                answers[i] = answer
        return answers

    async def _together(self, function: Function, asked: list[Columns]) -> list[Columns | ArgumentError]:
        large = len(asked) > PRODUCTS_INLINE_MAX
        whole = await self._queue.aside(_joined, asked) if large else _joined(asked)
        try:
            found = await self._queue.run(function, whole)
        except ArgumentError:
            # One of them is refused: each by itself, so that the others have their prices.
            return [await self._alone(function, each) for each in asked]
        return await self._queue.aside(_parted, asked, found) if large else _parted(asked, found)

    async def _alone(self, function: Function, columns: Columns) -> Columns | ArgumentError:
        try:
            return await self._queue.run(function, columns)
        except ArgumentError as error:
            return error


def _joined(asked: list[Columns]) -> Columns:
    return tuple(np.concatenate(each) for each in zip(*asked, strict=True))


def _parted(asked: list[Columns], found: Columns) -> list[Columns | ArgumentError]:
    ends = np.cumsum([len(each[0]) for each in asked])[:-1]
    return list(zip(*(np.split(column, ends) for column in found), strict=True))


def _set_par(answer: pb.PriceResponse, priced: list[Priced], standing: Standing, amount: float) -> None:
    first, last = priced[0], priced[-1]
    if not isinstance(first.leg, Exchange):
        answer.unit_price = answer.valuation.present_value / amount
    elif len(priced) == 1:
        answer.par_rate = first.forward
    else:
        answer.par_rate = par_far_rate(first, last, standing)
        answer.par_points = answer.par_rate - first.rate
