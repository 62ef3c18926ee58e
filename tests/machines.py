"""Every state machine against its naive model, for as many steps as one likes.

    uv run python -m tests.machines                 100,000 steps of each, some minutes
    uv run python -m tests.machines --steps 1000 --seed 7

The life of orders, matching, the ledger's books with their positions, and FIX sessions on a link that is cut and lies.
A divergence ends it with its seed and step. The broker's machine needs servers and has a command of its own:
`python -m tests.integration.test_broker_machine`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from tests import fix_rounds
from tests.unit.exchange.compare import compare
from tests.unit.ledger import steps as books
from tests.unit.trading.venue_model import run

WORLD_STEPS = 250
BOOK_STEPS = 5_000
WIDTHS = (4, 20, 60)
"""Prices of a book: from always crossed to seldom."""


def lifecycle(steps: int, seed: int) -> int:
    """Orders of an account at a venue that does what it likes."""
    worlds = -(-steps // WORLD_STEPS)
    for number in range(worlds):
        run(seed * 1_000_003 + number, WORLD_STEPS)
    return worlds * WORLD_STEPS


def matching(steps: int, seed: int) -> int:
    """The exchange's book, one command after another."""
    rounds = -(-steps // BOOK_STEPS)
    for number in range(rounds):
        compare(seed * 1_000_003 + number, BOOK_STEPS, WIDTHS[number % len(WIDTHS)])
    return rounds * BOOK_STEPS


def ledger(steps: int, seed: int) -> int:
    """Fills, corrections, cancels and transfers: positions, cash and what is rebuilt from the entries."""
    return books.run(steps, seed)


def sessions(steps: int, seed: int) -> int:
    """Two FIX sessions."""
    return fix_rounds.play(seed, steps)["steps"]


MACHINES: dict[str, Callable[[int, int], int]] = {
    "order lifecycle": lifecycle,
    "matching": matching,
    "ledger and positions": ledger,
    "FIX session": sessions,
}


def main() -> None:
    """Runs them one after another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000, help="of each machine")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name, machine in MACHINES.items():
        begun = time.monotonic()
        made = machine(given.steps, given.seed)
        print(f"{name:22} {made:>10,} steps  0 divergences  {time.monotonic() - begun:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
