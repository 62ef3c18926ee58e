"""The server as its callers see it, over its real Unix socket."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.api.instance.v1 import instance_service_pb2_grpc as instance_grpc
from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.marketdata.v1 import marketdata_service_pb2_grpc as marketdata_grpc
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from crossrate.rpc.registration import AlreadyServedError
from crossrate.rpc.server import Server
from crossrate.runtime.place import REPOSITORY, Place
from crossrate.runtime.process import EXIT_INVARIANT_BROKEN, Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.telemetry import Telemetry
from tests.integration.rpc_service import Instruments, Quotes

WAIT_S = 60.0
EUR_USD = reference.GetInstrumentRequest(base="EUR", counter="USD")
HANGING = reference.GetInstrumentRequest(base="HNG", counter="USD")
GET_INSTRUMENT = "crossrate.api.reference.v1.ReferenceService/GetInstrument"


def from_service(name: str) -> tuple[tuple[str, str], ...]:
    """Metadata as the mesh proxy writes them for a caller."""
    return (("x-forwarded-client-cert", f"By=spiffe://crossrate/reference;URI=spiffe://crossrate/{name}"),)


async def until(holds: Callable[[], bool]) -> None:
    """Returns once something holds; fails if it does not within WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process or behind the wire
            await asyncio.sleep(0.005)


async def failure(call) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    found = failure_of(raised.value)
    assert found is not None, raised.value
    assert found.code is raised.value.code()
    return found


@pytest.fixture
def where() -> Iterator[Place]:
    """Folders of a mesh of one's own; short, because they hold sockets."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    yield Place(folder / "state", folder / "run")
    shutil.rmtree(folder)


class Running:
    """A server that runs in this process, with a channel to it."""

    def __init__(self, where: Place, **settings) -> None:
        self.runtime: Runtime = open_runtime(
            RuntimeSettings(service="reference", **{"settle_s": 0.02, "grace_s": 5.0} | settings), where
        )
        self.instruments = Instruments()
        self.quotes = Quotes()
        self.limits: dict[str, int] = {}

    async def start(self) -> Running:
        """Starts the server and waits until it is registered."""
        self.server = Server(self.runtime, **self.limits)
        self.server.add(reference_grpc.add_ReferenceServiceServicer_to_server, self.instruments)
        self.server.add(marketdata_grpc.add_MarketDataServiceServicer_to_server, self.quotes)
        self.serving = asyncio.create_task(self.server.serve())
        registration = self.runtime.place.registration("reference-1")
        await until(lambda: self.serving.done() or registration.exists())
        if self.serving.done():
            self.serving.result()
        self.registration = json.loads(registration.read_text())
        self.channel = grpc.aio.insecure_channel(f"unix:{self.registration['socket']}")
        self.reference = reference_grpc.ReferenceServiceStub(self.channel)
        self.marketdata = marketdata_grpc.MarketDataServiceStub(self.channel)
        self.instance = instance_grpc.InstanceServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)
        return self

    async def stop(self) -> None:
        """Drains as on SIGTERM."""
        self.runtime.stopping.set()
        self.instruments.release.set()
        if hasattr(self, "serving"):
            await asyncio.wait_for(self.serving, WAIT_S)
            await self.channel.close()

    def metrics(self) -> str:
        """The metrics as Prometheus reads them; blocks."""
        url = f"http://127.0.0.1:{self.registration['metrics_port']}/metrics"
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
            return answer.read().decode()


@pytest.fixture(params=["lean", "grpcio"])
async def prepared(where, request) -> AsyncIterator[Running]:
    """A server that has not been started yet, on each transport."""
    own = Running(where, transport=request.param)
    yield own
    await own.stop()


@pytest.fixture
async def running(prepared) -> Running:
    """A server that serves."""
    return await prepared.start()


async def test_a_call_is_answered(running):
    """A method answers, and its handler knows the caller and the request's id."""
    metadata = (*from_service("marketdata"), ("x-request-id", "r-1"))
    answer = await running.reference.GetInstrument(EUR_USD, metadata=metadata)
    assert answer.instrument.name == "EUR/USD"
    await running.reference.GetInstrument(EUR_USD)
    assert running.instruments.seen[0] == ("marketdata", "r-1")
    assert running.instruments.seen[1][0] == "local"
    assert uuid.UUID(running.instruments.seen[1][1]).version == 7


