"""Broken frames of HTTP/2 and broken bodies of protobuf at the edge, and what good clients notice of them.

    uv run python tests/fuzz/edge.py --seconds 300

Each connection speaks TLS and begins as a client does; then come frames whose types, flags, streams, lengths and
payloads are what chance makes of good ones: headers with a good token, bodies that are almost a request, settings,
resets, windows, priorities. A good client goes on beside them. Everybody is a process of its own (`peers.py`), and
every seed has three rounds: alone, beside as many connections with as many calls in which nothing is broken, beside
broken ones. The second round is what such a load costs a good client on this machine whoever brings it; the third over
the second is what being broken adds. Exits 1 if a proxy has ended, or a good client was answered with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.figures import median, percentile  # noqa: E402
from tests.fuzz.peers import Peer  # noqa: E402
from tests.integration.guarded import GuardedMesh, guarded_mesh  # noqa: E402

ROUND_S = 5.0
RATE = 40
"""Connections a second: some 600 calls, handshakes for a tenth of a core."""
KINDS = ("", "harmless", "broken")


class Rounds:
    """What good clients saw, by who was beside them."""

    def __init__(self, mesh: GuardedMesh, rate: float) -> None:
        self._mesh = mesh
        self._rate = rate
        self.p99_ms: dict[str, list[float]] = {kind: [] for kind in KINDS}
        self.connections = self.late = 0
        self.failures: list[str] = []

    async def run(self, seed: int, kind: str, seconds: float) -> None:
        """One round."""
        mesh = self._mesh
        to = {"port": mesh.ports["edge"], "roots": mesh.place.ca_bundle.read_text(), "seconds": seconds}
        async with Peer(kind="good", token=mesh.issuer.token(sub="u-good"), **to) as good:
            if not kind:
                found = await good.go()
            else:
                token = mesh.issuer.token(("trader", "operator"))
                async with Peer(kind=kind, seed=seed, rate=self._rate, token=token, **to) as peer:
                    found, told = await asyncio.gather(good.go(), peer.go())
                if kind == "broken":
                    self.connections += told["connections"]
                    self.late += told["late"]
        self.failures += found["failures"]
        self.p99_ms[kind].append(percentile(found["taken"], 0.99))

    @property
    def ended(self) -> list[str]:
        """Processes that are gone."""
        return [name for name, process in self._mesh.processes.items() if process.returncode is not None]


async def run(seconds: float, rate: float) -> int:
    """A guarded mesh, fuzzed with new seeds until the time is over; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        async with guarded_mesh(Path(folder)) as mesh:
            rounds, begun, seed = Rounds(mesh, rate), time.monotonic(), 0
            for kind in KINDS[:2]:
                await rounds.run(0, kind, 1.0)  # Whoever comes first pays for all: connections, keys, code.
            rounds = Rounds(mesh, rate)
            while time.monotonic() - begun < seconds and not rounds.failures and not rounds.ended:
                seed += 1
                for kind in KINDS if seed % 2 else KINDS[::-1]:
                    await rounds.run(seed, kind, ROUND_S)
                told = ", ".join(f"{kind or 'alone'} {each[-1]:.1f}" for kind, each in rounds.p99_ms.items())
                print(f"seed {seed}: p99 ms {told}; {rounds.connections} broken connections", flush=True)
            failed, ended = rounds.failures, rounds.ended
    p99 = {kind: median(values) for kind, values in rounds.p99_ms.items()}
    print(
        f"{rounds.connections} broken connections, {rounds.late} of them later than {rate:g} a second; "
        f"good clients' p99, median of {seed}: alone {p99['']:.2f} ms, harmless load {p99['harmless']:.2f} ms, "
        f"broken load {p99['broken']:.2f} ms = {p99['broken'] / p99['harmless']:.2f} x harmless, "
        f"{p99['broken'] / p99['']:.2f} x alone; failures {failed[:3] or 'none'}, ended {ended or 'nothing'}"
    )
    return 1 if failed or ended else 0


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Fuzzes the edge's HTTP/2 and the bodies behind it.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=RATE, help="broken connections a second")
    given = parser.parse_args()
    sys.exit(asyncio.run(run(given.seconds, given.rate)))


if __name__ == "__main__":
    main()
