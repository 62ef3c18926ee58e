"""A simulated book that is built again from what went into it is the book."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.exchange.chance import Latency
from crossrate.exchange.order import Cancel, NewOrder, Replace
from crossrate.exchange.terms import LastLook, PartialFills, Slippage, Tier, VenueTerms
from crossrate.exchange.venue import Venue
from services.broker.venues.sim_book import SimBook

TERMS = VenueTerms(
    tiers=(Tier(0, 100), Tier(2, 500)),
    inbound=Latency(fixed_ns=5, median_ns=20),
    outbound=Latency(fixed_ns=5, median_ns=30),
    reject_rate=0.1,
    slippage=Slippage(0.3, 2),
    partial_fills=PartialFills(0.3, 0.2),
    last_look=LastLook(hold_ns=25, tolerance=3, refuse_rate=0.1),
)
KEY = "EUR/USD 2026-12-29"
"""Of a dated book; one of spot is kept alike."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["quote", "buy", "sell", "cancel", "replace", "wait", "write"]),
        st.integers(1, 12),
        st.integers(-5, 5),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=60,
)


class Tables:
    """The two tables of books, as much of them as a book uses; a transaction is what a test does between two looks."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None
        self.inputs: list[dict[str, Any]] = []

    async def execute(self, sql: str, *values: Any) -> None:
        """Writes."""
        if sql.startswith("INSERT INTO dated_book ("):
            self.state = dict(zip(["number", "told", "state", "spec"], values[2:], strict=True))
        elif sql.startswith("DELETE"):
            self.inputs = []
        else:
            self.inputs.append(dict(zip(["number", "told", "content"], values[2:], strict=True)))

    async def fetchrow(self, sql: str, *values: Any) -> dict[str, Any] | None:
        """The state."""
        return self.state

    async def fetch(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """The inputs since."""
        return [each for each in self.inputs if each["number"] > values[2]]


def _do(book: SimBook, word: str, number: int, ticks: int, now: int) -> None:
    if word == "quote":
        book.quote(1000 + ticks, 1001 + ticks + number, now)
    elif word in ("buy", "sell"):
        side = 1 if word == "buy" else 2
        order = NewOrder(
            id=book.orders + 1000 * now + number, owner=1, side=side, quantity=20 * number, price=1000 + ticks
        )
        book.send(order, now)
    elif word == "cancel":
        book.send(Cancel(id=1000 * (now - 1) + number, owner=1), now)
    elif word == "replace":
        book.send(Replace(id=1000 * (now - 1) + number, owner=1, quantity=30, price=1000 + ticks), now)


@given(STEPS)
@settings(max_examples=150, deadline=None)
async def test_a_book_that_is_read_again_stands_where_it_stood(steps) -> None:
    """To the byte, after every commit; and what is on its way comes as it would have come."""
    tables, now = Tables(), 1
    book = SimBook("sim", KEY, Venue(TERMS, seed=3, start=now), "spec")
    told: list[int] = []
    for word, number, ticks, wait in steps:
        now += wait
        _do(book, word, number, ticks, now)
        book.advance(now)
        told += [each.event.sequence for each in book.due(now)]
        if word != "write":
            continue
        await book.write(tables)
        again = await SimBook.read(tables, "sim", KEY, "spec", lambda text: TERMS)
        assert again.exchange.snapshot() == book.exchange.snapshot()
        assert (again.told, again.number, again.next_time) == (book.told, book.number, book.next_time)
        book = again
    while (due := book.next_time) is not None:
        now = max(now, due)
        book.advance(now)
        told += [each.event.sequence for each in book.due(now)]
    assert told == list(range(1, len(told) + 1))


async def test_new_terms_begin_with_a_new_state() -> None:
    """What was put in before is done under the terms of then; reports on their way come at once."""
    tables, seen = Tables(), []

    def terms(text: str) -> VenueTerms:
        seen.append(text)
        return TERMS

    book = SimBook("sim", KEY, Venue(TERMS, seed=3, start=1), "old")
    book.send(NewOrder(id=1, owner=1, side=1, quantity=20, price=900), 1)
    book.advance(200)
    await book.write(tables)
    assert book.next_time is not None
    again = await SimBook.read(tables, "sim", KEY, "new", terms)
    assert seen == ["old", "new"]
    assert again.renewed
    assert [each.event.kind.name for each in again.due(0)] == ["ACCEPTED"]
    await again.write(tables)
    assert (tables.state["spec"], tables.inputs) == ("new", [])


@pytest.mark.parametrize("moves", [(1, 2), (2, 1)])
async def test_a_clock_that_goes_back_stops_nothing(moves) -> None:
    """The exchange's time stands until the clock is past it again."""
    book = SimBook("sim", "EUR/USD", Venue(TERMS, seed=3, start=100), "spec")
    for move in moves:
        book.quote(1000, 1001 + move, 100 * move)
    assert book.exchange.now == 200