async def test_only_the_owner_can_open_the_socket(running):
    """The socket's mode is 0600 and the registration says where it is."""
    mode = Path(running.registration["socket"]).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    assert running.registration["metrics_port"] < 32768
    assert {"service", "backend", "instance", "pid", "socket", "metrics_port", "version", "start_time"} == set(
        running.registration
    )


async def test_callers_are_held_to_the_contract_and_the_topology(running):
    """A service that the topology does not let call, and one that proves nobody, are refused before the handler."""
    refused = await failure(running.reference.GetInstrument(EUR_USD, metadata=from_service("ledger")))
    assert refused.reason is ErrorReason.CALLER_NOT_ALLOWED
    assert refused.metadata == {"method": GET_INSTRUMENT, "caller": "ledger"}
    described = running.instance.DescribeInstance(
        instance_pb2.DescribeInstanceRequest(), metadata=from_service("marketdata")
    )
    assert (await failure(described)).reason is ErrorReason.CALLER_NOT_ALLOWED
    nobody = (("x-forwarded-client-cert", "Hash=00"),)
    assert (await failure(running.reference.GetInstrument(EUR_USD, metadata=nobody))).reason is ErrorReason.NO_IDENTITY
    assert running.instruments.seen == []


async def test_every_broken_rule_is_named(running):
    """A request that breaks rules is answered with all of them."""
    got = await failure(running.reference.GetInstrument(reference.GetInstrumentRequest(base="e", counter="dollar")))
    assert got.reason is ErrorReason.INVALID_REQUEST
    assert [(v.field, v.rule) for v in got.violations] == [("base", "string.pattern"), ("counter", "string.pattern")]
    again = await failure(running.reference.GetInstrument(reference.GetInstrumentRequest(base="e", counter="dollar")))
    assert again.violations == got.violations


async def test_requests_that_are_too_large_or_no_message_are_invalid(running):
    """Size and encoding are answered as broken rules, not as a fault of the server."""
    raw = running.channel.unary_unary(f"/{GET_INSTRUMENT}")
    large = await failure(raw(b"\x0a" + b"\x80\x80\x60" + b"E" * (3 << 19)))
    garbage = await failure(raw(b"\xff\xff"))
    assert [v.rule for v in (*large.violations, *garbage.violations)] == ["request.max_bytes", "request.encoding"]


async def test_a_fault_of_the_server_is_counted_and_says_nothing(capfd, running):
    """An unknown exception becomes INTERNAL with the request's id; its words and traceback are in the log alone."""
    got = await failure(
        running.reference.GetInstrument(
            reference.GetInstrumentRequest(base="FLT", counter="USD"), metadata=(("x-request-id", "r-7"),)
        )
    )
    assert (got.reason, got.metadata) == (ErrorReason.INTERNAL, {"request_id": "r-7"})
    assert "secret" not in got.message
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (line,) = (each for each in lines if each["event"] == "the handler failed")
    assert "secret of the server" in line["exception"]
    assert (line["request_id"], line["caller"], line["method"]) == ("r-7", "client:operator", GET_INSTRUMENT)
    await _counted(running, "crossrate_unexpected_errors_total 1.0")


async def test_a_broken_invariant_ends_the_process_in_good_order(running):
    """An assertion that fails is INTERNAL, is counted, and the instance drains to be started anew."""
    got = await failure(running.reference.GetInstrument(reference.GetInstrumentRequest(base="BRK", counter="USD")))
    assert got.reason is ErrorReason.INTERNAL
    await asyncio.wait_for(running.serving, WAIT_S)
    assert running.runtime.exit_code == EXIT_INVARIANT_BROKEN


