"""What control knows of one release: candidates at the node, instances in the registry, the gate, the calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from crossrate.events import EventsUnavailable
from crossrate.rpc.contract import contracts
from crossrate.rpc.errors import Failure
from crossrate.rpc.values import to_struct
from crossrate.runtime.ending import end
from services.control.registry import Registered
from services.control.releases import gate
from services.control.releases.business_rules import with_accounts
from services.control.releases.calls import is_unary
from services.control.releases.desks import Desks
from services.control.releases.domain import Finding, Kind, Phase, Release, Seen
from services.control.releases.judging import Analyst
from services.control.releases.memory import MemoryWatch
from services.control.releases.nodes import NodeError, NodeGone, Running
from services.control.releases.pulse import hanging
from services.control.releases.replacing import Replacing, serving_alone
from services.control.releases.saturation import Saturation
from services.control.releases.watched import Watched
from services.control.releases.world import World
from services.control.shadow.filling import Filling
from services.control.shadow.repeating import Shadow
from services.control.shadow.seen import ShadowSeen

RESUMED_S = 15.0
"""How long a control plane that has just started lets candidates appear that it has not seen serve yet."""
ASK_AGAIN_S = 0.25
KEEP_S = 0.9
"""Shortest time between two writes of what was seen: each look of the analysis, a second apart, is one."""
SETTINGS_ASKED_MAX = 8
"""How often a candidate is asked whether it takes the live configuration, a second or so each."""
LOG_CHARACTERS_MAX = 600


def fact_files(service: str) -> list[str]:
    """The files of a service's contract in which its facts may stand, as the mesh knows them."""
    prefix = f"crossrate/api/{service}/v1/"
    services = {m.descriptor.containing_service.file for m in contracts().values() if m.workload == service}
    folders = {f.name.removesuffix("_service.proto") + "_events.proto" for f in services if f.name.startswith(prefix)}
    return sorted(folders)


def _analyst(release: Release, desks: Desks, saturation: Saturation) -> Analyst | None:
    analysis = release.specification.analysis
    if analysis is None:
        return None
    keyed = release.service in with_accounts()
    business = release.specification.business
    costs = saturation.costs
    return Analyst(analysis, is_unary, business=business, keyed=keyed, desk_of=desks.of, costs=costs)


def _filling(world: World, release: Release) -> Filling | None:
    analysis = release.specification.analysis
    if analysis is None or not analysis.fill_calls_per_s:
        return None
    return Filling(world.registry, release.service, analysis.fill_calls_per_s, contracts(), world.log)


