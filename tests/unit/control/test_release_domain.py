"""Releases decided: what is seen in, what is decided out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from services.control.releases import domain
from services.control.releases.domain import (
    CallsSeen,
    Finding,
    Kind,
    Phase,
    Refused,
    Release,
    Seen,
    begun,
    decide,
    evolve,
)
from services.control.releases.records import Records
from services.control.releases.runner import share_of
from services.control.releases.specification import read
from services.control.split import Split

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
WELL = Seen(serving=1, gate_passed=True)


def release(**more: Any) -> Release:
    """A canary of 5 % and 50 %, a minute each."""
    steps = [{"weight_percent": 5, "duration": "1m"}, {"weight_percent": 50, "duration": "1m"}]
    document = {"service": "reference", "candidate": {"version": "2"}, "steps": steps} | more
    return begun(Release("id", "canary", read(document, ["reference"], []), NOW), "local")


def after(start: Release, *seen: tuple[float, Seen]) -> Release:
    """A release after what was seen, each at so many seconds from the beginning."""
    for seconds, what in seen:
        decision = decide(start, what, NOW + dt.timedelta(seconds=seconds))
        if decision is not None:
            start = evolve(start, decision)
    return start


def test_a_good_candidate_goes_through_its_steps() -> None:
    """Each step lasts its duration; after the last the service's own instances are replaced, then the weight is given
    back."""
    walked = after(release(), (0, Seen()), (1, Seen(serving=1)), (2, WELL))
    assert (walked.phase, walked.step, walked.weight) == (Phase.STEPPING, 0, 500)
    assert decide(walked, WELL, NOW + dt.timedelta(seconds=61.9)) is None
    walked = after(walked, (62, WELL))
    assert (walked.step, walked.weight) == (1, 5000)
    walked = after(walked, (122, WELL))
    assert (walked.phase, walked.weight) == (Phase.PROMOTING, 10_000)
    assert decide(walked, WELL, NOW + dt.timedelta(days=1)) is None
    walked = after(walked, (130, Seen(promoted=True)))
    assert (walked.phase, walked.weight) == (Phase.PROMOTED, 0)
    assert decide(walked, Seen(failure="late"), NOW + dt.timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (Seen(serving=1, gate_passed=True, failure="it crashed"), "it crashed"),
        (Seen(serving=0, gate_passed=True), "0 of 1 candidate instances serve"),
        (Seen(serving=1, gate_passed=True, verdict="too many errors"), "too many errors"),
    ],
)
def test_what_speaks_against_a_candidate_takes_the_weight_back(seen: Seen, cause: str) -> None:
    """At a step, paused or not, the first of them decides; when the candidate has ended it is over."""
    for paused in (False, True):
        walked = after(release(), (1, WELL))
        if paused:
            walked = evolve(walked, domain.pause(walked, "local", "", NOW))
        walked = after(walked, (2, seen))
        assert (walked.phase, walked.weight, walked.cause) == (Phase.ABORTING, 0, cause)
        assert decide(walked, seen, NOW) is None
        walked = after(walked, (3, Seen(candidate_gone=True)))
        assert (walked.phase, walked.cause) == (Phase.ABORTED, cause)


def test_a_candidate_that_is_not_ready_in_time_gets_no_weight() -> None:
    """It is ended with what is missing."""
    walked = after(release(abort={"ready_within": "10s"}), (9, Seen()), (10.1, Seen()))
    assert walked.phase is Phase.ABORTING
    assert "not ready within 10 s: 0 of 1 instances" in walked.cause
    assert all(d.weight == 0 for d in walked.decisions)


def test_health_is_no_reason_where_the_specification_says_so() -> None:
    """With `unhealthy = false` the others of the rules still hold."""
    walked = after(release(abort={"unhealthy": False}), (1, WELL), (2, Seen()))
    assert walked.phase is Phase.STEPPING
    assert after(walked, (3, Seen(verdict="bad"))).phase is Phase.ABORTING


def test_a_promotion_that_fails_is_taken_back() -> None:
    """The service is what it was, and the cause is the node's."""
    walked = after(release(), (1, WELL), (61, WELL), (121, WELL), (122, Seen(promotion_failure="no memory")))
    assert (walked.phase, walked.weight) == (Phase.ABORTING, 0)
    assert walked.cause == "it could not be promoted: no memory"


def test_a_pause_stops_the_clock_and_a_word_goes_on() -> None:
    """Paused, a step lasts for ever; `promote` ends it, `resume` gives it back to the clock."""
    walked = after(release(), (1, WELL))
    walked = evolve(walked, domain.pause(walked, "ann", "lunch", NOW))
    assert decide(walked, WELL, NOW + dt.timedelta(days=1)) is None
    with pytest.raises(Refused, match="paused already"):
        domain.pause(walked, "ann", "", NOW)
    promoted = evolve(walked, domain.promote(walked, "bob", "looks well", NOW))
    assert (promoted.step, promoted.paused, promoted.decisions[-1].by) == (1, False, "bob")
    resumed = evolve(walked, domain.resume(walked, "ann", "", NOW))
    assert decide(resumed, WELL, NOW + dt.timedelta(seconds=61)).kind is Kind.STEPPED
    with pytest.raises(Refused, match="not paused"):
        domain.resume(resumed, "ann", "", NOW)


def test_words_are_refused_where_they_make_no_sense() -> None:
    """Nothing is promoted before its first step, nor aborted while it is promoted or when it is over."""
    started = release()
    with pytest.raises(Refused, match="it is starting"):
        domain.promote(started, "ann", "", NOW)
    promoting = after(started, (1, WELL), (61, WELL), (121, WELL))
    with pytest.raises(Refused, match="release the version before"):
        domain.abort(promoting, "ann", "", NOW)
    aborting = evolve(started, domain.abort(started, "ann", "no", NOW))
    with pytest.raises(Refused, match="aborting already"):
        domain.abort(aborting, "ann", "", NOW)


