"""The store of quotes, on a folder."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from crossrate.history.cursor import Cursor
from crossrate.history.errors import DatasetDiffersError, NotAStoreError, UnknownVenueError
from crossrate.history.keys import Batch
from crossrate.history.store import TickStore
from crossrate.ticks.bars import Bars, bars_of
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY, NEW_YORK_17, SECOND, UTC, Period
from tests.unit.history.some import MONDAY, PAIR, all_of, in_time, of_pages, quotes, same
from tests.unit.ticks.test_bars import same as same_bars


@pytest.fixture
def store(tmp_path: Path) -> TickStore:
    """A new store."""
    return TickStore.open(str(tmp_path / "ticks"))


def test_who_does_not_open_a_store_does_not_pay_for_it() -> None:
    """Importing the store imports neither pyarrow nor deltalake nor duckdb."""
    script = (
        "import sys, crossrate.history.store; print({'pyarrow', 'deltalake', 'duckdb'} & set(sys.modules) or 'none')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "none"


def test_what_was_committed_is_read_in_the_order_of_time(store: TickStore, tmp_path: Path) -> None:
    """Every cell comes back, also by a store that is opened anew, however the rows were written."""
    first, second = quotes(500, seed=1), quotes(300, seed=2)
    shuffled = second[np.random.default_rng(3).permutation(len(second))]
    assert store.append("sim", PAIR, first).rows == 500
    store.append("sim", PAIR, shuffled)
    expected = in_time(Ticks.concatenated([first, second]))
    same(all_of(store), expected)
    same(all_of(TickStore.open(f"file://{tmp_path}/ticks"), venue="sim"), expected)


def test_quotes_of_one_time_keep_the_order_in_which_they_came(store: TickStore) -> None:
    """Without numbers, and over files and compaction, quotes of one millisecond stay as they were written."""
    parts = [Ticks.of(np.full(50, MONDAY), np.arange(50) + 50.0 * n, np.full(50, 1e9)) for n in range(4)]
    for part in parts[:3]:
        store.append("sim", PAIR, part)
    assert all_of(store).bid.tolist() == list(range(150))
    store.compact()
    store.append("sim", PAIR, parts[3])
    assert all_of(store).bid.tolist() == list(range(200))
    store.compact()
    assert all_of(store).bid.tolist() == list(range(200))


def test_only_what_was_asked_for_is_read(store: TickStore) -> None:
    """Time, columns and venue narrow what comes back; `venue` says whose a quote is where there are several."""
    ticks = quotes(1000)
    store.append("one", PAIR, ticks)
    store.append("two", PAIR, ticks[::2])
    store.append("one", "USD/JPY", ticks)
    low, high = MONDAY + DAY // 3, MONDAY + DAY + 7
    inside = ticks[(ticks.venue_time >= low) & (ticks.venue_time < high)]
    pages = list(store.ticks(PAIR, low, high, "one", ["bid", "venue_time"]))
    assert pages[0].batch.schema.names == ["bid", "venue_time"]
    assert np.concatenate([page.batch["bid"].to_numpy() for page in pages]).tolist() == inside.bid.tolist()
    whole = [venue for page in store.ticks(PAIR, low, high) for venue in page.batch["venue"].to_pylist()]
    assert whole.count("one") == len(inside)
    assert set(whole) == {"one", "two"}
    assert list(store.ticks("GBP/USD", low, high)) == []
    assert sum(page.batch.num_rows for page in store.ticks(PAIR, low, high, limit=17)) == 17
    with pytest.raises(ValueError, match="columns: 'price' is none of venue_time"):
        store.ticks(PAIR, low, high, columns=["price"])
    with pytest.raises(ValueError, match="is after end"):
        store.ticks(PAIR, high, low)


@pytest.mark.parametrize("rows_max", [1, 7, 64, 100_000])
def test_a_reader_goes_on_where_it_stopped(store: TickStore, rows_max: int) -> None:
    """Pages of any size, each from a query of its own with the last one's cursor, are all quotes once."""
    ties = Ticks.of(np.repeat(MONDAY + np.arange(4) * SECOND, 40), np.arange(160.0), np.arange(160.0) + 1)
    store.append("one", PAIR, ties[:100])
    store.append("two", PAIR, ties[100:])
    whole, parts, cursor = all_of(store), [], None
    for turn in range(1000):
        page = next(store.ticks(PAIR, 0, 2**62, resume=cursor, rows_max=rows_max), None)
        if page is None:
            break
        parts.append(page)
        cursor = Cursor.of(page.resume.token())
        if turn == 2:
            store.compact()
    same(of_pages(parts), whole)


