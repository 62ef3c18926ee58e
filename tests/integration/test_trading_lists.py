"""Triggers, lists, protections, time limits, amendments, corrections and quotes, through a real server."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as market
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.errors import ErrorReason
from tests.integration import trading_stand as stand
from tests.integration.conftest import eventually
from tests.integration.trading_stand import BUY, SELL, Floor, cancel, failure, floor, got, new, place, status

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STOP = {"order_type": order_pb2.ORDER_TYPE_STOP, "stop_price": "1.09"}
NEW, FILLED = order_pb2.ORDER_STATUS_NEW, order_pb2.ORDER_STATUS_FILLED
CANCELLED, SUSPENDED = order_pb2.ORDER_STATUS_CANCELLED, order_pb2.ORDER_STATUS_SUSPENDED
PARTLY = order_pb2.ORDER_STATUS_PARTIALLY_FILLED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Floor]:
    """One instance."""
    async with floor() as made:
        yield made


@pytest.fixture
def desk(running: Floor) -> Floor:
    """The floor as it is by itself, the market in the middle."""
    running.broker.answer = stand.accepting
    running.stub = running.trading()
    running.market.tick("EUR/USD", 1.0799, 1.0801)
    return running


def sent(desk: Floor, order: order_pb2.Order, kind: int = routing.INSTRUCTION_KIND_NEW) -> list[routing.Instruction]:
    """What broker was told about an order."""
    return [each for each in desk.broker.instructions(kind) if each.order.order_id == order.order_id]


async def test_a_stop_is_held_until_the_market_reaches_it(desk: Floor) -> None:
    """It works here; only a LIVE quote sets it off; then it goes to a venue as a market order would."""
    order = new("stops", **STOP)
    held = (await desk.stub.PlaceOrder(place(order))).order
    assert (held.status, held.trigger_price, held.venue) == (NEW, "1.09", "")
    desk.market.tick("EUR/USD", 1.0899, 1.0901, market.QUOTE_HEALTH_STALE)
    desk.market.tick("EUR/USD", 1.0897, 1.0899)
    assert not (await got(desk.stub, order)).triggered
    desk.market.tick("EUR/USD", 1.0898, 1.09)
    await eventually(lambda: sent(desk, held))
    found = await status(desk.stub, order, NEW)
    await eventually(lambda: got_confirmed(desk, order))
    found = await got(desk.stub, order)
    assert found.triggered
    await desk.broker.fill(found, "100000", "1.0901")
    await status(desk.stub, order, FILLED)
    explained = await desk.stub.ExplainOrder(history.ExplainOrderRequest(account="stops", order=order.client_order_id))
    words = [cause.text for cause in explained.causes]
    assert any("reached 1.09" in text for text in words), words
    assert any("filled 100000 at 1.0901" in text for text in words), words
    await desk.is_proved("stops")


async def got_confirmed(desk: Floor, order: order_pb2.NewOrder) -> bool:
    """Whether a venue has it."""
    return (await got(desk.stub, order)).confirmed


async def test_a_trailing_stop_follows_the_market_and_never_goes_back(desk: Floor) -> None:
    """A sale 20 pips behind the bid: up with it, off when the bid comes back by 20 pips."""
    order = new("trails", side=SELL, order_type=order_pb2.ORDER_TYPE_TRAILING_STOP, trailing_distance="0.002")
    held = (await desk.stub.PlaceOrder(place(order))).order
    desk.market.tick("EUR/USD", 1.0850, 1.0852)

    async def trails_at(price: str) -> bool:
        return (await got(desk.stub, order)).trigger_price == price

    await eventually(lambda: trails_at("1.083"))
    desk.market.tick("EUR/USD", 1.0840, 1.0842)
    desk.market.tick("EUR/USD", 1.0845, 1.0847)
    assert await trails_at("1.083")
    assert not sent(desk, held)
    desk.market.tick("EUR/USD", 1.0830, 1.0832)
    await eventually(lambda: sent(desk, held))


async def test_a_fill_of_one_takes_as_much_from_the_other(desk: Floor) -> None:
    """One-cancels-the-other: a partial fill shrinks the other, the whole fill ends it."""
    limit, stop = new("oco", side=SELL, limit_price="1.1"), new("oco", side=SELL, **(STOP | {"stop_price": "1.05"}))
    request = pb.PlaceOrdersRequest(
        request_id=str(uuid.uuid4()),
        account="oco",
        orders=[limit, stop],
        contingency=order_pb2.CONTINGENCY_TYPE_OCO,
    )
    answer = await desk.stub.PlaceOrders(request)
    assert answer.list_id
    assert [r.order.list_id for r in answer.results] == [answer.list_id] * 2
    assert await desk.stub.PlaceOrders(request) == answer
    placed = await status(desk.stub, limit, NEW)
    await desk.broker.fill(placed, "30000", "1.1")
    await status(desk.stub, limit, PARTLY)

    async def stop_is(quantity: str) -> bool:
        return (await got(desk.stub, stop)).terms.quantity == quantity

    await eventually(lambda: stop_is("70000"))
    assert (await got(desk.stub, stop)).entered_quantity == "100000"
    await desk.broker.fill(placed, "70000", "1.1")
    ended = await status(desk.stub, stop, CANCELLED)
    assert ended.reason == "CONTINGENCY"
    await desk.is_proved("oco")


async def test_children_work_for_what_their_parent_has_filled(desk: Floor) -> None:
    """One-triggers-the-others: suspended, then as large as the fills, and they end with a parent that has none."""
    parent = new("oto")
    children = [new("oto", side=SELL, limit_price="1.1"), new("oto", side=SELL, **(STOP | {"stop_price": "1.05"}))]
    request = pb.PlaceOrdersRequest(
        request_id=str(uuid.uuid4()),
        account="oto",
        orders=[parent, *children],
        contingency=order_pb2.CONTINGENCY_TYPE_OTO,
    )
    answer = await desk.stub.PlaceOrders(request)
    assert [r.order.status for r in answer.results][1:] == [SUSPENDED] * 2
    placed = await status(desk.stub, parent, NEW)
    await desk.broker.fill(placed, "40000", "1.08")
    for child in children:
        works = await status(desk.stub, child, NEW)
        assert (works.terms.quantity, works.leaves_quantity) == ("40000", "40000")
    await desk.broker.fill(placed, "60000", "1.08")
    await eventually(lambda: size_is(desk, children, "100000"))
    other, orphan = new("oto"), new("oto", side=SELL, limit_price="1.1")
    request = pb.PlaceOrdersRequest(
        request_id=str(uuid.uuid4()),
        account="oto",
        orders=[other, orphan],
        contingency=order_pb2.CONTINGENCY_TYPE_OTO,
    )
    await desk.stub.PlaceOrders(request)
    await status(desk.stub, other, NEW)
    await desk.stub.CancelOrder(cancel(other))
    assert (await status(desk.stub, orphan, CANCELLED)).reason == "CONTINGENCY"
    await desk.is_proved("oto")


async def size_is(desk: Floor, orders: list[order_pb2.NewOrder], quantity: str) -> bool:
    """Whether all of them are that large."""
    return all([(await got(desk.stub, order)).terms.quantity == quantity for order in orders])


async def protections(desk: Floor, account: str) -> dict[str, order_pb2.Order]:
    """The protections of an account, by "tp" or "sl"."""
    answer = await desk.stub.ListOrders(history.ListOrdersRequest(account=account, page_size=1000))
    found = [order for order in answer.orders if order.parent_order_id]
    return {order.terms.client_order_id[:2]: order for order in found}


async def test_a_fill_is_protected(desk: Floor) -> None:
    """Take-profit and stop-loss of what was filled, growing with it; the fill of one ends the other."""
    order = new("guarded")
    order.on_fill.take_profit_price, order.on_fill.stop_loss_price = "1.1", "1.07"
    placed = (await desk.stub.PlaceOrder(place(order))).order
    await status(desk.stub, order, NEW)
    await desk.broker.fill(placed, "40000", "1.08")
    await eventually(lambda: protected(desk, "guarded", "40000"))
    found = await protections(desk, "guarded")
    assert all(each.terms.reduce_only and each.terms.side == SELL for each in found.values())
    assert (found["tp"].terms.limit_price, found["sl"].trigger_price) == ("1.1", "1.07")
    await desk.broker.fill(placed, "60000", "1.08")
    await eventually(lambda: protected(desk, "guarded", "100000"))
    profit = (await protections(desk, "guarded"))["tp"]
    await desk.broker.fill(profit, "100000", "1.1")
    await status(desk.stub, profit.terms, FILLED)
    ended = await status(desk.stub, found["sl"].terms, CANCELLED)
    assert ended.reason in ("CONTINGENCY", "REDUCE_ONLY")
    await desk.is_proved("guarded")


async def protected(desk: Floor, account: str, quantity: str) -> bool:
    """Whether both protections are that large."""
    found = await protections(desk, account)
    return len(found) == 2 and all(each.terms.quantity == quantity for each in found.values())


async def test_an_order_that_only_reduces_is_cut(desk: Floor) -> None:
    """To the position that there is; without one it is refused."""
    nothing = await desk.stub.PlaceOrder(place(new("reduces", side=SELL, reduce_only=True)))
    assert (nothing.order.status, nothing.order.reason) == (order_pb2.ORDER_STATUS_REJECTED, "REDUCE_ONLY")
    opening = new("reduces", quantity="30000")
    placed = (await desk.stub.PlaceOrder(place(opening))).order
    await desk.broker.fill(placed, "30000", "1.08")
    await status(desk.stub, opening, FILLED)
    answer = await desk.stub.PlaceOrder(place(new("reduces", side=SELL, reduce_only=True, limit_price="1.1")))
    assert (answer.order.terms.quantity, answer.order.entered_quantity) == ("30000", "100000")
    await desk.is_proved("reduces")


async def test_an_amendment_races_with_a_fill(desk: Floor) -> None:
    """What is filled meanwhile counts; the quantity is never exceeded; a smaller one than was filled ends it."""
    order = new("amends")
    placed = (await desk.stub.PlaceOrder(place(order))).order
    await status(desk.stub, order, NEW)
    desk.broker.answer = stand.silent
    more = {"account": "amends", "client_order_id": order.client_order_id, "quantity": "150000", "validate_only": True}
    what_if = await desk.stub.AmendOrder(pb.AmendOrderRequest(request_id=str(uuid.uuid4()), **more))
    assert (what_if.quote_seen.bid, what_if.first_limit, len(what_if.checks)) == ("1.0799", 0, 1)
    assert what_if.margin.used_after == "5000.5"
    request = pb.AmendOrderRequest(
        request_id=str(uuid.uuid4()),
        account="amends",
        client_order_id=order.client_order_id,
        quantity="60000",
        expected_version=1,
    )
    answer = await desk.stub.AmendOrder(request)
    assert answer.order.status == order_pb2.ORDER_STATUS_PENDING_REPLACE
    assert (answer.order.terms.quantity, answer.order.proposed.quantity) == ("100000", "60000")
    assert await desk.stub.AmendOrder(request) == answer
    second = pb.AmendOrderRequest(
        request_id=str(uuid.uuid4()), account="amends", client_order_id=order.client_order_id, quantity="50000"
    )
    refused = await failure(desk.stub.AmendOrder(second))
    assert (refused.reason, refused.metadata["state"]) == (ErrorReason.WRONG_STATE, "PENDING_REPLACE")
    await desk.broker.fill(placed, "60000", "1.08")
    await desk.broker.say(placed, venue.VENUE_REPORT_KIND_REPLACED)
    done = await status(desk.stub, order, FILLED)
    assert (done.cum_quantity, done.terms.quantity, done.version) == ("60000", "60000", 2)
    await desk.is_proved("amends")


async def test_time_ends_what_is_held_and_what_a_venue_has(desk: Floor) -> None:
    """A held GTD order expires by itself; a venue's is cancelled there and then is EXPIRED."""
    soon = time.time_ns() + 1_500_000_000
    held, sent_out = new("times", **STOP), new("times")
    for order in (held, sent_out):
        order.time_in_force = order_pb2.TIME_IN_FORCE_GTD
        order.expire_time.FromNanoseconds(soon)
        await desk.stub.PlaceOrder(place(order))
    for order in (held, sent_out):
        assert (await status(desk.stub, order, order_pb2.ORDER_STATUS_EXPIRED)).reason == "EXPIRED"
    await desk.is_proved("times")


