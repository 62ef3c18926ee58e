"""Whatever comes, a book does what the naive one does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crossrate.exchange.book import OrderBook
from crossrate.kernel import path
from crossrate.kernel.matching import Matcher
from tests.unit.exchange.compare import compare
from tests.unit.exchange.flow import commands
from tests.unit.exchange.naive import Naive

STEPS = {"numpy": 1500}


@pytest.mark.parametrize("width", [4, 20, 60])
def test_a_book_does_what_the_naive_one_does(build: str, width: int) -> None:
    """Random commands, some of them nonsense, give the same events, levels and places, also after a snapshot."""
    kinds = compare(seed=100 + width, steps=STEPS.get(build, 3000), width=width)
    assert set(kinds) == set(range(1, 9))


def test_batches_of_any_size_give_the_same(build: str) -> None:
    """How commands are cut into batches changes nothing."""
    rows = commands(7, 2000)
    once = Matcher(40)
    whole = once.run(rows)
    chance, at, pieces, again = np.random.default_rng(1), 0, [], Matcher(40)
    while at < len(rows):
        size = int(chance.integers(0, 200))
        pieces.append(again.run(rows[at : at + size]))
        at += size
    assert np.array_equal(whole, np.concatenate(pieces))
    assert np.array_equal(once.orders(), again.orders())


def test_every_build_gives_the_same_bytes() -> None:
    """Events and snapshots of all builds are equal, byte for byte."""
    found = set()
    for name in path.paths():
        with path.using(name):
            book = OrderBook(50)
            found.add((book.run(commands(11, 2000)).tobytes(), book.snapshot()))
    assert len(found) == 1


def test_events_are_numbered_without_gaps(build: str) -> None:
    """The sequence counts every event of a book from 1."""
    events = Matcher(40).run(commands(5, 2000))
    assert events[:, 0].tolist() == list(range(1, len(events) + 1))


def test_units_are_neither_made_nor_lost(build: str) -> None:
    """Both sides of each trade are told, and an order's total is what was filled, is open or was given up."""
    events = Matcher(40).run(commands(6, 3000, nonsense=0.0))
    fills = events[events[:, 1] == 3]
    makers, takers = fills[0::2], fills[1::2]
    assert np.array_equal(makers[:, [5, 6, 9]], takers[:, [5, 6, 9]])
    assert np.array_equal(makers[:, 2], takers[:, 10])
    assert (makers[:, 11] == 1).all()
    assert (takers[:, 11] == 2).all()
    assert (makers[:, 4] != takers[:, 4]).all()
    total: dict[int, int] = {}
    for row in events.tolist():
        kind, order, quantity, leaves, filled = row[1], row[2], row[6], row[7], row[8]
        if kind in (1, 5):
            total[order] = quantity
        if kind == 3:
            assert filled + leaves == total[order]
        if kind in (4, 6):
            assert filled + quantity <= total[order]


class Books(RuleBasedStateMachine):
    """A compiled book, its twin and the naive one under the same commands, which hypothesis chooses and shortens."""

    def __init__(self) -> None:
        super().__init__()
        self.books = []
        for name in (path.paths()[0], path.NUMPY):
            with path.using(name):
                self.books.append(Matcher(12))
        self.naive, self.time = Naive(12), 0

    def send(self, *words: int) -> None:
        """One command to all."""
        row = [*words, *(0,) * (15 - len(words)), self.time]
        wanted = self.naive.run([row])
        for book in self.books:
            assert book.run(np.array([row], np.int64)).tolist() == wanted

    @rule(
        who=st.tuples(st.integers(1, 9), st.integers(1, 3), st.integers(1, 2)),
        force=st.sampled_from([1, 1, 3, 4, 6]),
        quantity=st.integers(1, 12),
        price=st.integers(0, 6),
        parts=st.tuples(st.integers(0, 4), st.sampled_from([0, 0, 3])),
        trigger=st.sampled_from([0, 0, 0, 1, 2, 3]),
        trigger_at=st.tuples(st.integers(1, 4), st.integers(1, 6)),
        how=st.sampled_from([0, 1, 2, 3, 4, 8]),
    )
    def new(self, who, force, quantity, price, parts, trigger, trigger_at, how) -> None:
        """A new order, a market order where it has no price."""
        expire = self.time + 4 if force == 6 else 0
        at = trigger_at if trigger else (0, 0)
        self.send(1, *who, 1 if price == 0 else 2, force, quantity, price, *parts, expire, trigger, *at, how)

    @precondition(lambda self: self.naive.orders)
    @rule(data=st.data(), change=st.integers(-3, 2), move=st.integers(-1, 1), display=st.integers(0, 3))
    def replace(self, data, change, move, display) -> None:
        """An amendment of an order that is there."""
        order = data.draw(st.sampled_from(self.naive.orders))
        price = order.price + move if order.price else 0
        total, level = order.total + change, max(1, order.level + move)
        self.send(2, order.id, order.owner, 0, 0, 0, total, price, display, 0, order.expire, 0, 0, level)

    @rule(order=st.integers(1, 9), owner=st.integers(1, 3))
    def cancel(self, order, owner) -> None:
        """A cancel, perhaps of nothing."""
        self.send(3, order, owner)

    @rule(owner=st.integers(0, 3), side=st.integers(0, 2))
    def cancel_all(self, owner, side) -> None:
        """A mass cancel."""
        self.send(4, 0, owner, side)

    @rule(by=st.integers(1, 3))
    def advance(self, by) -> None:
        """Time passes."""
        self.time += by
        self.send(5)

    @rule()
    def move(self) -> None:
        """Every book goes on from its snapshot."""
        for place, book in enumerate(self.books):
            with path.using(path.NUMPY if place else path.paths()[0]):
                other = Matcher(12)
            other.load(book.facts(), book.orders())
            self.books[place] = other

    @invariant()
    def is_not_crossed(self) -> None:
        """The best bid is below the best offer, and all books have the same orders."""
        bids, asks = self.naive.depth(1), self.naive.depth(2)
        assert not bids or not asks or bids[0][0] < asks[0][0]
        assert np.array_equal(self.books[0].orders(), self.books[1].orders())


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
