"""Tokens at the edge and in the services behind it, through the real proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.client.find import client_certificate
from tests.integration.guarded import GuardedMesh, guarded_mesh

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[GuardedMesh]:
    """A guarded mesh."""
    async with guarded_mesh(tmp_path_factory.mktemp("guarded")) as made:
        yield made


async def code(channel: grpc.aio.Channel) -> grpc.StatusCode:
    """How a read of an instrument ends."""
    try:
        await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EURUSD, timeout=10)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_a_good_token_is_let_in(mesh: GuardedMesh) -> None:
    """gRPC and REST, and the service knows who calls."""
    async with mesh.token_channel(mesh.issuer.token(sub="u-7", sid="s-7")) as channel:
        assert await code(channel) is grpc.StatusCode.OK
    client = mesh.answers["reference"].clients["/crossrate.api.reference.v1.ReferenceService/GetInstrument"]
    assert str(client) == "user:u-7"
    async with mesh.token_channel(None) as channel:
        assert await code(channel) is grpc.StatusCode.UNAUTHENTICATED
    async with mesh.token_channel(None, client_certificate("local", mesh.place)) as channel:
        assert await code(channel) is grpc.StatusCode.OK
    async with mesh.token_channel("x.y.z", client_certificate("local", mesh.place)) as channel:
        assert await code(channel) is grpc.StatusCode.UNAUTHENTICATED
