"""Files that are not what they should be: a clear error, or rejected lines with their numbers, and bounded memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from crossrate.files.blocks import blocks
from crossrate.files.chunk import Chunk
from crossrate.files.containers import Limits, Member
from crossrate.files.failure import FileFailure, Rejected
from crossrate.files.reader import read
from crossrate.files.shapes import shape_of
from crossrate.ticks.columns import Ticks
from crossrate.ticks.quality import Inspector
from crossrate.ticks.thresholds import Decision, Thresholds

GOOD = [f"EUR/USD,20140508 00:{n // 60:02}:{n % 60:02}.007,1.39{n % 1000:03},1.40{n % 1000:03}" for n in range(900)]


def everything(path: Path, name: str = "truefx_tick", limits: Limits | None = None, **changes: object) -> list[Chunk]:
    """All chunks of a file."""
    return list(read(path, shape_of(name, **changes), limits=limits))


def with_lines(folder: Path, changes: dict[int, str], name: str = "EURUSD-2014-05.csv") -> Path:
    """Good lines with some of them (from 1) replaced."""
    path = folder / name
    path.write_text("\n".join(changes.get(number, line) for number, line in enumerate(GOOD, start=1)) + "\n")
    return path


def rejected(chunks: list[Chunk]) -> list[Rejected]:
    """What all chunks rejected."""
    return [each for chunk in chunks for each in chunk.rejected]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("EUR/USD,20140508 00:00:17.007,nan,1.40000", "bid is nan"),
        ("EUR/USD,20140508 00:00:17.007,1.39000,", "ask is empty"),
        ("EUR/USD,20140508 00:00:17.007,-1.39,1.40000", "bid is -1.39: a price is a number above 0"),
        ("EUR/USD,20140508 00:00:17.007,0,1.40000", "bid is 0: a price is a number above 0"),
        ("EUR/USD,20140508 00:00:17.007,1.3x,1.40000", "bid '1.3x' is no number with decimal mark '.'"),
        ("EUR/USD,20140508 00:00:17.007,1e999,1.40000", "bid is inf: a price is a number above 0"),
        ("EUR/USD;20140508 00:00:17.007;1.39;1.40", "has 1 column, not 4"),
        ("EUR/USD,20140508 00:00:17.007,1.39", "has 3 columns, not 4"),
        ("EUR/USD,20140508 00:00:17.007,1.39,1.40,1.41", "has 5 columns, not 4"),
        ("GBP/USD,20140508 00:00:17.007,1.39000,1.40000", "instrument is GBP/USD, the file's is EUR/USD"),
        ("BITCOIN,20140508 00:00:17.007,1.39000,1.40000", "instrument 'BITCOIN' is no pair"),
        ("EUR/USD,08.05.2014 00:00:17.007,1.39000,1.40000", "is not of the form %Y%m%d %H:%M:%S.%f"),
        ("EUR/USD,20140230 00:00:17.007,1.39000,1.40000", "there is no such moment"),
        ("", "is empty"),
        ("\x00\x01\x02", "has 1 column, not 4"),
        ('"EUR/USD', "has 1 column, not 4"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_reason(line: str, reason: str, tmp_path: Path) -> None:
    """All others are read."""
    chunks = everything(with_lines(tmp_path, {500: line}))
    (found,) = rejected(chunks)
    assert found.line == 500
    assert reason in found.reason
    assert sum(len(each.ticks) for each in chunks) == 899


def test_a_rejected_line_is_kept_in_part_and_printable(tmp_path: Path) -> None:
    """200 characters, without control characters."""
    (found,) = rejected(everything(with_lines(tmp_path, {9: "\x1b[31m" + "x" * 1000})))
    assert len(found.text) == 200
    assert found.text.isprintable()


def test_a_line_that_is_not_utf_8_is_rejected(tmp_path: Path) -> None:
    """With the byte at which it ceases to be."""
    path = with_lines(tmp_path, {})
    path.write_bytes(path.read_bytes().replace(b"EUR/USD,20140508 00:00:09", b"EUR\xffUSD,20140508 00:00:09"))
    (found,) = rejected(everything(path))
    assert (found.line, found.reason) == (10, "is not UTF-8 at byte 3")


def test_a_wrong_delimiter_is_an_error_that_names_the_right_one(tmp_path: Path) -> None:
    """At the first line, before anything is read."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_text("\n".join(GOOD).replace(",", ";"))
    with pytest.raises(
        FileFailure, match=r"line 1: has 1 column where truefx_tick has 4; it seems to be separated by a semic"
    ):
        everything(path)


