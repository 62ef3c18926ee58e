"""What `crossrate pipeline` does: calls to the pipeline's own socket as the local operator."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
import tomllib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

INSTANCE = "pipeline-1"
AWAY_S_MAX = 60.0
"""How long the pipeline may be away while a job is watched, as in a restart."""
LAST = "last"


def _call(name: str, **fields: Any) -> Any:
    """One call; a request gets an id if it has one."""
    from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
    from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import PipelineServiceStub

    request = getattr(pb, f"{name}Request")(**fields)
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = str(uuid.uuid4())

    async def made() -> Any:
        async with reach.instance(INSTANCE) as channel:
            return await getattr(PipelineServiceStub(channel), name)(request)

    return asyncio.run(made())


def _job_id(job: str) -> str:
    """The id that a person means.

    Raises:
        CommandError: it is none, or there is no job yet.
    """
    if job == LAST:
        jobs = _call("ListJobs", page_size=1).jobs
        if not jobs:
            raise CommandError("there is no job yet", "start one with `crossrate pipeline run FILE`")
        return jobs[0].id
    try:
        return str(uuid.UUID(job))
    except ValueError:
        remedy = "`crossrate pipeline status` lists them; `last` is the newest"
        raise CommandError(f"{job!r} is no id of a job", remedy) from None


def read(file: Path) -> str:
    """A job's file as JSON, with paths that count from the file's folder made absolute.

    Raises:
        CommandError: it is no TOML or JSON.
    """
    try:
        content = file.read_text()
        value = json.loads(content) if file.suffix == ".json" else tomllib.loads(content)
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} is no job: {error}", "see `crossrate pipeline --help` for an example") from None
    source = value.get("source") if isinstance(value, dict) else None
    if isinstance(source, dict) and source.get("kind") == "files" and isinstance(source.get("paths"), list):
        folder = file.resolve().parent
        paths = [Path(folder, Path(each).expanduser()) if isinstance(each, str) else each for each in source["paths"]]
        source["paths"] = [_plain(each) if isinstance(each, Path) else each for each in paths]
    return json.dumps(value, default=str)


def _plain(path: Path) -> str:
    """A path without `..`, as far as that can be told from its words."""
    return os.path.normpath(path)


def run(file: Path, *, check: bool, dry_run: bool, detach: bool, as_json: bool) -> int:
    """Carries a job out; returns the command's exit code."""
    from crossrate.api.pipeline.v1 import job_pb2
    from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb

    said = {"specification": read(file), "format": pb.SPECIFICATION_FORMAT_JSON}
    job = _call("StartJob", **said, dry_run=dry_run, validate_only=check).job
    if check:
        show.document(as_dict(job)) if as_json else show.note(f"{file} is right: it would load {job.dataset}")
        return 0
    if detach:
        show.document(as_dict(job)) if as_json else print(job.id)
        return 0
    try:
        with _bar(job, as_json) as moved:
            job = asyncio.run(_followed(job, moved))
    except KeyboardInterrupt:
        show.note(f"the job goes on; `crossrate pipeline cancel {job.id}` ends it")
        raise
    if as_json:
        show.document(as_dict(job))
    else:
        _tell(job)
    return 0 if job.state == job_pb2.JOB_STATE_SUCCEEDED else 1


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
        show.note(f"{at.rows_rejected:,} lines rejected: crossrate pipeline rejected {job.id}")
    if job.error:
        show.aside().print(job.error, markup=False)
    if at.files_quarantined or at.files_failed:
        for each in _call("ListJobFiles", job_id=job.id, page_size=1000).files:
            if each.message:
                show.aside().print(f"{each.uri}: {each.message}", markup=False)


