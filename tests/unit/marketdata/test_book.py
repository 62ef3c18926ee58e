"""A venue's book against a naive model: what is missing is found exactly, and healed as venues describe it."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.domain import book as books
from services.marketdata.domain.book import Action, BookUpdate, Gap, Outcome, VenueBook, Verdict
from services.marketdata.domain.composite import Health
from services.marketdata.domain.entries import Entries, EntryUpdate

EURUSD = "EUR/USD"


def snapshot(number: int, bids: dict[float, float], asks: dict[float, float], **more: bool) -> BookUpdate:
    return BookUpdate(EURUSD, list(bids.items()), list(asks.items()), True, last_sequence=number, **more)


def diff(first: int, last: int = 0, bids: dict[float, float] | None = None, **more: object) -> BookUpdate:
    return BookUpdate(EURUSD, list((bids or {}).items()), first_sequence=first, last_sequence=last or first, **more)


@pytest.fixture
def book() -> VenueBook:
    """A live book with everything up to number 10."""
    made = VenueBook()
    made.apply(snapshot(10, {1.1: 1e6, 1.0999: 2e6}, {1.1002: 1e6}))
    return made


def test_a_diff_says_what_is_new_what_changed_and_what_went(book: VenueBook) -> None:
    """What was as it is said, or never there, is no change."""
    update = diff(11, bids={1.1: 3e6, 1.0998: 1e6, 1.0999: 0.0, 1.0: 0.0})
    outcome = book.apply(replace(update, asks=[(1.1002, 1e6)]))
    assert outcome == Outcome(
        Verdict.APPLIED,
        changed=True,
        bids=[(Action.CHANGE, 1.1, 3e6), (Action.NEW, 1.0998, 1e6), (Action.DELETE, 1.0999, 0.0)],
    )
    assert book.ladder.bids.levels() == [(1.1, 3e6), (1.0998, 1e6)]
    assert book.health is Health.LIVE


def test_what_came_before_is_told_apart(book: VenueBook) -> None:
    """The same diff again, an older one, one that reaches back over what is known: each has its name."""
    assert book.apply(diff(11, 13, {1.1: 2e6})).verdict is Verdict.APPLIED
    assert book.apply(diff(11, 13, {1.1: 9e6})).verdict is Verdict.DUPLICATE
    assert book.apply(diff(11, 12, {1.1: 9e6})).verdict is Verdict.STALE
    assert book.apply(diff(9, bids={1.1: 9e6})).verdict is Verdict.STALE
    assert book.ladder.bids.quantity(1.1) == 2e6
    assert book.apply(diff(12, 15, {1.1: 4e6})).verdict is Verdict.OVERLAPPING
    assert book.ladder.bids.quantity(1.1) == 4e6
    assert book.last == 15
    assert book.counts == {"applied": 2, "duplicate": 1, "stale": 2, "overlapping": 1}


def test_a_diff_over_the_edge_of_a_snapshot_is_the_next_one(book: VenueBook) -> None:
    """The first diff behind a snapshot may begin with numbers that it has."""
    assert book.apply(diff(8, 12, {1.1: 4e6})).verdict is Verdict.APPLIED
    assert book.last == 12


def test_a_missing_diff_is_named_once_and_healed_by_a_snapshot(book: VenueBook) -> None:
    """Expected 11, received 14: one report. What follows is kept, and goes on top of the snapshot that connects."""
    outcome = book.apply(diff(14, bids={1.1: 14e6}, receive_time=5))
    assert outcome.verdict is Verdict.MISSING
    assert outcome.gap == Gap(11, 14, 5, "changes did not come")
    assert book.health is Health.GAPPED
    assert book.apply(diff(15, bids={1.1: 15e6})) == Outcome(Verdict.KEPT)
    assert book.ladder.bids.quantity(1.1) == 1e6
    # 12 does not reach 14: healing with it would leave 13 out.
    assert book.apply(snapshot(12, {1.1: 12e6}, {})).verdict is Verdict.BEHIND
    assert book.apply(snapshot(9, {1.1: 9e6}, {})).verdict is Verdict.STALE
    assert book.health is Health.GAPPED
    outcome = book.apply(snapshot(13, {1.1: 13e6, 1.0: 1.0}, {}))
    assert (outcome.whole, outcome.healed, outcome.gap) == (True, True, None)
    assert book.ladder.bids.levels() == [(1.1, 15e6), (1.0, 1.0)]
    assert (book.last, book.health) == (15, Health.LIVE)


def test_a_snapshot_newer_than_all_that_was_kept_heals(book: VenueBook) -> None:
    """Kept diffs that are in the snapshot are left out."""
    book.apply(diff(14, bids={1.1: 14e6}))
    assert book.apply(snapshot(20, {1.1: 20e6}, {})).healed
    assert (book.last, book.ladder.bids.quantity(1.1)) == (20, 20e6)
    assert book.apply(diff(21)).verdict is Verdict.APPLIED


def test_a_second_hole_among_what_was_kept_is_a_second_gap(book: VenueBook) -> None:
    """The snapshot heals the first, and the next is named with its own numbers."""
    for number in (12, 13, 17):
        book.apply(diff(number, bids={1.1: float(number)}))
    outcome = book.apply(snapshot(11, {1.1: 11.0}, {}))
    assert outcome.gap is not None
    assert (outcome.gap.expected, outcome.gap.received, outcome.healed) == (14, 17, False)
    assert (book.ladder.bids.quantity(1.1), book.health) == (13.0, Health.GAPPED)
    assert book.apply(snapshot(16, {1.1: 16.0}, {})).healed
    assert book.ladder.bids.quantity(1.1) == 17.0


def test_the_missing_diff_may_still_come(book: VenueBook) -> None:
    """Out of order is not lost: no snapshot is needed."""
    book.apply(diff(12, bids={1.1: 12e6}))
    outcome = book.apply(diff(11, bids={1.1: 11e6, 1.0: 1.0}))
    assert (outcome.whole, outcome.healed) == (True, True)
    assert (book.last, book.ladder.bids.levels()[0]) == (12, (1.1, 12e6))


def test_before_the_first_snapshot_diffs_wait() -> None:
    """Subscribe first, then ask for the snapshot: what came in between is neither lost nor a gap."""
    book = VenueBook()
    assert book.apply(diff(4, bids={1.1: 4.0})) == Outcome(Verdict.KEPT)
    assert book.apply(diff(5, bids={1.1: 5.0})) == Outcome(Verdict.KEPT)
    assert book.apply(snapshot(2, {1.1: 2.0}, {})).verdict is Verdict.BEHIND
    outcome = book.apply(snapshot(4, {1.1: 4.0}, {}))
    assert (outcome.whole, outcome.healed, book.ladder.bids.quantity(1.1)) == (True, False, 5.0)


def test_a_lost_connection_is_a_gap_whatever_the_numbers(book: VenueBook) -> None:
    """The next session's numbers begin anew, and its snapshot heals."""
    outcome = book.lose(7, "the venue hung up")
    assert outcome.gap == Gap(0, 0, 7, "the venue hung up")
    assert not book.lose(8, "again").changed
    assert book.apply(diff(2, bids={1.1: 2.0})).verdict is Verdict.KEPT
    assert book.apply(snapshot(1, {1.1: 1.0}, {})).healed
    assert (book.last, book.ladder.bids.levels()) == (2, [(1.1, 2.0)])


