"""Swaps that work at the exchange: what they ask of pricing, when they end, and which of them an answer is for."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.trading.v1 import order_pb2
from services.broker.domain.dates import NS, Calendar, put_date
from services.broker.indications import Ask, Indication
from services.broker.routed import At, Routed
from services.broker.venues.declared import SimulatedVenue
from services.broker.venues.sim_dated import AGE_S_MAX, Dated, swap_ask
from services.broker.venues.sim_working import ASKING_MAX, OUTLIVED, WorkingSwaps, limit_of

SPEC = SimulatedVenue.model_validate({"kind": "simulated"})
NEAR, FAR, TRADED = dt.date(2026, 12, 8), dt.date(2027, 1, 29), dt.date(2026, 12, 1)


def ns(text: str) -> int:
    """A moment in UTC."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * NS


NOW_NS = ns("2026-12-01T12:00")
GTC, DAY, GTD = order_pb2.TIME_IN_FORCE_GTC, order_pb2.TIME_IN_FORCE_DAY, order_pb2.TIME_IN_FORCE_GTD


class Prices:
    """Pricing, whose points are as old as a test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.age_s = 0.0
        self.answers = asyncio.Event()

    async def of(self, ask: Ask, within_s: float) -> Indication:
        """See Prices."""
        self.asked.append(ask.amount)
        await self.answers.wait()
        return Indication(time.monotonic() - self.age_s, Decimal("0.001"), Decimal("0.0011"))


def swap(name: str, quantity: str = "100000", near: dt.date = NEAR, ends: str = "", **terms: Any) -> Routed:
    """A swap that works."""
    values = {"order_type": order_pb2.ORDER_TYPE_LIMIT, "limit_price": "0.001", "time_in_force": GTC}
    new = order_pb2.NewOrder(account="alpha", instrument="EUR/USD", quantity=quantity, **(values | terms))
    if ends:
        new.expire_time.FromNanoseconds(ns(ends))
    order = order_pb2.Order(order_id=name, terms=new)
    for day, message in ((near, order.settl_date), (FAR, order.far_settl_date), (TRADED, order.trade_date)):
        put_date(message, day)
    order.terms.far_leg.settlement.tenor = "1M"
    return Routed(1, name, "alpha", "sim", "EUR/USD", At.WORKS, 1, "S1", 0, 0, order)


class Desk:
    """What works, and who is asked."""

    def __init__(self) -> None:
        self.prices = Prices()
        self.dated = Dated(SPEC, self.prices, self._answered)
        self.swaps = WorkingSwaps(Calendar(), self.dated)
        self._come = asyncio.Event()

    def _answered(self, ask: Ask) -> None:
        self.swaps.answered(ask)
        self._come.set()

    def add(self, *orders: Routed) -> None:
        """They work from now on."""
        for each in orders:
            self.swaps.add(each, swap_ask(each), NOW_NS)

    async def answered(self) -> None:
        """Waits until nothing is asked any more."""
        self.prices.answers.set()
        async with asyncio.timeout(60):
            while self.dated.asking:
                self._come.clear()
                await self._come.wait()


@pytest.mark.parametrize(
    ("order", "ends", "why"),
    [
        (swap("gtc"), "2026-12-07T22:00", OUTLIVED),
        (swap("near", near=dt.date(2026, 12, 2)), "2026-12-01T22:00", OUTLIVED),
        (swap("day", time_in_force=DAY), "2026-12-01T22:00", ""),
        (swap("gtd", time_in_force=GTD, ends="2026-12-03T09:30"), "2026-12-03T09:30", ""),
        (swap("late", time_in_force=GTD, ends="2027-01-01T00:00"), "2026-12-07T22:00", OUTLIVED),
    ],
)
async def test_a_swap_ends_by_its_time_or_its_near_date(order: Routed, ends: str, why: str) -> None:
    """Whichever comes first: a near leg is dealt until the day before it. A day order's is the session of its trade
    date, whenever the exchange was started."""
    desk, end_ns = Desk(), ns(ends)
    for now_ns in (NOW_NS, ns("2026-12-05T12:00")):
        desk.swaps.add(order, swap_ask(order), now_ns)
        assert desk.swaps.next_time == end_ns
        assert desk.swaps.late(order, end_ns)
        assert not desk.swaps.late(order, end_ns - 1)
        desk.swaps.drop(order.order_id)
        assert desk.swaps.next_time is None
    desk.add(order)
    assert list(desk.swaps.over(end_ns - 1)) == []
    (over,) = desk.swaps.over(end_ns)
    assert (over.routed, over.why_over(end_ns)) == (order, why)
    assert list(desk.swaps) == []
    desk.dated.close()


async def test_an_answer_is_for_those_who_ask_the_same() -> None:
    """One question for all of the same dates and amount, the first that came first; an answer that is too old, or is
    for nobody any more, is none."""
    desk = Desk()
    one, two, other = swap("one"), swap("two", limit_price="0"), swap("other", "300000", limit_price="-0.0004")
    desk.add(one, two, other)
    await asyncio.sleep(0)
    assert desk.prices.asked == ["100000", "300000"]
    assert [limit_of(each.order.terms) for each in (one, two, other)] == [
        Decimal("0.001"),
        Decimal(0),
        Decimal("-0.0004"),
    ]
    await desk.answered()
    heard = dict(desk.swaps.heard())
    assert set(heard) == {swap_ask(one), swap_ask(other)}
    assert [each.routed for each in desk.swaps.asking(swap_ask(one))] == [one, two]
    assert desk.swaps.heard() == []
    desk.swaps.drop("other")
    assert desk.swaps.asking(swap_ask(other)) == []
    assert not desk.swaps.answered(swap_ask(other))
    desk.prices.age_s = AGE_S_MAX + 1
    desk.swaps.ask_again()
    await desk.answered()
    assert desk.swaps.heard() == []
    desk.dated.close()


async def test_questions_take_turns() -> None:
    """However many swaps work, so many questions are open at once, and each of them has its turn."""
    desk = Desk()
    amounts = [str(1000 * number) for number in range(1, ASKING_MAX + 51)]
    desk.add(*(swap(each, each) for each in amounts))
    desk.swaps.ask_again()
    await asyncio.sleep(0)
    assert desk.prices.asked == amounts[:ASKING_MAX]
    await desk.answered()
    desk.swaps.ask_again()
    await desk.answered()
    desk.swaps.ask_again()
    await desk.answered()
    assert desk.prices.asked[ASKING_MAX:] == [*amounts[:ASKING_MAX], *amounts[ASKING_MAX:], *amounts[: ASKING_MAX - 50]]
    desk.dated.close()
