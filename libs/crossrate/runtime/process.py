"""What every process of the platform has around its work: event loop, logs, traces, signals, exit code.

A program is one coroutine, wired by hand:

    async def serve(runtime: Runtime) -> None: ...

    run(serve)

Importing this module imports everything heavy that a service needs but creates no thread and no gRPC object, so a
preloaded parent may import it and fork; `run` is called in the child.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import uvloop
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

import crossrate
from crossrate.runtime import logs, telemetry, topology
from crossrate.runtime.place import Place, place

EXIT_FAILED = 1
"""The program raised."""
EXIT_INVARIANT_BROKEN = 70
"""An invariant broke; the process drained and must be started anew."""


class RuntimeSettings(BaseSettings):
    """Settings that every process has, from the environment as CROSSRATE_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_", frozen=True, extra="ignore")

    service: str = Field(pattern=r"^[a-z]+$")
    instance: str = Field(default="", max_length=64, pattern=r"^([a-z]+-[0-9]+)?$")
    backend: str = Field(default="", pattern=r"^([a-z]+(-[a-z]+)?)?$")
    """The group of instances that a release gives a share of the calls; empty for the service's own."""
    topology: Path | None = None
    log_level: str = Field(default="INFO", pattern=r"^(?i:debug|info|warning|error|critical)$")
    transport: Literal["lean", "grpcio"] = "lean"
    """What carries calls between the service and its proxy: our own transport, or grpc.aio as the reference."""
    access_log: bool = False
    """One log line for every call."""
    otlp_endpoint: str = ""
    """Where traces go; empty: nowhere."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    """Share of calls without a trace of their own that begin one."""
    settle_s: float = Field(default=0.3, ge=0, le=60)
    """Time between an instance's withdrawal and the end of its streams: every proxy has noticed by then."""
    grace_s: float = Field(default=10.0, ge=0, le=600)
    """Longest time that calls in flight get to finish after that."""
    denials_s: float = Field(default=60.0, ge=0.05, le=3600)
    """How often refused calls are told to the log of audit, if there were any."""


@dataclass
class Runtime:
    """A process's surroundings. `stopping` is set by SIGTERM and SIGINT; whoever serves then drains and returns."""

    settings: RuntimeSettings
    place: Place
    topology: topology.Topology
    log: Any
    telemetry: telemetry.Telemetry = field(default_factory=telemetry.Telemetry)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    exit_code: int = 0

    @property
    def service(self) -> str:
        """The service's one word."""
        return self.settings.service

    @property
    def instance(self) -> str:
        """This process's name, "reference-1"."""
        return self.settings.instance or f"{self.settings.service}-1"

    @property
    def version(self) -> str:
        """Version of the program."""
        return os.environ.get("CROSSRATE_VERSION") or crossrate.__version__

    def broken(self) -> None:
        """An invariant broke, so memory cannot be trusted: drains and exits with EXIT_INVARIANT_BROKEN."""
        self.exit_code = EXIT_INVARIANT_BROKEN
        self.stopping.set()


def open_runtime(settings: RuntimeSettings | None = None, where: Place | None = None) -> Runtime:
    """The surroundings of this process, from its environment. Sets up logging.

    Raises:
        pydantic.ValidationError: a setting is missing or wrong.
        ValueError: the topology is wrong.
    """
    settings = settings or RuntimeSettings()
    log = logs.configure(settings.service, settings.instance or f"{settings.service}-1", settings.log_level)
    return Runtime(
        settings=settings,
        place=(where or place()).make(),
        topology=topology.load(settings.topology) if settings.topology else topology.load(),
        log=log,
    )


Serve = Callable[[Runtime], Awaitable[None]]


def run(serve: Serve) -> None:
    """Runs a program until it returns, then exits the process.

    Raises:
        SystemExit: always: 0, EXIT_FAILED if the program raised, or the runtime's own exit code.
    """
    try:
        runtime = open_runtime()
    except (ValueError, OSError) as error:
        sys.exit(f"The process cannot start: {error}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_main(runtime, serve))
    runtime.telemetry.stop()
    sys.exit(code)


async def _main(runtime: Runtime, serve: Serve) -> int:
    log = runtime.log
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: _report(log, context))
    main = asyncio.current_task()
    assert main is not None

    def interrupt() -> None:
        # The first Ctrl-C drains, the second does not wait. SIGTERM may come any number of times.
        if runtime.stopping.is_set():
            main.cancel()
        runtime.stopping.set()

    loop.add_signal_handler(signal.SIGTERM, runtime.stopping.set)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    settings = runtime.settings
    runtime.telemetry = telemetry.Telemetry.start(
        runtime.service, runtime.instance, runtime.version, settings.otlp_endpoint, settings.trace_ratio
    )
    log.info("starting", version=runtime.version, pid=os.getpid())
    try:
        await serve(runtime)
    except asyncio.CancelledError:
        log.warning("interrupted before everything was finished")
        return EXIT_FAILED
    except Exception:
        log.exception("the program failed")
        return EXIT_FAILED
    log.info("stopped", exit_code=runtime.exit_code)
    return runtime.exit_code


def _report(log: Any, context: dict[str, Any]) -> None:
    """Logs what would otherwise be lost: an exception in a callback or in a task that nobody awaits."""
    error = context.get("exception")
    log.error("unhandled in the event loop", detail=context.get("message"), exc_info=error)
