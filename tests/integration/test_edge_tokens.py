"""Tokens at the edge and in the services behind it, through the real proxies."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator

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


PAGE = "http://localhost:5173"
"""A page of another origin, which the topology lets call."""


@pytest.mark.parametrize("path", ["/v1/currencies", "/v1/accounts", "/crossrate.api.reference.v1.ReferenceService/X"])
async def test_a_page_of_an_origin_that_the_topology_names_may_ask(mesh: GuardedMesh, path: str) -> None:
    """Its preflight, which has no token, is answered for REST and gRPC-Web alike; that of another page is refused."""
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    status, headers, _ = await mesh.rest("OPTIONS", path, {"origin": PAGE, **asked}, client=None)
    assert (status, headers["access-control-allow-origin"]) == (200, PAGE)
    assert "authorization" in headers["access-control-allow-headers"]
    status, headers, _ = await mesh.rest("OPTIONS", path, {"origin": "https://else.example", **asked}, client=None)
    assert status == 401
    assert not [name for name in headers if name.startswith("access-control-")]


async def test_a_page_reads_what_it_is_answered(mesh: GuardedMesh) -> None:
    """Answers, refusals and paths that are none say that the page may read them, and what of their headers."""
    good = mesh.bearer(mesh.issuer.token(sub="u-page"))
    for headers, path, due in ((good, "/v1/currencies", 200), ({}, "/v1/currencies", 401), (good, "/v1/none", 404)):
        status, said, _ = await mesh.rest("GET", path, {**headers, "origin": PAGE}, client=None)
        assert (status, said.get("access-control-allow-origin")) == (due, PAGE), path
        assert {"grpc-status", "retry-after"} <= set(said["access-control-expose-headers"].split(", "))
        status, said, _ = await mesh.rest("GET", path, {**headers, "origin": "https://else.example"}, client=None)
        assert (status, said.get("access-control-allow-origin")) == (due, None), path


async def test_who_has_spent_everything_is_told_when_to_come_again(mesh: GuardedMesh) -> None:
    """A client's calls take their cost from its bucket; others, and its own cancels, go on."""
    low = mesh.issuer.token(("trader", "viewer"), sub="u-low", rate_class="low")
    client = RawHttp(mesh.ports["edge"], mesh.place.ca_bundle.read_text())
    statuses = []
    for _ in range(200):
        # A call that costs twenty: a machine that manages five a second spends faster than the bucket fills. What it
        # lacks the service would say, and the call is paid for.
        answer = await client.ask("GET", "/v1/ticks/EUR/USD", mesh.bearer(low))
        statuses.append(answer.status)
        if answer.status == 429:
            break
    assert answer.status == 429, statuses
    # The bucket of the class holds 400 when it is full.
    assert 400 // 20 < len(statuses) <= 200
    assert set(statuses[:-1]) == {400}
    assert answer.headers["retry-after"] == "1"
    said = json.loads(answer.body)
    assert said["code"] == 8
    assert [each.get("reason") or each.get("retryDelay") for each in said["details"]] == ["RATE_LIMITED", "0.25s"]
    for other in (mesh.issuer.token(sub="u-other", rate_class="low"), mesh.issuer.token(sub="u-low-2")):
        assert (await client.ask("GET", "/v1/currencies", mesh.bearer(other))).status == 200
    await client.close()
    # The SDK would wait and try again.
    plain = LoadChannel(mesh.ports["edge"], mesh.place.ca_bundle.read_bytes())
    read = plain.unary_unary("/crossrate.api.marketdata.v1.HistoryService/QueryTicks")
    codes = set()
    for _ in range(200):
        try:
            await read(b"", metadata=list(mesh.bearer(low).items()), timeout=10)
        except grpc.aio.AioRpcError as error:
            failure = failure_of(error)
            assert failure is not None
            if failure.reason is not ErrorReason.INVALID_REQUEST:
                codes.add((error.code(), failure.reason, failure.retry_after_s))
                break
    await plain.close()
    assert codes == {(grpc.StatusCode.RESOURCE_EXHAUSTED, ErrorReason.RATE_LIMITED, 0.25)}
    async with mesh.token_channel(low) as channel:
        cancel = order_entry_pb2.CancelOrderRequest(request_id=str(uuid.uuid4()), account="a", client_order_id="x")
        await TradingServiceStub(channel).CancelOrder(cancel, timeout=10)
