"""Datasets of a running pipeline: lineage, reports, rows, venues' own bars; checkpoints within a file; vacuums."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from crossrate.history.bars import BarStore, beside
from crossrate.rpc.errors import ErrorReason, failure_of
from crossrate.store.database import Database
from crossrate.ticks.periods import DAY, Period
from tests.integration.conftest import eventually
from tests.integration.pipelines import MONDAY, Pipeline, job, line, pipeline, text

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SUCCEEDED, INCOMPLETE = job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_INCOMPLETE
FAILED, CANCELLED = job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED
CHECKPOINT_ROWS = 100_000
BEGIN = int(np.datetime64(MONDAY, "ns").astype(np.int64))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Pipeline]:
    """One pipeline for all of it; each test has a dataset of its own."""
    with tempfile.TemporaryDirectory(prefix="xr-", ignore_cleanup_errors=True) as folder:
        async with pipeline(Path(folder), CROSSRATE_PIPELINE_CHECKPOINT_ROWS=str(CHECKPOINT_ROWS)) as made:
            yield made


async def database(running: Pipeline) -> Database:
    """The pipeline's own."""
    return await Database.open(running.processes.servers.runtime("pipeline", "pipeline-9"))


async def pending(running: Pipeline, dataset: str) -> list[str]:
    """Paths of the files that a load of the dataset will go on from."""
    opened = await database(running)
    try:
        async with opened.connection() as connection:
            rows = await connection.fetch(
                "SELECT each ->> 'path' AS path FROM checkpoint, jsonb_array_elements(pending) each WHERE dataset = $1",
                dataset,
            )
    finally:
        await opened.close()
    return [row["path"] for row in rows]


