"""ReleaseService: releases as operators see and change them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossrate.api.control.v1 import release_pb2, shadow_pb2
from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.control.ads import RefusedError
from services.control.answers import Answers
from services.control.releases import domain
from services.control.releases.domain import CallsSeen, Decision, Finding, Release
from services.control.releases.runner import Releases, UnderWay, Word
from services.control.releases.specification import Specification, SpecificationError, load
from services.control.shadow.seen import ShadowSeen

RELEASES_DEFAULT = 20


def _decision(decision: Decision) -> release_pb2.ReleaseDecision:
    message = release_pb2.ReleaseDecision(
        kind=release_pb2.ReleaseDecisionKind.Value(f"RELEASE_DECISION_KIND_{decision.kind.name}"),
        cause=decision.cause,
        decided_by=decision.by,
        step=decision.step,
        weight_bp=decision.weight,
    )
    message.time.FromDatetime(decision.time)
    return message


def _calls(seen: CallsSeen) -> release_pb2.ReleaseCalls:
    message = release_pb2.ReleaseCalls(
        method=seen.method, candidate=seen.candidate, calls=seen.calls, failures=seen.failures
    )
    message.latency_p50.FromMicroseconds(round(seen.latency_p50_ms * 1000))
    message.latency_p99.FromMicroseconds(round(seen.latency_p99_ms * 1000))
    return message


def _verdict(finding: Finding) -> release_pb2.ReleaseVerdict:
    return release_pb2.ReleaseVerdict(
        metric=finding.metric,
        segment=finding.segment,
        outcome=release_pb2.ReleaseOutcome.Value(f"RELEASE_OUTCOME_{finding.outcome}"),
        explanation=finding.explanation,
        calls_needed=finding.calls_needed,
    )


def report_of(seen: ShadowSeen) -> shadow_pb2.ShadowReport:
    """What a shadow has found."""

    def outcome(name: str) -> release_pb2.ReleaseOutcome:
        return release_pb2.ReleaseOutcome.Value(f"RELEASE_OUTCOME_{name}")

    report = shadow_pb2.ShadowReport(
        outcome=outcome(seen.outcome),
        explanation=seen.explanation,
        calls=seen.calls,
        calls_needed=seen.calls_needed,
        dropped=seen.dropped,
    )
    for method in seen.methods:
        told = report.methods.add(
            method=method.method,
            manner=shadow_pb2.ShadowManner.Value(f"SHADOW_MANNER_{method.manner}"),
            outcome=outcome(method.outcome),
            calls=method.calls,
            replayed=method.replayed,
            skipped=method.skipped,
        )
        for field in method.fields:
            known = asdict(field) | {"outcome": outcome(field.outcome)}
            told.fields.add(**known)
    return report


def message_of(release: Release, serving: int) -> release_pb2.Release:
    """A release without its decisions and calls."""
    specification = release.specification
    message = release_pb2.Release(
        release_id=release.release_id,
        name=release.name,
        service=release.service,
        version=specification.candidate.version,
        phase=release_pb2.ReleasePhase.Value(f"RELEASE_PHASE_{release.phase.name}"),
        paused=release.paused,
        step=release.step,
        weight_bp=release.weight,
        cause=release.cause,
        candidates_serving=serving,
        candidates_wanted=specification.candidate.instances,
    )
    for number, step in enumerate(specification.plan):
        manual, shadow = step.gate == "manual", specification.shadows(number)
        added = message.steps.add(weight_bp=step.weight, manual_gate=manual, shadow=shadow)
        added.duration.FromMilliseconds(round(step.duration * 1000))
    message.create_time.FromDatetime(release.create_time)
    if release.step_time is not None:
        message.step_time.FromDatetime(release.step_time)
    return message


class ReleaseServicer(release_grpc.ReleaseServiceServicer):
    """Answers operators.

    Args:
        folder: where specifications are.
        services: the services of the mesh.
        sticky_services: those whose contract has a sticky field.
    """

    def __init__(
        self,
        releases: Releases,
        folder: Path,
        services: Collection[str],
        sticky_services: Collection[str],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._releases, self._folder = releases, folder
        self._services, self._sticky_services = services, sticky_services
        self._clock = clock
        self._answers = Answers()

    def _specification(self, name: str) -> Specification:
        try:
            return load(self._folder, name, self._services, self._sticky_services)
        except SpecificationError as error:
            raise errors.invalid(*error.problems) from None

    def _named(self, wanted: str) -> Release:
        release = domain.find(self._releases.all, wanted)
        if release is None:
            raise errors.not_found("release", wanted, "`crossrate release history` lists them")
        return release

    def _whole(self, release: Release) -> release_pb2.Release:
        message = message_of(release, self._releases.serving(release))
        message.decisions.extend(_decision(d) for d in release.decisions)
        message.calls.extend(_calls(c) for c in self._releases.calls(release))
        message.verdicts.extend(_verdict(f) for f in self._releases.findings(release))
        return message

    async def StartRelease(self, request, context) -> pb.StartReleaseResponse:
        """Begins a release."""
        author = current().caller
        specification = self._specification(request.name)
        if request.validate_only:
            draft = domain.begun(Release("", request.name, specification, self._clock()), author)
            return pb.StartReleaseResponse(release=self._whole(draft))

        async def work() -> pb.StartReleaseResponse:
            try:
                release = await self._releases.start(request.name, specification, author)
            except UnderWay as error:
                raise errors.wrong_state(str(error.release.phase), str(error)) from None
            return pb.StartReleaseResponse(release=self._whole(release))

        return await self._answers.once(request.request_id, request, work)

    async def GetRelease(self, request, context) -> pb.GetReleaseResponse:
        """One release with everything."""
        return pb.GetReleaseResponse(release=self._whole(self._named(request.release)))

    async def GetShadowReport(self, request, context) -> pb.GetShadowReportResponse:
        """What a release's shadow has found."""
        release = self._named(request.release)
        seen = self._releases.shadow(release)
        if seen is None:
            remedy = 'it begins with the first step of a specification with [shadow] or strategy = "shadow"'
            raise errors.not_found("shadow report", request.release, remedy)
        return pb.GetShadowReportResponse(report=report_of(seen))

    async def ListReleases(self, request, context) -> pb.ListReleasesResponse:
        """Newest first."""
        chosen = [r for r in self._releases.all if request.service in ("", r.service)]
        chosen = chosen[: request.page_size or RELEASES_DEFAULT]
        return pb.ListReleasesResponse(releases=[message_of(r, self._releases.serving(r)) for r in chosen])

    async def _say(self, request: Any, word: Word, answer: Callable[..., Any]) -> Any:
        author, release = current().caller, self._named(request.release)

        async def work() -> Any:
            try:
                after = await self._releases.say(release.release_id, word, author, request.comment)
            except domain.Refused as error:
                raise errors.wrong_state(str(release.phase), str(error)) from None
            except RefusedError as error:
                raise errors.wrong_state("refused by a proxy", str(error)) from None
            return answer(release=self._whole(after))

        if request.validate_only:
            try:
                decided = word(release, author, request.comment, self._clock())
            except domain.Refused as error:
                raise errors.wrong_state(str(release.phase), str(error)) from None
            return answer(release=self._whole(domain.evolve(release, decided)))
        return await self._answers.once(request.request_id, request, work)

    async def PromoteRelease(self, request, context) -> pb.PromoteReleaseResponse:
        """To the next step, or to promotion."""
        return await self._say(request, domain.promote, pb.PromoteReleaseResponse)

    async def PauseRelease(self, request, context) -> pb.PauseReleaseResponse:
        """Stays at its step."""
        return await self._say(request, domain.pause, pb.PauseReleaseResponse)

    async def ResumeRelease(self, request, context) -> pb.ResumeReleaseResponse:
        """Goes on by the clock."""
        return await self._say(request, domain.resume, pb.ResumeReleaseResponse)

    async def AbortRelease(self, request, context) -> pb.AbortReleaseResponse:
        """Back to the stable version."""
        return await self._say(request, domain.abort, pb.AbortReleaseResponse)
