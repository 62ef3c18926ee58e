"""Pins by role and desk, through the real proxies: roles of tokens as the edge verified them, roles of certificates."""

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
from services.control.split import DESK_HEADER
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


async def reached_candidate(
    mesh: GuardedMesh, token: str | None, client: str = "", *, lie: dict[str, str] | None = None
) -> bool:
    """Whether a call reaches the candidate."""
    candidate = mesh.backends["reference-901"].servicer
    before = candidate.calls
    proof = client_certificate(client, mesh.place) if client else None
    async with mesh.token_channel(token, proof) as channel:
        metadata = tuple((lie or {}).items())
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
    assert not await reached_candidate(mesh, viewer, lie={ROLES_HEADER: '["trader"]'})
    assert await reached_candidate(mesh, None, "local")
    assert not await reached_candidate(mesh, None, "viewer")
    assert not await reached_candidate(mesh, None, "viewer", lie={ROLES_HEADER: '["trader"]'})
    assert not await reached_candidate(mesh, viewer, "local")


async def test_a_desk_is_pinned_or_has_one_version_by_its_token(mesh: GuardedMesh) -> None:
    """At half of the calls every call of a desk has the same version, and not all desks have the same; what a client
    says of its own desk is taken away."""
    pins = [{"to": "candidate", "desk": "rates"}, {"to": "stable", "desk": "options"}]
    await mesh.kill("control-1")
    records = Records(mesh.place.state / CONTROL_FOLDER / "releases.json", None)
    records.keep(stepping("reference", 50, pins=pins, sticky={"desk": True}))
    await mesh.start_control()

    def of_desk(desk: str) -> str:
        return mesh.issuer.token(("viewer",), desk=desk)

    async def told() -> bool:
        return DESK_HEADER in await mesh.admin("edge", "/config_dump?resource=dynamic_route_configs")

    await until(told)
    rates, options = of_desk("rates"), of_desk("options")

    async def pinned() -> bool:
        return await reached_candidate(mesh, rates)

    await until(pinned)
    assert [await reached_candidate(mesh, rates) for _ in range(8)] == [True] * 8
    assert [await reached_candidate(mesh, options, lie={DESK_HEADER: "rates"}) for _ in range(8)] == [False] * 8
    found = set()
    for number in range(24):
        (version,) = {await reached_candidate(mesh, of_desk(f"desk-{number}")) for _ in range(4)}
        found.add(version)
    assert found == {False, True}
    # Without a desk there is nothing to stay together by: the weight alone decides.
    nobodys = of_desk("")
    assert {await reached_candidate(mesh, nobodys) for _ in range(40)} == {False, True}
