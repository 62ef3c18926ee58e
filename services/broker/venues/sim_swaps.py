"""Swaps at the simulated exchange: dealt whole, on points that pricing has indicated for their dates and amount.

They enter no book. One whose limit is not met may work here: its committed order is all that is kept of it. What is
dealt or ended is committed with the report of it, so a swap that works after a kill is one that was neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.exchange.chance import Chance, Purpose
from crossrate.exchange.event import Event, EventKind, Liquidity, Reason
from crossrate.exchange.grid import Grid, OffGrid
from crossrate.exchange.order import Operation, Side
from services.broker.domain.amounts import QUANTITY_UNIT, price_text, quantity_of, quantity_text
from services.broker.domain.books import BUY, SELL, StatedOrder
from services.broker.domain.dates import Calendar, put_date
from services.broker.domain.outright import FINER, FINER_PLACES, SwapRates, swap_rates
from services.broker.engine.desk import Desk
from services.broker.indications import Indication
from services.broker.peers import Quotes
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues import exchange_terms as words
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_answers import refuse, unquoted
from services.broker.venues.sim_dated import Dated, far_day_of, swap_ask
from services.broker.venues.sim_faults import SimFaults
from services.broker.venues.sim_records import SimRecords
from services.broker.venues.sim_terms import terms_of
from services.broker.venues.sim_working import Working, WorkingSwaps, limit_of

NO_LIQUIDITY = {
    order_pb2.TIME_IN_FORCE_IOC: Reason.IMMEDIATE_OR_CANCEL,
    order_pb2.TIME_IN_FORCE_FOK: Reason.FILL_OR_KILL,
}


class SimSwaps:
    """See the module."""

    def __init__(
        self,
        desk: Desk,
        spec: SimulatedVenue,
        calendar: Calendar,
        dated: Dated,
        quotes: Quotes,
        faults: SimFaults,
        records: SimRecords,
    ) -> None:
        self._desk, self._spec, self._calendar = desk, spec, calendar
        self._dated, self._quotes = dated, quotes
        self._faults, self._records = faults, records
        self._chance = Chance(spec.seed)
        self.working = WorkingSwaps(calendar, dated)

    def recover(self, now: int) -> None:
        """Takes up what works by the orders that are kept."""
        for routed in self._desk.orders.values():
            if words.is_swap(routed) and routed.status in (At.SENT, At.WORKS) and _may_work(routed):
                self._works(routed, now)

    def _works(self, routed: Routed, now: int) -> None:
        ask = swap_ask(routed)
        self._quotes.want(routed.instrument)
        self.working.add(routed, ask, now)

    def enter(self, outcome: Outcome, routed: Routed, each: Waiting, found: Indication, now: int) -> None:
        """Deals a new swap at the rates of an indication, ends it or lets it work by its limit, or refuses it.

        Raises:
            Unfit: it has terms that the exchange does not know.
        """
        grid = self._grid(routed)
        live = self._quotes.live(routed.instrument) is not None
        limit = self._checked(routed, found, grid)
        reason = self._refuses(routed, grid, now)
        if reason:
            refuse(self._desk, outcome, routed, each, reason.says, execution.EXECUTION_REASON_VENUE, now)
            return
        if limit is None and not live:
            unquoted(self._desk, outcome, routed, each, now)
            return
        rates = self._rates(routed, found, grid)
        if rates is None and limit is None:
            raise words.Unfit("far_leg: no swap is dealt at rates of zero or less")
        routed.status, routed.venue_order_id = At.SENT, f"S{routed.number}"
        self._desk.remember(routed)
        self._desk.sends(routed)
        self._tell(outcome, routed, grid, EventKind.ACCEPTED, now)
        late = _may_work(routed) and self.working.late(routed, now)
        if live and not late and rates is not None and rates.within(limit, _buys(routed)):
            self._deal(outcome, routed, grid, rates, now)
        elif _may_work(routed):
            self._works(routed, now)
        else:
            why = NO_LIQUIDITY.get(routed.order.terms.time_in_force, Reason.NO_LIQUIDITY)
            self._tell(outcome, routed, grid, EventKind.CANCELLED, now, reason=why)
        outcome.done.append(each.number)

    def _checked(self, routed: Routed, found: Indication, grid: Grid) -> Decimal | None:
        """The limit on the points of an order; None for none.

        Raises:
            Unfit: it has terms that the exchange does not know.
        """
        terms, limited = routed.order.terms, routed.order.terms.order_type == order_pb2.ORDER_TYPE_LIMIT
        if (terms.order_type not in words.MARKET and not limited) or terms.price_bound:
            raise words.Unfit("order_type: a swap is dealt at the market or with a limit, without a price_bound")
        if routed.earlier:
            raise words.Unfit("quantity: a swap of which a part was dealt elsewhere is not taken here: enter a new one")
        limit = limit_of(terms)
        if limit is not None and limit % grid.tick:
            raise words.Unfit(f"limit_price: {limit} is no multiple of {grid.tick}, the step of swap points")
        if limit is not None and not found.why_not and abs(limit) >= found.near:
            raise words.Unfit(
                f"limit_price: swap points of {limit} beside a rate of {price_text(found.near)} are none: give units "
                "of the price, as 0.00214, not pips"
            )
        try:
            grid.units(Decimal(terms.quantity))
            grid.units(Decimal(_far_quantity(routed)) / QUANTITY_UNIT)
        except OffGrid as error:
            raise words.Unfit(str(error)) from None
        return limit

    def _refuses(self, routed: Routed, grid: Grid, now: int) -> Reason:
        disclosed = terms_of(self._spec, routed.instrument, grid, FINER)
        if not disclosed.hours.is_open(now):
            return Reason.MARKET_CLOSED
        if grid.units(Decimal(routed.order.terms.quantity)) < disclosed.minimum_quantity:
            return Reason.BELOW_MINIMUM_QUANTITY
        if self._chance.happens(self._spec.reject_rate, Purpose.REJECT, routed.number):
            return Reason.VENUE_REJECT
        return Reason.NONE

    # What is asked about one that is there.

    def cancel(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        """Ends a swap that works; one that does not has ended, and its cancel is too late."""
        found = self.working.drop(routed.order_id)
        kind, reason = (EventKind.CANCELLED, Reason.REQUESTED) if found else (EventKind.REJECTED, Reason.UNKNOWN_ORDER)
        self._tell(outcome, routed, self._grid(routed), kind, now, Operation.CANCEL, reason)
        outcome.done.append(each.number)

    def replace(self, outcome: Outcome, routed: Routed, each: Waiting, now: int) -> None:
        """Gives a swap that works another limit or end. It is dealt on answers that come after that.

        Raises:
            Unfit: it asks for what the exchange does not do.
        """
        if self.working.of(routed.order_id) is None:
            too_late = execution.EXECUTION_REASON_TOO_LATE
            refuse(self._desk, outcome, routed, each, Reason.UNKNOWN_ORDER.says, too_late, now)
            return
        old, new = routed.order.terms, each.order.terms
        if quantity_of(old.quantity) != quantity_of(new.quantity) or old.far_leg != new.far_leg:
            raise words.Unfit("quantity: the legs of a swap are not amended; cancel it, and enter another")
        amended = replace(routed, order=each.order)
        self._checked(amended, self._dated.answer(swap_ask(amended)), self._grid(amended))
        routed.order, routed.version = each.order, each.version
        self._tell(outcome, routed, self._grid(routed), EventKind.REPLACED, now, Operation.REPLACE)
        self.working.drop(routed.order_id)
        self._works(routed, now)
        outcome.done.append(each.number)

    # What works.

    def go_on(self, outcome: Outcome, now: int) -> None:
        """Ends what is over, and deals what the newest answers of pricing let deal."""
        for each in self.working.over(now):
            if (routed := self._there(each)) is not None:
                self._tell(outcome, routed, self._grid(routed), EventKind.EXPIRED, now, text=each.why_over(now))
        for ask, found in self.working.heard():
            for each in self.working.asking(ask):
                self._look(outcome, each, found, now)

    def _there(self, each: Working) -> Routed | None:
        """The order of one that works; None, and it works no more, where a correction has ended it."""
        routed = self._desk.orders.get(each.routed.order_id)
        if routed is None:
            self.working.drop(each.routed.order_id)
        return routed

    def _look(self, outcome: Outcome, each: Working, found: Indication, now: int) -> None:
        routed = self._there(each)
        if routed is None or self._quotes.live(routed.instrument) is None:
            return
        grid = self._grid(routed)
        if not terms_of(self._spec, routed.instrument, grid, FINER).hours.is_open(now):
            return
        rates = self._rates(routed, found, grid)
        if rates is not None and rates.within(limit_of(routed.order.terms), _buys(routed)):
            self.working.drop(routed.order_id)
            self._deal(outcome, routed, grid, rates, now)

    def stated(self) -> Iterable[StatedOrder]:
        """What works, as a statement has it."""
        for each in list(self.working):
            if (routed := self._there(each)) is None:
                continue
            terms = routed.order.terms
            side, quantity = BUY if _buys(routed) else SELL, quantity_of(terms.quantity)
            number, limit = routed.venue_order_id, limit_of(terms)
            yield StatedOrder(number, "", routed.instrument, side, quantity, limit, routed.filled, routed.order_id)

    # Deals.

    def _rates(self, routed: Routed, found: Indication, grid: Grid) -> SwapRates | None:
        """The rates of a swap by an indication; None where one would not be above zero."""
        buys, net = _buys(routed), _net(routed)
        half = (found.market_ask - found.market_bid) / 2
        rates = swap_rates(buys, net, found.near, half, found.bid, found.offer, grid.tick)
        return rates if rates.near > 0 and rates.far > 0 else None

    def _deal(self, outcome: Outcome, routed: Routed, grid: Grid, rates: SwapRates, now: int) -> None:
        filled = self._event(routed, grid, EventKind.FILLED, now)
        filled = filled._replace(price=int(rates.near / grid.tick), leaves=0, filled=filled.quantity, execution=1)
        filled = filled._replace(liquidity=Liquidity.REMOVED)
        self._records.dealt(routed.instrument, grid, filled, _net(routed))
        told = self._faults.told(filled)
        if _may_work(routed):
            told = told or [filled]  # by its report alone it is known not to work any more
        for event in told:
            said = words.report_of(event, routed, grid, self._calendar)
            assert said is not None
            fill = said.report.fill
            fill.far_quantity, fill.far_price = quantity_text(_far_quantity(routed)), price_text(rates.far)
            put_date(fill.far_settl_date, far_day_of(routed))
            self._desk.told(outcome, routed, said.report, said.key)

    def _tell(
        self,
        outcome: Outcome,
        routed: Routed,
        grid: Grid,
        kind: EventKind,
        now: int,
        operation: Operation = Operation.NEW,
        reason: Reason = Reason.NONE,
        text: str = "",
    ) -> None:
        event = self._event(routed, grid, kind, now)._replace(operation=operation, reason=reason)
        said = words.report_of(event, routed, grid, self._calendar)
        assert said is not None
        said.report.text = text or said.report.text
        self._desk.told(outcome, routed, said.report)

    @staticmethod
    def _event(routed: Routed, grid: Grid, kind: EventKind, now: int) -> Event:
        side, units = Side.BUY if _buys(routed) else Side.SELL, grid.units(Decimal(routed.order.terms.quantity))
        head = (words.number_of(routed), words.owner_of(routed.account), side)
        return Event(0, kind, *head, 0, units, units, 0, 0, 0, Liquidity.NONE, Reason.NONE, now, Operation.NEW, 0)

    def _grid(self, routed: Routed) -> Grid:
        return words.grid_of(routed.instrument, Decimal(self._spec.quantity_unit), FINER_PLACES)


def _buys(routed: Routed) -> bool:
    return routed.order.terms.side == order_pb2.SIDE_BUY


def _far_quantity(routed: Routed) -> int:
    terms = routed.order.terms
    return quantity_of(terms.far_leg.quantity or terms.quantity)


def _net(routed: Routed) -> int:
    """What the far leg has more than the near one, signed by what the client buys, 1/10000 of the base unit."""
    return (_far_quantity(routed) - quantity_of(routed.order.terms.quantity)) * (1 if _buys(routed) else -1)


def _may_work(routed: Routed) -> bool:
    terms = routed.order.terms
    return terms.order_type == order_pb2.ORDER_TYPE_LIMIT and terms.time_in_force not in NO_LIQUIDITY
