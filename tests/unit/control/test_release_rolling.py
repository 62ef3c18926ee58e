"""Rolling releases: what a specification may say, what is decided, and how many instances there are when."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crossrate.api.control.v1 import release_events_pb2
from services.control.releases import domain, messages
from services.control.releases.domain import Kind, Phase, Refused, Release, Seen, begun, decide, evolve
from services.control.releases.facts import fact_of
from services.control.releases.records import Records
from services.control.releases.rolling import Instances, stops
from services.control.releases.runner import share_of
from services.control.releases.specification import Specification, SpecificationError, read

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def specification(of: int = 3, **more: Any) -> Specification:
    """A rolling release of reference, a minute a step."""
    document = {"service": "reference", "strategy": "rolling", "candidate": {"version": "2"}} | more
    return read(document, ["reference", "ledger"], [], None, {"reference": of})


def problems(of: int = 3, **more: Any) -> dict[str, str]:
    """What is wrong with one, by field."""
    with pytest.raises(SpecificationError) as caught:
        specification(of, **more)
    return dict(caught.value.problems)


def started(of: int = 3, **more: Any) -> Release:
    """One that has begun."""
    return begun(Release("id", "rolling", specification(of, **more), NOW), "local")


def well(count: int, **more: Any) -> Seen:
    """So many candidates take calls."""
    return Seen(**{"serving": count, "settled": count, "gate_passed": True} | more)


def after(release: Release, *seen: tuple[float, Seen]) -> Release:
    """A release after what was seen, each at so many seconds from the beginning."""
    for seconds, what in seen:
        decision = decide(release, what, NOW + dt.timedelta(seconds=seconds))
        if decision is not None:
            release = evolve(release, decision)
    return release


def test_a_step_an_instance_unless_the_file_says_otherwise() -> None:
    """Their share is the instances', the last one's all; steps that are named stop there, with a time and a gate of
    their own, and batches lie between them."""
    plan = specification(hold="90s").plan
    assert [(s.instances, s.weight, s.duration, s.gate) for s in plan] == [
        (1, 3333, 90, "none"),
        (2, 6667, 90, "none"),
        (3, 10_000, 90, "none"),
    ]
    named = [{"instances": 1, "duration": "10m", "gate": "manual"}, {"instances": 7, "duration": "1h"}]
    plan = specification(8, steps=named, rolling={"max_surge": 3}).plan
    assert [(s.instances, s.duration, s.gate) for s in plan] == [
        (1, 600, "manual"),
        (4, 60, "none"),
        (7, 3600, "none"),
        (8, 60, "none"),
    ]
    assert stops(1, 8, []) == [1]


def test_capacity_stays_between_all_instances_and_the_surge() -> None:
    """New ones are there before old ones end, one old one stays for the way back until promotion, and own instances
    take the candidates' place one by one."""
    release = started()
    seen = [release.instances]
    walked = [
        (1, well(1)),
        (61, well(1)),
        (62, well(2)),
        (122, well(2)),
        (123, well(3)),
        (183, well(3)),
        (190, well(3, own=1)),
        (191, well(2, own=2)),
    ]
    for step in walked:
        release = after(release, step)
        seen.append(release.instances)
    assert seen == [
        Instances(1, 3),
        Instances(1, 2),
        Instances(2, 2),
        Instances(2, 1),
        Instances(3, 1),
        Instances(3, 1),
        Instances(3, 1),
        Instances(2, 2),
        Instances(1, 3),
    ]
    assert all(3 <= each.candidates + each.own <= 4 for each in seen)
    release = after(release, (192, well(0, own=3, promoted=True)))
    assert (release.phase, release.weight, release.instances) == (Phase.PROMOTED, 0, Instances(0, 3))
    kinds = [str(d.kind) for d in release.decisions]
    assert kinds == [
        *("started", "stepped", "replacing", "stepped", "replacing", "stepped"),
        *("promoting", "promoting", "promoting", "promoted"),
    ]
    assert [d.weight for d in release.decisions] == [0, 3333, 3333, 6667, 6667, 10_000, 10_000, 6667, 3333, 0]
    assert [release.new_after(d) for d in release.decisions] == [0, 1, 1, 2, 2, 3, 3, 3, 3, 3]
    assert release.decisions[2].cause == "1 of 3 instances held for 60 s"
    assert release.decisions[3].cause == "2 of 3 instances are new"