def test_a_snapshot_may_begin_the_numbers_anew(book: VenueBook) -> None:
    """Only if it says so: otherwise its lower number makes it old."""
    assert book.apply(snapshot(1, {1.2: 1.0}, {})).verdict is Verdict.STALE
    assert book.apply(snapshot(1, {1.2: 1.0}, {}, reset=True)).whole
    assert book.apply(diff(2)).verdict is Verdict.APPLIED


def test_a_venue_without_numbers_is_believed() -> None:
    """Without a snapshot its diffs are nothing, after one they are all applied."""
    book, change = VenueBook(), BookUpdate(EURUSD, bids=[(1.1, 2.0)])
    assert book.apply(change).verdict is Verdict.DROPPED
    book.apply(BookUpdate(EURUSD, bids=[(1.0, 1.0)], snapshot=True))
    assert book.apply(change).verdict is Verdict.APPLIED
    assert book.ladder.bids.levels() == [(1.1, 2.0), (1.0, 1.0)]


@pytest.mark.parametrize(
    ("level", "word"),
    [
        ((math.nan, 1.0), "price nan"),
        ((0.0, 1.0), "price 0.0"),
        ((-1.1, 1.0), "price -1.1"),
        ((math.inf, 1.0), "price inf"),
        ((1.1, -1.0), "quantity -1.0"),
        ((1.1, math.nan), "quantity nan"),
        ((1.1, math.inf), "quantity inf"),
    ],
)
def test_nonsense_gets_into_no_book(book: VenueBook, level: tuple[float, float], word: str) -> None:
    """A diff with it makes the book GAPPED, because what it said is missing; a snapshot with it changes nothing."""
    assert word in book.apply(replace(snapshot(20, {}, {}), asks=[level])).reason
    assert book.live
    outcome = book.apply(replace(diff(11), asks=[(1.2, 1.0), level]))
    assert outcome.verdict is Verdict.REFUSED
    assert word in outcome.reason
    assert outcome.gap is not None
    assert (outcome.gap.expected, outcome.gap.received) == (11, 0)
    assert book.ladder.asks.levels() == [(1.1002, 1e6)]
    assert book.apply(snapshot(10, {1.0: 1.0}, {})).verdict is Verdict.BEHIND
    assert book.apply(snapshot(11, {1.0: 1.0}, {})).healed


