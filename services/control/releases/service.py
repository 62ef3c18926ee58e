"""ReleaseService: releases as operators see and change them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any

from crossrate.api.common.v1.stream_pb2 import StreamPosition
from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.rpc import errors
from crossrate.rpc.call import current
from services.control.ads import RefusedError
from services.control.answers import Answers
from services.control.releases import domain, messages
from services.control.releases.domain import Release
from services.control.releases.report import Reports
from services.control.releases.runner import Releases, UnderWay, Word
from services.control.releases.specification import Calls, Counts, Specification, SpecificationError, load
from services.control.releases.windows import Windows
from services.control.shadow import messages as shadow_messages

RELEASES_DEFAULT = 20
WATCH_S = 1.0
"""How often who watches is told how things are."""
LOOK_S = 0.1
"""How soon he is told of a decision."""


class ReleaseServicer(release_grpc.ReleaseServiceServicer):
    """Answers operators.

    Args:
        folder: where specifications are.
        calls: whom each service of the mesh may call, by service.
        sticky_services: those whose contract has a sticky field.
        instances: how many instances each service has.
        reports: signs them.
    """

    def __init__(
        self,
        releases: Releases,
        folder: Path,
        calls: Calls,
        sticky_services: Collection[str],
        instances: Counts,
        clock: Callable[[], dt.datetime],
        reports: Reports,
    ) -> None:
        self._releases, self._folder = releases, folder
        self._calls, self._sticky_services = calls, sticky_services
        self._instances, self._clock, self._reports = instances, clock, reports
        self._answers = Answers()

    def _specification(self, name: str) -> Specification:
        try:
            return load(self._folder, name, self._calls, self._sticky_services, self._calls, self._instances)
        except SpecificationError as error:
            raise errors.invalid(*error.problems) from None

    def _named(self, wanted: str) -> Release:
        release = domain.find(self._releases.all, wanted)
        if release is None:
            raise errors.not_found("release", wanted, "`crossrate release history` lists them")
        return release

    def _brief(self, release: Release) -> release_pb2.Release:
        return messages.release(release, self._releases.serving(release), self._releases.own(release))

    def _whole(self, release: Release) -> release_pb2.Release:
        message = self._brief(release)
        message.decisions.extend(messages.decision(release, d) for d in release.decisions)
        message.calls.extend(messages.calls(c) for c in self._releases.calls(release))
        message.verdicts.extend(messages.verdict(f) for f in self._releases.findings(release))
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
        return pb.GetShadowReportResponse(report=shadow_messages.report(seen))

    async def WatchRelease(self, request, context) -> AsyncIterator[pb.WatchReleaseResponse]:
        """A release until it is over."""
        ending = current().ending
        release, told = self._resumed(request)
        windows, sequence, told_time = Windows(release.services), 0, 0.0
        if request.resume_cursor:
            # What ended while nobody read is no second of its own.
            windows.next(self._releases.seen(release))
        while not ending.is_set():
            release = self._named(release.release_id)
            now = len(release.decisions)
            over = release.phase.over
            if now != told or over or time.monotonic() - told_time >= WATCH_S:
                decided, told, told_time, sequence = release.decisions[told:], now, time.monotonic(), sequence + 1
                yield pb.WatchReleaseResponse(
                    release=self._whole(release),
                    windows=windows.next(self._releases.seen(release)),
                    position=StreamPosition(sequence=sequence, cursor=f"{release.release_id}:{now}"),
                    decided=[messages.decision(release, each) for each in decided],
                )
            if over:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await ending.wait()

    def _resumed(self, request: pb.WatchReleaseRequest) -> tuple[Release, int]:
        """Which release is watched, and how many of its decisions the reader has."""
        if not request.resume_cursor:
            return self._named(request.release), 0
        release_id, _, count = request.resume_cursor.partition(":")
        release = domain.find(self._releases.all, release_id)
        if release is None or request.release not in (release.release_id, release.name):
            raise errors.cursor_expired("a release that is kept: `crossrate release history` lists them")
        if int(count) > len(release.decisions):
            raise errors.cursor_expired(f"{release.release_id}:{len(release.decisions)}")
        return release, int(count)

    async def GetReleaseReport(self, request, context) -> pb.GetReleaseReportResponse:
        """The release with everything that is known of it now, signed."""
        release = self._named(request.release)
        whole = dataclasses.replace(
            release,
            calls=self._releases.calls(release),
            findings=self._releases.findings(release),
            shadow=self._releases.shadow(release),
        )
        file = self._reports.file(whole, self._clock())
        return pb.GetReleaseReportResponse(file=file, key=str(self._reports.signer.verifier))

    async def ListReleases(self, request, context) -> pb.ListReleasesResponse:
        """Newest first. A service that is in no topology any more still has its releases."""
        chosen = [r for r in self._releases.all if not request.service or request.service in r.services]
        if not chosen and request.service and request.service not in self._calls:
            raise errors.invalid(("service", f"must be one of {', '.join(sorted(self._calls))}"))
        chosen = chosen[: request.page_size or RELEASES_DEFAULT]
        return pb.ListReleasesResponse(releases=[self._brief(r) for r in chosen])

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