def status(job: str, lines: int, *, as_json: bool) -> None:
    """Shows jobs, or one with its files."""
    from crossrate.api.pipeline.v1 import job_pb2

    if not job:
        jobs = _call("ListJobs", page_size=lines).jobs
        if as_json:
            show.document([as_dict(each) for each in jobs])
            return
        rows = []
        for each in jobs:
            at, created = each.progress, each.create_time.ToDatetime().isoformat(" ", "seconds")
            counts = (f"{at.rows_loaded:,}", f"{at.files_done}/{at.files_total}")
            rows.append((each.id, each.name, each.dataset, _state(each), *counts, created))
        show.table(("job", "name", "dataset", "state", "rows loaded ", "files ", "created, UTC"), rows)
        return
    found = _call("GetJob", job_id=_job_id(job)).job
    files = _call("ListJobFiles", job_id=found.id, page_size=lines).files
    if as_json:
        show.document({"job": as_dict(found), "files": [as_dict(each) for each in files]})
        return
    _tell(found)
    named = job_pb2.FileState.Name
    rows = [
        (each.ordinal, named(each.state).removeprefix("FILE_STATE_").lower(), f"{each.rows:,}", each.rejected, each.uri)
        for each in files
    ]
    show.table(("file ", "state", "rows ", "rejected ", "from"), rows)


def report(job: str, *, as_json: bool) -> None:
    """Shows the quality of a job's files."""
    reports = _call("GetQualityReport", job_id=_job_id(job), page_size=1000).reports
    if as_json:
        show.document([as_dict(each) for each in reports])
        return
    counts = ("crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "gaps", "rejected")
    rows = []
    for each in reports:
        times = [t.ToDatetime().isoformat(" ", "seconds") for t in (each.first_time, each.last_time)]
        broken = [f"{f.rule} {f.figure:.4g} > {f.limit:.4g}" for f in each.findings if not f.holds]
        verdict = show.mark("; ".join(broken) or "good", not broken)
        rows.append((each.file_ordinal, each.instrument, f"{each.rows:,}", *times, *(getattr(each, c) for c in counts)))
        rows[-1] = (*rows[-1], verdict)
    names = (f"{count.replace('_', ' ')} " for count in counts)
    show.table(("file ", "instrument", "rows ", "first, UTC", "last, UTC", *names, "verdict"), rows)


def rejected(job: str, lines: int, *, as_json: bool) -> None:
    """Shows lines that are no quotes."""
    answer = _call("ListRejectedRows", job_id=_job_id(job), page_size=lines)
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
    found = _call("CancelJob", job_id=_job_id(job)).job
    if as_json:
        show.document(as_dict(found))
    else:
        show.note(f"{found.id} has ended" if _ended(found) else f"{found.id} is asked to end")


def datasets(*, as_json: bool) -> None:
    """Shows what was loaded."""
    found = _call("ListDatasets", page_size=1000).datasets
    if as_json:
        show.document([as_dict(each) for each in found])
        return
    rows = [
        (
            each.name,
            each.venue,
            ", ".join(each.instruments),
            f"{each.rows_out:,}",
            each.files,
            each.first_time.ToDatetime().isoformat(" ", "seconds"),
            each.last_time.ToDatetime().isoformat(" ", "seconds"),
            each.digest[:12],
        )
        for each in found
    ]
    show.table(("dataset", "venue", "instruments", "rows ", "files ", "first, UTC", "last, UTC", "digest"), rows)


def delete(dataset: str, comment: str, *, dry_run: bool, as_json: bool) -> None:
    """Takes a dataset out."""
    answer = _call("DeleteDataset", dataset=dataset, comment=comment, validate_only=dry_run)
    if as_json:
        show.document(as_dict(answer))
    else:
        show.note(f"{answer.rows_removed:,} rows {'would be' if dry_run else 'were'} taken out of the history")


def shapes(*, as_json: bool) -> None:
    """Lists the known shapes."""
    from crossrate.files.shapes import shapes as known

    if as_json:
        show.document([each.model_dump(mode="json") for each in known().values()])
        return
    rows = [(each.name, each.kind.value, each.clock, each.title) for each in known().values()]
    show.table(("shape", "rows", "clock", "what"), rows)
