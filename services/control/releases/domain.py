"""A release as a state machine: what is seen in, what is decided out. Pure: time and words of people are arguments.

```
starting ─ ready, gate passed ─▶ stepping ─ last step is over ─▶ promoting ─▶ promoted
    │                               │  ▲ step, pause, resume        │
    │                               │  └─ of a shadow ─▶ completing ─▶ completed
    └────── failure, a word ────────┴─────────▶ aborting ─▶ aborted │ (it could not be promoted)
                                                   ▲────────────────┘
```
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.control.releases.known import NO_CALLS, CallsSeen, Finding, Seen, Tally
from services.control.releases.rolling import Instances, new_at, weight_of
from services.control.releases.specification import Specification
from services.control.shadow.seen import ShadowSeen
from services.control.split import WEIGHT_MAX

DECISIONS_MAX = 500
"""Decisions that a release can take: 50 steps, and what people do in between. Then only its end is decided."""
EVIDENCE_MAX = 20
"""Sentences of evidence that are kept with a decision; failures come first."""
CONTROL = "control"
"""Who decides by the rules of the specification."""


class Phase(StrEnum):
    """Where a release is."""

    STARTING = "starting"
    STEPPING = "stepping"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    ABORTING = "aborting"
    ABORTED = "aborted"
    COMPLETING = "completing"
    COMPLETED = "completed"

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self in (Phase.PROMOTED, Phase.ABORTED, Phase.COMPLETED)


class Kind(StrEnum):
    """What was decided."""

    STARTED = "started"
    STEPPED = "stepped"
    REPLACING = "replacing"
    PAUSED = "paused"
    RESUMED = "resumed"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    ABORTING = "aborting"
    ABORTED = "aborted"
    COMPLETING = "completing"
    COMPLETED = "completed"


class Refused(Exception):
    """What somebody asks for cannot be done where the release is; the message says why and what can."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: who took it and why; `step` is the index into the plan and `weight` the share after it."""

    time: dt.datetime
    kind: Kind
    cause: str
    by: str
    step: int
    weight: int
    evidence: tuple[str, ...] = ()
    """What the tests said then: of all calls together, and what failed."""
    tally: Tally = NO_CALLS


@dataclass(frozen=True, slots=True)
class Release:
    """A release as its decisions have made it. `step` is -1 before the first; `calls`, `findings` and `shadow` are what
    was known when it was decided how it ends, or to begin the first step after a shadow."""

    release_id: str
    name: str
    specification: Specification
    create_time: dt.datetime
    phase: Phase = Phase.STARTING
    paused: bool = False
    step: int = -1
    step_time: dt.datetime | None = None
    weight: int = 0
    decisions: tuple[Decision, ...] = ()
    calls: tuple[CallsSeen, ...] = ()
    findings: tuple[Finding, ...] = ()
    told: int = 0
    """How many of its decisions the log of facts has."""
    shadow: ShadowSeen | None = None

    @property
    def shadows(self) -> bool:
        """Whether the candidate repeats calls and gets none of its own."""
        return self.phase is Phase.STEPPING and self.specification.shadows(self.step)

    @property
    def service(self) -> str:
        """The service that is released; of several the first."""
        return self.specification.service

    @property
    def services(self) -> tuple[str, ...]:
        """All that are released, callers before whom they call."""
        return tuple(each.service for each in self.specification.released)

    @property
    def parts(self) -> tuple[Release, ...]:
        """The same as releases of one service each; by their ids what is seen of each service is counted."""
        if not self.specification.several:
            return (self,)
        return tuple(
            replace(self, release_id=part_id(self.release_id, each.service), specification=self.specification.of(each))
            for each in self.specification.released
        )

    @property
    def replacing(self) -> bool:
        """Whether the next new instances are starting: the step in force stays so until they take calls."""
        moves = (d.kind for d in reversed(self.decisions) if d.kind in (Kind.STEPPED, Kind.REPLACING))
        return self.phase is Phase.STEPPING and next(moves, None) is Kind.REPLACING

    @property
    def wanted(self) -> int:
        """Candidate instances that are to take calls now."""
        specification = self.specification
        return specification.plan[max(self.step, 0)].instances if specification.rolls else specification.instances

    @property
    def instances(self) -> Instances:
        """How many instances of both versions a rolling release is to have now."""
        specification, of, weight = self.specification, self.specification.instances, self.weight
        rolling, new = specification.replacing, new_at(weight, of)
        kept = min(rolling.stable_min, of)
        if self.phase is Phase.STARTING:
            return Instances(self.wanted, of)
        if self.phase is Phase.STEPPING:
            coming = specification.plan[self.step + 1].instances if self.replacing else self.wanted
            return Instances(coming, max(kept, of - new))
        if self.phase is Phase.PROMOTING:
            return Instances(new, max(kept, min(of, of - new + rolling.max_surge)))
        return Instances(0, of)

    def new_after(self, decision: Decision) -> int:
        """Of a rolling release: how many instances of the new version the calls are for after a decision."""
        of = self.specification.instances
        return of if decision.kind in (Kind.PROMOTING, Kind.PROMOTED) else new_at(decision.weight, of)

    @property
    def cause(self) -> str:
        """Why it is where it is."""
        return self.decisions[-1].cause if self.decisions else ""


