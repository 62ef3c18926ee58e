"""Calls are kept as long as was promised, told in words, and hold nothing that must not be told."""

from __future__ import annotations

import time

import pytest

from crossrate.rpc.admission import Admission
from crossrate.rpc.call import OUTGOING_MAX, Call
from crossrate.rpc.contract import contracts, find_method
from crossrate.rpc.errors import ErrorReason
from crossrate.rpc.grants import Client
from crossrate.rpc.kept import NEWEST_MAX, NOTABLE_MAX, Kept
from crossrate.rpc.measures import LAG_INTERVAL_S, LoopLag
from crossrate.rpc.metrics import BUCKETS_S, CALLERS_MAX, FINE_BUCKETS_S, OTHERS, MethodCounts, RpcCounts
from crossrate.rpc.records import Records
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import load

GET, LIST = find_method("GetInstrument"), find_method("ListOrders")


def ended(request_id: str, code: int = 0, elapsed_s: float = 0.001, method=GET) -> Call:
    """A call that has ended."""
    call = Call(method, request_id)
    call.code, call.elapsed_s = code, elapsed_s
    return call


def test_failed_and_slow_calls_are_kept_for_longer() -> None:
    """A flood of good calls forgets the good ones that were before, and nothing else; a sample by id stays too."""
    kept = Kept()
    for call in (ended("bad", 14), ended("slow", elapsed_s=2.0), ended("good"), ended("sampled-00")):
        kept.add(call)
    assert kept.all_since is None
    for n in range(NEWEST_MAX):
        kept.add(ended(f"r-{n}-1"))
    found = {name: len(kept.find(name, ())) for name in ("bad", "slow", "good", "sampled-00", "r-5-1")}
    assert found == {"bad": 1, "slow": 1, "good": 0, "sampled-00": 1, "r-5-1": 1}
    assert kept.all_since is not None
    assert kept.notable_since is None
    for n in range(NOTABLE_MAX):
        kept.add(ended(f"f-{n}", 5))
    assert not kept.find("bad", ())
    assert kept.notable_since is not None


def test_a_long_stream_is_neither_slow_nor_told_twice() -> None:
    """A call that stands in several rings, or is under way, is found once."""
    kept = Kept()
    stream = ended("s-00", elapsed_s=900.0, method=find_method("StreamQuotes"))
    kept.add(stream)
    assert kept.find("s-00", [stream]) == [stream]
    kept.add(ended("f", 5))
    assert len(kept.find("f", ())) == 1


def test_counts_by_caller_are_the_method_s_counts() -> None:
    """What Prometheus is told is what it was told before: sums over callers, in its own bounds; callers are bounded."""
    counts = MethodCounts("m")
    for n, elapsed_s in enumerate((0.0004, 0.0005, 0.0006, 0.03, 100.0)):
        counts.finish(f"c{n}", 5 if n else 0, elapsed_s, 1, 2)
    coarse = counts.buckets
    assert (coarse[0], coarse[1], coarse[BUCKETS_S.index(0.05)], coarse[-1]) == (2, 1, 1, 1)
    assert sum(coarse) == 5
    assert (counts.finished[0], counts.finished[5], counts.sent, counts.received) == (1, 4, 10, 5)
    assert set(BUCKETS_S) <= set(FINE_BUCKETS_S)
    for n in range(100):
        counts.finish(f"d{n}", 0, 0.001, 0, 0)
    assert len(counts.callers) == CALLERS_MAX + 1
    assert counts.callers[OTHERS].finished[0] > 50


