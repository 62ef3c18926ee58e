"""Kills and stops marketdata, pipeline, NATS and PostgreSQL while feeds deliver, files load and readers read.

    uv run python tests/chaos/marketdata.py --rounds 100 [--seed 1]
    uv run python tests/chaos/marketdata.py --controls      faults that are put in must be found

After every round: no acknowledged row is lost, none is there twice, no file is half-written, streams have neither gap
nor repeat, and every reader has come to the same place. The exit code is 1 if a round finds anything, or if a control
finds nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import itertools
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.chaos.checker import Broken, Problem  # noqa: E402 - the paths come first
from tests.chaos.controls import controls  # noqa: E402
from tests.chaos.nemesis import Blow, plans  # noqa: E402
from tests.chaos.stand import VICTIMS, Stand, Stuck, standing, timed  # noqa: E402

T = TypeVar("T")


def named(plan: Sequence[Blow]) -> str:
    """What a plan does, in words that do not depend on when."""
    return " + ".join(sorted(str(blow) for blow in plan))


async def play(seed: int, rounds: int) -> list[Problem]:
    """Some rounds; prints a table, and returns what is wrong."""
    wrong: list[Problem] = []
    done: dict[str, list[float]] = collections.defaultdict(list)
    async with standing(seed) as stand:
        try:
            for number, plan in enumerate(itertools.islice(plans(seed, VICTIMS), rounds)):
                try:
                    found, seconds = await timed(stand, number, plan)
                except Stuck as stuck:
                    print(f"{number:4} {named(plan)}: {stuck}", file=sys.stderr, flush=True)
                    wrong.append(Problem(Broken.STUCK, f"round {number}", named(plan)))
                    break
                done[named(plan)].append(seconds)
                print(f"{number:4} {named(plan):45} {seconds:5.1f} s  {len(found)} wrong", file=sys.stderr, flush=True)
                for problem in found:
                    print(f"     {problem}", file=sys.stderr, flush=True)
                wrong += found
        finally:
            print(table(done, stand, wrong), flush=True)
    return wrong


def table(done: dict[str, list[float]], stand: Stand, wrong: Sequence[Problem]) -> str:
    """What was done, what everybody was told, and what is wrong."""
    lines = [f"{'disturbance':45} rounds  median s  most s"]
    for name, seconds in sorted(done.items()):
        middle = sorted(seconds)[len(seconds) // 2]
        lines.append(f"{name:45} {len(seconds):6} {middle:9.1f} {max(seconds):7.1f}")
    lines.append(f"\n{'client':45} told so  not answered, breaks, …")
    for name, told in sorted(stand.history.clients.items()):
        events = ", ".join(f"{count:,} {event}" for event, count in sorted(told.events.items()))
        lines.append(f"{name:45} {len(told.acknowledged):7,}  {events}")
    for name, batch in sorted(stand.told_writers.items()):
        lines.append(f"{'writer ' + name:45} {batch + 1:7,}  batches")
    counts = collections.Counter(problem.broken.value for problem in wrong)
    said = ", ".join(f"{count} × {name}" for name, count in counts.items()) or "nothing"
    quotes = sum(stand.kept.counts().values())
    lines.append(
        f"\n{sum(map(len, done.values()))} rounds, {stand.supervisor.starts} processes started, {quotes:,} quotes"
    )
    lines.append(f"in the log and once in the store; wrong: {said}")
    return "\n".join(lines)


async def try_controls(seed: int) -> bool:
    """Whether every fault that is put in is found."""
    all_found = True
    async with standing(seed) as stand:
        async for name, good, found in controls(stand):
            all_found &= good
            said = "; ".join(map(str, found)) or "nothing"
            print(f"{name:20} {'found' if good else 'NOT FOUND'}: {said}")
    return all_found


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Also when the harness itself is asked to end, what it started is ended first."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--controls", action="store_true", help="put faults in, which must be found")
    chosen = parser.parse_args()
    begun = time.monotonic()
    if chosen.controls:
        return int(not asyncio.run(to_the_end(try_controls(chosen.seed))))
    wrong = asyncio.run(to_the_end(play(chosen.seed, chosen.rounds)))
    print(f"seed {chosen.seed}, {time.monotonic() - begun:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
