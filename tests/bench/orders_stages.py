"""What a lone order waits for: the stages of its way, from what services count anyway.

    client ─ edge, mesh ─► trading ─ risk ─ commit ─► answer ─► broker's commit ─► venue's report, trading's commit

Sums and counts of histograms before and after orders that were entered one after another; the second line of stages
comes after the acknowledgement.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping

from tests.mesh import Mesh

_TRADING, _BROKER = "trading-1", "broker-1"
_STAGES = {
    "trading": (_TRADING, "crossrate_rpc_duration_seconds", "TradingService/PlaceOrder"),
    "risk": (_TRADING, "crossrate_client_call_seconds", "PreTradeService/Authorise"),
    "commit": (_TRADING, "crossrate_trading_commit_seconds", ""),
    "instruct": (_TRADING, "crossrate_client_call_seconds", "RoutingService/Instruct"),
}
"""By stage: where it is counted, under which name, of which method."""

Counts = Mapping[str, tuple[float, float]]


def counts(mesh: Mesh) -> Counts:
    """Seconds and number of each stage so far."""
    texts = {}
    for name in (_TRADING, _BROKER):
        port = json.loads(mesh.place.registration(name).read_text())["metrics_port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            texts[name] = answer.read().decode().splitlines()
    return {stage: _read(texts[name], metric, method) for stage, (name, metric, method) in _STAGES.items()}


def _read(lines: list[str], metric: str, method: str) -> tuple[float, float]:
    found = {"_sum": 0.0, "_count": 0.0}
    for line in lines:
        if line.startswith(metric) and method in line:
            name, _, value = line.rpartition(" ")
            suffix = name.split("{")[0].removeprefix(metric)
            if suffix in found:
                found[suffix] += float(value)
    return found["_sum"], found["_count"]


def milliseconds(before: Counts, after: Counts) -> dict[str, float]:
    """Mean milliseconds of each stage between two readings, of those that happened."""
    found = {}
    for stage, (seconds, number) in after.items():
        count = number - before[stage][1]
        if count:
            found[stage] = (seconds - before[stage][0]) / count * 1e3
    return found


def told(client_ms: float, stages: Mapping[str, float]) -> str:
    """One line for people."""
    inside = stages.get("trading", 0.0)
    way = [f"client {client_ms:.2f}", f"edge, mesh and client's own {client_ms - inside:.2f}", f"trading {inside:.2f}"]
    way += [f"{name} {stages[name]:.2f}" for name in ("risk", "commit") if name in stages]
    after = [f"instruct {stages['instruct']:.2f}"] if "instruct" in stages else []
    return f"a lone order, mean ms: {', '.join(way)}; after it {', '.join(after)}"
