"""The assembly of `pricing`, top to bottom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import Gauge

from crossrate.api.pricing.v1.pricing_service_pb2_grpc import add_PricingServiceServicer_to_server
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import add_SnapshotServiceServicer_to_server
from crossrate.kernel import path
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime
from crossrate.store import Database, StoreUnavailable
from services.pricing.kernel_queue import KernelQueue
from services.pricing.library import Library
from services.pricing.peers import MarketData
from services.pricing.pricer import Pricer
from services.pricing.service import PricingService, SnapshotService
from services.pricing.settings import Settings
from services.pricing.store import PostgresStore

KEPT_ROWS = Gauge("crossrate_pricing_kept_rows", "Rows kept for ever, as the planner estimates them", ["table"])
KEPT_BYTES = Gauge("crossrate_pricing_kept_bytes", "Bytes on disk of what is kept for ever, with indexes", ["table"])
MIGRATIONS = Path(__file__).parent / "migrations"


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    runtime.log.info("kernel", build=path.current(), why_not_compiled=path.why_not_compiled())
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    channel = channel_to_mesh(runtime)
    inline_max = settings.elements_inline_max_numpy if path.is_numpy() else settings.elements_inline_max
    queue = KernelQueue(inline_max, settings.elements_piece)
    try:
        store = PostgresStore(database)
        library = Library(
            store, snapshots_held_max=settings.snapshots_held_max, markets_held_max=settings.markets_held_max
        )
        server = Server(runtime)
        snapshots = SnapshotService(store, library, MarketData(channel), _now, new_request_id)
        server.add(add_SnapshotServiceServicer_to_server, snapshots)
        server.add(add_PricingServiceServicer_to_server, PricingService(library, queue, Pricer(queue, _now)))
        # Neither the database nor marketdata is named as a dependency of health: while they are away, markets that
        # requests give and snapshots in memory are priced, and what needs them says so.
        async with asyncio.TaskGroup() as group:
            forgetting = group.create_task(_forget(store, settings, runtime.log))
            measuring = group.create_task(_measure(store, settings, runtime.log))
            await server.serve()
            forgetting.cancel()
            measuring.cancel()
    finally:
        queue.close()
        await channel.close()
        await database.close()


async def _forget(store: PostgresStore, settings: Settings, log: Any) -> None:
    while True:
        await asyncio.sleep(settings.forget_interval_s)
        try:
            count = await store.forget_answers(settings.answers_kept_s)
        except StoreUnavailable as error:
            log.warning("old answers were not forgotten", error=str(error))
        else:
            log.info("forgot old answers", count=count)


async def _measure(store: PostgresStore, settings: Settings, log: Any) -> None:
    """Shows what is kept for ever, so that a disk is enlarged before it is full."""
    while True:
        try:
            for room in await store.rooms():
                KEPT_ROWS.labels(room.table).set(room.rows)
                KEPT_BYTES.labels(room.table).set(room.size_bytes)
        except StoreUnavailable as error:
            log.warning("what is kept was not measured", error=str(error))
        await asyncio.sleep(settings.measure_interval_s)


def _now() -> datetime:
    return datetime.now(UTC)
