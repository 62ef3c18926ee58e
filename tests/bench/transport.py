"""What the lean transport is worth: the same calls over it and over grpc.aio, behind one Envoy and through the mesh.

    uv run python tests/bench/transport.py            about four minutes
    uv run python tests/bench/transport.py --quick    under a minute, the same ids

Behind one Envoy stand two instances of one service with everything that the platform puts around a handler; they differ
in the transport alone. Bare is plain grpc.aio on loopback TCP with nothing around it. Every arm has the same client,
rounds are interleaved, medians are reported. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.load_channel import Arm, LoadChannel  # noqa: E402
from tests.bench.mesh import bare_server, failed_calls  # noqa: E402
from tests.bench.one_envoy import behind_one_envoy  # noqa: E402
from tests.mesh import Mesh  # noqa: E402

GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
STREAM_QUOTES = "/crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"
REQUEST = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()
IN_FLIGHT = 32
WARM_UP_CALLS = 500


async def compare(arms: Mapping[str, Arm], *, rounds: int, calls: int, seconds: float) -> dict[str, float]:
    """Latency with one call under way and rate with IN_FLIGHT of them, of every arm."""
    p50: dict[str, list[float]] = {name: [] for name in arms}
    p99: dict[str, list[float]] = {name: [] for name in arms}
    rates: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        await arm.latencies(WARM_UP_CALLS)
    for turn in range(rounds):
        for name in sorted(arms, reverse=turn % 2 == 1):
            found = await arms[name].latencies(calls)
            p50[name].append(percentile(found, 0.5))
            p99[name].append(percentile(found, 0.99))
            rates[name].append(await arms[name].rate(seconds, IN_FLIGHT))
    results = {f"{name}_p50_us": median(values) * 1e6 for name, values in p50.items()}
    results |= {f"{name}_p99_us": median(values) * 1e6 for name, values in p99.items()}
    return results | {f"{name}_rate": median(values) for name, values in rates.items()}


async def streams(channels: Mapping[str, LoadChannel], *, rounds: int, messages: int) -> dict[str, float]:
    """Messages a second of one stream, of every arm."""
    rates: dict[str, list[float]] = {name: [] for name in channels}
    for turn in range(rounds):
        for name in sorted(channels, reverse=turn % 2 == 1):
            request = marketdata.StreamQuotesRequest(instruments=["EUR/USD"], max_messages=messages)
            start, count = time.perf_counter(), 0
            async for _ in channels[name].unary_stream(STREAM_QUOTES)(request.SerializeToString(), timeout=60):
                count += 1
            if count != messages + 1:
                raise RuntimeError(f"the stream over {name} had {count} messages instead of {messages + 1}")
            rates[name].append(count / (time.perf_counter() - start))
    return {f"{name}_stream_msgs": median(values) for name, values in rates.items()}


async def one_envoy(sizes: dict[str, float], messages: int) -> tuple[dict[str, float], list[Arm]]:
    """The figures behind one Envoy."""
    async with contextlib.AsyncExitStack() as stack:
        ports = stack.enter_context(behind_one_envoy())
        channels = {t: await stack.enter_async_context(LoadChannel(port)) for t, port in ports.items()}
        for channel in channels.values():
            await asyncio.wait_for(channel.channel_ready(), 15)
        arms = {t: Arm(channel, GET_INSTRUMENT, REQUEST) for t, channel in channels.items()}
        results = await compare(arms, **sizes)
        results |= await streams(channels, rounds=sizes["rounds"], messages=messages)
    return results, list(arms.values())


async def through_mesh(mesh: Mesh, sizes: dict[str, float]) -> tuple[dict[str, float], list[Arm]]:
    """The figures through edge and mesh proxy with mutual TLS, against bare grpc.aio."""
    async with contextlib.AsyncExitStack() as stack:
        edge = await stack.enter_async_context(LoadChannel(mesh.edge_port, mesh.roots))
        answer = await edge.unary_unary(GET_INSTRUMENT)(REQUEST, timeout=10)
        port = stack.enter_context(bare_server(answer))
        bare = await stack.enter_async_context(LoadChannel(port))
        arms = {"mesh": Arm(edge, GET_INSTRUMENT, REQUEST), "bare": Arm(bare, GET_INSTRUMENT, REQUEST)}
        results = await compare(arms, **sizes)
    return results, list(arms.values())


async def measure(quick: bool) -> None:
    """Runs everything and prints it."""
    sizes = {"rounds": 3, "calls": 400, "seconds": 1.0} if quick else {"rounds": 9, "calls": 2000, "seconds": 3.0}
    counts = {"rotations": 5, "restarts": 1, "routes": 10} if quick else {"rotations": 20, "restarts": 5, "routes": 50}
    single, arms = await one_envoy(sizes, messages=5_000 if quick else 30_000)
    with Mesh() as mesh:
        mesh.up()
        whole, more = await through_mesh(mesh, sizes)
        failed, words = await failed_calls(mesh, **counts)
    arms += more
    failed += sum(arm.failed for arm in arms)
    words += f"and {sum(arm.calls for arm in arms)} calls under load. " + "; ".join(w for a in arms for w in a.failures)
    results = {
        "rate_vs_grpc_aio": single["lean_rate"] / single["grpcio_rate"],
        "mesh_rate_vs_bare_grpc_aio": whole["mesh_rate"] / whole["bare_rate"],
        "mesh_p50_over_bare_p50": whole["mesh_p50_us"] / whole["bare_p50_us"],
        "stream_msgs_vs_grpc_aio": single["lean_stream_msgs"] / single["grpcio_stream_msgs"],
        "failed_calls": failed,
        **single,
        **whole,
    }
    report("transport", results, {"failed_calls": words, "order_rate_vs_grpc_aio": "there are no orders yet"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    uvloop.run(measure(parser.parse_args().quick))
