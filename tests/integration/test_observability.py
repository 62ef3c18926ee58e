"""Edges, processes, the way of a call and taps, in a small mesh of real proxies and real servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
import pytest_asyncio

from crossrate.api.control.v1 import fault_service_pb2 as faults
from crossrate.api.control.v1 import mesh_pb2, tap_pb2
from crossrate.api.control.v1 import observability_service_pb2 as pb
from crossrate.api.control.v1.control_service_pb2_grpc import ControlServiceStub
from crossrate.api.control.v1.fault_service_pb2_grpc import FaultServiceStub
from crossrate.api.control.v1.observability_pb2 import Edge
from crossrate.api.control.v1.observability_service_pb2_grpc import ObservabilityServiceStub
from crossrate.api.instance.v1 import instance_service_pb2 as instance
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.topology import DEFAULT_PATH
from tests.ending import within
from tests.integration.conftest import Servers
from tests.integration.envoys import SmallMesh, until
from tests.integration.rpc_service import Instruments, Quotes

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

EUR_USD = reference.GetInstrumentRequest(base="EUR", counter="USD")
GET_INSTRUMENT = "crossrate.api.reference.v1.ReferenceService/GetInstrument"
GET_QUOTE = "crossrate.api.marketdata.v1.MarketDataService/GetQuote"


class Asking(Quotes):
    """Quotes that need their instrument from reference, twice, at once."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__()
        self.channel = channel_to_mesh(runtime)

    async def GetQuote(self, request: Any, context: Any) -> marketdata.GetQuoteResponse:
        """A quote of a known instrument."""
        stub = reference_grpc.ReferenceServiceStub(self.channel)
        wanted = reference.GetInstrumentRequest(base=request.base, counter=request.counter)
        await asyncio.gather(stub.GetInstrument(wanted), stub.GetInstrument(wanted))
        return marketdata.GetQuoteResponse()


class SeenMesh(SmallMesh):
    """The small mesh with our own servers in the place of bare ones, and NATS."""

    async def start(self) -> SeenMesh:
        """One instance of reference and one of marketdata, which asks it."""
        self.serving: list[asyncio.Task[None]] = []
        self.runtimes: list[Runtime] = []
        self.servers = Servers(self.folder, self.topology)
        self.servers.issue()
        await self.servers.start_nats()
        await self.servers.nats.provision(self.topology)
        await self.serve("reference", lambda _: Instruments(), reference_grpc.add_ReferenceServiceServicer_to_server)
        await self.serve("marketdata", Asking, marketdata_grpc.add_MarketDataServiceServicer_to_server)
        await self.start_control()
        await self.start_envoys()
        await until(self.is_whole)
        return self

    async def serve(self, service: str, make: Any, register: Any) -> None:
        """An instance in this process."""
        settings = RuntimeSettings(service=service, instance=f"{service}-1", settle_s=0.05, grace_s=1)
        runtime = open_runtime(settings, self.place)
        server = Server(runtime)
        server.add(register, make(runtime))
        self.runtimes.append(runtime)
        self.serving.append(asyncio.create_task(server.serve()))

    async def is_whole(self) -> bool:
        """Whether both serve and every proxy knows them."""
        status = await self.status()
        healthy = [i for i in status.instances if i.health == mesh_pb2.INSTANCE_HEALTH_SERVING] if status else []
        return len(healthy) == 3

    async def stop(self) -> None:
        """Ends everything."""
        for runtime in self.runtimes:
            runtime.stopping.set()
        try:
            await within(asyncio.gather(*self.serving, return_exceptions=True), "the end of the servers")
        finally:
            await asyncio.to_thread(self.servers.remove)
            await super().stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[SeenMesh]:
    """Such a mesh, for all tests here."""
    made = SeenMesh(DEFAULT_PATH)
    try:
        yield await made.start()
    finally:
        await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def operator(mesh: SeenMesh) -> AsyncIterator[grpc.aio.Channel]:
    """Control's own socket."""
    async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket('control-1')}") as channel:
        yield channel


async def quote(mesh: SeenMesh, base: str = "EUR", request_id: str = "") -> str:
    """A quote through the edge under a request id; the code's name."""
    metadata = (("x-request-id", request_id or str(uuid.uuid4())),)
    async with mesh.edge_channel() as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        call = stub.GetQuote(marketdata.GetQuoteRequest(base=base, counter="USD"), metadata=metadata, timeout=30)
        return (await call.code()).name


async def explained(operator: grpc.aio.Channel, request_id: str) -> pb.ExplainCallResponse:
    """What the mesh knows of a request id."""
    request = pb.ExplainCallRequest(call_request_id=request_id)
    return await ObservabilityServiceStub(operator).ExplainCall(request, timeout=20)


