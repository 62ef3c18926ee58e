"""Files that are not text: Dukascopy's .bi5 and Parquet."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossrate.files.bi5 import RECORD
from crossrate.files.containers import Limits
from crossrate.files.failure import FileFailure
from crossrate.files.reader import read
from crossrate.files.shapes import shape_of

THIRTEEN = int(np.datetime64("2014-05-08T13:00", "ns").astype(np.int64))


def bi5(folder: Path, rows: list[tuple], pair: str = "EURUSD") -> Path:
    """A file as Dukascopy keeps it: months count from 00, the stream is LZMA of the old kind."""
    path = folder / pair / "2014" / "04" / "08" / "13h_ticks.bi5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(np.array(rows, RECORD).tobytes(), lzma.FORMAT_ALONE))
    return path


def test_an_hour_of_dukascopys_feed_is_read(tmp_path: Path) -> None:
    """The folder says pair and hour; prices are points, quantities millions, ask stands before bid."""
    (chunk,) = read(
        bi5(tmp_path, [(8, 139_051, 139_047, 2.25, 1.5), (3_599_999, 139_050, 139_046, 1, 1)]),
        shape_of("dukascopy_bi5"),
    )
    assert chunk.instrument == "EUR/USD"
    assert chunk.ticks.venue_time.tolist() == [THIRTEEN + 8_000_000, THIRTEEN + 3_599_999_000_000]
    assert (chunk.ticks.bid[0], chunk.ticks.ask[0]) == (1.39047, 1.39051)
    assert (chunk.ticks.bid_quantity[0], chunk.ticks.ask_quantity[0]) == (1_500_000, 2_250_000)
    (yen,) = read(bi5(tmp_path, [(8, 101_905, 101_900, 1, 1)], "USDJPY"), shape_of("dukascopy_bi5"))
    assert yen.ticks.bid[0] == 101.9


def test_records_that_are_no_quotes_are_rejected(tmp_path: Path) -> None:
    """A price of 0, a time beyond the hour, a quantity that is no number."""
    rows = [
        (0, 139_051, 139_047, 1, 1),
        (1, 0, 139_047, 1, 1),
        (3_600_000, 139_051, 139_047, 1, 1),
        (3, 139_051, 139_047, -1, 1),
    ]
    (chunk,) = read(bi5(tmp_path, rows), shape_of("dukascopy_bi5"))
    assert [(each.line, each.reason) for each in chunk.rejected] == [
        (2, "ask is 0: a price is a number above 0"),
        (3, "time is empty or out of range"),
        (4, "ask_quantity is -1: a quantity is not negative"),
    ]
    assert len(chunk.ticks) == 1


def test_an_hour_without_quotes_is_a_file_of_nothing(tmp_path: Path) -> None:
    """As on weekends."""
    path = bi5(tmp_path, [])
    path.write_bytes(b"")
    (chunk,) = read(path, shape_of("dukascopy_bi5"))
    assert len(chunk.ticks) == 0


def test_a_damaged_hour_is_an_error(tmp_path: Path) -> None:
    """Cut off, no stream at all, too large, or in a folder that is no hour."""
    path = bi5(tmp_path, [(n, 139_051, 139_047, 1, 1) for n in range(5000)])
    whole = path.read_bytes()
    with pytest.raises(FileFailure, match="expands to more than"):
        list(read(path, shape_of("dukascopy_bi5"), limits=Limits(expanded_bytes_max=50_000)))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileFailure, match="cut off"):
        list(read(path, shape_of("dukascopy_bi5")))
    path.write_bytes(b"not lzma at all")
    with pytest.raises(FileFailure, match="no LZMA stream"):
        list(read(path, shape_of("dukascopy_bi5")))
    lost = tmp_path / "13h_ticks.bi5"
    lost.write_bytes(whole)
    with pytest.raises(FileFailure, match="do not say which hour"):
        list(read(lost, shape_of("dukascopy_bi5")))


def parquet(folder: Path, name: str = "EURUSD.parquet", **columns: pa.Array) -> Path:
    """A Parquet file of some columns."""
    path = folder / name
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_with_timestamps_of_any_unit_is_read(unit: str, tmp_path: Path) -> None:
    """With a zone they are in UTC; without one they are on the clock of the shape."""
    stamps = np.array(["2014-05-08T13:00", "2014-05-08T13:01"], f"M8[{unit}]")
    prices = {"bid": pa.array([1.39, 1.391]), "ask": pa.array([1.4, 1.401])}
    zoned = parquet(tmp_path, time=pa.array(stamps).cast(pa.timestamp(unit, "Europe/Berlin")), **prices)
    (chunk,) = read(zoned, shape_of("parquet", clock="UTC-05:00"))
    assert chunk.ticks.venue_time[0] == THIRTEEN
    naive = parquet(tmp_path, timestamp=pa.array(stamps), **prices)
    (chunk,) = read(naive, shape_of("parquet", clock="UTC-05:00"))
    assert chunk.ticks.venue_time[0] == THIRTEEN + 5 * 3600 * 1_000_000_000
    assert chunk.ticks.ask.tolist() == [1.4, 1.401]


def test_rows_of_parquet_that_are_no_quotes_are_rejected(tmp_path: Path) -> None:
    """Numbered from 1 across the whole file, in batches of any size."""
    count = 70_000
    bid = np.full(count, 1.39)
    bid[[4, 69_999]] = [np.nan, -1]
    symbols = ["EURUSD"] * count
    symbols[10] = "GBPUSD"
    path = parquet(
        tmp_path,
        time=pa.array(np.arange(count) + THIRTEEN),
        bid=pa.array(bid),
        ask=pa.array(bid + 1),
        symbol=pa.array(symbols),
    )
    shape = shape_of("parquet", columns=[{"role": each} for each in ("time", "bid", "ask", "instrument")])
    chunks = list(read(path, shape))
    assert [each.line for chunk in chunks for each in chunk.rejected] == [5, 11, 70_000]
    assert sum(len(each.ticks) for each in chunks) == count - 3


def test_parquet_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """Cut off, without a column, with a column of another type."""
    good = parquet(tmp_path, time=pa.array([THIRTEEN]), bid=pa.array([1.0]), ask=pa.array([1.1]))
    data = good.read_bytes()
    good.write_bytes(data[: len(data) // 2])
    with pytest.raises(FileFailure, match="no whole Parquet file"):
        list(read(good, shape_of("parquet")))
    with pytest.raises(FileFailure, match="no column for ask; it has time, bid"):
        list(read(parquet(tmp_path, time=pa.array([THIRTEEN]), bid=pa.array([1.0])), shape_of("parquet")))
    texts = parquet(tmp_path, time=pa.array(["soon"]), bid=pa.array([1.0]), ask=pa.array([1.1]))
    with pytest.raises(FileFailure, match="column time is string"):
        list(read(texts, shape_of("parquet")))


def test_records_at_times_that_do_not_exist_are_rejected(tmp_path: Path) -> None:
    """By the clock of the shape, told by their columns; also where hundreds come one after the other."""
    night = np.datetime64("2014-03-30T01:59", "s") + np.arange(7200)
    prices = np.full(7200, 1.39)
    path = parquet(tmp_path, time=pa.array(night), bid=pa.array(prices), ask=pa.array(prices))
    (chunk,) = read(path, shape_of("parquet", clock="Europe/Berlin"))
    assert len(chunk.rejected) == 3600
    assert (chunk.rejected[0].line, chunk.line_of(60)) == (61, 3661)
    assert chunk.rejected[0].text == "time 1396144800000000000, bid 1.39, ask 1.39"
