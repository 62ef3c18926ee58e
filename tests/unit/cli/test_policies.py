"""What `authz`, `routes` and `explain` say."""

import re

import pytest

from crossrate.cli.policies import EDGE, policies, source, verdict, verdicts
from crossrate.rpc.contract import contracts, find_method
from crossrate.runtime import topology as topologies
from crossrate.runtime.place import REPOSITORY

TOPOLOGY = topologies.load()


@pytest.mark.parametrize(
    ("method", "caller", "allowed"),
    [
        ("GetInstrument", "marketdata", True),
        ("GetInstrument", EDGE, False),  # who proves nothing may nothing
        ("GetInstrument", "control", False),  # the contract names it, the topology does not connect it
        ("GetQuote", "reference", False),
        ("SetInstrumentStatus", EDGE, False),
        ("GetMeshStatus", EDGE, False),
        ("DescribeInstance", EDGE, False),
    ],
)
def test_contract_and_topology_must_both_allow(method: str, caller: str, allowed: bool) -> None:
    """A caller may call what the contract names it for and the topology connects it to."""
    assert verdict(find_method(method), caller, TOPOLOGY).allowed is allowed


def test_the_reason_names_both_sides() -> None:
    """A refusal says what the contract says and what the topology says."""
    found = verdict(find_method("GetInstrument"), "control", TOPOLOGY)
    assert found.contract == "names control"
    assert found.topology == "services.control.calls lacks reference"


@pytest.mark.parametrize("method", contracts().values(), ids=lambda c: c.name)
def test_every_policy_has_a_source_that_exists(method) -> None:
    """The file and line that `explain` names hold the method."""
    file, _, line = source(method).rpartition(":")
    assert f"rpc {method.name}(" in (REPOSITORY / file).read_text().splitlines()[int(line) - 1]
    for what, value, where in policies(method, TOPOLOGY):
        assert what
        assert value
        assert re.match(r"proto/|mesh/topology\.toml|mesh default", where)


@pytest.mark.parametrize("method", contracts().values(), ids=lambda c: c.name)
def test_every_caller_has_a_verdict(method) -> None:
    """Who proves nothing, every client and every other service of the topology are judged, each once."""
    callers = [v.caller for v in verdicts(method, TOPOLOGY)]
    assert (
        len(callers) == len(set(callers)) == 1 + len(TOPOLOGY.clients) + len(set(TOPOLOGY.services) - {method.workload})
    )
