"""What the mesh does, as the command line shows it: edges, processes, one call, a tap that is a fact of the audit."""

import json
import subprocess
import sys
import uuid

import grpc
import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from tests.mesh import Mesh
from tests.system.test_orders import patiently

pytestmark = pytest.mark.system


def edge(mesh: Mesh, client: str) -> grpc.Channel:
    """A client's channel."""
    proof = mesh.place.client_certificate(client).read_bytes()
    credentials = grpc.ssl_channel_credentials(mesh.roots, proof, proof)
    return grpc.secure_channel(f"localhost:{mesh.edge_port}", credentials)


def test_edges_and_processes_are_those_that_run(mesh: Mesh) -> None:
    """A quote that is asked for is on an edge; every process of the mesh has its memory, services also their calls."""
    with edge(mesh, "viewer") as channel:
        stub = MarketDataServiceStub(channel)
        looking = subprocess.Popen(
            [sys.executable, "-m", "crossrate.cli", "edges", "--once", "--window", "1s", "--json"],
            env=mesh.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        while looking.poll() is None:
            stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=30)
        assert looking.stdout is not None
        with looking.stdout:
            answer = json.loads(looking.stdout.read())
    (seen,) = [e for e in answer["edges"] if e["method"].endswith("/GetQuote") and e["caller"] == "edge"]
    assert (seen["service"], seen["successShare"]) == ("marketdata", 1.0)
    assert int(seen["callCount"]) > 0
    assert "marketdata" in mesh.command("edges", "--once", "--idle", "--service", "marketdata")
    loads = {p["process"]: p for p in mesh.json("top", "--window", "500ms")["processes"]}
    assert {"supervisor", "postgres", "nats", "edge", "node", "control-1", "marketdata-1"} <= loads.keys()
    assert all(int(p["memoryBytes"]) > 1 << 20 for p in loads.values() if p["pid"])
    # The kernel counts in hundredths of a second: a quiet process may have none in half of one.
    assert sum(p.get("processorShare", 0) for p in loads.values()) > 0
    assert "postgres" in mesh.command("top", "--sort", "memory")


def test_why_a_call_was_refused(mesh: Mesh) -> None:
    """A client learns from the id in its error by which check and rule; an id that nobody knows is said to be so."""
    invalid, refused = str(uuid.uuid4()), str(uuid.uuid4())
    with edge(mesh, "viewer") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            MarketDataServiceStub(channel).GetQuote(
                marketdata.GetQuoteRequest(base="?"), timeout=30, metadata=(("x-request-id", invalid),)
            )
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        with pytest.raises(grpc.RpcError) as caught:
            TradingServiceStub(channel).ListOrders(
                history.ListOrdersRequest(account="spot-1"), timeout=30, metadata=(("x-request-id", refused),)
            )
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert (("x-request-id", refused)) in caught.value.trailing_metadata() + caught.value.initial_metadata()
    told = mesh.command("why", invalid)
    assert "marketdata-1 refused it" in told
    assert "✗ rules: base: " in told
    for _ in patiently():
        told = mesh.command("why", refused, check=False)
        if "The edge" in told:
            break
    assert "client:viewer at the edge" in told
    assert "keeps anything of this call" in mesh.refused("why", "never-was")
    said = mesh.refused("call", "GetQuote", '{"base": "EUR", "counter": "USD"}', "--as", "reference", "--json")
    assert json.loads(said)["error"]["requestId"]


def test_a_tap_is_a_fact_of_the_audit(mesh: Mesh) -> None:
    """What was tapped, by whom and why, is in the log."""
    why = f"ticket {uuid.uuid4()}"
    mesh.command("tap", "GetQuote", "--headers", "--for", "100ms", "-m", why)
    for _ in patiently():
        found = mesh.command("audit", "search", "--type", "tap", "--json")
        if why in found:
            break
    assert why in found
