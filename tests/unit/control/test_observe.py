"""Figures from counts, windows from measurements, ways from records."""

from __future__ import annotations

import datetime as dt
from typing import Any

import grpc
import pytest

from crossrate.api.control.v1 import observability_pb2 as pb
from crossrate.api.instance.v1 import call_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from services.control.observe import figures, way
from services.control.observe.drills import Drills, told
from services.control.observe.figures import Measured, quantile_s
from services.control.observe.sampler import Sampler
from services.control.state import Fault

BOUNDS = (0.001, 0.01, 0.1)
METHOD = "crossrate.api.reference.v1.ReferenceService/GetInstrument"


def measured(
    counted_s: float, ok: int, failed: int = 0, pid: int = 1, version: str = "1", streaming: bool = False, sent: int = 0
) -> Measured:
    """What an instance of reference counted of one caller; those that went well took below 10 ms, the others 100."""
    counts = instance_pb2.MeasureInstanceResponse(version=version, bucket_bounds_s=BOUNDS)
    counts.counted.FromNanoseconds(round(counted_s * 1e9))
    entry = counts.calls.add(caller="edge", method=METHOD, streaming=streaming, sent_count=sent)
    entry.codes.add(code=0, count=ok)
    entry.codes.add(code=13, count=failed)
    entry.buckets.extend((0, ok, failed, 0))
    return Measured("reference", pid, False, counts)


def edges(before: dict[str, Measured], now: dict[str, Measured]) -> list[pb.Edge]:
    return figures.edges(figures.between(before, now), BOUNDS, include_idle=False)


def test_rates_and_shares_are_of_the_window() -> None:
    """What was counted before the window does not count, and each instance's rate is by its own clock."""
    (edge,) = edges(
        {"reference-1": measured(10, 1000), "reference-2": measured(5, 50)},
        {"reference-1": measured(12, 1198, 2), "reference-2": measured(7, 150)},
    )
    assert (edge.call_count, edge.failure_count, edge.instance_count) == (300, 2, 2)
    assert edge.calls_per_s == pytest.approx(150)
    assert edge.success_share == pytest.approx(298 / 300)
    assert 0.001 < edge.latency_p50.ToNanoseconds() / 1e9 < 0.01
    assert edge.latency_p99.ToNanoseconds() / 1e9 < 0.01


def test_an_instance_that_began_anew_counts_from_its_begin() -> None:
    """Counts that went back are another process's, not calls that were taken back."""
    (edge,) = edges({"reference-1": measured(1000, 5000, pid=1)}, {"reference-1": measured(1, 30, pid=2)})
    assert (edge.call_count, edge.calls_per_s) == (30, 30)


def test_versions_are_apart() -> None:
    """Two versions of a service are two edges, so that a candidate is seen beside the stable one."""
    now = {"reference-1": measured(2, 10), "reference-2": measured(2, 30, version="2")}
    found = edges({}, now)
    assert [(e.version, e.call_count) for e in found] == [("2", 30), ("1", 10)]


def test_streams_have_messages_and_no_latency() -> None:
    """How long a stream lived says nothing of how fast it was."""
    (edge,) = edges({"m": measured(1, 0, streaming=True, sent=100)}, {"m": measured(3, 1, streaming=True, sent=700)})
    assert edge.messages_per_s == pytest.approx(300)
    assert not edge.HasField("latency_p50")


def test_what_was_cancelled_is_not_judged() -> None:
    """Calls that their caller gave up say nothing of the server; without others there is no share."""
    now = measured(1, 0)
    now.counts.calls[0].codes.add(code=1, count=7)
    (edge,) = edges({}, {"reference-1": now})
    assert edge.call_count == 7
    assert not edge.HasField("success_share")


@pytest.mark.parametrize(
    ("buckets", "share", "seconds"),
    [
        ([10, 0, 0, 0], 0.5, 0.0005),
        ([0, 10, 0, 0], 0.5, 0.0055),
        ([5, 5, 0, 0], 0.5, 0.001),
        ([0, 0, 0, 3], 0.5, 0.1),
        ([0, 0, 0, 0], 0.5, None),
    ],
)
def test_quantiles_are_straight_within_a_bucket(buckets: list[int], share: float, seconds: float | None) -> None:
    """A quantile is found by the calls below it; beyond the last bound nothing more is known than that bound."""
    found = quantile_s(BOUNDS, buckets, share)
    assert found == (None if seconds is None else pytest.approx(seconds))


async def test_who_looks_again_need_not_wait() -> None:
    """A measurement of about a window ago is its beginning; one of long ago is not."""
    now = 100.0
    taken: list[float] = []

    async def measure() -> float:
        taken.append(now)
        return now

    sampler = Sampler(measure, clock=lambda: now)
    await sampler.over(0.01)
    now = 102.1
    pair = await sampler.over(2.0)
    assert (pair.before, pair.now, pair.window_s) == (100.0, 102.1, pytest.approx(2.1))
    now = 150.0
    pair = await sampler.over(0.01)
    assert pair.before == 150.0


