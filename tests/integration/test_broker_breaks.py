"""Every kind of break planted at simulated exchanges, one for each: found, named, gated, corrected by two, healed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.broker.v1 import reconciliation_service_pb2 as calls
from crossrate.api.common.v1 import gate_pb2
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from tests.integration.breaks_stand import Books, by
from tests.integration.broker_stand import CANCEL, NEW, SELL, Floor, Reader, floor, instruct, instruction, order

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
MARKET = order_pb2.ORDER_TYPE_MARKET
REDUCE_ONLY, CANCEL_ONLY = gate_pb2.KILL_MODE_REDUCE_ONLY, gate_pb2.KILL_MODE_CANCEL_ONLY
At = Callable[[str], "Books"]


FAULTS = {
    "calm": "",
    "unheard": "lose_report = 1.0",
    "silent": "lose_report = 1.0",
    "watched": "lose_report = 1.0",
    "twice": "repeat_report = 1.0",
    "uncopied": "lose_copy = 1.0",
    "larger": "alter_quantity = 1.0",
    "dearer": "alter_price = 1.0",
    "turned": "alter_side = 1.0",
    "ghosts": "lose_end = 1.0",
    "living": "false_end = 1.0",
    "byhand": "by_hand = 1.0",
    "strange": "by_hand = 1.0",
    "dark": "lose_both = 1.0",
    "slow": "",
}
MORE = {
    "strange": 'adopts = false\nadopted_account = "house"',
    "slow": """outbound = { fixed_ms = 300.0 }
inbound = { median_ms = 5.0 }
partial_fills = { rate = 0.5, share = 0.2 }""",
}


def venues() -> str:
    """An exchange for each fault; breaks are ripe soon."""
    made = [
        f"""
[venues.{name}]
kind = "simulated"
seed = 7
tiers = [{{ offset = 0, quantity = "1000000" }}, {{ offset = 2, quantity = "5000000" }}]
reconciliation = {{ interval_s = 0.4, grace_s = 0.5, late_s = 0.5 }}
faults = {{ {fault} }}
{MORE.get(name, "")}"""
        for name, fault in FAULTS.items()
    ]
    return "".join(made) + '\n[[routes]]\nvenues = ["calm"]\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[tuple[Floor, Reader]]:
    """Broker with every exchange, at 1.0800 to 1.0801, and a reader of all reports."""
    async with floor(venues()) as made:
        await made.market.say("EUR/USD", 1.08, 1.0801)
        reader = made.books.reader = Reader(made.routing())
        yield made, reader
        await reader.close()


@pytest.fixture
def at(running: tuple[Floor, Reader]) -> Callable[[str], Books]:
    """The books of a venue."""
    return lambda venue: Books(*running, venue)


async def test_a_fill_that_was_not_told_is_adopted_once(at: At) -> None:
    """It is a break with the venue's amounts, gates its market alone, and the adopted fill is that of the venue."""
    it = at("unheard")
    bought = await it.deal(quantity="500000")
    found = await it.break_of(pb.BREAK_TYPE_MISSING_FILL)
    assert (found.instrument, found.account, found.order_id) == ("EUR/USD", "alpha", bought.order_id)
    says = {each.book: (each.present, each.side, each.quantity, each.price) for each in found.books}
    assert says == {"broker": (False, "", "", ""), "drop_copy": (True, "BUY", "500000", "1.0801")}
    assert found.gate == REDUCE_ONLY
    await it.until(lambda _: it.gates == {"EUR/USD@unheard": REDUCE_ONLY})
    assert "EUR/USD@" not in it.running.gates.markets  # what names no venue goes to another one
    closed = await it.correct(found)
    assert closed.resolution == "corrected"
    assert [each.what for each in closed.history] == ["opened", "proposed", "approved", "corrected", "corrected"]
    assert it.reader.kinds(bought) == ["ACCEPTED", "FILLED"]
    fill = it.reader.about(bought)[-1].fill
    assert (fill.venue_exec_id, fill.quantity, fill.price) == (found.venue_exec_id, "500000", "1.0801")
    await it.until(lambda _: it.gates == {})
    assert not (await it.compared(whole=True)).breaks


