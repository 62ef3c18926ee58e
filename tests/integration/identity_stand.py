"""Identity in this process, on a real PostgreSQL, with a clock that tests move; browsers and programs that use it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import grpc
import httpx

from crossrate.api.identity.v1 import (
    access_pb2,
    client_service_pb2_grpc,
    grant_service_pb2_grpc,
    session_service_pb2_grpc,
    user_pb2,
    user_service_pb2_grpc,
)
from crossrate.api.identity.v1 import grant_service_pb2 as grants
from crossrate.api.identity.v1 import user_service_pb2 as users
from crossrate.api.policy.v1 import policy_pb2
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Client, Service, Stream, Topology
from crossrate.store import Database, Entry, Journal
from services.identity.external import ExternalProvider
from services.identity.main import MIGRATIONS, Parts, assemble
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from services.identity.store.writing import STREAM
from tests.ending import within
from tests.integration.conftest import Servers

ISSUER = "https://localhost:8443"
TOPOLOGY = Topology(
    services={
        "control": Service(publishes=("crossrate.control.v1.>",)),
        "identity": Service(publishes=("crossrate.identity.v1.>",), database=True, http=("/oauth2/", "/login/")),
    },
    streams={"identity": Stream(owner="identity", subjects=("crossrate.identity.v1.>",), max_mib=64)},
    clients={"local": Client(roles=("viewer",))},
)
PASSWORD = "correct horse battery staple"
CALLBACK = "http://127.0.0.1:5000/callback"
CLI = "crossrate-cli"
TRADER = access_pb2.Access(
    roles=[policy_pb2.ROLE_TRADER, policy_pb2.ROLE_VIEWER], accounts=["desk-*"], instruments=["*"]
)


class Clock:
    """The time, moved by tests."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Now."""
        return datetime.now(UTC) + self.ahead

    def move(self, seconds: float) -> None:
        """Time passes."""
        self.ahead += timedelta(seconds=seconds)


