"""Forwards and swaps at the simulated exchange: on points of pricing, in books of their dates, never at spot."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.dates import put_date
from tests.integration.breaks_stand import Books
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

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]
MARKET = order_pb2.ORDER_TYPE_MARKET
TODAY = dt.datetime.now(dt.UTC).date()
VENUES = """
[venues.sim]
kind = "simulated"
seed = 7
tiers = [{ offset = 0, quantity = "1000000" }, { offset = 2, quantity = "5000000" }]
reconciliation = { interval_s = 0.4, grace_s = 0.5 }
quote_wait_s = 60
unsent_s_max = 600
[venues.hasty]
kind = "simulated"
tiers = [{ offset = 0, quantity = "1000000" }]
quote_wait_s = 0.5
unsent_s_max = 600
[venues.spot]
kind = "simulated"
tiers = [{ offset = 0, quantity = "1000000" }]
deals = []
[[routes]]
venues = ["spot", "sim"]
"""


def weekday(days: int) -> dt.date:
    """The first day from then on that is no Saturday or Sunday."""
    day = TODAY + dt.timedelta(days=days)
    return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


NEAR, MONTH, LATER, FAR = weekday(9), weekday(33), weekday(45), weekday(100)


def dated(day: dt.date, far: dt.date | None = None, far_quantity: str = "", **terms: Any) -> order_pb2.Order:
    """An order as trading has it once its dates are worked out."""
    made = order(**terms)
    put_date(made.terms.settlement.date, day)
    put_date(made.settl_date, day)
    if far is not None:
        put_date(made.terms.far_leg.settlement.date, far)
        made.terms.far_leg.quantity = far_quantity
        put_date(made.far_settl_date, far)
    return made


def day_of(message: Any) -> dt.date:
    """A date of the contract."""
    return dt.date(message.year, message.month, message.day)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Floor]:
    """One process that may ask pricing, and somebody who reads all reports."""
    async with floor(VENUES, priced=True) as made:
        made.reader = made.books.reader = Reader(made.routing())
        yield made
        await made.reader.close()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(running: Floor) -> Floor:
    """Spot at 1.0800 to 1.0801; the month's points are 12.3 to 12.5 pips, the later date's are below zero."""
    await running.market.say("EUR/USD", 1.08, 1.0801)
    running.pricing.points = {
        str(MONTH): ("0.001230", "0.001250"),
        str(LATER): ("-0.000455", "-0.000435"),
        f"{NEAR}/{FAR}": ("0.004015", "0.004031"),
    }
    running.stub = running.routing()
    return running


async def done(desk: Floor, *orders: order_pb2.Order) -> list[venue.VenueReport]:
    """Enters orders; the last report of each once it is filled."""
    await desk.stub.Instruct(instruct(*(instruction(NEW, each) for each in orders)))
    for each in orders:
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["ACCEPTED", "FILLED"])
    return [desk.reader.about(each)[-1] for each in orders]


async def rests(desk: Floor, made: order_pb2.Order) -> None:
    """Enters an order that is to rest."""
    await desk.stub.Instruct(instruct(instruction(NEW, made)))
    await desk.reader.until(lambda: desk.reader.kinds(made) == ["ACCEPTED"])


async def unbroken(desk: Floor) -> None:
    """All books of the venue agree, once what is on its way has come."""
    books = Books(desk, desk.reader, "sim")
    await books.until(lambda found: not found, closed=False)
    answer = await books.compared(whole=True)
    assert list(answer.breaks) == []


async def test_a_forward_is_spot_and_points_of_its_side(desk: Floor) -> None:
    """Whoever buys pays the offers of both, who sells gets the bids; points have either sign. It settles on its date,
    and goes past the venue of the route that deals spot alone."""
    bought, sold = dated(MONTH, order_type=MARKET), dated(MONTH, order_type=MARKET, side=SELL)
    cheap = dated(LATER, order_type=MARKET, quantity="2000000")
    one, two = await done(desk, bought, sold)
    assert (one.venue, one.fill.quantity, one.fill.price, two.fill.price) == ("sim", "100000", "1.08135", "1.08123")
    assert day_of(one.fill.settl_date) == day_of(two.fill.settl_date) == MONTH
    assert one.fill.liquidity == execution.LIQUIDITY_TAKER
    await desk.stub.Instruct(instruct(instruction(NEW, cheap)))
    await desk.reader.until(lambda: desk.reader.kinds(cheap) == ["ACCEPTED", "FILLED", "FILLED"])
    parts = [(each.fill.quantity, each.fill.price) for each in desk.reader.about(cheap)[1:]]
    assert parts == [("1000000", "1.079665"), ("1000000", "1.079685")]
    await unbroken(desk)


async def test_a_forward_that_rests_follows_its_points_and_meets_no_spot_order(desk: Floor) -> None:
    """Its limit is an outright rate: new points alone fill it, and nobody's spot order does; it can be amended."""
    waits, spot = dated(MONTH, limit_price="1.0812"), order(limit_price="1.0799", venue="sim")
    await rests(desk, waits)
    await rests(desk, spot)
    (crossed,) = await done(desk, order(order_type=MARKET, side=SELL, venue="sim", account="beta"))
    assert crossed.fill.price == "1.08"
    amended = order_pb2.Order()
    amended.CopyFrom(waits)
    amended.version, amended.terms.limit_price = 2, "1.08125"
    await desk.stub.Instruct(instruct(instruction(REPLACE, amended)))
    await desk.reader.until(lambda: desk.reader.kinds(waits) == ["ACCEPTED", "REPLACED"])
    await unbroken(desk)
    desk.pricing.points[str(MONTH)] = ("0.001120", "0.001150")
    await desk.reader.until(lambda: desk.reader.kinds(waits)[2:] == ["FILLED"])
    filled = desk.reader.about(waits)[-1].fill
    assert (filled.price, filled.liquidity) == ("1.08125", execution.LIQUIDITY_MAKER)
    await desk.stub.Instruct(instruct(instruction(CANCEL, spot)))
    await desk.reader.until(lambda: desk.reader.kinds(spot)[1:] == ["CANCELLED"])


