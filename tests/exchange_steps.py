"""Random commands to the order book beside the naive one, as many as one likes; stops at the first difference.

uv run python tests/exchange_steps.py --steps 100000 --seed 1 [--build numpy]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crossrate.kernel import path
from tests.unit.exchange.compare import compare

RUN_STEPS = 2000


def main() -> int:
    """Runs, and prints what there was; the exit status says whether nothing differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", choices=path.paths(), default=path.current())
    chosen = parser.parse_args()
    begin, done, kinds = time.perf_counter(), 0, dict.fromkeys(range(1, 9), 0)
    with path.using(chosen.build):
        while done < chosen.steps:
            seed = chosen.seed * 1_000_000 + done // RUN_STEPS
            found = compare(seed, min(RUN_STEPS, chosen.steps - done), width=(5, 20, 60)[seed % 3])
            kinds = {kind: count + found.get(kind, 0) for kind, count in kinds.items()}
            done += min(RUN_STEPS, chosen.steps - done)
    report = {"build": chosen.build, "steps": done, "seed": chosen.seed, "events_by_kind": kinds}
    print(json.dumps({**report, "seconds": round(time.perf_counter() - begin, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
