"""Quotes for tests of the store."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from crossrate.history.reading import Page
from crossrate.history.store import TickStore
from crossrate.ticks.columns import COLUMNS, Ticks
from crossrate.ticks.periods import DAY, SECOND

MONDAY = int(np.datetime64("2024-03-04T00:00", "ns").astype(np.int64))
PAIR = "EUR/USD"


def quotes(count: int = 100, *, seed: int = 0, begin: int = MONDAY, span: int = 2 * DAY) -> Ticks:
    """Quotes at random milliseconds, in the order of time, numbered from 1, no two of them alike."""
    numbers = np.random.default_rng(seed)
    times = np.sort(numbers.integers(0, span // 10**6, count)) * 10**6 + begin
    bid = np.round(1.1 + np.cumsum(numbers.integers(-2, 3, count)) * 1e-5, 5)
    return Ticks.of(
        times,
        bid,
        bid + numbers.integers(-1, 5, count) * 1e-5,
        receive_time=times + SECOND // 1000,
        bid_quantity=numbers.integers(1, 9, count) * 1e6,
        ask_quantity=np.where(numbers.random(count) < 0.1, np.nan, 1e6),
        sequence=np.arange(count) + seed * 1_000_000 + 1,
        flags=numbers.integers(0, 256, count),
    )


def in_time(ticks: Ticks) -> Ticks:
    """Quotes in the order of time, then number; equal ones as they came."""
    return ticks[np.lexsort((ticks.sequence, ticks.venue_time))]


def of_pages(pages: Iterable[Page]) -> Ticks:
    """The quotes of pages."""
    parts = []
    for page in pages:
        columns = {name: page.batch.column(name).to_numpy(zero_copy_only=False) for name in COLUMNS}
        columns = {name: column.view(np.int64) if "time" in name else column for name, column in columns.items()}
        parts.append(Ticks(**columns))
    return Ticks.concatenated(parts)


def all_of(store: TickStore, instrument: str = PAIR, venue: str | None = None) -> Ticks:
    """Every quote of an instrument."""
    return of_pages(store.ticks(instrument, -(2**62), 2**62, venue))


def same(one: Ticks, other: Ticks) -> None:
    """Fails unless quotes have the same cells."""
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
