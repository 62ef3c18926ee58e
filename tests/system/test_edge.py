"""The edge as its users see it: gRPC, REST, streams, refusals, each through the real mesh."""

import contextlib
import http.client
import json
import socket
import ssl
import time
import uuid

import grpc
import pytest

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from tests.mesh import Mesh

pytestmark = pytest.mark.system


def rest(mesh: Mesh, method: str, path: str, body: object = None, headers: dict[str, str] | None = None):
    """One REST call of a client that only reads; returns status, headers and body."""
    context = ssl.create_default_context(cadata=mesh.roots.decode())
    context.load_cert_chain(mesh.place.client_certificate("viewer"))
    connection = http.client.HTTPSConnection("localhost", mesh.edge_port, context=context, timeout=60)
    payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    sent = {"content-type": "application/json"} if payload is not None else {}
    connection.request(method, path, payload, sent | (headers or {}))
    answer = connection.getresponse()
    result = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return result


async def test_every_field_violation_reaches_a_grpc_client(mesh: Mesh) -> None:
    """A request that breaks two rules is INVALID_ARGUMENT with both named in the details."""
    async with mesh.edge_channel() as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetInstrument(reference.GetInstrumentRequest(base="eur", counter="us"), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    details = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"base" in details
    assert b"counter" in details
    assert b"INVALID_REQUEST" in details


def test_rest_answers_json(mesh: Mesh) -> None:
    """GET of an instrument is the same message as JSON."""
    status, headers, body = rest(mesh, "GET", "/v1/instruments/EUR/USD")
    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert json.loads(body)["instrument"]["name"] == "EUR/USD"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/instruments/eur/USD", 400, 3),
        ("GET", "/v1/instruments/EUR/XXX", 404, 5),
        ("GET", "/v1/nothing", 404, 5),
        ("GET", "/v1/instruments/EUR/USD?colour=red", 400, 3),
        ("POST", "/v1/instruments/EUR/USD:setStatus", 403, 7),
    ],
)
def test_every_rest_error_is_a_status(mesh: Mesh, method: str, path: str, status: int, code: int) -> None:
    """Errors of services and of Envoy itself are JSON of google.rpc.Status with the right code."""
    body = {"requestId": str(uuid.uuid4()), "status": "INSTRUMENT_STATUS_HALTED", "comment": "test"}
    answered, headers, raw = rest(mesh, method, path, body if method == "POST" else None)
    assert answered == status, raw
    assert headers["content-type"].startswith("application/json")
    assert json.loads(raw)["code"] == code
    assert json.loads(raw)["message"]


def test_a_misspelt_field_is_refused(mesh: Mesh) -> None:
    """A JSON field that the contract does not know is an error that names it, never silence."""
    status, _, raw = rest(mesh, "POST", "/v1/instruments/EUR/USD:setStatus", {"requestId": "x", "statos": "HALTED"})
    assert status == 400
    assert "statos" in json.loads(raw)["message"]


def test_health_is_told_to_anybody(mesh: Mesh) -> None:
    """The list of feeds and the stream of their health, as REST: the simulated feed is LIVE and names its writer."""
    end = time.monotonic() + 60
    while True:
        status, _, body = rest(mesh, "GET", "/v1/feeds")
        assert status == 200, body
        (feed,) = json.loads(body)["feeds"]
        # While one instance hands over to the next the feed has no writer.
        if feed["health"] == "FEED_HEALTH_LIVE" or time.monotonic() > end:
            break
    assert (feed["name"], feed["kind"], feed["health"]) == ("simulated", "FEED_KIND_SIMULATED", "FEED_HEALTH_LIVE")
    assert feed["writer"].startswith("marketdata-")
    path = "/v1/health:stream?instruments=EUR/USD&sources=composite&maxMessages=1"
    status, _, body = rest(mesh, "GET", path, headers={"accept": "application/x-ndjson"})
    first, last = (json.loads(line) for line in body.splitlines())
    assert first["changes"]["complete"]
    (health,) = first["changes"]["instruments"]
    assert (health["source"], health["health"]) == ("composite", "QUOTE_HEALTH_LIVE")
    assert last["end"]["reason"] == "STREAM_END_REASON_COMPLETE"


@pytest.mark.parametrize(("accept", "prefix"), [("text/event-stream", b"data: {"), ("application/x-ndjson", b'{"')])
def test_streams_arrive_as_events_or_lines(mesh: Mesh, accept: str, prefix: bytes) -> None:
    """A stream is server-sent events or JSON lines, as the client asks."""
    path = "/v1/quotes:stream?instruments=EUR/USD&maxMessages=2"
    status, _, body = rest(mesh, "GET", path, headers={"accept": accept})
    assert status == 200, body
    assert body.startswith(prefix)
    assert b"COMPLETE" in body


def test_openapi_describes_what_the_edge_serves(mesh: Mesh) -> None:
    """/openapi.json is a 3.1 document with the paths that answer."""
    status, _, body = rest(mesh, "GET", "/openapi.json")
    assert status == 200
    document = json.loads(body)
    assert document["openapi"].startswith("3.1")
    assert "/v1/instruments/{base}/{counter}" in document["paths"]


async def test_operators_calls_are_not_for_clients(mesh: Mesh) -> None:
    """The edge refuses a client that only reads what only an operator may call."""
    async with mesh.edge_channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await control_grpc.ControlServiceStub(channel).GetMeshStatus(control.GetMeshStatusRequest(), timeout=60)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_caller_outside_the_topology_is_refused(mesh: Mesh) -> None:
    """reference may not call marketdata: the callee's proxy answers PERMISSION_DENIED."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.outbound_socket('reference')}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await marketdata_grpc.MarketDataServiceStub(channel).GetQuote(
                marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=60
            )
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_process_without_a_certificate_gets_nothing(mesh: Mesh) -> None:
    """A TLS client without a certificate is cut off at an inbound listener before any byte of HTTP."""
    port = json.loads(mesh.place.ports.read_text())["inbound"]["reference"]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    answer = b""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), 5) as raw,
        context.wrap_socket(raw) as secured,
    ):
        # A TLS 1.3 client has finished its handshake before the server judges it: the refusal comes with a read.
        secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        answer = secured.recv(1)
    assert answer == b""