@contextlib.asynccontextmanager
async def traffic(*calls: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Each call again and again, once at least before anything else happens."""

    async def go(call: Callable[[], Awaitable[Any]]) -> None:
        while True:
            await call()

    for call in calls:
        await call()
    tasks = [asyncio.create_task(go(call)) for call in calls]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def edges(operator: grpc.aio.Channel, *wanted: tuple[str, str, str]) -> dict[tuple[str, str, str], Edge]:
    """The edges of 0.4 s in which calls passed all of some. A window may have begun before the traffic did."""
    request = pb.ListEdgesRequest()
    request.window.FromMilliseconds(400)

    async def looked() -> dict[tuple[str, str, str], Edge]:
        answer = await ObservabilityServiceStub(operator).ListEdges(request, timeout=20)
        assert not answer.unmeasured
        seen = {(e.caller, e.service, e.method): e for e in answer.edges}
        return seen if all(key in seen and seen[key].call_count for key in wanted) else {}

    return await until(looked)


async def test_edges_of_a_service_that_is_not_there_are_an_error(operator: grpc.aio.Channel) -> None:
    """A mistyped name is not a service that nobody calls."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ObservabilityServiceStub(operator).ListEdges(pb.ListEdgesRequest(service="nobody"), timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "service: must be one of" in (caught.value.details() or "")


async def test_edges_tell_who_calls_whom(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """An edge has its caller by certificate, its rate, its share of answers and its times."""
    outer, inner = ("edge", "marketdata", GET_QUOTE), ("marketdata", "reference", GET_INSTRUMENT)
    async with mesh.edge_channel() as channel:
        stub = marketdata_grpc.MarketDataServiceStub(channel)
        async with traffic(lambda: stub.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD"), timeout=30)):
            seen = await edges(operator, outer, inner)
    first, second = seen[outer], seen[inner]
    assert first.success_share == second.success_share == 1.0
    assert first.call_count > 0
    # Instances are not asked at the very same moment.
    assert second.call_count >= first.call_count / 2
    assert 0 < first.latency_p50.ToNanoseconds() <= first.latency_p99.ToNanoseconds()
    assert second.version


async def test_answers_are_no_failures(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """NOT_FOUND leaves the success share whole; an error of the handler does not."""
    good, bad = ("risk", "reference", GET_INSTRUMENT), ("pricing", "reference", GET_INSTRUMENT)
    async with mesh.outbound_channel("risk") as risk, mesh.outbound_channel("pricing") as pricing:

        def of(channel: grpc.aio.Channel, base: str) -> Callable[[], Awaitable[Any]]:
            call = reference_grpc.ReferenceServiceStub(channel).GetInstrument
            return lambda: call(reference.GetInstrumentRequest(base=base, counter="USD"), timeout=30).code()

        async with traffic(of(risk, "XXX"), of(pricing, "FLT")):
            seen = await edges(operator, good, bad)
    assert seen[good].success_share == 1.0
    assert seen[bad].success_share == 0.0
    assert seen[bad].failure_count == seen[bad].call_count


async def test_processes_are_told_without_a_node(operator: grpc.aio.Channel) -> None:
    """Where no node answers, instances tell of themselves, and the answer says what is missing."""
    stub = ObservabilityServiceStub(operator)
    request = pb.ListProcessesRequest()
    request.window.FromMilliseconds(200)
    answer = await stub.ListProcesses(request, timeout=20)
    loads = {load.process: load for load in answer.processes}
    assert loads.keys() == {"control-1", "marketdata-1", "reference-1"}
    assert all(load.memory_is_resident and load.memory_bytes > 1 << 20 for load in loads.values())
    assert loads["control-1"].processor_share > 0
    assert "node" in answer.node_error
    again = await stub.ListProcesses(request, timeout=20)
    assert any(load.HasField("loop_lag_max") for load in again.processes)


async def test_the_way_of_a_call(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """Each hop is there under the call that it was made in, with its times and with what let it in."""
    request_id = str(uuid.uuid4())
    assert await quote(mesh, request_id=request_id) == "OK"
    answer = await explained(operator, request_id)
    first, *others = answer.hops
    assert (first.call.caller, first.call.principal, first.call.code) == ("edge", "client:viewer", "OK")
    assert [(h.parent, h.call.caller, h.call.method) for h in others] == [(0, "marketdata", GET_INSTRUMENT)] * 2
    assert all(h.transit.ToNanoseconds() > 0 for h in others)
    parts = first.call.waited.ToNanoseconds() + first.handler.ToNanoseconds() + first.upstream.ToNanoseconds()
    assert parts == pytest.approx(first.call.elapsed.ToNanoseconds(), rel=0.01)
    assert [d.check for d in first.call.decisions] == ["identity", "caller", "roles", "deadline"]
    assert "viewer" in first.call.decisions[2].explanation
    assert "the contract names marketdata" in others[0].call.decisions[1].explanation
    assert answer.conclusion.startswith("marketdata-1 answered it")


async def test_the_way_of_a_call_that_failed_below(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """Where the failure came from is said."""
    request_id = str(uuid.uuid4())
    await quote(mesh, "XXX", request_id)
    answer = await explained(operator, request_id)
    assert {h.call.code for h in answer.hops[1:]} == {"NOT_FOUND"}
    assert "reference-1 had answered it NOT_FOUND" in answer.conclusion


async def test_what_a_proxy_refuses_is_explained(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """A caller that the topology does not connect gets to no instance; the proxy in front of it tells."""
    request_id = str(uuid.uuid4())
    async with mesh.outbound_channel("audit") as channel:
        call = marketdata_grpc.MarketDataServiceStub(channel).GetQuote(
            marketdata.GetQuoteRequest(base="EUR", counter="USD"), metadata=(("x-request-id", request_id),), timeout=30
        )
        assert await call.code() is grpc.StatusCode.PERMISSION_DENIED
    answer = await until(lambda: known(operator, request_id))
    assert not answer.hops
    assert {a.caller for a in answer.proxy_answers if a.listener == "in|marketdata"} == {"audit"}
    assert "No instance answered it" in answer.conclusion
    assert "crossrate authz" in answer.conclusion


async def known(operator: grpc.aio.Channel, request_id: str) -> pb.ExplainCallResponse | None:
    """The way of a call, once anybody knows it."""
    try:
        return await explained(operator, request_id)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return None


async def test_a_fault_is_named(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """A call that a drill has answered says so, and which drill it was, also when that is over."""
    stub = FaultServiceStub(operator)
    request = faults.AddFaultRequest(request_id=str(uuid.uuid4()))
    request.fault.MergeFrom(faults.Fault(service="marketdata", abort_code="ABORTED", comment="Friday's"))
    request.lifetime.seconds = 60
    name = (await stub.AddFault(request, timeout=30)).fault.fault

    async def aborted() -> str:
        request_id = str(uuid.uuid4())
        return request_id if await quote(mesh, request_id=request_id) == "ABORTED" else ""

    # The worker of a proxy hears of its routes after the proxy has acknowledged them.
    request_id = await until(aborted)
    await stub.RemoveFault(faults.RemoveFaultRequest(request_id=str(uuid.uuid4())), timeout=30)
    answer = await until(lambda: known(operator, request_id))
    assert "a fault for a drill answered it" in answer.conclusion
    assert f'fault {name} by local, "Friday\'s": calls to marketdata are answered ABORTED' in answer.conclusion


async def test_what_nobody_keeps_is_said_to_be_so(operator: grpc.aio.Channel) -> None:
    """NOT_FOUND tells how far back the instances know."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await explained(operator, "never-was")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "no instance keeps anything of this call" in (caught.value.details() or "")


async def test_a_tap_chooses_calls(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """Of all calls the ones of a caller that failed are shown, in their order."""
    stub = ControlServiceStub(operator)
    asked = tap_pb2.TapRequest(
        service="reference", callers=["risk"], codes=["NOT_FOUND"], max_messages=2, comment="why"
    )
    asked.max_duration.seconds = 30
    reading = asyncio.create_task(collected(stub.Tap(asked)))
    async with mesh.outbound_channel("risk") as channel:
        call = reference_grpc.ReferenceServiceStub(channel).GetInstrument
        while not reading.done():
            await call(EUR_USD, timeout=30).code()
            await call(reference.GetInstrumentRequest(base="XXX", counter="USD"), timeout=30).code()
    first, last = await reading
    assert (first.direction, last.direction) == (instance.TAP_DIRECTION_REQUEST, instance.TAP_DIRECTION_STATUS)
    assert json.loads(first.body) == {"base": "XXX", "counter": "USD"}
    assert (last.code, last.principal, last.caller) == ("NOT_FOUND", "risk", "risk")


async def collected(stream: Any) -> list[instance.TapMessagesResponse]:
    """The messages of a tap."""
    return [answer.message async for answer in stream]


async def test_a_tap_of_headers_shows_no_bodies_and_ends(mesh: SeenMesh, operator: grpc.aio.Channel) -> None:
    """Sizes and codes alone, for as long as was asked."""
    stub = ControlServiceStub(operator)
    asked = tap_pb2.TapHeadersRequest(method=GET_QUOTE)
    asked.max_duration.FromMilliseconds(400)
    reading = asyncio.create_task(collected(stub.TapHeaders(asked)))
    while not reading.done():
        await quote(mesh)
    seen = await reading
    assert seen
    assert {m.body for m in seen} == {""}
    assert {m.code for m in seen if m.direction == instance.TAP_DIRECTION_STATUS} <= {"OK"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"method": "Nothing/AtAll"}, "method"),
        ({"service": "nobody"}, "service"),
        ({"service": "risk", "method": GET_QUOTE}, "service"),
        ({"method": GET_QUOTE, "account": "spot-1"}, "account"),
        ({"codes": ["GREAT"]}, "codes"),
    ],
)
async def test_a_tap_of_nothing_is_refused(operator: grpc.aio.Channel, fields: dict[str, Any], field: str) -> None:
    """What can never be shown is an error that names its field."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await collected(ControlServiceStub(operator).Tap(tap_pb2.TapRequest(**fields), timeout=30))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (caught.value.details() or "")
