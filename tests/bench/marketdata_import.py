"""Import of a file of ticks: read, resolved to UTC, judged row by row and written as Parquet, against pandas.

The peer is what one would write with pandas: `read_csv`, `to_datetime` with the format given (the fastest way it
has), `to_parquet`. It checks nothing. Ours checks every field of every line, resolves the venue's clock, flags crossed,
locked, doubled, disordered, outlying and closed quotes and gaps, counts spreads, and keeps what it rejects.

Two files of the same quotes: in the first all lines are alike, as TrueFX and HistData write them; in the second times
have one to three digits of milliseconds and prices lose their trailing zeros, so that lines differ in length.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossrate.basics.pair import Pair
from crossrate.files.reader import read
from crossrate.files.shape import Shape
from crossrate.files.shapes import shape_of
from crossrate.runtime.allocator import keep_freed_memory
from crossrate.ticks.columns import Ticks
from crossrate.ticks.hours import Hours
from crossrate.ticks.quality import Inspector, Report
from crossrate.ticks.thresholds import Decision, Thresholds
from tests.bench.figures import median

ROWS = 1_000_000
GROUP_ROWS = 150_000
ROUNDS, ROUNDS_QUICK = 11, 5
KINDS = ("ours", "pandas", "ours ragged", "pandas ragged")
SCHEMA = pa.schema(
    [("venue_time", pa.timestamp("ns", "UTC")), ("bid", pa.float64()), ("ask", pa.float64()), ("flags", pa.uint8())]
)


def files(folder: Path, rows: int = ROWS) -> tuple[Path, Path]:
    """Seeded quotes of EUR/USD from a Monday on, twice."""
    rng = np.random.default_rng(20140505)
    stamps = np.datetime64("2014-05-05T00:00", "ms") + np.cumsum(rng.integers(0, 700, rows))
    bid = 139_000 + np.cumsum(rng.integers(-1, 2, rows))
    ask = bid + rng.integers(1, 20, rows)
    alike, ragged = folder / "EURUSD-2014-05.csv", folder / "ragged.csv"
    with alike.open("w") as one, ragged.open("w") as other:
        for stamp, low, high in zip(stamps.astype(str), bid.tolist(), ask.tolist(), strict=True):
            day, clock = stamp[:10].replace("-", ""), stamp[11:]
            one.write(f"EUR/USD,{day} {clock},{low / 1e5:.5f},{high / 1e5:.5f}\n")
            short = clock.rstrip("0") if not clock.endswith(".000") else clock[:-2]
            other.write(f"EUR/USD,{day} {short},{low / 1e5},{high / 1e5}\n")
    return alike, ragged


def _table(ticks: Ticks) -> pa.Table:
    """Quotes as they are stored, without a copy."""
    stamps = pa.array(ticks.venue_time).view(SCHEMA.field(0).type)
    return pa.table([stamps, pa.array(ticks.bid), pa.array(ticks.ask), pa.array(ticks.flags)], schema=SCHEMA)


def ours(path: Path, shape: Shape, target: Path) -> Report:
    """With all checks; one thread writes while others read."""
    inspector = Inspector(Hours(Pair("EUR", "USD")))
    rejected = 0
    # Differences of times and runs of flags are small already.
    encoding, compression = {"venue_time": "DELTA_BINARY_PACKED"}, {"bid": "snappy", "ask": "snappy"}
    with (
        pq.ParquetWriter(
            target,
            SCHEMA,
            compression=compression,
            use_dictionary=["flags"],
            column_encoding=encoding,
            write_batch_size=1 << 16,
        ) as writer,
        ThreadPoolExecutor(1) as pool,
    ):

        def write(parts: list[Ticks]) -> None:
            writer.write_table(pa.concat_tables([_table(each) for each in parts]))

        writing, waiting = [], []
        for chunk in read(path, shape, instrument="EUR/USD"):
            rejected += len(chunk.rejected)
            waiting += inspector.add(chunk.ticks)
            if sum(map(len, waiting)) >= GROUP_ROWS:
                writing.append(pool.submit(write, waiting))
                waiting = []
        writing.append(pool.submit(write, waiting + inspector.finish()))
        for each in writing:
            each.result()
    report = inspector.report()
    verdict = Thresholds().judge(report, rejected=rejected)
    if verdict.decision is not Decision.LOAD or report.rows != pq.read_metadata(target).num_rows:
        raise RuntimeError(f"the import went wrong: {verdict.broken}")
    return report


def theirs(path: Path, target: Path, form: str) -> None:
    """As one would write it with pandas."""
    import pandas as pd

    frame = pd.read_csv(path, header=None, names=["instrument", "time", "bid", "ask"])
    frame["time"] = pd.to_datetime(frame["time"], format=form, utc=True)
    frame.to_parquet(target)


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Time that passed, and processor time of all threads."""
    gc.collect()
    begin, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - used


def import_vs_pandas(quick: bool = False) -> tuple[dict[str, float], dict[str, str]]:
    """Ratios of medians of interleaved rounds: figures and notes by id."""
    shape = shape_of("truefx_tick")
    # As every service with arrays does at its start; pandas has the same of it.
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alike, ragged = files(folder)
        target = folder / "out.parquet"
        form = "%Y%m%d %H:%M:%S.%f"
        taken: dict[str, list[tuple[float, float]]] = {key: [] for key in KINDS}
        works: dict[str, Callable[[], object]] = {
            "ours": lambda: ours(alike, shape, target),
            "pandas": lambda: theirs(alike, target, form),
            "ours ragged": lambda: ours(ragged, shape, target),
            "pandas ragged": lambda: theirs(ragged, target, form),
        }
        for work in works.values():
            work()
        for _ in range(ROUNDS_QUICK if quick else ROUNDS):
            for key, work in works.items():
                taken[key].append(_seconds(work))
    wall = {key: median([each[0] for each in values]) for key, values in taken.items()}
    used = {key: median([each[1] for each in values]) for key, values in taken.items()}
    figures = {
        "import_vs_pandas": wall["pandas"] / wall["ours"],
        "import_ragged_vs_pandas": wall["pandas ragged"] / wall["ours ragged"],
    }
    said = {
        "import_vs_pandas": ("≥ 3", "ours", "pandas"),
        "import_ragged_vs_pandas": ("unequal lines", "ours ragged", "pandas ragged"),
    }
    notes = {
        name: f"× ({aim}); {ROWS:,} rows in {wall[one]:.3f} s against {wall[other]:.3f}, "
        f"processor time {used[one]:.3f} against {used[other]:.3f}"
        for name, (aim, one, other) in said.items()
    }
    return figures, notes