def large(path: Path, rows: int = 1_000_000) -> Path:
    """Quotes of some minutes, of which some lines are none."""
    lines = [line(row, MONDAY, 0.001) for row in range(rows)]
    lines[rows // 2] = "nonsense,1,2"
    path.write_text("time,bid,ask\n" + "\n".join(lines) + "\n")
    return path


async def test_a_killed_load_of_a_large_file_goes_on_from_its_checkpoint(running: Pipeline, tmp_path: Path) -> None:
    """Killed again and again, the file is read on from the last checkpoint, each row is there once, and report and
    rejected lines are those of a load that nobody disturbed."""
    path = large(tmp_path / "big.csv")
    calm = await running.run(job("calm", path, target={"dataset": "calm", "venue": "CALM"}))
    begun = await running.start_job(job("cut", path, target={"dataset": "cut", "venue": "CUT"}))
    seen: set[str] = set()

    async def further() -> bool:
        ended = (await running.call("GetJob", job_id=begun.id)).job.state > job_pb2.JOB_STATE_RUNNING
        return ended or bool(set(await pending(running, "cut")) - seen)

    for number in (2, 3):
        await eventually(further, 60)
        running.kill()
        seen |= set(await pending(running, "cut"))  # what came between the look and the kill is not the next one's work
        assert running.rows("cut") == 0
        await running.start(f"pipeline-{number}")
    found = await running.ended(begun.id)
    assert (found.state, found.error, found.attempts) == (SUCCEEDED, "", 3), await running.files(begun.id)
    (file,) = await running.files(begun.id)
    assert file.resumed_rows >= CHECKPOINT_ROWS
    assert (file.rows, file.lines, file.rejected) == (999_999, 1_000_001, 1)
    assert running.rows("cut") == 999_999
    one, other = running.quotes("CUT"), running.quotes("CALM")
    assert one.venue_time.tolist() == other.venue_time.tolist()
    assert one.flags.tolist() == other.flags.tolist()
    (report,), (undisturbed,) = await running.reports(begun.id), await running.reports(calm.id)
    report.job_id = undisturbed.job_id
    assert report == undisturbed
    assert await running.rejected(begun.id) == await running.rejected(calm.id)
    assert list(running.history.verify(venue="CUT")) == []
    assert await pending(running, "cut") == []


async def test_a_cancelled_load_leaves_no_checkpoint_and_no_file(running: Pipeline, tmp_path: Path) -> None:
    """What it had written is deleted, and a later load begins at the first row."""
    path = large(tmp_path / "big.csv")
    spec = job("given-up", path, target={"dataset": "given-up", "venue": "GIVEN-UP"})
    begun = await running.start_job(spec)

    async def further() -> bool:
        return bool(await pending(running, "given-up"))

    await eventually(further, 60)
    paths = await pending(running, "given-up")
    await running.call("CancelJob", job_id=begun.id)
    found = await running.ended(begun.id)
    assert found.state == CANCELLED
    root = running.processes.place.state / "history"

    async def gone() -> bool:
        return not any((root / each).exists() for each in paths) and not await pending(running, "given-up")

    await eventually(gone)
    again = await running.run(spec)
    assert ((await running.files(again.id))[0].resumed_rows, running.rows("given-up")) == (0, 999_999)


async def test_a_checkpoint_whose_files_are_gone_is_begun_anew(running: Pipeline, tmp_path: Path) -> None:
    """Whoever deleted them: the load does not go on without their rows."""
    path = large(tmp_path / "big.csv")
    begun = await running.start_job(job("lost", path, target={"dataset": "lost", "venue": "LOST"}))

    async def further() -> bool:
        return bool(await pending(running, "lost"))

    await eventually(further)
    running.kill()
    for each in await pending(running, "lost"):
        (running.processes.place.state / "history" / each).unlink()
    await running.start("pipeline-4")
    found = await running.ended(begun.id)
    assert (found.state, running.rows("lost")) == (SUCCEEDED, 999_999)
    assert (await running.files(begun.id))[0].resumed_rows == 0


async def test_a_vacuum_deletes_what_no_commit_names_and_no_load_needs(running: Pipeline, tmp_path: Path) -> None:
    """By age; told before with validate_only, once for one request id, and kept in the list of vacuums. A file that a
    checkpoint names stays however old it is."""
    (tmp_path / "a.csv").write_text(text(100))
    assert (await running.run(job("swept", tmp_path / "a.csv"))).state == SUCCEEDED
    root = running.processes.place.state / "history"
    folder = next(root.glob("**/dataset=swept"))
    old, young, needed = (folder / f"{name}.parquet" for name in ("old", "young", "needed"))
    for each in (old, young, needed):
        each.write_bytes(b"PAR1")
    for each in (old, needed):
        os.utime(each, (0, 0))
    opened = await database(running)
    try:
        async with opened.connection() as connection:
            await connection.execute(
                "INSERT INTO checkpoint (dataset, generation, digest, specification_digest, job_id, rows, state, "
                "pending) VALUES ('swept', 1, 'd', 's', 'j', 1, ''::bytea, jsonb_build_array(jsonb_build_object("
                "'path', $1::text, 'size_bytes', 4, 'partitions', '{}'::jsonb, 'stats', '{}')))",
                str(needed.relative_to(root)),
            )
        would = await running.call("VacuumHistory", validate_only=True)
        name = str(old.relative_to(root))
        assert (list(would.paths), would.vacuum.files, would.vacuum.bytes, would.vacuum.kept) == ([name], 1, 4, 1)
        assert old.exists()
        request = {"request_id": str(uuid.uuid4())}
        done = await running.call("VacuumHistory", **request)
        assert (list(done.paths), done.vacuum.error, old.exists()) == ([name], "", False)
        assert young.exists()
        assert needed.exists()
        assert await running.call("VacuumHistory", **request) == done
        assert (await running.call("ListVacuums")).vacuums[0] == done.vacuum
        assert running.rows("swept") == 100
        async with opened.connection() as connection:
            await connection.execute("DELETE FROM checkpoint WHERE dataset = 'swept'")
    finally:
        await opened.close()
    assert list((await running.call("VacuumHistory")).paths) == [str(needed.relative_to(root))]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.call("VacuumHistory", min_age=timedelta(seconds=60))
    assert failure_of(caught.value).reason is ErrorReason.INVALID_REQUEST


async def test_a_dataset_tells_where_it_comes_from(running: Pipeline, tmp_path: Path) -> None:
    """Its files in order of loading, with job, version and spans; the reports of what is loaded; the first and the last
    rows; page by page. What was quarantined is in the job's report and not in the dataset's."""
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(text(100, MONDAY + timedelta(hours=number)))
    (tmp_path / "9.csv").write_text(
        "time,bid,ask\n" + "\n".join("nonsense,1,2" for _ in range(3)) + "\n" + line(0) + "\n"
    )
    loaded = await running.run(job("lineage", tmp_path))
    assert loaded.state == INCOMPLETE
    files, token = [], ""
    while True:
        page = await running.call("ListDatasetFiles", dataset="lineage", page_size=2, page_token=token)
        files += page.files
        token = page.next_page_token
        if not token:
            break
    assert [Path(each.uri).name for each in files] == ["0.csv", "1.csv", "2.csv"]
    assert {(each.job_id, each.specification_digest) for each in files} == {(loaded.id, loaded.specification_digest)}
    assert [(each.lines, each.rows, each.rejected) for each in files] == [(101, 100, 0)] * 3
    (span,) = files[1].spans
    assert (span.instrument, span.rows) == ("EUR/USD", 100)
    assert span.first_time.ToDatetime() == MONDAY + timedelta(hours=1)
    reports = (await running.call("GetDatasetReport", dataset="lineage")).reports
    assert [(Path(each.uri).name, each.rows, each.job_id) for each in reports] == [
        (f"{number}.csv", 100, loaded.id) for number in range(3)
    ]
    page = await running.call("GetDatasetReport", dataset="lineage", page_size=1)
    following = await running.call("GetDatasetReport", dataset="lineage", page_size=5, page_token=page.next_page_token)
    assert [*page.reports, *following.reports] == list(reports)
    shown = await running.call("GetDataset", dataset="lineage", sample_rows=2)
    assert (shown.dataset.rows_out, shown.dataset.kind) == (300, dataset_pb2.DATASET_KIND_QUOTES)
    (sample,) = shown.samples
    assert [each.venue_time.ToDatetime() for each in sample.first] == [MONDAY, MONDAY + timedelta(seconds=1)]
    assert sample.last[-1].venue_time.ToDatetime() == MONDAY + timedelta(hours=2, seconds=99)
    assert (len(sample.last), sample.first[0].bid, sample.first[0].ask) == (2, 1.08, 1.0801)
    for name in ("GetDataset", "ListDatasetFiles", "GetDatasetReport"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.call(name, dataset="never-was")
        assert failure_of(caught.value).reason is ErrorReason.NOT_FOUND


def bars(path: Path, count: int, begin: int = BEGIN, *, off: float = 0.0, leave_out: int = -1) -> Path:
    """Bars of a minute as they are built of one quote a second of `text`."""
    rows = []
    for number in range(count):
        if number == leave_out:
            continue
        first = (begin - BEGIN) // 10**9 + 60 * number
        bids = [1.08 + 0.00001 * (row * 7 % 50) for row in range(first, first + 60)]
        prices = [bids[0], max(bids), min(bids) + off, bids[-1]]
        time = str(np.datetime64(begin + number * 60 * 10**9, "ns"))[:19]
        cells = [f"{price:.5f}" for price in prices] + [f"{price + 0.0001:.5f}" for price in prices]
        rows.append(f"{time},{','.join(cells)},{number + 1}")
    path.write_text("time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close,volume\n")
    path.write_text(path.read_text() + "\n".join(rows) + "\n")
    return path


SHAPE = {
    "name": "own_bars",
    "kind": "bars",
    "header": "present",
    "times": ["%Y-%m-%dT%H:%M:%S"],
    "columns": [
        {"role": role}
        for role in [
            "time",
            "bid_open",
            "bid_high",
            "bid_low",
            "bid_close",
            "ask_open",
            "ask_high",
            "ask_low",
            "ask_close",
            "volume",
        ]
    ],
}


async def test_a_venues_bars_are_kept_beside_quotes_and_compared_with_them(running: Pipeline, tmp_path: Path) -> None:
    """Loaded once, as they came, under a source name of their own; the report has how they stand to bars built of the
    reference's quotes; taken out like any dataset."""
    (tmp_path / "quotes.csv").write_text(text(3600))
    assert (
        await running.run(job("ticks", tmp_path / "quotes.csv", target={"dataset": "ticks", "venue": "TICKS"}))
    ).state
    target = {"dataset": "own-bars", "venue": "TICKS.bars"}
    spec = job("own-bars", bars(tmp_path / "bars.csv", 50, leave_out=7), shape=SHAPE, target=target)
    spec["quality"] = {"reference": "TICKS", "bar_difference_p95_pips_max": 0.01}
    found = await running.run(spec)
    assert (found.state, found.progress.rows_loaded) == (SUCCEEDED, 49), await running.files(found.id)
    assert (await running.run(spec)).progress.files_unchanged == 1
    (report,) = (await running.call("GetDatasetReport", dataset="own-bars")).reports
    against = report.bar_comparison
    assert (against.reference, against.compared, against.equal) == ("TICKS", 49, 49)
    assert (against.missing, against.without_quotes, against.difference_max_pips < 1e-6) == (1, 0, True)
    assert report.rows == 49
    store = BarStore.open(beside(str(running.processes.place.state / "history")))
    (made,) = store.bars("EUR/USD", Period.MINUTE_1, BEGIN, BEGIN + DAY, "TICKS.bars")
    assert (len(made.bars), made.volume.tolist()[:2]) == (49, [1.0, 2.0])
    assert running.history.files(venue="TICKS.bars") == []
    shown = await running.call("GetDataset", dataset="own-bars", sample_rows=1)
    assert (shown.dataset.kind, shown.dataset.rows_out) == (dataset_pb2.DATASET_KIND_BARS, 49)
    row = shown.samples[0].first[0]
    assert row.close_time.ToDatetime() - row.venue_time.ToDatetime() == timedelta(minutes=1)
    later = bars(tmp_path / "off.csv", 8, BEGIN + 51 * 60 * 10**9, off=-0.0002)
    wrong = await running.run(spec | {"source": job("x", later)["source"]})
    assert "bar_difference_p95_pips_max" in (await running.files(wrong.id))[0].message
    assert (await running.call("DeleteDataset", dataset="own-bars", comment="a test")).rows_removed == 49
    assert store.venues() == []


async def test_a_source_has_quotes_or_bars_and_never_both(running: Pipeline, tmp_path: Path) -> None:
    """Whichever came first; and a dataset has rows of one kind."""
    (tmp_path / "quotes.csv").write_text(text(120))
    quotes = job("first-quotes", tmp_path / "quotes.csv", target={"dataset": "first-quotes", "venue": "FIRST"})
    assert (await running.run(quotes)).state == SUCCEEDED
    own = bars(tmp_path / "bars.csv", 50)
    mixed = await running.run(job("b", own, shape=SHAPE, target={"dataset": "b", "venue": "FIRST"}))
    assert mixed.state == FAILED
    assert "FIRST has quotes" in mixed.error
    assert (await running.run(job("b", own, shape=SHAPE, target={"dataset": "b", "venue": "B"}))).state == SUCCEEDED
    mixed = await running.run(job("q", tmp_path / "quotes.csv", target={"dataset": "q", "venue": "B"}))
    assert "B is the source name of bars" in mixed.error
    mixed = await running.run(job("b", tmp_path / "quotes.csv", target={"dataset": "b", "venue": "B"}))
    assert "b has bars" in mixed.error


async def test_bars_that_stand_twice_or_differ_are_quarantined(running: Pipeline, tmp_path: Path) -> None:
    """By name of the rule; nothing of them is loaded."""
    own = bars(tmp_path / "bars.csv", 50)
    own.write_text(own.read_text() + own.read_text().splitlines()[-1].replace(",50", ",51") + "\n")
    spec = job("twice-bars", own, shape=SHAPE, target={"dataset": "twice-bars", "venue": "TWICE.bars"})
    found = await running.run(spec)
    assert found.state == INCOMPLETE
    assert "bars_twice_max: 1, limit 0" in (await running.files(found.id))[0].message
    assert await asyncio.to_thread(
        lambda: BarStore.open(beside(str(running.processes.place.state / "history"))).venues()
    ) == ["B"]
