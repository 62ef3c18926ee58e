"""Reading in blocks: the fast ways and the careful one agree, and every row is in the end where it belongs."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.files import lanes, table
from crossrate.files.containers import Limits
from crossrate.files.failure import FileFailure
from crossrate.files.parse import parsed
from crossrate.files.plan import Plan, plan_of
from crossrate.files.reader import read
from crossrate.files.rows import Wrong, row_of
from crossrate.files.shape import Role, Shape
from crossrate.files.shapes import shape_of
from crossrate.ticks.columns import Ticks

SMALL = Limits(block_bytes=8192, line_bytes_max=4096)


def plan(shape: Shape, line: str) -> Plan:
    """The plan of a file that begins with a line."""
    return plan_of(shape, "x", ("EURUSD.csv",), [line], instrument="EUR/USD")


def carefully(text: str, of: Plan) -> tuple[list[tuple[int, ...]], list[tuple[int, str]]]:
    """Every line by the careful way alone."""
    rows, wrong = [], []
    for number, line in enumerate(text.split("\n")[: None if not text.endswith("\n") else -1], start=1):
        try:
            time, numbers = row_of(line.encode(), of, 4096)
            rows.append((time, numbers[Role.BID], numbers[Role.ASK]))
        except Wrong as error:
            wrong.append((number, str(error)))
    return rows, wrong


def lines(count: int, seed: int = 1) -> list[str]:
    """TrueFX's lines, all alike."""
    rng = random.Random(seed)
    stamps = np.datetime64("2014-05-08T00:00", "ms") + np.cumsum([rng.randrange(900) for _ in range(count)])
    out = []
    for stamp in stamps.astype(str):
        bid = 139_000 + rng.randrange(100)
        out.append(f"EUR/USD,{stamp[:10].replace('-', '')} {stamp[11:]},{bid / 1e5:.5f},{(bid + 9) / 1e5:.5f}")
    return out


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_equal_lines_are_read_eight_characters_at_a_time(ends: str) -> None:
    """To the same values, to the last bit, as by pyarrow and as line by line."""
    shape = shape_of("truefx_tick")
    text = ends.join(lines(3000)) + ends
    of = plan(shape, lines(1)[0])
    head, general = lanes.fixed(text.encode(), of), table.read(text.encode(), 3000, of)
    assert head is not None
    fast, end = head
    assert end == len(text)
    assert general is not None
    rows, wrong = carefully(text.replace("\r", ""), of)
    assert not wrong
    for fields in (fast, general):
        assert fields.good.all()
        found = zip(
            fields.time.tolist(), fields.numbers[Role.BID].tolist(), fields.numbers[Role.ASK].tolist(), strict=True
        )
        assert list(found) == rows


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_numbers_of_any_length_are_read_as_the_language_reads_them(data: st.DataObject) -> None:
    """With the point anywhere, from one to fifteen digits: exactly the double that is nearest."""
    before, after = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 6))
    rng = random.Random(data.draw(st.integers(0, 10**6)))

    def number() -> str:
        whole = "".join(rng.choices("123456789", k=before))
        return whole + ("." + "".join(rng.choices("0123456789", k=after)) if after else "")

    shape = shape_of("lean_tick", file_name="")
    rows = [(f"{rng.randrange(10**7, 8 * 10**7)}", number(), number()) for _ in range(200)]
    text = "".join(f"{time},{bid},{ask}\n" for time, bid, ask in rows)
    of = plan_of(
        shape, "x", ("x",), [text.split("\n")[0]], instrument="EUR/USD", date=np.datetime64("1970-01-02").item()
    )
    head = lanes.fixed(text.encode(), of)
    assert head is not None
    fields, end = head
    assert end == len(text)
    assert fields.numbers[Role.BID].tolist() == [float(bid) for _, bid, _ in rows]
    assert fields.numbers[Role.ASK].tolist() == [float(ask) for *_, ask in rows]
    assert fields.time.tolist() == [int(time) * 1_000_000 + 86_400_000_000_000 for time, *_ in rows]


