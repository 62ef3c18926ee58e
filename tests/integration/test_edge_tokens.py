"""Tokens at the edge and in the services behind it, through the real proxies."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import grpc
import pytest
import pytest_asyncio

from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.api.trading.v1 import order_entry_pb2
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.client.find import client_certificate
from crossrate.rpc.errors import ErrorReason, failure_of
from tests.bench.load_channel import LoadChannel
from tests.integration.guarded import GuardedMesh, guarded_mesh
from tests.integration.raw_http import RawHttp

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EURUSD = reference.GetInstrumentRequest(base="EUR", counter="USD")


T = TypeVar("T")


async def awaited(call: Awaitable[T]) -> T:
    """What a call comes to."""
    return await call


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


async def test_who_has_spent_everything_is_told_when_to_come_again(mesh: GuardedMesh) -> None:
    """A client's calls take their cost from its bucket; others, and its own cancels, go on."""
    low = mesh.issuer.token(("trader", "viewer"), sub="u-low", rate_class="low")
    # Several at once: on a machine that is busy one alone may be slower than its bucket fills again.
    clients = [RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text()) for _ in range(8)]
    client, statuses = clients[0], []
    for _ in range(200 // len(clients)):
        answers = await asyncio.gather(*(c.ask("GET", "/v1/currencies", mesh.bearer(low)) for c in clients))
        statuses += [each.status for each in answers]
        if 429 in statuses:
            break
    answer = next((each for each in answers if each.status == 429), None)
    assert answer is not None, statuses
    # The method costs five, and the bucket of the class holds 400 when it is full.
    assert statuses.count(200) >= 400 // 5
    assert answer.headers["retry-after"] == "1"
    said = json.loads(answer.body)
    assert said["code"] == 8
    assert [each.get("reason") or each.get("retryDelay") for each in said["details"]] == ["RATE_LIMITED", "0.25s"]
    for other in (mesh.issuer.token(sub="u-other", rate_class="low"), mesh.issuer.token(sub="u-low-2")):
        assert (await client.ask("GET", "/v1/currencies", mesh.bearer(other))).status == 200
    for each in clients:
        await each.close()
    # The SDK would wait and try again.
    plain = LoadChannel(mesh.ports["edge"], mesh.place.ca_bundle.read_bytes())
    read = plain.unary_unary("/crossrate.api.reference.v1.ReferenceService/ListCurrencies")
    codes = set()
    for _ in range(200 // 10):
        asked = (read(b"", metadata=list(mesh.bearer(low).items()), timeout=60) for _ in range(10))
        for error in await asyncio.gather(*map(awaited, asked), return_exceptions=True):
            if isinstance(error, grpc.aio.AioRpcError):
                failure = failure_of(error)
                assert failure is not None
                codes.add((error.code(), failure.reason, failure.retry_after_s))
        if codes:
            break
    await plain.close()
    assert codes == {(grpc.StatusCode.RESOURCE_EXHAUSTED, ErrorReason.RATE_LIMITED, 0.25)}
    async with mesh.token_channel(low) as channel:
        cancel = order_entry_pb2.CancelOrderRequest(request_id=str(uuid.uuid4()), account="a", client_order_id="x")
        await TradingServiceStub(channel).CancelOrder(cancel, timeout=10)