async def test_nothing_waits_with_an_order_that_waits_for_its_points(desk: Floor) -> None:
    """Spot orders of the same account deal meanwhile, a cancel recalls it, and it deals once the answer is there."""
    desk.pricing.answers.clear()
    desk.pricing.points[str(FAR)] = ("0.002", "0.0021")
    asked = len(desk.pricing.asked)
    waits, recalled = dated(FAR, order_type=MARKET), dated(FAR, order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, waits), instruction(NEW, recalled)))
    await eventually(lambda: len(desk.pricing.asked) > asked, 60)
    await done(desk, order(order_type=MARKET, venue="sim"))
    await desk.stub.Instruct(instruct(instruction(CANCEL, recalled)))
    await desk.reader.until(lambda: desk.reader.kinds(recalled) == ["CANCELLED"])
    desk.pricing.answers.set()
    await desk.reader.until(lambda: desk.reader.kinds(waits) == ["ACCEPTED", "FILLED"])
    assert desk.reader.about(waits)[-1].fill.price == "1.0822"


async def test_what_has_no_price_is_refused_in_words(desk: Floor) -> None:
    """By what pricing says, and where it says nothing within the bound; nothing is dealt at spot."""
    unpriced = dated(weekday(70), order_type=MARKET)
    pinned = dated(MONTH, order_type=MARKET, venue="spot")
    await desk.stub.Instruct(instruct(instruction(NEW, unpriced), instruction(NEW, pinned)))
    for each in (unpriced, pinned):
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["REJECTED"])
    assert "no rule quotes" in desk.reader.about(unpriced)[0].text
    assert desk.reader.about(unpriced)[0].reason == execution.EXECUTION_REASON_VENUE
    assert "deals spot" in desk.reader.about(pinned)[0].text
    desk.pricing.answers.clear()
    try:
        unheard = dated(weekday(80), limit_price="1.2", venue="hasty")
        await desk.stub.Instruct(instruct(instruction(NEW, unheard)))
        await desk.reader.until(lambda: desk.reader.kinds(unheard) == ["REJECTED"])
    finally:
        desk.pricing.answers.set()
    assert "pricing did not answer" in desk.reader.about(unheard)[0].text
    assert desk.reader.about(unheard)[0].reason == execution.EXECUTION_REASON_NO_VENUE


