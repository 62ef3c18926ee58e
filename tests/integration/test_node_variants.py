"""A whole node whose topology has a version of pricing in Go: started, restarted and ended as any instance."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from crossrate.node import client as node
from crossrate.node.postgres import PostgresServer
from crossrate.runtime.place import Place
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.go_stand import GO, GOOD, VARIANT, go_program

pytestmark = pytest.mark.integration


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Place]:
    """A place for a mesh of the test's own, gone afterwards."""
    place = Place(tmp_path / "state", tmp_path / "run")
    yield place
    node.stop(place)
    PostgresServer(place).remove()


def asked(place: Place) -> tuple[str, list[str]]:
    """What became of the variant, and who took over when it was restarted."""
    with node.NodeClient(place) as client:
        rows = {row["name"]: row for row in client.status()["processes"]}
        return rows[GO]["state"], client.restart("pricing-go")


async def test_a_variant_is_started_by_the_topology_alone(own: Place, tmp_path: Path) -> None:
    """It is ready when the mesh is healthy, is replaced by surge under its backend's name, and ends with the mesh."""
    await asyncio.to_thread(go_program)
    topology = tmp_path / "topology.toml"
    topology.write_text(DEFAULT_PATH.read_text() + VARIANT)
    environment = os.environ | {"CROSSRATE_EDGE_PORT": "0", "CROSSRATE_TOPOLOGY": str(topology)}
    await asyncio.to_thread(node.start_detached, own, env=environment)
    assert await asyncio.to_thread(asked, own) == ("ready", ["pricing-go-2"])
    async with grpc.aio.insecure_channel(f"unix:{own.service_socket('pricing-go-2')}") as channel:
        assert (await PricingServiceStub(channel).Price(GOOD, timeout=10)).par_rate > 1
    assert "pricing-go-2" in own.registration("pricing-go-2").read_text()
    assert await asyncio.to_thread(node.stop, own)
    assert not own.registration("pricing-go-2").exists()