@settings(deadline=None, max_examples=100)
@given(place=st.integers(0, 80 * 46 - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_never_overlooked(place: int, byte: int) -> None:
    """Any byte of equal lines may be another: the result is that of the careful way, whichever way was taken."""
    shape = shape_of("truefx_tick")
    data = bytearray(("\n".join(lines(80)) + "\n").encode())
    assert len(data) == 80 * 46
    data[place] = byte
    of = plan(shape, lines(1)[0])
    found = parsed(bytes(data), 1, data.count(b"\n") + (data[-1] != 10), of, SMALL)
    rows, wrong = [], []
    texts = bytes(data).split(b"\n")
    for number, line in enumerate(texts[:-1] if not texts[-1] else texts, start=1):
        try:
            time, numbers = row_of(line, of, 4096)
            rows.append((time, numbers[Role.BID], numbers[Role.ASK]))
        except Wrong:
            wrong.append(number)
    fields = found.fields
    bid, ask = fields.numbers[Role.BID].tolist(), fields.numbers[Role.ASK].tolist()
    assert list(zip(fields.time.tolist(), bid, ask, strict=True)) == rows
    assert [each.line for each in found.rejected] == wrong


@settings(deadline=None, max_examples=30)
@given(
    odd=st.lists(st.integers(0, 699), max_size=60),
    again=st.sampled_from(["", "no row", "EUR/USD,20140505 9:00,1.5,1.6"]),
)
def test_lines_between_equal_ones_are_read_as_line_by_line(odd: list[int], again: str) -> None:
    """However many lines are unlike the others, and wherever: the same rows, rejected lines and numbers of lines."""
    texts = lines(700)
    for place in odd:
        texts[place] = again or texts[place].replace("1.3", "1.")
    of = plan(shape_of("truefx_tick"), lines(1)[0])
    found = parsed(("\n".join(texts) + "\n").encode(), 5, len(texts), of, SMALL)
    rows, wrong, numbers = [], [], []
    for number, text in enumerate(texts, start=5):
        try:
            time, values = row_of(text.encode(), of, 4096)
            rows.append((time, values[Role.BID], values[Role.ASK]))
            numbers.append(number)
        except Wrong:
            wrong.append(number)
    bid, ask = (found.fields.numbers[role].tolist() for role in (Role.BID, Role.ASK))
    assert list(zip(found.fields.time.tolist(), bid, ask, strict=True)) == rows
    assert [each.line for each in found.rejected] == wrong
    assert [found.line_of(row) for row in range(len(rows))] == numbers


CELLS = (
    "1.39147",
    "1.39149",
    "1.4",
    "139147",
    "nan",
    "",
    "-1",
    "0",
    "1e400",
    "1e-3",
    " 1.39147 ",
    "1,39",
    "0x1F",
    "１",
    "1_0",
    "+1.39",
    "inf",
    '"1.39"',
    "1.39.1",
    ".5",
    "5.",
)
STAMPS = (
    "20140508 00:00:17.007",
    "20140508 00:00:17.07",
    "20140508 00:00:61.007",
    "20140508 24:00:00.007",
    "soon",
    "",
    "19000101 00:00:00.000",
)


@settings(deadline=None, max_examples=60)
@given(
    bad=st.lists(
        st.tuples(
            st.integers(0, 149),
            st.sampled_from(["EUR/USD", "GBP/USD", "EURUSD", "", "???"]),
            st.sampled_from(STAMPS),
            st.sampled_from(CELLS),
            st.sampled_from(CELLS),
            st.sampled_from(["", ",", ",9", "\t"]),
        ),
        max_size=12,
    )
)
def test_every_way_rejects_and_accepts_the_same_lines(bad: list[tuple[int, str, str, str, str, str]]) -> None:
    """However bad lines are spread among good ones, the others are read, and each bad one is told by its number."""
    text = lines(150)
    for place, name, stamp, bid, ask, rest in bad:
        text[place] = f"{name},{stamp},{bid},{ask}{rest}"
    whole = "\n".join(text) + "\n"
    of = plan(shape_of("truefx_tick"), lines(1)[0])
    found = parsed(whole.encode(), 1, 150, of, SMALL)
    rows, wrong = carefully(whole, of)
    bids, asks = found.fields.numbers[Role.BID].tolist(), found.fields.numbers[Role.ASK].tolist()
    assert list(zip(found.fields.time.tolist(), bids, asks, strict=True)) == rows
    assert [(each.line, each.reason) for each in found.rejected] == wrong
    assert len(rows) + len(wrong) == 150


def test_blocks_do_not_change_what_is_read(tmp_path: Path) -> None:
    """Line numbers go on from block to block, and so do clocks and prices that did not change."""
    text = lines(2000)
    for place in (3, 700, 1999):
        text[place] = "oops"
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_text("\n".join(text))
    parts = list(read(path, shape_of("truefx_tick"), limits=SMALL))
    few = list(read(path, shape_of("truefx_tick")))
    assert len(parts) > 5 > len(few)
    times = [Ticks.concatenated([each.ticks for each in one]).venue_time.tolist() for one in (parts, few)]
    assert times[0] == times[1]
    assert len(times[0]) == 1997
    rejected = [[(each.line, each.text) for part in one for each in part.rejected] for one in (parts, few)]
    assert rejected[0] == rejected[1] == [(4, "oops"), (701, "oops"), (2000, "oops")]
    assert sum(each.lines for each in parts) == sum(each.lines for each in few) == 2000
    numbers = [chunk.line_of(row) for chunk in parts for row in range(len(chunk.ticks))]
    assert numbers == [number for number in range(1, 2001) if number not in (4, 701, 2000)]


def test_a_price_that_did_not_change_is_repeated_across_blocks(tmp_path: Path) -> None:
    """MetaTrader leaves out what did not change; before the first price there is none."""
    rows = ["2023.01.02\t00:00:00.123\t\t1.06985\t\t\t4"]
    rows += [
        f"2023.01.02\t00:{n // 60:02}:{n % 60:02}.123\t{'1.06975' if n == 1 else ''}\t\t\t\t2" for n in range(1, 900)
    ]
    path = tmp_path / "EURUSD_x.csv"
    path.write_text("\n".join(rows))
    parts = list(read(path, shape_of("metatrader_tick"), limits=SMALL))
    ticks = Ticks.concatenated([each.ticks for each in parts])
    assert len(parts) > 2
    assert np.isnan(ticks.bid[0])
    assert set(ticks.bid[1:]) == {1.06975}
    assert set(ticks.ask) == {1.06985}


def test_local_times_that_do_not_exist_are_rejected_with_their_line(tmp_path: Path) -> None:
    """A row at 02:30 on the night on which Berlin goes forward speaks of another clock."""
    path = tmp_path / "EURUSD.csv"
    path.write_text(
        "time,bid,ask\n2014-03-30 01:59:00,1.1,1.2\n2014-03-30 02:30:00,1.1,1.2\n2014-03-30 03:00:00,1.1,1.2\n"
    )
    (chunk,) = read(path, shape_of("generic", clock="Europe/Berlin"))
    assert [(each.line, each.text) for each in chunk.rejected] == [(3, "2014-03-30 02:30:00,1.1,1.2")]
    assert "does not exist on the clock Europe/Berlin" in chunk.rejected[0].reason
    assert chunk.ticks.venue_time[1] - chunk.ticks.venue_time[0] == 60_000_000_000
    assert [chunk.line_of(row) for row in (0, 1)] == [2, 4]


def test_rows_of_an_hour_that_comes_twice_are_counted(tmp_path: Path) -> None:
    """Their order decides, and the reader says how many there were."""
    stamps = ["01:59:00", "02:30:00", "02:59:00", "02:01:00", "02:58:00", "03:00:00"]
    path = tmp_path / "EURUSD.csv"
    path.write_text("time,bid,ask\n" + "".join(f"2014-10-26 {each},1.1,1.2\n" for each in stamps))
    (chunk,) = read(path, shape_of("generic", clock="Europe/Berlin"))
    assert chunk.repeated == 4
    minutes = (chunk.ticks.venue_time - chunk.ticks.venue_time[0]) // 60_000_000_000
    assert minutes.tolist() == [0, 31, 60, 62, 119, 121]


def test_leaving_a_file_early_ends_its_threads(tmp_path: Path) -> None:
    """A reader that has enough closes the file and what was parsed ahead."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_text("\n".join(lines(5000)))
    chunks = read(path, shape_of("truefx_tick"), limits=SMALL)
    next(chunks)
    chunks.close()
    assert next(chunks, None) is None


def test_a_wish_for_another_instrument_is_an_error(tmp_path: Path) -> None:
    """The file's name says what it is of."""
    path = tmp_path / "EURUSD-2014-05.csv"
    path.write_text("\n".join(lines(5)))
    with pytest.raises(FileFailure, match="is of EUR/USD by its name, not of GBP/USD"):
        list(read(path, shape_of("truefx_tick"), instrument="GBP/USD"))
