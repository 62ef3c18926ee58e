"""Nothing is lost, doubled or half-written, and no reader is led astray, when marketdata, pipeline or a server dies."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.chaos.controls import CONTROLS, controls
from tests.chaos.nemesis import KILL, STOP, Blow, plans
from tests.chaos.stand import MARKETDATA, VICTIMS, standing

pytestmark = pytest.mark.integration

SEED = 5


async def test_four_rounds_and_every_control() -> None:
    """Kills, a pause and a pair break no promise; each fault that is put in afterwards is found as what it is."""
    chance = random.Random(SEED)
    rounds = [
        [Blow(chance.choice(MARKETDATA), KILL, chance.uniform(0, 1), 0.1)],
        [Blow("pipeline-a", KILL, chance.uniform(0, 0.5), 0.1), Blow("postgres", KILL, chance.uniform(0, 1), 0.2)],
        [Blow("nats", STOP, chance.uniform(0, 1), 2.5)],
        # Both at once: what the one has told its readers nobody else has heard of, and nobody can ask.
        [Blow("marketdata-a", KILL, 0.2, 0.1), Blow("nats", KILL, 0.3, 0.3)],
    ]
    async with standing(SEED) as stand:
        for number, plan in enumerate(rounds):
            assert await stand.round(number, plan) == []
        assert sum(len(told.acknowledged) for told in stand.history.clients.values()) > 100, "they were told something"
        tried = []
        async for name, is_found, found in controls(stand):
            tried.append(name)
            assert is_found, (name, found)
        assert tried == list(CONTROLS)


def test_a_seed_gives_the_same_rounds_again() -> None:
    """Whoever is killed or stopped in a hundred rounds, alone or in pairs, each of them is, in both ways."""
    first, again = (list(itertools.islice(plans(3, VICTIMS), 100)) for _ in range(2))
    assert first == again
    assert first != list(itertools.islice(plans(4, VICTIMS), 100))
    alone = {(plan[0].victim, plan[0].kind) for plan in first if len(plan) == 1}
    assert alone == set(itertools.product(VICTIMS, (KILL, STOP)))
    assert any(len(plan) == 2 for plan in first)
