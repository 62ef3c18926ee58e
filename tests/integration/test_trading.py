"""Orders through a real server on a real PostgreSQL: entered once, durable, cancelled, filled, explained."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2
from crossrate.api.trading.v1 import trading_state_service_pb2 as state_pb
from crossrate.rpc.errors import ErrorReason
from tests.integration import trading_stand as stand
from tests.integration.conftest import eventually
from tests.integration.trading_stand import Floor, cancel, failure, floor, got, new, place, status

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Floor]:
    """One instance."""
    async with floor() as made:
        yield made


@pytest.fixture
def desk(running: Floor) -> Floor:
    """The floor as it is by itself."""
    running.broker.answer = stand.accepting
    running.broker.away = running.risk.away = False
    running.risk.refuse = lambda order: ""
    running.stub = running.trading()
    return running


async def reports(desk: Floor, account: str) -> list[execution.ExecutionReport]:
    """All reports of an account."""
    answer = await desk.stub.ListExecutions(history.ListExecutionsRequest(account=account, page_size=1000))
    assert [report.sequence for report in answer.reports] == list(range(1, answer.last_sequence + 1))
    return list(answer.reports)


async def test_an_order_is_placed_accepted_and_filled(desk: Floor) -> None:
    """The answer is PENDING_NEW with its checks; the venue's reports follow one by one, with what they make of it."""
    order = new("first")
    answer = await desk.stub.PlaceOrder(place(order))
    assert answer.order.status == order_pb2.ORDER_STATUS_PENDING_NEW
    assert answer.checks[0].passed
    assert answer.first_limit == 0
    assert answer.margin.free_after == "994999.5"
    placed = await status(desk.stub, order, order_pb2.ORDER_STATUS_NEW)
    await desk.broker.fill(placed, "40000", "1.0799")
    part = await status(desk.stub, order, order_pb2.ORDER_STATUS_PARTIALLY_FILLED)
    assert (part.cum_quantity, part.leaves_quantity, part.avg_price) == ("40000", "60000", "1.0799")
    await desk.broker.fill(placed, "60000", "1.08")
    done = await status(desk.stub, order, order_pb2.ORDER_STATUS_FILLED)
    assert (done.cum_quantity, done.leaves_quantity, done.avg_price) == ("100000", "0", "1.07996")
    assert done.cum_counter_amount == "107996"
    types = [execution.ExecType.Name(r.exec_type)[10:] for r in await reports(desk, "first")]
    assert types == ["PENDING_NEW", "NEW", "TRADE", "TRADE"]


async def test_a_repetition_has_the_same_answer(desk: Floor) -> None:
    """Side by side and afterwards, also when risk is away; another order of the same id is refused."""
    order = new("twice")
    answers = await asyncio.gather(*(desk.stub.PlaceOrder(place(order)) for _ in range(5)))
    desk.risk.away = True
    answers.append(await desk.stub.PlaceOrder(place(order)))
    assert all(answer == answers[0] for answer in answers)
    assert len([r for r in await reports(desk, "twice") if r.exec_type == execution.EXEC_TYPE_PENDING_NEW]) == 1
    other = new("twice", client_order_id=order.client_order_id, quantity="200000")
    refused = await failure(desk.stub.PlaceOrder(place(other)))
    assert refused.reason is ErrorReason.REQUEST_ID_REUSED
    assert "new id" in refused.message


async def test_a_cancel_is_asked_of_the_venue(desk: Floor) -> None:
    """PENDING_CANCEL until the venue has done it; the same request has the same answer; then WRONG_STATE."""
    order = new("cancels")
    await desk.stub.PlaceOrder(place(order))
    await status(desk.stub, order, order_pb2.ORDER_STATUS_NEW)
    desk.broker.answer = stand.silent
    request = cancel(order)
    answer = await desk.stub.CancelOrder(request)
    assert answer.order.status == order_pb2.ORDER_STATUS_PENDING_CANCEL
    await desk.broker.say(answer.order, venue.VENUE_REPORT_KIND_CANCELLED)
    done = await status(desk.stub, order, order_pb2.ORDER_STATUS_CANCELLED)
    assert done.reason == "CLIENT"
    assert await desk.stub.CancelOrder(request) == answer
    refused = await failure(desk.stub.CancelOrder(cancel(order)))
    assert (refused.reason, refused.metadata["state"]) == (ErrorReason.WRONG_STATE, "CANCELLED")


async def test_risk_refuses_with_its_checks_and_nothing_is_sent(desk: Floor) -> None:
    """The order is REJECTED, durable and answered again; no venue hears of it."""
    desk.risk.refuse = lambda order: "quantity 100000 is above the limit 5000: split it"
    order = new("refused")
    answer = await desk.stub.PlaceOrder(place(order))
    assert answer.order.status == order_pb2.ORDER_STATUS_REJECTED
    assert (answer.order.reason, answer.order.reason_text) == (
        "RISK",
        "quantity 100000 is above the limit 5000: split it",
    )
    assert not answer.checks[0].passed
    assert await desk.stub.PlaceOrder(place(order)) == answer
    assert await got(desk.stub, order) == answer.order
    assert not [i for i in desk.broker.taken.values() if i.order.order_id == answer.order.order_id]


