"""Clients of the edge that prove themselves by certificates, through real Envoys."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from crossrate.api.control.v1 import control_service_pb2 as control
from crossrate.api.control.v1 import control_service_pb2_grpc as control_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.client.find import client_certificate
from crossrate.rpc.caller import CLIENT_HEADER, FINGERPRINT_HEADER
from crossrate.rpc.client import channel_to_edge
from services.control.ca import Authority
from services.control.mesh import CONTROL_FOLDER
from tests.integration.envoys import SmallMesh, small_mesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

LOCAL = "spiffe://crossrate/client/local"
EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")
NOW = dt.datetime.now(dt.UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[SmallMesh]:
    """Envoys, control and small servers."""
    async with small_mesh() as started:
        yield started


def channel(mesh: SmallMesh, client_pem: bytes | None, metadata=()) -> grpc.aio.Channel:
    """A client of the edge that proves itself by a certificate."""
    target = f"localhost:{mesh.ports['edge']}"
    return channel_to_edge(target, mesh.place.ca_bundle.read_bytes(), client_pem=client_pem, metadata=metadata)


def authority(path: Path) -> Authority:
    """A certificate authority with a root of its own, or the mesh's."""
    return Authority.open(path, "crossrate", 86_400, NOW)


def pem(path: Path, identity: str, lifetime_s: int = 3600, at: dt.datetime = NOW) -> bytes:
    """A client's certificate and key."""
    pair = authority(path).issue_client(identity, lifetime_s, at).pair
    return (pair.chain_pem + pair.key_pem).encode()


async def mesh_status(edge: grpc.aio.Channel) -> control.GetMeshStatusResponse:
    """A call that only operators may make."""
    return await control_grpc.ControlServiceStub(edge).GetMeshStatus(control.GetMeshStatusRequest(), timeout=5)


async def refused(call) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_client_may_what_its_roles_allow(mesh: SmallMesh) -> None:
    """With the certificate of an operator an operator's method answers; with a reader's it does not, and reads do;
    without one nothing does."""
    async with channel(mesh, client_certificate("local", mesh.place)) as edge:
        assert (await mesh_status(edge)).proxies
    async with channel(mesh, client_certificate("viewer", mesh.place)) as edge:
        assert (await refused(mesh_status(edge))).code() is grpc.StatusCode.PERMISSION_DENIED
        assert await reference_grpc.ReferenceServiceStub(edge).GetInstrument(EURUSD, timeout=5)
    async with channel(mesh, None) as edge:
        read = reference_grpc.ReferenceServiceStub(edge).GetInstrument(EURUSD, timeout=5)
        assert (await refused(read)).code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_service_learns_who_the_client_is_and_nobody_can_pretend(mesh: SmallMesh) -> None:
    """The edge says whose certificate it saw; what a client says of itself is taken away."""
    pretence = [(CLIENT_HEADER, LOCAL), ("x-forwarded-client-cert", f"URI={LOCAL}")]
    async with channel(mesh, client_certificate("second", mesh.place), pretence) as edge:
        await reference_grpc.ReferenceServiceStub(edge).GetInstrument(EURUSD, timeout=5)
    headers = mesh.backends["reference-1"].servicer.headers
    assert headers[CLIENT_HEADER] == "spiffe://crossrate/client/second"
    shown = x509.load_pem_x509_certificate(client_certificate("second", mesh.place))
    assert headers[FINGERPRINT_HEADER] == shown.fingerprint(hashes.SHA256()).hex()
    async with channel(mesh, None, pretence) as edge:
        assert (await refused(mesh_status(edge))).code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("http2", [False, True])
async def test_a_rest_body_may_be_as_large_as_its_method_takes(mesh: SmallMesh, http2: bool) -> None:
    """By HTTP/1.1 and by HTTP/2, whose windows are smaller by default than what methods take: the service answers."""
    trust = ssl.create_default_context(cadata=mesh.place.ca_bundle.read_text())
    trust.load_cert_chain(mesh.place.client_certificate("local"))
    large = {"requestId": str(uuid.uuid4()), "status": "INSTRUMENT_STATUS_HALTED", "comment": "x" * 900_000}
    path = f"https://localhost:{mesh.ports['edge']}/v1/instruments/EUR/USD:setStatus"
    async with httpx.AsyncClient(http1=not http2, http2=http2, verify=trust, trust_env=False, timeout=60) as client:
        answer = await client.post(path, json=large)
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    # The small server's own word: it has none of the method.
    assert (answer.status_code, answer.json()["code"]) == (501, grpc.StatusCode.UNIMPLEMENTED.value[0]), answer.text


async def test_other_certificates_prove_nothing(mesh: SmallMesh, tmp_path: Path) -> None:
    """A foreign or an early one: no connection. A service's or an unknown client's: no more than nobody."""
    own = mesh.place.state / CONTROL_FOLDER / "authority.json"
    foreign, early = pem(tmp_path / "authority.json", LOCAL), pem(own, LOCAL, 60, NOW + dt.timedelta(hours=1))
    for proof in (foreign, early):
        async with channel(mesh, proof) as edge:
            error = await refused(
                reference_grpc.ReferenceServiceStub(edge).GetInstrument(EURUSD, timeout=2, wait_for_ready=False)
            )
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    for identity in ("spiffe://crossrate/control", "spiffe://crossrate/client/nobody"):
        async with channel(mesh, pem(own, identity)) as edge:
            assert (await refused(mesh_status(edge))).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_certificates_lie_with_their_owner_and_are_renewed(mesh: SmallMesh) -> None:
    """Only the owner reads them; a rotation puts others in their place, and the old go on to their end."""
    path = mesh.place.client_certificate("local")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    certificate = x509.load_pem_x509_certificate(before)
    uris = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert uris.get_values_for_type(x509.UniformResourceIdentifier) == [LOCAL]
    async with mesh.operator() as operator:
        wish = control.RotateCertificatesRequest(request_id=str(uuid.uuid4()), scope=control.ROTATION_SCOPE_WORKLOADS)
        await operator.RotateCertificates(wish, timeout=20)
    await until(lambda: path.read_bytes() != before)
    for proof in (before, path.read_bytes()):
        async with channel(mesh, proof) as edge:
            assert (await mesh_status(edge)).proxies
