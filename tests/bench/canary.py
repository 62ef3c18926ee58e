"""Releases: how soon a weight is seen, what fails meanwhile, and what becomes of scripted candidates.

    uv run python tests/bench/canary.py                             200 weight changes, then the candidates: hours
    uv run python tests/bench/canary.py --quick                     within a minute, the same ids, few repetitions
    uv run python tests/bench/canary.py --shifts                    the weight changes alone, about five minutes
    uv run python tests/bench/canary.py --shadow                    what a shadow costs alone, about two minutes
    uv run python tests/bench/canary.py --candidates --runs 20 --results FILE    goes on where FILE ends, as
        tests/candidates/outcomes.jsonl, which was made with --rate 1600 --step 150: four and a half minutes for all
    uv run python tests/bench/canary.py --candidates --only good leak --runs 3

A mesh of control, reference, marketdata and ledger, started by `crossrate up`; calls go through the edge. It measures;
it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.canary_candidates import candidate_figures, candidate_table, run_candidates  # noqa: E402
from tests.bench.canary_shift import Shifts, measure_shifts  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.shadow import measure_shadow  # noqa: E402
from tests.candidates.callers import Callers, Streams  # noqa: E402
from tests.candidates.scripted import SCRIPTED  # noqa: E402
from tests.candidates.stand import TOPOLOGY, Stand  # noqa: E402
from tests.releasing import releasing  # noqa: E402

SHARE_P_MIN = 0.001
"""Below this, shared among all weights, a share is told from the one that was asked for."""


def shift_figures(found: Shifts, callers: Callers, streams: Streams) -> tuple[dict[str, float], dict[str, str]]:
    """The ids of the weight changes, and what there is to say about them."""
    failures = callers.failures + streams.failures
    words = ", ".join(f"{count} × {what}" for what, count in failures.most_common(5))
    results = {
        "shift_ms": percentile(found.effect_ms, 0.99),
        "shift_p50_ms": median(found.effect_ms),
        "shift_everywhere_p50_ms": median(found.everywhere_ms),
        "shift_everywhere_p99_ms": percentile(found.everywhere_ms, 0.99),
        "failed_calls": failures.total(),
        "mixed_keys": len(callers.mixed),
        "shares_outside": sum(p < SHARE_P_MIN / len(found.share_p) for p in found.share_p),
        "key_share_z_max": max(found.key_share_z),
    }
    notes = {
        "shift_ms": f"p99 of {len(found.effect_ms)} changes, from the word to the first answer of the other version",
        "shift_everywhere_p50_ms": "from the word until every proxy has acknowledged",
        "failed_calls": f"over {found.changes} weight changes, of {callers.calls} calls, {streams.messages} messages "
        f"and {streams.ended} resumed streams. {words}",
        "mixed_keys": f"of {len(callers.side)} keys that moved. {'; '.join(callers.mixed[:5])}",
        "shares_outside": f"of {len(found.share_p)} weights, calls without a key; smallest p {min(found.share_p):.2g}",
        "key_share_z_max": "standard deviations by which the keys' share was off; a key's place is the same each time",
    }
    return results, notes


async def measure(arguments: argparse.Namespace) -> None:
    """Runs what was asked for and prints it."""
    results: dict[str, float] = {}
    notes: dict[str, str] = {}
    everything = not (arguments.shifts or arguments.candidates or arguments.shadow)
    with tempfile.TemporaryDirectory(prefix="xr-canary-") as folder, releasing(Path(folder), TOPOLOGY) as mesh:
        stand = Stand(Path(folder), mesh)
        try:
            if everything or arguments.shadow:
                rounds, seconds = (2, 1.0) if arguments.quick else (12, 3.0)
                results, notes = await measure_shadow(mesh, Path(folder) / "releases", rounds, seconds)
            if everything or arguments.shifts:
                sizes = {"rounds": 2, "steps": 6} if arguments.quick else {"rounds": 4, "steps": 49}
                more, words = shift_figures(*await measure_shifts(stand, rate=arguments.rate, **sizes))
                results |= more
                notes |= words
            if everything or arguments.candidates:
                found = await run_candidates(stand, arguments)
                print(candidate_table(found, {s.name: s.needs for s in SCRIPTED if s.needs}))
                more, words = candidate_figures(found)
                results |= more
                notes |= words
        finally:
            await stand.close()
    report("canary", results, notes)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions and three candidates; within a minute")
    parser.add_argument("--shifts", action="store_true", help="weight changes alone")
    parser.add_argument("--candidates", action="store_true", help="scripted candidates alone")
    parser.add_argument("--shadow", action="store_true", help="what a shadow costs alone")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[s.name for s in SCRIPTED], help="these alone")
    parser.add_argument("--runs", type=int, default=20, help="runs of each candidate")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each further one has the next")
    parser.add_argument("--results", type=Path, help="file of JSON lines: what is in it is not run again")
    parser.add_argument("--minutes", type=float, default=300.0, help="no run is begun after so long")
    parser.add_argument("--step", type=float, default=120.0, help="seconds of the 5 %% step")
    parser.add_argument("--rate", type=float, default=800.0, help="calls a second of all callers together")
    return parser.parse_args()


async def main() -> None:
    """Measures until it is done or told to end: whichever it is, the mesh is gone afterwards."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await measure(read_arguments())


if __name__ == "__main__":
    uvloop.run(main())
