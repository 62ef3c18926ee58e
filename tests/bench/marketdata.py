"""What market data costs, against what one would write with the plain libraries, in the same run.

    uv run --group bench python tests/bench/marketdata.py            some minutes
    uv run --group bench python tests/bench/marketdata.py --quick    under a minute, the same ids

Each group of figures is a function of its own module that returns figures and notes by id. Rounds are interleaved and
medians are reported, because machines differ and are shared. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.figures import report  # noqa: E402
from tests.bench.marketdata_bars import bars_vs_pandas  # noqa: E402
from tests.bench.marketdata_books import book_diffs_per_s  # noqa: E402
from tests.bench.marketdata_fanout import fan_out  # noqa: E402
from tests.bench.marketdata_import import import_vs_pandas  # noqa: E402
from tests.bench.marketdata_live import live_path  # noqa: E402
from tests.bench.marketdata_query import query_over_duckdb  # noqa: E402

GROUPS = (import_vs_pandas, bars_vs_pandas, query_over_duckdb, live_path, fan_out, book_diffs_per_s)


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
    report("marketdata", figures, notes)


if __name__ == "__main__":
    main()