async def test_a_swap_is_two_legs_around_one_reference(desk: Floor) -> None:
    """Its side is that of the far leg; an even one costs the points of its side and moves no position, an uneven one
    pays the side of spot for what it exchanges over all; both are one fill."""
    even = dated(NEAR, FAR, order_type=MARKET, quantity="1000000")
    sold = dated(NEAR, FAR, order_type=MARKET, quantity="1000000", side=SELL)
    uneven = dated(NEAR, FAR, "1500000", order_type=MARKET, quantity="1000000")
    fills = [each.fill for each in await done(desk, even, sold, uneven)]
    assert [(each.quantity, each.far_quantity) for each in fills] == [("1000000", "1000000")] * 2 + [
        ("1000000", "1500000")
    ]
    assert [each.price for each in fills] == ["1.08005", "1.08005", "1.0801"]
    assert [each.far_price for each in fills] == ["1.084081", "1.084065", "1.084131"]
    assert (day_of(fills[0].settl_date), day_of(fills[0].far_settl_date)) == (NEAR, FAR)
    await unbroken(desk)


async def test_a_limit_at_once_is_met_or_the_swap_has_ended(desk: Floor) -> None:
    """On either side and of either sign; what is better than the limit is the client's, and nothing is dealt beyond
    it. A limit in pips is refused."""
    desk.pricing.points[f"{NEAR}/{LATER}"] = ("-0.000410", "-0.000400")
    ioc, fok = {"time_in_force": order_pb2.TIME_IN_FORCE_IOC}, {"time_in_force": order_pb2.TIME_IN_FORCE_FOK}
    met = [
        dated(NEAR, FAR, limit_price="0.004031", **ioc),
        dated(NEAR, FAR, limit_price="0.0035", side=SELL, **fok),
        dated(NEAR, FAR, "150000", limit_price="0.0041", **fok),
        dated(NEAR, LATER, limit_price="0", **ioc),
        dated(NEAR, LATER, limit_price="-0.00041", side=SELL, **fok),
    ]
    fills = [each.fill for each in await done(desk, *met)]
    points = [Decimal(each.far_price) - Decimal(each.price) for each in fills]
    assert points == [Decimal(each) for each in ("0.004031", "0.004015", "0.004031", "-0.0004", "-0.00041")]
    missed = [
        dated(NEAR, FAR, limit_price="0.00403", **ioc),
        dated(NEAR, FAR, limit_price="0.0041", side=SELL, **fok),
        dated(NEAR, LATER, limit_price="-0.000401", **fok),
        dated(NEAR, LATER, limit_price="0", side=SELL, **ioc),
    ]
    pips = dated(NEAR, FAR, limit_price="40.3", **ioc)
    await desk.stub.Instruct(instruct(*(instruction(NEW, each) for each in (*missed, pips))))
    for each in missed:
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["ACCEPTED", "CANCELLED"])
        assert desk.reader.about(each)[-1].reason == execution.EXECUTION_REASON_NO_LIQUIDITY
    await desk.reader.until(lambda: desk.reader.kinds(pips) == ["REJECTED"])
    assert "not pips" in desk.reader.about(pips)[0].text
    await unbroken(desk)