@pytest.fixture
def records(tmp_path, monkeypatch) -> Records:
    """An instance of trading's."""
    monkeypatch.setenv("CROSSRATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("CROSSRATE_RUN", str(tmp_path / "run"))
    return Records(open_runtime(RuntimeSettings(service="trading", instance="trading-1")))


def refused(reason: ErrorReason, client: Client | None, method=LIST, caller: str = "edge") -> Call:
    """A call that never reached its handler."""
    call = ended("r-1", 7, method=method)
    call.caller, call.client = caller, client
    call.failure = reason.name, "the words"
    return call


def test_the_rule_that_chose_a_version_is_told_first(records: Records) -> None:
    """As the proxy wrote it down; where another version answered than the call was sent to, that is said as well."""
    call = ended("r-1")
    assert [d.check for d in records.record(call).decisions if d.check == "release"] == []
    for rule, words in (
        ("stable; exclusion (pin 1): account alpha", "sent to stable by exclusion (pin 1): account alpha"),
        ("candidate; weight 5 %, by chance", "to the candidate by weight 5 %, by chance; none of those answered it"),
    ):
        call.release = "the-release", rule
        told = records.record(call)
        assert told.release == "the-release"
        assert (told.decisions[0].check, told.decisions[0].passed) == ("release", True)
        assert words in told.decisions[0].explanation


VIEWER = Client("viewer", frozenset({"viewer"}), ("spot-*",))
TRADER = Client("", frozenset({"trader"}), ("spot-*",), principal="user:u-1", subject="u-1", session="s-1")


@pytest.mark.parametrize(
    ("call", "checks"),
    [
        (refused(ErrorReason.NO_IDENTITY, None, caller=""), ["identity!"]),
        (refused(ErrorReason.TOKEN_REFUSED, None), ["identity!"]),
        (refused(ErrorReason.CALLER_NOT_ALLOWED, None, caller="audit"), ["identity", "caller!"]),
        (
            refused(ErrorReason.CALLER_NOT_ALLOWED, VIEWER, find_method("PlaceOrder")),
            ["identity", "caller", "roles!"],
        ),
        (
            refused(ErrorReason.STEP_UP_REQUIRED, TRADER, find_method("PlaceOrder")),
            ["identity", "caller", "roles", "second factor!"],
        ),
        (refused(ErrorReason.CALLER_NOT_ALLOWED, TRADER), ["identity", "caller", "roles", "deadline", "grants!"]),
        (
            refused(ErrorReason.INVALID_REQUEST, TRADER),
            ["identity", "caller", "roles", "deadline", "grants", "rules!"],
        ),
        (refused(ErrorReason.TOO_MANY_REQUESTS, TRADER), ["identity", "caller", "roles", "deadline", "room!"]),
    ],
)
def test_decisions_go_up_to_what_refused(records: Records, call: Call, checks: list[str]) -> None:
    """Each check that was passed is there with its rule, and the one that refused with the words of the refusal."""
    told = records.record(call).decisions
    assert [f"{d.check}{'' if d.passed else '!'}" for d in told] == checks
    assert told[-1].explanation == "the words"


def test_a_record_says_who_was_let_in_and_by_what(records: Records) -> None:
    """Roles and grants are named; whatever proves them is not."""
    call = ended("r-1")
    call.method, call.caller, call.client = LIST, "edge", TRADER
    call.reached, call.handled = True, call.begun + 0.0002
    for n in range(OUTGOING_MAX + 5):
        call.called("x.Risk/Check", call.begun + n, 0.001, "OK", 1)
    record = records.record(call)
    words = " ".join(d.explanation for d in record.decisions)
    assert "user:u-1 by a token has trader; the contract lets in " in words
    assert "account named in account: granted spot-*" in words
    assert (record.code, record.principal, len(record.outgoing)) == ("OK", "user:u-1", OUTGOING_MAX)
    assert record.waited.ToNanoseconds() == pytest.approx(200_000, abs=2)


async def test_the_event_loop_is_watched_while_somebody_asks(monkeypatch) -> None:
    """The first question begins the watch, and nothing is looked at once nobody has asked for a while."""
    lag = LoopLag()
    assert lag.longest_s() is None
    lag._came(0.0)
    assert lag.longest_s() >= 0
    assert lag.watched
    lag._asked = time.monotonic() - 3600
    lag._came(LAG_INTERVAL_S)
    assert not lag.watched


def test_housekeeping_is_not_kept() -> None:
    """What the mesh asks its instances is nothing that anybody asks about."""
    admission = Admission(load(), RpcCounts(), concurrency_max=1, streams_max=1)
    measure = contracts()["/crossrate.api.instance.v1.InstanceService/MeasureInstance"]
    assert not admission.method(measure).kept
    assert admission.method(GET).kept
    assert not admission.method(GET, housekeeping=True).kept
