"""Who calls, read from what the proxy says, and what the caller may do."""

import pytest

from crossrate.rpc.caller import CACHED_MAX, Callers, allowed_callers
from crossrate.rpc.contract import contracts
from crossrate.runtime import topology

CALLERS = Callers("crossrate")


def test_no_header_is_the_local_operator():
    """Without the proxy's header the call came over the owner's socket."""
    assert CALLERS.name(None) == "local"


@pytest.mark.parametrize(
    ("header", "caller"),
    [
        ("By=spiffe://crossrate/reference;Hash=ab12;URI=spiffe://crossrate/marketdata", "marketdata"),
        ("URI=spiffe://crossrate/edge", "edge"),
        ('By=spiffe://crossrate/a;Subject="CN=x";URI="spiffe://crossrate/edge"', "edge"),
        ("URI=spiffe://crossrate/ledger,By=spiffe://crossrate/b;URI=spiffe://crossrate/risk", "risk"),
        ('Subject="x;URI=spiffe://crossrate/edge"', ""),
        ('Subject="x,URI=spiffe://crossrate/edge', ""),
        ("URI=spiffe://elsewhere/edge", ""),
        ("URI=spiffe://crossrate/edge/more", ""),
        ("URI=spiffe://crossrate/local", ""),
        ("URI=spiffe://crossrate/a;URI=spiffe://crossrate/b", ""),
        ("By=spiffe://crossrate/reference", ""),
        ("URI=spiffe://crossrate/edge,", "edge"),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_caller_is_the_nearest_peers_one_identity(header, caller):
    """The caller is the word in the one SPIFFE id of the nearest proxy's peer; anything else proves nobody."""
    assert CALLERS.name(header) == caller


def test_what_is_remembered_is_bounded():
    """Callers that invent headers fill no memory."""
    callers = Callers("crossrate")
    for i in range(3 * CACHED_MAX):
        callers.name(f"Hash={i:x};URI=spiffe://crossrate/edge")
    assert len(callers._known) <= CACHED_MAX


def test_contract_and_topology_must_both_allow_a_service():
    """A service may call a method only if the method's policy names it and the topology lets it call the service."""
    mesh = topology.load()
    get = contracts()["/crossrate.api.reference.v1.ReferenceService/GetInstrument"]
    halt = contracts()["/crossrate.api.reference.v1.ReferenceService/SetInstrumentStatus"]
    describe = contracts()["/crossrate.api.instance.v1.InstanceService/DescribeInstance"]
    assert allowed_callers(get, mesh) == {"local", "edge", "marketdata", "pricing", "risk"}
    assert allowed_callers(halt, mesh) == {"local", "edge", "risk"}
    assert allowed_callers(describe, mesh) == {"local"}