@pytest.mark.parametrize("of", range(1, 9))
@pytest.mark.parametrize("max_surge", [1, 2, 8])
@pytest.mark.parametrize("stable_min", [1, 3])
def test_no_count_of_instances_breaks_the_bounds(of: int, max_surge: int, stable_min: int) -> None:
    """Of one to eight instances: never fewer than there were, and never more than surge or what stays above it."""
    release = started(of, rolling={"max_surge": max_surge, "stable_min": stable_min})
    spare, now, before = max(max_surge, min(stable_min, of)), 1.0, 0
    while release.phase in (Phase.STARTING, Phase.STEPPING):
        meant = release.instances
        assert of <= meant.candidates + meant.own <= of + spare
        assert release.weight >= before
        before, now = release.weight, now + 61
        release = after(release, (now, well(meant.candidates)))
    assert release.phase is Phase.PROMOTING
    while release.phase is Phase.PROMOTING:
        meant = release.instances
        assert of <= meant.candidates + meant.own <= of + spare
        assert meant.own > of - meant.candidates or meant.own == of
        release = after(release, (now, well(meant.candidates, own=meant.own, promoted=meant.own == of)))


def test_a_step_goes_on_when_its_old_instances_have_ended_and_the_next_new_ones_take_calls() -> None:
    """Until then it waits; next ones that do not come are given up in their time, and those that serve stay."""
    walked = after(started(), (1, well(1)), (90, well(1, replaced=False)))
    assert (walked.step, walked.replacing) == (0, False)
    walked = after(walked, (91, well(1)))
    assert (walked.step, walked.replacing, walked.weight) == (0, True, 3333)
    assert decide(walked, well(2, settled=1), NOW + dt.timedelta(days=1)) is None
    late = after(walked, (200, well(1, late=True)))
    assert (late.phase, late.weight, late.instances) == (Phase.ABORTING, 0, Instances(0, 3))
    assert late.cause == "not ready within 60 s: 1 of 2 new instances take calls"
    assert after(walked, (92, well(2, late=True))).step == 1


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        ({"failure": "reference-902 crashed"}, "reference-902 crashed"),
        ({"verdict": "too many errors"}, "too many errors"),
        ({"serving": 1}, "1 of 2 candidate instances serve"),
    ],
)
def test_what_speaks_against_new_instances_gives_the_old_ones_all_calls_at_once(seen: dict, cause: str) -> None:
    """At a step and while the next ones start; all old instances are meant again in one go."""
    second = after(started(), (1, well(1)), (61, well(1)), (62, well(2)))
    for walked in (second, after(second, (122, well(2)))):
        back = after(walked, (130, dataclasses.replace(well(2), **seen)))
        assert (back.phase, back.weight, back.cause, back.instances) == (Phase.ABORTING, 0, cause, Instances(0, 3))
        assert share_of(back) is None
        assert back.new_after(back.decisions[-1]) == 0


def test_words_at_a_rolling_release() -> None:
    """`promote` starts the next instances at once and is refused while they start; paused, they start and wait."""
    walked = after(started(), (1, well(1)))
    by_hand = domain.promote(walked, "ann", "looks well", NOW)
    assert (by_hand.kind, by_hand.cause, by_hand.weight, by_hand.step) == (Kind.REPLACING, "looks well", 3333, 0)
    walked = evolve(walked, by_hand)
    with pytest.raises(Refused, match="the next instances are starting"):
        domain.promote(walked, "ann", "", NOW)
    paused = evolve(walked, domain.pause(walked, "ann", "", NOW))
    assert (paused.replacing, decide(paused, well(2), NOW)) == (True, None)
    resumed = evolve(paused, domain.resume(paused, "ann", "", NOW))
    assert after(resumed, (2, well(2))).step == 1
    assert domain.abort(walked, "ann", "no", NOW).weight == 0


def test_gates_hold_at_any_step() -> None:
    """A manual one until somebody's word, one by hours until they come."""
    steps = [{"instances": 2, "duration": "1s", "gate": {"schedule": "Mon-Fri 14:00-15:00 UTC"}}]
    walked = after(started(steps=steps), (1, well(1)), (61, well(1)), (62, well(2)), (70, well(2)))
    assert (walked.step, walked.replacing) == (1, False)
    assert after(walked, (7201, well(2))).replacing


