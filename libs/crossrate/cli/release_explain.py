"""`crossrate release explain`: each decision with what had come since the one before it; then what has come since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossrate.api.control.v1 import release_pb2
from crossrate.cli import show
from crossrate.cli.desk import moment, word
from crossrate.cli.releases import COLUMNS, OVER, get, row, weight
from crossrate.cli.requests import as_dict

Tally = tuple[int, int, int, int]
"""Calls and failures of stable, then of the candidate."""
_NOT_WAITED_FOR = frozenset({"shadow", "processor_time_a_call"})
"""Metrics of the analysis that no step with a weight waits for, whatever they lack."""


def explain(name: str, *, whole: bool, as_json: bool) -> None:
    """Every decision with its cause and the evidence that had come for it.

    Args:
        whole: also everything that was seen so far, by method, and every verdict.
    """
    release = get(name)
    if as_json:
        show.document(as_dict(release))
        return
    show.table(COLUMNS, [row(release)])
    before, told = (0, 0, 0, 0), set[str]()
    for decision in release.decisions:
        before = _tell_decision(decision, before, told)
    over = word(release, "phase") in OVER
    fresh = [v for v in release.verdicts if whole or v.explanation not in told]
    if not over or whole:
        show.console().print("everything that was seen" if whole else "since then", markup=False)
        _tell_calls((0, 0, 0, 0) if whole else before, _sums(release.calls))
        _tell_verdicts(fresh)
        _tell_wait(release)
        if hidden := len(release.verdicts) - len(fresh):
            show.note(f"{hidden} verdicts are as they were at the last decision; `--all` shows them")
    if len(release.services) > 1:
        healths = [(s.service, s.version, f"{s.candidates_serving}/{s.candidates_wanted}") for s in release.services]
        show.table(("service", "candidate", "serving "), healths)
    if any(step.shadow for step in release.steps):
        show.note(f"`crossrate release shadow {name}` shows what differs")
    if whole and release.calls:
        _tell_methods(release)
    elif not release.calls:
        show.note("no call was seen under it")
    else:
        show.note(f"`crossrate release explain {name} --all` shows the calls of each method")


def _tell_decision(decision: release_pb2.ReleaseDecision, before: Tally, told: set[str]) -> Tally:
    kind = word(decision, "kind").lower()
    good = True if kind in ("promoted", "completed") else False if kind in ("aborting", "aborted") else None
    show.console().print(
        moment(decision.time),
        show.mark(kind, good),
        f"{weight(decision)}, by {decision.decided_by}: {decision.cause}",
        markup=False,
    )
    now = decision.stable_calls, decision.stable_failures, decision.candidate_calls, decision.candidate_failures
    _tell_calls(before, now)
    for sentence in decision.evidence:
        if sentence not in told:
            show.console().print(f"    {sentence}", markup=False)
    told.update(decision.evidence)
    return now


def _tell_calls(before: Tally, now: Tally) -> None:
    # After a restart of control a moment of calls may be missing.
    more = [max(0, b - a) for a, b in zip(before, now, strict=True)]
    if more[0] or more[2]:
        sides = (("stable", more[0], more[1]), ("candidate", more[2], more[3]))
        words = "; ".join(f"{side} {calls:,} calls, {failed:,} failed" for side, calls, failed in sides)
        show.console().print(f"    {words}", markup=False)


def _sums(calls: Iterable[release_pb2.ReleaseCalls]) -> Tally:
    every = list(calls)
    stable, candidate = ([c for c in every if c.candidate is side] for side in (False, True))
    return (
        sum(c.calls for c in stable),
        sum(c.failures for c in stable),
        sum(c.calls for c in candidate),
        sum(c.failures for c in candidate),
    )


def _tell_verdicts(verdicts: Iterable[release_pb2.ReleaseVerdict]) -> None:
    for verdict in verdicts:
        outcome = word(verdict, "outcome").lower().replace("_", " ")
        good = {"pass": True, "fail": False}.get(outcome)
        show.console().print("   ", show.mark(outcome, good), verdict.explanation, markup=False)


def _tell_wait(release: release_pb2.Release) -> None:
    needed = max((v.calls_needed for v in release.verdicts if v.metric not in _NOT_WAITED_FOR), default=0)
    if word(release, "phase") == "STEPPING" and needed and not release.steps[release.step].shadow:
        show.note(
            f"about {needed:,} more calls of the candidate decide it; where few come, `fill_calls_per_s` in [analysis] "
            "has recorded calls without side effects repeated"
        )


def _tell_methods(release: release_pb2.Release) -> None:
    seen: list[tuple[Any, ...]] = [
        (
            c.method.rsplit(".", 1)[-1],
            "candidate" if c.candidate else "stable",
            c.calls,
            c.failures,
            f"{c.latency_p50.ToMicroseconds() / 1000:.2f}",
            f"{c.latency_p99.ToMicroseconds() / 1000:.2f}",
        )
        for c in release.calls
    ]
    show.table(("method", "version", "calls ", "failed ", "p50 ms ", "p99 ms "), seen)