class Look:
    """Looks at one release, and works for it: starts its candidates, holds the gate, promotes, ends. What an earlier
    control plane has seen of it counts."""

    def __init__(self, world: World, changed: Callable[[], None], release: Release) -> None:
        self._world = world
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failure = ""
        self._gate_passed = self._promoted = self._gone = self._served = False
        self._promotion_failure = ""
        self._shadow: Shadow | None = None
        self._memory, self._saturation = MemoryWatch(release.specification.abort), Saturation(release)
        self._replacing = Replacing(world, release) if release.specification.rolls else None
        self._keeping: asyncio.Task[None] | None = None
        self._kept_time = time.monotonic()
        self._desks, self._filling = Desks(world.bus, world.log), _filling(world, release)
        self._analyst = _analyst(release, self._desks, self._saturation)
        world.calls.begin(release.release_id)
        self._business = Watched(world, release, self._alarmed, self._desks)
        self._restore(release)

    def _alarmed(self, why: str) -> None:
        self._failure = self._failure or why
        self._changed()

    def _restore(self, release: Release) -> None:
        kept = self._world.kept.load(release.release_id)
        if not kept:
            return
        try:
            if self._analyst is not None:
                self._analyst.restore(kept["analysis"])
            self._world.calls.restore(release.release_id, kept["calls"])
            if release.shadows and "shadow" in kept:
                shadow = self._made_shadow(release)
                shadow.restore(kept["shadow"])
                self._shadow = shadow
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._world.log.error("what a release has seen is counted anew", release=release.name, reason=repr(error))
            self._saturation = Saturation(release)
            self._analyst = _analyst(release, self._desks, self._saturation)

    def seen(self, release: Release) -> Seen:
        """What is known now."""
        world, service = self._world, release.service
        serving = world.serving(service, settled=release.phase is Phase.STARTING)
        wanted, resumed_s, replacing = release.wanted, RESUMED_S, self._replacing
        if replacing is not None:
            # They are started again after a restart of the node.
            resumed_s = max(RESUMED_S, release.specification.abort.ready_within)
        self._served = self._served or serving >= wanted
        if release.phase is Phase.STEPPING and not self._served and time.monotonic() - world.began < resumed_s:
            serving = wanted
        verdict, may_go_on = self._judged(release)
        seen = Seen(
            serving=serving,
            failure=self._failure,
            gate_passed=self._gate_passed,
            verdict=verdict,
            may_go_on=may_go_on,
            compared=self._shadow.seen().explanation if self._shadow is not None and release.shadows else "",
            promoted=self._promoted,
            promotion_failure=self._promotion_failure,
            candidate_gone=self._gone,
        )
        if replacing is None:
            return seen
        settled, own = world.serving(service, settled=True), replacing.own
        return replace(seen, settled=settled, late=replacing.late, replaced=replacing.replaced, own=own)

    @property
    def promoted(self) -> bool:
        """Whether the service's own instances are the candidate's version."""
        return self._promoted

    @property
    def gone(self) -> bool:
        """Whether the candidate's processes have ended."""
        return self._gone

    def _judged(self, release: Release) -> tuple[str, bool]:
        """Why calls speak against the candidate, and whether they let it go on."""
        world, specification = self._world, release.specification
        verdict = world.judge(specification.abort, world.calls.seen(release.release_id))
        verdict = verdict or self._memory.against or self._saturation.against
        if release.shadows:
            self._saturation.mirrors()
            self._keep(release)
            shadow = self._shadow
            return verdict or (shadow.against if shadow else ""), shadow is not None and shadow.may_go_on
        if self._analyst is None or release.phase is not Phase.STEPPING:
            self._keep(release)
            return verdict, True
        if self._analyst.due():
            judged, drifts = self._business.orders.judged(), self._business.drifts()
            ended = world.calls.fresh(release.release_id)
            if self._filling is not None:
                ended += self._filling.seen(sum(call.candidate for call in ended))
            self._analyst.look(ended, judged, drifts)
            self._keep(release)
        # A step without calls shows nothing, and waits for none.
        idle = release.weight == 0
        return verdict or self._analyst.against, idle or self._analyst.may_go_on

    def _keep(self, release: Release) -> None:
        """Writes down what was seen, at most each KEEP_S and one at a time."""
        over = release.phase is not Phase.STEPPING
        busy = self._keeping is not None and not self._keeping.done()
        if over or busy or time.monotonic() - self._kept_time < KEEP_S:
            return
        self._kept_time = time.monotonic()
        document: dict[str, Any] = {"calls": self._world.calls.state(release.release_id)}
        if self._analyst is not None:
            document["analysis"] = self._analyst.state()
        if release.shadows and self._shadow is not None:
            document["shadow"] = self._shadow.state()
        self._keeping = asyncio.create_task(self._world.kept.save(release.release_id, document), name="keep evidence")

    def findings(self) -> tuple[Finding, ...]:
        """What the analysis says, and the shadow; nothing without them."""
        found = () if self._analyst is None else self._analyst.findings()
        if (seen := self.shadow) is None:
            return found
        return (*found, Finding("shadow", "", seen.outcome, seen.explanation, seen.calls_needed))

    @property
    def shadow(self) -> ShadowSeen | None:
        """What the shadow has found; None without one."""
        return None if self._shadow is None else self._shadow.seen()

    def work(self, release: Release) -> None:
        """Begins what the release's phase needs and what is not being done yet."""
        if self._replacing is not None:
            self._replacing.follow(release)
            if release.phase is Phase.STEPPING:
                self._begin("old", self._end_old, release)
            elif "old" in self._tasks:
                self._tasks["old"].cancel()
        if release.phase in (Phase.STARTING, Phase.STEPPING):
            self._begin("candidates", self._keep_candidates, release)
            self._begin("pulse", self._feel_pulse, release)
            self._begin("business", self._business.run, release)
            if self._saturation.asks:
                self._begin("instances", self._ask_instances, release)
        if release.phase is Phase.STARTING:
            self._begin("gate", self._hold_gate, release)
        if self._filling is not None and release.phase is Phase.STEPPING and release.weight:
            self._begin("filling", self._fill, release)
        if release.shadows:
            self._begin("shadow", self._repeat_calls, release)
        elif "shadow" in self._tasks:
            self._tasks["shadow"].cancel()
        if release.phase is Phase.PROMOTING:
            if self._replacing is not None and "candidates" in self._tasks:
                # They are to become fewer.
                self._tasks["candidates"].cancel()
            self._begin("promote", self._promote, release)
        if release.phase in (Phase.ABORTING, Phase.COMPLETING, Phase.PROMOTED):
            for name in ("candidates", "gate", "pulse", "business", "filling", "instances"):
                if name in self._tasks:
                    self._tasks[name].cancel()
            self._begin("end", self._end, release)

    def _begin(self, name: str, work: Callable[[Release], Awaitable[None]], release: Release) -> None:
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._guarded(work, release), name=f"{name} of {release.name}")

    async def _guarded(self, work: Callable[[Release], Awaitable[None]], release: Release) -> None:
        try:
            await work(release)
        except Exception as error:
            # What was not foreseen must end the release, and not leave it where it is.
            self._world.log.exception("a release cannot go on", release=release.name)
            self._failure = self._failure or f"control cannot go on with it: {error!r}"
        self._changed()

    async def _end_old(self, release: Release) -> None:
        assert self._replacing is not None
        await self._replacing.end_old()

    async def _running(self, release: Release, first: bool) -> Running:
        """How instances do; candidates that ought to be there and are not are started."""
        if self._replacing is not None:
            return await self._replacing.ensure()
        if not first:
            return await self._world.node.candidates(release.service)
        # A candidate that has calls was started by the control plane before this one.
        stepping = release.phase is Phase.STEPPING
        return (
            Running() if stepping else await self._world.node.ensure(release.service, release.specification.candidate)
        )

    async def _keep_candidates(self, release: Release) -> None:
        seen, first = Running(), True
        while True:
            try:
                seen = await self._running(release, first)
            except NodeError as error:
                if not isinstance(error, NodeGone) or (first and release.phase is Phase.STARTING):
                    self._failure = f"the candidate cannot be started: {error}"
                    return
                # Health says how the candidates do; a node that is busy must not end a release.
                self._world.log.warning("the node cannot be asked for candidates", reason=str(error))
            first = False
            crashed = next((s for s in seen.candidates if s.crashed), None)
            if crashed is not None:
                # One that is being started again does not say any more how it ended.
                why = f"{crashed.name} crashed: {crashed.detail or 'the end of its log follows'}"
                self._failure = f"{why}\n{crashed.log[-LOG_CHARACTERS_MAX:]}".rstrip()
                return
            serving = {i.name for i in self._world.candidates(release.service) if i.serving}
            self._saturation.look(serving_alone(seen, serving))
            if self._served:
                self._memory.look(seen if self._replacing is None else serving_alone(seen, serving))
            await asyncio.sleep(ASK_AGAIN_S)

    async def _ask_instances(self, release: Release) -> None:
        await self._saturation.ask(self._world, release.service)

    async def _feel_pulse(self, release: Release) -> None:
        within_s = release.specification.abort.answers_within
        name = await hanging(lambda: self._world.candidates(release.service), within_s)
        self._failure = self._failure or f"{name} hangs: it answered no health check for {within_s:g} s"

    async def _hold_gate(self, release: Release) -> None:
        world, service, wanted = self._world, release.service, release.specification.candidate
        while not world.serving(service, settled=False) or not world.stable(service):
            changed = world.registry.changed()
            await changed
        candidate, stable = world.candidates(service)[0], world.stable(service)[0]
        if candidate.version != wanted.version:
            self._failure = f"the candidate says that it is version {candidate.version}, not {wanted.version}"
        elif stable.version == wanted.version:
            self._failure = f"version {wanted.version} is what serves already: give the candidate another version"
        else:
            self._failure = await self._differences(service, stable, candidate)
        if not self._failure:
            await self._saturation.rest()
        self._gate_passed = not self._failure

    async def _differences(self, service: str, stable: Registered, candidate: Registered) -> str:
        also = fact_files(service)
        try:
            old = await gate.descriptors(stable.socket, also)
            problems = await gate.compare(old, await gate.descriptors(candidate.socket, also))
        except gate.GateError as error:
            return f"the contract cannot be compared: {error}"
        if problems:
            return f"the contract breaks callers: {'; '.join(problems)}"
        return await self._settings(service, candidate)

    async def _settings(self, service: str, candidate: Registered) -> str:
        """Why the candidate refuses the live configuration that is in force; empty if it takes it."""
        try:
            values = (await self._world.bus.store.get(service)).values
        except (EventsUnavailable, Failure) as error:
            return f"the live configuration cannot be read to check it: {error}"
        if not values:
            # Nothing is set, or the service has none: then the candidate's own defaults are in force.
            return ""
        for _ in range(SETTINGS_ASKED_MAX):
            verdict = await self._world.instances.check_config_of(candidate, to_struct(values))
            if verdict is not None:
                break
            # One that has just started, or a busy machine, is slow to answer; that is no refusal.
            await asyncio.sleep(ASK_AGAIN_S)
        else:
            return "the candidate does not say whether it takes the live configuration"
        return f"the live configuration is refused: {'; '.join(verdict.errors)}" if verdict.errors else ""

    async def _repeat_calls(self, release: Release) -> None:
        if self._shadow is None:
            self._shadow = self._made_shadow(release)
        await self._shadow.run()

    async def _fill(self, release: Release) -> None:
        assert self._filling is not None
        await self._filling.run()

    def _made_shadow(self, release: Release) -> Shadow:
        world, plan = self._world, release.specification.mirror
        assert plan is not None
        return Shadow(world.registry, release.service, plan, contracts(), world.log)

    async def _promote(self, release: Release) -> None:
        while not self._promoted and not self._promotion_failure:
            try:
                await self._world.node.promote(release.service, release.specification.candidate)
                if self._replacing is not None:
                    await self._replacing.fill(self._changed)
                self._promoted = True
            except NodeGone as error:
                self._world.log.warning("the node cannot be asked to promote", reason=str(error))
                await asyncio.sleep(ASK_AGAIN_S)
            except NodeError as error:
                self._promotion_failure = str(error)[:LOG_CHARACTERS_MAX]

    async def _end(self, release: Release) -> None:
        if release.phase is Phase.ABORTING and any(d.kind is Kind.PROMOTING for d in release.decisions):
            await self._take_back(release)
        if release.phase is not Phase.PROMOTED and self._replacing is not None:
            await self._replacing.restore()
        try:
            await self._world.node.end(release.service)
        except NodeGone as error:
            # Candidates cannot outlive their node.
            self._world.log.warning("the node cannot be asked to end candidates", reason=str(error))
        self._gone = True

    async def _take_back(self, release: Release) -> None:
        """Makes the service what it was, if it was promoted before another of the release could not be."""
        try:
            await self._world.node.take_back(release.service, release.specification.candidate)
        except NodeError as error:
            self._world.log.error(
                "a service stays at the version that was taken back",
                release=release.name,
                service=release.service,
                reason=str(error)[:LOG_CHARACTERS_MAX],
            )

    async def close(self) -> None:
        """Ends what is being done; the node goes on with what it was asked."""
        await end(self._tasks.values())
        if self._keeping is not None:
            await asyncio.gather(self._keeping, return_exceptions=True)
