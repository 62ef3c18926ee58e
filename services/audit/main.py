"""The assembly of `audit`, top to bottom."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from crossrate.api.audit.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from crossrate.events import Events
from crossrate.rpc.server import Server
from crossrate.runtime.ending import Parts
from crossrate.runtime.process import Runtime
from crossrate.store import Database, StoreUnavailable
from crossrate.store.requests import RequestLog
from services.audit.consumer import Reader
from services.audit.domain import Retention
from services.audit.keys import Keys
from services.audit.retention import Retaining
from services.audit.service.audit import AuditService
from services.audit.settings import Settings
from services.audit.signing import Signing
from services.audit.store.log import Log
from services.audit.store.reading import Reading
from services.audit.store.tree import LogChanged
from services.audit.witnessing import OwnWitness, Witnessing

MIGRATIONS = Path(__file__).parent / "migrations"
LAST_S_MAX = 5.0
"""How long the last batch and its checkpoint may take at the end; the next instance does what is left."""
FORGET_S = 3600.0


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
    origin = settings.origin or f"{runtime.topology.trust_domain}/audit"
    folder = runtime.place.state / "audit"
    log = Log(database)
    keys = Keys(folder, origin, database, log)
    witnessing = _witnessing(runtime, settings, database, origin, keys)
    signing = Signing(log, keys, origin, witnessing, runtime.log, interval_s=settings.checkpoint_s)
    await signing.check()
    await keys.begin()
    try:
        await log.refresh()
    except LogChanged as error:
        await signing.alarm("LOG_CHANGED", str(error), 0)
    streams = runtime.topology.services[runtime.service].consumes
    reader = Reader(
        log, events, runtime.topology, streams, runtime.log, poll_s=settings.poll_s, batch_max=settings.batch_max
    )
    retaining = Retaining(
        log, Retention.parse(settings.retention_days), runtime.log, interval_s=settings.retention_interval_s
    )
    requests = RequestLog(database)

    server = Server(runtime)
    service = AuditService(log, Reading(database), reader, signing, keys, witnessing, requests, origin)
    server.add(add_AuditServiceServicer_to_server, service)
    server.health.depends_on("postgres", database.check)

    read, signed = asyncio.Event(), asyncio.Event()
    try:
        async with Parts() as parts:
            # A task that fails takes the process down, and the supervisor starts it anew: nothing serves by halves.
            reading = parts.create_task(reader.run(read))
            signs = parts.create_task(signing.run(signed))
            parts.create_task(retaining.run())
            parts.create_task(_forget(requests, settings, runtime.log))
            await server.serve()
            read.set()
            await asyncio.wait([reading], timeout=LAST_S_MAX)
            signed.set()
            await asyncio.wait([signs], timeout=LAST_S_MAX)
    finally:
        if witnessing is not None:
            await witnessing.close()


def _witnessing(runtime: Runtime, settings: Settings, database: Database, origin: str, keys: Keys) -> Witnessing | None:
    if settings.witness == "none":
        return None
    if settings.witness != "own":
        return Witnessing(database, settings.witness, settings.witness_key, None)
    socket = runtime.place.run / "witness.sock"
    own = OwnWitness(runtime.place.state / "witness", socket, origin, keys, runtime.log)
    return Witnessing(database, f"unix:{socket}", "", own)


async def _forget(requests: RequestLog, settings: Settings, log: Any) -> None:
    while True:
        await asyncio.sleep(FORGET_S)
        try:
            await requests.forget(settings.answers_kept_s)
        except StoreUnavailable as error:
            log.warning("old answers were not forgotten", error=str(error))
