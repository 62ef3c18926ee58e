"""schemathesis against /openapi.json: no server error, and no operation that answers without a token.

    uv run --with schemathesis python tests/fuzz/rest.py                  20,000 cases, some ten minutes
    uv run --with schemathesis python tests/fuzz/rest.py --cases 500
    uv run --with schemathesis python tests/fuzz/rest.py --tag RiskService --phase coverage

The document is the edge's own; requests go through the real proxies and the real chain of every service, whose handlers
answer with empty messages. A round is one tag of the document, one phase and one seed, in a process of its own: first
the coverage of every tag (each border of each rule), then inputs by chance, more of them with each seed, until enough
cases were answered. What counts is what the process wrote down of requests and answers, and the edge's own count
stands beside it. Every round has a new token of every role, since one lasts five minutes; `ignored_auth` sends each
kind of request without and with a wrong one. Exits 1 with schemathesis's own words if a check fails or a round does not
end, and if there were too few cases within `--seconds`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.runtime.topology import ROLES  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh  # noqa: E402

PHASES = ("coverage", "fuzzing")
PROCESSES = 2
ROUND_S_MAX = 150
"""On a machine that does nothing else; a round's tokens live twice as long."""
SECONDS = 1500
EXAMPLES = 15
"""Of one operation with the first seed; so many more with each further one."""
SEEDS_MAX = 40
ENDLESS = ("/v1/mesh/tap", "/v1/mesh/tap/headers")
"""Streams of everything that happens, which end when their client goes or their time is over: the tool waits for an
end, and takes one in the middle for a broken connection. The matrix of who may call what asks them."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of schemathesis."""

    tag: str
    phase: str
    seed: int

    @property
    def name(self) -> str:
        """As a file's name."""
        return f"{self.tag}-{self.phase}-{self.seed}"


@dataclass(slots=True)
class Outcome:
    """What came of it: answers by status (0 for none), and why it failed."""

    statuses: Counter[int] = field(default_factory=Counter)
    problem: str = ""

    @property
    def cases(self) -> int:
        """Requests that were answered."""
        return self.statuses.total() - self.statuses[0]


def rounds(tags: list[str], phases: tuple[str, ...]) -> Iterator[Round]:
    """Every round that there may be, in order."""
    if "coverage" in phases:
        yield from (Round(tag, "coverage", 1) for tag in tags)
    if "fuzzing" in phases:
        yield from (Round(tag, "fuzzing", seed) for seed in range(1, SEEDS_MAX + 1) for tag in tags)


def read_report(path: Path) -> Outcome:
    """Counts the requests in a report of schemathesis (NDJSON) that were really sent."""
    outcome = Outcome()
    if not path.exists():
        return outcome
    for line in path.read_text(errors="replace").splitlines():
        try:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        except ValueError:
            continue  # The last line of a process that was killed.
        for sent in recorder.get("interactions", {}).values():
            answer = sent.get("response") or {}
            outcome.statuses[answer.get("status_code", 0)] += 1
    return outcome


def command(mesh: GuardedMesh, tool: str, which: Round, report: Path) -> list[str]:
    """schemathesis's command line."""
    token = mesh.issuer.token(tuple(sorted(ROLES)))
    return [
        tool,
        *("run", f"https://localhost:{mesh.ports['edge']}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--tls-verify", str(mesh.place.ca_bundle)),
        *("--checks", "not_a_server_error,ignored_auth"),
        *("--phases", which.phase),
        *("--include-tag", which.tag),
        *(word for path in ENDLESS for word in ("--exclude-path", path)),
        *("--max-examples", str(EXAMPLES * which.seed)),
        *("--seed", str(which.seed)),
        *("--workers", "1"),
        *("--request-timeout", "10"),
        *("--suppress-health-check", "all"),
        *("--report", "ndjson"),
        *("--report-ndjson-path", str(report)),
        "--continue-on-failure",
        "--no-color",
    ]


