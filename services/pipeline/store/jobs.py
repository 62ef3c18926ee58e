"""Jobs: accepted, read, cancelled, forgotten. What a worker writes stands in `ledger.py`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from crossrate.store.database import Database
from crossrate.store.errors import StoreError
from crossrate.store.requests import RequestLog
from services.pipeline.domain.progress import FileState, JobState, Progress, RowKind
from services.pipeline.domain.specification import Specification

Answer = Callable[["Job"], bytes]
"""The answer to a request about a job."""


class TooManyJobs(StoreError):
    """No more jobs may wait."""


class UnknownJob(StoreError):
    """There is no job of that id."""


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `job`."""

    id: str
    name: str
    dataset: str
    venue: str
    state: JobState
    dry_run: bool
    specification: str
    specification_digest: str
    is_local: bool
    progress: Progress
    error: str
    cancel_requested: bool
    is_listed: bool
    attempts: int
    attempts_in_vain: int
    create_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Job:
        """From a row."""
        values = dict(row)
        values["progress"] = Progress.of(json.loads(values["progress"]))
        values["state"] = JobState(values["state"])
        return cls(**values)

    @classmethod
    def accepted(cls, id: str, spec: Specification, *, dry_run: bool, is_local: bool) -> Job:
        """A job that nobody has begun."""
        target = spec.target
        return cls(
            id=id,
            name=spec.name,
            dataset=target.dataset,
            venue=target.venue,
            state=JobState.QUEUED,
            dry_run=dry_run,
            specification=spec.to_json(),
            specification_digest=spec.digest,
            is_local=is_local,
            progress=Progress(),
            error="",
            cancel_requested=False,
            is_listed=False,
            attempts=0,
            attempts_in_vain=0,
            create_time=None,
            start_time=None,
            end_time=None,
        )


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of `job_file`."""

    ordinal: int
    uri: str
    size_bytes: int
    state: FileState
    digest: str
    lines: int
    rows: int
    rejected: int
    message: str
    resumed_rows: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row of `rejected_row`."""

    file_ordinal: int
    number: int
    member: str
    line: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset with the sums of its files."""

    name: str
    venue: str
    kind: RowKind
    generation: int
    is_deleting: bool
    job_id: str
    specification_digest: str
    update_time: datetime
    instruments: list[str]
    files: int
    lines: int
    rows: int
    rejected: int
    first_time: int | None
    last_time: int | None
    digest: str

    @classmethod
    def of(cls, row: asyncpg.Record) -> DatasetRow:
        """From a row."""
        return cls(**{**dict(row), "kind": RowKind(row["kind"])})


COLUMNS = ", ".join(Job.__slots__)

DATASETS = """
SELECT d.name, d.venue, d.kind, d.generation, d.is_deleting, d.job_id, d.specification_digest, d.update_time,
    coalesce(s.instruments, '{}') AS instruments, f.files, f.lines, f.rows, f.rejected, s.first_time, s.last_time,
    f.digest
