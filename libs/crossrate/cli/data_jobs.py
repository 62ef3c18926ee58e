"""Runs of `crossrate data`: begun, watched, shown, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.data_calls import INSTANCE, call, every
from crossrate.cli.data_import import JobText
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

AWAY_S_MAX = 60.0
"""How long the pipeline may be away while a run is watched, as in a restart."""
LAST = "last"


def is_run(name: str) -> bool:
    """Whether a person means a run, not a dataset."""
    try:
        uuid.UUID(name)
    except ValueError:
        return name == LAST
    return True


def run_id(job: str) -> str:
    """The id that a person means.

    Raises:
        CommandError: it is none, or there is no job yet.
    """
    if job == LAST:
        jobs = call("ListJobs", page_size=1).jobs
        if not jobs:
            raise CommandError("there is no run yet", "start one with `crossrate data import FILE`")
        return jobs[0].id
    try:
        return str(uuid.UUID(job))
    except ValueError:
        remedy = "`crossrate data list --runs` lists them; `last` is the newest"
        raise CommandError(f"{job!r} is no id of a run", remedy) from None


def run(document: JobText, *, check: bool, dry_run: bool, detach: bool, as_json: bool) -> int:
    """Carries a job out; returns the command's exit code."""
    from crossrate.api.pipeline.v1 import job_pb2
    from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
    from crossrate.rpc.call_error import CallError

    said = {"specification": document.text, "format": pb.SPECIFICATION_FORMAT_JSON}
    try:
        job = call("StartJob", **said, dry_run=dry_run, validate_only=check).job
    except CallError as error:
        error.violations = tuple(_with_line(each, document) for each in error.violations)
        raise
    if check:
        show.document(as_dict(job)) if as_json else show.note(f"{document.name} is right: it would load {job.dataset}")
        return 0
    if detach:
        show.document(as_dict(job)) if as_json else print(job.id)
        return 0
    try:
        with _bar(job, as_json) as moved:
            job = asyncio.run(_followed(job, moved))
    except KeyboardInterrupt:
        show.note(f"the run goes on; `crossrate data cancel {job.id}` ends it")
        raise
    if as_json:
        show.document(as_dict(job))
    else:
        _tell(job)
    return 0 if job.state == job_pb2.JOB_STATE_SUCCEEDED else 1


def _with_line(violation: Any, document: JobText) -> Any:
    """What is wrong with a field, with the line of the job's file that it stands in."""
    line = document.line_of(violation.field)
    return violation if line is None else violation._replace(description=f"{violation.description} (line {line})")


async def _followed(job: Any, moved: Callable[[Any], None]) -> Any:
    """The job at its end; an instance that goes away meanwhile is waited for."""
    cursor, lost = "", 0.0
    while True:
        try:
            async for message in _messages(job.id, cursor):
                lost = 0.0
                cursor = message.position.cursor
                if message.WhichOneof("event") == "job":
                    job = message.job
                    moved(job)
                if message.WhichOneof("event") == "end" and _ended(job):
                    return job
        except Exception as error:
            gone = isinstance(error, CommandError) or (
                hasattr(error, "violations") and error.code().name in ("UNAVAILABLE", "CANCELLED", "UNKNOWN")
            )
            if not gone:
                raise
            lost = lost or time.monotonic()
            if time.monotonic() - lost > AWAY_S_MAX:
                raise
            await asyncio.sleep(0.5)


async def _messages(job_id: str, cursor: str) -> AsyncIterator[Any]:
    from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
    from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import PipelineServiceStub

    async with reach.instance(INSTANCE) as channel:
        async for message in PipelineServiceStub(channel).WatchJob(
            pb.WatchJobRequest(job_id=job_id, resume_cursor=cursor)
        ):
            yield message


def _ended(job: Any) -> bool:
    from crossrate.api.pipeline.v1 import job_pb2

    return job.state > job_pb2.JOB_STATE_RUNNING


@contextlib.contextmanager
def _bar(job: Any, as_json: bool) -> Iterator[Callable[[Any], None]]:
    """Shows progress on standard error: a bar for a person, JSON lines for a program."""
    if as_json or not show.aside().is_terminal:

        def told(now: Any) -> None:
            if as_json:
                print(json.dumps(as_dict(now.progress), ensure_ascii=False), file=sys.stderr, flush=True)

        yield told
        return
    from rich import progress as bars

    columns = [
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[rows]} rows, {task.fields[rate]}/s, {task.fields[rejected]} rejected"),
        bars.TextColumn("{task.fields[left]}"),
        bars.TextColumn("{task.fields[file]}", style="dim"),
    ]
    with bars.Progress(*columns, console=show.aside(), transient=True) as shown:
        task = shown.add_task(job.name, total=None, rows=0, rate=0, rejected=0, left="", file="")

        def moved(now: Any) -> None:
            at = now.progress
            left = (
                f"{show.seconds(at.remaining.ToTimedelta().total_seconds())} left" if at.HasField("remaining") else ""
            )
            shown.update(
                task,
                total=at.bytes_total or None,
                completed=at.bytes_done,
                rows=f"{at.rows_read:,}",
                rate=f"{at.rows_per_s:,.0f}",
                rejected=f"{at.rows_rejected:,}",
                left=left,
                file=Path(at.current_file).name,
            )

        yield moved


