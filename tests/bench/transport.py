"""What the lean transport is worth: the same calls over it and over grpc.aio, behind one Envoy and through the mesh.

    uv run python tests/bench/transport.py            about four minutes
    uv run python tests/bench/transport.py --quick    under a minute, the same ids

Behind one Envoy stand two instances of one service with everything that the platform puts around a handler; they differ
in the transport alone. Bare is plain grpc.aio on loopback TCP with nothing around it. Both arms of a comparison have
the same client, rounds are interleaved, medians are reported. Rates are of one core for everything that serves, proxies
included, with the client on another; `…_all_cores` are those of the machine, where all compete. It measures; it never
passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import grpc
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2 as reference  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.bench.load_channel import Arm, LoadChannel  # noqa: E402
from tests.bench.mesh import bare_server, failed_calls  # noqa: E402
from tests.bench.one_envoy import behind_one_envoy  # noqa: E402
from tests.bench.processes import cpu_us, server_on_one_core  # noqa: E402
from tests.mesh import Mesh  # noqa: E402

GET_INSTRUMENT = "/crossrate.api.reference.v1.ReferenceService/GetInstrument"
STREAM_QUOTES = "/crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"
REQUEST = reference.GetInstrumentRequest(base="EUR", counter="USD").SerializeToString()
IN_FLIGHT = 32
WARM_UP_CALLS = 500


class Sizes(NamedTuple):
    """How much is measured: interleaved rounds, lone calls and seconds of load in each, messages of a stream."""

    rounds: int
    calls: int
    seconds: float
    messages: int


Kinds = Mapping[str, Arm]


async def latencies(arms: Kinds, *, rounds: int, calls: int) -> dict[str, float]:
    """Latency with one call under way, of every arm."""
    p50: dict[str, list[float]] = {name: [] for name in arms}
    p99: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        await arm.latencies(WARM_UP_CALLS)
    for turn in range(rounds):
        for name in sorted(arms, reverse=turn % 2 == 1):
            found = await arms[name].latencies(calls)
            p50[name].append(percentile(found, 0.5))
            p99[name].append(percentile(found, 0.99))
    results = {f"{name}_p50_us": median(values) * 1e6 for name, values in p50.items()}
    return results | {f"{name}_p99_us": median(values) * 1e6 for name, values in p99.items()}


async def rates(arms: Kinds, pids: Sequence[int], *, rounds: int, seconds: float) -> dict[str, float]:
    """Calls a second with IN_FLIGHT of them under way, of every arm: of one core for all that serves, and of the
    machine."""
    one_core: dict[str, list[float]] = {name: [] for name in arms}
    machine: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(rounds):
        for name in sorted(arms, reverse=turn % 2 == 1):
            with server_on_one_core(pids) as parted:
                if parted:
                    one_core[name].append(await arms[name].rate(seconds, IN_FLIGHT))
            machine[name].append(await arms[name].rate(seconds, IN_FLIGHT))
    results = {f"{name}_rate": median(values) for name, values in one_core.items() if values}
    return results | {f"{name}_rate_all_cores": median(values) for name, values in machine.items()}


async def costs(arm: Arm, processes: Mapping[str, int], *, seconds: float) -> dict[str, float]:
    """Processor time of each process for one call, with IN_FLIGHT of them under way, all that serve on one core."""
    with server_on_one_core(processes.values()):
        before, calls = {name: cpu_us(pid) for name, pid in processes.items()}, arm.calls
        await arm.rate(seconds, IN_FLIGHT)
        return {f"{n}_cpu_us": (cpu_us(pid) - before[n]) / (arm.calls - calls) for n, pid in processes.items()}


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


async def one_envoy(sizes: Sizes) -> tuple[dict[str, float], list[Arm]]:
    """The figures behind one Envoy."""
    async with contextlib.AsyncExitStack() as stack:
        ports, pids = stack.enter_context(behind_one_envoy())
        channels = {t: await stack.enter_async_context(LoadChannel(port)) for t, port in ports.items()}
        for channel in channels.values():
            await asyncio.wait_for(channel.channel_ready(), 15)
        arms = {t: Arm(channel, GET_INSTRUMENT, REQUEST) for t, channel in channels.items()}
        results = await latencies(arms, rounds=sizes.rounds, calls=sizes.calls)
        results |= await rates(arms, pids, rounds=sizes.rounds, seconds=sizes.seconds)
        results |= await streams(channels, rounds=sizes.rounds, messages=sizes.messages)
    return results, list(arms.values())


async def through_mesh(mesh: Mesh, sizes: Sizes) -> tuple[dict[str, float], list[Arm]]:
    """The figures through edge and mesh proxy with mutual TLS, against bare grpc.aio.

    A lone call is made by grpc.aio's client, as the SDK's are; among many, its own cost would hide what is measured.
    """
    async with contextlib.AsyncExitStack() as stack:
        edge = await stack.enter_async_context(
            LoadChannel(mesh.edge_port, mesh.roots, mesh.place.client_certificate("viewer"))
        )
        answer = await edge.unary_unary(GET_INSTRUMENT)(REQUEST, timeout=10)
        port, pid = stack.enter_context(bare_server(answer))
        bare = await stack.enter_async_context(LoadChannel(port))
        users_edge = await stack.enter_async_context(mesh.edge_channel())
        users_bare = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        many = {"mesh": Arm(edge, GET_INSTRUMENT, REQUEST), "bare": Arm(bare, GET_INSTRUMENT, REQUEST)}
        lone = {"mesh": Arm(users_edge, GET_INSTRUMENT, REQUEST), "bare": Arm(users_bare, GET_INSTRUMENT, REQUEST)}
        lone |= {f"{name}_lean_client": arm for name, arm in many.items()}
        results = await latencies(lone, rounds=sizes.rounds, calls=sizes.calls)
        pids = {name: p["pid"] for name, p in mesh.processes().items() if p.get("pid")}
        results |= await rates(many, [*pids.values(), pid], rounds=sizes.rounds, seconds=sizes.seconds)
        on_the_way = {name.partition("-")[0]: pids[name] for name in ("edge", "node", "reference-1")}
        results |= await costs(many["mesh"], on_the_way, seconds=2 * sizes.seconds)
    return results, [*many.values(), *lone.values()]


def ratio(results: Mapping[str, float], ids: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """The ratios whose two figures were measured."""
    return {name: results[a] / results[b] for name, (a, b) in ids.items() if a in results and b in results}


async def measure(quick: bool) -> None:
    """Runs everything and prints it."""
    sizes = Sizes(3, 400, 0.8, 5_000) if quick else Sizes(9, 2000, 2.0, 30_000)
    counts = {"rotations": 5, "restarts": 1, "routes": 10} if quick else {"rotations": 20, "restarts": 5, "routes": 50}
    figures, arms = await one_envoy(sizes)
    with Mesh() as mesh:
        mesh.up()
        whole, more = await through_mesh(mesh, sizes)
        failed, words = await failed_calls(mesh, **counts)
    figures |= whole
    arms += more
    failed += sum(arm.failed for arm in arms)
    words += f"and {sum(arm.calls for arm in arms)} calls under load. " + "; ".join(w for a in arms for w in a.failures)
    results = ratio(
        figures,
        {
            "rate_vs_grpc_aio": ("lean_rate", "grpcio_rate"),
            "mesh_rate_vs_bare_grpc_aio": ("mesh_rate", "bare_rate"),
            "mesh_p50_over_bare_p50": ("mesh_p50_us", "bare_p50_us"),
            "stream_msgs_vs_grpc_aio": ("lean_stream_msgs", "grpcio_stream_msgs"),
        },
    )
    notes = {"failed_calls": words, "order_rate_vs_grpc_aio": "there are no orders yet"}
    if "lean_rate" not in figures:
        notes |= dict.fromkeys(("rate_vs_grpc_aio", "mesh_rate_vs_bare_grpc_aio"), "it takes two cores")
    report("transport", {**results, "failed_calls": failed, **figures}, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    uvloop.run(measure(parser.parse_args().quick))
