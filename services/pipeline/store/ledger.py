"""What a worker writes down of its job and its dataset: every change fenced by the epoch of its lease.

A file is written down before the store has its quotes (`prepare`) and settled after (`finish`). Whoever takes a dataset
over asks the store about what is prepared and not settled (`unsettled`), and writes down what is true.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from crossrate.store.database import Database
from crossrate.store.errors import StaleWriter
from crossrate.store.journal import Fact, Journal, Lease
from services.pipeline.domain.progress import JobState, Outcome, Progress, Span
from services.pipeline.domain.specification import Specification
from services.pipeline.sources import Listed, Mark
from services.pipeline.store.jobs import COLUMNS, DatasetRow, FileRow, Job, dataset_row

STREAM = "datasets"
"""The journal's stream: every dataset that became ready or was deleted."""


@dataclass(frozen=True, slots=True)
class Known:
    """A content that a dataset has, or is about to have."""

    digest: str
    uri: str
    recipe: str
    job_id: str
    ordinal: int
    is_settled: bool


class Ledger:
    """One worker's book, under its lease."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self._database = database
        self.lease = lease
        self._journal = Journal(database)

    @asynccontextmanager
    async def fenced(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction of whoever holds the lease.

        Raises:
            StaleWriter: another has taken it.
        """
        async with self._database.transaction() as connection:
            await self.hold(connection)
            yield connection

    async def hold(self, connection: asyncpg.Connection) -> None:
        """Keeps the lease from being taken until the transaction has ended.

        Raises:
            StaleWriter: another has taken it.
        """
        held = await connection.fetchval(
            "SELECT 1 FROM lease WHERE name = $1 AND epoch = $2 FOR SHARE", self.lease.name, self.lease.epoch
        )
        if held is None:
            raise StaleWriter(self.lease.name, self.lease.epoch)

    # The job

    async def begin(self, job_id: str) -> Job | None:
        """Says that the job is being worked on; None if it has ended meanwhile."""
        async with self.fenced() as connection:
            row = await connection.fetchrow(
                "UPDATE job SET state = 2, attempts = attempts + 1, attempts_in_vain = attempts_in_vain + 1, "
                "error = '', start_time = coalesce(start_time, clock_timestamp()) "
                f"WHERE id = $1 AND state <= 2 RETURNING {COLUMNS}",
                job_id,
            )
        return Job.of(row) if row is not None else None

    async def listed(self, job_id: str, files: Sequence[Listed], progress: Progress) -> None:
        """Keeps what the source has, so that every attempt works on the same files."""
        async with self.fenced() as connection:
            await connection.execute("DELETE FROM job_file WHERE job_id = $1", job_id)
            await connection.executemany(
                "INSERT INTO job_file (job_id, ordinal, uri, size_bytes) VALUES ($1, $2, $3, $4)",
                [(job_id, number, plain(each.uri), each.size_bytes) for number, each in enumerate(files, 1)],
            )
            await connection.execute(
                "UPDATE job SET is_listed = true, progress = $2 WHERE id = $1", job_id, json.dumps(progress.to_dict())
            )

    async def recount(self, job_id: str) -> Job:
        """Counts anew what the job's files say, and returns the job."""
        async with self.fenced() as connection:
            await self._progress(connection, job_id)
            row = await connection.fetchrow(f"SELECT {COLUMNS} FROM job WHERE id = $1", job_id)
        return Job.of(row)

    async def tell(self, job_id: str, progress: Progress) -> bool:
        """Keeps the progress; returns whether the job is to be cancelled."""
        async with self.fenced() as connection:
            return await connection.fetchval(
                "UPDATE job SET progress = $2 WHERE id = $1 RETURNING cancel_requested",
                job_id,
                json.dumps(progress.to_dict()),
            )

    async def end(self, job_id: str, state: JobState, progress: Progress, error: str, facts: Sequence[Fact]) -> None:
        """The job's end, with the facts that it made."""
        async with self.fenced() as connection:
            await connection.execute(
                "UPDATE job SET state = $2, progress = $3, error = $4, end_time = clock_timestamp() "
                "WHERE id = $1 AND state <= 2",
                job_id,
                int(state),
                json.dumps(progress.to_dict()),
                plain(error)[:2000],
            )
            await self._progress(connection, job_id)
            if facts:
                await self._journal.append(connection, self.lease, STREAM, facts)

    # The dataset

    async def open_dataset(self, spec: Specification) -> DatasetRow:
        """The dataset that a job loads into, made if it is not there."""
        async with self.fenced() as connection:
            await connection.execute(
                # One that has nothing yet becomes what is loaded into it first.
                "INSERT INTO dataset (name, venue, kind) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
                "SET venue = excluded.venue, kind = excluded.kind WHERE NOT dataset.is_deleting AND NOT EXISTS "
                "(SELECT 1 FROM dataset_file f WHERE f.dataset = $1 AND f.generation = dataset.generation)",
                spec.target.dataset,
                spec.target.venue,
                int(spec.kind),
            )
            found = await dataset_row(connection, spec.target.dataset)
        assert found is not None
        return found

    async def dataset(self, name: str) -> DatasetRow | None:
        """The dataset as it is now."""
        async with self.fenced() as connection:
            return await dataset_row(connection, name)

    async def known(self, dataset: DatasetRow, digest: str, uri: str) -> list[Known]:
        """What the dataset has of a content, or from a place."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(Known.__slots__)} FROM dataset_file WHERE dataset = $1 AND generation = $2 "
                "AND (digest = $3 OR uri = $4)",
                dataset.name,
                dataset.generation,
                digest,
                plain(uri),
            )
        return [Known(**dict(row)) for row in rows]

    async def unsettled(self, dataset: DatasetRow) -> list[Known]:
        """What was prepared, and of which only the store knows whether it has it."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(Known.__slots__)} FROM dataset_file WHERE dataset = $1 AND generation = $2 "
                "AND NOT is_settled",
                dataset.name,
                dataset.generation,
            )
        return [Known(**dict(row)) for row in rows]

    async def deleting(self, name: str) -> DatasetRow | None:
        """Begins to delete a dataset: from here on it is empty. None if nothing was ever loaded into it."""
        async with self.fenced() as connection:
            found = await dataset_row(connection, name)
            if found is not None and not found.is_deleting:
                await connection.execute(
                    "UPDATE dataset SET is_deleting = true, generation = generation + 1, deleted_rows = $2 "
                    "WHERE name = $1",
                    name,
                    found.rows,
                )
        return found

    async def deleted(self, connection: asyncpg.Connection, name: str, facts: Sequence[Fact]) -> None:
        """Ends a deletion, within a transaction that saw the lease."""
        for table in ("dataset_file", "fetched", "checkpoint"):
            await connection.execute(
                f"DELETE FROM {table} f USING dataset d WHERE f.dataset = $1 AND d.name = $1 "
                "AND f.generation < d.generation",
                name,
            )
        await connection.execute(
            "UPDATE dataset SET is_deleting = false, update_time = clock_timestamp() WHERE name = $1", name
        )
        if facts:
            await self._journal.append(connection, self.lease, STREAM, facts)

    async def deleted_rows(self, name: str) -> int:
        """How many rows the deletion that is under way takes out."""
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT deleted_rows FROM dataset WHERE name = $1", name) or 0

    async def spans(self, dataset: DatasetRow) -> list[tuple[str, str, Span]]:
        """What the contents of the dataset cover: digest, where it came from, span."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT f.digest, f.uri, s.instrument, s.rows, s.first_time, s.last_time FROM dataset_span s "
                "JOIN dataset_file f USING (dataset, generation, digest) WHERE dataset = $1 AND generation = $2",
                dataset.name,
                dataset.generation,
            )
        return [(row[0], row[1], Span(*row[2:])) for row in rows]

    async def forget(self, dataset: DatasetRow, digest: str) -> None:
        """The store does not have what was prepared."""
        async with self.fenced() as connection:
            await connection.execute(
                "DELETE FROM dataset_file WHERE dataset = $1 AND generation = $2 AND digest = $3 AND NOT is_settled",
                dataset.name,
                dataset.generation,
                digest,
            )

    # Files

    async def prepare(
        self, job: Job, file: FileRow, dataset: DatasetRow, recipe: str, outcome: Outcome, reports: Sequence[bytes]
    ) -> None:
        """Writes down what the store is about to have of a file."""
        reading = outcome.reading
        async with self.fenced() as connection:
            await self._found(connection, job, file, outcome, reports)
            key = (dataset.name, dataset.generation, outcome.digest)
            await connection.execute(
                "DELETE FROM dataset_file WHERE dataset = $1 AND generation = $2 AND digest = $3", *key
            )
            await connection.execute(
                "INSERT INTO dataset_file (dataset, generation, digest, uri, recipe, job_id, ordinal, is_settled, "
                "lines, rows, rejected) VALUES ($1, $2, $3, $4, $5, $6, $7, false, $8, $9, $10)",
                *key,
                file.uri,
                recipe,
                job.id,
                file.ordinal,
                reading.lines,
                reading.rows,
                reading.rejected,
            )
            await connection.executemany(
                "INSERT INTO dataset_span (dataset, generation, digest, instrument, rows, first_time, last_time) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                [(*key, each.instrument, each.rows, each.first, each.last) for each in reading.spans],
            )

    async def settle(self, dataset: DatasetRow, known: Known, mark: Mark | None) -> None:
        """The store has what was prepared: the file is loaded, and counts for its job."""
        async with self.fenced() as connection:
            settled = await connection.fetchval(
                "UPDATE dataset_file SET is_settled = true WHERE dataset = $1 AND generation = $2 AND digest = $3 "
                "AND NOT is_settled RETURNING rows",
                dataset.name,
                dataset.generation,
                known.digest,
            )
            if settled is None:
                return
            await connection.execute(
                "DELETE FROM checkpoint WHERE dataset = $1 AND generation = $2 AND digest = $3",
                dataset.name,
                dataset.generation,
                known.digest,
            )
            await connection.execute(
                "UPDATE job_file SET state = 2 WHERE job_id = $1 AND ordinal = $2 AND state = 1",
                known.job_id,
                known.ordinal,
            )
            await connection.execute("UPDATE job SET attempts_in_vain = 0 WHERE id = $1", known.job_id)
            await connection.execute(
                "UPDATE dataset SET job_id = $2, update_time = clock_timestamp(), specification_digest = "
                "coalesce((SELECT specification_digest FROM job WHERE id = $2), specification_digest) WHERE name = $1",
                dataset.name,
                known.job_id,
            )
            await self._progress(connection, known.job_id)
            if mark is not None:
                await self._mark(connection, dataset, known.uri, mark)

    async def finish(
        self,
        job: Job,
        file: FileRow,
        outcome: Outcome,
        reports: Sequence[bytes],
        mark: tuple[DatasetRow, Mark] | None = None,
    ) -> None:
        """A file that is done without having been loaded; with a mark if the dataset has its content."""
        async with self.fenced() as connection:
            await self._found(connection, job, file, outcome, reports)
            await connection.execute("UPDATE job SET attempts_in_vain = 0 WHERE id = $1", job.id)
            await connection.execute(
                "UPDATE job_file SET state = $3 WHERE job_id = $1 AND ordinal = $2",
                job.id,
                file.ordinal,
                int(outcome.state),
            )
            await self._progress(connection, job.id)
            if mark is not None:
                await self._mark(connection, mark[0], file.uri, mark[1])

    async def mark(self, dataset: DatasetRow, url: str) -> Mark | None:
        """What a server said of the content of a URL that is loaded."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT etag, last_modified, digest FROM fetched WHERE dataset = $1 AND generation = $2 AND url = $3",
                dataset.name,
                dataset.generation,
                url,
            )
        return Mark(*row) if row is not None else None

    @staticmethod
    async def _mark(connection: asyncpg.Connection, dataset: DatasetRow, url: str, mark: Mark) -> None:
        await connection.execute(
            "INSERT INTO fetched (dataset, generation, url, etag, last_modified, digest) "
            "VALUES ($1, $2, $3, $4, $5, $6) "
            "ON CONFLICT (dataset, generation, url) DO UPDATE "
            "SET etag = excluded.etag, last_modified = excluded.last_modified, digest = excluded.digest",
            dataset.name,
            dataset.generation,
            url,
            mark.etag,
            mark.last_modified,
            mark.digest,
        )

    @staticmethod
    async def _found(
        connection: asyncpg.Connection, job: Job, file: FileRow, outcome: Outcome, reports: Sequence[bytes]
    ) -> None:
        """What was found in a file; takes the place of what an earlier attempt found."""
        place = (job.id, file.ordinal)
        reading = outcome.reading
        await connection.execute(
            "UPDATE job_file SET digest = $3, lines = $4, rows = $5, rejected = $6, message = $7, size_bytes = $8, "
            "resumed_rows = $9 WHERE job_id = $1 AND ordinal = $2",
            *place,
            outcome.digest,
            reading.lines,
            reading.rows,
            reading.rejected,
            plain(outcome.message)[:2000],
            file.size_bytes,
            reading.resumed,
        )
        await connection.execute("DELETE FROM report WHERE job_id = $1 AND file_ordinal = $2", *place)
        await connection.execute("DELETE FROM rejected_row WHERE job_id = $1 AND file_ordinal = $2", *place)
        await connection.executemany(
            "INSERT INTO report (job_id, file_ordinal, number, message) VALUES ($1, $2, $3, $4)",
            [(*place, number, each) for number, each in enumerate(reports, 1)],
        )
        await connection.executemany(
            "INSERT INTO rejected_row (job_id, file_ordinal, number, member, line, text, reason) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [
                (*place, number, plain(member), each.line, plain(each.text), plain(each.reason))
                for number, (member, each) in enumerate(reading.kept, 1)
            ],
        )

    @staticmethod
    async def _progress(connection: asyncpg.Connection, job_id: str) -> None:
        """The job's counts, out of what its files say: exact after any crash."""
        await connection.execute(_COUNT, job_id)


_COUNT = """
UPDATE job SET progress = progress || (
    SELECT jsonb_build_object(
        'files_total', count(*), 'files_done', count(*) FILTER (WHERE state > 1),
        'files_loaded', count(*) FILTER (WHERE state = 2), 'files_unchanged', count(*) FILTER (WHERE state = 3),
        'files_quarantined', count(*) FILTER (WHERE state = 4), 'files_failed', count(*) FILTER (WHERE state = 5),
        'rows_read', coalesce(sum(rows) FILTER (WHERE state > 1), 0),
        'rows_loaded', coalesce(sum(rows) FILTER (WHERE state = 2), 0),
        'rows_rejected', coalesce(sum(rejected) FILTER (WHERE state > 1), 0),
        'bytes_total', coalesce(sum(size_bytes), 0),
        'bytes_done', coalesce(sum(size_bytes) FILTER (WHERE state > 1), 0),
        'remaining_s', NULL, 'current_file', '')
    FROM job_file WHERE job_id = $1
) WHERE id = $1"""


def plain(value: str) -> str:
    """As PostgreSQL takes it: UTF-8 without NUL."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
