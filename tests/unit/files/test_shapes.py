"""Shapes of files, declared."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from crossrate.files.chunk import Chunk
from crossrate.files.reader import read
from crossrate.files.shape import Shape
from crossrate.files.shapes import shape_of, shapes
from crossrate.ticks.columns import Ticks


def utc(text: str) -> int:
    """A moment in UTC, in nanoseconds."""
    return int(np.datetime64(text, "ns").astype(np.int64))


SAMPLES = {
    "histdata_tick": (
        "DAT_ASCII_EURUSD_T_201202.csv",
        "20120201 000003660,1.306600,1.306770,0\n20120715 000003973,1.306580,1.306750,0\n",
        [("2012-02-01T05:00:03.660", 1.3066, 1.30677), ("2012-07-15T05:00:03.973", 1.30658, 1.30675)],
    ),
    "dukascopy_tick": (
        "EURUSD_Ticks_01.12.2017-02.12.2017.csv",
        "Local time,Ask,Bid,AskVolume,BidVolume\r\n01.12.2017 01:00:00.192 GMT+0100,1.19051,1.19047,2.25,1.13\r\n",
        [("2017-12-01T00:00:00.192", 1.19047, 1.19051)],
    ),
    "truefx_tick": (
        "EURUSD-2013-01.csv",
        "EUR/USD,20130101 21:59:59.981,1.32023,1.32054\n",
        [("2013-01-01T21:59:59.981", 1.32023, 1.32054)],
    ),
    "fxcm_tick": (
        "EURUSD_2015_1.csv",
        "DateTime,Bid,Ask\n01/04/2015 22:00:00.123,1.19533,1.19561\n",
        [("2015-01-04T22:00:00.123", 1.19533, 1.19561)],
    ),
    "oanda_tick": (
        "EUR_USD.csv",
        "time,bid,ask\n2014-05-08T00:00:08.715000000Z,1.39101,1.39114\n2014-05-08T00:00:09Z,1.39102,1.39116\n",
        [("2014-05-08T00:00:08.715", 1.39101, 1.39114), ("2014-05-08T00:00:09", 1.39102, 1.39116)],
    ),
    "lean_tick": (
        "20140508_eurusd_tick_quote.csv",
        "8715,1.39101,1.39114\n86389008,1.38422,1.38431",
        [("2014-05-08T00:00:08.715", 1.39101, 1.39114), ("2014-05-08T23:59:49.008", 1.38422, 1.38431)],
    ),
    "metatrader_tick": (
        "EURUSD_202301020000_202301022359.csv",
        "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n"
        "2023.01.02\t00:00:00.123\t1.06975\t1.06985\t\t\t6\n2023.07.03\t00:00:01.000\t\t1.06986\t\t\t4\n",
        [("2023-01-01T22:00:00.123", 1.06975, 1.06985), ("2023-07-02T21:00:01", 1.06975, 1.06986)],
    ),
    "generic": (
        "EUR-USD.2014.csv",
        "symbol,Timestamp,BidSize,Bid Price,Ask Price,AskSize\nEURUSD,2014-05-08 00:00:08.715,1e6,1.39101,1.39114,\n",
        [("2014-05-08T00:00:08.715", 1.39101, 1.39114)],
    ),
}

BARS = {
    "histdata_m1": (
        "DAT_ASCII_EURUSD_M1_201202.csv",
        "20120201 000000;1.306600;1.306700;1.306560;1.306570;0\n",
        ("2012-02-01T05:00", 60, [1.3066, 1.3067, 1.30656, 1.30657]),
    ),
    "histdata_mt": (
        "DAT_MT_EURUSD_M1_201202.csv",
        "2012.02.01,00:01,1.306600,1.306700,1.306560,1.306570,0\n",
        ("2012-02-01T05:01", 60, [1.3066, 1.3067, 1.30656, 1.30657]),
    ),
    "dukascopy_bars": (
        "EURUSD_Candlestick_1_M_BID_26.03.2025-27.03.2025.csv",
        "Gmt time,Open,High,Low,Close,Volume\n26.03.2025 00:00:00.000,1.07894,1.07894,1.07888,1.07890,9.9\n"
        "26.03.2025 00:01:00.000,1.07890,1.07894,1.07888,1.07890,9.9\n",
        ("2025-03-26T00:00", 60, [1.07894, 1.07894, 1.07888, 1.0789]),
    ),
    "lean_minute": (
        "20140508_eurusd_minute_quote.csv",
        "60000,1.39099,1.39099,1.39084,1.39088,0,1.39113,1.39113,1.39101,1.39101,0\n",
        ("2014-05-08T00:01", 60, [1.39099, 1.39099, 1.39084, 1.39088]),
    ),
    "lean_hour": (
        "eurusd.csv",
        "20070101 21:00,1.31927,1.31955,1.3187,1.31935,0,1.32027,1.32055,1.3197,1.32035,0\n",
        ("2007-01-01T21:00", 3600, [1.31927, 1.31955, 1.3187, 1.31935]),
    ),
    "metatrader_bars": (
        "EURUSD_M1.csv",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2023.01.02\t00:00:00\t1.06975\t1.07010\t1.06952\t1.06965\t123\t0\t12\n"
        "2023.01.02\t00:01:00\t1.06975\t1.07010\t1.06952\t1.06965\t123\t0\t12\n",
        ("2023-01-01T22:00", 60, [1.06975, 1.0701, 1.06952, 1.06965]),
    ),
    "broker_points": (
        "EURJPYh1.csv",
        "Date,open,high,low,close,tick_volume\n2014-01-16 01:00:00,103681.0,103873.0,103619.0,103646.0,2003\n"
        "2014-01-16 02:00:00,103681.0,103873.0,103619.0,103646.0,2003\n",
        ("2014-01-15T23:00", 3600, [103.681, 103.873, 103.619, 103.646]),
    ),
    "fxcm_bars": (
        "EURUSD_2017_1.csv",
        "DateTime,BidOpen,BidHigh,BidLow,BidClose,AskOpen,AskHigh,AskLow,AskClose\n"
        "01/01/2017 22:00:00.000,1.05,1.06,1.04,1.05,1.051,1.061,1.041,1.051\n"
        "01/01/2017 23:00:00.000,1.05,1.06,1.04,1.05,1.051,1.061,1.041,1.051\n",
        ("2017-01-01T22:00", 3600, [1.05, 1.06, 1.04, 1.05]),
    ),
}


def written(folder: Path, name: str, text: str) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def all_of(chunks: list[Chunk]) -> Ticks:
    """The quotes of all chunks."""
    return Ticks.concatenated([each.ticks for each in chunks])


@pytest.mark.parametrize("name", SAMPLES)
def test_quotes_of_each_vendor_are_read(name: str, tmp_path: Path) -> None:
    """As their documentation shows them: times in UTC, prices, the instrument from name or rows."""
    file, text, expected = SAMPLES[name]
    chunks = list(read(written(tmp_path, file, text), shape_of(name)))
    ticks = all_of(chunks)
    assert [each.rejected for each in chunks] == [()]
    assert chunks[0].instrument == "EUR/USD"
    assert sum(each.lines for each in chunks) == len(text.splitlines())
    found = zip(ticks.venue_time.tolist(), ticks.bid.tolist(), ticks.ask.tolist(), strict=True)
    assert list(found) == [(utc(time), bid, ask) for time, bid, ask in expected]


@pytest.mark.parametrize("name", BARS)
def test_bars_of_each_vendor_are_read(name: str, tmp_path: Path) -> None:
    """Begin and end in UTC, four prices of the bid, and the quotes at its open and its close."""
    file, text, (begin, seconds, prices) = BARS[name]
    (chunk,) = read(written(tmp_path, file, text), shape_of(name))
    bars = chunk.candles
    assert bars is not None
    assert not chunk.rejected
    assert int(bars.begin[0]) == utc(begin)
    assert int(bars.end[0] - bars.begin[0]) == seconds * 1_000_000_000
    assert [float(getattr(bars, f"bid_{each}")[0]) for each in ("open", "high", "low", "close")] == prices
    assert chunk.ticks.bid[:2].tolist() == [prices[0], prices[3]]
    assert chunk.ticks.venue_time[:2].tolist() == [utc(begin), utc(begin) + seconds * 1_000_000_000 - 1]


def test_dukascopys_quantities_are_millions(tmp_path: Path) -> None:
    """A quantity of 2.25 is 2,250,000 euros; ask comes before bid."""
    file, text, _ = SAMPLES["dukascopy_tick"]
    (chunk,) = read(written(tmp_path, file, text), shape_of("dukascopy_tick"))
    assert (chunk.ticks.ask_quantity[0], chunk.ticks.bid_quantity[0]) == (2_250_000, 1_130_000)


def test_every_known_shape_has_a_sample() -> None:
    """A shape that no test reads is not claimed."""
    elsewhere = {"dukascopy_bi5", "parquet", "lean_second", "generic_bars"}
    assert set(shapes()) == SAMPLES.keys() | BARS.keys() | elsewhere


@pytest.mark.parametrize("how", ["zip", "gz", "zst", "utf-16", "bom", "crlf"])
def test_how_a_file_is_packed_or_encoded_does_not_matter(how: str, tmp_path: Path) -> None:
    """The same quotes, from archives of several members, compressed, with any line end, in UTF-16 as FXCM's."""
    text = "DateTime,Bid,Ask\n" + "".join(f"01/04/2015 22:00:{n:02}.5,1.195{n:02},1.196{n:02}\n" for n in range(60))
    plain = list(read(written(tmp_path, "EURUSD_1.csv", text), shape_of("fxcm_tick")))
    if how == "zip":
        path = tmp_path / "both.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("b/EURUSD_2.csv", text)
            archive.writestr("EURUSD_1.csv", text)
            archive.writestr("README.pdf", "not rows")
        chunks = list(read(path, shape_of("fxcm_tick")))
        assert [each.member.rpartition(":")[2] for each in chunks] == ["EURUSD_1.csv", "b/EURUSD_2.csv"]
        chunks = chunks[1:]
    else:
        packed = {
            "gz": ("EURUSD_2.csv.gz", gzip.compress(text.encode())),
            "zst": ("EURUSD_2.csv.zst", _zst(text.encode())),
            "utf-16": ("EURUSD_2.csv", text.encode("utf-16-le")),
            "bom": ("EURUSD_2.csv", b"\xef\xbb\xbf" + text.encode()),
            "crlf": ("EURUSD_2.csv", text.replace("\n", "\r\n").encode()),
        }
        name, data = packed[how]
        (tmp_path / name).write_bytes(data)
        chunks = list(read(tmp_path / name, shape_of("fxcm_tick")))
    assert all_of(chunks).venue_time.tolist() == all_of(plain).venue_time.tolist()
    assert all_of(chunks).bid.tolist() == all_of(plain).bid.tolist()
    assert not any(each.rejected for each in chunks)


