"""FIX depth whose updates name positions: what moves, what falls off, what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.adapters.fix_books import MISPLACED, Books
from services.marketdata.domain.entries import Entries
from services.marketdata.domain.normalise import GAPPED
from tests.unit.marketdata.test_adapters import books, change, increments, side, snapshot

BIDS, ASKS = (1.5, 1.4, 1.3), (1.6, 1.7)


def placed(kind: int, *prices: float) -> list[list]:
    """Entries of a snapshot by position; sizes tell the levels apart."""
    return [side(kind, price, 10 + place, (290, place + 1)) for place, price in enumerate(prices)]


def deep(**more) -> Books:
    """A book of three bids and two asks; its snapshot does not come in order."""
    these = books(**{"depth": 0} | more)
    these.snapshot(snapshot(*reversed([*placed(0, *BIDS), *placed(1, *ASKS)])))
    return these


def at(action: int, position: int, price: float | None = None, size: float | None = None, kind: int = 0) -> list:
    """An update by position."""
    fields = [(269, kind), (290, position), (55, "EURUSD")]
    fields += [] if price is None else [(270, price)]
    return change(action, *fields, *([] if size is None else [(271, size)]))


def ladder(these: Books, kind: int = 0) -> list[tuple[float, float]]:
    """What the updates that were handed on make of a book, as whoever applies them has it; best first."""
    entries = Entries()
    for update, _ in these.updates:
        if update.snapshot:
            entries = Entries()
        entries.apply(update.entries)
    return sorted(entries.levels(bids=kind == 0), reverse=kind == 0)


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        ([at(0, 2, 1.45, 7)], [(1.5, 10), (1.45, 7), (1.4, 11), (1.3, 12)]),
        ([at(0, 4, 1.2, 7)], [(1.5, 10), (1.4, 11), (1.3, 12), (1.2, 7)]),
        ([at(1, 2, None, 7)], [(1.5, 10), (1.4, 7), (1.3, 12)]),
        ([at(1, 2, 1.45)], [(1.5, 10), (1.45, 11), (1.3, 12)]),
        ([at(5, 3, 1.35, 7)], [(1.5, 10), (1.4, 11), (1.35, 7)]),
        ([at(2, 1)], [(1.4, 11), (1.3, 12)]),
        ([at(2, 1), at(2, 1), at(0, 1, 1.49, 7)], [(1.49, 7), (1.3, 12)]),
        ([at(3, 2)], [(1.3, 12)]),
        ([at(4, 2)], [(1.5, 10)]),
    ],
)
@pytest.mark.parametrize("entry_key", ["auto", "position"])
def test_new_and_delete_move_what_stands_behind(updates, expected, entry_key):
    """Change and Overlay replace; Delete Thru takes all up to a position, Delete From all from it on."""
    these = deep(entry_key=entry_key)
    (raw,) = these.incremental(increments(*updates))
    assert ladder(these) == expected
    assert ladder(these, 1) == [(1.6, 10), (1.7, 11)]
    assert (raw.bid, raw.bid_quantity, raw.ask) == (*expected[0], 1.6)
    assert these.rejected == []


def test_a_change_of_one_position_changes_one_entry():
    """What is only moved is not told again: its entry keeps its name."""
    these = deep()
    these.updates.clear()
    these.incremental(increments(at(0, 1, 1.55, 7)))
    ((update, _),) = these.updates
    assert [(entry.price, entry.quantity) for entry in update.entries] == [(1.55, 7)]


def test_what_leaves_the_depth_that_was_asked_for_is_gone():
    """The venue says nothing of it; and more than was asked for is nobody's."""
    these = deep(depth=3)
    these.incremental(increments(at(0, 1, 1.55, 7)))
    assert ladder(these) == [(1.55, 7), (1.5, 10), (1.4, 11)]
    these.incremental(increments(at(0, 4, 1.35, 7), at(2, 4)))
    assert ladder(these) == [(1.55, 7), (1.5, 10), (1.4, 11)]
    assert these.rejected == []


def test_slots_do_not_move():
    """New fills a position whatever stood there, Delete empties it."""
    these = deep(entry_key="slot")
    these.incremental(increments(at(0, 1, 1.55, 7), at(2, 2), at(1, 3, None, 9)))
    assert ladder(these) == [(1.55, 7), (1.3, 9)]
    these.incremental(increments(at(0, 2, 1.2, 1), at(3, 1), at(4, 3)))
    assert ladder(these) == [(1.2, 1)]
    assert these.rejected == []