FROM dataset d
CROSS JOIN LATERAL (
    SELECT count(*) AS files, coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(rows), 0)::bigint AS rows,
        coalesce(sum(rejected), 0)::bigint AS rejected,
        encode(sha256(convert_to(coalesce(string_agg(digest, '' ORDER BY digest), ''), 'UTF8')), 'hex') AS digest
    FROM dataset_file f WHERE f.dataset = d.name AND f.generation = d.generation AND f.is_settled
) f
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT s.instrument) AS instruments, min(s.first_time) AS first_time,
        max(s.last_time) AS last_time
    FROM dataset_span s JOIN dataset_file f USING (dataset, generation, digest)
    WHERE s.dataset = d.name AND s.generation = d.generation AND f.is_settled
) s
"""


class JobStore:
    """The port to jobs and to what was found in them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.requests = RequestLog(database)

    async def start(self, job: Job, request_id: str, body: bytes, waiting_max: int, answer: Answer) -> bytes:
        """Accepts a job, once for one request id.

        Raises:
            TooManyJobs: as many wait as may.
            RequestIdReused, OutcomeUnknown, StoreUnavailable: see RequestLog.once.
        """

        async def work(connection: asyncpg.Connection) -> bytes:
            waiting = await connection.fetchval("SELECT count(*) FROM job WHERE state = 1")
            if waiting >= waiting_max:
                raise TooManyJobs(f"{waiting} jobs wait")
            row = await connection.fetchrow(
                "INSERT INTO job (id, name, dataset, venue, state, dry_run, specification, specification_digest, "
                f"is_local) VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8) RETURNING {COLUMNS}",
                job.id,
                job.name,
                job.dataset,
                job.venue,
                job.dry_run,
                job.specification,
                job.specification_digest,
                job.is_local,
            )
            return answer(Job.of(row))

        return await self.requests.once(request_id, body, work)

    async def cancel(self, job_id: str, request_id: str, body: bytes, answer: Answer) -> bytes:
        """Asks a job to end; one that nobody has begun ends at once.

        Raises:
            UnknownJob: there is none.
        """

        async def work(connection: asyncpg.Connection) -> bytes:
            row = await connection.fetchrow(
                "UPDATE job SET cancel_requested = cancel_requested OR state <= 2, "
                "end_time = CASE WHEN state = 1 THEN clock_timestamp() ELSE end_time END, "
                "error = CASE WHEN state = 1 THEN '' ELSE error END, "
                f"state = CASE WHEN state = 1 THEN 6 ELSE state END WHERE id = $1 RETURNING {COLUMNS}",
                job_id,
            )
            if row is None:
                raise UnknownJob(job_id)
            return answer(Job.of(row))

        return await self.requests.once(request_id, body, work)

    async def once(self, request_id: str, body: bytes, work: Callable[[asyncpg.Connection], Awaitable[bytes]]) -> bytes:
        """See RequestLog.once."""
        return await self.requests.once(request_id, body, work)

    async def job(self, job_id: str) -> Job:
        """One job.

        Raises:
            UnknownJob: there is none.
        """
        async with self.database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {COLUMNS} FROM job WHERE id = $1", job_id)
        if row is None:
            raise UnknownJob(job_id)
        return Job.of(row)

    async def jobs(self, dataset: str, before: str, limit: int) -> list[Job]:
        """Jobs before an id, the newest first."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {COLUMNS} FROM job WHERE ($1 = '' OR dataset = $1) AND ($2 = '' OR id < $2) "
                "ORDER BY id DESC LIMIT $3",
                dataset,
                before,
                limit,
            )
        return [Job.of(row) for row in rows]

    async def open_jobs(self, limit: int) -> list[Job]:
        """Jobs that have not ended, the oldest first; of each dataset only the first, whose turn it is."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT * FROM (SELECT DISTINCT ON (CASE WHEN dry_run THEN id ELSE dataset END) {COLUMNS} "
                "FROM job WHERE state <= 2 ORDER BY CASE WHEN dry_run THEN id ELSE dataset END, id) AS first "
                "ORDER BY id LIMIT $1",
                limit,
            )
        return [Job.of(row) for row in rows]

    async def files(self, job_id: str, after: int, limit: int) -> list[FileRow]:
        """Files of a job after an ordinal."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(FileRow.__slots__)} FROM job_file WHERE job_id = $1 AND ordinal > $2 "
                "ORDER BY ordinal LIMIT $3",
                job_id,
                after,
                limit,
            )
        return [FileRow(**{**dict(row), "state": FileState(row["state"])}) for row in rows]

    async def reports(self, job_id: str, after: tuple[int, int], limit: int) -> list[tuple[int, int, bytes]]:
        """Reports of a job after a place: file, number, message."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT file_ordinal, number, message FROM report WHERE job_id = $1 "
                "AND (file_ordinal, number) > ($2, $3) ORDER BY file_ordinal, number LIMIT $4",
                job_id,
                *after,
                limit,
            )
        return [tuple(row) for row in rows]

    async def rejected(self, job_id: str, after: tuple[int, int], limit: int) -> list[RejectedRow]:
        """Rejected rows of a job after a place."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(RejectedRow.__slots__)} FROM rejected_row WHERE job_id = $1 "
                "AND (file_ordinal, number) > ($2, $3) ORDER BY file_ordinal, number LIMIT $4",
                job_id,
                *after,
                limit,
            )
        return [RejectedRow(**dict(row)) for row in rows]

    async def datasets(self, after: str, limit: int, name: str = "") -> list[DatasetRow]:
        """Datasets that have files, after a name, or the one of a name."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                f"{DATASETS} WHERE d.name > $1 AND ($3 = '' OR d.name = $3) AND f.files > 0 ORDER BY d.name LIMIT $2",
                after,
                limit,
                name,
            )
        return [DatasetRow.of(row) for row in rows]

    async def forget(self, jobs_kept_s: float, answers_kept_s: float) -> int:
        """Deletes jobs that ended longer ago, with their reports and rejected rows, and old answers. Those stay whose
        files a dataset has: they are its lineage.

        Returns:
            how many jobs; at most 1,000 a call.
        """
        async with self.database.connection() as connection:
            status = await connection.execute(
                "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state > 2 "
                "AND end_time < now() - $1 * interval '1 second' AND NOT EXISTS (SELECT 1 FROM dataset_file f "
                "JOIN dataset d ON d.name = f.dataset AND d.generation = f.generation WHERE f.job_id = job.id) "
                "ORDER BY id LIMIT 1000)",
                jobs_kept_s,
            )
        await self.requests.forget(answers_kept_s)
        return int(status.split()[-1])


async def dataset_row(connection: asyncpg.Connection, name: str) -> DatasetRow | None:
    """A dataset within a transaction; None if nothing was ever loaded into it."""
    row = await connection.fetchrow(f"{DATASETS} WHERE d.name = $1", name)
    return DatasetRow.of(row) if row is not None else None
