"""The same commands to a book and to the naive one, one by one, until something differs."""

from __future__ import annotations

import numpy as np

from crossrate.kernel.matching import Matcher
from tests.unit.exchange.flow import amend_alike, commands
from tests.unit.exchange.naive import Naive

CAPACITY = 40


def compare(seed: int, steps: int, width: int = 20) -> dict[int, int]:
    """How many events of each kind there were.

    Raises:
        AssertionError: an event, a price level or an order's place differs; the text has seed and step.
    """
    rows, chance = commands(seed, steps, width), np.random.default_rng(seed + 1)
    book, naive = Matcher(CAPACITY), Naive(CAPACITY)
    kinds: dict[int, int] = {}
    for step in range(steps):
        if chance.random() < 0.15:
            amend_alike(rows, book.orders(), step, chance)
        if chance.random() < 0.005:
            book = moved(book)
        found, wanted = book.run(rows[step : step + 1]).tolist(), naive.run(rows[step : step + 1].tolist())
        assert found == wanted, f"seed {seed}, step {step}: {rows[step].tolist()} gave {found}, not {wanted}"
        for side in (1, 2):
            levels = list(zip(*(each.tolist() for each in book.depth(side, CAPACITY)), strict=True))
            assert levels == naive.depth(side), f"seed {seed}, step {step}: depth of side {side}"
        for event in found:
            kinds[event[1]] = kinds.get(event[1], 0) + 1
    kept = {order[0]: order[17] for order in book.orders().tolist()}
    assert kept == {order.id: order.stamp for order in naive.orders}, f"seed {seed}: places in the queue"
    return kinds


def moved(book: Matcher) -> Matcher:
    """Another book with the same state."""
    other = Matcher(book.capacity)
    other.load(book.facts(), book.orders())
    return other
