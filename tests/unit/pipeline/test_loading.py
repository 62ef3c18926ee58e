"""One file on its way: counts, spans, thresholds, stops; sources of files; against a real store in a folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossrate.history.store import TickStore
from services.pipeline.domain.progress import FileState, JobState, Outcome, Progress, Reading, Span, verdict
from services.pipeline.domain.specification import Files, Specification, parse
from services.pipeline.file_pass import Pass
from services.pipeline.loading import Book, Positions, load
from services.pipeline.settings import Settings
from services.pipeline.sources import SourceFailure
from services.pipeline.sources.files import LocalFiles
from services.pipeline.sources.making import Sources
from services.pipeline.work import Stopped, Work, digest_of

MONDAY = datetime(2024, 3, 4, 10)


def spec(**changes: Any) -> Specification:
    """A job over generic files of EUR/USD."""
    source = {"kind": "files", "paths": ["/none"]}
    target = {"dataset": "some", "venue": "V"}
    whole = {"name": "a", "source": source, "shape": "generic", "map": {"instrument": "EUR/USD"}, "target": target}
    return parse(json.dumps({**whole, **changes}), "json")


def quotes(path: Path, count: int, begin: datetime = MONDAY) -> Path:
    """A generic file."""
    times = [(begin + timedelta(seconds=n)).isoformat(timespec="milliseconds") for n in range(count)]
    path.write_text("time,bid,ask\n" + "".join(f"{time}Z,1.08,1.0801\n" for time in times))
    return path


POSITIONS = Positions({"some.1.d": 1})


def book(prepare: Callable[[], None]) -> Book:
    """A book in which nothing is written but what is prepared."""
    return Book(prepare, lambda checkpoint: None, lambda: None, lambda: None, 10**9)


def loaded(
    store: TickStore | None, path: Path, work: Work, job: Specification, others: tuple[tuple[str, Span], ...] = ()
) -> tuple[Outcome, list[int]]:
    """What becomes of a file, and how many rows were prepared."""
    prepared: list[int] = []
    source = Pass(path, job, work, others, lambda: True)
    outcome = load(store, job, source, "d" * 64, POSITIONS, book(lambda: prepared.append(source.reading.rows)))
    return outcome, prepared


def test_a_file_is_prepared_before_it_is_committed(tmp_path: Path) -> None:
    """`prepare` sees all that was read while the store has none of it; a failure there leaves the store as it was."""
    store, path, work = TickStore.open(str(tmp_path / "store")), quotes(tmp_path / "a.csv", 100), Work(Progress())

    class Broken(Exception):
        pass

    def fails() -> None:
        assert source.reading.rows == 100
        assert store.datasets() == {}
        raise Broken

    source = Pass(path, spec(), work, (), lambda: True)
    with pytest.raises(Broken):
        load(store, spec(), source, "d" * 64, POSITIONS, book(fails))
    assert store.datasets() == {}
    assert list(tmp_path.glob("store/**/*.parquet")) == []
    outcome, prepared = loaded(store, path, work, spec())
    assert (outcome.state, prepared, store.datasets()) == (FileState.LOADED, [100], {"some": 100})
    again, prepared = loaded(store, path, work, spec())
    assert (again.state, again.reading.rows, prepared) == (FileState.LOADED, 100, [100])
    assert store.datasets() == {"some": 100}


def test_a_stop_between_parts_leaves_nothing(tmp_path: Path) -> None:
    """Neither rows nor files of the store."""
    store, path, work = TickStore.open(str(tmp_path / "store")), quotes(tmp_path / "a.csv", 100), Work(Progress())
    work.stop.set()
    with pytest.raises(Stopped):
        loaded(store, path, work, spec())
    with pytest.raises(Stopped):
        digest_of(path, work)
    assert store.datasets() == {}


def test_a_file_that_changes_while_it_is_read_fails(tmp_path: Path) -> None:
    """Its digest would not be that of its rows."""
    store, path = TickStore.open(str(tmp_path / "store")), quotes(tmp_path / "a.csv", 100)
    source = Pass(path, spec(), Work(Progress()), (), lambda: False)
    outcome = load(store, spec(), source, "d" * 64, POSITIONS, book(lambda: None))
    assert outcome.state is FileState.FAILED
    assert "changed while it was being read" in outcome.message
    assert store.datasets() == {}


def test_other_instruments_than_named_fail(tmp_path: Path) -> None:
    """`map.only` is a list of what may be in the files."""
    path = quotes(tmp_path / "GBPUSD.csv", 10)
    outcome, _ = loaded(None, path, Work(Progress()), spec(map={"only": ["EUR/USD"]}))
    assert outcome.state is FileState.FAILED
    assert "GBP/USD" in outcome.message


@pytest.mark.parametrize(
    ("other", "meets"),
    [((0, 9), False), ((0, 10), False), ((0, 11), True), ((20, 30), False), ((19, 30), True), ((10, 20), True)],
)
def test_spans_meet_where_they_share_more_than_an_end(other: tuple[int, int], meets: bool) -> None:
    """A file that begins in the moment at which another ends is its next part."""
    mine = Span("EUR/USD", 5, 10, 20)
    assert mine.meets(Span("EUR/USD", 5, *other)) is meets
    assert not mine.meets(Span("USD/JPY", 5, *other))


def test_progress_never_goes_beyond_its_total() -> None:
    """Within a file the bytes are an estimate, by lines, and end at its size; counts of a file that is done take the
    place of the estimate."""
    work = Work(Progress(files_total=2, bytes_total=300))
    work.begin("a")
    work.done(Outcome(FileState.LOADED, Reading(lines=10, rows=9)), 100)
    work.begin("b")
    work.seen(200, 10, 10, 0)
    assert (work.snapshot().bytes_done, work.snapshot().rows_read) == (200, 19)
    work.seen(200, 1000, 1000, 3)
    assert work.snapshot().bytes_done == 300
    work.done(Outcome(FileState.QUARANTINED, Reading(lines=1000, rows=1000, rejected=3)), 200)
    found = work.snapshot()
    assert (found.bytes_done, found.rows_read, found.rows_loaded, found.rows_rejected) == (300, 1009, 9, 3)
    assert Progress.of(found.to_dict() | {"unknown": 1}) == found
    assert verdict(found, "") is JobState.INCOMPLETE
    assert verdict(Progress(files_done=1, files_unchanged=1), "") is JobState.SUCCEEDED


def test_a_folder_gives_what_is_complete(tmp_path: Path) -> None:
    """In order of path, each once, without hidden and unfinished files, and what is below only if it is asked for."""
    for name in ("b.csv", "a.csv", ".c.csv", "d.csv.part", "below/e.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    def names(recursive: bool, *paths: str) -> list[str]:
        declared = Files(kind="files", paths=paths, recursive=recursive)
        return [Path(each.uri).name for each in LocalFiles(declared, None).files()]

    here = str(tmp_path)
    assert names(False, here, f"{here}/a.csv") == ["a.csv", "b.csv"]
    assert names(True, here) == ["a.csv", "b.csv", "e.csv"]
    assert names(False, f"{here}/**/*.csv") == ["a.csv", "b.csv", "e.csv"]


def test_callers_from_the_mesh_read_below_the_roots_alone(tmp_path: Path) -> None:
    """Neither a path beside them nor a link that leads out of them is read; hosts and buckets have to be named."""
    inbox, outside = tmp_path / "inbox", tmp_path / "secret.csv"
    inbox.mkdir()
    outside.write_text("x")
    (inbox / "link.csv").symlink_to(outside)
    (inbox / "a.csv").write_text("x")
    for path in (str(outside), str(inbox / "link.csv")):
        with pytest.raises(SourceFailure, match="is not below"):
            LocalFiles(Files(kind="files", paths=(path,)), [inbox]).files()
    assert len(LocalFiles(Files(kind="files", paths=(f"{inbox}/a.csv",)), [inbox]).files()) == 1
    web = spec(source={"kind": "http", "urls": ["https://quotes.example.com/EURUSD.csv"]})
    bucket = spec(source={"kind": "object_store", "urls": ["s3://quotes/EURUSD.csv"]})
    closed = Sources(Settings(), tmp_path)
    for each in (web, bucket):
        closed.check(each, is_local=True)
        with pytest.raises(SourceFailure, match=r"^source.urls\[0\]: "):
            closed.check(each, is_local=False)
    named = Settings(http_hosts=("quotes.example.com",), object_urls=("s3://quotes/",))
    for each in (web, bucket):
        Sources(named, tmp_path).check(each, is_local=False)
    elsewhere = spec(source={"kind": "object_store", "urls": ["s3://quotes/a.csv?endpoint_override=example.com"]})
    with pytest.raises(SourceFailure, match="name an endpoint"):
        Sources(named, tmp_path).check(elsewhere, is_local=False)
