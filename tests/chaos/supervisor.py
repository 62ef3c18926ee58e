"""Processes of a mesh that are killed, stopped and started again: NATS, PostgreSQL and instances of services.

name          is
nats          the server, always on the same port
postgres      the server, always on the same socket
marketdata-a  whoever stands in that place: a successor has a number of its own, as after a restart in a mesh
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.integration.conftest import Servers

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("nats", "postgres")
READY_S_MAX = 120.0
LOG_BYTES = 3_000
_PATH = f"{ROOT / 'libs'}{os.pathsep}{ROOT}"


class Supervisor:
    """See the module.

    Attributes:
        servers: NATS and PostgreSQL.
        instances: who stands in each place now, by the name of the place.
        starts: how many processes were started.
    """

    def __init__(self, servers: Servers, settings: Mapping[str, Mapping[str, str]]) -> None:
        """For one mesh.

        Args:
            servers: of the mesh; not started yet.
            settings: environment of each service's instances.
        """
        self.servers = servers
        self.instances: dict[str, str] = {}
        self.starts = 0
        self._settings = settings
        self._running: dict[str, subprocess.Popen] = {}
        self._numbers: dict[str, int] = {}

    def socket(self, place: str) -> str:
        """The address of whoever stands in a place."""
        return f"unix:{self.servers.place.service_socket(self.instances[place])}"

    def ready_socket(self, place: str) -> str:
        """The same once it serves, as a proxy would see it; empty before."""
        registered = self.servers.place.registration(self.instances[place]).exists()
        return self.socket(place) if registered else ""

    async def spawn(self, name: str) -> None:
        """Starts a process, and does not wait until it serves."""
        self.starts += 1
        if name in SERVERS:
            self._running[name] = await self._server(name)
            return
        service = name.partition("-")[0]
        self._numbers[service] = self._numbers.get(service, 0) + 1
        instance = self.instances[name] = f"{service}-{self._numbers[service]}"
        place = self.servers.place
        environment = os.environ | dict(self._settings.get(service, {}))
        environment |= {"CROSSRATE_SERVICE": service, "CROSSRATE_INSTANCE": instance}
        environment |= {"CROSSRATE_STATE": str(place.state), "CROSSRATE_RUN": str(place.run)}
        environment["PYTHONPATH"] = _PATH
        program = [sys.executable, "-m", f"services.{service}"]
        with place.log(instance).open("ab") as log:
            self._running[name] = _begun(program, log, cwd=ROOT, env=environment)

    async def _server(self, name: str) -> subprocess.Popen:
        servers, place = self.servers, self.servers.place
        with place.log(name).open("ab") as log:
            if name == "postgres":
                command = await asyncio.to_thread(servers.postgres.prepare)
            else:
                command = await asyncio.to_thread(servers.nats.prepare, servers.topology)
            return _begun(command.argv, log, **command.options())

    async def ready(self, name: str) -> None:
        """Returns when a process serves.

        Raises:
            AssertionError: it has ended, or does not serve in time; with the end of its log.
        """
        try:
            async with asyncio.timeout(READY_S_MAX):
                if name in SERVERS:
                    await self._answering(name)
                if name == "nats":
                    # Streams in memory went with it; the node makes them again after every start.
                    await self.servers.nats.provision(self.servers.topology)
                elif name not in SERVERS:
                    registration = self.servers.place.registration(self.instances[name])
                    while not registration.exists():
                        assert self._running[name].poll() is None, self._said(name)
                        await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{name} does not serve: {self._said(name)}") from None

    async def _answering(self, name: str) -> None:
        """Returns when a server answers; it may have ended before it could."""
        server = self.servers.nats if name == "nats" else self.servers.postgres
        answering = asyncio.ensure_future(server.ready())
        try:
            while not answering.done():
                code = self._running[name].poll()
                assert code is None, f"{name} ended with {code}: {self._said(name)}"
                await asyncio.wait([answering], timeout=0.1)
            await answering
        finally:
            answering.cancel()

    def last_words(self) -> str:
        """Who runs, and the end of everybody's log."""
        running = {name: process.poll() is None for name, process in self._running.items()}
        return "\n".join([str(running), *(f"--- {name}\n{self._said(name)}" for name in self._running)])

    def _said(self, name: str) -> str:
        return self.servers.place.log(self.instances.get(name, name)).read_text()[-LOG_BYTES:]

    async def all_ready(self) -> None:
        """Returns when everybody serves."""
        for name in list(self._running):
            await self.ready(name)

    async def kill(self, name: str) -> None:
        """SIGKILL."""
        process = self._running.pop(name)
        process.kill()
        await asyncio.to_thread(process.wait, 20)

    def stop(self, name: str) -> None:
        """SIGSTOP to a process and its children."""
        self._signal(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """SIGCONT."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self._running.get(name)
        for pid in () if process is None else (process.pid, *children(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def remove(self) -> None:
        """Ends everybody, and deletes the databases."""
        for name in [name for name in self._running if name != "postgres"]:
            await self.kill(name)
        if "postgres" in self._running:
            # It has children that a kill leaves to find out by themselves.
            process = self._running.pop("postgres")
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(process.wait, 20)
        await asyncio.to_thread(self.servers.remove)


def _begun(program: Sequence[str], log: IO[bytes], **options: Any) -> subprocess.Popen:
    return subprocess.Popen(program, stdout=log, stderr=log, **options)


def children(pid: int) -> list[int]:
    """Ids of the processes that a process has started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
