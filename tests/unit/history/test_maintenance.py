"""Compaction, retention, verification; and writers that come in between."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from crossrate.history.errors import DamagedError
from crossrate.history.keys import Batch
from crossrate.history.log import Log
from crossrate.history.store import TickStore
from crossrate.ticks.columns import Ticks
from crossrate.ticks.periods import DAY
from tests.unit.history.some import PAIR, all_of, in_time, quotes, same


@pytest.fixture
def store(tmp_path: Path) -> TickStore:
    """A store of six files: two days in three commits."""
    store = TickStore.open(str(tmp_path / "ticks"))
    for seed in range(3):
        store.append("sim", PAIR, quotes(100, seed=seed), "feed", seed)
    return store


def path_of(store: TickStore, number: int = 0) -> Path:
    """A file of the store."""
    return Path(store.url) / store.files()[number].path


def between(monkeypatch: pytest.MonkeyPatch, what) -> None:
    """Has something happen once, just before the next commit."""
    commit = Log.commit

    def delayed(self, *arguments):
        monkeypatch.setattr(Log, "commit", commit)
        what()
        return commit(self, *arguments)

    monkeypatch.setattr(Log, "commit", delayed)


def test_compaction_changes_no_row(store: TickStore) -> None:
    """A day's files become one; rows, their order and positions stay; a second time there is nothing to do."""
    before = all_of(store)
    done = store.compact()
    assert (done.files_before, done.files_after, done.rows) == (6, 2, 300)
    same(all_of(store), before)
    same(all_of(TickStore.open(store.url)), before)
    assert store.compact().files_before == 0
    assert store.position("feed") == 2
    assert list(store.verify()) == []


def test_compaction_leaves_days_and_datasets_apart(store: TickStore) -> None:
    """Only days before the date are touched, and a dataset's files stay its own, so that it can be removed."""
    for name in ("a", "b"):
        store.load(name, [Batch("sim", PAIR, quotes(10, span=DAY))])
    assert store.compact(date(2024, 3, 5)).files_before == 3
    assert store.compact(files_min=9).files_before == 0
    assert store.remove("a").rows == 10
    assert store.datasets() == {"live": 300, "b": 10}


