"""Two services in one release on a real mesh: a call is answered by both candidates or by both stable versions."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from crossrate.api.control.v1 import observability_service_pb2 as observability
from crossrate.api.control.v1.observability_service_pb2_grpc import ObservabilityServiceStub
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.pricing.v1 import market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as snapshots
from crossrate.api.pricing.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from tests.integration.envoys import until
from tests.mesh import Mesh
from tests.releasing import MARKETDATA, releasing
from tests.system.release_steps import TOPOLOGY, aborted_cause, audited, become, command, processes, step

pytestmark = pytest.mark.system

VIEWER = '[clients.viewer]\nroles = ["viewer"]\n'
PRICING = """
[services.pricing]
calls = ["marketdata", "reference"]
database = true
"""
MARKET = "together"
SIDES = ("pricing", "marketdata")
QUOTE = marketdata.GetQuoteRequest(base="EUR", counter="USD")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where specifications are written."""
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="module")
def mesh(folder: Path) -> Iterator[Mesh]:
    """One mesh for all of these tests, in which pricing asks marketdata, with a market to take snapshots with."""
    curves = [market_pb2.Curve(currency=c, time=[1.0], rate=[0.02]) for c in ("EUR", "USD")]
    put = snapshots.PutMarketRequest(request_id=str(uuid.uuid4()), name=MARKET, curves=curves, comment="a test")
    assert VIEWER in TOPOLOGY
    quant = VIEWER.replace('["viewer"]', '["viewer", "quant"]')
    with releasing(folder, TOPOLOGY.replace(VIEWER, quant) + MARKETDATA + PRICING) as own:
        with grpc.insecure_channel(f"unix:{own.place.service_socket('pricing-1')}") as channel:
            SnapshotServiceStub(channel).PutMarket(put, timeout=20)
        yield own


def specify(folder: Path, version: str, steps: str, pricing: str = "") -> str:
    """Writes a specification of both services, whose candidates have one version, which is its name; pricing's may be
    another program."""
    more = {"pricing": f'command = ["python", "-m", "{pricing}"]\n' if pricing else "", "marketdata": ""}
    parts = [f'[[services]]\nservice = "{s}"\n[services.candidate]\nversion = "{version}"\n{more[s]}' for s in SIDES]
    (folder / "releases" / f"{version}.toml").write_text("".join(parts) + steps)
    return version


