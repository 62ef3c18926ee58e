"""Books of dates, and what orders wait for: who waits asks once, and is answered by what came since."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from crossrate.api.trading.v1 import order_pb2
from crossrate.exchange.order import Cancel, NewOrder, Side
from services.broker.domain.dates import put_date
from services.broker.indications import Ask, Indication
from services.broker.routed import At, Routed, Waiting
from services.broker.venues.declared import SimulatedVenue, parse, without_points
from services.broker.venues.exchange_terms import Unfit
from services.broker.venues.sim_dated import Dated, key_of
from services.broker.venues.sim_shelf import IDLE_S, SimShelf

SPEC = SimulatedVenue.model_validate({"kind": "simulated", "tiers": [{"offset": 0, "quantity": "2000000"}]})
DAY, FAR = dt.date(2026, 12, 29), dt.date(2027, 1, 29)


class Prices:
    """Pricing, which answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []
        self.answers = asyncio.Event()
        self.error: BaseException | None = None

    async def of(self, ask: Ask, within_s: float) -> Indication:
        """See Prices."""
        self.asked.append(ask)
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return Indication(time.monotonic(), Decimal("0.001"), Decimal("0.0011"))


class Answered:
    """Who hears that pricing has answered."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self._come = asyncio.Event()

    def __call__(self, ask: Ask) -> None:
        self.asks.append(ask)
        self._come.set()

    async def come(self) -> None:
        """Waits for the first answer."""
        async with asyncio.timeout(60):
            await self._come.wait()


def routed(far: bool = False, **terms: Any) -> Routed:
    """An order of a date."""
    new = order_pb2.NewOrder(account="alpha", instrument="EUR/USD", quantity="300000", **terms)
    order = order_pb2.Order(order_id="one", terms=new)
    if terms.get("settlement") is not None:
        put_date(order.settl_date, DAY)
    if far:
        put_date(order.settl_date, DAY)
        put_date(order.far_settl_date, FAR)
        order.terms.far_leg.settlement.tenor = "1M"
    return Routed(1, "one", "alpha", "sim", "EUR/USD", At.HERE, 1, "", 0, 0, order)


def waiting(number: int, of: Routed) -> Waiting:
    """Its instruction."""
    return Waiting(number, f"i{number}", of.order_id, 1, 1, False, of.order, 0.0)


MONTH = {"settlement": order_pb2.Settlement(tenor="1M")}


async def test_who_waits_asks_once_and_takes_what_came_since() -> None:
    """Two orders of a date are one question; a third finds the answer; a swap's question is its own."""
    prices, answered = Prices(), Answered()
    dated = Dated(SPEC, prices, answered)
    order = routed(**MONTH)
    ask = dated.ask_of(order)
    assert ask == Ask("EUR/USD", DAY, "1000000")
    assert dated.waits(waiting(1, order), ask)
    assert dated.waits(waiting(2, order), ask)
    await asyncio.sleep(0)
    assert dated.waited_for
    prices.answers.set()
    await answered.come()
    assert (prices.asked, answered.asks) == ([ask], [ask])
    assert not dated.waits(waiting(1, order), ask)
    assert not dated.waits(waiting(2, order), ask)
    assert dated.answer(ask).bid == Decimal("0.001")
    assert dated.points("EUR/USD", DAY) is not None
    dated.forget({2})
    assert dated.waited_for
    dated.forget(set())
    assert not dated.waited_for
    assert dated.ask_of(routed(far=True)) == Ask("EUR/USD", DAY, "300000", FAR)
    dated.close()


@pytest.mark.parametrize("error", [ValueError("a mistake"), asyncio.CancelledError()])
async def test_whatever_becomes_of_a_question_is_an_answer(error: BaseException) -> None:
    """Also where the call fails otherwise than it may, or is cut off: nobody waits for ever, and nothing is dealt."""
    prices, answered = Prices(), Answered()
    dated = Dated(SPEC, prices, answered)
    ask = dated.points_ask("EUR/USD", DAY)
    prices.error = error
    prices.answers.set()
    dated.ask(ask)
    await answered.come()
    assert dated.answer(ask).why_not
    assert dated.points("EUR/USD", DAY) is None
    dated.close()


def test_the_book_of_an_order_is_that_of_its_date() -> None:
    """SP is spot; a swap is in none; a date that is not known is refused, and so is what the venue does not deal."""
    assert key_of(routed()) == key_of(routed(settlement=order_pb2.Settlement(tenor="SP"))) == "EUR/USD"
    assert key_of(routed(**MONTH)) == "EUR/USD 2026-12-29"
    lost = routed(**MONTH)
    lost.order.ClearField("settl_date")
    with pytest.raises(Unfit, match="no date"):
        key_of(lost)
    venues = parse('[venues.sim]\nkind = "simulated"\n[[routes]]\nvenues = ["sim"]\n', "a test")
    assert venues.venues["sim"].deals == ("forward", "swap")
    dated = Dated(without_points(venues).venues["sim"], Prices(), lambda ask: None)
    assert dated.ask_of(routed()) is None
    for order in (routed(**MONTH), routed(far=True)):
        with pytest.raises(Unfit, match="deals spot"):
            dated.ask_of(order)


class Rows:
    """A database without rows that takes down what is done."""

    def __init__(self) -> None:
        self.done: list[tuple[str, tuple[Any, ...]]] = []

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Rows]:
        """Itself."""
        yield self

    async def fetchrow(self, sql: str, *values: Any) -> None:
        """Nothing is kept."""

    async def execute(self, sql: str, *values: Any) -> None:
        """Takes it down."""
        self.done.append((sql.split(" WHERE")[0], values))


class Clock:
    """A clock that a test sets."""

    now = 10**18

    def now_ns(self) -> int:
        """See SimClock."""
        return self.now

    def wait_s(self, until_ns: int) -> float:
        """See SimClock."""
        return (until_ns - self.now) / 1e9


async def test_a_book_of_a_date_is_taken_down_when_nobody_needs_it() -> None:
    """Not while anything of anybody's is in it, nor a moment after; that of spot never."""
    rows, clock = Rows(), Clock()
    shelf = SimShelf("sim", SPEC, rows, clock)
    spot, book = await shelf.open("EUR/USD"), await shelf.open("EUR/USD 2026-12-29")
    assert (spot.grid.tick, book.grid.tick, book.day) == (Decimal("0.00001"), Decimal("0.000001"), DAY)
    assert shelf.of_pair("EUR/USD") == [spot, book]
    book.send(NewOrder(id=1, owner=7, side=Side.BUY, quantity=1000, price=1_081_230), clock.now)
    book.advance(clock.now)
    for _ in range(2):
        assert shelf.outdated() == []
        clock.now += int(2 * IDLE_S * 1e9)
    assert shelf.dated() == [book]
    book.send(Cancel(id=1, owner=7), clock.now)
    book.advance(clock.now)
    assert len(book.due(clock.now)) == 2
    book.orders = 0
    assert shelf.outdated() == []
    clock.now += int(2 * IDLE_S * 1e9)
    assert shelf.outdated() == [book]
    await shelf.take_down(rows, [book])
    shelf.removed([book])
    keys = ("sim", ["EUR/USD 2026-12-29"])
    assert rows.done == [("DELETE FROM book_input", keys), ("DELETE FROM dated_book", keys)]
    assert shelf.of_pair("EUR/USD") == [spot]
    assert list(shelf.books) == ["EUR/USD"]
