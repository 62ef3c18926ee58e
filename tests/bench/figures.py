"""The form that every benchmark's output has: a table for people, and one JSON object as the last line."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def machine() -> dict[str, object]:
    """What ran the benchmark."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def commit() -> str:
    """The commit that was measured, with a + when the tree differs from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def report(bench: str, results: dict[str, float], notes: dict[str, str] | None = None) -> None:
    """Prints the table and, as the last line, the JSON object."""
    width = max(map(len, results), default=0)
    for name, value in results.items():
        note = (notes or {}).get(name, "")
        print(f"{name:{width}}  {value:>12.4g}  {note}")
    for name, note in (notes or {}).items():
        if name not in results:
            print(f"{name}: not measured: {note}", file=sys.stderr)
    rounded = {k: float(f"{v:.6g}") for k, v in results.items()}
    print(json.dumps({"bench": bench, "machine": machine(), "commit": commit(), "results": rounded}))
