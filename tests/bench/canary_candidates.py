"""Scripted candidates, many times each: outcomes, detection times, and how many calls a bad one had till it was out."""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.figures import commit, median
from tests.candidates.scripted import ABORTED, PROMOTED, SCRIPTED, Bench, Outcome, Scripted, Sizes
from tests.candidates.stand import Stand

QUICK = ("good", "errors_5", "crash")


def kept(path: Path | None) -> list[Outcome]:
    """The outcomes of a file of results, oldest first."""
    if path is None or not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [Outcome(**{k: v for k, v in line.items() if k != "commit"}) for line in lines]


def keep(path: Path | None, outcome: Outcome) -> None:
    """Adds an outcome."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps({**outcome.document(), "commit": commit()}) + "\n")


async def run_candidates(stand: Stand, arguments: argparse.Namespace) -> list[Outcome]:
    """All runs that are not in the file of results yet, one candidate after the other in each round."""
    found = kept(arguments.results)
    done = {(o.name, o.run) for o in found}
    names = arguments.only or (QUICK if arguments.quick else [s.name for s in SCRIPTED])
    chosen = [s for s in SCRIPTED if s.name in names and not s.needs]
    if arguments.quick:
        # A good one waits for no pass; what a bad one is exposed for is measured against the same step as ever.
        chosen = [replace(s, quick=s.expected == PROMOTED) for s in chosen]
    runs = 1 if arguments.quick else arguments.runs
    todo = [(s, run) for run in range(runs) for s in chosen if (s.name, run) not in done]
    bench = Bench(stand, Sizes(rate=arguments.rate, step_s=arguments.step))
    end = time.monotonic() + arguments.minutes * 60
    await bench.calibrate({s.name for s, _ in todo})
    for number, (scripted, run) in enumerate(todo):
        if time.monotonic() > end:
            print(f"stopped after {arguments.minutes:g} minutes: {len(todo) - number} runs are left", file=sys.stderr)
            break
        outcome = await bench.run(scripted, run, arguments.seed + run)
        found.append(outcome)
        keep(arguments.results, outcome)
        sign = "  " if outcome.as_expected else "! "
        print(
            f"{sign}{outcome.name} {run}: {outcome.outcome} after {outcome.detected_s:.1f} s, "
            f"{outcome.candidate_calls} calls: {outcome.cause[:120]}",
            file=sys.stderr,
            flush=True,
        )
        await asyncio.sleep(0)
    return found


def candidate_table(found: Sequence[Outcome], left_out: Mapping[str, str]) -> str:
    """A row a candidate: outcomes, detection, exposure."""
    rows = [
        f"{'candidate':<16} runs as expected  {'detected s':>16} {'exposure %':>16} {'failed':>7}  outcomes",
        f"{'':16} {'':4} {'':11}  {'median':>8}{'max':>8} {'median':>8}{'max':>8}",
    ]
    for scripted in SCRIPTED:
        mine = [o for o in found if o.name == scripted.name]
        if not mine:
            continue
        counts = collections.Counter(o.outcome for o in mine)
        exposures = [100 * o.exposure for o in mine]
        times = [o.detected_s for o in mine]
        shown = f"{median(exposures):8.3f}{max(exposures):8.3f}" if scripted.expected == ABORTED else f"{'':16}"
        rows.append(
            f"{scripted.name:<16} {len(mine):>4} {sum(o.as_expected for o in mine):>11}  "
            f"{median(times):8.1f}{max(times):8.1f} {shown} {sum(o.failed_calls for o in mine):>7}  "
            + ", ".join(f"{n} {what}" for what, n in counts.most_common())
        )
    rows += [f"{name:<16} not run: {why}" for name, why in left_out.items()]
    return "\n".join(rows)


def _of(found: Sequence[Outcome], expected: str) -> list[tuple[Scripted, Outcome]]:
    scripted = {s.name: s for s in SCRIPTED if s.expected == expected}
    return [(scripted[o.name], o) for o in found if o.name in scripted]


def candidate_figures(found: Sequence[Outcome]) -> tuple[dict[str, float], dict[str, str]]:
    """The ids of the candidates, and what there is to say about them."""
    good, bad = _of(found, PROMOTED), _of(found, ABORTED)
    results: dict[str, float] = {}
    if good:
        results["good_aborted"] = sum(o.outcome != PROMOTED for _, o in good) / len(good)
        results["good_failed_calls"] = sum(o.failed_calls for _, o in good)
    if bad:
        results["bad_missed"] = sum(not o.as_expected for _, o in bad)
        if harmful := [o.exposure for s, o in bad if not s.slowly]:
            results["bad_exposure"] = max(harmful)
        if slow := [o.exposure for s, o in bad if s.slowly]:
            results["slow_exposure"] = max(slow)
    missed = sorted({s.name for s, o in bad if not o.as_expected})
    notes = {
        "good_aborted": f"of {len(good)} runs of candidates that are good",
        "good_failed_calls": "while good candidates took over",
        "bad_missed": f"of {len(bad)} runs of bad ones. {', '.join(missed)}",
        "bad_exposure": "most of the 5 % step's calls that a bad one had, as a share",
        "slow_exposure": "the same of those whose calls go well, as they only take more of the processor",
    }
    return results, {k: v for k, v in notes.items() if k in results}