def test_other_nonsense_is_refused_with_words(book: VenueBook) -> None:
    """A price twice in a snapshot, nothing at a price in it, numbers that run backwards, more levels than are taken."""
    twice = replace(snapshot(20, {}, {}), bids=[(1.1, 1.0), (1.1, 2.0)])
    assert "twice" in book.apply(twice).reason
    assert "quantity 0.0" in book.apply(snapshot(20, {1.1: 0.0}, {})).reason
    assert "12 to 11" in book.apply(diff(12, 11)).reason
    many = [(1 + n / 1e5, 1.0) for n in range(books.UPDATE_LEVELS_MAX + 1)]
    assert "at most" in VenueBook().apply(replace(snapshot(20, {}, {}), bids=many)).reason


def test_crossed_and_closed_books_say_so(book: VenueBook) -> None:
    """A bid above the ask is flagged until it goes; a closed one keeps its levels and opens with the next update."""
    book.apply(diff(11, bids={1.1003: 1.0}))
    assert book.health is Health.CROSSED
    book.apply(diff(12, bids={1.1003: 0.0}))
    assert book.health is Health.LIVE
    book.apply(diff(13, closed=True))
    assert (book.health, len(book.ladder.bids)) == (Health.CLOSED, 2)
    book.apply(diff(14))
    assert book.health is Health.LIVE


def test_a_side_has_a_limit(book: VenueBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels beyond it are dropped from the far end, and those who follow are told."""
    monkeypatch.setattr(books, "LEVELS_MAX", 3)
    outcome = book.apply(diff(11, bids={1.1001: 1.0, 1.0998: 1.0, 1.0997: 5.0}))
    assert outcome.bids == [(Action.NEW, 1.1001, 1.0)]
    outcome = book.apply(diff(12, bids={1.10005: 1.0}))
    assert outcome.bids == [(Action.NEW, 1.10005, 1.0), (Action.DELETE, 1.0999, 0.0)]
    assert [level.price for level in book.ladder.bids.levels()] == [1.1001, 1.10005, 1.1]


def test_what_waits_has_a_limit(book: VenueBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first, so that an old snapshot does not connect any more and a new one does."""
    monkeypatch.setattr(books, "KEPT_MAX", 3)
    for number in range(12, 17):
        book.apply(diff(number))
    assert book.counts["overflow"] == 2
    assert book.apply(snapshot(11, {}, {})).verdict is Verdict.BEHIND
    assert book.apply(snapshot(13, {}, {})).healed
    assert book.last == 16


def test_entries_sum_to_levels() -> None:
    """Two at one price are one level; one that moves leaves nothing behind; deleting needs no price."""
    book = VenueBook()
    first = [EntryUpdate("a", True, 1.1, 0.1), EntryUpdate("b", True, 1.1, 0.2), EntryUpdate("c", False, 1.2, 1.0)]
    book.apply(BookUpdate(EURUSD, snapshot=True, last_sequence=1, entries=first))
    assert book.ladder.bids.levels() == [(1.1, 0.1 + 0.2)]
    outcome = book.apply(replace(diff(2), entries=[EntryUpdate("b", True, 1.09, 0.2)]))
    assert outcome.bids == [(Action.CHANGE, 1.1, 0.1), (Action.NEW, 1.09, 0.2)]
    outcome = book.apply(
        replace(diff(3), entries=[EntryUpdate("a", False, 0.0, 0.0), EntryUpdate("x", True, 0.0, 0.0)])
    )
    assert outcome.bids == [(Action.DELETE, 1.1, 0.0)]
    assert "names its entries" in book.apply(diff(4, bids={1.1: 1.0})).reason


def test_a_book_of_levels_takes_no_entries(book: VenueBook) -> None:
    """What cannot be put together is refused instead of guessed."""
    assert "has levels" in book.apply(replace(diff(11), entries=[EntryUpdate("a", True, 1.1, 1.0)])).reason


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(1, 4), st.integers(0, 3)), max_size=60))
def test_entries_are_the_sum_of_a_plain_list(steps: list[tuple[int, bool, int, int]]) -> None:
    """Whatever comes and goes, a level is the sum of the entries that stand there."""
    entries, plain = Entries(), {}
    levels: dict[bool, dict[float, float]] = {True: {}, False: {}}
    for number, bid, price, quantity in steps:
        update = EntryUpdate(str(number), bid, price / 4, quantity / 4)
        plain[number] = update
        for side, touched in zip((True, False), entries.apply([update]), strict=True):
            levels[side].update(touched)
    for side in (True, False):
        standing = [e for e in plain.values() if e.quantity and e.bid is side]
        expected = {e.price: sum(o.quantity for o in standing if o.price == e.price) for e in standing}
        assert {p: q for p, q in levels[side].items() if q} == expected
        assert dict(entries.levels(bids=side)) == expected


