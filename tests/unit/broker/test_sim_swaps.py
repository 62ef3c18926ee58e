"""Swaps at the exchange, by themselves: what is dealt, works or has ended, and what is told of it."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.dates import NS, Calendar, put_date
from services.broker.engine.desk import Desk
from services.broker.engine.session import Standing
from services.broker.indications import Ask, Indication
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.exchange_terms import Unfit
from services.broker.venues.sim_dated import Dated, swap_ask
from services.broker.venues.sim_faults import SimFaults
from services.broker.venues.sim_records import SimRecords
from services.broker.venues.sim_swaps import SimSwaps

NOW_NS = int(dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC).timestamp()) * NS
SUNDAY_NS = int(dt.datetime(2026, 12, 6, 12, tzinfo=dt.UTC).timestamp()) * NS
NEAR, FAR = dt.date(2026, 12, 29), dt.date(2027, 1, 29)
GTC, GTD, IOC = order_pb2.TIME_IN_FORCE_GTC, order_pb2.TIME_IN_FORCE_GTD, order_pb2.TIME_IN_FORCE_IOC


class Quotes:
    """Spot, while there is a quote."""

    def __init__(self) -> None:
        self.is_live = True

    def want(self, instrument: str) -> bool:
        """See Quotes."""
        return True

    def live(self, instrument: str) -> quote_pb2.Quote | None:
        """See Quotes."""
        return quote_pb2.Quote(bid=1.08, ask=1.0801) if self.is_live else None


class Prices:
    """Pricing, whose points a test says."""

    points = "0.001", "0.0011"

    async def of(self, ask: Ask, within_s: float) -> Indication:
        """See Prices."""
        return self.now()

    def now(self) -> Indication:
        """What it answers."""
        rates = (Decimal(each) for each in (*self.points, "1.08005", "1.08", "1.0801"))
        return Indication(time.monotonic(), *rates)


class Exchange:
    """Its swaps, on a desk whose commits are looked at here."""

    def __init__(self, **spec: Any) -> None:
        self.desk = Desk("sim", None, None, None, Standing(), None)
        self.prices, self.quotes, self.number = Prices(), Quotes(), 0
        self.make(**spec)

    def make(self, **spec: Any) -> None:
        """The exchange as it is after a restart, with what the desk has."""
        declared = SimulatedVenue.model_validate({"kind": "simulated", **spec})
        self.dated = Dated(declared, self.prices, lambda ask: self.swaps.working.answered(ask))
        faults = SimFaults(declared.faults, declared.seed)
        self.records = SimRecords("sim", faults)
        self.swaps = SimSwaps(self.desk, declared, Calendar(), self.dated, self.quotes, faults, self.records)

    def order(self, **terms: Any) -> Routed:
        """A swap that buys on the far date."""
        self.number += 1
        values = {"order_type": order_pb2.ORDER_TYPE_LIMIT, "limit_price": "0.0005", "time_in_force": GTC}
        values |= {"account": "alpha", "instrument": "EUR/USD", "side": order_pb2.SIDE_BUY, "quantity": "100000"}
        ends_ns = terms.pop("ends_ns", 0)
        order = order_pb2.Order(order_id=f"o{self.number}", terms=order_pb2.NewOrder(**(values | terms)))
        if ends_ns:
            order.terms.expire_time.FromNanoseconds(ends_ns)
        put_date(order.settl_date, NEAR)
        put_date(order.far_settl_date, FAR)
        order.terms.far_leg.settlement.tenor = "2M"
        return Routed(self.number, order.order_id, "alpha", "sim", "EUR/USD", At.HERE, 1, "", 0, 0, order)

    def enter(self, routed: Routed, now_ns: int = NOW_NS) -> list[str]:
        """Takes a new one and goes on; what was told, in words."""
        outcome = Outcome()
        each = Waiting(1, "i", routed.order_id, routing.INSTRUCTION_KIND_NEW, 1, False, routed.order, 0.0)
        self.swaps.enter(outcome, routed, each, self.prices.now(), now_ns)
        assert outcome.done == [1]
        self.swaps.go_on(outcome, now_ns)
        return told(outcome)

    async def go_on(self, now_ns: int = NOW_NS) -> list[str]:
        """Asks pricing again and goes on; what was told."""
        self.swaps.working.ask_again()
        for task in list(self.dated._asking.values()):
            await task
        outcome = Outcome()
        self.swaps.go_on(outcome, now_ns)
        return told(outcome)


def told(outcome: Outcome) -> list[str]:
    """Kinds of reports in words."""
    return [pb.VenueReportKind.Name(each.report.kind).removeprefix("VENUE_REPORT_KIND_") for each in outcome.reports]


async def test_a_swap_works_only_while_something_may_be_dealt_on() -> None:
    """Not without a live quote of spot, not on points beyond its limit, and not while the market is closed."""
    exchange = Exchange(hours="market")
    swap = exchange.order()
    assert exchange.enter(swap) == ["ACCEPTED"]
    assert await exchange.go_on() == []
    exchange.prices.points = "0.0004", "0.0005"
    exchange.quotes.is_live = False
    assert await exchange.go_on() == []
    exchange.quotes.is_live = True
    assert await exchange.go_on(SUNDAY_NS) == []
    assert [each.order_id for each in exchange.swaps.stated()] == [swap.order_id]
    assert await exchange.go_on() == ["FILLED"]
    assert (swap.status, list(exchange.swaps.stated())) == (At.ENDED, [])
    assert await exchange.go_on() == []
    assert exchange.enter(exchange.order(), SUNDAY_NS) == ["REJECTED"]


async def test_what_came_too_late_or_may_not_work_is_not_dealt() -> None:
    """An order whose time is over ends though points meet it; at once, and without a quote, is not at all."""
    exchange = Exchange()
    exchange.prices.points = "0.0004", "0.0005"
    late = exchange.order(time_in_force=GTD, ends_ns=NOW_NS)
    assert exchange.enter(late) == ["ACCEPTED", "EXPIRED"]
    exchange.quotes.is_live = False
    assert exchange.enter(exchange.order(time_in_force=IOC)) == ["ACCEPTED", "CANCELLED"]
    assert exchange.enter(exchange.order()) == ["ACCEPTED"]
    exchange.quotes.is_live = True
    assert await exchange.go_on() == ["FILLED"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"limit_price": "40.2"}, "limit_price"),
        ({"limit_price": "0.0000001"}, "limit_price"),
        ({"order_type": order_pb2.ORDER_TYPE_STOP_LIMIT}, "order_type"),
        ({"quantity": "100000.5"}, "quantity"),
    ],
)
def test_what_the_exchange_does_not_know_is_refused_by_its_field(terms: dict[str, Any], field: str) -> None:
    """Nothing is told and nothing works then."""
    exchange = Exchange()
    with pytest.raises(Unfit, match=f"^{field}"):
        exchange.enter(exchange.order(**terms))
    assert list(exchange.swaps.stated()) == []


async def test_a_restart_takes_up_what_works_and_nothing_else() -> None:
    """Also where the venue is declared to deal no swaps any more; an order that a correction ends meanwhile is over."""
    exchange = Exchange()
    works, corrected = exchange.order(), exchange.order(quantity="200000")
    for each in (works, corrected):
        assert exchange.enter(each) == ["ACCEPTED"]
    exchange.make(deals=[])
    exchange.swaps.recover(NOW_NS)
    assert [each.routed for each in exchange.swaps.working] == [works, corrected]
    ended = exchange.order(quantity="200000")
    ended.order_id, ended.status = corrected.order_id, At.ENDED
    exchange.desk.remember(ended)
    exchange.prices.points = "0.0004", "0.0005"
    assert await exchange.go_on() == ["FILLED"]
    exchange.make()
    exchange.swaps.recover(NOW_NS)
    assert list(exchange.swaps.working) == []


async def test_a_fill_of_a_swap_that_worked_is_never_lost() -> None:
    """Its report alone says that it works no more: an exchange that loses reports would deal it again after a restart.
    One that is over at once is dealt and lost."""
    exchange = Exchange(faults={"lose_report": 1.0})
    exchange.prices.points = "0.0004", "0.0005"
    lost = exchange.order(time_in_force=IOC)
    assert exchange.enter(lost) == ["ACCEPTED"]
    assert exchange.enter(exchange.order()) == ["ACCEPTED", "FILLED"]
    assert len(exchange.records.taken()[1]) == 2
    exchange.make()
    exchange.swaps.recover(NOW_NS)
    assert list(exchange.swaps.working) == []
    assert swap_ask(lost) == Ask("EUR/USD", NEAR, "100000", FAR)
