"""One day's bars out of a store of 100 million quotes, against DuckDB on the same files in the same run.

DuckDB is asked as a user would: `time_bucket` over `read_parquet`. It is given the list of the day's files, which our
log knows and DuckDB would have to find; the times with the instrument's files, and with a glob, are noted beside it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from typing import Any

import numpy as np

from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.ticks.bars import Bars
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY, UTC, Period
from tests.bench.figures import median
from tests.bench.marketdata_bars import seconds_of

INSTRUMENTS = [f"{base}/USD" for base in ("AUD", "BTC", "CAD", "CHF", "EUR", "GBP", "JPY", "NOK", "NZD", "SEK")]
DAYS, DAYS_QUICK = 100, 5
ROWS_A_DAY = 100_000
FIRST_DAY = 19_800 * DAY
FREE_BYTES_MIN = 4 << 30
SQL = """
select time_bucket(interval '1 minute', make_timestamp_ns(venue_time)) as bar,
  arg_min(bid, venue_time), max(bid), min(bid), arg_max(bid, venue_time),
  arg_min(ask, venue_time), max(ask), min(ask), arg_max(ask, venue_time), count(*)
from read_parquet({files}) where venue_time >= {low} and venue_time < {high} group by bar order by bar
"""


def quotes(day: int, seed: int) -> Ticks:
    """A day of quotes at random microseconds."""
    numbers = np.random.default_rng((day, seed))
    times = np.sort(numbers.integers(0, DAY // 1000, ROWS_A_DAY)) * 1000 + FIRST_DAY + day * DAY
    bid = np.round(1.1 + np.cumsum(numbers.integers(-1, 2, ROWS_A_DAY)) * 1e-5, 5)
    ask = np.round(bid + numbers.integers(1, 10, ROWS_A_DAY) * 1e-5, 5)
    quantity = numbers.integers(1, 10, (2, ROWS_A_DAY)) * 1e6
    return Ticks.of(
        times,
        bid,
        ask,
        receive_time=times + 10**6,
        bid_quantity=quantity[0],
        ask_quantity=quantity[1],
        sequence=np.arange(ROWS_A_DAY) + day * ROWS_A_DAY,
    )


def filled(folder: str, days: int) -> tuple[TickStore, list[float]]:
    """A store of all instruments, a commit a day; and how long the commits took."""
    store, took = TickStore.open(folder), []
    for day in range(days):
        batches = [Batch("sim", name, quotes(day, seed)) for seed, name in enumerate(INSTRUMENTS)]
        took.append(seconds_of(lambda day=day, batches=batches: store.append_all(batches, {"bench": day})))
    return store, took


def query_over_duckdb(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    """The ratio, and what it is made of."""
    import duckdb

    if shutil.disk_usage(tempfile.gettempdir()).free < FREE_BYTES_MIN:
        return {}, {"query_over_duckdb": f"needs {FREE_BYTES_MIN >> 30} GiB below {tempfile.gettempdir()}"}
    days = DAYS_QUICK if quick else DAYS
    with tempfile.TemporaryDirectory(prefix="crossrate-bench-") as folder:
        store, took = filled(folder, days)
        return _measured(store, folder, days, took, duckdb.connect(), 7 if quick else 31)


def _measured(
    store: TickStore, folder: str, days: int, took: list[float], duck: Any, rounds: int
) -> tuple[dict[str, float], dict[str, str]]:
    """The figures of a filled store."""
    low = FIRST_DAY + days // 2 * DAY
    high, name = low + DAY, "EUR/USD"
    paths = [f"{folder}/{file.path}" for file in store.files(name, low, high)]
    every = [f"{folder}/{file.path}" for file in store.files(name)]

    def ours() -> Bars:
        return Bars.joined(list(store.bars(name, Period.MINUTE_1, low, high, session=UTC)))

    def theirs(files: str) -> dict[str, np.ndarray]:
        return duck.execute(SQL.format(files=files, low=low, high=high)).fetchnumpy()

    bars, rows = ours(), list(theirs(str(paths)).values())
    assert bars.bid is not None
    assert bars.ask is not None
    for place, column in ((2, bars.bid.high), (4, bars.bid.close), (5, bars.ask.open), (9, bars.count)):
        assert np.array_equal(column, rows[place]), "DuckDB makes other bars"
    kinds = {
        "query": ours,
        "duckdb": lambda: theirs(str(paths)),
        "instrument": lambda: theirs(str(every)),
        "glob": lambda: theirs(f"'{folder}/venue=*/instrument=EUR-USD/**/*.parquet'"),
        "open": lambda: Bars.joined(list(TickStore.open(folder).bars(name, Period.MINUTE_1, low, high, session=UTC))),
    }
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(rounds):
        for kind, call in kinds.items():
            if turn % 5 == 0 or kind in ("query", "duckdb"):
                found[kind].append(seconds_of(call))
    begun = time.perf_counter()
    whole = sum(
        page.batch.num_rows for page in store.ticks(name, low, low + 30 * DAY, "sim", ["venue_time", "bid", "ask"])
    )
    rate = whole / (time.perf_counter() - begun)
    middle = {kind: median(values) * 1e3 for kind, values in found.items()}
    stored = sum(each.size_bytes for each in store.coverage())
    total = sum(each.rows for each in store.coverage())
    results = {
        "query_over_duckdb": middle["query"] / middle["duckdb"],
        "query_ms": middle["query"],
        "query_open_ms": middle["open"],
        "ticks_per_s": rate,
        "append_rows_per_s": len(INSTRUMENTS) * ROWS_A_DAY / median(took),
        "bytes_per_row": stored / total,
    }
    notes = {
        "query_over_duckdb": f"{total:,} quotes in {len(store.files())} files",
        "query_ms": f"DuckDB: the day's files {middle['duckdb']:.1f}, the instrument's {middle['instrument']:.1f}, "
        f"a glob {middle['glob']:.1f}",
        "query_open_ms": "the same with a store that is opened for it",
        "append_rows_per_s": "flushed to the disk, ten files a commit",
    }
    return results, notes
