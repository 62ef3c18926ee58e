"""The mark of a release of several services on its way: what is served hands it on."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from crossrate.rpc.admission import Admission
from crossrate.rpc.call import Call
from crossrate.rpc.contract import contracts
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.plan import Plan
from crossrate.rpc.release_mark import MARK_HEADER, OF_NOBODY, mark_of
from crossrate.rpc.resilience import RetryBudget, RetryLimits
from crossrate.runtime.logs import correlation
from crossrate.runtime.topology import DEFAULT_PATH, load

METHOD = contracts()["/crossrate.api.reference.v1.ReferenceService/GetInstrument"]
MARK = mark_of("8a1f", "candidate")


@pytest.fixture
def plan() -> Plan:
    """What the contract says about calls of a method."""
    limits = RetryLimits()
    budget = RetryBudget(limits)
    return Plan(METHOD.path, METHOD, replayable=True, limits=limits, budget=budget, wait_for_ready=False, metadata=())


@pytest.fixture
def serving() -> Iterator[Call]:
    """A call that is served."""
    call = Call(METHOD, "a-request")
    token = correlation.set(call)
    yield call
    correlation.reset(token)


def marks(plan: Plan, given: tuple[tuple[str, str], ...] = ()) -> list[str]:
    """The marks of a call that is made now."""
    return [value for name, value in plan.headers(given) if name == MARK_HEADER]


def test_a_call_that_is_served_hands_its_mark_on(plan: Plan, serving: Call) -> None:
    """As it came, and not beside one that the caller gives; without one there is none."""
    assert marks(plan) == []
    serving.mark = MARK
    assert marks(plan) == [MARK]
    assert marks(plan, ((MARK_HEADER, "other"),)) == ["other"]


def test_what_is_begun_by_nobodys_call_says_so(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process that serves; a mere client has no mark."""
    assert marks(plan) == [OF_NOBODY]
    monkeypatch.delitem(sys.modules, "crossrate.rpc.call")
    assert marks(plan) == []


async def test_a_call_is_let_in_with_its_mark() -> None:
    """As the proxy in front of the service wrote it."""
    topology = load(DEFAULT_PATH)
    admission = Admission(topology, RpcCounts(), concurrency_max=1, streams_max=1)
    method = admission.method(METHOD)
    call = Call(METHOD)
    context = types.SimpleNamespace(time_remaining=lambda: 1.0)
    proved = {"x-forwarded-client-cert": f"URI={topology.identity('pricing')}"}
    admission.enter(method, call, context, proved | {MARK_HEADER: MARK})  # type: ignore[arg-type]
    assert call.mark == MARK
    admission.leave(method, call, 0)
