"""Several venues of one instrument: the composite, its places and its age."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.marketdata.v1 import quote_pb2 as pb
from services.marketdata.board import PLACES_PER_ENTRY, Board
from services.marketdata.domain.composite import Health, Shown, composite
from services.marketdata.entry import COMPOSITE_SOURCE
from services.marketdata.subscription import Reader
from tests.unit.marketdata.test_board import BOTH, SECOND, Venue, sequences

ONE = Shown(1.1000, 1.1002, 1e6, 1e6, Health.LIVE, 5, 100, 101)
TWO = Shown(1.1001, 1.1003, 2e6, 2e6, Health.LIVE, 7, 90, 102)


def test_the_best_of_both_sides_is_taken_with_its_quantity() -> None:
    """The higher bid and the lower ask, whoever shows them, at the time of the last that spoke."""
    assert composite([ONE, TWO]) == Shown(1.1001, 1.1002, 2e6, 1e6, Health.LIVE, 12, 90, 102)
    assert composite([ONE, replace(TWO, bid=ONE.bid, ask=ONE.ask)]).bid_quantity == 3e6


def test_a_venue_that_is_not_live_gives_no_price() -> None:
    """Its better price is not taken, and its quotes still count."""
    for health in (Health.STALE, Health.GAPPED, Health.CROSSED, Health.CLOSED):
        made = composite([ONE, replace(TWO, health=health)])
        assert (made.bid, made.ask, made.health, made.sequence) == (ONE.bid, ONE.ask, Health.LIVE, 12)


def test_venues_that_cross_each_other_are_no_price() -> None:
    """A bid of one above the ask of another is CROSSED."""
    assert composite([ONE, replace(TWO, bid=1.1005, ask=1.1006)]).health == Health.CROSSED


def test_without_a_live_venue_the_last_that_spoke_is_shown_with_its_health() -> None:
    """CLOSED only if all are closed."""
    stale, closed = replace(ONE, health=Health.STALE), replace(TWO, health=Health.CLOSED)
    assert composite([stale, closed]).health == Health.STALE
    assert composite([closed, closed]).health == Health.CLOSED
    assert composite([stale, replace(TWO, health=Health.GAPPED)]).health == Health.GAPPED


@given(
    st.lists(
        st.builds(
            Shown,
            st.floats(0.5, 2),
            st.floats(0.5, 2),
            st.floats(0, 1e7),
            st.floats(0, 1e7),
            st.sampled_from(Health),
            st.integers(1, 1000),
            st.integers(0, 10**18),
            st.integers(0, 10**18),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_live_composite_is_never_crossed_nor_better_than_a_venue(shown: list[Shown]) -> None:
    """Its prices are those of LIVE venues, and it counts all of their quotes."""
    made = composite(shown)
    assert made.sequence == sum(each.sequence for each in shown)
    if made.health == Health.LIVE:
        live = [each for each in shown if each.health == Health.LIVE]
        assert made.bid <= made.ask
        assert made.bid in [each.bid for each in live]
        assert all(made.ask <= each.ask for each in live)


@pytest.fixture
def board() -> Board:
    return Board(256, stale_after_s=10)


def test_a_second_venue_makes_composites(board: Board) -> None:
    """Each venue is read by its name, and the composite counts on without a gap."""
    first, second = Venue(board, feed="one"), Venue(board, feed="two")
    readers = {source: Reader(board, BOTH, conflate=False, source=source) for source in ("", "one", "two")}
    first.say("EUR/USD")
    assert board.last("EUR/USD") is board.last("EUR/USD", "one")
    second.say("EUR/USD")
    first.say("EUR/USD", "USD/JPY")
    got = {source: sequences(reader.take()) for source, reader in readers.items()}
    assert got["one"] == [("EUR/USD", 2), ("USD/JPY", 1)]
    assert got["two"] == [("EUR/USD", 1)]
    assert got[""] == [("EUR/USD", 3), ("USD/JPY", 1)]
    second.say("EUR/USD", "EUR/USD")
    assert sequences(readers[""].take()) == [("EUR/USD", 4), ("EUR/USD", 5)]
    last = board.last("EUR/USD")
    assert last is not None
    assert last.quote.source == COMPOSITE_SOURCE


def test_one_silent_venue_leaves_the_composite_live(board: Board) -> None:
    """The composite is made without the stale venue, and is stale when all are."""
    first, second = Venue(board, feed="one"), Venue(board, feed="two")
    # The second quote is the better bid, so that the composite without it is another one.
    first.say("EUR/USD", "EUR/USD", now_ns=100 * SECOND)
    second.say("EUR/USD", now_ns=105 * SECOND)
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    assert board.mark_stale(112 * SECOND) == 1
    batch = reader.take()
    assert batch is not None
    assert [e.quote.health for e in batch.entries] == [pb.QUOTE_HEALTH_LIVE]
    assert board.last("EUR/USD", "one").quote.health == pb.QUOTE_HEALTH_STALE
    assert board.mark_stale(116 * SECOND) == 2
    assert board.last("EUR/USD").quote.health == pb.QUOTE_HEALTH_STALE
    first.say("EUR/USD", now_ns=117 * SECOND)
    assert board.last("EUR/USD").quote.health == pb.QUOTE_HEALTH_LIVE


def test_a_composite_is_not_told_twice_for_a_venue_that_it_left_out(board: Board) -> None:
    """Made when a venue had been silent for too long, it is what it is also after the next look at ages."""
    first, second = Venue(board, feed="one"), Venue(board, feed="two")
    first.say("EUR/USD", now_ns=100 * SECOND)
    second.say("EUR/USD", now_ns=105 * SECOND)
    second.say("EUR/USD", now_ns=111 * SECOND)
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    assert board.mark_stale(112 * SECOND) == 1
    assert reader.take() is None
    assert board.last("EUR/USD").quote.health == pb.QUOTE_HEALTH_LIVE
    assert board.mark_stale(122 * SECOND) == 2
    batch = reader.take()
    assert batch is not None
    assert [e.quote.health for e in batch.entries] == [pb.QUOTE_HEALTH_STALE]


def test_cursors_of_composites_hold_on_every_instance(board: Board) -> None:
    """Also on one that began when the second venue was not heard of yet."""
    other = Board(256, 10)
    first, second = Venue(board, feed="one"), Venue(board, feed="two")
    numbered = [(second, "EUR/USD"), *[(first, "EUR/USD")] * 5]
    for number, (venue, name) in enumerate(numbered, 1):
        entry = venue.entry(name)
        venue.apply(entry, number)
        if number > 1:
            venue.apply(entry, number, other)
    cursor = board.cursor(board.head - 2)
    found = other.find(cursor)
    assert found is not None
    assert [e.quote.sequence for e in other.between(found, BOTH)] == [5]
    assert [e.quote.sequence for e in board.between(board.find(cursor), BOTH)] == [6]
    assert cursor.place < board.place < other.place + PLACES_PER_ENTRY


def test_a_feed_whose_log_was_lost_does_not_take_the_others_with_it(board: Board) -> None:
    """Only its own quotes begin anew; the other venue's stay, and readers begin again with the newest."""
    first, second = Venue(board, feed="one"), Venue(board, feed="two")
    first.say("EUR/USD", "USD/JPY")
    second.say("EUR/USD")
    reader = Reader(board, BOTH, conflate=False)
    reader.take()
    Venue(board, epoch=99, feed="one").say("USD/JPY")
    assert board.last("EUR/USD") is board.last("EUR/USD", "two")
    assert board.last("EUR/USD", "one") is None
    assert sequences(reader.take()) == [("EUR/USD", 1), ("USD/JPY", 1)]