async def one_round(mesh: GuardedMesh, tool: str, which: Round, folder: Path, round_s_max: float) -> Outcome:
    """Runs it to its end or its time's."""
    report = folder / f"{which.name}.ndjson"
    process = await asyncio.create_subprocess_exec(
        *command(mesh, tool, which, report),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    ended = True
    try:
        raw, _ = await asyncio.wait_for(process.communicate(), round_s_max)
    except TimeoutError:
        ended = False
        process.send_signal(signal.SIGINT)  # Its report tells how far it came.
        try:
            raw, _ = await asyncio.wait_for(process.communicate(), 20)
        except TimeoutError:
            process.kill()
            raw, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    outcome = read_report(report)
    report.unlink(missing_ok=True)
    output = raw.decode(errors="replace")
    if not ended and which.phase == "coverage":
        outcome.problem = f"{which.name} did not end within {round_s_max:g} s\n{output}"
    elif ended and process.returncode:
        outcome.problem = output
    elif outcome.cases == 0:
        outcome.problem = f"{which.name} sent nothing\n{output}"
    return outcome


async def edge_count(mesh: GuardedMesh) -> int:
    """Requests that the edge has counted."""
    told = await mesh.admin("edge", "/stats?filter=^http.edge.downstream_rq_total$")
    found = re.search(r"downstream_rq_total: (\d+)", told)
    return int(found[1]) if found else 0


def table(total: dict[str, Counter[int]]) -> str:
    """The closing table: a line a tag, answers by status."""
    statuses = sorted({status for counts in total.values() for status in counts})
    lines = ["tag".ljust(24) + "cases".rjust(8) + "".join((str(s) if s else "none").rjust(7) for s in statuses)]
    whole = sum(total.values(), Counter())
    for name, counts in [*sorted(total.items()), ("in all", whole)]:
        cells = "".join(str(counts[status]).rjust(7) for status in statuses)
        lines.append(name.ljust(24) + str(counts.total() - counts[0]).rjust(8) + cells)
    return "\n".join(lines)


class Fuzzing:
    """Rounds, two at once, until there were enough cases."""

    def __init__(
        self, mesh: GuardedMesh, tool: str, folder: Path, wanted: int, seconds: float, round_s_max: float
    ) -> None:
        self._mesh, self._tool, self._folder, self._round_s_max = mesh, tool, folder, round_s_max
        self._wanted = wanted
        self._begun = time.monotonic()
        self._end = self._begun + seconds
        self.cases = 0
        self.by_tag: dict[str, Counter[int]] = {}
        self.problems: list[str] = []

    async def run(self, every: Iterator[Round]) -> None:
        """Runs them. Processes share one iterator, so that none waits for another's round."""

        async def worker() -> None:
            while self.cases < self._wanted and not self.problems and time.monotonic() < self._end:
                which = next(every, None)
                if which is None:
                    return
                begun = time.monotonic()
                outcome = await one_round(self._mesh, self._tool, which, self._folder, self._round_s_max)
                self._take(which, outcome, time.monotonic() - begun)

        await asyncio.gather(*(worker() for _ in range(PROCESSES)))

    def _take(self, which: Round, outcome: Outcome, took_s: float) -> None:
        self.by_tag.setdefault(which.tag, Counter()).update(outcome.statuses)
        self.cases += outcome.cases
        if outcome.problem:
            self.problems.append(outcome.problem)
        said = "FAILED" if outcome.problem else f"{took_s:.0f} s"
        elapsed_s = time.monotonic() - self._begun
        print(
            f"{which.tag:24} {which.phase:8} seed {which.seed:2}: {outcome.cases:5} cases, {said}; "
            f"{self.cases:6} of {self._wanted} after {elapsed_s:.0f} s",
            flush=True,
        )


async def fuzz(wanted: int, seconds: float, round_s_max: float, only: list[str], phases: tuple[str, ...]) -> int:
    """Rounds until there were enough cases; the exit code."""
    tool = shutil.which("schemathesis") or str(Path(sys.executable).with_name("schemathesis"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with guarded_mesh(folder) as mesh:
            for answers in mesh.answers.values():
                answers.hold.set()
            status, _, body = await mesh.rest("GET", "/openapi.json", client=None)
            assert status == 200, status
            tags = [tag["name"] for tag in json.loads(body)["tags"]]
            if unknown := set(only) - set(tags):
                raise SystemExit(f"no tag of the document: {', '.join(sorted(unknown))}; it has {', '.join(tags)}")
            before = await edge_count(mesh)
            fuzzing = Fuzzing(mesh, tool, folder, wanted, seconds, round_s_max)
            await fuzzing.run(rounds([tag for tag in tags if not only or tag in only], phases))
            counted = await edge_count(mesh) - before
            ended = [name for name, process in mesh.processes.items() if process.returncode is not None]
    print(table(fuzzing.by_tag))
    print(f"{fuzzing.cases} cases were answered, {counted} requests came to the edge; ended: {ended or 'nothing'}")
    for problem in fuzzing.problems:
        print(problem)
    if fuzzing.cases < wanted:
        print(f"{wanted} cases were wanted")
    whole = sum(fuzzing.by_tag.values(), Counter())
    if errors := sum(count for status, count in whole.items() if status >= 500):
        print(f"{errors} answers with a status of 500 and more")
    return 1 if fuzzing.problems or errors or ended or fuzzing.cases < wanted else 0


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Fuzzes the REST surface by its own document.")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="begin no round after so long")
    parser.add_argument("--round-seconds", type=float, default=ROUND_S_MAX, help="longest round; up to 290")
    parser.add_argument("--tag", action="append", default=[], help="of these operations alone")
    parser.add_argument("--phase", choices=PHASES, action="append", help="both unless given")
    given = parser.parse_args()
    phases = tuple(given.phase or PHASES)
    sys.exit(asyncio.run(fuzz(given.cases, given.seconds, min(given.round_seconds, 290), given.tag, phases)))


if __name__ == "__main__":
    main()
