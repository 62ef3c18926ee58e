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