async def test_a_late_fill_and_a_fill_that_is_taken_back_are_booked(desk: Floor) -> None:
    """Also of orders that have ended and are not in memory any more."""
    order = new("late")
    placed = (await desk.stub.PlaceOrder(place(order))).order
    await status(desk.stub, order, NEW)
    await desk.broker.fill(placed, "40000", "1.08", "fill-1")
    await status(desk.stub, order, PARTLY)
    await desk.stub.CancelOrder(cancel(order))
    await status(desk.stub, order, CANCELLED)
    await desk.broker.fill(placed, "10000", "1.08", "fill-2")

    async def filled(quantity: str) -> bool:
        return (await got(desk.stub, order)).cum_quantity == quantity

    await eventually(lambda: filled("50000"))
    await desk.broker.say(placed, venue.VENUE_REPORT_KIND_TRADE_CANCELLED, exec_ref_id="fill-1")
    await eventually(lambda: filled("10000"))
    fill = execution.Fill(venue_exec_id="fill-3", quantity="10000", price="1.0805")
    await desk.broker.say(placed, venue.VENUE_REPORT_KIND_TRADE_CORRECTED, exec_ref_id="fill-2", fill=fill)
    await eventually(lambda: averaged(desk, order, "1.0805"))
    await desk.is_proved("late")


