"""A venue that speaks the v20 API: orders out once, its transactions in once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import break_pb2
from crossrate.api.broker.v1 import reconciliation_service_pb2 as calls
from crossrate.api.broker.v1.reconciliation_service_pb2_grpc import ReconciliationServiceStub
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from crossrate.node import credentials
from tests.integration.breaks_stand import Books, by
from tests.integration.broker_stand import (
    CANCEL,
    NEW,
    REPLACE,
    SELL,
    Floor,
    Reader,
    floor,
    instruct,
    instruction,
    order,
)
from tests.integration.conftest import eventually
from tests.venues.oanda_server import ACCOUNT, TOKEN, OandaServer

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
MARKET = order_pb2.ORDER_TYPE_MARKET
VENUES = """
[venues.v20]
kind = "oanda"
environment = "other"
url = "http://127.0.0.1:{port}"
token_file = "{token}"
account_id = "{account}"
answer_s_max = 5
unknown_s_max = 8
unsent_s_max = 30
reconciliation = {{ interval_s = 0.2, grace_s = 0.5 }}
reconnect = {{ first_s = 0.02, cap_s = 0.2 }}
[[routes]]
venues = ["v20"]
"""


Trading = tuple[Floor, OandaServer, Reader]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trading]:
    """Broker with the venue as its only one."""
    token = tmp_path_factory.mktemp("v20") / "v20.token"
    credentials.write_private(token, TOKEN)
    async with OandaServer() as server:
        server.token_file = token
        async with floor(VENUES.format(port=server.port, token=token, account=ACCOUNT)) as made:
            reader = Reader(made.routing())
            try:
                yield made, server, reader
            finally:
                await reader.close()


@pytest.fixture
def trading(running: Trading) -> Trading:
    """The same, with a venue that has no faults and remembers no posts."""
    _, server, _ = running
    server.faults, server.told_to_stream = [], True
    server.posts.clear()
    server.requests.clear()
    return running


async def send(made: Floor, *instructions: Any) -> None:
    """Instructs."""
    await made.routing().Instruct(instruct(*instructions), wait_for_ready=True)


async def test_orders_are_filled_amended_cancelled_and_refused(trading: Trading) -> None:
    """Each step comes back as the report that trading knows; fills carry price, quantity and dates."""
    made, server, reader = trading
    market = order(order_type=MARKET)
    await send(made, instruction(NEW, market))
    await reader.until(lambda: reader.kinds(market) == ["ACCEPTED", "FILLED"])
    fill = reader.about(market)[1].fill
    assert (fill.quantity, fill.price, fill.venue) == ("100000", "1.085", "v20")
    assert fill.venue_exec_id == f"{ACCOUNT}/{server.last}"
    assert fill.settl_date.year
    assert server.posts[0]["timeInForce"] == "IOC"

    limit = order(side=SELL)
    await send(made, instruction(NEW, limit))
    await reader.until(lambda: reader.kinds(limit) == ["ACCEPTED"])
    old = server.named(f"@{server.posts[-1]['clientExtensions']['id']}")
    assert old is not None
    assert old["units"] == "-100000"
    amended = order_pb2.Order()
    amended.CopyFrom(limit)
    amended.version, amended.terms.limit_price = 2, "1.09"
    await send(made, instruction(REPLACE, amended))
    await reader.until(lambda: reader.kinds(limit) == ["ACCEPTED", "REPLACED"])
    assert reader.about(limit)[1].version == 2
    await send(made, instruction(CANCEL, amended))
    await reader.until(lambda: reader.kinds(limit) == ["ACCEPTED", "REPLACED", "CANCELLED"])
    assert reader.about(limit)[2].reason == execution.EXECUTION_REASON_CLIENT

    server.faults = ["reject"]
    refused = order()
    await send(made, instruction(NEW, refused))
    await reader.until(lambda: reader.kinds(refused) == ["REJECTED"])
    late = order(order_type=MARKET)
    await send(made, instruction(NEW, late))
    await reader.until(lambda: "FILLED" in reader.kinds(late))
    await send(made, instruction(CANCEL, late))
    await reader.until(lambda: reader.kinds(late)[-1] == "CANCEL_REJECTED")
    assert reader.about(late)[-1].reason == execution.EXECUTION_REASON_TOO_LATE


@pytest.mark.parametrize("fault", ["hang", "error"])
async def test_an_order_without_an_answer_is_asked_for_and_never_sent_again(trading: Trading, fault: str) -> None:
    """The venue did it and did not say so: it is filled once, and was posted once."""
    made, server, reader = trading
    server.faults = [fault]
    server.told_to_stream = False
    about = order(order_type=MARKET)
    await send(made, instruction(NEW, about))
    await reader.until(lambda: reader.kinds(about)[-1:] == ["FILLED"])
    # What is asked for may be told before the answer that does not come is given up.
    assert reader.kinds(about) in (["UNKNOWN", "ACCEPTED", "FILLED"], ["ACCEPTED", "FILLED"])
    assert len(server.posts) == 1


async def test_an_order_that_never_came_is_refused_once_it_cannot_come_any_more(trading: Trading) -> None:
    """The venue does not know the client's id for the declared time; then the order is refused, and was posted once."""
    made, server, reader = trading
    server.faults = ["lose"]
    about = order()
    await send(made, instruction(NEW, about))
    await reader.until(lambda: reader.kinds(about)[-1:] == ["REJECTED"])
    assert reader.kinds(about) == ["UNKNOWN", "REJECTED"]
    assert "never had it" in reader.about(about)[1].text
    assert len(server.posts) == 1
    assert [each for each in server.requests if each.startswith("GET") and "/orders/@" in each]


