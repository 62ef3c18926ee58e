"""Pins by role, through the real proxies: roles of tokens as the edge verified them, roles of certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.client.find import client_certificate
from services.control.mesh import CONTROL_FOLDER
from services.control.releases.records import Records
from services.control.shares import ROLES_HEADER
from tests.integration.envoys import Reference, until
from tests.integration.guarded import GuardedMesh, guarded_mesh
from tests.integration.test_release_shares import stepping

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh with a candidate of reference, to which traders are pinned."""
    async with guarded_mesh(tmp_path_factory.mktemp("guarded")) as made:
        add = reference_grpc.add_ReferenceServiceServicer_to_server
        await made.start_backend("reference-901", add, Reference("reference-901"), candidate=True)
        await made.kill("control-1")
        records = Records(made.place.state / CONTROL_FOLDER / "releases.json", None)
        records.keep(stepping("reference", 0, pins=[{"to": "candidate", "role": "trader"}]))
        await made.start_control()
        place = made.place.service_socket("reference-901")

        async def reachable() -> bool:
            clusters = await made.admin("node", "/clusters")
            pinned = ROLES_HEADER in await made.admin("edge", "/config_dump?resource=dynamic_route_configs")
            return pinned and f"local|reference-candidate::{place}::health_flags::healthy" in clusters

        await until(reachable)
        yield made


async def reached_candidate(mesh: GuardedMesh, token: str | None, client: str = "", *, lie: str = "") -> bool:
    """Whether a call reaches the candidate."""
    candidate = mesh.backends["reference-901"].servicer
    before = candidate.calls
    proof = client_certificate(client, mesh.place) if client else None
    async with mesh.token_channel(token, proof) as channel:
        metadata = ((ROLES_HEADER, lie),) if lie else None
        await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD, timeout=10, metadata=metadata)
    return candidate.calls > before


async def test_who_has_the_role_is_answered_by_the_version_of_his_pin(mesh: GuardedMesh) -> None:
    """By token and by certificate; a token speaks louder than the certificate beside it, and what a client says of its
    own roles is taken away."""
    trader, viewer = mesh.issuer.token(("viewer", "trader")), mesh.issuer.token(("viewer",))

    async def pinned() -> bool:
        return await reached_candidate(mesh, trader)

    await until(pinned)
    assert not await reached_candidate(mesh, viewer)
    assert not await reached_candidate(mesh, viewer, lie='["trader"]')
    assert await reached_candidate(mesh, None, "local")
    assert not await reached_candidate(mesh, None, "viewer")
    assert not await reached_candidate(mesh, None, "viewer", lie='["trader"]')
    assert not await reached_candidate(mesh, viewer, "local")
