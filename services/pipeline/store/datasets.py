"""Datasets as they are asked about: where they come from, what they are like; and what vacuums deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from crossrate.store.database import Database
from services.pipeline.domain.progress import Span
from services.pipeline.store.jobs import DATASETS, DatasetRow


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file that a dataset has."""

    digest: str
    uri: str
    job_id: str
    specification_digest: str
    lines: int
    rows: int
    rejected: int
    load_time: datetime
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class VacuumRow:
    """A row of `vacuum`."""

    time: datetime
    min_age_s: int
    files: int
    bytes: int
    kept: int
    error: str


VACUUMS_KEPT = 1_000

_FILES = (
    "FROM dataset_file f JOIN dataset d ON d.name = f.dataset AND d.generation = f.generation "
    "WHERE f.dataset = $1 AND f.is_settled"
)
_AFTER = "(f.load_time, f.digest) {} (SELECT o.load_time, o.digest FROM dataset_file o WHERE o.dataset = $1 AND "
_AFTER += "o.generation = d.generation AND o.digest = $2)"


class DatasetStore:
    """The port to datasets for those who ask."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dataset(self, name: str) -> DatasetRow | None:
        """A dataset that has files; None if there is none."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{DATASETS} WHERE d.name = $1 AND f.files > 0", name)
        return DatasetRow.of(row) if row is not None else None

    async def files(self, name: str, after: str, limit: int) -> list[LoadedFile]:
        """Files of a dataset in order of loading, behind the one of a digest."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT f.digest, f.uri, f.job_id, coalesce(j.specification_digest, '') AS specification_digest, "
                "f.lines, f.rows, f.rejected, f.load_time, array(SELECT (s.instrument, s.rows, s.first_time, "
                "s.last_time) FROM dataset_span s WHERE (s.dataset, s.generation, s.digest) = "
                "(f.dataset, f.generation, f.digest) ORDER BY s.instrument) AS spans "
                f"{_FILES.replace(' WHERE', ' LEFT JOIN job j ON j.id = f.job_id WHERE')} "
                f"AND ($2 = '' OR {_AFTER.format('>')}) ORDER BY f.load_time, f.digest LIMIT $3",
                name,
                after,
                limit,
            )
        return [LoadedFile(**{**dict(row), "spans": [Span(*each) for each in row["spans"]]}) for row in rows]

    async def reports(self, name: str, after: tuple[str, int], limit: int) -> list[tuple[str, int, bytes]]:
        """Reports of a dataset's files in order of loading, behind a place: digest, number, message."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT f.digest, r.number, r.message {_FILES.replace(' WHERE', _REPORTS)} "
                f"AND ($2 = '' OR {_AFTER.format('>')} OR (f.digest = $2 AND r.number > $3)) "
                "ORDER BY f.load_time, f.digest, r.number LIMIT $4",
                name,
                *after,
                limit,
            )
        return [tuple(row) for row in rows]

    async def vacuumed(self, connection: asyncpg.Connection, row: VacuumRow) -> None:
        """Keeps what a vacuum did, and the newest of those before."""
        await connection.execute(
            "INSERT INTO vacuum (time, min_age_s, files, bytes, kept, error) VALUES ($1, $2, $3, $4, $5, $6) "
            "ON CONFLICT DO NOTHING",
            row.time,
            row.min_age_s,
            row.files,
            row.bytes,
            row.kept,
            row.error,
        )
        await connection.execute(
            "DELETE FROM vacuum WHERE time < (SELECT min(time) FROM (SELECT time FROM vacuum ORDER BY time DESC "
            "LIMIT $1) newest)",
            VACUUMS_KEPT,
        )

    async def vacuums(self, limit: int) -> list[VacuumRow]:
        """What vacuums did, the newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(VacuumRow.__slots__)} FROM vacuum ORDER BY time DESC LIMIT $1", limit
            )
        return [VacuumRow(**dict(row)) for row in rows]


_REPORTS = " JOIN report r ON r.job_id = f.job_id AND r.file_ordinal = f.ordinal WHERE"
