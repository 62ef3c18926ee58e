"""What benchmarks ask of the machine: processes kept on one core, and their processor time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def _move(pid: int, cores: set[int]) -> None:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def cpu_us(pid: int) -> float:
    """The processor time of a process so far, in microseconds."""
    ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            ns += int((task / "schedstat").read_text().split()[0])
    return ns / 1e3


class IdleShare:
    """What part of the machine's processors had nothing to do since this was made; waiting for a disk is nothing."""

    def __init__(self) -> None:
        self._begun = self._read()

    @staticmethod
    def _read() -> tuple[int, int]:
        """Ticks with nothing to do, and all of them (`/proc/stat`, proc(5)); a guest's are in the user's already."""
        ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return ticks[3] + ticks[4], sum(ticks)

    def now(self) -> float:
        """Between 0 and 1; 0 before the first tick."""
        idle, whole = self._read()
        passed = whole - self._begun[1]
        return max(0.0, idle - self._begun[0]) / passed if passed > 0 else 0.0


@contextlib.contextmanager
def server_on_one_core(pids: Iterable[int]) -> Iterator[bool]:
    """Keeps the processes that serve on one core and this one, which makes the load, on another; then frees them.

    Yields whether it could: with a single core there is nothing to part.
    """
    cores = sorted(os.sched_getaffinity(0))
    served = list(pids)
    if len(cores) < 2:
        yield False
        return
    try:
        for pid in served:
            _move(pid, {cores[0]})
        _move(os.getpid(), {cores[1]})
        yield True
    finally:
        for pid in (*served, os.getpid()):
            with contextlib.suppress(FileNotFoundError):
                _move(pid, set(cores))
