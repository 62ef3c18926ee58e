"""Ticks to bars: open, high, low, close of bid and ask, and the count, against pandas `resample` in the same run.

The user's frame has its time index ready, which is not counted; of the ways to ask pandas, the fastest one is compared:
`ohlc()` a side with `size()`. Rounds of some calls of each are interleaved.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from crossrate.ticks.bars import bars_of
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY, UTC, Period
from tests.bench.figures import median

ROWS = 1_000_000
DAYS = 5
PERIODS = {"1s": "1s", "1m": "1min", "1h": "1h"}
"""Ours and pandas's names."""
COMPARED = "1m"
CALLS = 5
"""Of each in a round."""


def ticks_of(rows: int, days: int) -> Ticks:
    """Quotes of a random walk at random milliseconds."""
    numbers = np.random.default_rng(5)
    times = np.sort(numbers.integers(0, days * DAY // 10**6, rows)) * 10**6 + 19_800 * DAY
    mid = 1.1 + np.cumsum(numbers.integers(-1, 2, rows)) * 1e-5
    half = numbers.integers(1, 10, rows) * 1e-5 / 2
    return Ticks.of(times, np.round(mid - half, 5), np.round(mid + half, 5))


def seconds_of(call: Callable[[], Any]) -> float:
    """How long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def checked(ticks: Ticks, frame: Any, name: str) -> None:
    """Fails unless both make the same bars."""
    bars = bars_of(ticks, Period(name), UTC, quantities=False).bars
    theirs = frame["bid"].resample(PERIODS[name]).ohlc().dropna()
    assert bars.bid is not None
    assert np.array_equal(np.column_stack([bars.bid.open, bars.bid.high, bars.bid.low, bars.bid.close]), theirs)


def bars_vs_pandas(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """The ratio for one-minute bars, and the times of all periods."""
    import pandas as pd

    ticks = ticks_of(ROWS, DAYS)
    frame = pd.DataFrame({"bid": ticks.bid, "ask": ticks.ask}, index=pd.DatetimeIndex(ticks.venue_time.view("M8[ns]")))

    def theirs(name: str) -> None:
        sampled = frame.resample(PERIODS[name])
        count = sampled.size()
        # pandas makes rows of nothing where there is no quote.
        sampled["bid"].ohlc().dropna(), sampled["ask"].ohlc().dropna(), count[count > 0]

    results, notes = {}, {}
    for name in PERIODS:
        checked(ticks, frame, name)
        own, other = [], []
        for _ in range(5 if quick else 15):
            ours = [
                seconds_of(lambda name=name: bars_of(ticks, Period(name), UTC, quantities=False)) for _ in range(CALLS)
            ]
            own.append(median(ours))
            other.append(median([seconds_of(lambda name=name: theirs(name)) for _ in range(CALLS)]))
        ratio = "bars_vs_pandas" if name == COMPARED else f"bars_{name}_vs_pandas"
        results[ratio] = median(other) / median(own)
        results[f"bars_{name}_ms"] = median(own) * 1e3
        notes[f"bars_{name}_ms"] = f"{ROWS:,} quotes of {DAYS} days; pandas {median(other) * 1e3:.1f} ms"
    return results, notes
