"""Taking a dataset out: its rows leave the store, and its files may be loaded again."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from crossrate.api.pipeline.v1 import pipeline_events_pb2 as events_pb
from crossrate.api.pipeline.v1 import pipeline_service_pb2 as pb
from crossrate.store.errors import LeaseHeld
from crossrate.store.journal import Lease
from services.pipeline.dataset_writer import DELETED, fact
from services.pipeline.store.jobs import JobStore
from services.pipeline.store.ledger import Ledger
from services.pipeline.stores import Stores
from services.pipeline.workers import dataset_lease

LEASE_S = 60.0
"""Longer than a deletion takes."""


class UnknownDataset(Exception):
    """Nothing was ever loaded under that name."""


class Busy(Exception):
    """A job is writing the dataset."""


class Deletion:
    """Deletes datasets.

    Args:
        store: where jobs and datasets are.
        holder: this instance's name.
        stores: that rows are in.
    """

    def __init__(self, store: JobStore, holder: str, stores: Stores) -> None:
        self._store = store
        self._holder = f"{holder}/delete"
        self._stores = stores

    async def rows(self, dataset: str) -> int:
        """How many rows a deletion would take out.

        Raises:
            UnknownDataset: there is none.
        """
        found = await self._store.datasets("", 1, dataset)
        if not found:
            raise UnknownDataset(dataset)
        return found[0].rows

    async def delete(self, dataset: str, comment: str, request_id: str, body: bytes) -> bytes:
        """Deletes a dataset, once for one request id; what a crash cuts off, the repetition ends.

        Raises:
            UnknownDataset: there is none.
            Busy: a job is writing it.
        """
        known = await self._store.requests.known(request_id, body)
        if known is not None:
            return known
        database = self._store.database
        try:
            lease = await Lease.acquire(database, dataset_lease(dataset), self._holder, ttl_s=LEASE_S)
        except LeaseHeld as held:
            raise Busy(f"{held.holder} is writing dataset {dataset}; cancel its job, or wait for its end") from None
        ledger = Ledger(database, lease)
        try:
            found = await ledger.deleting(dataset)
            if found is None or not (found.files or found.is_deleting):
                raise UnknownDataset(dataset)
            target = await asyncio.to_thread(self._stores.of, found.kind)
            await asyncio.to_thread(target.remove, dataset)
            rows = await ledger.deleted_rows(dataset)

            async def work(connection: asyncpg.Connection) -> bytes:
                await ledger.hold(connection)
                event: Any = events_pb.DatasetDeleted(dataset=dataset, rows_removed=rows, comment=comment)
                await ledger.deleted(connection, dataset, [fact(DELETED, dataset, event)])
                return pb.DeleteDatasetResponse(rows_removed=rows).SerializeToString()

            return await self._store.once(request_id, body, work)
        finally:
            await lease.release()
