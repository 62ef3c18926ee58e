"""Who is killed or stopped, when and for how long: drawn from a seed, so that what a round finds comes back."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

KILL, STOP = "kill", "stop"


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


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done to one process.

    Attributes:
        victim: its name in the supervisor.
        kind: KILL (SIGKILL, and started again) or STOP (SIGSTOP, and SIGCONT).
        after_s: how long after the begin of the disturbance.
        for_s: how long it is away.
    """

    victim: str
    kind: str
    after_s: float
    for_s: float

    def __str__(self) -> str:
        return f"{self.kind} {self.victim}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things take at most, seconds."""

    after_s: float = 1.0
    dead_s: float = 0.4
    stopped_s: tuple[float, float] = (0.5, 3.0)


def plans(seed: int, victims: Sequence[str], limits: Limits = Limits()) -> Iterator[list[Blow]]:
    """One plan a round: each victim killed and stopped, alone and in pairs, in an order drawn anew each time."""
    chance = random.Random(seed)
    while True:
        alone = [[(victim, kind)] for victim in victims for kind in (KILL, KILL, STOP)]
        pairs = [[(a, chance.choice((KILL, KILL, STOP))), (b, KILL)] for a in victims for b in victims if a != b]
        rounds = alone + chance.sample(pairs, min(len(alone), len(pairs)))
        chance.shuffle(rounds)
        for chosen in rounds:
            yield [_blow(chance, victim, kind, limits) for victim, kind in chosen]


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
        await processes.kill(blow.victim)
        await asyncio.sleep(blow.for_s)
        await processes.spawn(blow.victim)

    async with asyncio.TaskGroup() as blows:
        for blow in plan:
            blows.create_task(one(blow))
