"""A real NATS and a real PostgreSQL, in folders of their own, started and killed by the tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import signal
import socket
import subprocess
import tempfile
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
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Service, Stream, Topology

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


def free_port() -> int:
    """A port below those of outgoing connections that nobody listens on."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


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


class Servers:
    """NATS and PostgreSQL of one mesh."""

    def __init__(self, folder: Path, topology: Topology = TOPOLOGY) -> None:
        self.topology = topology
        self.place = Place((folder / "state").resolve(), folder / "run").make()
        self.postgres = PostgresServer(self.place)
        self.nats = NatsServer(self.place, free_port(), store_mib_max=1_024)
        self.processes: dict[str, subprocess.Popen] = {}

    def runtime(self, service: str, instance: str = "") -> Runtime:
        """A service's runtime."""
        return Runtime(service, self.place, self.topology, instance)

    def issue(self) -> None:
        """Credentials for everybody."""
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
        self.start("postgres", await asyncio.to_thread(self.postgres.prepare))
        await self.postgres.ready()

    def kill(self, name: str, with_signal: int = signal.SIGKILL) -> None:
        """Ends one server and waits for its end."""
        process = self.processes.pop(name)
        process.send_signal(with_signal)
        process.wait(timeout=20)

    def remove(self) -> None:
        """Ends everything and deletes the databases."""
        if "postgres" in self.processes:
            self.kill("postgres", signal.SIGINT)
        if "nats" in self.processes:
            self.kill("nats")
        self.postgres.remove()

    def secret(self, service: str) -> dict[str, Any]:
        """A service's credentials file."""
        return json.loads(self.place.credentials(service).read_text())


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


async def eventually(condition, timeout_s: float = 20.0) -> None:
    """Polls until `condition()` is true; it may be a coroutine function."""
    async with asyncio.timeout(timeout_s):
        while True:
            holds = condition()
            if asyncio.iscoroutine(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(0.02)
