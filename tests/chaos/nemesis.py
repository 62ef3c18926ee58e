"""Who is killed or stopped, when and for how long: drawn from a seed, so that what a round finds comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.chaos.points import Point

KILL, STOP, CUT, POINT = "kill", "stop", "cut", "point"
MACHINE = "machine"
"""Who is hit by a power cut."""


class Processes(Protocol):
    """Whoever starts processes: the harness's supervisor, or the node of a whole mesh."""

    async def kill(self, name: str, /) -> None:
        """SIGKILL; returns when it is gone."""

    async def spawn(self, name: str, /) -> None:
        """Starts it again, if nobody else does."""

    def stop(self, name: str, /) -> None:
        """SIGSTOP to it and its children."""

    def go_on(self, name: str, /) -> None:
        """SIGCONT."""


class Machine(Processes, Protocol):
    """Whoever can do more than that."""

    async def end_at(self, point: Point, passes: int, /) -> None:
        """Has an instance of the point's service end there; returns when it has, or when it did not come there."""

    async def cut(self) -> None:
        """Cuts the power of the machine; returns when it is up again."""


PASSES_MAX = 6


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done to one process.

    Attributes:
        victim: its name in the supervisor.
        kind: KILL (SIGKILL, and started again), STOP (SIGSTOP, and SIGCONT), CUT (of the machine's power), or POINT
            (it ends itself at a named point).
        after_s: how long after the begin of the disturbance.
        for_s: how long it is away.
        point: of POINT.
        passes: how often the point is passed before.
    """

    victim: str
    kind: str
    after_s: float
    for_s: float
    point: Point | None = None
    passes: int = 0

    def __str__(self) -> str:
        return f"end at {self.point.name}" if self.point is not None else f"{self.kind} {self.victim}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things take at most, seconds."""

    after_s: float = 1.0
    dead_s: float = 0.4
    stopped_s: tuple[float, float] = (0.5, 3.0)


def plans(
    seed: int, victims: Sequence[str], limits: Limits = Limits(), points: Sequence[Point] = (), cuts: int = 0
) -> Iterator[list[Blow]]:
    """One plan a round, in an order drawn anew each time: each victim killed and stopped, alone and in pairs; each
    point alone and with a victim beside it; and so many power cuts."""
    chance = random.Random(seed)
    while True:
        alone = [[(victim, kind)] for victim in victims for kind in (KILL, KILL, STOP)]
        pairs = [[(a, chance.choice((KILL, KILL, STOP))), (b, KILL)] for a in victims for b in victims if a != b]
        chosen = alone + chance.sample(pairs, min(len(alone), len(pairs)))
        rounds = [[_blow(chance, victim, kind, limits) for victim, kind in each] for each in chosen]
        for point in points:
            rounds.append([_at(chance, point)])
            others = [name for name in victims if name.partition("-")[0] != point.service]
            if others:
                rounds.append([_at(chance, point), _blow(chance, chance.choice(others), KILL, limits)])
        rounds += [[_blow(chance, MACHINE, CUT, limits)] for _ in range(cuts)]
        chance.shuffle(rounds)
        yield from rounds


def _at(chance: random.Random, point: Point) -> Blow:
    # What comes seldom is taken when it comes first.
    passes = 0 if point.needs else chance.randrange(PASSES_MAX)
    return Blow(point.service, POINT, 0.0, 0.0, point, passes)


def _blow(chance: random.Random, victim: str, kind: str, limits: Limits) -> Blow:
    for_s = chance.uniform(0.0, limits.dead_s) if kind == KILL else chance.uniform(*limits.stopped_s)
    return Blow(victim, kind, chance.uniform(0.0, limits.after_s), for_s)


async def strike(processes: Processes, plan: Sequence[Blow]) -> None:
    """Does what a plan says; returns when everybody is back, not when they are ready."""

    async def one(blow: Blow) -> None:
        # The moment is the point of the round, not a wait for something.
        await asyncio.sleep(blow.after_s)
        if blow.kind == STOP:
            processes.stop(blow.victim)
            try:
                await asyncio.sleep(blow.for_s)
            finally:
                processes.go_on(blow.victim)
            return
        if blow.kind == CUT:
            await processes.cut()  # type: ignore[attr-defined]
            return
        if blow.point is not None:
            await processes.end_at(blow.point, blow.passes)  # type: ignore[attr-defined]
            return
        await processes.kill(blow.victim)
        await asyncio.sleep(blow.for_s)
        await processes.spawn(blow.victim)

    async with asyncio.TaskGroup() as blows:
        for blow in plan:
            blows.create_task(one(blow))