async def test_a_cancel_waits_until_it_is_known_whether_the_order_is_there(trading: Trading) -> None:
    """The cancel of an order in doubt goes out when the order is found, and then it is cancelled."""
    made, server, reader = trading
    server.faults, server.told_to_stream = ["hang"], False
    about = order()
    await send(made, instruction(NEW, about), instruction(CANCEL, about))
    await reader.until(lambda: reader.kinds(about)[-1:] == ["CANCELLED"])
    assert reader.kinds(about) == ["UNKNOWN", "ACCEPTED", "CANCELLED"]
    assert len(server.posts) == 1


async def test_what_the_stream_missed_is_asked_for_and_taken_once(trading: Trading) -> None:
    """The stream is cut and silent while fills happen; each is told once, though the venue tells some of them twice."""
    made, server, reader = trading
    about = order()
    await send(made, instruction(NEW, about))
    await reader.until(lambda: reader.kinds(about) == ["ACCEPTED"])
    placed = server.named("@" + server.posts[0]["clientExtensions"]["id"])
    assert placed is not None
    before = server.streams
    for number in range(20):
        if number % 5 == 0:
            server.cut()
        await server.fill(placed, "5000", f"1.08{number:03d}")
        if number % 7 == 0:
            await server.add("DAILY_FINANCING", financing="-0.01", accountBalance="1")
    await reader.until(lambda: reader.kinds(about).count("FILLED") == 20)
    prices = [each.fill.price for each in reader.about(about)[1:]]
    assert prices == [f"1.08{number:03d}".rstrip("0") for number in range(20)]
    await eventually(lambda: server.streams > before)


async def test_a_kill_in_the_midst_loses_and_doubles_nothing(trading: Trading) -> None:
    """Orders whose answers hang when broker dies are found by the next instance; fills meanwhile are told once."""
    made, server, reader = trading
    resting = order()
    await send(made, instruction(NEW, resting))
    await reader.until(lambda: reader.kinds(resting) == ["ACCEPTED"])
    server.faults = ["hang", "lose", "hang"]
    doubtful = [order(order_type=MARKET) for _ in range(3)]
    await send(made, *(instruction(NEW, each) for each in doubtful))
    await eventually(lambda: len(server.posts) == 4)
    made.kill()
    placed = server.named("@" + server.posts[0]["clientExtensions"]["id"])
    assert placed is not None
    await server.fill(placed, "40000")
    await made.start()
    await reader.until(
        lambda: (
            all(reader.kinds(each)[-1:] in (["FILLED"], ["REJECTED"]) for each in doubtful)
            and reader.kinds(resting) == ["ACCEPTED", "FILLED"]
        ),
        60,
    )
    ends = sorted(reader.kinds(each)[-1] for each in doubtful)
    assert ends == ["FILLED", "FILLED", "REJECTED"]
    assert all(reader.kinds(each).count("FILLED") <= 1 for each in doubtful)
    assert len(server.posts) == 4


async def test_a_rate_that_the_venue_turns_away_is_kept(trading: Trading) -> None:
    """What was turned away was not done: it is sent again after a while, and is one order."""
    made, server, reader = trading
    server.faults = ["429", "429"]
    about = order(order_type=MARKET)
    await send(made, instruction(NEW, about))
    await reader.until(lambda: reader.kinds(about) == ["ACCEPTED", "FILLED"])
    assert len(server.posts) == 3
    assert len({each["clientExtensions"]["id"] for each in server.posts}) == 1


async def test_orders_by_hand_are_adopted_and_what_cannot_be_read_stops_nothing(trading: Trading) -> None:
    """An order that nobody here sent is told; a fill without a price is left to people, and the next one is taken."""
    made, server, reader = trading
    about = order()
    await send(made, instruction(NEW, about))
    await reader.until(lambda: reader.kinds(about) == ["ACCEPTED"])
    asked = {"type": "LIMIT", "instrument": "EUR_USD", "units": "7", "price": "1.01"}
    by_hand = await server.enter(asked)
    await reader.until(lambda: any("by hand" in each.text for each in reader.reports))
    adopted = next(each for each in reader.reports if "by hand" in each.text)
    assert (adopted.account, adopted.venue_order_id) == ("adopted", f"{ACCOUNT}/{by_hand['id']}")
    placed = server.named("@" + server.posts[0]["clientExtensions"]["id"])
    assert placed is not None
    await server.add("ORDER_FILL", orderID=placed["id"], units="oops", price=None)
    await server.fill(placed, "100000")
    await reader.until(lambda: reader.kinds(about) == ["ACCEPTED", "FILLED"])
    assert "cannot be read" in made.servers.place.log("broker-1").read_text()


