"""What tests of releases do: specifications, callers who go on, and looking at what became of a release."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import nats
from google.protobuf import json_format

from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.node.client import NodeClient
from tests.integration.envoys import until
from tests.mesh import Mesh
from tests.releasing import RELEASING

CALLERS = 4
TOPOLOGY = (
    RELEASING
    + """
[services.audit]
calls = []
publishes = ["crossrate.audit.v1.>"]
consumes = ["control"]
database = true

[publishers.monitoring]
publishes = ["crossrate.control.v1.alerts_in.>"]
"""
)


def specify(folder: Path, name: str, fault: str, steps: str, more: str = "") -> str:
    """Writes a specification; its version is its name."""
    (folder / "releases" / f"{name}.toml").write_text(
        f'service = "reference"\n{more}\n'
        f'[candidate]\nversion = "{name}"\ncommand = ["python", "-m", "tests.candidate"]\n'
        f'environment = {{ CROSSRATE_REFERENCE_FAULT = "{fault}" }}\n{steps}'
    )
    return name


def step(weight_percent: float, duration: str, gate: str = "none") -> str:
    """One step in TOML."""
    return f'[[steps]]\nweight_percent = {weight_percent}\nduration = "{duration}"\ngate = "{gate}"\n'


class Callers:
    """Callers of GetInstrument through the edge, without repeats of their own."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._leaving = False
        self.calls = 0
        self.failures: collections.Counter[str] = collections.Counter()

    async def _call(self) -> None:
        async with self._mesh.edge_channel() as channel:
            stub = reference_grpc.ReferenceServiceStub(channel)
            while not self._leaving:
                try:
                    await stub.GetInstrument(reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=20)
                except grpc.aio.AioRpcError as error:
                    self.failures[f"{error.code().name} {error.details()}"] += 1
                self.calls += 1

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Calls until the block is left."""
        tasks = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        try:
            await until(lambda: self.calls > 20)
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)


async def command(mesh: Mesh, *arguments: str) -> Any:
    """What `crossrate release …` answers, while the callers go on."""
    return await asyncio.to_thread(mesh.json, "release", *arguments)


async def become(mesh: Mesh, name: str, *phases: str) -> dict[str, Any]:
    """Returns a release when it is in one of some phases."""

    async def there() -> dict[str, Any] | None:
        # Control may be away.
        with contextlib.suppress(grpc.aio.AioRpcError):
            async with mesh.control_channel() as channel:
                asked = release_grpc.ReleaseServiceStub(channel).GetRelease(
                    release_pb.GetReleaseRequest(release=name), timeout=20
                )
                release = json_format.MessageToDict((await asked).release, always_print_fields_with_no_presence=True)
            if release["phase"].removeprefix("RELEASE_PHASE_").lower() in phases:
                return release
        return None

    return await until(there, 120)


def processes(mesh: Mesh) -> list[dict[str, Any]]:
    """The mesh's processes, as the node tells them."""
    with NodeClient(mesh.place) as node:
        return node.status()["processes"]


def pid_of(mesh: Mesh, kind: str) -> int:
    """Process id of the one process of a kind."""
    (found,) = (p["pid"] for p in processes(mesh) if p["kind"] == kind)
    return found


def versions(mesh: Mesh) -> set[str]:
    """Versions of the instances that are registered."""
    return {json.loads(p.read_text())["version"] for p in mesh.place.registrations.glob("reference-*.json")}


def aborted_cause(release: dict[str, Any]) -> str:
    """Why a release was taken back."""
    return next(d["cause"] for d in release["decisions"] if d["kind"] == "RELEASE_DECISION_KIND_ABORTING")


async def audited(mesh: Mesh, name: str, count: int) -> list[dict[str, Any]] | None:
    """The leaves of a release's decisions in their order, once there are so many."""
    found = await asyncio.to_thread(mesh.command, "audit", "search", "--type", "ReleaseDecided", "--json", check=False)
    facts = [json.loads(line) for line in found.splitlines()]
    facts = [fact for fact in facts if fact["body"]["releaseName"] == name]
    return facts[::-1] if len(facts) >= count else None


def calls_by_side(release: dict[str, Any]) -> collections.Counter[bool]:
    """How many calls were seen of the stable version (False) and of the candidate."""
    found: collections.Counter[bool] = collections.Counter()
    for each in release.get("calls", ()):
        found[each.get("candidate", False)] += int(each["calls"])
    return found


def kept_calls(mesh: Mesh) -> int:
    """How many calls control has written down of the release that is under way."""
    found = 0
    for path in (mesh.place.state / "control" / "evidence").glob("*.json"):
        document = json.loads(path.read_text())
        assert document["analysis"]["tests"]["errors"][""]["total"][1] > 0
        found += sum(sum(codes.values()) for _, _, codes, _ in document["calls"])
    return found


async def gone(mesh: Mesh) -> bool:
    """Whether no candidate runs any more."""
    return not any(p["kind"] == "candidate" for p in await asyncio.to_thread(processes, mesh))


async def alert(mesh: Mesh, service: str, text: str) -> None:
    """What monitoring says of a service."""
    secret = json.loads(mesh.place.credentials("monitoring").read_text())["nats"]
    connection = await nats.connect(secret["url"], nkeys_seed_str=secret["seed"], inbox_prefix=secret["inbox_prefix"])
    try:
        await connection.publish(f"crossrate.control.v1.alerts_in.{service}", text.encode())
        await connection.flush()
    finally:
        await connection.close()