async def test_a_swap_works_until_points_meet_its_limit(desk: Floor) -> None:
    """It is in the venue's statement meanwhile, and is dealt whole once, at points that are its limit or better."""
    bought = dated(NEAR, FAR, limit_price="0.004", quantity="1000000")
    sold = dated(NEAR, FAR, "1500000", limit_price="0.00405", quantity="1000000", side=SELL)
    await rests(desk, bought)
    await rests(desk, sold)
    await unbroken(desk)
    desk.pricing.points[f"{NEAR}/{FAR}"] = ("0.003980", "0.003995")
    await desk.reader.until(lambda: desk.reader.kinds(bought) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(sold) == ["ACCEPTED"]
    desk.pricing.points[f"{NEAR}/{FAR}"] = ("0.004060", "0.004080")
    await desk.reader.until(lambda: desk.reader.kinds(sold) == ["ACCEPTED", "FILLED"])
    one, two = (desk.reader.about(each)[-1].fill for each in (bought, sold))
    assert (one.quantity, one.price, one.far_price) == ("1000000", "1.08005", "1.084045")
    assert (two.quantity, two.far_quantity, two.price, two.far_price) == ("1000000", "1500000", "1.08", "1.08406")
    await unbroken(desk)


async def test_a_swap_that_works_is_amended_cancelled_and_ends_by_its_time(desk: Floor) -> None:
    """Its limit is amended and met then, its end too, its legs are not; a cancel ends it, one after the deal is too
    late."""
    amended, cancelled = dated(NEAR, FAR, limit_price="0.0039"), dated(NEAR, FAR, limit_price="-0.0001")
    ends = dated(NEAR, FAR, limit_price="0.001", time_in_force=order_pb2.TIME_IN_FORCE_GTD)
    ends.terms.expire_time.FromNanoseconds(time.time_ns() + 3_600_000_000_000)
    for each in (amended, cancelled, ends):
        await rests(desk, each)
    ends.version = 2
    ends.terms.expire_time.FromNanoseconds(time.time_ns() + 1_000_000_000)
    await desk.stub.Instruct(instruct(instruction(REPLACE, ends)))
    for limit, quantity, kind in (("0.0039", "200000", "REPLACE_REJECTED"), ("0.00404", "100000", "REPLACED")):
        new = order_pb2.Order()
        new.CopyFrom(amended)
        new.version = 2 if kind == "REPLACE_REJECTED" else 3
        new.terms.limit_price, new.terms.quantity = limit, quantity
        await desk.stub.Instruct(instruct(instruction(REPLACE, new)))
        await desk.reader.until(lambda kind=kind: kind in desk.reader.kinds(amended))
    expected = ["ACCEPTED", "REPLACE_REJECTED", "REPLACED", "FILLED"]
    await desk.reader.until(lambda: desk.reader.kinds(amended) == expected)
    filled = desk.reader.about(amended)[-1]
    assert (filled.version, Decimal(filled.fill.far_price) - Decimal(filled.fill.price)) == (3, Decimal("0.004031"))
    await desk.stub.Instruct(instruct(instruction(CANCEL, cancelled), instruction(CANCEL, amended)))
    await desk.reader.until(lambda: desk.reader.kinds(cancelled) == ["ACCEPTED", "CANCELLED"])
    await desk.reader.until(lambda: desk.reader.kinds(amended) == [*expected, "CANCEL_REJECTED"])
    assert desk.reader.about(cancelled)[-1].reason == execution.EXECUTION_REASON_CLIENT
    assert desk.reader.about(amended)[-1].reason == execution.EXECUTION_REASON_TOO_LATE
    await desk.reader.until(lambda: desk.reader.kinds(ends) == ["ACCEPTED", "REPLACED", "EXPIRED"])
    await unbroken(desk)


async def test_a_kill_loses_no_forward_and_no_swap(desk: Floor) -> None:
    """A restart finds what rests in its date's book, and the swaps that work, and fills them on new points; what was
    to be dealt is dealt once."""
    waits, cancelled = dated(LATER, limit_price="1.0791"), dated(LATER, limit_price="1.07")
    await rests(desk, waits)
    await rests(desk, cancelled)
    limited = [dated(NEAR, FAR, limit_price=each) for each in ("0.003990", "0.004000", "0.001")]
    for each in limited:
        await rests(desk, each)
    swap, forward = dated(NEAR, FAR, order_type=MARKET), dated(MONTH, order_type=MARKET)
    await desk.stub.Instruct(instruct(instruction(NEW, swap), instruction(NEW, forward)))
    # Whether these are dealt before the kill or after it, nobody can say.
    desk.pricing.points[f"{NEAR}/{FAR}"] = ("0.003980", "0.003995")
    limited.append(dated(NEAR, FAR, limit_price="0.003996"))
    await desk.stub.Instruct(instruct(instruction(NEW, limited[-1])))
    desk.kill()
    await desk.start()
    desk.stub = desk.routing()
    for each in (swap, forward):
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["ACCEPTED", "FILLED"])
    assert desk.reader.kinds(waits) == ["ACCEPTED"]
    _, met, far, fresh = limited
    for each in (met, fresh):
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["ACCEPTED", "FILLED"])
    desk.pricing.points[f"{NEAR}/{FAR}"] = ("0.003970", "0.003985")
    await desk.reader.until(lambda: desk.reader.kinds(limited[0]) == ["ACCEPTED", "FILLED"])
    await desk.stub.Instruct(instruct(instruction(CANCEL, cancelled), instruction(CANCEL, far)))
    for each in (cancelled, far):
        await desk.reader.until(lambda each=each: desk.reader.kinds(each) == ["ACCEPTED", "CANCELLED"])
    desk.pricing.points[str(LATER)] = ("-0.00112", "-0.00110")
    await desk.reader.until(lambda: desk.reader.kinds(waits) == ["ACCEPTED", "FILLED"])
    assert desk.reader.about(waits)[-1].fill.price == "1.0791"
    await unbroken(desk)