def test_a_cursor_is_text_that_is_checked() -> None:
    """A cursor survives its token; other text is refused."""
    assert Cursor.of(Cursor(-5, 3).token()) == Cursor(-5, 3)
    for wrong in ("", "x", "é", "AAAA", Cursor(1, 1).token()[:-2], "B" + Cursor(1, 1).token()[1:]):
        with pytest.raises(ValueError, match="resume"):
            Cursor.of(wrong)


@pytest.mark.parametrize("period", ["1s", "1m", "4h", "1d", "1w"])
@pytest.mark.parametrize("session", [UTC, NEW_YORK_17], ids=["utc", "new_york"])
def test_bars_of_stored_quotes_are_those_of_the_quotes(store: TickStore, period: str, session) -> None:
    """Bars of a range are the ones that all quotes make, whole at both ends, and complete if quotes follow."""
    ticks = quotes(4000, span=10 * DAY)
    for begin in range(0, 4000, 700):
        store.append("sim", PAIR, ticks[begin : begin + 700])
    every = bars_of(ticks, Period(period), session, ("bid", "ask", "mid")).bars
    for low, high in ((MONDAY, MONDAY + 20 * DAY), (MONDAY + DAY + 1, MONDAY + 3 * DAY + 12345)):
        found = list(store.bars(PAIR, Period(period), low, high, "sim", session=session, sides=("bid", "ask", "mid")))
        wanted = every[(every.open_time >= low) & (every.open_time < high)]
        assert bool(found) == bool(len(wanted))
        if found:
            same_bars(Bars.joined(found), wanted)


def test_bars_are_of_one_venue(store: TickStore) -> None:
    """Where two venues have quotes, one has to be named; the clock completes the last bar."""
    store.append("one", PAIR, quotes(10))
    store.append("two", PAIR, quotes(10))
    with pytest.raises(UnknownVenueError, match="EUR/USD has quotes of one, two; name one"):
        list(store.bars(PAIR, Period.DAY_1, MONDAY, MONDAY + DAY))
    (bars,) = store.bars(PAIR, Period.MONTH_1, MONDAY - 9 * DAY, MONDAY, "two", session=UTC)
    assert bars.complete.tolist() == [False]
    (bars,) = store.bars(PAIR, Period.MONTH_1, MONDAY - 9 * DAY, MONDAY, "two", session=UTC, until=MONDAY + 60 * DAY)
    assert bars.complete.tolist() == [True]
    assert list(store.bars("USD/JPY", Period.DAY_1, MONDAY, MONDAY + DAY)) == []


def test_a_position_is_committed_with_its_rows(store: TickStore) -> None:
    """A write whose position has been reached changes nothing; several sources may share a commit."""
    assert store.position("feed") is None
    assert store.append("sim", PAIR, quotes(10), "feed", 0).rows == 10
    assert store.position("feed") == 0
    again = store.append("sim", PAIR, quotes(10), "feed", 0)
    assert (again.rows, again.repeated) == (0, True)
    assert not store.append_all([Batch("sim", PAIR, quotes(5, seed=2))], {"feed": 7, "other": 1}).repeated
    assert (store.position("feed"), store.position("other")) == (7, 1)
    assert store.append("sim", PAIR, quotes(10), "feed", 6).repeated
    assert store.append_all([], {"feed": 9}).rows == 0
    assert store.position("feed") == 9
    assert len(all_of(store)) == 15