async def averaged(desk: Floor, order: order_pb2.NewOrder, price: str) -> bool:
    """Whether the average price is that."""
    return (await got(desk.stub, order)).avg_price == price


async def test_a_quote_is_taken_once(desk: Floor) -> None:
    """The deal is at the quote's price, without a venue; a quote that is gone refuses the order."""
    quote_id = desk.quotes.make()
    terms = {
        "order_type": order_pb2.ORDER_TYPE_PREVIOUSLY_QUOTED,
        "time_in_force": order_pb2.TIME_IN_FORCE_FOK,
        "quote_id": quote_id,
    }
    order = new("quoted", **terms)
    await desk.stub.PlaceOrder(place(order))
    done = await status(desk.stub, order, FILLED)
    assert (done.avg_price, done.venue) == ("1.0801", "house")
    again = new("quoted", **terms)
    await desk.stub.PlaceOrder(place(again))
    gone = await status(desk.stub, again, order_pb2.ORDER_STATUS_REJECTED)
    assert (gone.reason, "executed once" in gone.reason_text) == ("QUOTE_GONE", True)
    other = await failure(desk.stub.PlaceOrder(place(new("quoted", **(terms | {"quantity": "5000"})))))
    assert other.violations[0].field == "order.quantity"
    # The order's dates are the quote's: where it names others it is refused, where it names none it has them.
    dated = {"settlement": order_pb2.Settlement(tenor="1M"), "quote_id": desk.quotes.make()}
    other = await failure(desk.stub.PlaceOrder(place(new("quoted", **(terms | dated)))))
    assert other.violations[0].field == "order.settlement"
    assert (done.settl_date.year, done.settl_date.month, done.settl_date.day) == (2026, 3, 6)
    spot, far = order_pb2.Settlement(), order_pb2.Settlement(tenor="3M")
    swap = terms | {"settlement": spot, "far_leg": order_pb2.FarLeg(settlement=far)}
    plain = {"order_type": order_pb2.ORDER_TYPE_MARKET, "quote_id": ""}
    asked = await desk.stub.PlaceOrder(place(new("quoted", **(swap | plain)), validate_only=True))
    near, later = (dt.date(d.year, d.month, d.day) for d in (asked.order.settl_date, asked.order.far_settl_date))
    wrong = {"quote_id": desk.quotes.make_swap(near, later + dt.timedelta(days=1), "110000")}
    other = await failure(desk.stub.PlaceOrder(place(new("quoted", **(swap | wrong)))))
    assert {each.field for each in other.violations} == {"order.far_leg.settlement", "order.far_leg.quantity"}
    right = new("quoted", **(swap | {"quote_id": desk.quotes.make_swap(near, later, "100000")}))
    await desk.stub.PlaceOrder(place(right))
    dealt = await status(desk.stub, right, FILLED)
    assert (dealt.avg_price, dealt.far_settl_date) == ("1.0801", asked.order.far_settl_date)
    await desk.is_proved("quoted")


