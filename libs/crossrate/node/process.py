"""Starting processes that cannot outlive the node, and watching them without a race on process ids.

Linux only: a child asks the kernel to be signalled when its parent ends (PR_SET_PDEATHSIG), so a supervisor that is
killed -9 leaves nothing running; and every child is held by a pidfd, which never comes to mean another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from pathlib import Path

from crossrate.node.command import Command

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: int | bytes) -> None:
    value = argument if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    if _libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")


def die_with(parent: int, death_signal: int) -> None:
    """Has the kernel send this process `death_signal` when its parent's main thread ends.

    To be called in the child, after any change of user, which would clear it. If the parent is gone already, the
    process ends here.
    """
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_title(title: str) -> None:
    """Shows `title` as this process's command line (`ps`, /proc/<pid>/cmdline), as far as the old one gives room."""
    _prctl(_PR_SET_NAME, title.encode()[:15] + b"\0")
    fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, fields 48 and 49 of proc(5)
    if start and end > start:
        room = end - start
        ctypes.memmove(start, title.encode()[: room - 1].ljust(room, b"\0"), room)


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def working_in(folder: Path, program: str, proc: Path = Path("/proc")) -> list[int]:
    """Ids of the processes of a program whose working folder is `folder`, up to the end of their memory.

    A process that ends loses its program's name first, then its memory, with what it shares of it, and only then its
    working folder: in between it has a folder and no name, and counts.

    Args:
        folder: as the kernel names it, without links.
        program: how the name of the executable file begins.
        proc: where the kernel shows processes.
    """
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == folder and _runs(entry, program):
                    found.append(int(entry.name))
    return found


def _runs(entry: Path, program: str) -> bool:
    try:
        return (entry / "exe").readlink().name.startswith(program)
    except FileNotFoundError:
        return True


class Child:
    """A process whose parent is this one. `exited` holds its exit code: negative for the signal that ended it."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.pid = pid
        self.start_ticks = start_ticks(pid)
        self.exited: asyncio.Future[int] = loop.create_future()
        self._popen = popen
        self._pidfd = os.pidfd_open(pid)
        self._loop = loop
        loop.add_reader(self._pidfd, self._reap)

    @property
    def running(self) -> bool:
        """Whether it has not been reaped yet."""
        return not self.exited.done()

    def _reap(self) -> None:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid, 0
        if pid == 0:
            return
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        code = os.waitstatus_to_exitcode(status)
        if self._popen is not None:
            self._popen.returncode = code
        self.exited.set_result(code)

    def send(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    async def wait(self) -> int:
        """Its exit code, when it has ended."""
        return await asyncio.shield(self.exited)

    async def stop(self, stop_signal: int, grace_s: float) -> int:
        """Asks it to end, kills it after `grace_s`, and returns its exit code."""
        self.send(stop_signal)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                return await self.wait()
        self.send(signal.SIGKILL)
        return await self.wait()


def reap_orphans(known: set[int]) -> None:
    """Removes ended processes that were adopted; never one whose id is in `known`, which its Child reaps."""
    for stat in _children_of(os.getpid()):
        if stat not in known:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(stat, os.WNOHANG)


def _children_of(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def spawn(command: Command, output: int, death_signal: int = signal.SIGKILL, pass_fds: tuple[int, ...] = ()) -> Child:
    """Starts a program in a session of its own, its output going to the descriptor `output`.

    To be called from the main thread: the kernel ties PR_SET_PDEATHSIG to the thread that forks.

    Raises:
        OSError: it could not be started.
    """
    parent = os.getpid()
    popen = subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=pass_fds,
        preexec_fn=lambda: die_with(parent, death_signal),  # runs after the change of user
        **command.options(),
    )
    return Child(popen.pid, popen)