async def test_what_is_not_implemented_says_so(running):
    """A method without a handler, and a path that no contract has, are UNIMPLEMENTED with a reason."""
    assert (
        await failure(running.reference.ListCurrencies(reference.ListCurrenciesRequest()))
    ).reason is ErrorReason.UNIMPLEMENTED
    assert (await failure(running.channel.unary_unary("/no.Service/Method")(b""))).reason is ErrorReason.UNIMPLEMENTED


async def _in_time(attempt: Callable[[], Awaitable[Any]]) -> Any:
    """What an attempt gives in which the server's answer was faster than the caller's own clock.

    A server keeps back a few hundredths of a second for it; a machine that stands still for longer costs an attempt.
    """
    for _ in range(20):
        if (found := await attempt()) is not None:
            return found
    raise AssertionError("the server never answered before the caller's deadline")


async def test_the_server_itself_says_that_the_deadline_passed(running):
    """The handler is stopped a little before the caller's deadline, so that the caller learns who was late."""

    async def told() -> Failure | None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.reference.GetInstrument(HANGING, timeout=0.3)
        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return failure_of(raised.value)

    got = await _in_time(told)
    assert got.reason is ErrorReason.DEADLINE_EXCEEDED
    assert 0 < int(got.metadata["deadline_ms"]) < 300
    await _idle(running)


async def test_work_that_cannot_finish_is_not_begun(running):
    """Once it is known how long a method takes, a call with less time is refused at once."""
    slow = reference.GetInstrumentRequest(base="SLW", counter="USD")
    await asyncio.gather(*(running.reference.GetInstrument(slow) for _ in range(40)))

    async def told() -> Failure | None:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await running.reference.GetInstrument(EUR_USD, timeout=0.1)
        return failure_of(raised.value)

    got = await _in_time(told)
    assert got.reason is ErrorReason.DEADLINE_TOO_SHORT
    assert float(got.metadata["needed_ms"]) > float(got.metadata["remaining_ms"])


async def test_a_full_server_refuses_at_once_and_keeps_its_reserved_lane(prepared):
    """At the limit a call gets RESOURCE_EXHAUSTED with a delay; a method of the reserved lane is still served."""
    prepared.limits = {"concurrency_max": 2}
    running = await prepared.start()
    held = [asyncio.ensure_future(running.reference.GetInstrument(HANGING)) for _ in range(2)]
    await until(lambda: len(running.instruments.seen) == 2)
    got = await failure(running.reference.GetInstrument(EUR_USD))
    assert (got.reason, got.metadata) == (ErrorReason.TOO_MANY_REQUESTS, {"limit": "2"})
    assert got.retry_after_s is not None
    assert got.retry_after_s > 0
    await running.reference.SetInstrumentStatus(
        reference.SetInstrumentStatusRequest(
            request_id=str(uuid.uuid4()), base="EUR", counter="USD", status=1, comment="a test"
        )
    )
    running.instruments.release.set()
    assert [a.instrument.name for a in await asyncio.gather(*held)] == ["HNG/USD"] * 2


async def test_a_caller_that_leaves_frees_its_place(running):
    """A cancelled call ends its handler and is counted as CANCELLED."""
    call = running.reference.GetInstrument(HANGING)
    task = asyncio.ensure_future(call)
    await asyncio.wait_for(running.instruments.begun.wait(), WAIT_S)
    assert await _in_flight(running) == 1
    task.cancel()
    await _idle(running)
    await _counted(running, f'crossrate_rpc_finished_total{{code="CANCELLED",method="{GET_INSTRUMENT}"}} 1.0')