def part_id(release_id: str, service: str) -> str:
    """Under what the calls of one service are counted, of a release of several."""
    return f"{release_id}.{service}"


_PHASES = {
    Kind.STARTED: Phase.STARTING,
    Kind.STEPPED: Phase.STEPPING,
    Kind.PROMOTING: Phase.PROMOTING,
    Kind.PROMOTED: Phase.PROMOTED,
    Kind.ABORTING: Phase.ABORTING,
    Kind.ABORTED: Phase.ABORTED,
    Kind.COMPLETING: Phase.COMPLETING,
    Kind.COMPLETED: Phase.COMPLETED,
}


def evolve(release: Release, decision: Decision) -> Release:
    """The release after a decision."""
    changed = replace(
        release,
        phase=_PHASES.get(decision.kind, release.phase),
        paused=decision.kind is Kind.PAUSED,
        step=decision.step,
        weight=decision.weight,
        decisions=(*release.decisions, decision),
    )
    return replace(changed, step_time=decision.time) if decision.kind is Kind.STEPPED else changed


def _decision(release: Release, now: dt.datetime, kind: Kind, cause: str, by: str = CONTROL, **to: int) -> Decision:
    return Decision(now, kind, cause, by, to.get("step", release.step), to.get("weight", release.weight))


def _abort(release: Release, now: dt.datetime, cause: str, by: str = CONTROL) -> Decision:
    return _decision(release, now, Kind.ABORTING, cause, by, weight=0)


def begun(release: Release, by: str) -> Release:
    """A release with its first decision."""
    several, told = release.specification.several, release.specification.told
    cause = f"{told} {'are' if several else 'is'} started beside the stable version{'s' if several else ''}"
    return evolve(release, _decision(release, release.create_time, Kind.STARTED, cause, by))


def decide(release: Release, seen: Seen, now: dt.datetime) -> Decision | None:
    """What the specification's rules decide; None for nothing now."""
    if release.phase is Phase.STARTING:
        return _start(release, seen, now)
    if release.phase is Phase.STEPPING:
        return _while_stepping(release, seen, now)
    if release.phase is Phase.PROMOTING:
        if seen.promotion_failure:
            return _abort(release, now, f"it could not be promoted: {seen.promotion_failure}")
        if seen.promoted:
            promoted = release.specification.released
            cause = " and ".join(f"{each.service} is version {each.candidate.version}" for each in promoted) + " now"
            return _decision(release, now, Kind.PROMOTED, cause, weight=0)
        return _given_back(release, seen, now)
    if release.phase is Phase.ABORTING and seen.candidate_gone:
        return _decision(release, now, Kind.ABORTED, release.cause, weight=0)
    if release.phase is Phase.COMPLETING and seen.candidate_gone:
        return _decision(release, now, Kind.COMPLETED, release.cause, weight=0)
    return None


def _given_back(release: Release, seen: Seen, now: dt.datetime) -> Decision | None:
    """The share of candidates in whose place the service's own instances are the new version; the last one's is given
    back when the release is promoted."""
    of = release.specification.instances
    weight = weight_of(max(1, of - seen.own), of)
    if not release.specification.rolls or weight >= release.weight:
        return None
    return _decision(release, now, Kind.PROMOTING, f"{seen.own} of {of} instances are the service's own", weight=weight)


def _start(release: Release, seen: Seen, now: dt.datetime) -> Decision | None:
    specification = release.specification
    if seen.failure:
        return _abort(release, now, seen.failure)
    if seen.serving >= release.wanted and seen.gate_passed:
        several = "the candidates serve, and their contracts and settings fit"
        one = "the candidate serves, and its contract and settings fit"
        return _step(release, now, 0, several if specification.several else one)
    waited_s = (now - release.create_time).total_seconds()
    if waited_s > specification.abort.ready_within:
        wanted = f"{seen.serving} of {release.wanted} instances take calls{_lacking(seen)}"
        return _abort(release, now, f"not ready within {specification.abort.ready_within:g} s: {wanted}")
    return None


def _lacking(seen: Seen) -> str:
    return f"; too few of {', '.join(seen.lacking)}" if seen.lacking else ""


def _step(release: Release, now: dt.datetime, step: int, cause: str, by: str = CONTROL) -> Decision:
    plan = release.specification.plan
    if step >= len(plan) and release.specification.strategy == "shadow":
        return _decision(release, now, Kind.COMPLETING, cause, by, weight=0)
    if step >= len(plan):
        return _decision(release, now, Kind.PROMOTING, cause, by, weight=WEIGHT_MAX)
    more = release.step >= 0 and plan[step].instances > plan[release.step].instances
    if more and not release.replacing:
        return _decision(release, now, Kind.REPLACING, cause, by)
    return _decision(release, now, Kind.STEPPED, cause, by, step=step, weight=plan[step].weight)


