"""Two FIX sessions on a link that damages and is cut, while both sides are killed: all that is sent comes once.

    python -m tests.fix_rounds --steps 100000 --seed 1

Each side has a store and an application whose effects commit with the numbers, as a process with a database has. A kill
comes before the commit of a step, and everything of it is gone; or between the commit and the writing. The link
keeps the order, and may damage a message or end anywhere, with what is under way lost.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable

from crossrate.fix.message import Message, packed
from crossrate.fix.numbers import Recall
from crossrate.fix.rules import Numbers, Rules, State
from crossrate.fix.session import Session, SessionEnded
from crossrate.fix.store import MemoryStore

START_NS = 1_767_366_245_000_000_000
KIND = b"D"
QUIET_ROUNDS_MAX = 2_000
CALM, KILL_BEFORE, KILL_AFTER = "calm", "kill before the commit", "kill after the commit"


class Side:
    """A process, and what it has on its disk.

    Attributes:
        sent: what the application sent, committed.
        taken: what the application took, committed.
        incoming: bytes that are on their way to it.
        damage_left: how many of them may belong to a message that is damaged.
        session: of the process; None while it is dead.
        connected: whether it believes to have a connection.
    """

    def __init__(self, world: World, role: str, names: tuple[str, str], *, next_expected: bool) -> None:
        self.world = world
        self.rules = Rules(*names, role=role, reset="never", heartbeat_s=10, next_expected=next_expected)
        self.store = MemoryStore()
        self.sent: list[str] = []
        self.taken: list[str] = []
        self.incoming = bytearray()
        self.connected = self.hung_up = False
        self.logons = self.damage_left = 0
        self.peer: Side
        self.session: Session | None = None
        self.restart()

    def restart(self) -> None:
        """A process begins from what is stored."""
        stored = self.store.numbers
        self.session = Session(
            self.rules,
            Numbers(stored.out, stored.due, fresh=False),
            monotonic=lambda: self.world.now,
            now_ns=lambda: START_NS + round(self.world.now * 1e9),
        )

    def leave(self) -> None:
        """Its end of the connection is closed; a session of the next connection begins from what is stored."""
        if self.connected:
            self.connected = False
            self.peer.hung_up = True
            self.incoming.clear()
            self.damage_left = 0
        self.restart()

    def act(self, action: Callable[[Session], list[Message]], sent: str = "", fate: str = CALM) -> None:
        """One step, committed and written unless the process is killed."""
        session = self.session
        assert session is not None
        ended, before = False, session.state
        try:
            ready = action(session)
        except SessionEnded as error:
            ready, ended = error.ready, True
        if fate == KILL_BEFORE:
            self.leave()
            return
        changes, items = session.step()
        if changes is not None:
            self.store.apply(changes)
        self.taken += [message.text(11) for message in ready if message.kind == KIND]
        self.sent += [sent] if sent else []
        self.logons += before is not State.ACTIVE and session.state is State.ACTIVE
        if fate == KILL_AFTER:
            self.leave()
            return
        for item in items:
            recalled = isinstance(item, Recall)
            data = session.again(item, self.store.recall(item.first, item.last)) if recalled else item
            if self.connected and not self.hung_up:
                self.peer.incoming += data
        if ended:
            self.leave()

    def hear(self, size: int, fate: str = CALM) -> None:
        """Reads some bytes, or the end."""
        if not self.connected:
            return
        if not self.incoming:
            if self.hung_up:
                self.leave()
            return
        data = bytes(self.incoming[:size])
        del self.incoming[:size]
        self.damage_left -= len(data)

        def action(session: Session) -> list[Message]:
            ready: list[Message] = []
            try:
                for message in session.feed(data):
                    ready += session.receive(message)
            except SessionEnded as ended:
                ended.ready = ready + ended.ready
                raise
            return ready

        self.act(action, fate=fate)


class World:
    """Both sides, the link and the clock."""

    def __init__(self, *, next_expected: bool = False) -> None:
        self.now = 1000.0
        self.initiator = Side(self, "initiator", ("US", "THEM"), next_expected=next_expected)
        self.acceptor = Side(self, "acceptor", ("THEM", "US"), next_expected=next_expected)
        self.initiator.peer, self.acceptor.peer = self.acceptor, self.initiator
        self.sides = (self.initiator, self.acceptor)
        self.count = 0
        self.damaged = self.cuts = self.kills = 0

    def connect(self) -> None:
        """A connection, if neither side believes to have one."""
        if any(side.connected for side in self.sides):
            return
        for side in self.sides:
            side.connected, side.hung_up = True, False
            side.incoming.clear()
            side.damage_left = 0
            side.restart()
        assert self.acceptor.session is not None
        self.acceptor.session.connected()
        self.initiator.act(lambda session: session.begin() or [])

    def send(self, side: Side, fate: str = CALM) -> None:
        """An application sends; without a connection it is kept for the next."""
        self.count += 1
        self.kills += fate != CALM
        name = f"{side.rules.role}-{self.count}"
        side.act(lambda session: session.send(KIND, packed(((11, name),))) and [], sent=name, fate=fate)

    def hear(self, side: Side, size: int, fate: str = CALM) -> None:
        """A side reads."""
        self.kills += fate != CALM
        side.hear(size, fate)

    def cut(self) -> None:
        """The connection breaks, and what is under way is lost."""
        self.cuts += any(side.connected for side in self.sides)
        for side in self.sides:
            side.leave()
            side.hung_up = False

    def damage(self, side: Side, place: float) -> None:
        """One byte on its way to a side is another, if none is already.

        FIX's checksum is a sum: of two wrong bytes in a message one may make up for the other. Finding these is the
        business of TLS.
        """
        if side.incoming and side.damage_left <= 0:
            self.damaged += 1
            side.damage_left = len(side.incoming)
            index = int(place * len(side.incoming))
            side.incoming[index] ^= 1

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        for side in self.sides:
            if side.connected and side.session is not None and self.now >= side.session.due:
                side.act(lambda session: session.tick() or [])

    def check(self) -> None:
        """What a side took is what the other has sent, from the first on: nothing twice, nothing left out."""
        for side in self.sides:
            taken, sent = side.taken, side.peer.sent
            assert taken == sent[: len(taken)], f"{side.rules.role} took {taken[-5:]} at {len(taken)}"

    def settle(self) -> None:
        """The link behaves: in the end everything has come."""
        for _ in range(QUIET_ROUNDS_MAX):
            self.connect()
            for side in self.sides:
                side.hear(1 << 20)
            if all(side.taken == side.peer.sent for side in self.sides) and self.standing:
                return
            self.wait(1.0)
        raise AssertionError("what was sent does not come")

    @property
    def standing(self) -> bool:
        """Whether both sides are logged on."""
        return all(side.session is not None and side.session.state is State.ACTIVE for side in self.sides)


def step(world: World, chance: random.Random) -> None:
    """One event, chosen at random."""
    fate = chance.choices((CALM, KILL_BEFORE, KILL_AFTER), (100, 1, 1))[0]
    side = chance.choice(world.sides)
    what = chance.choices(("hear", "send", "wait", "connect", "damage", "cut"), (60, 20, 8, 10, 1, 0.5))[0]
    if what == "hear":
        world.hear(side, chance.choice((7, 60, 300, 5_000, 100_000)), fate)
    elif what == "send":
        world.send(side, fate)
    elif what == "wait":
        world.wait(chance.choice((0.1, 1.0, 5.0, 13.0)))
    elif what == "connect":
        world.connect()
    elif what == "damage":
        world.damage(side, chance.random())
    else:
        world.cut()


def play(seed: int, steps: int, *, per_world: int = 1_000) -> dict[str, int]:
    """So many steps, a new pair of sessions every `per_world`; counts of what happened."""
    chance, totals = random.Random(seed), dict.fromkeys(("steps", "messages", "logons", "kills", "cuts", "damaged"), 0)
    while totals["steps"] < steps:
        world = World(next_expected=chance.random() < 0.5)
        for _ in range(min(per_world, steps - totals["steps"])):
            step(world, chance)
            totals["steps"] += 1
            if totals["steps"] % 50 == 0:
                world.check()
        world.settle()
        world.check()
        totals["messages"] += sum(len(side.taken) for side in world.sides)
        totals["logons"] += world.initiator.logons
        totals["kills"] += world.kills
        totals["cuts"] += world.cuts
        totals["damaged"] += world.damaged
    return totals


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--steps", type=int, default=100_000)
    given.add_argument("--seed", type=int, default=1)
    arguments = given.parse_args()
    print(", ".join(f"{count:,} {what}" for what, count in play(arguments.seed, arguments.steps).items()))


if __name__ == "__main__":
    main()
