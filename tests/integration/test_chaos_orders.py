"""No order is lost, doubled or made up when a process of the order path dies, and no kill lets one through."""

from __future__ import annotations

import random

import pytest

from tests.chaos.device import obstacle
from tests.chaos.nemesis import CUT, KILL, MACHINE, POINT, Blow
from tests.chaos.order_controls import CONTROLS, NEEDS_POWER, STANDS, controls
from tests.chaos.order_stand import ACCOUNTS, standing
from tests.chaos.points import POINTS

pytestmark = pytest.mark.integration

SEED = 5
ENDS = ("trading.committed", "broker.before_dealt", "risk.engaged")
"""The points of the suite; runs by hand have all of them."""


async def test_rounds() -> None:
    """Kills of trading, broker, PostgreSQL and NATS, ends at named points and the power cut break no promise."""
    chance = random.Random(SEED)
    points = [point for point in POINTS if point.name in ENDS]
    assert len(points) == len(ENDS)
    rounds = [
        [Blow("trading-1", KILL, chance.uniform(0, 1), 0)],
        [Blow("postgres", KILL, chance.uniform(0, 1), 0), Blow("broker-1", KILL, chance.uniform(0, 1), 0)],
        [Blow("nats", KILL, chance.uniform(0, 1), 0)],
        *([Blow(point.service, POINT, 0, 0, point)] for point in points),
    ]
    if not obstacle():
        rounds.append([Blow(MACHINE, CUT, chance.uniform(0.5, 1.5), 0)])
    async with standing(SEED) as stand:
        for number, plan in enumerate(rounds):
            assert await stand.round(number, plan) == []
        assert len(stand.promises.promised()) > 50, "orders were entered"
        assert all(stand.books.book(account).fills for account in ACCOUNTS), "and filled"
        assert stand.officer.kills >= 2
        assert set(stand.processes.points) == set(ENDS)


@pytest.mark.long
@pytest.mark.parametrize("names", STANDS, ids=lambda names: names[0])
async def test_every_fault_that_is_put_in_is_found(names: tuple[str, ...]) -> None:
    """As what it is."""
    wanted = [name for name in names if name not in NEEDS_POWER or not obstacle()]
    if not wanted:
        pytest.skip(obstacle())
    async with standing(SEED) as stand:
        tried = []
        async for name, expected, found in controls(stand, wanted):
            tried.append(name)
            assert expected in {problem.broken for problem in found}, (name, found)
    assert tried == wanted


def test_every_control_has_a_stand() -> None:
    """Each is tried once."""
    assert sorted(name for names in STANDS for name in names) == sorted(CONTROLS)
