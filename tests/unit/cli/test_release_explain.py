"""What `crossrate release explain` prints: what is new at each decision, and since the last one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from crossrate.api.control.v1 import release_pb2
from crossrate.cli import release_explain, show

PASSES = "errors passes: 0 of 100 calls"


def canary(*, over: bool = False) -> release_pb2.Release:
    """A release that was started, stepped and paused, or promoted."""
    release = release_pb2.Release(
        name="two", service="reference", version="2", phase=release_pb2.RELEASE_PHASE_STEPPING
    )
    for kind, calls, evidence in (
        (release_pb2.RELEASE_DECISION_KIND_STARTED, (0, 0, 0, 0), ()),
        (release_pb2.RELEASE_DECISION_KIND_STEPPED, (0, 0, 0, 0), ()),
        (release_pb2.RELEASE_DECISION_KIND_STEPPED, (1000, 3, 50, 0), (PASSES,)),
        (release_pb2.RELEASE_DECISION_KIND_PAUSED, (1200, 3, 260, 1), (PASSES, "latency passes: 2 ms")),
    ):
        decision = release.decisions.add(kind=kind, cause=f"cause {len(release.decisions)}", decided_by="control")
        decision.stable_calls, decision.stable_failures, decision.candidate_calls, decision.candidate_failures = calls
        decision.evidence.extend(evidence)
    if over:
        release.decisions[-1].kind, release.phase = (
            release_pb2.RELEASE_DECISION_KIND_PROMOTED,
            release_pb2.RELEASE_PHASE_PROMOTED,
        )
    method = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
    release.calls.add(method=method, calls=1300, failures=4)
    release.calls.add(method=method, candidate=True, calls=300, failures=1)
    release.verdicts.add(outcome=release_pb2.RELEASE_OUTCOME_PASS, explanation=PASSES)
    release.verdicts.add(outcome=release_pb2.RELEASE_OUTCOME_NOT_ENOUGH_DATA, explanation="about 40 more calls needed")
    return release


def explained(monkeypatch: pytest.MonkeyPatch, release: release_pb2.Release, *, whole: bool = False) -> list[str]:
    """The lines that are printed."""
    out = io.StringIO()
    console = Console(file=out, width=200)
    monkeypatch.setattr(show, "console", lambda: console)
    monkeypatch.setattr(show, "note", lambda text: console.print(text, markup=False))
    monkeypatch.setattr(release_explain, "get", lambda name: release)
    release_explain.explain("two", whole=whole, as_json=False)
    return [line.strip() for line in out.getvalue().splitlines()]


def test_each_decision_shows_what_had_come_since_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of both versions as differences, a sentence of the tests where it is new, and after the last decision what
    has come since; verdicts that were told with it are counted and not told again."""
    lines = explained(monkeypatch, canary())
    assert "stable 1,000 calls, 3 failed; candidate 50 calls, 0 failed" in lines
    assert "stable 200 calls, 0 failed; candidate 210 calls, 1 failed" in lines
    assert lines.count(PASSES) == 1
    since = lines[lines.index("since then") :]
    assert since[1] == "stable 100 calls, 1 failed; candidate 40 calls, 0 failed"
    assert since[2] == "not enough data about 40 more calls needed"
    assert since[3].startswith("1 verdicts are as they were at the last decision")
    assert not [line for line in lines if "GetInstrument" in line]


def test_everything_is_there_if_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """All verdicts, all calls, and those of each method."""
    lines = explained(monkeypatch, canary(), whole=True)
    seen = lines[lines.index("everything that was seen") :]
    assert seen[1] == "stable 1,300 calls, 4 failed; candidate 300 calls, 1 failed"
    assert f"pass {PASSES}" in seen
    assert len([line for line in seen if "GetInstrument" in line]) == 2


def test_of_a_release_that_is_over_nothing_has_come_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last decision ends the list."""
    assert "since then" not in explained(monkeypatch, canary(over=True))