async def test_a_fill_that_was_told_twice_is_reversed(at: At) -> None:
    """It names the other one; its reversal takes back the second alone."""
    it = at("twice")
    bought = await it.deal()
    found = await it.break_of(pb.BREAK_TYPE_DUPLICATE_FILL)
    first, second = (each.fill.venue_exec_id for each in it.reader.about(bought)[1:])
    assert found.venue_exec_id == second
    assert first in found.text
    assert (await it.correct(found)).resolution == "corrected"
    assert it.reader.kinds(bought) == ["ACCEPTED", "FILLED", "FILLED", "TRADE_CANCELLED"]
    assert it.reader.about(bought)[-1].exec_ref_id == second


async def test_a_difference_that_two_accept_stays_accepted(at: At) -> None:
    """For as long as it is the same, also after a kill."""
    it = at("uncopied")
    await it.deal()
    found = await it.until(lambda found: len(found) == 2, closed=False)
    kinds = {each.type: each for each in found}
    assert set(kinds) == {pb.BREAK_TYPE_UNKNOWN_FILL, pb.BREAK_TYPE_POSITION}
    for each in found:
        closed = await it.approve(await it.propose(each, action=pb.CORRECTION_ACTION_ACCEPT))
        assert (closed.state, closed.resolution) == (pb.BREAK_STATE_CLOSED, "accepted")
    await it.restart()
    run = await it.compared(whole=True)
    assert list(run.breaks) == []
    assert {each.break_id for each in await it.listed(closed=True)} == {each.break_id for each in found}


@pytest.mark.parametrize(
    ("venue", "kind", "gate"),
    [("larger", pb.BREAK_TYPE_QUANTITY, REDUCE_ONLY), ("dearer", pb.BREAK_TYPE_PRICE, None)],
)
async def test_quantity_and_price_become_what_the_venue_has(at: At, venue: str, kind: int, gate: int | None) -> None:
    """The fill is corrected; a price alone gates nothing."""
    it = at(venue)
    bought = await it.deal()
    found = await it.break_of(kind)
    assert (found.gate if found.HasField("gate") else None) == gate
    await it.until(lambda _: it.gates == ({} if gate is None else {f"EUR/USD@{venue}": gate}))
    assert (await it.correct(found)).resolution == "corrected"
    assert it.reader.kinds(bought)[2:] == ["TRADE_CORRECTED"]
    fill = it.reader.about(bought)[-1].fill
    assert (fill.quantity, fill.price) == ("100000", "1.0801")


async def test_a_fill_on_the_other_side_is_reversed_and_booked_on_an_order_of_its_own(at: At) -> None:
    """The account has what the venue says that it dealt."""
    it = at("turned")
    bought = await it.deal()
    every = await it.until(lambda found: any(e.type == pb.BREAK_TYPE_SIDE for e in found), closed=False)
    found = next(each for each in every if each.type == pb.BREAK_TYPE_SIDE)
    assert found.gate == REDUCE_ONLY
    proposed = await it.propose(found)
    await it.approve(proposed)
    await it.closed(found)
    await it.reader.until(lambda: it.reader.kinds(bought)[2:] == ["TRADE_CANCELLED"])
    opened = next(e for e in it.reader.reports if e.order.adopted and e.venue == "turned")
    assert (opened.account, opened.order.terms.side) == ("alpha", order_pb2.SIDE_SELL)
    filled = next(e for e in it.reader.reports if e.order_id == opened.order_id and e.fill.quantity)
    assert (filled.fill.quantity, filled.exec_ref_id) == ("100000", found.venue_exec_id)


async def test_an_order_that_ended_unheard_is_ended_here(at: At) -> None:
    """A ghost stops what is new, and leaves what works."""
    it = at("ghosts")
    rests = await it.rest()
    await it.running.routing().Instruct(instruct(instruction(CANCEL, rests)))
    found = await it.break_of(pb.BREAK_TYPE_MISSING_AT_VENUE)
    assert (found.order_id, found.gate) == (rests.order_id, CANCEL_ONLY)
    assert (await it.correct(found)).resolution == "corrected"
    assert it.reader.kinds(rests) == ["ACCEPTED", "CANCELLED"]
    assert it.reader.about(rests)[-1].reason == execution.EXECUTION_REASON_CORRECTION


async def test_an_order_that_goes_on_at_the_venue_is_cancelled_there(at: At) -> None:
    """It had ended here."""
    it = at("living")
    rests = await it.rest()
    found = await it.break_of(pb.BREAK_TYPE_STATE)
    assert (found.order_id, found.gate) == (rests.order_id, CANCEL_ONLY)
    assert (await it.correct(found)).resolution == "corrected"


