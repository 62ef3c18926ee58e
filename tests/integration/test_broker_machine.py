"""Broker and a venue that speaks FIX against a naive model, whatever is done in whatever order.

python -m tests.integration.test_broker_machine EXAMPLES [STEPS]     by hand: so many runs of so many steps
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.integration.venue_world import World

pytestmark = pytest.mark.integration
PICK = st.integers(0, 2**16)
THOUSANDS = st.integers(1, 200)


class Machine(RuleBasedStateMachine):
    """Steps of trading, of the venue and of fate; the world stays from one run to the next, its orders are new."""

    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]
    told_every_s: ClassVar[float] = 0.0
    told_s: ClassVar[float] = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.mine: list[str] = []

    def do(self, work: Any) -> Any:
        """Runs a step."""
        self.world.steps += 1
        return self.loop.run_until_complete(work)

    @rule(thousands=THOUSANDS)
    def enter(self, thousands: int) -> None:
        """A new order."""
        self.mine.append(self.do(self.world.enter(thousands * 1000)))

    @precondition(lambda self: self.mine)
    @rule(pick=PICK, thousands=THOUSANDS)
    def amend(self, pick: int, thousands: int) -> None:
        """An amendment of an order that a venue has confirmed, as trading sends them."""
        order_id = self.mine[pick % len(self.mine)]
        if "ACCEPTED" in self.world.kinds(order_id):
            self.do(self.world.amend(order_id, thousands * 1000))

    @precondition(lambda self: self.mine)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        """A cancel, at any time."""
        self.do(self.world.cancel(self.mine[pick % len(self.mine)]))

    @precondition(lambda self: self.world.house.orders)
    @rule(pick=PICK, thousands=THOUSANDS)
    def fill(self, pick: int, thousands: int) -> None:
        """The venue deals."""
        newest = list(self.world.house.orders.values())[-50:]
        self.do(self.world.house.deal(newest[pick % len(newest)], thousands * 1000))

    @precondition(lambda self: self.world.house.orders)
    @rule(pick=PICK)
    def venue_cancels(self, pick: int) -> None:
        """The venue cancels by itself."""
        newest = list(self.world.house.orders.values())[-50:]
        self.do(self.world.house.drop_order(newest[pick % len(newest)]))

    @rule()
    def falls_silent(self) -> None:
        """The venue takes orders and says nothing."""
        self.world.steps += 1
        self.world.house.mute = True

    @rule()
    def speaks(self) -> None:
        """It answers again."""
        self.world.steps += 1
        self.world.house.mute = False

    @rule()
    def cut(self) -> None:
        """The line breaks."""
        self.world.steps += 1
        self.world.cut()

    @rule(ms=st.integers(0, 20))
    def time_passes(self, ms: int) -> None:
        """What is on its way gets on a little."""
        self.do(asyncio.sleep(ms / 1000))

    @rule(pick=st.integers(0, 3))
    def kill(self, pick: int) -> None:
        """The adapter is killed, once in a while."""
        if pick == 0:
            self.do(self.world.kill())

    @invariant()
    def numbers_have_no_gap(self) -> None:
        """Reports are read on, and are numbered without a gap."""
        self.loop.run_until_complete(self.world._read())

    def teardown(self) -> None:
        """Both sides agree when everything has arrived."""
        self.loop.run_until_complete(self.world.settle())
        if self.told_every_s and time.monotonic() - self.told_s > self.told_every_s:
            type(self).told_s = time.monotonic()
            print(summary(self.world), flush=True)


def summary(world: World) -> str:
    """What was done so far, and held."""
    fills = sum(map(len, world.house.fills.values()))
    return f"{world.steps} steps, {len(world.orders)} orders, {fills} fills, {world.cuts} cuts, {world.kills} kills"


def run(examples: int, steps: int, **how: Any) -> World:
    """So many runs; the world as it is after them."""
    loop = asyncio.new_event_loop()
    Machine.loop, Machine.world = loop, World()
    try:
        loop.run_until_complete(Machine.world.start())
        # Steps meet time here: a run that fails is told as it is, a shorter one need not fail.
        how |= {"phases": [Phase.generate]}
        how |= {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True, "database": None}
        run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=steps, **how))
        return Machine.world
    finally:
        loop.run_until_complete(Machine.world.stop())
        loop.close()


def test_broker_tells_what_the_venue_did_and_nothing_else() -> None:
    """However lines break and adapters end: no order is sent twice, every fill is told once, every end once."""
    world = run(8, 40, derandomize=True)
    assert world.steps > 100


if __name__ == "__main__":
    begun = time.monotonic()
    Machine.told_every_s = 30.0
    done = run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
    print(f"{summary(done)} in {time.monotonic() - begun:.0f} s: broker told what the venue did")
