"""The assembly of `pipeline`, top to bottom."""

from __future__ import annotations

import asyncio
from pathlib import Path

from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import add_PipelineServiceServicer_to_server
from crossrate.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay
from services.pipeline.deletion import Deletion
from services.pipeline.housekeeping import Housekeeping
from services.pipeline.service import PipelineService
from services.pipeline.settings import Settings
from services.pipeline.sources.making import Sources
from services.pipeline.store.datasets import DatasetStore
from services.pipeline.store.jobs import JobStore
from services.pipeline.stores import opening
from services.pipeline.workers import Workers

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "pipeline"
"""The stream of the topology that carries the facts."""
LAST_RELAY_S_MAX = 2.0
"""How long the relay may take at the end; what it does not publish then, the next instance does."""
WORKERS_END_S_MAX = 10.0


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    try:
        events = await Events.open(runtime)
        try:
            await _serve(runtime, settings, database, events)
        finally:
            await events.close()
    finally:
        await database.close()


async def _serve(runtime: Runtime, settings: Settings, database: Database, events: Events) -> None:
    store = JobStore(database)
    sources = Sources(settings, runtime.place.state, events, runtime.topology.services[runtime.service].consumes)
    datasets = DatasetStore(database)
    stores = opening(settings.history_url or str(runtime.place.state / "history"))
    workers = Workers(store, settings, runtime.instance, stores, sources, runtime.log)
    deletion = Deletion(store, runtime.instance, stores)
    housekeeping = Housekeeping(store, datasets, settings, stores, runtime.log)
    relay = OutboxRelay(database, events, JETSTREAM)

    server = Server(runtime)
    service = PipelineService(store, datasets, workers, sources, deletion, housekeeping, stores, settings)
    server.add(add_PipelineServiceServicer_to_server, service)
    server.health.depends_on("postgres", database.check)

    served = asyncio.Event()
    async with Parts() as parts:
        # A task that fails takes the process down, and the supervisor starts it anew: no half of an instance serves.
        working = parts.create_task(workers.run(runtime.stopping))
        parts.create_task(housekeeping.run())
        relaying = parts.create_task(relay.run(served))
        await server.serve()
        await asyncio.wait([working], timeout=WORKERS_END_S_MAX)
        served.set()
        await asyncio.wait([relaying], timeout=LAST_RELAY_S_MAX)