async def test_an_order_by_hand_is_adopted_by_itself(at: At) -> None:
    """Trading is asked to look after its account; there is no break."""
    it = at("byhand")
    await it.rest()
    await it.reader.until(lambda: any(e.order.adopted and e.venue == "byhand" for e in it.reader.reports))
    await it.until(lambda _: "adopted" in it.running.books.taken)
    assert not (await it.compared()).breaks


async def test_an_order_by_hand_is_adopted_by_two_where_the_venue_is_declared_so(at: At) -> None:
    """It is a break until then."""
    it = at("strange")
    await it.rest()
    found = await it.break_of(pb.BREAK_TYPE_UNKNOWN_HERE)
    assert found.gate == CANCEL_ONLY
    assert (await it.correct(found)).resolution == "corrected"
    adopted = next(each for each in it.reader.reports if each.order.adopted and each.venue == "strange")
    assert (adopted.account, adopted.order.terms.limit_price) == ("house", "1.06999")


async def test_a_position_that_nobody_explains_is_booked_at_a_price_that_two_agree_on(at: At) -> None:
    """Without a price nothing is proposed; with one it is a fill of an adopted order, once."""
    it = at("dark")
    await it.deal(quantity="300000")
    every = await it.until(lambda found: any(e.type == pb.BREAK_TYPE_POSITION for e in found), closed=False)
    found = next(each for each in every if each.type == pb.BREAK_TYPE_POSITION)
    says = {each.book: each.quantity for each in found.books}
    assert says == {"broker": "0", "drop_copy": "0", "statement": "300000"}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await it.propose(found)
    assert "price" in refused.value.details()
    assert (await it.correct(found, price="1.0801")).resolution == "corrected"
    opened = next(e for e in it.reader.reports if e.order.adopted and e.venue == "dark")
    filled = next(e for e in it.reader.reports if e.order_id == opened.order_id and e.fill.quantity)
    assert (opened.account, filled.fill.quantity, filled.fill.price) == ("adopted", "300000", "1.0801")
    ghost = await it.break_of(pb.BREAK_TYPE_MISSING_AT_VENUE)  # the order that was dealt unheard
    assert (await it.correct(ghost)).resolution == "corrected"
    assert not (await it.compared(whole=True)).breaks


async def test_a_fill_that_trading_lost_is_booked_on_an_order_of_its_own(at: At) -> None:
    """As long as trading does not answer nothing is said of it."""
    it = at("calm")
    it.running.books.reader = None
    bought = await it.deal()
    await it.reader.until(lambda: it.reader.kinds(bought) == ["ACCEPTED", "FILLED"])
    lost = it.reader.about(bought)[-1].fill.venue_exec_id
    assert any("trading" in each for each in (await it.compared()).run.missing)
    it.running.books.lost.add(lost)
    it.running.books.reader = it.reader
    found = await it.break_of(pb.BREAK_TYPE_NOT_BOOKED)
    assert found.venue_exec_id == lost
    await it.until(lambda _: {"EUR/USD@calm", "EUR/USD@"} <= set(it.running.gates.markets))  # there is no other route
    assert (await it.correct(found)).resolution == "corrected"
    booked = next(each for each in it.reader.reports if each.exec_ref_id == lost)
    assert booked.account == "alpha"
    await it.until(lambda _: "EUR/USD@" not in it.running.gates.markets)


@pytest.mark.parametrize("how", ["lost", "doubled"])
async def test_a_fill_that_the_ledger_lacks_is_found_and_heals_when_it_is_booked(at: At, how: str) -> None:
    """Broker, venue and trading agree; the fourth book has not booked the fill, or has it otherwise. Nothing is booked
    for it here, and its market is gated until the ledger has it."""
    it = at("calm")
    it.running.books.reader = None
    sold = await it.deal(side=SELL)
    await it.reader.until(lambda: it.reader.kinds(sold) == ["ACCEPTED", "FILLED"])
    exec_id = it.reader.about(sold)[-1].fill.venue_exec_id
    wrong = getattr(it.running.ledger, how)
    wrong.add(exec_id)
    it.running.ledger.fault = "report 7 tells of a fill and has none" if how == "lost" else ""
    it.running.books.reader = it.reader
    found = await it.break_of(pb.BREAK_TYPE_NOT_IN_LEDGER)
    says = {each.book: (each.present, each.quantity) for each in found.books}
    there = (False, "") if how == "lost" else (True, "200000")
    assert says == {"broker": (True, "100000"), "trading": (True, "100000"), "ledger": there}, found
    assert (found.venue_exec_id, found.account) == (exec_id, "alpha")
    assert ("report 7" in found.text) == (how == "lost")
    assert list(found.actions) == [pb.CORRECTION_ACTION_ACCEPT]
    await it.until(lambda _: it.gates.get("EUR/USD@calm") is not None)
    wrong.clear()
    it.running.ledger.fault = ""
    assert (await it.closed(found)).resolution == "healed"
    assert not (await it.compared(whole=True)).breaks


