"""The store of venues' own bars."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from crossrate.history.bars import PRICES, BarBatch, BarStore, beside
from crossrate.ticks.bar_comparison import compare
from crossrate.ticks.bars import Bars
from crossrate.ticks.periods import DAY, SECOND, Period

PAIR = "EUR/USD"
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
BEGIN = int(np.datetime64("2024-03-31T20:00", "ns").astype(np.int64))
"""Four hours before the next month begins."""


def block(count: int, length: int = MINUTE, begin: int = BEGIN, seed: int = 1) -> dict[str, np.ndarray]:
    """Bars one after the other, with asks a pip above bids."""
    chance = np.random.default_rng(seed)
    open_time = begin + np.arange(count) * length
    low = 1.08 + np.cumsum(chance.integers(-3, 4, count)) * 1e-5
    prices = {"open": low + 2e-5, "high": low + 5e-5, "low": low, "close": low + 1e-5}
    return {
        "venue_time": open_time,
        "close_time": open_time + length,
        **{f"bid_{name}": price for name, price in prices.items()},
        **{f"ask_{name}": price + 1e-4 for name, price in prices.items()},
        "volume": np.arange(1.0, count + 1),
        "flags": np.zeros(count, np.int16),
    }


def stored(folder: Path, *blocks: dict[str, np.ndarray]) -> BarStore:
    """A store with some bars, each block a content of its own."""
    store = BarStore.open(beside(str(folder / "history")))
    for number, each in enumerate(blocks):
        load = store.begin("set", {f"content.{number}": 1})
        load.add(BarBatch("V", PAIR, each))
        load.commit()
    return store


def all_bars(store: BarStore, period: Period, start: int = BEGIN - DAY, end: int = BEGIN + 40 * DAY) -> Bars:
    """Every bar of a period."""
    return Bars.joined([each.bars for each in store.bars(PAIR, period, start, end, "V")])


def test_bars_are_given_as_they_came(tmp_path: Path) -> None:
    """Over the border of a month, by their own length, each with its volume; a range is kept to; loading again does
    nothing."""
    given = block(600)
    store = stored(tmp_path, given, block(20, HOUR))
    assert [file.key.day for file in store.files()] == [date(2024, 3, 1)] * 2 + [date(2024, 4, 1)] * 2
    found = list(store.bars(PAIR, Period.MINUTE_1, BEGIN, BEGIN + DAY, "V"))
    bars = Bars.joined([each.bars for each in found])
    assert bars.open_time.tolist() == given["venue_time"].tolist()
    assert bars.ask is not None
    assert bars.ask.high.tolist() == given["ask_high"].tolist()
    assert np.concatenate([each.volume for each in found]).tolist() == given["volume"].tolist()
    part = all_bars(store, Period.MINUTE_1, BEGIN + 5 * MINUTE, BEGIN + 7 * MINUTE)
    assert part.open_time.tolist() == [BEGIN + 5 * MINUTE, BEGIN + 6 * MINUTE]
    assert store.begin("set", {"content.0": 1}).repeated
    assert len(all_bars(store, Period.HOUR_1)) == 20


def test_longer_bars_are_made_of_the_venues_own(tmp_path: Path) -> None:
    """Open of the first, close of the last, extremes of all, the sum of volumes; also where one reaches into the next
    month. A length that nothing fits gives none."""
    given = block(600)
    store = stored(tmp_path, given)
    hours = all_bars(store, Period.HOUR_8)
    session = int(np.datetime64("2024-03-31T21:00", "ns").astype(np.int64))
    assert hours.open_time.tolist() == [session - 8 * HOUR, session, session + 8 * HOUR]
    assert hours.bid is not None
    of = (given["venue_time"] >= session) & (given["venue_time"] < session + 8 * HOUR)
    assert hours.bid.open[1] == given["bid_open"][of][0]
    assert hours.bid.high[1] == given["bid_high"][of].max()
    assert hours.bid.low[1] == given["bid_low"][of].min()
    assert hours.bid.close[1] == given["bid_close"][of][-1]
    volumes = [each.volume for each in store.bars(PAIR, Period.HOUR_8, BEGIN - DAY, BEGIN + DAY, "V")]
    assert np.concatenate(volumes)[1] == given["volume"][of].sum()
    assert list(store.bars(PAIR, Period.SECOND_10, BEGIN, BEGIN + DAY, "V")) == []


def test_the_last_that_was_loaded_counts(tmp_path: Path) -> None:
    """Of two bars with the same begin and end."""
    one, other = block(10), block(10, seed=2)
    bars = all_bars(stored(tmp_path, one, other), Period.MINUTE_1)
    assert bars.bid is not None
    assert bars.bid.close.tolist() == other["bid_close"].tolist()


def test_a_dataset_of_bars_is_removed_and_has_ends(tmp_path: Path) -> None:
    """The first and the last rows; after removal the same content may come again."""
    given = block(600)
    store = stored(tmp_path, given)
    first, last = store.ends("set", PAIR, 3)
    assert first["venue_time"].tolist() == given["venue_time"][:3].tolist()
    assert last["venue_time"].tolist() == given["venue_time"][-3:].tolist()
    assert (store.datasets(), store.venues(PAIR), store.venues("USD/JPY")) == ({"set": 600}, ["V"], [])
    assert store.remove("set").rows == 600
    assert store.venues() == []


def test_a_bar_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    """Nothing is committed."""
    wrong = block(3) | {"close_time": block(3)["venue_time"]}
    with pytest.raises(ValueError, match="ends before it begins"):
        stored(tmp_path, wrong)


def test_a_comparison_counts_what_differs(tmp_path: Path) -> None:
    """Equal bars, one price a pip and a half off, one bar that has no quotes, one that the venue lacks."""
    given = block(100)
    built = all_bars(stored(tmp_path / "a", given), Period.MINUTE_1)
    changed = {name: np.delete(column.copy(), 50) for name, column in given.items()}
    changed["ask_close"][10] += 1.5e-4
    venue = all_bars(stored(tmp_path / "b", changed), Period.MINUTE_1)
    keep = np.arange(100) != 20
    found = compare(venue, built[keep], 1e-4)
    assert (found.compared, found.equal, found.without_quotes, found.missing) == (98, 97, 1, 1)
    assert found.median == pytest.approx(0, abs=1e-9)
    assert found.largest == pytest.approx(1.5)
    assert len(PRICES) == 8
    nothing = compare(venue, built[:0], 1e-4)
    assert (nothing.compared, nothing.without_quotes, np.isnan(nothing.p95)) == (0, 0, True)
