"""Swaps at the simulated exchange: dealt whole and at once, on points that pricing has just indicated for the amount.

They enter no book. What is dealt is committed with the report of it, and nothing is told of what is not.
"""

from __future__ import annotations

from decimal import Decimal

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.exchange.chance import Chance, Purpose
from crossrate.exchange.event import Event, EventKind, Liquidity, Reason
from crossrate.exchange.grid import OffGrid
from crossrate.exchange.order import Operation, Side
from services.broker.domain.amounts import QUANTITY_UNIT, price_text, quantity_of, quantity_text
from services.broker.domain.dates import Calendar, put_date
from services.broker.domain.outright import FINER, FINER_PLACES, swap_rates
from services.broker.engine.desk import Desk
from services.broker.indications import Indication
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues import exchange_terms as words
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_answers import refuse
from services.broker.venues.sim_dated import far_day_of
from services.broker.venues.sim_faults import SimFaults
from services.broker.venues.sim_records import SimRecords
from services.broker.venues.sim_terms import terms_of


class SimSwaps:
    """See the module."""

    def __init__(
        self, desk: Desk, spec: SimulatedVenue, calendar: Calendar, faults: SimFaults, records: SimRecords
    ) -> None:
        self._desk, self._spec, self._calendar = desk, spec, calendar
        self._faults, self._records = faults, records
        self._chance = Chance(spec.seed)

    def deal(self, outcome: Outcome, routed: Routed, each: Waiting, found: Indication, now: int) -> None:
        """Deals a swap at the rates of an indication, or refuses it.

        Raises:
            Unfit: it has terms that the exchange does not know.
        """
        terms, unit = routed.order.terms, Decimal(self._spec.quantity_unit)
        if terms.order_type not in words.MARKET or terms.price_bound:
            raise words.Unfit("order_type: a swap is dealt at the market, without a price_bound")
        if routed.earlier:
            raise words.Unfit("quantity: a swap of which a part was dealt elsewhere is not taken here: enter a new one")
        grid = words.grid_of(routed.instrument, unit, FINER_PLACES)
        disclosed = terms_of(self._spec, routed.instrument, grid, FINER)
        far_quantity = quantity_of(terms.far_leg.quantity or terms.quantity)
        try:
            units = grid.units(Decimal(terms.quantity))
            grid.units(Decimal(far_quantity) / QUANTITY_UNIT)
        except OffGrid as error:
            raise words.Unfit(str(error)) from None
        reason = Reason.NONE
        if not disclosed.hours.is_open(now):
            reason = Reason.MARKET_CLOSED
        elif units < disclosed.minimum_quantity:
            reason = Reason.BELOW_MINIMUM_QUANTITY
        elif self._chance.happens(self._spec.reject_rate, Purpose.REJECT, routed.number):
            reason = Reason.VENUE_REJECT
        if reason:
            refuse(self._desk, outcome, routed, each, reason.says, execution.EXECUTION_REASON_VENUE, now)
            return
        buys = terms.side == order_pb2.SIDE_BUY
        net = (far_quantity - quantity_of(terms.quantity)) * (1 if buys else -1)
        half = (found.market_ask - found.market_bid) / 2
        rates = swap_rates(buys, net, found.near, half, found.bid, found.offer, grid.tick)
        if rates.near <= 0 or rates.far <= 0:
            raise words.Unfit(f"far_leg: no swap is dealt at rates of {rates.near} and {rates.far}")
        routed.status, routed.venue_order_id = At.SENT, f"S{routed.number}"
        self._desk.remember(routed)
        self._desk.sends(routed)
        side, owner = Side.BUY if buys else Side.SELL, words.owner_of(routed.account)
        head, tail = (routed.number, owner, side), (0, Liquidity.NONE, Reason.NONE, now, Operation.NEW, 0)
        accepted = Event(0, EventKind.ACCEPTED, *head, 0, units, units, 0, 0, *tail)
        filled = Event(0, EventKind.FILLED, *head, grid.ticks(rates.near), units, 0, units, 1, *tail)
        filled = filled._replace(liquidity=Liquidity.REMOVED)
        self._records.dealt(routed.instrument, grid, filled, net)
        for event in (accepted, *self._faults.told(filled)):
            said = words.report_of(event, routed, grid, self._calendar)
            if said is None:
                continue
            if event.kind is EventKind.FILLED:
                fill = said.report.fill
                fill.far_quantity, fill.far_price = quantity_text(far_quantity), price_text(rates.far)
                put_date(fill.far_settl_date, far_day_of(routed))
            self._desk.told(outcome, routed, said.report, said.key)
        outcome.done.append(each.number)