def edge_headers(**more: str) -> dict[str, str]:
    """What the edge says of a request: from 192.0.2.7, without a certificate unless told."""
    return {
        "x-forwarded-client-cert": "URI=spiffe://crossrate/edge",
        "x-forwarded-for": "192.0.2.7",
        "x-request-id": str(uuid.uuid4()),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def pkce() -> tuple[str, str]:
    """A verifier and its challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token, not verified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@dataclass
class Stand:
    """The service, and who calls it as the local operator."""

    parts: Parts
    database: Database
    clock: Clock
    folder: Path
    channel: grpc.aio.Channel
    users: Any = field(init=False)
    grants: Any = field(init=False)
    clients: Any = field(init=False)
    keys: Any = field(init=False)
    sessions: Any = field(init=False)

    def __post_init__(self) -> None:
        self.users = user_service_pb2_grpc.UserServiceStub(self.channel)
        self.grants = grant_service_pb2_grpc.GrantServiceStub(self.channel)
        self.clients = client_service_pb2_grpc.ClientServiceStub(self.channel)
        self.keys = client_service_pb2_grpc.ApiKeyServiceStub(self.channel)
        self.sessions = session_service_pb2_grpc.SessionServiceStub(self.channel)

    def browser(self, **edge: str) -> Browser:
        """A browser, or a program that has no cookies anyway."""
        return Browser(self.parts.app, edge_headers(**edge))

    async def facts(self, kind: str = "") -> list[Entry]:
        """The journal, or the facts of one kind ("logged_in")."""
        found = [entry async for entry in Journal(self.database).read(STREAM)]
        return [e for e in found if not kind or e.fact.subject.startswith(f"crossrate.identity.v1.{kind}.")]

    async def database_dump(self) -> list[Any]:
        """Every row of every table: what somebody with a copy has."""
        async with self.database.connection() as connection:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
            return [dict(row) for t in tables for row in await connection.fetch(f"SELECT * FROM {t[0]}")]

    async def person(self, name: str, access: access_pb2.Access = TRADER) -> Browser:
        """A person who was invited and has set PASSWORD, in a browser that has logged in."""
        made = await self.users.CreateUser(
            users.CreateUserRequest(
                request_id=str(uuid.uuid4()), user=user_pb2.User(name=name, desk="main"), access=access
            )
        )
        browser = self.browser()
        await browser.accept(made.ticket.url, PASSWORD)
        await browser.login(name, PASSWORD)
        return browser

    async def grant(self, name: str, **access: Any) -> access_pb2.Access:
        """Grants as the local operator."""
        request = grants.GrantAccessRequest(
            request_id=str(uuid.uuid4()), subject=name, access=access_pb2.Access(**access)
        )
        return (await self.grants.GrantAccess(request)).access


class Browser(httpx.AsyncClient):
    """A browser on the pages: keeps cookies, fills in forms, follows nothing by itself."""

    def __init__(self, app: Any, headers: dict[str, str]) -> None:
        transport = httpx.ASGITransport(app=app)
        super().__init__(transport=transport, base_url=ISSUER, headers=headers, timeout=60)

    async def open(self, path: str, **form: str) -> httpx.Response:
        """Opens a page, following redirections within the site."""
        answer = await self.get(path)
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            answer = await self.get(answer.headers["location"])
        return answer

    async def submit(self, page: httpx.Response | str, path: str, **form: str) -> httpx.Response:
        """Sends a form with the word of the page that it stands on."""
        if isinstance(page, str):
            page = await self.open(page)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found, page.text
        return await self.post(path, data={"csrf": found[1], **form}, headers={"origin": ISSUER})

    async def accept(self, url: str, password: str) -> None:
        """Sets a password by a link."""
        parts = urlsplit(url)
        ticket = parse_qs(parts.query)["ticket"][0]
        page = await self.get(f"{parts.path}?{parts.query}")
        done = await self.submit(page, "/login/ticket", ticket=ticket, new=password, again=password)
        assert (done.status_code, done.headers.get("location")) == (303, "/login/"), done.text

    async def login(self, name: str, password: str) -> httpx.Response:
        """A name and a password."""
        return await self.submit("/login/", "/login/", name=name, password=password)

    async def authorize(self, client: str = CLI, redirect_uri: str = CALLBACK, **more: str) -> httpx.Response:
        """A program sends the browser to the authorization endpoint; redirections within the site are followed."""
        query = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": redirect_uri,
            "state": "s-1",
            "code_challenge_method": "S256",
            **more,
        }
        return await self.open(f"/oauth2/authorize?{urlencode({k: v for k, v in query.items() if v})}")

    async def code(self, challenge: str, **more: str) -> str:
        """Says yes and returns the code that the program gets."""
        page = await self.authorize(code_challenge=challenge, **more)
        assert page.status_code == 200, page.text
        done = await self.submit(page, "/oauth2/authorize", answer="yes")
        assert done.status_code == 303, done.text
        back = parse_qs(urlsplit(done.headers["location"]).query)
        assert back["iss"] == [ISSUER]
        return back["code"][0]

    async def token(self, **form: str) -> httpx.Response:
        """Asks the token endpoint."""
        return await self.post("/oauth2/token", data=form)

    async def tokens(self, **more: str) -> dict[str, Any]:
        """The whole way: code with PKCE, exchanged."""
        verifier, challenge = pkce()
        code = await self.code(challenge, **more)
        answer = await self.token(
            grant_type="authorization_code", code=code, redirect_uri=CALLBACK, client_id=CLI, code_verifier=verifier
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refresh(self, token: str) -> httpx.Response:
        """Exchanges a refresh token."""
        return await self.token(grant_type="refresh_token", refresh_token=token, client_id=CLI)


@asynccontextmanager
async def stand(folder: Path, external: ExternalProvider | None = None, **settings: Any) -> AsyncIterator[Stand]:
    """The service with cheap passwords, called through its real server."""
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
        await servers.start_postgres()
        await servers.postgres.provision(TOPOLOGY)
        database = await Database.open(servers.runtime("identity"), MIGRATIONS, connections_max=8)
        runtime = open_runtime(RuntimeSettings(service="identity", instance="identity-1", settle_s=0), servers.place)
        clock, passwords = Clock(), Passwords(memory_kib=64, passes=1)
        wanted = Settings(issuer=ISSUER, logins_per_minute=10_000, **settings)
        parts = await assemble(runtime, wanted, database, passwords, clock, external)
        serving = asyncio.create_task(parts.server.serve())
        async with grpc.aio.insecure_channel(f"unix:{parts.server.socket}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            yield Stand(parts, database, clock, servers.place.state, channel)
        runtime.stopping.set()
        await within(serving, "the end of the server")
        passwords.close()
        await database.close()
    finally:
        await asyncio.to_thread(servers.remove)
