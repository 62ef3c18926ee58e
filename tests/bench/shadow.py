"""What a shadow costs the calls that it repeats: the same unary call through the edge with and without one.

    uv run python tests/bench/shadow.py            twelve rounds, about two minutes
    uv run python tests/bench/shadow.py --quick    under a minute, the same ids

Rounds are interleaved: a release of reference shadows the stable version, or there is none. The candidate runs on the
same machine, as do proxies, control and client. It measures; it never passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import uuid
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from crossrate.api.control.v1 import release_pb2  # noqa: E402
from crossrate.api.control.v1 import release_service_pb2 as release  # noqa: E402
from crossrate.api.control.v1.release_service_pb2_grpc import ReleaseServiceStub  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2 as pb  # noqa: E402
from crossrate.api.reference.v1 import reference_service_pb2_grpc as pb_grpc  # noqa: E402
from tests.bench.figures import median, percentile, report  # noqa: E402
from tests.mesh import Mesh  # noqa: E402
from tests.releasing import RELEASING, releasing  # noqa: E402

REQUEST = pb.GetInstrumentRequest(base="EUR", counter="USD")
NAME = "shadow-bench"
SPECIFICATION = f"""
service = "reference"
strategy = "shadow"
[candidate]
version = "{NAME}"
[shadow]
duration = "1h"
"""
WAIT_S_MAX = 60.0
POLL_S = 0.1


async def _until(mesh: Mesh, phase: int, calls: int = 0) -> release_pb2.Release:
    """Waits until the release is somewhere, and so many calls were compared.

    Raises:
        TimeoutError: not within a minute.
    """
    async with asyncio.timeout(WAIT_S_MAX), mesh.control_channel() as channel:
        stub = ReleaseServiceStub(channel)
        while True:
            found = (await stub.GetRelease(release.GetReleaseRequest(release=NAME))).release
            if found.phase == phase:
                if not calls:
                    return found
                told = await stub.GetShadowReport(release.GetShadowReportRequest(release=NAME))
                if told.report.calls >= calls:
                    return found
            # A poll, for want of a way to be told; nothing is measured meanwhile.
            await asyncio.sleep(POLL_S)


async def _shadow(mesh: Mesh, on: bool) -> None:
    """Starts the release and waits until calls are compared, or ends it."""
    async with mesh.control_channel() as channel:
        stub, made = ReleaseServiceStub(channel), str(uuid.uuid4())
        if on:
            await stub.StartRelease(release.StartReleaseRequest(request_id=made, name=NAME), timeout=30)
            await _until(mesh, release_pb2.RELEASE_PHASE_STEPPING)
        else:
            asked = release.AbortReleaseRequest(request_id=made, release=NAME, comment="the round is over")
            await stub.AbortRelease(asked, timeout=30)
            await _until(mesh, release_pb2.RELEASE_PHASE_ABORTED)


async def _latencies(stub: pb_grpc.ReferenceServiceStub, seconds: float) -> list[float]:
    """Times in seconds of calls made one after the other."""
    found = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await stub.GetInstrument(REQUEST, timeout=20)
        found.append(time.perf_counter() - begun)
    return found


async def measure_shadow(
    mesh: Mesh, specifications: Path, rounds: int, seconds: float
) -> tuple[dict[str, float], dict[str, str]]:
    """Interleaved rounds without and with a shadow of reference on a mesh that is up.

    Args:
        specifications: the folder `releases` beside the mesh's topology; a specification is written into it.
        seconds: of calls in each half of a round.

    Returns:
        The figures by their ids, and what there is to say about them.
    """
    specifications.mkdir(exist_ok=True)
    (specifications / f"{NAME}.toml").write_text(SPECIFICATION)
    shares, tails, p50s = [], [], []
    async with mesh.edge_channel() as channel:
        stub = pb_grpc.ReferenceServiceStub(channel)
        await _latencies(stub, seconds)
        for number in range(rounds):
            by: dict[bool, list[float]] = {}
            for on in (False, True) if number % 2 == 0 else (True, False):
                if on:
                    await _shadow(mesh, True)
                    await _latencies(stub, 0.5)
                    await _until(mesh, release_pb2.RELEASE_PHASE_STEPPING, calls=1)
                by[on] = await _latencies(stub, seconds)
                if on:
                    compared = await _compared(mesh)
                    await _shadow(mesh, False)
            shares.append(median(by[True]) / median(by[False]) - 1)
            tails.append(percentile(by[True], 0.99) / percentile(by[False], 0.99) - 1)
            p50s.append(median(by[False]) * 1000)
    results = {
        "shadow_overhead_p50": median(shares),
        "shadow_overhead_p99": median(tails),
        "shadow_off_p50_ms": median(p50s),
    }
    spread = f"from {min(shares):+.3f} to {max(shares):+.3f}"
    notes = {
        "shadow_overhead_p50": f"median of {rounds} rounds, {spread}; {compared} calls compared in the last",
        "shadow_overhead_p99": "the same of the 99th percentile",
    }
    return results, notes


async def _compared(mesh: Mesh) -> int:
    """Calls that the shadow has compared."""
    async with mesh.control_channel() as channel:
        asked = release.GetShadowReportRequest(release=NAME)
        return (await ReleaseServiceStub(channel).GetShadowReport(asked, timeout=10)).report.calls


async def measure(arguments: argparse.Namespace) -> None:
    """A mesh of its own, measured and printed."""
    with tempfile.TemporaryDirectory(prefix="xr-shadow-") as folder, releasing(Path(folder), RELEASING) as mesh:
        rounds, seconds = (4, 2.0) if arguments.quick else (12, 3.0)
        results, notes = await measure_shadow(mesh, Path(folder) / "releases", rounds, seconds)
    report("canary", results, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; ends within a minute")
    uvloop.run(measure(parser.parse_args()))
