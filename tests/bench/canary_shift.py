"""Weight changes under load: how soon one is seen, what fails, and whether a key ever goes back.

A release with many manual steps is promoted step by step and then aborted, some times over. The first round tells from
which weight on each key is the candidate's, which depends on the key alone; from then on a prober asks with keys that
the next step moves, and sees the change with its first call after it.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from tests.candidates.callers import GET_QUOTE, KEY_HEADER, PAIRS, Callers, Streams, quote_request
from tests.candidates.faults import VERSION
from tests.candidates.stand import Stand

KEYS = [f"key-{number}" for number in range(300)]
CALLERS = 6
PROBES_S_MAX = 10.0


@dataclass
class Shifts:
    """What was measured; times in milliseconds."""

    effect_ms: list[float] = field(default_factory=list)
    """From the word to the first answer of the version that a key moves to, in either direction."""
    everywhere_ms: list[float] = field(default_factory=list)
    """From the word to its answer: every proxy has acknowledged."""
    changes: int = 0
    share_p: list[float] = field(default_factory=list)
    """Of each weight, the chance of a share as far off as that of the calls without a key, or further."""
    key_share_z: list[float] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)
    """Step at which each key moved first."""


def two_sided(count: int, of: int, share: float) -> float:
    """The chance of a binomial count as unlikely as this one."""
    if share in (0.0, 1.0):
        return 1.0 if count == round(of * share) else 0.0

    def chance(k: int) -> float:
        log = math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        return math.exp(log + k * math.log(share) + (of - k) * math.log1p(-share))

    here = chance(count) * (1 + 1e-9)
    return min(1.0, sum(p for p in map(chance, range(of + 1)) if p <= here))


class Prober:
    """Asks with keys that are about to move, one call after the other."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand

    async def seen(self, candidate: str, keys: list[str], to_candidate: bool, began: asyncio.Event) -> float:
        """The time at which the first answer of the other side came, on the monotonic clock; `began` is set when the
        first call has been answered.

        Raises:
            TimeoutError: none came.
        """
        end = time.monotonic() + PROBES_S_MAX
        async with self._stand.lean_channel() as channel:
            ask, request = channel.unary_unary(GET_QUOTE), quote_request(PAIRS[0])
            while time.monotonic() < end:
                for key in keys:
                    call = ask(request, timeout=PROBES_S_MAX, metadata=((KEY_HEADER, key),))
                    await call
                    side = (await call.trailing_metadata()).get(VERSION) == candidate
                    if side is to_candidate:
                        return time.monotonic()
                    began.set()
        raise TimeoutError(f"no answer of the {'candidate' if to_candidate else 'stable version'}")


class Rounds:
    """Goes through a release's steps and back.

    Args:
        steps: how many weight changes up a round has; back is one.
    """

    def __init__(self, stand: Stand, callers: Callers, steps: int) -> None:
        self._stand, self._callers, self._steps = stand, callers, steps
        self._prober = Prober(stand)
        self.found = Shifts()

    def specify(self, name: str) -> str:
        """The release of a round: nothing but words moves it."""
        weights = [100 * (k + 1) / self._steps for k in range(self._steps)]
        first = '[[steps]]\nweight_percent = 0\nduration = "1s"\ngate = "manual"\n'
        rules = first + "".join(
            f'[[steps]]\nweight_percent = {weight:.2f}\nduration = "1s"\ngate = "manual"\n' for weight in weights
        )
        return self._stand.specify(name, "marketdata", "none", f'{rules}[sticky]\nheader = "{KEY_HEADER}"\n')

    async def _change(self, word, keys: list[str], to_candidate: bool) -> None:
        found = self.found
        began = asyncio.Event()
        probe = (
            asyncio.create_task(self._prober.seen(self._callers.candidate, keys[:3], to_candidate, began))
            if keys
            else None
        )
        if probe is not None:
            await asyncio.wait([probe, asyncio.create_task(began.wait())], return_when=asyncio.FIRST_COMPLETED)
        start = time.monotonic()
        await word()
        found.everywhere_ms.append((time.monotonic() - start) * 1000)
        found.changes += 1
        if probe is not None:
            found.effect_ms.append((await probe - start) * 1000)

    async def _hold(self, share: float) -> None:
        """Calls at a weight until each key has been seen, and compares the shares with it."""
        callers, found = self._callers, self.found
        callers.keyless.clear()
        await callers.sweep()
        with_candidate, of = callers.keyless[True], callers.keyless.total()
        found.share_p.append(two_sided(with_candidate, of, share))
        if 0 < share < 1:
            keys = sum(callers.side.values())
            spread = math.sqrt(len(KEYS) * share * (1 - share))
            found.key_share_z.append(abs(keys - len(KEYS) * share) / spread)

    async def round(self, number: int) -> None:
        """Up through all steps, then back at once."""
        stand, callers, found = self._stand, self._callers, self.found
        name = self.specify(f"shift-{number}")
        callers.backwards, callers.candidate = False, name
        await stand.start(name)
        await stand.become(name, "stepping")
        for step in range(self._steps):
            moving = [key for key, at in found.weights.items() if at == step]
            await self._change(lambda: stand.promote(name), moving, to_candidate=True)
            await self._hold((step + 1) / self._steps)
            for key, side in callers.side.items():
                if side:
                    found.weights.setdefault(key, step)
        moving = [key for key, side in callers.side.items() if side]
        callers.backwards = True
        await self._change(lambda: stand.abort(name), moving, to_candidate=False)
        await stand.become(name, "aborted")
        await self._hold(0.0)


async def measure_shifts(stand: Stand, rounds: int, steps: int, rate: float) -> tuple[Shifts, Callers, Streams]:
    """All rounds, with callers and streams beside them."""
    callers = Callers(stand.lean_channel, KEYS, CALLERS, rate)
    streams = Streams(stand.mesh, streams=4, messages=40)
    run = Rounds(stand, callers, steps)
    async with callers.calling(), streams.streaming():
        await callers.sweep()
        for number in range(rounds):
            await run.round(number)
    return run.found, callers, streams