async def _counted(running: Running, *lines: str) -> None:
    """Returns once all lines stand in the metrics: a call is counted when its answer has gone out."""
    missing = lines
    end = asyncio.get_running_loop().time() + WAIT_S
    while missing:
        text = await asyncio.to_thread(running.metrics)
        missing = [line for line in lines if line not in text]
        assert not missing or asyncio.get_running_loop().time() < end, missing


async def _in_flight(running: Running) -> int:
    answer = await running.instance.DescribeInstance(instance_pb2.DescribeInstanceRequest())
    return answer.calls_in_flight


async def _idle(running: Running) -> None:
    """Returns once no call is in flight."""
    async with asyncio.timeout(WAIT_S):
        while await _in_flight(running):  # noqa: ASYNC110 - asks over the wire
            await asyncio.sleep(0.005)


def _quotes(*instruments: str, most: int = 0) -> marketdata.StreamQuotesRequest:
    return marketdata.StreamQuotesRequest(instruments=instruments, max_messages=most)


async def test_a_stream_says_that_it_is_complete(running):
    """After the handler's last message comes the end, next in sequence and with the cursor to resume from."""
    messages = [m async for m in running.marketdata.StreamQuotes(_quotes("EUR/USD", most=3))]
    assert [m.position.sequence for m in messages] == [1, 2, 3, 4]
    assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    assert messages[-1].position.cursor == messages[-2].position.cursor


async def test_a_stream_that_fails_says_so_in_its_messages_too(running):
    """An error after the first message is the stream's last message and its status."""
    stream = running.marketdata.StreamQuotes(_quotes("ERR/ERR"))
    await stream.read()
    last = await stream.read()
    inside = Failure.from_status(last.error)
    outside = await failure(stream.read())
    assert inside is not None
    assert inside.reason is outside.reason is ErrorReason.NO_QUOTE
    assert last.position.sequence == 2


async def test_a_stream_that_fails_at_once_has_only_a_status(running):
    """An error before the first message sends no message, so that REST answers with its HTTP status."""
    assert (await failure(_all(running.marketdata.StreamQuotes(_quotes("bad"))))).reason is ErrorReason.INVALID_REQUEST


async def _all(stream) -> list:
    return [message async for message in stream]


@pytest.mark.parametrize("instrument", ["EUR/USD", "STI/LLX"])
async def test_a_stream_ends_in_order_at_its_deadline(running, instrument):
    """At its longest life a stream ends with MAX_AGE and OK, also if its handler waits for something at that time."""

    async def ended() -> list | None:
        try:
            return await _all(running.marketdata.StreamQuotes(_quotes(instrument), timeout=0.5))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise
            return None

    messages = await _in_time(ended)
    assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_MAX_AGE
    assert messages[-1].position.cursor == messages[-2].position.cursor


async def test_a_reader_that_leaves_ends_the_handler(running):
    """When a stream's reader goes away its handler is closed."""
    stream = running.marketdata.StreamQuotes(_quotes("STI/LLX"))
    await stream.read()
    stream.cancel()
    await asyncio.wait_for(running.quotes.closed.wait(), WAIT_S)


async def test_draining_loses_no_call(running):
    """On SIGTERM health goes down and the registration away at once, streams end with DRAINING, and every call that
    was under way or comes in meanwhile is answered."""
    watch = running.health.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    held = [asyncio.ensure_future(running.reference.GetInstrument(HANGING)) for _ in range(5)]
    streams = [asyncio.ensure_future(_all(running.marketdata.StreamQuotes(_quotes("STI/LLX")))) for _ in range(3)]
    await until(lambda: len(running.instruments.seen) == 5)
    running.runtime.stopping.set()
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert not running.runtime.place.registration("reference-1").exists()
    late = [await running.reference.GetInstrument(EUR_USD) for _ in range(5)]
    for messages in await asyncio.gather(*streams):
        assert messages[-1].end.reason == stream_pb2.STREAM_END_REASON_DRAINING
    assert not running.serving.done()
    running.instruments.release.set()
    assert len(await asyncio.gather(*held)) + len(late) == 10
    await asyncio.wait_for(running.serving, WAIT_S)
    assert not Path(running.registration["socket"]).exists()


