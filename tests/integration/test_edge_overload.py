"""A service that is full is not asked: calls wait at the edge or are refused at once, cancels and streams go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.call import new_request_id
from crossrate.rpc.client import channel_to_edge
from crossrate.rpc.errors import ErrorReason, failure_of
from crossrate.runtime.topology import DEFAULT_PATH
from tests.integration.envoys import MarketData, Reference, SmallMesh, until

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROOM = 2
"""Calls that reference takes at once. marketdata takes as many, half of them from the edge."""
WAITING = 2
"""Calls for marketdata that wait at the edge; of those for reference none does."""


class Held(Reference):
    """Lists wait until they are let go; halts are answered at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = self.most = 0
        self.go = asyncio.Event()

    async def ListCurrencies(self, request, context):
        """Waits."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.go.wait()
        finally:
            self.waiting -= 1
        return reference.ListCurrenciesResponse()

    async def SetInstrumentStatus(self, request, context):
        """Of the reserved lane."""
        return reference.SetInstrumentStatusResponse()


class HeldQuotes(MarketData):
    """Quotes wait until they are let go, as they are at first."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.waiting = self.most = 0
        self.go = asyncio.Event()
        self.go.set()

    async def GetQuote(self, request, context):
        """Waits."""
        self.asked.append(request.counter)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self.go.wait()
        finally:
            self.waiting -= 1
        return marketdata.GetQuoteResponse()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh(tmp_path_factory) -> AsyncIterator[SmallMesh]:
    """A mesh whose services have little room."""
    path: Path = tmp_path_factory.mktemp("overload") / "topology.toml"
    text = DEFAULT_PATH.read_text()
    for service, waiting in (("reference", 0), ("marketdata", WAITING)):
        limits = f"concurrency_max = {ROOM}\nwaiting_max = {waiting}\n"
        text = text.replace(f"[services.{service}]\n", f"[services.{service}]\n{limits}")
    path.write_text(text)
    mesh = SmallMesh(path)
    try:
        await mesh.start_backend("reference-1", reference_grpc.add_ReferenceServiceServicer_to_server, Held())
        await mesh.start_backend("marketdata-1", marketdata_grpc.add_MarketDataServiceServicer_to_server, HeldQuotes())
        await mesh.start_control()
        await mesh.start_envoys()
        await until(mesh.is_whole)
        yield mesh
    finally:
        await mesh.stop()


def channel_of(mesh: SmallMesh, client: str) -> grpc.aio.Channel:
    """A client of the edge by its certificate."""
    proof = mesh.place.client_certificate(client).read_bytes()
    return channel_to_edge(f"localhost:{mesh.ports['edge']}", mesh.place.ca_bundle.read_bytes(), client_pem=proof)


async def test_a_call_too_many_is_refused_by_the_edge_with_what_a_service_would_say(mesh: SmallMesh) -> None:
    """RESOURCE_EXHAUSTED with TOO_MANY_REQUESTS and when to come again, in gRPC and REST; the service hears nothing of
    it, and takes a call of the reserved lane meanwhile."""
    held = mesh.backends["reference-1"].servicer
    async with channel_of(mesh, "local") as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)

        async def occupies() -> None:
            # The contract ends a call after some seconds; another takes its place.
            while not held.go.is_set():
                with contextlib.suppress(grpc.aio.AioRpcError):
                    await stub.ListCurrencies(reference.ListCurrenciesRequest(), timeout=5)

        async def too_many() -> grpc.aio.AioRpcError | None:
            await until(lambda: held.waiting == ROOM)
            try:
                await stub.ListCurrencies(reference.ListCurrenciesRequest(), timeout=5)
            except grpc.aio.AioRpcError as error:
                return error if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED else None

        async def too_many_by_rest() -> tuple[int, dict[str, str], bytes] | None:
            await until(lambda: held.waiting == ROOM)
            answer = await mesh.rest("GET", "/v1/currencies")
            return answer if answer[0] == 429 else None

        callers = [asyncio.create_task(occupies()) for _ in range(ROOM)]
        refused = await until(too_many)
        status, headers, body = await until(too_many_by_rest)
        halt = reference.SetInstrumentStatusRequest(request_id=new_request_id(), base="EUR", counter="USD", status=2)
        await stub.SetInstrumentStatus(halt, timeout=5)
        assert held.most == ROOM
        held.go.set()
        await asyncio.gather(*callers)
        await stub.ListCurrencies(reference.ListCurrenciesRequest(), timeout=5)
    failure = failure_of(refused)
    assert failure is not None
    assert (failure.reason, failure.retry_after_s) == (ErrorReason.TOO_MANY_REQUESTS, 0.1)
    told = json.loads(body)
    assert (status, told["code"], told["details"][0]["reason"]) == (429, 8, "TOO_MANY_REQUESTS")
    assert headers["retry-after"] == "1"


