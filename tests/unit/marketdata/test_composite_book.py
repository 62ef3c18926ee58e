"""The composite book, what amounts take of it, and the depth behind simulated quotes."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.ladder import Ladder
from services.marketdata.domain.composite import Health
from services.marketdata.domain.composite_book import SharedLevel, ShownBook, composite_book, fill_shared
from services.marketdata.domain.depth import Depth, Top, grid_step

SECOND = 1_000_000_000
A = ShownBook("a", 7, Health.LIVE, [SharedLevel(1.1, 1e6), SharedLevel(1.0, 2e6)], [SharedLevel(1.2, 1e6)], 5, 50)
B = ShownBook("b", 3, Health.LIVE, [SharedLevel(1.1, 4e6), SharedLevel(1.05, 1e6)], [SharedLevel(1.15, 3e6)], 6, 60)
SIDES = st.dictionaries(st.integers(1, 12).map(lambda n: n / 8), st.integers(1, 9).map(float), max_size=8)


def test_live_books_are_summed_by_price() -> None:
    """Who shows what is kept, the number is the sum of numbers, the times are those of the venue that spoke last."""
    assert composite_book([B, A]) == ShownBook(
        "composite",
        10,
        Health.LIVE,
        [
            SharedLevel(1.1, 5e6, (("a", 1e6), ("b", 4e6))),
            SharedLevel(1.05, 1e6, (("b", 1e6),)),
            (1.0, 2e6, (("a", 2e6),)),
        ],
        [SharedLevel(1.15, 3e6, (("b", 3e6),)), SharedLevel(1.2, 1e6, (("a", 1e6),))],
        6,
        60,
    )
    assert [level.price for level in composite_book([A, B], depth=2).bids] == [1.1, 1.05]


@pytest.mark.parametrize("health", [Health.STALE, Health.GAPPED, Health.CROSSED, Health.CLOSED])
def test_only_live_books_are_in_it(health: Health) -> None:
    """One that may not be traded on gives no depth; its number still counts, so that the sum never goes back."""
    made = composite_book([A, replace(B, health=health)])
    assert (made.sequence, made.health, [level.price for level in made.bids]) == (10, Health.LIVE, [1.1, 1.0])
    assert made.bids[0].venues == (("a", 1e6),)


def test_venues_that_cross_each_other_are_crossed() -> None:
    """Although each venue's own book is not; locked is not crossed."""
    crossing = replace(B, bids=[SharedLevel(1.21, 1.0)], asks=[SharedLevel(1.3, 1.0)])
    assert composite_book([A, crossing]).health is Health.CROSSED
    locked = replace(B, bids=[SharedLevel(1.2, 1.0)], asks=[SharedLevel(1.3, 1.0)])
    assert composite_book([A, locked]).health is Health.LIVE


def test_without_a_live_book_it_is_the_last_one() -> None:
    """With its health; CLOSED only if all are."""
    stale, gapped = replace(A, health=Health.STALE), replace(B, health=Health.GAPPED)
    closed = replace(B, health=Health.CLOSED)
    assert composite_book([stale, gapped]).health is Health.GAPPED
    assert composite_book([stale, closed]).health is Health.STALE
    assert composite_book([replace(A, health=Health.CLOSED), closed]).health is Health.CLOSED


@given(books=st.lists(SIDES, min_size=1, max_size=4), depth=st.integers(0, 6))
def test_a_composite_is_the_sum_of_plain_dicts(books: list[dict[float, float]], depth: int) -> None:
    """Sorted, each price once, its quantity and its shares those of the venues, cut at the depth."""
    shown = []
    for number, plain in enumerate(books):
        ladder = Ladder()
        ladder.replace(plain.items(), [])
        bids = [SharedLevel(*level) for level in ladder.bids.levels(depth)]
        shown.append(ShownBook(str(number), 1, Health.LIVE, bids, [], 0, 0))
    prices = sorted({p for plain in books for p in plain}, reverse=True)
    made = composite_book(shown, depth).bids
    assert [level.price for level in made] == (prices[:depth] if depth else prices)
    for level in made:
        shares = {str(n): plain[level.price] for n, plain in enumerate(books) if level.price in plain}
        assert dict(level.venues) == shares
        assert level.quantity == sum(shares.values())


