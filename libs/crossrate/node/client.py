"""What the command line uses: start a mesh in the background, ask its node, stop it. Plain blocking calls."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from crossrate.node import logs
from crossrate.node.leftovers import AlreadyRunning, Lock, clear_run_folder, end_leftovers, running_node
from crossrate.node.progress import MESH, OnProgress, Progress
from crossrate.runtime.place import REPOSITORY, Place

ANSWER_S_MAX = 120.0
"""Longest silence of a node that is asked something: a restart is the longest of what it does."""
STOP_S_MAX = 25.0
PROGRESS_FD = "CROSSRATE_NODE_PROGRESS"
"""Environment variable of a detached node: the descriptor to tell its start to."""


class NodeError(Exception):
    """The node refused, failed or is not there; the message says what to do."""


class NotRunning(NodeError):
    """No mesh runs in this place."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"no mesh is running in {place.state}: start it with `crossrate up`")


def _ignore(progress: Progress) -> None:
    """Nobody listens."""


class NodeClient:
    """A connection to the node of a place. Use it as a context manager, or call `close`.

    Raises:
        NotRunning: nobody answers there.
    """

    def __init__(self, place: Place, *, timeout_s: float = ANSWER_S_MAX) -> None:
        self._place = place
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(place.run / "node.sock"))
        except OSError:
            self._socket.close()
            raise NotRunning(place) from None
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._lines.close()
        self._socket.close()

    def _ask(self, on_progress: OnProgress, **request: Any) -> dict[str, Any]:
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            for line in self._lines:
                answer = json.loads(line)
                if "progress" in answer:
                    on_progress(Progress(**answer["progress"]))
                elif answer["ok"]:
                    return answer
                else:
                    raise NodeError(answer["error"])
        except TimeoutError:
            raise NodeError(f"the node did not answer; its log is {self._place.log('supervisor')}") from None
        except ConnectionError:
            pass
        raise NodeError(f"the node ended in the middle of an answer; its log is {self._place.log('supervisor')}")

    def status(self) -> dict[str, Any]:
        """The whole mesh: `state`, `missing` (sentences), `layout`, `edge`, `ports`, `pss_kib`, and `processes`.

        Each process has `name`, `kind`, `pid` (0 if none), `pss_kib`, `started` (seconds since the epoch), `restarts`,
        `state`, `detail` and `log`.
        """
        return self._ask(_ignore, verb="status")

    def restart(self, service: str, on_progress: OnProgress = _ignore) -> list[str]:
        """Restarts a service or another process; returns the names of the processes that took over.

        Raises:
            NodeError: it does not come back, or nothing is called that.
        """
        return self._ask(on_progress, verb="restart", service=service)["names"]

    def log_paths(self, name: str = "") -> list[Path]:
        """The logs of a process, of a service's instances, or of everything. The one before each is at `<path>.1`."""
        return [Path(path) for path in self._ask(_ignore, verb="logs", name=name)["paths"]]

    def stop(self, on_progress: OnProgress = _ignore) -> int:
        """Has the node take everything down; returns its process id when all processes have ended."""
        return self._ask(on_progress, verb="stop")["pid"]


def start_detached(place: Place, on_progress: OnProgress = _ignore, *, env: dict[str, str] | None = None) -> float:
    """Starts a mesh in the background and returns the seconds until everything was healthy.

    The topology is the default, or the file in CROSSRATE_TOPOLOGY. If the caller is interrupted, the start goes on.

    Raises:
        AlreadyRunning: a mesh runs in this place.
        NodeError: it does not come up; the message says why. Nothing is left running.
    """
    place.make()
    if (pid := running_node(place)) is not None:
        raise AlreadyRunning(pid, place.state)
    began = time.monotonic()
    log = place.log("supervisor")
    logs.begin(log)
    reader, writer = os.pipe()
    output = logs.open_for_append(log)
    environment = dict(env or os.environ) | {"CROSSRATE_STATE": str(place.state), "CROSSRATE_RUN": str(place.run)}
    try:
        node = subprocess.Popen(
            [sys.executable, "-m", "crossrate.node"],
            cwd=REPOSITORY,
            env=environment | {PROGRESS_FD: str(writer)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(writer,),
        )
    finally:
        os.close(output)
        os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            progress = Progress(**json.loads(line))
            on_progress(progress)
            if progress.name == MESH and progress.state == "healthy":
                node.returncode = 0  # it stays; this process is not the one that waits for it
                return time.monotonic() - began
            if progress.name == MESH and progress.state == "failed":
                node.wait(STOP_S_MAX)
                raise NodeError(progress.detail)
    node.wait(STOP_S_MAX)
    raise NodeError(f"the node ended before the mesh was up; the end of {log}:\n{logs.tail(log)}")


def stop(place: Place, on_progress: OnProgress = _ignore) -> bool:
    """Stops the mesh of a place, also one that is starting or does not answer; returns whether there was one.

    Raises:
        NodeError: its node cannot be ended.
    """
    pid = running_node(place)
    if pid is None:
        return _end_what_is_left(place)
    gone = _waiter(pid)
    try:
        with NodeClient(place, timeout_s=STOP_S_MAX) as client:
            client.stop(on_progress)
    except NodeError:
        _signal(pid, signal.SIGTERM)
    if not gone(STOP_S_MAX):
        _signal(pid, signal.SIGKILL)
        if not gone(5.0):
            raise NodeError(f"process {pid}, the node of {place.state}, cannot be ended")
        _end_what_is_left(place)
    return True


def _signal(pid: int, number: int) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _waiter(pid: int) -> Callable[[float], bool]:
    """A function that waits some seconds for this very process to end, and says whether it has."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return lambda seconds: True
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return lambda seconds: bool(poll.poll(seconds * 1000))


def _end_what_is_left(place: Place) -> bool:
    """Ends what a node that was killed left behind."""
    if not place.state.exists():
        return False
    lock = Lock(place)
    lock.take()
    try:
        ended = end_leftovers(place)
        if place.run.exists():
            clear_run_folder(place)
        return bool(ended)
    finally:
        lock.release()
