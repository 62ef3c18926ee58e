"""The pipeline as a process: jobs from files to the history, what is refused, kept, repeated and taken out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.pipeline.v1 import dataset_pb2, job_pb2
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
from crossrate.rpc.errors import ErrorReason, failure_of
from crossrate.store.database import Database
from tests.integration.pipelines import MONDAY, Pipeline, job, line, pipeline, text, zipped

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

SUCCEEDED, INCOMPLETE = job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_INCOMPLETE
FAILED, CANCELLED = job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED
LOADED, UNCHANGED = job_pb2.FILE_STATE_LOADED, job_pb2.FILE_STATE_UNCHANGED
QUARANTINED, UNREADABLE = job_pb2.FILE_STATE_QUARANTINED, job_pb2.FILE_STATE_FAILED


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipeline]:
    """One pipeline for all of it; each test has a dataset of its own."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    try:
        async with pipeline(folder) as made:
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_folder_is_loaded_and_loading_it_again_changes_nothing(running: Pipeline, tmp_path: Path) -> None:
    """Plain and compressed files, in the order of their names; the second job finds every file unchanged, the store has
    the same version, and lineage and quality are there."""
    (tmp_path / "a.csv").write_text(text(1000))
    zipped(tmp_path / "b.csv.gz", text(500, MONDAY + timedelta(hours=1)))
    (tmp_path / "c.csv.part").write_text("half")
    first = await running.run(job("twice", tmp_path, target={"dataset": "twice", "venue": "TWICE"}))
    assert (first.state, first.error) == (SUCCEEDED, ""), await running.files(first.id)
    assert (first.progress.files_total, first.progress.files_loaded) == (2, 2)
    assert (first.progress.rows_read, first.progress.rows_loaded, first.progress.rows_rejected) == (1500, 1500, 0)
    assert first.progress.bytes_done == first.progress.bytes_total > 0
    assert running.rows("twice") == 1500
    version = running.history._log.refresh().version
    again = await running.run(job("twice", tmp_path, target={"dataset": "twice", "venue": "TWICE"}))
    assert again.state == SUCCEEDED
    assert (again.progress.files_unchanged, again.progress.rows_loaded) == (2, 0)
    assert [file.state for file in await running.files(again.id)] == [UNCHANGED, UNCHANGED]
    assert running.history._log.refresh().version == version
    assert running.rows("twice") == 1500
    found = running.quotes("TWICE")
    assert len(found) == 1500
    assert (np.diff(found.venue_time) >= 0).all()
    dataset = await running.dataset("twice")
    assert dataset is not None
    assert (dataset.venue, list(dataset.instruments), dataset.files) == ("TWICE", ["EUR/USD"], 2)
    assert (dataset.lines_in, dataset.rows_out, dataset.rejected) == (1502, 1500, 0)
    assert dataset.first_time.ToDatetime() == MONDAY
    assert (dataset.job_id, dataset.specification_digest) == (first.id, first.specification_digest)
    assert len(dataset.digest) == 64
    reports = await running.reports(first.id)
    assert [(each.instrument, each.rows, each.decision) for each in reports] == [
        ("EUR/USD", 1000, dataset_pb2.DECISION_LOAD),
        ("EUR/USD", 500, dataset_pb2.DECISION_LOAD),
    ]
    assert reports[0].spread_median == pytest.approx(0.0001)
    assert {each.rule for each in reports[0].findings} >= {"crossed_share_max", "leaps_max", "overlaps_max"}


async def test_progress_is_a_stream_that_resumes(running: Pipeline, tmp_path: Path) -> None:
    """The job as it stands, each change, then COMPLETE; with the last cursor nothing is sent a second time."""
    (tmp_path / "a.csv").write_text(text(200))
    begun = await running.start_job(job("watched", tmp_path))
    messages = await running.watch(begun.id)
    assert [each.position.sequence for each in messages] == list(range(1, len(messages) + 1))
    assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    assert messages[-2].job.state == SUCCEEDED
    assert messages[-2].job.progress.rows_loaded == 200
    resumed = await running.watch(begun.id, messages[-2].position.cursor)
    assert [each.WhichOneof("event") for each in resumed] == ["end"]


