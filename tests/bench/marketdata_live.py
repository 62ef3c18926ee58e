"""The live path: simulated feed → NATS → board → gRPC through mesh proxy and edge → a client, against bare NATS.

    uv run python tests/bench/marketdata_live.py            about three minutes
    uv run python tests/bench/marketdata_live.py --quick    under a minute, the same ids

A rate is sustained if a subscriber of all instruments gets it whole, nothing conflated, and the 99th percentile of the
time from a quote's `receive_time`, when its writer made it, to the client's own clock is at most 50 ms. Bare NATS is a
publisher and a subscriber in nats-py with the same messages, parsed, one subject an instrument, without JetStream, on
the same machine in the same run. Everything competes for the machine's cores. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb  # noqa: E402
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as pb_grpc  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc  # noqa: E402
from crossrate.node.nats import binary  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.processes import cpu_us  # noqa: E402
from tests.mesh import Mesh  # noqa: E402
from tests.ports import free_ports  # noqa: E402

AIM_PER_S = 20_000
P99_MS_MAX = 50.0
WHOLE = 0.98
"""Of the offered rate, what has to arrive."""
RATES = (AIM_PER_S, 50_000, 80_000, 100_000, 120_000, 150_000, 200_000)
RATES_QUICK = (AIM_PER_S, 100_000, 120_000, 150_000)
READ_S_MAX = 20.0
APPLIED_TRIES_MAX = 50


@dataclass
class Seen:
    """What one subscriber got while it was measured. Delays in milliseconds, with the quotes that they stand for."""

    quotes: int = 0
    messages: int = 0
    conflated: int = 0
    delays: list[float] = field(default_factory=list)
    measuring: bool = False

    def take(self, message: pb.StreamQuotesResponse, now_ns: int, *, newest_only: bool) -> None:
        """Counts a message; of a conflating subscriber the newest quote alone tells how long the way was."""
        quotes = message.quotes.quotes
        if not self.measuring or not quotes:
            return
        self.messages += 1
        self.quotes += len(quotes)
        self.conflated += message.quotes.conflated_count
        stamps = [(q.receive_time.seconds, q.receive_time.nanos) for q in quotes]
        if newest_only:
            stamps = [max(stamps)]
        self.delays += [(now_ns - s * 1_000_000_000 - n) / 1e6 for s, n in stamps]


async def read(call: Any, seen: Seen, *, newest_only: bool) -> None:
    """Reads a stream until it is cancelled."""
    while (message := await asyncio.wait_for(call.read(), READ_S_MAX)) is not grpc.aio.EOF:
        seen.take(message, time.time_ns(), newest_only=newest_only)


async def direct_instruments(mesh: Mesh) -> list[str]:
    """The instruments that the feed quotes."""
    async with mesh.edge_channel() as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        request = reference.ListInstrumentsRequest(direct_only=True, page_size=1_000)
        listed = [i.name for i in (await stub.ListInstruments(request, timeout=10)).instruments]
        quotes, quoted = pb_grpc.MarketDataServiceStub(channel), []
        for name in listed:
            base, counter = name.split("/")
            with contextlib.suppress(grpc.aio.AioRpcError):
                await quotes.GetQuote(pb.GetQuoteRequest(base=base, counter=counter), timeout=10)
                quoted.append(name)
        return quoted


def tell(words: str) -> None:
    """Says how it goes, and how busy the machine is."""
    print(f"{words}; load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def offer(mesh: Mesh, quotes_per_s: float) -> None:
    """Sets the feed's rate, the same at all hours, and returns when it applies."""
    values = (f"quotes_per_s={quotes_per_s}", "hours=false")
    wanted = int(mesh.json("config", "set", "marketdata", *values, "-m", "benchmark")["version"])
    for _ in range(APPLIED_TRIES_MAX):
        if int(mesh.processes()["marketdata-1"]["configVersion"] or 0) >= wanted:
            return
        time.sleep(0.2)
    raise RuntimeError(f"marketdata has not applied version {wanted} of its configuration")


@contextlib.asynccontextmanager
async def subscriber(channel: grpc.aio.Channel, names: list[str], **options: Any) -> AsyncIterator[Seen]:
    """One stream that is read all the time."""
    request, seen = pb.StreamQuotesRequest(instruments=names), Seen()
    conflation_ms = options.pop("conflation_ms", 0)
    request.conflation_interval.FromMilliseconds(conflation_ms)
    call = pb_grpc.MarketDataServiceStub(channel).StreamQuotes(request, timeout=3_600)
    reading = asyncio.create_task(read(call, seen, newest_only=conflation_ms > 0))
    try:
        yield seen
    finally:
        reading.cancel()
        call.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def on_the_way(mesh: Mesh) -> dict[str, int]:
    """The processes that a quote passes through."""
    pids = {name: p["pid"] for name, p in mesh.processes().items() if p.get("pid")}
    return {name: pids[name] for name in ("marketdata-1", "nats", "node", "edge")} | {"client": os.getpid()}


