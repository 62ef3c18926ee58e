"""The assembly of `reference`, top to bottom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crossrate.api.reference.v1.reference_service_pb2_grpc import add_ReferenceServiceServicer_to_server
from crossrate.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.live_config import LiveConfig
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay, StoreUnavailable
from services.reference.catalogue import Catalogue
from services.reference.follower import Follower
from services.reference.service import ReferenceService
from services.reference.settings import LiveSettings, Settings
from services.reference.store import PostgresStore

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "reference"
"""The stream of the topology that carries the facts."""
LAST_RELAY_S_MAX = 2.0
"""How long the relay may take at the end; what it does not publish then, the next instance does."""


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
    store = PostgresStore(database, runtime.instance)
    states, position = await store.load()
    catalogue = Catalogue(states)
    follower = Follower(
        catalogue,
        store,
        position,
        runtime.log,
        interval_s=settings.follow_interval_s,
        stale_s_max=settings.stale_s_max,
    )
    relay = OutboxRelay(database, events, JETSTREAM)

    live = LiveConfig(LiveSettings)
    await live.watch(events)

    server = Server(runtime)
    server.config = live
    service = ReferenceService(catalogue, store, _now, lambda: live.current)
    server.add(add_ReferenceServiceServicer_to_server, service)
    server.health.depends_on("postgres", follower.check)

    served = asyncio.Event()
    async with Parts() as parts:
        # A task that fails takes the process down, and the supervisor starts it anew: no half of an instance serves.
        parts.create_task(follower.run())
        parts.create_task(_forget(store, settings, runtime.log))
        relaying = parts.create_task(relay.run(served))
        await server.serve()
        served.set()
        await asyncio.wait([relaying], timeout=LAST_RELAY_S_MAX)
    await live.close()


async def _forget(store: PostgresStore, settings: Settings, log: Any) -> None:
    while True:
        await asyncio.sleep(settings.forget_interval_s)
        try:
            count = await store.forget_answers(settings.answers_kept_s)
        except StoreUnavailable as error:
            log.warning("old answers were not forgotten", error=str(error))
        else:
            log.info("forgot old answers", count=count)


def _now() -> datetime:
    return datetime.now(UTC)
