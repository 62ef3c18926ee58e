"""The topology refuses what would not work."""

import pytest

from crossrate.runtime import topology
from crossrate.runtime.topology import FORGETFUL_MIB_MAX, Service, Stream, Topology

OWNER = {"alpha": Service(publishes=("crossrate.alpha.v1.>",))}


def stream(**settings: object) -> Topology:
    """A topology with one stream."""
    made = Stream(owner="alpha", subjects=("crossrate.alpha.v1.>",), **settings)
    return Topology(services=OWNER, streams={"alpha": made})


def test_the_project_s_own_topology_is_one() -> None:
    """It loads, and its streams belong to its services."""
    loaded = topology.load()
    assert {each.owner for each in loaded.streams.values()} <= set(loaded.services)


def test_a_stream_that_forgets_is_small() -> None:
    """A large one would cost the server milliseconds for every message; one that refuses may be of any size."""
    with pytest.raises(ValueError, match=r"streams\.alpha\.max_mib: .* has at most 32, not 33"):
        stream(forget_oldest=True, max_mib=FORGETFUL_MIB_MAX + 1)
    assert stream(forget_oldest=True, max_mib=FORGETFUL_MIB_MAX)
    assert stream(max_mib=1_024)
