"""What a crashed node may have left: processes, sockets, registrations. Found and ended before the next start.

Every process is recorded with its start time. An id alone means nothing after a crash: it may be anybody's by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from crossrate.node.process import start_ticks
from crossrate.runtime.place import Place

END_S_MAX = 10.0
"""Longest wait for leftovers that were asked to end; then they are killed."""


class AlreadyRunning(Exception):
    """Another node has this place."""

    def __init__(self, pid: int | None, state: Path) -> None:
        self.pid = pid
        who = f" (process {pid})" if pid else ""
        super().__init__(
            f"the mesh in {state} is already running{who}: `crossrate status` shows it, `crossrate down` stops it"
        )


class Lock:
    """Held by the one node of a place for as long as it lives: the kernel lets go of it however the node ends."""

    def __init__(self, place: Place) -> None:
        self._path = place.state / "node.lock"
        self._state = place.state
        self._fd: int | None = None

    def take(self) -> None:
        """Takes it.

        Raises:
            AlreadyRunning: another process has it.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _number(os.pread(fd, 20, 0))
            os.close(fd)
            raise AlreadyRunning(pid, self._state) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Lets it go."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def running_node(place: Place) -> int | None:
    """The process id of the node that has this place, or None."""
    lock = Lock(place)
    if not lock._path.exists():
        return None
    fd = os.open(lock._path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Shared, so that two who only ask do not see each other as the node.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _number(os.pread(fd, 20, 0)) or 0
    else:
        return None
    finally:
        os.close(fd)


def _number(raw: bytes) -> int | None:
    return int(raw) if raw.strip().isdigit() else None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One running process: `start_ticks` since boot tells it from a later one of the same id."""

    name: str
    pid: int
    start_ticks: int
    stop_signal: int = signal.SIGTERM

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_ticks(self.pid) == self.start_ticks


class Records:
    """The file of running processes, replaced whole at each change."""

    def __init__(self, place: Place) -> None:
        self._path = place.state / "processes.json"

    def write(self, processes: list[Recorded]) -> None:
        """Replaces the file; no processes remove it."""
        if not processes:
            self._path.unlink(missing_ok=True)
            return
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"boot": _boot(), "processes": [asdict(p) for p in processes]}))
        draft.chmod(0o600)
        draft.rename(self._path)

    def read(self) -> list[Recorded]:
        """Those that were running, unless the machine was started anew since; a broken file counts as none."""
        try:
            document = json.loads(self._path.read_text())
            if document["boot"] != _boot():
                return []
            return [Recorded(**entry) for entry in document["processes"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def end_leftovers(place: Place) -> list[str]:
    """Ends what a node that is gone left running, and returns the names. To be called with the lock held.

    Each gets its own stop signal, and SIGKILL after END_S_MAX seconds. It is held by its pidfd and checked again,
    so that nothing else can be hit.
    """
    held: list[tuple[Recorded, int]] = []
    for process in Records(place).read():
        with contextlib.suppress(OSError):
            pidfd = os.pidfd_open(process.pid)
            if process.alive:
                held.append((process, pidfd))
            else:
                os.close(pidfd)
    waiting = select.poll()
    for process, pidfd in held:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, process.stop_signal)
        waiting.register(pidfd, select.POLLIN)
    left = {pidfd for _, pidfd in held}
    deadline = time.monotonic() + END_S_MAX
    killed = False
    while left:
        for pidfd, _ in waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            waiting.unregister(pidfd)
            left.discard(pidfd)
        if left and time.monotonic() >= deadline:
            if killed:
                break
            killed, deadline = True, time.monotonic() + 2
            for pidfd in left:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for _, pidfd in held:
        os.close(pidfd)
    Records(place).write([])
    return [process.name for process, _ in held]


def clear_run_folder(place: Place) -> None:
    """Removes sockets, registrations and ports of a node that is gone. To be called with the lock held."""
    for folder in (place.run / "s", place.run / "o", place.registrations):
        if folder.is_dir():
            shutil.rmtree(folder)
    for pattern in ("*.sock", "*.sock.lock"):
        for path in place.run.glob(pattern):
            path.unlink(missing_ok=True)
    place.make()


def forget_instance(place: Place, instance: str) -> None:
    """Removes the registration and the socket of an instance that ended without doing so."""
    place.registration(instance).unlink(missing_ok=True)
    place.service_socket(instance).unlink(missing_ok=True)
