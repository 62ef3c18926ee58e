"""Runs releases: decides by what is seen, writes each decision down, then moves the calls.

registry, node, calls ─▶ look ─▶ decide ─▶ kept on disk ─▶ share of the calls ─▶ proxies
                                   ▲            └─────────▶ NATS stream "control", audited
                        words of people
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crossrate.events import EventsError
from crossrate.runtime.ending import end
from services.control.ads import NotAcknowledgedError, RefusedError
from services.control.envoy_api import ResourceError
from services.control.mesh import Mesh
from services.control.releases import domain
from services.control.releases.calls import Key, Seen
from services.control.releases.domain import Decision, Kind, Phase, Release
from services.control.releases.facts import fact_of
from services.control.releases.records import Records
from services.control.releases.specification import Specification
from services.control.releases.together import Looks
from services.control.releases.world import World
from services.control.shadow.seen import ShadowSeen
from services.control.split import Split

TICK_S = 0.1
"""How often a release is looked at when nothing has said that it changed."""
TELL_AGAIN_S = 1.0
Word = Callable[[Release, str, str, dt.datetime], Decision]


class UnderWay(Exception):
    """A service has a release already."""

    def __init__(self, release: Release) -> None:
        services = " and ".join(release.services)
        # Only before that may it still be aborted.
        early = release.phase in (Phase.STARTING, Phase.STEPPING)
        remedy = "abort it, or wait for its end" if early else "wait for its end"
        super().__init__(f"{release.name} of {services} is {release.phase}: {remedy}")
        self.release = release


@dataclass
class _Run:
    release_id: str
    look: Looks
    part_ids: tuple[str, ...]
    """Under which what is seen is counted and kept."""
    changed: asyncio.Event
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None


def share_of(release: Release) -> Split | None:
    """What the proxies of its services are to do for a release; None for nothing.

    Of several services they follow marks before the first call bears one, and for as long as a candidate may.
    """
    if release.phase in (Phase.STEPPING, Phase.PROMOTING) and not release.shadows:
        return release.specification.split(release.release_id, release.weight)
    if release.phase in (Phase.STARTING, Phase.ABORTING):
        return release.specification.only_marked(release.release_id)
    return None


class Releases:
    """All releases of the mesh. Give it the mesh before the proxies are served: shares are offered with the rest."""

    def __init__(self, mesh: Mesh, records: Records, world: World, clock: Callable[[], dt.datetime]) -> None:
        self._mesh, self._records, self._world, self._clock = mesh, records, world, clock
        self._runs: dict[str, _Run] = {}
        self._untold: set[str] = set()
        self._to_tell = asyncio.Event()
        for release in records.releases.values():
            if release.told < len(release.decisions):
                self._untold.add(release.release_id)
                self._to_tell.set()
            if (share := share_of(release)) is not None:
                for service in release.services:
                    mesh.known_split(service, share)

    @property
    def all(self) -> list[Release]:
        """Newest first."""
        return sorted(self._records.releases.values(), key=lambda r: r.create_time, reverse=True)

    def calls(self, release: Release) -> tuple[domain.CallsSeen, ...]:
        """What is seen of a release's calls; of one that is over, what had been."""
        if release.phase.over:
            return release.calls
        return tuple(seen for part in release.parts for seen in self._world.calls.summary(part.release_id))

    def seen(self, release: Release) -> Mapping[Key, Seen]:
        """The counts of a release that is under way; nothing of one that is over."""
        return {k: seen for part in release.parts for k, seen in self._world.calls.seen(part.release_id).items()}

    def findings(self, release: Release) -> tuple[domain.Finding, ...]:
        """What the analysis of a release says; of one that is over, what it said."""
        run = self._runs.get(release.release_id)
        return release.findings if run is None or release.findings else run.look.findings()

    def shadow(self, release: Release) -> ShadowSeen | None:
        """What a release's shadow has found; of one that is over, what it had. None if it has none."""
        run = self._runs.get(release.release_id)
        return release.shadow if run is None or not release.shadows else run.look.shadow

    def serving(self, release: Release) -> dict[str, int]:
        """Candidate instances that take calls, by service."""
        over = release.phase.over
        return {s: 0 if over else self._world.serving(s, settled=False) for s in release.services}

    def own(self, release: Release) -> Counter[bool]:
        """Of a rolling release the service's own instances that take calls, by whether they are the new version."""
        version = release.specification.candidate.version
        rolls = release.specification.rolls
        return Counter(i.version == version for i in self._world.stable(release.service) if rolls)

    async def run(self) -> None:
        """Goes on with what was under way, and ends what was left, until it is cancelled."""
        known = set(self._mesh.topology.services)
        for release in list(self._records.releases.values()):
            if not release.phase.over and known.issuperset(release.services):
                self._begin(release)
        self._keep_evidence_of_runs()
        try:
            await self._tell_all()
        finally:
            await end(run.task for run in self._runs.values() if run.task is not None)

    def _keep_evidence_of_runs(self) -> None:
        self._world.kept.only({part_id for run in self._runs.values() for part_id in run.part_ids})

    def _begin(self, release: Release) -> None:
        changed = asyncio.Event()
        look, part_ids = Looks(self._world, changed.set, release), tuple(p.release_id for p in release.parts)
        run = self._runs[release.release_id] = _Run(release.release_id, look, part_ids, changed)
        # In no call's context: what it logs belongs to the release, not to who started it.
        run.task = asyncio.create_task(self._drive(run), name=f"release {release.name}", context=contextvars.Context())

    async def start(self, name: str, specification: Specification, by: str) -> Release:
        """Begins a release.

        Raises:
            UnderWay: a service of it has one.
            OSError: it cannot be written down.
        """
        for each in specification.released:
            if (active := self._records.active(each.service)) is not None:
                raise UnderWay(active)
        release = domain.begun(Release(str(uuid.uuid4()), name, specification, self._clock()), by)
        self._keep(release)
        self._begin(release)
        return release

    async def say(self, release_id: str, word: Word, by: str, comment: str) -> Release:
        """Does what somebody says; returns when every connected proxy has it.

        Raises:
            Refused: the release is not where that can be done.
            OSError: it cannot be written down.
        """
        run = self._runs.get(release_id)
        if run is None:
            word(self._records.releases[release_id], by, comment, self._clock())
            raise domain.Refused("it is over")
        async with run.turn:
            release = self._records.releases[release_id]
            return await self._take(release, word(release, by, comment, self._clock()), run)

    def _keep(self, release: Release) -> None:
        # More may have been told since this one was looked at.
        before = self._records.releases.get(release.release_id, release)
        self._records.keep(dataclasses.replace(release, told=max(release.told, before.told)))
        self._untold.add(release.release_id)
        self._to_tell.set()

    async def _take(self, release: Release, decision: Decision, run: _Run) -> Release:
        calls, findings = self.calls(release), self.findings(release)
        after = domain.evolve(release, domain.witnessed(decision, calls, findings))
        # While own instances take the candidates' place, what was seen of both versions is known already.
        replaced = release.phase is Phase.PROMOTING and release.specification.rolls
        if not replaced and decision.kind in (Kind.ABORTING, Kind.COMPLETING, Kind.PROMOTING, Kind.PROMOTED):
            after = dataclasses.replace(after, calls=calls, findings=findings)
        if release.shadows and run.look.shadow is not None:
            after = dataclasses.replace(after, shadow=run.look.shadow)
        aborting = decision.kind is Kind.ABORTING
        if aborting:
            # Calls first: what cannot be written must not keep them on a candidate that fails.
            await self._move(after)
        self._keep(after)
        self._world.log.info(
            "release", release=after.name, decision=str(decision.kind), weight=after.weight, cause=decision.cause
        )
        if not aborting:
            await self._move(after)
        run.changed.set()
        return after

    async def _move(self, release: Release) -> None:
        share, splits = share_of(release), self._mesh.splits
        if all(splits.get(service) == share for service in release.services):
            return
        cause = f"{release.name}: {release.weight / 100:g} % to {release.specification.told}"
        try:
            await self._mesh.set_splits(dict.fromkeys(release.services, share), cause)
        except NotAcknowledgedError as error:
            # It is offered; a proxy that hangs gets it when it answers.
            self._world.log.warning("a share is not acknowledged everywhere", release=release.name, reason=str(error))

    async def _drive(self, run: _Run) -> None:
        log = self._world.log
        while True:
            run.changed.clear()
            try:
                async with run.turn:
                    release = await self._look(run)
            except OSError as error:
                log.error("a release cannot be written down", reason=str(error))
                release = self._records.releases[run.release_id]
            if release.phase.over:
                break
            await self._until_changed(run)
        if release.phase is Phase.PROMOTED:
            run.look.work(release)
            while not run.look.seen(release).candidate_gone:
                await self._until_changed(run)
                run.look.work(release)
        await run.look.close()
        for part_id in run.part_ids:
            self._world.calls.forget(part_id)
        del self._runs[run.release_id]
        self._keep_evidence_of_runs()

    async def _look(self, run: _Run) -> Release:
        release = self._records.releases[run.release_id]
        run.look.work(release)
        decision = domain.decide(release, run.look.seen(release), self._clock())
        try:
            if decision is not None:
                return await self._take(release, decision, run)
            if release.phase is Phase.STARTING:
                await self._move(release)
            return release
        except (RefusedError, ResourceError) as error:
            cause = f"a proxy refuses the share: {error}"
            back = Decision(self._clock(), Kind.ABORTING, cause, domain.CONTROL, release.step, 0)
            return await self._take(release, back, run)

    async def _until_changed(self, run: _Run) -> None:
        waits = [asyncio.ensure_future(run.changed.wait()), asyncio.ensure_future(self._world.registry.changed())]
        try:
            await asyncio.wait(waits, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(waits)

    async def _tell_all(self) -> None:
        """Tells the log of facts each decision once, in order; again and again while NATS is away."""
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            for release_id in list(self._untold):
                try:
                    await self._tell(release_id)
                except (EventsError, OSError) as error:
                    self._world.log.warning("decisions of a release are not told for now", reason=str(error))
                    await asyncio.sleep(TELL_AGAIN_S)
                    self._to_tell.set()

    async def _tell(self, release_id: str) -> None:
        while True:
            release = self._records.releases.get(release_id)
            if release is None or release.told >= len(release.decisions):
                self._untold.discard(release_id)
                return
            number = release.told + 1
            await self._world.bus.publish(fact_of(release, number))
            # It may have gone on meanwhile. What is told twice has the same id.
            self._records.keep(dataclasses.replace(self._records.releases[release_id], told=number))
