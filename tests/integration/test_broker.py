"""Orders through a real broker on a real PostgreSQL to the simulated exchange, and its reports back."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_pb2
from crossrate.api.broker.v1 import venue_service_pb2 as switches
from crossrate.api.broker.v1.venue_service_pb2_grpc import VenueServiceStub
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from tests.integration.broker_stand import (
    CANCEL,
    NEW,
    REPLACE,
    SELL,
    STATUS,
    Floor,
    Reader,
    floor,
    instruct,
    instruction,
    order,
)
from tests.integration.conftest import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
MARKET = order_pb2.ORDER_TYPE_MARKET


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Floor]:
    """One process."""
    async with floor() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def desk(running: Floor) -> AsyncIterator[Floor]:
    """The floor with a quote of 1.0800 to 1.0801, and somebody who reads all reports."""
    await running.market.say("EUR/USD", 1.08, 1.0801)
    running.stub = running.routing()
    running.reader = Reader(running.stub)
    yield running
    await running.reader.close()


async def test_a_market_order_is_filled_at_the_quote(desk: Floor) -> None:
    """It is accepted, filled at the offer with the dates of a spot deal, and the venue names both."""
    bought = order(order_type=MARKET, quantity="500000")
    await desk.stub.Instruct(instruct(instruction(NEW, bought)))
    await desk.reader.until(lambda: desk.reader.kinds(bought) == ["ACCEPTED", "FILLED"])
    accepted, filled = desk.reader.about(bought)
    assert accepted.venue == filled.venue == "sim"
    assert accepted.venue_order_id
    assert accepted.venue_order_id == filled.venue_order_id
    assert (filled.fill.quantity, filled.fill.price, filled.version) == ("500000", "1.0801", 1)
    assert filled.fill.liquidity == execution.LIQUIDITY_TAKER
    assert filled.fill.settl_date.year >= 2024
    assert filled.fill.trade_date.year >= 2024
    assert filled.fill.venue_exec_id


async def test_a_large_order_walks_through_the_tiers(desk: Floor) -> None:
    """What one tier lacks comes from the next, each as a fill of its own."""
    await desk.market.say("GBP/USD", 1.25, 1.2501)
    sold = order(instrument="GBP/USD", side=SELL, order_type=MARKET, quantity="3000000")
    await desk.stub.Instruct(instruct(instruction(NEW, sold)))
    await desk.reader.until(lambda: desk.reader.kinds(sold) == ["ACCEPTED", "FILLED", "FILLED"])
    fills = [each.fill for each in desk.reader.about(sold)[1:]]
    assert [(each.quantity, each.price) for each in fills] == [("1000000", "1.25"), ("2000000", "1.24998")]


async def test_a_resting_order_is_amended_filled_by_a_quote_and_cancelled(desk: Floor) -> None:
    """A limit rests; its amendment is confirmed with its version; a quote that reaches it fills it as a maker."""
    rests = order(limit_price="1.07")
    await desk.stub.Instruct(instruct(instruction(NEW, rests)))
    await desk.reader.until(lambda: desk.reader.kinds(rests) == ["ACCEPTED"])
    amended = order_pb2.Order()
    amended.CopyFrom(rests)
    amended.version, amended.terms.limit_price, amended.terms.quantity = 2, "1.075", "2000000"
    await desk.stub.Instruct(instruct(instruction(REPLACE, amended)))
    await desk.reader.until(lambda: desk.reader.kinds(rests)[1:] == ["REPLACED"])
    assert desk.reader.about(rests)[-1].version == 2
    await desk.market.say("EUR/USD", 1.0749, 1.075)
    await desk.reader.until(lambda: desk.reader.kinds(rests)[2:] == ["FILLED"])
    fill = desk.reader.about(rests)[-1].fill
    assert (fill.quantity, fill.price, fill.liquidity) == ("1000000", "1.075", execution.LIQUIDITY_MAKER)
    await desk.stub.Instruct(instruct(instruction(CANCEL, amended)))
    await desk.reader.until(lambda: desk.reader.kinds(rests)[3:] == ["CANCELLED"])
    assert desk.reader.about(rests)[-1].reason == execution.EXECUTION_REASON_CLIENT
    again = instruction(CANCEL, amended)
    again.instruction_id += ":2"
    await desk.stub.Instruct(instruct(again))
    await desk.reader.until(lambda: desk.reader.kinds(rests)[4:] == ["CANCEL_REJECTED"])
    assert desk.reader.about(rests)[-1].reason == execution.EXECUTION_REASON_TOO_LATE


async def test_an_instruction_counts_once(desk: Floor) -> None:
    """However often it comes, also side by side."""
    bought = order(order_type=MARKET)
    call = instruct(instruction(NEW, bought))
    await asyncio.gather(*(desk.stub.Instruct(call) for _ in range(8)))
    await desk.stub.Instruct(call)
    after = order(order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, after)))
    await desk.reader.until(lambda: desk.reader.kinds(after) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(bought) == ["ACCEPTED", "FILLED"]


async def test_numbers_have_no_gap_and_accounts_have_their_own(desk: Floor) -> None:
    """The stream is 1, 2, 3 …; the list of an account has its reports alone, and the newest number of all."""
    bought = order("beta", order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, bought)))
    await desk.reader.until(lambda: desk.reader.kinds(bought) == ["ACCEPTED", "FILLED"])
    numbers = [each.sequence for each in desk.reader.reports]
    assert numbers == list(range(1, len(numbers) + 1))
    page = await desk.stub.ListReports(routing.ListReportsRequest(account="beta"))
    assert [each.order_id for each in page.reports] == [bought.order_id] * 2
    assert page.last_sequence >= page.reports[-1].sequence
    rest = await desk.stub.ListReports(
        routing.ListReportsRequest(account="beta", after_sequence=page.reports[0].sequence)
    )
    assert list(rest.reports) == list(page.reports)[1:]


async def test_nothing_deals_on_a_quote_that_is_not_live(desk: Floor) -> None:
    """A market order is then accepted and ends without a fill, and says why."""
    await desk.market.say("USD/JPY", 150.0, 150.01, quote_pb2.QUOTE_HEALTH_STALE)
    bought = order(instrument="USD/JPY", order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, bought)))
    await desk.reader.until(lambda: desk.reader.kinds(bought) == ["ACCEPTED", "CANCELLED"])
    assert desk.reader.about(bought)[-1].reason == execution.EXECUTION_REASON_NO_LIQUIDITY


async def test_without_a_live_quote_a_market_order_does_not_deal_with_what_rests(desk: Floor) -> None:
    """What rests may be as far from the market as it likes: the market order ends without a fill, and says why."""
    await desk.market.say("GBP/USD", 1.3, 1.3001, quote_pb2.QUOTE_HEALTH_STALE)
    far = order("beta", instrument="GBP/USD", side=SELL, limit_price="1.34")
    await desk.stub.Instruct(instruct(instruction(NEW, far)))
    await desk.reader.until(lambda: desk.reader.kinds(far) == ["ACCEPTED"])
    bought = order(instrument="GBP/USD", order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, bought)))
    await desk.reader.until(lambda: desk.reader.kinds(bought)[-1:] == ["CANCELLED"])
    assert desk.reader.kinds(bought) == ["ACCEPTED", "CANCELLED"]
    assert desk.reader.about(bought)[-1].reason == execution.EXECUTION_REASON_NO_LIQUIDITY
    assert desk.reader.kinds(far) == ["ACCEPTED"]


async def test_what_no_venue_takes_is_refused_in_words(desk: Floor) -> None:
    """A venue that is not there, a swap, a price off the grid, a cancel of what was never sent."""
    pinned = order(venue="nowhere")
    forward = order()
    forward.terms.settlement.tenor = "1M"
    fine = order(quantity="1000.0001")
    never = order()
    calls = [instruction(NEW, each) for each in (pinned, forward, fine)]
    await desk.stub.Instruct(instruct(*calls, instruction(CANCEL, never), instruction(STATUS, pinned)))
    expected = {"REJECTED": (pinned, forward, fine), "CANCEL_REJECTED": (never,)}
    for kind, orders in expected.items():
        for each in orders:
            await desk.reader.until(lambda each=each, kind=kind: kind in desk.reader.kinds(each))
    assert "no venue 'nowhere'" in desk.reader.about(pinned)[0].text
    assert desk.reader.about(pinned)[0].reason == execution.EXECUTION_REASON_NO_VENUE
    assert "deals spot" in desk.reader.about(forward)[0].text
    assert "multiple of 1" in desk.reader.about(fine)[0].text


async def test_a_cancel_that_comes_with_its_order_wins(desk: Floor) -> None:
    """A market order is not sent any more when its cancel waits behind it: it ends without a fill."""
    recalled, dealt = order(order_type=MARKET), order(order_type=MARKET)
    await desk.stub.Instruct(
        instruct(instruction(NEW, recalled), instruction(NEW, dealt), instruction(CANCEL, recalled))
    )
    await desk.reader.until(lambda: desk.reader.kinds(dealt) == ["ACCEPTED", "FILLED"])
    await desk.reader.until(lambda: desk.reader.kinds(recalled) == ["CANCELLED"])
    (ended,) = desk.reader.about(recalled)
    assert ended.text == "cancelled before it was sent to the venue"
    assert not ended.HasField("reason")
    late = instruction(CANCEL, recalled)
    late.instruction_id += ":2"
    await desk.stub.Instruct(instruct(late))
    await desk.reader.until(lambda: desk.reader.kinds(recalled)[1:] == ["CANCEL_REJECTED"])


async def test_how_long_the_venue_takes_is_told(desk: Floor) -> None:
    """From a new order to its first answer: the smoothed time and the 99th percentile, within what passed here."""
    venues = VenueServiceStub(desk.channel())
    begun = time.monotonic()
    for _ in range(5):
        bought = order(order_type=MARKET)
        await desk.stub.Instruct(instruct(instruction(NEW, bought)))
        await desk.reader.until(lambda bought=bought: desk.reader.kinds(bought) == ["ACCEPTED", "FILLED"])

    async def told() -> bool:
        return (await venues.GetVenue(switches.GetVenueRequest(venue="sim"))).venue.latency_us > 0

    await eventually(told)
    venue = (await venues.GetVenue(switches.GetVenueRequest(venue="sim"))).venue
    assert 0 < venue.latency_us <= venue.latency_p99_us < (time.monotonic() - begun) * 1e6 + 60e6


async def test_an_instruction_without_its_order_is_refused(desk: Floor) -> None:
    """The call names the field."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await desk.stub.Instruct(instruct(routing.Instruction(instruction_id="x", kind=NEW)))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "order.order_id" in refused.value.details()