async def test_open_streams_take_no_room_from_calls(mesh: SmallMesh) -> None:
    """A service with room for one call has three streams open and still hears a call."""
    async with channel_of(mesh, "local") as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        streams = [stub.StreamQuotes(marketdata.StreamQuotesRequest(instruments=["EUR/USD"])) for _ in range(3)]
        for stream in streams:
            assert (await stream.read()).position.sequence == 1
        await stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=5)
        for stream in streams:
            stream.cancel()


async def test_calls_wait_at_the_edge_for_their_turn_and_are_refused_when_too_many_wait(mesh: SmallMesh) -> None:
    """The service hears of those that wait in their order, one at a time; a stream is opened meanwhile."""
    held: HeldQuotes = mesh.backends["marketdata-1"].servicer
    held.go.clear()
    held.asked.clear()
    counters = ["USD", "GBP", "CHF"]

    async def waiting() -> int:
        told = await mesh.admin("edge", "/stats?filter=edge.marketdata.upstream_rq_pending_active")
        return int(re.search(r"pending_active: (\d+)", told)[1])

    async with channel_of(mesh, "local") as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        calls = []
        try:
            for place, counter in enumerate(counters):
                request = marketdata.GetQuoteRequest(base="EUR", counter=counter)
                calls.append(asyncio.ensure_future(stub.GetQuote(request, timeout=20)))

                async def there(expected: int = place) -> bool:
                    return len(held.asked) == 1 and await waiting() == expected

                await until(there)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="JPY"), timeout=20)
            stream = stub.StreamQuotes(marketdata.StreamQuotesRequest(instruments=["EUR/USD"]))
            assert (await stream.read()).position.sequence == 1
            stream.cancel()
            assert held.asked == ["USD"]
        finally:
            held.go.set()
        await asyncio.gather(*calls)
    failure = failure_of(refused.value)
    assert failure is not None
    assert failure.reason is ErrorReason.TOO_MANY_REQUESTS
    assert held.asked == counters
    assert held.most == 1


async def test_connections_too_many_a_second_are_closed_before_their_handshake(tmp_path: Path) -> None:
    """Whoever is connected goes on, and a new one is let in as soon as there is room again."""
    path = tmp_path / "topology.toml"
    path.write_text(re.sub(r"connections_per_s = \d+", "connections_per_s = 5", DEFAULT_PATH.read_text()))
    mesh = SmallMesh(path)
    try:
        await mesh.start()
        tls = ssl.create_default_context(cadata=mesh.place.ca_bundle.read_text())

        async def connects() -> bool:
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", mesh.ports["edge"], ssl=tls, server_hostname="localhost"
                )
            except OSError:
                return False
            writer.close()
            return True

        async with channel_of(mesh, "viewer") as channel:
            stub = reference_grpc.ReferenceServiceStub(channel)
            asked = reference.GetInstrumentRequest(base="EUR", counter="USD")
            await stub.GetInstrument(asked, timeout=10)
            let_in = await asyncio.gather(*(connects() for _ in range(100)))
            assert 0 < sum(let_in) < 60
            assert "local_rate_limit.edge.rate_limited: 0" not in await mesh.admin("edge", "/stats?filter=local_rate")
            await stub.GetInstrument(asked, timeout=10)
            await until(connects)
    finally:
        await mesh.stop()
