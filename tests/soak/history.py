"""Kills the writers of a store of quotes, round after round, and looks whether it has kept every promise.

uv run python tests/soak/history.py --rounds 100 [--seed 1]

The exit code is 1, with what is wrong, if an acknowledged row is lost, a row is there twice, or a file is half-written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.history_rounds import ROWS, rounds  # noqa: E402 - the paths come first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crossrate-history-") as folder:
        reached = rounds(f"{folder}/ticks", chosen.rounds, chosen.seed)
    rows = sum(position + 1 for position in reached.values()) * ROWS
    said = {"rounds": chosen.rounds, "seed": chosen.seed, "rows": rows, "seconds": round(time.monotonic() - begun, 1)}
    print(json.dumps(said | {"lost": 0, "twice": 0}))


if __name__ == "__main__":
    main()
