"""Several services of one release: what is seen of all, and in which order they are promoted and taken back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from services.control.releases import together
from services.control.releases.domain import Finding, Phase, Release, Seen, begun
from services.control.releases.specification import read

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


class FakeLook:
    """What is known of one service, as a test says it; it keeps in which phases it was worked for."""

    made: dict[str, FakeLook] = {}  # noqa: RUF012

    def __init__(self, world: Any, changed: Any, release: Release) -> None:
        self.known = Seen(serving=release.specification.candidate.instances)
        self.worked: list[Phase] = []
        FakeLook.made[release.service] = self

    def seen(self, release: Release) -> Seen:
        """As it was said."""
        return self.known

    def findings(self) -> tuple[Finding, ...]:
        """One that passes, unless it fails."""
        outcome = "FAIL" if self.known.verdict else "PASS"
        return (Finding("errors", "", outcome, "errors are few", 0),)

    def work(self, release: Release) -> None:
        """Keeps the phase."""
        self.worked.append(release.phase)

    @property
    def promoted(self) -> bool:
        """As it was said."""
        return self.known.promoted

    @property
    def gone(self) -> bool:
        """As it was said."""
        return self.known.candidate_gone


def released(phase: Phase) -> Release:
    """A release of two services in a phase; pricing calls marketdata."""
    services = [
        {"service": "pricing", "candidate": {"version": "2"}},
        {"service": "marketdata", "candidate": {"version": "3", "instances": 2}},
    ]
    document = {"services": services, "steps": [{"weight_percent": 5, "duration": "1m"}]}
    release = begun(Release("id", "both", read(document, ["pricing", "marketdata"], []), NOW), "local")
    return dataclasses.replace(release, phase=phase)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> together.Looks:
    """Looks at two services."""
    monkeypatch.setattr(together, "Look", FakeLook)
    FakeLook.made = {}
    return together.Looks(None, lambda: None, released(Phase.STARTING))  # type: ignore[arg-type]


def say(service: str, **known: Any) -> None:
    """Something more is known of a service."""
    look = FakeLook.made[service]
    look.known = dataclasses.replace(look.known, **known)


def test_what_speaks_against_one_speaks_against_all(looks: together.Looks) -> None:
    """With the service's name; and what one waits for all do."""
    release = released(Phase.STEPPING)
    assert looks.seen(release) == Seen(serving=3)
    say("pricing", gate_passed=True, promoted=True, candidate_gone=True)
    say("marketdata", verdict="too slow", may_go_on=False)
    seen = looks.seen(release)
    assert (seen.verdict, seen.may_go_on, seen.gate_passed) == ("marketdata: too slow", False, False)
    assert (seen.promoted, seen.candidate_gone) == (False, False)
    first, second = looks.findings()
    assert (first.service, first.outcome, first.explanation) == ("marketdata", "FAIL", "marketdata: errors are few")
    assert (second.service, second.outcome) == ("pricing", "PASS")


def test_more_candidates_of_one_do_not_make_up_for_too_few_of_another(looks: together.Looks) -> None:
    """Those with too few are named."""
    say("pricing", serving=3)
    say("marketdata", serving=0)
    seen = looks.seen(released(Phase.STEPPING))
    assert (seen.serving, seen.lacking) == (1, ("marketdata",))


def test_callees_are_promoted_first(looks: together.Looks) -> None:
    """A caller only when they are."""
    release = released(Phase.PROMOTING)
    looks.work(release)
    assert (FakeLook.made["marketdata"].worked, FakeLook.made["pricing"].worked) == ([Phase.PROMOTING], [])
    say("marketdata", promoted=True)
    looks.work(release)
    assert FakeLook.made["pricing"].worked == [Phase.PROMOTING]


@pytest.mark.parametrize("phase", [Phase.ABORTING, Phase.PROMOTED])
def test_candidates_that_call_end_first(looks: together.Looks, phase: Phase) -> None:
    """Whom they call only when they have."""
    release = released(phase)
    looks.work(release)
    assert (FakeLook.made["pricing"].worked, FakeLook.made["marketdata"].worked) == ([phase], [])
    say("pricing", candidate_gone=True)
    looks.work(release)
    assert FakeLook.made["marketdata"].worked == [phase]