def test_a_file_of_another_vendor_is_an_error(tmp_path: Path) -> None:
    """None of its first lines is a row: the first of them says why."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_text("EUR/USD,08.05.2014 00:00:17,1.39,1.4\n" * 50)
    with pytest.raises(FileFailure, match=r"line 1: none of the first lines is a row of truefx_tick.*%Y%m%d"):
        everything(path)


def test_a_header_without_a_column_is_an_error(tmp_path: Path) -> None:
    """It tells what the header has."""
    path = tmp_path / "EURUSD.csv"
    path.write_text("time,price\n2014-05-08 00:00:00,1.39\n")
    with pytest.raises(FileFailure, match="no column for bid; its header has time, price"):
        everything(path, "generic")


def test_headers_may_be_there_or_not_and_written_in_any_way(tmp_path: Path) -> None:
    """Upper or lower case, in angle brackets, with blanks, in another order, with more columns."""
    rows = "2014-05-08T00:00:00.5Z,1.39,1.40\n"
    for header in ("", "Time,Bid,Ask\n", "<TIME>,<BID>,<ASK>\n", " time , bid , ask\n"):
        path = tmp_path / "EURUSD.csv"
        path.write_text(header + rows)
        (chunk,) = everything(path, "oanda_tick")
        assert (chunk.ticks.bid[0], chunk.rejected) == (1.39, ())
    path.write_text("ASK,comment,TIME,BID\n1.40,x,2014-05-08T00:00:00.5Z,1.39\n")
    assert everything(path, "oanda_tick")[0].ticks.ask[0] == 1.40


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n\n", b"\r\n"])
def test_an_empty_file_is_an_error(data: bytes, tmp_path: Path) -> None:
    """So is one of a byte-order mark or of empty lines: a dataset of nothing is none."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_bytes(data)
    with pytest.raises(FileFailure, match=r"is empty|nothing but empty lines"):
        everything(path)


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    """A picture by the name of a CSV file."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with pytest.raises(FileFailure, match="is not text"):
        everything(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Of our own kind, with the path."""
    with pytest.raises(FileFailure, match=r"none\.csv: cannot be read: No such file"):
        everything(tmp_path / "none.csv")


@pytest.mark.parametrize("kind", ["zip", "gz", "zst"])
def test_a_truncated_archive_is_an_error(kind: str, tmp_path: Path) -> None:
    """Wherever it breaks off: what was given before is never said to be all."""
    text = "\n".join(GOOD * 20).encode()
    path = tmp_path / f"EURUSD-2014-05.csv.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("EURUSD-2014-05.csv", text)
    elif kind == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        import pyarrow as pa

        path.write_bytes(pa.Codec("zstd").compress(text, asbytes=True))
    assert sum(len(each.ticks) for each in everything(path)) == len(GOOD) * 20
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(FileFailure, match=r"cut off|no whole zip"):
            everything(path)


def test_a_damaged_member_is_an_error(tmp_path: Path) -> None:
    """One byte of its data is another: the checksum or the decoder finds it."""
    path = tmp_path / "EURUSD-2014-05.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("EURUSD-2014-05.csv", "\n".join(GOOD))
    data = bytearray(path.read_bytes())
    place = data.find(b"1.39500")
    data[place + 4] = ord("9")
    path.write_bytes(data)
    with pytest.raises(FileFailure, match=r"damaged or cut off .*CRC"):
        everything(path)


def test_an_archive_that_expands_too_far_is_an_error(tmp_path: Path) -> None:
    """By what it declares, before it is read, and by what comes out, whatever it declares."""
    limits = Limits(expanded_bytes_max=1 << 20)
    bomb = b"EUR/USD,20140508 00:00:00.007,1.39000,1.40000\n" * 50_000
    zipped, packed = tmp_path / "EURUSD-2014-05.zip", tmp_path / "EURUSD-2014-05.csv.gz"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EURUSD-2014-05.csv", bomb)
    packed.write_bytes(gzip.compress(bomb))
    for path in (zipped, packed):
        with pytest.raises(FileFailure, match="expands to"):
            everything(path, limits=limits)
    lying = bytearray(zipped.read_bytes())
    size = len(bomb).to_bytes(4, "little")
    while (place := lying.find(size)) >= 0:
        lying[place : place + 4] = (1000).to_bytes(4, "little")
    zipped.write_bytes(lying)
    with pytest.raises(FileFailure, match=r"expands to more than 1000|damaged or cut off"):
        everything(zipped)


@pytest.mark.parametrize(
    "name", ["../EURUSD.csv", "/etc/EURUSD.csv", "a/../../EURUSD.csv", "C:/EURUSD.csv", "..\\EURUSD.csv"]
)
def test_a_member_outside_of_its_archive_is_an_error(name: str, tmp_path: Path) -> None:
    """Nothing is unpacked to disk, and still such an archive is not to be trusted."""
    path = tmp_path / "EURUSD-2014-05.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("EURUSD-2014-05.csv", "\n".join(GOOD))
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(FileFailure, match="names a member outside of itself"):
        everything(path)


