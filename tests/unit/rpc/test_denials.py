"""Counting calls that were refused for who made them."""

from __future__ import annotations

from crossrate.api.audit.v1.audit_events_pb2 import DENIAL_PLACE_EDGE
from crossrate.rpc.contract import contracts
from crossrate.rpc.denials import KINDS_MAX, OTHERS, SERVICE, Denials
from crossrate.rpc.errors import ErrorReason
from services.control.denials import Paths

PLACE = "crossrate.api.trading.v1.TradingService/PlaceOrder"
REASON = ErrorReason.CALLER_NOT_ALLOWED


def test_calls_alike_are_one_fact_with_the_first_and_the_last_time() -> None:
    """Counts go by method, caller, reason and place, and begin anew when they were taken."""
    denials = Denials(clock_ns=iter((5_000_000_001, 6_000_000_000)).__next__)
    denials.note(PLACE, "user:u-1", REASON, SERVICE)
    denials.note(PLACE, "user:u-1", REASON, SERVICE)
    denials.note(PLACE, "user:u-1", REASON, SERVICE, 4_000_000_000)
    denials.note(PLACE, "user:u-1", REASON, DENIAL_PLACE_EDGE, 7_000_000_000)
    one, other = denials.take()
    assert (one.method, one.actor, one.reason, one.count, one.place) == (
        PLACE,
        "user:u-1",
        "CALLER_NOT_ALLOWED",
        3,
        SERVICE,
    )
    assert (one.first_time.ToNanoseconds(), one.last_time.ToNanoseconds()) == (4_000_000_000, 6_000_000_000)
    assert (other.count, other.place) == (1, DENIAL_PLACE_EDGE)
    assert denials.take() == []


def test_a_flood_of_callers_is_counted_without_their_names() -> None:
    """Beyond the bound no call is lost and no name is kept."""
    denials = Denials()
    for number in range(3 * KINDS_MAX):
        denials.note(PLACE, f"user:{number}", REASON, SERVICE)
    facts = denials.take()
    assert len(facts) == KINDS_MAX + 1
    assert sum(fact.count for fact in facts) == 3 * KINDS_MAX
    assert {fact.actor: fact.count for fact in facts}[OTHERS] == 2 * KINDS_MAX


def test_paths_of_the_edge_lead_to_their_methods() -> None:
    """Every REST binding and every gRPC path is found, whatever stands in its variables; other paths are none's."""
    paths = Paths(contracts())
    for path, contract in contracts().items():
        assert paths.method("POST", path) == path[1:]
        for binding in contract.rest:
            asked = binding.template
            while "{" in asked:
                head, _, rest = asked.partition("{")
                asked = head + "x-1" + rest.partition("}")[2]
            assert paths.method(binding.verb, f"{asked}?q=1") == path[1:]
    assert paths.method("GET", "/v1/instruments/EUR/USD") == "crossrate.api.reference.v1.ReferenceService/GetInstrument"
    assert paths.method("GET", "/v1/instruments/EUR/USD/more") == ""
    assert paths.method("TRACE", "/v1/instruments/EUR/USD") == ""
    assert paths.method("GET", "") == ""