def test_an_amount_is_shared_among_the_venues_of_the_last_level() -> None:
    """3.5 of a composite: all of 1.15, and of 1.2 half a million, shared as it is shown."""
    levels = composite_book(
        [replace(A, asks=[SharedLevel(1.2, 1e6)]), replace(B, asks=[SharedLevel(1.15, 3e6), SharedLevel(1.2, 3e6)])]
    )
    done, given_by = fill_shared(levels.asks, 3.5e6)
    assert (done.worst_price, done.filled, done.level_count) == (1.2, 3.5e6, 2)
    assert given_by == (("a", 0.125e6), ("b", 3.375e6))
    assert fill_shared(A.asks, 5e5) == ((1.2, 1.2, 5e5, 0.0, 1), ())


@given(books=st.lists(SIDES, min_size=2, max_size=4), quantity=st.integers(1, 60))
def test_shares_add_up_and_exceed_nobody(books: list[dict[float, float]], quantity: int) -> None:
    """What the venues give is what fills, and none gives more than it shows."""
    shown = [
        ShownBook(str(n), 1, Health.LIVE, [SharedLevel(p, q) for p, q in sorted(b.items(), reverse=True)], [], 0, 0)
        for n, b in enumerate(books)
    ]
    done, shares = fill_shared(composite_book(shown).bids, float(quantity))
    assert math.isclose(math.fsum(q for _, q in shares), done.filled, rel_tol=1e-12)
    for source, given_by in shares:
        assert given_by <= math.fsum(books[int(source)].values()) * (1 + 1e-12)


# Depth behind simulated quotes

TOP = Top(1.11723, 1.1173, 10e6, 10e6)


def test_the_quote_is_the_top_and_levels_stand_on_a_grid() -> None:
    """Ten levels, each worse than the one before, behind the quote at multiples of the step; none crossed."""
    bids, asks = Depth("EUR", "USD", 5, 10, seed=1).book(TOP, 0)
    assert (bids[0], asks[0]) == ((1.11723, 10e6), (1.1173, 10e6))
    assert len(bids) == len(asks) == 10
    assert [p for p, _ in bids] == sorted({p for p, _ in bids}, reverse=True)
    assert [p for p, _ in asks] == sorted({p for p, _ in asks})
    assert all(round(p * 1e5) % 2 == 0 for p, _ in bids[1:] + asks[1:])
    assert all(p == round(p, 5) for p, _ in bids + asks)


def test_the_same_quote_has_the_same_depth() -> None:
    """On any instance, by pair and seed."""
    one = Depth("EUR", "USD", 5, 10, seed=1).book(TOP, 5 * SECOND)
    assert Depth("EUR", "USD", 5, 10, seed=1).book(TOP, 5 * SECOND) == one
    assert Depth("EUR", "USD", 5, 10, seed=2).book(TOP, 5 * SECOND) != one
    assert Depth("GBP", "USD", 5, 10, seed=1).book(TOP, 5 * SECOND) != one


def test_depth_grows_with_distance() -> None:
    """On average over many prices each pair of ranks has more than the one before it."""
    depth = Depth("EUR", "USD", 5, 9, seed=3)
    books = [depth.book(Top(b / 1e5, (b + 7) / 1e5, 10e6, 10e6), 0)[0] for b in range(100_000, 104_000, 7)]
    means = [sum(book[rank][1] for book in books) / len(books) for rank in (1, 3, 5, 7)]
    assert means == sorted(means)
    assert means[0] > 10e6
    assert means[3] > 2 * 10e6


def test_a_small_move_leaves_most_levels_where_they_are() -> None:
    """As in a book of resting orders: the top moves, a level or two come and go."""
    depth = Depth("EUR", "USD", 5, 10, seed=1)
    before = dict(depth.book(TOP, 0)[0])
    after = dict(depth.book(Top(1.11725, 1.11732, 10e6, 10e6), SECOND // 10)[0])
    assert sum(before.get(p) == q for p, q in after.items()) >= 5


def test_prices_stay_positive() -> None:
    """Near zero the far side has fewer levels."""
    bids, asks = Depth("IDR", "USD", 5, 10, seed=1).book(Top(0.00003, 0.00005, 1.0, 1.0), 0)
    assert all(p > 0 for p, _ in bids)
    assert len(bids) < 10
    assert len(asks) == 10


@pytest.mark.parametrize(
    ("steps", "step"), [(0.1, 1), (1.9, 1), (2.0, 2), (4.9, 2), (5.0, 5), (19.0, 10), (731.0, 500)]
)
def test_steps_are_round(steps: float, step: int) -> None:
    """The largest of 1, 2, 5, 10, 20 and so on that fits."""
    assert grid_step(steps) == step
