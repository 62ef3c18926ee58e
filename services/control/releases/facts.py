"""Decisions of releases as facts: one event each, numbered within its release, so that the log of facts has every one
of them once."""

from __future__ import annotations

from crossrate.api.control.v1 import release_events_pb2, release_pb2
from crossrate.events import Message, message_id
from services.control.releases import messages
from services.control.releases.domain import Kind, Release
from services.control.state import CONTROL

SUBJECT = "crossrate.control.v1.release_decided."
ENDS = (Kind.PROMOTING, Kind.PROMOTED, Kind.ABORTING, Kind.ABORTED, Kind.COMPLETING, Kind.COMPLETED)
"""Decisions that say what had been seen."""


def fact_of(release: Release, number: int) -> Message:
    """The event of a release's decision, by its number from 1."""
    decision, journal = release.decisions[number - 1], f"releases/{release.release_id}"
    fact = release_events_pb2.ReleaseDecided(
        release_id=release.release_id,
        release_name=release.name,
        service=release.service,
        version=release.specification.candidate.version,
        services=messages.services(release),
        number=number,
        kind=release_pb2.ReleaseDecisionKind.Value(f"RELEASE_DECISION_KIND_{decision.kind.name}"),
        explanation=decision.cause,
        decided_by=decision.by,
        step=decision.step,
        weight_bp=decision.weight,
        evidence=decision.evidence,
        instances=messages.instances_after(release, decision),
        **messages.counts(decision),
    )
    fact.time.FromDatetime(decision.time)
    if decision.kind in ENDS:
        fact.calls.extend(messages.calls(seen) for seen in release.calls)
        fact.verdicts.extend(messages.verdict(finding) for finding in release.findings)
    time_ns = fact.time.ToNanoseconds()
    name = message_id(CONTROL, journal, number)
    return Message.of(SUBJECT + release.service, fact, name, origin=(journal, number), time_ns=time_ns)