async def test_a_dry_run_reports_and_loads_nothing(running: Pipeline, tmp_path: Path) -> None:
    """Reports and rejected rows are kept as of a load, the dataset is not there."""
    (tmp_path / "a.csv").write_text(text(2000) + "nonsense,1,2\n")
    found = await running.run(job("dry", tmp_path), dry_run=True)
    assert (found.state, found.progress.rows_read, found.progress.rows_loaded) == (SUCCEEDED, 2000, 0)
    assert [each.state for each in await running.files(found.id)] == [job_pb2.FILE_STATE_CHECKED]
    assert [each.line for each in await running.rejected(found.id)] == [2002]
    assert len(await running.reports(found.id)) == 1
    assert running.rows("dry") == 0
    assert await running.dataset("dry") is None


async def test_a_specification_is_checked_with_the_paths_of_its_fields(running: Pipeline, tmp_path: Path) -> None:
    """Every problem is told at once; nothing is accepted."""
    before = len((await running.call("ListJobs", page_size=1000)).jobs)
    wrong = job("checked", "relative.csv", quality={"rows_min": -1}, shape={"name": "generic", "clock": "Mars"})
    wrong["source"]["depth"] = 3
    failure = await running.refusal(wrong)
    assert failure.reason is ErrorReason.INVALID_REQUEST
    assert {each.field for each in failure.violations} == {
        "specification.source.paths",
        "specification.source.depth",
        "specification.shape.clock",
        "specification.quality.rows_min",
    }
    told = await running.refusal("name: a\nname: b\n", pb.SPECIFICATION_FORMAT_YAML)
    assert "line 2: the field 'name' stands a second time" in told.violations[0].description
    toml = await running.refusal("name = ", pb.SPECIFICATION_FORMAT_TOML)
    assert "is no TOML" in toml.violations[0].description
    only = await running.start_job(job("checked", tmp_path), validate_only=True)
    assert (only.id, json.loads(only.specification)["map"]["instrument"]) == ("", "EUR/USD")
    assert len((await running.call("ListJobs", page_size=1000)).jobs) == before


async def test_the_same_request_gives_the_same_job(running: Pipeline, tmp_path: Path) -> None:
    """A repetition makes no second job; another body under the same id is refused."""
    (tmp_path / "a.csv").write_text(text(10))
    request_id = str(uuid.uuid4())
    first = await running.start_job(job("same", tmp_path), request_id=request_id)
    assert await running.start_job(job("same", tmp_path), request_id=request_id) == first
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.start_job(job("other", tmp_path), request_id=request_id)
    assert failure_of(caught.value).reason is ErrorReason.REQUEST_ID_REUSED
    await running.ended(first.id)


async def test_a_source_that_names_nothing_fails_the_job(running: Pipeline, tmp_path: Path) -> None:
    """The error has the path of the field."""
    found = await running.run(job("nothing", tmp_path / "*.csv"))
    assert (found.state, found.error) == (FAILED, f"source.paths[0]: {tmp_path}/*.csv names no file")


async def test_the_same_rows_in_another_file_are_quarantined(running: Pipeline, tmp_path: Path) -> None:
    """Other bytes with quotes of the same time would be the same quotes twice; who wants both says so."""
    (tmp_path / "a.csv").write_text(text(100))
    assert (await running.run(job("overlap", tmp_path / "a.csv"))).state == SUCCEEDED
    packed = zipped(tmp_path / "a.csv.gz", text(100))
    found = await running.run(job("overlap", packed))
    assert found.state == INCOMPLETE
    (file,) = await running.files(found.id)
    assert file.state == QUARANTINED
    assert "has rows of the same time from" in file.message
    assert running.rows("overlap") == 100
    both = await running.run(job("overlap", packed, quality={"overlap_allowed": True}))
    assert both.state == SUCCEEDED
    assert running.rows("overlap") == 200


async def test_a_file_that_changed_is_refused_until_the_dataset_is_deleted(running: Pipeline, tmp_path: Path) -> None:
    """Neither other content from the same place nor the same content by another clock is loaded beside what is there;
    after a deletion it is, and the deletion says how many rows it took out."""
    path = tmp_path / "a.csv"
    path.write_text(text(100))
    assert (await running.run(job("changed", path))).state == SUCCEEDED
    clock = await running.run(job("changed", path, map={"instrument": "EUR/USD", "clock": "UTC-05:00"}))
    assert "read with another shape, clock or venue" in (await running.files(clock.id))[0].message
    path.write_text(text(150))
    found = await running.run(job("changed", path))
    assert found.state == INCOMPLETE
    assert "with other content" in (await running.files(found.id))[0].message
    assert running.rows("changed") == 100
    rehearsed = await running.call("DeleteDataset", dataset="changed", comment="a test", validate_only=True)
    assert (rehearsed.rows_removed, running.rows("changed")) == (100, 100)
    request = {"dataset": "changed", "comment": "a test", "request_id": str(uuid.uuid4())}
    assert (await running.call("DeleteDataset", **request)).rows_removed == 100
    assert running.rows("changed") == 0
    assert await running.dataset("changed") is None
    assert (await running.run(job("changed", path))).state == SUCCEEDED
    assert running.rows("changed") == 150
    assert (await running.call("DeleteDataset", **request)).rows_removed == 100
    assert running.rows("changed") == 150
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.call("DeleteDataset", dataset="never-was", comment="a test")
    assert failure_of(caught.value).reason is ErrorReason.NOT_FOUND