async def test_a_venue_is_listed_and_switched(desk: Floor) -> None:
    """It shows its session, counts and limits; drained it takes no new order, disabled no amendment, cancels always."""
    venues = VenueServiceStub(desk.channel())
    rests = order(limit_price="1.01")
    await desk.stub.Instruct(instruct(instruction(NEW, rests)))
    await desk.reader.until(lambda: desk.reader.kinds(rests) == ["ACCEPTED"])
    listed = (await venues.ListVenues(switches.ListVenuesRequest())).venues
    assert [(each.name, each.kind, each.instance, each.takes_orders) for each in listed] == [
        ("sim", "simulated", "broker-1", True)
    ]
    assert listed[0].open_orders >= 1
    assert listed[0].session == venue_pb2.VENUE_SESSION_READY
    drain = switches.SetVenueStateRequest(
        request_id=str(uuid.uuid4()),
        venue="sim",
        state=venue_pb2.VENUE_STATE_DRAINING,
        reason="maintenance",
        expected_version=listed[0].state_version,
    )
    drained = (await venues.SetVenueState(drain)).venue
    assert (await venues.SetVenueState(drain)).venue.state_version == drained.state_version
    late = order()
    await desk.stub.Instruct(instruct(instruction(NEW, late)))
    await desk.reader.until(lambda: desk.reader.kinds(late) == ["REJECTED"])
    assert "set draining by" in desk.reader.about(late)[0].text
    assert "maintenance" in desk.reader.about(late)[0].text
    disable = switches.SetVenueStateRequest(
        request_id=str(uuid.uuid4()), venue="sim", state=venue_pb2.VENUE_STATE_DISABLED, reason="broken"
    )
    await venues.SetVenueState(disable)
    amended = order_pb2.Order()
    amended.CopyFrom(rests)
    amended.version, amended.terms.limit_price = 2, "1.02"
    await desk.stub.Instruct(instruct(instruction(REPLACE, amended), instruction(CANCEL, amended)))
    await desk.reader.until(lambda: desk.reader.kinds(rests)[1:] == ["REPLACE_REJECTED", "CANCELLED"])
    drain.request_id = str(uuid.uuid4())
    with pytest.raises(grpc.aio.AioRpcError) as stale:
        await venues.SetVenueState(drain)
    assert stale.value.code() is grpc.StatusCode.ABORTED
    enable = switches.SetVenueStateRequest(
        request_id=str(uuid.uuid4()), venue="sim", state=venue_pb2.VENUE_STATE_ENABLED, reason="mended"
    )
    assert (await venues.SetVenueState(enable)).venue.takes_orders
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await venues.GetVenue(switches.GetVenueRequest(venue="elsewhere"))
    assert missing.value.code() is grpc.StatusCode.NOT_FOUND