def test_a_snapshot_without_positions_is_ranked_by_price():
    """Positions of the updates mean those of the prices."""
    these = books(depth=0)
    these.snapshot(snapshot(side(0, 1.3, 12), side(0, 1.5, 10), side(0, 1.4, 11), side(1, 1.6)))
    these.incremental(increments(at(2, 2)))
    assert ladder(these) == [(1.5, 10), (1.3, 12)]


def test_the_key_that_is_declared_counts():
    """Where positions are only told along with prices, the price is the key."""
    these = deep(entry_key="price")
    these.incremental(increments(at(2, 1, 1.4)))
    assert ladder(these) == [(1.5, 10), (1.3, 12)]


@pytest.mark.parametrize(
    "updates",
    [
        [at(1, 4, 1.2, 7)],
        [at(2, 4)],
        [at(0, 5, 1.1, 7)],
        [at(0, 0, 1.1, 7)],
        [at(0, 1)],
        [at(0, 1, 1.35, 7)],
    ],
    ids=["change", "delete", "hole", "zero", "no price", "a price that belongs elsewhere"],
)
def test_what_does_not_fit_breaks_the_book_until_a_snapshot(updates):
    """Nothing that follows is taken, because positions mean something else by then; a whole book is asked for."""
    these = deep()
    (raw,) = these.incremental(increments(*updates))
    assert raw.note & GAPPED
    assert these.broken == {"EURUSD"}
    assert these.rejected == [MISPLACED]
    assert these.updates[-1][1] & GAPPED
    before = ladder(these)
    (raw,) = these.incremental(increments(at(2, 1)))
    assert raw.note & GAPPED
    assert ladder(these) == before
    (raw,) = these.snapshot(snapshot(*placed(0, 1.2, 1.1), *placed(1, 1.6)))
    assert not raw.note & GAPPED
    assert these.broken == set()
    these.incremental(increments(at(2, 1)))
    assert ladder(these) == [(1.1, 11)]


def test_a_missing_report_number_breaks_it_too():
    """No position after the missing one can be relied on, so the one that shows the gap is not applied either."""
    these = books(depth=0)
    these.snapshot(snapshot(*placed(0, *BIDS), *[[*each, (83, 5)] for each in placed(1, *ASKS)]))
    these.incremental(increments([*at(0, 1, 1.55, 7), (83, 6)]))
    (raw,) = these.incremental(increments([*at(2, 1), (83, 8)]))
    assert (raw.note & GAPPED, these.missing, raw.bid) == (GAPPED, 1, 1.55)
    assert these.updates[-1][1] & GAPPED


STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 3, 4]), st.integers(0, 7), st.integers(1, 99)), max_size=40)


@given(STEPS, st.integers(2, 5))
def test_any_sequence_of_updates_gives_the_venues_book(steps, depth):
    """A venue that keeps a plain list of prices, shows `depth` of them, and names positions."""
    venue = [(1000 - 10 * place, 1) for place in range(3)][:depth]
    these = books(depth=depth)
    these.snapshot(snapshot(*[side(0, p, q, (290, n + 1)) for n, (p, q) in enumerate(venue)], *placed(1, 2000.0)))
    for action, where, size in steps:
        place = min(where, len(venue) - (action != 0))
        if place < 0:
            continue
        if action == 0:
            above, below = venue[place - 1][0] if place else 2000, venue[place][0] if place < len(venue) else 0
            if place == depth:
                continue
            update = at(0, place + 1, (above + below) / 2, size)
            venue = [*venue[:place], ((above + below) / 2, size), *venue[place:]][:depth]
        elif action == 1:
            update = at(1, place + 1, None, size)
            venue[place] = (venue[place][0], size)
        else:
            update = at(action, place + 1)
            begin, end = (0 if action == 3 else place), (len(venue) if action == 4 else place + 1)
            del venue[begin:end]
        these.incremental(increments(update))
    totals: dict[float, float] = {}
    for price, size in venue:
        totals[price] = totals.get(price, 0) + size
    assert ladder(these) == sorted(totals.items(), reverse=True)
    assert these.rejected == []
