"""What the simulated exchange asks of pricing for orders with dates, and what it has been answered.

An order waits for its answer outside of its book and of the pass, so that nothing else waits with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import parse_pair
from services.broker.domain.outright import FINER, outright
from services.broker.indications import Ask, Indication
from services.broker.routed import Routed, Waiting
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.exchange_terms import Unfit, dated, day_of, is_swap, ticks_of
from services.broker.venues.sim_book import SimBook

FRESH_S = 1.0
"""An order deals on points that are younger, or were heard since it began to wait."""
AGE_S_MAX = 10.0
"""Nothing deals on older points."""
REFRESH_S = 2.0
"""How often points are asked for while orders rest on them."""
AMOUNT_MAX = Decimal(1_000_000)
"""Points are those of the first tier's amount, but of no more than that."""
ANSWERS_MAX = 2_000
SPOT_ALONE = (
    "settlement: the venue deals spot and no {}s: it needs them in `deals` of mesh/venues.toml, and pricing among the "
    "calls of broker in mesh/topology.toml; or ask pricing for a quote"
)


class Prices(Protocol):
    """Who indicates prices."""

    async def of(self, ask: Ask, within_s: float) -> Indication:
        """An indication, or why there is none."""
        ...


def day_of_order(routed: Routed) -> date:
    """When an order settles; of a swap its near leg.

    Raises:
        Unfit: it does not say.
    """
    day = day_of(routed.order.settl_date) or day_of(routed.order.terms.settlement.date)
    if day is None:
        raise Unfit("settlement: the order has no date on which it settles")
    return day


def far_day_of(routed: Routed) -> date:
    """When a swap's far leg settles.

    Raises:
        Unfit: it does not say.
    """
    day = day_of(routed.order.far_settl_date) or day_of(routed.order.terms.far_leg.settlement.date)
    if day is None:
        raise Unfit("far_leg.settlement: the order has no date on which its far leg settles")
    return day


def swap_ask(routed: Routed) -> Ask:
    """The question for the points of a swap, of its dates and amount.

    Raises:
        Unfit: it does not say its dates.
    """
    return Ask(routed.instrument, day_of_order(routed), routed.order.terms.quantity, far_day_of(routed))


def key_of(routed: Routed) -> str:
    """The book of an order: its pair's, or that of pair and date; none ("") of a swap.

    Raises:
        Unfit: it has a date, and does not say which.
    """
    if is_swap(routed):
        return ""
    if not dated(routed.order.terms):
        return routed.instrument
    return f"{routed.instrument} {day_of_order(routed)}"


class Dated:
    """See the module. Of one adapter."""

    def __init__(self, spec: SimulatedVenue, prices: Prices, answered: Callable[[Ask], None]) -> None:
        self._spec = spec
        self._prices = prices
        self._answered = answered
        self._answers: dict[Ask, Indication] = {}
        self._asking: dict[Ask, asyncio.Task[None]] = {}
        self._since: dict[int, float] = {}
        """When instructions began to wait, by their number."""
        self._closed = False

    def close(self) -> None:
        """Nobody waits any more."""
        self._closed = True
        for task in self._asking.values():
            task.cancel()

    def ask_of(self, routed: Routed) -> Ask | None:
        """What an order has to know before it is dealt; None of a spot order.

        Raises:
            Unfit: the venue does not deal it; or it has a date, and does not say which.
        """
        terms = routed.order.terms
        what = "swap" if is_swap(routed) else "forward" if dated(terms) else ""
        if what and what not in self._spec.deals:
            raise Unfit(SPOT_ALONE.format(what))
        if what == "swap":
            return swap_ask(routed)
        return self.points_ask(routed.instrument, day_of_order(routed)) if what else None

    def points_ask(self, instrument: str, day: date) -> Ask:
        """The question for the points of a date."""
        convention = CONVENTIONS[parse_pair(instrument)]
        amount = min(Decimal(self._spec.tiers[0].quantity), AMOUNT_MAX) if self._spec.tiers else AMOUNT_MAX
        amount = max(amount // convention.quantity_step * convention.quantity_step, Decimal(convention.min_quantity))
        return Ask(instrument, day, f"{amount.normalize():f}")

    def waits(self, each: Waiting, ask: Ask) -> bool:
        """Whether an instruction has to wait for its answer, which is asked for then."""
        now_s, found = time.monotonic(), self._answers.get(ask)
        since_s = self._since.get(each.number)
        fresh_s = now_s - FRESH_S if since_s is None else max(since_s, now_s - AGE_S_MAX)
        if found is not None and found.heard_s >= fresh_s:
            return False
        if since_s is None:
            self._since[each.number] = now_s
        self.ask(ask)
        return True

    def forget(self, numbers: set[int]) -> None:
        """Only these instructions still wait."""
        if self._since:
            self._since = {number: since_s for number, since_s in self._since.items() if number in numbers}

    @property
    def waited_for(self) -> bool:
        """Whether an instruction waits for an answer."""
        return bool(self._since)

    @property
    def asking(self) -> int:
        """How many questions are not answered."""
        return len(self._asking)

    def answer(self, ask: Ask) -> Indication:
        """What was answered."""
        return self._answers.get(ask) or Indication(0.0, why_not="pricing was not asked")

    def points(self, instrument: str, day: date) -> Indication | None:
        """The points of a date, if they may be dealt on now."""
        return self.indicated(self.points_ask(instrument, day))

    def indicated(self, ask: Ask) -> Indication | None:
        """What was answered, if it may be dealt on now."""
        found = self._answers.get(ask)
        if found is None or found.why_not or time.monotonic() - found.heard_s > AGE_S_MAX:
            return None
        return found

    def quoted(self, book: SimBook, quote: quote_pb2.Quote | None) -> tuple[int, int]:
        """Both sides of a dated book around a live quote of spot, in its ticks; 0 where nothing may be dealt on."""
        points = self.points(book.instrument, book.day) if book.day is not None else None
        if quote is None or points is None:
            return 0, 0
        bid, ask = ticks_of(quote.bid, quote.ask, replace(book.grid, tick=book.grid.tick * FINER))
        return outright(bid * FINER, ask * FINER, points.bid, points.offer, book.grid.tick)

    def ask(self, ask: Ask) -> None:
        """Asks, unless it is being asked."""
        if ask not in self._asking:
            self._asking[ask] = asyncio.create_task(self._ask(ask))

    async def _ask(self, ask: Ask) -> None:
        try:
            try:
                found = await self._prices.of(ask, self._spec.quote_wait_s)
            except asyncio.CancelledError:
                if self._closed:
                    raise
                found = Indication(time.monotonic(), why_not="the call to pricing was cut off")
            except Exception as error:
                found = Indication(time.monotonic(), why_not=f"pricing could not be asked: {error}")
            self._answers.pop(ask, None)
            self._answers[ask] = found
            while len(self._answers) > ANSWERS_MAX:
                self._answers.pop(next(iter(self._answers)))
        finally:
            del self._asking[ask]
        self._answered(ask)