class Callers:
    """Ask pricing for snapshots, and marketdata for quotes; of each call it is looked at which versions answered it."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._leaving = False
        self.through: collections.Counter[bool] = collections.Counter()
        """Calls through both services by whether candidates answered."""
        self.mixed: list[str] = []
        self.direct: collections.Counter[bool] = collections.Counter()
        """Calls that met marketdata first."""
        self.failures: collections.Counter[str] = collections.Counter()

    async def _answered(self, control: grpc.aio.Channel, call: Any, request_id: str) -> dict[str, tuple[str, bool]]:
        """Version and side of each service that answered."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            self.failures[f"{error.code().name} {error.details()}"] += 1
        request = observability.ExplainCallRequest(call_request_id=request_id)
        with contextlib.suppress(grpc.aio.AioRpcError):
            found = await ObservabilityServiceStub(control).ExplainCall(request, timeout=20)
            hops = [hop.call for hop in found.hops]
            return {call.instance.rpartition("-")[0]: (call.version, call.candidate) for call in hops}
        return {}

    async def _call(self) -> None:
        async with self._mesh.edge_channel() as edge, self._mesh.control_channel() as control:
            pricing, market = SnapshotServiceStub(edge), MarketDataServiceStub(edge)
            while not self._leaving:
                named = str(uuid.uuid4())
                wanted = snapshots.TakeSnapshotRequest(
                    request_id=named, market=MARKET, instruments=["EUR/USD"], validate_only=True
                )
                call = pricing.TakeSnapshot(wanted, timeout=20, metadata=(("x-request-id", named),))
                sides = await self._answered(control, call, named)
                if sides.keys() == set(SIDES):
                    self.through[sides["pricing"][1]] += 1
                    if len({version for version, _ in sides.values()}) > 1:
                        self.mixed.append(f"{named}: {sides}")
                named = str(uuid.uuid4())
                call = market.GetQuote(QUOTE, timeout=20, metadata=(("x-request-id", named),))
                sides = await self._answered(control, call, named)
                if "marketdata" in sides:
                    self.direct[sides["marketdata"][1]] += 1

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Calls until the block is left."""
        async with self._mesh.edge_channel() as edge:

            async def quoted() -> bool:
                try:
                    await MarketDataServiceStub(edge).GetQuote(QUOTE, timeout=20)
                except grpc.aio.AioRpcError:
                    return False
                return True

            await until(quoted, 60)
        tasks = [asyncio.create_task(self._call()) for _ in range(2)]
        try:
            await until(lambda: self.through.total() > 5)
            yield
        finally:
            self._leaving = True
            await asyncio.gather(*tasks)


def versions(mesh: Mesh) -> dict[str, set[str]]:
    """Versions of the instances that are registered, by service."""
    files = {service: mesh.place.registrations.glob(f"{service}-?.json") for service in SIDES}
    return {service: {json.loads(path.read_text())["version"] for path in found} for service, found in files.items()}


def candidates(mesh: Mesh) -> set[str]:
    """Services whose candidates run."""
    return {p["name"].rpartition("-")[0] for p in processes(mesh) if p["kind"] == "candidate"}


async def test_a_call_stays_with_one_version_through_both_services(mesh: Mesh, folder: Path) -> None:
    """At half of the calls marketdata's candidate answers exactly what pricing's candidate asks, and a call that meets
    marketdata first has a side of its own. Taken back under load, no call fails or is mixed, and pricing's candidate
    ends before marketdata's."""
    name = specify(folder, "half", step(50, "1h"))
    callers, left = Callers(mesh), list[set[str]]()
    async with callers.calling():
        started = await command(mesh, "start", name)
        assert [s["service"] for s in started["services"]] == list(SIDES)
        await become(mesh, name, "stepping")
        await until(lambda: min(callers.through[s] for s in (False, True)) >= 20, 120)
        await until(lambda: min(callers.direct[s] for s in (False, True)) >= 5, 120)
        assert "of pricing and marketdata is stepping" in mesh.refused("release", "start", name)
        (told,) = mesh.json("release", "status", name)
        await command(mesh, "abort", name, "-m", "not both")

        async def ended() -> bool:
            left.append(await asyncio.to_thread(candidates, mesh))
            return not left[-1]

        await until(ended, 60)
        release = await become(mesh, name, "aborted")
        before = callers.through.total()
        await until(lambda: callers.through.total() > before + 10)
    serving = {"version": name, "candidatesServing": 1, "candidatesWanted": 1}
    assert told["services"] == [{"service": service, **serving} for service in SIDES]
    assert (callers.failures, callers.mixed) == ({}, [])
    assert {"pricing"} not in left
    assert aborted_cause(release) == "not both"
    methods = {(call["method"].split("/")[1], call.get("candidate", False)) for call in release["calls"]}
    assert {candidate for method, candidate in methods if method.endswith("MarketDataService")} == {False, True}
    assert {candidate for method, candidate in methods if method.endswith("SnapshotService")} == {False, True}
    (fact, *_) = await until(lambda: audited(mesh, name, 4), 30) or [{}]
    assert [s["service"] for s in fact["body"]["services"]] == list(SIDES)


async def test_both_become_the_new_version(mesh: Mesh, folder: Path) -> None:
    """Under load no call fails and none is mixed, while marketdata's instances are replaced and then pricing's;
    afterwards all are the new version."""
    name = specify(folder, "whole", step(100, "1h"))
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        await until(lambda: callers.through[True] >= 10, 120)
        await command(mesh, "promote", name)
        release = await become(mesh, name, "promoted")
        before = callers.through[False]
        await until(lambda: callers.through[False] > before + 10, 60)
    assert (callers.failures, callers.mixed) == ({}, [])
    assert release["cause"] == "pricing is version whole and marketdata is version whole now"
    assert versions(mesh) == {"pricing": {name}, "marketdata": {name}}


@pytest.mark.long
async def test_what_was_promoted_goes_back_if_its_caller_cannot_be(mesh: Mesh, folder: Path) -> None:
    """Pricing's candidate does not come up as the service, after marketdata has become the new version: both are what
    they were, and no call fails on the way."""
    before = versions(mesh)
    name = specify(folder, "half-way", step(100, "1h"), "tests.candidate_pricing")
    callers = Callers(mesh)
    async with callers.calling():
        await command(mesh, "start", name)
        await become(mesh, name, "stepping")
        await until(lambda: callers.through[True] >= 10, 120)
        await command(mesh, "promote", name)
        await until(lambda: versions(mesh)["marketdata"] == {name}, 60)
        release = await become(mesh, name, "aborted")
        seen = callers.through.total()
        await until(lambda: callers.through.total() > seen + 10, 60)
    assert callers.failures == {}
    assert aborted_cause(release).startswith("it could not be promoted: pricing: ")
    assert versions(mesh) == before
