"""What is known of a release's calls and candidates when something is decided. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Calls of both versions that were seen, and those of them that failed."""

    stable: int = 0
    stable_failures: int = 0
    candidate: int = 0
    candidate_failures: int = 0


NO_CALLS = Tally()


@dataclass(frozen=True, slots=True)
class CallsSeen:
    """What was seen of one method answered by one version; times in milliseconds."""

    method: str
    candidate: bool
    calls: int
    failures: int
    latency_p50_ms: float
    latency_p99_ms: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What one test of the analysis says; `outcome` is PASS, FAIL or NOT_ENOUGH_DATA, `calls_needed` 0 if that is not
    known."""

    metric: str
    segment: str
    outcome: str
    explanation: str
    calls_needed: int
    service: str = ""
    """Whose."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the world.

    Args:
        serving: candidate instances that take calls, and that every proxy knows.
        failure: why the candidate cannot be released: it crashed, or a gate is closed. Empty if nothing speaks against.
        gate_passed: whether contract and settings were compared and fit.
        verdict: why the calls seen so far speak against it; empty if they do not.
        may_go_on: whether the analysis, or the shadow, lets a step that is over end.
        compared: what the shadow says, in words; empty without one.
        promoted: whether the service's own instances are the candidate's version.
        promotion_failure: why they could not become it.
        candidate_gone: whether its processes have ended.
        lacking: of several services those with too few candidates that take calls.
        settled: of `serving` those that every proxy knows; of a rolling release, as what follows.
        late: whether the next instances have been waited for too long.
        replaced: whether no more old instances run than the step leaves.
        own: the service's own instances that are the new version, take calls, and that every proxy knows.
    """

    serving: int = 0
    failure: str = ""
    gate_passed: bool = False
    verdict: str = ""
    may_go_on: bool = True
    compared: str = ""
    promoted: bool = False
    promotion_failure: str = ""
    candidate_gone: bool = False
    lacking: tuple[str, ...] = ()
    settled: int = 0
    late: bool = False
    replaced: bool = True
    own: int = 0
