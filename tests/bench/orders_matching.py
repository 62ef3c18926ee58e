"""Commands a second to one order book in one process, by the ways in which they can be given."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crossrate.exchange.book import OrderBook
from crossrate.exchange.order import NewOrder
from crossrate.exchange.terms import Tier, VenueTerms
from crossrate.exchange.venue import Venue
from crossrate.kernel import path
from tests.bench.figures import median

OWNERS = 50
LIFE = 1500
"""Orders back from which a cancel or an amendment rarely reaches."""

Rows = NDArray[np.int64]


def realistic(count: int, seed: int = 1) -> Rows:
    """A busy market in records: half new orders, a third cancels, a sixth amendments, around a price that wanders.

    Of the new orders a tenth crosses, one in twelve is immediate, one in thirty an iceberg, one in fifty a stop, one in
    twenty good till a date. Most stand within 40 ticks of the middle, near ones more often.
    """
    chance = np.random.default_rng(seed)
    rows, ids = np.zeros((count, 16), np.int64), np.arange(1, count + 1)
    kind = chance.random(count)
    rows[:, 0] = np.where(kind < 0.5, 1, np.where(kind < 0.83, 3, 2))
    new = np.flatnonzero(rows[:, 0] == 1)
    others = np.flatnonzero(rows[:, 0] != 1)
    rows[:, 1] = ids
    place = np.searchsorted(new, others)
    back = np.minimum(chance.geometric(8 / LIFE, len(others)), np.maximum(place, 1))
    rows[others, 1] = new[np.maximum(place - back, 0)] + 1
    rows[:, 2] = rows[:, 1] % OWNERS + 1
    rows[:, 3] = 1 + (rows[:, 1] * 7919 >> 3) % 2
    sign = np.where(rows[:, 3] == 1, -1, 1)
    middle = 110_000 + np.cumsum(chance.integers(-1, 2, count)) // 8
    away = np.minimum(chance.geometric(0.12, count), 40)
    crosses = chance.random(count) < 1 / 10
    rows[:, 4:6] = 2, 1
    rows[:, 6] = chance.integers(1, 50, count) * 100_000
    rows[:, 7] = middle + sign * np.where(crosses, -2, away)
    rows[new, 5] = np.where(chance.random(len(new)) < 1 / 12, 3, 1)
    iceberg = new[(chance.random(len(new)) < 1 / 30) & (rows[new, 5] == 1)]
    rows[iceberg, 8] = np.maximum(rows[iceberg, 6] // 5, 1)
    dated = new[(chance.random(len(new)) < 1 / 20) & (rows[new, 5] == 1)]
    rows[:, 15] = ids * 1000
    rows[dated, 5], rows[dated, 10] = 6, rows[dated, 15] + 5_000_000
    stops = new[(chance.random(len(new)) < 1 / 50) & (rows[new, 5] == 1) & (rows[new, 8] == 0)]
    rows[stops, 11], rows[stops, 12] = chance.integers(1, 3, len(stops)), chance.integers(1, 5, len(stops))
    rows[stops, 13] = middle[stops] - sign[stops] * chance.integers(5, 60, len(stops))
    return rows


def _rate(work: Callable[[], object], count: int) -> float:
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def _by_batches(rows: Rows, batch: int) -> OrderBook:
    book = OrderBook()
    for begin in range(0, len(rows), batch):
        book.run(rows[begin : begin + batch])
    return book


def _by_objects(rows: Rows) -> None:
    book = OrderBook()
    orders = [
        NewOrder(id=row[1], owner=row[2], side=row[3], quantity=row[6], price=row[7])
        for row in rows[rows[:, 0] == 1].tolist()
    ]
    for order in orders:
        book.apply(order, 0)


def _venue_quotes(count: int) -> None:
    venue = Venue(VenueTerms(tiers=tuple(Tier(n, 1_000_000) for n in range(3))), seed=1)
    for number in range(count):
        venue.quote(110_000 + number % 7, 110_002 + number % 7, number)
        venue.advance(number)


def match_orders(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """Records in batches, one by one, as objects, by the plain twin, and quotes of a venue with three tiers."""
    count, rounds = (100_000, 3) if quick else (500_000, 7)
    rows = realistic(count)
    few = rows[: count // 10]
    new = int((few[:, 0] == 1).sum())

    def twin() -> None:
        with path.using(path.NUMPY):
            _by_batches(few, 256)

    ways: dict[str, tuple[Callable[[], object], int]] = {
        "match_orders_per_s": (lambda: _by_batches(rows, 256), count),
        "match_single_orders_per_s": (lambda: _by_batches(few, 1), len(few)),
        "match_object_orders_per_s": (lambda: _by_objects(few), new),
        "match_twin_orders_per_s": (twin, len(few)),
        "venue_quotes_per_s": (lambda: _venue_quotes(count // 50), count // 50),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (work, units) in ways.items():
            rates[name].append(_rate(work, units))
    book = OrderBook()
    kinds = np.bincount(book.run(rows)[:, 1], minlength=9)
    mix = f"{count} commands: {kinds[1]} accepted, {kinds[3] // 2} trades, {kinds[4]} cancelled, {kinds[5]} replaced"
    mix += f", {kinds[2]} refused, {book.open_orders} open at the end"
    notes = {
        "match_orders_per_s": f"one process, batches of 256; {mix}",
        "match_single_orders_per_s": "records one by one",
        "match_object_orders_per_s": "objects in, objects out, one by one",
        "match_twin_orders_per_s": "the plain Python twin, batches of 256",
        "venue_quotes_per_s": "a venue's quotes of three tiers, one by one",
    }
    return {name: median(found) for name, found in rates.items()}, notes