async def test_grace_has_an_end(where):
    """A call that outlasts the grace is told that the server shuts down, and the server goes."""
    running = await Running(where, grace_s=0.1).start()
    held = asyncio.ensure_future(running.reference.GetInstrument(HANGING))
    await until(lambda: len(running.instruments.seen) == 1)
    running.runtime.stopping.set()
    assert (await failure(held)).reason is ErrorReason.SHUTTING_DOWN
    await running.stop()


async def test_an_instance_registers_only_when_it_serves(prepared):
    """While a dependency is down the socket answers NOT_SERVING and there is no registration."""
    up = asyncio.Event()

    async def check() -> bool:
        return up.is_set()

    runtime = prepared.runtime
    server = Server(runtime)
    server.health.depends_on("postgres", check)
    serving = asyncio.create_task(server.serve())
    await until(server.socket.exists)
    async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert not runtime.place.registration("reference-1").exists()
        up.set()
        await until(runtime.place.registration("reference-1").exists)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    runtime.stopping.set()
    await asyncio.wait_for(serving, WAIT_S)


async def test_one_instance_has_one_process(running):
    """A second server for the same instance refuses to start and leaves the first alone."""
    second = Server(Running(running.runtime.place).runtime)
    with pytest.raises(AlreadyServedError):
        await second.serve()
    await running.reference.GetInstrument(EUR_USD)


async def test_reflection_knows_the_services(running):
    """A client without contracts learns the services' names and types, by either version of reflection."""
    stub = reflection_pb2_grpc.ServerReflectionStub(running.channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=GET_INSTRUMENT.partition("/")[0]),
    ]
    listed, file = await _all(stub.ServerReflectionInfo(iter(requests)))
    names = {s.name for s in listed.list_services_response.service}
    assert {GET_INSTRUMENT.partition("/")[0], "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"} <= names
    assert file.file_descriptor_response.file_descriptor_proto
    newer = running.channel.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    (again,) = await _all(newer(iter(requests[:1])))
    assert again.list_services_response == listed.list_services_response


async def test_a_tap_shows_what_passes(running):
    """Requests, answers and statuses of the watched method appear, in order, with caller and request id; the tap's own
    calls do not. When nobody watches any more, nothing is kept."""
    tap = running.instance.TapMessages(instance_pb2.TapMessagesRequest(method="GetInstrument", max_messages=4))
    await tap.initial_metadata()
    await running.marketdata.GetQuote(marketdata.GetQuoteRequest(base="EUR", counter="USD")).code()
    metadata = (*from_service("marketdata"), ("x-request-id", "r-1"))
    await running.reference.GetInstrument(EUR_USD, metadata=metadata)
    await failure(running.reference.GetInstrument(reference.GetInstrumentRequest(base="?"), metadata=metadata))
    seen = [m async for m in tap]
    assert [instance_pb2.TapDirection.Name(m.direction).removeprefix("TAP_DIRECTION_") for m in seen] == [
        "REQUEST",
        "RESPONSE",
        "STATUS",
        "REQUEST",
    ]
    assert [json.loads(m.body) for m in seen[:2]] == [
        {"base": "EUR", "counter": "USD"},
        {"instrument": {"name": "EUR/USD"}},
    ]
    assert seen[2].body == "OK"
    assert {(m.method, m.caller, m.request_id, m.instance) for m in seen} == {
        (GET_INSTRUMENT, "marketdata", "r-1", "reference-1")
    }
    await until(lambda: running.server._tap.readers == ())


class Feed(BaseModel):
    rate_hz: float = 4.0


class Configured:
    """Live configuration as InstanceService sees it."""

    current = Feed()
    version = 3
    error = "feed.rate_hz: must be greater than 0"

    def check(self, values: dict) -> tuple[list[str], dict]:
        return ([], Feed(**values).model_dump()) if values["rate_hz"] > 0 else ([self.error], {})


