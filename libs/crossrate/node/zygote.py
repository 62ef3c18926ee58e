"""The pre-loaded parent of the Python processes: imports what they need once, then forks one for each instance.

    supervisor ── JSON lines ──► zygote ── fork ──► (gone at once) ── fork ──► instance
        ▲                                                                        │
        └──────────────────── adopts it, reaps it, takes it with it ◄────────────┘

Imports take a second or two, a fork some milliseconds, and pages that nobody writes are shared. Nothing of gRPC exists
and only one thread runs when a process is forked: both would be broken in the child. The instance's parent
is the supervisor (by way of a fork that ends at once), so a zygote may end or be replaced without touching a service.

Commands: {"fork": name, "stage": …, "entry": "module:function", "env": {…}, "log": path, "death_signal": n,
"output": bool}.
Answers: {"stage": …} when a stage is loaded, {"forked": name, "pid": n}, {"refused": name, "message": …}.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossrate.node import logs
from crossrate.node.process import die_with, set_title

STAGES: dict[str, tuple[str, ...]] = {
    "data": ("asyncpg", "nats", "crossrate.node.provision"),
    "services": (
        "uvloop",
        "grpc",
        "grpc.aio",
        "grpc_health.v1.health_pb2_grpc",
        "grpc_reflection.v1alpha.reflection_pb2_grpc",
        "crossrate.rpc.contract",
        "crossrate.rpc.server",
        "crossrate.runtime.process",
        "crossrate.events",
        "crossrate.store",
        "crossrate.node.observer",
    ),
}
"""What is imported, in this order. The services' programs follow, each a stage of its own name."""

COMPLETE = "complete"
"""The stage after the last program."""

REPARENT_S_MAX = 5.0


class Zygote:
    """The loop: imports between commands, then commands alone."""

    def __init__(self, supervisor: int, commands: socket.socket, output: int) -> None:
        self._supervisor = supervisor
        self._commands = commands
        self._output = output
        self._buffer = b""
        self._waiting: list[dict[str, Any]] = []
        self._loaded: set[str] = set()

    def run(self, programs: Sequence[str]) -> None:
        """Loads every stage and program, then serves commands until the supervisor is gone."""
        stages = [*STAGES.items(), *((program, (program,)) for program in programs), (COMPLETE, ())]
        for stage, modules in stages:
            for module in modules:
                self._import(module)
                self._serve(wait=False)
            self._loaded.add(stage)
            if stage == COMPLETE:
                gc.collect()
            # What is frozen is never looked at by a child's collector, so its pages stay shared.
            gc.freeze()
            self._answer({"stage": stage})
            self._serve(wait=False)
        while True:
            self._serve(wait=True)

    def _import(self, module: str) -> None:
        try:
            importlib.import_module(module)
        except Exception:
            # Told here once, and again to whoever asks for a process that needs it.
            traceback.print_exc()

    def _serve(self, wait: bool) -> None:
        while select.select([self._commands], [], [], None if wait else 0)[0]:
            chunk = self._commands.recv(65536)
            if not chunk:
                os._exit(0)
            *lines, self._buffer = (self._buffer + chunk).split(b"\n")
            self._waiting += [json.loads(line) for line in lines]
            wait = False
        due = [c for c in self._waiting if c["stage"] in self._loaded]
        self._waiting = [c for c in self._waiting if c["stage"] not in self._loaded]
        for command in due:
            self._fork(command)

    def _answer(self, message: dict[str, Any]) -> None:
        self._commands.sendall(json.dumps(message).encode() + b"\n")

    def _fork(self, command: dict[str, Any]) -> None:
        threads = len(list(Path("/proc/self/task").iterdir()))
        if threads != 1:
            self._answer(
                {"refused": command["fork"], "message": f"{threads} threads run in the zygote: a fork is not safe"}
            )
            return
        reader, writer = os.pipe()
        go_between = os.fork()
        if go_between == 0:
            itself = os.getpid()
            instance = os.fork()
            if instance == 0:
                os.close(reader)
                os.close(writer)
                self._become(command, itself)
            os.write(writer, str(instance).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(go_between, 0)
        pid = os.read(reader, 20)
        os.close(reader)
        if pid:
            self._answer({"forked": command["fork"], "pid": int(pid)})
        else:
            self._answer({"refused": command["fork"], "message": "the fork failed: not enough memory or process ids"})

    def _become(self, command: dict[str, Any], go_between: int) -> None:
        """Turns the forked child into the instance. Does not return."""
        code = 1
        try:
            self._adopt(command, go_between)
            module, function = command["entry"].split(":")
            entry = getattr(importlib.import_module(module), function)
            if command.get("output"):
                entry(self._output)
                code = 0
            else:
                from crossrate.runtime.process import run

                run(entry)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            # A log that cannot be written must not keep the process from ending with its code.
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _adopt(self, command: dict[str, Any], go_between: int) -> None:
        log = logs.open_for_append(Path(command["log"]))
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        deadline = time.monotonic() + REPARENT_S_MAX
        while os.getppid() == go_between and time.monotonic() < deadline:
            time.sleep(0.0002)
        die_with(self._supervisor, command["death_signal"])
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        self._commands.close()
        if not command.get("output"):
            os.close(self._output)
        os.environ.update(command["env"])
        sys.argv = [command["fork"]]
        set_title(f"crossrate {command['fork']}")
        gc.enable()


def main() -> None:
    """python -m crossrate.node.zygote <supervisor's pid> <command descriptor> <output descriptor> <program> …"""
    supervisor, commands, output, *programs = sys.argv[1:]
    # Ctrl-C of a terminal is the supervisor's to handle, and it does not reach another session anyway.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    set_title("crossrate zygote")
    Zygote(int(supervisor), socket.socket(fileno=int(commands)), int(output)).run(programs)


if __name__ == "__main__":
    main()