async def test_a_hedging_account_keeps_positions_apart(desk: Floor) -> None:
    """Each opening order has one of its own, named after it; a closing order names it, and no other opens one."""
    desk.ledger.said["hedge"] = {"position_mode": account_pb2.POSITION_MODE_HEDGING}
    opening = new("hedge")
    placed = (await desk.stub.PlaceOrder(place(opening))).order
    await desk.broker.fill(placed, "100000", "1.08")
    await status(desk.stub, opening, FILLED)
    assert placed.position_id == placed.order_id
    other = await failure(desk.stub.PlaceOrder(place(new("hedge", side=SELL, reduce_only=True))))
    assert other.violations[0].field == "order.position_id"
    more = (await desk.stub.PlaceOrder(place(new("hedge", side=BUY, position_id=placed.order_id)))).order
    assert (more.status, more.reason) == (order_pb2.ORDER_STATUS_REJECTED, "REDUCE_ONLY")
    # What names a position closes it: more than there is would turn it round.
    closing = new("hedge", side=SELL, position_id=placed.order_id, quantity="400000")
    answer = await desk.stub.PlaceOrder(place(closing))
    assert answer.order.terms.quantity == "100000"
    await desk.broker.fill(answer.order, "100000", "1.09")
    await status(desk.stub, closing, FILLED)
    for gone in (placed.order_id, str(uuid.uuid4())):
        late = (await desk.stub.PlaceOrder(place(new("hedge", side=SELL, position_id=gone)))).order
        assert (late.status, late.reason) == (order_pb2.ORDER_STATUS_REJECTED, "REDUCE_ONLY")
        assert late.reason_text.startswith(f"there is no position {gone} of EUR/USD")
    await desk.is_proved("hedge")


async def test_what_cannot_be_is_refused_with_the_field_and_the_remedy(desk: Floor) -> None:
    """Every field that is wrong is named at once."""
    order = new("wrong", post_only=True, stop_price="1.09", quantity="100", time_in_force=order_pb2.TIME_IN_FORCE_IOC)
    refused = await failure(desk.stub.PlaceOrder(place(order)))
    assert refused.reason is ErrorReason.INVALID_REQUEST
    fields = {violation.field for violation in refused.violations}
    assert fields == {"order.quantity", "order.stop_price", "order.post_only"}
    turned = await failure(desk.stub.PlaceOrder(place(new("wrong", instrument="USD/EUR"))))
    assert "EUR/USD" in turned.message
    assert (await failure(desk.stub.PlaceOrder(place(new("none"))))).metadata["resource"] == "account"
    only = await desk.stub.PlaceOrder(place(new("wrong", side=BUY), validate_only=True))
    assert only.order.status == order_pb2.ORDER_STATUS_PENDING_NEW
    answer = await desk.stub.ListOrders(history.ListOrdersRequest(account="wrong"))
    assert not answer.orders
    await asyncio.sleep(0)
