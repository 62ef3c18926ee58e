"""Stretches of a stream as files of a job: written down when they begin, because nobody knows them before."""

from __future__ import annotations

from services.pipeline.domain.progress import FileState
from services.pipeline.store.jobs import FileRow
from services.pipeline.store.ledger import Ledger, plain


async def add(ledger: Ledger, job_id: str, uri: str, size_bytes: int) -> FileRow:
    """A stretch as the next file of a job; one that an attempt before had begun, and not ended, is forgotten."""
    async with ledger.fenced() as connection:
        await connection.execute("DELETE FROM job_file WHERE job_id = $1 AND state = 1", job_id)
        ordinal = await connection.fetchval(
            "INSERT INTO job_file (job_id, ordinal, uri, size_bytes) VALUES ($1, (SELECT coalesce(max(ordinal), 0) + 1 "
            "FROM job_file WHERE job_id = $1), $2, $3) RETURNING ordinal",
            job_id,
            plain(uri),
            size_bytes,
        )
    return FileRow(ordinal, uri, size_bytes, FileState.PENDING, "", 0, 0, 0, "", 0)