async def test_a_job_is_cancelled_between_parts_of_a_file(running: Pipeline, tmp_path: Path) -> None:
    """The file before stays, the one under way leaves nothing, a second cancellation is no harm, and the dataset may be
    loaded on."""
    (tmp_path / "a.csv").write_text(text(100))
    big = tmp_path / "b.csv"
    lines = "\n".join(line(row, MONDAY + timedelta(hours=1), 0.001) for row in range(1_000_000))
    big.write_text("time,bid,ask\n" + lines + "\n")
    begun = await running.start_job(job("cancelled", tmp_path))
    async with running.stub() as stub:
        call = stub.WatchJob(pb.WatchJobRequest(job_id=begun.id), timeout=60)
        async for message in call:
            if message.job.progress.files_loaded == 1:
                await running.call("CancelJob", job_id=begun.id)
                break
        call.cancel()
    found = await running.ended(begun.id)
    assert (found.state, found.progress.files_loaded, found.progress.rows_loaded) == (CANCELLED, 1, 100)
    assert running.rows("cancelled") == 100
    again = await running.call("CancelJob", job_id=begun.id)
    assert again.job.state == CANCELLED
    after = await running.run(job("cancelled", tmp_path))
    assert (after.state, after.progress.files_unchanged, after.progress.rows_loaded) == (SUCCEEDED, 1, 1_000_000)


async def test_a_ready_dataset_is_a_fact_on_nats(running: Pipeline, tmp_path: Path) -> None:
    """The event has the dataset as it is and the rows that were added."""
    from crossrate.api.pipeline.v1 import pipeline_events_pb2
    from crossrate.events import Events
    from tests.integration.conftest import eventually

    (tmp_path / "a.csv").write_text(text(70))
    found = await running.run(job("told", tmp_path))
    events = await Events.open(running.processes.servers.runtime("pipeline", "pipeline-9"))
    told: list[pipeline_events_pb2.DatasetReady] = []

    async def there() -> bool:
        told.clear()
        async for event in events.replay("pipeline"):
            if event.subject == "crossrate.pipeline.v1.dataset_ready.told":
                told.append(pipeline_events_pb2.DatasetReady.FromString(event.payload))
        return bool(told)

    try:
        await eventually(there)
    finally:
        await events.close()
    assert [(each.job_id, each.rows_added, each.dataset.rows_out) for each in told] == [(found.id, 70, 70)]


async def test_jobs_of_one_dataset_take_turns(running: Pipeline, tmp_path: Path) -> None:
    """Five jobs at once over the same file: one loads it, all succeed, the store has its rows once."""
    (tmp_path / "a.csv").write_text(text(300))
    begun = await asyncio.gather(*(running.start_job(job("turns", tmp_path)) for _ in range(5)))
    ended = await asyncio.gather(*(running.ended(each.id) for each in begun))
    assert [each.state for each in ended] == [SUCCEEDED] * 5
    assert sorted(each.progress.rows_loaded for each in ended) == [0, 0, 0, 0, 300]
    assert running.rows("turns") == 300


