"""Long walks through the ways of trading, of which hypothesis tries few at a time; the machine checks every step.

python -m tests.unit.risk.pretrade.test_walk SEED STEPS     a hundred walks from a seed on
"""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest

from tests.unit.risk.pretrade.test_reservations import ACCOUNTS, INSTRUMENTS, Reservations

WEIGHTS = {
    "enter": 6,
    "settle": 12,
    "fill": 8,
    "cancel": 5,
    "amend": 8,
    "replaced": 8,
    "whole_state": 1,
    "taken_over": 1,
    "restarted": 1,
    "limits_change": 1,
}


def walk(seed: int, steps: int) -> Counter[str]:
    """A long walk through the same rules, of which hypothesis tries few at a time; how often each was taken."""
    draw = random.Random(seed)
    machine = Reservations()
    machine.begin()
    taken: Counter[str] = Counter()
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    for _ in range(steps):
        (name,) = draw.choices(names, weights)
        number, units, coin = draw.randrange(99), draw.randint(1, 9), draw.random() < 0.7
        before = sum(map(len, machine.reports.values()))
        if name == "enter":
            orders = [
                (
                    draw.choice(ACCOUNTS),
                    draw.choice(INSTRUMENTS),
                    draw.random() < 0.5,
                    draw.randint(1, 9),
                    draw.choice(["", "", "list"]),
                )
                for _ in range(draw.randint(1, 4))
            ]
            machine.enter(orders, not coin)
        elif name in ("settle", "replaced"):
            getattr(machine, name)(number, coin)
        elif name == "amend":
            machine.amend(number, units * 2, coin)
        elif name == "fill":
            machine.fill(number, units)
        elif name == "cancel":
            machine.cancel(number)
        else:
            getattr(machine, name)()
        taken[name] += sum(map(len, machine.reports.values())) > before or name in ("enter", "whole_state")
        if draw.random() < 0.5:
            machine.reserved()
        if len(machine.orders) > 40:
            machine.cancel(number)
    machine.teardown()
    return taken


@pytest.mark.parametrize("seed", range(4))
def test_a_long_walk_keeps_the_sums(seed: int) -> None:
    """Five hundred steps with every event among them."""
    taken = walk(seed, 500)
    assert min(taken[name] for name in ("settle", "fill", "cancel", "amend", "replaced")) >= 5


if __name__ == "__main__":
    first, steps = (int(each) for each in sys.argv[1:3])
    for number in range(first, first + 100):
        print(number, dict(walk(number, steps)))