async def test_terms_that_the_api_does_not_know_are_refused_here(trading: Trading) -> None:
    """Nothing is sent without what was asked for."""
    made, server, reader = trading
    orders = [order(post_only=True), order(quantity="100000.5"), order(display_quantity="1000")]
    await send(made, *(instruction(NEW, each) for each in orders))
    await reader.until(lambda: all(reader.kinds(each) == ["REJECTED"] for each in orders))
    assert [each.text.partition(":")[0] for o in orders for each in reader.about(o)] == [
        "post_only",
        "quantity",
        "display_quantity",
    ]
    assert not server.posts


async def test_an_order_that_the_venue_lost_is_a_break_and_others_are_none(trading: Trading) -> None:
    """Its statement is the list of pending orders: what is missing there is a break, what was replaced after a fill is
    none."""
    made, server, reader = trading
    lost, kept = order(), order()
    await send(made, instruction(NEW, lost), instruction(NEW, kept))
    await reader.until(lambda: reader.kinds(lost) == reader.kinds(kept) == ["ACCEPTED"])
    amended = order_pb2.Order()
    amended.CopyFrom(kept)
    amended.version, amended.terms.limit_price = 2, "1.07"
    names = {each.order_id: each.venue_order_id for each in reader.reports if each.venue_order_id}
    placed, vanishing = (server.orders[names[each.order_id].rpartition("/")[2]] for each in (kept, lost))
    await server.fill(placed, "30000")
    await reader.until(lambda: "FILLED" in reader.kinds(kept))
    await send(made, instruction(REPLACE, amended))
    await reader.until(lambda: reader.kinds(kept)[-1] == "REPLACED")
    vanishing["state"] = "CANCELLED"
    stub = ReconciliationServiceStub(made.channel())

    async def breaks() -> dict[str, int]:
        request = calls.RunReconciliationRequest(request_id=str(uuid.uuid4()), venue="v20", whole=True)
        answer = await stub.RunReconciliation(request, metadata=by("ann"), wait_for_ready=True)
        return {each.order_id: each.type for each in answer.breaks if each.type != break_pb2.BREAK_TYPE_NOT_BOOKED}

    for _ in range(600):
        found = await breaks()
        if lost.order_id in found:
            break
        await asyncio.sleep(0.1)
    assert found == {lost.order_id: break_pb2.BREAK_TYPE_MISSING_AT_VENUE}


async def test_a_position_that_no_transaction_explains_is_a_break(trading: Trading) -> None:
    """What the account held before it was followed, and what was filled since, explain its position: no break. A part
    that nobody told is one, which gates its instrument and which two persons book at a price that they agree on."""
    made, server, reader = trading
    made.books.reader = reader
    books = Books(made, reader, "v20")
    bought = order(order_type=MARKET)
    await send(made, instruction(NEW, bought))
    await reader.until(lambda: reader.kinds(bought)[-1:] == ["FILLED"])
    answer = await books.compared(whole=True)
    assert [each for each in answer.breaks if each.type == break_pb2.BREAK_TYPE_POSITION] == []
    server.net["EUR_USD"] += 700

    def odd(breaks: list[break_pb2.Break]) -> bool:
        return any(each.type == break_pb2.BREAK_TYPE_POSITION for each in breaks)

    async def stands() -> bool:
        return odd(list((await books.compared()).breaks))

    await eventually(stands, 60)
    (found,) = [each for each in await books.listed() if each.type == break_pb2.BREAK_TYPE_POSITION]
    says = {each.book: int(each.quantity) for each in found.books}
    assert says["statement"] - says["broker"] == 700
    assert "drop_copy" not in says
    await books.until(lambda _: books.gates.get("EUR/USD@v20") is not None)
    await books.approve(await books.propose(found, price="1.08"))

    async def over() -> bool:
        return not await stands()

    await eventually(over, 60)
    assert (await books.closed(found)).resolution == "corrected"


async def test_a_token_that_the_venue_refuses_is_said(trading: Trading) -> None:
    """The session stays away with the venue's own words, and nothing is sent; with the right one it goes on."""
    made, server, reader = trading
    credentials.write_private(server.token_file, "another")
    made.kill()
    await made.start()
    about = order()
    await send(made, instruction(NEW, about))
    await eventually(lambda: "Insufficient authorization" in made.servers.place.log("broker-1").read_text())
    assert not server.posts
    credentials.write_private(server.token_file, TOKEN)
    made.kill()
    await made.start()
    await reader.until(lambda: reader.kinds(about) == ["ACCEPTED"])
