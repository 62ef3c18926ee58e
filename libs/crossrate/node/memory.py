"""How much memory the processes of a mesh take: proportional set size, summed over each one's descendants."""

from __future__ import annotations

import resource
from collections.abc import Iterable
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


def pss_by_root(roots: Iterable[int]) -> dict[int, int]:
    """PSS in KiB of each root with its descendants, without those descendants that are (below) other roots."""
    wanted = set(roots)
    parents = _parents()
    sums = dict.fromkeys(wanted, 0)
    for pid in parents:
        ancestor: int | None = pid
        while ancestor is not None and ancestor not in wanted:
            ancestor = parents.get(ancestor)
        if ancestor is not None:
            sums[ancestor] += pss_kib(pid)
    return sums
