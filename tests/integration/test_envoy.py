"""The configuration that control makes, in real Envoys, in front of real servers."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import socket
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from google.protobuf import json_format, struct_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.control.v1 import mesh_pb2
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.runtime.topology import DEFAULT_PATH
from tests.ending import within
from tests.integration.envoys import Reference, SmallMesh, small_mesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")
CONTROL_SERVICE = "crossrate.api.control.v1.ControlService"
REFERENCE_SERVICE = "crossrate.api.reference.v1.ReferenceService"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[SmallMesh]:
    """Control, an edge, a node proxy, one instance of reference and of marketdata."""
    async with small_mesh() as small:
        yield small


class Traffic:
    """Unary calls from an edge client and from marketdata, and one stream, until the block ends; counts what fails."""

    def __init__(self, mesh: SmallMesh) -> None:
        self._mesh = mesh
        self.calls = 0
        self.messages = 0
        self.failures: collections.Counter[str] = collections.Counter()
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def _call(self, channel: grpc.aio.Channel) -> None:
        stub = reference_grpc.ReferenceServiceStub(channel)
        while not self._stop.is_set():
            try:
                await stub.GetInstrument(EURUSD, timeout=60)
                self.calls += 1
            except grpc.aio.AioRpcError as error:
                self.failures[f"{error.code().name}: {error.details()}"] += 1
            await asyncio.sleep(0.002)

    async def _stream(self, channel: grpc.aio.Channel) -> None:
        request = marketdata.StreamQuotesRequest(instruments=["EUR/USD"])
        stream = marketdata_grpc.MarketDataServiceStub(channel).StreamQuotes(request)
        try:
            async for _ in stream:
                self.messages += 1
                if self._stop.is_set():
                    stream.cancel()
                    return
        except grpc.aio.AioRpcError as error:
            self.failures[f"stream {error.code().name}: {error.details()}"] += 1

    async def __aenter__(self) -> Traffic:
        self._edge, self._outbound = self._mesh.edge_channel(), self._mesh.outbound_channel("marketdata")
        work = (self._call(self._edge), self._call(self._edge), self._call(self._outbound), self._stream(self._edge))
        self._tasks = [asyncio.create_task(w) for w in work]
        await until(lambda: self.calls > 10 and self.messages > 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        before = self.calls
        await until(lambda: self.calls > before + 20)
        self._stop.set()
        await within(asyncio.gather(*self._tasks, return_exceptions=True), "the end of the traffic")
        await self._edge.close()
        await self._outbound.close()


async def get_instrument(channel: grpc.aio.Channel, request=EURUSD, **options):
    """One call."""
    return await reference_grpc.ReferenceServiceStub(channel).GetInstrument(request, timeout=60, **options)


async def refused(call) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_grpc_call_passes_edge_and_callee(mesh: SmallMesh) -> None:
    """A client's call reaches the server through both proxies, under the edge's identity, without the headers by which
    it pretends to be somebody."""
    pretence = [("x-forwarded-client-cert", "URI=spiffe://crossrate/control"), ("x-envoy-retry-on", "5xx")]
    async with mesh.edge_channel() as channel:
        answer = await get_instrument(channel, metadata=[*pretence, ("x-crossrate-caller", "control")])
    assert answer.instrument.name == "EUR/USD"
    headers = mesh.backends["reference-1"].servicer.headers
    assert headers["x-forwarded-client-cert"].endswith("URI=spiffe://crossrate/edge")
    assert "x-crossrate-caller" not in headers
    assert "x-envoy-retry-on" not in headers
    assert headers["x-request-id"]


async def test_an_allowed_service_is_known_by_its_own_name(mesh: SmallMesh) -> None:
    """marketdata calls reference through its own socket and arrives as marketdata."""
    async with mesh.outbound_channel("marketdata") as channel:
        assert (await get_instrument(channel)).instrument.name == "EUR/USD"
    headers = mesh.backends["reference-1"].servicer.headers
    assert headers["x-forwarded-client-cert"].endswith("URI=spiffe://crossrate/marketdata")
    assert mesh.place.outbound_socket("marketdata").stat().st_mode & 0o777 == 0o600


async def test_a_caller_outside_the_topology_is_refused(mesh: SmallMesh) -> None:
    """The callee's proxy answers PERMISSION_DENIED, with its reason, to a service that may not call it."""
    async with mesh.outbound_channel("reference") as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        error = await refused(stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=60))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert b"CALLER_NOT_ALLOWED" in dict(error.trailing_metadata())["grpc-status-details-bin"]


