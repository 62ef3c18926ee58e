"""A drill by the command line, and what the audit says of it."""

import json

import grpc
import pytest

from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from tests.mesh import Mesh
from tests.system.test_orders import patiently

pytestmark = pytest.mark.system


def test_a_drill_begins_ends_and_is_audited(mesh: Mesh) -> None:
    """A method fails for clients until the fault is removed; who began it and why is a fact of the log."""
    proof = mesh.place.client_certificate("viewer").read_bytes()
    credentials = grpc.ssl_channel_credentials(mesh.roots, proof, proof)
    request = reference.GetInstrumentRequest(base="EUR", counter="USD")
    with grpc.secure_channel(f"localhost:{mesh.edge_port}", credentials) as channel:
        stub = ReferenceServiceStub(channel)
        drill = ("reference", "--method", "GetInstrument", "--abort", "data_loss", "--for", "10m", "-m", "a drill")
        (begun,) = json.loads(mesh.command("fault", "add", *drill, "--json"))
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetInstrument(request, timeout=30)
        assert caught.value.code() is grpc.StatusCode.DATA_LOSS
        assert begun["fault"] in mesh.command("fault", "list")
        mesh.command("fault", "remove", begun["fault"])
        assert stub.GetInstrument(request, timeout=30).instrument.name == "EUR/USD"
        assert json.loads(mesh.command("fault", "list", "--json")) == []
    person = begun["author"].removeprefix("client:")
    for _ in patiently():
        found = mesh.command("audit", "search", "--type", "fault", "--person", person, "--json")
        if begun["fault"] in found:
            break
    assert "a drill" in found
