"""The assembly of `identity`, top to bottom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crossrate.api.identity.v1.client_service_pb2_grpc import (
    add_ApiKeyServiceServicer_to_server,
    add_ClientServiceServicer_to_server,
)
from crossrate.api.identity.v1.grant_service_pb2_grpc import add_GrantServiceServicer_to_server
from crossrate.api.identity.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from crossrate.api.identity.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from crossrate.events import Events
from crossrate.rpc.http_listener import HttpListener
from crossrate.rpc.server import Server
from crossrate.runtime import ending
from crossrate.runtime.place import Place
from crossrate.runtime.process import Runtime
from crossrate.store import Database, OutboxRelay
from services.identity import first
from services.identity.external import ExternalProvider
from services.identity.keeping import Keeping
from services.identity.oauth.tokens import Tokens
from services.identity.passwords import Passwords
from services.identity.reading import Reading
from services.identity.service.clients import ApiKeyService, ClientService
from services.identity.service.grants import GrantService
from services.identity.service.sessions import SessionService
from services.identity.service.users import UserService
from services.identity.settings import External, Settings
from services.identity.signing import Signer
from services.identity.store.writing import Writer
from services.identity.vault import Vault
from services.identity.web.app import application
from services.identity.web.site import Site

MIGRATIONS = Path(__file__).parent / "migrations"
JETSTREAM = "identity"
"""The stream of the topology that carries the facts."""
LAST_RELAY_S_MAX = 2.0


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    database = await Database.open(runtime, MIGRATIONS, connections_max=settings.connections_max)
    passwords = Passwords(memory_kib=settings.password_memory_kib)
    try:
        events = await Events.open(runtime)
        try:
            await _serve(runtime, settings, database, events, passwords)
        finally:
            await events.close()
    finally:
        passwords.close()
        await database.close()


@dataclass(frozen=True, slots=True)
class Parts:
    """What an instance is made of."""

    writer: Writer
    signer: Signer
    keeping: Keeping
    site: Site
    app: Any
    """The ASGI application."""
    server: Server


async def assemble(
    runtime: Runtime,
    settings: Settings,
    database: Database,
    passwords: Passwords,
    clock: Callable[[], datetime],
    external: ExternalProvider | None,
) -> Parts:
    """Wires an instance, with keys to sign with and, at the very first start, with somebody who may log in."""
    log, issuer = runtime.log, settings.issuer or local_issuer(runtime.place)
    vault = Vault.open(runtime.place.state / "identity" / "vault.key")
    writer = Writer(database, vault, runtime.instance, clock)
    signer = Signer(issuer)
    keeping = Keeping(writer, vault, signer, settings, clock, log)
    await keeping.refresh()
    await first.begin(writer, passwords, issuer, runtime.place.state, log)

    giving = Tokens(writer, signer, settings, external, clock, log)
    reading = Reading(database, signer, clock)
    first_login = first.first_login_file(runtime.place.state)
    trusted = runtime.topology.trust_domain
    site = Site(writer, vault, passwords, signer, settings, clock, trusted, first_login, external, log)
    server = Server(runtime)
    server.add(add_UserServiceServicer_to_server, UserService(writer, settings, issuer))
    server.add(add_GrantServiceServicer_to_server, GrantService(writer))
    server.add(add_ClientServiceServicer_to_server, ClientService(writer))
    server.add(add_ApiKeyServiceServicer_to_server, ApiKeyService(writer))
    server.add(add_SessionServiceServicer_to_server, SessionService(writer, reading, keeping, clock))
    server.health.depends_on("postgres", database.check)
    server.health.depends_on("signing keys", keeping.check)
    return Parts(writer, signer, keeping, site, application(site, giving, reading), server)


async def _serve(
    runtime: Runtime, settings: Settings, database: Database, events: Events, passwords: Passwords
) -> None:
    outside = External()
    external = ExternalProvider(outside) if outside.issuer else None
    parts = await assemble(runtime, settings, database, passwords, _now, external)
    listener = HttpListener(runtime, parts.app)
    parts.server.health.depends_on("http", listener.check)
    relay = OutboxRelay(database, events, JETSTREAM)

    served = asyncio.Event()
    async with ending.Parts() as beside:
        # A task that fails takes the process down, and the supervisor starts it anew: no half of an instance serves.
        beside.create_task(parts.keeping.run())
        relaying = beside.create_task(relay.run(served))
        async with listener:
            await parts.server.serve()
        served.set()
        await asyncio.wait([relaying], timeout=LAST_RELAY_S_MAX)


def local_issuer(place: Place) -> str:
    """Where clients of this machine reach the edge."""
    return f"https://localhost:{json.loads(place.ports.read_text())['edge']}"


def _now() -> datetime:
    return datetime.now(UTC)
