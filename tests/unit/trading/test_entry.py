"""What may be entered, amounts, dates, triggers, the gate: values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.trading.v1 import order_entry_pb2, order_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from services.trading import messages
from services.trading.domain import amounts, entry, gate, trigger
from services.trading.domain.account import Account, Deal, Step
from services.trading.domain.dates import BadDate, Calendar
from services.trading.domain.lifecycle import Exec, Status
from services.trading.domain.order import (
    BUY,
    SELL,
    Amendment,
    Order,
    OrderType,
    Protection,
    Terms,
    TimeInForce,
    TriggerSource,
)
from services.trading.service.amending import adds
from tests.unit.trading.venue_model import NOW_NS

EURUSD = CONVENTIONS[Pair("EUR", "USD")]
DAY_NS = 86_400 * 10**9


def limit(**fields) -> Terms:
    """A limit order."""
    values = {
        "side": BUY,
        "quantity": amounts.quantity("100000"),
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "limit_price": amounts.price("1.08"),
    }
    return Terms(**(values | fields))


def wrong(terms: Terms) -> set[str]:
    """The fields that are wrong."""
    return {field for field, _ in entry.problems(terms, EURUSD, NOW_NS)}


@given(st.decimals(min_value=0, max_value=10**15, places=4))
def test_a_quantity_is_written_as_it_was_read(value: Decimal) -> None:
    """No digit is lost between the text and the number."""
    count = amounts.quantity(f"{value:f}")
    assert count == int(value * 10_000)
    assert Decimal(amounts.quantity_text(count)) == value


@given(st.integers(min_value=0, max_value=10**30), st.integers(min_value=1, max_value=10**18))
def test_an_average_is_rounded_half_to_even(value: int, filled: int) -> None:
    """As the decimal module rounds it."""
    with localcontext() as context:
        context.prec = 60
        expected = (Decimal(value) / filled).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    assert amounts.average(value, filled) == int(expected)


@pytest.mark.parametrize("text", ["", "-", "1.", ".5", "1e3", "1,5", "0x1", "1.00001"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Signs, exponents, commas and too many places."""
    with pytest.raises(ValueError, match="decimal"):
        amounts.quantity(text)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, set()),
        ({"quantity": amounts.quantity("999")}, {"quantity"}),
        ({"quantity": amounts.quantity("1000.5")}, {"quantity"}),
        ({"limit_price": 0}, {"limit_price"}),
        ({"limit_price": amounts.price("1.080001")}, {"limit_price"}),
        ({"stop_price": amounts.price("1.09")}, {"stop_price"}),
        ({"order_type": OrderType.MARKET}, {"limit_price", "time_in_force"}),
        ({"order_type": OrderType.STOP, "limit_price": 0}, {"limit_price", "stop_price"}),
        ({"order_type": OrderType.STOP, "limit_price": None}, {"stop_price"}),
        ({"time_in_force": TimeInForce.GTD}, {"expire_time"}),
        ({"time_in_force": TimeInForce.GTD, "expire_ns": NOW_NS}, {"expire_time"}),
        ({"time_in_force": TimeInForce.GTD, "expire_ns": NOW_NS + 367 * DAY_NS}, {"expire_time"}),
        ({"time_in_force": TimeInForce.GTD, "expire_ns": NOW_NS + DAY_NS}, set()),
        ({"expire_ns": NOW_NS + DAY_NS}, {"expire_time"}),
        ({"min_quantity": amounts.quantity("1000")}, {"min_quantity"}),
        ({"min_quantity": amounts.quantity("1000"), "time_in_force": TimeInForce.IOC}, set()),
        ({"display_quantity": amounts.quantity("200000")}, {"display_quantity"}),
        ({"post_only": True, "time_in_force": TimeInForce.FOK}, {"post_only"}),
        ({"price_bound": amounts.price("1.09")}, {"price_bound"}),
        ({"quote_id": "x"}, {"quote_id"}),
        ({"swap": True, "reduce_only": True}, {"reduce_only"}),
        ({"swap": True, "limit_price": amounts.price("-0.000425")}, set()),
        ({"swap": True, "limit_price": 0}, set()),
        ({"swap": True, "limit_price": None}, {"limit_price"}),
        ({"swap": True, "limit_price": amounts.price("0.0004251")}, {"limit_price"}),
        ({"swap": True, "price_bound": amounts.price("1.09")}, {"price_bound"}),
        ({"limit_price": None}, {"limit_price"}),
        ({"limit_price": amounts.price("-1.08")}, {"limit_price"}),
        ({"protection": Protection()}, {"on_fill"}),
        ({"protection": Protection(amounts.price("1.07"))}, {"on_fill.take_profit_price"}),
        ({"protection": Protection(amounts.price("1.1"), amounts.price("1.07"))}, set()),
        ({"protection": Protection(0, amounts.price("1.07"), amounts.price("0.01"))}, {"on_fill.trailing_distance"}),
    ],
)
def test_each_rule_of_entry_names_its_field(fields: dict, expected: set[str]) -> None:
    """What is wrong is named; what is right is not."""
    assert wrong(limit(**fields)) == expected


