"""The assembly of `pipeline`, top to bottom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossrate.api.pipeline.v1.pipeline_service_pb2_grpc import add_PipelineServiceServicer_to_server
from crossrate.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay, StoreUnavailable
from services.pipeline.deletion import Deletion
from services.pipeline.service import PipelineService
from services.pipeline.settings import Settings
from services.pipeline.sources.making import Sources
from services.pipeline.store.jobs import JobStore
from services.pipeline.workers import Workers

if TYPE_CHECKING:
    from crossrate.history.store import TickStore

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "pipeline"
"""The stream of the topology that carries the facts."""
LAST_RELAY_S_MAX = 2.0
"""How long the relay may take at the end; what it does not publish then, the next instance does."""
FORGET_INTERVAL_S = 3600.0
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
    sources = Sources(settings, runtime.place.state)
    history = opening(settings.history_url or str(runtime.place.state / "history"))
    workers = Workers(store, settings, runtime.instance, history, sources, runtime.log)
    deletion = Deletion(store, runtime.instance, history)
    relay = OutboxRelay(database, events, JETSTREAM)

    server = Server(runtime)
    service = PipelineService(store, workers, sources, deletion, settings)
    server.add(add_PipelineServiceServicer_to_server, service)
    server.health.depends_on("postgres", database.check)

    served = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        # A task that fails takes the process down, and the supervisor starts it anew: no half of an instance serves.
        working = group.create_task(workers.run(runtime.stopping))
        forgetting = group.create_task(_forget(store, settings, runtime.log))
        relaying = group.create_task(relay.run(served))
        await server.serve()
        await asyncio.wait([working], timeout=WORKERS_END_S_MAX)
        served.set()
        await asyncio.wait([relaying], timeout=LAST_RELAY_S_MAX)
        for task in (working, forgetting, relaying):
            task.cancel()


def opening(url: str) -> Callable[[], TickStore]:
    """What opens the store of quotes; pyarrow and delta-rs are imported by the first who needs it."""

    @cache
    def opened() -> TickStore:
        from crossrate.history.store import TickStore

        return TickStore.open(url)

    return opened


async def _forget(store: JobStore, settings: Settings, log: Any) -> None:
    while True:
        await asyncio.sleep(FORGET_INTERVAL_S)
        try:
            count = await store.forget(settings.jobs_kept_s, settings.answers_kept_s)
        except StoreUnavailable as error:
            log.warning("old jobs were not forgotten", error=str(error))
        else:
            log.info("forgot old jobs", count=count)
