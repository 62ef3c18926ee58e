"""What the node tells of candidates and of a service's own instances."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from crossrate.node.candidates import CANDIDATE, Candidates
from crossrate.node.keeper import State
from services.control.releases.nodes import _instances


def keeper(name: str, pid: int | None) -> Any:
    """A kept process."""
    child = None if pid is None else SimpleNamespace(pid=pid)
    return SimpleNamespace(name=name, child=child, state=State.RUNNING, restarts=0, detail="")


def test_memory_and_processor_time_of_both_versions_are_told_with_the_moment_of_reading() -> None:
    """Control reads them as they are: of a process that runs what the kernel says, of one that does not 0."""
    kept = {
        CANDIDATE: [keeper("reference-901", os.getpid()), keeper("pricing-901", os.getpid())],
        "service": [keeper("reference-1", os.getpid()), keeper("reference-2", None)],
    }
    node: Any = SimpleNamespace(table=SimpleNamespace(of_kind=lambda kind: kept[kind]))
    candidates = Candidates(node, SimpleNamespace())  # type: ignore[arg-type]
    before = _instances(candidates.state("reference"))
    # Some work, in this process, which is all of them.
    assert sum(range(200_000))
    after = _instances(candidates.state("reference"))
    assert [state.name for state in after.candidates] == ["reference-901"]
    assert after.candidates[0].rss_mib > 1
    assert after.candidates[0].processor_s > before.candidates[0].processor_s > 0
    assert after.stable_processor_s["reference-1"] > before.stable_processor_s["reference-1"]
    assert after.stable_processor_s["reference-2"] == after.stable_rss_mib["reference-2"] == 0
    assert after.read_s > before.read_s
