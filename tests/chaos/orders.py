"""Kills and stops every process of the order path while clients enter, amend and cancel orders.

    uv run python tests/chaos/orders.py --rounds 20 [--seed 1]
    uv run python tests/chaos/orders.py --controls      faults that are put in must be found

After every round: no acknowledged order or cancel is lost, none is there twice, none that nobody entered; reports have
no gap; fills are unique and positions their sum; NATS has each report once; a kill admits nothing after its commit. The
exit code is 1 if a round finds anything, or if a control finds nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import itertools
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.chaos.checker import Broken, Problem  # noqa: E402 - the paths come first
from tests.chaos.device import obstacle  # noqa: E402
from tests.chaos.marketdata import named, to_the_end  # noqa: E402
from tests.chaos.nemesis import MACHINE, Blow, plans  # noqa: E402
from tests.chaos.order_checks import counted  # noqa: E402
from tests.chaos.order_controls import NEEDS_POWER, STANDS, controls  # noqa: E402
from tests.chaos.order_stand import OrderStand, standing  # noqa: E402
from tests.chaos.points import POINTS  # noqa: E402
from tests.chaos.stand import Stuck  # noqa: E402

TOLD_MAX = 12
CUTS = 10
"""Power cuts in one turn of all plans."""


def drawn(seed: int, stand: OrderStand, only: Sequence[str] = ()) -> Iterator[list[Blow]]:
    """The plans of a run; with `only` those that name one of these victims or points."""
    points = [point for point in POINTS if not only or point.name in only]
    victims = [name for name in stand.victims if not only or name in only]
    cuts = CUTS if stand.processes.device is not None and (not only or MACHINE in only) else 0
    return plans(seed, victims, points=points, cuts=cuts)


async def play(seed: int, rounds: int, only: Sequence[str] = (), logs: Path | None = None) -> list[Problem]:
    """Some rounds; prints a table, and returns what is wrong. With `logs`, everybody's are kept there when something
    is."""
    wrong: list[Problem] = []
    done: dict[str, list[float]] = collections.defaultdict(list)
    async with standing(seed) as stand:
        try:
            for number, plan in enumerate(itertools.islice(drawn(seed, stand, only), rounds)):
                begun = time.monotonic()
                try:
                    found = await stand.round(number, plan)
                except Stuck as stuck:
                    print(f"{number:4} {named(plan)}: {stuck}", file=sys.stderr, flush=True)
                    wrong.append(Problem(Broken.STUCK, f"round {number}", named(plan)))
                    break
                done[named(plan)].append(seconds := time.monotonic() - begun)
                print(f"{number:4} {named(plan):45} {seconds:5.1f} s  {len(found)} wrong", file=sys.stderr, flush=True)
                for problem in found:
                    print(f"     {problem}", file=sys.stderr, flush=True)
                if found and logs is not None:
                    shutil.copytree(stand.processes.logs, logs / f"{seed}-{number}", dirs_exist_ok=True)
                wrong += found
        finally:
            print(table(done, stand, wrong), flush=True)
    return wrong


def table(done: dict[str, list[float]], stand: OrderStand, wrong: Sequence[Problem]) -> str:
    """What was done, what clients were told, what the books have, and what is wrong."""
    lines = [f"{'disturbance':45} rounds  median s  most s"]
    for name, seconds in sorted(done.items()):
        middle = sorted(seconds)[len(seconds) // 2]
        lines.append(f"{name:45} {len(seconds):6} {middle:9.1f} {max(seconds):7.1f}")
    stand.promises.read()
    lines += ["", "clients"]
    lines += [f"{name:45} {count:7,}" for name, count in sorted(counted(stand.promises).items())]
    lines += ["", "attempts without an outcome were told"]
    lines += [
        f"{count:7,} {said[:100]}" for said, count in collections.Counter(stand.promises.silences).most_common(12)
    ]
    lines.append(f"\n{'account':12} orders refused reports   fills  followers' breaks")
    for follower in stand.followers:
        book = stand.books.book(follower.account)
        refused = len(book.orders) - len(book.first)
        figures = f"{len(book.orders):6,} {refused:7,} {book.last:7,} {len(book.fills):7,} {follower.breaks:7,}"
        lines.append(f"{follower.account:12} {figures}")
    counts = collections.Counter(problem.broken.value for problem in wrong)
    said = ", ".join(f"{count} × {name}" for name, count in counts.items()) or "nothing"
    total = sum(map(len, done.values()))
    did = stand.processes
    lines.append(f"\n{total} rounds, {did.kills} kills, {stand.officer.kills} halts; wrong: {said}")
    cuts = did.device.cuts if did.device is not None else "none: " + obstacle()
    lines.append(f"power cuts: {cuts}; points: {sum(did.points.values())} ends at {len(did.points)} of {len(POINTS)}")
    lines.append(f"let pass behind a halt because they reduce: {stand.reduced}")
    return "\n".join(lines)


async def try_controls(seed: int, only: Sequence[str] = ()) -> bool:
    """Whether every fault that is put in is found. Those that need a power cut are named where there can be none."""
    all_found = True
    why_not = obstacle()
    for group in STANDS:
        names = [name for name in group if not only or name in only]
        for name in [name for name in names if why_not and name in NEEDS_POWER]:
            print(f"{name:20} not tried: {why_not}", flush=True)
            names.remove(name)
        if not names:
            continue
        async with standing(seed) as stand:
            async for name, expected, found in controls(stand, names):
                good = expected in {problem.broken for problem in found}
                all_found &= good
                said = "; ".join(map(str, found[:2])) or "nothing"
                print(f"{name:20} {'found' if good else 'NOT FOUND'}: {said}", flush=True)
    return all_found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only",
        nargs="*",
        default=(),
        help="these alone, such as postgres trading.committed machine; of controls by their names",
    )
    parser.add_argument("--controls", action="store_true", help="put faults in, one after the other")
    parser.add_argument("--logs", type=Path, help="a folder for everybody's logs after a round that finds something")
    chosen = parser.parse_args()
    begun = time.monotonic()
    if chosen.controls:
        return int(not asyncio.run(to_the_end(try_controls(chosen.seed, chosen.only))))
    wrong = asyncio.run(to_the_end(play(chosen.seed, chosen.rounds, chosen.only, chosen.logs)))
    print(f"seed {chosen.seed}, {time.monotonic() - begun:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