def test_an_amendment_keeps_to_the_type() -> None:
    """A price that the type does not have, an end of an order that has none, and nothing at all."""

    def fields(new: Amendment, **of: Any) -> set[str]:
        return {field for field, _ in entry.amendment_problems(limit(**of), new, EURUSD, NOW_NS)}

    assert fields(Amendment()) == {""}
    assert fields(Amendment(quantity=amounts.quantity("2000"))) == set()
    assert fields(Amendment(stop_price=amounts.price("1.1"))) == {"stop_price"}
    assert fields(Amendment(expire_ns=NOW_NS + 1)) == {"expire_time"}
    assert fields(Amendment(limit_price=0)) == fields(Amendment(limit_price=-1)) == {"limit_price"}
    for points in (0, amounts.price("-0.000425")):
        assert fields(Amendment(limit_price=points), swap=True) == set()
    assert fields(Amendment(quantity=amounts.quantity("2000")), swap=True) == {"quantity"}


@pytest.mark.parametrize("points", ["0", "0.00214", "-0.000425"])
def test_a_limit_on_swap_points_is_kept_as_it_was_given(points: str) -> None:
    """Zero is a limit, not the lack of one; from the message, through an amendment that is under way, and back."""
    new = order_pb2.NewOrder(side=order_pb2.SIDE_BUY, quantity="100000", order_type=2, time_in_force=1)
    new.far_leg.settlement.tenor = "1M"
    assert messages.terms_of(new).limit_price is None
    new.limit_price = points
    terms = messages.terms_of(new)
    assert terms.limit_price == amounts.price(points)
    image = order_pb2.Order(terms=new, cum_quantity="0", status=order_pb2.ORDER_STATUS_PENDING_REPLACE)
    image.proposed.CopyFrom(new)
    asked = messages.amendment_of(order_entry_pb2.AmendOrderRequest(limit_price=points))
    assert (asked, adds(messages.order_of(image), asked)) == (Amendment(limit_price=amounts.price(points)), True)
    written = order_pb2.NewOrder(limit_price="0.1")
    messages.put_terms(written, asked)
    assert written.limit_price == points
    messages.put_terms(written, Amendment(expire_ns=1))
    assert written.limit_price == points
    assert messages.order_of(image).proposed.limit_price == amounts.price(points)


def test_a_deal_settles_by_the_calendar() -> None:
    """Spot after two days, a tenor from there, a date of one's own; a swap's far leg after its near one."""
    calendar, pair = Calendar(), Pair("EUR", "USD")
    spot = calendar.dates(pair, NOW_NS, None, None, False)
    assert (spot.trade, spot.settle, spot.far) == (date(2026, 3, 4), date(2026, 3, 6), None)
    assert calendar.dates(pair, NOW_NS, "1W", None, False).settle == date(2026, 3, 13)
    swap = calendar.dates(pair, NOW_NS, None, "1M", True)
    assert (swap.settle, swap.far) == (date(2026, 3, 6), date(2026, 4, 7))
    for near, far, field in (
        (date(2026, 3, 7), None, "settlement"),
        ("QQ", None, "settlement"),
        ("1M", "1W", "far_leg.settlement"),
        (None, None, "far_leg.settlement"),
    ):
        with pytest.raises(BadDate) as caught:
            calendar.dates(pair, NOW_NS, near, far, field.startswith("far"))
        assert caught.value.field == field


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("kind", [OrderType.STOP, OrderType.MARKET_IF_TOUCHED])
def test_a_trigger_is_reached_from_its_own_side(side: int, kind: OrderType) -> None:
    """A stop by a market that turns against its owner, a touch by one that comes to them; at the price itself both."""
    order = Order("1", "a", "c", "EUR/USD", limit(side=side, order_type=kind))
    against = side if kind is OrderType.STOP else -side
    assert trigger.reached(order, 1000, 1000)
    assert trigger.reached(order, 1000, 1000 + against)
    assert not trigger.reached(order, 1000, 1000 - against)


