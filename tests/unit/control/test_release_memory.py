"""Memory of candidates against their bounds."""

from __future__ import annotations

from services.control.releases.memory import MemoryWatch
from services.control.releases.nodes import CandidateState, Running
from services.control.releases.rules import Abort


def seen(candidate_mib: float, stable_mib: float = 100.0) -> Running:
    """One instance of each version."""
    state = CandidateState("reference-901", "running", 0, "", "", candidate_mib)
    return Running((state,), {"reference-1": stable_mib})


def test_memory_beyond_its_bound_speaks_against_a_candidate() -> None:
    """At the bound it does not; beyond it the sentence has name, figure and bound, and stays."""
    watch = MemoryWatch(Abort(memory_mib_max=200))
    watch.look(seen(200))
    assert watch.against == ""
    watch.look(seen(201))
    assert watch.against == "reference-901 has 201 MiB of memory, where it may have 200 MiB"
    watch.look(seen(100))
    assert "201 MiB" in watch.against


def test_growth_counts_once_it_has_settled_and_beside_the_stable_version() -> None:
    """What it fills at first is granted, and what stable grows by; an instance that is not running has no memory and
    says nothing; one of stable that shrinks makes nothing worse."""
    now = [0.0]
    watch = MemoryWatch(Abort(memory_growth_mib_max=50, memory_settles_within=10), lambda: now[0])
    for now[0], candidate_mib, stable_mib in ((0, 20, 100), (9, 80, 100), (10, 0, 100), (11, 129, 100), (12, 150, 125)):
        watch.look(seen(candidate_mib, stable_mib))
        assert watch.against == ""
    watch.look(seen(160, 125))
    assert "has grown by 80 MiB to 160 MiB since it settled, the stable version by 25 MiB" in watch.against
    shrunk = MemoryWatch(Abort(memory_growth_mib_max=50, memory_settles_within=0.1))
    shrunk.look(seen(80, 100))
    shrunk.look(seen(120, 40))
    assert shrunk.against == ""


def test_an_instance_that_comes_later_settles_by_itself() -> None:
    """It fills its memory when it takes its first calls, as the one before it did."""
    now = [0.0]
    watch = MemoryWatch(Abort(memory_growth_mib_max=50, memory_settles_within=10), lambda: now[0])
    first = seen(100).candidates[0]
    for now[0], second_mib in ((20, 30), (29, 120), (31, 165)):
        second = CandidateState("reference-902", "running", 0, "", "", second_mib)
        watch.look(Running((first, second), {"reference-1": 100.0}))
        assert watch.against == ""
    watch.look(Running((first, CandidateState("reference-902", "running", 0, "", "", 175)), {"reference-1": 100.0}))
    assert "reference-902 has grown by 55 MiB" in watch.against


def test_without_bounds_memory_says_nothing() -> None:
    """A release that does not ask for it is not taken back for it."""
    watch = MemoryWatch(Abort())
    watch.look(seen(80))
    watch.look(seen(8000))
    assert watch.against == ""
