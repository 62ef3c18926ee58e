"""What market data costs, against what a user would write with the plain libraries in the same run.

    uv run --group bench python tests/bench/marketdata.py            some minutes
    uv run --group bench python tests/bench/marketdata.py --quick    under a minute, the same ids
    uv run --group bench python tests/bench/marketdata.py --only bars

Each item is a module with `measure(quick) -> (results, notes)`. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import marketdata_bars, marketdata_query  # noqa: E402 - the paths come first
from tests.bench.figures import report  # noqa: E402

Item = Callable[[bool], tuple[dict[str, float], dict[str, str]]]

ITEMS: dict[str, Item] = {
    "bars": marketdata_bars.measure,
    "query": marketdata_query.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds; ends within a minute")
    parser.add_argument("--only", choices=list(ITEMS), help="one item alone")
    chosen = parser.parse_args()
    results: dict[str, float] = {}
    notes: dict[str, str] = {}
    for name, item in ITEMS.items():
        if chosen.only in (None, name):
            found, said = item(chosen.quick)
            results |= found
            notes |= said
    report("marketdata", results, notes)


if __name__ == "__main__":
    main()
