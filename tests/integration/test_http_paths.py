"""Paths of the edge that a service answers over HTTP, through the real proxies."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import ssl
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import structlog

from crossrate.client.find import client_certificate
from crossrate.rpc.http_listener import EdgeWords, HttpListener
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.envoys import SmallMesh, small_mesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


class Echo:
    """An ASGI application that tells what it got."""

    def __init__(self, trust_domain: str) -> None:
        self._words = EdgeWords(trust_domain)

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Method, path, headers, body and what the edge says; streams three lines below /echo/stream."""
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        seen = self._words.of(headers)
        told = {
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "headers": headers,
            "body": body.decode(),
            "seen": {name: getattr(seen, name) for name in ("address", "identity", "fingerprint", "request_id")},
        }
        start = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
        await send(start)
        if scope["path"] == "/echo/stream":
            for number in range(3):
                await send({"type": "http.response.body", "body": b"%d\n" % number, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[SmallMesh]:
    """Reference, which answers /echo/ and /page over HTTP."""
    path = tmp_path_factory.mktemp("paths") / "topology.toml"
    text = DEFAULT_PATH.read_text()
    path.write_text(text.replace("[services.reference]\n", '[services.reference]\nhttp = ["/echo/", "/page"]\n'))
    async with small_mesh(path) as small:
        runtime = SimpleNamespace(place=small.place, instance="reference-1", log=structlog.get_logger())
        async with HttpListener(runtime, Echo(small.topology.trust_domain)):  # type: ignore[arg-type]
            await until(lambda: _has_http(small))
            yield small


async def _has_http(mesh: SmallMesh) -> bool:
    return "http|reference::" in await mesh.admin("node", "/clusters")


async def test_what_is_below_a_path_reaches_the_service(mesh: SmallMesh) -> None:
    """Method, query and body arrive as they were sent, and the service knows request and address from the edge."""
    status, headers, body = await mesh.rest(
        "POST",
        "/echo/a%20b?x=1",
        {"content-type": "application/x-www-form-urlencoded", "x-request-id": "r-1"},
        b"a=1",
        client=None,
    )
    assert status == 200, body
    told = json.loads(body)
    assert (told["method"], told["path"], told["body"]) == ("POST", "/echo/a%20b", "a=1")
    assert told["seen"]["request_id"]
    # Of a client on its own machine Envoy tells the machine's address.
    assert ipaddress.ip_address(told["seen"]["address"])
    assert (told["seen"]["identity"], told["seen"]["fingerprint"]) == ("", "")
    assert headers["content-type"] == "application/json"
    status, _, body = await mesh.rest("GET", "/page", client=None)
    assert (status, json.loads(body)["path"]) == (200, "/page")


async def test_a_stream_that_asks_for_events_is_not_taken_for_a_call(mesh: SmallMesh) -> None:
    """The edge's own form of events is for methods; here the service's lines come as it wrote them."""
    status, _, body = await mesh.rest("GET", "/echo/stream", {"accept": "text/event-stream"})
    assert (status, body) == (200, b"0\n1\n2\n")


async def test_a_client_cannot_write_what_the_edge_says(mesh: SmallMesh) -> None:
    """Headers of trust that a client sends never arrive, and a certificate that it shows does by name and hash."""
    lies = {
        "x-crossrate-client": "spiffe://crossrate/client/local",
        "x-crossrate-fingerprint": "0" * 64,
        "x-forwarded-client-cert": "URI=spiffe://crossrate/edge",
        "x-forwarded-for": "203.0.113.9",
    }
    _, _, body = await mesh.rest("GET", "/echo/", lies, client=None)
    seen = json.loads(body)["seen"]
    assert (seen["identity"], seen["fingerprint"]) == ("", "")
    assert ipaddress.ip_address(seen["address"]) != ipaddress.ip_address("203.0.113.9")
    proof = mesh.place.client_certificate("local")
    client_certificate("local", mesh.place)
    _, _, body = await mesh.rest("GET", "/echo/", lies, client=proof)
    seen = json.loads(body)["seen"]
    assert seen["identity"] == mesh.topology.client_identity("local")
    first = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", proof.read_text(), re.DOTALL)
    assert first
    assert seen["fingerprint"] == hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0])).hexdigest()


@pytest.mark.parametrize("path", ["/echo", "/page/", "/page/x", "/PAGE", "/echoes", "/echo/../other", "/echo%2f"])
async def test_other_paths_are_nobody_s(mesh: SmallMesh, path: str) -> None:
    """A path that the topology does not name does not reach the service."""
    status, _, body = await mesh.rest("GET", path)
    assert status in (403, 404), body
    assert b'"seen"' not in body


@pytest.mark.parametrize(
    "path",
    [
        "/echo/../crossrate.api.reference.v1.ReferenceService/SetInstrumentStatus",
        "/echo/%2e%2e/crossrate.api.reference.v1.ReferenceService/SetInstrumentStatus",
        "/echo//../../crossrate.api.reference.v1.ReferenceService/SetInstrumentStatus",
    ],
)
async def test_no_method_is_reached_by_such_a_path(mesh: SmallMesh, path: str) -> None:
    """A path that climbs out of what everybody may ask for is judged by where it leads."""
    calls = mesh.backends["reference-1"].servicer.calls
    status, _, body = await mesh.rest("POST", path, {"content-type": "application/grpc", "te": "trailers"}, b"")
    assert status in (400, 403, 404) or b"grpc" in body or status == 200, (status, body)
    assert b'"seen"' not in body
    assert mesh.backends["reference-1"].servicer.calls == calls


async def test_other_services_do_not_reach_it(mesh: SmallMesh) -> None:
    """Only the edge may: the outbound proxies have no such route."""
    answer = await mesh.admin("node", "/config_dump?resource=dynamic_route_configs")
    routes = json.loads(answer[answer.index("{\n") : answer.rindex("}") + 1])
    tables = [c["route_config"] for c in routes["configs"]]
    naming = {t["name"] for t in tables if '"/echo/"' in json.dumps(t)}
    assert naming == {"in|reference"}
