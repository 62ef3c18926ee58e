"""A real NATS and a real PostgreSQL, in folders of their own, started and killed by the tests."""

from __future__ import annotations

import asyncio
import atexit
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from crossrate.node import credentials
from crossrate.node.command import Command
from crossrate.node.nats import NatsServer
from crossrate.node.postgres import PostgresServer
from crossrate.node.process import start_ticks
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Service, Stream, Topology
from tests.ports import free_port

TOPOLOGY = Topology(
    services={
        "control": Service(publishes=("crossrate.control.v1.>",)),
        "alpha": Service(publishes=("crossrate.alpha.v1.>",), database=True),
        "beta": Service(publishes=("crossrate.beta.v1.>",), consumes=("alpha",), database=True),
        "gamma": Service(publishes=("crossrate.gamma.v1.>",)),
    },
    streams={"alpha": Stream(owner="alpha", subjects=("crossrate.alpha.v1.>",), max_mib=64)},
)
"""alpha publishes facts, beta reads them, gamma may do neither."""


@dataclass
class Runtime:
    """The part of a service's runtime that events and store use."""

    service: str
    place: Place
    topology: Topology
    instance: str = ""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    log: Any = field(default_factory=structlog.get_logger)

    def __post_init__(self) -> None:
        self.instance = self.instance or f"{self.service}-1"


class Template:
    """The first data folder that initdb has made in this process: the others are copies, which takes a tenth."""

    known: Template | None = None

    def __init__(self, data: Path, secret: str) -> None:
        self.secret = secret
        self._folder = Path(tempfile.mkdtemp(prefix="xr-template-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._copy(data, self._folder / "data")

    def opens_with(self, secret: str) -> bool:
        """Whether the administrator's credentials are those of the template, whatever the addresses in them."""
        return json.loads(self.secret)["nats"]["seed"] == json.loads(secret)["nats"]["seed"]

    def give(self, data: Path) -> None:
        """Makes a data folder."""
        self._copy(self._folder / "data", data)

    def _copy(self, source: Path, target: Path) -> None:
        # With the owner, because root runs the server under another account.
        subprocess.run(["cp", "-a", source, target], check=True, timeout=60)


class Servers:
    """NATS and PostgreSQL of one mesh."""

    def __init__(self, folder: Path, topology: Topology = TOPOLOGY) -> None:
        self.topology = topology
        self.place = Place((folder / "state").resolve(), folder / "run").make()
        self.postgres = PostgresServer(self.place)
        self.nats = NatsServer(self.place, free_port(), store_mib_max=4096)
        self.processes: dict[str, subprocess.Popen] = {}

    def runtime(self, service: str, instance: str = "") -> Runtime:
        """A service's runtime."""
        return Runtime(service, self.place, self.topology, instance)

    def issue(self) -> None:
        """Credentials for everybody; the administrator's password is that of the data folder that will be copied."""
        own = self.place.credentials(credentials.NODE)
        if (known := Template.known) is not None and not own.exists():
            credentials.write_private(own, known.secret)
        credentials.issue(self.place, self.topology, self.nats.url, self.postgres.socket_folder)

    def start(self, name: str, command: Command) -> None:
        """Starts one server; what it prints goes to its log."""
        with self.place.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(command.argv, stdout=log, stderr=log, **command.options())

    async def start_nats(self) -> None:
        """Starts NATS and waits until it answers."""
        self.start("nats", self.nats.prepare(self.topology))
        await self.nats.ready()

    async def start_postgres(self) -> None:
        """Starts PostgreSQL and waits until it answers."""
        self.start("postgres", await asyncio.to_thread(self._prepare_postgres))
        await self.postgres.ready()

    def _prepare_postgres(self) -> Command:
        begins, known = not self.postgres.folder.exists(), Template.known
        own = self.place.credentials(credentials.NODE).read_text()
        if begins and known is not None and known.opens_with(own):
            self.postgres._make_folders()
            known.give(self.postgres.data)
        command = self.postgres.prepare()
        if begins and known is None:
            Template.known = Template(self.postgres.data, own)
        return command

    def kill(self, name: str, with_signal: int = signal.SIGKILL, *, orphans_wait: bool = True) -> None:
        """Ends one server and waits for its end, and, unless told not to, for that of its children.

        A backend of PostgreSQL outlives a killed parent for a moment, in which it may still answer.
        """
        process = self.processes.pop(name)
        orphans = children(process.pid) if orphans_wait else []
        process.send_signal(with_signal)
        process.wait(timeout=60)
        end = time.monotonic() + 60
        while any(start_ticks(pid) == ticks for pid, ticks in orphans):
            assert time.monotonic() < end, f"what {name} has left does not end"
            time.sleep(0.002)

    def remove(self) -> None:
        """Ends everything and deletes the databases."""
        if "postgres" in self.processes:
            # Without a last checkpoint of what is deleted anyway, but with its shared memory.
            self.kill("postgres", signal.SIGQUIT)
        if "nats" in self.processes:
            self.kill("nats")
        self.postgres.remove()

    def secret(self, service: str) -> dict[str, Any]:
        """A service's credentials file."""
        return json.loads(self.place.credentials(service).read_text())


def children(pid: int) -> list[tuple[int, int | None]]:
    """The processes that a process has started, with the moments of their start."""
    named = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [(int(child), ticks) for child in named if (ticks := start_ticks(int(child))) is not None]


async def _servers(folder: Path, *names: str) -> AsyncIterator[Servers]:
    servers = Servers(folder)
    try:
        servers.issue()
        if "nats" in names:
            await servers.start_nats()
            await servers.nats.provision(servers.topology)
        if "postgres" in names:
            await servers.start_postgres()
            await servers.postgres.provision(servers.topology)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@pytest.fixture
def folder():
    """A short folder: a Unix socket's path is at most 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="xr-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """NATS and PostgreSQL, provisioned, a fresh pair for the test."""
    async for made in _servers(folder, "nats", "postgres"):
        yield made


@pytest.fixture
async def nats_server(folder: Path) -> AsyncIterator[Servers]:
    """NATS alone."""
    async for made in _servers(folder, "nats"):
        yield made


@pytest.fixture
async def postgres_server(folder: Path) -> AsyncIterator[Servers]:
    """PostgreSQL alone."""
    async for made in _servers(folder, "postgres"):
        yield made


async def eventually(condition, timeout_s: float = 120.0) -> None:
    """Polls until `condition()` is true; it may be a coroutine function."""
    async with asyncio.timeout(timeout_s):
        while True:
            holds = condition()
            if asyncio.iscoroutine(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(0.02)
