"""Releases as the contract has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from crossrate.api.control.v1 import release_pb2
from services.control.releases.domain import CallsSeen, Decision, Finding, Release
from services.control.releases.parts import Hours


def decision(told: Release, taken: Decision) -> release_pb2.ReleaseDecision:
    """A decision of a release."""
    message = release_pb2.ReleaseDecision(
        kind=release_pb2.ReleaseDecisionKind.Value(f"RELEASE_DECISION_KIND_{taken.kind.name}"),
        cause=taken.cause,
        decided_by=taken.by,
        step=taken.step,
        weight_bp=taken.weight,
        evidence=taken.evidence,
        instances=instances_after(told, taken),
        **counts(taken),
    )
    message.time.FromDatetime(taken.time)
    return message


def instances_after(told: Release, taken: Decision) -> release_pb2.ReleaseInstances | None:
    """Which instances the calls are for after a decision; None unless they are replaced one after the other."""
    if not told.specification.rolls:
        return None
    of, new = told.specification.instances, told.new_after(taken)
    return release_pb2.ReleaseInstances(wanted=of, new_version=new, old_version=of - new)


def counts(taken: Decision) -> dict[str, int]:
    """The fields that say how many calls had been seen."""
    seen = taken.tally
    return {
        "stable_calls": seen.stable,
        "stable_failures": seen.stable_failures,
        "candidate_calls": seen.candidate,
        "candidate_failures": seen.candidate_failures,
    }


def calls(seen: CallsSeen) -> release_pb2.ReleaseCalls:
    """What was seen of a method and version."""
    message = release_pb2.ReleaseCalls(
        method=seen.method, candidate=seen.candidate, calls=seen.calls, failures=seen.failures
    )
    message.latency_p50.FromMicroseconds(round(seen.latency_p50_ms * 1000))
    message.latency_p99.FromMicroseconds(round(seen.latency_p99_ms * 1000))
    return message


def verdict(finding: Finding) -> release_pb2.ReleaseVerdict:
    """What a test says."""
    return release_pb2.ReleaseVerdict(
        metric=finding.metric,
        segment=finding.segment,
        outcome=release_pb2.ReleaseOutcome.Value(f"RELEASE_OUTCOME_{finding.outcome}"),
        explanation=finding.explanation,
        calls_needed=finding.calls_needed,
        service=finding.service,
    )


def services(told: Release, serving: Mapping[str, int] | None = None) -> list[release_pb2.ReleasedService]:
    """The services of a release, with the candidates of each that take calls, if that is known."""
    return [
        release_pb2.ReleasedService(
            service=each.service,
            version=each.candidate.version,
            candidates_wanted=each.candidate.instances,
            candidates_serving=(serving or {}).get(each.service, 0),
        )
        for each in told.specification.released
    ]


def release(told: Release, serving: Mapping[str, int], own: Counter[bool]) -> release_pb2.Release:
    """A release without its decisions and calls.

    Args:
        serving: candidate instances that take calls, by service.
        own: the service's own instances that do, by whether they are the new version.
    """
    specification = told.specification
    message = release_pb2.Release(
        release_id=told.release_id,
        name=told.name,
        service=told.service,
        version=specification.candidate.version,
        phase=release_pb2.ReleasePhase.Value(f"RELEASE_PHASE_{told.phase.name}"),
        paused=told.paused,
        step=told.step,
        weight_bp=told.weight,
        cause=told.cause,
        candidates_serving=sum(serving.values()),
        candidates_wanted=specification.instances,
        services=services(told, serving),
    )
    for number, step in enumerate(specification.plan):
        added = message.steps.add(weight_bp=step.weight, manual_gate=step.gate == "manual")
        added.shadow = specification.shadows(number)
        added.schedule = step.gate.schedule if isinstance(step.gate, Hours) else ""
        added.instances = step.instances
        added.duration.FromMilliseconds(round(step.duration * 1000))
    if specification.rolls:
        new, of = own[True] + sum(serving.values()), specification.instances
        now = release_pb2.ReleaseInstances(wanted=of, new_version=new, old_version=own[False])
        # What serves after its end may be another release's.
        message.instances.CopyFrom(instances_after(told, told.decisions[-1]) if told.phase.over else now)
    message.create_time.FromDatetime(told.create_time)
    if told.step_time is not None:
        message.step_time.FromDatetime(told.step_time)
    return message