async def busy(pids: dict[str, int], seconds: float) -> str:
    """Waits, and says how much of a core each process took meanwhile."""
    used = {name: cpu_us(pid) for name, pid in pids.items()}
    await asyncio.sleep(seconds)
    return ", ".join(f"{n} {(cpu_us(pid) - used[n]) / seconds / 1e4:.0f} %" for n, pid in pids.items())


async def ramp(
    mesh: Mesh, names: list[str], rates: tuple[int, ...], seconds: float
) -> tuple[dict[str, float], dict[str, str]]:
    """Offers more and more to one subscriber of everything, until it is not sustained twice in a row."""
    figures: dict[str, float] = {}
    pids = on_the_way(mesh)
    async with mesh.edge_channel() as channel, subscriber(channel, names) as seen:
        failed = 0
        for rate in rates:
            await asyncio.to_thread(offer, mesh, rate)
            await asyncio.sleep(1.0)
            seen.quotes, seen.conflated, seen.delays, seen.measuring = 0, 0, [], True
            start = time.perf_counter()
            cores = await busy(pids, seconds)
            seen.measuring = False
            got = seen.quotes / (time.perf_counter() - start)
            p99 = percentile(seen.delays, 0.99) if seen.delays else float("inf")
            sustained = not seen.conflated and p99 <= P99_MS_MAX and got >= WHOLE * rate
            tell(f"{rate:,}: {got:,.0f}/s, p99 {p99:.1f} ms, {seen.conflated:,} conflated; {cores}")
            if rate == AIM_PER_S:
                figures["live_p99_ms"], figures["live_p50_ms"] = p99, percentile(seen.delays, 0.5)
            if sustained:
                figures["live_quotes_per_s"], failed = got, 0
            elif (failed := failed + 1) == 2:
                break
    return figures, {"live_p99_ms": f"at {AIM_PER_S:,} quotes/s", "live_quotes_per_s": f"p99 ≤ {P99_MS_MAX:g} ms"}


@contextlib.contextmanager
def bare_nats() -> Iterator[str]:
    """A NATS server of its own, as it comes; yields its URL."""
    (port,) = free_ports(1)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(binary()), "-a", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
        try:
            yield f"nats://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def raw_nats(url: str, seconds: float) -> float:
    """Messages a second from one nats-py to another."""
    program = [sys.executable, str(ROOT / "tests" / "bench" / "marketdata_raw_nats.py")]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}"}
    options: dict[str, Any] = {"env": environment, "text": True}
    with subprocess.Popen([*program, "subscribe", url, str(seconds)], stdout=subprocess.PIPE, **options) as subscriber:
        assert subscriber.stdout is not None
        try:
            subscriber.stdout.readline()
            with subprocess.Popen([*program, "publish", url, str(seconds)], **options) as publisher:
                rate = float(subscriber.stdout.readline())
                publisher.wait(seconds + 15)
        finally:
            subscriber.kill()
    return rate


async def _measured(quick: bool) -> tuple[dict[str, float], dict[str, str]]:
    seconds, rounds = (2.0, 1) if quick else (5.0, 3)
    figures: dict[str, float] = {}
    notes: dict[str, str] = {}
    with Mesh() as mesh, bare_nats() as url:
        mesh.up()
        names = await direct_instruments(mesh)
        raws, lives = [], []
        for _ in range(rounds):
            await asyncio.to_thread(offer, mesh, 1)
            raws.append(await asyncio.to_thread(raw_nats, url, 2 * seconds))
            found, said = await ramp(mesh, names, RATES_QUICK if quick else RATES, seconds)
            lives.append(found)
            notes |= said
        for name in ("live_quotes_per_s", "live_p99_ms", "live_p50_ms"):
            values = [found[name] for found in lives if name in found]
            if values:
                figures[name] = median(values)
        figures["raw_nats_per_s"] = median(raws)
        if "live_quotes_per_s" in figures:
            figures["live_vs_raw_nats"] = figures["live_quotes_per_s"] / figures["raw_nats_per_s"]
    return figures, notes


def live_path(quick: bool = False) -> tuple[dict[str, float], dict[str, str]]:
    """Figures and notes by id."""
    return uvloop.run(_measured(quick))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    report("marketdata_live", *live_path(parser.parse_args().quick))