async def test_an_instance_describes_itself_and_its_configuration(running):
    """The control plane reads what the instance is, which configuration is in force, and whether another would be."""
    running.server.config = Configured()
    got = await running.instance.DescribeInstance(instance_pb2.DescribeInstanceRequest())
    assert (got.service, got.instance, got.config_version) == ("reference", "reference-1", 3)
    assert (got.config["rate_hz"], got.config_error) == (4.0, Configured.error)
    assert got.ready_time.ToDatetime().timestamp() == pytest.approx(time.time(), abs=60)
    values = Struct()
    for rate, errors in ((2.0, []), (-1.0, [Configured.error])):
        values["rate_hz"] = rate
        verdict = await running.instance.CheckConfig(instance_pb2.CheckConfigRequest(config=values))
        assert list(verdict.errors) == errors


async def test_metrics_count_calls_by_method_and_code(running):
    """What Prometheus reads has calls, latencies, messages and refusals by method, and a gauge of what is in flight."""
    for _ in range(3):
        await running.reference.GetInstrument(EUR_USD)
    await failure(running.reference.GetInstrument(EUR_USD, metadata=from_service("ledger")))
    await _all(running.marketdata.StreamQuotes(_quotes("EUR/USD", most=5)))
    label = f'method="{GET_INSTRUMENT}"'
    stream = 'method="crossrate.api.marketdata.v1.MarketDataService/StreamQuotes"'
    await _counted(
        running,
        f"crossrate_rpc_started_total{{{label}}} 4.0",
        f'crossrate_rpc_finished_total{{code="OK",{label}}} 3.0',
        f'crossrate_rpc_finished_total{{code="PERMISSION_DENIED",{label}}} 1.0',
        f"crossrate_rpc_in_flight{{{label}}} 0.0",
        f'crossrate_rpc_messages_total{{direction="received",{label}}} 3.0',
        f'crossrate_rpc_messages_total{{direction="sent",{stream}}} 5.0',
        f'crossrate_rpc_refused_total{{{label},reason="CALLER_NOT_ALLOWED"}} 1.0',
        f"crossrate_rpc_duration_seconds_count{{{label}}} 4.0",
    )
    if running.runtime.settings.transport == "lean":
        await _counted(running, "crossrate_transport_connections 1.0", "crossrate_transport_streams 0.0")


async def test_a_sampled_trace_has_a_span_for_every_call(prepared):
    """A call in a sampled trace is recorded under its caller's span, also a stream, and also when it is cancelled; a
    call in another trace is not."""
    spans = InMemorySpanExporter()
    prepared.runtime.telemetry = telemetry = Telemetry.start("reference", "reference-1", "0", "", 0.0, spans)
    running = await prepared.start()
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

    def header(flags: str) -> tuple[tuple[str, str], ...]:
        return (("traceparent", f"00-{trace}-{parent}-{flags}"),)

    await running.reference.GetInstrument(EUR_USD, metadata=header("00"))
    await running.reference.GetInstrument(EUR_USD, metadata=header("01"))
    await _all(running.marketdata.StreamQuotes(_quotes("EUR/USD", most=2), metadata=header("01")))
    call = asyncio.ensure_future(running.reference.GetInstrument(HANGING, metadata=header("01")))
    await until(lambda: len(running.instruments.seen) == 3)
    call.cancel()
    await _idle(running)
    await asyncio.to_thread(telemetry.stop)
    unary, stream, cancelled = spans.get_finished_spans()
    assert {f"{s.context.trace_id:032x}" for s in (unary, stream, cancelled)} == {trace}
    assert {f"{s.parent.span_id:016x}" for s in (unary, stream, cancelled)} == {parent}
    assert unary.status.is_ok or unary.status.is_unset
    assert stream.attributes["rpc.messages.sent"] == 2
    assert cancelled.attributes["rpc.grpc.status_code"] == grpc.StatusCode.CANCELLED.value[0]
    assert not cancelled.status.is_ok
    assert [e.name for e in cancelled.events] == ["cancelled"]


