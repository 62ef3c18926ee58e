"""What the mesh costs: the same unary call bare and through edge and mesh proxy, as gRPC and as REST.

    uv run python tests/bench/mesh.py            about four minutes
    uv run python tests/bench/mesh.py --quick    under a minute, the same ids

Bare is plain grpc.aio on loopback TCP with the same answer. Rounds of all kinds are interleaved in one run and medians
are reported, because machines differ and are shared. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import grpc
import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.reference.v1 import reference_service_pb2 as pb  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2_grpc as pb_grpc  # noqa: E402
from tests import disturb  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.load import Load  # noqa: E402
from tests.mesh import Mesh  # noqa: E402
from tests.ports import free_ports  # noqa: E402

REQUEST = pb.GetInstrumentRequest(base="EUR", counter="USD")
PATH = "/v1/instruments/EUR/USD"
IN_FLIGHT = 32

Call = Callable[[], Awaitable[object]]


@contextlib.contextmanager
def bare_server(answer: bytes) -> Iterator[tuple[int, int]]:
    """Plain grpc.aio in a process of its own; yields its port and its process."""
    (port,) = free_ports(1)
    program = [sys.executable, str(ROOT / "tests" / "bench" / "bare_server.py"), str(port), answer.hex()]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield port, process.pid
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


async def one_at_a_time(call: Call, count: int) -> list[float]:
    """Latencies in seconds of calls made one after the other."""
    latencies = []
    for _ in range(count):
        start = time.perf_counter()
        await call()
        latencies.append(time.perf_counter() - start)
    return latencies


async def rate(call: Call, seconds: float) -> float:
    """Calls per second with IN_FLIGHT calls under way."""
    done = 0
    end = time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call()
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return done / (time.perf_counter() - start)


def rest_caller(mesh: Mesh) -> tuple[Call, http.client.HTTPSConnection]:
    """A REST call over one kept-alive TLS connection with a certificate."""
    context = ssl.create_default_context(cadata=mesh.roots.decode())
    context.load_cert_chain(mesh.place.client_certificate("viewer"))
    connection = http.client.HTTPSConnection("localhost", mesh.edge_port, context=context, timeout=10)

    async def call() -> None:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"REST answered {answer.status}: {body!r}")

    return call, connection


async def latencies_and_rates(mesh: Mesh, *, rounds: int, calls: int, seconds: float) -> dict[str, float]:
    """The unary figures: bare, through the mesh, and as REST, interleaved."""
    async with mesh.edge_channel() as edge:
        through_mesh = pb_grpc.ReferenceServiceStub(edge)
        answer = await through_mesh.GetInstrument(REQUEST, timeout=10)
        with bare_server(answer.SerializeToString()) as (port, _):
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                bare = pb_grpc.ReferenceServiceStub(channel)
                rest, connection = rest_caller(mesh)
                calls_by_kind: dict[str, Call] = {
                    "bare": lambda: bare.GetInstrument(REQUEST, timeout=10),
                    "mesh": lambda: through_mesh.GetInstrument(REQUEST, timeout=10),
                    "rest": rest,
                }
                p50: dict[str, list[float]] = {k: [] for k in calls_by_kind}
                p99: dict[str, list[float]] = {k: [] for k in calls_by_kind}
                rates: dict[str, list[float]] = {"bare": [], "mesh": []}
                for call in calls_by_kind.values():
                    await one_at_a_time(call, 200)
                for _ in range(rounds):
                    for kind, call in calls_by_kind.items():
                        found = await one_at_a_time(call, calls)
                        p50[kind].append(percentile(found, 0.5))
                        p99[kind].append(percentile(found, 0.99))
                    for kind, samples in rates.items():
                        samples.append(await rate(calls_by_kind[kind], seconds))
                connection.close()
    results = {f"{k}_p50_us": median(v) * 1e6 for k, v in p50.items()}
    results |= {f"{k}_p99_us": median(v) * 1e6 for k, v in p99.items()}
    results |= {f"{k}_rate": median(v) for k, v in rates.items()}
    return results


async def failed_calls(mesh: Mesh, *, rotations: int, restarts: int, routes: int) -> tuple[int, str]:
    """Calls that failed during rotations, restarts, route changes and the death of control, and in words which."""
    async with Load(mesh) as load:
        await disturb.rotate_certificates(mesh, rotations)
        await disturb.restart_services(mesh, restarts)
        await disturb.change_routes(mesh, routes)
        await disturb.kill_control(mesh)
        await asyncio.sleep(1)
    words = ", ".join(f"{count} × {what}" for what, count in load.failures.most_common(5))
    return load.failed, f"of {load.calls} calls, {load.messages} messages, {load.resumed} resumed streams. {words}"


async def measure(quick: bool) -> None:
    """Runs everything and prints it."""
    with Mesh() as mesh:
        cold = mesh.up()
        mesh.down()
        warm = mesh.up()
        await asyncio.sleep(2)
        pss_mib = sum(p["pss_kib"] for p in mesh.processes().values()) / 1024
        sizes = {"rounds": 3, "calls": 500, "seconds": 1.5} if quick else {"rounds": 9, "calls": 2000, "seconds": 4}
        unary = await latencies_and_rates(mesh, **sizes)
        counts = (
            {"rotations": 5, "restarts": 1, "routes": 10} if quick else {"rotations": 20, "restarts": 5, "routes": 50}
        )
        failed, words = await failed_calls(mesh, **counts)
    results = {
        "up_first_s": cold,
        "up_warm_s": warm,
        "idle_rss_mib": pss_mib,
        "unary_mesh_over_bare_p50": unary["mesh_p50_us"] / unary["bare_p50_us"],
        "rest_over_grpc_p50": unary["rest_p50_us"] / unary["mesh_p50_us"],
        "unary_mesh_over_bare_rate": unary["mesh_rate"] / unary["bare_rate"],
        "failed_calls": failed,
        **unary,
    }
    report("mesh", results, {"failed_calls": words, "idle_rss_mib": "proportional set size of all processes"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    uvloop.run(measure(parser.parse_args().quick))