def _zst(data: bytes) -> bytes:
    import pyarrow as pa

    return pa.Codec("zstd").compress(data, asbytes=True)


def test_a_shape_of_ones_own_is_a_table(tmp_path: Path) -> None:
    """Another delimiter, a decimal comma, points, one's own names, as a TOML or YAML table gives them."""
    shape = Shape.model_validate(
        {
            "name": "my_bank",
            "columns": [{"role": "instrument"}, {"role": "date"}, {"role": "time"}, {"role": "ask"}, {"role": "bid"}],
            "delimiter": ";",
            "decimal_mark": ",",
            "dates": ["%d/%m/%Y"],
            "times": ["%H:%M:%S"],
            "clock": "Europe/Zurich",
            "symbols": {"GOLD": "XAU/USD"},
        }
    )
    (chunk,) = read(written(tmp_path, "x.csv", "GOLD;08/05/2014;14:00:00;1290,55;1290,05\n"), shape)
    assert chunk.instrument == "XAU/USD"
    assert (chunk.ticks.bid[0], chunk.ticks.ask[0]) == (1290.05, 1290.55)
    assert chunk.ticks.venue_time[0] == utc("2014-05-08T12:00:00")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clock": "Mars/Olympus"}, "clock"),
        ({"times": ["%Y %p"]}, "cannot be read"),
        ({"columns": [{"role": "time"}, {"role": "bid"}]}, "bid and ask"),
        ({"columns": [{"role": "bid"}, {"role": "ask"}]}, "time is missing"),
        ({"columns": [{"role": "time"}, {"role": "bid"}, {"role": "ask"}, {"role": "bid"}]}, "stands twice"),
        ({"delimiter": ".", "decimal_mark": "."}, "same"),
        ({"kind": "bars"}, "open, high, low and close"),
        ({"delimeter": ";"}, "delimeter"),
        ({"file_name": "("}, "file_name"),
    ],
)
def test_a_shape_that_cannot_be_read_is_refused(changes: dict, words: str) -> None:
    """Before a file is opened, with the field."""
    with pytest.raises(ValidationError, match=words):
        shape_of("generic", **changes)