@pytest.fixture
def process(where) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts programs in a mesh of one's own; none is left afterwards."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str) -> subprocess.Popen:
        environment = os.environ | {
            "CROSSRATE_STATE": str(where.state),
            "CROSSRATE_RUN": str(where.run),
            "CROSSRATE_SERVICE": "reference",
            "CROSSRATE_SETTLE_S": "0.02",
        }
        started.append(
            subprocess.Popen([sys.executable, *arguments], env=environment, cwd=REPOSITORY, stderr=subprocess.PIPE)
        )
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate(timeout=WAIT_S)


async def test_a_process_drains_on_sigterm_and_exits_with_0(process, where):
    """A program that `run` carries serves, drains on SIGTERM, leaves nothing behind and says all of it in JSON."""
    program = process("-m", "tests.integration.rpc_service")
    registration = where.registration("reference-1")
    await until(registration.exists)
    async with grpc.aio.insecure_channel(f"unix:{where.service_socket('reference-1')}") as channel:
        stub = reference_grpc.ReferenceServiceStub(channel)
        slow = asyncio.ensure_future(stub.GetInstrument(reference.GetInstrumentRequest(base="SLW", counter="USD")))
        await stub.GetInstrument(EUR_USD)
        program.send_signal(signal.SIGTERM)
        program.send_signal(signal.SIGTERM)
        assert (await slow).instrument.name == "SLW/USD"
    _, err = await asyncio.to_thread(program.communicate, timeout=WAIT_S)
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert program.returncode == 0
    no_nats = "revocations are not followed; trying again"
    assert events.count(no_nats) == 1, "said once, not at each attempt"
    events.remove(no_nats)
    assert events == ["starting", "serving", "ready", "draining", "drained", "stopped"]
    assert not registration.exists()
    assert not where.service_socket("reference-1").exists()


async def test_a_crash_leaves_nothing_that_blocks_the_next_start(process, where):
    """After kill -9 the next process takes over the socket and the registration."""
    registration = where.registration("reference-1")
    first = process("-m", "tests.integration.rpc_service")
    await until(registration.exists)
    first.kill()
    first.wait(timeout=WAIT_S)
    second = process("-m", "tests.integration.rpc_service")
    await until(lambda: json.loads(registration.read_text())["pid"] == second.pid)
    async with grpc.aio.insecure_channel(f"unix:{where.service_socket('reference-1')}") as channel:
        await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EUR_USD)


PRELOADED = """
import gc, os, sys, threading
from crossrate.runtime.process import run
from tests.integration.rpc_service import serve
assert threading.active_count() == 1, threading.enumerate()
assert len(os.listdir("/proc/self/task")) == 1, os.listdir("/proc/self/task")
gc.freeze()
children = []
for number in (1, 2):
    child = os.fork()
    if not child:
        os.environ["CROSSRATE_INSTANCE"] = f"reference-{number}"
        run(serve)
    children.append(child)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


async def test_a_preloaded_parent_can_fork_instances(process, where):
    """Importing everything starts no thread, and children forked afterwards serve and drain on their own."""
    parent = process("-c", PRELOADED)
    for number in (1, 2):
        registration = where.registration(f"reference-{number}")
        await until(registration.exists)
        async with grpc.aio.insecure_channel(f"unix:{where.service_socket(f'reference-{number}')}") as channel:
            await reference_grpc.ReferenceServiceStub(channel).GetInstrument(EUR_USD)
        os.kill(json.loads(registration.read_text())["pid"], signal.SIGTERM)
    await asyncio.to_thread(parent.communicate, timeout=WAIT_S)
    assert parent.returncode == 0
