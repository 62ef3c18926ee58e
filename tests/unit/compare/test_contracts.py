"""The bar: a difference in any of 200 fields of the real contracts is found and named, and noise is not."""

from __future__ import annotations

import random

import pytest

from crossrate.api.policy.v1 import policy_pb2
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.compare.shadow import ShadowReport
from crossrate.evidence.verdict import Outcome
from tests.unit.compare.messages import Leaf, answers, disturb, filled, leaves, plant

LEAVES = [leaf for message in answers() for leaf in leaves(message)]
CHOSEN = random.Random(8).sample([leaf for leaf in LEAVES if not leaf.ignored], 200)


def names(leaf: Leaf) -> set[str]:
    """What a report may name for a leaf: itself, or, where it is a key, the elements that lost their like."""
    steps = [f"{step.name}[]" if step.is_repeated else step.name for step in leaf.way]
    return {".".join(steps[:end]) for end in range(1, len(steps) + 1)}


def trial(leaf: Leaf, seed: int, calls: int, planted: bool) -> ShadowReport:
    """Mirrored calls under noise: stable, stable again, and a candidate that may be wrong in one field."""
    chance = random.Random(seed)
    comparator, report = Comparator(pip_of), ShadowReport()
    for _ in range(calls):
        stable = filled(leaf.message, leaf.way, chance)
        again, candidate = type(stable)(), type(stable)()
        again.CopyFrom(stable)
        candidate.CopyFrom(stable)
        if planted:
            plant(candidate, leaf.way, chance)
        for answer in (stable, again, candidate):
            disturb(answer, chance)
        kind = type(stable)
        bodies = [answer.SerializeToString() for answer in (stable, candidate, again)]
        report.observe(
            comparator.compare_bytes(kind, bodies[0], bodies[1]), comparator.compare_bytes(kind, bodies[0], bodies[2])
        )
    return report


def test_there_are_fields_enough() -> None:
    """The contracts have thousands of scalars in their answers, and the rules of all answers can be read."""
    assert len(LEAVES) > 2000
    assert len({(leaf.message.full_name, leaf.field) for leaf in CHOSEN}) == 200
    for message in answers():
        Comparator(pip_of).rules(message, None)


@pytest.mark.parametrize("place", range(200), ids=lambda i: f"{CHOSEN[i].message.name}.{CHOSEN[i].field}")
def test_a_planted_difference_is_found_and_named(place: int) -> None:
    """In the first call it is told with its path, after forty it is said to be no noise, and nothing else is."""
    leaf = CHOSEN[place]
    first = trial(leaf, place, 1, planted=True)
    assert {report.field for report in first.fields()} <= names(leaf)
    assert first.fields()
    report = trial(leaf, place, 40, planted=True)
    failed = report.failed()
    assert {found.field for found in failed} == {found.field for found in report.fields()}
    assert {found.field for found in failed} <= names(leaf)
    assert leaf.field in {found.field for found in failed} or leaf.way[-1].name in KEYS[place]
    assert all(found.examples for found in failed)


def _keys(leaf: Leaf) -> set[str]:
    """Names of subfields by which some list on the way is paired."""
    options = (step.GetOptions().Extensions[policy_pb2.field].compare_key for step in leaf.way)
    return {part.strip() for key in options for part in key.split(",") if part}


KEYS = [_keys(leaf) for leaf in CHOSEN]


def test_nothing_is_reported_between_identical_versions() -> None:
    """All answers of the platform, under noise in all that is ignored or tolerated: not a single field differs."""
    for seed, message in enumerate(answers()):
        leaf = next(iter(leaves(message)), None)
        if leaf is not None:
            assert trial(leaf, seed, 5, planted=False).fields() == ()


def test_what_is_ignored_is_not_seen() -> None:
    """A difference in an ignored field is none."""
    ignored = [leaf for leaf in LEAVES if leaf.ignored]
    assert len(ignored) > 100
    for seed, leaf in enumerate(random.Random(1).sample(ignored, 60)):
        assert trial(leaf, seed, 1, planted=True).fields() == ()


def test_noise_of_what_is_not_declared_is_cancelled() -> None:
    """A field in which stable differs from itself half of the time is not held against a like candidate."""
    leaf = next(leaf for leaf in LEAVES if (leaf.message.name, leaf.field) == ("PriceResponse", "par_rate"))
    false = 0
    for seed in range(10):
        chance, comparator, report = random.Random(seed), Comparator(pip_of), ShadowReport()
        for _ in range(200):
            stable = filled(leaf.message, leaf.way, chance)
            others = []
            for _ in range(2):
                other = type(stable)()
                other.CopyFrom(stable)
                if chance.random() < 0.5:
                    plant(other, leaf.way, chance)
                others.append(other)
            report.observe(*(comparator.compare(stable, other) for other in others))
        (found,) = report.fields()
        false += found.outcome is Outcome.FAIL
        assert 60 < found.differing < 140
        assert 60 < found.noise_differing < 140
    assert false == 0
