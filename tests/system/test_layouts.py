"""The same resources carry a mesh of one node proxy and a mesh of sidecars."""

import json
from pathlib import Path

import grpc
import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.runtime.topology import DEFAULT_PATH
from tests.mesh import Mesh

pytestmark = pytest.mark.system


@pytest.fixture
def sidecar_topology(tmp_path: Path) -> Path:
    """The topology with a proxy for each service."""
    text = DEFAULT_PATH.read_text()
    assert 'layout = "node"' in text
    path = tmp_path / "topology.toml"
    path.write_text(text.replace('layout = "node"', 'layout = "sidecar"'))
    return path


async def test_a_mesh_of_sidecars_serves_and_refuses_the_same(sidecar_topology: Path) -> None:
    """With a sidecar for each service, an allowed call passes and a refused one is refused."""
    with Mesh(sidecar_topology) as mesh:
        mesh.up()
        names = set(mesh.processes())
        services = {"control", "reference", "marketdata", "pricing", "risk", "trading", "broker", "pipeline", "ledger"}
        services |= {"audit", "identity"}
        assert {f"sidecar-{service}" for service in services} <= names, names
        async with mesh.edge_channel() as channel:
            answer = await reference_grpc.ReferenceServiceStub(channel).GetInstrument(
                reference.GetInstrumentRequest(base="EUR", counter="USD"), timeout=60
            )
        assert answer.instrument.name == "EUR/USD"
        async with grpc.aio.insecure_channel(f"unix:{mesh.place.outbound_socket('reference')}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await marketdata_grpc.MarketDataServiceStub(channel).GetQuote(
                    marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=60
                )
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        inbound = set(json.loads(mesh.place.ports.read_text())["inbound"])
        assert inbound == services