async def test_an_allowed_service_may_not_call_other_methods(mesh: SmallMesh) -> None:
    """Being a caller of a service is no permission for methods whose policy does not name the caller."""
    async with mesh.outbound_channel("marketdata") as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        error = await refused(stub.SetInstrumentStatus(reference.SetInstrumentStatusRequest(), timeout=60))
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_without_a_certificate_there_is_nothing(mesh: SmallMesh) -> None:
    """A TLS client without a certificate is cut off at an inbound listener before any byte of HTTP."""

    def knock() -> bytes:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        answer = b""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", mesh.ports["inbound"]["reference"]), 5) as raw,
            context.wrap_socket(raw) as secured,
        ):
            secured.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            answer = secured.recv(1)
        return answer

    assert await asyncio.to_thread(knock) == b""


async def test_the_contract_s_deadline_holds(mesh: SmallMesh) -> None:
    """A call that lasts longer than its contract allows ends with DEADLINE_EXCEEDED, whatever the client asked for."""
    slow = reference.GetInstrumentRequest(base="EUR", counter="SLO")
    async with mesh.edge_channel() as channel:
        error = await refused(get_instrument(channel, slow))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    status, _, body = await mesh.rest("GET", "/v1/instruments/EUR/SLO")
    assert (status, json.loads(body)["code"]) == (504, 4)
    # The servicer here is plain gRPC, which may end the call in the same moment as the proxy, and gives no reason.
    assert [d["reason"] for d in json.loads(body)["details"]] in (["DEADLINE_EXCEEDED"], [])


async def test_rest_answers_json(mesh: SmallMesh) -> None:
    """GET of an instrument is the same message as JSON, with fields that have their default value."""
    status, headers, body = await mesh.rest("GET", "/v1/instruments/EUR/USD")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert json.loads(body)["instrument"]["name"] == "EUR/USD"
    assert json.loads(body)["instrument"]["nonDeliverable"] is False


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code", "reason"),
    [
        ("GET", "/v1/instruments/EUR/XXX", {}, None, 404, 5, None),
        ("GET", "/v1/nothing", {}, None, 404, 5, "NOT_FOUND"),
        ("GET", "/v1/nothing", {"accept": "text/event-stream"}, None, 404, 5, "NOT_FOUND"),
        ("GET", "/v1/instruments/EUR/USD?colour=red", {}, None, 400, 3, "INVALID_REQUEST"),
        ("GET", "/v1/instruments/EUR/USD", {"x_y": "1"}, None, 400, 3, "INVALID_REQUEST"),
        ("GET", "/v1/mesh/status", {}, None, 403, 7, "CALLER_NOT_ALLOWED"),
        ("POST", "/v1/instruments/EUR/USD:setStatus", {}, b"{}", 403, 7, "CALLER_NOT_ALLOWED"),
        ("POST", "/v1/instruments/EUR/USD:setStatus", {}, b'{"statos":1}', 400, 3, "UNKNOWN_FIELD"),
        ("POST", "/v1/instruments/EUR/USD:setStatus", {}, b'"' + b"x" * (1 << 21) + b'"', 413, None, None),
    ],
)
async def test_every_rest_error_is_a_status(
    mesh: SmallMesh, method: str, path: str, headers, body, status: int, code: int, reason: str
) -> None:
    """Errors of servers and of Envoy itself are JSON of google.rpc.Status, Envoy's with their reason."""
    sent = headers | ({"content-type": "application/json"} if body else {})
    answered, received, raw = await mesh.rest(method, path, sent, body)
    assert answered == status, raw
    assert received["content-type"].startswith("application/json")
    document = json.loads(raw)
    assert document["message"]
    assert code is None or document["code"] == code
    assert reason is None or document["details"][0]["reason"] == reason


@pytest.mark.parametrize(
    ("accept", "kind", "prefix"),
    [("text/event-stream", "text/event-stream", b"data: {"), ("application/x-ndjson", "application/json", b'{"')],
)
async def test_streams_arrive_as_events_or_lines(mesh: SmallMesh, accept: str, kind: str, prefix: bytes) -> None:
    """A stream is server-sent events or JSON lines, as the client asks."""
    path = "/v1/quotes:stream?instruments=EUR/USD&maxMessages=2"
    status, headers, body = await mesh.rest("GET", path, {"accept": accept})
    assert status == 200, body
    assert headers["content-type"].startswith(kind)
    parts = body.strip().split(b"\n\n" if accept == "text/event-stream" else b"\n")
    assert len(parts) == 3
    assert all(part.startswith(prefix) for part in parts)
    assert b"COMPLETE" in parts[-1]


