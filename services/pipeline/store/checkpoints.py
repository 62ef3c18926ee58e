"""Checkpoints of loads that are under way, under a worker's lease."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from crossrate.store.database import Database
from services.pipeline.checkpoint import Checkpoint
from services.pipeline.store.jobs import DatasetRow
from services.pipeline.store.ledger import Ledger

if TYPE_CHECKING:
    from crossrate.history.writing import Pending

KEPT_S = 7 * 86_400
"""How long a checkpoint waits for somebody to go on with it once its job has ended."""


def _pending(said: str) -> list[Pending]:
    from crossrate.history.writing import Pending

    return [Pending(**each) for each in json.loads(said)]


async def keep(
    ledger: Ledger, dataset: DatasetRow, digest: str, version: str, job_id: str, checkpoint: Checkpoint
) -> None:
    """Writes down how far a load has come, in the place of what an earlier checkpoint of it said.

    Raises:
        StaleWriter: another has taken the dataset over.
    """
    said = json.dumps([asdict(each) for each in checkpoint.pending])
    async with ledger.fenced() as connection:
        await connection.execute(
            "INSERT INTO checkpoint (dataset, generation, digest, specification_digest, job_id, rows, state, pending) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (dataset, generation, digest) DO UPDATE SET "
            "specification_digest = excluded.specification_digest, job_id = excluded.job_id, rows = excluded.rows, "
            "state = excluded.state, pending = excluded.pending, update_time = clock_timestamp()",
            dataset.name,
            dataset.generation,
            digest,
            version,
            job_id,
            checkpoint.rows,
            checkpoint.state,
            said,
        )


async def found(ledger: Ledger, dataset: DatasetRow, digest: str, version: str) -> Checkpoint | None:
    """What another attempt at the same content by the same specification has left."""
    async with ledger.fenced() as connection:
        row = await connection.fetchrow(
            "SELECT rows, state, pending FROM checkpoint WHERE dataset = $1 AND generation = $2 AND digest = $3 "
            "AND specification_digest = $4",
            dataset.name,
            dataset.generation,
            digest,
            version,
        )
    return Checkpoint(row["rows"], row["state"], _pending(row["pending"])) if row is not None else None


async def drop(ledger: Ledger, dataset: DatasetRow, digest: str = "") -> list[Pending]:
    """Forgets the checkpoint of a content, or all of a dataset; the files that only it named."""
    async with ledger.fenced() as connection:
        rows = await connection.fetch(
            "DELETE FROM checkpoint WHERE dataset = $1 AND generation = $2 AND ($3 = '' OR digest = $3) "
            "RETURNING pending",
            dataset.name,
            dataset.generation,
            digest,
        )
    return [each for row in rows for each in _pending(row["pending"])]


async def named(database: Database) -> list[str]:
    """Paths of all files that a load may go on with. Forgets checkpoints that nobody has gone on with for long."""
    async with database.connection() as connection:
        await connection.execute(
            "DELETE FROM checkpoint c WHERE update_time < now() - $1 * interval '1 second' "
            "AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = c.job_id AND j.state <= 2)",
            KEPT_S,
        )
        rows = await connection.fetch(
            "SELECT each ->> 'path' AS path FROM checkpoint, jsonb_array_elements(pending) each"
        )
    return [row["path"] for row in rows]
