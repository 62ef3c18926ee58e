"""Fuzzes the lean transport, guided by coverage, with atheris.

uv run --group fuzz python tests/fuzz/frames.py --seconds 600 [--target server] [--corpus folder]

Each target runs in a process of its own, which keeps inputs that reach something new in the corpus and stops at the
first one that fails; that one is saved there as well.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("server", "client", "fields", "messages")
INPUT_BYTES_MAX = 2048
INPUT_S_MAX = 20
MEMORY_MIB_MAX = 2048
_DONE = re.compile(r"#(\d+)\s+(?:DONE|pulse|REDUCE|NEW|RELOAD|INITED)\s+cov: (\d+) ft: (\d+)")
_PEAK = re.compile(r"stat::peak_rss_mb:\s+(\d+)")
_UNITS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


def run_inside(target: str, options: list[str]) -> None:
    """Runs one target in this process; never returns."""
    sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]
    import atheris

    with atheris.instrument_imports(include=["crossrate.rpc.lean"], enable_loader_override=False):
        import crossrate.rpc.lean  # noqa: F401
    from tests.fuzz.subjects import Bench

    bench = Bench()
    atheris.Setup([sys.argv[0], *options], lambda raw: bench.run(target, raw))
    atheris.Fuzz()


def show(target: str, path: Path) -> None:
    """Prints what an input of a connection lets happen, a line each, as the files in crashes/ have it."""
    sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]
    from tests.fuzz.subjects import happening

    for action in happening(target, path.read_bytes()):
        print(action if isinstance(action, str) else action.hex())


def fuzz(target: str, seconds: int, corpus: Path) -> dict[str, Any]:
    """Fuzzes one target for a while; what came of it."""
    kept = corpus / target
    kept.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_S_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-artifact_prefix={corpus}/{target}-",
        "-len_control=20",
        "-print_final_stats=1",
        str(kept),
    ]
    begun = time.monotonic()
    command = [sys.executable, __file__, "--inside", target, "--", *options]
    found: dict[str, Any] = {"target": target, "executions": 0, "edges": 0, "features": 0, "peak_rss_mib": 0}
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            for line in process.stdout:
                said = [*said[-60:], line.rstrip()]
                if done := _DONE.search(line):
                    found |= zip(("executions", "edges", "features"), map(int, done.groups()), strict=True)
                if done := _UNITS.search(line):
                    found["executions"] = int(done[1])
                if done := _PEAK.search(line):
                    found["peak_rss_mib"] = int(done[1])
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
    found["seconds"] = round(time.monotonic() - begun, 1)
    found["inputs_kept"] = sum(1 for _ in kept.iterdir())
    found["failed"] = process.returncode != 0
    found["saved"] = sorted(str(path) for path in corpus.glob(f"{target}-*"))
    if found["failed"]:
        print("\n".join(said), file=sys.stderr)
    return found


def main() -> None:
    """Fuzzes all targets or one, and tells what came of it: a line for each, and JSON last."""
    inside = sys.argv[1:2] == ["--inside"]
    if inside:
        run_inside(sys.argv[2], sys.argv[4:])
        return
    parser = argparse.ArgumentParser(description="Fuzzes the lean transport.")
    parser.add_argument("--seconds", type=int, default=600, help="in all, shared by the targets")
    parser.add_argument("--target", choices=TARGETS, action="append", help="one of them; all unless given")
    parser.add_argument("--corpus", type=Path, help="folder that keeps inputs and failures")
    parser.add_argument("--show", type=Path, help="instead, print what this input lets happen to the one target")
    given = parser.parse_args()
    if given.show:
        show(given.target[0], given.show)
        return
    corpus = given.corpus or Path(tempfile.mkdtemp(prefix="cr-fuzz-"))
    targets = given.target or list(TARGETS)
    # Connections have far more to reach than the other two.
    weight = {"server": 4, "client": 4, "fields": 1, "messages": 1}
    total = sum(weight[target] for target in targets)
    results = []
    for target in targets:
        found = fuzz(target, max(1, given.seconds * weight[target] // total), corpus)
        results.append(found)
        print(
            f"{target:9} {found['executions']:>10} executions, {found['edges']} edges, {found['features']} features, "
            f"{found['peak_rss_mib']} MiB at most, {'FAILED' if found['failed'] else 'nothing failed'}",
            flush=True,
        )
    print(json.dumps({"corpus": str(corpus), "results": results}))
    sys.exit(any(found["failed"] for found in results))


if __name__ == "__main__":
    main()
