"""Two sessions on a bad link: every application message comes exactly once, in order; see tests/fix_rounds.py."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fix_rounds import CALM, KILL_AFTER, KILL_BEFORE, Side, World, play

FATES = st.sampled_from((CALM, CALM, CALM, KILL_BEFORE, KILL_AFTER))
SIDES = st.sampled_from((0, 1))


class Link(RuleBasedStateMachine):
    """What may happen to two sessions, in any order."""

    world: World

    @initialize(next_expected=st.booleans())
    def begin(self, next_expected: bool) -> None:
        """A pair of sessions that have never spoken."""
        self.world = World(next_expected=next_expected)

    def side(self, which: int) -> Side:
        """One of the two."""
        return self.world.sides[which]

    @rule(which=SIDES, size=st.sampled_from((7, 60, 300, 100_000)), fate=FATES)
    def hear(self, which: int, size: int, fate: str) -> None:
        """A side reads."""
        self.world.hear(self.side(which), size, fate)

    @rule(which=SIDES, fate=FATES)
    def send(self, which: int, fate: str) -> None:
        """A side sends, connected or not."""
        self.world.send(self.side(which), fate)

    @rule(seconds=st.sampled_from((0.1, 1.0, 5.0, 13.0)))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.world.wait(seconds)

    @rule()
    def connect(self) -> None:
        """The initiator connects."""
        self.world.connect()

    @rule()
    def talk(self) -> None:
        """Both sides read all there is, some times."""
        for _ in range(4):
            for side in self.world.sides:
                side.hear(1 << 20)

    @rule(which=SIDES, place=st.floats(0, 0.999))
    def damage(self, which: int, place: float) -> None:
        """A byte is another."""
        self.world.damage(self.side(which), place)

    @rule()
    def cut(self) -> None:
        """The connection breaks."""
        self.world.cut()

    @invariant()
    def in_order(self) -> None:
        """Nothing came twice, nothing was left out."""
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """Once the link behaves, all has come."""
        if hasattr(self, "world"):
            self.world.settle()
            self.world.check()


TestLink = Link.TestCase
TestLink.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("seed", [11, 12])
def test_a_long_time_on_a_bad_link(seed: int) -> None:
    """Over thousands of steps with kills, cuts and damage everything that was sent has come once."""
    totals = play(seed, 6_000)
    assert totals["messages"] > 1_000
    assert min(totals["kills"], totals["cuts"], totals["damaged"]) > 10


def test_the_check_sees_what_it_is_for() -> None:
    """A message that came twice, or out of order, or is missing, is found."""
    world = World()
    for taken in (["a", "a"], ["b"], ["a", "c"], ["b", "a"]):
        world.initiator.sent, world.acceptor.taken = ["a", "b", "c"], taken
        with pytest.raises(AssertionError, match="took"):
            world.check()
