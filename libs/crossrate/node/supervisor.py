"""The node: brings a mesh up on this machine, keeps it up, takes it down.

    lock ─ leftovers ─ ports ─┬─ zygote: imports ──────────────┬─ fork control ── Envoys ─┬─ healthy
                              └─ (its first fork) provision:   │                          │
                                 nats ┬ postgres, in parallel ─┴─ fork services ──────────┘

One asyncio process that imports nothing heavy: what needs a client of NATS, PostgreSQL or gRPC is forked from the
zygote.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from crossrate.node import logs, ports, proxies
from crossrate.node.command import Command
from crossrate.node.handover import CONTROL, ONLY, decode_command
from crossrate.node.keeper import Keeper, Kept, ProcessFailed, State, describe_exit
from crossrate.node.leftovers import clear_run_folder, forget_instance
from crossrate.node.nursery import ForkError, Nursery, child_environment
from crossrate.node.process import Child, spawn
from crossrate.node.programs import Program, Programs
from crossrate.node.progress import MESH, OnProgress, Progress
from crossrate.node.table import Table
from crossrate.node.zygote import COMPLETE
from crossrate.runtime.place import Place
from crossrate.runtime.topology import Topology

UP_S_MAX = 120.0
"""Longest time to everything healthy: a first start makes a database on a slow disk."""
DOWN_S_MAX = 15.0
POLL_S = 0.02
RETRY_S = 0.2
SOCKET_PATH_BYTES_MAX = 107
GRACE_S = {"service": 11.0, "candidate": 11.0, "proxy": 2.0, "control": 2.0, "zygote": 1.0, "data": 4.0}
"""How long each kind of process may take to end before it is killed."""


class UpFailed(Exception):
    """The mesh does not come up; the message says which process, why, and what to do."""


class Node:
    """One mesh on this machine."""

    def __init__(self, topology: Topology, place: Place, on_progress: OnProgress) -> None:
        self.topology = topology
        self.place = place
        self.stopping = asyncio.Event()
        self.state = "starting"
        self.taken_ports: dict[str, Any] = {}
        self.table = Table(place, self._changed)
        self.programs = Programs(place)
        self.running_program: dict[str, Program] = {}
        self._listeners: list[OnProgress] = [on_progress]
        self._began = time.monotonic()
        self._nursery: Nursery | None = None
        self._commands: dict[str, asyncio.Future[Command]] = {}
        self._provisioned: dict[str, asyncio.Event] = {"nats": asyncio.Event(), "postgres": asyncio.Event()}
        self._trouble: asyncio.Future[None] | None = None
        self._seen: dict[str, dict[str, Any]] = {"instances": {}, "proxies": {}}
        self._epochs: dict[str, int] = {}
        self._recovery: asyncio.Task[None] | None = None
        self._observers = 0
        self._observer: Child | None = None
        self._observing = asyncio.Lock()

    # Progress.

    def tell(self, name: str, state: str, detail: str = "") -> None:
        """Tells every listener."""
        progress = Progress(name, state, round(time.monotonic() - self._began, 3), detail)
        for listener in list(self._listeners):
            listener(progress)

    @contextlib.contextmanager
    def listening(self, listener: OnProgress):
        """Lets one more listen."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _changed(self, keeper: Keeper) -> None:
        self.tell(keeper.name, str(keeper.state), keeper.detail)
        if keeper.state is State.FAILED and keeper.kept.kind != "candidate":
            if self.state == "starting":
                self._fail(ProcessFailed(keeper))
            elif self.state == "healthy":
                self.state = "degraded"
        elif keeper.state is State.RUNNING and self.state in ("healthy", "degraded"):
            self._watch_recovery()

    def mark_ready(self, keeper: Keeper) -> None:
        """A process was seen to do its work."""
        if not keeper.ready:
            keeper.ready = True
            self.tell(keeper.name, "ready")

    def _fail(self, error: Exception) -> None:
        if self._trouble is not None and not self._trouble.done():
            self._trouble.set_exception(error)

    # Coming up.

    async def up(self) -> None:
        """Starts everything and returns when all of it is healthy.

        Raises:
            UpFailed: something does not come up.
        """
        self._trouble = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(self._start_all())
        try:
            async with asyncio.timeout(UP_S_MAX):
                await asyncio.wait({work, self._trouble}, return_when=asyncio.FIRST_COMPLETED)
            if self._trouble.done():
                self._trouble.result()
            work.result()
        except TimeoutError:
            raise UpFailed(f"the mesh was not healthy within {UP_S_MAX:.0f} s: {'; '.join(self.missing())}") from None
        except (ProcessFailed, ForkError, OSError, ports.PortError) as error:
            raise UpFailed(str(error)) from error
        finally:
            work.cancel()
            # What it failed with has been raised above; what it says to being cancelled interests nobody.
            with contextlib.suppress(BaseException):
                await work
            self._trouble.cancel()
        self.state = "healthy"
        self.tell(MESH, "healthy")

    async def _start_all(self) -> None:
        self._check_paths()
        self.table.keep(Kept("zygote", "zygote", self._start_zygote, self._log("zygote"), grace_s=GRACE_S["zygote"]))
        self._ports = ports.Ports(ports.read(self.place))
        self.taken_ports = ports.assign(self.place, self.topology, self._ports)
        await self.table["zygote"].running()
        helper = await self._fork_helper("provision", "data", "crossrate.node.provision:main")
        helper.exited.add_done_callback(self._provision_ended)
        self._keep_data("nats", signal.SIGTERM)
        self._keep_data("postgres", signal.SIGINT)
        await self._provisioned["nats"].wait()
        # control needs NATS alone; its registration of instances needs no order among the others.
        self.keep_instance("control", CONTROL)
        self._start_proxies()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_services())
                group.create_task(self.until_healthy())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _check_paths(self) -> None:
        for name in [f"{backend}-999" for backend in self.topology.backends()]:
            path = str(self.place.service_socket(name))
            if len(path.encode()) > SOCKET_PATH_BYTES_MAX:
                raise UpFailed(
                    f"{path} is longer than the {SOCKET_PATH_BYTES_MAX} bytes that the path of a Unix socket may have: "
                    "choose a shorter folder with CROSSRATE_RUN"
                )

    def _start_proxies(self) -> None:
        for name in proxies.names(self.topology):
            self.table.keep(self._proxy(name))

    async def _start_services(self) -> None:
        await self._provisioned["postgres"].wait()
        for backend, wanted in self.topology.backends().items():
            if backend != "control":
                for number in range(1, wanted.instances + 1):
                    self.keep_instance(backend, f"{backend}-{number}")

    # The kinds of processes.

    def _log(self, name: str):
        path = self.place.log(name)
        if name not in self.table:
            logs.begin(path)
        return path

    async def _start_zygote(self) -> Child:
        # control first: the proxies wait for it.
        services = sorted(self.topology.services, key=lambda service: service != "control")
        programs = [_program(service) for service in services if not self.topology.services[service].command]
        old, self._nursery = self._nursery, Nursery(self.place.log("zygote"), programs, self._reported)
        if old is not None:
            await old.close()
        return await self._nursery.start()

    async def renew_zygote(self) -> None:
        """Replaces the zygote if the programs have changed since it imported them; what it forked goes on."""
        if self._nursery is not None and self._nursery.outdated():
            await self.table["zygote"].restart()

    def _environment(self) -> dict[str, str]:
        return {"CROSSRATE_STATE": str(self.place.state), "CROSSRATE_RUN": str(self.place.run)}

    async def _fork_helper(self, name: str, stage: str, entry: str, **extra: str) -> Child:
        assert self._nursery is not None
        env = self._environment() | extra
        return await self._nursery.fork(name, stage, entry, env, self.place.log("zygote"), helper=True)

    def _program_of(self, backend: str) -> Program:
        """What was promoted for a service, else what the topology says."""
        promoted = self.programs.of(backend)
        return promoted if promoted != Program() else Program(command=self.topology.backends()[backend].command)

    def keep_instance(self, backend: str, instance: str, program: Program | None = None, kind: str = "") -> Keeper:
        """Keeps one instance of a backend running: of its own program, or of a release's candidate."""
        service = backend.partition("-")[0]
        program = program or self._program_of(backend)
        self.running_program[instance] = program
        env = program.with_version() | self._environment()
        env |= {"CROSSRATE_SERVICE": service, "CROSSRATE_INSTANCE": instance, "CROSSRATE_BACKEND": backend}
        log = self._log(instance)
        if self.state in ("stopping", "stopped"):
            raise ForkError(f"the mesh is {self.state}")

        async def start() -> Child:
            if not program.forked:
                return self._run(program.spawned(service, child_environment(env)), log)
            assert self._nursery is not None
            return await self._nursery.fork(instance, _program(service), f"{_program(service)}:serve", env, log)

        kind = kind or ("control" if service == "control" else "service")
        ended: Callable[[], None] = lambda: forget_instance(self.place, instance)  # noqa: E731
        return self.table.keep(Kept(instance, kind, start, log, signal.SIGTERM, GRACE_S[kind], ended))

    def _keep_data(self, name: str, stop_signal: int) -> None:
        log = self._log(name)
        first = True

        async def start() -> Child:
            nonlocal first
            if not first:
                # Remains of a crash have to go before the server starts again.
                self._commands.pop(name, None)
                await self._fork_helper(f"prepare {name}", "data", "crossrate.node.provision:main", **{ONLY: name})
            first = False
            return self._run(await self._command(name), log, stop_signal)

        self.table.keep(Kept(name, "data", start, log, stop_signal, GRACE_S["data"]))

    def _proxy(self, name: str, epoch: int = 0) -> Kept:
        """An Envoy as it is kept: the first, or in a later epoch the successor of the one that runs."""
        log = self._log(name)
        next_epoch = epoch

        async def start() -> Child:
            nonlocal next_epoch
            # After a crash there is nobody to take over from: the next one begins anew.
            chosen, next_epoch = next_epoch, 0
            return self._run(proxies.command(self.place, self.topology, name, chosen), log)

        return Kept(name, "proxy", start, log, signal.SIGTERM, GRACE_S["proxy"])

    def succeed_proxy(self, old: Keeper) -> Keeper:
        """Starts the successor of a running Envoy under its name; the old one stays until the new one ends it."""
        name, epoch = old.name, self._epochs.get(old.name, 0) + 1
        self._epochs[name] = epoch
        self.table.retire(name, f"{name} (before)")
        return self.table.keep(self._proxy(name, epoch))

    def _run(self, command: Command, log, death_signal: int = signal.SIGKILL) -> Child:
        output = logs.open_for_append(log)
        try:
            return spawn(command, output, death_signal)
        finally:
            os.close(output)

    def _command(self, name: str) -> asyncio.Future[Command]:
        if name not in self._commands:
            self._commands[name] = asyncio.get_running_loop().create_future()
        return self._commands[name]

    def _reported(self, report: dict[str, Any]) -> None:
        """What a helper says."""
        if report["from"] == "observer":
            self._seen = report["status"]
        elif report["from"] == "zygote":
            if report["stage"] == COMPLETE:
                self.mark_ready(self.table["zygote"])
        elif name := report.get("command"):
            self._command(name).set_result(decode_command(report["value"]))
        elif (name := report.get("ready")) and name in self.table:
            self._provisioned[name].set()
            self.mark_ready(self.table[name])
        elif name := report.get("failed"):
            error = ForkError(f"{name} cannot be used: {report['message']}\n{logs.tail(self.place.log(name))}".rstrip())
            if not self._command(name).done():
                self._command(name).set_exception(error)
            self._fail(error)

    def _provision_ended(self, exited: asyncio.Future[int]) -> None:
        # What it could tell it has told; this is for one that could not even be imported.
        if code := exited.result():
            end = logs.tail(self.place.log("zygote"))
            error = ForkError(f"NATS and PostgreSQL cannot be prepared: {describe_exit(code)}\n{end}")
            for name in self._provisioned:
                if not self._command(name).done():
                    self._command(name).set_exception(error)
            self._fail(error)

    # Health.

    def missing(self) -> list[str]:
        """What is not as it should be, in sentences; empty when everything is healthy."""
        problems = []
        for keeper in self.table:
            if keeper.state is State.STOPPING or keeper.kept.kind == "candidate":
                continue
            if keeper.state is not State.RUNNING:
                problems.append(f"{keeper.name} is {keeper.state} {keeper.detail}".rstrip())
            elif not keeper.ready:
                problems.append(f"{keeper.name} runs but is not ready{self._why(keeper)}")
        expected = [*proxies.names(self.topology), *(f"{b}-1" for b in self.topology.backends())]
        kinds = {k.name.rsplit("-", 1)[0] for k in self.table.of_kind("service", "control")} | {
            k.name for k in self.table
        }
        problems += [f"{n} is not started" for n in expected if n not in kinds and n.rsplit("-", 1)[0] not in kinds]
        return problems

    def _why(self, keeper: Keeper) -> str:
        if keeper.kept.kind not in ("proxy", "service", "control"):
            return ""
        if keeper.kept.kind == "proxy":
            seen = self._seen["proxies"].get(keeper.name)
            if not seen:
                return ": control has not seen it"
            return f": it refused its configuration: {seen['refused'][0]}" if seen["refused"] else ""
        seen = self._seen["instances"].get(keeper.name)
        return f": control sees it {seen['health']}" if seen else ": control does not see it"

    @contextlib.asynccontextmanager
    async def observing(self):
        """Has control asked for as long as somebody waits."""
        self._observers += 1
        try:
            async with self._observing:
                if self._observer is None or not self._observer.running:
                    self._seen = {"instances": {}, "proxies": {}}
                    self._observer = await self._fork_helper("observer", "services", "crossrate.node.observer:main")
            yield
        finally:
            self._observers -= 1
            async with self._observing:
                if not self._observers and self._observer is not None:
                    self._observer.send(signal.SIGKILL)
                    await self._observer.wait()
                    self._observer = None

    async def until_healthy(self) -> None:
        """Returns when nothing is missing."""
        async with self.observing():
            while not await self.check():  # noqa: ASYNC110 (sockets and ports have no event)
                await asyncio.sleep(POLL_S)

    async def until_up(self) -> None:
        """Returns when the mesh has come up.

        Raises:
            ForkError: it goes down, or has not come up in time.
        """
        end = time.monotonic() + UP_S_MAX
        while self.state == "starting" and time.monotonic() < end:  # noqa: ASYNC110 (a state has no event)
            await asyncio.sleep(POLL_S)
        if self.state not in ("healthy", "degraded"):
            raise ForkError(f"the mesh is {self.state}")

    def _watch_recovery(self) -> None:
        if self._recovery is None or self._recovery.done():
            self._recovery = asyncio.create_task(self._recover())

    async def _recover(self) -> None:
        """Watches until what was started again does its work."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UP_S_MAX):
                while self.missing() and self.state in ("healthy", "degraded"):
                    # The zygote may be what is being started again.
                    with contextlib.suppress(ForkError):
                        await self.until_healthy()
                    await asyncio.sleep(RETRY_S)

    async def check(self) -> bool:
        """Looks at everything that is not ready yet; returns whether all is. Somebody has to be observing."""
        for keeper in self.table:
            if keeper.ready or keeper.state is not State.RUNNING or keeper.child is None:
                continue
            kind = keeper.kept.kind
            if kind in ("service", "control"):
                seen = self._seen["instances"].get(keeper.name, {})
                if seen.get("health") == "SERVING" and seen.get("pid") == keeper.child.pid:
                    self.mark_ready(keeper)
            elif kind == "proxy" and await self._proxy_is_ready(keeper.name):
                self.mark_ready(keeper)
        return not self.missing()

    async def _proxy_is_ready(self, name: str) -> bool:
        seen = self._seen["proxies"].get(name, {})
        if not seen.get("connected") or not await proxies.is_ready(self.place, name):
            return False
        return name != proxies.EDGE or await proxies.accepts(self.topology.edge.address, self.taken_ports["edge"])

    # Going down.

    async def down(self) -> None:
        """Ends everything in the reverse order, within DOWN_S_MAX seconds."""
        self.state = "stopping"
        if self._recovery is not None:
            self._recovery.cancel()
        self._began = time.monotonic()
        for kinds, share_s in (
            (("service", "candidate"), 8.0),
            (("proxy",), 2.0),
            (("control",), 1.5),
            (("zygote",), 0.5),
            (("data",), 3.0),
        ):
            await asyncio.gather(
                *(keeper.stop(min(share_s, GRACE_S[kinds[0]])) for keeper in self.table.of_kind(*kinds))
            )
        if self._nursery is not None:
            await self._nursery.close()
        for keeper in self.table:
            self.table.forget(keeper.name)
        for name in proxies.names(self.topology):
            proxies.forget(self.place, name)
        clear_run_folder(self.place)
        self.state = "stopped"
        self.tell(MESH, "stopped")


def _program(service: str) -> str:
    """The module of a service's program."""
    return f"services.{service}.main"