def test_a_dataset_is_loaded_once(store: TickStore, tmp_path: Path) -> None:
    """A second load changes nothing, other content under the same name is refused, a removed one may come again."""
    batches = [Batch("sim", PAIR, quotes(100)), Batch("sim", "USD/JPY", quotes(50))]
    assert store.load("may", batches, "digest").rows == 150
    files = sorted(tmp_path.rglob("*"))
    again = TickStore.open(str(tmp_path / "ticks")).load("may", batches, "digest")
    assert (again.rows, again.repeated) == (0, True)
    assert sorted(tmp_path.rglob("*")) == files
    with pytest.raises(DatasetDiffersError, match="'may' is loaded with other content"):
        store.load("may", batches, "another")
    assert store.datasets() == {"may": 150}
    assert store.remove("may").rows == 150
    assert store.remove("may").rows == 0
    assert len(all_of(store)) == 0
    assert store.load("may", batches[:1], "another").rows == 100
    assert store.datasets() == {"may": 100}


def test_a_load_that_fails_leaves_nothing(store: TickStore, tmp_path: Path) -> None:
    """An error half-way through a dataset leaves the store, and the folder, as they were."""
    store.append("sim", PAIR, quotes(10))
    files = sorted(tmp_path.rglob("*.parquet"))

    def broken():
        yield Batch("sim", PAIR, quotes(100))
        yield Batch("sim", "no name", quotes(100))

    with pytest.raises(ValueError, match="instrument 'no name' is no name"):
        store.load("may", broken())
    assert sorted(tmp_path.rglob("*.parquet*")) == files
    assert store.datasets() == {"live": 10}
    assert store.load("may", [Batch("sim", PAIR, quotes(100))]).rows == 100


def test_coverage_is_told_by_the_log(store: TickStore) -> None:
    """Rows, times, days, datasets of each venue and instrument are those of what was written."""
    ticks = quotes(200)
    store.append("sim", PAIR, ticks[:100])
    store.load("rest", [Batch("sim", PAIR, ticks[100:])])
    store.append("zzz", "USD/JPY", ticks)
    one, other = store.coverage()
    assert (one.venue, one.instrument, one.rows, one.days) == ("sim", PAIR, 200, 2)
    assert (one.first, one.last) == (ticks.venue_time[0], ticks.venue_time[-1])
    assert one.datasets == ("live", "rest")
    assert (other.venue, other.instrument, other.rows) == ("zzz", "USD/JPY", 200)
    days = store.days(PAIR)
    assert [each.day for each in days] == [date(2024, 3, 4), date(2024, 3, 5)]
    assert sum(each.rows for each in days) == 200
    assert store.coverage("GBP/USD") == []


def test_names_and_times_that_cannot_be_are_refused(store: TickStore) -> None:
    """The error names the field."""
    for field, arguments in (("venue", ("../etc", PAIR)), ("instrument", ("sim", "")), ("venue", ("", PAIR))):
        with pytest.raises(ValueError, match=f"{field} '.*' is no name"):
            store.append(*arguments, quotes(1))
    with pytest.raises(ValueError, match="dataset 'live' is that of the feeds"):
        store.load("live", [])
    with pytest.raises(ValueError, match="app_id 'a/b' is no name"):
        store.position("a/b")
    with pytest.raises(ValueError, match="version"):
        store.append("sim", PAIR, quotes(1), "feed", -1)
    milliseconds = Ticks.of(np.array([2**63 - 1]), np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="ns since 1970"):
        store.append("sim", PAIR, milliseconds)
    assert store.coverage() == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """A store is begun only where there is nothing, and opened only where there is one."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "letter.txt").write_text("hello")
    with pytest.raises(NotAStoreError, match="holds something else"):
        TickStore.open(str(tmp_path / "else"))
    write_deltalake(str(tmp_path / "table"), pa.table({"x": [1]}))
    with pytest.raises(NotAStoreError, match="is no store of quotes"):
        TickStore.open(str(tmp_path / "table"))
    with pytest.raises(NotAStoreError, match="gopher"):
        TickStore.open("gopher://host/x")
