"""No order is lost, doubled or made up when a process of the order path dies, and no kill lets one through."""

from __future__ import annotations

import random

import pytest

from tests.chaos.nemesis import KILL, Blow
from tests.chaos.order_controls import CONTROLS, controls
from tests.chaos.order_stand import ACCOUNTS, standing

pytestmark = pytest.mark.integration

SEED = 5


async def test_rounds_and_every_control() -> None:
    """Kills of trading, broker, PostgreSQL and NATS break no promise; each fault that is put in afterwards is found."""
    chance = random.Random(SEED)
    rounds = [
        [Blow("trading-1", KILL, chance.uniform(0, 1), 0)],
        [Blow("postgres", KILL, chance.uniform(0, 1), 0), Blow("broker-1", KILL, chance.uniform(0, 1), 0)],
        [Blow("nats", KILL, chance.uniform(0, 1), 0)],
    ]
    async with standing(SEED) as stand:
        for number, plan in enumerate(rounds):
            assert await stand.round(number, [blow for blow in plan if blow.victim in stand.victims]) == []
        assert len(stand.promises.promised()) > 50, "orders were entered"
        assert all(stand.books.book(account).fills for account in ACCOUNTS), "and filled"
        assert stand.officer.kills == 1
        tried = []
        async for name, expected, found in controls(stand):
            tried.append(name)
            assert expected in {problem.broken for problem in found}, (name, found)
        assert tried == list(CONTROLS)