async def test_ids_outlive_kills_and_corrections_take_two_persons(at: At) -> None:
    """The same difference is the same break after a kill; who proposed does not approve; a call counts once."""
    it = at("silent")
    await it.deal()
    found = await it.break_of(pb.BREAK_TYPE_MISSING_FILL)
    proposed = await it.propose(found)
    with pytest.raises(grpc.aio.AioRpcError) as own:
        await it.approve(proposed, "ann")
    assert own.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError) as twice:
        await it.propose(found)
    assert twice.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    await it.restart()
    await it.compared(whole=True)
    after = (await it.listed())[0]
    assert (after.break_id, after.state, after.openings) == (found.break_id, pb.BREAK_STATE_PROPOSED, 1)
    rejected = await it.approve(proposed, "ann", reject=True)
    assert rejected.state == pb.BREAK_STATE_OPEN
    proposed = await it.propose(found, "bob")
    request = calls.ApproveCorrectionRequest(
        request_id=str(uuid.uuid4()), break_id=found.break_id, correction_id=proposed.correction.correction_id
    )
    await asyncio.gather(*(it.stub.ApproveCorrection(request, metadata=by("ann")) for _ in range(4)))
    closed = await it.closed(found)
    assert (closed.openings, closed.resolution) == (1, "corrected")
    assert len(closed.correction.report_sequences) == 1
    with pytest.raises(grpc.aio.AioRpcError) as none:
        await it.stub.GetBreak(calls.GetBreakRequest(break_id=str(uuid.uuid4())))
    assert none.value.code() is grpc.StatusCode.NOT_FOUND


async def test_breaks_are_watched(at: At) -> None:
    """Whoever watches sees what is open, then each change; a cursor goes on behind what was seen."""
    it = at("watched")
    watch = it.stub.WatchBreaks(calls.WatchBreaksRequest(venue="watched"))
    await it.deal()
    found = await it.break_of(pb.BREAK_TYPE_MISSING_FILL)
    seen: list[tuple[str, int]] = []
    cursor = ""
    async with asyncio.timeout(20):
        async for message in watch:
            cursor = message.position.cursor
            seen += [(each.break_id, each.state) for each in message.breaks.breaks]
            if seen:
                break
    watch.cancel()
    assert seen == [(found.break_id, pb.BREAK_STATE_OPEN)]
    await it.correct(found)
    states: list[int] = []
    request = calls.WatchBreaksRequest(venue="watched", resume_cursor=cursor)
    async with asyncio.timeout(20):
        async for message in it.stub.WatchBreaks(request):
            states += [each.state for each in message.breaks.breaks]
            if states and states[-1] == pb.BREAK_STATE_CLOSED:
                break
    assert states == [
        pb.BREAK_STATE_PROPOSED,
        pb.BREAK_STATE_CORRECTING,
        pb.BREAK_STATE_CORRECTING,
        pb.BREAK_STATE_CLOSED,
    ]


async def test_what_is_under_way_is_no_break(at: At) -> None:
    """With latency, partial fills, amendments and cancels nothing is ever a break."""
    it = at("slow")
    stub = it.running.routing()
    for number in range(60):
        side = 1 + number % 2
        await it.deal(quantity=str(100_000 + number), side=side)
        price = "1.0799" if side == 1 else "1.0802"
        rests = order(limit_price=price, side=side, quantity=str(50_000 + number), venue="slow")
        await stub.Instruct(instruct(instruction(NEW, rests)))
        if number % 3 == 0:
            await stub.Instruct(instruct(instruction(CANCEL, rests)))
        await it.running.market.say("EUR/USD", 1.08 + number % 4 * 1e-4, 1.0801 + number % 4 * 1e-4)
    last = await it.deal(quantity="77777")
    await it.reader.until(lambda: bool(it.reader.about(last)))
    run = (await it.compared()).run
    assert run.fills > 30
    assert await it.listed(closed=True) == []