async def test_a_page_may_call_by_grpc_web(mesh: SmallMesh) -> None:
    """A page of an allowed origin calls by gRPC-Web and may read the status; one of another origin may not."""
    frame = EURUSD.SerializeToString()
    body = bytes([0]) + len(frame).to_bytes(4, "big") + frame
    path = f"/{REFERENCE_SERVICE}/GetInstrument"
    allowed, foreign = "http://localhost:5173", "https://elsewhere.example"
    sent = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "origin": allowed}
    status, headers, answer = await mesh.rest("POST", path, sent, body)
    assert status == 200
    assert headers["access-control-allow-origin"] == allowed
    assert "grpc-status" in headers["access-control-expose-headers"]
    assert b"EUR/USD" in answer
    assert b"grpc-status:0" in answer.replace(b": ", b":")
    preflight = {"origin": allowed, "access-control-request-method": "POST"}
    assert (await mesh.rest("OPTIONS", path, preflight))[1]["access-control-allow-origin"] == allowed
    assert "access-control-allow-origin" not in (await mesh.rest("OPTIONS", path, preflight | {"origin": foreign}))[1]


async def test_the_edge_offers_health_reflection_and_openapi(mesh: SmallMesh) -> None:
    """Any client learns what there is and how it does, services that others serve included; the document is open to
    everybody, and nothing else is."""
    async with mesh.edge_channel() as channel:
        for service in ("", CONTROL_SERVICE, REFERENCE_SERVICE):
            request = health_pb2.HealthCheckRequest(service=service)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=60)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
        listing = reflection_pb2.ServerReflectionRequest(list_services="")
        stream = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([listing]), timeout=60)
        names = {s.name async for r in stream for s in r.list_services_response.service}
    assert {CONTROL_SERVICE, REFERENCE_SERVICE} <= names
    status, headers, body = await mesh.rest("GET", "/openapi.json", client=None)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["openapi"].startswith("3.1")


async def rotate(stub: control_grpc.ControlServiceStub, scope: int) -> set[str]:
    """Rotates and returns the serials in use."""
    request = control.RotateCertificatesRequest(request_id=str(uuid.uuid4()), scope=scope)
    answer = await stub.RotateCertificates(request, timeout=60)
    return {c.serial for c in answer.certificates}


async def test_rotation_under_calls_fails_none(mesh: SmallMesh) -> None:
    """Five rotations of all certificates, then a new root and the end of the old one, pass without a failed call."""
    old_roots = mesh.place.ca_bundle.read_text()
    async with Traffic(mesh) as traffic, mesh.operator() as stub:
        seen: set[str] = set()
        for _ in range(5):
            serials = await rotate(stub, control.ROTATION_SCOPE_WORKLOADS)
            assert not serials & seen
            seen |= serials
        await rotate(stub, control.ROTATION_SCOPE_ROOT_BEGIN)
        assert (await refused(rotate(stub, control.ROTATION_SCOPE_ROOT_BEGIN))).code() is (
            grpc.StatusCode.FAILED_PRECONDITION
        )
        assert mesh.place.ca_bundle.read_text().count("BEGIN CERTIFICATE") == 2
        # A client that has only the old root goes on during the overlap.
        options = [("grpc.use_local_subchannel_pool", 1)]
        proof = mesh.place.client_certificate("viewer").read_bytes()
        known = grpc.ssl_channel_credentials(old_roots.encode(), proof, proof)
        async with grpc.aio.secure_channel(f"localhost:{mesh.ports['edge']}", known, options) as channel:
            assert (await get_instrument(channel)).instrument.name == "EUR/USD"
        await rotate(stub, control.ROTATION_SCOPE_ROOT_FINISH)
        roots = (await stub.ListCertificates(control.ListCertificatesRequest(), timeout=60)).roots
        assert len(roots) == 1
    assert not traffic.failures
    assert traffic.calls > 50


async def rendered_route(stub: control_grpc.ControlServiceStub) -> dict:
    """The route of reference as JSON."""
    routes = (await stub.ListRoutes(control.ListRoutesRequest(), timeout=60)).routes
    return json_format.MessageToDict(next(r for r in routes if r.service == "reference").grpc_route)


async def apply(stub: control_grpc.ControlServiceStub, document: dict | None, **fields) -> control.ApplyRouteResponse:
    """Applies a route to reference, or puts the rendered one back."""
    request = control.ApplyRouteRequest(request_id=str(uuid.uuid4()), service="reference", **fields)
    if document is not None:
        request.grpc_route.CopyFrom(json_format.ParseDict(document, struct_pb2.Struct()))
    return await stub.ApplyRoute(request, timeout=60)


async def routes_are_taken_again(mesh: SmallMesh) -> list:
    """The proxies' answers about routes, once every one has acknowledged a version after the one that it refused."""
    status = await mesh.status()
    if status is None:
        return []
    answers = [a for p in status.proxies for a in p.acknowledgements if a.kind == "routes"]
    return answers if all(a.acknowledged_version > a.refused_version for a in answers) else []


