"""Memory of candidates against their bounds."""

from __future__ import annotations

from services.control.releases.memory import MemoryWatch
from services.control.releases.nodes import CandidateState, Running
from services.control.releases.specification import Abort


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


def test_growth_counts_from_the_first_look_and_beside_the_stable_version() -> None:
    """What stable grows by is granted; an instance that is not running has no memory and says nothing."""
    watch = MemoryWatch(Abort(memory_growth_mib_max=50))
    for candidate_mib, stable_mib in ((80, 100), (0, 100), (129, 100), (150, 125)):
        watch.look(seen(candidate_mib, stable_mib))
        assert watch.against == ""
    watch.look(seen(160, 125))
    assert "has grown by 80 MiB to 160 MiB since its first calls, the stable version by 25 MiB" in watch.against
    shrunk = MemoryWatch(Abort(memory_growth_mib_max=50))
    shrunk.look(seen(80, 100))
    shrunk.look(seen(120, 40))
    assert shrunk.against == ""


def test_without_bounds_memory_says_nothing() -> None:
    """A release that does not ask for it is not taken back for it."""
    watch = MemoryWatch(Abort())
    watch.look(seen(80))
    watch.look(seen(8000))
    assert watch.against == ""