def _state(job: Any) -> Any:
    from crossrate.api.pipeline.v1 import job_pb2

    name = job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_").lower()
    return show.mark(name, {"succeeded": True, "incomplete": False, "failed": False}.get(name))


def _tell(job: Any) -> None:
    """How a job ended, in words."""
    at = job.progress
    kinds = ("loaded", "unchanged", "quarantined", "failed")
    files = ", ".join(f"{n} {kind}" for kind in kinds if (n := getattr(at, f"files_{kind}")))
    show.console().print(_state(job), f": {at.rows_loaded:,} rows into {job.dataset}; files: {files or 'none'}", sep="")
    if at.rows_rejected:
        show.note(f"{at.rows_rejected:,} lines rejected: crossrate data rejected {job.id}")
    if job.error:
        show.aside().print(job.error, markup=False)
    if at.files_quarantined or at.files_failed:
        for each in call("ListJobFiles", job_id=job.id, page_size=1000).files:
            if each.message:
                show.aside().print(f"{each.uri}: {each.message}", markup=False)


def runs(lines: int, *, as_json: bool) -> None:
    """Shows runs, the newest first."""
    jobs = every("ListJobs", "jobs", lines)
    if as_json:
        show.document([as_dict(each) for each in jobs])
        return
    rows = []
    for each in jobs:
        at, created = each.progress, each.create_time.ToDatetime().isoformat(" ", "seconds")
        counts = (f"{at.rows_loaded:,}", f"{at.files_done}/{at.files_total}")
        rows.append((each.id, each.name, each.dataset, _state(each), *counts, created))
    show.table(("run", "job", "dataset", "state", "rows loaded ", "files ", "created, UTC"), rows)


def show_run(job: str, lines: int, *, as_json: bool) -> None:
    """Shows one run with what became of its files."""
    from crossrate.api.pipeline.v1 import job_pb2

    found = call("GetJob", job_id=run_id(job)).job
    files = every("ListJobFiles", "files", lines, job_id=found.id)
    if as_json:
        show.document({"job": as_dict(found), "files": [as_dict(each) for each in files]})
        return
    _tell(found)
    named = job_pb2.FileState.Name
    rows = [
        (
            each.ordinal,
            named(each.state).removeprefix("FILE_STATE_").lower(),
            f"{each.rows:,}",
            each.rejected,
            f"{each.resumed_rows:,}" if each.resumed_rows else "",
            each.uri,
        )
        for each in files
    ]
    show.table(("file ", "state", "rows ", "rejected ", "resumed at row ", "from"), rows)


def rejected(job: str, lines: int, *, as_json: bool) -> None:
    """Shows lines that are no quotes."""
    answer = call("ListRejectedRows", job_id=run_id(job), page_size=lines)
    if as_json:
        show.document(as_dict(answer))
        return
    show.table(
        ("from", "line ", "reason", "text"),
        [(Path(each.member).name, each.line, each.reason, each.text) for each in answer.rows],
    )
    show.note(f"{len(answer.rows)} of {answer.rejected_count:,} rejected lines")


def cancel(job: str, *, as_json: bool) -> None:
    """Ends a job."""
    found = call("CancelJob", job_id=run_id(job)).job
    if as_json:
        show.document(as_dict(found))
    else:
        show.note(f"{found.id} has ended" if _ended(found) else f"{found.id} is asked to end")


def delete(dataset: str, comment: str, *, dry_run: bool, as_json: bool) -> None:
    """Takes a dataset out."""
    answer = call("DeleteDataset", dataset=dataset, comment=comment, validate_only=dry_run)
    if as_json:
        show.document(as_dict(answer))
    else:
        show.note(f"{answer.rows_removed:,} rows {'would be' if dry_run else 'were'} taken out of the history")


def vacuum(older_h: int, *, dry_run: bool, as_json: bool) -> None:
    """Deletes files that no commit names."""
    answer = call("VacuumHistory", min_age=timedelta(hours=older_h), validate_only=dry_run)
    if as_json:
        show.document(as_dict(answer))
        return
    one = answer.vacuum
    for path in answer.paths:
        print(path)
    words = f"{one.files:,} files, {one.bytes:,} bytes {'would be' if dry_run else 'were'} deleted"
    show.note(f"{words}; {one.kept} stay for loads that go on{f'; {one.error}' if one.error else ''}")


def vacuums(*, as_json: bool) -> None:
    """Shows what vacuums deleted."""
    found = call("ListVacuums", page_size=100).vacuums
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    rows = [
        (each.time.ToDatetime().isoformat(" ", "seconds"), f"{each.files:,}", f"{each.bytes:,}", each.kept, each.error)
        for each in found
    ]
    show.table(("when, UTC", "files ", "bytes ", "kept ", "error"), rows)


def shapes(*, as_json: bool) -> None:
    """Lists the known shapes."""
    from crossrate.files.shapes import shapes as known

    if as_json:
        show.document([each.model_dump(mode="json") for each in known().values()])
        return
    rows = [(each.name, each.kind.value, each.clock, each.title) for each in known().values()]
    show.table(("shape", "rows", "clock", "what"), rows)