def _replace(release: Release, seen: Seen, now: dt.datetime) -> Decision | None:
    """The next step of a rolling release, once its instances take calls."""
    specification = release.specification
    of, coming = specification.instances, specification.plan[release.step + 1].instances
    if seen.settled >= coming and not release.paused:
        return _step(release, now, release.step + 1, f"{coming} of {of} instances are new")
    if seen.settled < coming and seen.late:
        told = f"{seen.settled} of {coming} new instances take calls"
        return _abort(release, now, f"not ready within {specification.abort.ready_within:g} s: {told}")
    return None


def _while_stepping(release: Release, seen: Seen, now: dt.datetime) -> Decision | None:
    specification, step = release.specification, release.specification.plan[release.step]
    if seen.failure:
        return _abort(release, now, seen.failure)
    if specification.abort.unhealthy and seen.serving < release.wanted:
        told = f"{seen.serving} of {release.wanted} candidate instances serve{_lacking(seen)}"
        return _abort(release, now, told)
    if seen.verdict:
        return _abort(release, now, seen.verdict)
    if release.replacing:
        return _replace(release, seen, now)
    assert release.step_time is not None
    over = (now - release.step_time).total_seconds() >= step.duration
    # A shadow alone tells what it has found when its time is over, be it enough or not.
    may_go_on = seen.may_go_on or specification.strategy == "shadow"
    waits = release.paused or not step.may_end(now) or not may_go_on or not seen.replaced
    if waits or not over or len(release.decisions) >= DECISIONS_MAX:
        return None
    share = (
        f"{step.instances} of {specification.instances} instances"
        if specification.rolls
        else f"{step.weight_percent:g} %"
    )
    held = f"{share} held for {step.duration:g} s"
    return _step(release, now, release.step + 1, seen.compared or held)


def promote(release: Release, by: str, comment: str, now: dt.datetime) -> Decision:
    """Somebody's word to go on: to the next step, from the last one to promotion.

    Raises:
        Refused: it is not at a step.
    """
    _at_a_step(release, "promoted")
    if release.replacing:
        raise Refused("the next instances are starting: wait until they take calls, or abort it")
    return _step(release, now, release.step + 1, comment or "promoted by hand", by)


def pause(release: Release, by: str, comment: str, now: dt.datetime) -> Decision:
    """Somebody's word to stay at this step. Rules that abort go on.

    Raises:
        Refused: it is not at a step, or is paused already.
    """
    _at_a_step(release, "paused")
    if release.paused:
        raise Refused("it is paused already: promote or resume it, or abort it")
    return _decision(release, now, Kind.PAUSED, comment or "paused by hand", by)


def resume(release: Release, by: str, comment: str, now: dt.datetime) -> Decision:
    """Somebody's word to go on by the clock.

    Raises:
        Refused: it is not paused.
    """
    if not release.paused:
        raise Refused("it is not paused: there is nothing to resume")
    return _decision(release, now, Kind.RESUMED, comment or "resumed by hand", by)


def abort(release: Release, by: str, comment: str, now: dt.datetime) -> Decision:
    """Somebody's word to take it back.

    Raises:
        Refused: it is over, or the service's own instances are being replaced.
    """
    if release.phase is Phase.PROMOTING:
        raise Refused("it is being promoted: wait for that, then release the version before")
    if release.phase in (Phase.ABORTING, Phase.COMPLETING) or release.phase.over:
        raise Refused(f"it is {release.phase} already: there is nothing to abort")
    return _abort(release, now, comment or "aborted by hand", by)


def _at_a_step(release: Release, done: str) -> None:
    if release.phase is not Phase.STEPPING:
        raise Refused(f"it is {release.phase}, and can be {done} only at one of its steps")
    if len(release.decisions) >= DECISIONS_MAX:
        raise Refused(f"it has taken {DECISIONS_MAX} decisions: abort it and start it anew")


def tally(calls: Sequence[CallsSeen]) -> Tally:
    """All methods together."""
    sums = {
        side: (
            sum(c.calls for c in calls if c.candidate is side),
            sum(c.failures for c in calls if c.candidate is side),
        )
        for side in (False, True)
    }
    return Tally(*sums[False], *sums[True])


def witnessed(decision: Decision, calls: Sequence[CallsSeen], findings: Sequence[Finding]) -> Decision:
    """A decision with what was known when it was taken."""
    told = [f.explanation for f in findings if not f.segment or f.outcome == "FAIL"]
    return replace(decision, evidence=tuple(told[:EVIDENCE_MAX]), tally=tally(calls))


def find(releases: Sequence[Release], wanted: str) -> Release | None:
    """The newest release with an id or a name."""
    matching = [r for r in releases if wanted in (r.release_id, r.name)]
    return max(matching, key=lambda r: r.create_time, default=None)