def test_an_unknown_shape_names_the_known_ones() -> None:
    """So that a typing error is seen at once."""
    with pytest.raises(ValueError, match=r"'truefx' is no shape; known are .*truefx_tick"):
        shape_of("truefx")


def test_bars_of_generic_columns_know_their_length_from_their_rows(tmp_path: Path) -> None:
    """Five minutes here; a stamp at the end of a bar leads to its begin."""
    rows = "".join(f"2014-05-08 10:{n:02}:00,1.1,1.2,1.0,1.15,7\n" for n in (5, 10, 20))
    path = written(tmp_path, "EURUSD.csv", "Date,Open,High,Low,Close,Vol\n" + rows)
    (chunk,) = read(path, shape_of("generic_bars", stamp="end", side="mid"))
    bars = chunk.candles
    assert bars is not None
    assert bars.begin[0] == utc("2014-05-08T10:00")
    assert bars.ask_close.tolist() == bars.bid_close.tolist() == [1.15] * 3
    assert bars.volume.tolist() == [7] * 3


def test_shapes_and_clocks_are_known_without_pyarrow() -> None:
    """A job can be checked, and a clock resolved, where only numpy is there."""
    code = (
        "import sys, crossrate.files.shapes, crossrate.files.plan, crossrate.ticks.offset, crossrate.ticks.thresholds\n"
    )
    code += "sys.exit('pyarrow' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
