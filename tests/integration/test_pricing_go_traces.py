"""Spans of pricing in Go are those of pricing in Python, as a collector gets them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc

from crossrate.api.pricing.v1 import pricing_service_pb2 as pb
from crossrate.api.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from tests.ending import within
from tests.integration.go_stand import GO, GOOD, PYTHON, Stand, stand
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TRACE, PARENT = "a" * 32, "b" * 16
SAMPLED = (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("x-request-id", "an-id"))


class Collector(otlp_grpc.TraceServiceServicer):
    """Keeps what it is sent: for each instance its resource and its spans."""

    def __init__(self) -> None:
        self.sent: dict[str, tuple[dict[str, Any], list[Any]]] = {}

    async def Export(self, request, context):
        """Takes spans."""
        for each in request.resource_spans:
            about = {a.key: a.value.string_value for a in each.resource.attributes}
            _, spans = self.sent.setdefault(about["service.instance.id"], (about, []))
            spans += [span for scope in each.scope_spans for span in scope.spans]
        return otlp.ExportTraceServiceResponse()


@pytest_asyncio.fixture(loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    """Both versions."""
    async with stand(tmp_path_factory.mktemp("go")) as made:
        yield made


def told(span: Any) -> tuple:
    """A span without its own id and times."""
    attributes = {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
    return span.name, span.kind, span.trace_id.hex(), span.parent_span_id.hex(), span.status.code, attributes


async def test_sampled_calls_are_told_alike(both: Stand) -> None:
    """A call in a sampled trace is one span with the caller's as parent; one in another trace is none."""
    collector, port = Collector(), free_port()
    server = grpc.aio.server()
    otlp_grpc.add_TraceServiceServicer_to_server(collector, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    settings = {"CROSSRATE_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "CROSSRATE_TRACE_RATIO": "0"}
    for name in (PYTHON, GO):
        both.mesh.processes[name].terminate()
        assert await within(both.mesh.processes[name].wait(), f"the end of {name}") == 0
    await both.start(PYTHON, sys.executable, "-m", "services.pricing", **settings)
    await both.start_go(**settings)
    for name in (PYTHON, GO):
        async with both.channel(name) as channel:
            price = PricingServiceStub(channel).Price
            await price(GOOD, metadata=SAMPLED, timeout=10)
            await price(GOOD, metadata=[("traceparent", f"00-{TRACE}-{PARENT}-00")], timeout=10)
            await price(GOOD, timeout=10)
            with pytest.raises(grpc.aio.AioRpcError):
                await price(pb.PriceRequest(), metadata=SAMPLED, timeout=10)
        both.mesh.processes[name].terminate()
        assert await within(both.mesh.processes[name].wait(), f"the end of {name}") == 0
    await server.stop(1)
    (python, spans), (go, others) = collector.sent[PYTHON], collector.sent[GO]
    assert {go["service.name"], python["service.name"]} == {"pricing"}
    assert list(map(told, others)) == list(map(told, spans))
    assert [(s[2], s[3], s[5]["rpc.grpc.status_code"]) for s in map(told, others)] == [
        (TRACE, PARENT, 0),
        (TRACE, PARENT, 3),
    ]