def test_a_shadow_may_come_first() -> None:
    """It has the first batch of candidates, and no old instance ends for it."""
    walked = after(started(shadow={"duration": "1m"}), (1, well(1)))
    assert (walked.shadows, walked.weight, walked.instances) == (True, 0, Instances(1, 3))
    walked = after(walked, (61, well(1)))
    assert (walked.step, walked.weight, walked.instances) == (1, 3333, Instances(1, 2))


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"candidate": {"version": "2", "instances": 3}}, "candidate.instances", "take it out"),
        ({"steps": [{"weight_percent": 5, "duration": "1s"}]}, "steps[0].weight_percent", "give instances"),
        ({"steps": [{"duration": "1s"}]}, "steps[0].instances", "give how many"),
        ({"steps": [{"instances": 4, "duration": "1s"}]}, "steps[0].instances", "at most so many"),
        (
            {"steps": [{"instances": 2, "duration": "1s"}, {"instances": 1, "duration": "1s"}]},
            "steps",
            "put them in order",
        ),
        ({"rolling": {"max_surge": 0}}, "rolling.max_surge", "greater than or equal to 1"),
        ({"rolling": {"max_unavailable": 1}}, "rolling.max_unavailable", "must be 0"),
        ({"rolling": {"stable_min": 0}}, "rolling.stable_min", "greater than or equal to 1"),
        ({"pins": [{"to": "stable", "header": "x-a", "value": "b"}]}, "pins", "take those to stable out"),
        ({"strategy": "blue_green", "rolling": {}}, "rolling", "take it out"),
        ({"strategy": "canary", "steps": [{"instances": 1, "duration": "1s"}]}, "steps[0].instances", "weight_percent"),
        ({"strategy": "canary", "steps": [{"duration": "1s"}]}, "steps[0].weight_percent", "is missing"),
    ],
)
def test_what_does_not_go_with_rolling_names_its_field(more: dict[str, Any], field: str, words: str) -> None:
    """Each is refused with what to do."""
    found = problems(**more)
    assert words in found[field], found


def test_services_that_cannot_be_rolled_are_named() -> None:
    """Several in one release, and one of more instances than may be candidates."""
    assert "8 at most" in problems(9)["service"]
    services = [{"service": service, "candidate": {"version": "2"}} for service in ("reference", "ledger")]
    both = {"strategy": "rolling", "services": services}
    with pytest.raises(SpecificationError) as caught:
        read(both, ["reference", "ledger"], [])
    assert "name one" in dict(caught.value.problems)["services"]


def test_a_rolling_release_is_on_disk_as_it_was(tmp_path: Path) -> None:
    """With how many instances there are, and that the next ones are starting."""
    walked = after(started(), (1, well(1)), (61, well(1)))
    Records(tmp_path / "releases.json", None).keep(walked)
    (found,) = Records(tmp_path / "releases.json", None).releases.values()
    assert found == walked
    assert (found.replacing, found.instances, found.specification.instances) == (True, Instances(2, 2), 3)


def test_facts_and_answers_say_which_instances_are_new() -> None:
    """Old and new of all; a canary says nothing of the kind."""
    release = after(started(), (1, well(1)))
    fact = release_events_pb2.ReleaseDecided.FromString(fact_of(release, 2).payload)
    assert (fact.instances.wanted, fact.instances.new_version, fact.instances.old_version) == (3, 1, 2)
    told = messages.release(release, {"reference": 1}, Counter([False, False]))
    assert (told.instances.wanted, told.instances.new_version, told.instances.old_version) == (3, 1, 2)
    assert [step.instances for step in told.steps] == [1, 2, 3]
    document = tomllib.loads(
        'service = "reference"\ncandidate = { version = "2" }\nsteps = [{ weight_percent = 5, duration = "1s" }]'
    )
    canary = begun(Release("id", "canary", read(document, ["reference"], []), NOW), "local")
    assert not messages.release(canary, {}, Counter[bool]()).HasField("instances")
    assert not messages.decision(canary, canary.decisions[0]).HasField("instances")
