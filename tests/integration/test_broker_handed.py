"""New orders that are carried out before they are kept: one commit has them with what became of them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import venue_pb2
from crossrate.api.broker.v1 import venue_service_pb2 as switches
from crossrate.api.broker.v1.venue_service_pb2_grpc import VenueServiceStub
from crossrate.api.trading.v1 import order_pb2
from crossrate.store import Database
from services.broker.main import MIGRATIONS
from tests.integration.broker_stand import CANCEL, NEW, Floor, Reader, floor, instruct, instruction, order

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
MARKET = order_pb2.ORDER_TYPE_MARKET


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk() -> AsyncIterator[Floor]:
    """One process whose exchange has had its first order, so that others need not wait for a quote."""
    async with floor() as made:
        await made.market.say("EUR/USD", 1.08, 1.0801)
        made.stub = made.routing()
        made.reader = Reader(made.stub)
        first = order(order_type=MARKET)
        await made.stub.Instruct(instruct(instruction(NEW, first)))
        await made.reader.until(lambda: made.reader.kinds(first) == ["ACCEPTED", "FILLED"])
        yield made
        await made.reader.close()


async def kept(desk: Floor, *orders: order_pb2.Order) -> list[tuple[int, int, str]]:
    """State of each order's instructions, where it stands, and its id at the venue, in the database."""
    database = await Database.open(desk.servers.runtime("broker"), MIGRATIONS, connections_max=1)
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT i.state, o.status, o.venue_order_id FROM instruction i LEFT JOIN venue_order o USING (order_id) "
            "WHERE i.order_id = ANY ($1) ORDER BY i.number",
            [each.order_id for each in orders],
        )
    await database.close()
    return [tuple(row) for row in rows]


async def test_what_is_answered_is_kept_with_what_became_of_it(desk: Floor) -> None:
    """When the call is answered the instruction is done, the order stands, and its reports can be read."""
    resting, dealt = order(limit_price="1.01"), order(order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, resting), instruction(NEW, dealt)))
    (one, there, name), (two, ended, other) = await kept(desk, resting, dealt)
    assert (one, there, two, ended) == (2, 2, 2, 4)
    assert name.startswith("S")
    assert name != other
    await desk.reader.until(lambda: desk.reader.kinds(dealt) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(resting) == ["ACCEPTED"]
    await desk.stub.Instruct(instruct(instruction(CANCEL, resting)))
    await desk.reader.until(lambda: desk.reader.kinds(resting) == ["ACCEPTED", "CANCELLED"])


async def test_what_comes_side_by_side_counts_once(desk: Floor) -> None:
    """The same call, calls that have an order in common, and repetitions of both."""
    orders = [order(order_type=MARKET) for _ in range(6)]
    calls = [instruct(*(instruction(NEW, each) for each in orders[n : n + 3])) for n in range(4)]
    await asyncio.gather(*(desk.stub.Instruct(call) for call in calls * 3))
    await asyncio.gather(*(desk.stub.Instruct(call) for call in calls))
    after = order(order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, after)))
    await desk.reader.until(lambda: desk.reader.kinds(after) == ["ACCEPTED", "FILLED"])
    for each in orders:
        assert desk.reader.kinds(each) == ["ACCEPTED", "FILLED"]
    assert [row[:2] for row in await kept(desk, *orders)] == [(2, 4)] * 6


async def test_what_was_refused_is_not_carried_out_when_it_is_repeated(desk: Floor) -> None:
    """An instruction counts once, also one that found no venue and has no order; the exchange goes on undisturbed."""
    venues = VenueServiceStub(desk.channel())
    refused = instruct(instruction(NEW, late := order(order_type=MARKET)))

    async def put(state: int) -> None:
        await venues.SetVenueState(
            switches.SetVenueStateRequest(request_id=str(uuid.uuid4()), venue="sim", state=state, reason="a test")
        )

    await put(venue_pb2.VENUE_STATE_DISABLED)
    await desk.stub.Instruct(refused)
    await put(venue_pb2.VENUE_STATE_ENABLED)
    since = (await venues.GetVenue(switches.GetVenueRequest(venue="sim"))).venue.session_time
    for _ in range(3):
        await desk.stub.Instruct(refused)
    after = order(order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, after)))
    await desk.reader.until(lambda: desk.reader.kinds(after) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(late) == ["REJECTED"]
    assert (await venues.GetVenue(switches.GetVenueRequest(venue="sim"))).venue.session_time == since


async def test_an_order_that_the_exchange_cannot_take_is_kept_as_refused(desk: Floor) -> None:
    """Its neighbours in the call are carried out."""
    wrong, right = order(order_type=MARKET, quantity="2000000000"), order(order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, wrong), instruction(NEW, right)))
    await desk.reader.until(lambda: desk.reader.kinds(right) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(wrong) == ["REJECTED"]
    assert "limit is 1000000000" in desk.reader.about(wrong)[0].text
    assert [row[:2] for row in await kept(desk, wrong, right)] == [(2, 4), (2, 4)]