class Exchange:
    """A venue with a true book, which remembers every state that it was in."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.number = chance, 0
        self.bids: dict[float, float] = {}
        self.states = {0: {}}

    def move(self) -> BookUpdate:
        """One diff over one to three numbers: what each of them touched, as it is in the end."""
        first, touched = self.number + 1, set()
        for _ in range(self.chance.randint(1, 3)):
            self.number += 1
            price, quantity = self.chance.randint(1, 9) / 8, float(self.chance.randint(0, 3))
            touched.add(price)
            self.bids = {p: q for p, q in (self.bids | {price: quantity}).items() if q}
            self.states[self.number] = self.bids
        return diff(first, self.number, {p: self.bids.get(p, 0.0) for p in touched})

    def snapshot(self, lag: int = 0) -> BookUpdate:
        """The book as it was `lag` numbers ago."""
        number = max(self.number - lag, 1)
        return snapshot(number, self.states[number], {})


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.05, 0.3]))
def test_a_live_book_is_the_venues_book(seed: int, loss: float) -> None:
    """Over a line that loses, repeats and reorders, with snapshots that lag: whenever the book is live it is exactly
    what the venue had at that number, and the numbers of a gap are those that did not come."""
    chance = random.Random(seed)
    exchange, book = Exchange(chance), VenueBook()
    exchange.move()
    in_flight: list[BookUpdate] = []
    gaps = 0
    for _ in range(120):
        in_flight.append(exchange.move())
        if chance.random() < 0.25:
            in_flight.append(exchange.snapshot(chance.randint(0, 6)))
        if chance.random() < loss:
            in_flight.pop(chance.randrange(len(in_flight)))
        if in_flight and chance.random() < 0.1:
            in_flight.append(chance.choice(in_flight))
        if chance.random() < 0.1:
            chance.shuffle(in_flight)
        while in_flight and chance.random() < 0.6:
            update, before, was_live = in_flight.pop(0), book.last, book.live
            outcome = book.apply(update)
            if outcome.verdict is Verdict.MISSING:
                assert was_live
                assert outcome.gap is not None
                assert (outcome.gap.expected, outcome.gap.received) == (before + 1, update.first_sequence)
                gaps += 1
            if book.live:
                assert dict(book.ladder.bids.levels()) == exchange.states[book.last]
                assert book.gap is None
            prices = [level.price for level in book.ladder.bids.levels()]
            assert prices == sorted(set(prices), reverse=True)
            assert all(level.quantity > 0 for level in book.ladder.bids.levels())
    book.apply(exchange.snapshot())
    assert book.live
    assert dict(book.ladder.bids.levels()) == exchange.bids
    assert gaps == book.counts["missing"]