def test_decisions_have_an_end() -> None:
    """Who pauses and resumes for ever fills no disk: after a bound a release can only end."""
    walked = after(release(), (1, WELL))
    while len(walked.decisions) < domain.DECISIONS_MAX:
        word = domain.resume if walked.paused else domain.pause
        walked = evolve(walked, word(walked, "ann", "", NOW))
    with pytest.raises(Refused, match="500 decisions"):
        domain.promote(walked, "ann", "", NOW)
    assert domain.abort(walked, "ann", "", NOW).kind is Kind.ABORTING


def test_a_decision_keeps_what_was_known_when_it_was_taken() -> None:
    """Calls of both versions, and what the tests said: of all calls, and of what failed; not of every segment."""
    calls = [CallsSeen("/a", False, 90, 1, 1, 2), CallsSeen("/a", True, 10, 2, 1, 2), CallsSeen("/b", True, 5, 0, 1, 2)]
    findings = [
        Finding("errors", "alpha", "FAIL", "alpha fails", 0),
        Finding("errors", "", "NOT_ENOUGH_DATA", "undecided", 5),
        Finding("errors", "beta", "PASS", "beta passes", 0),
    ]
    decision = domain.witnessed(release().decisions[0], calls, findings)
    assert decision.evidence == ("alpha fails", "undecided")
    assert decision.tally == domain.Tally(90, 1, 15, 2)


def test_a_release_is_on_disk_as_it_was(tmp_path: Path) -> None:
    """What is read is what was kept; a file that cannot be read is put aside, and one release of it alone likewise."""
    walked = after(release(pins=[{"to": "candidate", "header": "x-desk", "value": "fx"}]), (1, WELL))
    path = tmp_path / "control" / "releases.json"
    Records(path, None).keep(walked)
    found = Records(path, None)
    assert found.releases == {"id": walked}
    assert found.active("reference") == walked
    told = []

    class Log:
        def error(self, words: str, **more: Any) -> None:
            """Keeps the file that it was told."""
            told.append(Path(more["path"]))

    (kept,) = json.loads(path.read_text())
    newer = kept | {"release_id": "newer", "specification": kept["specification"] | {"unheard_of": 1}}
    path.write_text(json.dumps([newer, kept, 7]))
    assert Records(path, Log()).releases == {"id": walked}
    assert json.loads(told[0].read_text())["release_id"] == "newer"
    assert told[1].read_text() == "7\n"
    path.write_text("{")
    assert Records(path, Log()).releases == {}
    assert told[2].read_text() == "{"
    assert len(set(told)) == 3


def together() -> Release:
    """A canary of two services, with two candidates of the second."""
    services = [
        {"service": "pricing", "candidate": {"version": "2"}},
        {"service": "marketdata", "candidate": {"version": "3", "instances": 2}},
    ]
    document = {"services": services, "steps": [{"weight_percent": 5, "duration": "1m"}]}
    specification = read(document, ["pricing", "marketdata"], [])
    return begun(Release("id", "both", specification, NOW), "local")


def test_a_release_of_two_services_waits_for_all_candidates() -> None:
    """It says of which service there are too few, and tells both in its causes."""
    started = together()
    assert started.cause == "pricing 2 and marketdata 3 are started beside the stable versions"
    assert decide(started, Seen(serving=2, gate_passed=True), NOW) is None
    late = decide(started, Seen(serving=2, gate_passed=True, lacking=("marketdata",)), NOW + dt.timedelta(minutes=2))
    assert late is not None
    assert late.cause.endswith("2 of 3 instances take calls; too few of marketdata")
    walked = after(started, (0, Seen(serving=3, gate_passed=True)), (1, Seen(serving=2, lacking=("pricing",))))
    assert walked.cause == "2 of 3 candidate instances serve; too few of pricing"
    whole = after(started, (0, Seen(3, gate_passed=True)), (70, Seen(3)), (71, Seen(3, promoted=True)))
    assert (whole.phase, whole.cause) == (Phase.PROMOTED, "pricing is version 2 and marketdata is version 3 now")


def test_proxies_follow_marks_before_the_first_step_and_until_the_last_candidate_has_ended() -> None:
    """A release of one service needs nothing of the kind."""
    started = together()
    stepping = after(started, (0, Seen(3, gate_passed=True)))
    aborting = after(stepping, (1, Seen(3, verdict="bad")))
    aborted = after(aborting, (2, Seen(candidate_gone=True)))
    only = Split("id", 0, marked=True, only_marked=True)
    assert [share_of(r) for r in (started, stepping, aborting, aborted)] == [
        only,
        Split("id", 500, marked=True, among=("pricing", "marketdata")),
        only,
        None,
    ]
    assert share_of(release()) is None


def test_parts_of_a_release_are_releases_of_one_service() -> None:
    """Counted apart, each with its own candidate; of one service it is the release itself."""
    first, second = together().parts
    assert [(p.release_id, p.service, p.specification.candidate.version) for p in (first, second)] == [
        ("id.pricing", "pricing", "2"),
        ("id.marketdata", "marketdata", "3"),
    ]
    assert release().parts == (release(),)


def test_a_release_of_two_services_is_kept_as_it_is(tmp_path: Path) -> None:
    """And is the one under way of each of them."""
    records = Records(tmp_path / "releases.json", None)
    records.keep(together())
    again = Records(tmp_path / "releases.json", None)
    assert again.active("pricing") == again.active("marketdata") == together()
    assert again.active("reference") is None
