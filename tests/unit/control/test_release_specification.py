"""Specifications of releases: what is taken, and what is refused with field and remedy."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crossrate.runtime.topology import DEFAULT_PATH
from crossrate.runtime.topology import load as load_topology
from services.control.releases import specification
from services.control.releases.specification import Specification, SpecificationError, load, read
from services.control.split import DESK_HEADER, Pin, Split

SERVICES = ("control", "reference", "ledger")
STICKY = ("ledger",)


def document(**more: Any) -> dict[str, Any]:
    """A canary of reference."""
    steps = [{"weight_percent": 5, "duration": "1m"}, {"weight_percent": 50, "duration": "1h30m"}]
    return {"service": "reference", "candidate": {"version": "2.0"}, "steps": steps} | more


def problems(**more: Any) -> dict[str, str]:
    """What is wrong with a specification, by field."""
    with pytest.raises(SpecificationError) as caught:
        read(document(**more), SERVICES, STICKY)
    return dict(caught.value.problems)


def test_a_canary_has_its_steps() -> None:
    """Weights are hundredths of a percent and durations seconds."""
    plan = read(document(), SERVICES, STICKY).plan
    assert [(s.weight, s.duration, s.gate) for s in plan] == [(500, 60, "none"), (5000, 5400, "none")]


def test_blue_green_waits_for_a_word_and_moves_all_calls_at_once() -> None:
    """First none and a manual gate, then all for as long as it holds them."""
    plan = read(document(strategy="blue_green", steps=[], hold="2m"), SERVICES, STICKY).plan
    assert [(s.weight, s.gate) for s in plan] == [(0, "manual"), (10_000, "none")]
    assert plan[1].duration == 120


def test_an_experiment_never_promotes_itself() -> None:
    """The one step of `ab` has a manual gate, whatever it says."""
    (only,) = read(document(strategy="ab", steps=[{"weight_percent": 50, "duration": "1s"}]), SERVICES, STICKY).plan
    assert only.gate == "manual"


def test_desks_reach_the_compiler() -> None:
    """One that is pinned, and all of them as what keeps callers together."""
    read_ = read(document(pins=[{"to": "candidate", "desk": "rates"}], sticky={"desk": True}), SERVICES, STICKY)
    assert read_.split("id", 700) == Split("id", 700, DESK_HEADER, (Pin(True, "rates", DESK_HEADER),))


def test_pins_and_the_sticky_header_reach_the_compiler() -> None:
    """A pin by account and one by header, in their order."""
    pins = [{"to": "candidate", "account": "alpha"}, {"to": "stable", "header": "x-desk", "value": "fx"}]
    read_ = read(document(service="ledger", pins=pins, sticky={"header": "x-desk"}), SERVICES, STICKY)
    expected = Split("id", 700, "x-desk", (Pin(True, "alpha"), Pin(False, "fx", "x-desk")))
    assert read_.split("id", 700) == expected


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"service": "control"}, "service", "one of ledger, reference"),
        ({"service": "colour"}, "service", "one of ledger, reference"),
        ({"colour": 1}, "colour", "take it out"),
        ({"candidate": {}}, "candidate.version", "is missing: give it"),
        ({"candidate": {"version": "2", "environment": {"CROSSRATE_STATE": "x"}}}, "candidate", "take it out"),
        ({"candidate": {"version": "2", "environment": {"lower": "x"}}}, "candidate", "write it in capitals"),
        ({"candidate": {"version": "2", "instances": 9}}, "candidate.instances", "less than or equal to 8"),
        ({"steps": []}, "steps", "needs at least one"),
        (
            {"steps": [{"weight_percent": 101, "duration": "1s"}]},
            "steps[0].weight_percent",
            "less than or equal to 100",
        ),
        ({"steps": [{"weight_percent": 5, "duration": "soon"}]}, "steps[0].duration", "such as 2s"),
        ({"steps": [{"weight_percent": 5, "duration": "0s"}]}, "steps[0].duration", "greater than 0"),
        ({"strategy": "blue_green"}, "steps", "give hold instead"),
        ({"strategy": "ab"}, "steps", "exactly one step"),
        ({"pins": [{"to": "stable"}]}, "pins[0]", "either account, or role, or desk, or header"),
        ({"pins": [{"to": "stable", "header": "x-a"}]}, "pins[0]", "give both"),
        ({"pins": [{"to": "stable", "desk": "Rates "}]}, "pins[0].desk", "match"),
        ({"pins": [{"to": "stable", "header": "x-crossrate-desk", "value": "a"}]}, "pins[0].header", "the mesh's own"),
        ({"sticky": {"header": "x-envoy-peer"}}, "sticky.header", "the mesh's own"),
        ({"sticky": {"header": "x-a", "desk": True}}, "sticky", "either header, or desk"),
        ({"pins": [{"to": "stable", "account": "a"}]}, "pins[0].account", "pin by header instead"),
        ({"abort": {"error_percent_max": 0}}, "abort.error_percent_max", "greater than 0"),
        ({"abort": {"error_percent_max": True}}, "abort.error_percent_max", "must be a number, without quotes"),
        ({"abort": {"unhealthy": "no"}}, "abort.unhealthy", "must be true or false"),
        ({"abort": {"calls_min": "5"}}, "abort.calls_min", "must be a number, without quotes"),
        ({"shadow": {"three_way": 0}}, "shadow.three_way", "must be true or false"),
        ({"candidate": "2"}, "candidate", "must be a table"),
        ({"candidate": {"version": "2", "command": "python -m x"}}, "candidate.command", "must be a list"),
        ({"candidate": {"version": 2}}, "candidate.version", "must be a text, in quotes"),
        ({"candidate": {"version": "2", "command": [""]}}, "candidate.command", "its first word is empty"),
        ({"candidate": {"version": "2", "environment": {"A": "a\0"}}}, "candidate.environment.A", "zero byte"),
        ({"steps": [{"weight_percent": 0.001, "duration": "1s"}]}, "steps[0].weight_percent", "smallest share, 0.01"),
        ({"steps": [{"weight_percent": 5, "duration": "1s", "gate": True}]}, "steps[0].gate", "{ schedule = "),
        ({"steps": [{"weight_percent": 5, "duration": "1s", "gate": "maybe"}]}, "steps[0].gate", '"none", "manual"'),
        (
            {"steps": [{"weight_percent": 5, "duration": "1s", "gate": {}}]},
            "steps[0].gate.schedule",
            "is missing: give it",
        ),
        (
            {"steps": [{"weight_percent": 5, "duration": "1s", "gate": {"schedule": "x"}}]},
            "steps[0].gate",
            "is no time zone",
        ),
    ],
)
def test_what_cannot_be_used_names_its_field_and_what_to_do(more: dict[str, Any], field: str, words: str) -> None:
    """Each wrong specification is refused with the path of what is wrong in it."""
    found = problems(**more)
    assert words in found[field], found


def test_every_problem_is_told_at_once() -> None:
    """Two wrong fields are two problems."""
    assert set(problems(colour=1, candidate={})) == {"colour", "candidate.version"}


def test_a_file_is_found_by_its_name_and_its_folder_is_its_own(tmp_path: Path) -> None:
    """A relative folder of a candidate begins at the specification; one that is not there is named, as is a name that
    would leave the folder."""
    candidate = '[candidate]\nversion = "2"\nfolder = "next"\n'
    text = f'service = "reference"\n{candidate}[[steps]]\nweight_percent = 5\nduration = "1m"\n'
    (tmp_path / "second.toml").write_text(text)
    with pytest.raises(SpecificationError, match="is no folder"):
        load(tmp_path, "second", SERVICES, STICKY)
    (tmp_path / "next").mkdir()
    assert load(tmp_path, "second", SERVICES, STICKY).candidate.folder == str(tmp_path / "next")
    for name in ("../second", "third"):
        with pytest.raises(SpecificationError, match="name: "):
            load(tmp_path, name, SERVICES, STICKY)
    (tmp_path / "broken.toml").write_text("service = ")
    with pytest.raises(SpecificationError, match="cannot be read"):
        load(tmp_path, "broken", SERVICES, STICKY)


def test_specifications_that_are_shown_can_be_used() -> None:
    """Those in mesh/releases, and the one that the README explains field by field."""
    folder = DEFAULT_PATH.parent / "releases"
    names = [path.stem for path in folder.glob("*.toml")]
    assert names
    services = load_topology(DEFAULT_PATH).services
    for name in names:
        load(folder, name, services, STICKY)
    text = (Path(specification.__file__).parent / "README.md").read_text()
    shown, *rules, several, rolling = map(tomllib.loads, re.findall(r"```toml\n(.*?)```", text, re.DOTALL))
    assert read(shown, services, STICKY).analysis is not None
    sticky = {*STICKY, "trading"}
    for service, rule in zip(("trading", "marketdata"), rules, strict=True):
        assert read({**shown, **rule, "service": service}, services, sticky).business
    calls = {name: service.calls for name, service in services.items()}
    assert read({"steps": shown["steps"], **several}, services, STICKY, calls).several
    of = dict.fromkeys(services, 3)
    assert [step.instances for step in read(rolling, services, STICKY, calls, of).plan] == [1, 2, 3]


def together(*services: str, **more: Any) -> dict[str, Any]:
    """A canary of some services."""
    listed = [{"service": s, "candidate": {"version": f"2-{s}"}} for s in services]
    return {"services": listed, "steps": [{"weight_percent": 5, "duration": "1m"}]} | more


def test_several_services_have_a_candidate_each() -> None:
    """The first is the release's service; each part has its own rules and its share of alpha; what is written down
    reads as the same."""
    rules = [
        {"metric": "reject_share", "tolerance": 0.01},
        {"metric": "spread", "method": "ReferenceService/GetInstrument", "field": "instrument", "tolerance": 1},
    ]
    document = together("reference", "ledger", analysis={"alpha": 0.04}, business=rules[:1])
    found = read(document, SERVICES, STICKY)
    assert (found.service, found.candidate.version, found.instances) == ("reference", "2-reference", 2)
    assert found.told == "reference 2-reference and ledger 2-ledger"
    first, second = (found.of(each) for each in found.released)
    assert (first.service, first.business, first.several) == ("reference", (), False)
    assert (second.service, [r.metric for r in second.business]) == ("ledger", ["reject_share"])
    assert first.analysis is not None
    assert first.analysis.alpha == 0.02
    assert specification.Specification.model_validate(found.model_dump(mode="json")) == found
    assert found.split("id", 500) == Split("id", 500, marked=True, among=("reference", "ledger"))
    assert found.only_marked("id") == Split("id", 0, marked=True, only_marked=True)


def test_a_release_of_one_service_has_no_marks() -> None:
    """Named alone or in a list of one."""
    for each in (document(), together("reference")):
        found = read(each, SERVICES, STICKY)
        assert [r.service for r in found.released] == ["reference"]
        assert (found.several, found.only_marked("id"), found.split("id", 5).marked) == (False, None, False)


def wrong_with(document: dict[str, Any], calls: dict[str, list[str]] | None = None) -> dict[str, str]:
    """What is wrong with a document, by field."""
    with pytest.raises(SpecificationError) as caught:
        read(document, SERVICES, STICKY, calls)
    return dict(caught.value.problems)


def test_services_that_cannot_be_released_together_are_named() -> None:
    """Each with its place in the file."""
    assert "name it once" in wrong_with(together("reference", "reference"))["services"]
    assert "take [shadow] out" in wrong_with(together("reference", "ledger", strategy="shadow", steps=[]))["services"]
    assert "must be a service" in wrong_with(together("reference", "nobody"))["services[1].service"]
    assert "give either" in wrong_with(together("reference", "ledger") | {"service": "ledger"})["services"]
    unnamed = together("reference") | {"services": [{"service": "reference", "candidate": {}}]}
    assert set(wrong_with(unnamed)) == {"services[0].candidate.version"}
    alone = wrong_with(together("ledger", "reference"), {"reference": ["ledger"]})
    assert alone == {"services[1].service": "reference calls ledger: put callers before whom they call"}
    both = {"reference": ["ledger"], "ledger": ["reference"]}
    assert read(together("ledger", "reference"), SERVICES, STICKY, both).several


def test_what_was_written_down_is_read_whatever_is_refused_today() -> None:
    """A release that a control plane of before has begun is one, with all others in its file, also where its
    specification could not be started any more."""
    kept = read(document(), SERVICES, STICKY).model_dump(mode="json")
    kept["candidate"]["command"], kept["steps"][0]["weight_percent"] = ["a\0"], 0.001
    assert Specification.model_validate(kept).candidate.command == ("a\0",)