def test_an_archive_without_rows_or_with_too_many_members_is_an_error(tmp_path: Path) -> None:
    """It tells what is in it."""
    path = tmp_path / "EURUSD-2014-05.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("report.pdf", "x")
    with pytest.raises(FileFailure, match=r"no member that matches .*; it holds report\.pdf"):
        everything(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(11):
            archive.writestr(f"{number}.csv", "x")
    with pytest.raises(FileFailure, match="has 11 members; 10 are allowed"):
        everything(path, limits=Limits(members_max=10))


class Endless(io.RawIOBase):
    """A good line, then one of ten gigabytes, then a good line, without the memory for it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size
        self.begun = self.ended = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if not self.begun:
            self.begun = True
            return (GOOD[0] + "\n").encode()
        if self.left:
            part = min(size, self.left)
            self.left -= part
            return b"x" * part
        if not self.ended:
            self.ended = True
            return ("\n" + GOOD[1] + "\n").encode()
        return b""


def test_a_line_of_ten_gigabytes_costs_no_memory() -> None:
    """It is rejected by its number, and the lines after it have theirs."""
    limits = Limits(block_bytes=4 << 20)
    tracemalloc.start()
    found = list(blocks(Member("x", ("x",), Endless(10 << 30)), limits))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20
    assert [(each.line, each.lines) for each in found] == [(1, 1), (3, 1)]
    assert found[0].too_long is not None
    assert found[0].too_long.line == 2
    assert found[0].too_long.text == "x" * 200


def test_a_long_line_in_a_file_is_rejected_by_its_number(tmp_path: Path) -> None:
    """Longer than the limit of a line, longer or shorter than a block."""
    for size in (5_000, 50_000):
        path = with_lines(tmp_path, {400: "x" * size, 800: "y" * size})
        chunks = everything(path, limits=Limits(block_bytes=16_384, line_bytes_max=4_096))
        assert [each.line for each in rejected(chunks)] == [400, 800]
        assert all("is longer than 4096 bytes" in each.reason for each in rejected(chunks))
        assert sum(len(each.ticks) for each in chunks) == 898
        assert sum(each.lines for each in chunks) == 900


def test_too_many_rejected_lines_end_the_reading(tmp_path: Path) -> None:
    """A file of another shape is not kept line by line."""
    path = with_lines(tmp_path, dict.fromkeys(range(100, 900), "x"))
    with pytest.raises(FileFailure, match="more than 100 lines are no rows, the last because it has 1 column"):
        everything(path, limits=Limits(rejected_max=100))


def report_of(chunks: list[Chunk]):
    """The quality of what was read."""
    inspector = Inspector()
    for chunk in chunks:
        inspector.add(chunk.ticks)
    inspector.finish()
    return inspector.report()


def test_what_is_wrong_between_lines_is_flagged_and_quarantined(tmp_path: Path) -> None:
    """Negative spreads, unsorted rows, rows twice and two clocks are seen by the quality report."""
    crossed = {n: GOOD[n - 1].replace("1.40", "1.38") for n in range(1, 901, 2)}
    unsorted = dict(enumerate(reversed(GOOD), start=1))
    twice = dict.fromkeys(range(1, 101), GOOD[0])
    clocks = {n: GOOD[n - 1].replace(" 00:", " 05:") for n in range(1, 451)}
    for changes, rule in (
        (crossed, "crossed_share_max"),
        (unsorted, "out_of_order_share_max"),
        (twice, "duplicates_share_max"),
        (clocks, "leaps_max"),
    ):
        chunks = everything(with_lines(tmp_path, changes))
        assert not rejected(chunks)
        verdict = Thresholds().judge(report_of(chunks))
        assert verdict.decision is Decision.QUARANTINE
        assert rule in [each.rule for each in verdict.broken]
    assert Thresholds().judge(report_of(everything(with_lines(tmp_path, {})))).decision is Decision.LOAD


def test_bars_that_contradict_themselves_are_rejected(tmp_path: Path) -> None:
    """A high below the close, or a low above the open."""
    path = tmp_path / "EURUSD.csv"
    path.write_text(
        "Date,Open,High,Low,Close\n2014-05-08 10:00:00,1.1,1.2,1.0,1.15\n2014-05-08 10:05:00,1.1,1.12,1.0,1.15\n"
        "2014-05-08 10:10:00,1.1,1.2,1.11,1.15\n2014-05-08 10:15:00,1.1,1.2,1.0,1.15\n"
    )
    (chunk,) = everything(path, "generic_bars", interval_s=300)
    assert [each.line for each in chunk.rejected] == [3, 4]
    assert chunk.rejected[0].reason == "high 1.12 and low 1 do not hold open 1.1 and close 1.15"
    assert chunk.candles is not None
    assert len(chunk.candles) == 2


def test_a_day_that_no_name_tells_is_an_error(tmp_path: Path) -> None:
    """Times since midnight need a date."""
    path = tmp_path / "quotes.csv"
    path.write_text("8715,1.39101,1.39114\n")
    with pytest.raises(FileFailure, match="does not say which instrument"):
        everything(path, "lean_tick")
    with pytest.raises(FileFailure, match="has no date in its name"):
        list(read(path, shape_of("lean_tick"), instrument="EUR/USD"))
    day = np.datetime64("2014-05-08")
    (chunk,) = read(path, shape_of("lean_tick"), instrument="EUR/USD", date=day.item())
    assert chunk.ticks.venue_time[0] == int(day.astype("M8[ns]").astype(np.int64)) + 8_715_000_000
    assert isinstance(chunk.ticks, Ticks)
