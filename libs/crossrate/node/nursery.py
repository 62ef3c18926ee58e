"""The supervisor's end of the zygote: starts it, has it fork, reads what its helpers report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossrate.node import logs
from crossrate.node.command import Command
from crossrate.node.process import Child, spawn
from crossrate.runtime.place import REPOSITORY

FORK_S_MAX = 60.0
"""Longest wait for a fork: the zygote may still be importing."""


class ForkError(Exception):
    """The zygote refused or is gone."""


class Nursery:
    """One zygote. What it loaded and what its helpers report goes to `on_report`, each with "from"."""

    def __init__(self, log: Path, programs: Sequence[str], on_report: Callable[[dict[str, Any]], None]) -> None:
        self._log = log
        self._programs = tuple(programs)
        self._on_report = on_report
        self._forks: dict[str, asyncio.Future[int]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._writer: asyncio.StreamWriter | None = None
        self._began = time.time()
        self.child: Child | None = None

    async def start(self) -> Child:
        """Starts the zygote; it imports while the caller goes on."""
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        # The padding gives the children's titles room: a title replaces the argument vector in place.
        argv = (sys.executable, "-m", "crossrate.node.zygote", str(os.getpid()), str(theirs.fileno()), str(write_end))
        command = Command(argv=(*argv, *self._programs), cwd=REPOSITORY, env=child_environment())
        output = logs.open_for_append(self._log)
        self.child = spawn(command, output, signal.SIGKILL, (theirs.fileno(), write_end))
        os.close(output)
        os.close(write_end)
        theirs.close()
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        reports = asyncio.StreamReader(limit=1 << 20)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reports), os.fdopen(read_end, "rb")
        )
        self._readers = [
            asyncio.create_task(self._read(reader, self._answered)),
            asyncio.create_task(self._read(reports, self._on_report)),
        ]
        return self.child

    async def _read(self, reader: asyncio.StreamReader, take: Callable[[dict[str, Any]], None]) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                take(json.loads(line))
        if take == self._answered:
            for waiting in self._forks.values():
                if not waiting.done():
                    waiting.set_exception(
                        ForkError(f"the zygote has ended; the end of its log:\n{logs.tail(self._log)}")
                    )
            self._forks.clear()
            self._writer = None

    def _answered(self, answer: dict[str, Any]) -> None:
        if stage := answer.get("stage"):
            self._on_report({"from": "zygote", "stage": stage})
        elif (name := answer.get("forked")) and (waiting := self._forks.pop(name, None)):
            if not waiting.done():
                waiting.set_result(answer["pid"])
        elif (name := answer.get("refused")) and (waiting := self._forks.pop(name, None)) and not waiting.done():
            waiting.set_exception(ForkError(answer["message"]))

    async def fork(
        self, name: str, stage: str, entry: str, env: Mapping[str, str], log: Path, *, helper: bool = False
    ) -> Child:
        """A new process that runs `entry`: a service's serve, or with `helper` a function that is given a descriptor to
        report to.

        Raises:
            ForkError: it could not be forked; the message says why.
        """
        if self._writer is None or name in self._forks:
            raise ForkError("the zygote is not running" if self._writer is None else f"{name} is being forked already")
        waiting = self._forks[name] = asyncio.get_running_loop().create_future()
        command = {"fork": name, "stage": stage, "entry": entry, "env": dict(env), "log": str(log)}
        command |= {"death_signal": int(signal.SIGKILL), "output": helper}
        self._writer.write(json.dumps(command).encode() + b"\n")
        try:
            async with asyncio.timeout(FORK_S_MAX):
                return Child(await waiting)
        except TimeoutError:
            self._forks.pop(name, None)
            raise ForkError(f"the zygote did not fork {name} within {FORK_S_MAX:.0f} s") from None

    def outdated(self) -> bool:
        """Whether a source file has changed since this zygote began to import."""
        folders = (REPOSITORY / "libs" / "crossrate", REPOSITORY / "services")
        return any(p.stat().st_mtime > self._began for folder in folders for p in folder.rglob("*.py"))

    async def close(self) -> None:
        """Ends the zygote. What it forked goes on."""
        for task in self._readers:
            task.cancel()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.child is not None:
            await self.child.stop(signal.SIGTERM, 1.0)


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of Python processes: ours, with bytecode written and one thread in numpy's algebra.

    A thread that importing numpy starts would make every fork unsafe.
    """
    env = {
        k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("CROSSRATE_NODE_")
    }
    env |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    env |= {"GRPC_ENABLE_FORK_SUPPORT": "0", "PYTHONUNBUFFERED": "1"}
    return env | dict(extra or {})