def record(service: str, caller: str, begin_ms: float, took_ms: float, span: str, parent: str = "", **fields):
    """A call of the method that is named after its service."""
    made = call_pb2.CallRecord(
        service=service,
        instance=f"{service}-1",
        caller=caller,
        method=f"x.{service}/Call",
        span_id=span,
        parent_span_id=parent,
        code="OK",
    )
    for name, value in fields.items():
        setattr(made, name, value)
    made.begin_time.FromNanoseconds(round(begin_ms * 1e6))
    made.elapsed.FromNanoseconds(round(took_ms * 1e6))
    made.waited.FromNanoseconds(100_000)
    return made


def out(made: call_pb2.CallRecord, service: str, offset_ms: float, took_ms: float, attempts: int = 1) -> None:
    """A call that one made."""
    call = made.outgoing.add(method=f"x.{service}/Call", code="OK", attempts=attempts)
    call.begin_offset.FromNanoseconds(round(offset_ms * 1e6))
    call.elapsed.FromNanoseconds(round(took_ms * 1e6))


def test_steps_stand_under_the_step_that_they_were_made_in() -> None:
    """By place in the trace, or without one by who called when; time on the way is what the callee did not take."""
    trading = record("trading", "edge", 1000, 20, "a")
    out(trading, "risk", 1, 8)
    out(trading, "broker", 4, 12)
    risk, broker = record("risk", "trading", 1002, 5, "b", "a"), record("broker", "trading", 1005, 10, "")
    first, second, third = way.hops([broker, trading, risk])
    assert [h.call.service for h in (first, second, third)] == ["trading", "risk", "broker"]
    assert [h.parent for h in (first, second, third)] == [-1, 0, 0]
    assert second.transit.ToNanoseconds() == 3_000_000
    # 1 to 9 ms and 4 to 16: together 15.
    assert first.upstream.ToNanoseconds() == 15_000_000
    assert first.handler.ToNanoseconds() == 4_900_000


def test_repeats_are_numbered() -> None:
    """Two calls of one call out are its attempts."""
    trading = record("trading", "edge", 1000, 20, "a")
    out(trading, "risk", 1, 15, attempts=2)
    failed = record("risk", "trading", 1001, 3, "b", "a", code="UNAVAILABLE")
    answered = record("risk", "trading", 1010, 3, "c", "a")
    _, *attempts = way.hops([trading, failed, answered])
    assert [(h.attempt, h.call.code) for h in attempts] == [(1, "UNAVAILABLE"), (2, "OK")]
    assert not any(h.HasField("transit") for h in attempts)


def test_a_conclusion_names_the_rule_that_refused() -> None:
    """Of a refused call it is the check with its words; of a failed one what it got from below."""
    refused = record("trading", "edge", 0, 1, "a", code="PERMISSION_DENIED", reason="CALLER_NOT_ALLOWED")
    refused.decisions.add(check="roles", passed=True, explanation="viewer")
    refused.decisions.add(check="grants", passed=False, explanation="client:viewer has no grant for account 'a'")
    said = way.conclusion(way.hops([refused]), [])
    assert "by grants: client:viewer has no grant for account 'a'" in said
    answer = pb.ProxyAnswer(listener="in|risk", details="no_healthy_upstream", explanation="no instance serves")
    assert way.conclusion([], [answer]) == "No instance answered it. The proxy in front of risk: no instance serves."


def drill(name: str, minute: int, **fields: Any) -> Fault:
    """A fault that begins at a minute and lasts for ten."""
    begun = dt.datetime(2026, 3, 2, 12, minute, tzinfo=dt.UTC)
    made = {"service": "ledger", "method": "", "methods": ("/l/Get", "/l/Post"), "caller": "", "percent": 100.0}
    made |= {"delay_s": 0.0, "abort": None, "comment": "", "author": "local"}
    made |= {"create_time": begun, "expire_time": begun + dt.timedelta(minutes=10)}
    return Fault(name=name, **(made | fields))


def test_the_fault_that_met_a_call_is_the_newest_that_fits() -> None:
    """By service, method, caller and time, for as long as it was in force; what was taken out early was not."""
    drills = Drills()
    now = dt.datetime(2026, 3, 2, 12, 9, tzinfo=dt.UTC)
    all_of_it, one = drill("all", 0), drill("one", 1, methods=("/l/Post",), caller="trading", delay_s=2.0)
    drills.changed((all_of_it, one), (), now)

    def met(path: str, caller: str, minute: int) -> str:
        found = drills.met("ledger", path, caller, dt.datetime(2026, 3, 2, 12, minute, tzinfo=dt.UTC))
        return "" if found is None else found.name

    assert [met("/l/Post", "trading", 5), met("/l/Post", "edge", 5), met("/l/Get", "trading", 5)] == [
        "one",
        "all",
        "all",
    ]
    assert met("/l/Get", "edge", 11) == ""
    assert drills.met("risk", "/l/Get", "edge", now) is None
    drills.changed((), ("one", "never-was"), dt.datetime(2026, 3, 2, 12, 3, tzinfo=dt.UTC))
    assert [met("/l/Post", "trading", 2), met("/l/Post", "trading", 5)] == ["one", "all"]
    assert told(one) == "fault one by local: calls of trading to ledger wait 2 s, 12:01:00 to 12:11:00 UTC"
    named = drill(
        "n", 0, method="crossrate.api.ledger.v1.LedgerService/Get", percent=5.0, abort=grpc.StatusCode.ABORTED
    )
    assert "5 % of calls to Get are answered ABORTED" in told(named)
