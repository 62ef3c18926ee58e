"""What orders cost, in one run.

    uv run python tests/bench/orders.py            some minutes
    uv run python tests/bench/orders.py --quick    under a minute, the same ids

Each group of figures is a function of its own module that returns figures and notes by id; a new one is a line in
GROUPS. Rounds are interleaved and medians are reported, because machines differ and are shared. It measures; it never
passes or fails.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from tests.bench.figures import report  # noqa: E402
from tests.bench.orders_cost import cost_of_orders  # noqa: E402
from tests.bench.orders_entry import enter_orders  # noqa: E402
from tests.bench.orders_floor import floor_of_orders  # noqa: E402
from tests.bench.orders_matching import match_orders  # noqa: E402

GROUPS = (enter_orders, cost_of_orders, floor_of_orders, match_orders)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer rounds, the same ids")
    arguments.add_argument("--only", choices=[group.__name__ for group in GROUPS], help="one group alone")
    chosen = arguments.parse_args()
    figures: dict[str, float] = {}
    notes: dict[str, str] = {}
    for group in GROUPS:
        if chosen.only not in (None, group.__name__):
            continue
        try:
            found, said = group(chosen.quick)
        except ImportError as error:
            notes[group.__name__] = str(error)
            continue
        figures |= found
        notes |= said
    report("orders", figures, notes)


if __name__ == "__main__":
    main()