async def test_what_a_proxy_refuses_is_told_and_changes_nothing(mesh: SmallMesh) -> None:
    """A route that Envoy refuses is INVALID_ARGUMENT with Envoy's words; calls go on, and the next good one applies."""
    async with Traffic(mesh) as traffic, mesh.operator() as stub:
        good = await rendered_route(stub)
        bad = json.loads(json.dumps(good))
        bad["spec"]["rules"][0]["matches"] = [{"headers": [{"type": "RegularExpression", "name": "x-a", "value": "("}]}]
        error = await refused(apply(stub, bad))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "missing )" in error.details()
        # The answer comes with the refusal; the routes put back are on their way to the proxies.
        answers = await until(lambda: routes_are_taken_again(mesh))
        assert any("missing )" in a.refusal for a in answers)
        assert await rendered_route(stub) == good
        good["spec"]["rules"][0]["backendRefs"][0]["weight"] = 7
        answer = await apply(stub, good)
        assert not answer.route.rendered
        snapshots = (await stub.ListSnapshots(control.ListSnapshotsRequest(page_size=1), timeout=60)).snapshots
        assert (await apply(stub, None)).route.rendered
        assert snapshots[0].version >= 1
    assert not traffic.failures


async def test_a_route_that_names_nothing_is_refused_by_field(mesh: SmallMesh) -> None:
    """A route to a backend that does not exist never reaches a proxy."""
    async with mesh.operator() as stub:
        route = await rendered_route(stub)
        route["spec"]["rules"][0]["backendRefs"] = [{"name": "nowhere", "weight": 0}]
        before = (await mesh.status()).snapshot_version
        error = await refused(apply(stub, route, validate_only=True))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "backendRefs" in error.details()
        assert (await mesh.status()).snapshot_version == before


async def test_an_instance_succeeds_another_without_a_lost_call(mesh: SmallMesh) -> None:
    """A second instance takes over while the first one ends, and no call fails."""
    register = reference_grpc.add_ReferenceServiceServicer_to_server
    async with Traffic(mesh) as traffic:
        for old, new in (("reference-1", "reference-2"), ("reference-2", "reference-1")):
            await mesh.start_backend(new, register, Reference(new))

            async def known(name: str = new) -> bool:
                status = await mesh.status()
                instances = status.instances if status is not None else ()
                return any(i.name == name and i.health == mesh_pb2.INSTANCE_HEALTH_SERVING for i in instances)

            await until(known)
            await mesh.stop_backend(old)
    assert not traffic.failures
    assert mesh.backends["reference-1"].servicer.calls > 0


async def test_a_dead_control_plane_disturbs_nobody(mesh: SmallMesh) -> None:
    """Killed with SIGKILL, control takes nothing with it; started again, it has the same roots, newer snapshots and its
    proxies back, and no call fails."""
    before = await mesh.status()
    roots = mesh.place.ca_bundle.read_bytes()
    async with Traffic(mesh) as traffic:
        await mesh.kill("control-1")
        calls = traffic.calls
        await until(lambda: traffic.calls > calls + 100)
        await mesh.start_control()

        async def back() -> bool:
            status = await mesh.status()
            proxies = status.proxies if status is not None else ()
            return len(proxies) == 2 and all(p.connected for p in proxies) and await mesh.is_whole()

        await until(back)
        async with mesh.operator() as stub:
            await rotate(stub, control.ROTATION_SCOPE_WORKLOADS)
    assert not traffic.failures
    assert mesh.place.ca_bundle.read_bytes() == roots
    assert (await mesh.status()).snapshot_version > before.snapshot_version


async def test_a_proxy_of_sidecars_serves_and_refuses_the_same(tmp_path: Path) -> None:
    """With a sidecar for each service an allowed call passes, and one that the topology does not allow is refused."""
    path = tmp_path / "topology.toml"
    path.write_text(DEFAULT_PATH.read_text().replace('layout = "node"', 'layout = "sidecar"'))
    async with small_mesh(path) as mesh:
        assert {"sidecar-control", "sidecar-reference", "sidecar-marketdata"} <= mesh.processes.keys()
        async with mesh.edge_channel() as channel, mesh.outbound_channel("marketdata") as outbound:
            assert (await get_instrument(channel)).instrument.name == "EUR/USD"
            assert (await get_instrument(outbound)).instrument.name == "EUR/USD"
        async with mesh.outbound_channel("reference") as channel:
            stub = marketdata_grpc.MarketDataServiceStub(channel)
            error = await refused(stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=60))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
