"""Orders against a venue that does what it likes, many steps from a seed, each compared with a model that only adds up.

uv run python tests/soak/orders.py --steps 1000000 [--seed 1]

The exit code is 1, with the seed of the world in which it happened, if the books are wrong after a step, or the two
sides do not agree when everything has arrived.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.unit.trading.venue_model import run  # noqa: E402 - the paths come first

STEPS_OF_A_WORLD = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun, worlds, reports = time.monotonic(), max(1, chosen.steps // STEPS_OF_A_WORLD), 0
    for i in range(worlds):
        seed = chosen.seed * 1_000_003 + i
        try:
            reports += run(seed, STEPS_OF_A_WORLD).reports
        except Exception:
            print(f"world {seed}, after {i} worlds that were right")
            raise
    said = {"steps": worlds * STEPS_OF_A_WORLD, "seed": chosen.seed, "reports": reports}
    print(json.dumps(said | {"seconds": round(time.monotonic() - begun, 1)}))


if __name__ == "__main__":
    main()
