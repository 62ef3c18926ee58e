"""What the processes of a mesh take, summed over each one's descendants: memory as proportional set size, and time of
the processor."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = resource.getpagesize()
MIB = 1 << 20


def pss_kib(pid: int) -> int:
    """Proportional set size of one process in KiB: its own pages, and its share of those that it has with others.

    0 if the process is gone or its memory is not ours to see.
    """
    try:
        with Path(f"/proc/{pid}/smaps_rollup").open() as lines:
            for line in lines:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def rss_mib(pid: int) -> float:
    """Resident set size of one process in MiB, as the kernel counts it against a limit: cheap to ask for, and with the
    pages that it has together with others. 0 if the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES / MIB
    except OSError:
        return 0.0


def processor_s(pid: int) -> float:
    """User and system time of one process in seconds since it began, of all its threads and of none of its children.

    The kernel's clock of the process tells it to the nanosecond; where it does not, /proc does, to a hundredth of a
    second. 0 if the process is gone.
    """
    try:
        # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED): clock_getcpuclockid(3), which Python does not have.
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return _processor_s(pid, False)


def _parents() -> dict[int, int]:
    """Parent of every process on this machine, by id."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    return parents


@dataclass(frozen=True, slots=True)
class Taken:
    """What a process takes with its descendants: memory in KiB, and user and system time in seconds since it began,
    that of descendants which have ended included."""

    pss_kib: int = 0
    processor_s: float = 0.0


def _processor_s(pid: int, whole: bool) -> float:
    """0 if the process is gone; `whole` with the time of children that have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # utime, stime, cutime, cstime: proc_pid_stat(5), fields 14 to 17, counted from behind the name.
    return sum(map(int, stat.rsplit(")", 1)[1].split()[11 : 15 if whole else 13])) / os.sysconf("SC_CLK_TCK")


def taken_by_root(roots: Iterable[int]) -> dict[int, Taken]:
    """What each root takes with its descendants, without those descendants that are (below) other roots."""
    wanted = set(roots)
    parents = _parents()
    sums = dict.fromkeys(wanted, Taken())
    # Who has had a root for a child is not told its time a second time when that ends.
    above: set[int] = set()
    for root in wanted:
        ancestor = parents.get(root)
        while ancestor is not None and ancestor not in above:
            above.add(ancestor)
            ancestor = parents.get(ancestor)
    for pid in parents:
        ancestor = pid
        while ancestor is not None and ancestor not in wanted:
            ancestor = parents.get(ancestor)
        if ancestor is not None:
            before = sums[ancestor]
            sums[ancestor] = Taken(
                before.pss_kib + pss_kib(pid), before.processor_s + _processor_s(pid, pid not in above)
            )
    return sums