def test_the_trigger_looks_at_the_price_that_was_asked_for() -> None:
    """By default the side at which the order would deal."""
    for source, side, expected in (
        (TriggerSource.DEALING_SIDE, BUY, 12),
        (TriggerSource.DEALING_SIDE, SELL, 10),
        (TriggerSource.BID, BUY, 10),
        (TriggerSource.ASK, SELL, 12),
        (TriggerSource.MID, BUY, 11),
    ):
        order = Order("1", "a", "c", "EUR/USD", limit(side=side, trigger_source=source))
        assert trigger.price_of(order, 10, 12) == expected


@given(st.lists(st.integers(min_value=1000, max_value=2000), min_size=1), st.sampled_from([BUY, SELL]))
def test_a_trailing_stop_never_goes_back(prices: list[int], side: int) -> None:
    """It is the best price of all less the distance, whatever came between."""
    terms = limit(side=side, order_type=OrderType.TRAILING_STOP, trailing_distance=50)
    order, stop = Order("1", "a", "c", "EUR/USD", terms), 0
    for price in prices:
        stop = trigger.trailed(order, stop, price)
    assert stop == (min(prices) + 50 if side == BUY else max(prices) - 50)


class Nothing:
    """A recorder that keeps nothing."""

    def report(self, account, order, step) -> None:
        """See Recorder."""

    def instruct(self, order, kind) -> None:
        """See Recorder."""

    def position(self, account, key, strategy) -> None:
        """See Recorder."""


def test_the_gate_ends_what_its_mode_says() -> None:
    """CANCEL_ONLY leaves what works, REDUCE_ONLY what only reduces, HALT nothing; what was admitted under it stays."""
    account = Account("alpha")

    def entered(name: str, side: int, quantity: str) -> Order:
        terms = limit(side=side, quantity=amounts.quantity(quantity))
        order = Order(name, "alpha", name, "EUR/USD", terms)
        account.enter(order, Status.PENDING_NEW, Step(Exec.PENDING_NEW), Nothing())
        return order

    opening = entered("opening", BUY, "50000")
    account.deal(opening, Deal("sim", "x", opening.terms.quantity, amounts.price("1.08")), Nothing())
    adding, reducing = entered("adding", BUY, "10000"), entered("reducing", SELL, "50000")

    def ended(mode: gate.Mode, kind: str = "platform", name: str = "", version: int = 1) -> set[str]:
        rules = [gate.Rule(kind, name, mode)]
        orders = (adding, reducing)
        return {o.order_id for o in orders if gate.ended(account, o, version, rules, {"strategy": "carry"})}

    assert ended(gate.Mode.CANCEL_ONLY) == set()
    assert ended(gate.Mode.REDUCE_ONLY) == {"adding"}
    assert ended(gate.Mode.HALT) == ended(gate.Mode.FLATTEN) == {"adding", "reducing"}
    assert ended(gate.Mode.HALT, "account", "beta") == set()
    assert ended(gate.Mode.HALT, "strategy", "carry") == {"adding", "reducing"}
    assert ended(gate.Mode.HALT, version=0) == set()
    second = entered("second", SELL, "10000")
    assert ended(gate.Mode.REDUCE_ONLY) == {"adding", "reducing"}  # together they would cross zero
    assert not second.final
    adding.gate_version = 1
    assert ended(gate.Mode.HALT) == {"reducing"}


def test_terms_are_values() -> None:
    """An order's terms are replaced, never changed."""
    terms = limit()
    assert replace(terms, quantity=1) != terms
    with pytest.raises(AttributeError):
        terms.quantity = 1