async def test_a_price_of_zero_is_refused_by_its_field(desk: Floor) -> None:
    """It is never taken as left out: of an order, of its protection, of an amendment that changes something else."""
    market = {"order_type": order_pb2.ORDER_TYPE_MARKET, "time_in_force": order_pb2.TIME_IN_FORCE_IOC}
    guard = order_pb2.OnFill(stop_loss_price="1.05", take_profit_price="0.0")
    for field, fields in (
        ("price_bound", {"price_bound": "0"} | market),
        ("limit_price", {"limit_price": "0.00"} | market),
        ("on_fill.take_profit_price", {"on_fill": guard}),
    ):
        refused = await failure(desk.stub.PlaceOrder(place(new("zeros", **fields), validate_only=True)))
        assert [each.field for each in refused.violations] == [f"order.{field}"]
        assert "leave it empty" in refused.message
    order = new("zeros")
    await desk.stub.PlaceOrder(place(order))
    amendment = pb.AmendOrderRequest(
        request_id=str(uuid.uuid4()), account="zeros", client_order_id=order.client_order_id
    )
    amendment.quantity, amendment.limit_price = "50000", "0"
    refused = await failure(desk.stub.AmendOrder(amendment))
    assert [each.field for each in refused.violations] == ["limit_price"]


async def test_a_checked_list_of_all_or_nothing_is_refused_as_one(desk: Floor) -> None:
    """Checked alone it answers as if entered: the order that is wrong with its reason, the others with theirs."""
    desk.risk.refuse = lambda order: "too much" if order.terms.quantity == "200000" else ""
    orders = [new("checked"), new("checked", quantity="200000")]
    request = pb.PlaceOrdersRequest(request_id=str(uuid.uuid4()), account="checked", orders=orders, atomic=True)
    request.validate_only = True
    found = [each.order for each in (await desk.stub.PlaceOrders(request)).results]
    assert {each.status for each in found} == {order_pb2.ORDER_STATUS_REJECTED}
    assert [each.reason for each in found] == ["CONTINGENCY", "RISK"]


async def test_without_risk_nothing_is_admitted(desk: Floor) -> None:
    """An order is refused as unavailable and nothing is kept of it; a cancel goes on."""
    order = new("alone")
    await desk.stub.PlaceOrder(place(order))
    desk.risk.away = True
    late = new("alone")
    refused = await failure(desk.stub.PlaceOrder(place(late)))
    assert (refused.reason, refused.metadata["dependency"]) == (ErrorReason.DEPENDENCY_UNAVAILABLE, "risk")
    assert (await failure(got(desk.stub, late))).reason is ErrorReason.NOT_FOUND
    await desk.stub.CancelOrder(cancel(order))
    await status(desk.stub, order, order_pb2.ORDER_STATUS_CANCELLED)


async def test_an_order_that_was_placed_by_hand_is_adopted(desk: Floor) -> None:
    """Nobody has its account until it is taken; then it works, is filled, cancelled, explained, and in the journal."""
    terms = new("house", client_order_id=str(uuid.uuid4()), venue="sim", text="placed by hand at sim, its order H7")
    by_hand = order_pb2.Order(order_id=str(uuid.uuid4()), terms=terms, version=1, cum_quantity="0")
    await desk.broker.say(by_hand, venue.VENUE_REPORT_KIND_ADOPTED, text="placed by hand")
    await desk.broker.fill(by_hand, "40000", "1.08", "hand-1")
    state = desk.state()
    asked = state_pb.ListFillsRequest(venue="sim", venue_exec_ids=["hand-1", "none"])
    assert list((await state.ListFills(asked)).fills) == []
    take = state_pb.TakeAccountRequest(request_id=str(uuid.uuid4()), account="house")
    await state.TakeAccount(take)
    trading = desk.trading()

    async def is_there() -> bool:
        return bool((await trading.ListOrders(history.ListOrdersRequest(account="house"))).orders)

    await eventually(is_there)
    held = await status(trading, terms, order_pb2.ORDER_STATUS_PARTIALLY_FILLED)
    assert (held.adopted, held.status, held.venue) == (True, order_pb2.ORDER_STATUS_PARTIALLY_FILLED, "sim")
    assert held.order_id == by_hand.order_id
    (fill,) = (await state.ListFills(asked)).fills
    assert (fill.account, fill.order_id, fill.fill.quantity, fill.withdrawn) == ("house", held.order_id, "40000", False)
    await trading.CancelOrder(cancel(terms))
    await status(trading, terms, order_pb2.ORDER_STATUS_CANCELLED)
    explained = await trading.ExplainOrder(history.ExplainOrderRequest(account="house", order=held.order_id))
    services = [each.service for each in explained.causes]
    assert services.count("broker") == 3
    assert "venue:sim" in services
    assert [each.partition(":")[0] for each in explained.missing] == ["ledger"]  # which is a stand-in for accounts here
    await desk.is_proved("house")