async def test_what_a_crash_cut_off_around_the_commit_is_settled_by_the_store(
    running: Pipeline, tmp_path: Path
) -> None:
    """The instance died after the store had committed, before it was written down: the file counts as loaded and is not
    read again. It died before: what was prepared is forgotten, and the file is loaded."""
    for number, name in enumerate(("a.csv", "b.csv")):
        (tmp_path / name).write_text(text(100, MONDAY + timedelta(hours=number)))
    first = await running.run(job("crash", tmp_path / "a.csv"))
    version = running.history._log.refresh().version
    database = await Database.open(running.processes.servers.runtime("pipeline", "pipeline-9"))
    try:
        async with database.connection() as connection:
            undone = "UPDATE dataset_file SET is_settled = false WHERE dataset = 'crash'"
            await connection.execute(undone)
            await connection.execute("UPDATE job_file SET state = 1 WHERE job_id = $1", first.id)
            await connection.execute("UPDATE job SET state = 2, end_time = NULL WHERE id = $1", first.id)
        assert await running.dataset("crash") is None
        again = await running.ended(first.id)
        assert (again.state, again.attempts, again.progress.rows_loaded) == (SUCCEEDED, 2, 100)
        assert running.history._log.refresh().version == version
        async with database.connection() as connection:
            await connection.execute(
                "INSERT INTO dataset_file (dataset, generation, digest, uri, recipe, job_id, ordinal, is_settled, "
                "lines, rows, rejected) VALUES ('crash', 1, $1, $2, 'r', $3, 1, false, 101, 100, 0)",
                hashlib.sha256((tmp_path / "b.csv").read_bytes()).hexdigest(),
                str(tmp_path / "b.csv"),
                first.id,
            )
        assert (await running.dataset("crash")).files == 1
    finally:
        await database.close()
    second = await running.run(job("crash", tmp_path))
    assert (second.state, second.progress.files_unchanged, second.progress.rows_loaded) == (SUCCEEDED, 1, 100)
    assert (running.rows("crash"), (await running.dataset("crash")).files) == (200, 2)


async def test_a_deletion_that_a_crash_cut_off_is_ended_by_the_next_job(running: Pipeline, tmp_path: Path) -> None:
    """The books had begun the deletion, the store had not heard of it: the old rows go before new ones come."""
    (tmp_path / "a.csv").write_text(text(100))
    assert (await running.run(job("half-deleted", tmp_path))).state == SUCCEEDED
    database = await Database.open(running.processes.servers.runtime("pipeline", "pipeline-9"))
    try:
        async with database.connection() as connection:
            await connection.execute(
                "UPDATE dataset SET is_deleting = true, generation = 2, deleted_rows = 100 WHERE name = 'half-deleted'"
            )
    finally:
        await database.close()
    found = await running.run(job("half-deleted", tmp_path))
    assert (found.state, found.progress.files_loaded) == (SUCCEEDED, 1)
    assert running.rows("half-deleted") == 100


async def test_a_wrong_clock_is_found_against_a_trusted_venue(running: Pipeline, tmp_path: Path) -> None:
    """The same market once in UTC and once by a clock five hours behind: declared as it is, it is loaded; declared as
    UTC, it is quarantined with its offset in the report; where the trusted venue has no quotes, nothing is believed."""
    walk = np.cumsum(np.random.default_rng(3).normal(0, 4e-5, 8 * 720)) + 1.08

    def file(name: str, behind_h: int, begin: datetime = MONDAY - timedelta(hours=4)) -> Path:
        times = [begin + timedelta(seconds=5 * n, hours=-behind_h) for n in range(len(walk))]
        said = [time.isoformat(timespec="milliseconds") for time in times]
        rows = [f"{time}Z,{bid:.5f},{bid + 1e-4:.5f}" for time, bid in zip(said, walk, strict=True)]
        path = tmp_path / name
        path.write_text("time,bid,ask\n" + "\n".join(rows) + "\n")
        return path

    trusted = job("trusted", file("utc.csv", 0), target={"dataset": "trusted", "venue": "TRUSTED"})
    assert (await running.run(trusted)).state == SUCCEEDED
    target = {"dataset": "clocked", "venue": "CLOCKED"}
    judged = {"target": target, "quality": {"reference": "TRUSTED"}}
    shifted = file("shifted.csv", 5)
    wrong = await running.run(job("clocked", shifted, **judged), dry_run=True)
    (report,) = await running.reports(wrong.id)
    broken = {each.rule: each.figure for each in report.findings if not each.holds}
    assert broken == {"clock_offset_s_max": 5 * 3600}
    right = {"instrument": "EUR/USD", "clock": "UTC-05:00"}
    zoneless = {"name": "generic", "times": ["%Y-%m-%dT%H:%M:%S.%fZ"]}
    loaded = await running.run(job("clocked", shifted, map=right, shape=zoneless, **judged))
    assert loaded.state == SUCCEEDED, await running.files(loaded.id)
    alone = await running.run(job("clocked", file("alone.csv", 0, MONDAY + timedelta(days=28)), **judged))
    assert "cannot be compared with TRUSTED" in (await running.files(alone.id))[0].message