def test_compaction_and_a_writer_at_once(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are committed while a day is compacted are kept."""
    other = TickStore.open(store.url)
    between(monkeypatch, lambda: other.append("sim", PAIR, quotes(40, seed=9)))
    assert store.compact().rows >= 300
    parts = [quotes(100, seed=seed) for seed in range(3)]
    same(all_of(store), in_time(Ticks.concatenated([*parts, quotes(40, seed=9)])))


def test_two_compactions_at_once(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second to commit begins anew, and no row is there twice."""
    before = all_of(store)
    other = TickStore.open(store.url)
    between(monkeypatch, other.compact)
    store.compact()
    same(all_of(store), before)
    same(all_of(other), before)


def test_two_compactions_of_the_same_rows_share_no_file(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has to begin anew deletes what it wrote, which must not be what the other is about to commit."""
    written: list[str] = []
    commit = Log.commit

    def noted(self, adds, *arguments):
        written.extend(each.path for each in adds)
        return commit(self, adds, *arguments)

    monkeypatch.setattr(Log, "commit", noted)
    other = TickStore.open(store.url)
    between(monkeypatch, other.compact)
    store.compact()
    assert len(written) > 2
    assert len(set(written)) == len(written)
    assert not list(store.verify())


def test_a_dataset_that_is_removed_while_it_is_compacted(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compaction does not bring it back."""
    both = [Batch("sim", PAIR, quotes(10)), Batch("sim", PAIR, quotes(10, seed=1))]
    store.append_all(both[:1], dataset="late")
    store.append_all(both[1:], dataset="late")
    other = TickStore.open(store.url)
    between(monkeypatch, lambda: other.remove("late"))
    store.compact()
    assert store.datasets() == {"live": 300}


def test_two_writers_of_one_position(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that write the same at once one does, the other is told that it was done and leaves no file."""
    other = TickStore.open(store.url)
    batch = quotes(20, seed=7)
    between(monkeypatch, lambda: other.append("sim", PAIR, batch, "feed", 3))
    assert store.append("sim", PAIR, batch, "feed", 3).repeated
    assert len(all_of(store)) == 320
    named = {Path(store.url) / file.path for file in store.files()}
    assert set(Path(store.url).rglob("*.parquet")) - set(Path(store.url).rglob("*.checkpoint.parquet")) == named


def test_two_writers_of_different_positions(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both land."""
    other = TickStore.open(store.url)
    between(monkeypatch, lambda: other.append("sim", PAIR, quotes(20, seed=7), "another", 1))
    assert store.append("sim", PAIR, quotes(30, seed=8), "feed", 3).rows == 30
    assert len(all_of(store)) == 350


def test_days_expire(store: TickStore) -> None:
    """Quotes of days before a date go, of one instrument if said; a reader that had begun reads on."""
    store.append("sim", "USD/JPY", quotes(100))
    reader = store.ticks(PAIR, 0, 2**62, rows_max=1)
    next(reader)
    first_day = store.days(PAIR)[0].rows
    assert store.expire(date(2024, 3, 5), PAIR).rows == first_day
    assert [each.day for each in store.days(PAIR)] == [date(2024, 3, 5)]
    assert len(store.days("USD/JPY")) == 2
    assert 1 + sum(page.batch.num_rows for page in reader) == 300
    assert store.expire(date(2024, 3, 4)).files_before == 0
    assert store.expire(date(2024, 3, 6)).rows + first_day == 400
    assert store.coverage() == []


def test_vacuum_deletes_what_is_old_and_of_no_use(store: TickStore) -> None:
    """A file that no commit names goes once it is old, unless it is asked for; files of the store and new ones stay."""
    orphan, young = (path_of(store).with_name(f"{name}.parquet") for name in ("orphan", "young"))
    for file in (orphan, young):
        file.write_bytes(b"PAR1")
    os.utime(orphan, (0, 0))
    os.utime(path_of(store, 1), (0, 0))
    name = f"{orphan.parent.relative_to(store.url)}/orphan.parquet"
    would = store.vacuum(24, dry_run=True)
    assert (would.paths, would.size_bytes, would.kept) == ([name], 4, 0)
    assert store.vacuum(24, keep=[name]).kept == 1
    assert store.vacuum(24, dataset="another").paths == []
    assert orphan.exists()
    assert store.vacuum(24).paths == [name]
    assert not orphan.exists()
    assert young.exists()
    assert list(store.verify()) == []


def test_verification_finds_every_kind_of_damage(store: TickStore) -> None:
    """A changed byte, a cut file, a missing one and one that is another are each told by path."""
    assert list(store.verify()) == []
    content = path_of(store).read_bytes()
    path_of(store, 0).write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    path_of(store, 1).write_bytes(path_of(store, 1).read_bytes()[:-9])
    path_of(store, 2).unlink()
    path_of(store, 3).write_bytes(path_of(store, 4).read_bytes())
    found = {problem.path: problem.what for problem in store.verify()}
    assert set(found) == {store.files()[n].path for n in range(4)}
    with pytest.raises(DamagedError, match="cannot be read"):
        all_of(store)


def test_a_damaged_day_is_not_compacted(store: TickStore) -> None:
    """Compaction of a day with a file that cannot be read fails, and leaves all files in place."""
    path_of(store).write_bytes(b"no parquet")
    before = store.files()
    with pytest.raises(DamagedError):
        store.compact()
    assert store.files() == before


def test_a_commit_that_is_followed_by_an_error_is_a_commit(store: TickStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails after a commit, such as a checkpoint, does not make it undone: its files stay."""
    table = store._log._table
    write = type(table).create_write_transaction

    def fails(self, *arguments, **named):
        write(self, *arguments, **named)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(table), "create_write_transaction", fails)
    assert store.append("sim", PAIR, quotes(10, seed=5), "feed", 9).rows == 10
    monkeypatch.undo()
    assert len(all_of(store)) == 310
    assert list(store.verify()) == []


def test_the_log_is_kept_short_and_forgets_no_position(tmp_path: Path) -> None:
    """Checkpoints are made while commits go on, and whoever opens the store then knows all positions."""
    store = TickStore.open(str(tmp_path))
    for number in range(110):
        store.append_all([], {f"feed-{number % 3}": number})
    assert list((tmp_path / "_delta_log").glob("*.checkpoint.parquet"))
    again = TickStore.open(str(tmp_path))
    assert [again.position(f"feed-{n}") for n in range(3)] == [108, 109, 107]
